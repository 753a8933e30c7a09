//! The App's own log of deliveries: which came through, and asking for one again.
//!
//! <https://docs.github.com/en/rest/apps/webhooks>

use http::HeaderMap;
use http::Method;
use http::header::LINK;
use serde::Deserialize;

use crate::clock::TimestampMs;
use crate::github::GitHub;
use crate::github::client::Call;
use crate::github::error::Error;

const HOUR_MS: i64 = 60 * 60 * 1_000;
/// How far back a delivery can be asked for again, at GitHub and at an Enterprise Server.
/// <https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks>
const REPEATED_FOR_MS: i64 = 3 * 24 * HOUR_MS;
const REPEATED_BY_SERVERS_FOR_MS: i64 = 7 * 24 * HOUR_MS;

const PAGE: usize = 100;
/// How many pages of the log are read at once.
const MAX_PAGES: usize = 100;

/// One attempt of GitHub's to deliver; a redelivery is another of the same GUID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The attempt.
    pub id: u64,
    /// The delivery.
    pub guid: String,
    /// When.
    pub at_ms: TimestampMs,
    /// What we answered; 0 when we did not.
    pub status_code: u16,
    /// The event.
    pub event: String,
}

impl Attempt {
    /// Whether it came through.
    #[must_use]
    pub fn arrived(&self) -> bool {
        (200..300).contains(&self.status_code)
    }
}

impl GitHub {
    /// How far back it repeats a delivery, in milliseconds.
    #[must_use]
    pub fn repeats_for_ms(&self) -> i64 {
        match self.client().is_enterprise_server() {
            true => REPEATED_BY_SERVERS_FOR_MS,
            false => REPEATED_FOR_MS,
        }
    }

    /// The attempts since a time, the newest first.
    ///
    /// # Errors
    /// When GitHub does not say.
    pub async fn attempts(&self, since_ms: TimestampMs) -> Result<Vec<Attempt>, Error> {
        let mut attempts = Vec::new();
        let mut cursor = String::new();
        for _ in 0..MAX_PAGES {
            let (page, next) = self.attempts_page(&cursor).await?;
            for attempt in page {
                if attempt.at_ms < since_ms {
                    return Ok(attempts);
                }
                attempts.push(attempt);
            }
            match next {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(attempts),
            }
        }
        tracing::warn!(attempts = attempts.len(), "the log of deliveries is longer than what is read of it");
        Ok(attempts)
    }

    /// The newest attempts, at most a hundred, the newest first.
    ///
    /// # Errors
    /// When GitHub does not say.
    pub async fn newest_attempts(&self) -> Result<Vec<Attempt>, Error> {
        self.attempts_page("").await.map(|(attempts, _)| attempts)
    }

    /// One page, and where the next one begins.
    async fn attempts_page(&self, cursor: &str) -> Result<(Vec<Attempt>, Option<String>), Error> {
        #[derive(Deserialize)]
        struct Listed {
            id: u64,
            guid: String,
            delivered_at: String,
            status_code: u16,
            event: String,
        }

        let path = format!("/app/hook/deliveries?per_page={PAGE}{cursor}");
        let call = Call::get("the App's deliveries", &path);
        let answer = self.app().rest(call).await?;
        let mut attempts = Vec::new();
        for Listed { id, guid, delivered_at, status_code, event } in answer.json::<Vec<Listed>>()? {
            let at: jiff::Timestamp = delivered_at.parse().map_err(|_| Error::Malformed {
                reason: "a delivery whose delivered_at is no time".into(),
            })?;
            attempts.push(Attempt { id, guid, at_ms: at.as_millisecond(), status_code, event });
        }
        Ok((attempts, next_cursor(&answer.headers)))
    }

    /// Asks for the delivery of an attempt again.
    ///
    /// # Errors
    /// When GitHub does not take the wish.
    pub async fn redeliver(&self, attempt: u64) -> Result<(), Error> {
        let path = format!("/app/hook/deliveries/{attempt}/attempts");
        let call = Call { method: Method::POST, ..Call::get("the delivery", &path) };
        self.app().rest(call).await.map(drop)
    }
}

/// `cursor` of the `Link` whose `rel` is `next`: what GitHub wants back as it is.
fn next_cursor(headers: &HeaderMap) -> Option<String> {
    let links = headers.get(LINK)?.to_str().ok()?;
    let next = links.split(',').find(|link| link.contains("rel=\"next\""))?;
    let url = next.split_once('<')?.1.split_once('>')?.0;
    let cursor = url.split_once('?')?.1.split('&').find_map(|pair| pair.strip_prefix("cursor="))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '%' | '=');
    cursor.chars().all(plain).then(|| cursor.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_s_cursor_is_read_from_the_link() {
        let cursor = |link: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(LINK, link.parse().expect("a header value"));
            next_cursor(&headers)
        };
        let link = r#"<https://api.github.com/app/hook/deliveries?per_page=100&cursor=v1_12077>; rel="next""#;
        assert_eq!(cursor(link).as_deref(), Some("v1_12077"));
        assert_eq!(cursor(&link.replace("next", "prev")), None);
        assert_eq!(cursor(r#"<https://x/?cursor=a b&c>; rel="next""#), None);
        assert_eq!(next_cursor(&HeaderMap::new()), None);
    }
}
