//! SQLite: one file, one process, one connection. The file's lock and the write-ahead
//! log are set up here; what is said to it is in the part of SQL that is shared.

use std::fs::File;
use std::fs::TryLockError;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::sqlite::SqliteJournalMode;
use sqlx::sqlite::SqliteSynchronous;

use crate::store::StoreError;
use crate::store::migrations;

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
    let migrated = migrations::sqlite().run(&mut connection).await;
    migrations::outcome(migrated, &mut connection).await?;
    Ok((connection, lock))
}

/// A connection that changes nothing, while another process may have the database; `None` when
/// there is none.
pub(super) async fn reading(url: &str) -> Result<Option<SqliteConnection>, StoreError> {
    let path = match Location::of(url)? {
        Location::File(path) if path.exists() => path,
        _ => return Ok(None),
    };
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let options = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(false)
        .read_only(true)
        // Without a log nobody has it open, and reading it must not make one.
        .immutable(!Path::new(&log).exists())
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging();
    Ok(Some(options.connect().await?))
}

/// The newest schema version that was applied, of a database that is not touched.
pub(super) async fn glance(url: &str) -> Result<Option<i64>, StoreError> {
    let Some(mut connection) = reading(url).await? else { return Ok(None) };
    let ours = "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'";
    let ours: i64 = sqlx::query_scalar(ours).fetch_one(&mut connection).await?;
    if ours == 0 {
        return Ok(None);
    }
    Ok(sqlx::query_scalar(migrations::NEWEST_APPLIED).fetch_one(&mut connection).await?)
}

enum Location {
    Memory,
    File(PathBuf),
}

impl Location {
    fn of(url: &str) -> Result<Location, StoreError> {
        let rest = url.strip_prefix("sqlite:").unwrap_or(url);
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
