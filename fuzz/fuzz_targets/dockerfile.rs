//! libFuzzer's entrance to `fromguard_fuzz::dockerfile`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fromguard_fuzz::dockerfile::run(data));
