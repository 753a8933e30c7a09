#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod inventory;
mod model;
mod postgres;
mod surveys;

use super::*;
use crate::ids::CommentId;
use crate::ids::InstallationId;
use crate::ids::RepositoryId;
use crate::ids::RepositoryName;

const LEASE_MS: i64 = 60_000;

/// Where `cargo xtask test` tells which database the tests are to store in.
const STORE_VARIABLE: &str = "FROMGUARD_TEST_STORE";

impl Store {
    /// A new store: in SQLite, or in PostgreSQL when `cargo xtask test` runs the tests once more.
    pub(crate) async fn for_tests() -> Store {
        match std::env::var(STORE_VARIABLE).as_deref() {
            Ok("postgres") => Store::open(&postgres::new_schema().await).await.unwrap(),
            Ok(other) => panic!("{STORE_VARIABLE} is {other:?}"),
            Err(_) => Store::open("sqlite::memory:").await.unwrap(),
        }
    }

    /// Makes every later use fail, as when the disk is gone.
    pub(crate) async fn break_for_tests(&self) {
        for sql in
            ["DROP TABLE heads", "DROP TABLE pulls", "DROP TABLE deliveries", "DROP TABLE installations"]
        {
            self.run(sql).await;
        }
    }

    async fn run(&self, sql: &'static str) {
        query(sql).execute(&mut self.inner.database.connect().await.unwrap()).await.unwrap();
    }
}

/// A comment that has something to say.
fn kept(id: u64) -> KeptComment {
    KeptComment { id: CommentId(id), settled: false }
}

fn place(installation: u64) -> RepositoryPlace {
    RepositoryPlace {
        installation: InstallationId(installation),
        id: RepositoryId(1000 + installation),
        name: RepositoryName { owner: "octo".into(), name: "repo".into() },
    }
}

fn sha(letter: char) -> Sha {
    Sha(letter.to_string().repeat(40))
}

fn change(pull: u64, head: char) -> PullChange {
    PullChange {
        place: place(1),
        pull: PullNumber(pull),
        head: sha(head),
        open: true,
        announce: false,
        files: 0,
    }
}

/// What a delivery says of a pull request.
fn pull_of(delivery: &mut Delivery) -> &mut PullChange {
    match &mut delivery.ask {
        Ask::Pull(change) => change,
        other => panic!("{other:?}"),
    }
}

fn delivery(guid: &str, pull: u64, head: char) -> Delivery {
    Delivery { guid: guid.into(), ask: Ask::Pull(change(pull, head)) }
}

async fn claim(store: &Store, now_ms: i64) -> Job {
    store.claim(now_ms, LEASE_MS).await.unwrap().expect("a judgement is due")
}

async fn nothing_is_due(store: &Store, now_ms: i64) {
    assert_eq!(store.claim(now_ms, LEASE_MS).await.unwrap(), None);
}

fn pulls(job: &Job) -> Vec<u64> {
    job.pulls.iter().map(|pull| pull.0).collect()
}

#[tokio::test]
async fn an_event_becomes_one_judgement() {
    let store = Store::for_tests().await;
    assert_eq!(store.next_due_ms().await.unwrap(), None);
    assert_eq!(store.record(delivery("g1", 7, 'a'), 5).await.unwrap(), Recorded::New);
    assert_eq!(store.next_due_ms().await.unwrap(), Some(5));

    let job = claim(&store, 10).await;
    assert_eq!((job.head.clone(), pulls(&job), job.generation), (sha('a'), vec![7], 1));
    assert_eq!((job.attempts, job.wanted_since_ms, job.announce), (0, 5, false));
    assert_eq!((job.place.clone(), job.last_run.clone()), (place(1), None));
    nothing_is_due(&store, 11).await;
    assert_eq!(store.next_due_ms().await.unwrap(), Some(10 + LEASE_MS));

    assert!(store.finish(&job).await.unwrap());
    nothing_is_due(&store, i64::MAX).await;
    assert_eq!(store.next_due_ms().await.unwrap(), None);
}

