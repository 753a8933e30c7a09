//! What is to be looked through, what is done every so often, and what is left.

use super::*;
use crate::ids::RepositoryName;

fn wish(repository: u64) -> SurveyWish {
    let name = RepositoryName { owner: "octo".into(), name: format!("r{repository}") };
    SurveyWish { repository: Some((RepositoryId(repository), name)), ..SurveyWish::first(InstallationId(1)) }
}

async fn look(store: &Store, now_ms: i64) -> Survey {
    store.claim_survey(now_ms, LEASE_MS).await.unwrap().expect("a survey is due")
}

async fn nothing_to_look_at(store: &Store, now_ms: i64) {
    assert_eq!(store.claim_survey(now_ms, LEASE_MS).await.unwrap(), None);
}

#[tokio::test]
async fn wishes_for_one_repository_are_one_survey_and_the_earliest_time_counts() {
    let store = Store::for_tests().await;
    let again = SurveyWish { first_run: false, again: true, base: Some("main".into()), ..wish(7) };
    store.want_surveys(&[(again.clone(), 500)]).await.unwrap();
    assert_eq!(store.next_survey_ms().await.unwrap(), Some(500));
    nothing_to_look_at(&store, 499).await;
    store.want_surveys(&[(SurveyWish { base: Some("main".into()), ..wish(7) }, 300)]).await.unwrap();
    let survey = look(&store, 300).await;
    assert!(survey.wish.first_run && survey.wish.again);
    assert_eq!(survey.wish.base.as_deref(), Some("main"));
    nothing_to_look_at(&store, 300).await;
    store.finish_survey(&survey, 310).await.unwrap();
    assert_eq!(store.next_survey_ms().await.unwrap(), None);

    // Wishes for different branches are one for all of them.
    let other = SurveyWish { base: Some("release".into()), ..again.clone() };
    store.want_surveys(&[(again, 400), (other, 400)]).await.unwrap();
    assert_eq!(look(&store, 400).await.wish.base, None);
}

#[tokio::test]
async fn a_wish_while_a_repository_is_looked_through_is_another_look() {
    let store = Store::for_tests().await;
    store.want_surveys(&[(wish(7), 0)]).await.unwrap();
    let survey = look(&store, 0).await;
    store.want_surveys(&[(wish(7), 1)]).await.unwrap();
    nothing_to_look_at(&store, 1).await;
    store.finish_survey(&survey, 2).await.unwrap();
    let again = look(&store, 2).await;
    assert_eq!(again.attempts, 0);
    store.finish_survey(&again, 3).await.unwrap();
    nothing_to_look_at(&store, i64::MAX - LEASE_MS).await;
}

#[tokio::test]
async fn a_survey_that_failed_or_was_lost_is_tried_again() {
    let store = Store::for_tests().await;
    store.want_surveys(&[(wish(7), 0), (wish(8), 10)]).await.unwrap();
    let survey = look(&store, 0).await;
    store.retry_survey(&survey, 5_000).await.unwrap();
    assert_eq!(look(&store, 10).await.wish, wish(8));
    let again = look(&store, 5_000).await;
    assert_eq!((again.wish.clone(), again.attempts), (wish(7), 1));
    // Its holder is gone: the lease ends.
    let taken = look(&store, 5_000 + 2 * LEASE_MS).await;
    assert_eq!(taken.attempts, 1, "the other one's lease ended first");
    assert_eq!(look(&store, 5_000 + 2 * LEASE_MS).await.attempts, 2);
    // What the lost one says counts for nothing.
    store.finish_survey(&again, 0).await.unwrap();
    assert!(store.next_survey_ms().await.unwrap().is_some());
}

#[tokio::test]
async fn what_a_dead_process_looked_through_is_due_at_the_next_start() {
    // On SQLite; in PostgreSQL its holder may be another replica, and lives or not.
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("fromguard.db").display());
    let store = Store::open(&url).await.unwrap();
    store.want_surveys(&[(wish(7), 0)]).await.unwrap();
    let cut_short = look(&store, 1_000).await;
    drop(store);
    let store = Store::open(&url).await.unwrap();
    let taken_up = look(&store, 1_001).await;
    assert_eq!((taken_up.wish.clone(), taken_up.attempts), (cut_short.wish, 1));
    store.finish_survey(&taken_up, 1_002).await.unwrap();
    assert_eq!(store.next_survey_ms().await.unwrap(), None);
}

