//! Evidence from a real registry: what judging wants to know is asked within the
//! guard, once, and nobody else is contacted.

mod evidence {
    pub(crate) mod front;
    mod keyless;
    pub(crate) mod registry;
    pub(crate) mod sigstore;
}

use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::encoding::PublicKeyX509Der;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1_SIGNING;
use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::KeyPair;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fromguard::clock::Clock;
use fromguard::local::WorkingTree;
use fromguard::registry::Authority;
use fromguard::registry::Inquiry;
use fromguard::registry::Late;
use fromguard::registry::Operator;
use fromguard_core::day::Day;
use fromguard_core::image::Digest;
use fromguard_core::image::ImageRef;
use fromguard_core::policy::Found;
use fromguard_core::policy::Policies;
use fromguard_core::report::Report;
use fromguard_core::report::Subject;
use fromguard_core::source::RepoPath;
use fromguard_core::source::SourceFile;

use crate::evidence::front::Front;
use crate::evidence::front::NOT_FOUND;
use crate::evidence::front::json;
use crate::evidence::front::with_tokens;
use crate::evidence::registry::INDEX;
use crate::evidence::registry::MANIFEST;
use crate::evidence::registry::Registry;

/// 2026-11-26T00:00:00Z.
const START_MS: i64 = 1_795_651_200_000;

/// The operator's entry for a registry on loopback, without the closing of its table.
fn entry(name: &str, port: u16) -> String {
    format!(
        "[registry.\"{name}\"]\napi = \"127.0.0.1:{port}\"\naddresses = [\"127.0.0.1\"]\nplain-http = true\n"
    )
}

/// Who asks, and the clock that everybody goes by.
struct Asker {
    inquiry: Inquiry,
    clock: Clock,
}

impl Asker {
    fn new(file: &str) -> Asker {
        let clock = Clock::manual(START_MS);
        let operator =
            Operator::read(file, &|path| std::fs::read(path)).expect("the operator's file is right");
        let inquiry = Inquiry::new(operator, clock.clone(), Inquiry::BUDGET).expect("it can be used");
        Asker { inquiry, clock }
    }

    /// Judges a Dockerfile by a policy.
    async fn judge(&self, policy: &str, dockerfile: &str) -> Report {
        let (report, late) = self.judge_for(policy, dockerfile, true).await;
        assert!(late.is_none(), "everything was answered");
        report
    }

    async fn judge_for(&self, policy: &str, dockerfile: &str, private: bool) -> (Report, Option<Late>) {
        self.inquiry.judge(subject(policy, dockerfile), private).await.expect("judging does not panic")
    }

    fn contacted(&self) -> BTreeSet<Authority> {
        self.inquiry.contacts().into_keys().collect()
    }
}

fn subject(policy: &str, dockerfile: &str) -> Subject {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("Dockerfile"), dockerfile).expect("a file");
    let tree = WorkingTree::open(folder.path()).expect("a tree");
    let file = Arc::new(SourceFile::new(RepoPath::new(".github/fromguard.yml"), policy));
    let policies = Policies::load(Found::Absent, Found::File(file), Day::from_unix_ms(START_MS));
    assert!(policies.loaded().next().is_some(), "the policy loads: {policies:?}");
    Subject {
        head: tree.scan(),
        base: None,
        touched: None,
        policies,
        proposed: None,
        evidence: Arc::default(),
        notices: Vec::new(),
        approvals: Vec::new(),
    }
}

/// `rule` of every finding with what to write instead, and its message.
fn findings(report: &Report) -> Vec<(String, Option<String>, String)> {
    let judged = report.uses.iter().filter_map(|judged| judged.judgement.as_ref());
    judged
        .flat_map(|judgement| &judgement.findings)
        .map(|finding| (finding.rule.clone(), finding.fix.clone(), finding.message.clone()))
        .collect()
}

fn rules(report: &Report) -> Vec<String> {
    findings(report).into_iter().map(|(rule, _, _)| rule).collect()
}

