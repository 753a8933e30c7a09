//! What survives a crash: deliveries, the queue of judgements, the runs posted.
//!
//! The queue is level-triggered. There is one row per repository and head with
//! the generation that is wanted and the one that is done; open pull requests
//! point at it. An event raises the wanted generation; a worker leases the row,
//! judges, and records the generation that it judged. The database is the only
//! truth: nothing is kept in memory that a restart would lose.
//!
//! The parts: [`database`] is SQLite or PostgreSQL behind one way to ask, which [`sqlite`]
//! and [`postgres`] open and [`migrations`] brings up to date, [`change`] turns what is said of
//! pull requests into wanted judgements, [`tips`] knows the branches that are judged, [`intake`]
//! commits deliveries in groups, [`queue`] leases judgements, [`surveys`] says what is to be looked
//! through, [`moves`] follows repositories to new names and owners, [`chores`] says what is done every
//! so often, [`facts`] remembers what is not a judgement, [`evidence`] what registries said, [`inventory`]
//! what stands on default branches, [`looks`] what became of that, [`departures`] what is not believed
//! yet, [`prune`] forgets.
//! The store knows neither HTTP nor GitHub, and reads no clock: who calls says when.

mod change;
mod chores;
mod database;
mod departures;
mod evidence;
mod facts;
pub mod glance;
mod heartbeat;
mod intake;
mod inventory;
mod looks;
mod migrations;
mod moves;
mod postgres;
mod prune;
mod queue;
mod sqlite;
mod surveys;
mod tips;

use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;
use tokio::sync::watch;

use crate::clock::TimestampMs;
use crate::ids::CheckRunId;
use crate::ids::InstallationId;
use crate::ids::PullNumber;
use crate::ids::RepositoryId;
use crate::ids::RepositoryPlace;
use crate::ids::Sha;
use crate::store::database::Database;
use crate::store::database::Hold;
use crate::store::database::query;

pub use self::chores::Chore;
pub use self::evidence::LearntText;
pub use self::facts::KeptComment;
pub use self::heartbeat::Heartbeat;
pub use self::inventory::StandingBranch;
pub use self::inventory::StandingImage;
pub use self::inventory::Stocktaking;
pub use self::looks::LookedAt;
pub use self::looks::Stands;
pub use self::queue::QueueStatus;
pub use self::surveys::Survey;
pub use self::surveys::SurveyWish;

/// What a delivery says about a pull request, all that is stored of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullChange {
    /// Where.
    pub place: RepositoryPlace,
    /// Which pull request.
    pub pull: PullNumber,
    /// Its head when the event was made.
    pub head: Sha,
    /// Whether it is open. An event that says that one which is known is not has GitHub asked.
    pub open: bool,
    /// Opened, reopened or retargeted: a run that stands on the head may be of
    /// another base and is superseded by a queued one before anything is fetched.
    pub announce: bool,
    /// How many files it changes, if that is said; 0 otherwise.
    pub files: u64,
}

/// A branch whose tip is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// Its whole name: `refs/heads/gh-readonly-queue/main/pr-7-…` of a merge group.
    pub branch: String,
    /// What it is judged against: what a merge group is put on; of a branch that is to have a
    /// run at all, the tip itself.
    pub base: Sha,
    /// The whole name of the branch whose policy counts: `refs/heads/main`.
    pub base_branch: String,
}

/// What is said of such a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TipChange {
    /// Where.
    pub place: RepositoryPlace,
    /// Which branch.
    pub tip: Tip,
    /// Its tip.
    pub head: Sha,
    /// Whether it is still to be judged: a merge group may be gone.
    pub open: bool,
}

/// Another judgement of a commit that somebody asks for. Asked for again and again,
/// it is made once every ten seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rerun {
    /// Where.
    pub place: RepositoryPlace,
    /// Which commit.
    pub head: Sha,
}

/// What a delivery asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// A pull request is to be judged as it is now.
    Pull(PullChange),
    /// The tip of a branch is to be judged as it is now.
    Tip(TipChange),
    /// A commit is to be judged again.
    Rerun(Rerun),
    /// Repositories are to be looked through for what has no result, or is to have another.
    Survey(Vec<SurveyWish>),
    /// Nothing is to be worked on any more.
    Leave(Leave),
    /// A repository is called otherwise or belongs to somebody else.
    Move(Move),
}

/// A repository's new name or owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Where it is now.
    pub place: RepositoryPlace,
    /// What is to be looked through for it.
    pub wishes: Vec<SurveyWish>,
}

/// What the App may not work on any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leave {
    /// Of which installation.
    pub installation: InstallationId,
    /// Which repositories; `None` is all of them.
    pub repositories: Option<Vec<RepositoryId>>,
}

impl Leave {
    /// Whether a wish is of what is left.
    fn covers(&self, wish: &SurveyWish) -> bool {
        let within = |repositories: &Vec<RepositoryId>| {
            wish.repository.as_ref().is_some_and(|(id, _)| repositories.contains(id))
        };
        wish.installation == self.installation && self.repositories.as_ref().is_none_or(within)
    }
}

