//! Measures the receiver and the queue: `serve` is the real server with its store and without a
//! worker, `load` delivers to it or to a peer, `judge` takes from the store what was delivered and
//! asks of it what a judgement asks. `run.sh` and `databases.sh` beside it put them together.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use fromguard::clock::Clock;
use fromguard::github::signature::WebhookSecrets;
use fromguard::ids::CheckRunId;
use fromguard::server::Pieces;
use fromguard::server::Server;
use fromguard::store::PostedRun;
use fromguard::store::Store;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use secrecy::SecretString;
use sha2::Sha256;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// How many pull requests the deliveries are of.
const PULLS: usize = 1_000;

/// No judgement here takes as long, in milliseconds.
const LEASE_MS: i64 = 60_000;

/// The kernel's unit of CPU time in `/proc/PID/stat`, in microseconds: 100 ticks a second on Linux.
const TICK_US: f64 = 10_000.0;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve", address, database, secret] => serve(address.parse().unwrap(), database, secret),
        ["load", address, pid, secret, payload, deliveries, connections] => load(
            address.parse().unwrap(),
            pid.parse().unwrap(),
            secret,
            &std::fs::read_to_string(payload).unwrap(),
            deliveries.parse().unwrap(),
            connections.parse().unwrap(),
        ),
        ["judge", database, hands] => judge(database, hands.parse().unwrap()),
        _ => panic!(
            "serve ADDRESS DATABASE_URL SECRET | load ADDRESS PID SECRET PAYLOAD DELIVERIES CONNECTIONS | \
             judge DATABASE_URL HANDS"
        ),
    }
}

fn serve(address: SocketAddr, database: &str, secret: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(database).await.unwrap();
        let secrets = WebhookSecrets::new(&[SecretString::from(secret)]).unwrap();
        let pieces = Pieces { store, clock: Clock::system(), secrets: Some(secrets) };
        let server = Server::bind(address, pieces).await.unwrap();
        println!("listening at {}", server.address().unwrap());
        server.run(std::future::pending()).await.unwrap();
    });
}

fn load(address: SocketAddr, pid: u32, secret: &str, payload: &str, deliveries: u64, connections: usize) {
    let bodies: Arc<Vec<(String, String)>> = Arc::new(bodies(payload, secret));
    let size_bytes = bodies[0].0.len();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let run: String = format!("{:012x}", std::process::id());
    runtime.block_on(async {
        // Connections, code and caches warm up first, and are not counted.
        deliver(address, &bodies, &format!("{run}w"), deliveries / 10, connections).await;
        let (cpu_us, rss_kb) = (cpu_us(pid), memory_kb(pid, "VmRSS"));
        let started = Instant::now();
        deliver(address, &bodies, &run, deliveries, connections).await;
        let took = started.elapsed();
        let count = deliveries as f64;
        println!(
            "{{\"per_second\":{:.0},\"cpu_us\":{:.1},\"rss_kb_before\":{rss_kb},\"rss_kb_after\":{},\"peak_kb\":{},\
             \"deliveries\":{deliveries},\"body_bytes\":{size_bytes}}}",
            count / took.as_secs_f64(),
            (self::cpu_us(pid) - cpu_us) / count,
            memory_kb(pid, "VmRSS"),
            memory_kb(pid, "VmHWM"),
        );
    });
}