const TRUSTING: &str = "\
version: 1
mode: enforce
unknown: fail
reviewers: [\"@a\"]
trust:
  base: {images: [\"registry.acme.test/**\"]}
";

#[tokio::test]
async fn a_pin_is_held_against_what_its_tag_stands_for() {
    let registry = Registry::start();
    let (amd, arm) = (registry.image("base/node", None, "amd64"), registry.image("base/node", None, "arm64"));
    let old = registry.image("base/node", Some("14"), "an old one");
    let index = registry.index("base/node", "24", &[&amd, &arm]);
    let asker = Asker::new(&entry("registry.acme.test", registry.port));
    let from = |digest: &Digest| format!("FROM registry.acme.test/base/node:24@{digest}\n");

    for good in [&index, &amd, &arm] {
        assert_eq!(rules(&asker.judge(TRUSTING, &from(good)).await), Vec::<String>::new(), "{good}");
    }
    let report = asker.judge(TRUSTING, &from(&old)).await;
    let found = findings(&report);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "pin-mismatch");
    assert!(found[0].2.contains("the tag `24` of"), "{}", found[0].2);
    // Where there is no such tag, nothing is known, and nothing is said against it.
    let report = asker.judge(TRUSTING, &from(&old).replace(":24", ":none")).await;
    assert_eq!(rules(&report), Vec::<String>::new());
}

#[tokio::test]
async fn a_digest_that_the_tag_once_stood_for_is_a_stale_pin() {
    let registry = Registry::start();
    let before = registry.image("base/node", Some("24"), "before");
    let asker = Asker::new(&entry("registry.acme.test", registry.port));
    let dockerfile = format!("FROM registry.acme.test/base/node:24@{before}\n");
    let report = asker.judge(TRUSTING, &dockerfile).await;
    assert_eq!((rules(&report).len(), report.notices.len()), (0, 0));

    let now = registry.image("base/node", Some("24"), "now");
    asker.clock.advance(Duration::from_secs(3_600));
    let report = asker.judge(TRUSTING, &dockerfile).await;
    assert_eq!(rules(&report), Vec::<String>::new());
    let notice = &report.notices[0];
    assert!(notice.starts_with("stale-pin: ") && notice.contains(now.as_str()), "{notice}");
}

#[tokio::test]
async fn a_missing_digest_is_said_with_the_one_to_write() {
    let registry = Registry::start();
    let digest = registry.image("base/node", Some("24"), "node");
    let latest = registry.image("base/node", Some("latest"), "newest");
    let asker = Asker::new(&entry("registry.acme.test", registry.port));
    let policy = TRUSTING.replace("\"]}\n", "\"], require: {digest: true}}\n");
    let report = asker.judge(&policy, "FROM registry.acme.test/base/node:24\n").await;
    let fix = format!("registry.acme.test/base/node:24@{digest}");
    assert_eq!(findings(&report)[0].1.as_deref(), Some(fix.as_str()));
    let report = asker.judge(&policy, "FROM registry.acme.test/base/node\n").await;
    let fix = format!("registry.acme.test/base/node@{latest}");
    assert_eq!(findings(&report)[0].1.as_deref(), Some(fix.as_str()));
    // What cannot be asked is found all the same, and there is nothing to write.
    let report = asker.judge(&policy, "FROM registry.acme.test/base/none:1\n").await;
    assert_eq!((rules(&report), findings(&report)[0].1.clone()), (vec!["digest".to_owned()], None));
}

/// trust.md, "Decisions", 6.
#[tokio::test]
async fn fifty_cold_images_cost_fifty_heads_and_a_token_each_and_warm_ones_nothing() {
    let registry = Registry::start();
    let front = fronted(registry.port, None).await;
    let asker = Asker::new(&entry("registry.acme.test", front.port));
    let mut dockerfile = String::new();
    for number in 0..50 {
        // Ten repositories with five tags each.
        let (repository, tag) = (format!("base/app{}", number % 10), number.to_string());
        let digest = registry.image(&repository, Some(&tag), &tag);
        writeln!(dockerfile, "FROM registry.acme.test/{repository}:{tag}@{digest}").expect("text");
    }
    let report = asker.judge(TRUSTING, &dockerfile).await;
    assert_eq!((report.uses.len(), rules(&report).len()), (50, 0));
    assert_eq!(front.count("HEAD", "/manifests/"), 50);
    assert_eq!(front.count("GET", "/token?"), 10);
    // How the registry lets in is asked once.
    assert_eq!(front.asked().len(), 50 + 10 + 1);
    asker.judge(TRUSTING, &dockerfile).await;
    assert_eq!(front.asked().len(), 61);
    // One registry, and nobody else.
    let registry = Authority::parse(&format!("127.0.0.1:{}", front.port)).expect("an authority");
    assert_eq!(asker.contacted(), BTreeSet::from([registry]));
    assert!(front.connections() <= 61);
}

/// A front with a realm of its own before a registry.
async fn fronted(behind: u16, basic: Option<String>) -> Front {
    let port = Arc::new(std::sync::OnceLock::new());
    let known = Arc::clone(&port);
    let origin = move || format!("http://127.0.0.1:{}", known.get().expect("it is started"));
    let front = Front::start(Some(behind), None, with_tokens(origin, basic)).await;
    port.set(front.port).expect("set once");
    front
}

#[tokio::test]
async fn credentials_are_for_private_repositories_only() {
    let registry = Registry::start();
    let digest = registry.image("base/node", Some("24"), "node");
    let front = fronted(registry.port, Some("Basic bWU6c2VjcmV0".to_owned())).await;
    let file = format!("{}user = \"me\"\npassword = \"secret\"\n", entry("registry.acme.test", front.port));
    let asker = Asker::new(&file);
    let policy = TRUSTING.replace("\"]}\n", "\"], require: {digest: true}}\n");
    let dockerfile = "FROM registry.acme.test/base/node:24\n";
    let (public, _) = asker.judge_for(&policy, dockerfile, false).await;
    assert_eq!(findings(&public)[0].1, None);
    assert!(front.asked().iter().all(|asked| !asked.authorization.contains("Basic")));
    let (private, _) = asker.judge_for(&policy, dockerfile, true).await;
    assert!(findings(&private)[0].1.as_ref().is_some_and(|fix| fix.contains(digest.as_str())));
    // What was learnt with credentials is not handed on.
    let (public, _) = asker.judge_for(&policy, dockerfile, false).await;
    assert_eq!(findings(&public)[0].1, None);
}

#[tokio::test]
async fn a_realm_elsewhere_gets_no_credentials_and_no_connection() {
    let decoy = Front::start(None, None, Arc::new(|_| Some(NOT_FOUND.to_owned()))).await;
    let elsewhere = decoy.port;
    let realm = with_tokens(move || format!("http://127.0.0.1:{elsewhere}"), None);
    let registry = Front::start(None, None, realm).await;
    let file =
        format!("{}user = \"me\"\npassword = \"secret\"\n", entry("registry.acme.test", registry.port));
    let asker = Asker::new(&file);
    let policy = TRUSTING.replace("\"]}\n", ":1.*\"]}\n");
    let digest = "a".repeat(64);
    let report = asker.judge(&policy, &format!("FROM registry.acme.test/x:1.0@sha256:{digest}\n")).await;
    let message = &findings(&report)[0].2;
    assert!(message.contains("not contacted: registry.acme.test leads to 127.0.0.1:"), "{message}");
    assert_eq!(decoy.connections(), 0);
}

/// The lists of who may be asked: what is not on one is not contacted, and that is said.
#[tokio::test]
async fn nobody_is_contacted_who_is_not_listed() {
    let decoy = Front::start(None, None, Arc::new(|_| Some(NOT_FOUND.to_owned()))).await;
    let asker = Asker::new("");
    let digest = format!("sha256:{}", "a".repeat(64));
    let hosts = [
        format!("127.0.0.1:{}", decoy.port),
        format!("localhost:{}", decoy.port),
        format!("[::ffff:127.0.0.1]:{}", decoy.port),
        format!("2130706433:{}", decoy.port),
        format!("0x7f.1:{}", decoy.port),
        format!("0177.0.0.1:{}", decoy.port),
        "169.254.169.254".to_owned(),
        "evil.example".to_owned(),
    ];
    let dockerfile: String = hosts.iter().map(|host| format!("FROM {host}/a/b:1@{digest}\n")).collect();
    // What is blocked, replaced or trusted is no reason to contact somebody.
    let policy = format!(
        "version: 1\nmode: enforce\nunknown: fail\nreviewers: [\"@a\"]\n\
         trust: {{own: {{images: [\"127.0.0.1:{0}/a/b:1\", \"localhost:{0}/a/b:1\", \"*.example.com/x\"]}}}}\n\
         block: [{{images: [\"evil.example/blocked\"], because: it is}}]\n\
         replace: {{evil.example/a/b: registry.example.com/a/b}}\n",
        decoy.port
    );
    let report = asker.judge(&policy, &dockerfile).await;
    let said = findings(&report);
    let listed =
        said.iter().filter(|(_, _, message)| message.contains("is not among the hosts that may be asked"));
    assert_eq!(listed.count(), 2, "{said:#?}");
    // Listed by the policy, they are still this machine.
    let contact = hosts[..2].iter().map(|host| format!("{host:?}")).collect::<Vec<_>>().join(", ");
    let report = asker.judge(&format!("{policy}contact: [{contact}]\n"), &dockerfile).await;
    let said = findings(&report);
    let refused = said.iter().filter(|(_, _, message)| message.contains("is not public (this machine)"));
    assert_eq!(refused.count(), 2, "{said:#?}");
    assert_eq!((decoy.connections(), asker.contacted().len()), (0, 0));
}

#[tokio::test]
async fn a_registry_that_hangs_costs_the_budget_and_is_said() {
    // It takes connections and never answers.
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let asker = Asker::new(&entry("registry.acme.test", port));
    let digest = "a".repeat(64);
    let dockerfile = format!("FROM registry.acme.test/x:1.0@sha256:{digest}\n");
    let policy = TRUSTING.replace("\"]}\n", ":1.*\"]}\n");
    let judging = asker.judge_for(&policy, &dockerfile, true);
    let hurry = async {
        let (_held, _) = listener.accept().await.expect("somebody asks");
        asker.clock.advance(Inquiry::BUDGET);
        std::future::pending::<()>().await;
    };
    let (report, late) = tokio::select! {
        judged = judging => judged,
        () = hurry => unreachable!("it never ends"),
    };
    assert!(late.is_some());
    let message = &findings(&report)[0].2;
    assert!(message.ends_with("it was not answered within 20 seconds"), "{message}");
    assert!(
        report.notices[0].contains("did not answer one question within 20 seconds"),
        "{:?}",
        report.notices
    );
}

/// Docker Hub's own API, as its reference and the badge's users describe it.
async fn hub(badge: &'static str, digest: Digest) -> Front {
    let answering = move |asked: &evidence::front::Asked| {
        let body = match asked.path.as_str() {
            "/v2/orgs/grafana/" => serde_json::json!({"orgname": "grafana", "badge": badge}),
            "/v2/users/somebody/" => serde_json::json!({"username": "somebody"}),
            "/v2/orgs/odd/" => serde_json::json!({"orgname": "odd"}),
            "/v2/orgs/down/" => return Some(json("503 Unavailable", &serde_json::json!({}))),
            "/v2/namespaces/foo/repositories/bar/tags/1.4" => serde_json::json!({
                "name": "1.4", "digest": digest.as_str(), "tag_last_pushed": "2026-11-17T21:06:53.506400Z",
                "images": [{"architecture": "amd64", "digest": "sha256:0", "last_pushed": "2026-11-17T21:06:53Z"}],
            }),
            _ => return Some(json("404 Not Found", &serde_json::json!({"message": "object not found"}))),
        };
        Some(json("200 OK", &body))
    };
    Front::start(None, None, Arc::new(answering)).await
}

#[tokio::test]
async fn a_badge_is_asked_of_docker_hub_and_an_error_is_not_unverified() {
    let digest = Digest::parse(&format!("sha256:{}", "b".repeat(64))).expect("a digest");
    let hub = hub("verified_publisher", digest).await;
    let asker = Asker::new(&entry("hub.docker.com", hub.port));
    let policy = "version: 1\nmode: enforce\nunknown: fail\nreviewers: [\"@a\"]\n\
        trust: {verified: {images: [\"hub:verified-publisher\"]}}\n";
    let judge = async |name: &str| asker.judge(policy, &format!("FROM {name}/x:1\n")).await;
    assert_eq!(rules(&judge("grafana").await), Vec::<String>::new());
    assert_eq!(rules(&judge("somebody").await), ["unknown"]);
    for (name, said) in [
        ("odd", "the registry's answer cannot be used"),
        ("down", "it answers HTTP 503"),
        ("gone", "does not have it"),
    ] {
        let report = judge(name).await;
        let unsure =
            findings(&report).into_iter().find(|(rule, _, _)| rule == "unsure").expect("it is unsure");
        assert!(unsure.2.contains(said), "{}", unsure.2);
    }
    // Asked again within the day, nobody is asked.
    let before = hub.asked().len();
    judge("grafana").await;
    assert_eq!(hub.asked().len(), before);
}

#[tokio::test]
async fn the_day_of_a_push_is_docker_hubs_word_for_this_digest() {
    let digest = Digest::parse(&format!("sha256:{}", "b".repeat(64))).expect("a digest");
    let hub = hub("", digest.clone()).await;
    let registry = Front::start(None, None, Arc::new(|_| Some(NOT_FOUND.to_owned()))).await;
    let asker =
        Asker::new(&format!("{}{}", entry("hub.docker.com", hub.port), entry("docker.io", registry.port)));
    let policy = "version: 1\nmode: enforce\nunknown: fail\nreviewers: [\"@a\"]\n\
        trust: {official: {images: [\"hub:official\"]}}\nscrutinise: {pushed-at-least: 7d}\n";
    let report = asker.judge(policy, &format!("FROM foo/bar:1.4@{digest}\n")).await;
    assert_eq!(rules(&report), Vec::<String>::new());
    let other = format!("FROM foo/bar:1.4@sha256:{}\n", "c".repeat(64));
    assert_eq!(rules(&asker.judge(policy, &other).await), ["unknown"]);
}

const SIGNED: &str = "\
version: 1
mode: enforce
unknown: fail
reviewers: [\"@a\"]
trust:
  base:
    images: [\"registry.acme.test/**\"]
    require:
      signed-by: {issuer: \"https://keys.acme.example\", identity: \"https://acme.example/release\"}
";

/// A key pair of somebody.
fn key_pair() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key")
}

/// A signature in base64.
fn sign(pair: &EcdsaKeyPair, bytes: &[u8]) -> String {
    STANDARD.encode(pair.sign(&SystemRandom::new(), bytes).expect("it signs").as_ref())
}

/// A key pair, and the operator's entry that says whose.
fn known_key(folder: &Path) -> (EcdsaKeyPair, String) {
    let pair = key_pair();
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("its public half");
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(public.as_ref())
    );
    let file = folder.join("acme.pub");
    std::fs::write(&file, pem).expect("a file");
    let entry = format!(
        "[[key]]\nfile = \"{}\"\nissuer = \"https://keys.acme.example\"\nidentity = \"https://acme.example/release\"\n",
        file.display()
    );
    (pair, entry)
}

/// Signs an image as cosign does with a key: a payload under the tag `.sig`.
fn cosign(registry: &Registry, repository: &str, digest: &Digest, of: &Digest, pair: &EcdsaKeyPair) {
    let payload = serde_json::json!({
        "critical": {
            "identity": {"docker-reference": repository},
            "image": {"docker-manifest-digest": of.as_str()},
            "type": "cosign container image signature",
        },
        "optional": null,
    });
    let payload = serde_json::to_vec(&payload).expect("JSON");
    let annotations = serde_json::json!({"dev.cosignproject.cosign/signature": sign(pair, &payload)});
    let kind = "application/vnd.dev.cosign.simplesigning.v1+json";
    attach(registry, repository, &tag_of(digest, ".sig"), kind, &payload, &annotations);
}

/// The tag under which something about a digest is kept.
fn tag_of(digest: &Digest, suffix: &str) -> String {
    let (algorithm, hex) = digest.as_str().split_once(':').expect("a digest");
    format!("{algorithm}-{}{suffix}", &hex[..64])
}

/// Pushes a manifest with one layer.
fn attach(
    registry: &Registry,
    repository: &str,
    tag: &str,
    kind: &str,
    bytes: &[u8],
    annotations: &serde_json::Value,
) -> Digest {
    let config = registry.blob(repository, "application/vnd.oci.empty.v1+json", b"{}");
    let mut layer = registry.blob(repository, kind, bytes);
    layer["annotations"] = annotations.clone();
    let manifest =
        serde_json::json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]});
    registry.push(repository, Some(tag), MANIFEST, &manifest)
}

