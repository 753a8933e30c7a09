//! What PostgreSQL adds: several replicas on one database, and servers that say no or
//! nothing. These need the server that `cargo xtask test` starts, whatever the others store in.

use std::collections::HashSet;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use sqlx::Connection as _;

use super::*;

/// The URL of the server, as a superuser.
fn server() -> String {
    std::env::var("FROMGUARD_TEST_POSTGRES_URL").expect(
        "this test needs a PostgreSQL server: run `cargo xtask test`, or this one alone with \
         `cargo xtask postgres cargo test …`",
    )
}

/// The URL of a schema that nobody else uses; a database each would take the server far longer.
pub(super) async fn new_schema() -> String {
    static SCHEMAS: AtomicU32 = AtomicU32::new(0);
    let name = format!("test_{}_{}", std::process::id(), SCHEMAS.fetch_add(1, Ordering::Relaxed));
    let mut connection = sqlx::PgConnection::connect(&server()).await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {name}"));
    sqlx::query(create).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    format!("{}?options[search_path]={name}", server())
}

async fn replicas() -> [Store; 2] {
    let url = new_schema().await;
    [Store::open(&url).await.unwrap(), Store::open(&url).await.unwrap()]
}

async fn refused(url: &str) -> String {
    let error = Store::open(url).await.err().expect("it cannot be opened");
    let said = error.to_string();
    assert!(!said.contains("wrong-password"), "{said}");
    said
}

#[tokio::test]
async fn what_one_replica_takes_another_judges() {
    let [one, other] = replicas().await;
    assert_eq!(one.record(delivery("g1", 7, 'a'), 0).await.unwrap(), Recorded::New);
    assert_eq!(other.record(delivery("g1", 7, 'a'), 1).await.unwrap(), Recorded::Duplicate);
    let job = claim(&other, 2).await;
    nothing_is_due(&one, 3).await;
    assert!(other.finish(&job).await.unwrap());
    nothing_is_due(&one, i64::MAX).await;
}

#[tokio::test]
async fn a_replica_that_starts_leaves_the_leases_of_others_alone() {
    let url = new_schema().await;
    let one = Store::open(&url).await.unwrap();
    one.record(delivery("g1", 7, 'a'), 0).await.unwrap();
    let job = claim(&one, 0).await;
    let other = Store::open(&url).await.unwrap();
    nothing_is_due(&other, LEASE_MS - 1).await;
    // The first one died: when its lease ends, the judgement counts as tried and is taken over.
    let taken_over = claim(&other, LEASE_MS).await;
    assert_eq!((taken_over.head.clone(), taken_over.attempts), (sha('a'), 1));
    assert!(!one.renew(&job, 2 * LEASE_MS).await.unwrap());
    assert!(other.finish(&taken_over).await.unwrap());
}

