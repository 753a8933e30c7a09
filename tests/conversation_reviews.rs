//! Reviews by conversation: what needs a person's eye is settled by an approving review
//! of somebody whom the policy names, and by nobody else.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod contract;
mod harness;

use fromguard::standin::MergeBox;
use fromguard::standin::PullPlace;
use harness::House;
use harness::Repo;

const POLICY_PATH: &str = ".github/fromguard.yml";
/// What no source names needs a review by `ann` or the team.
const POLICY: &str = "\
version: 1
mode: enforce
unknown: review
trust:
  official: {images: [\"hub:official\"]}
reviewers: [\"@ann\", \"@acme/security\"]
";
const UNKNOWN: &str = "FROM ghcr.io/someone/tool:1\n";
const ALSO_UNKNOWN: &str = "FROM ghcr.io/someone/other:1\n";

/// A pull request that needs a review and has none.
async fn waiting(house: &House) -> (Repo, PullPlace) {
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", "FROM node:24\n")]);
    house.standin.protect(&repo.name, "main", "fromguard", Some(house.standin.app_id())).unwrap();
    repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "action_required");
    assert!(matches!(house.standin.merge_box(&pull).unwrap(), MergeBox::Blocked { .. }));
    (repo, pull)
}

#[tokio::test]
async fn an_approval_by_a_reviewer_settles_and_a_dismissal_asks_again() {
    let house = House::new().await;
    let (_repo, pull) = waiting(&house).await;
    assert!(house.run(&pull).summary.contains("`@ann` or `@acme/security`"));

    house.standin.review(&pull, "Ann", "APPROVED").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "success");
    assert_eq!(house.standin.merge_box(&pull).unwrap(), MergeBox::Mergeable);
    let run = house.run(&pull);
    let title = run.title;
    assert!(title.starts_with("Approved by Ann"), "{title}");
    let summary = run.summary;
    assert!(summary.contains("`Ann`") && summary.contains("2026-06-01T00:00:00Z"), "{summary}");

    house.standin.dismiss(&pull, "Ann").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "action_required");
}

#[tokio::test]
async fn a_new_commit_asks_again() {
    let house = House::new().await;
    let (mut repo, pull) = waiting(&house).await;
    house.standin.review(&pull, "ann", "APPROVED").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "success");

    let next = repo.commit("feature", &[("Dockerfile", ALSO_UNKNOWN)]);
    house.standin.push(&pull, &next.0).unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "action_required");
}

#[tokio::test]
async fn nobody_else_settles_it() {
    let house = House::new().await;
    let (_repo, pull) = waiting(&house).await;
    // Somebody whom the policy does not name, a reviewer who objects, one who only comments.
    for (login, verdict) in [("bob", "APPROVED"), ("ann", "CHANGES_REQUESTED"), ("ann", "COMMENTED")] {
        house.standin.review(&pull, login, verdict).unwrap();
        house.deliver().await;
        assert_eq!(house.conclusion(&pull), "action_required", "{login} {verdict}");
    }
}

#[tokio::test]
async fn the_author_cannot_settle_their_own() {
    let house = House::new().await;
    let policy = POLICY.replace("@ann", "@octocat");
    let mut repo = house.repository("shop", &[(POLICY_PATH, &policy), ("Dockerfile", "FROM node:24\n")]);
    repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.standin.review(&pull, "octocat", "APPROVED").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "action_required");
}

#[tokio::test]
async fn a_member_of_a_named_team_settles_it_and_who_is_only_invited_does_not() {
    let house = House::new().await;
    let (_repo, pull) = waiting(&house).await;
    house.standin.team_member("acme/security", "eve", false);
    house.standin.review(&pull, "eve", "APPROVED").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "action_required");

    house.standin.team_member("acme/security", "sam", true);
    house.standin.review(&pull, "sam", "APPROVED").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "success");
}

#[tokio::test]
async fn without_the_right_to_see_teams_it_is_said() {
    let house = House::new().await;
    house.standin.permit(house.installation, "members", None);
    let (_repo, pull) = waiting(&house).await;
    house.standin.team_member("acme/security", "sam", true);
    house.standin.review(&pull, "sam", "APPROVED").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "action_required");
    let summary = house.run(&pull).summary;
    assert!(summary.contains("`members: read`"), "{summary}");
}

#[tokio::test]
async fn an_approval_does_not_lift_what_is_refused() {
    let house = House::new().await;
    let policy = POLICY.replace("unknown: review", "unknown: fail");
    let mut repo = house.repository("shop", &[(POLICY_PATH, &policy), ("Dockerfile", "FROM node:24\n")]);
    repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.standin.review(&pull, "ann", "APPROVED").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "failure");
}
