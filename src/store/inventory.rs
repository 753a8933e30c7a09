//! What stands on the default branches of an installation's repositories, and which of
//! them are to be read.
//!
//! Level-triggered like the queue: a wish raises the row of a repository, and who has read
//! the branch puts down what was found, at which commit. An image is a text here.

use std::collections::BTreeMap;

use crate::clock::TimestampMs;
use crate::ids::InstallationId;
use crate::ids::RepositoryId;
use crate::ids::RepositoryName;
use crate::ids::RepositoryPlace;
use crate::ids::Sha;
use crate::store::Leave;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::database::Connection;
use crate::store::database::given;
use crate::store::database::json;
use crate::store::database::query;

/// A leased reading of a default branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stocktaking {
    /// Of which repository.
    pub place: RepositoryPlace,
    /// The commit that was read last.
    pub head: Option<Sha>,
    /// How often it was tried and failed before.
    pub attempts: u32,
    wanted: i64,
    lease: String,
}

/// An image that stands on a default branch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StandingImage {
    /// The reference in full.
    pub image: String,
    /// Its digest, where it is pinned.
    pub digest: Option<String>,
    /// The file where it stands first.
    pub file: String,
    /// The line there, from 1.
    pub line: u64,
    /// How often it stands in the repository.
    pub uses: u64,
}

/// A default branch as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingBranch {
    /// Its whole name.
    pub branch: String,
    /// Where it stood.
    pub head: Sha,
    /// What stands there, each image once; `None` when it stood there before.
    pub images: Option<Vec<StandingImage>>,
}

macro_rules! oldest_due {
    () => {
        "SELECT * FROM inventories WHERE due_ms <= $1 ORDER BY due_ms, repository LIMIT 1"
    };
}

impl Store {
    /// Wants default branches read, each from its time on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn want_stock(&self, places: &[(RepositoryPlace, TimestampMs)]) -> Result<(), StoreError> {
        // Once each, and in one order everywhere, so that no two replicas wait for each other.
        let mut rows = BTreeMap::new();
        for (place, at_ms) in places {
            let id = place.id.0.cast_signed();
            let installation = place.installation.0.cast_signed();
            rows.insert(id, (id, installation, &place.name.owner, &place.name.name, at_ms));
        }
        let rows: Vec<_> = rows.into_values().collect();
        {
            let mut connection = self.inner.database.connect().await?;
            query(concat!(
                "INSERT INTO inventories (repository, installation, owner, name, due_ms)
                 SELECT repository, installation, owner, name, due_ms FROM ",
                given!(0 "repository" BIGINT, 1 "installation" BIGINT, 2 "owner" TEXT, 3 "name" TEXT, 4 "due_ms" BIGINT),
                " WHERE true
                 ON CONFLICT (repository) DO UPDATE SET
                   installation = excluded.installation, owner = excluded.owner, name = excluded.name,
                   wanted = inventories.wanted + 1,
                   due_ms = CASE WHEN inventories.due_ms IS NULL
                                   OR inventories.lease IS NULL AND inventories.due_ms > excluded.due_ms
                                 THEN excluded.due_ms ELSE inventories.due_ms END"
            ))
            .bind(json(&rows))
            .execute(&mut connection)
            .await?;
        }
        self.changed();
        Ok(())
    }

    /// Leases the reading that has been due for longest; `None` when none is due.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_stock(
        &self,
        now_ms: TimestampMs,
        lease_ms: i64,
    ) -> Result<Option<Stocktaking>, StoreError> {
        let mut connection = self.inner.database.connect().await?;
        let mut transaction = connection.begin().await?;
        let sql = transaction.say(oldest_due!(), concat!(oldest_due!(), " FOR UPDATE SKIP LOCKED"));
        let row = query(sql).bind(now_ms).fetch_optional(&mut transaction).await?;
        let Some(row) = row else { return Ok(None) };
        let number = |column: &str| row.try_get::<i64, _>(column);
        let stocktaking = Stocktaking {
            place: RepositoryPlace {
                installation: InstallationId(number("installation")?.cast_unsigned()),
                id: RepositoryId(number("repository")?.cast_unsigned()),
                name: RepositoryName { owner: row.try_get("owner")?, name: row.try_get("name")? },
            },
            head: Some(row.try_get("head")?).filter(|head: &String| !head.is_empty()).map(Sha),
            attempts: u32::try_from(number("attempts")?).unwrap_or(u32::MAX),
            wanted: number("wanted")?,
            lease: self.inner.lease_tokens.next(),
        };
        query(
            "UPDATE inventories SET lease = $2, due_ms = $3, attempts = attempts + 1 WHERE repository = $1",
        )
        .bind(stocktaking.place.id.0.cast_signed())
        .bind(&stocktaking.lease)
        .bind(now_ms.saturating_add(lease_ms))
        .execute(&mut transaction)
        .await?;
        transaction.commit().await?;
        Ok(Some(stocktaking))
    }

    /// Puts down what was found, unless the lease is lost. It is due again at once if it was
    /// wished for meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_stock(
        &self,
        stocktaking: &Stocktaking,
        found: &StandingBranch,
        now_ms: TimestampMs,
    ) -> Result<(), StoreError> {
        let repository = stocktaking.place.id.0.cast_signed();
        let mut connection = self.inner.database.connect().await?;
        let mut transaction = connection.begin().await?;
        let ours = query(
            "UPDATE inventories SET branch = $3, head = $4, read_ms = $5, attempts = 0, lease = NULL,
               due_ms = CASE WHEN wanted = $6 THEN NULL ELSE $5 END
             WHERE repository = $1 AND lease = $2",
        )
        .bind(repository)
        .bind(&stocktaking.lease)
        .bind(&found.branch)
        .bind(&found.head.0)
        .bind(now_ms)
        .bind(stocktaking.wanted)
        .execute(&mut transaction)
        .await?;
        if ours == 1
            && let Some(images) = &found.images
        {
            write(&mut transaction, repository, images).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The reading is to be tried again at `at_ms`; never for the present when that is `None`.
    /// What was found before stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retry_stock(
        &self,
        stocktaking: &Stocktaking,
        at_ms: Option<TimestampMs>,
    ) -> Result<(), StoreError> {
        let mut connection = self.inner.database.connect().await?;
        query("UPDATE inventories SET lease = NULL, due_ms = $3 WHERE repository = $1 AND lease = $2")
            .bind(stocktaking.place.id.0.cast_signed())
            .bind(&stocktaking.lease)
            .bind(at_ms)
            .execute(&mut connection)
            .await?;
        Ok(())
    }

    /// Nothing stands there any more: the repository is gone, archived, or empty.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clear_stock(&self, stocktaking: &Stocktaking) -> Result<(), StoreError> {
        let repository = stocktaking.place.id.0.cast_signed();
        let mut connection = self.inner.database.connect().await?;
        let mut transaction = connection.begin().await?;
        let ours = query("DELETE FROM inventories WHERE repository = $1 AND lease = $2")
            .bind(repository)
            .bind(&stocktaking.lease)
            .execute(&mut transaction)
            .await?;
        if ours == 1 {
            query("DELETE FROM inventory WHERE repository = $1")
                .bind(repository)
                .execute(&mut transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// When the next reading is due; `None` when none is wanted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_stock_ms(&self) -> Result<Option<TimestampMs>, StoreError> {
        let mut connection = self.inner.database.connect().await?;
        let row = query("SELECT MIN(due_ms) FROM inventories").fetch_one(&mut connection).await?;
        row.try_get(0)
    }

    /// The images with these digests that stand on a default branch of an installation, by
    /// digest; `None` when no branch of it was ever read.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn standing(
        &self,
        installation: InstallationId,
        digests: &[&str],
    ) -> Result<Option<BTreeMap<String, Vec<String>>>, StoreError> {
        let installation = installation.0.cast_signed();
        let mut connection = self.inner.database.connect().await?;
        let read = query("SELECT COUNT(*) FROM inventories WHERE installation = $1 AND head <> ''")
            .bind(installation)
            .fetch_one(&mut connection)
            .await?;
        if read.try_get::<i64, _>(0)? == 0 {
            return Ok(None);
        }
        let keys: Vec<(&str,)> = digests.iter().map(|digest| (*digest,)).collect();
        let rows = query(concat!(
            "SELECT DISTINCT inventory.digest, inventory.image FROM ",
            given!(0 "digest" TEXT),
            " JOIN inventory ON inventory.digest = given.digest
              JOIN inventories ON inventories.repository = inventory.repository
             WHERE inventory.digest <> '' AND inventories.installation = $2"
        ))
        .bind(json(&keys))
        .bind(installation)
        .fetch_all(&mut connection)
        .await?;
        let mut standing: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in rows {
            standing.entry(row.try_get(0)?).or_default().push(row.try_get(1)?);
        }
        Ok(Some(standing))
    }
}

