//! Branches whose tip is judged: that of a merge group, against what the group is
//! put on; and a branch that is to have a run at all, against itself.

use crate::ids::RepositoryId;
use crate::ids::Sha;
use crate::store::Ask;
use crate::store::StoreError;
use crate::store::Tip;
use crate::store::TipChange;
use crate::store::change::Pointer;
use crate::store::change::Said;
use crate::store::change::Standing;
use crate::store::change::Standings;
use crate::store::database::Connection;
use crate::store::database::given;
use crate::store::database::json;
use crate::store::database::query;

/// By what a branch is known.
pub(super) fn key(change: &TipChange) -> Pointer {
    Pointer::Tip(change.place.id.0.cast_signed(), change.tip.branch.clone())
}

/// Adds where the branches stand of which something is said.
pub(super) async fn known<'a>(
    connection: &mut Connection,
    said: &[Said<'a>],
    standings: &mut Standings<'a>,
) -> Result<(), StoreError> {
    let keys: Vec<(i64, &str)> = said
        .iter()
        .filter_map(|said| match said.ask {
            Ask::Tip(change) => Some((change.place.id.0.cast_signed(), change.tip.branch.as_str())),
            Ask::Pull(_) | Ask::Rerun(_) | Ask::Survey(_) | Ask::Leave(_) | Ask::Move(_) => None,
        })
        .collect();
    if keys.is_empty() {
        return Ok(());
    }
    let rows = query(concat!(
        "SELECT tips.repository, tips.branch, tips.head, tips.open FROM ",
        given!(0 "repository" BIGINT, 1 "branch" TEXT),
        " JOIN tips ON tips.repository = given.repository AND tips.branch = given.branch"
    ))
    .bind(json(&keys))
    .fetch_all(connection)
    .await?;
    for row in rows {
        let open: i64 = row.try_get(3)?;
        let standing = Standing::before(row.try_get(2)?, open != 0);
        standings.insert(Pointer::Tip(row.try_get(0)?, row.try_get(1)?), standing);
    }
    Ok(())
}

/// Writes the branches that stand elsewhere now.
pub(super) async fn write(connection: &mut Connection, standings: &Standings<'_>) -> Result<(), StoreError> {
    let rows: Vec<_> = standings
        .iter()
        .filter_map(|(pointer, standing)| {
            let Pointer::Tip(repository, branch) = pointer else { return None };
            let (tip, open) = (&standing.tip?.tip, i64::from(standing.open));
            Some((
                repository,
                branch,
                &standing.head,
                &tip.base,
                &tip.base_branch,
                open,
                standing.changed_ms?,
            ))
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    query(concat!(
        "INSERT INTO tips (repository, branch, head, base, base_branch, open, touched_ms)
         SELECT repository, branch, head, base, base_branch, open, touched_ms FROM ",
        given!(0 "repository" BIGINT, 1 "branch" TEXT, 2 "head" TEXT, 3 "base" TEXT, 4 "base_branch" TEXT, 5 "open" BIGINT, 6 "touched_ms" BIGINT),
        " WHERE true
         ON CONFLICT (repository, branch) DO UPDATE SET
           head = excluded.head, base = excluded.base, base_branch = excluded.base_branch,
           open = excluded.open, touched_ms = excluded.touched_ms"
    ))
    .bind(json(&rows))
    .execute(connection)
    .await?;
    Ok(())
}

/// The branches whose tip this head is.
pub(super) async fn at(
    connection: &mut Connection,
    repository: RepositoryId,
    head: &Sha,
) -> Result<Vec<Tip>, StoreError> {
    let rows = query(
        "SELECT branch, base, base_branch FROM tips
         WHERE repository = $1 AND head = $2 AND open = 1 ORDER BY branch",
    )
    .bind(repository.0.cast_signed())
    .bind(&head.0)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let base = Sha(row.try_get(1)?);
            Ok(Tip { branch: row.try_get(0)?, base, base_branch: row.try_get(2)? })
        })
        .collect()
}