#[tokio::test]
async fn a_signature_counts_if_a_known_key_made_it_of_this_image() {
    let registry = Registry::start();
    let folder = tempfile::tempdir().expect("a folder");
    let (pair, key) = known_key(folder.path());
    let stranger = key_pair();
    let images: Vec<Digest> = ["signed", "strange", "moved", "bare"]
        .iter()
        .map(|name| registry.image("app", Some(name), name))
        .collect();
    cosign(&registry, "app", &images[0], &images[0], &pair);
    cosign(&registry, "app", &images[1], &images[1], &stranger);
    cosign(&registry, "app", &images[2], &images[0], &pair);
    let asker = Asker::new(&format!("{}{key}", entry("registry.acme.test", registry.port)));
    let judge =
        async |name: &str| asker.judge(SIGNED, &format!("FROM registry.acme.test/app:{name}\n")).await;

    assert_eq!(rules(&judge("signed").await), Vec::<String>::new());
    for (name, said) in [
        ("strange", "1 that does not hold: it was made by no key that is known"),
        ("moved", "1 that does not hold: it is the signature of another image"),
        ("bare", "(registry.acme.test, 2026-11-26)"),
    ] {
        let report = judge(name).await;
        assert_eq!(rules(&report), ["signed-by"], "{name}");
        let judgement = report.uses[0].judgement.as_ref().expect("it is judged");
        let why = &judgement.findings[0].explanation.text;
        assert!(why.contains(said), "{name}: {why}");
    }
    // By its digest, without a tag.
    let pinned = format!("FROM registry.acme.test/app@{}\n", images[0]);
    assert_eq!(rules(&asker.judge(SIGNED, &pinned).await), Vec::<String>::new());
}

