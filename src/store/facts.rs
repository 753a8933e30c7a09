//! What is remembered beside judgements: our comments, and what was learnt of an installation.

use crate::clock::TimestampMs;
use crate::ids::CommentId;
use crate::ids::InstallationId;
use crate::ids::PullNumber;
use crate::ids::RepositoryId;
use crate::ids::Sha;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::database::query;

/// The comment that we keep on a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptComment {
    /// Which.
    pub id: CommentId,
    /// It says that everything is settled, and is folded away.
    pub settled: bool,
}

impl Store {
    /// The comment we keep on a pull request.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn comment(
        &self,
        repository: RepositoryId,
        pull: PullNumber,
    ) -> Result<Option<KeptComment>, StoreError> {
        let mut connection = self.inner.database.connect().await?;
        let row = query("SELECT comment, settled FROM comments WHERE repository = $1 AND number = $2")
            .bind(repository.0.cast_signed())
            .bind(pull.0.cast_signed())
            .fetch_optional(&mut connection)
            .await?;
        row.map(|row| {
            let id = CommentId(row.try_get::<i64, _>(0)?.cast_unsigned());
            Ok(KeptComment { id, settled: row.try_get::<i64, _>(1)? != 0 })
        })
        .transpose()
    }

    /// Remembers the comment we keep on a pull request, or that there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_comment(
        &self,
        repository: RepositoryId,
        pull: PullNumber,
        comment: Option<KeptComment>,
    ) -> Result<(), StoreError> {
        let query = match comment {
            Some(_) => query(
                "INSERT INTO comments (repository, number, comment, settled) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (repository, number) DO UPDATE SET
                   comment = excluded.comment, settled = excluded.settled",
            ),
            None => query("DELETE FROM comments WHERE repository = $1 AND number = $2"),
        };
        let query = query.bind(repository.0.cast_signed()).bind(pull.0.cast_signed());
        let query = match comment {
            Some(comment) => query.bind(comment.id.0.cast_signed()).bind(i64::from(comment.settled)),
            None => query,
        };
        let mut connection = self.inner.database.connect().await?;
        query.execute(&mut connection).await?;
        Ok(())
    }

    /// The head of a pull request, if it is open, as far as we were told; and since when it is said
    /// to be closed all the same.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn head_of(
        &self,
        repository: RepositoryId,
        pull: PullNumber,
    ) -> Result<Option<(Sha, Option<TimestampMs>)>, StoreError> {
        let mut connection = self.inner.database.connect().await?;
        let row =
            query("SELECT head, closing_ms FROM pulls WHERE repository = $1 AND number = $2 AND open = 1")
                .bind(repository.0.cast_signed())
                .bind(pull.0.cast_signed())
                .fetch_optional(&mut connection)
                .await?;
        row.map(|row| Ok((Sha(row.try_get(0)?), row.try_get(1)?))).transpose()
    }

    /// How many files the event said that a pull request changes at this head; 0 when it did not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn files_of(
        &self,
        repository: RepositoryId,
        pull: PullNumber,
        head: &Sha,
    ) -> Result<u64, StoreError> {
        let mut connection = self.inner.database.connect().await?;
        let row = query("SELECT files FROM pulls WHERE repository = $1 AND number = $2 AND head = $3")
            .bind(repository.0.cast_signed())
            .bind(pull.0.cast_signed())
            .bind(&head.0)
            .fetch_optional(&mut connection)
            .await?;
        Ok(row.map(|row| row.try_get::<i64, _>(0)).transpose()?.map_or(0, i64::cast_unsigned))
    }

    /// Whether the organisation's policy was ever read for this account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn organisation_policy_seen(&self, installation: InstallationId) -> Result<bool, StoreError> {
        let mut connection = self.inner.database.connect().await?;
        let row = query("SELECT organisation_policy_seen FROM installations WHERE installation = $1")
            .bind(installation.0.cast_signed())
            .fetch_optional(&mut connection)
            .await?;
        Ok(row.map(|row| row.try_get::<i64, _>(0)).transpose()?.is_some_and(|seen| seen != 0))
    }

    /// Remembers that the organisation's policy was read.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_organisation_policy_seen(&self, installation: InstallationId) -> Result<(), StoreError> {
        let mut connection = self.inner.database.connect().await?;
        query(
            "INSERT INTO installations (installation, organisation_policy_seen) VALUES ($1, 1)
             ON CONFLICT (installation) DO UPDATE SET organisation_policy_seen = 1",
        )
        .bind(installation.0.cast_signed())
        .execute(&mut connection)
        .await?;
        Ok(())
    }
}
