//! What must hold of every input, one file per fuzz target.
//!
//! Each has a function `run(data)` that panics when something does not hold. The
//! binaries in `fuzz_targets/` give it libFuzzer's inputs; the test
//! `crates/core/tests/fuzz_smoke.rs` includes this file by its path and gives it
//! the corpus and a fixed series of mutations. It therefore names nothing but
//! the core's public interface.

pub mod dockerfile;
pub mod expansion;
pub mod pattern;
pub mod policy;
pub mod reference;
pub mod rule;

use fromguard_core::source::SourceFile;
use fromguard_core::source::Span;

/// A span lies in its file and splits no character.
#[track_caller]
fn check_span(file: &SourceFile, span: Span) {
    assert!(span.start <= span.end, "{span:?} ends before it starts");
    assert!(file.text().get(span.start..span.end).is_some(), "{span:?} is no part of the text");
}