#[tokio::test]
async fn what_a_survey_found_is_judged_unless_it_is_at_work_already() {
    let store = Store::for_tests().await;
    store.record(delivery("g1", 7, 'a'), 0).await.unwrap();
    let busy = claim(&store, 0).await;
    let asks = [(Ask::Pull(change(7, 'a')), 100), (Ask::Pull(change(8, 'b')), 200)];
    store.want(&asks, true).await.unwrap();
    nothing_is_due(&store, 199).await;
    assert_eq!(claim(&store, 200).await.head, sha('b'));
    assert!(store.finish(&busy).await.unwrap());
    nothing_is_due(&store, 300).await;
    store.want(&asks[..1], false).await.unwrap();
    assert_eq!(claim(&store, 300).await.head, sha('a'));
    assert_eq!(store.busy_repositories(InstallationId(1)).await.unwrap(), [place(1).id]);
}

#[tokio::test]
async fn what_the_app_is_shut_out_of_is_left() {
    for (repositories, left) in
        [(None, true), (Some(vec![place(1).id]), true), (Some(vec![RepositoryId(5)]), false)]
    {
        let store = Store::for_tests().await;
        store.record(delivery("g1", 7, 'a'), 0).await.unwrap();
        let here = SurveyWish { repository: Some((place(1).id, place(1).name)), ..wish(7) };
        store.want_surveys(&[(here, 0)]).await.unwrap();
        let leave = Leave { installation: InstallationId(1), repositories };
        store.record(Delivery { guid: "g2".into(), ask: Ask::Leave(leave) }, 1).await.unwrap();
        assert_eq!(store.claim(2, LEASE_MS).await.unwrap().is_none(), left);
        assert_eq!(store.claim_survey(2, LEASE_MS).await.unwrap().is_none(), left);
        // It may come back.
        store.record(delivery("g3", 8, 'b'), 3).await.unwrap();
        assert!(store.claim(3, LEASE_MS).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_delivery_that_wants_a_survey_is_taken_once() {
    let store = Store::for_tests().await;
    let policy = SurveyWish::again(place(1), Some("main".into()));
    let delivery = Delivery { guid: "g1".into(), ask: Ask::Survey(vec![policy.clone()]) };
    assert_eq!(store.record(delivery.clone(), 0).await.unwrap(), Recorded::New);
    assert_eq!(store.record(delivery, 5).await.unwrap(), Recorded::Duplicate);
    nothing_to_look_at(&store, 9_999).await;
    let survey = look(&store, 10_000).await;
    assert_eq!(survey.wish, policy);
    assert_eq!(survey.place(), Some(place(1)));
}

#[tokio::test]
async fn a_chore_is_one_process_s_and_is_brought_forward_when_it_was_long_ago() {
    let store = Store::for_tests().await;
    let take = async |now_ms: i64| store.take_chore("deliveries", now_ms, now_ms + 300).await.unwrap();
    let first = take(1_000).await.expect("it was never done");
    assert_eq!(first.last_ms, None);
    assert_eq!(take(1_299).await, None);
    store.finish_chore(&first).await.unwrap();
    let second = take(1_300).await.expect("it is due");
    assert_eq!(second.last_ms, Some(1_000));
    assert_eq!(store.chore_due_ms("deliveries").await.unwrap(), Some(1_600));
    // The second was not finished: the first is what was done last.
    store.hasten_chore("deliveries", 1_400, 999).await.unwrap();
    assert_eq!(take(1_400).await, None);
    store.hasten_chore("deliveries", 1_400, 1_000).await.unwrap();
    assert_eq!(take(1_400).await.expect("brought forward").last_ms, Some(1_000));
}

#[tokio::test]
async fn a_delivery_is_asked_for_so_often_and_no_more() {
    let store = Store::for_tests().await;
    for _ in 0..5 {
        assert!(store.count_redelivery("g1", 5, 0).await.unwrap());
    }
    assert!(!store.count_redelivery("g1", 5, 0).await.unwrap());
    assert!(store.count_redelivery("g2", 5, 0).await.unwrap());
    // GitHub forgets it too.
    store.prune(9 * 86_400_000).await.unwrap();
    assert!(store.count_redelivery("g1", 5, 9 * 86_400_000).await.unwrap());
}
