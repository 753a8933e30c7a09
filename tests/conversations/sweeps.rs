//! What was lost is found, by conversation: deliveries that did not come through, commits
//! without a result, an App that is new somewhere, a policy that changed.

use std::time::Duration;

use fromguard::standin::Endpoint;
use fromguard::standin::Fault;
use fromguard::standin::MergeBox;
use fromguard::standin::PullPlace;
use fromguard::store::Ask;
use fromguard::store::PullChange;

use crate::harness;
use crate::harness::House;
use crate::harness::POLICY;
use crate::harness::Repo;

const POLICY_PATH: &str = ".github/fromguard.yml";
const TRUSTED: &str = "FROM node:24\n";
const UNKNOWN: &str = "FROM docker.io/evil/miner:1\n";
const REDELIVER: &str = "/app/hook/deliveries/{delivery_id}/attempts";
const MINUTE: Duration = Duration::from_secs(60);

fn shop(house: &House) -> Repo {
    let repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    house.standin.protect(&repo.name, "main", "fromguard", Some(house.standin.app_id())).unwrap();
    repo
}

fn open(house: &House, repo: &mut Repo, branch: &str, text: &str) -> PullPlace {
    repo.branch(branch, &[("Dockerfile", text), (branch, "")]);
    house.standin.open_pull_request(&repo.name, "main", branch).unwrap()
}

fn has_run(house: &House, pull: &PullPlace) -> bool {
    house.standin.check_run(pull, "fromguard").unwrap().is_some()
}

/// What is asked for again arrives, and is worked on.
async fn redelivered(house: &House) -> usize {
    house.clock.advance(6 * MINUTE);
    house.sweep().await;
    let waiting = house.standin.waiting_deliveries().len();
    house.deliver().await;
    waiting
}

#[tokio::test]
async fn a_delivery_that_nobody_took_is_asked_for_again() {
    let house = House::new().await;
    let mut repo = shop(&house);
    house.sweep().await;
    let address = house.standin.webhook_url();
    house.standin.deliver_to("http://127.0.0.1:9/webhook");
    let pull = open(&house, &mut repo, "feature", UNKNOWN);
    assert_eq!(house.standin.deliver_all().await.unwrap()[0].status, None);
    assert!(matches!(house.standin.merge_box(&pull).unwrap(), MergeBox::Expected { .. }));

    house.standin.deliver_to(&address);
    assert_eq!(redelivered(&house).await, 1);
    assert_eq!(house.conclusion(&pull), "failure");
    // What came through is not asked for again.
    assert_eq!(redelivered(&house).await, 0);
}

#[tokio::test]
async fn a_delivery_is_asked_for_five_times_at_most() {
    let house = House::new().await;
    let mut repo = shop(&house);
    house.sweep().await;
    house.standin.deliver_to("http://127.0.0.1:9/webhook");
    open(&house, &mut repo, "feature", UNKNOWN);
    house.standin.deliver_all().await.unwrap();
    for _ in 0..8 {
        house.clock.advance(6 * MINUTE);
        house.sweep().await;
        house.standin.deliver_all().await.unwrap();
    }
    assert_eq!(house.standin.traffic().count("POST", REDELIVER), 5);
}

#[tokio::test]
async fn a_delivery_that_was_refused_is_not_asked_for_again() {
    let house = House::new().await;
    let mut repo = shop(&house);
    open(&house, &mut repo, "feature", UNKNOWN);
    house.standin.rearrange_deliveries(|waiting| waiting[0].body = b"{}".to_vec());
    assert_eq!(house.standin.deliver_all().await.unwrap()[0].status, Some(400));
    assert_eq!(redelivered(&house).await, 0);
    assert_eq!(house.standin.traffic().count("POST", REDELIVER), 0);
}

#[tokio::test]
async fn the_log_is_read_to_its_end_after_a_long_outage_and_shortly_afterwards() {
    let house = House::new().await;
    let mut repo = shop(&house);
    house.sweep().await;
    let address = house.standin.webhook_url();
    house.standin.deliver_to("http://127.0.0.1:9/webhook");
    let pull = open(&house, &mut repo, "feature", UNKNOWN);
    for number in 0..120 {
        house.standin.retitle(&pull, &format!("Better {number}")).unwrap();
    }
    house.standin.deliver_all().await.unwrap();
    house.standin.deliver_to(&address);
    house.clock.advance(6 * MINUTE);
    house.standin.reset_traffic();
    house.sweep_once().await;
    let log = |house: &House| house.standin.traffic().count("GET", "/app/hook/deliveries");
    assert_eq!(log(&house), 2);
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "failure");

    house.clock.advance(60 * MINUTE);
    house.sweep_once().await;
    house.clock.advance(60 * MINUTE);
    house.standin.reset_traffic();
    house.sweep_once().await;
    assert_eq!(log(&house), 1, "only what is new");
}

