//! libFuzzer's entrance to `fromguard_fuzz::expansion`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fromguard_fuzz::expansion::run(data));
