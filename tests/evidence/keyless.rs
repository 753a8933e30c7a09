//! Keyless signatures, from a registry to the verdict, by an instance of Sigstore of the
//! tests' own, by the bundled roots, and by keys.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fromguard::registry::Inquiry;
use fromguard::registry::Operator;
use fromguard_core::image::Digest;
use fromguard_core::report::Report;
use serde_json::Value;
use serde_json::json;

use crate::Asker;
use crate::attach;
use crate::entry;
use crate::evidence::registry::INDEX;
use crate::evidence::registry::MANIFEST;
use crate::evidence::registry::Registry;
use crate::evidence::sigstore::CERTIFIED_S;
use crate::evidence::sigstore::Person;
use crate::evidence::sigstore::Sigstore;
use crate::findings;
use crate::known_key;
use crate::refer;
use crate::rules;
use crate::sign;
use crate::tag_of;

const GITHUB: &str = "https://token.actions.githubusercontent.com";
const WORKFLOW: &str = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main";
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
const VULNERABILITIES: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";
const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
/// While the certificates are valid, and after that.
const IN_TIME_S: i64 = CERTIFIED_S + 60;
const TOO_LATE_S: i64 = CERTIFIED_S + 3_600;

const POLICY: &str = r#"
version: 1
mode: enforce
unknown: fail
reviewers: ["@a"]
trust:
  base:
    images: ["registry.acme.test/**"]
    require:
      signed-by:
        issuer: https://token.actions.githubusercontent.com
        identity: https://github.com/acme/*/.github/workflows/release.yml@refs/heads/*
"#;

/// How a signature is kept beside an image.
#[derive(Debug, Clone, Copy)]
enum Layout {
    /// A bundle that refers to the image: cosign 3, `actions/attest-build-provenance`.
    Bundle,
    /// cosign's tag `.sig`.
    Signature,
    /// cosign's tag `.att`.
    Attestation,
}

const LAYOUTS: [Layout; 3] = [Layout::Bundle, Layout::Signature, Layout::Attestation];

/// A registry, an instance of Sigstore, and somebody who asks and believes it.
struct House {
    registry: Registry,
    sigstore: Sigstore,
    asker: Asker,
    _folder: tempfile::TempDir,
}

impl House {
    fn new(logs: bool, more: &str) -> House {
        let (registry, sigstore) = (Registry::start(), Sigstore::new());
        let folder = tempfile::tempdir().expect("a folder");
        let file = trust_root(folder.path(), &sigstore.trusted_root(logs));
        let asker = Asker::new(&format!("{}{more}{file}", entry("registry.acme.test", registry.port)));
        House { registry, sigstore, asker, _folder: folder }
    }

    /// Somebody with a certificate of this instance.
    fn person(&self, issuer: &str, identity: &str) -> Person {
        self.sigstore.certify(issuer, identity, &[], true)
    }

    /// Signs one image, told to be `of`, and keeps it beside `digest`.
    fn sign(&self, layout: Layout, by: &Sigstore, who: &Person, digest: &Digest, of: &Digest, at_s: i64) {
        match layout {
            Layout::Bundle => {
                let bundle = by.attest(who, &statement(of, PROVENANCE, &json!({})), at_s);
                refer(&self.registry, "app", digest, bundle.to_string().as_bytes());
            }
            Layout::Signature => {
                let payload = payload(of);
                let annotations = by.sign(who, &payload, at_s);
                attach(
                    &self.registry,
                    "app",
                    &tag_of(digest, ".sig"),
                    SIMPLE_SIGNING,
                    &payload,
                    &annotations,
                );
            }
            Layout::Attestation => {
                let (envelope, annotations) =
                    by.attest_older(who, &statement(of, PROVENANCE, &json!({})), at_s);
                self.keep(digest, &envelope, &annotations);
            }
        }
    }

    /// Keeps an envelope under cosign's tag `.att`.
    fn keep(&self, digest: &Digest, envelope: &Value, annotations: &Value) {
        let bytes = envelope.to_string();
        attach(&self.registry, "app", &tag_of(digest, ".att"), ENVELOPE, bytes.as_bytes(), annotations);
    }

    async fn judge(&self, policy: &str, digest: &Digest) -> Report {
        self.asker.judge(policy, &format!("FROM registry.acme.test/app@{digest}\n")).await
    }
}

