//! PostgreSQL: how it is reached, and what is said when it is not. Several processes
//! share it; what keeps them out of each other's way is in [`super::database`].
//!
//! A connection that died is noticed before it is used again, and nothing waits for
//! ever: not for a connection, not for an answer, not for a lock.

use std::future::Future;
use std::str::FromStr;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::PgPool;
use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgConnectOptions;
use sqlx::postgres::PgPoolOptions;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use crate::clock::TimestampMs;
use crate::store::StoreError;
use crate::store::migrations;

/// How many connections one replica opens at most. Statements are short: there are more
/// judgements than connections, and PostgreSQL's own limit is 100 unless it is raised.
const CONNECTIONS_MAX: u32 = 8;

/// How long the server may take to be reached, at the start.
const REACHED_WITHIN: Duration = Duration::from_secs(10);

/// How long to wait for a connection of the pool. GitHub hangs up after 10 seconds, and who asks
/// whether we are ready waits less.
const CONNECTED_WITHIN: Duration = Duration::from_secs(5);

/// How long one statement may take before its connection counts as dead.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

/// A connection that was idle for longer is tried before it is used.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// What each connection is told first. Our statements are written for READ COMMITTED. A row that is locked
/// by a replica which hangs, or whose network is gone, is free again after a while.
const SETTINGS: &str = "\
    SET default_transaction_isolation = 'read committed'; \
    SET default_transaction_read_only = off; \
    SET statement_timeout = '25s'; \
    SET lock_timeout = '10s'; \
    SET idle_in_transaction_session_timeout = '20s'; \
    SET client_min_messages = warning";

/// Brings the database up to date and opens a pool of connections to it.
pub(super) async fn open(url: &str) -> Result<PgPool, StoreError> {
    let options = options(url)?;
    // A connection of its own: whoever migrates meanwhile is waited for, however long it takes.
    let mut connection = alone(&options).await?;
    let migrated = migrations::postgres().run(&mut connection).await;
    migrations::outcome(migrated, &mut connection).await?;
    // It was only there to be closed.
    let _ = connection.close().await;

    Ok(pool(options))
}

/// Connections to a database that is not brought up to date.
pub(super) fn reading(url: &str) -> Result<PgPool, StoreError> {
    options(url).map(pool)
}

fn pool(options: PgConnectOptions) -> PgPool {
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .acquire_timeout(CONNECTED_WITHIN)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > TRUSTED_FOR {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(|connection, _| {
            Box::pin(async move { sqlx::raw_sql(SETTINGS).execute(connection).await.map(drop) })
        });
    pool.connect_lazy_with(options)
}

/// What a URL says.
fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    // What is wrong may be the password, so that the URL is not repeated.
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| StoreError::Url(format!("it cannot be read: {}", reason(&error))))?;
    Ok(match options.get_application_name() {
        Some(_) => options,
        None => options.application_name("fromguard"),
    })
}

/// A connection that is of no pool.
async fn alone(options: &PgConnectOptions) -> Result<sqlx::PgConnection, StoreError> {
    let place = place(options);
    match timeout(REACHED_WITHIN, sqlx::PgConnection::connect_with(options)).await {
        Ok(connected) => connected.map_err(|error| unreachable(&place, &error)),
        Err(_) => Err(StoreError::Unreachable { place, cause: "no answer within 10 s".into() }),
    }
}

/// The newest schema version that was applied, of a database that is not touched, and what the
/// server's clock reads.
pub(super) async fn glance(url: &str) -> Result<(Option<i64>, TimestampMs), StoreError> {
    let mut connection = alone(&options(url)?).await?;
    let clock = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";
    let clock_ms: TimestampMs = sqlx::query_scalar(clock).fetch_one(&mut connection).await?;
    let ours = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";
    let found = match sqlx::query_scalar(ours).fetch_one(&mut connection).await? {
        true => sqlx::query_scalar(migrations::NEWEST_APPLIED).fetch_one(&mut connection).await?,
        false => None,
    };
    // It was only there to be closed.
    let _ = connection.close().await;
    Ok((found, clock_ms))
}

/// A connection of the pool, a new one if need be.
pub(super) async fn connect(pool: &PgPool) -> Result<PoolConnection<Postgres>, StoreError> {
    pool.acquire().await.map_err(|error| unreachable(&place(&pool.connect_options()), &error))
}

/// Waits for an answer, and not for ever.
pub(super) async fn in_time<T>(
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<Result<T, sqlx::Error>, Elapsed> {
    timeout(ANSWERED_WITHIN, answer).await
}

/// What an answer came to; a connection without one is given up.
pub(super) fn settled<T>(
    connection: &mut PoolConnection<Postgres>,
    answered: Result<Result<T, sqlx::Error>, Elapsed>,
) -> Result<T, StoreError> {
    match answered {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => {
            if matches!(error, sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_)) {
                connection.close_on_drop();
            }
            Err(error.into())
        }
        Err(_) => {
            connection.close_on_drop();
            Err(StoreError::from(sqlx::Error::Io(std::io::Error::new(
                std::io::ErrorKind::TimedOut,
                "no answer within 30 s",
            ))))
        }
    }
}

/// Where a server is, as its operator would say; never the password.
fn place(options: &PgConnectOptions) -> String {
    let (user, host, port) = (options.get_username(), options.get_host(), options.get_port());
    let database = options.get_database().unwrap_or(user);
    match options.get_socket() {
        Some(socket) => format!("{database:?} at {} as {user:?}", socket.display()),
        None => format!("{database:?} at {host}:{port} as {user:?}"),
    }
}

/// Why there is no connection, and what to do.
fn unreachable(place: &str, error: &sqlx::Error) -> StoreError {
    let place = place.to_owned();
    let code = error.as_database_error().and_then(|error| error.code());
    let remedy = match code.as_deref() {
        Some("28P01" | "28000") => {
            "check the user and the password in FROMGUARD_DATABASE_URL, and pg_hba.conf"
        }
        Some("3D000") => "create the database, or mend its name in FROMGUARD_DATABASE_URL",
        Some("53300") => "raise its max_connections, or run fewer replicas: each opens at most 8 connections",
        Some("57P03") => "it is starting or stopping",
        _ => return StoreError::Unreachable { place, cause: reason(error) },
    };
    StoreError::Refused { place, cause: reason(error), remedy }
}

/// What went wrong, without sqlx's own frame around it.
fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Tls(error) => format!("TLS: {error}"),
        sqlx::Error::Configuration(error) => error.to_string(),
        sqlx::Error::PoolTimedOut => "no connection within 5 s".to_owned(),
        other => other.to_string(),
    }
}
