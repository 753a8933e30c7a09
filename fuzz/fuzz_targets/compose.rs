//! libFuzzer's entrance to `fromguard_fuzz::compose`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fromguard_fuzz::compose::run(data));
