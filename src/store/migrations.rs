//! The schema's versions, for either database: `migrations/sqlite` and
//! `migrations/postgres` hold the same versions under the same names.
//!
//! A migration only adds: while replicas are updated one after the other, those of
//! the version before go on beside it. A column comes with a default, and nothing is
//! dropped or renamed before no supported version names it any more.

use std::sync::Arc;

use sqlx::SqlSafeStr;
use sqlx::migrate::Migrate;
use sqlx::migrate::MigrateError;
use sqlx::migrate::Migration;
use sqlx::migrate::MigrationType;
use sqlx::migrate::Migrator;

use crate::store::StoreError;

/// One version of the schema.
struct Version {
    number: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

/// Where sqlx writes down which versions were applied.
const APPLIED: &str = "_sqlx_migrations";

macro_rules! version {
    ($number:literal, $name:literal, $file:literal) => {
        Version {
            number: $number,
            name: $name,
            sqlite: include_str!(concat!("../../migrations/sqlite/", $file)),
            postgres: include_str!(concat!("../../migrations/postgres/", $file)),
        }
    };
}

/// Every migration, in order. They are listed rather than found by `sqlx::migrate!`:
/// the macro would build SQLite a second time, for the compiler's own use.
const VERSIONS: &[Version] = &[
    version!(1, "queue", "0001_queue.sql"),
    version!(2, "reruns", "0002_reruns.sql"),
    version!(3, "tips", "0003_tips.sql"),
    version!(4, "sweeps", "0004_sweeps.sql"),
    version!(5, "settled comments", "0005_settled_comments.sql"),
    version!(6, "listed files", "0006_listed_files.sql"),
    version!(7, "evidence", "0007_evidence.sql"),
    version!(8, "closing", "0008_closing.sql"),
    version!(9, "inventory", "0009_inventory.sql"),
    version!(10, "looks", "0010_looks.sql"),
    version!(11, "departures", "0011_departures.sql"),
    version!(12, "commenting", "0012_commenting.sql"),
];

/// The newest version.
pub(super) fn known() -> i64 {
    VERSIONS.iter().map(|version| version.number).max().unwrap_or_default()
}

/// The newest version that was applied to a database.
pub(super) const NEWEST_APPLIED: &str = "SELECT MAX(version) FROM _sqlx_migrations";

/// The migrations of SQLite.
pub(super) fn sqlite() -> Migrator {
    migrator(|version| version.sqlite)
}

/// The migrations of PostgreSQL.
pub(super) fn postgres() -> Migrator {
    migrator(|version| version.postgres)
}

fn migrator(sql: impl Fn(&Version) -> &'static str) -> Migrator {
    let migrations = VERSIONS.iter().map(|version| {
        let sql = sql(version).into_sql_str();
        Migration::new(version.number, version.name.into(), MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(migrations.collect())
}

/// What became of a migration of `connection`.
pub(super) async fn outcome(
    migrated: Result<(), MigrateError>,
    connection: &mut impl Migrate,
) -> Result<(), StoreError> {
    match migrated {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..)) => {
            let applied = connection.list_applied_migrations(APPLIED).await;
            let applied = applied.map_err(|error| StoreError::Migration(Arc::new(error)))?;
            let found = applied.iter().map(|applied| applied.version).max().unwrap_or_default();
            Err(StoreError::Newer { found, known: known() })
        }
        Err(MigrateError::Execute(error)) => Err(error.into()),
        Err(error) => Err(StoreError::Migration(Arc::new(error))),
    }
}
