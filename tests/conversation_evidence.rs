//! Evidence by conversation: a registry that is asked while a pull request is judged,
//! in time or late.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod contract;
mod evidence {
    pub(crate) mod front;
}
mod harness;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fromguard::ids::InstallationId;
use fromguard::ids::RepositoryId;
use fromguard::ids::RepositoryName;
use fromguard::ids::RepositoryPlace;
use fromguard::ids::Sha;
use fromguard::registry::Inquiry;
use fromguard::registry::Operator;
use fromguard::standin::PullPlace;
use fromguard::store::StandingBranch;
use fromguard::store::StandingImage;
use fromguard::store::Store;
use harness::House;
use harness::within;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

use crate::evidence::front::Answering;
use crate::evidence::front::Front;

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const OTHER: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// A policy that wants to know what tags stand for.
const POLICY: &str = "\
version: 1
mode: enforce
unknown: fail
when-unsure: fail
trust:
  base: {images: [\"registry.acme.test/base/**:1.*\"]}
";

/// Shorter than a lease: the clock is put forward by all of it at once, and a judgement whose
/// lease ends meanwhile begins anew.
const BUDGET: Duration = Duration::from_secs(10);

fn answer(status: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nDocker-Content-Digest: {DIGEST}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
}

fn inquiry(house: &House, port: u16) -> Inquiry {
    let file = format!(
        "[registry.\"registry.acme.test\"]\napi = \"127.0.0.1:{port}\"\naddresses = [\"127.0.0.1\"]\nplain-http = true\n"
    );
    let operator = Operator::read(&file, &|path| std::fs::read(path)).expect("the operator's file is right");
    Inquiry::new(operator, house.clock.clone(), BUDGET).expect("it can be used")
}

fn opened(house: &House, digest: &str) -> PullPlace {
    let mut repo = house.repository("shop", &[(".github/fromguard.yml", POLICY)]);
    repo.branch("feature", &[("Dockerfile", &format!("FROM registry.acme.test/base/node:1.0@{digest}\n"))]);
    house.standin.open_pull_request(&repo.name, "main", "feature").unwrap()
}

#[tokio::test]
async fn what_a_registry_says_in_time_decides() {
    for (digest, conclusion) in [(DIGEST, "success"), (OTHER, "failure")] {
        let mut house = House::new().await;
        let answering: Answering = Arc::new(|_| Some(answer("200 OK")));
        let registry = Front::start(None, None, answering).await;
        house.ask(inquiry(&house, registry.port)).await;
        let pull = opened(&house, digest);
        house.deliver().await;
        assert_eq!(house.conclusion(&pull), conclusion, "{}", house.run(&pull).summary);
        assert_eq!(registry.count("HEAD", "/v2/base/node/manifests/1.0"), 1);
    }
}

#[tokio::test]
async fn a_registry_that_is_late_is_judged_without_and_then_once_more() {
    let mut house = House::new().await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    house.ask(inquiry(&house, listener.local_addr().unwrap().port())).await;
    let pull = opened(&house, DIGEST);

    let clock = house.clock.clone();
    let held = async {
        let (stream, _) = listener.accept().await.unwrap();
        clock.advance(BUDGET);
        stream
    };
    let (stream, ()) = tokio::join!(held, house.deliver());
    assert_eq!(house.conclusion(&pull), "failure");
    let first = house.run(&pull);
    assert!(first.summary.contains("did not answer one question within 10 seconds"), "{}", first.summary);

    let mut changes = house.store.changes();
    changes.borrow_and_update();
    let done = Arc::new(AtomicBool::new(false));
    let (over, listener) = (Arc::clone(&done), listener);
    tokio::spawn(async move {
        reply(stream).await;
        while let Ok((stream, _)) = listener.accept().await {
            over.store(true, Ordering::SeqCst);
            reply(stream).await;
        }
    });
    within("what came late is wanted", changes.changed()).await.unwrap();
    house.settle().await;
    let second = house.run(&pull);
    assert_ne!(first.id, second.id);
    assert_eq!(second.conclusion.as_deref(), Some("success"), "{}", second.summary);
    assert!(done.load(Ordering::SeqCst), "the digest was asked for after the root");
    let head = house.standin.head(&pull).unwrap();
    assert_eq!(house.standin.check_runs("acme/shop", &head.0).unwrap().len(), 2);
}

async fn reply(mut stream: TcpStream) {
    let mut buffer = [0; 4096];
    let _ = stream.read(&mut buffer).await;
    let _ = stream.write_all(answer("200 OK").as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// What Trivy writes of an image.
fn trivy(digest: &str, day: &str, criticals: usize) -> String {
    let found = r#"{"Severity": "CRITICAL", "FixedVersion": "2"}"#;
    let found = vec![found; criticals].join(", ");
    format!(
        r#"{{"CreatedAt": "{day}T08:00:00Z", "Metadata": {{"RepoDigests": ["ghcr.io/foo/app@{digest}"]}},
            "Results": [{{"Vulnerabilities": [{found}]}}]}}"#
    )
}

/// Scan results decide by digest, as they stand on the default branch of the organisation's
/// repository, and never as a pull request brings them along.
#[tokio::test]
async fn a_scan_that_the_organisation_supplies_counts_and_none_of_the_heads() {
    let mut house = House::new().await;
    let operator = Operator::default();
    let inquiry = Inquiry::new(operator, house.clock.clone(), BUDGET).expect("it can be used");
    house.ask(inquiry.offline()).await;
    let name = |digest: &str| format!("fromguard/scans/{}.json", digest.replacen(':', "-", 1));
    let policy = "\
version: 1
mode: enforce
unknown: fail
scrutinise:
  vulnerabilities: {critical-fixable: 0, scan-within: 30d}
";
    let files = [("fromguard.yml", policy), (&*name(DIGEST), &*trivy(DIGEST, "2026-05-20", 0))];
    let mut organisation = house.repository(".github", &files);
    let mut repo = house.repository("shop", &[("README.md", "shop\n")]);
    let from = |digest: &str| format!("FROM ghcr.io/foo/app@{digest}\n");
    repo.branch("scanned", &[("Dockerfile", &from(DIGEST))]);
    let scanned = house.standin.open_pull_request(&repo.name, "main", "scanned").unwrap();
    let own = [("Dockerfile", &*from(OTHER)), (&*name(OTHER), &*trivy(OTHER, "2026-05-20", 0))];
    repo.branch("own", &own);
    let own = house.standin.open_pull_request(&repo.name, "main", "own").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&scanned), "success", "{}", house.run(&scanned).summary);
    assert_eq!(house.conclusion(&own), "failure");

    // Nothing is read again while the organisation's repository stands where it stood.
    let blob = "/repos/{owner}/{repo}/git/blobs/{file_sha}";
    house.standin.reset_traffic();
    repo.commit("scanned", &[("README.md", "more\n")]);
    house.standin.push(&scanned, "scanned").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&scanned), "success");
    let traffic = house.standin.traffic();
    assert_eq!((traffic.count("GET", blob), traffic.total()), (0, 4), "{}", traffic.describe());

    organisation.commit("main", &[(&name(DIGEST), &trivy(DIGEST, "2026-05-28", 1))]);
    repo.commit("scanned", &[("README.md", "and more\n")]);
    house.standin.push(&scanned, "scanned").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&scanned), "failure");
    let text = house.run(&scanned).summary;
    let found = "1 critical vulnerabilities with a fix, scanned on 2026-05-28";
    assert!(text.contains(found) && text.contains("Trivy, supplied in acme/.github"), "{text}");
}

