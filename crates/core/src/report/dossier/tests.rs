use std::sync::Arc;

use super::*;
use crate::day::Day;
use crate::image::ImageRef;
use crate::policy::Policies;
use crate::report;
use crate::report::Subject;
use crate::report::bench;
use crate::report::check_json;
use crate::trust::Evidence;
use crate::trust::Provenance;
use crate::trust::ScanResult;
use crate::trust::Signer;
use crate::trust::SourceRepository;

const POLICY: &str = "version: 1\nmode: enforce\nunknown: review\nreviewers: [\"@a\"]\ntrust: {official: {images: [\"hub:official\"]}}\n";

fn day(text: &str) -> Day {
    Day::parse(text).expect("a day")
}

fn fact<T>(value: T, source: &str, on: &str) -> Learnt<T> {
    Learnt::Known(Fact { value, source: source.to_owned(), day: day(on) })
}

fn report(image: &str, evidence: Evidence) -> Report {
    by_policy(POLICY, image, evidence)
}

fn by_policy(policy: &str, image: &str, evidence: Evidence) -> Report {
    let loaded = bench::loaded(policy);
    let policies = Policies {
        repository: crate::policy::PolicyFile::Read(loaded),
        day: bench::day(),
        ..Policies::none()
    };
    let dockerfile = format!("FROM {image}\n");
    let subject = Subject {
        policies,
        evidence: Arc::new(evidence),
        ..bench::subject(None, &[("Dockerfile", dockerfile.as_str())])
    };
    report::judge(subject)
}

fn shown(report: &Report) -> String {
    let lines = of(report, &report.uses[0]).unwrap_or_default();
    lines.iter().map(|line| format!("{}: {}\n", line.about, line.text)).collect()
}

fn reference(text: &str) -> ImageRef {
    ImageRef::parse(text).expect("a reference")
}

/// Facts of which some are known, some are claimed and some are not.
fn some_evidence(image: &str) -> Evidence {
    let mut evidence = Evidence::none();
    evidence.set_publisher("foo", fact(Badge::Community, "Docker Hub", "2026-11-25"));
    let facts = evidence.of_mut(&reference(image));
    facts.pushed = fact(day("2026-11-16"), "Docker Hub", "2026-11-25");
    facts.claimed_source = fact(Some("https://github.com/foo/redis".to_owned()), "its label", "2026-11-25");
    facts.signatures = fact(Vec::new(), "docker.io", "2026-11-24");
    facts.sbom = fact(false, "docker.io", "2026-11-24");
    facts.provenance = Learnt::Unavailable("the registry did not answer".to_owned());
    facts.scan = Learnt::Unavailable("no scan results were supplied".to_owned());
    evidence
}

#[test]
fn a_dossier_says_what_is_known_by_whom_and_what_is_not() {
    let report = report("foo/redis:8", some_evidence("foo/redis:8"));
    assert_eq!(
        shown(&report),
        "Publisher: `foo`, a community account (Docker Hub, today)\n\
         Pushed: on 2026-11-16, 9 days ago (Docker Hub, today)\n\
         Source: claims `https://github.com/foo/redis`, not proven (its label, today)\n\
         Signature: none (docker.io, yesterday)\n\
         Bill of materials: none (docker.io, yesterday)\n\
         Official alternative: `docker.io/library/redis:8`\n\
         Not known: Provenance: the registry did not answer\n\
         Not known: Scan: no scan results were supplied\n\
         Not known: Used before: nobody was asked\n"
    );
    let json = check_json(&report);
    assert!(json.contains("\"about\": \"Publisher\""), "{json}");
    let summary = report.check_run().summary;
    assert!(summary.contains("Official alternative: `docker.io/library/redis:8`"), "{summary}");
    let comment = report.comment(false).expect("there is something to say");
    assert!(comment.contains("not proven") && comment.contains("community account"), "{comment}");
    let text = report::check_text(&report, report::Style::Plain);
    assert!(text.contains("Publisher: `foo`, a community account"), "{text}");
}

