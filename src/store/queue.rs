//! Leasing judgements and giving them back.
//!
//! `due_ms` says it all: nothing is wanted while it is NULL, a judgement may be
//! claimed from then on, and a lease is a `due_ms` in the future. Installations
//! take turns, so that one with ten thousand pull requests holds up nobody else;
//! within one, what has been due for longest comes first.

use std::hash::BuildHasher;
use std::hash::Hasher;
use std::hash::RandomState;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::clock::TimestampMs;
use crate::ids::CheckRunId;
use crate::ids::InstallationId;
use crate::ids::PullNumber;
use crate::ids::RepositoryId;
use crate::ids::RepositoryName;
use crate::ids::RepositoryPlace;
use crate::ids::Sha;
use crate::store::Job;
use crate::store::PostedRun;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::database::Connection;
use crate::store::database::Row;
use crate::store::database::query;
use crate::store::tips;

/// What is kept of an error message, in bytes.
const LAST_ERROR_MAX_BYTES: usize = 1024;

/// How much waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueStatus {
    /// Judgements that are wanted and not under way, backing off or not.
    pub waiting: u64,
    /// Judgements under way.
    pub leased: u64,
    /// How long the oldest of both has been wanted, in milliseconds.
    pub oldest_wait_ms: i64,
}

/// Makes lease tokens that no other process and no other claim has.
pub(super) struct LeaseTokens {
    process: u64,
    claims: AtomicU64,
}

impl LeaseTokens {
    pub(super) fn new() -> LeaseTokens {
        // The standard library seeds each `RandomState` from the operating system's randomness.
        LeaseTokens { process: RandomState::new().build_hasher().finish(), claims: AtomicU64::new(0) }
    }

    pub(super) fn next(&self) -> String {
        format!("{:016x}-{:x}", self.process, self.claims.fetch_add(1, Ordering::Relaxed))
    }
}

