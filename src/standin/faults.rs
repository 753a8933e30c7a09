//! What goes wrong between an app and GitHub, on order and a counted number of times.

use std::time::Duration;

/// What a request meets instead of, or besides, its answer.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This answer; the request is not processed.
    Status {
        /// The status.
        status: u16,
        /// Headers besides the content type.
        headers: Vec<(String, String)>,
        /// The body, as it is.
        body: String,
    },
    /// A secondary rate limit in its worst form: 403, no `retry-after`, requests remaining.
    SecondaryLimitNoHeaders,
    /// A GraphQL error in a 200 with no data, as when GitHub runs out of points or trips over the query.
    GraphqlErrorIn200 {
        /// The error's `type`: `RATE_LIMITED`, or empty for none.
        kind: String,
    },
    /// GitHub gave up after its own ten seconds: 502.
    Timeout,
    /// The request is read and never answered.
    Hang,
    /// The answer comes after this long by the stand-in's clock.
    Slow(Duration),
    /// The connection is cut before the request is processed.
    Drop,
    /// The connection is cut after the request was processed: nobody knows whether it was.
    DropAfterProcessing,
}

/// Which requests a fault meets.
#[derive(Debug, Clone)]
pub struct Endpoint {
    method: Option<String>,
    template: Option<String>,
    body_contains: Option<String>,
}

impl Endpoint {
    /// Every request.
    #[must_use]
    pub fn any() -> Endpoint {
        Endpoint { method: None, template: None, body_contains: None }
    }

    /// A REST operation, its path as GitHub's description writes it:
    /// `Endpoint::rest("POST", "/repos/{owner}/{repo}/check-runs")`.
    #[must_use]
    pub fn rest(method: &str, template: &str) -> Endpoint {
        Endpoint { method: Some(method.to_owned()), template: Some(template.to_owned()), body_contains: None }
    }

    /// GraphQL queries.
    #[must_use]
    pub fn graphql() -> Endpoint {
        Endpoint::rest("POST", "/graphql")
    }

    /// Minting an installation token.
    #[must_use]
    pub fn token() -> Endpoint {
        Endpoint::rest("POST", "/app/installations/{installation_id}/access_tokens")
    }

    /// Posting a check run.
    #[must_use]
    pub fn post_check_run() -> Endpoint {
        Endpoint::rest("POST", "/repos/{owner}/{repo}/check-runs")
    }

    /// Updating a check run.
    #[must_use]
    pub fn patch_check_run() -> Endpoint {
        Endpoint::rest("PATCH", "/repos/{owner}/{repo}/check-runs/{check_run_id}")
    }

    /// Only requests whose body holds this text: one query among several, say.
    #[must_use]
    pub fn with_body_containing(self, text: &str) -> Endpoint {
        Endpoint { body_contains: Some(text.to_owned()), ..self }
    }

    fn matches(&self, method: &str, template: &str, body: &[u8]) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted == method)
            && self.template.as_ref().is_none_or(|wanted| wanted == template)
            && self
                .body_contains
                .as_ref()
                .is_none_or(|wanted| String::from_utf8_lossy(body).contains(wanted.as_str()))
    }
}

/// The faults still to come, met in the order in which they were ordered.
#[derive(Default)]
pub(super) struct Faults {
    ordered: Vec<Ordered>,
}

struct Ordered {
    endpoint: Endpoint,
    fault: Fault,
    skip: u32,
    times: u32,
}

impl Faults {
    /// Lets `skip` matching requests pass, then meets the next `times`.
    pub(super) fn order(&mut self, endpoint: Endpoint, fault: Fault, skip: u32, times: u32) {
        self.ordered.push(Ordered { endpoint, fault, skip, times });
    }

    /// The fault that a request meets; each meeting uses one up.
    pub(super) fn meet(&mut self, method: &str, template: &str, body: &[u8]) -> Option<Fault> {
        for ordered in &mut self.ordered {
            if ordered.times == 0 || !ordered.endpoint.matches(method, template, body) {
                continue;
            }
            if ordered.skip > 0 {
                ordered.skip -= 1;
                continue;
            }
            ordered.times -= 1;
            return Some(ordered.fault.clone());
        }
        None
    }

    /// How many faults are still to come.
    pub(super) fn left(&self) -> u32 {
        self.ordered.iter().map(|ordered| ordered.times).sum()
    }

    /// Forgets those still to come.
    pub(super) fn clear(&mut self) {
        self.ordered.clear();
    }
}
