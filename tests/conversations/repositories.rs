//! Repositories that are renamed, change hands, are archived and come back, by
//! conversation: what waits there follows, and nothing is said twice.

use fromguard::standin::Endpoint;
use fromguard::standin::Fault;
use fromguard::standin::PullPlace;

use crate::harness::House;
use crate::harness::POLICY;
use crate::harness::Repo;

const POLICY_PATH: &str = ".github/fromguard.yml";
const TRUSTED: &str = "FROM node:24\n";
const UNKNOWN: &str = "FROM docker.io/evil/miner:1\n";

fn shop(house: &House) -> Repo {
    house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)])
}

fn open(house: &House, repo: &mut Repo, branch: &str, text: &str) -> PullPlace {
    repo.branch(branch, &[("Dockerfile", text), (branch, "")]);
    house.standin.open_pull_request(&repo.name, "main", branch).unwrap()
}

/// The same pull request under its repository's new name.
fn moved(pull: &PullPlace, owner: &str, name: &str) -> PullPlace {
    let mut moved = pull.clone();
    moved.repository.owner = owner.to_owned();
    moved.repository.name = name.to_owned();
    moved
}

fn our_comments(house: &House, pull: &PullPlace) -> usize {
    house.standin.comments(pull).unwrap().iter().filter(|comment| comment.by_app).count()
}

#[tokio::test]
async fn what_waits_in_a_renamed_repository_is_judged_under_its_new_name() {
    let house = House::new().await;
    let mut repo = shop(&house);
    let judged = open(&house, &mut repo, "judged", UNKNOWN);
    house.deliver().await;
    assert_eq!(our_comments(&house, &judged), 1);

    // GitHub is down when the next one comes in, and the repository is renamed before it is back.
    let waiting = open(&house, &mut repo, "waiting", UNKNOWN);
    house.standin.fail_next(Endpoint::any(), Fault::Timeout, 1);
    house.standin.deliver_all().await.unwrap();
    while house.standin.faults_left() > 0 {
        tokio::task::yield_now().await;
    }
    house.standin.rename(&repo.name, "store").unwrap();
    house.deliver().await;
    let waiting = moved(&waiting, "acme", "store");
    assert_eq!(house.conclusion(&waiting), "failure");

    // The comment is known by its number, and is not written again.
    let judged = moved(&judged, "acme", "store");
    let mended = repo.commit("judged", &[("Dockerfile", "FROM node:22\n")]);
    house.standin.push(&judged, &mended.0).unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&judged), "success");
    assert_eq!(our_comments(&house, &judged), 1);
}

#[tokio::test]
async fn a_policy_that_speaks_of_a_repository_s_name_judges_anew_when_that_changes() {
    let house = House::new().await;
    let only_till = POLICY.replace("unknown: fail", "unknown: allow")
        + "rules:\n  - {name: not-in-the-shop, if: repository.name == \"shop\", then: fail}\n";
    house.repository(".github", &[("fromguard.yml", &only_till)]);
    let mut repo = house.repository("shop", &[("Dockerfile", TRUSTED)]);
    let pull = open(&house, &mut repo, "feature", UNKNOWN);
    house.deliver().await;
    house.sweep().await;
    assert_eq!(house.conclusion(&pull), "failure", "{}", house.run(&pull).summary);
    house.standin.rename(&repo.name, "till").unwrap();
    house.deliver().await;
    house.sweep().await;
    assert_eq!(house.conclusion(&moved(&pull, "acme", "till")), "success");
}

#[tokio::test]
async fn a_repository_that_changes_hands_is_judged_by_its_new_owner_s_policy() {
    let house = House::new().await;
    let theirs = house.standin.install("globex");
    house.repository_of("acme/.github", &[("fromguard.yml", POLICY)]);
    let lax = POLICY.replace("unknown: fail", "unknown: allow");
    house.repository_of("globex/.github", &[("fromguard.yml", &lax)]);
    let mut repo = house.repository("shop", &[("Dockerfile", TRUSTED)]);
    let pull = open(&house, &mut repo, "feature", UNKNOWN);
    house.deliver().await;
    house.sweep().await;
    assert_eq!(house.conclusion(&pull), "failure");

    house.standin.transfer(&repo.name, "globex").unwrap();
    house.deliver().await;
    house.sweep().await;
    let pull = moved(&pull, "globex", "shop");
    assert_eq!(house.conclusion(&pull), "success");
    assert_eq!(our_comments(&house, &pull), 1);
    let busy = house.store.busy_repositories(theirs).await.unwrap();
    assert_eq!(busy.len(), 1);
    assert!(house.store.busy_repositories(house.installation).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_repository_that_is_no_longer_archived_is_looked_through() {
    let house = House::new().await;
    let mut repo = shop(&house);
    let pull = open(&house, &mut repo, "feature", UNKNOWN);
    house.standin.archive(&repo.name).unwrap();
    house.deliver().await;
    house.sweep().await;
    assert!(house.standin.check_run(&pull, "fromguard").unwrap().is_none());
    house.standin.unarchive(&repo.name).unwrap();
    house.deliver().await;
    house.sweep().await;
    assert_eq!(house.conclusion(&pull), "failure");
}

#[tokio::test]
async fn another_default_branch_gets_its_first_run() {
    let house = House::new().await;
    let mut repo = shop(&house);
    house.sweep().await;
    let trunk = repo.branch("trunk", &[("README.md", "trunk\n")]);
    house.standin.change_default_branch(&repo.name, "trunk").unwrap();
    house.deliver().await;
    house.sweep().await;
    let runs = house.standin.check_runs(&repo.name, &trunk.0).unwrap();
    let ended: Vec<_> = runs.iter().filter_map(|run| run.conclusion.as_deref()).collect();
    assert_eq!(ended, ["success"]);
}

#[tokio::test]
async fn an_organisation_whose_policy_moves_away_is_told_at_once() {
    let house = House::new().await;
    let home = house.repository(".github", &[("fromguard.yml", POLICY)]);
    let mut repo = house.repository("shop", &[("Dockerfile", TRUSTED)]);
    let pull = open(&house, &mut repo, "feature", "FROM node:22\n");
    house.deliver().await;
    house.sweep().await;
    assert_eq!(house.conclusion(&pull), "success");
    house.standin.rename(&home.name, "old-policies").unwrap();
    house.deliver().await;
    house.sweep().await;
    assert_eq!(house.conclusion(&pull), "neutral", "the App sees every repository, and none is called so");
}