/// Ends the leases of processes that are no more. A judgement that was under way
/// counts as tried: one that brings the process down must back off in the end.
pub(super) async fn void_leases(connection: &mut Connection) -> Result<(), StoreError> {
    query(
        "UPDATE heads SET lease = NULL, leased_generation = NULL, raised_since_ms = NULL,
           attempts = attempts + 1, due_ms = wanted_since_ms
         WHERE lease IS NOT NULL",
    )
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// Leases a judgement that is due: of the installation served longest ago, the one that has
    /// waited longest; `None` when none is due.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim(&self, now_ms: TimestampMs, lease_ms: i64) -> Result<Option<Job>, StoreError> {
        let mut connection = self.inner.database.connect().await?;
        let installations = due_installations(&mut connection, now_ms).await?;
        if installations.is_empty() {
            return Ok(None);
        }
        let mut transaction = connection.begin().await?;
        let Some(row) = due(&mut transaction, &installations, now_ms).await? else { return Ok(None) };
        let mut job = job(&row, self.inner.lease_tokens.next())?;

        query(
            "UPDATE heads SET lease = $3, leased_generation = wanted, raised_since_ms = NULL,
               due_ms = $4, attempts = $5, touched_ms = $6
             WHERE repository = $1 AND head = $2",
        )
        .bind(job.place.id.0.cast_signed())
        .bind(&job.head.0)
        .bind(&job.lease)
        .bind(now_ms.saturating_add(lease_ms))
        .bind(i64::from(job.attempts))
        .bind(now_ms)
        .execute(&mut transaction)
        .await?;
        let pulls = query(
            "SELECT number, closing_ms FROM pulls WHERE repository = $1 AND head = $2 AND open = 1 ORDER BY number",
        )
        .bind(job.place.id.0.cast_signed())
        .bind(&job.head.0)
        .fetch_all(&mut transaction)
        .await?;
        job.tips = tips::at(&mut transaction, job.place.id, &job.head).await?;
        query(
            "INSERT INTO installations (installation, served)
             SELECT $1, COALESCE(MAX(served), 0) + 1 FROM installations WHERE true
             ON CONFLICT (installation) DO UPDATE SET served = excluded.served",
        )
        .bind(job.place.installation.0.cast_signed())
        .execute(&mut transaction)
        .await?;
        transaction.commit().await?;

        for pull in pulls {
            let number = PullNumber(pull.try_get::<i64, _>(0)?.cast_unsigned());
            job.pulls.push(number);
            if let Some(since_ms) = pull.try_get(1)? {
                job.closing.push((number, since_ms));
            }
        }
        Ok(Some(job))
    }

    /// When the next judgement is due (or the next lease ends); `None` when nothing waits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_due_ms(&self) -> Result<Option<TimestampMs>, StoreError> {
        let mut connection = self.inner.database.connect().await?;
        let row =
            query(concat!(waiting!(), "SELECT MIN(due_ms) FROM turns")).fetch_one(&mut connection).await?;
        row.try_get(0)
    }

    /// How much waits now, for the metrics.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn queue_status(&self, now_ms: TimestampMs) -> Result<QueueStatus, StoreError> {
        let mut connection = self.inner.database.connect().await?;
        let row = query(
            "SELECT COUNT(*) - COUNT(lease), COUNT(lease), MIN(wanted_since_ms)
             FROM heads WHERE due_ms IS NOT NULL",
        )
        .fetch_one(&mut connection)
        .await?;
        let oldest_ms: Option<TimestampMs> = row.try_get(2)?;
        Ok(QueueStatus {
            waiting: row.try_get::<i64, _>(0)?.cast_unsigned(),
            leased: row.try_get::<i64, _>(1)?.cast_unsigned(),
            oldest_wait_ms: oldest_ms.map_or(0, |oldest_ms| now_ms.saturating_sub(oldest_ms).max(0)),
        })
    }

    /// Extends the lease; `false` when it was lost.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew(&self, job: &Job, until_ms: TimestampMs) -> Result<bool, StoreError> {
        let mut connection = self.inner.database.connect().await?;
        let renewed =
            query("UPDATE heads SET due_ms = $4 WHERE repository = $1 AND head = $2 AND lease = $3")
                .bind(job.place.id.0.cast_signed())
                .bind(&job.head.0)
                .bind(&job.lease)
                .bind(until_ms)
                .execute(&mut connection)
                .await?;
        Ok(renewed == 1)
    }

    /// Remembers a run as soon as it is posted or completed. Who posted it after the lease was
    /// lost may have hidden the run of the next holder: then another judgement is queued.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn posted(&self, job: &Job, run: &PostedRun) -> Result<(), StoreError> {
        {
            let mut connection = self.inner.database.connect().await?;
            let mut transaction = connection.begin().await?;
            let ours = query(
                "UPDATE heads SET run_id = $4, run_conclusion = $5,
                   announce = CASE WHEN announce <= $6 THEN 0 ELSE announce END
                 WHERE repository = $1 AND head = $2 AND lease = $3",
            )
            .bind(job.place.id.0.cast_signed())
            .bind(&job.head.0)
            .bind(&job.lease)
            .bind(run.id.0.cast_signed())
            .bind(run.conclusion.as_deref())
            .bind(job.generation)
            .execute(&mut transaction)
            .await?;
            if ours == 0 {
                // GitHub numbers runs upwards: the one with the highest number is the latest.
                query(
                    "UPDATE heads SET run_id = $3, run_conclusion = $4
                     WHERE repository = $1 AND head = $2 AND (run_id IS NULL OR run_id <= $3)",
                )
                .bind(job.place.id.0.cast_signed())
                .bind(&job.head.0)
                .bind(run.id.0.cast_signed())
                .bind(run.conclusion.as_deref())
                .execute(&mut transaction)
                .await?;
                want_another(&mut transaction, job).await?;
            }
            transaction.commit().await?;
        }
        self.changed();
        Ok(())
    }

    /// The judgement is done; a generation that was raised meanwhile stays wanted.
    /// `false` when the lease was lost: another judgement is queued so that the latest run converges.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish(&self, job: &Job) -> Result<bool, StoreError> {
        self.end(job, None).await
    }

    /// The judgement is given up for good: nothing is tried again until an event, or a redelivery of
    /// the one that asked for it, wants it. `false` when the lease was lost, as for [`Store::finish`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_up(&self, job: &Job, error: &str) -> Result<bool, StoreError> {
        self.end(job, Some(error)).await
    }

    async fn end(&self, job: &Job, error: Option<&str>) -> Result<bool, StoreError> {
        let ours = {
            let mut connection = self.inner.database.connect().await?;
            let mut transaction = connection.begin().await?;
            let ended = query(
                "UPDATE heads SET lease = NULL, leased_generation = NULL, raised_since_ms = NULL, attempts = 0,
                   done = $4, failed = $5, last_error = $6,
                   announce = CASE WHEN announce <= $4 THEN 0 ELSE announce END,
                   wanted_since_ms = COALESCE(raised_since_ms, wanted_since_ms),
                   due_ms = CASE WHEN wanted > $4 THEN COALESCE(raised_since_ms, wanted_since_ms) END
                 WHERE repository = $1 AND head = $2 AND lease = $3",
            )
            .bind(job.place.id.0.cast_signed())
            .bind(&job.head.0)
            .bind(&job.lease)
            .bind(job.generation)
            .bind(if error.is_some() { job.generation } else { 0 })
            .bind(error.map(shortened))
            .execute(&mut transaction)
            .await?;
            let ours = ended == 1;
            if !ours {
                want_another(&mut transaction, job).await?;
            }
            transaction.commit().await?;
            ours
        };
        self.changed();
        Ok(ours)
    }

    /// Gives the judgement back, to be tried again at `run_after_ms`. Nothing happens when the lease was lost.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retry(&self, job: &Job, run_after_ms: TimestampMs, error: &str) -> Result<(), StoreError> {
        self.give_back(job, Some(run_after_ms), 1, Some(error)).await
    }

    /// Gives the judgement back untried until `at_ms`. Nothing happens when the lease was lost.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn postpone(&self, job: &Job, at_ms: TimestampMs) -> Result<(), StoreError> {
        self.give_back(job, Some(at_ms), 0, None).await
    }

    /// Gives the judgement back untried, as when the server stops: it is due at once.
    /// Nothing happens when the lease was lost.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release(&self, job: &Job) -> Result<(), StoreError> {
        self.give_back(job, None, 0, None).await
    }

    async fn give_back(
        &self,
        job: &Job,
        due_ms: Option<TimestampMs>,
        tries: i64,
        error: Option<&str>,
    ) -> Result<(), StoreError> {
        {
            let mut connection = self.inner.database.connect().await?;
            query(
                "UPDATE heads SET lease = NULL, leased_generation = NULL, raised_since_ms = NULL,
                   due_ms = COALESCE($4, wanted_since_ms), attempts = attempts + $5,
                   last_error = COALESCE($6, last_error)
                 WHERE repository = $1 AND head = $2 AND lease = $3",
            )
            .bind(job.place.id.0.cast_signed())
            .bind(&job.head.0)
            .bind(&job.lease)
            .bind(due_ms)
            .bind(tries)
            .bind(error.map(shortened))
            .execute(&mut connection)
            .await?;
        }
        self.changed();
        Ok(())
    }
}

