//! libFuzzer's entrance to `fromguard_fuzz::rule`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fromguard_fuzz::rule::run(data));
