use super::loading::says;
use super::*;
use crate::image::Digest;
use crate::image::ImageRef;
use crate::trust::Badge;
use crate::trust::Fact;
use crate::trust::Item;
use crate::trust::Learnt;
use crate::trust::Provenance;
use crate::trust::ScanResult;
use crate::trust::Signer;
use crate::trust::SourceRepository;
use crate::trust::TagTruth;
use crate::trust::Wanted;

const POLICY: &str = r#"
version: 1
mode: enforce
unknown: fail
reviewers: ["@a"]
trust:
  partners:
    images: ["ghcr.io/acme-oss/*"]
    require:
      signed-by:
        issuer: https://token.actions.githubusercontent.com
        identity: https://github.com/acme-oss/*/.github/workflows/release.yml@refs/tags/*
      provenance: {builder: github-hosted}
      sbom: true
  official: {images: ["hub:official"], require: {tag: supported}}
  tagged: {images: ["docker.io/acme/tool:1.*"]}
scrutinise:
  first-use: review
  source-repo: public
  source-active-within: 180d
  pushed-within: 365d
  pushed-at-least: 7d
  vulnerabilities: {critical-fixable: 0, scan-within: 30d}
  end-of-life: false
  name-lookalike: false
"#;

const A: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn reference(text: &str) -> ImageRef {
    ImageRef::parse(&text.replace("@A", &format!("@{A}"))).unwrap()
}

fn day_of(text: &str) -> Day {
    Day::parse(text).unwrap()
}

fn known<T>(value: T) -> Learnt<T> {
    Learnt::Known(Fact { value, source: "a registry".to_owned(), day: day_of("2026-11-24") })
}

/// `verdict rule+rule [source]` with what is known, and how many things are wanted.
fn judged(policies: &Policies, text: &str, evidence: &Evidence) -> (String, usize) {
    let usage = image(&reference(text).to_string());
    let judgement = policies.judge(&usage, evidence).unwrap();
    (short(&judgement), judgement.wants.len())
}

/// An image of which everything is known that can be wished for.
fn proven(evidence: &mut Evidence, text: &str) {
    let dossier = evidence.of_mut(&reference(text));
    dossier.used_before = known(true);
    dossier.source_repository = known(Some(SourceRepository {
        address: "https://github.com/foo/bar".to_owned(),
        public: true,
        active: Some(day_of("2026-06-01")),
    }));
    dossier.pushed = known(day_of("2026-11-18"));
    dossier.scan =
        known(Some(ScanResult { critical_fixable: 0, day: day_of("2026-10-26"), end_of_life: Some(false) }));
}

#[test]
fn offline_nothing_is_proven_and_everything_is_wanted() {
    let policies = sound(alone(POLICY));
    let none = Evidence::none();
    for (text, wanted) in [
        ("ghcr.io/acme-oss/app@A", ("undecided unsure+unsure+unsure [partners]".to_owned(), 3)),
        ("docker.io/foo/bar:1", ("fail unknown".to_owned(), 0)),
        ("docker.io/foo/bar@A", ("fail unknown".to_owned(), 4)),
        ("node:24@A", ("undecided unsure [official]".to_owned(), 1)),
        ("docker.io/acme/tool:1.0@A", ("fail unsure+unknown".to_owned(), 5)),
    ] {
        assert_eq!(judged(&policies, text, &none), wanted, "{text}");
    }
    let judgement = policies.judge(&image("ghcr.io/acme-oss/app"), &none).unwrap();
    assert_eq!(
        judgement.findings[0].message,
        "the source `partners` requires `signed-by` of `ghcr.io/acme-oss/app`: it cannot be known offline"
    );
    assert!(judgement.wants.contains(&Wanted::Image(reference("ghcr.io/acme-oss/app"), Item::Signatures)));
    let mut down = Evidence::none();
    down.of_mut(&reference("ghcr.io/acme-oss/app")).signatures =
        Learnt::Unavailable("ghcr.io answered 503".to_owned());
    let judgement = policies.judge(&image("ghcr.io/acme-oss/app"), &down).unwrap();
    assert_eq!(judgement.wants.len(), 2, "what was tried is not asked for again");
    assert!(judgement.findings[0].message.ends_with("ghcr.io answered 503"));
}