#[tokio::test]
async fn open_pull_requests_without_a_result_are_found_at_a_start() {
    let house = House::new().await;
    let mut repo = shop(&house);
    let judged = open(&house, &mut repo, "judged", UNKNOWN);
    house.deliver().await;
    let lost = open(&house, &mut repo, "lost", UNKNOWN);
    repo.branch("fork", &[("Dockerfile", "FROM node:22\n")]);
    let fork = house.standin.open_fork_pull_request(&repo.name, "main", "fork").unwrap();
    let group = house.standin.enqueue(&fork).unwrap();
    let closed = open(&house, &mut repo, "closed", UNKNOWN);
    house.standin.close(&closed).unwrap();
    house.standin.rearrange_deliveries(Vec::clear);

    let before = house.run(&judged).id;
    house.sweep().await;
    assert_eq!(house.conclusion(&lost), "failure");
    assert_eq!(house.conclusion(&fork), "success");
    assert_eq!(house.run(&judged).id, before, "what has a result is left alone");
    assert!(!has_run(&house, &closed));
    let runs = house.standin.check_runs(&repo.name, &group.head.0).unwrap();
    assert_eq!(runs[0].conclusion.as_deref(), Some("success"), "a merge group is found too");
}

#[tokio::test]
async fn a_run_that_was_left_in_progress_is_taken_up_again() {
    let mut house = House::new().await;
    let mut repo = shop(&house);
    house.stop_worker().await;
    let pull = open(&house, &mut repo, "feature", UNKNOWN);
    house.standin.deliver_all().await.unwrap();
    house.clock.advance(Duration::from_secs(10));
    house.standin.fail_next(Endpoint::graphql(), Fault::Hang, 1);
    house.start_worker();
    while house.standin.faults_left() > 0 {
        tokio::task::yield_now().await;
    }
    house.kill_worker().await;
    assert_eq!(house.conclusion(&pull), "in_progress");
    // The store is lost as well: only GitHub knows of it.
    house.forget_everything().await;
    house.start_worker();
    house.sweep().await;
    assert_eq!(house.conclusion(&pull), "failure");
    let head = house.standin.head(&pull).unwrap();
    let runs = house.standin.check_runs(&repo.name, &head.0).unwrap();
    assert_eq!(runs.last().unwrap().conclusion.as_deref(), Some("failure"));
}

#[tokio::test]
async fn an_app_that_is_new_puts_a_run_on_the_default_branch_and_judges_what_is_open() {
    let house = House::new().await;
    let mut repo = shop(&house);
    let other = house.repository("till", &[("Dockerfile", TRUSTED)]);
    let archived = house.repository("attic", &[(POLICY_PATH, POLICY)]);
    house.standin.archive(&archived.name).unwrap();
    let pull = open(&house, &mut repo, "feature", UNKNOWN);
    house.standin.rearrange_deliveries(Vec::clear);
    house.standin.announce_installed(house.installation);
    house.deliver().await;
    house.sweep().await;

    let on_main = |name: &str| {
        let runs = house.standin.check_runs(name, "main").unwrap();
        runs.last().map(|run| (run.conclusion.clone().unwrap_or_default(), run.summary.clone()))
    };
    let (conclusion, summary) = on_main(&repo.name).unwrap();
    assert_eq!(conclusion, "success");
    assert!(summary.contains("can be selected as required"), "{summary}");
    assert_eq!(on_main(&other.name).unwrap().0, "neutral", "without a policy nothing is claimed");
    assert_eq!(on_main(&archived.name), None);
    assert_eq!(house.conclusion(&pull), "failure");
}

#[tokio::test]
async fn a_repository_that_is_added_is_begun_with_and_one_that_is_removed_is_left() {
    let house = House::new().await;
    let mut repo = shop(&house);
    let pull = open(&house, &mut repo, "feature", UNKNOWN);
    house.standin.rearrange_deliveries(Vec::clear);
    house.standin.select(house.installation, &repo.name).unwrap();
    house.deliver().await;
    house.sweep().await;
    assert_eq!(house.conclusion(&pull), "failure");
    assert_eq!(house.standin.check_runs(&repo.name, "main").unwrap().len(), 1);

    let left = open(&house, &mut repo, "left", UNKNOWN);
    house.standin.deselect(house.installation, &repo.name).unwrap();
    house.standin.reset_traffic();
    house.deliver().await;
    house.sweep().await;
    assert!(!has_run(&house, &left));
}

