//! Compose files with their variables, as one tree: whatever the bytes, reading
//! ends, every place that is named is one of its file, and reading again gives the same.
//!
//! The input is files, each under a line `=== ` and its path; what stands before the
//! first is `compose.yml`.

use std::collections::BTreeMap;

use fromguard_core::scan::Scan;
use fromguard_core::scan::Scanned;
use fromguard_core::source::Content;
use fromguard_core::source::RepoPath;
use fromguard_core::source::SourceFile;

use super::check_span;

/// How many files one input may hold.
const MAX_FILES: usize = 8;

/// See the module.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let files = split(&text);
    let scanned = scan(&files);
    let file = |path: &RepoPath| SourceFile::new(path.clone(), files.get(path).map_or("", String::as_str));
    for usage in &scanned.uses {
        let here = file(&usage.file);
        check_span(&here, usage.span);
        assert_eq!(here.slice(usage.span), usage.raw);
        assert!(!usage.targets.is_empty(), "{usage:?}");
        for at in usage.via.iter().map(|via| &via.at).chain([&usage.decided_at]) {
            check_span(&file(&at.file), at.span);
            assert!(scanned.sources.contains_key(&at.file), "{at:?} has no source");
        }
    }
    for problem in &scanned.problems {
        check_span(&file(&problem.at.file), problem.at.span);
        assert!(!problem.message.is_empty());
    }
    let again = scan(&files);
    assert_eq!((scanned.uses, scanned.problems), (again.uses, again.problems));
}

fn split(text: &str) -> BTreeMap<RepoPath, String> {
    let mut files = BTreeMap::new();
    let mut path = RepoPath::new("compose.yml");
    for line in text.split_inclusive('\n') {
        match line.strip_prefix("=== ") {
            Some(name) if files.len() < MAX_FILES => path = RepoPath::new(name.trim_end()),
            _ => files.entry(path.clone()).or_insert_with(String::new).push_str(line),
        }
    }
    files
}

fn scan(files: &BTreeMap<RepoPath, String>) -> Scanned {
    let mut scan = Scan::of_tree(files.keys().cloned().collect());
    loop {
        let wanted = scan.wanted();
        if wanted.is_empty() {
            return scan.finish();
        }
        for path in wanted {
            let bytes = files.get(&path).map(|text| text.clone().into_bytes());
            scan.feed(&path, bytes.map_or(Content::Missing, Content::from_bytes));
        }
    }
}
