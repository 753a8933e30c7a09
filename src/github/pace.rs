//! What GitHub allows, kept to before it has to say so: how many calls are under way at
//! once, how many points and how much new content a minute, for each installation apart,
//! so that one that has spent its share holds up no other.
//!
//! A call that would go over is not sent: it fails as GitHub's own limit does, with the
//! time at which it may be tried again, and who wanted it makes room for somebody else's.
//! After GitHub itself refused, nothing of that installation is sent until it may be.
//!
//! What the App asks in its own name (its installations, its log of deliveries) has a share of its
//! own. A token is asked for in the App's name too, but an installation wants it: GitHub does not say
//! whose points that costs, so that it is taken from the installation's share, where many tokens hold up
//! nobody else; and when GitHub refuses one, no token is asked for until it may be. Only what `doctor`
//! asks for an installation is not counted: it is a process of its own, makes a dozen calls for each of a few
//! installations, one after the other, and ends.
//!
//! <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits>

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::Mutex;

use http::Method;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::clock::TimestampMs;
use crate::counts;
use crate::github::error::Error;
use crate::ids::InstallationId;

/// GitHub takes 100 calls at once of an App; some are left for who runs it.
const CONCURRENT: usize = 80;
/// Of one installation, so that those of others are not behind it.
const CONCURRENT_OF_ONE: usize = 40;

const MINUTE_MS: i64 = 60_000;
/// Points of the REST API in a minute: a GET is 1, anything else 5.
const REST: Rate = Rate { size: 900, per_ms: MINUTE_MS };
/// Points of the GraphQL API in a minute: a query is 1, a mutation 5.
const GRAPHQL: Rate = Rate { size: 2_000, per_ms: MINUTE_MS };
/// New content (check runs, comments) in a minute, and in an hour.
const CONTENT: Rate = Rate { size: 80, per_ms: MINUTE_MS };
const CONTENT_OF_AN_HOUR: Rate = Rate { size: 500, per_ms: 60 * MINUTE_MS };

/// How many installations are remembered before those that spent nothing lately are forgotten.
const FORGET_AT: usize = 4_096;

/// What a judgement is begun with at the least: points of REST, of GraphQL, new content.
const A_JUDGEMENT: Cost = Cost { rest: 12, graphql: 4, content: 2 };

/// What a call takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) rest: i64,
    pub(crate) graphql: i64,
    pub(crate) content: i64,
}

impl Cost {
    /// <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#calculating-points-for-the-secondary-rate-limit>
    pub(crate) fn of_rest(method: &Method) -> Cost {
        Cost { rest: if method == Method::GET { 1 } else { 5 }, ..Cost::default() }
    }
}

/// Whose share a call is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Payer {
    /// The App asks in its own name.
    App,
    /// One installation's token, or the way to one.
    Installation(InstallationId),
}

/// So much in so long, filled up evenly.
#[derive(Debug, Clone, Copy)]
struct Rate {
    size: i64,
    per_ms: i64,
}

/// What is left of a [`Rate`], in parts of `1 / per_ms`, so that nothing is rounded.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    rate: Rate,
    left: i64,
    at_ms: TimestampMs,
}

impl Bucket {
    fn full(rate: Rate, now_ms: TimestampMs) -> Bucket {
        Bucket { rate, left: rate.size * rate.per_ms, at_ms: now_ms }
    }

    fn fill(&mut self, now_ms: TimestampMs) {
        let passed_ms = now_ms.saturating_sub(self.at_ms).clamp(0, self.rate.per_ms);
        self.left = (self.left + passed_ms * self.rate.size).min(self.rate.size * self.rate.per_ms);
        self.at_ms = self.at_ms.max(now_ms);
    }

    /// When so much is there; `None` when it is.
    fn ready_ms(&self, cost: i64) -> Option<TimestampMs> {
        let lacking = cost * self.rate.per_ms - self.left;
        (lacking > 0).then(|| self.at_ms + (lacking + self.rate.size - 1) / self.rate.size)
    }

