//! Merge queues by conversation: what a group would merge is judged for what it is,
//! and its run is what the queue waits for.

use std::time::Duration;

use fromguard::ids::PullNumber;
use fromguard::standin::Endpoint;
use fromguard::standin::Fault;
use fromguard::standin::MergeBox;
use fromguard::standin::MergeGroup;
use fromguard::standin::StandinOptions;

use crate::harness;
use crate::harness::House;
use crate::harness::POLICY;
use crate::harness::Repo;

const POLICY_PATH: &str = ".github/fromguard.yml";
const TRUSTED: &str = "FROM node:24\n";
const UNKNOWN: &str = "FROM docker.io/evil/miner:1\n";

/// A repository whose `main` requires the check.
fn shop(house: &House, files: &[(&str, &str)]) -> Repo {
    let mut all = vec![(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)];
    all.extend_from_slice(files);
    let repo = house.repository("shop", &all);
    house.standin.protect(&repo.name, "main", "fromguard", Some(house.standin.app_id())).unwrap();
    repo
}

/// How the run on a group's head ended; none when nothing was posted.
fn conclusion(house: &House, repo: &Repo, group: &MergeGroup) -> Option<String> {
    let runs = house.standin.check_runs(&repo.name, &group.head.0).unwrap();
    runs.last().map(|run| run.conclusion.clone().unwrap_or(run.status.clone()))
}

#[tokio::test]
async fn a_queue_merges_what_is_judged_good() {
    let house = House::new().await;
    let mut repo = shop(&house, &[]);
    repo.branch("one", &[("Dockerfile", "FROM node:22\n")]);
    repo.branch("two", &[("api/Dockerfile", "FROM node:20\n")]);
    let one = house.standin.open_pull_request(&repo.name, "main", "one").unwrap();
    let two = house.standin.open_pull_request(&repo.name, "main", "two").unwrap();
    house.deliver().await;
    let groups = [&one, &two].map(|pull| house.standin.enqueue(pull).unwrap());
    assert!(matches!(house.standin.group_box(&one).unwrap(), MergeBox::Expected { .. }));
    house.deliver().await;

    for (pull, group) in [(&one, &groups[0]), (&two, &groups[1])] {
        assert_eq!(conclusion(&house, &repo, group).as_deref(), Some("success"));
        assert_eq!(house.standin.group_box(pull).unwrap(), MergeBox::Mergeable);
    }
    assert_eq!(groups[1].base, groups[0].head, "each group is on top of the one before");
    let merged = house.standin.advance_queue(&repo.name, "main").unwrap();
    assert_eq!(merged, [PullNumber(1), PullNumber(2)]);
    house.deliver().await;
}

#[tokio::test]
async fn what_a_group_would_merge_is_judged_by_the_policy_of_its_branch_now() {
    let house = House::new().await;
    let lax = POLICY.replace("unknown: fail", "unknown: allow");
    let mut repo = shop(&house, &[(POLICY_PATH, &lax)]);
    repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "success");

    // The policy of `main` is made strict before the pull request is merged.
    repo.commit("main", &[(POLICY_PATH, POLICY)]);
    let group = house.standin.enqueue(&pull).unwrap();
    house.deliver().await;
    assert_eq!(conclusion(&house, &repo, &group).as_deref(), Some("failure"));
    assert!(matches!(house.standin.group_box(&pull).unwrap(), MergeBox::Blocked { .. }));
    let run = house.standin.check_runs(&repo.name, &group.head.0).unwrap().pop().unwrap();
    assert_eq!(run.annotations.len(), 1);
    assert_eq!(run.annotations[0]["path"], "Dockerfile");
    assert_eq!(house.standin.advance_queue(&repo.name, "main").unwrap(), []);
    assert_eq!(house.standin.merge_group(&pull).unwrap(), None, "it is taken out of the queue");
}

#[tokio::test]
async fn a_group_is_judged_for_what_it_brings_itself() {
    let house = House::new().await;
    let mut repo = shop(&house, &[]);
    repo.branch("bad", &[("bad/Dockerfile", UNKNOWN)]);
    repo.branch("good", &[("good/Dockerfile", TRUSTED)]);
    let bad = house.standin.open_pull_request(&repo.name, "main", "bad").unwrap();
    let good = house.standin.open_pull_request(&repo.name, "main", "good").unwrap();
    let groups = [&bad, &good].map(|pull| house.standin.enqueue(pull).unwrap());
    house.deliver().await;
    assert_eq!(conclusion(&house, &repo, &groups[0]).as_deref(), Some("failure"));
    assert_eq!(conclusion(&house, &repo, &groups[1]).as_deref(), Some("success"));

    // The bad one is taken out, and the good one gets a group without it.
    assert_eq!(house.standin.advance_queue(&repo.name, "main").unwrap(), []);
    house.deliver().await;
    assert_eq!(house.standin.advance_queue(&repo.name, "main").unwrap(), [PullNumber(2)]);
}

