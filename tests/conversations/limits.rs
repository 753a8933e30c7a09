//! GitHub's limits, by conversation: they are kept to, and what one installation has spent
//! holds up no other.

use std::sync::Arc;
use std::sync::Mutex;

use fromguard::standin::Endpoint;
use fromguard::standin::Fault;
use fromguard::standin::PullPlace;

use crate::harness;
use crate::harness::House;
use crate::harness::POLICY;

const POLICY_PATH: &str = ".github/fromguard.yml";
const TRUSTED: &str = "FROM node:24\n";
const RUNS: &str = "/repos/{owner}/{repo}/check-runs";

/// Opens pull requests of documents in a repository `owner/shop`.
fn open(house: &House, owner: &str, count: usize) -> Vec<PullPlace> {
    let files = [(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)];
    let mut repo = house.repository_of(&format!("{owner}/shop"), &files);
    let one = |number: usize| {
        let branch = format!("feature-{number}");
        repo.branch(&branch, &[("README.md", &branch)]);
        house.standin.open_pull_request(&repo.name, "main", &branch).unwrap()
    };
    (0..count).map(one).collect()
}

/// When each request to an endpoint came, since the start, and for whom.
fn times(house: &House, template: &'static str) -> Arc<Mutex<Vec<(i64, String)>>> {
    let times: Arc<Mutex<Vec<(i64, String)>>> = Arc::default();
    let (kept, clock) = (Arc::clone(&times), house.clock.clone());
    house.standin.observe(move |exchange| {
        if exchange.template == template && exchange.method == "POST" {
            kept.lock().unwrap().push((clock.now_ms() - harness::START_MS, exchange.path.clone()));
        }
    });
    times
}

#[tokio::test]
async fn one_organisation_s_flood_holds_up_no_other() {
    let house = House::new().await;
    house.standin.install("globex");
    let flood = open(&house, "acme", 100);
    let other = open(&house, "globex", 1);
    let posted = times(&house, RUNS);
    house.deliver().await;
    assert!(flood.iter().chain(&other).all(|pull| house.conclusion(pull) == "success"));
    let posted = posted.lock().unwrap();
    let of_other = posted.iter().find(|(_, path)| path.contains("globex")).unwrap();
    assert_eq!(of_other.0, 0, "the other one's was posted at once");
    // Eighty new things a minute are what GitHub takes.
    let at_once = posted.iter().filter(|(at_ms, path)| *at_ms == 0 && path.contains("acme")).count();
    assert!((60..=80).contains(&at_once), "{at_once}");
    assert!(posted.iter().all(|(at_ms, _)| *at_ms < 10 * 60_000), "all of it soon");
}

#[tokio::test]
async fn after_a_refusal_nothing_more_is_asked_until_it_may_be() {
    let house = House::new().await;
    let pulls = open(&house, "acme", 30);
    house.standin.fail_next(Endpoint::graphql(), Fault::SecondaryLimitNoHeaders, 1);
    let asked = times(&house, "/graphql");
    house.deliver().await;
    assert!(pulls.iter().all(|pull| house.conclusion(pull) == "success"));
    let asked = asked.lock().unwrap();
    let before = asked.iter().filter(|(at_ms, _)| *at_ms < 60_000).count();
    assert!(before <= house.settings.concurrency, "{before} requests before the limit ended");
}

#[tokio::test]
async fn a_refused_token_keeps_back_every_token_until_it_may_be() {
    let house = House::new().await;
    house.standin.install("globex");
    let pulls = [open(&house, "acme", 1), open(&house, "globex", 1)].concat();
    house.standin.fail_next(Endpoint::token(), Fault::SecondaryLimitNoHeaders, 1);
    let asked = times(&house, "/app/installations/{installation_id}/access_tokens");
    house.standin.deliver_all().await.unwrap();
    while asked.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    house.settle().await;
    assert!(pulls.iter().all(|pull| house.conclusion(pull) == "success"));
    let asked = asked.lock().unwrap();
    // The other one may be under way already.
    assert!(asked.iter().filter(|(at_ms, _)| *at_ms < 60_000).count() <= 2, "{asked:?}");
}

#[tokio::test]
async fn a_refused_list_of_repositories_keeps_back_its_installation() {
    let house = House::new().await;
    let list = Endpoint::rest("GET", "/installation/repositories");
    house.standin.fail_next(list, Fault::SecondaryLimitNoHeaders, 1);
    house.standin.announce_installed(house.installation);
    house.deliver().await;
    house.sweep_once().await;
    assert_eq!(house.standin.faults_left(), 0);
    assert_eq!(house.github.busy_until_ms(house.installation), Some(house.clock.now_ms() + 60_000));
}

#[tokio::test]
async fn an_hour_s_limit_that_is_spent_ends_in_no_failure() {
    let house = House::new().await;
    let pulls = open(&house, "acme", 2);
    let spent = Fault::Status {
        status: 403,
        headers: vec![
            ("x-ratelimit-remaining".into(), "0".into()),
            ("x-ratelimit-reset".into(), ((harness::START_MS / 1_000) + 3_600).to_string()),
        ],
        body: r#"{"message":"API rate limit exceeded for installation."}"#.into(),
    };
    // Far more often than judging is tried otherwise.
    house.standin.fail_next(Endpoint::graphql(), spent, 8);
    house.deliver().await;
    assert!(pulls.iter().all(|pull| house.conclusion(pull) == "success"));
    assert!(house.clock.now_ms() >= harness::START_MS + 3_600_000);
}
