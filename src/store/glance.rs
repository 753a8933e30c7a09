//! A look at a database that changes nothing, while a server may be running on it: no lock is
//! taken, no file is made, nothing is migrated.

use crate::clock::TimestampMs;
use crate::store::StoreError;
use crate::store::migrations;
use crate::store::postgres;
use crate::store::sqlite;

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
