//! The egress guard: every request for evidence passes here, and nothing else of
//! this module opens a connection. An image reference in a fork's pull request is
//! an attacker's URL.
//!
//! A [`Way`] leads to one registry. It is given for the built-in rows, the
//! operator's, and the hosts that the policy in force lists under `contact`; there
//! is none for any other host. Redirects stay within the row, lose their
//! credentials when they change the host, and are followed [`Limits::hops`] times
//! at most. Knows HTTP and no registry's API.

mod address;
mod connector;
mod host;
mod row;
#[cfg(test)]
mod tests;
mod tls;

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use fromguard_core::image::is_docker_hub;
use fromguard_core::image::normal_host;
use http::HeaderMap;
use http::HeaderValue;
use http::Method;
use http::StatusCode;
use http::header::ACCEPT;
use http::header::AUTHORIZATION;
use http::header::LOCATION;
use http::header::RETRY_AFTER;
use http::header::USER_AGENT;
use http_body_util::BodyExt;
use http_body_util::Empty;
use http_body_util::Limited;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioTimer;
use tokio::sync::Semaphore;
use url::Url;

use self::connector::Connector;
use self::connector::Contacts;
use self::connector::Refusal;
use self::connector::SystemNames;
use self::tls::Trust;
use super::error::Error;
use crate::clock::Clock;
use crate::counts;

pub use address::Network;
pub use connector::Names;
pub use host::Authority;
pub use row::{Credentials, Row};
pub(super) use row::{DOCKER_HUB, HUB_API, built_in};

/// How many ways to hosts of `contact` are kept open.
const MAX_KEPT_WAYS: usize = 64;
/// How many requests to one registry are under way at once.
const REQUESTS_AT_ONCE: usize = 8;
/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(30);
/// How long a registry is left alone that says "too often" and not how long.
const LEFT_ALONE_MS: i64 = 60_000;
/// How long it is left alone at most.
const LEFT_ALONE_MAX_MS: i64 = 3_600_000;

/// What one request may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many redirects are followed.
    pub hops: usize,
    /// How long it may take, redirects included.
    pub time: Duration,
    /// How large the answer may be.
    pub answer_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { hops: 3, time: Duration::from_secs(5), answer_bytes: 4 * 1024 * 1024 }
    }
}

/// Lets requests out, or does not; cheap to clone.
#[derive(Clone)]
pub struct Guard {
    inner: Arc<Inner>,
}

struct Inner {
    names: Arc<dyn Names>,
    limits: Limits,
    clock: Clock,
    trust: Trust,
    contacts: Contacts,
    /// By the registry's name: the built-in rows and the operator's.
    listed: HashMap<String, Arc<Way>>,
    /// By host and port: those that policies in force list.
    contacted: Mutex<HashMap<Authority, Arc<Way>>>,
}

/// The guarded way to one registry.
pub(super) struct Way {
    pub(super) row: Arc<Row>,
    client: Client<HttpsConnector<Connector>, Empty<Bytes>>,
    slots: Semaphore,
    /// Until when the registry wants to be left alone.
    limited_until_ms: AtomicI64,
}

/// A question, without a body.
pub(super) struct Request<'a> {
    pub(super) method: Method,
    pub(super) url: &'a str,
    pub(super) accept: &'a str,
    pub(super) authorization: Option<HeaderValue>,
}