/// Attaches a bundle to a digest where a registry has no referrers API.
fn refer(registry: &Registry, repository: &str, digest: &Digest, bundle: &[u8]) {
    let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let none = serde_json::json!({});
    let manifest =
        attach(registry, repository, &format!("bundle-{}", &tag_of(digest, "")[..30]), kind, bundle, &none);
    let annotations =
        serde_json::json!({"dev.sigstore.bundle.predicateType": "https://slsa.dev/provenance/v1"});
    let index = serde_json::json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [{
        "mediaType": MANIFEST, "digest": manifest.as_str(), "size": 1, "artifactType": kind, "annotations": annotations,
    }]});
    registry.push(repository, Some(&tag_of(digest, "")), INDEX, &index);
}

#[tokio::test]
async fn an_attestation_by_a_key_and_a_bill_of_materials_that_buildkit_made() {
    let registry = Registry::start();
    let folder = tempfile::tempdir().expect("a folder");
    let (pair, key) = known_key(folder.path());
    let image = registry.image("app", None, "amd64");
    let none = serde_json::json!({"in-toto.io/predicate-type": "https://spdx.dev/Document"});
    let sbom = attach(&registry, "app", "attestation", "application/vnd.in-toto+json", b"{}", &none);
    let index = serde_json::json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {"mediaType": MANIFEST, "digest": image.as_str(), "size": 1},
        {"mediaType": MANIFEST, "digest": sbom.as_str(), "size": 1,
         "annotations": {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image.as_str()}},
    ]});
    let index = registry.push("app", Some("1"), INDEX, &index);
    let (_, hex) = index.as_str().split_once(':').expect("a digest");
    let statement = serde_json::json!({
        "_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://slsa.dev/provenance/v0.2",
        "subject": [{"name": "app", "digest": {"sha256": hex}}],
        "predicate": {"builder": {"id": "https://ci.acme.example"}},
    })
    .to_string();
    let signed = format!("DSSEv1 28 application/vnd.in-toto+json {} {statement}", statement.len());
    let envelope = serde_json::json!({
        "payloadType": "application/vnd.in-toto+json", "payload": STANDARD.encode(&statement),
        "signatures": [{"sig": sign(&pair, signed.as_bytes())}],
    });
    let kind = "application/vnd.dsse.envelope.v1+json";
    let annotations = serde_json::json!({"predicateType": "https://slsa.dev/provenance/v0.2"});
    attach(&registry, "app", &tag_of(&index, ".att"), kind, envelope.to_string().as_bytes(), &annotations);

    let asker = Asker::new(&format!("{}{key}", entry("registry.acme.test", registry.port)));
    let policy = format!("{SIGNED}      sbom: true\n");
    let report = asker.judge(&policy, "FROM registry.acme.test/app:1\n").await;
    assert_eq!(rules(&report), Vec::<String>::new());
    // Proven by a key, it did not run on GitHub's machines.
    let policy = format!("{policy}      provenance: {{builder: github-hosted}}\n");
    let report = asker.judge(&policy, "FROM registry.acme.test/app:1\n").await;
    assert_eq!(rules(&report), ["provenance"]);
    let message = &findings(&report)[0].2;
    assert!(message.contains("was built by `https://ci.acme.example`"), "{message}");
    // There is none of an image that nobody attested.
    let bare = format!("FROM registry.acme.test/app@{image}\n");
    let report = asker.judge(&policy, &bare).await;
    assert_eq!(rules(&report), ["signed-by", "provenance", "sbom"]);
}

