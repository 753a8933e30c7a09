//! What is said of a pull request or a branch becomes wanted judgements.
//!
//! An event wants its head judged, and the head that the pull request pointed at
//! before as well: that one lost a pull request, and the run on it must be of
//! those that are left. What the worker learns while it judges wants the same,
//! but only where it is news. The branch of a merge group points at its head as a
//! pull request does.
//!
//! An event that closes a pull request may be older than the one that reopened it. So
//! it closes nothing: the pull request is judged as one that is said to be closed, and
//! only what GitHub answers then takes it off its head. One that moves it is believed, but
//! what it left is remembered until GitHub answers ([`crate::store::departures`]).

use std::collections::BTreeMap;
use std::collections::HashMap;

use crate::clock::TimestampMs;
use crate::ids::RepositoryPlace;
use crate::store::Ask;
use crate::store::PullChange;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::TipChange;
use crate::store::database::Connection;
use crate::store::database::Hold;
use crate::store::database::given;
use crate::store::database::json;
use crate::store::database::query;
use crate::store::departures::Departures;
use crate::store::tips;

/// How often a commit is judged again for nothing but being asked to, in milliseconds.
const RERUN_EVERY_MS: i64 = 10_000;

/// Something said of a pull request or a commit.
pub(super) struct Said<'a> {
    pub(super) ask: &'a Ask,
    pub(super) now_ms: TimestampMs,
    /// An event wants a judgement even where it brings no news of the head.
    pub(super) event: bool,
}

type HeadKey = (i64, String);

/// What points at a head: a pull request by its repository and number, or a branch
/// by its repository and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pointer {
    Pull(i64, i64),
    Tip(i64, String),
}

/// Where a pointer stands.
pub(super) struct Standing<'a> {
    pub(super) head: String,
    pub(super) open: bool,
    /// Since when an event says that it is closed, while it counts as open.
    closing_ms: Option<TimestampMs>,
    /// Set when the row is to be written.
    pub(super) changed_ms: Option<TimestampMs>,
    /// How many files a pull request changes; 0 when that was not said.
    files: u64,
    /// What a branch's row says besides.
    pub(super) tip: Option<&'a TipChange>,
}

impl<'a> Standing<'a> {
    /// Where a pointer stood before anything was said.
    pub(super) fn before(head: String, open: bool) -> Standing<'a> {
        Standing { head, open, closing_ms: None, changed_ms: None, files: 0, tip: None }
    }
}

/// In the order in which their rows are written.
pub(super) type Standings<'a> = BTreeMap<Pointer, Standing<'a>>;

struct Raise<'a> {
    place: &'a RepositoryPlace,
    since_ms: TimestampMs,
    announce: bool,
    rerun: bool,
}

impl Store {
    /// What GitHub says of a pull request or a branch now, learnt while judging: another head
    /// or closed. Where that is news, the judgement of the heads concerned is queued.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn observe(&self, ask: &Ask, now_ms: TimestampMs) -> Result<(), StoreError> {
        {
            let mut connection = self.inner.database.connect().await?;
            let mut transaction = connection.begin().await?;
            let mut hold = Hold::default();
            ask.hold(&mut hold);
            transaction.hold(&hold).await?;
            apply(&mut transaction, &[Said { ask, now_ms, event: false }]).await?;
            transaction.commit().await?;
        }
        self.changed();
        Ok(())
    }
}

