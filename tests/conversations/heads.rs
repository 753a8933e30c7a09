//! Heads that move, go and come back while they are judged, by conversation: the right
//! result on the right commit, and no word of an old one.

use std::time::Duration;

use fromguard::standin::Endpoint;
use fromguard::standin::Fault;
use fromguard::standin::MergeBox;
use fromguard::standin::PullPlace;

use crate::harness::House;
use crate::harness::POLICY;
use crate::harness::Repo;

const POLICY_PATH: &str = ".github/fromguard.yml";
const TRUSTED: &str = "FROM node:24\n";
const UNKNOWN: &str = "FROM docker.io/evil/miner:1\n";
const WHILE: Duration = Duration::from_secs(5);

fn shop(house: &House) -> Repo {
    let repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    house.standin.protect(&repo.name, "main", "fromguard", Some(house.standin.app_id())).unwrap();
    repo
}

/// Delivers what waits, and comes back while the contents of the first judgement are on
/// their way.
async fn deliver_and_hold(house: &House) {
    let contents = Endpoint::graphql().with_body_containing("query Contents");
    house.standin.fail_next(contents, Fault::Slow(WHILE), 1);
    house.standin.deliver_all().await.unwrap();
    while house.standin.faults_left() > 0 {
        tokio::task::yield_now().await;
    }
}

async fn let_go(house: &House) {
    house.clock.advance(WHILE);
    house.settle().await;
}

/// How the runs of a commit ended.
fn conclusions(house: &House, repo: &Repo, commit: &str) -> Vec<String> {
    let runs = house.standin.check_runs(&repo.name, commit).unwrap();
    runs.into_iter().map(|run| run.conclusion.unwrap_or(run.status)).collect()
}

#[tokio::test]
async fn a_head_that_is_pushed_over_while_it_is_judged_says_nothing_more_to_the_pull_request() {
    let house = House::new().await;
    let mut repo = shop(&house);
    let old = repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    deliver_and_hold(&house).await;
    // Force-pushed: the new head does not come from the old one.
    let new = repo.branch("feature", &[("Dockerfile", "FROM node:22\n")]);
    house.standin.push(&pull, &new.0).unwrap();
    house.standin.deliver_all().await.unwrap();
    while conclusions(&house, &repo, &new.0).is_empty() {
        tokio::task::yield_now().await;
    }
    let_go(&house).await;
    assert_eq!(house.conclusion(&pull), "success");
    assert_eq!(house.standin.merge_box(&pull).unwrap(), MergeBox::Mergeable);
    assert!(house.standin.comments(&pull).unwrap().is_empty(), "nothing is said of the old head");
    assert!(!conclusions(&house, &repo, &old.0).contains(&"success".to_owned()));
}

#[tokio::test]
async fn a_pull_request_that_is_retargeted_while_it_is_judged_is_judged_by_its_new_base() {
    let house = House::new().await;
    let mut repo = shop(&house);
    let lax = POLICY.replace("unknown: fail", "unknown: allow");
    repo.branch("lax", &[(POLICY_PATH, &lax)]);
    repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    let pull = house.standin.open_pull_request(&repo.name, "lax", "feature").unwrap();
    deliver_and_hold(&house).await;
    house.standin.retarget(&pull, "main").unwrap();
    house.standin.deliver_all().await.unwrap();
    let_go(&house).await;
    assert_eq!(house.conclusion(&pull), "failure");
}

#[tokio::test]
async fn a_pull_request_that_is_closed_while_it_is_judged_gets_no_comment() {
    let house = House::new().await;
    let mut repo = shop(&house);
    repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    deliver_and_hold(&house).await;
    house.standin.close(&pull).unwrap();
    house.standin.deliver_all().await.unwrap();
    let_go(&house).await;
    assert!(house.standin.comments(&pull).unwrap().is_empty());
}

#[tokio::test]
async fn what_is_pushed_to_a_closed_pull_request_is_judged_when_it_is_reopened() {
    let house = House::new().await;
    let mut repo = shop(&house);
    repo.branch("feature", &[("Dockerfile", "FROM node:22\n")]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "success");
    house.standin.close(&pull).unwrap();
    let pushed = repo.commit("feature", &[("Dockerfile", UNKNOWN)]);
    house.standin.push(&pull, &pushed.0).unwrap();
    house.deliver().await;
    assert_eq!(conclusions(&house, &repo, &pushed.0), [] as [&str; 0]);
    house.standin.reopen(&pull).unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "failure");
}