#[tokio::test]
async fn a_suspended_installation_is_left_alone_until_it_is_not() {
    for told in [true, false] {
        let house = House::new().await;
        let mut repo = shop(&house);
        let pull = open(&house, &mut repo, "feature", UNKNOWN);
        house.standin.suspend(house.installation);
        if !told {
            house.standin.rearrange_deliveries(|waiting| waiting.retain(|it| it.event != "installation"));
        }
        house.deliver().await;
        assert!(!has_run(&house, &pull), "told: {told}");
        house.standin.unsuspend(house.installation);
        house.deliver().await;
        house.sweep().await;
        assert_eq!(house.conclusion(&pull), "failure", "told: {told}");
    }
}

#[tokio::test]
async fn permissions_that_are_accepted_later_let_what_waits_be_judged() {
    let house = House::new().await;
    let mut repo = shop(&house);
    house.standin.permit(house.installation, "checks", None);
    let pull = open(&house, &mut repo, "feature", UNKNOWN);
    house.standin.rearrange_deliveries(Vec::clear);
    house.standin.accept_permission(house.installation, "checks", "write");
    house.deliver().await;
    house.sweep().await;
    assert_eq!(house.conclusion(&pull), "failure");
}

#[tokio::test]
async fn nothing_is_posted_to_an_archived_repository_and_nothing_waits_for_it() {
    let house = House::new().await;
    let mut repo = shop(&house);
    let pull = open(&house, &mut repo, "feature", UNKNOWN);
    house.standin.archive(&repo.name).unwrap();
    house.deliver().await;
    assert!(!has_run(&house, &pull));
    let status = house.store.queue_status(house.clock.now_ms()).await.unwrap();
    assert_eq!((status.waiting, status.leased), (0, 0));
}

/// Commits a policy to a branch of a repository and tells of the push.
fn push_policy(house: &House, repo: &mut Repo, branch: &str, path: &str, policy: &str) {
    let before = house.standin.branch(&repo.name, branch).unwrap();
    let after = repo.commit(branch, &[(path, policy)]);
    house.standin.announce_push(&repo.name, branch, &before.0, &after.0).unwrap();
}

#[tokio::test]
async fn a_policy_that_changes_judges_the_open_pull_requests_to_its_branch_again() {
    let house = House::new().await;
    let mut repo = shop(&house);
    let lax = POLICY.replace("unknown: fail", "unknown: allow");
    repo.branch("release", &[("README.md", "release\n")]);
    let to_main = open(&house, &mut repo, "feature", UNKNOWN);
    repo.branch("other", &[("Dockerfile", UNKNOWN), ("other", "")]);
    let to_release = house.standin.open_pull_request(&repo.name, "release", "other").unwrap();
    house.deliver().await;
    house.sweep().await;
    assert_eq!(house.conclusion(&to_main), "failure");
    let before = house.run(&to_release).id;

    push_policy(&house, &mut repo, "main", POLICY_PATH, &lax);
    house.deliver().await;
    house.sweep().await;
    assert_eq!(house.conclusion(&to_main), "success");
    assert_eq!(house.run(&to_release).id, before, "another branch's policy is as it was");
}

#[tokio::test]
async fn an_organisation_s_policy_that_changes_judges_every_open_pull_request_again() {
    let house = House::new().await;
    let mut home = house.repository(".github", &[("fromguard.yml", POLICY)]);
    let lax = POLICY.replace("unknown: fail", "unknown: allow");
    let pulls: Vec<PullPlace> = ["shop", "till"]
        .map(|name| {
            let mut repo = house.repository(name, &[("Dockerfile", TRUSTED)]);
            open(&house, &mut repo, "feature", UNKNOWN)
        })
        .to_vec();
    house.deliver().await;
    assert!(pulls.iter().all(|pull| house.conclusion(pull) == "failure"));

    push_policy(&house, &mut home, "main", "fromguard.yml", &lax);
    house.deliver().await;
    house.sweep().await;
    assert!(pulls.iter().all(|pull| house.conclusion(pull) == "success"));
}

#[tokio::test]
async fn a_push_that_touches_no_policy_costs_nothing() {
    let house = House::new().await;
    let mut repo = shop(&house);
    let pull = open(&house, &mut repo, "feature", UNKNOWN);
    house.deliver().await;
    house.sweep().await;
    let before = house.run(&pull).id;
    push_policy(&house, &mut repo, "main", "README.md", "shop\n");
    house.standin.reset_traffic();
    house.deliver().await;
    house.sweep_once().await;
    assert_eq!(house.run(&pull).id, before);
    assert_eq!(house.standin.traffic().total(), 0, "{}", house.standin.traffic().describe());
}

