//! libFuzzer's entrance to `fromguard_fuzz::kubernetes`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fromguard_fuzz::kubernetes::run(data));