#[tokio::test]
async fn replicas_that_start_together_migrate_once() {
    let url = new_schema().await;
    let starts = futures_util::future::join_all((0..8).map(|_| Store::open(&url))).await;
    for store in starts {
        store.expect("whoever migrates is waited for").ping().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replicas_that_claim_at_once_never_get_the_same_judgement() {
    const HEADS: u64 = 60;
    let stores = replicas().await;
    for number in 0..HEADS {
        let mut news = delivery(&format!("g{number}"), number, 'a');
        let change = pull_of(&mut news);
        change.head = Sha(format!("{number:040x}"));
        change.place = place(1 + number % 5);
        stores[0].record(news, 0).await.unwrap();
    }
    let claimers = (0..4).map(|number| {
        let store = stores[number % 2].clone();
        tokio::spawn(async move {
            let mut judged = Vec::new();
            // One that finds nothing may have met others that were about to claim: it asks again.
            while store.queue_status(0).await.unwrap().waiting > 0 {
                if let Some(job) = store.claim(0, LEASE_MS).await.unwrap() {
                    judged.push((job.place.id, job.head));
                }
            }
            judged
        })
    });
    let mut all = Vec::new();
    for claimer in claimers.collect::<Vec<_>>() {
        all.extend(claimer.await.unwrap());
    }
    assert_eq!(all.len() as u64, HEADS);
    assert_eq!(all.iter().collect::<HashSet<_>>().len() as u64, HEADS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn news_that_replicas_take_at_once_is_taken_one_after_the_other() {
    // One pull request that moves back and forth, told to both replicas at once: whichever
    // comes last, each head is judged for exactly the pull requests that point at it.
    let stores = replicas().await;
    let tellers = (0..8).map(|teller: usize| {
        let store = stores[teller % 2].clone();
        tokio::spawn(async move {
            for round in 0..20 {
                let letter = ['a', 'b', 'c'][(teller + round) % 3];
                let guid = format!("g{}", (teller / 2) * 20 + round);
                let pull = 7 + (round % 2) as u64;
                store.record(delivery(&guid, pull, letter), 0).await.unwrap();
                if let Some(job) = store.claim(0, LEASE_MS).await.unwrap() {
                    assert!(store.finish(&job).await.unwrap());
                }
            }
        })
    });
    for teller in tellers.collect::<Vec<_>>() {
        teller.await.unwrap();
    }
    let mut judged = Vec::new();
    while let Some(job) = stores[0].claim(0, LEASE_MS).await.unwrap() {
        assert!(stores[0].finish(&job).await.unwrap());
        judged.push((job.head.clone(), pulls(&job)));
    }
    // Each pull request's last head was judged with it, now or by one of the tellers: raising all
    // heads once more shows what the store believes.
    for letter in ['a', 'b', 'c'] {
        let rerun = Rerun { place: place(1), head: sha(letter) };
        let delivery = Delivery { guid: format!("again-{letter}"), ask: Ask::Rerun(rerun) };
        assert_eq!(stores[1].record(delivery, 0).await.unwrap(), Recorded::New);
    }
    let mut all = Vec::new();
    while let Some(job) = stores[1].claim(i64::MAX / 2, LEASE_MS).await.unwrap() {
        all.extend(pulls(&job));
        assert!(stores[1].finish(&job).await.unwrap());
    }
    all.sort_unstable();
    assert_eq!(all, [7, 8], "each pull request points at one head; before: {judged:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replicas_that_are_told_everything_at_once_never_wait_for_each_other_in_a_circle() {
    // News of many heads of one installation in opposite orders, the installation left and come back,
    // surveys wished for in opposite orders and forgetting, all at once. PostgreSQL ends a circle by
    // failing somebody: here nothing fails.
    const REPOSITORIES: u64 = 8;
    const TELLERS: u64 = 4;
    const ROUNDS: u64 = 6;
    let stores = replicas().await;
    let tellers = (0..TELLERS).map(|teller| {
        let store = stores[(teller % 2) as usize].clone();
        tokio::spawn(async move {
            for round in 0..ROUNDS {
                let mut repositories: Vec<u64> = (1..=REPOSITORIES).collect();
                if teller >= 2 {
                    repositories.reverse();
                }
                let letter = ['a', 'b', 'c'][(round % 3) as usize];
                let news = repositories.iter().map(|number| {
                    let mut news = delivery(&format!("news-{teller}-{round}-{number}"), 1 + teller, letter);
                    pull_of(&mut news).place.id = RepositoryId(*number);
                    news
                });
                let wish = |number: &u64| SurveyWish {
                    repository: Some((RepositoryId(*number), place(1).name)),
                    ..SurveyWish::first(InstallationId(1))
                };
                // The same deliveries come to both replicas.
                let surveys = repositories.iter().map(|number| Delivery {
                    guid: format!("survey-{round}-{number}"),
                    ask: Ask::Survey(vec![wish(number)]),
                });
                let mut said: Vec<Delivery> = news.chain(surveys).collect();
                let leave = Leave { installation: InstallationId(1), repositories: None };
                let leave = Delivery { guid: format!("leave-{teller}-{round}"), ask: Ask::Leave(leave) };
                said.insert(said.len() / 2, leave);
                let wishes: Vec<_> = repositories.iter().map(|number| (wish(number), 0)).collect();
                let (told, wanted, pruned) = futures_util::join!(
                    futures_util::future::join_all(said.into_iter().map(|one| store.record(one, 0))),
                    store.want_surveys(&wishes),
                    store.prune(i64::MAX),
                );
                for recorded in told {
                    recorded.unwrap();
                }
                wanted.unwrap();
                pruned.unwrap();
                while let Some(job) = store.claim(0, LEASE_MS).await.unwrap() {
                    store.finish(&job).await.unwrap();
                }
            }
        })
    });
    for teller in tellers.collect::<Vec<_>>() {
        teller.await.unwrap();
    }
}

#[tokio::test]
async fn what_another_replica_holds_is_passed_over() {
    let url = new_schema().await;
    let store = Store::open(&url).await.unwrap();
    let mut elsewhere = delivery("g2", 8, 'b');
    pull_of(&mut elsewhere).place = place(2);
    store.record(delivery("g1", 7, 'a'), 0).await.unwrap();
    store.record(elsewhere, 1).await.unwrap();

    let mut holder = sqlx::PgConnection::connect(&url).await.unwrap();
    let mut held = holder.begin().await.unwrap();
    let lock = format!("SELECT 1 FROM heads WHERE head = '{}' FOR UPDATE", sha('a'));
    sqlx::query(sqlx::AssertSqlSafe(lock)).execute(&mut *held).await.unwrap();
    assert_eq!(claim(&store, 2).await.head, sha('b'));
    nothing_is_due(&store, 2).await;
    held.rollback().await.unwrap();
    assert_eq!(claim(&store, 2).await.head, sha('a'));
}

#[tokio::test]
async fn connections_that_died_cost_no_delivery() {
    let url = format!("{}&application_name=cut_off", new_schema().await);
    let store = Store::open(&url).await.unwrap();
    store.record(delivery("g1", 7, 'a'), 0).await.unwrap();
    let job = claim(&store, 0).await;

    // As when the server restarts: every connection is cut, one of them in a transaction.
    let mut connection = store.inner.database.connect().await.unwrap();
    let transaction = connection.begin().await.unwrap();
    let mut superuser = sqlx::PgConnection::connect(&server()).await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cut_off'";
    let cut = sqlx::query(cut).execute(&mut superuser).await.unwrap();
    assert!(cut.rows_affected() > 0);
    assert!(transaction.commit().await.is_err(), "it was cut before it was durable");
    drop(connection);

    // Each dead connection is met once at most; what fails is not acknowledged and comes again.
    let mut failures = 0;
    let recorded = loop {
        match store.record(delivery("g2", 8, 'b'), 1).await {
            Ok(recorded) => break recorded,
            Err(error) => assert!(matches!(error, StoreError::NotCommitted), "{error}"),
        }
        failures += 1;
        assert!(failures <= 8, "dead connections are not replaced");
    };
    assert_eq!(recorded, Recorded::New);
    assert!(store.finish(&job).await.unwrap());
    assert_eq!(claim(&store, 1).await.head, sha('b'));
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_named() {
    let said = refused("postgres://user:wrong-password@127.0.0.1:1/fromguard").await;
    assert_eq!(
        said,
        "the PostgreSQL database \"fromguard\" at 127.0.0.1:1 as \"user\" cannot be reached: Connection refused \
         (os error 111); check that the server runs and that FROMGUARD_DATABASE_URL is right"
    );
}

#[tokio::test]
async fn a_wrong_password_is_said_to_be_one() {
    let url = server();
    let (scheme, rest) = url.split_once("://").unwrap();
    let (_, host) = rest.split_once('@').unwrap();
    let said = refused(&format!("{scheme}://fromguard:wrong-password@{host}")).await;
    assert!(said.contains("refuses: password authentication failed for user \"fromguard\""), "{said}");
    assert!(
        said.ends_with("check the user and the password in FROMGUARD_DATABASE_URL, and pg_hba.conf"),
        "{said}"
    );
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_said_to_be_missing() {
    let said = refused(&server().replace("/postgres", "/nowhere")).await;
    assert!(said.contains("database \"nowhere\" does not exist; create the database"), "{said}");
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_refused() {
    let store = Store::open(&new_schema().await).await.unwrap();
    let now_ms = crate::clock::Clock::system().now_ms();
    store.check_clock(now_ms).await.unwrap();
    for wrong_ms in [now_ms - 60_000, now_ms + 60_000] {
        let refused = store.check_clock(wrong_ms).await.unwrap_err();
        assert!(matches!(refused, StoreError::Clock { apart_s: 59..=61 }), "{refused}");
    }
}

#[tokio::test]
async fn a_database_that_a_newer_version_wrote_is_refused() {
    let url = new_schema().await;
    let store = Store::open(&url).await.unwrap();
    store.run("INSERT INTO _sqlx_migrations VALUES (9000, 'later', now(), TRUE, '', 0)").await;
    let refused = Store::open(&url).await.err().expect("it is newer");
    assert!(matches!(refused, StoreError::Newer { found: 9000, .. }), "{refused}");
    // A replica that was started before goes on beside the newer ones.
    assert_eq!(store.record(delivery("g1", 7, 'a'), 0).await.unwrap(), Recorded::New);
}

#[tokio::test]
async fn a_glance_changes_nothing() {
    let url = new_schema().await;
    let before = glance::at(&url).await.unwrap();
    assert_eq!((before.found, before.known), (None, migrations::known()));
    let _store = Store::open(&url).await.unwrap();
    let after = glance::at(&url).await.unwrap();
    assert_eq!(after.found, Some(migrations::known()));
    assert!(after.clock_ms > before.clock_ms);
}