#[tokio::test]
async fn a_guid_counts_once_while_queued_leased_backing_off_or_done() {
    let store = Store::for_tests().await;
    store.record(delivery("g1", 7, 'a'), 0).await.unwrap();
    assert_eq!(store.record(delivery("g1", 7, 'a'), 1).await.unwrap(), Recorded::Duplicate);
    let job = claim(&store, 2).await;
    assert_eq!(store.record(delivery("g1", 7, 'a'), 3).await.unwrap(), Recorded::Duplicate);
    store.retry(&job, 100, "GitHub answered 502").await.unwrap();
    assert_eq!(store.record(delivery("g1", 7, 'a'), 4).await.unwrap(), Recorded::Duplicate);
    let job = claim(&store, 100).await;
    store.finish(&job).await.unwrap();
    assert_eq!(store.record(delivery("g1", 7, 'a'), 101).await.unwrap(), Recorded::Duplicate);
    nothing_is_due(&store, i64::MAX).await;
}

#[tokio::test]
async fn a_guid_is_taken_again_after_its_judgement_was_given_up() {
    let store = Store::for_tests().await;
    store.record(delivery("g1", 7, 'a'), 0).await.unwrap();
    let job = claim(&store, 0).await;
    assert!(store.give_up(&job, "the commit is gone").await.unwrap());
    nothing_is_due(&store, i64::MAX).await;

    assert_eq!(store.record(delivery("g1", 7, 'a'), 10).await.unwrap(), Recorded::New);
    assert_eq!(store.record(delivery("g1", 7, 'a'), 11).await.unwrap(), Recorded::Duplicate);
    let job = claim(&store, 12).await;
    assert_eq!((job.generation, job.attempts), (2, 0));
    store.finish(&job).await.unwrap();
    assert_eq!(store.record(delivery("g1", 7, 'a'), 13).await.unwrap(), Recorded::Duplicate);
}

#[tokio::test]
async fn concurrent_deliveries_of_one_guid_are_one() {
    let store = Store::for_tests().await;
    let answers = (0..20).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.record(delivery("g1", 7, 'a'), 0).await.unwrap() })
    });
    let mut new = 0;
    for answer in answers.collect::<Vec<_>>() {
        new += usize::from(answer.await.unwrap() == Recorded::New);
    }
    assert_eq!(new, 1);
    assert_eq!(claim(&store, 0).await.generation, 1);
}

#[tokio::test]
async fn a_new_head_queues_the_old_one_too() {
    let store = Store::for_tests().await;
    store.record(delivery("g1", 7, 'a'), 0).await.unwrap();
    store.record(delivery("g2", 8, 'a'), 1).await.unwrap();
    let job = claim(&store, 2).await;
    assert_eq!(pulls(&job), vec![7, 8]);
    store.finish(&job).await.unwrap();

    store.record(delivery("g3", 7, 'b'), 3).await.unwrap();
    let first = claim(&store, 4).await;
    let second = claim(&store, 4).await;
    assert_eq!((first.head.clone(), pulls(&first)), (sha('a'), vec![8]));
    assert_eq!((second.head.clone(), pulls(&second)), (sha('b'), vec![7]));
}

#[tokio::test]
async fn an_event_that_closes_has_github_asked_and_its_answer_takes_the_pull_off_its_head() {
    let store = Store::for_tests().await;
    store.record(delivery("g1", 7, 'a'), 0).await.unwrap();
    let job = claim(&store, 0).await;
    assert_eq!((job.closing.clone(), job.is_closing()), (Vec::new(), false));
    store.finish(&job).await.unwrap();
    let mut closed = delivery("g2", 7, 'a');
    pull_of(&mut closed).open = false;
    store.record(closed.clone(), 1).await.unwrap();
    let job = claim(&store, 1).await;
    assert_eq!(
        (pulls(&job), job.closing.clone(), job.is_closing()),
        (vec![7], vec![(PullNumber(7), 1)], true)
    );
    store.observe(&closed.ask, 2).await.unwrap();
    store.finish(&job).await.unwrap();
    let job = claim(&store, 2).await;
    assert_eq!((pulls(&job), job.is_closing()), (Vec::new(), false));
    store.finish(&job).await.unwrap();
    // Said once more of what is closed, it needs no answer.
    closed.guid = "g3".into();
    store.record(closed, 3).await.unwrap();
    assert_eq!(pulls(&claim(&store, 3).await), Vec::<u64>::new());
}