    fn spend(&mut self, cost: i64) {
        self.left -= cost * self.rate.per_ms;
    }
}

/// What one payer has left.
struct Allowance {
    rest: Bucket,
    graphql: Bucket,
    content: Bucket,
    content_of_an_hour: Bucket,
    /// GitHub refuses everything until then.
    refused_until_ms: TimestampMs,
    under_way: Arc<Semaphore>,
}

impl Allowance {
    fn new(now_ms: TimestampMs) -> Allowance {
        Allowance {
            rest: Bucket::full(REST, now_ms),
            graphql: Bucket::full(GRAPHQL, now_ms),
            content: Bucket::full(CONTENT, now_ms),
            content_of_an_hour: Bucket::full(CONTENT_OF_AN_HOUR, now_ms),
            refused_until_ms: TimestampMs::MIN,
            under_way: Arc::new(Semaphore::new(CONCURRENT_OF_ONE)),
        }
    }

    fn buckets(&mut self, cost: Cost) -> [(&mut Bucket, i64); 4] {
        [
            (&mut self.rest, cost.rest),
            (&mut self.graphql, cost.graphql),
            (&mut self.content, cost.content),
            (&mut self.content_of_an_hour, cost.content),
        ]
    }

    /// When so much may be sent; `None` when it may be now.
    fn ready_ms(&mut self, cost: Cost, now_ms: TimestampMs) -> Option<TimestampMs> {
        let mut ready_ms = (self.refused_until_ms > now_ms).then_some(self.refused_until_ms);
        for (bucket, cost) in self.buckets(cost) {
            bucket.fill(now_ms);
            ready_ms = ready_ms.max(bucket.ready_ms(cost));
        }
        ready_ms
    }

    fn is_idle(&mut self, now_ms: TimestampMs) -> bool {
        let whole = Cost { rest: REST.size, graphql: GRAPHQL.size, content: CONTENT.size };
        self.ready_ms(whole, now_ms).is_none()
            && self.content_of_an_hour.ready_ms(CONTENT_OF_AN_HOUR.size).is_none()
            && self.under_way.available_permits() == CONCURRENT_OF_ONE
    }
}

/// Keeps to what GitHub allows; one for the whole App.
pub(crate) struct Pace {
    all: Arc<Semaphore>,
    payers: Mutex<HashMap<Payer, Allowance>>,
}

/// A call under way.
#[must_use]
pub(crate) struct Permit {
    _of_one: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { all: Arc::new(Semaphore::new(CONCURRENT)), payers: Mutex::default() }
    }
}

impl Pace {
    /// Sends a call when the payer's share allows it, and remembers when GitHub refuses.
    ///
    /// # Errors
    /// What the call fails with; [`Error::RateLimited`] also when it may not be sent now.
    pub(crate) async fn send<T>(
        &self,
        payer: Payer,
        cost: Cost,
        clock: &Clock,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let _permit = self.enter(payer, cost, clock.now_ms()).await?;
        let answer = call.await;
        if let Err(Error::RateLimited { retry_at_ms, .. }) = &answer {
            self.refused(payer, *retry_at_ms, clock.now_ms());
        }
        answer
    }

    /// Asks in the App's name for what an installation wants, and pays.
    ///
    /// # Errors
    /// As [`Pace::send`]; a refusal keeps back what the App itself asks, too.
    pub(crate) async fn send_for<T>(
        &self,
        installation: InstallationId,
        cost: Cost,
        clock: &Clock,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let now_ms = clock.now_ms();
        let refused_until_ms = self.with(Payer::App, now_ms, |allowance| allowance.refused_until_ms);
        if refused_until_ms > now_ms {
            return Err(kept_back(refused_until_ms));
        }
        // A share that is spent is no refusal of GitHub's: only what GitHub answers keeps back the App.
        let answered = async {
            let answer = call.await;
            if let Err(Error::RateLimited { retry_at_ms, .. }) = &answer {
                self.refused(Payer::App, *retry_at_ms, clock.now_ms());
            }
            answer
        };
        self.send(Payer::Installation(installation), cost, clock, answered).await
    }

