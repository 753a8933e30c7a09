//! A look at a database that changes nothing, while a server may be running on it: no lock is
//! taken, no file is made, nothing is migrated.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::clock::TimestampMs;
use crate::store::StoreError;
use crate::store::database::Database;
use crate::store::looks;
use crate::store::looks::Stands;
use crate::store::migrations;
use crate::store::postgres;
use crate::store::sqlite;

/// The inventory of the database at `url`, by image; `None` when there is no database of this
/// version. A server may be at work on it.
///
/// # Errors
/// When it is there and cannot be read, or the URL is of no use.
pub async fn inventory(url: &str) -> Result<Option<Vec<Stands>>, StoreError> {
    if at(url).await?.found != Some(migrations::known()) {
        return Ok(None);
    }
    let database = match url.split_once(':') {
        Some(("postgres" | "postgresql", _)) => Database::Postgres(postgres::reading(url)?),
        _ => match sqlite::reading(url).await? {
            Some(connection) => Database::Sqlite(Arc::new(Mutex::new(connection))),
            None => return Ok(None),
        },
    };
    looks::all(&mut database.connect().await?).await.map(Some)
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The newest version of the schema that was applied; `None` when there is no database, or
    /// nothing of ours in it.
    pub found: Option<i64>,
    /// The newest version that this program knows.
    pub known: i64,
    /// What the clock of a database server reads.
    pub clock_ms: Option<TimestampMs>,
}

/// Looks at the database at `url`.
///
/// # Errors
/// When it is there and cannot be read, or the URL is of no use.
pub async fn at(url: &str) -> Result<Seen, StoreError> {
    let known = migrations::known();
    match url.split_once(':') {
        Some(("postgres" | "postgresql", _)) => {
            let (found, clock_ms) = postgres::glance(url).await?;
            Ok(Seen { found, known, clock_ms: Some(clock_ms) })
        }
        _ => Ok(Seen { found: sqlite::glance(url).await?, known, clock_ms: None }),
    }
}
