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
mod kustomize;
#[allow(dead_code, reason = "`cargo xtask oracle` uses the rest")]
mod references;
#[allow(dead_code, reason = "`cargo xtask oracle` uses the rest")]
mod rule;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use answer::Answer;
use cases::Case;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance")
}

#[test]
fn dockerfiles_are_read_as_buildkit_reads_them() {
    let (mut compared, mut given) = (0, 0);
    let mut deliberate = BTreeSet::new();
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
        for (case, (_, answer)) in cases.iter().zip(&golden) {
            let mut differences;
            if case.is_alone() {
                compared += 1;
                let ours = rule::extract(&case.text);
                let outcome = rule::compare(&case.text, answer, &ours);
                deliberate.extend(outcome.deliberate);
                differences = outcome.differences;
                differences.extend(rule::inconsistencies(&case.text, &ours));
            } else if case.is_readable() {
                given += 1;
                differences = rule::compare_given(case, answer);
            } else {
                continue;
            }
            for difference in differences {
                wrong.push(format!("{} in {}: {difference}", case.name, path.display()));
            }
        }
    }
    assert!(given > 0, "no case with inputs was compared");
    assert!(compared > 0, "no case was compared");
    assert!(
        wrong.is_empty(),
        "{} differences in {compared} cases and {given} with inputs:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    let known: BTreeSet<_> = rule::DELIBERATE.iter().copied().collect();
    assert_eq!(deliberate, known, "each deliberate difference has a case, and is listed");
}

/// The rule itself: what it must not let pass.
#[test]
fn a_difference_is_noticed() {
    let noticed = |text: &str, facts: &[&str]| {
        let answer = Answer::read(facts.iter().map(|fact| (*fact).to_owned())).unwrap();
        let differences = rule::compare(text, &answer, &rule::extract(text)).differences;
        assert!(!differences.is_empty(), "{facts:?} passes for {text:?}");
    };
    let same = |text: &str, facts: &[&str]| {
        let answer = Answer::read(facts.iter().map(|fact| (*fact).to_owned())).unwrap();
        let differences = rule::compare(text, &answer, &rule::extract(text)).differences;
        assert!(differences.is_empty(), "{differences:?}");
    };
    same("FROM a", &["default: docker.io/library/a:latest"]);
    noticed("FROM a", &[]);
    noticed("FROM a", &["default: docker.io/library/b:latest"]);
    noticed("FROM a", &["default: docker.io/library/a:latest", "default: docker.io/library/b:latest"]);
    noticed("FROM a", &["every stage: docker.io/library/a:latest"]);
    noticed("FROM a", &["default: docker.io/library/b:latest", "default fails: something else"]);
    noticed("FROM a", &["default fails: failed to parse stage name \"a\": invalid reference format"]);
    noticed("FROM A", &["default: docker.io/library/a:latest"]);
    noticed("FROM a", &["frontend: docker.io/docker/dockerfile:1", "default: docker.io/library/a:latest"]);
    noticed("# syntax=docker/dockerfile:1\nFROM a", &["default: docker.io/library/a:latest"]);
    noticed("FROM a", &["onbuild: b", "default: docker.io/library/a:latest"]);
    noticed("FROM a\nONBUILD COPY --from=b c d", &["default: docker.io/library/a:latest"]);
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
fn kustomizations_render_what_kustomize_renders() {
    let folder = folder().join("kustomize");
    let mut compared = 0;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "cases") {
            continue;
        }
        let cases = kustomize::cases(&fs::read_to_string(&path).unwrap());
        let golden = kustomize::golden(&fs::read_to_string(path.with_extension("golden")).unwrap());
        let names: Vec<_> = cases.iter().map(|case| &case.name).collect();
        let answered: Vec<_> = golden.iter().map(|(name, _)| name).collect();
        assert_eq!(names, answered, "{}: run `cargo xtask oracle kustomize`", path.display());
        for (case, (_, rendered)) in cases.iter().zip(&golden) {
            compared += 1;
            let deployed = kustomize::deployed(case);
            if deployed != *rendered {
                wrong.push(format!("{}: {deployed:?}, and kustomize {rendered:?}", case.name));
            }
        }
    }
    assert!(compared > 0, "no case was compared");
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_is_written_is_read_back() {
    let text = "\u{feff}# syntax=a\r\nFROM a \n\t=== b\n=== c\n--- about: no\n‹›\u{a0}\u{1}FROM";
    let case = Case { about: "x".to_owned(), ..Case::of("n", text) };
    assert_eq!(cases::read(&cases::write(&case)).unwrap(), [case]);
}
