//! Either database, behind one way to ask. The statements are written once, in the
//! part of SQL that SQLite and PostgreSQL share; values are numbers and texts.
//!
//! Where the two differ, [`Connection::say`] chooses. PostgreSQL learns SQLite's `json_each`
//! from its first migration. Beside each other, replicas are kept in order by three things:
//! a transaction that takes in news holds its repositories, or all surveys ([`Connection::hold`]),
//! what looks for rows (a claim, leaving, forgetting) passes over those that are held, and everything
//! else is one statement on one row.
//!
//! So no two wait for each other in a circle. Who writes several rows takes them in this order: the holds
//! (repositories by number, then the surveys), `pulls`, `tips`, `heads`, `surveys`, `deliveries`, each table by
//! its key. Several rows of `pulls`, `tips` and `heads` are written by who holds their repositories, several
//! of `surveys` by who holds those.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Deref;
use std::ops::DerefMut;
use std::sync::Arc;

use sqlx::ColumnIndex;
use sqlx::Decode;
use sqlx::PgPool;
use sqlx::Postgres;
use sqlx::Row as _;
use sqlx::SqlSafeStr;
use sqlx::Sqlite;
use sqlx::SqliteConnection;
use sqlx::Type;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx_core::transaction::TransactionManager;
use tokio::sync::Mutex;
use tokio::sync::OwnedMutexGuard;

use crate::ids::RepositoryId;
use crate::store::StoreError;
use crate::store::postgres;
use crate::store::sqlite;

/// The class of our advisory locks on repositories.
const REPOSITORIES: i64 = 0x6672_6f6d;
/// The advisory lock on all surveys: they are few.
const SURVEYS: i64 = 0x6672_6f6d_7375;

/// What a transaction holds until it ends, so that nobody else changes what is said of it.
#[derive(Debug, Default)]
pub(super) struct Hold {
    repositories: BTreeSet<u64>,
    surveys: bool,
}

impl Hold {
    pub(super) fn repository(&mut self, id: RepositoryId) {
        // Such a lock's number has 31 bits. Two of the same wait for each other needlessly, and no more.
        self.repositories.insert(id.0 & 0x7fff_ffff);
    }

    pub(super) fn surveys(&mut self) {
        self.surveys = true;
    }
}

/// The database, cheap to clone.
#[derive(Clone)]
pub(super) enum Database {
    /// The one connection. SQLite has one writer at a time whatever we do, and
    /// waiting here is fair, which its own waiting is not.
    Sqlite(Arc<Mutex<SqliteConnection>>),
    /// As many connections as statements are under way, up to a limit.
    Postgres(PgPool),
}

impl Database {
    /// Opens the database that the URL names and brings it up to date; beside it, what keeps
    /// others off its file.
    pub(super) async fn open(url: &str) -> Result<(Database, Option<sqlite::LockFile>), StoreError> {
        match url.split_once(':') {
            Some(("sqlite", _)) => {
                let (connection, lock) = sqlite::open(url).await?;
                Ok((Database::Sqlite(Arc::new(Mutex::new(connection))), lock))
            }
            Some(("postgres" | "postgresql", _)) => {
                Ok((Database::Postgres(postgres::open(url).await?), None))
            }
            other => {
                let scheme = other.map_or("no", |(scheme, _)| scheme);
                Err(StoreError::Url(format!(
                    "it names SQLite (sqlite:PATH) or PostgreSQL (postgres://USER:PASSWORD@HOST/DATABASE), \
                     not {scheme:?}"
                )))
            }
        }
    }

    /// A connection to ask on.
    pub(super) async fn connect(&self) -> Result<Connection, StoreError> {
        match self {
            Database::Sqlite(connection) => Ok(Connection::Sqlite(Arc::clone(connection).lock_owned().await)),
            Database::Postgres(pool) => Ok(Connection::Postgres(postgres::connect(pool).await?)),
        }
    }

    /// Whether other processes may use the database beside this one.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Database::Postgres(_))
    }
}