/// Applies what was said, in its order; answers the wanted generation of every head concerned.
/// What it is about is to be held already: what a pull request was is read before it is written.
pub(super) async fn apply(
    connection: &mut Connection,
    said: &[Said<'_>],
) -> Result<HashMap<HeadKey, i64>, StoreError> {
    let mut standings = known_pulls(connection, said).await?;
    tips::known(connection, said, &mut standings).await?;
    let mut raises: BTreeMap<HeadKey, Raise<'_>> = BTreeMap::new();
    let mut departures = Departures::default();
    for Said { ask, now_ms, event } in said {
        let Some((place, _)) = ask.head() else { continue };
        let mut raise = |head: &str, announce: bool, rerun: bool| {
            let raise = raises.entry((place.id.0.cast_signed(), head.to_owned())).or_insert(Raise {
                place,
                since_ms: *now_ms,
                announce: false,
                rerun,
            });
            raise.place = place;
            raise.since_ms = raise.since_ms.min(*now_ms);
            raise.announce |= announce;
            // With an event beside it, it need not wait.
            raise.rerun &= rerun;
        };
        let (pointer, head, open, announce, tip) = match ask {
            Ask::Pull(change) => (pull_key(change), &change.head.0, change.open, change.announce, None),
            Ask::Tip(change) => (tips::key(change), &change.head.0, change.open, false, Some(change)),
            Ask::Rerun(rerun) => {
                raise(&rerun.head.0, false, true);
                continue;
            }
            Ask::Survey(_) | Ask::Leave(_) | Ask::Move(_) => continue,
        };

        let before = standings.get(&pointer);
        let closing = *event && !open && tip.is_none() && before.is_some_and(|before| before.open);
        let (open, closing_ms) = if closing { (true, Some(*now_ms)) } else { (open, None) };
        let differs = before.is_none_or(|before| before.head != *head || before.open != open);
        // Where a closed pull request points concerns no judgement.
        let concerns = differs && (open || before.is_some_and(|before| before.open));
        if *event || concerns {
            raise(head, announce, false);
        }
        if let Some(before) = before
            && before.open
            && before.head != *head
        {
            raise(&before.head, false, false);
            if let (Pointer::Pull(repository, number), true) = (&pointer, *event) {
                departures.tell(*repository, *number, &before.head, *now_ms);
            }
        }
        if let (Pointer::Pull(repository, number), false) = (&pointer, *event) {
            departures.settle(*repository, *number);
        }
        let settles = before.is_some_and(|before| before.closing_ms != closing_ms);
        if settles || (differs && (*event || concerns)) {
            let files = if let Ask::Pull(change) = ask { change.files } else { 0 };
            let now =
                Standing { head: head.clone(), open, closing_ms, changed_ms: Some(*now_ms), files, tip };
            standings.insert(pointer, now);
        }
    }
    write_pulls(connection, &standings).await?;
    tips::write(connection, &standings).await?;
    departures.write(connection).await?;
    write_raises(connection, &raises).await
}

fn pull_key(change: &PullChange) -> Pointer {
    Pointer::Pull(change.place.id.0.cast_signed(), change.pull.0.cast_signed())
}

async fn known_pulls<'a>(
    connection: &mut Connection,
    said: &[Said<'a>],
) -> Result<Standings<'a>, StoreError> {
    let keys: Vec<(i64, i64)> = said
        .iter()
        .filter_map(|said| match said.ask {
            Ask::Pull(change) => Some((change.place.id.0.cast_signed(), change.pull.0.cast_signed())),
            Ask::Tip(_) | Ask::Rerun(_) | Ask::Survey(_) | Ask::Leave(_) | Ask::Move(_) => None,
        })
        .collect();
    let rows = query(concat!(
        "SELECT pulls.repository, pulls.number, pulls.head, pulls.open, pulls.closing_ms FROM ",
        given!(0 "repository" BIGINT, 1 "number" BIGINT),
        " JOIN pulls ON pulls.repository = given.repository AND pulls.number = given.number"
    ))
    .bind(json(&keys))
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let open: i64 = row.try_get(3)?;
            let before = Standing::before(row.try_get(2)?, open != 0);
            let standing = Standing { closing_ms: row.try_get(4)?, ..before };
            Ok((Pointer::Pull(row.try_get(0)?, row.try_get(1)?), standing))
        })
        .collect()
}