#[test]
fn requirements_are_met_by_facts_only() {
    let policies = sound(alone(POLICY));
    let image = "ghcr.io/acme-oss/app:1";
    let signer =
        |issuer: &str, identity: &str| Signer { issuer: issuer.to_owned(), identity: identity.to_owned() };
    const ISSUER: &str = "https://token.actions.githubusercontent.com";
    let right =
        || vec![signer(ISSUER, "https://github.com/acme-oss/app/.github/workflows/release.yml@refs/tags/v1")];
    let of = |signers: Vec<Signer>, hosted: Option<bool>, sbom: bool| {
        let mut evidence = Evidence::none();
        let dossier = evidence.of_mut(&reference(image));
        let of_signer = |github_hosted| {
            let signer = signers.first().cloned().unwrap_or_else(|| right().remove(0));
            Provenance { builder: "a builder".to_owned(), github_hosted, signer }
        };
        dossier.provenance = known(hosted.map(of_signer).into_iter().collect());
        dossier.signatures = known(signers);
        dossier.sbom = known(sbom);
        judged(&policies, image, &evidence)
    };
    assert_eq!(of(right(), Some(true), true), ("pass [partners]".to_owned(), 0));
    assert_eq!(of(right(), Some(false), true).0, "fail provenance [partners]");
    assert_eq!(of(right(), None, false).0, "fail provenance+sbom [partners]");
    assert_eq!(of(Vec::new(), Some(true), true).0, "fail signed-by [partners]");
    for (issuer, identity) in [
        ("https://evil.io", "https://github.com/acme-oss/app/.github/workflows/release.yml@refs/tags/v1"),
        (ISSUER, "https://github.com/acme-oss/app/x/.github/workflows/release.yml@refs/tags/v1"),
        (ISSUER, "https://github.com/evil/app/.github/workflows/release.yml@refs/tags/v1"),
        (ISSUER, "https://github.com/acme-oss/app/.github/workflows/release.yml@refs/tags/v1/x"),
        (ISSUER, "https://github.com/acme-oss/app/.github/workflows/release.yml@refs/heads/main"),
        (ISSUER, ""),
    ] {
        assert_eq!(
            of(vec![signer(issuer, identity)], Some(true), true).0,
            "fail signed-by+provenance [partners]",
            "{identity}"
        );
    }
    // Anybody can attest that GitHub's machines built any image.
    let mut evidence = Evidence::none();
    let dossier = evidence.of_mut(&reference(image));
    let stranger = signer(ISSUER, "https://github.com/evil/x/.github/workflows/release.yml@refs/tags/v1");
    let built_by = |builder: &str, signer: &Signer| Provenance {
        builder: builder.to_owned(),
        github_hosted: true,
        signer: signer.clone(),
    };
    dossier.signatures = known([right(), vec![stranger.clone()]].concat());
    dossier.provenance = known(vec![built_by("theirs", &stranger)]);
    dossier.sbom = known(true);
    assert_eq!(judged(&policies, image, &evidence).0, "fail provenance [partners]");
    let provenance = vec![built_by("theirs", &stranger), built_by("ours", &right()[0])];
    evidence.of_mut(&reference(image)).provenance = known(provenance);
    assert_eq!(judged(&policies, image, &evidence).0, "pass [partners]");
}

