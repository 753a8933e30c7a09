//! libFuzzer's entrance to `fromguard_fuzz::policy`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fromguard_fuzz::policy::run(data));