/// What was learnt outlives the process, and is given out as old as it is.
#[tokio::test]
async fn a_restart_asks_nothing_again_that_is_still_known() {
    let mut house = House::new().await;
    let index = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    let sum = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, index.as_bytes());
    let sum: String = sum.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let moved = Arc::new(AtomicBool::new(false));
    let now = Arc::clone(&moved);
    let answering: Answering = Arc::new(move |asked| match now.load(Ordering::SeqCst) {
        false => Some(answer("200 OK")),
        true => Some(format!(
            "HTTP/1.1 200 OK\r\nDocker-Content-Digest: sha256:{sum}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
            index.len(),
            if asked.method == "HEAD" { "" } else { index },
        )),
    });
    let registry = Front::start(None, None, answering).await;
    house.ask(inquiry(&house, registry.port)).await;
    let pull = opened(&house, DIGEST);
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "success");
    let asked = registry.count("HEAD", "/v2/base/node/manifests/1.0");

    let after = inquiry(&house, registry.port);
    house.ask(after.clone()).await;
    house.standin.rerequest_all(&pull).unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "success");
    assert_eq!(registry.count("HEAD", "/v2/base/node/manifests/1.0"), asked);
    assert_eq!(after.contacts().len(), 0, "{:?}", after.contacts());

    // Another restart, after the tag was moved: what it stood for before is still known.
    moved.store(true, Ordering::SeqCst);
    house.clock.advance(Duration::from_secs(30 * 86_400));
    house.ask(inquiry(&house, registry.port)).await;
    house.standin.rerequest_all(&pull).unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "success", "{}", house.run(&pull).summary);
    assert!(house.run(&pull).summary.contains("stale-pin"), "{}", house.run(&pull).summary);
}

