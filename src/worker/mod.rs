//! Takes a judgement from the store: fetch, scan, judge, publish.
//!
//! The loop here claims what is due, keeps its lease while it is worked on, and
//! writes down how it ended. A panic ends the judgement that caused it, not the
//! worker. [`judgement`] is one judgement from end to end, [`publication`] what it
//! posts, [`own`] what the organisation itself keeps, [`archive`] keeps what registries said,
//! [`backoff`] says when it is tried again, [`sweep`] finds what was lost. Nothing here knows HTTP or SQL.

mod archive;
mod backoff;
mod judgement;
mod own;
mod publication;
mod sweep;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use fromguard_core::report::Fault;
use fromguard_core::report::Report;
use tokio::task::AbortHandle;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::clock::TimestampMs;
use crate::counts;
use crate::github::GitHub;
use crate::registry::Inquiry;
use crate::store::Job;
use crate::store::Store;

pub use backoff::Backoff;
pub use sweep::Sweeper;

/// How the worker works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many judgements are under way at once.
    pub concurrency: usize,
    /// How long a lease holds, in milliseconds; it is renewed after a third of that. Where replicas
    /// share a database, what a dead one was at is taken over after this long: nothing that it had
    /// asked of GitHub may come true later than that.
    pub lease_ms: i64,
    /// How often judging is tried before the head is said to be unjudgeable.
    pub judging_attempts: u32,
    /// A judgement that waited longer than this posts a run that is in progress first.
    pub announce_after_ms: i64,
    /// When what failed is tried again.
    pub backoff: Backoff,
    /// How long judgements under way may take to end when the server stops.
    pub grace: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            concurrency: 16,
            lease_ms: 15_000,
            judging_attempts: 5,
            announce_after_ms: 3_000,
            backoff: Backoff::default(),
            grace: Duration::from_secs(20),
        }
    }
}

impl Settings {
    /// Those for a GitHub that works on a request for so long at most.
    #[must_use]
    pub fn outlasting(request: Duration) -> Settings {
        let usual = Settings::default();
        let request_ms = i64::try_from(request.as_millis()).unwrap_or(i64::MAX);
        Settings { lease_ms: usual.lease_ms.max(request_ms.saturating_add(request_ms / 2)), ..usual }
    }
}

/// How far apart judgements begin at most that waited for the same limit, in milliseconds.
const POSTPONED_SPREAD_MS: u64 = 5_000;

/// How long the worker waits for what another replica is about to claim or change, in milliseconds.
const HELD_WAIT_MS: i64 = 50;

/// How long the worker waits when the store fails, in milliseconds.
const STORE_FAILED_WAIT_MS: i64 = 1_000;

/// Judges what the store wants judged; cheap to clone.
#[derive(Clone)]
pub struct Worker {
    store: Store,
    github: GitHub,
    clock: Clock,
    settings: Arc<Settings>,
    /// Who is asked for evidence; `None` offline.
    inquiry: Option<Inquiry>,
}

/// How a judgement ended.
#[derive(Debug)]
enum Outcome {
    /// Its result is published, or none is wanted any more.
    Done,
    /// It can never be published: the commit or the installation is gone.
    Unreportable(String),
    /// It is to be tried again, not before the time that GitHub named.
    Again { not_before_ms: Option<TimestampMs>, error: String },
    /// Its installation has spent its share of GitHub; it was not tried.
    Later { at_ms: TimestampMs },
    /// Somebody else holds it now.
    Lost,
}

impl Worker {
    /// A worker; [`Worker::run`] makes it work.
    #[must_use]
    pub fn new(store: Store, github: GitHub, clock: Clock, settings: Settings) -> Worker {
        Worker { store, github, clock, settings: Arc::new(settings), inquiry: None }
    }

    /// The same worker, which asks for evidence, and keeps it in the store.
    #[must_use]
    pub fn asking(self, inquiry: Inquiry) -> Worker {
        inquiry.keep_in(Arc::new(archive::Kept::new(self.store.clone())));
        Worker { inquiry: Some(inquiry), ..self }
    }

