//! Forgetting, a little at a time: deliveries that GitHub can no longer repeat,
//! finished judgements that no open pull request points at, branches that nothing was
//! said of for long (no merge group lives that long), and old evidence. Rows that somebody
//! else is at are passed over: they are not old any more, or another replica forgets them.

use crate::clock::TimestampMs;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::database::Connection;
use crate::store::database::Row;
use crate::store::database::given;
use crate::store::database::json;
use crate::store::database::query;
use crate::store::evidence;
use crate::store::looks;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// GitHub Enterprise Server repeats a delivery for 7 days, github.com for 3:
/// <https://docs.github.com/en/enterprise-server/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks>.
const DELIVERIES_KEPT_MS: i64 = 8 * DAY_MS;

/// How long a finished judgement and a closed pull request are remembered.
const FINISHED_KEPT_MS: i64 = 30 * DAY_MS;

/// How many rows one step looks at: nobody waits longer than for that.
const STEP_ROWS: i64 = 500;

impl Store {
    /// Forgets what is old; others get their turn between its steps. Answers how many rows went.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prune(&self, now_ms: TimestampMs) -> Result<u64, StoreError> {
        let deliveries_before_ms = now_ms.saturating_sub(DELIVERIES_KEPT_MS);
        let finished_before_ms = now_ms.saturating_sub(FINISHED_KEPT_MS);
        let mut gone = 0;
        loop {
            let mut connection = self.inner.database.connect().await?;
            let step = prune_deliveries(&mut connection, deliveries_before_ms).await?;
            gone += step;
            if step == 0 {
                break;
            }
        }
        loop {
            let mut connection = self.inner.database.connect().await?;
            let step = prune_tips(&mut connection, finished_before_ms).await?;
            gone += step;
            if step == 0 {
                break;
            }
        }
        loop {
            let mut connection = self.inner.database.connect().await?;
            let step = prune_redeliveries(&mut connection, deliveries_before_ms).await?;
            gone += step;
            if step == 0 {
                break;
            }
        }
        loop {
            let mut connection = self.inner.database.connect().await?;
            let step = prune_departures(&mut connection, deliveries_before_ms).await?;
            gone += step;
            if step == 0 {
                break;
            }
        }
        loop {
            let mut connection = self.inner.database.connect().await?;
            let step = evidence::prune(&mut connection, now_ms).await?;
            gone += step;
            if step == 0 {
                break;
            }
        }
        loop {
            let mut connection = self.inner.database.connect().await?;
            let step = looks::prune(&mut connection, finished_before_ms).await?;
            gone += step;
            if step == 0 {
                break;
            }
        }
        let mut after = Some((i64::MIN, i64::MIN));
        while let Some(from) = after {
            let mut connection = self.inner.database.connect().await?;
            let (step, next) = prune_pulls(&mut connection, finished_before_ms, from).await?;
            gone += step;
            after = next;
        }
        let mut after = Some((i64::MIN, String::new()));
        while let Some(from) = after {
            let mut connection = self.inner.database.connect().await?;
            let (step, next) = prune_heads(&mut connection, finished_before_ms, from).await?;
            gone += step;
            after = next;
        }
        Ok(gone)
    }
}

async fn prune_deliveries(connection: &mut Connection, before_ms: TimestampMs) -> Result<u64, StoreError> {
    let sql = connection.say(
        "DELETE FROM deliveries WHERE guid IN
           (SELECT guid FROM deliveries WHERE received_ms < $1 ORDER BY received_ms LIMIT $2)",
        "DELETE FROM deliveries WHERE guid IN
           (SELECT guid FROM deliveries WHERE received_ms < $1 ORDER BY received_ms LIMIT $2
            FOR UPDATE SKIP LOCKED)",
    );
    query(sql).bind(before_ms).bind(STEP_ROWS).execute(connection).await
}

async fn prune_redeliveries(connection: &mut Connection, before_ms: TimestampMs) -> Result<u64, StoreError> {
    let sql = connection.say(
        "DELETE FROM redeliveries WHERE guid IN
           (SELECT guid FROM redeliveries WHERE touched_ms < $1 ORDER BY touched_ms LIMIT $2)",
        "DELETE FROM redeliveries WHERE guid IN
           (SELECT guid FROM redeliveries WHERE touched_ms < $1 ORDER BY touched_ms LIMIT $2
            FOR UPDATE SKIP LOCKED)",
    );
    query(sql).bind(before_ms).bind(STEP_ROWS).execute(connection).await
}

async fn prune_departures(connection: &mut Connection, before_ms: TimestampMs) -> Result<u64, StoreError> {
    let sql = connection.say(
        "DELETE FROM departures WHERE (repository, head, number) IN
           (SELECT repository, head, number FROM departures WHERE left_ms < $1 ORDER BY left_ms LIMIT $2)",
        "DELETE FROM departures WHERE (repository, head, number) IN
           (SELECT repository, head, number FROM departures WHERE left_ms < $1 ORDER BY left_ms LIMIT $2
            FOR UPDATE SKIP LOCKED)",
    );
    query(sql).bind(before_ms).bind(STEP_ROWS).execute(connection).await
}

