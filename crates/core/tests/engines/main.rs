//! The published test tables of other policy engines, held against fromguard: it
//! agrees, or docs/policy.md, "How fromguard differs", says why it does not.
//!
//! ```text
//! file := { line } { case }          lines before the first case: source and licence
//! case := "=== " name body
//! body := "--- import " file-name lines "--- expect" rows      translated by `import`
//!       | "--- policy" lines "--- expect" rows                 ours as it stands
//!       | "--- scopes" pairs          scopes of a policy.json that accepts nothing else
//!       | "--- globs" pairs           patterns as they stand, in `trust`
//! row  := ("allow" | "deny") " " image [note] | ("allow" | "deny") [note] { "| " line of a Dockerfile }
//! pair := ("match" | "no" | "error") " " pattern " " image [note]
//! note := "  ≠ " key                  fromguard answers otherwise, for the reason of that key
//! ```
#![allow(clippy::unwrap_used, reason = "a test that cannot read its data should stop")]

use std::collections::BTreeSet;
use std::sync::Arc;

use fromguard_core::day::Day;
use fromguard_core::import::Imported;
use fromguard_core::import::import;
use fromguard_core::policy::Found;
use fromguard_core::policy::Policies;
use fromguard_core::policy::PolicyStatus;
use fromguard_core::policy::Verdict;
use fromguard_core::scan::Scan;
use fromguard_core::source::Content;
use fromguard_core::source::RepoPath;
use fromguard_core::source::SourceFile;
use fromguard_core::trust::Evidence;

const PAGE: &str = include_str!("../../../../docs/policy.md");

/// What was asked and what came of it, of one file.
#[derive(Default)]
struct Outcome {
    agreed: usize,
    differed: BTreeSet<String>,
    wrong: Vec<String>,
}

#[test]
fn gatekeeper() {
    run(include_str!("gatekeeper.txt"), 40);
}

#[test]
fn kyverno() {
    run(include_str!("kyverno.txt"), 20);
}

#[test]
fn containers_image() {
    run(include_str!("containers.txt"), 55);
}

#[test]
fn policy_controller() {
    run(include_str!("policy-controller.txt"), 15);
}

#[test]
fn hadolint() {
    run(include_str!("hadolint.txt"), 25);
}

#[test]
fn docker_build_policies() {
    run(include_str!("docker.txt"), 6);
}

/// Each reason of the page is the reason of some row.
#[test]
fn every_difference_that_is_listed_exists() {
    let mut used = BTreeSet::new();
    for text in [
        include_str!("gatekeeper.txt"),
        include_str!("kyverno.txt"),
        include_str!("containers.txt"),
        include_str!("policy-controller.txt"),
        include_str!("hadolint.txt"),
        include_str!("docker.txt"),
    ] {
        used.extend(text.lines().filter_map(|line| Some(line.split_once("  ≠ ")?.1.trim().to_owned())));
    }
    let listed: BTreeSet<String> = differences().lines().filter_map(key).collect();
    assert_eq!(used, listed);
}

/// The section of the page.
fn differences() -> &'static str {
    let section = PAGE.split("## How fromguard differs").nth(1).expect("the page has the section");
    section.split("\n## ").next().unwrap()
}

/// `- **key**: reason`
fn key(line: &str) -> Option<String> {
    Some(line.strip_prefix("- **")?.split_once("**")?.0.to_owned())
}

fn run(text: &str, at_least: usize) {
    let mut outcome = Outcome::default();
    let mut cases = text.split("\n=== ");
    let header = cases.next().unwrap();
    assert!(
        header.contains("https://") && header.contains("icen"),
        "source and licence stand on top: {header}"
    );
    for case in cases {
        let (name, body) = case.split_once('\n').unwrap();
        let (kind, rest) = body.split_once('\n').unwrap();
        match kind.strip_prefix("--- ").unwrap().split_once(' ').unwrap_or((&kind[4..], "")) {
            ("import", file) => {
                let (policy, rows) = rest.split_once("--- expect\n").unwrap();
                let imported = import(&SourceFile::new(RepoPath::new(file), policy));
                let Imported::Policy(policy) = imported else { panic!("{name}: {imported:?}") };
                expect(name, &policies(&policy).unwrap(), rows, &mut outcome);
            }
            ("policy", _) => {
                let (policy, rows) = rest.split_once("--- expect\n").unwrap();
                expect(name, &policies(policy).unwrap(), rows, &mut outcome);
            }
            ("scopes", _) => pairs(name, rest, scope, &mut outcome),
            ("globs", _) => pairs(name, rest, glob, &mut outcome),
            other => panic!("{other:?}"),
        }
    }
    assert!(outcome.wrong.is_empty(), "\n{}", outcome.wrong.join("\n"));
    assert!(outcome.agreed >= at_least, "{} rows agree", outcome.agreed);
    let page = differences();
    for key in outcome.differed {
        assert!(page.contains(&format!("- **{key}**")), "`{key}` is not in docs/policy.md");
    }
}

