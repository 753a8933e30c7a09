//! What goes wrong between GitHub and us: whose fault it is, whether asking again
//! can help, and when.

use http::HeaderMap;
use http::StatusCode;
use serde::Deserialize;
use thiserror::Error;

use crate::clock::TimestampMs;

/// How long a limit that names no time is waited out, in milliseconds.
/// <https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#handle-rate-limit-errors-appropriately>
const SECONDARY_LIMIT_WAIT_MS: i64 = 60_000;

/// The longest wait that a header is believed, in milliseconds: a primary limit
/// resets within the hour.
const MAX_LIMIT_WAIT_MS: i64 = 65 * 60_000;

/// The part of GitHub's own message that is kept, in characters.
const MAX_MESSAGE_CHARS: usize = 400;

/// Why GitHub did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// GitHub: what was asked for does not exist, or we may not know that it does.
    #[error("GitHub does not know {what} (404): {message}")]
    NotFound {
        /// What was asked for.
        what: String,
        /// GitHub's words.
        message: String,
    },
    /// Operator: the App's key or id is refused, or a token was revoked.
    #[error("GitHub refused our credentials (401): {message}")]
    Unauthorised {
        /// GitHub's words.
        message: String,
    },
    /// Operator: the App lacks a permission, or the installation is suspended.
    #[error("GitHub forbids it (403): {message}")]
    Forbidden {
        /// GitHub's words.
        message: String,
    },
    /// GitHub: we have asked too often.
    #[error("GitHub's rate limit is reached: {message}")]
    RateLimited {
        /// When it may be tried again.
        retry_at_ms: TimestampMs,
        /// GitHub's words.
        message: String,
    },
    /// Us: GitHub understood the request and refuses it.
    #[error("GitHub refuses the request (422): {message}")]
    Unprocessable {
        /// GitHub's words.
        message: String,
    },
    /// GitHub: it has an outage.
    #[error("GitHub failed with status {status}")]
    Server {
        /// The HTTP status.
        status: u16,
    },
    /// The network: no answer, or half of one.
    #[error("GitHub cannot be reached: {reason}")]
    Network {
        /// What happened.
        reason: String,
    },
    /// GitHub or the network: no answer in time.
    #[error("GitHub did not answer within {limit_ms} ms")]
    TimedOut {
        /// How long was waited.
        limit_ms: u64,
    },
    /// GitHub: an answer over our limit.
    #[error("GitHub's answer is over {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// GitHub: an answer that is not what its description says.
    #[error("GitHub's answer makes no sense: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// GitHub: errors inside a GraphQL answer.
    #[error("GitHub's GraphQL answered with an error: {message}")]
    GraphQl {
        /// GitHub's words.
        message: String,
    },
    /// GitHub: the repository has another name now, or another status came that nothing explains.
    #[error("GitHub answered with status {status}: {message}")]
    Unexpected {
        /// The HTTP status.
        status: u16,
        /// GitHub's words.
        message: String,
    },
    /// Operator: the private key cannot sign.
    #[error("the App's private key cannot sign: {reason}")]
    Key {
        /// What is wrong with it.
        reason: String,
    },
}

/// Who can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Who runs this server.
    Operator,
    /// GitHub, or the network on the way to it.
    GitHub,
    /// We sent something wrong.
    Us,
}

impl Error {
    /// Who can mend it.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Error::Unauthorised { .. } | Error::Forbidden { .. } | Error::Key { .. } => Fault::Operator,
            Error::Unprocessable { .. } | Error::TooLarge { .. } => Fault::Us,
            _ => Fault::GitHub,
        }
    }

    /// Whether asking the same again may help.
    #[must_use]
    pub fn repeatable(&self) -> bool {
        matches!(
            self,
            Error::Unauthorised { .. }
                | Error::RateLimited { .. }
                | Error::Server { .. }
                | Error::Network { .. }
                | Error::TimedOut { .. }
                | Error::GraphQl { .. }
        )
    }

    /// Whether GitHub may have carried the request out nevertheless, so that a
    /// POST is looked up before it is repeated.
    #[must_use]
    pub fn ambiguous(&self) -> bool {
        matches!(
            self,
            Error::Server { .. }
                | Error::Network { .. }
                | Error::TimedOut { .. }
                | Error::TooLarge { .. }
                | Error::Malformed { .. }
        )
    }

    /// Whether nobody can be told anything there, however long it is tried: the repository
    /// is archived, or the installation suspended. An event says when that ends.
    #[must_use]
    pub fn is_shut(&self) -> bool {
        match self {
            Error::Forbidden { message } => {
                let said = message.to_ascii_lowercase();
                said.contains("archived") || said.contains("suspended")
            }
            _ => false,
        }
    }

    /// When it may be tried again, where GitHub said so.
    #[must_use]
    pub fn retry_at_ms(&self) -> Option<TimestampMs> {
        match self {
            Error::RateLimited { retry_at_ms, .. } => Some(*retry_at_ms),
            _ => None,
        }
    }

    /// Reads an answer whose status is not a success.
    pub(crate) fn from_answer(
        what: &str,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        now_ms: TimestampMs,
    ) -> Error {
        let message = message(body).unwrap_or_else(|| {
            status.canonical_reason().unwrap_or("an answer without words").to_ascii_lowercase()
        });
        match status.as_u16() {
            401 => Error::Unauthorised { message },
            403 | 429 => match limited_until(status, headers, &message, now_ms) {
                Some(retry_at_ms) => Error::RateLimited { retry_at_ms, message },
                None => Error::Forbidden { message },
            },
            404 | 410 => Error::NotFound { what: what.to_owned(), message },
            400 | 422 => Error::Unprocessable { message },
            500..=599 => Error::Server { status: status.as_u16() },
            other => Error::Unexpected { status: other, message },
        }
    }
}

