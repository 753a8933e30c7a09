#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::LazyLock;

use fromguard_core::image::Digest;
use sigstore_verify::types::ArtifactDigest;
use sigstore_verify::types::DigestBytes;
use sigstore_verify::types::HashAlgorithm;

use super::super::operator::Operator;
use super::super::signature::Verifying;
use super::*;

/// A provenance of npm's, made by a real workflow: tests/data/sigstore.
const REAL: &str = include_str!("../../../tests/data/sigstore/sigstore-js-2.0.0-provenance.json");
const OF: &str = "46d4e2f74c4877316640000a6fdf8a8b59f1e0847667973e9859f774dd31b8f1\
    e0937813b777fb66a2ac67d50540fe34640966eee9fc2ccca387082b4c85cd3c";
const WORKFLOW: &str =
    "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main";

fn by(keyless: &Keyless) -> Result<Certified, Unproven> {
    let bytes = DigestBytes::from_hex(OF).unwrap();
    let artifact = ArtifactDigest::new(HashAlgorithm::Sha2512, bytes).unwrap();
    keyless.verify(&read(serde_json::from_str(REAL).unwrap())?, &Artifact::from_digest(artifact))
}

#[test]
fn a_certificate_says_who_and_where_from() {
    let certified = by(&Keyless::bundled().unwrap()).unwrap();
    assert_eq!(
        (certified.signer.issuer.as_str(), certified.signer.identity.as_str()),
        (GITHUB_ACTIONS, WORKFLOW)
    );
    let source = Source { address: "https://github.com/sigstore/sigstore-js".to_owned(), public: true };
    assert_eq!(
        certified.workload,
        Workload { github_hosted: true, source: Some(source), signed_ms: 1_692_374_735_000 }
    );
}

#[test]
fn a_root_may_be_believed_about_one_issuer_alone() {
    let about = |issuer| Keyless { roots: roots(SIGSTORE_PRODUCTION_TRUSTED_ROOT, Some(issuer)).unwrap() };
    assert!(by(&about(GITHUB_ACTIONS)).is_ok());
    let Err(Unproven::Wrong(why)) = by(&about("https://token.actions.github")) else { panic!("it is not") };
    assert!(why.contains("believed about GitHub's workflows alone"), "{why}");
    for (issuer, is) in [("", true), ("/acme", true), ("/acme/x", true), (".evil.io", false), ("x", false)] {
        assert_eq!(is_below(&format!("{GITHUB_ACTIONS}{issuer}"), GITHUB_ACTIONS), is, "{issuer}");
    }
    // As for the bundled ones: the public instance has logs, GitHub's own has none.
    let bundled = Keyless::bundled().unwrap();
    let bundled: Vec<_> =
        bundled.roots.iter().map(|root| (root.logs, root.logs_certificates, root.about)).collect();
    assert_eq!(bundled, [(true, true, None), (false, false, Some(GITHUB_ACTIONS))]);
}

#[test]
fn another_root_does_not_vouch() {
    let github = Keyless::configured(SIGSTORE_GITHUB_TRUSTED_ROOT).unwrap();
    assert_eq!(
        by(&github),
        Err(Unproven::Wrong("it stands in a transparency log that is not known".to_owned()))
    );
}

static VERIFYING: LazyLock<Verifying> = LazyLock::new(|| Verifying::new(&Operator::default()).unwrap());

/// The bundle as a registry would serve it.
fn verified(verifying: &Verifying, text: &str) -> Option<(Signer, String)> {
    let digest = Digest::parse(&format!("sha512:{OF}")).unwrap();
    let verified = verifying.bundle(text.as_bytes(), &digest).ok()?;
    Some((verified.signer, format!("{:?}", verified.statement)))
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(128))]

    #[test]
    fn no_change_makes_it_say_something_else(at in 0..REAL.len(), with in "[A-Za-z0-9+/=\"{}\\[\\],:]{0,3}") {
        let verifying = LazyLock::force(&VERIFYING);
        let sound = verified(verifying, REAL).unwrap();
        for end in [at, (at + with.len()).min(REAL.len())] {
            let changed = format!("{}{with}{}", &REAL[..at], &REAL[end..]);
            if let Some(said) = verified(verifying, &changed) {
                assert_eq!(said, sound, "{changed}");
            }
        }
        assert_eq!(verified(verifying, &REAL[..at]), None);
    }
}
