//! What is done every so often by one process, however many there are; and how often a
//! delivery was asked for again.

use crate::clock::TimestampMs;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::database::query;

/// A chore that is ours to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chore {
    name: &'static str,
    began_ms: TimestampMs,
    /// When the last one that ended well began.
    pub last_ms: Option<TimestampMs>,
}

impl Store {
    /// Takes a chore that is due and puts the next one off until `next_ms`; `None` when it is
    /// not due, or another process has it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_chore(
        &self,
        name: &'static str,
        now_ms: TimestampMs,
        next_ms: TimestampMs,
    ) -> Result<Option<Chore>, StoreError> {
        let mut connection = self.inner.database.connect().await?;
        let row = query(
            "INSERT INTO chores (name, due_ms, done_ms) VALUES ($1, $3, 0)
             ON CONFLICT (name) DO UPDATE SET due_ms = excluded.due_ms WHERE chores.due_ms <= $2
             RETURNING done_ms",
        )
        .bind(Some(name))
        .bind(now_ms)
        .bind(next_ms)
        .fetch_optional(&mut connection)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let done_ms: i64 = row.try_get(0)?;
        Ok(Some(Chore { name, began_ms: now_ms, last_ms: (done_ms > 0).then_some(done_ms) }))
    }

    /// A chore that was last done before `before_ms`, or never, is due now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hasten_chore(
        &self,
        name: &str,
        now_ms: TimestampMs,
        before_ms: TimestampMs,
    ) -> Result<(), StoreError> {
        let mut connection = self.inner.database.connect().await?;
        query("UPDATE chores SET due_ms = $2 WHERE name = $1 AND due_ms > $2 AND done_ms <= $3")
            .bind(Some(name))
            .bind(now_ms)
            .bind(before_ms)
            .execute(&mut connection)
            .await?;
        Ok(())
    }

    /// The chore ended well.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_chore(&self, chore: &Chore) -> Result<(), StoreError> {
        let mut connection = self.inner.database.connect().await?;
        query("UPDATE chores SET done_ms = $2 WHERE name = $1 AND done_ms < $2")
            .bind(Some(chore.name))
            .bind(chore.began_ms)
            .execute(&mut connection)
            .await?;
        Ok(())
    }

    /// When a chore is due; `None` when it was never done.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn chore_due_ms(&self, name: &str) -> Result<Option<TimestampMs>, StoreError> {
        let mut connection = self.inner.database.connect().await?;
        let row = query("SELECT due_ms FROM chores WHERE name = $1")
            .bind(Some(name))
            .fetch_optional(&mut connection)
            .await?;
        row.map(|row| row.try_get(0)).transpose()
    }

    /// Counts that a delivery is asked for again; `false` when it was asked for `most` times.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_redelivery(
        &self,
        guid: &str,
        most: i64,
        now_ms: TimestampMs,
    ) -> Result<bool, StoreError> {
        let mut connection = self.inner.database.connect().await?;
        let counted = query(
            "INSERT INTO redeliveries (guid, asked, touched_ms) VALUES ($1, 1, $3)
             ON CONFLICT (guid) DO UPDATE SET asked = redeliveries.asked + 1, touched_ms = excluded.touched_ms
             WHERE redeliveries.asked < $2",
        )
        .bind(Some(guid))
        .bind(most)
        .bind(now_ms)
        .execute(&mut connection)
        .await?;
        Ok(counted == 1)
    }
}