/// When a 403 or 429 is a limit: the time to wait for. A secondary limit may come
/// as a 403 without any header and with requests remaining.
fn limited_until(
    status: StatusCode,
    headers: &HeaderMap,
    message: &str,
    now_ms: TimestampMs,
) -> Option<TimestampMs> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
    let capped = |at_ms: i64| at_ms.clamp(now_ms.saturating_add(1_000), now_ms + MAX_LIMIT_WAIT_MS);
    if let Some(after_s) = number("retry-after") {
        return Some(capped(now_ms.saturating_add(after_s.saturating_mul(1_000))));
    }
    if number("x-ratelimit-remaining") == Some(0) {
        let reset_ms = number("x-ratelimit-reset").map(|at_s| at_s.saturating_mul(1_000));
        return Some(capped(reset_ms.unwrap_or(now_ms + SECONDARY_LIMIT_WAIT_MS)));
    }
    let said = message.to_ascii_lowercase();
    let is_limit = status == StatusCode::TOO_MANY_REQUESTS
        || said.contains("rate limit")
        || said.contains("abuse detection");
    is_limit.then_some(now_ms + SECONDARY_LIMIT_WAIT_MS)
}

/// When a GraphQL answer says that the limit is reached.
pub(crate) fn graphql_limit(headers: &HeaderMap, message: &str, now_ms: TimestampMs) -> Error {
    let retry_at_ms = limited_until(StatusCode::TOO_MANY_REQUESTS, headers, message, now_ms)
        .unwrap_or(now_ms + SECONDARY_LIMIT_WAIT_MS);
    Error::RateLimited { retry_at_ms, message: message.to_owned() }
}

/// GitHub's own words out of an error's body, on one line and short.
fn message(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Body {
        message: Option<String>,
        #[serde(default)]
        errors: serde_json::Value,
    }
    let body: Body = serde_json::from_slice(body).ok()?;
    let mut words = body.message?;
    let details: Vec<&str> = body
        .errors
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|error| error.as_str().or_else(|| error.get("message")?.as_str()))
        .collect();
    if !details.is_empty() {
        words = format!("{words} ({})", details.join("; "));
    }
    Some(one_line(&words))
}

/// Somebody else's words on one line, without control characters, and short.
pub(crate) fn one_line(words: &str) -> String {
    let clean: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let clean = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    match clean.char_indices().nth(MAX_MESSAGE_CHARS) {
        Some((end, _)) => format!("{}…", &clean[..end]),
        None => clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000;

    fn read(status: u16, headers: &[(&'static str, &str)], body: &str) -> Error {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().expect("a header value"));
        }
        let status = StatusCode::from_u16(status).expect("a status");
        Error::from_answer("the thing", status, &map, body.as_bytes(), NOW)
    }

    #[test]
    fn a_secondary_limit_without_a_header_waits_a_minute() {
        let body = r#"{"message":"You have exceeded a secondary rate limit."}"#;
        let error = read(403, &[("x-ratelimit-remaining", "4000")], body);
        assert_eq!(error.retry_at_ms(), Some(NOW + 60_000));
        assert!(error.repeatable());
        assert_eq!(read(429, &[], "").retry_at_ms(), Some(NOW + 60_000));
    }

    #[test]
    fn the_time_that_a_header_names_is_waited_for() {
        assert_eq!(read(403, &[("retry-after", "7")], "{}").retry_at_ms(), Some(NOW + 7_000));
        let reset = (NOW / 1_000 + 120).to_string();
        let headers = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset.as_str())];
        assert_eq!(read(403, &headers, "{}").retry_at_ms(), Some(NOW + 120_000));
        assert_eq!(read(429, &[("retry-after", "999999999999")], "").retry_at_ms(), Some(NOW + 65 * 60_000));
        assert_eq!(read(429, &[("retry-after", "-5")], "").retry_at_ms(), Some(NOW + 1_000));
    }

    #[test]
    fn a_missing_permission_is_no_limit() {
        let error = read(
            403,
            &[("x-ratelimit-remaining", "10")],
            r#"{"message":"Resource not accessible by integration"}"#,
        );
        assert_eq!(error, Error::Forbidden { message: "Resource not accessible by integration".into() });
        assert!(!error.repeatable());
        assert_eq!(error.fault(), Fault::Operator);
    }

    #[test]
    fn only_what_may_have_happened_is_ambiguous() {
        assert!(read(502, &[], "<html>").ambiguous());
        assert!(Error::TimedOut { limit_ms: 1 }.ambiguous());
        for status in [401, 403, 404, 422, 429, 301] {
            assert!(!read(status, &[], "{}").ambiguous(), "{status}");
        }
    }

    #[test]
    fn github_s_words_are_kept_with_their_details_on_one_line() {
        let body =
            r#"{"message":"Validation\nFailed","errors":[{"message":"No commit found for SHA: abc"}]}"#;
        let expected = "Validation Failed (No commit found for SHA: abc)".to_owned();
        assert_eq!(read(422, &[], body), Error::Unprocessable { message: expected });
        let long = format!(r#"{{"message":"{}"}}"#, "é".repeat(1_000));
        match read(422, &[], &long) {
            Error::Unprocessable { message } => assert_eq!(message.chars().count(), MAX_MESSAGE_CHARS + 1),
            other => panic!("{other:?}"),
        }
    }
}