async fn prune_tips(connection: &mut Connection, before_ms: TimestampMs) -> Result<u64, StoreError> {
    let sql = connection.say(
        "DELETE FROM tips WHERE (repository, branch) IN
           (SELECT repository, branch FROM tips WHERE touched_ms < $1 ORDER BY touched_ms LIMIT $2)",
        "DELETE FROM tips WHERE (repository, branch) IN
           (SELECT repository, branch FROM tips WHERE touched_ms < $1 ORDER BY touched_ms LIMIT $2
            FOR UPDATE SKIP LOCKED)",
    );
    query(sql).bind(before_ms).bind(STEP_ROWS).execute(connection).await
}

macro_rules! old_pulls {
    () => {
        "SELECT repository, number FROM pulls
         WHERE (repository, number) > ($1, $2) AND (repository, number) <= ($3, $4)
           AND open = 0 AND touched_ms < $5"
    };
}

/// Forgets closed pull requests among the next rows after `from`, with their comments.
async fn prune_pulls(
    connection: &mut Connection,
    before_ms: TimestampMs,
    from: (i64, i64),
) -> Result<(u64, Option<(i64, i64)>), StoreError> {
    let mut transaction = connection.begin().await?;
    let last = query(
        "SELECT repository, number FROM pulls WHERE (repository, number) > ($1, $2)
         ORDER BY repository, number LIMIT 1 OFFSET $3",
    )
    .bind(from.0)
    .bind(from.1)
    .bind(STEP_ROWS - 1)
    .fetch_optional(&mut transaction)
    .await?;
    let next: Option<(i64, i64)> =
        last.map(|row| Ok::<_, StoreError>((row.try_get(0)?, row.try_get(1)?))).transpose()?;
    let (to_repository, to_number) = next.unwrap_or((i64::MAX, i64::MAX));
    let sql = transaction.say(old_pulls!(), concat!(old_pulls!(), " FOR UPDATE SKIP LOCKED"));
    let old = query(sql)
        .bind(from.0)
        .bind(from.1)
        .bind(to_repository)
        .bind(to_number)
        .bind(before_ms)
        .fetch_all(&mut transaction)
        .await?;
    let key = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
    let keys = old.iter().map(key).collect::<Result<Vec<(i64, i64)>, StoreError>>()?;
    let rows = json(&keys);
    for sql in [
        concat!(
            "DELETE FROM comments WHERE (repository, number) IN (SELECT repository, number FROM ",
            given!(0 "repository" BIGINT, 1 "number" BIGINT),
            ")"
        ),
        concat!(
            "DELETE FROM pulls WHERE (repository, number) IN (SELECT repository, number FROM ",
            given!(0 "repository" BIGINT, 1 "number" BIGINT),
            ")"
        ),
    ] {
        query(sql).bind(&rows).execute(&mut transaction).await?;
    }
    transaction.commit().await?;
    Ok((keys.len() as u64, next))
}

macro_rules! old_heads {
    () => {
        "SELECT repository, head FROM heads
         WHERE (repository, head) > ($1, $2) AND (repository, head) <= ($3, $4)
           AND due_ms IS NULL AND touched_ms < $5 AND NOT EXISTS
           (SELECT 1 FROM pulls WHERE pulls.repository = heads.repository
              AND pulls.head = heads.head AND pulls.open = 1)"
    };
}

/// Forgets finished judgements among the next rows after `from`.
async fn prune_heads(
    connection: &mut Connection,
    before_ms: TimestampMs,
    from: (i64, String),
) -> Result<(u64, Option<(i64, String)>), StoreError> {
    let mut transaction = connection.begin().await?;
    let last = query(
        "SELECT repository, head FROM heads WHERE (repository, head) > ($1, $2)
         ORDER BY repository, head LIMIT 1 OFFSET $3",
    )
    .bind(from.0)
    .bind(&from.1)
    .bind(STEP_ROWS - 1)
    .fetch_optional(&mut transaction)
    .await?;
    let next: Option<(i64, String)> =
        last.map(|row| Ok::<_, StoreError>((row.try_get(0)?, row.try_get(1)?))).transpose()?;
    // No SHA is above "g": they are hexadecimal.
    let (to_repository, to_head) = next.clone().unwrap_or((i64::MAX, "g".into()));
    let sql = transaction.say(
        concat!("DELETE FROM heads WHERE (repository, head) IN (", old_heads!(), ")"),
        concat!("DELETE FROM heads WHERE (repository, head) IN (", old_heads!(), " FOR UPDATE SKIP LOCKED)"),
    );
    let gone = query(sql)
        .bind(from.0)
        .bind(&from.1)
        .bind(to_repository)
        .bind(to_head)
        .bind(before_ms)
        .execute(&mut transaction)
        .await?;
    transaction.commit().await?;
    Ok((gone, next))
}
