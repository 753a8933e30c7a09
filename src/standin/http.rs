//! The listener on loopback: reads requests, lets faults meet them, hands them
//! to the REST or GraphQL side, records what happened.
//!
//! hyper's connections are driven here rather than by a framework's server,
//! because a fault may cut a connection without a word.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use http_body_util::Full;
use hyper::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::Shared;
use super::answer::Answer;
use super::answer::Request;
use super::faults::Fault;
use super::traffic::Exchange;
use super::traffic::Record;

/// GitHub Enterprise Server has the REST API below this.
const ENTERPRISE_REST: &str = "/api/v3";
/// GitHub Enterprise Server has the GraphQL API here.
const ENTERPRISE_GRAPHQL: &str = "/api/graphql";
/// Where GraphQL queries go.
pub(super) const GRAPHQL: &str = "/graphql";

/// The connection ends without an answer.
#[derive(Debug, Error)]
#[error("the connection is cut")]
struct Cut;

/// Serves until the task is dropped, and every connection with it.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, Arc::clone(&shared)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    // Small answers must not wait for one another.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| exchange(request, Arc::clone(&shared)));
    let connection = pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    // A cut connection is what the fault was for; a client that hangs up is no concern either.
    let _ = connection.await;
}

/// Records the request when it ends, even if the client went away meanwhile.
struct Recording {
    shared: Arc<Shared>,
    start: Instant,
    exchange: Exchange,
}

impl Drop for Recording {
    fn drop(&mut self) {
        let record = Record {
            method: self.exchange.method.clone(),
            template: self.exchange.template.clone(),
            status: self.exchange.status,
            start: self.start,
            end: Instant::now(),
        };
        self.shared.record(record, &self.exchange);
    }
}

async fn exchange(
    incoming: hyper::Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, Cut> {
    let (head, body) = incoming.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let start = Instant::now();
    let request = read(&head, body.to_vec());
    let template = shared.template(&request);
    let fault = shared.meet(&request, &template);
    let mut recording = Recording {
        shared: Arc::clone(&shared),
        start,
        exchange: Exchange {
            method: request.method.clone(),
            template,
            path: request.path.clone(),
            query: request.query.clone(),
            request_body: request.body.clone(),
            status: None,
            content_type: None,
            response_body: Vec::new(),
            faulty: false,
        },
    };
    let answered = match fault {
        None => Ok(process(&shared, request).await),
        Some(fault) => injected(&shared, request, fault, &mut recording).await,
    };
    if !shared.latency.is_zero() {
        tokio::time::sleep(shared.latency).await;
    }
    let answer = answered?;
    recording.exchange.status = Some(answer.status);
    recording.exchange.content_type =
        answer.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.clone());
    recording.exchange.response_body.clone_from(&answer.body);
    drop(recording);
    Ok(response(answer))
}

/// A request that is being answered, whether or not the client waits for it.
struct Answering(Arc<Shared>);

impl Answering {
    fn begin(shared: Arc<Shared>) -> Answering {
        shared.answering.send_modify(|answering| *answering += 1);
        Answering(shared)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answering.send_modify(|answering| *answering -= 1);
    }
}

async fn process(shared: &Arc<Shared>, request: Request) -> Answer {
    let answering = Answering::begin(Arc::clone(shared));
    // Git is read from the disk.
    let work = tokio::task::spawn_blocking(move || answering.0.answer(&request));
    work.await.unwrap_or_else(|_| Answer::error(500, "Server Error"))
}

async fn injected(
    shared: &Arc<Shared>,
    request: Request,
    fault: Fault,
    recording: &mut Recording,
) -> Result<Answer, Cut> {
    recording.exchange.faulty = true;
    match fault {
        Fault::Status { status, headers, body } => Ok(Answer { status, headers, body: body.into_bytes() }),
        Fault::SecondaryLimitNoHeaders => Ok(Answer::error(
            403,
            "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
        )),
        Fault::GraphqlErrorIn200 { kind } => {
            let message = match kind.as_str() {
                "RATE_LIMITED" => "API rate limit exceeded for installation.",
                _ => "Something went wrong while executing your query.",
            };
            let mut error = json!({"message": message});
            if !kind.is_empty() {
                error["type"] = json!(kind);
            }
            Ok(Answer::json(200, &json!({"errors": [error]})))
        }
        Fault::Timeout => Ok(Answer {
            status: 502,
            headers: vec![("content-type".to_owned(), "text/html; charset=utf-8".to_owned())],
            body: b"<html><body><h1>502 Bad Gateway</h1></body></html>".to_vec(),
        }),
        Fault::Hang => {
            let never: Infallible = std::future::pending().await;
            match never {}
        }
        Fault::Slow(by) => {
            recording.exchange.faulty = false;
            let shared = Arc::clone(shared);
            // What was received is done, whether or not the client waits for it.
            let work = tokio::spawn(async move {
                shared.clock.sleep(by).await;
                process(&shared, request).await
            });
            work.await.map_err(|_| Cut)
        }
        Fault::Drop => Err(Cut),
        Fault::DropAfterProcessing => {
            process(shared, request).await;
            Err(Cut)
        }
    }
}

fn read(head: &http::request::Parts, body: Vec<u8>) -> Request {
    let asked = head.uri.path();
    let path = match asked {
        ENTERPRISE_GRAPHQL => GRAPHQL,
        _ => asked.strip_prefix(ENTERPRISE_REST).filter(|rest| rest.starts_with('/')).unwrap_or(asked),
    };
    Request {
        method: head.method.to_string(),
        segments: path.split('/').filter(|part| !part.is_empty()).map(|part| decode(part, false)).collect(),
        path: path.to_owned(),
        query: head
            .uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decode(name, true), decode(value, true))
            })
            .collect(),
        headers: head.headers.clone(),
        enterprise: asked != path,
        body,
    }
}

/// Undoes percent-encoding; in a query `+` is a space.
fn decode(text: &str, query: bool) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 2;
            }
            (b'+', _) if query => decoded.push(b' '),
            (byte, _) => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() =
        http::StatusCode::from_u16(answer.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        let name = http::HeaderName::try_from(name);
        let value = http::HeaderValue::try_from(value);
        if let (Ok(name), Ok(value)) = (name, value) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