    /// Lets a call through, as soon as fewer are under way.
    ///
    /// # Errors
    /// When it may not be sent now: [`Error::RateLimited`] says when.
    async fn enter(&self, payer: Payer, cost: Cost, now_ms: TimestampMs) -> Result<Permit, Error> {
        let under_way = self.with(payer, now_ms, |allowance| {
            if let Some(retry_at_ms) = allowance.ready_ms(cost, now_ms) {
                return Err(kept_back(retry_at_ms));
            }
            for (bucket, cost) in allowance.buckets(cost) {
                bucket.spend(cost);
            }
            Ok(Arc::clone(&allowance.under_way))
        })?;
        let closed = "the semaphore is never closed";
        // Its own first: who waits for that holds no place that somebody else could have.
        let of_one = under_way.acquire_owned().await.expect(closed);
        let of_all = Arc::clone(&self.all).acquire_owned().await.expect(closed);
        Ok(Permit { _of_one: of_one, _of_all: of_all })
    }

    /// GitHub refuses until then.
    pub(crate) fn refused(&self, payer: Payer, until_ms: TimestampMs, now_ms: TimestampMs) {
        self.with(payer, now_ms, |allowance| {
            allowance.refused_until_ms = allowance.refused_until_ms.max(until_ms);
        });
    }

    /// When a judgement may begin; `None` when it may now.
    pub(crate) fn busy_until_ms(
        &self,
        installation: InstallationId,
        now_ms: TimestampMs,
    ) -> Option<TimestampMs> {
        let payer = Payer::Installation(installation);
        self.with(payer, now_ms, |allowance| allowance.ready_ms(A_JUDGEMENT, now_ms))
    }

    fn with<T>(&self, payer: Payer, now_ms: TimestampMs, work: impl FnOnce(&mut Allowance) -> T) -> T {
        let mut payers = self.payers.lock().expect("no holder of the allowances panics");
        if payers.len() >= FORGET_AT {
            payers.retain(|_, allowance| !allowance.is_idle(now_ms));
        }
        work(payers.entry(payer).or_insert_with(|| Allowance::new(now_ms)))
    }
}