#[tokio::test]
async fn what_a_label_claims_is_shown_and_proves_nothing() {
    let registry = Registry::start();
    let digest = registry.image("app", Some("1"), "https://github.com/acme/app");
    let index = registry.index("app", "2", &[&digest]);
    let asker = Asker::new(&entry("registry.acme.test", registry.port));
    let policy = "version: 1\nmode: enforce\nunknown: fail\nreviewers: [\"@a\"]\n\
        trust: {official: {images: [\"hub:official\"]}}\nscrutinise: {source-repo: public}\n";
    for digest in [digest, index] {
        let image = format!("registry.acme.test/app@{digest}");
        let report = asker.judge(policy, &format!("FROM {image}\n")).await;
        assert_eq!(rules(&report), ["unknown"]);
        let image = ImageRef::parse(&image).expect("an image");
        let dossier = report.subject.evidence.of(&image);
        let claimed = dossier.claimed_source.known().and_then(|fact| fact.value.as_deref());
        assert_eq!(claimed, Some("https://github.com/acme/app"));
        assert_eq!(dossier.source_repository.known().map(|fact| &fact.value), Some(&None));
    }
}

#[tokio::test]
async fn a_scan_counts_if_a_known_key_signed_it() {
    let registry = Registry::start();
    let folder = tempfile::tempdir().expect("a folder");
    let (pair, key) = known_key(folder.path());
    let stranger = key_pair();
    let image = |name: &str| registry.image("app", Some(name), name);
    let (clean, holed, strange) = (image("clean"), image("holed"), image("strange"));
    let critical = serde_json::json!({"Severity": "CRITICAL", "FixedVersion": "2"});
    for (digest, pair, found) in
        [(&clean, &pair, vec![]), (&holed, &pair, vec![critical]), (&strange, &stranger, vec![])]
    {
        let (_, hex) = digest.as_str().split_once(':').expect("a digest");
        let kind = "https://cosign.sigstore.dev/attestation/vuln/v1";
        let statement = serde_json::json!({
            "_type": "https://in-toto.io/Statement/v0.1", "predicateType": kind,
            "subject": [{"name": "app", "digest": {"sha256": hex}}],
            "predicate": {
                "scanner": {"result": {
                    "CreatedAt": "2026-11-20T00:00:00Z", "Metadata": {"RepoDigests": [format!("app@{digest}")]},
                    "Results": [{"Vulnerabilities": found}],
                }},
                "metadata": {"scanFinishedOn": "2026-11-20T00:00:00Z"},
            },
        })
        .to_string();
        let signed = format!("DSSEv1 28 application/vnd.in-toto+json {} {statement}", statement.len());
        let envelope = serde_json::json!({
            "payloadType": "application/vnd.in-toto+json", "payload": STANDARD.encode(&statement),
            "signatures": [{"sig": sign(pair, signed.as_bytes())}],
        });
        let annotations = serde_json::json!({"predicateType": kind});
        let bytes = envelope.to_string();
        attach(
            &registry,
            "app",
            &tag_of(digest, ".att"),
            "application/vnd.dsse.envelope.v1+json",
            bytes.as_bytes(),
            &annotations,
        );
    }
    let asker = Asker::new(&format!("{}{key}", entry("registry.acme.test", registry.port)));
    let policy = "version: 1\nmode: enforce\nunknown: fail\nreviewers: [\"@a\"]\n\
        trust: {official: {images: [\"hub:official\"]}}\n\
        scrutinise: {vulnerabilities: {critical-fixable: 0, scan-within: 30d}}\n";
    for (digest, expected) in
        [(&clean, Vec::new()), (&holed, vec!["unknown".to_owned()]), (&strange, vec!["unknown".to_owned()])]
    {
        let report = asker.judge(policy, &format!("FROM registry.acme.test/app@{digest}\n")).await;
        assert_eq!(rules(&report), expected, "{digest}");
    }
}

