//! What is remembered beside judgements: our comments, and what was learnt of an installation.

use crate::ids::CommentId;
use crate::ids::InstallationId;
use crate::ids::PullNumber;
use crate::ids::RepositoryId;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::database::query;

impl Store {
    /// The comment we keep on a pull request.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn comment(
        &self,
        repository: RepositoryId,
        pull: PullNumber,
    ) -> Result<Option<CommentId>, StoreError> {
        let mut connection = self.inner.database.connect().await?;
        let row = query("SELECT comment FROM comments WHERE repository = $1 AND number = $2")
            .bind(repository.0.cast_signed())
            .bind(pull.0.cast_signed())
            .fetch_optional(&mut connection)
            .await?;
        row.map(|row| Ok(CommentId(row.try_get::<i64, _>(0)?.cast_unsigned()))).transpose()
    }

    /// Remembers the comment we keep on a pull request, or that there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_comment(
        &self,
        repository: RepositoryId,
        pull: PullNumber,
        comment: Option<CommentId>,
    ) -> Result<(), StoreError> {
        let query = match comment {
            Some(_) => query(
                "INSERT INTO comments (repository, number, comment) VALUES ($1, $2, $3)
                 ON CONFLICT (repository, number) DO UPDATE SET comment = excluded.comment",
            ),
            None => query("DELETE FROM comments WHERE repository = $1 AND number = $2"),
        };
        let query = query.bind(repository.0.cast_signed()).bind(pull.0.cast_signed());
        let query = match comment {
            Some(comment) => query.bind(comment.0.cast_signed()),
            None => query,
        };
        let mut connection = self.inner.database.connect().await?;
        query.execute(&mut connection).await?;
        Ok(())
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
