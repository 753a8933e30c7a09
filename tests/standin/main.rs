//! The stand-in for GitHub refuses what GitHub refuses, and its answers keep to
//! GitHub's published descriptions.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "../contract/mod.rs"]
mod contract;

mod authentication;
mod checks;
mod comments;
mod contents;
mod faults;
mod graphql;
mod pulls;
mod setup;
mod webhooks;

use bytes::Bytes;
use contract::Contract;
use fromguard::clock::Clock;
use fromguard::ids::InstallationId;
use fromguard::standin::PullPlace;
use fromguard::standin::Standin;
use fromguard::standin::StandinOptions;
use fromguard::standin::repository::Builder;
use fromguard::standin::repository::Change;
use http_body_util::BodyExt as _;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use jsonwebtoken::Algorithm;
use jsonwebtoken::EncodingKey;
use jsonwebtoken::Header;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpStream;

/// 2026-01-01T00:00:00Z
const NOW_MS: i64 = 1_767_225_600_000;

/// A stand-in with one repository, `acme/shop`: `main`, and `topic` that changes its Dockerfile.
struct World {
    contract: Contract,
    github: Standin,
    git: Builder,
    installation: InstallationId,
    clock: Clock,
    _folder: TempDir,
}

/// An answer.
struct Reply {
    status: u16,
    headers: http::HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body, if the status is this one.
    #[track_caller]
    fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        if self.body.is_empty() { Value::Null } else { self.json() }
    }
}

/// Sends one request over a connection of its own; `None` when the connection is cut.
async fn send(method: &str, url: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Option<Reply> {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let stream = TcpStream::connect(host).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let moving = tokio::spawn(connection);
    let mut request = http::Request::builder().method(method).uri(format!("/{path}")).header("host", host);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = body.map(Value::to_string).unwrap_or_default();
    let answered = sender.send_request(request.body(Full::new(Bytes::from(body))).unwrap()).await;
    let (head, body) = answered.ok()?.into_parts();
    let body = body.collect().await.ok()?.to_bytes().to_vec();
    moving.abort();
    Some(Reply { status: head.status.as_u16(), headers: head.headers, body })
}

impl World {
    async fn start() -> World {
        World::start_with(StandinOptions::default()).await
    }

    /// The stand-in's time stands still, unless the test moves it.
    async fn start_with(options: StandinOptions) -> World {
        let folder = tempfile::tempdir().unwrap();
        let mut git = Builder::init(&folder.path().join("shop.git")).unwrap();
        let first = git
            .commit(
                "main",
                "Begin",
                &[
                    ("Dockerfile", Change::File(b"FROM alpine:3.19\nRUN true\n")),
                    ("docs/guide.md", Change::File(b"# Guide\n\none\ntwo\nthree\n")),
                    ("run.sh", Change::Executable(b"#!/bin/sh\n")),
                    ("link", Change::Symlink("docs/guide.md")),
                ],
            )
            .unwrap();
        git.branch("topic", &first).unwrap();
        git.commit("topic", "Newer", &[("Dockerfile", Change::File(b"FROM alpine:3.20\nRUN true\n"))])
            .unwrap();

        let clock = Clock::manual(NOW_MS);
        let github =
            Standin::start(StandinOptions { clock: clock.clone(), jwt_clock: clock.clone(), ..options })
                .await
                .unwrap();
        let contract = Contract::watch(&github);
        let installation = github.install("acme");
        github.add_repository("acme/shop", git.path()).unwrap();
        World { contract, github, git, installation, clock, _folder: folder }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.github.base_url())
    }

    /// A JWT of the App with these claims.
    fn jwt_of(&self, claims: &Value) -> String {
        let key = EncodingKey::from_rsa_pem(self.github.app_private_key_pem().as_bytes()).unwrap();
        jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &key).unwrap()
    }

    fn jwt(&self) -> String {
        let now_s = self.clock.now_ms() / 1000;
        let app = self.github.app_id().to_string();
        self.jwt_of(&json!({"iat": now_s - 60, "exp": now_s + 540, "iss": app}))
    }

    async fn mint(&self, body: &Value) -> Reply {
        let path = format!("/app/installations/{}/access_tokens", self.installation);
        self.as_token(&self.jwt(), "POST", &path, Some(body)).await
    }

    async fn token(&self) -> String {
        self.mint(&json!({})).await.expect(201)["token"].as_str().unwrap().to_owned()
    }

    async fn as_token(&self, token: &str, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let authorization = format!("Bearer {token}");
        send(method, &self.url(path), &[("authorization", &authorization)], body).await.unwrap()
    }

    /// A call with a fresh token of the installation.
    async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let token = self.token().await;
        self.as_token(&token, method, path, body).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, None).await
    }

    async fn query(&self, query: &str, variables: Value) -> Value {
        let body = json!({"query": query, "variables": variables});
        self.call("POST", "/graphql", Some(&body)).await.expect(200)
    }

    fn open(&self) -> PullPlace {
        self.github.open_pull_request("acme/shop", "main", "topic").unwrap()
    }
}