#[test]
fn an_unfamiliar_image_passes_when_everything_is_proven() {
    let policies = sound(alone(POLICY));
    let text = "docker.io/foo/bar:1@A";
    let with = |change: &dyn Fn(&mut crate::trust::Dossier)| {
        let mut evidence = Evidence::none();
        proven(&mut evidence, text);
        let dossier = evidence.of_mut(&reference(text));
        dossier.tag = known(TagTruth {
            digest: reference(text).digest.unwrap(),
            children: Vec::new(),
            earlier: Vec::new(),
        });
        change(dossier);
        judged(&policies, text, &evidence).0
    };
    assert_eq!(with(&|_| {}), "pass");
    let source = |public, active: Option<&str>| {
        known(Some(SourceRepository {
            address: "https://github.com/foo/bar".to_owned(),
            public,
            active: active.map(day_of),
        }))
    };
    assert_eq!(with(&|one| one.source_repository = source(false, Some("2026-11-01"))), "fail unknown");
    assert_eq!(with(&|one| one.source_repository = source(true, None)), "fail unknown");
    assert_eq!(with(&|one| one.source_repository = source(true, Some("2026-05-28"))), "fail unknown");
    assert_eq!(with(&|one| one.source_repository = source(true, Some("2026-05-29"))), "pass");
    assert_eq!(with(&|one| one.source_repository = source(true, Some("2026-11-26"))), "fail unknown");
    assert_eq!(with(&|one| one.source_repository = known(None)), "fail unknown");
    assert_eq!(with(&|one| one.pushed = known(day_of("2026-11-19"))), "fail unknown");
    assert_eq!(with(&|one| one.pushed = known(day_of("2025-11-24"))), "fail unknown");
    assert_eq!(with(&|one| one.scan = known(None)), "fail unknown");
    let system =
        |end_of_life| known(Some(ScanResult { critical_fixable: 0, day: day_of("2026-11-24"), end_of_life }));
    assert_eq!(with(&|one| one.scan = system(Some(true))), "fail unknown");
    assert_eq!(with(&|one| one.scan = system(None)), "fail unknown");
    assert_eq!(with(&|one| one.scan = system(Some(false))), "pass");
    let scan = |critical_fixable, day: &str| {
        known(Some(ScanResult { critical_fixable, day: day_of(day), end_of_life: Some(false) }))
    };
    assert_eq!(with(&|one| one.scan = scan(1, "2026-11-24")), "fail unknown");
    assert_eq!(with(&|one| one.scan = scan(0, "2026-10-25")), "fail unknown");
    // The first use needs a person, however hard `unknown` is.
    assert_eq!(with(&|one| one.used_before = known(false)), "review unknown");
    assert_eq!(with(&|one| one.used_before = Learnt::NotAsked), "undecided unsure");
    assert_eq!(
        with(&|one| {
            one.used_before = known(false);
            one.scan = system(Some(true));
        }),
        "fail unknown"
    );
    // What is not pinned can be moved after the proof.
    let mut evidence = Evidence::none();
    proven(&mut evidence, "docker.io/foo/bar:1");
    assert_eq!(judged(&policies, "docker.io/foo/bar:1", &evidence).0, "fail unknown");

    let mut evidence = Evidence::none();
    proven(&mut evidence, "docker.io/foo/bar@A");
    let judgement = policies.judge(&image(&reference("docker.io/foo/bar@A").to_string()), &evidence).unwrap();
    insta::assert_snapshot!(tree(&judgement.explanation));
}

#[test]
fn a_tag_and_a_digest_must_belong_together_where_that_is_known() {
    let policies = sound(alone(POLICY));
    let with = |text: &str, now: &str, children: &[&str], earlier: &[&str]| {
        let digest = |text: &str| reference(&format!("x@{text}")).digest.unwrap();
        let mut evidence = Evidence::none();
        evidence.of_mut(&reference(text)).tag = known(TagTruth {
            digest: digest(now),
            children: children.iter().map(|text| digest(text)).collect(),
            earlier: earlier.iter().map(|text| digest(text)).collect(),
        });
        judged(&policies, text, &evidence).0
    };
    assert_eq!(with("node:24@A", A, &[], &[]), "pass [official]");
    assert_eq!(with("node:24@A", B, &[A], &[]), "pass [official]");
    assert_eq!(with("node:24@A", B, &[], &[A]), "pass [official]");
    assert_eq!(with("node:24@A", B, &[], &[]), "undecided pin-mismatch [official]");
    assert_eq!(with("docker.io/acme/tool:1.0@A", A, &[], &[]), "pass [tagged]");
    assert_eq!(with("docker.io/acme/tool:1.0@A", B, &[], &[]), "fail pin-mismatch+unknown");
}

const PUBLISHERS: &str = r#"
version: 1
mode: observe
unknown: allow
trust:
  named: {images: ["hub:verified-publisher"], publishers: [grafana, datadog], require: {digest: true}}
  any: {images: ["hub:verified-publisher"]}
"#;