async fn write_pulls(connection: &mut Connection, standings: &Standings<'_>) -> Result<(), StoreError> {
    let rows: Vec<_> = standings
        .iter()
        .filter_map(|(pointer, standing)| match pointer {
            Pointer::Pull(repository, number) => {
                let open = i64::from(standing.open);
                let files = standing.files.cast_signed();
                let closing_ms = standing.closing_ms;
                Some((repository, number, &standing.head, open, standing.changed_ms?, files, closing_ms))
            }
            Pointer::Tip(..) => None,
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    query(concat!(
        "INSERT INTO pulls (repository, number, head, open, touched_ms, files, closing_ms)
         SELECT repository, number, head, open, touched_ms, files, closing_ms FROM ",
        given!(0 "repository" BIGINT, 1 "number" BIGINT, 2 "head" TEXT, 3 "open" BIGINT, 4 "touched_ms" BIGINT, 5 "files" BIGINT, 6 "closing_ms" BIGINT),
        " WHERE true
         ON CONFLICT (repository, number) DO UPDATE SET
           head = excluded.head, open = excluded.open, touched_ms = excluded.touched_ms,
           files = CASE WHEN excluded.files = 0 AND excluded.head = pulls.head THEN pulls.files
                        ELSE excluded.files END,
           closing_ms = excluded.closing_ms"
    ))
    .bind(json(&rows))
    .execute(connection)
    .await?;
    Ok(())
}

/// Raises the wanted generation of each head by one. A head that backs off after a
/// failure goes on doing so: its next judgement sees what there is then. A judgement
/// that is only asked for again waits [`RERUN_EVERY_MS`] after the last such; an event
/// does not wait for it.
async fn write_raises(
    connection: &mut Connection,
    raises: &BTreeMap<HeadKey, Raise<'_>>,
) -> Result<HashMap<HeadKey, i64>, StoreError> {
    if raises.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<_> = raises
        .iter()
        .map(|((repository, head), raise)| {
            let place = raise.place;
            let installation = place.installation.0.cast_signed();
            let (announce, rerun) = (i64::from(raise.announce), i64::from(raise.rerun));
            let (owner, name) = (&place.name.owner, &place.name.name);
            (repository, head, installation, owner, name, announce, rerun, raise.since_ms)
        })
        .collect();
    let rows = query(concat!(
        "INSERT INTO heads (repository, head, installation, owner, name, wanted, announce, rerun,
                            rerun_ms, wanted_since_ms, due_ms, touched_ms)
         SELECT repository, head, installation, owner, name, 1, announce, rerun,
           CASE WHEN rerun > 0 THEN since_ms ELSE 0 END, since_ms, since_ms, since_ms
         FROM ",
        given!(0 "repository" BIGINT, 1 "head" TEXT, 2 "installation" BIGINT, 3 "owner" TEXT, 4 "name" TEXT, 5 "announce" BIGINT, 6 "rerun" BIGINT, 7 "since_ms" BIGINT),
        " WHERE true
         ON CONFLICT (repository, head) DO UPDATE SET
           installation = excluded.installation, owner = excluded.owner, name = excluded.name,
           wanted = heads.wanted + 1,
           announce = CASE WHEN excluded.announce > 0 THEN heads.wanted + 1 ELSE heads.announce END,
           wanted_since_ms = CASE WHEN heads.due_ms IS NULL THEN excluded.wanted_since_ms
                                  ELSE heads.wanted_since_ms END,
           raised_since_ms = CASE
             WHEN heads.lease IS NULL THEN NULL
             WHEN excluded.rerun > 0 AND heads.raised_since_ms IS NOT NULL THEN heads.raised_since_ms
             WHEN excluded.rerun > 0 AND heads.rerun_ms + $2 > excluded.due_ms THEN heads.rerun_ms + $2
             WHEN heads.raised_since_ms <= excluded.wanted_since_ms THEN heads.raised_since_ms
             ELSE excluded.wanted_since_ms END,
           rerun = CASE WHEN excluded.rerun > 0 THEN heads.wanted + 1 ELSE heads.rerun END,
           rerun_ms = CASE
             WHEN excluded.rerun = 0 THEN heads.rerun_ms
             WHEN heads.lease IS NULL AND heads.due_ms IS NOT NULL THEN heads.rerun_ms
             WHEN heads.raised_since_ms IS NOT NULL THEN heads.rerun_ms
             WHEN heads.rerun_ms + $2 > excluded.due_ms THEN heads.rerun_ms + $2
             ELSE excluded.due_ms END,
           due_ms = CASE
             WHEN heads.due_ms IS NULL AND excluded.rerun > 0 AND heads.rerun_ms + $2 > excluded.due_ms
               THEN heads.rerun_ms + $2
             WHEN heads.due_ms IS NULL THEN excluded.due_ms
             WHEN excluded.rerun = 0 AND heads.lease IS NULL AND heads.attempts = 0
               AND heads.due_ms > excluded.due_ms THEN excluded.due_ms
             ELSE heads.due_ms END,
           touched_ms = excluded.touched_ms
         RETURNING repository, head, wanted"
    ))
    .bind(json(&rows))
    .bind(RERUN_EVERY_MS)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok(((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?))).collect()
}