/// The operator's entry for a trust root of their own.
fn trust_root(folder: &Path, json: &str) -> String {
    let file = folder.join("trusted_root.json");
    std::fs::write(&file, json).expect("a file");
    format!("[trust-root]\nfile = \"{}\"\n", file.display())
}

fn payload(of: &Digest) -> Vec<u8> {
    let payload = json!({
        "critical": {
            "identity": {"docker-reference": "app"}, "image": {"docker-manifest-digest": of.as_str()},
            "type": "cosign container image signature",
        },
        "optional": null,
    });
    payload.to_string().into_bytes()
}

fn statement(of: &Digest, kind: &str, predicate: &Value) -> Value {
    let (algorithm, hex) = of.as_str().split_once(':').expect("a digest");
    json!({
        "_type": "https://in-toto.io/Statement/v1", "predicateType": kind,
        "subject": [{"name": "app", "digest": {algorithm: hex}}], "predicate": predicate,
    })
}

/// What the first finding rests on.
fn why(report: &Report) -> String {
    let judgement = report.uses[0].judgement.as_ref().expect("it is judged");
    judgement.findings.first().map(|finding| finding.explanation.text.clone()).unwrap_or_default()
}

#[tokio::test]
async fn a_certificate_counts_if_issuer_and_identity_are_who_is_required() {
    let house = House::new(true, "");
    let none: [&str; 0] = [];
    let signed = ["signed-by"];
    let cases: [(&str, &str, &[&str]); 6] = [
        (GITHUB, WORKFLOW, &none),
        (GITHUB, "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/v1.2", &none),
        ("https://accounts.example", WORKFLOW, &signed),
        (GITHUB, "https://github.com/evil/app/.github/workflows/release.yml@refs/heads/main", &signed),
        // `*` never crosses `/`.
        (GITHUB, "https://github.com/acme/app/x/.github/workflows/release.yml@refs/heads/main", &signed),
        (GITHUB, "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/x/y", &signed),
    ];
    for (number, (issuer, identity, expected)) in cases.into_iter().enumerate() {
        let who = house.person(issuer, identity);
        for layout in LAYOUTS {
            let digest = house.registry.image("app", None, &format!("{number} {layout:?}"));
            house.sign(layout, &house.sigstore, &who, &digest, &digest, IN_TIME_S);
            let report = house.judge(POLICY, &digest).await;
            assert_eq!(rules(&report), expected, "{layout:?} {issuer} {identity}: {:?}", findings(&report));
        }
    }
}

#[tokio::test]
async fn a_keyless_signature_that_does_not_hold_counts_as_none_and_says_why() {
    let house = House::new(true, "");
    let (mut who, stranger) = (house.person(GITHUB, WORKFLOW), Sigstore::new());
    let theirs = stranger.certify(GITHUB, WORKFLOW, &[], true);
    let unlogged = house.sigstore.certify(GITHUB, WORKFLOW, &[], false);
    let other = house.registry.image("app", None, "another");
    for layout in LAYOUTS {
        let image = |what: &str| house.registry.image("app", None, &format!("{what} {layout:?}"));
        let expect = async |what: &str, digest: &Digest, said: &str| {
            let report = house.judge(POLICY, digest).await;
            assert_eq!(rules(&report), ["signed-by"], "{what} {layout:?}: {:?}", findings(&report));
            let why = why(&report);
            assert!(why.contains("1 that does not hold: ") && why.contains(said), "{what} {layout:?}: {why}");
        };
        let digest = image("too late");
        house.sign(layout, &house.sigstore, &who, &digest, &digest, TOO_LATE_S);
        expect("too late", &digest, "was not valid when it signed: ").await;

        let digest = image("of another image");
        house.sign(layout, &house.sigstore, &who, &digest, &other, IN_TIME_S);
        let said =
            if matches!(layout, Layout::Signature) { "another image" } else { "does not match any subject" };
        expect("of another image", &digest, said).await;

        let digest = image("another authority's");
        house.sign(layout, &house.sigstore, &theirs, &digest, &digest, IN_TIME_S);
        expect("another authority's", &digest, "leads to no authority that is trusted").await;

        let digest = image("another log's");
        house.sign(layout, &stranger, &who, &digest, &digest, IN_TIME_S);
        expect("another log's", &digest, "No log key").await;

        let digest = image("a certificate that no log has");
        house.sign(layout, &house.sigstore, &unlogged, &digest, &digest, IN_TIME_S);
        expect("a certificate that no log has", &digest, "missing SCT").await;

        let digest = image("another key's");
        let key = house.person(GITHUB, WORKFLOW);
        let certified = who.with_key_of(key);
        house.sign(layout, &house.sigstore, &certified, &digest, &digest, IN_TIME_S);
        who = house.person(GITHUB, WORKFLOW);
        expect("another key's", &digest, "invalid signature").await;
    }
}