/// The operator's folder: by digest, without a word to the registry; the newest counts.
#[tokio::test]
async fn a_scan_in_the_operators_folder_counts_and_the_registry_is_not_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let digest = format!("sha256:{}", "a".repeat(64));
    let scan = |name: &str, of: &str, criticals: usize, day: &str| {
        let matches = vec![r#"{"vulnerability": {"severity": "Critical"}}"#; criticals].join(", ");
        let text = format!(
            r#"{{"matches": [{matches}], "source": {{"target": {{"manifestDigest": "{of}"}}}},
                "descriptor": {{"timestamp": "{day}T00:00:00Z"}}}}"#
        );
        std::fs::write(folder.path().join(name), text).expect("a file");
    };
    let policy = "\
version: 1
mode: enforce
unknown: fail
scrutinise:
  vulnerabilities: {critical-fixable: 0, scan-within: 30d}
";
    let from = format!("FROM registry.acme.test/app@{digest}\n");
    let file = format!("scans = {:?}\n{}", folder.path(), entry("registry.acme.test", 1));
    let name = digest.replacen(':', "-", 1);
    scan(&format!("{name}.json"), &digest, 0, "2026-11-20");
    let asker = Asker::new(&file);
    assert_eq!(rules(&asker.judge(policy, &from).await), Vec::<String>::new());
    assert_eq!(asker.contacted(), BTreeSet::new());

    scan(&format!("{name}.sarif"), &digest, 1, "2026-11-21");
    assert_eq!(rules(&asker.judge(policy, &from).await), Vec::<String>::new(), "read a moment ago");
    asker.clock.advance(Duration::from_secs(600));
    assert_eq!(rules(&asker.judge(policy, &from).await), ["unknown"]);

    // What is of another image is said, and no registry is asked instead.
    let other = format!("sha256:{}", "b".repeat(64));
    scan(&format!("{}.json", other.replacen(':', "-", 1)), &digest, 0, "2026-11-20");
    let report = asker.judge(policy, &format!("FROM registry.acme.test/app@{other}\n")).await;
    let text = fromguard_core::report::check_json(&report);
    assert!(text.contains("it is of another image"), "{text}");
    assert_eq!(asker.contacted(), BTreeSet::new());
}

