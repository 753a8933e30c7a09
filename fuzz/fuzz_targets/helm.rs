//! libFuzzer's entrance to `fromguard_fuzz::helm`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fromguard_fuzz::helm::run(data));