impl Ask {
    /// The judgement that it asks for, by repository and head; `None` when it asks for none.
    fn head(&self) -> Option<(&RepositoryPlace, &Sha)> {
        match self {
            Ask::Pull(change) => Some((&change.place, &change.head)),
            Ask::Tip(change) => Some((&change.place, &change.head)),
            Ask::Rerun(rerun) => Some((&rerun.place, &rerun.head)),
            Ask::Survey(_) | Ask::Leave(_) | Ask::Move(_) => None,
        }
    }

    /// Holds what it is about.
    fn hold(&self, hold: &mut Hold) {
        match self {
            Ask::Survey(_) | Ask::Leave(_) => hold.surveys(),
            Ask::Move(Move { place, .. }) => {
                hold.repository(place.id);
                hold.surveys();
            }
            Ask::Pull(PullChange { place, .. })
            | Ask::Tip(TipChange { place, .. })
            | Ask::Rerun(Rerun { place, .. }) => hold.repository(place.id),
        }
    }

    /// The key of that judgement's row; of none for what asks for no judgement.
    fn head_key(&self) -> (i64, String) {
        self.head().map_or((0, String::new()), |(place, head)| (place.id.0.cast_signed(), head.0.clone()))
    }
}

/// One webhook delivery to remember.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// `X-GitHub-Delivery`; the same for a redelivery.
    pub guid: String,
    /// What it asks for.
    pub ask: Ask,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// Committed: it survives a crash from now on.
    New,
    /// Its GUID is done or in flight; dropped.
    Duplicate,
}

/// A leased judgement: this head of this repository, for these pull requests and branches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Where.
    pub place: RepositoryPlace,
    /// Which commit.
    pub head: Sha,
    /// The open pull requests that point at it; empty when it was superseded or closed.
    pub pulls: Vec<PullNumber>,
    /// Those of them that an event says are closed, and since when: GitHub is to be asked, since that
    /// event may have come after a later one.
    pub closing: Vec<(PullNumber, TimestampMs)>,
    /// Those that pointed at it and do not any more, as events say that may have come late. Where
    /// anything is judged here, GitHub is to be asked about them too.
    pub left: Vec<PullNumber>,
    /// The branches whose tip it is and that are judged for themselves.
    pub tips: Vec<Tip>,
    /// The generation that this judgement answers.
    pub generation: i64,
    /// How often it was tried and failed before.
    pub attempts: u32,
    /// When the oldest unanswered event came in.
    pub wanted_since_ms: TimestampMs,
    /// A queued run is to be posted before anything is fetched.
    pub announce: bool,
    /// Somebody asked for another judgement: where no pull request is known, GitHub is
    /// to be asked which there are.
    pub rerun: bool,
    /// The last run posted on this head, if any, and whether it is completed.
    pub last_run: Option<PostedRun>,
    /// Proves that the lease is ours.
    pub lease: String,
}

impl Job {
    /// Since when this pull request is said to be closed.
    #[must_use]
    pub fn closing_since_ms(&self, pull: PullNumber) -> Option<TimestampMs> {
        self.closing.iter().find(|(closing, _)| *closing == pull).map(|(_, since_ms)| *since_ms)
    }

    /// Whether it is judged only to learn whether its pull requests are closed.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.tips.is_empty() && !self.pulls.is_empty() && self.closing.len() == self.pulls.len()
    }
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
#[derive(Debug, Clone, Error)]
pub enum StoreError {
    /// The operator named a database that cannot be used.
    #[error("the database URL is of no use: {0}")]
    Url(String),
    /// The operator runs two servers on one file.
    #[error(
        "the database {0} is in use by another running fromguard: an SQLite database belongs to one process; \
         stop the other one, or give this one a FROMGUARD_DATABASE_URL of its own"
    )]
    InUse(PathBuf),
    /// The operator's server does not answer, or the URL is wrong.
    #[error(
        "the PostgreSQL database {place} cannot be reached: {cause}; check that the server runs and that \
         FROMGUARD_DATABASE_URL is right"
    )]
    Unreachable {
        /// Which database, without the password.
        place: String,
        /// What was said instead.
        cause: String,
    },
    /// The operator's server answers and says no.
    #[error("the PostgreSQL database {place} refuses: {cause}; {remedy}")]
    Refused {
        /// Which database, without the password.
        place: String,
        /// The server's words.
        cause: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The operator's machines disagree about the time.
    #[error(
        "the clocks of this machine and of the PostgreSQL server are {apart_s} s apart: replicas would take \
         judgements away from each other; set both clocks by NTP"
    )]
    Clock {
        /// By how much, in seconds.
        apart_s: i64,
    },
    /// The operator went back to an older program.
    #[error(
        "the database was written by a newer version of fromguard (its schema is {found}, this program knows \
         up to {known}): start that version again, or restore a backup of before the update"
    )]
    Newer {
        /// The newest schema version found in the database.
        found: i64,
        /// The newest schema version of this program.
        known: i64,
    },
    /// More deliveries came in than the disk takes: try again later.
    #[error("the store is busy: {} deliveries wait to be committed", intake::WAITING_MAX)]
    Busy,
    /// Nothing of this was committed; the cause is in the log.
    #[error("the delivery was not committed")]
    NotCommitted,
    /// The database, the disk or the operating system failed.
    #[error("the database failed: {0}")]
    Database(Arc<sqlx::Error>),
    /// The lock file beside the database could not be made.
    #[error("the lock file {path} cannot be opened: {cause}")]
    Lock {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        cause: Arc<std::io::Error>,
    },
    /// The schema could not be brought up to date.
    #[error("the database could not be brought up to date: {0}")]
    Migration(Arc<sqlx::migrate::MigrateError>),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> StoreError {
        StoreError::Database(Arc::new(error))
    }
}