/// Takes every judgement that is due, and asks of the store what one asks that posts a run and is done.
fn judge(database: &str, hands: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(database).await.unwrap();
        let clock = Clock::system();
        let started = Instant::now();
        let working: Vec<_> = (0..hands)
            .map(|_| {
                let (store, clock) = (store.clone(), clock.clone());
                tokio::spawn(async move {
                    let mut judged = 0_u64;
                    while store.queue_status(clock.now_ms()).await.unwrap().waiting > 0 {
                        while let Some(job) = store.claim(clock.now_ms(), LEASE_MS).await.unwrap() {
                            let run =
                                PostedRun { id: CheckRunId(judged + 1), conclusion: Some("success".into()) };
                            assert!(store.renew(&job, clock.now_ms() + LEASE_MS).await.unwrap());
                            store.posted(&job, &run).await.unwrap();
                            assert!(store.renew(&job, clock.now_ms() + LEASE_MS).await.unwrap());
                            assert!(store.finish(&job).await.unwrap());
                            judged += 1;
                        }
                    }
                    judged
                })
            })
            .collect();
        let mut judged = 0;
        for hand in working {
            judged += hand.await.unwrap();
        }
        let took_s = started.elapsed().as_secs_f64();
        println!("{{\"judged\":{judged},\"per_second\":{:.0}}}", judged as f64 / took_s);
    });
}

/// Bodies of different pull requests with different heads, each with its signature.
fn bodies(payload: &str, secret: &str) -> Vec<(String, String)> {
    let keyed = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    let mut event: serde_json::Value = serde_json::from_str(payload).unwrap();
    (1..=PULLS)
        .map(|number| {
            event["number"] = number.into();
            event["pull_request"]["number"] = number.into();
            event["pull_request"]["head"]["sha"] = format!("{number:040x}").into();
            let body = event.to_string();
            let mac = keyed.clone().chain_update(&body).finalize().into_bytes();
            let signature = mac.iter().fold(String::new(), |mut text, byte| {
                write!(text, "{byte:02x}").unwrap();
                text
            });
            (body, signature)
        })
        .collect()
}

async fn deliver(
    address: SocketAddr,
    bodies: &Arc<Vec<(String, String)>>,
    run: &str,
    deliveries: u64,
    connections: usize,
) {
    let next = Arc::new(AtomicU64::new(0));
    let all: Vec<_> = (0..connections)
        .map(|_| {
            let (next, bodies, run) = (Arc::clone(&next), Arc::clone(bodies), run.to_owned());
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let mut request = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= deliveries {
                        break;
                    }
                    let (body, signature) = &bodies[number as usize % bodies.len()];
                    request.clear();
                    std::io::Write::write_fmt(
                        &mut request,
                        format_args!(
                            "POST /webhook HTTP/1.1\r\nHost: {address}\r\nUser-Agent: GitHub-Hookshot/044aadd\r\n\
                             Accept: */*\r\nContent-Type: application/json\r\nX-GitHub-Event: pull_request\r\n\
                             X-GitHub-Delivery: {run}-{number:020x}\r\n\
                             X-Hub-Signature-256: sha256={signature}\r\nContent-Length: {}\r\n\r\n",
                            body.len()
                        ),
                    )
                    .unwrap();
                    request.extend_from_slice(body.as_bytes());
                    stream.write_all(&request).await.unwrap();
                    read_accepted(&mut stream).await;
                }
            })
        })
        .collect();
    for connection in all {
        tokio::time::timeout(Duration::from_secs(600), connection).await.unwrap().unwrap();
    }
}

/// Reads an answer, which must be 202, to its end.
async fn read_accepted(stream: &mut TcpStream) {
    let mut answer = [0; 2048];
    let mut size = 0;
    loop {
        let read = stream.read(&mut answer[size..]).await.unwrap();
        assert!(read > 0, "the server hung up");
        size += read;
        let text = std::str::from_utf8(&answer[..size]).unwrap();
        let Some(head) = text.find("\r\n\r\n") else { continue };
        assert!(text.starts_with("HTTP/1.1 202 "), "{text}");
        let ended = match text[..head].to_ascii_lowercase().split_once("content-length: ") {
            Some((_, rest)) => {
                let length: usize = rest.split("\r\n").next().unwrap().parse().unwrap();
                size >= head + 4 + length
            }
            None => text.ends_with("0\r\n\r\n"),
        };
        if ended {
            return;
        }
    }
}

/// What the process has spent, itself and in the kernel.
fn cpu_us(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name may hold spaces; fields are counted from its closing parenthesis.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) * TICK_US
}

fn memory_kb(pid: u32, what: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
