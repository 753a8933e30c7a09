//! The comment on a pull request, by conversation: one, ours, and folded away when there
//! is nothing more to say.

use fromguard::standin::CommentView;
use fromguard::standin::Endpoint;
use fromguard::standin::Fault;
use fromguard::standin::PullPlace;
use fromguard_core::report::COMMENT_MARKER;

use crate::harness::House;
use crate::harness::POLICY;
use crate::harness::Repo;

const POLICY_PATH: &str = ".github/fromguard.yml";
const TRUSTED: &str = "FROM node:24\n";
const UNKNOWN: &str = "FROM docker.io/evil/miner:1\n";
const LIST: &str = "/repos/{owner}/{repo}/issues/{issue_number}/comments";

fn opened(house: &House) -> (Repo, PullPlace) {
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    (repo, pull)
}

async fn push(house: &House, repo: &mut Repo, pull: &PullPlace, text: &str) -> Vec<CommentView> {
    let head = repo.commit("feature", &[("Dockerfile", text)]);
    house.standin.push(pull, &head.0).unwrap();
    house.deliver().await;
    house.standin.comments(pull).unwrap()
}

#[tokio::test]
async fn a_comment_is_folded_when_it_is_settled_and_shown_when_it_is_not() {
    let house = House::new().await;
    let (mut repo, pull) = opened(&house);
    house.deliver().await;
    let first = house.standin.comments(&pull).unwrap();
    assert_eq!((first.len(), first[0].minimized.clone()), (1, None));

    let settled = push(&house, &mut repo, &pull, "FROM node:22\n").await;
    assert!(settled[0].body.contains("settled"), "{}", settled[0].body);
    assert_eq!(settled[0].minimized.as_deref(), Some("resolved"));

    // Nothing more is to be said, and nothing is sent.
    house.standin.reset_traffic();
    push(&house, &mut repo, &pull, "FROM node:20\n").await;
    let comment = "/repos/{owner}/{repo}/issues/comments/{comment_id}";
    assert_eq!(house.standin.traffic().count("PATCH", comment), 0);

    let again = push(&house, &mut repo, &pull, UNKNOWN).await;
    assert_eq!((again.len(), again[0].id), (1, first[0].id), "the same comment speaks again");
    assert_eq!(again[0].minimized, None);
    assert!(again[0].body.contains("evil/miner"), "{}", again[0].body);
}

#[tokio::test]
async fn a_comment_that_cannot_be_folded_says_what_it_says() {
    let house = House::new().await;
    let (mut repo, pull) = opened(&house);
    house.deliver().await;
    let refused = Fault::Status {
        status: 200,
        headers: Vec::new(),
        body: r#"{"data":{"minimizeComment":null},"errors":[{"type":"FORBIDDEN","message":"Resource not accessible by integration"}]}"#.into(),
    };
    house.standin.fail_next(Endpoint::graphql().with_body_containing("minimizeComment"), refused, 1);
    let settled = push(&house, &mut repo, &pull, "FROM node:22\n").await;
    assert_eq!(house.standin.faults_left(), 0);
    assert!(settled[0].body.contains("settled") && settled[0].minimized.is_none());
    assert_eq!(house.conclusion(&pull), "success");
}

#[tokio::test]
async fn without_a_remembered_comment_all_are_looked_through_before_one_is_posted() {
    let mut house = House::new().await;
    let (mut repo, pull) = opened(&house);
    house.deliver().await;
    let ours = house.standin.comments(&pull).unwrap()[0].id;
    for number in 0..120 {
        house.standin.comment_as(&pull, "ann", &format!("{COMMENT_MARKER}\nremark {number}")).unwrap();
    }
    house.stop_worker().await;
    house.forget_everything().await;
    house.start_worker();
    house.standin.reset_traffic();
    let other = repo.commit("feature", &[("Dockerfile", "FROM docker.io/evil/other:1\n")]);
    house.standin.push(&pull, &other.0).unwrap();
    // The server keeps the old store: a look finds the commit for the new one.
    house.standin.rearrange_deliveries(Vec::clear);
    house.sweep().await;
    let comments = house.standin.comments(&pull).unwrap();
    assert_eq!(comments.iter().filter(|comment| comment.by_app).count(), 1);
    let found = comments.iter().find(|comment| comment.id == ours).unwrap();
    assert!(found.body.contains("evil/other"), "{}", found.body);
    assert_eq!(house.standin.traffic().count("POST", LIST), 0);
}

#[tokio::test]
async fn a_comment_that_somebody_deleted_is_posted_anew_when_there_is_something_to_say() {
    let house = House::new().await;
    let (mut repo, pull) = opened(&house);
    house.deliver().await;
    let first = house.standin.comments(&pull).unwrap()[0].id;
    house.standin.delete_comment(first);
    assert!(push(&house, &mut repo, &pull, "FROM node:22\n").await.is_empty());
    let again = push(&house, &mut repo, &pull, UNKNOWN).await;
    assert_eq!(again.len(), 1);
    assert_ne!(again[0].id, first);
}

#[tokio::test]
async fn a_lost_answer_to_a_comment_makes_no_second_one() {
    let house = House::new().await;
    let (_, pull) = opened(&house);
    house.standin.fail_next(Endpoint::rest("POST", LIST), Fault::DropAfterProcessing, 1);
    house.deliver().await;
    assert_eq!(house.standin.faults_left(), 0);
    assert_eq!(house.standin.comments(&pull).unwrap().len(), 1);
    assert_eq!(house.conclusion(&pull), "failure");
}