/// A connection, ours until it is dropped.
pub(super) enum Connection {
    Sqlite(OwnedMutexGuard<SqliteConnection>),
    Postgres(PoolConnection<Postgres>),
}

impl Connection {
    /// Begins a transaction that will write. On SQLite it takes the write lock at once: one
    /// that read first could be refused it at the first write, and would have to start over.
    pub(super) async fn begin(&mut self) -> Result<Transaction<'_>, StoreError> {
        match self {
            Connection::Sqlite(connection) => begin::<Sqlite>(connection, Some("BEGIN IMMEDIATE")).await?,
            Connection::Postgres(connection) => {
                let begun = postgres::in_time(begin::<Postgres>(connection, None)).await;
                postgres::settled(connection, begun)?;
            }
        }
        Ok(Transaction { connection: self, open: true })
    }

    /// A statement as this database says it, where the two differ.
    pub(super) fn say(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self {
            Connection::Sqlite(_) => sqlite,
            Connection::Postgres(_) => postgres,
        }
    }

    /// Lets nobody else change what is said of these until the transaction ends. It comes first in a
    /// transaction. On SQLite nobody else can.
    pub(super) async fn hold(&mut self, hold: &Hold) -> Result<(), StoreError> {
        if let Connection::Sqlite(_) = self {
            return Ok(());
        }
        let repositories: Vec<_> = hold.repositories.iter().map(|id| (id,)).collect();
        query("SELECT pg_advisory_xact_lock(CAST($1 AS INTEGER), CAST(value ->> 0 AS INTEGER)) FROM json_each($2)")
            .bind(REPOSITORIES)
            .bind(json(repositories))
            .execute(self)
            .await?;
        if hold.surveys {
            query("SELECT pg_advisory_xact_lock($1)").bind(SURVEYS).execute(self).await?;
        }
        Ok(())
    }
}

/// A transaction; it is rolled back unless it is committed.
pub(super) struct Transaction<'c> {
    connection: &'c mut Connection,
    open: bool,
}

impl Transaction<'_> {
    /// Makes what was done durable.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        match self.connection {
            Connection::Sqlite(connection) => commit::<Sqlite>(connection).await?,
            Connection::Postgres(connection) => {
                let committed = postgres::in_time(commit::<Postgres>(connection)).await;
                postgres::settled(connection, committed)?;
            }
        }
        self.open = false;
        Ok(())
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.open {
            match self.connection {
                Connection::Sqlite(connection) => start_rollback::<Sqlite>(connection),
                Connection::Postgres(connection) => start_rollback::<Postgres>(connection),
            }
        }
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl DerefMut for Transaction<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        self.connection
    }
}

// sqlx's own `Transaction` holds one kind of connection; these are what it is made of.

async fn begin<DB: sqlx::Database>(
    connection: &mut DB::Connection,
    statement: Option<&'static str>,
) -> Result<(), sqlx::Error> {
    DB::TransactionManager::begin(connection, statement.map(SqlSafeStr::into_sql_str)).await
}

async fn commit<DB: sqlx::Database>(connection: &mut DB::Connection) -> Result<(), sqlx::Error> {
    DB::TransactionManager::commit(connection).await
}

fn start_rollback<DB: sqlx::Database>(connection: &mut DB::Connection) {
    DB::TransactionManager::start_rollback(connection);
}

/// A statement of the shared part of SQL.
pub(super) fn query<'q>(sql: &'static str) -> Query<'q> {
    Query { sql, values: Vec::new() }
}

/// A statement and the values of its `$1`, `$2`, ….
pub(super) struct Query<'q> {
    sql: &'static str,
    values: Vec<Value<'q>>,
}

/// What a statement may be given. A macro gives it to either driver's own query.
pub(super) enum Value<'q> {
    Number(Option<i64>),
    Text(Option<Cow<'q, str>>),
}

