//! libFuzzer's entrance to `fromguard_fuzz::reference`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fromguard_fuzz::reference::run(data));