/// An answer that is no redirect and no "too often".
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Guard {
    /// A guard with the operator's rows beside the built-in ones.
    ///
    /// # Errors
    /// When a file of certificate authorities cannot be used.
    pub fn new(operator: Vec<Row>, clock: Clock) -> Result<Guard, String> {
        Guard::with(operator, clock, Arc::new(SystemNames), Limits::default())
    }

    /// The same with a resolver and limits of one's own.
    ///
    /// # Errors
    /// When a file of certificate authorities cannot be used.
    pub fn with(
        operator: Vec<Row>,
        clock: Clock,
        names: Arc<dyn Names>,
        limits: Limits,
    ) -> Result<Guard, String> {
        let trust = Trust::default();
        let contacts = Contacts::default();
        let mut listed = HashMap::new();
        for row in built_in().into_iter().chain(operator) {
            let connector =
                Connector { row: Arc::new(row), names: Arc::clone(&names), contacts: Arc::clone(&contacts) };
            let name = connector.row.name.clone();
            listed.insert(name, Arc::new(Way::new(connector, &trust)?));
        }
        let contacted = Mutex::default();
        Ok(Guard { inner: Arc::new(Inner { names, limits, clock, trust, contacts, listed, contacted }) })
    }

    /// The way to a registry, as a reference names it. `contact` are the hosts that
    /// the policy in force lists, in normal form.
    pub(super) fn way(&self, registry: &str, contact: &[String]) -> Result<Arc<Way>, Error> {
        let host = normal_host(registry);
        let name = if is_docker_hub(&host) { DOCKER_HUB } else { &host };
        if let Some(way) = self.inner.listed.get(name) {
            return Ok(Arc::clone(way));
        }
        if !contact.iter().any(|listed| *listed == host) {
            let why =
                format!("{host} is not among the hosts that may be asked (`contact` of the policy adds one)");
            return Err(Error::NotContacted(why));
        }
        let authority = Authority::parse(&host).map_err(Error::NotContacted)?;
        let mut kept = self.inner.contacted.lock().expect("no holder panics");
        if let Some(way) = kept.get(&authority) {
            return Ok(Arc::clone(way));
        }
        if kept.len() >= MAX_KEPT_WAYS {
            kept.clear();
        }
        let connector = Connector {
            row: Arc::new(Row::alone(&host, authority.clone())),
            names: Arc::clone(&self.inner.names),
            contacts: Arc::clone(&self.inner.contacts),
        };
        let way = Arc::new(Way::new(connector, &self.inner.trust).map_err(Error::NotContacted)?);
        kept.insert(authority, Arc::clone(&way));
        Ok(way)
    }

    /// The way to a row of the table itself.
    pub(super) fn listed(&self, name: &str) -> Option<Arc<Way>> {
        self.inner.listed.get(name).cloned()
    }

    /// How often each host and port was connected to.
    #[must_use]
    pub fn contacts(&self) -> BTreeMap<Authority, u64> {
        self.inner.contacts.lock().expect("no holder panics").clone()
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Sends a question and reads the whole answer.
    pub(super) async fn send(&self, way: &Way, request: Request<'_>) -> Result<Answer, Error> {
        let _slot = way.slots.acquire().await.map_err(|_| Error::TimedOut)?;
        let until_ms = way.limited_until_ms.load(Ordering::Relaxed);
        if self.inner.clock.now_ms() < until_ms {
            return Err(Error::Limited { until_ms });
        }
        let answered = tokio::time::timeout(self.inner.limits.time, self.follow(way, request)).await;
        let answer = answered.unwrap_or(Err(Error::TimedOut))?;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            let until_ms = self.inner.clock.now_ms().saturating_add(left_alone_ms(&answer.headers));
            way.limited_until_ms.store(until_ms, Ordering::Relaxed);
            return Err(Error::Limited { until_ms });
        }
        Ok(answer)
    }

    async fn follow(&self, way: &Way, request: Request<'_>) -> Result<Answer, Error> {
        let mut url = Url::parse(request.url).map_err(|error| Error::Malformed(error.to_string()))?;
        let mut authorization = request.authorization;
        for _ in 0..=self.inner.limits.hops {
            let from = way.permits(&url)?;
            let answer =
                self.exchange(way, &request.method, &url, request.accept, authorization.clone()).await?;
            if !matches!(answer.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let location = answer.headers.get(LOCATION).and_then(|location| location.to_str().ok());
            let location = location.ok_or_else(|| Error::Malformed("a redirect to nowhere".to_owned()))?;
            url = url.join(location).map_err(|error| Error::Malformed(error.to_string()))?;
            if way.permits(&url)? != from {
                authorization = None;
            }
        }
        Err(Error::Malformed(format!("more than {} redirects", self.inner.limits.hops)))
    }

    async fn exchange(
        &self,
        way: &Way,
        method: &Method,
        url: &Url,
        accept: &str,
        authorization: Option<HeaderValue>,
    ) -> Result<Answer, Error> {
        let malformed = |error: http::Error| Error::Malformed(error.to_string());
        let mut request = http::Request::builder()
            .method(method)
            .uri(url.as_str())
            .header(USER_AGENT, concat!("fromguard/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, accept)
            .body(Empty::new())
            .map_err(malformed)?;
        if let Some(authorization) = authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization);
        }
        counts::EVIDENCE_REQUESTS.add();
        let answer = way.client.request(request).await.map_err(|error| refused_or_unreachable(&error))?;
        let (parts, body) = answer.into_parts();
        let limit_bytes = self.inner.limits.answer_bytes;
        let body = Limited::new(body, limit_bytes).collect().await.map_err(|error| {
            match error.is::<http_body_util::LengthLimitError>() {
                true => Error::TooLarge { limit_bytes },
                false => Error::Unreachable(innermost(error.as_ref())),
            }
        })?;
        Ok(Answer { status: parts.status, headers: parts.headers, body: body.to_bytes() })
    }
}

impl Way {
    fn new(connector: Connector, trust: &Trust) -> Result<Way, String> {
        let row = Arc::clone(&connector.row);
        let builder = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(trust.config(row.authorities.as_deref())?);
        let builder = if row.plain_http { builder.https_or_http() } else { builder.https_only() };
        let https = builder.enable_http1().wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(https);
        let limited_until_ms = AtomicI64::new(i64::MIN);
        Ok(Way { row, client, slots: Semaphore::new(REQUESTS_AT_ONCE), limited_until_ms })
    }

    /// Whether a URL stays within the row: host and port, and HTTPS unless the
    /// operator says otherwise. Answers where it leads.
    pub(super) fn permits(&self, url: &Url) -> Result<Authority, Error> {
        let name = &self.row.name;
        let secure = url.scheme() == "https";
        let plain = url.scheme() == "http" && self.row.plain_http;
        if !(secure || plain) {
            return Err(Error::NotContacted(format!("{name} leads to an address that is not https:")));
        }
        match Authority::of(url) {
            Some(authority) if self.row.lists(&authority) => Ok(authority),
            Some(other) => {
                Err(Error::NotContacted(format!("{name} leads to {other}, which is not a host of it")))
            }
            None => Err(Error::NotContacted(format!("{name} leads to an address without a plain host"))),
        }
    }
}

/// Seconds, as registries send it; a date is read as "for a while".
fn left_alone_ms(headers: &HeaderMap) -> i64 {
    let seconds = headers.get(RETRY_AFTER).and_then(|after| after.to_str().ok()?.trim().parse::<i64>().ok());
    seconds.map_or(LEFT_ALONE_MS, |seconds| seconds.saturating_mul(1_000).clamp(1_000, LEFT_ALONE_MAX_MS))
}

fn refused_or_unreachable(error: &(dyn std::error::Error + 'static)) -> Error {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(Refusal(why)) = error.downcast_ref() {
            return Error::NotContacted(why.clone());
        }
        cause = error.source();
    }
    Error::Unreachable(innermost(error))
}

/// The innermost cause, which says what happened, on one line.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    let text = cause.to_string();
    text.lines().next().unwrap_or_default().chars().take(200).collect()
}
