//! Group commit: one task takes all deliveries that wait, commits them in one
//! transaction with a fixed number of statements, and then answers each.
//!
//! A disk syncs some hundred times a second and a delivery must not be
//! acknowledged before its sync, so that many deliveries share one.

use std::collections::HashMap;
use std::collections::HashSet;

use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::sync::watch;

use crate::clock::TimestampMs;
use crate::store::Delivery;
use crate::store::Recorded;
use crate::store::StoreError;
use crate::store::bump;
use crate::store::change;
use crate::store::change::Said;
use crate::store::database::Connection;
use crate::store::database::Database;
use crate::store::database::Hold;
use crate::store::database::given;
use crate::store::database::json;
use crate::store::database::query;
use crate::store::surveys;

/// How many deliveries may wait for their commit; a further one is told to come
/// again. At a sync of 10 ms it is a wait of about 40 ms.
pub(super) const WAITING_MAX: usize = 1024;

/// How many deliveries one transaction takes.
const GROUP_MAX: usize = 256;

/// Where deliveries are handed in.
pub(super) struct Intake(mpsc::Sender<Waiting>);

struct Waiting {
    delivery: Delivery,
    now_ms: TimestampMs,
    answer: oneshot::Sender<Result<Recorded, StoreError>>,
}

impl Intake {
    /// Starts the task that commits. It ends when the intake is dropped.
    pub(super) fn start(database: Database, changes: watch::Sender<u64>) -> Intake {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        tokio::spawn(commit_groups(receiver, database, changes));
        Intake(sender)
    }

    pub(super) async fn record(
        &self,
        delivery: Delivery,
        now_ms: TimestampMs,
    ) -> Result<Recorded, StoreError> {
        let (answer, committed) = oneshot::channel();
        self.0.try_send(Waiting { delivery, now_ms, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::NotCommitted,
        })?;
        committed.await.unwrap_or(Err(StoreError::NotCommitted))
    }
}

async fn commit_groups(
    mut waiting: mpsc::Receiver<Waiting>,
    database: Database,
    changes: watch::Sender<u64>,
) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    while waiting.recv_many(&mut group, GROUP_MAX).await > 0 {
        let outcome = commit(&database, &group).await;
        match outcome {
            Ok(recorded) => {
                if recorded.contains(&Recorded::New) {
                    bump(&changes);
                }
                for (waiting, recorded) in group.drain(..).zip(recorded) {
                    // Who no longer waits for the answer hung up; the delivery is committed all the same.
                    let _ = waiting.answer.send(Ok(recorded));
                }
            }
            Err(error) => {
                tracing::error!(deliveries = group.len(), %error, "deliveries could not be committed");
                for waiting in group.drain(..) {
                    let _ = waiting.answer.send(Err(StoreError::NotCommitted));
                }
            }
        }
    }
}

/// Commits a group; the answers are in its order.
async fn commit(database: &Database, group: &[Waiting]) -> Result<Vec<Recorded>, StoreError> {
    let mut connection = database.connect().await?;
    let mut transaction = connection.begin().await?;
    let mut hold = Hold::default();
    group.iter().for_each(|waiting| waiting.delivery.ask.hold(&mut hold));
    transaction.hold(&hold).await?;

    let mut seen = known(&mut transaction, group).await?;
    let recorded: Vec<Recorded> = group
        .iter()
        .map(|waiting| {
            let new = seen.insert(waiting.delivery.guid.clone());
            if new { Recorded::New } else { Recorded::Duplicate }
        })
        .collect();
    let new: Vec<&Waiting> = group
        .iter()
        .zip(&recorded)
        .filter(|(_, recorded)| **recorded == Recorded::New)
        .map(|(waiting, _)| waiting)
        .collect();
    if new.is_empty() {
        return Ok(recorded);
    }

    let said: Vec<Said<'_>> = new
        .iter()
        .map(|waiting| Said { ask: &waiting.delivery.ask, now_ms: waiting.now_ms, event: true })
        .collect();
    let generations = change::apply(&mut transaction, &said).await?;
    surveys::apply(&mut transaction, &said).await?;
    remember(&mut transaction, &new, &generations).await?;

    transaction.commit().await?;
    Ok(recorded)
}

/// The GUIDs of this group that are done or in flight. One whose judgement was
/// given up, and that nothing has asked for again since, is neither.
async fn known(connection: &mut Connection, group: &[Waiting]) -> Result<HashSet<String>, StoreError> {
    let guids: Vec<(&str,)> = group.iter().map(|waiting| (waiting.delivery.guid.as_str(),)).collect();
    let known = query(concat!(
        "SELECT deliveries.guid FROM ",
        given!(0 "guid" TEXT),
        " JOIN deliveries ON deliveries.guid = given.guid
          LEFT JOIN heads ON heads.repository = deliveries.repository AND heads.head = deliveries.head
          WHERE heads.head IS NULL OR heads.failed < deliveries.generation OR heads.wanted > heads.failed"
    ))
    .bind(json(&guids))
    .fetch_all(connection)
    .await?;
    known.iter().map(|row| row.try_get(0)).collect()
}

async fn remember(
    connection: &mut Connection,
    new: &[&Waiting],
    generations: &HashMap<(i64, String), i64>,
) -> Result<(), StoreError> {
    let mut rows: Vec<_> = new
        .iter()
        .map(|waiting| {
            let ask = &waiting.delivery.ask;
            let key = ask.head_key();
            let generation = generations.get(&key).copied().unwrap_or_default();
            (&waiting.delivery.guid, waiting.now_ms, key.0, key.1, generation)
        })
        .collect();
    // Several replicas may be told the same in another order.
    rows.sort_by_key(|row| row.0);
    query(concat!(
        "INSERT INTO deliveries (guid, received_ms, repository, head, generation)
         SELECT guid, received_ms, repository, head, generation FROM ",
        given!(
            0 "guid" TEXT, 1 "received_ms" BIGINT, 2 "repository" BIGINT, 3 "head" TEXT, 4 "generation" BIGINT
        ),
        " WHERE true
         ON CONFLICT (guid) DO UPDATE SET received_ms = excluded.received_ms,
           repository = excluded.repository, head = excluded.head, generation = excluded.generation"
    ))
    .bind(json(&rows))
    .execute(connection)
    .await?;
    Ok(())
}
