//! How SQLite is opened, and the little of our SQL that another database would
//! say otherwise: everything else is in the part that SQLite and PostgreSQL share.

use std::fs::File;
use std::fs::TryLockError;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::Connection;
use sqlx::Row;
use sqlx::SqlSafeStr;
use sqlx::Sqlite;
use sqlx::SqliteConnection;
use sqlx::Transaction;
use sqlx::migrate::MigrateError;
use sqlx::migrate::Migration;
use sqlx::migrate::MigrationType;
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::sqlite::SqliteJournalMode;
use sqlx::sqlite::SqliteSynchronous;
use tokio::sync::watch;

use crate::store::StoreError;

/// Every migration, by version. They are listed rather than found by `sqlx::migrate!`:
/// the macro would build SQLite a second time, for the compiler's own use.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "queue", include_str!("../../migrations/0001_queue.sql")),
    (2, "reruns", include_str!("../../migrations/0002_reruns.sql")),
    (3, "tips", include_str!("../../migrations/0003_tips.sql")),
    (4, "sweeps", include_str!("../../migrations/0004_sweeps.sql")),
    (5, "settled comments", include_str!("../../migrations/0005_settled_comments.sql")),
    (6, "listed files", include_str!("../../migrations/0006_listed_files.sql")),
];

/// How long SQLite waits for somebody else's lock: a backup, or a shell on the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The lock on the file beside the database; the operating system takes it back
/// however the process ends.
pub(super) struct LockFile(#[expect(dead_code, reason = "held open, never read")] File);

/// Opens the database, takes its lock and migrates it.
pub(super) async fn open(url: &str) -> Result<(SqliteConnection, Option<LockFile>), StoreError> {
    let options = SqliteConnectOptions::new()
        .create_if_missing(true)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .disable_statement_logging();
    let (options, lock) = match Location::of(url)? {
        Location::Memory => (options.in_memory(true), None),
        Location::File(path) => {
            let lock = lock(&path)?;
            // FULL: a commit is on the disk when it returns, also when the power fails.
            let options = options
                .filename(path)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full);
            (options, Some(lock))
        }
    };
    let mut connection = options.connect().await?;
    migrate(&mut connection).await?;
    Ok((connection, lock))
}

enum Location {
    Memory,
    File(PathBuf),
}

impl Location {
    fn of(url: &str) -> Result<Location, StoreError> {
        let Some(rest) = url.strip_prefix("sqlite:") else {
            let scheme = url.split_once(':').map_or("no", |(scheme, _)| scheme);
            return Err(StoreError::Url(format!(
                "this version stores in SQLite only (sqlite:PATH), not in {scheme:?}"
            )));
        };
        let path = rest.strip_prefix("//").unwrap_or(rest);
        if path == ":memory:" {
            return Ok(Location::Memory);
        }
        if path.is_empty() || path.contains(['?', '#']) {
            return Err(StoreError::Url("write sqlite:PATH, without options after the path".into()));
        }
        Ok(Location::File(PathBuf::from(path)))
    }
}

fn lock(database: &Path) -> Result<LockFile, StoreError> {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let cannot = |cause| StoreError::Lock { path: path.clone(), cause: Arc::new(cause) };
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(LockFile(file)),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(database.to_owned())),
        Err(TryLockError::Error(cause)) => Err(cannot(cause)),
    }
}

async fn migrate(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let migrations = MIGRATIONS.iter().map(|(version, what, sql)| {
        Migration::new(*version, (*what).into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    match Migrator::with_migrations(migrations.collect()).run(&mut *connection).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..)) => {
            let row = sqlx::query("SELECT MAX(version) AS found FROM _sqlx_migrations")
                .fetch_one(connection)
                .await?;
            let known = MIGRATIONS.iter().map(|(version, ..)| *version).max().unwrap_or_default();
            Err(StoreError::Newer { found: row.try_get("found")?, known })
        }
        Err(MigrateError::Execute(error)) => Err(error.into()),
        Err(error) => Err(StoreError::Migration(Arc::new(error))),
    }
}

/// Begins a transaction that will write. It takes the write lock at once: one that
/// read first could be refused it at the first write, and would have to start over.
pub(super) async fn begin(connection: &mut SqliteConnection) -> Result<Transaction<'_, Sqlite>, StoreError> {
    Ok(connection.begin_with("BEGIN IMMEDIATE").await?)
}

/// A table expression `given` over the JSON array of arrays bound as `$1`, whose
/// columns have these names: one statement takes any number of rows.
macro_rules! given {
    ($($index:literal $column:literal),+ $(,)?) => {
        concat!(
            "(SELECT key AS position", $(", value ->> ", $index, " AS ", $column),+,
            " FROM json_each($1)) AS given"
        )
    };
}
pub(super) use given;

/// Rows as [`given`] takes them.
pub(super) fn rows<T: serde::Serialize>(rows: &[T]) -> String {
    serde_json::to_string(rows).expect("numbers and strings serialise")
}

/// Tells who waits that something changed.
pub(super) fn bump(changes: &watch::Sender<u64>) {
    changes.send_modify(|count| *count = count.wrapping_add(1));
}
