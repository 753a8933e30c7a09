//! Re-runs by conversation: whoever asks gets a new run on the commit, a fork's too.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod contract;
mod harness;

use fromguard::standin::PullPlace;
use harness::House;
use harness::POLICY;

const POLICY_PATH: &str = ".github/fromguard.yml";

fn opened(house: &House, fork: bool) -> PullPlace {
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", "FROM node:24\n")]);
    repo.branch("feature", &[("Dockerfile", "FROM docker.io/evil/miner:1\n")]);
    match fork {
        true => house.standin.open_fork_pull_request(&repo.name, "main", "feature").unwrap(),
        false => house.standin.open_pull_request(&repo.name, "main", "feature").unwrap(),
    }
}

#[tokio::test]
async fn a_rerun_posts_a_new_run_and_leaves_the_old_one() {
    for fork in [false, true] {
        let house = House::new().await;
        let pull = opened(&house, fork);
        house.deliver().await;
        let first = house.run(&pull);
        house.standin.rerequest(first.id, None).unwrap();
        house.deliver().await;
        let second = house.run(&pull);
        assert_ne!(first.id, second.id, "fork: {fork}");
        assert_eq!(second.conclusion.as_deref(), Some("failure"));

        house.standin.rerequest_all(&pull).unwrap();
        house.deliver().await;
        assert_ne!(house.run(&pull).id, second.id, "fork: {fork}");
    }
}

#[tokio::test]
async fn the_button_of_a_run_judges_again() {
    let house = House::new().await;
    let pull = opened(&house, false);
    house.deliver().await;
    let first = house.run(&pull);
    let button = first.actions[0]["identifier"].as_str().unwrap().to_owned();
    assert_eq!(first.actions[0]["label"], "Re-check");
    house.standin.rerequest(first.id, Some(&button)).unwrap();
    house.deliver().await;
    assert_ne!(house.run(&pull).id, first.id);
}

#[tokio::test]
async fn who_presses_again_and_again_gets_a_run_every_ten_seconds() {
    let house = House::new().await;
    let pull = opened(&house, false);
    house.deliver().await;
    let run = house.run(&pull).id;
    for _ in 0..5 {
        house.standin.rerequest(run, None).unwrap();
    }
    let began_ms = house.clock.now_ms();
    house.deliver().await;
    for _ in 0..5 {
        house.standin.rerequest(run, None).unwrap();
    }
    house.deliver().await;
    let took_ms = house.clock.now_ms() - began_ms;
    let head = house.standin.head(&pull).unwrap();
    let runs = house.standin.check_runs("acme/shop", &head.0).unwrap();
    let reruns = runs.len() as i64 - 1;
    assert!((2..10).contains(&reruns), "{reruns} for ten requests in two goes");
    assert!(took_ms >= (reruns - 1) * 10_000, "{reruns} in {took_ms} ms");
}

#[tokio::test]
async fn a_commit_that_was_never_heard_of_is_looked_up() {
    for fork in [false, true] {
        let house = House::new().await;
        let pull = opened(&house, fork);
        house.standin.rearrange_deliveries(Vec::clear);
        house.standin.rerequest_all(&pull).unwrap();
        house.deliver().await;
        assert_eq!(house.conclusion(&pull), "failure", "fork: {fork}");
    }
}

#[tokio::test]
async fn nothing_is_posted_where_no_pull_request_has_the_commit() {
    let house = House::new().await;
    let pull = opened(&house, false);
    house.deliver().await;
    let first = house.run(&pull);
    house.standin.close(&pull).unwrap();
    house.deliver().await;
    house.standin.rerequest(first.id, None).unwrap();
    house.deliver().await;
    assert_eq!(house.run(&pull).id, first.id);
}