#[tokio::test]
async fn what_is_open_after_all_is_no_longer_doubted() {
    let store = Store::for_tests().await;
    let mut opened = delivery("g1", 7, 'a');
    pull_of(&mut opened).files = 250;
    store.record(opened, 0).await.unwrap();
    let mut closed = delivery("g2", 7, 'a');
    pull_of(&mut closed).open = false;
    store.record(closed, 1).await.unwrap();
    let job = claim(&store, 1).await;
    assert!(job.is_closing());
    store.observe(&Ask::Pull(change(7, 'a')), 2).await.unwrap();
    store.finish(&job).await.unwrap();
    nothing_is_due(&store, i64::MAX).await;
    assert_eq!(store.files_of(place(1).id, PullNumber(7), &sha('a')).await.unwrap(), 250);
    store.record(delivery("g3", 8, 'a'), 3).await.unwrap();
    let job = claim(&store, 3).await;
    assert_eq!((pulls(&job), job.closing), (vec![7, 8], Vec::new()));
}

#[tokio::test]
async fn events_in_the_wrong_order_converge_by_what_the_worker_observes() {
    let store = Store::for_tests().await;
    store.record(delivery("new", 7, 'b'), 0).await.unwrap();
    store.record(delivery("old", 7, 'a'), 1).await.unwrap();
    // The store believes the last that was said; GitHub knows better.
    let mut judged = Vec::new();
    while let Some(job) = store.claim(5, LEASE_MS).await.unwrap() {
        if !job.pulls.is_empty() {
            store.observe(&Ask::Pull(change(7, 'b')), 5).await.unwrap();
        }
        judged.push((job.head.clone(), pulls(&job)));
        store.finish(&job).await.unwrap();
    }
    assert_eq!(judged.last(), Some(&(sha('b'), vec![7])), "{judged:?}");
    assert!(judged.len() <= 5, "{judged:?}");
}

#[tokio::test]
async fn observing_what_is_known_queues_nothing() {
    let store = Store::for_tests().await;
    store.record(delivery("g1", 7, 'a'), 0).await.unwrap();
    let job = claim(&store, 0).await;
    store.observe(&Ask::Pull(change(7, 'a')), 1).await.unwrap();
    let mut unknown_and_closed = change(99, 'c');
    unknown_and_closed.open = false;
    store.observe(&Ask::Pull(unknown_and_closed), 1).await.unwrap();
    store.finish(&job).await.unwrap();
    nothing_is_due(&store, i64::MAX).await;
}

#[tokio::test]
async fn a_generation_raised_during_a_judgement_stays_wanted() {
    let store = Store::for_tests().await;
    store.record(delivery("g1", 7, 'a'), 0).await.unwrap();
    let job = claim(&store, 10).await;
    store.record(delivery("g2", 8, 'a'), 20).await.unwrap();
    nothing_is_due(&store, 30).await;
    assert!(store.finish(&job).await.unwrap());
    let again = claim(&store, 30).await;
    assert_eq!((again.generation, again.wanted_since_ms, pulls(&again)), (2, 20, vec![7, 8]));
}

#[tokio::test]
async fn a_retry_waits_counts_and_keeps_its_back_off() {
    let store = Store::for_tests().await;
    store.record(delivery("g1", 7, 'a'), 0).await.unwrap();
    let job = claim(&store, 0).await;
    store.retry(&job, 1_000, "GitHub answered 502").await.unwrap();
    nothing_is_due(&store, 999).await;
    store.record(delivery("g2", 7, 'a'), 500).await.unwrap();
    nothing_is_due(&store, 999).await;
    assert_eq!(store.next_due_ms().await.unwrap(), Some(1_000));
    let job = claim(&store, 1_000).await;
    assert_eq!((job.attempts, job.wanted_since_ms, job.generation), (1, 0, 2));
}