#[tokio::test]
async fn ten_pull_requests_are_judged_again_one_after_the_other_the_newest_first() {
    let house = House::new().await;
    let mut repo = shop(&house);
    let pulls: Vec<PullPlace> =
        (0..10).map(|n| open(&house, &mut repo, &format!("feature-{n}"), UNKNOWN)).collect();
    house.deliver().await;
    let lax = POLICY.replace("unknown: fail", "unknown: allow");
    push_policy(&house, &mut repo, "main", POLICY_PATH, &lax);
    let began_ms = house.clock.now_ms();
    house.deliver().await;
    house.sweep().await;
    let runs: Vec<_> = pulls.iter().map(|pull| house.run(pull)).collect();
    assert!(runs.iter().all(|run| run.conclusion.as_deref() == Some("success")));
    assert!(runs.is_sorted_by_key(|run| std::cmp::Reverse(run.id)), "the newest first");
    assert!(house.clock.now_ms() - began_ms >= 18_000, "not all at once");
}

/// Judges a pull request until its run is in progress, and loses the worker and the store.
async fn lost_in_progress(house: &mut House, repo: &mut Repo) -> PullPlace {
    let pull = open(house, repo, "feature", UNKNOWN);
    house.stop_worker().await;
    house.standin.deliver_all().await.unwrap();
    // So late that people are told that it has begun.
    house.clock.advance(Duration::from_secs(5));
    house.standin.fail_next(Endpoint::graphql(), Fault::Hang, 1);
    house.start_worker();
    while house.standin.faults_left() > 0 {
        tokio::task::yield_now().await;
    }
    house.kill_worker().await;
    house.forget_everything().await;
    house.start_worker();
    let run = house.run(&pull);
    assert_eq!((run.status.as_str(), run.conclusion), ("in_progress", None));
    pull
}

#[tokio::test]
async fn a_run_that_was_left_in_progress_by_a_store_that_is_lost_is_completed() {
    let mut house = House::new().await;
    let mut repo = shop(&house);
    let pull = lost_in_progress(&mut house, &mut repo).await;
    house.sweep().await;
    let head = house.standin.head(&pull).unwrap();
    let runs = house.standin.check_runs(&repo.name, &head.0).unwrap();
    let ended: Vec<_> = runs.iter().map(|run| run.conclusion.as_deref().unwrap_or(&run.status)).collect();
    assert_eq!(ended, ["failure"]);
}

#[tokio::test]
async fn a_run_that_was_left_in_progress_under_a_newer_one_is_ended_and_decides_nothing() {
    let mut house = House::new().await;
    let mut repo = shop(&house);
    let pull = lost_in_progress(&mut house, &mut repo).await;
    let (store, head) = (house.store.clone(), house.standin.head(&pull).unwrap());
    // An event comes in before anybody looks, and its judgement knows of no run.
    let place = house.place(&repo);
    let change =
        PullChange { place, pull: pull.number, head: head.clone(), open: true, announce: false, files: 0 };
    store.want(&[(Ask::Pull(change), house.clock.now_ms())], false).await.unwrap();
    house.settle().await;
    let ended = |house: &House| {
        let mut runs = house.standin.check_runs(&repo.name, &head.0).unwrap();
        runs.sort_by_key(|run| run.id);
        runs.into_iter().map(|run| run.conclusion.unwrap_or(run.status)).collect::<Vec<_>>()
    };
    assert_eq!(ended(&house), ["in_progress", "failure"]);
    house.sweep().await;
    let ended = ended(&house);
    assert_eq!(ended[0], "cancelled", "{ended:?}");
    assert!(ended[1..].iter().all(|word| word == "failure"), "{ended:?}");
    assert_eq!(house.conclusion(&pull), "failure");
}

#[tokio::test]
async fn a_sweep_that_meets_an_outage_is_made_up_for() {
    let house = House::with(Default::default(), harness::settings()).await;
    let mut repo = shop(&house);
    let pull = open(&house, &mut repo, "feature", UNKNOWN);
    house.standin.rearrange_deliveries(Vec::clear);
    house.standin.fail_next(Endpoint::graphql().with_body_containing("query Survey"), Fault::Timeout, 2);
    house.sweep().await;
    assert_eq!(house.conclusion(&pull), "failure");
    assert_eq!(house.standin.faults_left(), 0);
}