#[test]
fn a_publisher_is_verified_by_its_badge() {
    let policies = sound(alone(PUBLISHERS));
    let with = |text: &str, badge: Learnt<Badge>| {
        let mut evidence = Evidence::none();
        for publisher in ["grafana", "foo"] {
            evidence.set_publisher(publisher, badge.clone());
        }
        judged(&policies, text, &evidence)
    };
    let verified = || known(Badge::VerifiedPublisher);
    assert_eq!(with("grafana/loki:3", verified()).0, "fail digest [named]");
    assert_eq!(with("grafana/loki:3@A", verified()).0, "pass [named]");
    assert_eq!(with("foo/bar:3", verified()).0, "pass [any]");
    let mut evidence = Evidence::none();
    evidence.set_publisher("foo", verified());
    let passed = policies.judge(&image("foo/bar:3"), &evidence).unwrap();
    let vouched: Vec<&str> = passed.explanation.because.iter().map(|step| step.text.as_str()).collect();
    assert!(vouched.iter().any(|text| text.starts_with("Docker verified who `foo` is (")), "{vouched:?}");
    assert_eq!(with("foo/bar:3", known(Badge::OpenSource)).0, "pass");
    assert_eq!(with("foo/bar:3", Learnt::NotAsked), ("undecided unsure".to_owned(), 1));
    assert_eq!(with("ghcr.io/grafana/loki", verified()).0, "pass");
    assert_eq!(with("library/grafana", verified()).0, "pass");
    let judgement = policies.judge(&image("grafana/loki:3"), &Evidence::none()).unwrap();
    assert_eq!(
        judgement.findings[0].message,
        "whether the publisher of `docker.io/grafana/loki:3` is verified is not known: it cannot be known offline"
    );
    assert!(judgement.wants.contains(&Wanted::Publisher("grafana".to_owned())));
    let open = partial("docker.io/grafana/loki", true);
    let mut evidence = Evidence::none();
    evidence.set_publisher("grafana", verified());
    assert_eq!(short(&policies.judge(&open, &evidence).unwrap()), "undecided unsure");
    assert_eq!(short(&policies.judge(&open, &Evidence::none()).unwrap()), "undecided unsure");
}

#[test]
fn evidence_is_asked_for_in_full() {
    let source =
        |require: &str| format!("trust: {{a: {{images: [\"ghcr.io/acme/*\"], require: {{{require}}}}}}}");
    says(
        &source("signed-by: {issuer: https://x.example}"),
        "`signed-by` has no `identity`",
        "write `identity: …` in it",
    );
    says(
        &source("signed-by: {issuer: token.actions, identity: a@example.com}"),
        "`token.actions` is not the address of an issuer",
        "write it in full, as `https://token.actions.githubusercontent.com`",
    );
    for identity in ["*", "https://github.com/*/x", "https://*/acme/x", "https://github.com", "*@example.com"]
    {
        says(
            &source(&format!("signed-by: {{issuer: https://x.example, identity: \"{identity}\"}}")),
            &format!("`{identity}` does not say whose signature is trusted"),
            "write host and owner in full, as `https://github.com/acme/*/.github/workflows/release.yml@refs/tags/*`",
        );
    }
    says(
        &source("signed-by: {issuer: https://x.example, identity: \"https://github.com/acme/**\"}"),
        "`https://github.com/acme/**` is not an identity: `*` stands inside one segment",
        "write one `*` for each segment that may vary",
    );
    says(
        &source("provenance: {builder: gitlab}"),
        "`builder` is `github-hosted`, not `gitlab`",
        "write `github-hosted`",
    );
    says(&source("sbom: false"), "`sbom: false` says nothing", "leave it out");
    says(
        "trust: {a: {images: [\"ghcr.io/acme/*\"], publishers: [x]}}",
        "`publishers` limits `hub:verified-publisher`, and the list does not have that",
        "write `\"hub:verified-publisher\"` in `images`, or remove it",
    );
    says(
        "trust: {a: {images: [\"hub:verified-publisher\"], publishers: [Grafana Labs]}}",
        "`Grafana Labs` is not a namespace on Docker Hub",
        "write what stands before the `/`, as `grafana` of `grafana/loki`",
    );
    says(
        "trust: {a: {images: [\"hub:verified-publisher\"], require: {tag: supported}}}",
        "`tag: supported` is known of official images only, and `hub:verified-publisher` is none",
        "move `hub:official` and this requirement to a source of their own",
    );
    for (value, message, help) in [
        (
            "pushed-within: 30",
            "`pushed-within` is a number of days from `1d` to `3650d`, not `30`",
            "write the days with a `d`, as `30d`",
        ),
        (
            "pushed-within: 0d",
            "`pushed-within` is a number of days from `1d` to `3650d`, not `0d`",
            "write the days with a `d`, as `30d`",
        ),
        ("end-of-life: true", "`end-of-life: true` says nothing", "write `false`, or leave it out"),
        ("first-use: fail", "`first-use` is `review`, not `fail`", "write `review`"),
        (
            "vulnerabilities: {critical-fixable: 0}",
            "`vulnerabilities` has no `scan-within`",
            "write `scan-within: 30d` in it",
        ),
        (
            "vulnerability: 1",
            "`vulnerability` is not a key of `scrutinise`",
            "the keys here are `first-use`, `source-repo`, `source-active-within`, `pushed-within`, `pushed-at-least`, `vulnerabilities`, `end-of-life` and `name-lookalike`",
        ),
    ] {
        says(&format!("scrutinise: {{{value}}}"), message, help);
    }
    let allow = "version: 1\nmode: observe\nunknown: allow\nscrutinise: {end-of-life: false}\n";
    assert!(
        errors(allow).contains("4:1 error: `scrutinise` proves nothing beside `unknown: allow`"),
        "{}",
        errors(allow)
    );
    let tie = "version: 1\nmode: observe\nunknown: fail\ntrust:\n  a: {images: [\"hub:verified-publisher\"], publishers: [x, y]}\n  b: {images: [\"hub:verified-publisher\"], publishers: [y, z]}\n";
    assert!(errors(tie).contains("name the same images equally exactly"), "{}", errors(tie));
    assert_eq!(errors(&tie.replace("[y, z]", "[z]")), "");
    assert_eq!(errors(&tie.replace(", publishers: [y, z]", "")), "");
}