#[tokio::test]
async fn two_good_changes_that_are_bad_together_are_caught_in_the_queue() {
    let house = House::new().await;
    let compose = "services:\n  web:\n    image: ${IMAGE:-node:24}\n";
    let mut repo = shop(&house, &[("other.yml", "a: b\n")]);
    repo.branch("compose", &[("compose.yml", compose)]);
    repo.branch("env", &[(".env", "IMAGE=docker.io/evil/miner:1\n")]);
    let first = house.standin.open_pull_request(&repo.name, "main", "compose").unwrap();
    let second = house.standin.open_pull_request(&repo.name, "main", "env").unwrap();
    house.deliver().await;
    assert_eq!((house.conclusion(&first), house.conclusion(&second)), ("success".into(), "success".into()));
    let groups = [&first, &second].map(|pull| house.standin.enqueue(pull).unwrap());
    house.deliver().await;
    assert_eq!(conclusion(&house, &repo, &groups[0]).as_deref(), Some("success"));
    assert_eq!(conclusion(&house, &repo, &groups[1]).as_deref(), Some("failure"));
}

#[tokio::test]
async fn an_approval_of_the_pull_request_settles_the_group_s_review_too() {
    let house = House::new().await;
    let policy = POLICY.replace("unknown: fail", "unknown: review\nreviewers: [\"@ann\"]");
    let mut repo = shop(&house, &[(POLICY_PATH, &policy)]);
    repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.standin.review(&pull, "ann", "APPROVED").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "success");
    let group = house.standin.enqueue(&pull).unwrap();
    house.deliver().await;
    assert_eq!(conclusion(&house, &repo, &group).as_deref(), Some("success"));

    house.standin.dequeue(&pull).unwrap();
    house.standin.dismiss(&pull, "ann").unwrap();
    let group = house.standin.enqueue(&pull).unwrap();
    house.deliver().await;
    assert_eq!(conclusion(&house, &repo, &group).as_deref(), Some("action_required"));
}

#[tokio::test]
async fn judging_a_group_takes_five_requests_in_three_round_trips() {
    let options = StandinOptions { latency: Duration::from_millis(60), ..StandinOptions::default() };
    let house = House::with(options, harness::settings()).await;
    let mut repo = shop(&house, &[]);
    repo.branch("feature", &[("Dockerfile", "FROM node:22\n")]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    house.standin.reset_traffic();
    let group = house.standin.enqueue(&pull).unwrap();
    house.deliver().await;
    assert_eq!(conclusion(&house, &repo, &group).as_deref(), Some("success"));
    let traffic = house.standin.traffic();
    assert_eq!((traffic.total(), traffic.longest_chain()), (5, 3), "{}", traffic.describe());
}

#[tokio::test]
async fn a_group_that_is_gone_is_not_judged() {
    let house = House::new().await;
    let mut repo = shop(&house, &[]);
    repo.branch("feature", &[("Dockerfile", "FROM node:22\n")]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    for reordered in [false, true] {
        let group = house.standin.enqueue(&pull).unwrap();
        house.standin.dequeue(&pull).unwrap();
        house.standin.rearrange_deliveries(|waiting| {
            let actions: Vec<&str> = waiting.iter().map(|delivery| delivery.action.as_str()).collect();
            assert_eq!(actions, ["checks_requested", "destroyed"]);
            if reordered {
                waiting.reverse();
            }
        });
        house.deliver().await;
        // On a slow machine judging is announced before GitHub is asked, and taken back.
        let concluded = conclusion(&house, &repo, &group);
        assert!(
            matches!(concluded.as_deref(), None | Some("cancelled")),
            "reordered: {reordered}: {concluded:?}"
        );
    }
}

#[tokio::test]
async fn a_run_in_progress_on_a_group_that_is_gone_is_cancelled() {
    let mut house = House::new().await;
    let mut repo = shop(&house, &[]);
    repo.branch("feature", &[("Dockerfile", "FROM node:22\n")]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    house.stop_worker().await;
    let group = house.standin.enqueue(&pull).unwrap();
    house.standin.deliver_all().await.unwrap();
    // It has waited, so that a run in progress is posted; then GitHub fails for a while.
    house.clock.advance(Duration::from_secs(10));
    house.standin.fail_next(Endpoint::graphql(), Fault::Timeout, 1);
    house.start_worker();
    while house.standin.faults_left() > 0 {
        tokio::task::yield_now().await;
    }
    house.standin.dequeue(&pull).unwrap();
    house.deliver().await;
    assert_eq!(conclusion(&house, &repo, &group).as_deref(), Some("cancelled"));
}

#[tokio::test]
async fn re_running_a_group_s_check_judges_the_group_again() {
    let house = House::new().await;
    let mut repo = shop(&house, &[]);
    repo.branch("feature", &[("Dockerfile", "FROM node:22\n")]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    let group = house.standin.enqueue(&pull).unwrap();
    house.deliver().await;
    let runs = house.standin.check_runs(&repo.name, &group.head.0).unwrap();
    house.standin.rerequest(runs[0].id, None).unwrap();
    house.deliver().await;
    assert_eq!(house.standin.check_runs(&repo.name, &group.head.0).unwrap().len(), 2);
}