    /// Works until `shutdown` resolves, then lets what is under way end within the grace.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let mut changes = self.store.changes();
        let heartbeat = self.store.heartbeat();
        let mut running = JoinSet::new();
        loop {
            heartbeat.beat(self.clock.now_ms());
            // Seen before it is asked for: what changes from here on wakes us.
            changes.borrow_and_update();
            let wake_ms = self.claim_due(&mut running).await;
            let full = running.len() >= self.settings.concurrency.max(1);
            tokio::select! {
                () = &mut shutdown => break,
                changed = changes.changed(), if !full => {
                    if changed.is_err() {
                        break;
                    }
                }
                Some(ended) = running.join_next() => log_if_panicked(ended),
                () = self.clock.sleep_until(wake_ms) => {}
            }
        }
        let ended = tokio::time::timeout(self.settings.grace, async {
            while let Some(ended) = running.join_next().await {
                log_if_panicked(ended);
            }
        });
        if ended.await.is_err() {
            tracing::warn!(
                judgements = running.len(),
                "judgements were cut short by the stop; they run again at the next start"
            );
        }
    }

    /// Claims until nothing is due or all hands are full; says when to look again.
    async fn claim_due(&self, running: &mut JoinSet<()>) -> TimestampMs {
        let now_ms = self.clock.now_ms();
        let beat_ms = now_ms.saturating_add(self.store.ask_every_ms());
        while running.len() < self.settings.concurrency.max(1) {
            match self.store.claim(self.clock.now_ms(), self.settings.lease_ms).await {
                Ok(Some(job)) => {
                    let worker = self.clone();
                    running.spawn(async move { worker.hold(job).await });
                }
                Ok(None) => match self.store.next_due_ms().await {
                    // What is due and was not given is held by another replica for a moment.
                    Ok(Some(due_ms)) if due_ms <= now_ms => return now_ms.saturating_add(HELD_WAIT_MS),
                    Ok(due_ms) => return due_ms.unwrap_or(beat_ms).min(beat_ms),
                    Err(error) => return self.after_store_failure(&error),
                },
                Err(error) => return self.after_store_failure(&error),
            }
        }
        beat_ms
    }

    fn after_store_failure(&self, error: &crate::store::StoreError) -> TimestampMs {
        tracing::error!(%error, "no judgement can be claimed: the store failed");
        self.clock.now_ms().saturating_add(STORE_FAILED_WAIT_MS)
    }

    /// Works on a judgement and keeps its lease; writes down how it ended.
    async fn hold(&self, job: Job) {
        let mut outcome = self.keeping_the_lease(&job, Box::pin(self.clone().work(job.clone()))).await;
        if outcome.is_none() {
            let report = Report::could_not_judge(
                Fault::Fromguard,
                "judging stopped inside fromguard; its log has the details",
            );
            outcome =
                self.keeping_the_lease(&job, Box::pin(self.clone().conclude(job.clone(), report))).await;
        }
        let outcome = outcome.unwrap_or_else(|| Outcome::Again {
            not_before_ms: None,
            error: "publishing stopped inside fromguard; its log has the details".to_owned(),
        });
        self.settle(&job, outcome).await;
    }

    /// `None` when the work panicked. Where the lease is lost the work goes on: it posts nothing
    /// more, but what it is posting just then may hide the next holder's run, and it has to say so.
    async fn keeping_the_lease(
        &self,
        job: &Job,
        work: impl Future<Output = Outcome> + Send + 'static,
    ) -> Option<Outcome> {
        let mut work = tokio::spawn(work);
        let _stops_with_us = AbortOnDrop(work.abort_handle());
        let renew_after_ms = (self.settings.lease_ms / 3).max(1);
        loop {
            let renew_ms = self.clock.now_ms().saturating_add(renew_after_ms);
            tokio::select! {
                ended = &mut work => {
                    return ended
                        .inspect_err(|error| tracing::error!(head = %job.head, %error, "a judgement panicked"))
                        .ok();
                }
                () = self.clock.sleep_until(renew_ms) => {
                    let until_ms = self.clock.now_ms().saturating_add(self.settings.lease_ms);
                    if let Err(error) = self.store.renew(job, until_ms).await {
                        tracing::error!(head = %job.head, %error, "a lease could not be renewed");
                    }
                }
            }
        }
    }

    async fn settle(&self, job: &Job, outcome: Outcome) {
        let place = &job.place.name;
        let head = &job.head;
        let stored = match outcome {
            Outcome::Done => self.store.finish(job).await.map(drop),
            Outcome::Lost => {
                tracing::warn!(repository = %place, %head, "the lease of a judgement was lost");
                Ok(())
            }
            Outcome::Later { at_ms } => {
                counts::POSTPONED.add();
                // Spread, so that what waited together does not come back together.
                let spread_ms = i64::try_from(backoff::random() % POSTPONED_SPREAD_MS).unwrap_or(0);
                self.store.postpone(job, at_ms.saturating_add(spread_ms)).await
            }
            Outcome::Unreportable(why) => {
                counts::UNREPORTABLE.add();
                tracing::warn!(repository = %place, %head, %why, "a judgement cannot be reported");
                self.store.give_up(job, &why).await.map(drop)
            }
            Outcome::Again { not_before_ms, error } => {
                let now_ms = self.clock.now_ms();
                let random = backoff::random();
                let at_ms = self.settings.backoff.next_ms(now_ms, job.attempts, not_before_ms, random);
                counts::RETRIES.add();
                tracing::warn!(
                    repository = %place, %head, attempt = job.attempts + 1, wait_ms = at_ms - now_ms, %error,
                    "a judgement failed and is tried again"
                );
                self.store.retry(job, at_ms, &error).await
            }
        };
        if let Err(error) = stored {
            tracing::error!(repository = %place, %head, %error, "how a judgement ended could not be stored; it runs again when its lease ends");
        }
    }
}

fn log_if_panicked(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a judgement's keeper panicked; the judgement runs again when its lease ends");
    }
}

/// A task that is dropped goes on; this one must not.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_outlasts_what_a_dead_process_asked_for() {
        let lease_ms = |seconds| Settings::outlasting(Duration::from_secs(seconds)).lease_ms;
        assert_eq!([lease_ms(1), lease_ms(10), lease_ms(30)], [15_000, 15_000, 45_000]);
    }
}