#[tokio::test]
async fn a_registry_behind_a_certificate_of_the_operators_authority() {
    let registry = Registry::start();
    let digest = registry.image("app", Some("1"), "1");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("authority.pem");
    let (authority, tls) = test_authority("127.0.0.1");
    std::fs::write(&file, authority).expect("a file");
    let front = Front::start(Some(registry.port), Some(tls), Arc::new(|_| None)).await;
    let secure = entry("registry.acme.test", front.port).replace("plain-http = true\n", "");
    let policy = TRUSTING.replace("\"]}\n", "\"], require: {digest: true}}\n");
    let dockerfile = "FROM registry.acme.test/app:1\n";

    let believing = Asker::new(&format!("{secure}ca = \"{}\"\n", file.display()));
    let report = believing.judge(&policy, dockerfile).await;
    assert!(findings(&report)[0].1.as_ref().is_some_and(|fix| fix.contains(digest.as_str())));
    let asked = front.asked().len();
    let doubting = Asker::new(&secure);
    assert_eq!(findings(&doubting.judge(&policy, dockerfile).await)[0].1, None);
    assert_eq!(front.asked().len(), asked, "without a certificate that is believed, nothing is asked");
}

/// A certificate authority in PEM, and what a server needs that has a certificate of it.
fn test_authority(name: &str) -> (String, tokio_rustls::TlsAcceptor) {
    let mut authority = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().expect("a key");
    let pem = authority.self_signed(&key).expect("a certificate").pem();
    let issuer = rcgen::Issuer::new(authority, key);
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = rcgen::CertificateParams::new(vec![name.to_owned()])
        .and_then(|params| params.signed_by(&key, &issuer))
        .expect("a certificate");
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("they belong together");
    (pem, Arc::new(config).into())
}

