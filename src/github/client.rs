//! One HTTP request to GitHub and its answer: octocrab's transport without
//! retries, caches or redirects; time and size limits; the count of requests.
//!
//! Knows no endpoint. A redirect is no success here: GitHub answers one when a
//! repository was renamed, and following it would send a token to an address
//! that an answer chose.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::HeaderValue;
use http::Method;
use http::StatusCode;
use http::Uri;
use http::header::ACCEPT;
use http::header::AUTHORIZATION;
use http::header::CONTENT_TYPE;
use http::header::DATE;
use http::header::USER_AGENT;
use http_body_util::BodyExt;
use http_body_util::Limited;
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::Connect;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioTimer;
use octocrab::AuthState;
use octocrab::Octocrab;
use octocrab::OctocrabBuilder;
use secrecy::ExposeSecret;
use secrecy::SecretString;
use serde::de::DeserializeOwned;

use crate::clock::Clock;
use crate::clock::TimestampMs;
use crate::counts;
use crate::github::SetUpError;
use crate::github::error::Error;
use crate::github::error::one_line;

/// The media type of everything but raw blobs.
const JSON: &str = "application/vnd.github+json";

/// Where GitHub Enterprise Server has its REST API.
const ENTERPRISE_REST: &str = "/api/v3";

/// The version of the REST API that our types are written for. Enterprise Server takes it from 3.9 on.
/// <https://docs.github.com/en/rest/about-the-rest-api/api-versions>
const API_VERSION: &str = "2022-11-28";

/// The largest answer that is read, in bytes, unless a call says less: a GraphQL
/// answer of 100 files at both ends may hold some megabytes.
pub(crate) const MAX_ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(50);

/// How long GitHub is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// Until a connection stands.
    pub connect: Duration,
    /// Until the answer is wholly read.
    pub request: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts { connect: Duration::from_secs(5), request: Duration::from_secs(10) }
    }
}

impl Timeouts {
    /// What the GitHub at this address is given: an Enterprise Server is as fast as the machine that
    /// somebody gave it, and itself waits 30 seconds for others.
    #[must_use]
    pub fn of(api_url: &str) -> Timeouts {
        match is_enterprise_server(api_url) {
            true => Timeouts { request: Duration::from_secs(30), ..Timeouts::default() },
            false => Timeouts::default(),
        }
    }
}

/// Whether an address of the REST API is a GitHub Enterprise Server's.
fn is_enterprise_server(api_url: &str) -> bool {
    api_url.trim().trim_end_matches('/').ends_with(ENTERPRISE_REST)
}

/// The way to one GitHub.
#[derive(Clone)]
pub(crate) struct Client {
    octocrab: Octocrab,
    endpoints: Endpoints,
    timeouts: Timeouts,
    clock: Clock,
    requests: Arc<AtomicU64>,
}

/// One request.
#[derive(Clone)]
pub(crate) struct Call<'a> {
    /// The verb.
    pub(crate) method: Method,
    /// What it is for, for messages: `the pull request`.
    pub(crate) what: &'a str,
    /// Where, below the API's root.
    pub(crate) path: &'a str,
    /// The media type of the answer, if not JSON.
    pub(crate) accept: Option<&'static str>,
    /// JSON.
    pub(crate) body: Option<Bytes>,
    /// The largest answer that is read.
    pub(crate) max_bytes: usize,
}

impl<'a> Call<'a> {
    pub(crate) fn get(what: &'a str, path: &'a str) -> Call<'a> {
        Call { method: Method::GET, what, path, accept: None, body: None, max_bytes: MAX_ANSWER_BYTES }
    }

    pub(crate) fn send<T: serde::Serialize>(
        method: Method,
        what: &'a str,
        path: &'a str,
        body: &T,
    ) -> Call<'a> {
        let body = serde_json::to_vec(body).expect("our own types are always JSON");
        Call { method, what, path, accept: None, body: Some(body.into()), max_bytes: MAX_ANSWER_BYTES }
    }
}

/// A successful answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Error::Malformed { reason: one_line(&error.to_string()) })
    }
}

impl Client {
    /// Must be called inside a tokio runtime.
    pub(crate) fn new(api_url: &str, timeouts: Timeouts, clock: Clock) -> Result<Client, SetUpError> {
        let endpoints = Endpoints::parse(api_url)?;
        let octocrab = connected(endpoints.secure, timeouts)?;
        Ok(Client { octocrab, endpoints, timeouts, clock, requests: Arc::default() })
    }