/// The second version of the log proves that it has a signature, and not since when.
#[tokio::test]
async fn a_newer_log_and_a_timestamp_prove_it_together() {
    let house = House::new(true, "");
    let who = house.person(GITHUB, WORKFLOW);
    for (what, time, timestamped, said) in [
        ("in time", "20250601000100Z", true, ""),
        ("too late", "20250601010000Z", true, "was not valid when it signed"),
        ("whenever", "20250601000100Z", false, "no verified timestamp"),
    ] {
        let digest = house.registry.image("app", None, what);
        let mut bundle = house.sigstore.attest_anew(&who, &statement(&digest, PROVENANCE, &json!({})), time);
        if !timestamped {
            bundle["verificationMaterial"]["timestampVerificationData"] = json!({});
        }
        refer(&house.registry, "app", &digest, bundle.to_string().as_bytes());
        let report = house.judge(POLICY, &digest).await;
        let expected: &[&str] = if said.is_empty() { &[] } else { &["signed-by"] };
        assert_eq!(rules(&report), expected, "{what}: {:?}", findings(&report));
        assert!(why(&report).contains(said), "{what}: {}", why(&report));
    }
}

/// cosign 2 with `--registry-referrers-mode=oci-1-1`.
#[tokio::test]
async fn the_older_layout_counts_as_a_referrer_too() {
    let house = House::new(true, "");
    let who = house.person(GITHUB, WORKFLOW);
    let digest = house.registry.image("app", None, "1");
    let annotations = house.sigstore.sign(&who, &payload(&digest), IN_TIME_S);
    let referrer =
        attach(&house.registry, "app", "referrer", SIMPLE_SIGNING, &payload(&digest), &annotations);
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [{
        "mediaType": MANIFEST, "digest": referrer.as_str(), "size": 1,
        "artifactType": "application/vnd.dev.cosign.artifact.sig.v1+json",
    }]});
    house.registry.push("app", Some(&tag_of(&digest, "")), INDEX, &index);
    let report = house.judge(POLICY, &digest).await;
    assert_eq!(rules(&report), Vec::<String>::new(), "{:?}", findings(&report));
}

