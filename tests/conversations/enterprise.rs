//! GitHub Enterprise Server, by conversation: its API is at `/api/v3`, its GraphQL at
//! `/api/graphql`, and it repeats deliveries for seven days.

use std::time::Duration;

use fromguard::standin::PullPlace;

use crate::harness::House;
use crate::harness::POLICY;
use crate::harness::Repo;

const POLICY_PATH: &str = ".github/fromguard.yml";
const TRUSTED: &str = "FROM node:24\n";
const UNKNOWN: &str = "FROM docker.io/evil/miner:1\n";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn shop(house: &House) -> Repo {
    house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)])
}

fn open(house: &House, repo: &mut Repo, branch: &str) -> PullPlace {
    repo.branch(branch, &[("Dockerfile", UNKNOWN), (branch, "")]);
    house.standin.open_pull_request(&repo.name, "main", branch).unwrap()
}

#[tokio::test]
async fn a_pull_request_on_an_enterprise_server_is_judged_queued_and_mended() {
    let house = House::of_enterprise().await;
    let mut repo = shop(&house);
    let pull = open(&house, &mut repo, "feature");
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "failure");
    assert_eq!(house.standin.comments(&pull).unwrap().len(), 1);
    let mended = repo.commit("feature", &[("Dockerfile", "FROM node:22\n")]);
    house.standin.push(&pull, &mended.0).unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "success");
    let group = house.standin.enqueue(&pull).unwrap();
    house.deliver().await;
    let runs = house.standin.check_runs(&repo.name, &group.head.0).unwrap();
    assert_eq!(runs.iter().filter_map(|run| run.conclusion.as_deref()).collect::<Vec<_>>(), ["success"]);
}

/// Loses a delivery, and looks for it after so many days of being down.
async fn found_after(house: &House, days: u32) -> bool {
    let mut repo = shop(house);
    let address = house.standin.webhook_url();
    house.standin.deliver_to("http://127.0.0.1:9/webhook");
    open(house, &mut repo, "feature");
    house.standin.deliver_all().await.unwrap();
    house.standin.deliver_to(&address);
    house.clock.advance(days * DAY);
    house.sweep_once().await;
    !house.standin.waiting_deliveries().is_empty()
}

#[tokio::test]
async fn lost_deliveries_are_asked_for_as_long_as_they_are_repeated() {
    assert!(found_after(&House::of_enterprise().await, 6).await);
    assert!(!found_after(&House::of_enterprise().await, 8).await);
    assert!(found_after(&House::new().await, 2).await);
    assert!(!found_after(&House::new().await, 6).await);
}
