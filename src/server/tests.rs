#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::net::SocketAddr;

use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use secrecy::SecretString;
use serde_json::Value;
use serde_json::json;
use sha2::Sha256;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::store::Heartbeat;
use crate::store::Job;

const SECRET: &str = "a webhook secret of the tests";
const NOW_MS: i64 = 1_000_000;

struct Running {
    address: SocketAddr,
    store: Store,
    clock: Clock,
    stop: oneshot::Sender<()>,
    served: JoinHandle<io::Result<()>>,
}

async fn start() -> Running {
    start_with(Some(&[SECRET])).await
}

async fn start_with(secrets: Option<&[&str]>) -> Running {
    let secrets = secrets.map(|secrets| {
        let secrets: Vec<_> = secrets.iter().map(|secret| SecretString::from(*secret)).collect();
        WebhookSecrets::new(&secrets).unwrap()
    });
    let store = Store::for_tests().await;
    let clock = Clock::manual(NOW_MS);
    let pieces = Pieces { store: store.clone(), clock: clock.clone(), secrets };
    let server = Server::bind("127.0.0.1:0".parse().unwrap(), pieces).await.unwrap();
    let address = server.address().unwrap();
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(server.run(async {
        let _ = stopped.await;
    }));
    Running { address, store, clock, stop, served }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Running {
    /// Sends bytes on a connection of their own, and reads until the server closes it.
    async fn send_raw(&self, bytes: &[u8]) -> Answer {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut from, mut to) = stream.into_split();
        // The server may answer and hang up before it has everything.
        let send = async {
            let _ = to.write_all(bytes).await;
        };
        let receive = async {
            let mut answer = Vec::new();
            let mut part = [0; 4096];
            loop {
                match from.read(&mut part).await {
                    Ok(0) | Err(_) => break answer,
                    Ok(size) => answer.extend_from_slice(&part[..size]),
                }
            }
        };
        let ((), answer) = tokio::join!(send, receive);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send_raw(format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes()).await
    }

    async fn post(&self, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let length = body.len().to_string();
        let mut all = headers.to_vec();
        all.push(("Content-Length", &length));
        self.send_raw(&request(&all, body)).await
    }

    /// Delivers as GitHub does.
    async fn deliver(&self, guid: &str, event: &str, body: &[u8]) -> Answer {
        let signature = sign(SECRET, body);
        self.post(
            &[
                ("X-GitHub-Delivery", guid),
                ("X-GitHub-Event", event),
                ("X-Hub-Signature-256", &signature),
                ("Content-Type", "application/json"),
            ],
            body,
        )
        .await
    }

    async fn claim(&self) -> Option<Job> {
        self.store.claim(i64::MAX / 2, 1).await.unwrap()
    }
}