#[tokio::test]
async fn who_lost_the_lease_changes_nothing_and_queues_another_judgement() {
    let store = Store::for_tests().await;
    store.record(delivery("g1", 7, 'a'), 0).await.unwrap();
    let slow = claim(&store, 0).await;
    let quick = claim(&store, LEASE_MS).await;
    assert_eq!(quick.attempts, 1);
    assert_ne!(slow.lease, quick.lease);
    assert!(!store.renew(&slow, 10 * LEASE_MS).await.unwrap());
    assert!(store.renew(&quick, 10 * LEASE_MS).await.unwrap());
    store.retry(&slow, 0, "late").await.unwrap();
    nothing_is_due(&store, 5 * LEASE_MS).await;

    store.posted(&quick, &PostedRun { id: CheckRunId(2), conclusion: Some("success".into()) }).await.unwrap();
    store.posted(&slow, &PostedRun { id: CheckRunId(1), conclusion: Some("failure".into()) }).await.unwrap();
    assert!(!store.finish(&slow).await.unwrap());
    assert!(store.finish(&quick).await.unwrap());
    let again = claim(&store, 5 * LEASE_MS).await;
    assert_eq!(again.generation, 2);
    assert_eq!(again.last_run, Some(PostedRun { id: CheckRunId(2), conclusion: Some("success".into()) }));
    assert!(store.finish(&again).await.unwrap());
    nothing_is_due(&store, i64::MAX).await;
}

#[tokio::test]
async fn a_lease_that_was_lost_after_the_end_queues_one_judgement_more() {
    let store = Store::for_tests().await;
    store.record(delivery("g1", 7, 'a'), 0).await.unwrap();
    let slow = claim(&store, 0).await;
    let quick = claim(&store, LEASE_MS).await;
    assert!(store.finish(&quick).await.unwrap());
    nothing_is_due(&store, i64::MAX).await;
    store.posted(&slow, &PostedRun { id: CheckRunId(9), conclusion: None }).await.unwrap();
    assert!(!store.finish(&slow).await.unwrap());
    let again = claim(&store, 2 * LEASE_MS).await;
    assert_eq!(again.last_run, Some(PostedRun { id: CheckRunId(9), conclusion: None }));
    assert!(store.finish(&again).await.unwrap());
    nothing_is_due(&store, i64::MAX).await;
}

#[tokio::test]
async fn announcing_lasts_until_a_run_is_posted() {
    let store = Store::for_tests().await;
    let mut opened = delivery("g1", 7, 'a');
    pull_of(&mut opened).announce = true;
    store.record(opened.clone(), 0).await.unwrap();
    let job = claim(&store, 0).await;
    assert!(job.announce);
    store.retry(&job, 1, "GitHub answered 502").await.unwrap();
    let job = claim(&store, 1).await;
    assert!(job.announce);
    store.posted(&job, &PostedRun { id: CheckRunId(1), conclusion: None }).await.unwrap();
    store.retry(&job, 2, "GitHub answered 502").await.unwrap();
    let job = claim(&store, 2).await;
    assert!(!job.announce);
    assert_eq!(job.last_run, Some(PostedRun { id: CheckRunId(1), conclusion: None }));

    opened.guid = "g2".into();
    store.record(opened, 3).await.unwrap();
    store.posted(&job, &PostedRun { id: CheckRunId(1), conclusion: Some("success".into()) }).await.unwrap();
    store.finish(&job).await.unwrap();
    assert!(claim(&store, 3).await.announce, "the announcement asked for meanwhile is not lost");
}

