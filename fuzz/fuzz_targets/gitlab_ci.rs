//! libFuzzer's entrance to `fromguard_fuzz::gitlab_ci`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fromguard_fuzz::gitlab_ci::run(data));