/// A scan judges nothing, and says what registries know of what it found when it is told to ask.
#[tokio::test(flavor = "multi_thread")]
async fn scan_asks_with_online_and_not_otherwise() {
    let registry = Registry::start();
    let digest = registry.image("app", Some("1"), "1");
    let front = Front::start(Some(registry.port), None, Arc::new(|_| None)).await;
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &str| std::fs::write(folder.path().join(path), text).expect("a file");
    write("registries.toml", &entry("registry.acme.test", front.port));
    write("Dockerfile", "FROM registry.acme.test/app:1\nFROM elsewhere.test/x:1\n");
    let scan = |options: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_fromguard"))
            .current_dir(folder.path())
            .arg("scan")
            .args(options)
            .env_clear()
            .env("FROMGUARD_REGISTRIES", folder.path().join("registries.toml"))
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    assert!(!scan(&["--format", "json"]).contains("online"));
    assert_eq!(front.connections(), 0);
    let json: serde_json::Value =
        serde_json::from_str(&scan(&["--online", "--format", "json"])).expect("JSON");
    let said =
        |index: usize| json["uses"][index]["online"][0]["text"].as_str().unwrap_or_default().to_owned();
    assert!(said(0).starts_with(&format!("{digest} (registry.acme.test, ")), "{json}");
    assert!(said(1).starts_with("not known: not contacted: "), "{json}");
    let text = scan(&["--online"]);
    assert!(text.contains(&format!("\nregistry.acme.test/app:1\n  Stands for: {digest} (")), "{text}");
}

/// The command line asks when it is told to, and only then.
#[tokio::test(flavor = "multi_thread")]
async fn check_asks_with_online_and_not_otherwise() {
    let registry = Registry::start();
    let digest = registry.image("app", Some("1"), "1");
    let front = Front::start(Some(registry.port), None, Arc::new(|_| None)).await;
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &str| std::fs::write(folder.path().join(path), text).expect("a file");
    std::fs::create_dir_all(folder.path().join("repository/.github")).expect("folders");
    write("registries.toml", &entry("registry.acme.test", front.port));
    write("repository/Dockerfile", "FROM registry.acme.test/app:1\n");
    let policy = TRUSTING.replace("\"]}\n", "\"], require: {digest: true}}\n");
    write("repository/.github/fromguard.yml", &policy);
    let check = |option: Option<&str>, offline: &str| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_fromguard"))
            .current_dir(folder.path().join("repository"))
            .args(["check", "--format", "json"])
            .args(option)
            .env_clear()
            .env("FROMGUARD_REGISTRIES", folder.path().join("registries.toml"))
            .env("FROMGUARD_OFFLINE", offline)
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        json["findings"][0]["fix"].as_str().map(str::to_owned)
    };
    assert_eq!((check(None, "false"), check(Some("--online"), "true")), (None, None));
    assert_eq!(check(Some("--scans=."), "false"), None, "a folder is read, and nobody is asked");
    assert_eq!(front.connections(), 0);
    assert_eq!(check(Some("--online"), "false"), Some(format!("registry.acme.test/app:1@{digest}")));
}
