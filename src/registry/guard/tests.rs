//! Each trick that a reference, a redirect or the DNS may try, against servers on
//! loopback that count who connects.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::*;

const START_MS: i64 = 1_780_272_000_000;

/// A server that answers each request with what `answer` makes of its head, and
/// closes; it counts connections.
struct Counting {
    port: u16,
    connections: Arc<AtomicU64>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Counting {
    async fn start(answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Counting {
        Counting::behind(None, answer).await
    }

    async fn behind(
        tls: Option<tokio_rustls::TlsAcceptor>,
        answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Counting {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (connections, heads) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (answer, counted, seen) = (Arc::new(answer), Arc::clone(&connections), Arc::clone(&heads));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let (answer, seen, tls) = (Arc::clone(&answer), Arc::clone(&seen), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &*answer, &seen).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, &*answer, &seen).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Counting { port, connections, heads }
    }

    fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    fn authority(&self) -> Authority {
        Authority::parse(&format!("127.0.0.1:{}", self.port)).unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// As an operator lists an intranet registry.
    fn row(&self, name: &str) -> Row {
        Row {
            addresses: vec!["127.0.0.1".parse().unwrap()],
            plain_http: true,
            ..Row::alone(name, self.authority())
        }
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: &(dyn Fn(&str) -> Option<String> + Send + Sync),
    seen: &Mutex<Vec<String>>,
) -> Option<()> {
    let (mut head, mut buffer) = (Vec::new(), [0; 1024]);
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        head.extend_from_slice(&buffer[..read]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    seen.lock().unwrap().push(head.clone());
    match answer(&head) {
        Some(text) => {
            stream.write_all(text.as_bytes()).await.ok()?;
            stream.shutdown().await.ok()
        }
        // Never answers.
        None => std::future::pending().await,
    }
}

fn ok(body: &str) -> Option<String> {
    Some(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()))
}

fn redirect(to: &str) -> Option<String> {
    Some(format!("HTTP/1.1 307 Away\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
}

/// Names that a test makes up: each look-up takes the next answer, the last stays.
#[derive(Default)]
struct Made {
    answers: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    look_ups: AtomicU64,
}

impl Made {
    fn with(name: &str, answers: &[&[&str]]) -> Arc<Made> {
        let parse = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        let made = Made::default();
        made.answers.lock().unwrap().insert(name.to_owned(), answers.iter().map(parse).collect());
        Arc::new(made)
    }
}

impl Names for Made {
    fn look_up<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            self.look_ups.fetch_add(1, Ordering::SeqCst);
            let mut answers = self.answers.lock().unwrap();
            let answers = answers.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
            let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
            Ok(answer)
        })
    }
}

fn guard(operator: Vec<Row>, names: Arc<Made>) -> Guard {
    guard_within(operator, names, Limits::default())
}

fn guard_within(operator: Vec<Row>, names: Arc<Made>, limits: Limits) -> Guard {
    Guard::with(operator, Clock::manual(START_MS), names, limits).unwrap()
}

async fn get(guard: &Guard, registry: &str, contact: &[&str], url: &str) -> Result<Answer, Error> {
    let contact: Vec<String> = contact.iter().map(|host| (*host).to_owned()).collect();
    let way = guard.way(registry, &contact)?;
    let authorization = Some(HeaderValue::from_static("Bearer secret"));
    guard.send(&way, Request { method: Method::GET, url, accept: "*/*", authorization }).await
}

#[track_caller]
fn not_contacted(answer: Result<Answer, Error>) -> String {
    match answer {
        Err(Error::NotContacted(why)) => why,
        other => panic!("it was contacted: {other:?}"),
    }
}

#[tokio::test]
async fn only_listed_hosts_are_contacted_whatever_they_are_called() {
    let decoy = Counting::start(|_| ok("secret")).await;
    let port = decoy.port;
    let names = Made::with("evil.example", &[&["127.0.0.1"]]);
    names.answers.lock().unwrap().insert("localhost".to_owned(), vec![vec![Ipv4Addr::LOCALHOST.into()]]);
    let guard = guard(Vec::new(), names);
    for host in ["evil.example", "docker.io.evil.example", "localhost", "auth.docker.io:8443", "127.0.0.1"] {
        let why = not_contacted(get(&guard, host, &[], &decoy.url("/")).await);
        assert!(why.contains("is not among the hosts"), "{why}");
    }
    // Listed, and what a policy may list is public.
    for host in [
        "localhost",
        "evil.example",
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7f.1",
        "127.1",
        "0177.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "169.254.169.254",
        "[fd00:ec2::254]",
    ] {
        let registry = format!("{host}:{port}");
        let url = format!("https://{registry}/v2/");
        not_contacted(get(&guard, &registry, &[&registry], &url).await);
    }
    assert_eq!(decoy.connections(), 0);
    assert!(guard.contacts().is_empty());
}

#[tokio::test]
async fn a_listed_registry_is_asked_and_nothing_but_it() {
    let registry = Counting::start(|_| ok("hello")).await;
    let decoy = Counting::start(|_| ok("secret")).await;
    let guard = guard(vec![registry.row("registry.acme.test")], Arc::default());
    let answer = get(&guard, "REGISTRY.acme.test:443", &[], &registry.url("/v2/")).await.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, &b"hello"[..]));
    // Another port of the same machine is another place.
    let why = not_contacted(get(&guard, "registry.acme.test", &[], &decoy.url("/")).await);
    assert!(why.contains("which is not a host of it"), "{why}");
    assert_eq!(guard.contacts(), BTreeMap::from([(registry.authority(), 1)]));
    assert_eq!(decoy.connections(), 0);
}

#[tokio::test]
async fn redirects_stay_in_the_row_and_take_no_credentials_along() {
    let decoy = Counting::start(|_| ok("secret")).await;
    let blobs = Counting::start(|_| ok("blob")).await;
    let (evil, good) = (decoy.url("/x"), blobs.url("/blob"));
    let port = decoy.port;
    let registry = Counting::start(move |head| {
        let path = head.split(' ').nth(1).unwrap();
        match path {
            "/good" => redirect(&good),
            "/evil" => redirect(&evil),
            "/user" => redirect(&good.replace("http://", "http://me:secret@")),
            "/decimal" => redirect(&format!("http://2130706433:{port}/")),
            "/mapped" => redirect(&format!("http://[::ffff:127.0.0.1]:{port}/")),
            "/relative" => redirect(&format!("//localhost:{port}/")),
            "/file" => redirect("file:///etc/passwd"),
            "/metadata" => redirect("http://169.254.169.254/latest/meta-data/"),
            loop_ => redirect(loop_),
        }
    })
    .await;
    let mut row = registry.row("registry.acme.test");
    row.hosts.insert(blobs.authority());
    let guard = guard(vec![row], Arc::default());
    let ask = async |path: &str| get(&guard, "registry.acme.test", &[], &registry.url(path)).await;

    assert_eq!(&ask("/good").await.unwrap().body[..], b"blob");
    let shown = |heads: Vec<String>| heads.iter().any(|head| head.to_lowercase().contains("bearer secret"));
    assert!(shown(registry.heads()) && !shown(blobs.heads()));
    for path in ["/evil", "/user", "/decimal", "/mapped", "/relative", "/file", "/metadata"] {
        not_contacted(ask(path).await);
    }
    assert_eq!(decoy.connections(), 0);

    let before = registry.connections();
    assert_eq!(ask("/loop").await.unwrap_err(), Error::Malformed("more than 3 redirects".to_owned()));
    assert_eq!(registry.connections() - before, 4);
}

#[tokio::test]
async fn plain_http_is_the_operators_to_allow() {
    let registry = Counting::start(|_| ok("hello")).await;
    let row = Row { plain_http: false, ..registry.row("registry.acme.test") };
    let guard = guard(vec![row], Arc::default());
    let why = not_contacted(get(&guard, "registry.acme.test", &[], &registry.url("/")).await);
    assert!(why.contains("not https:"), "{why}");
    assert_eq!(registry.connections(), 0);
}

#[tokio::test]
async fn a_name_is_resolved_once_for_a_connection_and_every_address_is_checked() {
    let registry = Counting::start(|_| ok("hello")).await;
    let name = "registry.acme.test";
    let port = registry.port;
    let row = Row { api: Authority::parse(&format!("{name}:{port}")).unwrap(), ..registry.row(name) };
    let names = Made::with(name, &[&["127.0.0.1"], &["127.0.0.1", "10.0.0.1"], &["169.254.169.254"], &[]]);
    let guard = guard(vec![row], Arc::clone(&names));
    let url = format!("http://{name}:{port}/");
    let ask = async || get(&guard, name, &[], &url).await;

    assert_eq!(&ask().await.unwrap().body[..], b"hello");
    assert_eq!(names.look_ups.load(Ordering::SeqCst), 1);
    // The DNS changes its mind: one address among good ones is enough to refuse.
    assert!(not_contacted(ask().await).contains("10.0.0.1 is not public (private)"));
    assert!(not_contacted(ask().await).contains("metadata"));
    assert!(matches!(ask().await, Err(Error::Unreachable(_))));
    assert_eq!(registry.connections(), 1);
}

#[tokio::test]
async fn huge_and_endless_answers_are_cut_off() {
    let registry = Counting::start(|head| match head.split(' ').nth(1) {
        Some("/huge") => ok(&"x".repeat(2_000)),
        _ => None,
    })
    .await;
    let limits = Limits { answer_bytes: 1_000, time: Duration::from_millis(200), ..Limits::default() };
    let guard = guard_within(vec![registry.row("registry.acme.test")], Arc::default(), limits);
    let ask = async |path: &str| get(&guard, "registry.acme.test", &[], &registry.url(path)).await;
    assert_eq!(ask("/huge").await.unwrap_err(), Error::TooLarge { limit_bytes: 1_000 });
    assert_eq!(ask("/slow").await.unwrap_err(), Error::TimedOut);
}

#[tokio::test]
async fn a_registry_that_says_too_often_is_left_alone_as_long_as_it_says() {
    let registry = Counting::start(|_| {
        Some(
            "HTTP/1.1 429 Too Many\r\nRetry-After: 30\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                .to_owned(),
        )
    })
    .await;
    let clock = Clock::manual(START_MS);
    let operator = vec![registry.row("registry.acme.test")];
    let guard = Guard::with(operator, clock.clone(), Arc::new(Made::default()), Limits::default()).unwrap();
    let ask = async || get(&guard, "registry.acme.test", &[], &registry.url("/")).await.unwrap_err();
    let limited = Error::Limited { until_ms: START_MS + 30_000 };
    assert_eq!((ask().await, ask().await), (limited.clone(), limited));
    assert_eq!(registry.connections(), 1);
    clock.advance(Duration::from_secs(31));
    assert_eq!(ask().await, Error::Limited { until_ms: START_MS + 61_000 });
    assert_eq!(registry.connections(), 2);
}

#[tokio::test]
async fn a_certificate_counts_if_the_rows_authority_made_it() {
    let name = "registry.acme.test";
    let (authority, tls) = test_authority(name);
    let registry = Counting::behind(Some(tls), |_| ok("hello")).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authority.pem");
    std::fs::write(&file, authority).unwrap();
    let url = format!("https://{name}:{}/", registry.port);
    let row = |authorities| Row {
        api: Authority::parse(&format!("{name}:{}", registry.port)).unwrap(),
        plain_http: false,
        authorities,
        ..registry.row(name)
    };
    let names = || Made::with(name, &[&["127.0.0.1"]]);

    let trusting = guard(vec![row(Some(file))], names());
    assert_eq!(&get(&trusting, name, &[], &url).await.unwrap().body[..], b"hello");
    // With the system's authorities, it is anybody's certificate.
    let others = guard(vec![row(None)], names());
    assert!(matches!(get(&others, name, &[], &url).await, Err(Error::Unreachable(_))));
    assert_eq!(registry.heads().len(), 1);
    let missing = Guard::new(vec![row(Some(folder.path().join("none.pem")))], Clock::manual(START_MS));
    assert!(missing.err().unwrap().contains("none.pem cannot be used"));
}

/// A certificate authority in PEM, and a server with a certificate of it.
fn test_authority(name: &str) -> (String, tokio_rustls::TlsAcceptor) {
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let issuer_certificate = authority.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (issuer_certificate.pem(), Arc::new(config).into())
}
