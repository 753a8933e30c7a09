//! The real program: started, killed, started again, stopped.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::process::ChildStderr;
use std::process::Command;
use std::process::Stdio;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::encoding::Pkcs8V1Der;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::rsa::KeySize;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use serde_json::Value;
use sha2::Sha256;

const SECRET: &str = "a webhook secret of the tests";

/// A GitHub that nobody reaches: port 1 of this machine refuses.
const NO_GITHUB: &str = "http://127.0.0.1:1";

struct Serving {
    child: Child,
    log: BufReader<ChildStderr>,
    address: String,
}

/// `fromguard serve` with nothing of this process's environment.
fn program(state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fromguard"));
    command
        .arg("serve")
        .env_clear()
        .env("FROMGUARD_LISTEN", "127.0.0.1:0")
        .env("FROMGUARD_STATE_DIR", state)
        .env("FROMGUARD_GITHUB_API_URL", NO_GITHUB)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

fn start(state: &Path) -> Serving {
    let key = state.join("key.pem");
    if !key.exists() {
        std::fs::write(&key, private_key()).unwrap();
    }
    let mut command = program(state);
    command
        .env("FROMGUARD_APP_ID", "42")
        .env("FROMGUARD_PRIVATE_KEY_FILE", key)
        .env("FROMGUARD_WEBHOOK_SECRET", SECRET);
    let mut serving = Serving::spawn(&mut command);
    let mut seen = String::new();
    loop {
        let mut line = String::new();
        assert!(serving.log.read_line(&mut line).unwrap() > 0, "it ended before it listened:\n{seen}");
        seen.push_str(&line);
        let event: Value = serde_json::from_str(&line).expect("every line is JSON");
        if let Some(address) = event["address"].as_str() {
            address.clone_into(&mut serving.address);
            return serving;
        }
    }
}

impl Serving {
    fn spawn(command: &mut Command) -> Serving {
        let mut child = command.spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        Serving { child, log, address: String::new() }
    }

    /// The status and the body of an answer.
    fn send(&self, request: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn deliver(&self, guid: &str) -> (u16, String) {
        let path = format!("{}/tests/data/webhooks/pull_request.opened.json", env!("CARGO_MANIFEST_DIR"));
        let body = std::fs::read(path).unwrap();
        let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(&body).finalize();
        let signature = mac.into_bytes().iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        });
        let head = format!(
            "POST /webhook HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-GitHub-Event: pull_request\r\n\
             X-GitHub-Delivery: {guid}\r\nX-Hub-Signature-256: sha256={signature}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.send(&[head.as_bytes(), &body].concat())
    }

    /// How many judgements are wanted, under way or not: both figures of one moment.
    fn wanted(&self) -> f64 {
        let (status, body) = self.send(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert_eq!(status, 200);
        let value = |name: &str| -> f64 {
            let line = body.lines().find(|line| line.starts_with(name));
            line.unwrap_or_else(|| panic!("{name}: {body}")).rsplit(' ').next().unwrap().parse().unwrap()
        };
        value("fromguard_queue_waiting ") + value("fromguard_queue_leased ")
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A new RSA key in PEM, PKCS#8.
fn private_key() -> String {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()))
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let state = tempfile::tempdir().unwrap();
    let serving = start(state.path());
    assert_eq!(serving.deliver("g1"), (202, "accepted\n".to_owned()));
    serving.kill();

    let serving = start(state.path());
    assert_eq!(serving.wanted(), 1.0, "the judgement is still wanted");
    assert_eq!(serving.deliver("g1"), (202, "accepted before\n".to_owned()));
    serving.kill();
}

#[test]
fn a_second_one_on_the_same_state_is_refused() {
    let state = tempfile::tempdir().unwrap();
    let serving = start(state.path());
    let second = program(state.path()).output().unwrap();
    assert_eq!(second.status.code(), Some(2));
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains("in use by another running fromguard"), "{said}");
    serving.kill();
}

#[test]
fn it_stops_when_asked_to() {
    let state = tempfile::tempdir().unwrap();
    let mut serving = start(state.path());
    let asked = Command::new("kill").arg("-TERM").arg(serving.child.id().to_string()).status().unwrap();
    assert!(asked.success());
    assert!(serving.child.wait().unwrap().success());
    let mut rest = String::new();
    serving.log.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("\"stopped\""), "{rest}");
}

#[test]
fn everything_that_is_missing_is_said_at_once() {
    let state = tempfile::tempdir().unwrap();
    let refused =
        program(state.path()).env("FROMGUARD_APP_ID", "42").args(["--listen", "nowhere"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    for name in ["FROMGUARD_LISTEN", "FROMGUARD_PRIVATE_KEY", "FROMGUARD_WEBHOOK_SECRET"] {
        assert!(said.contains(&format!("\n  {name}: ")), "{name}: {said}");
    }
}