/// The durable store, cheap to clone; all clones are the same store.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    database: Database,
    intake: intake::Intake,
    changes: watch::Sender<u64>,
    heartbeat: Heartbeat,
    lease_tokens: queue::LeaseTokens,
    /// Keeps other processes away for as long as the store is open.
    _lock: Option<sqlite::LockFile>,
}

impl Store {
    /// Opens the database at `url` (`sqlite:PATH`, `sqlite::memory:` or `postgres://…`) and brings it
    /// up to date. In SQLite, leases of an earlier process are void from here on; in PostgreSQL they may
    /// be those of another replica, and hold until they end.
    ///
    /// # Errors
    /// When the database cannot be opened, is in use by another process or is of a newer version.
    pub async fn open(url: &str) -> Result<Store, StoreError> {
        let (database, lock) = Database::open(url).await?;
        if !database.is_shared() {
            let mut connection = database.connect().await?;
            queue::void_leases(&mut connection).await?;
            surveys::void_leases(&mut connection).await?;
        }
        let changes = watch::Sender::new(0);
        let intake = intake::Intake::start(database.clone(), changes.clone());
        let lease_tokens = queue::LeaseTokens::new();
        let heartbeat = Heartbeat::default();
        let inner = Inner { database, intake, changes, heartbeat, lease_tokens, _lock: lock };
        Ok(Store { inner: Arc::new(inner) })
    }

    /// Commits a delivery, together with the others that come in meanwhile; answers once it is durable.
    ///
    /// # Errors
    /// When nothing was committed: [`StoreError::Busy`] when too many wait already.
    pub async fn record(&self, delivery: Delivery, now_ms: TimestampMs) -> Result<Recorded, StoreError> {
        self.inner.intake.record(delivery, now_ms).await
    }

    /// Changes whenever this process may have made something due: wait on it beside the clock
    /// instead of asking again and again. It is a hint; the database is the truth.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.changes.subscribe()
    }

    /// How long a worker that waits may go without asking what is due, in milliseconds: another
    /// replica may have taken a delivery and be full, or be gone. It is asked for rather than told of by
    /// `NOTIFY`, which wakes every replica for each delivery, makes commits wait for each other, and is
    /// lost with a connection, so that asking could not be left out.
    #[must_use]
    pub fn ask_every_ms(&self) -> i64 {
        if self.inner.database.is_shared() { SHARED_ASK_EVERY_MS } else { Heartbeat::EVERY_MS }
    }

    /// The worker's sign of life: the worker beats it, readiness reads it.
    #[must_use]
    pub fn heartbeat(&self) -> Heartbeat {
        self.inner.heartbeat.clone()
    }

    /// Refuses a clock that is far from that of a database which others share: leases are times.
    ///
    /// # Errors
    /// When they are more than five seconds apart, or the database fails.
    pub async fn check_clock(&self, now_ms: TimestampMs) -> Result<(), StoreError> {
        if !self.inner.database.is_shared() {
            return Ok(());
        }
        let mut connection = self.inner.database.connect().await?;
        let row = query("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)")
            .fetch_one(&mut connection)
            .await?;
        let apart_ms = now_ms.saturating_sub(row.try_get::<TimestampMs, _>(0)?).saturating_abs();
        if apart_ms > CLOCKS_APART_MAX_MS {
            return Err(StoreError::Clock { apart_s: apart_ms / 1_000 });
        }
        Ok(())
    }

    /// Answers when the database answers.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut connection = self.inner.database.connect().await?;
        query("SELECT COUNT(*) FROM installations WHERE served < 0").execute(&mut connection).await?;
        Ok(())
    }

    fn changed(&self) {
        bump(&self.inner.changes);
    }
}

/// How often a replica asks what others may have put there, in milliseconds.
const SHARED_ASK_EVERY_MS: i64 = 1_000;

/// How far a replica's clock may be from the database's, in milliseconds. Two replicas are then apart by
/// twice as much at most, and a lease that its holder renews in time is longer.
const CLOCKS_APART_MAX_MS: i64 = 5_000;

/// Tells who waits that something changed.
fn bump(changes: &watch::Sender<u64>) {
    changes.send_modify(|count| *count = count.wrapping_add(1));
}

#[cfg(test)]
mod tests;
