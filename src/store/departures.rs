//! Pull requests that left a head as an event says, until GitHub said where they stand.
//!
//! An event that comes late may be older than what is known: it moves a pull request off the
//! head that it has. What is judged there without it may be green on its behalf, so that a
//! judgement of that head asks about it too.

use crate::clock::TimestampMs;
use crate::ids::PullNumber;
use crate::ids::RepositoryId;
use crate::ids::Sha;
use crate::store::StoreError;
use crate::store::database::Connection;
use crate::store::database::given;
use crate::store::database::json;
use crate::store::database::query;

/// What news of pull requests says of their departures.
#[derive(Default)]
pub(super) struct Departures {
    /// Repository, head, pull request, and when it was said.
    told: Vec<(i64, String, i64, TimestampMs)>,
    /// Repository and pull request.
    settled: Vec<(i64, i64)>,
}

impl Departures {
    /// An event says that a pull request is elsewhere.
    pub(super) fn tell(&mut self, repository: i64, number: i64, head: &str, now_ms: TimestampMs) {
        self.told.push((repository, head.to_owned(), number, now_ms));
    }

    /// GitHub said where a pull request stands.
    pub(super) fn settle(&mut self, repository: i64, number: i64) {
        self.settled.push((repository, number));
    }

    pub(super) async fn write(&self, connection: &mut Connection) -> Result<(), StoreError> {
        if !self.told.is_empty() {
            query(concat!(
                "INSERT INTO departures (repository, head, number, left_ms)
                 SELECT repository, head, number, MAX(left_ms) FROM ",
                given!(0 "repository" BIGINT, 1 "head" TEXT, 2 "number" BIGINT, 3 "left_ms" BIGINT),
                " WHERE true GROUP BY repository, head, number
                 ON CONFLICT (repository, head, number) DO UPDATE SET left_ms = excluded.left_ms"
            ))
            .bind(json(&self.told))
            .execute(connection)
            .await?;
        }
        if !self.settled.is_empty() {
            query(concat!(
                "DELETE FROM departures WHERE (repository, number) IN (SELECT repository, number FROM ",
                given!(0 "repository" BIGINT, 1 "number" BIGINT),
                ")"
            ))
            .bind(json(&self.settled))
            .execute(connection)
            .await?;
        }
        Ok(())
    }
}

/// Those that left a head, as far as GitHub has not confirmed it.
pub(super) async fn from(
    connection: &mut Connection,
    repository: RepositoryId,
    head: &Sha,
) -> Result<Vec<PullNumber>, StoreError> {
    let rows = query("SELECT number FROM departures WHERE repository = $1 AND head = $2 ORDER BY number")
        .bind(repository.0.cast_signed())
        .bind(&head.0)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok(PullNumber(row.try_get::<i64, _>(0)?.cast_unsigned()))).collect()
}