/// `first-use` ends when that repository and digest stands on a default branch, of any of the
/// organisation's repositories, and not before.
#[tokio::test]
async fn a_first_use_needs_a_person_until_it_stands_on_a_default_branch() {
    let mut house = House::new().await;
    let inquiry = Inquiry::new(Operator::default(), house.clock.clone(), BUDGET).expect("it can be used");
    house.ask(inquiry.offline()).await;
    let policy = "\
version: 1
mode: enforce
unknown: fail
reviewers: [\"@ann\"]
mirrors:
  registry.acme.test/hub/**: ghcr.io/**
scrutinise:
  first-use: review
  name-lookalike: false
";
    house.repository(".github", &[("fromguard.yml", policy)]);
    let from = |name: &str| format!("FROM {name}@{DIGEST}\n");
    let used = from("ghcr.io/foo/app");
    let mut shop = house.repository("shop", &[("README.md", "shop\n")]);
    shop.branch("feature", &[("Dockerfile", &used)]);
    house.standin.open_pull_request(&shop.name, "main", "feature").unwrap();
    let mut till = house.repository("till", &[("README.md", "till\n")]);
    till.branch("feature", &[("Dockerfile", &used)]);
    let pull = house.standin.open_pull_request(&till.name, "main", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "action_required");
    assert!(
        house.run(&pull).summary.contains("no default branch was read yet"),
        "{}",
        house.run(&pull).summary
    );

    // The branches are read, and what two pull requests bring is on none of them.
    house.sweep().await;
    let again = async || {
        house.clock.advance(Duration::from_secs(10));
        house.sweep_once().await;
        house.standin.rerequest_all(&pull).unwrap();
        house.deliver().await;
        (house.conclusion(&pull), house.run(&pull).summary)
    };
    let (conclusion, summary) = again().await;
    assert_eq!(conclusion, "action_required");
    assert!(summary.contains("is used for the first time in this organisation"), "{summary}");

    let push = async |shop: &mut harness::Repo, text: &str| {
        let before = house.standin.branch(&shop.name, "main").unwrap();
        let after = shop.commit("main", &[("Dockerfile", text)]);
        house.standin.announce_push(&shop.name, "main", &before.0, &after.0).unwrap();
        house.deliver().await;
    };
    push(&mut shop, &used).await;
    assert_eq!(again().await.0, "success");
    push(&mut shop, &from("ghcr.io/foo/other")).await;
    assert_eq!(again().await.0, "action_required", "another repository has that digest now");
    push(&mut shop, &from("registry.acme.test/hub/foo/app")).await;
    assert_eq!(again().await.0, "success", "a mirror's is the same");

    // A push costs where the branch stands, its tree and what is new in it.
    house.standin.reset_traffic();
    push(&mut shop, &from("ghcr.io/foo/app")).await;
    house.clock.advance(Duration::from_secs(10));
    house.sweep_once().await;
    assert_eq!(house.standin.traffic().total(), 3, "{}", house.standin.traffic().describe());
}

/// What stands on a default branch is looked at again without anybody asking, and what became
/// of it is shown to the operator.
#[tokio::test]
async fn an_image_in_use_whose_tag_moves_has_drifted() {
    let mut house = House::new().await;
    let moved = Arc::new(AtomicBool::new(false));
    let now = Arc::clone(&moved);
    let answering: Answering = Arc::new(move |_| {
        let digest = if now.load(Ordering::SeqCst) { OTHER } else { DIGEST };
        Some(answer("200 OK").replace(DIGEST, digest))
    });
    let registry = Front::start(None, None, answering).await;
    house.ask(inquiry(&house, registry.port)).await;
    house.repository("shop", &[("Dockerfile", "FROM registry.acme.test/base/node:1.0\n")]);
    house.repository(
        "till",
        &[("Dockerfile", "FROM registry.acme.test/base/node:1.0\nFROM elsewhere.test/x:1\n")],
    );
    house.sweep().await;
    let look = async |hours: u64| {
        house.clock.advance(Duration::from_secs(3_600 * hours));
        house.sweep_once().await;
        let all = house.store.looks_due(i64::MAX, 10).await.unwrap();
        all.into_iter().map(|look| (look.image, look.drift)).collect::<Vec<_>>()
    };
    let node = "registry.acme.test/base/node:1.0";
    let (none, elsewhere) = ("[]".to_owned(), "elsewhere.test/x:1".to_owned());
    assert_eq!(look(1).await, [(elsewhere.clone(), none.clone()), (node.to_owned(), none.clone())]);
    assert_eq!(registry.count("HEAD", "/v2/base/node/manifests/1.0"), 1, "once for both repositories");

    moved.store(true, Ordering::SeqCst);
    assert_eq!(look(2).await[1].1, none, "once a day is often enough");
    let drifted = look(24).await;
    assert_eq!((&drifted[0].1, registry.count("HEAD", "/v2/base/node/manifests/1.0")), (&none, 2));
    let drift: serde_json::Value = serde_json::from_str(&drifted[1].1).unwrap();
    assert_eq!(
        (&drift[0]["kind"], &drift[0]["since"]),
        (&"tag-moved".into(), &"2026-06-02".into()),
        "{drift}"
    );
}

/// The inventory is shown from the database that a server has open.
#[tokio::test(flavor = "multi_thread")]
async fn the_inventory_is_shown_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("fromguard.db").display());
    let show = |options: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_fromguard"))
            .arg("inventory")
            .args(options)
            .env_clear()
            .env("FROMGUARD_DATABASE_URL", &url)
            .output()
            .unwrap();
        let (out, error) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        (output.status.code(), out, error)
    };
    assert_eq!(show(&[]).0, Some(2), "there is no database");
    let store = Store::open(&url).await.unwrap();
    let name = RepositoryName { owner: "acme".into(), name: "shop".into() };
    let place = RepositoryPlace { installation: InstallationId(1), id: RepositoryId(7), name };
    store.want_stock(&[(place, 0)]).await.unwrap();
    let taking = store.claim_stock(0, 1_000).await.unwrap().unwrap();
    let image = |image: &str, file: &str| {
        let (image, file) = (image.to_owned(), file.to_owned());
        StandingImage { image, digest: None, file, line: 3, uses: 2 }
    };
    let images =
        vec![image("docker.io/library/node:24", "Dockerfile"), image("ghcr.io/foo/app:1", "a\u{1b}b")];
    let branch =
        StandingBranch { branch: "refs/heads/main".into(), head: Sha("a".repeat(40)), images: Some(images) };
    store.finish_stock(&taking, &branch, harness::START_MS).await.unwrap();
    let mut look = store.looks_due(i64::MAX, 1).await.unwrap().remove(0);
    look.looked_ms = harness::START_MS;
    look.drift =
        r#"[{"kind":"tag-moved","since":"2026-05-30","text":"its tag `24` moved to sha256:b"}]"#.into();
    store.keep_look(&look).await.unwrap();

    let node = "\
docker.io/library/node:24 (looked at on 2026-06-01)
  ! since 2026-05-30: its tag `24` moved to sha256:b
  acme/shop Dockerfile:3 and 1 more
";
    let all = format!(
        "{node}ghcr.io/foo/app:1 (not looked at yet)\n  acme/shop a\u{fffd}b:3 and 1 more\n2 images, 1 drifted\n"
    );
    assert_eq!(show(&[]), (Some(0), all, String::new()));
    assert_eq!(show(&["--drifted"]).1, format!("{node}1 image, 1 drifted\n"));
    let json: serde_json::Value = serde_json::from_str(&show(&["--format", "json"]).1).unwrap();
    assert_eq!(json["images"][0]["drift"][0]["kind"], "tag-moved");
    assert_eq!(json["images"][1]["stands"][0]["repository"], "acme/shop");
}