/// Wants a judgement that starts after this moment, unless one is wanted already.
async fn want_another(connection: &mut Connection, job: &Job) -> Result<(), StoreError> {
    query(
        "UPDATE heads SET wanted = wanted + 1,
           raised_since_ms = CASE WHEN lease IS NULL THEN NULL ELSE touched_ms END,
           wanted_since_ms = CASE WHEN due_ms IS NULL THEN touched_ms ELSE wanted_since_ms END,
           due_ms = COALESCE(due_ms, touched_ms)
         WHERE repository = $1 AND head = $2 AND wanted <= COALESCE(leased_generation, done)",
    )
    .bind(job.place.id.0.cast_signed())
    .bind(&job.head.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// `turns`: every installation for which anything is wanted, when it was last
/// served, and when its next judgement is due. The index is stepped through
/// installation by installation, whatever the number of judgements.
macro_rules! waiting {
    () => {
        "WITH RECURSIVE waiting (installation) AS (
           SELECT MIN(installation) FROM heads WHERE due_ms IS NOT NULL
           UNION ALL
           SELECT (SELECT MIN(heads.installation) FROM heads
                   WHERE heads.due_ms IS NOT NULL AND heads.installation > waiting.installation)
           FROM waiting WHERE waiting.installation IS NOT NULL
         ), turns AS (
           SELECT waiting.installation AS installation, COALESCE(installations.served, 0) AS served,
             (SELECT MIN(heads.due_ms) FROM heads
              WHERE heads.installation = waiting.installation AND heads.due_ms IS NOT NULL) AS due_ms
           FROM waiting LEFT JOIN installations ON installations.installation = waiting.installation
         ) "
    };
}
use waiting;

/// How many installations a claim looks at. Further ones than the first matter where other
/// replicas are at what is due in those before.
const TURNS_MAX: i64 = 16;

/// The installations for which something is due, the one served longest ago first.
async fn due_installations(connection: &mut Connection, now_ms: TimestampMs) -> Result<Vec<i64>, StoreError> {
    let rows = query(concat!(
        waiting!(),
        "SELECT installation FROM turns WHERE due_ms <= $1 ORDER BY served, due_ms, installation LIMIT $2"
    ))
    .bind(now_ms)
    .bind(TURNS_MAX)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

macro_rules! oldest_due {
    () => {
        "SELECT * FROM heads WHERE installation = $1 AND due_ms <= $2
         ORDER BY due_ms, repository, head LIMIT 1"
    };
}

/// The judgement that has been due for longest, of the first installation that has one which
/// no other replica is about to claim or change.
async fn due(
    connection: &mut Connection,
    installations: &[i64],
    now_ms: TimestampMs,
) -> Result<Option<Row>, StoreError> {
    let sql = connection.say(oldest_due!(), concat!(oldest_due!(), " FOR UPDATE SKIP LOCKED"));
    for installation in installations {
        let row = query(sql).bind(*installation).bind(now_ms).fetch_optional(connection).await?;
        if row.is_some() {
            return Ok(row);
        }
    }
    Ok(None)
}

fn job(row: &Row, lease: String) -> Result<Job, StoreError> {
    let number = |column: &str| row.try_get::<i64, _>(column);
    let run_id: Option<i64> = row.try_get("run_id")?;
    let conclusion: Option<String> = row.try_get("run_conclusion")?;
    // A lease that is still there ran out: its holder tried, and did not say how it went.
    let expired: Option<String> = row.try_get("lease")?;
    let attempts = number("attempts")? + i64::from(expired.is_some());
    Ok(Job {
        place: RepositoryPlace {
            installation: InstallationId(number("installation")?.cast_unsigned()),
            id: RepositoryId(number("repository")?.cast_unsigned()),
            name: RepositoryName { owner: row.try_get("owner")?, name: row.try_get("name")? },
        },
        head: Sha(row.try_get("head")?),
        pulls: Vec::new(),
        closing: Vec::new(),
        tips: Vec::new(),
        generation: number("wanted")?,
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        wanted_since_ms: number("wanted_since_ms")?,
        announce: number("announce")? > 0,
        rerun: number("rerun")? > number("done")?,
        last_run: run_id.map(|id| PostedRun { id: CheckRunId(id.cast_unsigned()), conclusion }),
        lease,
    })
}

fn shortened(error: &str) -> &str {
    &error[..error.floor_char_boundary(LAST_ERROR_MAX_BYTES)]
}