fn request(headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = "POST /webhook HTTP/1.1\r\nHost: a\r\nConnection: close\r\n".to_owned();
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

fn sign(secret: &str, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(body).finalize();
    mac.into_bytes().iter().fold("sha256=".to_owned(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn example(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/data/webhooks/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn opened() -> Vec<u8> {
    example("pull_request.opened")
}

#[tokio::test]
async fn a_signed_event_is_accepted_and_stored() {
    let server = start().await;
    let answer = server.deliver("g1", "pull_request", &opened()).await;
    assert_eq!((answer.status, answer.body.as_str()), (202, "accepted\n"));
    let job = server.claim().await.expect("it is queued");
    assert_eq!(job.place.name.to_string(), "Codertocat/Hello-World");
    assert_eq!((job.place.id.0, job.pulls[0].0), (186_853_002, 2));
    assert_eq!(job.head.0, "ec26c3e57ca3a959ca5aad62de7213c562f8c821");
    assert_eq!(job.wanted_since_ms, NOW_MS);
    assert!(job.announce);
}

#[tokio::test]
async fn every_handled_action_queues_and_the_others_do_not() {
    for (name, queued, announced) in [
        ("reopened", true, true),
        ("synchronize", true, false),
        ("ready_for_review", true, false),
        ("closed", true, false),
        ("labeled", false, false),
    ] {
        let server = start().await;
        let answer = server.deliver("g1", "pull_request", &example(&format!("pull_request.{name}"))).await;
        assert_eq!(answer.status, 202, "{name}");
        let job = server.claim().await;
        assert_eq!(job.is_some(), queued, "{name}");
        assert_eq!(job.is_some_and(|job| job.announce), announced, "{name}");
    }
}

#[tokio::test]
async fn events_of_no_concern_are_accepted_and_not_stored() {
    let server = start().await;
    assert_eq!(server.deliver("g1", "ping", &example("ping")).await.status, 200);
    assert_eq!(server.deliver("g2", "star", b"no JSON at all").await.status, 202);
    assert_eq!(server.claim().await, None);
    // They did not use up their GUIDs either.
    assert_eq!(server.deliver("g2", "pull_request", &opened()).await.body, "accepted\n");
}

#[tokio::test]
async fn without_a_good_signature_nothing_is_stored() {
    let server = start().await;
    let body = opened();
    let right = sign(SECRET, &body);
    let of_another = sign("a webhook secret of somebody else", &body);
    let empty_key = sign("", &body);
    let mut answers = Vec::new();
    for signature in [
        &[][..],
        &[("X-Hub-Signature", "sha1=0123456789012345678901234567890123456789")],
        &[("X-Hub-Signature-256", "sha1=0123456789012345678901234567890123456789")],
        &[("X-Hub-Signature-256", "")],
        &[("X-Hub-Signature-256", "sha256=")],
        &[("X-Hub-Signature-256", &right[..70])],
        &[("X-Hub-Signature-256", &right["sha256=".len()..])],
        &[("X-Hub-Signature-256", of_another.as_str())],
        &[("X-Hub-Signature-256", empty_key.as_str())],
        &[("X-Hub-Signature-256", right.as_str()), ("X-Hub-Signature-256", right.as_str())],
    ] {
        let mut headers = vec![("X-GitHub-Delivery", "g1"), ("X-GitHub-Event", "pull_request")];
        headers.extend_from_slice(signature);
        let answer = server.post(&headers, &body).await;
        assert_eq!(answer.status, 401, "{signature:?}");
        answers.push(answer.body);
    }
    let changed = [&body[..], b" "].concat();
    let headers = [
        ("X-GitHub-Delivery", "g1"),
        ("X-GitHub-Event", "pull_request"),
        ("X-Hub-Signature-256", right.as_str()),
    ];
    assert_eq!(server.post(&headers, &changed).await.status, 401);
    answers.dedup();
    assert_eq!(answers.len(), 1, "the body of the answer tells nothing: {answers:?}");
    assert_eq!(server.claim().await, None);
}

#[tokio::test]
async fn both_secrets_count_while_they_are_rotated() {
    let server = start_with(Some(&["the next webhook secret", SECRET])).await;
    assert_eq!(server.deliver("g1", "pull_request", &opened()).await.status, 202);
    let body = opened();
    let signature = sign("the next webhook secret", &body);
    let headers = [
        ("X-GitHub-Delivery", "g2"),
        ("X-GitHub-Event", "pull_request"),
        ("X-Hub-Signature-256", signature.as_str()),
    ];
    assert_eq!(server.post(&headers, &body).await.status, 202);
}

#[tokio::test]
async fn a_body_that_is_not_the_event_is_refused() {
    let server = start().await;
    let mut no_app: Value = serde_json::from_slice(&opened()).unwrap();
    no_app.as_object_mut().unwrap().remove("installation");
    let mut other_types: Value = serde_json::from_slice(&opened()).unwrap();
    other_types["pull_request"]["number"] = json!("two");
    let whole = opened();
    for body in [
        b"{\"action\":".as_slice(),
        b"",
        b"[]",
        &whole[..whole.len() / 2],
        no_app.to_string().as_bytes(),
        other_types.to_string().as_bytes(),
    ] {
        let answer = server.deliver("g1", "pull_request", body).await;
        assert_eq!(answer.status, 400, "{}", String::from_utf8_lossy(&body[..body.len().min(40)]));
    }
    assert_eq!(server.claim().await, None);
}

#[tokio::test]
async fn the_delivery_headers_are_needed() {
    let server = start().await;
    let body = opened();
    let signature = sign(SECRET, &body);
    let long = "g".repeat(129);
    for headers in [
        &[("X-GitHub-Event", "pull_request")][..],
        &[("X-GitHub-Delivery", "g1")],
        &[("X-GitHub-Delivery", ""), ("X-GitHub-Event", "pull_request")],
        &[("X-GitHub-Delivery", long.as_str()), ("X-GitHub-Event", "pull_request")],
    ] {
        let mut headers = headers.to_vec();
        headers.push(("X-Hub-Signature-256", &signature));
        assert_eq!(server.post(&headers, &body).await.status, 400, "{headers:?}");
    }
    assert_eq!(server.claim().await, None);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whether_it_says_so_or_not() {
    let server = start().await;
    let signature = sign(SECRET, b"");
    let says = request(&[("X-Hub-Signature-256", &signature), ("Content-Length", "26214401")], b"{}");
    assert_eq!(server.send_raw(&says).await.status, 413);

    let chunk = vec![b' '; 1024 * 1024];
    let mut chunks = Vec::new();
    for _ in 0..26 {
        chunks.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        chunks.extend_from_slice(&chunk);
        chunks.extend_from_slice(b"\r\n");
    }
    chunks.extend_from_slice(b"0\r\n\r\n");
    let hides = request(&[("X-Hub-Signature-256", &signature), ("Transfer-Encoding", "chunked")], &chunks);
    assert_eq!(server.send_raw(&hides).await.status, 413);
}

#[tokio::test]
async fn a_large_body_in_chunks_is_taken_and_one_that_breaks_off_is_not() {
    let server = start().await;
    let mut padded = opened();
    padded.resize(3 * 1024 * 1024, b' ');
    assert_eq!(server.deliver("g1", "pull_request", &padded).await.status, 202);

    let body = opened();
    let signature = sign(SECRET, &body);
    let headers = [
        ("X-Hub-Signature-256", signature.as_str()),
        ("X-GitHub-Event", "pull_request"),
        ("X-GitHub-Delivery", "g2"),
        ("Transfer-Encoding", "chunked"),
    ];
    let chunk = [format!("{:x}\r\n", body.len()).as_bytes(), &body, b"\r\n"].concat();
    let whole = request(&headers, &[&chunk[..], b"0\r\n\r\n"].concat());
    assert_eq!(server.send_raw(&whole).await.body, "accepted\n");

    let no_size = request(&headers, &[&chunk[..], b"nonsense\r\n"].concat());
    assert_eq!(server.send_raw(&no_size).await.status, 400);
}

#[tokio::test]
async fn a_client_that_hangs_up_halfway_leaves_nothing() {
    let server = start().await;
    let body = opened();
    let length = body.len().to_string();
    let signature = sign(SECRET, &body);
    let whole = request(
        &[
            ("X-Hub-Signature-256", signature.as_str()),
            ("X-GitHub-Event", "pull_request"),
            ("X-GitHub-Delivery", "g1"),
            ("Content-Length", &length),
        ],
        &body,
    );
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(&whole[..whole.len() - 1]).await.unwrap();
    drop(stream);
    assert_eq!(server.get("/healthz").await.status, 200);
    assert_eq!(server.claim().await, None);
    assert_eq!(server.deliver("g1", "pull_request", &body).await.body, "accepted\n");
}

#[tokio::test]
async fn a_guid_is_taken_once_one_after_another_and_at_the_same_time() {
    let server = start().await;
    let body = opened();
    let answers = tokio::join!(
        server.deliver("g1", "pull_request", &body),
        server.deliver("g1", "pull_request", &body),
        server.deliver("g1", "pull_request", &body),
    );
    let mut bodies = [answers.0, answers.1, answers.2].map(|answer| {
        assert_eq!(answer.status, 202);
        answer.body
    });
    bodies.sort();
    assert_eq!(bodies, ["accepted\n", "accepted before\n", "accepted before\n"]);
    assert_eq!(server.deliver("g1", "pull_request", &body).await.body, "accepted before\n");
    assert_eq!(server.claim().await.expect("it is queued").generation, 1);
}

#[tokio::test]
async fn while_the_store_is_down_deliveries_are_to_come_again() {
    let server = start().await;
    server.store.break_for_tests().await;
    let answer = server.deliver("g1", "pull_request", &opened()).await;
    assert_eq!(answer.status, 503);
    assert!(answer.head.contains("retry-after: 10"), "{}", answer.head);
    assert_eq!(server.get("/readyz").await.status, 503);
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn readiness_is_the_store_and_the_worker() {
    let server = start().await;
    assert_eq!(server.get("/healthz").await.status, 200);
    assert_eq!(server.get("/readyz").await.status, 503);
    server.store.heartbeat().beat(NOW_MS);
    assert_eq!(server.get("/readyz").await.status, 200);
    server.clock.advance(Duration::from_millis(Heartbeat::GONE_AFTER_MS.unsigned_abs() + 1));
    assert_eq!(server.get("/readyz").await.status, 503);
}

#[tokio::test]
async fn a_server_that_is_not_set_up_says_so() {
    let server = start_with(None).await;
    let answer = server.deliver("g1", "pull_request", &opened()).await;
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("not set up"), "{}", answer.body);
    assert_eq!(server.get("/readyz").await.status, 200);
    let setup = server.get("/setup").await;
    assert_eq!(setup.status, 200);
    assert!(setup.body.contains("FROMGUARD_APP_ID"), "{}", setup.body);
    assert_eq!(start().await.get("/setup").await.status, 404);
}

#[tokio::test]
async fn metrics_count_and_name_nobody() {
    let server = start().await;
    server.deliver("g1", "pull_request", &opened()).await;
    server.clock.advance(Duration::from_millis(2_500));
    let answer = server.get("/metrics").await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("fromguard_deliveries_total{outcome=\"accepted\"}"), "{}", answer.body);
    for gauge in
        ["fromguard_queue_waiting ", "fromguard_queue_leased ", "fromguard_queue_oldest_wait_seconds "]
    {
        assert!(answer.body.contains(gauge), "{gauge}: {}", answer.body);
    }
    assert!(!answer.body.contains("Hello-World"), "{}", answer.body);
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let server = start().await;
    assert_eq!(server.get("/").await.status, 404);
    assert_eq!(server.get("/webhook").await.status, 405);
}

#[tokio::test]
async fn stopping_finishes_what_is_under_way() {
    let server = start().await;
    let body = opened();
    let length = body.len().to_string();
    let signature = sign(SECRET, &body);
    let whole = request(
        &[
            ("X-Hub-Signature-256", signature.as_str()),
            ("X-GitHub-Event", "pull_request"),
            ("X-GitHub-Delivery", "g1"),
            ("Content-Length", &length),
            ("Expect", "100-continue"),
        ],
        b"",
    );
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(&whole).await.unwrap();
    // The server asks for the body, so that the delivery is under way.
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");

    server.stop.send(()).unwrap();
    stream.write_all(&body).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    server.served.await.unwrap().unwrap();
    assert!(server.store.claim(i64::MAX / 2, 1).await.unwrap().is_some());
    assert!(TcpStream::connect(server.address).await.is_err());
}
