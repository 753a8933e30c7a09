//! libFuzzer's entrance to `fromguard_fuzz::shell`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fromguard_fuzz::shell::run(data));
