//! Looks at the images that stand on default branches: which are due, what was seen, what
//! drifted; and the inventory as it is shown. What a look saw is a text here.

use crate::clock::TimestampMs;
use crate::ids::InstallationId;
use crate::ids::RepositoryName;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::database::Connection;
use crate::store::database::query;

/// How many rows one step of forgetting looks at.
const STEP_ROWS: i64 = 500;

/// An image, and what the last look at it put down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookedAt {
    /// In whose repositories it stands.
    pub installation: InstallationId,
    /// The reference in full.
    pub image: String,
    /// When it was looked at; 0 when it never was.
    pub looked_ms: TimestampMs,
    /// What was seen; empty when it was never looked at.
    pub seen: String,
    /// What drifted; empty when it was never looked at.
    pub drift: String,
}

/// An image as it stands in one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stands {
    /// The image, with what the last look put down.
    pub looked: LookedAt,
    /// Where.
    pub repository: RepositoryName,
    /// The file where it stands first.
    pub file: String,
    /// The line there, from 1.
    pub line: u64,
    /// How often it stands in the repository.
    pub uses: u64,
    /// When the default branch was last seen to hold it.
    pub read_ms: TimestampMs,
}

impl Store {
    /// The images that were looked at before `before_ms`, or never, the longest ago first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn looks_due(&self, before_ms: TimestampMs, most: i64) -> Result<Vec<LookedAt>, StoreError> {
        let mut connection = self.inner.database.connect().await?;
        let rows = query(
            "SELECT DISTINCT inventories.installation, inventory.image, COALESCE(looks.looked_ms, 0) AS looked,
               COALESCE(looks.seen, '') AS seen, COALESCE(looks.drift, '') AS drift
             FROM inventory JOIN inventories ON inventories.repository = inventory.repository
               LEFT JOIN looks ON looks.installation = inventories.installation AND looks.image = inventory.image
             WHERE COALESCE(looks.looked_ms, 0) < $1 ORDER BY looked, inventory.image LIMIT $2",
        )
        .bind(before_ms)
        .bind(most)
        .fetch_all(&mut connection)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(LookedAt {
                    installation: InstallationId(row.try_get::<i64, _>(0)?.cast_unsigned()),
                    image: row.try_get(1)?,
                    looked_ms: row.try_get(2)?,
                    seen: row.try_get(3)?,
                    drift: row.try_get(4)?,
                })
            })
            .collect()
    }

    /// Puts down what a look saw.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_look(&self, looked: &LookedAt) -> Result<(), StoreError> {
        let mut connection = self.inner.database.connect().await?;
        query(
            "INSERT INTO looks (installation, image, looked_ms, seen, drift) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (installation, image) DO UPDATE SET
               looked_ms = excluded.looked_ms, seen = excluded.seen, drift = excluded.drift",
        )
        .bind(looked.installation.0.cast_signed())
        .bind(&looked.image)
        .bind(looked.looked_ms)
        .bind(&looked.seen)
        .bind(&looked.drift)
        .execute(&mut connection)
        .await?;
        Ok(())
    }
}

/// Everything that stands on default branches, by image.
pub(super) async fn all(connection: &mut Connection) -> Result<Vec<Stands>, StoreError> {
    let rows = query(
        "SELECT inventories.installation, inventory.image, COALESCE(looks.looked_ms, 0),
           COALESCE(looks.seen, ''), COALESCE(looks.drift, ''), inventories.owner, inventories.name,
           inventory.file, inventory.line, inventory.uses, inventories.read_ms
         FROM inventory JOIN inventories ON inventories.repository = inventory.repository
           LEFT JOIN looks ON looks.installation = inventories.installation AND looks.image = inventory.image
         ORDER BY inventory.image, inventories.owner, inventories.name",
    )
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let looked = LookedAt {
                installation: InstallationId(row.try_get::<i64, _>(0)?.cast_unsigned()),
                image: row.try_get(1)?,
                looked_ms: row.try_get(2)?,
                seen: row.try_get(3)?,
                drift: row.try_get(4)?,
            };
            let repository = RepositoryName { owner: row.try_get(5)?, name: row.try_get(6)? };
            Ok(Stands {
                looked,
                repository,
                file: row.try_get(7)?,
                line: row.try_get::<i64, _>(8)?.cast_unsigned(),
                uses: row.try_get::<i64, _>(9)?.cast_unsigned(),
                read_ms: row.try_get(10)?,
            })
        })
        .collect()
}

macro_rules! of_nothing {
    () => {
        "SELECT looks.installation, looks.image FROM looks WHERE looks.looked_ms < $1 AND NOT EXISTS
           (SELECT 1 FROM inventory JOIN inventories ON inventories.repository = inventory.repository
            WHERE inventory.image = looks.image AND inventories.installation = looks.installation)
         LIMIT $2"
    };
}

/// Forgets some of the looks at what stands nowhere any more.
pub(super) async fn prune(connection: &mut Connection, before_ms: TimestampMs) -> Result<u64, StoreError> {
    let sql = connection.say(
        concat!("DELETE FROM looks WHERE (installation, image) IN (", of_nothing!(), ")"),
        // Another replica may be at it too.
        concat!(
            "DELETE FROM looks WHERE (installation, image) IN (",
            of_nothing!(),
            " FOR UPDATE OF looks SKIP LOCKED)"
        ),
    );
    query(sql).bind(before_ms).bind(STEP_ROWS).execute(connection).await
}
