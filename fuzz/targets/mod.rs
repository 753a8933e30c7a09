//! What must hold of every input, one file per fuzz target.
//!
//! Each has a function `run(data)` that panics when something does not hold. The
//! binaries in `fuzz_targets/` give it libFuzzer's inputs; the test
//! `crates/core/tests/fuzz_smoke.rs` includes this file by its path and gives it
//! the corpus and a fixed series of mutations. It therefore names nothing but
//! the core's public interface.

pub mod compose;
pub mod dockerfile;
pub mod expansion;
pub mod github_actions;
pub mod gitlab_ci;
pub mod helm;
pub mod kubernetes;
pub mod pattern;
pub mod policy;
pub mod reference;
pub mod rule;
pub mod shell;

use fromguard_core::scan::Scan;
use fromguard_core::source::Content;
use fromguard_core::source::RepoPath;
use fromguard_core::source::SourceFile;
use fromguard_core::source::Span;

/// A span lies in its file and splits no character.
#[track_caller]
fn check_span(file: &SourceFile, span: Span) {
    assert!(span.start <= span.end, "{span:?} ends before it starts");
    assert!(file.text().get(span.start..span.end).is_some(), "{span:?} is no part of the text");
}

/// Scans files as one tree, twice, and holds what is found to what must hold of
/// every use and problem.
fn check_tree(files: &[(&str, &str)]) {
    let scan = || {
        let mut scan = Scan::of_tree(files.iter().map(|(path, _)| RepoPath::new(path)).collect());
        loop {
            let wanted = scan.wanted();
            if wanted.is_empty() {
                return scan.finish();
            }
            for path in wanted {
                let text = files.iter().find(|(name, _)| *name == path.as_str());
                scan.feed(&path, text.map_or(Content::Missing, |(_, text)| Content::Text((*text).into())));
            }
        }
    };
    let scanned = scan();
    for usage in &scanned.uses {
        let source = |path: &RepoPath| scanned.sources.get(path).expect("every file of a place is kept");
        dockerfile::check_use(source(&usage.file), usage);
        check_span(source(&usage.decided_at.file), usage.decided_at.span);
        usage.via.iter().for_each(|via| check_span(source(&via.at.file), via.at.span));
    }
    for problem in &scanned.problems {
        assert!(!problem.message.is_empty());
    }
    let again = scan();
    assert_eq!((scanned.uses, scanned.problems), (again.uses, again.problems), "it is read the same way");
}