#[tokio::test]
async fn installations_take_turns() {
    let store = Store::for_tests().await;
    for number in 0..4 {
        let mut busy = delivery(&format!("busy{number}"), number, 'a');
        pull_of(&mut busy).head = Sha(format!("{number:040}"));
        store.record(busy, number as i64).await.unwrap();
    }
    for installation in [2, 3] {
        let mut late = delivery(&format!("late{installation}"), 1, 'f');
        pull_of(&mut late).place = place(installation);
        store.record(late, 100).await.unwrap();
    }
    let mut order = Vec::new();
    while let Some(job) = store.claim(200, LEASE_MS).await.unwrap() {
        order.push(job.place.installation.0);
    }
    assert_eq!(order, [1, 2, 3, 1, 1, 1]);
}

fn group(guid: &str, branch: &str, head: char, open: bool) -> Delivery {
    let tip = Tip { branch: branch.into(), base: sha('0'), base_branch: "refs/heads/main".into() };
    let change = TipChange { place: place(1), tip, head: sha(head), open };
    Delivery { guid: guid.into(), ask: Ask::Tip(change) }
}

#[tokio::test]
async fn a_merge_group_is_judged_until_it_is_gone() {
    let store = Store::for_tests().await;
    store.record(group("g1", "refs/heads/gh-readonly-queue/main/pr-7-0", 'a', true), 0).await.unwrap();
    let job = claim(&store, 0).await;
    assert_eq!((job.head.clone(), pulls(&job)), (sha('a'), vec![]));
    assert_eq!(job.tips[0].base, sha('0'));
    assert_eq!(job.tips[0].base_branch, "refs/heads/main");
    store.finish(&job).await.unwrap();

    store.record(group("g2", "refs/heads/gh-readonly-queue/main/pr-7-0", 'a', false), 1).await.unwrap();
    let job = claim(&store, 1).await;
    assert_eq!(job.tips, []);
    store.finish(&job).await.unwrap();
    nothing_is_due(&store, i64::MAX).await;
}

#[tokio::test]
async fn a_head_is_judged_for_its_pull_request_and_its_branch_together() {
    let store = Store::for_tests().await;
    store.record(delivery("g1", 7, 'a'), 0).await.unwrap();
    store.record(group("g2", "refs/heads/main", 'a', true), 0).await.unwrap();
    let job = claim(&store, 0).await;
    assert_eq!((pulls(&job), job.tips.len()), (vec![7], 1));
    store.finish(&job).await.unwrap();
    // The branch moves on: its old tip is judged again without it.
    store.record(group("g3", "refs/heads/main", 'b', true), 1).await.unwrap();
    let (one, other) = (claim(&store, 1).await, claim(&store, 1).await);
    let counts = |job: &Job| (job.head.clone(), job.pulls.len(), job.tips.len());
    assert_eq!((counts(&one), counts(&other)), ((sha('a'), 1, 0), (sha('b'), 0, 1)));
}

#[tokio::test]
async fn how_many_files_the_last_event_counted_is_known_of_its_head() {
    let store = Store::for_tests().await;
    let mut opened = delivery("g1", 7, 'a');
    pull_of(&mut opened).files = 150;
    store.record(opened, 0).await.unwrap();
    let files = async |head: char| store.files_of(place(1).id, PullNumber(7), &sha(head)).await.unwrap();
    assert_eq!((files('a').await, files('b').await), (150, 0));
    store.record(delivery("g2", 7, 'b'), 1).await.unwrap();
    assert_eq!((files('a').await, files('b').await), (0, 0));
}

#[tokio::test]
async fn a_release_is_due_at_once_and_costs_no_attempt() {
    let store = Store::for_tests().await;
    store.record(delivery("g1", 7, 'a'), 5).await.unwrap();
    let job = claim(&store, 5).await;
    store.release(&job).await.unwrap();
    let job = claim(&store, 5).await;
    assert_eq!(job.attempts, 0);
}

