//! What exceptions did: which findings they lift, which of them nothing needs,
//! and the one that a finding could be accepted by.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::policy::Mode;
use crate::policy::Policies;
use crate::policy::PolicyFile;
use crate::policy::Proposal;
use crate::report::JudgedUse;
use crate::report::Report;
use crate::report::brief;
use crate::report::explain;
use crate::report::item::About;
use crate::report::item::Item;
use crate::report::wording;
use crate::source::Location;

/// One sentence for each exception that lifts something of what counts.
pub(super) fn lifted(uses: &[JudgedUse]) -> Vec<String> {
    let mut by_exception: BTreeMap<&Location, (&str, String, BTreeSet<&str>, usize)> = BTreeMap::new();
    for judged in uses.iter().filter(|judged| judged.counts) {
        let mut seen = BTreeSet::new();
        for lifted in judged.judgement.iter().flat_map(|judgement| &judgement.lifted) {
            let until = lifted.until.to_string();
            let entry = by_exception
                .entry(&lifted.at)
                .or_insert_with(|| (&lifted.exception, until, BTreeSet::new(), 0));
            entry.2.insert(&lifted.finding.rule);
            entry.3 += usize::from(seen.insert(&lifted.at));
        }
    }
    let said = by_exception.into_values().map(|(id, until, rules, uses)| {
        let rules: Vec<String> = rules.into_iter().map(|rule| format!("`{rule}`")).collect();
        let uses = wording::count(uses, "image use");
        format!("The exception `{id}` lifts {} on {uses}, until {until}.", rules.join(", "))
    });
    said.collect()
}

/// The exceptions in force of the repository's file that lift nothing, each with
/// its place: known only when everything was read. What the organisation's lift
/// elsewhere is not known here.
pub(super) fn unused<'p>(policies: &'p Policies, uses: &[JudgedUse]) -> Vec<(&'p str, Location)> {
    let used: BTreeSet<&Location> = uses
        .iter()
        .filter_map(|judged| judged.judgement.as_ref())
        .flat_map(|judgement| &judgement.lifted)
        .map(|lifted| &lifted.at)
        .collect();
    let own = policies.repository.policy().into_iter().flat_map(|policy| policy.exceptions(policies.day));
    own.filter(|(_, at)| !used.contains(at)).collect()
}

/// One sentence for each exception that no use needs any more.
pub(super) fn unused_sentences(policies: &Policies, uses: &[JudgedUse]) -> Vec<String> {
    let source = match &policies.repository {
        PolicyFile::Read(loaded) => Some(&*loaded.file),
        PolicyFile::Absent | PolicyFile::Unreadable { .. } => None,
    };
    let said = unused(policies, uses).into_iter().map(|(id, at)| {
        let place = explain::place(source, &at);
        format!("No image use needs the exception `{id}` any more: remove it (`{place}`).")
    });
    said.collect()
}

/// The exception that would let through what blocks, ready to paste.
pub(super) fn proposal(report: &Report, item: &Item<'_>) -> Option<Proposal> {
    let About::Use(judged) = item.about else { return None };
    if item.findings.iter().all(|finding| finding.mode < Mode::Enforce) {
        return None;
    }
    report.subject.policies.exception_for(&judged.usage, judged.judgement.as_ref()?)
}

/// What stands before a proposal.
pub(super) fn introduction(proposal: &Proposal) -> String {
    format!(
        "to accept it until {}, add to `exceptions` in {}",
        proposal.until,
        brief::policy_file(proposal.file.as_str())
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Style;
    use crate::report::bench;
    use crate::report::check_json;
    use crate::report::check_text;
    use crate::report::judge;

    const POLICY: &str = "\
version: 1
mode: enforce
unknown: fail
when-unsure: fail
exceptions:
  - {id: EX-1, images: [\"docker.io/foo/bar\"], rules: [unknown], until: 2027-01-31, owner: \"@a\", reason: b}
  - {id: EX-2, images: [\"docker.io/foo/gone\"], rules: [unknown], until: 2027-01-31, owner: \"@a\", reason: b}
  - {id: EX-3, images: [\"docker.io/foo/over\"], rules: [unknown], until: 2026-11-24, owner: \"@a\", reason: b}
";

    fn judged(base: Option<&[(&str, &str)]>, head: &[(&str, &str)]) -> Report {
        let mut subject = bench::subject(base, head);
        subject.policies.repository = PolicyFile::Read(bench::loaded(POLICY));
        judge(subject)
    }

    #[test]
    fn what_an_exception_lifts_and_which_nobody_needs_is_said() {
        let report = judged(None, &[("Dockerfile", "FROM foo/bar:1\nFROM foo/bar:2\n")]);
        assert_eq!(report.conclusion.as_str(), "success");
        assert_eq!(
            report.notices,
            [
                "The exception `EX-1` lifts `unknown` on 2 image uses, until 2027-01-31.",
                "No image use needs the exception `EX-2` any more: remove it (`.github/fromguard.yml:7:10`).",
            ]
        );
        let text = report.check_run().text.unwrap_or_default();
        assert!(text.contains("(introduced, exception `EX-1` until 2027-01-31)"), "{text}");
        let document: serde_json::Value = serde_json::from_str(&check_json(&report)).unwrap_or_default();
        assert_eq!(document["uses"][0]["lifted"][0]["exception"], "EX-1");
        assert_eq!(document["uses"][0]["lifted"][0]["reason"], "b, for @a");
    }

    #[test]
    fn a_change_does_not_know_what_the_rest_of_the_repository_needs() {
        let report = judged(Some(&[("Dockerfile", "FROM foo/x\n")]), &[("Dockerfile", "FROM foo/bar\n")]);
        assert_eq!(
            report.notices,
            ["The exception `EX-1` lifts `unknown` on 1 image use, until 2027-01-31."]
        );
    }

    #[test]
    fn what_blocks_comes_with_the_exception_that_would_let_it_pass() {
        let report = judged(None, &[("svc/Dockerfile", "FROM foo/other:1\n")]);
        let yaml = "\
- id: other-until-2026-12-09
  images: [\"docker.io/foo/other:1\"]
  paths: [\"svc/Dockerfile\"]
  rules: [unknown]
  until: 2026-12-09
  owner: \"@who-answers-for-it\"
  reason: \"why it is needed, and what ends it\"
";
        let document: serde_json::Value = serde_json::from_str(&check_json(&report)).unwrap_or_default();
        assert_eq!(document["findings"][0]["exception"], yaml);
        let output = report.check_run();
        let fenced: String = yaml.lines().map(|line| format!("  {line}\n")).collect();
        assert!(output.summary.contains(&format!("  ```yaml\n{fenced}  ```\n")), "{}", output.summary);
        assert!(
            output
                .summary
                .contains("To accept it until 2026-12-09, add to `exceptions` in `.github/fromguard.yml`."),
            "{}",
            output.summary
        );
        assert!(
            output.annotations[0]
                .raw_details
                .as_deref()
                .is_some_and(|details| details.ends_with(yaml.trim_end()))
        );
        let text = check_text(&report, Style::Plain);
        assert!(text.contains("= help: to accept it until 2026-12-09"), "{text}");
        assert!(yaml.lines().all(|line| text.contains(line)), "{text}");
    }
}
