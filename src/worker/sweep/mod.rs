//! Finds what was lost: deliveries that did not come through are asked for again, and
//! open pull requests and merge groups without a result are judged.
//!
//! One thing at a time, so that a sweep never takes more than one request's share of
//! what GitHub allows: every few minutes the log of deliveries ([`deliveries`]), once a
//! day and after a longer stop every installation, and each repository that something is
//! wanted of ([`survey`]), and default branches that may hold other images ([`stock`]). Every
//! hour some of those images are looked at again ([`drift`]). Where several processes share a store, each of these is done by
//! one of them.

mod deliveries;
mod drift;
mod stock;
mod survey;

use std::future::Future;
use std::pin::pin;

use crate::clock::Clock;
use crate::clock::TimestampMs;
use crate::github::GitHub;
use crate::registry::Inquiry;
use crate::store::Store;
use crate::store::StoreError;
use crate::worker::Backoff;
use crate::worker::backoff;

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// How often the log of deliveries is read.
const DELIVERIES: Chore = Chore { name: "deliveries", every_ms: 5 * MINUTE_MS, at_start_after_ms: 0 };
/// How often every installation is looked through.
const INSTALLATIONS: Chore =
    Chore { name: "installations", every_ms: 24 * HOUR_MS, at_start_after_ms: HOUR_MS };

/// How often some images of the inventory are looked at.
const LOOKS: Chore = Chore { name: "looks", every_ms: HOUR_MS, at_start_after_ms: HOUR_MS };

/// A survey that takes longer than this is another's to do.
const SURVEY_LEASE_MS: i64 = 10 * MINUTE_MS;
/// The longest sleep: what another process wants is seen within this.
const MAX_SLEEP_MS: i64 = MINUTE_MS;

/// Something that is done every so often.
struct Chore {
    name: &'static str,
    every_ms: i64,
    /// At a start it is due at once when the last was longer ago than this.
    at_start_after_ms: i64,
}

/// Looks for what was lost; cheap to clone.
#[derive(Clone)]
pub struct Sweeper {
    store: Store,
    github: GitHub,
    clock: Clock,
    /// Who looks at images; `None` when nobody does.
    inquiry: Option<Inquiry>,
}

/// Why something could not be swept; it is tried again.
#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    GitHub(#[from] crate::github::Error),
}

impl Sweeper {
    /// A sweeper; [`Sweeper::run`] makes it sweep.
    #[must_use]
    pub fn new(store: Store, github: GitHub, clock: Clock) -> Sweeper {
        Sweeper { store, github, clock, inquiry: None }
    }

    /// The same sweeper, which looks at the images of the inventory.
    #[must_use]
    pub fn asking(self, inquiry: Inquiry) -> Sweeper {
        Sweeper { inquiry: Some(inquiry), ..self }
    }

    /// What is done every so often here.
    fn chores(&self) -> impl Iterator<Item = Chore> {
        let looks = self.inquiry.is_some().then_some(LOOKS);
        [DELIVERIES, INSTALLATIONS].into_iter().chain(looks)
    }

    /// Sweeps until `shutdown` resolves.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let sweep = async {
            self.start().await;
            let mut changes = self.store.changes();
            loop {
                changes.borrow_and_update();
                if self.step().await {
                    continue;
                }
                let now_ms = self.clock.now_ms();
                let wake_ms = self.next_ms().await.clamp(now_ms + SECOND_MS, now_ms + MAX_SLEEP_MS);
                tokio::select! {
                    () = self.clock.sleep_until(wake_ms) => {}
                    // Most changes are of the queue: looked at once a second is often enough.
                    Ok(()) = changes.changed() => self.clock.sleep_until(now_ms + SECOND_MS).await,
                }
            }
        };
        tokio::select! {
            () = &mut shutdown => {}
            () = sweep => {}
        }
    }

    /// What was not done for long is due at once.
    pub async fn start(&self) {
        let now_ms = self.clock.now_ms();
        for chore in self.chores() {
            let before_ms = now_ms - chore.at_start_after_ms;
            if let Err(error) = self.store.hasten_chore(chore.name, now_ms, before_ms).await {
                tracing::error!(%error, chore = chore.name, "a sweep could not be brought forward");
            }
        }
    }

    /// Does one thing that is due; `false` when nothing is.
    pub async fn step(&self) -> bool {
        match self.do_one().await {
            Ok(done) => done,
            Err(error) => {
                tracing::error!(%error, "the store failed a sweep");
                false
            }
        }
    }

    async fn do_one(&self) -> Result<bool, StoreError> {
        let now_ms = self.clock.now_ms();
        for chore in self.chores() {
            let taken = self.store.take_chore(chore.name, now_ms, now_ms + chore.every_ms).await?;
            let Some(taken) = taken else { continue };
            let done = match chore.name {
                name if name == DELIVERIES.name => Box::pin(self.sweep_deliveries(taken.last_ms)).await,
                name if name == LOOKS.name => match &self.inquiry {
                    Some(inquiry) => Box::pin(self.look_again(inquiry)).await,
                    None => Ok(()),
                },
                _ => Box::pin(self.want_every_installation()).await,
            };
            match done {
                Ok(()) => self.store.finish_chore(&taken).await?,
                // What was missed is in the next one's share.
                Err(error) => tracing::warn!(%error, chore = chore.name, "a sweep failed"),
            }
            return Ok(true);
        }
        let Some(survey) = self.store.claim_survey(now_ms, SURVEY_LEASE_MS).await? else {
            return Box::pin(self.take_stock(now_ms)).await;
        };
        match Box::pin(self.survey(&survey)).await {
            Ok(()) => self.store.finish_survey(&survey, self.clock.now_ms()).await?,
            Err(SweepError::GitHub(error)) if !error.repeatable() => {
                // Gone, uninstalled, suspended: an event or the next day's look wants it again.
                tracing::warn!(%error, installation = %survey.wish.installation, "a survey is given up");
                self.store.finish_survey(&survey, self.clock.now_ms()).await?;
            }
            Err(error) => {
                let not_before_ms = match &error {
                    SweepError::GitHub(error) => error.retry_at_ms(),
                    SweepError::Store(_) => None,
                };
                let now_ms = self.clock.now_ms();
                let at_ms =
                    Backoff::default().next_ms(now_ms, survey.attempts, not_before_ms, backoff::random());
                tracing::warn!(%error, installation = %survey.wish.installation, "a survey failed and is tried again");
                self.store.retry_survey(&survey, at_ms).await?;
            }
        }
        Ok(true)
    }

    /// When something is due next.
    pub async fn next_ms(&self) -> TimestampMs {
        let survey_ms = self.store.next_survey_ms().await.ok().flatten();
        let stock_ms = self.store.next_stock_ms().await.ok().flatten();
        let mut next_ms = survey_ms.into_iter().chain(stock_ms).min().unwrap_or(TimestampMs::MAX);
        for chore in self.chores() {
            let due_ms = self.store.chore_due_ms(chore.name).await.ok().flatten();
            next_ms = next_ms.min(due_ms.unwrap_or(TimestampMs::MIN));
        }
        next_ms
    }
}