#[tokio::test]
async fn what_was_changed_after_signing_does_not_hold() {
    let house = House::new(true, "");
    let who = house.person(GITHUB, WORKFLOW);
    let image = |what: &str| house.registry.image("app", None, what);
    let expect = async |what: &str, digest: &Digest, said: &str| {
        let report = house.judge(POLICY, digest).await;
        assert_eq!(rules(&report), ["signed-by"], "{what}: {:?}", findings(&report));
        assert!(why(&report).contains(said), "{what}: {}", why(&report));
    };
    let other = image("other");
    // The payload is exchanged for one about this image.
    let digest = image("a payload");
    let annotations = house.sigstore.sign(&who, &payload(&other), IN_TIME_S);
    let tag = tag_of(&digest, ".sig");
    attach(&house.registry, "app", &tag, SIMPLE_SIGNING, &payload(&digest), &annotations);
    expect("a payload", &digest, "invalid signature").await;

    let digest = image("a bundle");
    let mut bundle = house.sigstore.attest(&who, &statement(&other, PROVENANCE, &json!({})), IN_TIME_S);
    let exchanged = STANDARD.encode(statement(&digest, PROVENANCE, &json!({})).to_string());
    bundle["dsseEnvelope"]["payload"] = exchanged.into();
    refer(&house.registry, "app", &digest, bundle.to_string().as_bytes());
    expect("a bundle", &digest, "invalid signature").await;

    // A log's promise is of the time, too.
    let digest = image("a time");
    let mut bundle = house.sigstore.attest(&who, &statement(&digest, PROVENANCE, &json!({})), TOO_LATE_S);
    bundle["verificationMaterial"]["tlogEntries"][0]["integratedTime"] = IN_TIME_S.to_string().into();
    refer(&house.registry, "app", &digest, bundle.to_string().as_bytes());
    expect("a time", &digest, "SET verification failed").await;

    let digest = image("a proof");
    let mut bundle = house.sigstore.attest(&who, &statement(&digest, PROVENANCE, &json!({})), IN_TIME_S);
    let proof = &mut bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"];
    *proof = house.sigstore.attest(&who, &statement(&other, PROVENANCE, &json!({})), IN_TIME_S)
        ["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]
        .clone();
    refer(&house.registry, "app", &digest, bundle.to_string().as_bytes());
    expect("a proof", &digest, "inclusion proof").await;

    // The entry of something else that the same key signed.
    let digest = image("an entry");
    let mut bundle = house.sigstore.attest(&who, &statement(&digest, PROVENANCE, &json!({})), IN_TIME_S);
    let entries = house.sigstore.attest(&who, &statement(&other, PROVENANCE, &json!({})), IN_TIME_S);
    bundle["verificationMaterial"]["tlogEntries"] = entries["verificationMaterial"]["tlogEntries"].clone();
    refer(&house.registry, "app", &digest, bundle.to_string().as_bytes());
    expect("an entry", &digest, "log entry does not match").await;

    // Nobody but the timestamp authority knows of it: that is not enough where there is a log.
    let digest = image("no entry");
    let statement = statement(&digest, PROVENANCE, &json!({}));
    let bundle = house.sigstore.attest_unlogged(&who, &statement, "20250601000100Z");
    refer(&house.registry, "app", &digest, bundle.to_string().as_bytes());
    expect("no entry", &digest, "it stands in no transparency log").await;

    let digest = image("no word of a log");
    let mut annotations = house.sigstore.sign(&who, &payload(&digest), IN_TIME_S);
    annotations.as_object_mut().expect("a map").remove("dev.sigstore.cosign/bundle");
    let tag = tag_of(&digest, ".sig");
    attach(&house.registry, "app", &tag, SIMPLE_SIGNING, &payload(&digest), &annotations);
    expect("no word of a log", &digest, "it stands in no transparency log").await;
}

/// As GitHub's own instance, for private repositories: no log, but timestamps.
#[tokio::test]
async fn without_logs_a_timestamp_authority_says_when() {
    let house = House::new(false, "");
    let who = house.sigstore.certify(GITHUB, WORKFLOW, &[], false);
    let stranger = Sigstore::new();
    for (what, by, time, said) in [
        ("in time", &house.sigstore, "20250601000100Z", None),
        ("too late", &house.sigstore, "20250601010000Z", Some("was not valid when it signed: ")),
        ("another authority's", &stranger, "20250601000100Z", Some("invalid RFC 3161 timestamp")),
    ] {
        let digest = house.registry.image("app", None, what);
        let bundle = by.attest_unlogged(&who, &statement(&digest, PROVENANCE, &json!({})), time);
        refer(&house.registry, "app", &digest, bundle.to_string().as_bytes());
        let report = house.judge(POLICY, &digest).await;
        let expected: &[&str] = if said.is_some() { &["signed-by"] } else { &[] };
        assert_eq!(rules(&report), expected, "{what}: {:?}", findings(&report));
        assert!(why(&report).contains(said.unwrap_or_default()), "{what}: {}", why(&report));
    }
    // Without any word of when it was, it proves nothing.
    let digest = house.registry.image("app", None, "whenever");
    let mut bundle =
        house.sigstore.attest_unlogged(&who, &statement(&digest, PROVENANCE, &json!({})), "20250601000100Z");
    bundle["verificationMaterial"]["timestampVerificationData"] = json!({});
    refer(&house.registry, "app", &digest, bundle.to_string().as_bytes());
    assert_eq!(rules(&house.judge(POLICY, &digest).await), ["signed-by"]);
    // What stands in a log is of another instance.
    let digest = house.registry.image("app", None, "logged");
    house.sign(Layout::Bundle, &house.sigstore, &who, &digest, &digest, IN_TIME_S);
    assert!(why(&house.judge(POLICY, &digest).await).contains("a transparency log that is not known"));
}

#[tokio::test]
async fn only_a_certificate_of_who_must_sign_proves_that_github_built_it() {
    let house = House::new(true, "");
    let policy = format!("{POLICY}      provenance: {{builder: github-hosted}}\n");
    let hosted =
        |identity: &str, runner: &str| house.sigstore.certify(GITHUB, identity, &[(11, runner)], true);
    let theirs = "https://github.com/evil/x/.github/workflows/release.yml@refs/heads/main";
    let elsewhere = house.sigstore.certify("https://ci.example", WORKFLOW, &[(11, "github-hosted")], true);
    for (what, who, expected) in [
        ("ours", hosted(WORKFLOW, "github-hosted"), &[][..]),
        ("our own runner", hosted(WORKFLOW, "self-hosted"), &["provenance"]),
        ("theirs", hosted(theirs, "github-hosted"), &["signed-by", "provenance"]),
        ("another issuer's", elsewhere, &["signed-by", "provenance"]),
    ] {
        let digest = house.registry.image("app", None, what);
        house.sign(Layout::Bundle, &house.sigstore, &who, &digest, &digest, IN_TIME_S);
        assert_eq!(rules(&house.judge(&policy, &digest).await), expected, "{what}");
    }
    // The right signature, and somebody else's word of who built it.
    let digest = house.registry.image("app", None, "two");
    house.sign(
        Layout::Signature,
        &house.sigstore,
        &hosted(WORKFLOW, "self-hosted"),
        &digest,
        &digest,
        IN_TIME_S,
    );
    house.sign(
        Layout::Bundle,
        &house.sigstore,
        &hosted(theirs, "github-hosted"),
        &digest,
        &digest,
        IN_TIME_S,
    );
    let report = house.judge(&policy, &digest).await;
    assert_eq!(rules(&report), ["provenance"]);
    let message = &findings(&report)[0].2;
    assert!(message.contains("only one of `https://github.com/evil/x/"), "{message}");
}

#[tokio::test]
async fn a_certificate_proves_the_source_and_that_it_was_public() {
    let house = House::new(true, "");
    let policy = "version: 1\nmode: enforce\nunknown: fail\nreviewers: [\"@a\"]\n\
        trust: {official: {images: [\"hub:official\"]}}\nscrutinise: {source-repo: public}\n";
    let of = |claims: &[(u64, &str)]| house.sigstore.certify(GITHUB, WORKFLOW, claims, true);
    let (app, other) = ("https://github.com/acme/app", "https://github.com/acme/other");
    for (what, who, expected) in [
        ("public", of(&[(12, app), (22, "public")]), &[][..]),
        ("private", of(&[(12, app), (22, "private")]), &["unknown"]),
        ("nothing", of(&[]), &["unknown"]),
    ] {
        let digest = house.registry.image("app", None, what);
        house.sign(Layout::Bundle, &house.sigstore, &who, &digest, &digest, IN_TIME_S);
        assert_eq!(rules(&house.judge(policy, &digest).await), expected, "{what}");
        // When it was last pushed to, only GitHub could say.
        let active = policy.replace("source-repo: public", "source-active-within: 180d");
        assert_eq!(rules(&house.judge(&active, &digest).await), ["unknown"], "{what}");
    }
    let digest = house.registry.image("app", None, "two");
    house.sign(
        Layout::Bundle,
        &house.sigstore,
        &of(&[(12, app), (22, "public")]),
        &digest,
        &digest,
        IN_TIME_S,
    );
    let who = of(&[(12, other), (22, "public")]);
    house.sign(Layout::Attestation, &house.sigstore, &who, &digest, &digest, IN_TIME_S);
    let report = house.judge(policy, &digest).await;
    assert_eq!(rules(&report), ["unknown"]);
    let said = format!("{:?}", report.uses[0].judgement);
    assert!(said.contains("it is attested to be built from https://github.com/acme/app and from"), "{said}");
}

#[tokio::test]
async fn a_scan_counts_that_a_named_scanner_signed_keyless() {
    let scanner = "https://github.com/acme/scans/.github/workflows/scan.yml@refs/heads/main";
    let named = format!(
        "[[scanner]]\nissuer = \"{GITHUB}\"\nidentity = \"https://github.com/acme/*/.github/workflows/scan.yml@refs/heads/main\"\n"
    );
    let house = House::new(true, &named);
    let policy = "version: 1\nmode: enforce\nunknown: fail\nreviewers: [\"@a\"]\n\
        trust: {official: {images: [\"hub:official\"]}}\n\
        scrutinise: {vulnerabilities: {critical-fixable: 0, scan-within: 30d}}\n";
    let critical = json!({"Severity": "CRITICAL", "FixedVersion": "2"});
    for (what, identity, found, expected) in [
        ("clean", scanner, vec![], &[][..]),
        ("holed", scanner, vec![critical], &["unknown"]),
        // Anybody can attest that any image is clean.
        (
            "a stranger's",
            "https://github.com/evil/scans/.github/workflows/scan.yml@refs/heads/main",
            vec![],
            &["unknown"],
        ),
        ("the builder's", WORKFLOW, vec![], &["unknown"]),
    ] {
        let digest = house.registry.image("app", None, what);
        let predicate = json!({
            "scanner": {"result": {
                "CreatedAt": "2026-11-20T00:00:00Z", "Metadata": {"RepoDigests": [format!("app@{digest}")]},
                "Results": [{"Vulnerabilities": found}],
            }},
            "metadata": {"scanFinishedOn": "2026-11-20T00:00:00Z"},
        });
        let who = house.person(GITHUB, identity);
        let statement = statement(&digest, VULNERABILITIES, &predicate);
        let (envelope, mut annotations) = house.sigstore.attest_older(&who, &statement, IN_TIME_S);
        annotations["predicateType"] = VULNERABILITIES.into();
        house.keep(&digest, &envelope, &annotations);
        assert_eq!(rules(&house.judge(policy, &digest).await), expected, "{what}");
    }
}

/// The sha512 digest that the bundle in tests/data/sigstore is about.
const SIGSTORE_JS: &str = "46d4e2f74c4877316640000a6fdf8a8b59f1e0847667973e9859f774dd31b8f1\
    e0937813b777fb66a2ac67d50540fe34640966eee9fc2ccca387082b4c85cd3c";

/// A provenance that a real workflow made, by the bundled root of Sigstore's public
/// instance, found by the tag that stands for the referrers.
#[tokio::test]
async fn a_real_provenance_holds_by_the_bundled_root() {
    let registry = Registry::start();
    let bundle = include_bytes!("../data/sigstore/sigstore-js-2.0.0-provenance.json");
    let digest = Digest::parse(&format!("sha512:{SIGSTORE_JS}")).expect("a digest");
    refer(&registry, "npm/sigstore", &digest, bundle);
    let asker = Asker::new(&entry("registry.acme.test", registry.port));
    let from = format!("FROM registry.acme.test/npm/sigstore@{digest}\n");
    let policy = format!("{POLICY}      provenance: {{builder: github-hosted}}\n");
    let right = policy.replace("github.com/acme/*/", "github.com/sigstore/sigstore-js/");
    assert_eq!(rules(&asker.judge(&right, &from).await), Vec::<String>::new());
    let report = asker.judge(&policy, &from).await;
    assert_eq!(rules(&report), ["signed-by", "provenance"]);
    assert_eq!(asker.contacted().len(), 1, "the registry, and nobody of Sigstore's");
    // Of any other image it says nothing.
    let other = Digest::parse(&format!("sha512:{}", "a".repeat(128))).expect("a digest");
    refer(&registry, "npm/other", &other, bundle);
    let from = format!("FROM registry.acme.test/npm/other@{other}\n");
    let report = asker.judge(&right, &from).await;
    assert_eq!(rules(&report), ["signed-by", "provenance"]);
    assert!(why(&report).contains("does not match any subject"), "{}", why(&report));
}

/// cosign 3 with a key: a bundle that names a key instead of holding a certificate.
#[tokio::test]
async fn a_bundle_that_a_known_key_made_counts() {
    let registry = Registry::start();
    let folder = tempfile::tempdir().expect("a folder");
    let (pair, key) = known_key(folder.path());
    let stranger = crate::key_pair();
    let asker = Asker::new(&format!("{}{key}", entry("registry.acme.test", registry.port)));
    let policy = POLICY.replace(GITHUB, "https://keys.acme.example").replace(
        "https://github.com/acme/*/.github/workflows/release.yml@refs/heads/*",
        "https://acme.example/release",
    );
    let image = |what: &str| registry.image("app", None, what);
    let other = image("other");
    let signs = "https://sigstore.dev/cosign/sign/v1";
    for (what, of_other, pair, kind, said) in [
        ("signed", false, &pair, signs, ""),
        ("provenance", false, &pair, PROVENANCE, ""),
        ("strange", false, &stranger, signs, "it was made by no key that is known"),
        ("moved", true, &pair, signs, "it attests another image"),
        ("listed", false, &pair, "https://spdx.dev/Document", "(registry.acme.test, "),
    ] {
        let digest = image(what);
        let payload = statement(if of_other { &other } else { &digest }, kind, &json!({})).to_string();
        let signed = format!("DSSEv1 28 application/vnd.in-toto+json {} {payload}", payload.len());
        let bundle = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {"publicKey": {"hint": "a key"}, "tlogEntries": []},
            "dsseEnvelope": {
                "payloadType": "application/vnd.in-toto+json", "payload": STANDARD.encode(&payload),
                "signatures": [{"sig": sign(pair, signed.as_bytes())}],
            },
        });
        refer(&registry, "app", &digest, bundle.to_string().as_bytes());
        let report = asker.judge(&policy, &format!("FROM registry.acme.test/app@{digest}\n")).await;
        let expected: &[&str] = if said.is_empty() { &[] } else { &["signed-by"] };
        assert_eq!(rules(&report), expected, "{what}: {:?}", findings(&report));
        assert!(why(&report).contains(said), "{what}: {}", why(&report));
    }
    // A signature of bytes alone attests nothing of an image.
    let digest = image("bytes");
    let bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": "a key"}},
        "messageSignature": {"signature": sign(&pair, b"bytes")},
    });
    refer(&registry, "app", &digest, bundle.to_string().as_bytes());
    let report = asker.judge(&policy, &format!("FROM registry.acme.test/app@{digest}\n")).await;
    assert!(why(&report).contains("it attests nothing of an image"), "{}", why(&report));
}

