//! Where the tests store: in SQLite, or in the PostgreSQL server that `cargo xtask test` starts.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use sqlx::AssertSqlSafe;
use sqlx::Connection;
use sqlx::PgConnection;

/// A new database for an App: in PostgreSQL when `cargo xtask test` runs the tests once more.
pub(crate) async fn url() -> String {
    match std::env::var("FROMGUARD_TEST_STORE").as_deref() {
        Ok("postgres") => new_schema().await.url,
        Ok(other) => panic!("FROMGUARD_TEST_STORE is {other:?}"),
        Err(_) => "sqlite::memory:".to_owned(),
    }
}

/// A part of a PostgreSQL database that nobody else uses.
pub(crate) struct Schema {
    /// `postgres://…`
    pub(crate) url: String,
    /// Its name, which no other schema on the server has.
    pub(crate) name: String,
}

/// A new schema on the tests' PostgreSQL server.
pub(crate) async fn new_schema() -> Schema {
    static SCHEMAS: AtomicU32 = AtomicU32::new(0);
    let server = std::env::var("FROMGUARD_TEST_POSTGRES_URL").expect(
        "this test needs a PostgreSQL server: run `cargo xtask test`, or this one alone with \
         `cargo xtask postgres cargo test …`",
    );
    let name = format!("test_{}_{}", std::process::id(), SCHEMAS.fetch_add(1, Ordering::Relaxed));
    let mut connection = PgConnection::connect(&server).await.expect("the server answers");
    let create = AssertSqlSafe(format!("CREATE SCHEMA {name}"));
    sqlx::query(create).execute(&mut connection).await.expect("a new name");
    connection.close().await.expect("the server is there");
    Schema { url: format!("{server}?options[search_path]={name}"), name }
}