    /// How many requests were sent.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Whether it leads to a GitHub Enterprise Server.
    pub(crate) fn is_enterprise_server(&self) -> bool {
        is_enterprise_server(&self.endpoints.rest)
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// A REST call.
    pub(crate) async fn rest(&self, bearer: &SecretString, call: Call<'_>) -> Result<Answer, Error> {
        let uri = format!("{}{}{}", self.endpoints.origin, self.endpoints.rest, call.path);
        self.send(bearer, &uri, call).await
    }

    /// A GraphQL call; errors inside the answer are the caller's to read.
    pub(crate) async fn graphql(
        &self,
        bearer: &SecretString,
        what: &str,
        body: Bytes,
    ) -> Result<Answer, Error> {
        let uri = format!("{}{}", self.endpoints.origin, self.endpoints.graphql);
        let call = Call {
            method: Method::POST,
            what,
            path: "",
            accept: None,
            body: Some(body),
            max_bytes: MAX_ANSWER_BYTES,
        };
        self.send(bearer, &uri, call).await
    }

    /// A REST call, and what time GitHub says that it is there: when it refuses, too.
    pub(crate) async fn rest_and_date(
        &self,
        bearer: &SecretString,
        call: Call<'_>,
    ) -> (Result<Answer, Error>, Option<TimestampMs>) {
        let uri = format!("{}{}{}", self.endpoints.origin, self.endpoints.rest, call.path);
        let what = call.what;
        match self.answered(bearer, &uri, call).await {
            Ok((status, headers, body)) => {
                let date_ms = date_ms(&headers);
                (self.settled(what, status, headers, body), date_ms)
            }
            Err(error) => (Err(error), None),
        }
    }

    async fn send(&self, bearer: &SecretString, uri: &str, call: Call<'_>) -> Result<Answer, Error> {
        let what = call.what;
        // What octocrab and hyper need is large, and everything that asks GitHub holds it.
        let (status, headers, body) = Box::pin(self.answered(bearer, uri, call)).await?;
        self.settled(what, status, headers, body)
    }

    /// What came back, whatever its status.
    async fn answered(
        &self,
        bearer: &SecretString,
        uri: &str,
        call: Call<'_>,
    ) -> Result<(StatusCode, HeaderMap, Bytes), Error> {
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", bearer.expose_secret()))
            .map_err(|_| Error::Malformed { reason: "a token that is no header value".into() })?;
        authorization.set_sensitive(true);
        let uri = uri.parse::<Uri>().map_err(|error| Error::Malformed { reason: error.to_string() })?;
        let request = http::Request::builder()
            .method(call.method)
            .uri(uri)
            .header(AUTHORIZATION, authorization)
            .header(USER_AGENT, concat!("fromguard/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, call.accept.unwrap_or(JSON))
            .header("x-github-api-version", API_VERSION)
            .header(CONTENT_TYPE, "application/json")
            .body(call.body.unwrap_or_default())
            .expect("every part was checked");

        self.requests.fetch_add(1, Ordering::Relaxed);
        counts::GITHUB_REQUESTS.add();
        let limit = self.timeouts.request;
        tokio::time::timeout(limit, self.exchange(request, call.max_bytes))
            .await
            .map_err(|_| Error::TimedOut { limit_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX) })?
    }

    fn settled(
        &self,
        what: &str,
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer, Error> {
        if status.is_success() {
            return Ok(Answer { headers, body });
        }
        let error = Error::from_answer(what, status, &headers, &body, self.clock.now_ms());
        tracing::debug!(%status, what, %error, "GitHub refused a request");
        Err(error)
    }

    async fn exchange(
        &self,
        request: http::Request<Bytes>,
        max_bytes: usize,
    ) -> Result<(StatusCode, HeaderMap, Bytes), Error> {
        let answer = self
            .octocrab
            .execute(request)
            .await
            .map_err(|error| Error::Network { reason: reason(&error) })?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, max_bytes).collect().await.map_err(|error| {
            if error.is::<http_body_util::LengthLimitError>() {
                Error::TooLarge { limit_bytes: max_bytes }
            } else {
                Error::Network { reason: reason(error.as_ref()) }
            }
        })?;
        Ok((parts.status, parts.headers, body.to_bytes()))
    }
}

/// A way to hosts, over TLS or not.
pub(crate) fn connected(secure: bool, timeouts: Timeouts) -> Result<Octocrab, SetUpError> {
    let mut http = HttpConnector::new();
    http.set_connect_timeout(Some(timeouts.connect));
    http.set_nodelay(true);
    http.enforce_http(false);
    if !secure {
        return Ok(transport(http));
    }
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_native_roots()
        .map_err(|error| SetUpError::Certificates(error.to_string()))?
        .https_only()
        .enable_http1()
        .wrap_connector(http);
    Ok(transport(connector))
}

/// octocrab over our connections. Its own stack would retry POSTs, follow
/// redirects and call itself `octocrab`.
fn transport<C>(connector: C) -> Octocrab
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let service = HyperClient::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .build::<_, octocrab::OctoBody>(connector);
    match OctocrabBuilder::new_empty().with_service(service).with_auth(AuthState::None).build() {
        Ok(octocrab) => octocrab,
        Err(never) => match never {},
    }
}

/// The innermost cause, which says what happened, without octocrab's backtrace.
pub(crate) fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    one_line(&cause.to_string())
}