/// A pull request that fails on `main`, judged, closed and opened again; both is still to be delivered.
async fn closed_and_reopened(house: &House, repo: &mut Repo) -> PullPlace {
    let lax = POLICY.replace("unknown: fail", "unknown: allow");
    repo.branch("lax", &[(POLICY_PATH, &lax)]);
    repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    house.standin.close(&pull).unwrap();
    house.standin.reopen(&pull).unwrap();
    pull
}

#[tokio::test]
async fn a_closing_that_is_delivered_after_the_reopening_hides_nothing() {
    let house = House::new().await;
    let mut repo = shop(&house);
    let pull = closed_and_reopened(&house, &mut repo).await;
    house.standin.rearrange_deliveries(|waiting| waiting.reverse());
    house.deliver().await;
    // The commit is judged for it still: a second pull request to another base does not turn it green.
    let second = house.standin.open_pull_request(&repo.name, "lax", "feature").unwrap();
    house.deliver().await;
    assert_eq!((house.conclusion(&pull), house.conclusion(&second)), ("failure".into(), "failure".into()));
    house.standin.close(&pull).unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&second), "success");
}

#[tokio::test]
async fn an_older_head_that_is_delivered_late_turns_nothing_green() {
    let house = House::new().await;
    let mut repo = shop(&house);
    let lax = POLICY.replace("unknown: fail", "unknown: allow");
    repo.branch("lax", &[(POLICY_PATH, &lax)]);
    repo.branch("feature", &[("Dockerfile", TRUSTED), ("README.md", "soon\n")]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    let mut late = Vec::new();
    house.standin.rearrange_deliveries(|waiting| late = std::mem::take(waiting));
    let head = repo.commit("feature", &[("Dockerfile", UNKNOWN)]);
    house.standin.push(&pull, &head.0).unwrap();
    let second = house.standin.open_pull_request(&repo.name, "lax", "feature").unwrap();
    house.deliver().await;
    assert_eq!((house.conclusion(&pull), house.conclusion(&second)), ("failure".into(), "failure".into()));
    house.standin.rearrange_deliveries(|waiting| *waiting = late);
    house.deliver().await;
    assert_eq!((house.conclusion(&pull), house.conclusion(&second)), ("failure".into(), "failure".into()));
    let ever = conclusions(&house, &repo, &head.0);
    assert!(!ever.contains(&"success".to_owned()), "{ever:?}");
    // What did leave it does not count there.
    house.standin.push(&pull, &repo.main.0.clone()).unwrap();
    house.deliver().await;
    house.standin.rerequest_all(&second).unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&second), "success");
}

#[tokio::test]
async fn a_pull_request_that_left_and_that_github_hides_holds_up_nobody() {
    let house = House::new().await;
    let mut repo = shop(&house);
    let lax = POLICY.replace("unknown: fail", "unknown: allow");
    repo.branch("lax", &[(POLICY_PATH, &lax)]);
    repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    let hidden = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    let second = house.standin.open_pull_request(&repo.name, "lax", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&second), "failure");
    house.standin.push(&hidden, &repo.main.0.clone()).unwrap();
    let asked = Endpoint::graphql().with_body_containing(&format!("\"number\":{}", hidden.number.0));
    house.standin.fail_next(asked, Fault::GraphqlErrorIn200 { kind: "NOT_FOUND".to_owned() }, 1_000);
    house.deliver().await;
    assert_eq!(house.conclusion(&second), "success");
}

