//! What survives a crash: deliveries, the queue of judgements, the runs posted.
//!
//! The queue is level-triggered. There is one row per repository and head with
//! the generation that is wanted and the one that is done; open pull requests
//! point at it. An event raises the wanted generation; a worker leases the row,
//! judges, and records the generation that it judged. The database is the only
//! truth: nothing is kept in memory that a restart would lose.

use thiserror::Error;

use crate::clock::TimestampMs;
use crate::ids::CheckRunId;
use crate::ids::CommentId;
use crate::ids::PullNumber;
use crate::ids::RepositoryId;
use crate::ids::RepositoryPlace;
use crate::ids::Sha;

/// What a delivery says about a pull request, all that is stored of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullChange {
    /// Where.
    pub place: RepositoryPlace,
    /// Which pull request.
    pub pull: PullNumber,
    /// Its head when the event was made.
    pub head: Sha,
    /// Whether it is open.
    pub open: bool,
    /// Opened, reopened or retargeted: a run that stands on the head may be of
    /// another base and is superseded by a queued one before anything is fetched.
    pub announce: bool,
}

/// One webhook delivery to remember.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// `X-GitHub-Delivery`; the same for a redelivery.
    pub guid: String,
    /// What it asks for.
    pub change: PullChange,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// Committed: it survives a crash from now on.
    New,
    /// Its GUID is done or in flight; dropped.
    Duplicate,
}

/// A leased judgement: this head of this repository, for these pull requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Where.
    pub place: RepositoryPlace,
    /// Which commit.
    pub head: Sha,
    /// The open pull requests that point at it; empty when it was superseded or closed.
    pub pulls: Vec<PullNumber>,
    /// The generation that this judgement answers.
    pub generation: i64,
    /// How often it was tried and failed before.
    pub attempts: u32,
    /// When the oldest unanswered event came in.
    pub wanted_since_ms: TimestampMs,
    /// A queued run is to be posted before anything is fetched.
    pub announce: bool,
    /// The last run posted on this head, if any, and whether it is completed.
    pub last_run: Option<PostedRun>,
    /// Proves that the lease is ours.
    pub lease: String,
}

/// A check run that we posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedRun {
    /// Its id.
    pub id: CheckRunId,
    /// Whether it was completed, and with what word.
    pub conclusion: Option<String>,
}

/// Why the store could not answer.
#[derive(Debug, Error)]
#[error("the store failed: {0}")]
pub struct StoreError(String);

/// The durable store.
#[derive(Clone)]
pub struct Store {}

impl Store {
    /// Opens the database at `url` (`sqlite:PATH` or `sqlite::memory:`) and brings it up to date.
    ///
    /// # Errors
    /// When the database cannot be opened or is of a newer version.
    pub async fn open(url: &str) -> Result<Store, StoreError> {
        Err(StoreError(format!("not built yet: {url}")))
    }

    /// Commits deliveries; one answer for each, once all are durable.
    ///
    /// # Errors
    /// When nothing was committed.
    pub async fn record(&self, delivery: Delivery, now_ms: TimestampMs) -> Result<Recorded, StoreError> {
        let _ = (delivery, now_ms);
        Err(StoreError("not built yet".into()))
    }

    /// Leases the judgement that has waited longest and is due; `None` when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim(&self, now_ms: TimestampMs, lease_ms: i64) -> Result<Option<Job>, StoreError> {
        let _ = (now_ms, lease_ms);
        Ok(None)
    }

    /// When the next judgement is due (or the next lease ends); `None` when nothing waits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_due_ms(&self) -> Result<Option<TimestampMs>, StoreError> {
        Ok(None)
    }

    /// Extends the lease; `false` when it was lost.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew(&self, job: &Job, until_ms: TimestampMs) -> Result<bool, StoreError> {
        let _ = (job, until_ms);
        Ok(false)
    }

    /// Remembers a run as soon as it is posted or completed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn posted(&self, job: &Job, run: &PostedRun) -> Result<(), StoreError> {
        let _ = (job, run);
        Ok(())
    }

    /// The judgement is done; a generation that was raised meanwhile stays wanted.
    /// `false` when the lease was lost: another judgement is queued so that the latest run converges.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish(&self, job: &Job) -> Result<bool, StoreError> {
        let _ = job;
        Ok(false)
    }

    /// Gives the judgement back, to be tried again at `run_after_ms`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retry(&self, job: &Job, run_after_ms: TimestampMs, error: &str) -> Result<(), StoreError> {
        let _ = (job, run_after_ms, error);
        Ok(())
    }

    /// What GitHub says of a pull request now, learnt while judging: another head
    /// (its judgement is queued unless that head is judged already) or closed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn observe(&self, change: &PullChange, now_ms: TimestampMs) -> Result<(), StoreError> {
        let _ = (change, now_ms);
        Ok(())
    }

    /// The comment we keep on a pull request.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn comment(
        &self,
        repository: RepositoryId,
        pull: PullNumber,
    ) -> Result<Option<CommentId>, StoreError> {
        let _ = (repository, pull);
        Ok(None)
    }

    /// Remembers the comment we keep on a pull request.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_comment(
        &self,
        repository: RepositoryId,
        pull: PullNumber,
        comment: Option<CommentId>,
    ) -> Result<(), StoreError> {
        let _ = (repository, pull, comment);
        Ok(())
    }

    /// Whether the organisation's policy was ever read for this account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn organisation_policy_seen(
        &self,
        installation: crate::ids::InstallationId,
    ) -> Result<bool, StoreError> {
        let _ = installation;
        Ok(false)
    }

    /// Remembers that the organisation's policy was read.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_organisation_policy_seen(
        &self,
        installation: crate::ids::InstallationId,
    ) -> Result<(), StoreError> {
        let _ = installation;
        Ok(())
    }
}