#[test]
fn what_is_proven_is_said_to_be() {
    let pinned = "quay.io/foo/bar@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let mut evidence = Evidence::none();
    let facts = evidence.of_mut(&reference(pinned));
    let source = SourceRepository {
        address: "https://github.com/foo/bar".to_owned(),
        public: true,
        active: Some(day("2026-11-01")),
    };
    facts.source_repository = fact(Some(source), "quay.io, verified", "2026-11-25");
    facts.claimed_source = fact(Some("https://github.com/other".to_owned()), "its label", "2026-11-25");
    let signer =
        Signer { issuer: "https://issuer.example".to_owned(), identity: "https://who.example".to_owned() };
    facts.signatures = fact(vec![signer.clone()], "quay.io, verified", "2026-11-25");
    let provenance =
        Provenance { builder: "https://builder.example".to_owned(), github_hosted: false, signer };
    facts.provenance = fact(vec![provenance], "quay.io, verified", "2026-11-25");
    facts.scan = fact(
        Some(ScanResult { critical_fixable: 2, day: day("2026-11-20"), end_of_life: None }),
        "trivy",
        "2026-11-25",
    );
    let said = shown(&report(pinned, evidence));
    for wanted in [
        "Source: `https://github.com/foo/bar`, proven by its provenance, public, last pushed to on 2026-11-01, 24 days ago (",
        "Signature: verified, of `https://who.example` by `https://issuer.example` (",
        "Provenance: verified, built by `https://builder.example` (",
        "Scan: 2 critical vulnerabilities with a fix, scanned on 2026-11-20, 5 days ago (trivy, today)",
    ] {
        assert!(said.contains(wanted), "{wanted}\n{said}");
    }
    // A registry that is not Docker Hub has no badges.
    assert!(!said.contains("Publisher") && !said.contains("github.com/other"), "{said}");
}

/// Whoever made the image chose its labels.
#[test]
fn a_label_cannot_speak_in_our_name() {
    let mut evidence = some_evidence("foo/bar:1");
    let evil = "x` ** @acme/security [click](https://evil.io) <img src=x>\n\u{202e}# Approved";
    evidence.of_mut(&reference("foo/bar:1")).claimed_source =
        fact(Some(evil.to_owned()), "its label", "2026-11-25");
    let report = report("foo/bar:1", evidence);
    for output in [report.check_run().summary, report.comment(false).expect("something to say")] {
        let line = output.lines().find(|line| line.contains("Approved")).expect("it is shown");
        let claim = line.split("claims ").nth(1).expect("after the claim");
        let inside = claim.trim_start_matches('`').split('`').next().expect("a code span");
        assert!(inside.contains("@acme/security") && inside.contains("Approved"), "{line}");
        assert!(!line.contains('\u{202e}'), "{line}");
    }
}

/// Who passes because somebody vouches for it is shown with who that is, and when.
#[test]
fn a_pass_says_who_vouched() {
    let policy = POLICY.replace("hub:official\"]", "hub:official\", \"hub:verified-publisher\"]");
    let mut evidence = Evidence::none();
    evidence.set_publisher("grafana", fact(Badge::VerifiedPublisher, "Docker Hub", "2026-11-24"));
    let report = by_policy(&policy, "grafana/loki:3", evidence);
    let line = "Publisher: `grafana`, a verified publisher (Docker Hub, yesterday)";
    assert_eq!(shown(&report), format!("{line}\n"));
    let text = report.check_run().text.expect("what passed");
    assert!(text.contains(&format!("source `official`)\n  - {line}\n")), "{text}");

    // What is looked at and proven is shown as it is where something is not.
    let policy = "version: 1\nmode: enforce\nunknown: fail\nscrutinise: {pushed-at-least: 7d}\n";
    let image = format!("foo/redis@sha256:{}", "a".repeat(64));
    let passed = by_policy(policy, &image, some_evidence(&image));
    let text = passed.check_run().text.expect("what passed");
    assert!(text.contains("  - Pushed: on 2026-11-16, 9 days ago (Docker Hub, today)\n"), "{text}");
}

/// The sentence of a catalogue stands in the dossier, and not once more among the reasons.
#[test]
fn a_catalogue_says_a_thing_once() {
    let report = report("centos:7", Evidence::none());
    let sentence = "`centos` is no official image any more";
    let text = report::check_text(&report, report::Style::Plain).replace("\n", " ");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for output in [report.check_run().summary, text] {
        assert_eq!(output.matches(sentence).count(), 1, "{output}");
    }
}

#[test]
fn offline_only_the_catalogues_speak() {
    assert_eq!(shown(&report("evil.io/x/y:1", Evidence::none())), "");
    assert_eq!(shown(&report("node:24", Evidence::none())), "");
    let said = shown(&report("centos:7", Evidence::none()));
    assert!(
        said.starts_with("Catalogues: CentOS 7 is past its end of life, and `centos` is no official image"),
        "{said}"
    );
    assert!(said.ends_with("Used before: nobody was asked\n"), "{said}");
    let lookalike = shown(&report("ngnix:1.29", Evidence::none()));
    assert!(lookalike.starts_with("Official alternative: `docker.io/library/nginx"), "{lookalike}");
}
