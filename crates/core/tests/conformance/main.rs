//! fromguard's Dockerfile reader and reference parser against the golden answers
//! of BuildKit and distribution/reference under `tests/conformance`.
//!
//! `cargo xtask oracle` writes those answers and shares these modules, so that
//! the live comparison and this one follow one rule.
#![allow(clippy::unwrap_used, reason = "a test that cannot read its own cases should stop")]

#[allow(dead_code, reason = "`cargo xtask oracle` uses the rest")]
mod answer;
#[allow(dead_code, reason = "`cargo xtask oracle` uses the rest")]
mod cases;
#[allow(dead_code, reason = "`cargo xtask oracle` uses the rest")]
mod references;
#[allow(dead_code, reason = "`cargo xtask oracle` uses the rest")]
mod rule;

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use cases::Case;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance")
}

#[test]
fn dockerfiles_are_read_as_buildkit_reads_them() {
    let mut compared = 0;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(folder().join("dockerfile")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "cases") {
            continue;
        }
        let cases = cases::read(&fs::read_to_string(&path).unwrap()).unwrap();
        let golden = answer::read(&fs::read_to_string(path.with_extension("golden")).unwrap()).unwrap();
        let names: Vec<_> = cases.iter().map(|case| &case.name).collect();
        let answered: Vec<_> = golden.iter().map(|(name, _)| name).collect();
        assert_eq!(names, answered, "{}: run `cargo xtask oracle`", path.display());
        for (case, (_, answer)) in cases.iter().zip(&golden).filter(|(case, _)| case.is_alone()) {
            compared += 1;
            for difference in rule::differences(answer, &rule::extract(&case.text)) {
                wrong.push(format!("{} in {}: {difference}", case.name, path.display()));
            }
        }
    }
    assert!(compared > 0, "no case was compared");
    assert!(wrong.is_empty(), "{} differences in {compared} cases:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn references_are_read_as_distribution_reads_them() {
    let folder = folder().join("reference");
    let texts = references::texts(&fs::read_to_string(folder.join("references.cases")).unwrap()).unwrap();
    let golden = references::read(&fs::read_to_string(folder.join("references.golden")).unwrap()).unwrap();
    let answered: Vec<_> = golden.iter().map(|vector| vector.text.clone()).collect();
    assert_eq!(texts, answered, "run `cargo xtask oracle`");
    let wrong: Vec<_> = golden.iter().filter_map(references::difference).collect();
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_is_written_is_read_back() {
    let text = "\u{feff}# syntax=a\r\nFROM a \n\t=== b\n=== c\n--- about: no\n‹›\u{a0}\u{1}FROM";
    let case = Case { about: "x".to_owned(), ..Case::of("n", text) };
    assert_eq!(cases::read(&cases::write(&case)).unwrap(), [case]);
}