#[tokio::test]
async fn a_closing_that_github_cannot_confirm_yet_leaves_the_result_alone() {
    let house = House::new().await;
    let mut repo = shop(&house);
    let good = repo.branch("feature", &[("Dockerfile", "FROM node:22\n")]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    // As when GitHub goes down in the minute in which somebody merges: long past the last attempt at judging.
    let tries = house.settings.judging_attempts * 3;
    house.standin.fail_next(Endpoint::graphql(), Fault::Timeout, tries);
    house.standin.close(&pull).unwrap();
    house.deliver().await;
    assert_eq!(house.standin.faults_left(), 0, "it was asked until it answered");
    assert_eq!(conclusions(&house, &repo, &good.0), ["success"]);
    assert_eq!(house.store.next_due_ms().await.unwrap(), None);
}

#[tokio::test]
async fn a_commit_that_comes_back_as_the_head_is_judged_again() {
    let house = House::new().await;
    let mut repo = shop(&house);
    let good = repo.branch("feature", &[("Dockerfile", "FROM node:22\n")]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    let bad = repo.commit("feature", &[("Dockerfile", UNKNOWN)]);
    house.standin.push(&pull, &bad.0).unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "failure");
    // Meanwhile nobody is trusted any more.
    let strict = POLICY.replace("hub:official", "hub:library/alpine");
    repo.commit("main", &[(POLICY_PATH, &strict)]);
    house.standin.push(&pull, &good.0).unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "failure", "by the policy of today");
}

#[tokio::test]
async fn a_branch_of_another_history_is_judged_whole() {
    let house = House::new().await;
    let mut repo = shop(&house);
    repo.commit("orphan", &[("old/Dockerfile", UNKNOWN)]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "orphan").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "failure");
}

fn fork(house: &House, repo: &mut Repo, text: &str) -> PullPlace {
    repo.branch("theirs", &[("Dockerfile", text)]);
    house.standin.open_fork_pull_request(&repo.name, "main", "theirs").unwrap()
}

#[tokio::test]
async fn a_fork_s_policy_counts_for_nothing_and_its_push_is_judged() {
    let house = House::new().await;
    let mut repo = shop(&house);
    let pull = fork(&house, &mut repo, UNKNOWN);
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "failure");
    let lax = POLICY.replace("unknown: fail", "unknown: allow");
    let pushed = repo.commit("theirs", &[(POLICY_PATH, &lax)]);
    house.standin.push(&pull, &pushed.0).unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "failure");
    let mended = repo.commit("theirs", &[("Dockerfile", "FROM node:22\n")]);
    house.standin.push(&pull, &mended.0).unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "success");
}

#[tokio::test]
async fn a_fork_and_a_branch_with_one_head_get_the_worse_result() {
    let house = House::new().await;
    let mut repo = shop(&house);
    let lax = POLICY.replace("unknown: fail", "unknown: allow");
    repo.branch("lax", &[(POLICY_PATH, &lax)]);
    let to_main = fork(&house, &mut repo, UNKNOWN);
    let to_lax = house.standin.open_pull_request(&repo.name, "lax", "theirs").unwrap();
    house.deliver().await;
    assert_eq!((house.conclusion(&to_main), house.conclusion(&to_lax)), ("failure".into(), "failure".into()));
    house.standin.close(&to_main).unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&to_lax), "success");
}

#[tokio::test]
async fn a_run_that_lands_after_its_lease_was_lost_does_not_stay() {
    let house = House::new().await;
    let mut repo = shop(&house);
    let lax = POLICY.replace("unknown: fail", "unknown: allow");
    repo.branch("lax", &[(POLICY_PATH, &lax)]);
    let head = repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    let pull = house.standin.open_pull_request(&repo.name, "lax", "feature").unwrap();
    let lease = Duration::from_millis(house.settings.lease_ms.unsigned_abs());
    house.standin.fail_next(Endpoint::post_check_run(), Fault::Slow(lease), 1);
    house.standin.deliver_all().await.unwrap();
    while house.standin.faults_left() > 0 {
        tokio::task::yield_now().await;
    }
    // The green run is on its way when another replica takes the judgement over.
    let late_ms = house.clock.now_ms() + house.settings.lease_ms;
    let taken = house.store.claim(late_ms, house.settings.lease_ms).await.unwrap().unwrap();
    house.clock.advance(lease / 2);
    house.standin.retarget(&pull, "main").unwrap();
    house.standin.deliver_all().await.unwrap();
    house.store.release(&taken).await.unwrap();
    while conclusions(&house, &repo, &head.0).is_empty() {
        tokio::task::yield_now().await;
    }
    house.clock.advance(lease / 2);
    house.settle().await;
    assert!(conclusions(&house, &repo, &head.0).contains(&"success".to_owned()), "it did land");
    assert_eq!(house.conclusion(&pull), "failure");
    assert_eq!(
        house.standin.merge_box(&pull).unwrap(),
        MergeBox::Blocked { why: "fromguard: failure".to_owned() }
    );
}
