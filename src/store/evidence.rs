//! What registries said, kept for a restart and for other replicas: texts by kind and
//! key, of which nothing is understood here.

use std::collections::BTreeMap;

use crate::clock::TimestampMs;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::database::Connection;
use crate::store::database::given;
use crate::store::database::json;
use crate::store::database::query;

/// How many are kept; of more, the oldest go.
const MOST_KEPT: i64 = 100_000;

/// How many rows one step of forgetting looks at.
const STEP_ROWS: i64 = 500;

/// Something that was learnt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearntText {
    /// What kind of fact, with the version of its form.
    pub kind: String,
    /// Of what.
    pub key: String,
    /// What is so.
    pub value: String,
    /// When it was learnt.
    pub at_ms: TimestampMs,
    /// From when on it may be forgotten.
    pub until_ms: TimestampMs,
}

impl Store {
    /// What was learnt of something, and when.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn learnt(&self, kind: &str, key: &str) -> Result<Option<(String, TimestampMs)>, StoreError> {
        let mut connection = self.inner.database.connect().await?;
        let row = query("SELECT value, at_ms FROM evidence WHERE kind = $1 AND key = $2")
            .bind(Some(kind))
            .bind(Some(key))
            .fetch_optional(&mut connection)
            .await?;
        row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
    }

    /// Writes down what was learnt; what is newer stays, unless a clock that was wrong wrote it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_learnt(&self, all: &[LearntText]) -> Result<(), StoreError> {
        // Once each, and in one order everywhere, so that no two replicas wait for each other.
        let mut rows = BTreeMap::new();
        for LearntText { kind, key, value, at_ms, until_ms } in all {
            rows.insert((kind, key), (kind, key, value, at_ms, until_ms));
        }
        let rows: Vec<_> = rows.into_values().collect();
        let mut connection = self.inner.database.connect().await?;
        query(concat!(
            "INSERT INTO evidence (kind, key, value, at_ms, until_ms)
             SELECT kind, key, value, at_ms, until_ms FROM ",
            given!(0 "kind" TEXT, 1 "key" TEXT, 2 "value" TEXT, 3 "at_ms" BIGINT, 4 "until_ms" BIGINT),
            " WHERE true
             ON CONFLICT (kind, key) DO UPDATE SET
               value = excluded.value, at_ms = excluded.at_ms, until_ms = excluded.until_ms
             WHERE evidence.at_ms <= excluded.at_ms OR evidence.at_ms > excluded.at_ms + 600000"
        ))
        .bind(json(&rows))
        .execute(&mut connection)
        .await?;
        Ok(())
    }
}

/// Forgets some of what is of no use any more, and of what is too much.
pub(super) async fn prune(connection: &mut Connection, now_ms: TimestampMs) -> Result<u64, StoreError> {
    let old = connection.say(
        "DELETE FROM evidence WHERE (kind, key) IN
           (SELECT kind, key FROM evidence WHERE until_ms < $1 ORDER BY until_ms LIMIT $2)",
        "DELETE FROM evidence WHERE (kind, key) IN
           (SELECT kind, key FROM evidence WHERE until_ms < $1 ORDER BY until_ms LIMIT $2
            FOR UPDATE SKIP LOCKED)",
    );
    let gone = query(old).bind(now_ms).bind(STEP_ROWS).execute(connection).await?;
    let surplus = connection.say(
        "DELETE FROM evidence WHERE (kind, key) IN
           (SELECT kind, key FROM evidence ORDER BY at_ms DESC LIMIT $2 OFFSET $1)",
        "DELETE FROM evidence WHERE (kind, key) IN
           (SELECT kind, key FROM evidence ORDER BY at_ms DESC LIMIT $2 OFFSET $1
            FOR UPDATE SKIP LOCKED)",
    );
    Ok(gone + query(surplus).bind(MOST_KEPT).bind(STEP_ROWS).execute(connection).await?)
}