/// As GitHub's own limit.
fn kept_back(retry_at_ms: TimestampMs) -> Error {
    counts::GITHUB_KEPT_BACK.add();
    Error::RateLimited {
        retry_at_ms,
        message: "fromguard keeps to GitHub's limits for this installation".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Payer = Payer::Installation(InstallationId(1));
    const OTHER: Payer = Payer::Installation(InstallationId(2));
    const GET: Cost = Cost { rest: 1, graphql: 0, content: 0 };
    const POST: Cost = Cost { rest: 5, graphql: 0, content: 1 };

    fn busy_until_ms(pace: &Pace, payer: Payer, now_ms: i64) -> Option<i64> {
        match payer {
            Payer::Installation(installation) => pace.busy_until_ms(installation, now_ms),
            Payer::App => None,
        }
    }

    async fn sent(pace: &Pace, payer: Payer, cost: Cost, now_ms: i64) -> usize {
        let mut sent = 0;
        while pace.enter(payer, cost, now_ms).await.is_ok() {
            sent += 1;
        }
        sent
    }

    #[tokio::test]
    async fn what_github_allows_in_a_minute_is_sent_and_no_more() {
        let pace = Pace::default();
        assert_eq!(sent(&pace, ONE, GET, 0).await, 900);
        // A second fills up fifteen points.
        assert_eq!(sent(&pace, ONE, GET, 1_000).await, 15);
        assert_eq!(sent(&pace, ONE, GET, 1_000 + MINUTE_MS).await, 900);
    }

    #[tokio::test]
    async fn new_content_has_limits_of_its_own() {
        let pace = Pace::default();
        assert_eq!(sent(&pace, ONE, POST, 0).await, 80);
        let refused = pace.enter(ONE, POST, 0).await.err();
        assert_eq!(refused.and_then(|error| error.retry_at_ms()), Some(750));
        assert!(pace.enter(ONE, GET, 0).await.is_ok(), "reading goes on");
        let mut hour = 80;
        for minute in 1..30 {
            hour += sent(&pace, ONE, POST, minute * MINUTE_MS).await;
        }
        assert!((700..=760).contains(&hour), "{hour} in half an hour: 500 and what was filled up meanwhile");
    }

    #[tokio::test]
    async fn one_installation_s_limit_is_not_another_s() {
        let pace = Pace::default();
        sent(&pace, ONE, GET, 0).await;
        assert!(busy_until_ms(&pace, ONE, 0).is_some());
        assert_eq!(busy_until_ms(&pace, OTHER, 0), None);
        pace.refused(OTHER, 90_000, 0);
        assert_eq!(busy_until_ms(&pace, OTHER, 0), Some(90_000));
        let refused = pace.enter(OTHER, GET, 1).await.err();
        assert_eq!(refused.and_then(|error| error.retry_at_ms()), Some(90_000));
        assert!(pace.enter(OTHER, GET, 90_000).await.is_ok());
    }

    #[tokio::test]
    async fn no_installation_takes_every_place() {
        let pace = Pace::default();
        let mut under_way = Vec::new();
        for _ in 0..CONCURRENT_OF_ONE {
            under_way.push(pace.enter(ONE, GET, 0).await.expect("a place"));
        }
        assert!(pace.enter(OTHER, GET, 0).await.is_ok(), "another installation has its own");
        under_way.clear();
        assert!(pace.enter(ONE, GET, 0).await.is_ok());
    }

    #[tokio::test]
    async fn a_token_is_an_installation_s_to_pay_and_a_refused_one_keeps_back_the_app() {
        let pace = Pace::default();
        let clock = Clock::manual(0);
        let (one, other) = (InstallationId(1), InstallationId(2));
        let mint = Cost::of_rest(&Method::POST);
        for _ in 0..900 / 5 {
            assert!(pace.send_for(one, mint, &clock, async { Ok(()) }).await.is_ok());
        }
        assert!(pace.send_for(one, mint, &clock, async { Ok(()) }).await.is_err(), "its share is spent");
        assert!(pace.send_for(other, mint, &clock, async { Ok(()) }).await.is_ok(), "and no other's");
        assert!(pace.send(Payer::App, mint, &clock, async { Ok(()) }).await.is_ok(), "nor the App's");
        let limited =
            async { Err::<(), _>(Error::RateLimited { retry_at_ms: 60_000, message: String::new() }) };
        assert!(pace.send_for(other, mint, &clock, limited).await.is_err());
        for refused in [
            pace.send(Payer::App, mint, &clock, async { Ok(()) }).await,
            pace.send_for(InstallationId(3), mint, &clock, async { Ok(()) }).await,
        ] {
            assert_eq!(refused.err().and_then(|error| error.retry_at_ms()), Some(60_000));
        }
        clock.advance(std::time::Duration::from_secs(60));
        assert!(pace.send_for(InstallationId(3), mint, &clock, async { Ok(()) }).await.is_ok());
    }

    #[test]
    fn installations_that_rest_are_forgotten() {
        let pace = Pace::default();
        for number in 0..FORGET_AT as u64 {
            pace.with(Payer::Installation(InstallationId(number)), 0, |allowance| allowance.rest.spend(1));
        }
        pace.with(Payer::App, 10 * MINUTE_MS, |_| ());
        assert_eq!(pace.payers.lock().map(|it| it.len()).unwrap_or_default(), 1);
    }
}
