//! Repositories that are called otherwise or belong to somebody else now: what waits
//! there follows. Numbers decide which rows are of a repository, and names only where it is asked for.

use crate::ids::RepositoryPlace;
use crate::store::StoreError;
use crate::store::database::Connection;
use crate::store::database::query;

/// Everything of this repository is in its place from now on. Comments and what pull requests
/// point at go by the repository's number, which stays.
pub(super) async fn follow(connection: &mut Connection, place: &RepositoryPlace) -> Result<(), StoreError> {
    let (repository, installation) = (place.id.0.cast_signed(), place.installation.0.cast_signed());
    for sql in [
        "UPDATE heads SET installation = $2, owner = $3, name = $4 WHERE repository = $1",
        "UPDATE surveys SET owner = $3, name = $4 WHERE repository = $1 AND installation = $2",
        "UPDATE inventories SET installation = $2, owner = $3, name = $4 WHERE repository = $1",
    ] {
        query(sql)
            .bind(repository)
            .bind(installation)
            .bind(&place.name.owner)
            .bind(&place.name.name)
            .execute(connection)
            .await?;
    }
    query("DELETE FROM surveys WHERE repository = $1 AND installation <> $2")
        .bind(repository)
        .bind(installation)
        .execute(connection)
        .await?;
    Ok(())
}
