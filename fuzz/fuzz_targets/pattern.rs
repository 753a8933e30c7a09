//! libFuzzer's entrance to `fromguard_fuzz::pattern`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fromguard_fuzz::pattern::run(data));
