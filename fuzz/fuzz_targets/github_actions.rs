//! libFuzzer's entrance to `fromguard_fuzz::github_actions`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fromguard_fuzz::github_actions::run(data));
