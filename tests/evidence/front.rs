//! A front before a registry: TLS of a test authority if wanted, a realm that hands
//! out one token for each scope, and an account of every connection and request.

// Each test binary uses its own part of this.
#![allow(dead_code)]

use std::sync::Arc;
use std::sync::Mutex;

use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

/// What answers before the registry does: `None` lets the request pass.
pub(crate) type Answering = Arc<dyn Fn(&Asked) -> Option<String> + Send + Sync>;

/// A request that came in.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The value of `Authorization`, or nothing.
    pub(crate) authorization: String,
}

/// The front, until the test ends.
pub(crate) struct Front {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
    connections: Arc<Mutex<usize>>,
}

impl Front {
    /// Listens; `behind` is the registry's port, or nothing.
    pub(crate) async fn start(behind: Option<u16>, tls: Option<TlsAcceptor>, answering: Answering) -> Front {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let front = Front { port, asked: Arc::default(), connections: Arc::default() };
        let (asked, connections) = (Arc::clone(&front.asked), Arc::clone(&front.connections));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *connections.lock().expect("no holder panics") += 1;
                let (asked, answering, tls) = (Arc::clone(&asked), Arc::clone(&answering), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, behind, &asked, &answering).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, behind, &asked, &answering).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        front
    }

    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock().expect("no holder panics")
    }

    /// How many requests there were of a method, to paths that hold a text.
    pub(crate) fn count(&self, method: &str, part: &str) -> usize {
        let asked = self.asked.lock().expect("no holder panics");
        asked.iter().filter(|asked| asked.method == method && asked.path.contains(part)).count()
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no holder panics").clone()
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    behind: Option<u16>,
    asked: &Mutex<Vec<Asked>>,
    answering: &Answering,
) -> Option<()> {
    let (mut head, mut buffer) = (Vec::new(), [0; 2048]);
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        head.extend_from_slice(&buffer[..read]);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let mut words = text.split(' ');
    let header = |name: &str| {
        let line = text.lines().find(|line| line.to_lowercase().starts_with(name))?;
        line.split_once(": ").map(|(_, value)| value.to_owned())
    };
    let one = Asked {
        method: words.next()?.to_owned(),
        path: words.next()?.to_owned(),
        authorization: header("authorization:").unwrap_or_default(),
    };
    asked.lock().expect("no holder panics").push(one.clone());
    if let Some(answer) = answering(&one) {
        stream.write_all(answer.as_bytes()).await.ok()?;
        return stream.shutdown().await.ok();
    }
    let Some(port) = behind else {
        stream.write_all(NOT_FOUND.as_bytes()).await.ok()?;
        return stream.shutdown().await.ok();
    };
    // Passed on without what the registry behind does not ask for.
    let lines = text.lines().filter(|line| !line.to_lowercase().starts_with("authorization:"));
    let kept: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let request = format!("{}\r\nConnection: close\r\n\r\n", kept.join("\r\n"));
    let mut registry = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    registry.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    registry.read_to_end(&mut answer).await.ok()?;
    stream.write_all(&answer).await.ok()?;
    stream.shutdown().await.ok()
}

pub(crate) const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// An answer with a body of JSON.
pub(crate) fn json(status: &str, body: &serde_json::Value) -> String {
    let body = body.to_string();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// A registry whose realm, on the same port, gives a token to everybody, or to one
/// user only (`Basic …`).
pub(crate) fn with_tokens(
    origin: impl Fn() -> String + Send + Sync + 'static,
    basic: Option<String>,
) -> Answering {
    Arc::new(move |asked| {
        if let Some(query) = asked.path.strip_prefix("/token?") {
            if basic.as_ref().is_some_and(|basic| asked.authorization != *basic) {
                return Some(json("401 Unauthorized", &serde_json::json!({})));
            }
            return Some(json(
                "200 OK",
                &serde_json::json!({"token": format!("for:{query}"), "expires_in": 300}),
            ));
        }
        let repository = asked.path.strip_prefix("/v2/")?.split_once("/manifests/").map(|(name, _)| name);
        let scope = format!("repository%3A{}%3Apull", repository.unwrap_or("").replace('/', "%2F"));
        let good = repository.is_some() && asked.authorization.contains(&scope);
        let challenge = format!("Bearer realm=\"{}/token\",service=\"test\"", origin());
        (!good).then(|| {
            format!(
                "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
        })
    })
}