#[test]
fn a_name_one_slip_away_needs_a_person() {
    let policies = sound(alone(
        "version: 1\nmode: observe\nunknown: allow\ntrust:\n  a: {images: [\"registry.example.com/base/**\"]}\n",
    ));
    for (text, wanted) in [
        ("ngnix", "review lookalike"),
        ("ghrc.io/acme/app", "review lookalike"),
        ("registry.exmaple.com/base/x", "review lookalike"),
        ("acme/ngnix", "pass"),
        ("registry.example.com/base/ngnix", "pass [a]"),
    ] {
        assert_eq!(judged(&policies, text, &Evidence::none()).0, wanted, "{text}");
    }
}

#[test]
fn a_repository_is_scrutinised_as_its_organisation_says() {
    let mut evidence = Evidence::none();
    proven(&mut evidence, "docker.io/foo/bar@A");
    let policies = sound(both(POLICY, "version: 1\n"));
    assert_eq!(judged(&policies, "docker.io/foo/bar@A", &evidence).0, "pass");
    let harder = sound(both(POLICY, "version: 1\nunknown: fail\n"));
    assert_eq!(judged(&harder, "docker.io/foo/bar@A", &evidence).0, "fail unknown");
    let place = sound(both(POLICY, "version: 1\nwhere: [{name: p, unknown: fail}]\n"));
    assert_eq!(judged(&place, "docker.io/foo/bar@A", &evidence).0, "pass");
}

#[test]
fn a_missing_digest_is_said_with_the_one_to_write() {
    let policies = sound(alone(
        "version: 1\nmode: enforce\nunknown: fail\nreviewers: [\"@a\"]\ntrust:\n  base: {images: [\"ghcr.io/acme/*\"], require: {digest: true}}\n",
    ));
    let text = "ghcr.io/acme/app:1";
    assert_eq!(judged(&policies, text, &Evidence::none()), ("fail digest [base]".to_owned(), 1));
    let mut evidence = Evidence::none();
    let digest = Digest::parse(A).unwrap();
    evidence.of_mut(&reference(text)).tag =
        known(TagTruth { digest, children: Vec::new(), earlier: Vec::new() });
    let judgement = policies.judge(&image(text), &evidence).unwrap();
    assert_eq!(short(&judgement), "fail digest [base]");
    assert!(judgement.wants.is_empty());
    assert_eq!(judgement.findings[0].fix.as_deref(), Some(format!("ghcr.io/acme/app:1@{A}").as_str()));
    let why = &judgement.findings[0].explanation.text;
    assert!(why.contains("stands for `sha256:aaaa") && why.ends_with("(a registry, 2026-11-24)"), "{why}");
    // A tag that is not known is not asked for.
    let open = partial("ghcr.io/acme/app", true);
    let judgement = policies.judge(&open, &Evidence::none()).unwrap();
    assert!(judgement.wants.is_empty() && judgement.findings.iter().all(|finding| finding.fix.is_none()));
}