fn policies(text: &str) -> Option<Policies> {
    let file = Arc::new(SourceFile::new(RepoPath::new(".github/fromguard.yml"), text));
    let policies = Policies::load(Found::Absent, Found::File(file), Day::from_unix_ms(0));
    (policies.status() == PolicyStatus::Loaded).then_some(policies)
}

/// Whether every image of a Dockerfile passes.
fn passes(policies: &Policies, dockerfile: &str) -> bool {
    let path = RepoPath::new("Dockerfile");
    let mut scan = Scan::new([path.clone()]);
    assert_eq!(scan.wanted(), std::slice::from_ref(&path));
    scan.feed(&path, Content::Text(dockerfile.into()));
    let scanned = scan.finish();
    let uses = scanned.uses.iter().map(|usage| policies.judge(usage, &Evidence::none()).unwrap());
    let problems = scanned.problems.iter().map(|problem| policies.judge_problem(problem).unwrap());
    uses.chain(problems).all(|judgement| judgement.verdict == Verdict::Pass)
}

/// A row without its note.
fn noted(row: &str) -> (&str, Option<&str>) {
    match row.split_once("  ≠ ") {
        Some((row, key)) => (row.trim_end(), Some(key.trim())),
        None => (row.trim_end(), None),
    }
}

fn settle(row: &str, agrees: bool, key: Option<&str>, outcome: &mut Outcome) {
    match (agrees, key) {
        (true, None) => outcome.agreed += 1,
        (false, Some(key)) => drop(outcome.differed.insert(key.to_owned())),
        (true, Some(_)) => outcome.wrong.push(format!("it agrees: {row}")),
        (false, None) => outcome.wrong.push(format!("it differs: {row}")),
    }
}

fn expect(name: &str, policies: &Policies, rows: &str, outcome: &mut Outcome) {
    let mut lines = rows.lines().filter(|line| !line.is_empty()).peekable();
    while let Some(line) = lines.next() {
        let (row, key) = noted(line);
        let (wanted, image) = row.split_once(' ').unwrap_or((row, ""));
        let mut dockerfile = if image.is_empty() { String::new() } else { format!("FROM {image}\n") };
        while let Some(line) = lines.next_if(|line| line.starts_with('|')) {
            dockerfile.push_str(&format!("{}\n", line.trim_start_matches('|').trim_start()));
        }
        let agrees = passes(policies, &dockerfile) == (wanted == "allow");
        settle(&format!("{name}: {line} {dockerfile:?}"), agrees, key, outcome);
    }
}

fn pairs(name: &str, rows: &str, load: fn(&str) -> Option<Policies>, outcome: &mut Outcome) {
    for line in rows.lines().filter(|line| !line.is_empty()) {
        let (row, key) = noted(line);
        let [wanted, pattern, image] = row.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let found = match load(pattern) {
            None => "error",
            Some(policies) if passes(&policies, &format!("FROM {image}\n")) => "match",
            Some(_) => "no",
        };
        settle(&format!("{name}: {line}: {found}"), found == wanted, key, outcome);
    }
}

/// A scope of containers' policy.json, translated; one that is left out is an error.
fn scope(scope: &str) -> Option<Policies> {
    let text = format!(
        "{{\"default\": [{{\"type\": \"reject\"}}], \"transports\": {{\"docker\": \
         {{\"{scope}\": [{{\"type\": \"insecureAcceptAnything\"}}]}}}}}}"
    );
    let Imported::Policy(policy) = import(&SourceFile::new(RepoPath::new("policy.json"), text)) else {
        return None;
    };
    let translated = policy.contains("trust:");
    policies(&policy).filter(|_| translated)
}

/// A pattern as it stands, whoever it trusts.
fn glob(pattern: &str) -> Option<Policies> {
    let policy = |everyone: &str| {
        format!(
            "version: 1\nmode: observe\nunknown: fail\ntrust:\n  it:\n    images: [\"{pattern}\"]\n{everyone}"
        )
    };
    policies(&policy("")).or_else(|| policies(&policy("    i-trust-everyone: true\n")))
}