#[tokio::test]
async fn a_crash_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("fromguard.db").display());
    let store = Store::open(&url).await.unwrap();
    store.record(delivery("g1", 7, 'a'), 5).await.unwrap();
    store.record(delivery("g2", 8, 'b'), 6).await.unwrap();
    let job = claim(&store, 7).await;
    store.posted(&job, &PostedRun { id: CheckRunId(4), conclusion: None }).await.unwrap();
    store.set_comment(place(1).id, PullNumber(7), Some(kept(3))).await.unwrap();
    drop(store);

    let store = Store::open(&url).await.unwrap();
    assert_eq!(store.record(delivery("g1", 7, 'a'), 8).await.unwrap(), Recorded::Duplicate);
    let again = claim(&store, 8).await;
    assert_eq!((again.head.clone(), again.attempts, again.generation), (sha('a'), 1, 1));
    assert_eq!(again.last_run, Some(PostedRun { id: CheckRunId(4), conclusion: None }));
    assert!(!store.finish(&job).await.unwrap(), "the lease of the dead process is void");
    assert_eq!(claim(&store, 8).await.head, sha('b'));
    assert_eq!(store.comment(place(1).id, PullNumber(7)).await.unwrap(), Some(kept(3)));
}

#[tokio::test]
async fn a_second_server_on_the_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("fromguard.db").display());
    let store = Store::open(&url).await.unwrap();
    let refused = Store::open(&url).await.err().expect("the file is in use");
    assert!(matches!(refused, StoreError::InUse(_)), "{refused}");
    drop(store);
    Store::open(&url).await.expect("it is free again");
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("fromguard.db").display());
    let store = Store::open(&url).await.unwrap();
    store.run("INSERT INTO _sqlx_migrations VALUES (9000, 'later', CURRENT_TIMESTAMP, TRUE, x'00', 0)").await;
    drop(store);
    let refused = Store::open(&url).await.err().expect("it is newer");
    assert!(
        matches!(refused, StoreError::Newer { found: 9000, known } if known == migrations::known()),
        "{refused}"
    );
}

#[tokio::test]
async fn urls_that_name_no_database_are_refused() {
    for url in [
        "mysql://user:secret@host/db",
        "postgres://user:secret@host:port/db",
        "fromguard.db",
        "sqlite:",
        "sqlite:a.db?mode=ro",
    ] {
        let refused = Store::open(url).await.err().expect(url);
        assert!(matches!(refused, StoreError::Url(_)), "{url}: {refused}");
        assert!(!refused.to_string().contains("secret"), "{refused}");
    }
}

#[tokio::test]
async fn what_is_old_is_forgotten_and_what_is_open_is_kept() {
    const DAY_MS: i64 = 86_400_000;
    let store = Store::for_tests().await;
    for number in 0..1200 {
        let mut delivery = delivery(&format!("g{number}"), number, 'a');
        pull_of(&mut delivery).head = Sha(format!("{number:040x}"));
        pull_of(&mut delivery).open = number >= 1100;
        store.record(delivery, 0).await.unwrap();
    }
    while let Some(job) = store.claim(0, LEASE_MS).await.unwrap() {
        store.finish(&job).await.unwrap();
    }
    store.record(delivery("waits", 5000, 'f'), 0).await.unwrap();
    store.set_comment(place(1).id, PullNumber(0), Some(kept(1))).await.unwrap();
    store.set_comment(place(1).id, PullNumber(1100), Some(kept(2))).await.unwrap();

    assert_eq!(store.prune(8 * DAY_MS).await.unwrap(), 0);
    assert_eq!(store.prune(8 * DAY_MS + 1).await.unwrap(), 1201);
    assert_eq!(store.prune(30 * DAY_MS).await.unwrap(), 0);
    assert_eq!(store.prune(30 * DAY_MS + 1).await.unwrap(), 2 * 1100);
    assert_eq!(store.comment(place(1).id, PullNumber(0)).await.unwrap(), None);
    assert_eq!(store.comment(place(1).id, PullNumber(1100)).await.unwrap(), Some(kept(2)));
    assert_eq!(claim(&store, 31 * DAY_MS).await.head, sha('f'));
}