/// What it is called, what it is for an image, the finding, and what is said.
type Hostile<'a> = (&'a str, &'a dyn Fn(&Digest) -> String, &'a str, &'a str);

/// Whoever can push writes these: each ends in a fact.
#[tokio::test]
async fn hostile_bundles_end_in_a_fact() {
    let house = House::new(true, "");
    let who = house.person(GITHUB, WORKFLOW);
    let good =
        |digest: &Digest| house.sigstore.attest(&who, &statement(digest, PROVENANCE, &json!({})), IN_TIME_S);
    let image = |what: &str| house.registry.image("app", None, what);
    let with = |digest: &Digest, change: &dyn Fn(&mut Value)| {
        let mut bundle = good(digest);
        change(&mut bundle);
        bundle.to_string()
    };
    let material = |bundle: &mut Value, pointer: &str, value: Value| {
        *bundle.pointer_mut(&format!("/verificationMaterial/{pointer}")).expect("it is there") = value;
    };
    let truncated = |digest: &Digest| {
        let text = good(digest).to_string();
        text[..text.len() / 2].to_owned()
    };
    let newer = |bundle: &mut Value| {
        bundle["mediaType"] = "application/vnd.dev.sigstore.bundle.v9+json".into();
    };
    let many = |bundle: &mut Value| {
        let one = bundle["verificationMaterial"]["tlogEntries"][0].clone();
        material(bundle, "tlogEntries", vec![one; 9].into());
    };
    let long = |bundle: &mut Value| {
        let pointer = "tlogEntries/0/inclusionProof/checkpoint/envelope";
        let state = bundle.pointer(&format!("/verificationMaterial/{pointer}")).and_then(Value::as_str);
        let state = state.expect("a state of the log").to_owned();
        let signature = state.lines().last().expect("a signature");
        let more = format!("{signature}\n").repeat(1_000);
        material(bundle, pointer, format!("{state}{more}").into());
    };
    let no_certificate = |bundle: &mut Value| material(bundle, "certificate/rawBytes", "AAAA".into());
    let cases: [Hostile<'_>; 8] = [
        ("truncated", &truncated, "signed-by", "it cannot be read"),
        ("nested", &|_| "[".repeat(100_000), "signed-by", "it cannot be read"),
        ("huge", &|_| "[0,".repeat(2_000_000), "unsure", "something that cannot be read"),
        ("nothing", &|_| "{}".to_owned(), "signed-by", "it attests nothing of an image"),
        ("newer", &|digest| with(digest, &newer), "unsure", "of a form that is not read"),
        ("many entries", &|digest| with(digest, &many), "unsure", "more proof than is read"),
        ("a long state of the log", &|digest| with(digest, &long), "unsure", "more proof than is read"),
        ("no certificate", &|digest| with(digest, &no_certificate), "signed-by", "malformed certificate"),
    ];
    for (what, bundle, rule, said) in cases {
        let digest = image(what);
        refer(&house.registry, "app", &digest, bundle(&digest).as_bytes());
        let report = house.judge(POLICY, &digest).await;
        assert_eq!(rules(&report), [rule], "{what}: {:?}", findings(&report));
        let text = format!("{} {}", why(&report), findings(&report)[0].2);
        assert!(text.contains(said), "{what}: {text}");
    }
    // And in annotations.
    let cases = [
        ("certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "signed-by"),
        ("certificate", "no PEM", "signed-by"),
        ("bundle", "[[[[", "signed-by"),
        (
            "bundle",
            r#"{"SignedEntryTimestamp":"","Payload":{"body":"e30=","integratedTime":0,"logIndex":0,"logID":""}}"#,
            "signed-by",
        ),
        // {"apiVersion":"0.0.1","kind":"intoto"}
        (
            "bundle",
            r#"{"SignedEntryTimestamp":"","Payload":{"body":"eyJhcGlWZXJzaW9uIjoiMC4wLjEiLCJraW5kIjoiaW50b3RvIn0=","integratedTime":0,"logIndex":0,"logID":"LOG"}}"#,
            "unsure",
        ),
        ("rfc3161timestamp", "{}", "signed-by"),
        ("chain", "-----BEGIN CERTIFICATE-----", "signed-by"),
    ];
    for (number, (key, text, rule)) in cases.into_iter().enumerate() {
        let digest = image(&format!("annotation {number}"));
        let mut annotations = house.sigstore.sign(&who, &payload(&digest), IN_TIME_S);
        annotations[format!("dev.sigstore.cosign/{key}")] = text.replace("LOG", &"a".repeat(64)).into();
        let tag = tag_of(&digest, ".sig");
        attach(&house.registry, "app", &tag, SIMPLE_SIGNING, &payload(&digest), &annotations);
        assert_eq!(rules(&house.judge(POLICY, &digest).await), [rule], "{key} {text}");
    }
}

#[test]
fn a_trust_root_that_cannot_be_used_is_said_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = |json: &str| {
        let file = trust_root(folder.path(), json);
        let operator = Operator::read(&file, &|path| std::fs::read(path)).expect("the file is right");
        let clock = fromguard::clock::Clock::manual(crate::START_MS);
        Inquiry::new(operator, clock, Inquiry::BUDGET).map(|_| ()).map_err(|error| error.to_string())
    };
    let sigstore = Sigstore::new();
    // One or several, as `gh attestation trusted-root` prints them.
    assert_eq!(start(&sigstore.trusted_root(true)), Ok(()));
    assert_eq!(
        start(&format!("{}\n{}\n", sigstore.trusted_root(true), sigstore.trusted_root(false))),
        Ok(())
    );
    for wrong in ["", "{", "[]", "{}", "null"] {
        let said = start(wrong).expect_err("it is no trust root");
        assert!(said.contains("the trust root: "), "{said}");
    }
    let read = |text: &str| Operator::read(text, &|path| std::fs::read(path)).map(|_| ());
    let problems =
        read("[[scanner]]\nissuer = \"x\"\nidentity = \"https://github.com/*/scans\"").expect_err("whose?");
    assert!(problems[0].contains("does not say whose scans count"), "{problems:?}");
    let problems = read("[trust-root]\nfile = \"/none\"").expect_err("it is not there");
    assert!(problems[0].starts_with("trust-root: /none cannot be read"), "{problems:?}");
}