/// What an answer's `Date` says.
fn date_ms(headers: &HeaderMap) -> Option<TimestampMs> {
    let date = jiff::fmt::rfc2822::parse(headers.get(DATE)?.to_str().ok()?).ok()?;
    Some(date.timestamp().as_millisecond())
}

/// Where REST and GraphQL are.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Endpoints {
    secure: bool,
    origin: String,
    rest: String,
    graphql: String,
}

impl Endpoints {
    /// `https://api.github.com` has `/graphql`; GitHub Enterprise Server has REST
    /// at `/api/v3` and GraphQL at `/api/graphql`.
    fn parse(api_url: &str) -> Result<Endpoints, SetUpError> {
        let wrong = |why: &str| SetUpError::ApiUrl { url: api_url.to_owned(), why: why.to_owned() };
        let uri = api_url.trim().parse::<Uri>().map_err(|error| wrong(&error.to_string()))?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("it must begin with https:// (or http://)")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("it must hold no user or password"));
        }
        if uri.query().is_some() {
            return Err(wrong("it must have no query"));
        }
        let origin = format!("{}://{authority}", if secure { "https" } else { "http" });
        let rest = uri.path().trim_end_matches('/').to_owned();
        let graphql = match rest.strip_suffix(ENTERPRISE_REST) {
            Some(prefix) => format!("{prefix}/api/graphql"),
            None => format!("{rest}/graphql"),
        };
        Ok(Endpoints { secure, origin, rest, graphql })
    }
}

/// A path segment from a name that somebody else chose.
pub(crate) fn segment(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_' | b'~')
            || (byte == b'.' && name.len() > 2)
        {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graphql_is_beside_rest_where_each_github_has_it() {
        let graphql = |url| Endpoints::parse(url).map(|it| format!("{}{}", it.origin, it.graphql));
        assert_eq!(graphql("https://api.github.com").ok().as_deref(), Some("https://api.github.com/graphql"));
        assert_eq!(
            graphql("https://ghe.example.com/api/v3/").ok().as_deref(),
            Some("https://ghe.example.com/api/graphql")
        );
        assert_eq!(
            graphql("http://127.0.0.1:8080/x").ok().as_deref(),
            Some("http://127.0.0.1:8080/x/graphql")
        );
    }

    #[test]
    fn an_enterprise_server_is_given_more_time() {
        let waits = |url| Timeouts::of(url).request.as_secs();
        assert_eq!(waits("https://api.github.com"), 10);
        // A tenant of GitHub's own, with data residence.
        assert_eq!(waits("https://api.acme.ghe.com"), 10);
        assert_eq!(waits("https://ghe.example.com/api/v3/"), 30);
    }

    #[test]
    fn an_address_that_cannot_be_github_is_refused_at_start() {
        for url in ["", "api.github.com", "ftp://api.github.com", "https://me:pw@host", "https://host/?a=b"] {
            assert!(Endpoints::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn the_time_is_read_from_the_date_header() {
        let mut headers = HeaderMap::new();
        assert_eq!(date_ms(&headers), None);
        // The example of RFC 9110, section 5.6.7.
        headers.insert(DATE, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"));
        assert_eq!(date_ms(&headers), Some(784_111_777_000));
        headers.insert(DATE, HeaderValue::from_static("yesterday"));
        assert_eq!(date_ms(&headers), None);
    }

    #[test]
    fn a_name_cannot_leave_its_segment() {
        assert_eq!(segment(".github"), ".github");
        assert_eq!(segment(".."), "%2E%2E");
        assert_eq!(segment("a/../b?c"), "a%2F..%2Fb%3Fc");
    }
}