#[tokio::test]
async fn the_queue_says_how_much_waits() {
    let store = Store::for_tests().await;
    let empty = QueueStatus { waiting: 0, leased: 0, oldest_wait_ms: 0 };
    assert_eq!(store.queue_status(9).await.unwrap(), empty);
    store.record(delivery("g1", 7, 'a'), 5).await.unwrap();
    store.record(delivery("g2", 8, 'b'), 6).await.unwrap();
    claim(&store, 7).await;
    let status = store.queue_status(25).await.unwrap();
    assert_eq!(status, QueueStatus { waiting: 1, leased: 1, oldest_wait_ms: 20 });
}

#[tokio::test]
async fn who_waits_is_told_of_changes() {
    let store = Store::for_tests().await;
    let mut changes = store.changes();
    changes.mark_unchanged();
    store.record(delivery("g1", 7, 'a'), 5).await.unwrap();
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    store.record(delivery("g1", 7, 'a'), 5).await.unwrap();
    assert!(!changes.has_changed().unwrap(), "a duplicate changes nothing");
}

#[tokio::test]
async fn comments_and_facts_are_kept_and_forgotten() {
    let store = Store::for_tests().await;
    let (repository, pull) = (RepositoryId(u64::MAX), PullNumber(7));
    store.set_comment(repository, pull, Some(kept(u64::MAX))).await.unwrap();
    assert_eq!(store.comment(repository, pull).await.unwrap(), Some(kept(u64::MAX)));
    assert_eq!(store.comment(RepositoryId(1), pull).await.unwrap(), None);
    let settled = KeptComment { settled: true, ..kept(7) };
    store.set_comment(repository, pull, Some(settled)).await.unwrap();
    assert_eq!(store.comment(repository, pull).await.unwrap(), Some(settled));
    store.set_comment(repository, pull, None).await.unwrap();
    assert_eq!(store.comment(repository, pull).await.unwrap(), None);

    assert!(!store.organisation_policy_seen(InstallationId(1)).await.unwrap());
    store.set_organisation_policy_seen(InstallationId(1)).await.unwrap();
    assert!(store.organisation_policy_seen(InstallationId(1)).await.unwrap());
    assert!(!store.organisation_policy_seen(InstallationId(2)).await.unwrap());
}

#[tokio::test]
async fn when_the_database_fails_nothing_is_acknowledged_and_the_next_may_succeed() {
    let store = Store::for_tests().await;
    store.run("ALTER TABLE deliveries RENAME TO hidden").await;
    let refused = store.record(delivery("g1", 7, 'a'), 0).await.unwrap_err();
    assert!(matches!(refused, StoreError::NotCommitted), "{refused}");
    store.run("ALTER TABLE hidden RENAME TO deliveries").await;
    nothing_is_due(&store, 0).await;
    assert_eq!(store.record(delivery("g1", 7, 'a'), 0).await.unwrap(), Recorded::New);
}

#[test]
fn a_heart_that_stopped_is_noticed() {
    let heartbeat = Heartbeat::default();
    assert!(!heartbeat.is_alive(0));
    heartbeat.beat(1_000);
    assert!(heartbeat.is_alive(1_000 + Heartbeat::GONE_AFTER_MS));
    assert!(!heartbeat.is_alive(1_001 + Heartbeat::GONE_AFTER_MS));
}

#[tokio::test]
async fn a_glance_at_a_file_takes_no_lock_and_makes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("fromguard.db").display());
    let none = glance::at(&url).await.unwrap();
    assert_eq!((none.found, none.clock_ms), (None, None));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let store = Store::open(&url).await.unwrap();
    assert_eq!(glance::at(&url).await.unwrap().found, Some(migrations::known()));
    store.run("DELETE FROM _sqlx_migrations WHERE version > 1").await;
    assert_eq!(glance::at(&url).await.unwrap().found, Some(1), "and it is not brought up to date");
    assert_eq!(glance::at(&url).await.unwrap().found, Some(1));
}