/// Runs a statement by a method of sqlx's on whichever connection there is.
macro_rules! run {
    ($query:expr, $connection:expr, $method:ident, $sqlite:expr, $postgres:expr) => {{
        let Query { sql, values } = $query;
        match $connection {
            Connection::Sqlite(connection) => {
                let mut query = sqlx::query::<Sqlite>(sql);
                for value in values {
                    query = match value {
                        Value::Number(number) => query.bind(number),
                        Value::Text(text) => query.bind(text),
                    };
                }
                Ok(query.$method(&mut **connection).await.map($sqlite)?)
            }
            Connection::Postgres(connection) => {
                let mut query = sqlx::query::<Postgres>(sql);
                for value in values {
                    query = match value {
                        Value::Number(number) => query.bind(number),
                        Value::Text(text) => query.bind(text),
                    };
                }
                let done = postgres::in_time(query.$method(&mut **connection)).await;
                postgres::settled(connection, done).map($postgres)
            }
        }
    }};
}

impl<'q> Query<'q> {
    /// Gives the next value.
    pub(super) fn bind(mut self, value: impl Into<Value<'q>>) -> Query<'q> {
        self.values.push(value.into());
        self
    }

    /// Runs it; answers how many rows it changed.
    pub(super) async fn execute(self, connection: &mut Connection) -> Result<u64, StoreError> {
        run!(self, connection, execute, |done| done.rows_affected(), |done| done.rows_affected())
    }

    /// Runs it; answers every row.
    pub(super) async fn fetch_all(self, connection: &mut Connection) -> Result<Vec<Row>, StoreError> {
        run!(self, connection, fetch_all, |rows| rows.into_iter().map(Row::Sqlite).collect(), |rows| rows
            .into_iter()
            .map(Row::Postgres)
            .collect())
    }

    /// Runs it; answers its first row, if any.
    pub(super) async fn fetch_optional(self, connection: &mut Connection) -> Result<Option<Row>, StoreError> {
        run!(self, connection, fetch_optional, |row| row.map(Row::Sqlite), |row| row.map(Row::Postgres))
    }

    /// Runs it; answers its one row.
    pub(super) async fn fetch_one(self, connection: &mut Connection) -> Result<Row, StoreError> {
        run!(self, connection, fetch_one, Row::Sqlite, Row::Postgres)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Value::Number(Some(number))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Value::Number(number)
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Value::Text(Some(text.into()))
    }
}

impl<'q> From<&'q String> for Value<'q> {
    fn from(text: &'q String) -> Self {
        Value::Text(Some(text.into()))
    }
}

impl<'q> From<Option<&'q str>> for Value<'q> {
    fn from(text: Option<&'q str>) -> Self {
        Value::Text(text.map(Cow::Borrowed))
    }
}

/// A row of an answer.
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// A column by its place or its name.
pub(super) trait Place: ColumnIndex<SqliteRow> + ColumnIndex<PgRow> {}

impl<P: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>> Place for P {}

/// What a column may hold.
pub(super) trait Held<'r>:
    Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>
{
}

impl<'r, T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>> Held<'r> for T {}

impl Row {
    /// The value of a column.
    pub(super) fn try_get<'r, T: Held<'r>, P: Place>(&'r self, column: P) -> Result<T, StoreError> {
        Ok(match self {
            Row::Sqlite(row) => row.try_get(column)?,
            Row::Postgres(row) => row.try_get(column)?,
        })
    }
}

/// A table expression `given` over the JSON array of arrays bound as `$1`, whose
/// columns have these names and types: one statement takes any number of rows.
macro_rules! given {
    ($($index:literal $column:literal $type:ident),+ $(,)?) => {
        concat!(
            "(SELECT ", given!(@columns $($index $column $type),+), " FROM json_each($1)) AS given"
        )
    };
    (@columns $index:literal $column:literal $type:ident $(, $more:literal $name:literal $kind:ident)*) => {
        concat!(
            "CAST(value ->> ", $index, " AS ", stringify!($type), ") AS ", $column,
            $(", CAST(value ->> ", $more, " AS ", stringify!($kind), ") AS ", $name),*
        )
    };
}
pub(super) use given;

/// Rows as [`given`] takes them.
pub(super) fn json<T: serde::Serialize>(rows: T) -> String {
    serde_json::to_string(&rows).expect("numbers and strings serialise")
}