/// Puts these images in the place of those that stood there before.
async fn write(
    connection: &mut Connection,
    repository: i64,
    images: &[StandingImage],
) -> Result<(), StoreError> {
    query("DELETE FROM inventory WHERE repository = $1").bind(repository).execute(connection).await?;
    let rows: Vec<_> = images
        .iter()
        .map(|one| {
            let StandingImage { image, digest, file, line, uses } = one;
            (image, digest.as_deref().unwrap_or_default(), file, line, uses)
        })
        .collect();
    query(concat!(
        "INSERT INTO inventory (repository, image, digest, file, line, uses)
         SELECT $2, image, digest, file, line, uses FROM ",
        given!(0 "image" TEXT, 1 "digest" TEXT, 2 "file" TEXT, 3 "line" BIGINT, 4 "uses" BIGINT)
    ))
    .bind(json(&rows))
    .bind(repository)
    .execute(connection)
    .await?;
    Ok(())
}

macro_rules! left {
    ($rest:literal) => {
        concat!(
            "installation = $2 AND ($3 > 0 OR repository IN (SELECT repository FROM ",
            given!(0 "repository" BIGINT),
            "))",
            $rest
        )
    };
}

/// Nothing is known any more: of the whole installation, or of some repositories.
pub(super) async fn leave(connection: &mut Connection, left: &Leave) -> Result<(), StoreError> {
    let keys: Option<Vec<(i64,)>> =
        left.repositories.as_ref().map(|ids| ids.iter().map(|id| (id.0.cast_signed(),)).collect());
    let rows = json(keys.as_deref().unwrap_or_default());
    let all = i64::from(keys.is_none());
    // Who puts down what was read holds the repository's row first, and wishes hold them in this order.
    let hold = connection.say(
        concat!("SELECT repository FROM inventories WHERE ", left!("")),
        concat!("SELECT repository FROM inventories WHERE ", left!(" ORDER BY repository FOR UPDATE")),
    );
    let images = concat!(
        "DELETE FROM inventory WHERE repository IN (SELECT repository FROM inventories WHERE ",
        left!(")")
    );
    let branches = concat!("DELETE FROM inventories WHERE ", left!(""));
    for sql in [hold, images, branches] {
        query(sql).bind(&rows).bind(left.installation.0.cast_signed()).bind(all).execute(connection).await?;
    }
    Ok(())
}