#[tokio::test]
async fn what_left_a_head_as_an_event_says_is_remembered_there_until_github_answers() {
    let store = Store::for_tests().await;
    store.record(delivery("g1", 7, 'b'), 0).await.unwrap();
    store.record(delivery("g2", 8, 'b'), 0).await.unwrap();
    let job = claim(&store, 0).await;
    assert_eq!((pulls(&job), job.left.clone()), (vec![7, 8], Vec::new()));
    store.finish(&job).await.unwrap();
    // An older head, delivered late.
    store.record(delivery("g3", 7, 'a'), 1).await.unwrap();
    let mut jobs = [claim(&store, 1).await, claim(&store, 1).await];
    jobs.sort_by(|one, other| one.head.cmp(&other.head));
    let [a, b] = jobs;
    assert_eq!((pulls(&a), a.left.clone()), (vec![7], Vec::new()));
    assert_eq!((pulls(&b), b.left.clone()), (vec![8], vec![PullNumber(7)]));
    store.observe(&Ask::Pull(change(7, 'b')), 2).await.unwrap();
    store.finish(&a).await.unwrap();
    store.finish(&b).await.unwrap();
    let b = loop {
        let job = claim(&store, 2).await;
        store.finish(&job).await.unwrap();
        if job.head == b.head {
            break job;
        }
    };
    assert_eq!((pulls(&b), b.left), (vec![7, 8], Vec::new()));
}

#[tokio::test]
async fn two_heads_never_post_the_first_comment_at_once() {
    let store = Store::for_tests().await;
    store.record(delivery("g1", 7, 'a'), 0).await.unwrap();
    let begin = async |head: char, now_ms| {
        store.begin_comment(place(1).id, PullNumber(7), &sha(head), now_ms, now_ms + 10).await.unwrap()
    };
    assert_eq!(begin('a', 0).await, None);
    assert_eq!(begin('b', 1).await, Some(10));
    assert_eq!(begin('a', 2).await, None, "its own attempts go on");
    assert_eq!(begin('b', 12).await, None, "it died");
    store.end_comment(place(1).id, PullNumber(7), &sha('a')).await.unwrap();
    assert_eq!(begin('a', 13).await, Some(22));
    store.end_comment(place(1).id, PullNumber(7), &sha('b')).await.unwrap();
    assert_eq!(begin('a', 14).await, None);
}

fn learnt(kind: &str, key: &str, value: &str, at_ms: i64, until_ms: i64) -> LearntText {
    LearntText { kind: kind.into(), key: key.into(), value: value.into(), at_ms, until_ms }
}

#[tokio::test]
async fn the_newest_that_was_learnt_stays_until_it_is_of_no_use() {
    let store = Store::for_tests().await;
    let said = async |kind, key| store.learnt(kind, key).await.unwrap();
    assert_eq!(said("tag 1", "a").await, None);
    let awkward = "{\"\\u0000 'é\\\"\": 1}";
    let all = [
        learnt("tag 1", "a", "old", 10, 50),
        learnt("tag 1", "a", awkward, 20, 60),
        learnt("badge 1", "a", "other", 30, 40),
    ];
    store.keep_learnt(&all).await.unwrap();
    assert_eq!(said("tag 1", "a").await, Some((awkward.into(), 20)));
    store.keep_learnt(&[learnt("tag 1", "a", "late", 19, 99)]).await.unwrap();
    assert_eq!(said("tag 1", "a").await, Some((awkward.into(), 20)));
    assert_eq!(said("tag 2", "a").await, None, "of another form");
    store.keep_learnt(&[learnt("tag 1", "b", "of a wrong clock", 600_020, 60)]).await.unwrap();
    store.keep_learnt(&[learnt("tag 1", "b", "now", 19, 30)]).await.unwrap();
    assert_eq!(said("tag 1", "b").await, Some(("now".into(), 19)));

    assert_eq!(store.prune(41).await.unwrap(), 2);
    assert_eq!((said("badge 1", "a").await, said("tag 1", "a").await.is_some()), (None, true));
    assert_eq!(store.prune(61).await.unwrap(), 1);
    assert_eq!(said("tag 1", "a").await, None);
    store.keep_learnt(&[]).await.unwrap();
}
