//! Pull requests larger than GitHub lists them, by conversation: every file is judged,
//! or the run says that it could not be.

use fromguard::standin::Endpoint;
use fromguard::standin::Fault;
use fromguard::standin::PullPlace;
use fromguard::standin::StandinOptions;
use fromguard::standin::repository::Change;

use crate::harness;
use crate::harness::House;
use crate::harness::POLICY;
use crate::harness::Repo;

const POLICY_PATH: &str = ".github/fromguard.yml";
const TRUSTED: &str = "FROM node:24\n";
const UNKNOWN: &str = "FROM docker.io/evil/miner:1\n";
const TREE: &str = "/repos/{owner}/{repo}/git/trees/{tree_sha}";

/// A pull request that adds `count` files, and an unknown image behind them all.
async fn opened(house: &House, count: usize) -> (Repo, PullPlace) {
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    let paths: Vec<String> = (0..count).map(|n| format!("docs/{:02}/{n:05}.md", n % 50)).collect();
    let mut files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "text\n")).collect();
    files.push(("zz/Dockerfile", UNKNOWN));
    repo.branch("feature", &files);
    // The base branch has gone on: its own changes are not the pull request's.
    repo.commit("main", &[("later/Dockerfile", "FROM docker.io/evil/later:1\n")]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    (repo, pull)
}

fn annotated(house: &House, pull: &PullPlace) -> Vec<String> {
    let run = house.run(pull);
    run.annotations.iter().map(|annotation| annotation["path"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn more_files_than_github_lists_are_found_in_the_trees() {
    let house = House::new().await;
    let (_, pull) = opened(&house, 3_100).await;
    assert_eq!(house.conclusion(&pull), "failure");
    assert_eq!(annotated(&house, &pull), ["zz/Dockerfile"]);
    let traffic = house.standin.traffic();
    assert_eq!(traffic.count("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/files"), 0);
    assert_eq!(traffic.count("GET", TREE), 2);
}

#[tokio::test]
async fn a_list_that_is_shorter_than_github_counts_is_not_believed() {
    let house = House::new().await;
    let short = Fault::Status { status: 200, headers: Vec::new(), body: "[]".into() };
    let page = Endpoint::rest("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/files");
    house.standin.fail_next(page, short, 1);
    let (_, pull) = opened(&house, 150).await;
    assert_eq!(house.standin.faults_left(), 0);
    assert_eq!(house.conclusion(&pull), "failure");
    assert_eq!(annotated(&house, &pull), ["zz/Dockerfile"]);
    assert_eq!(house.standin.traffic().count("GET", TREE), 2);
}

#[tokio::test]
async fn a_truncated_tree_is_descended_where_it_differs() {
    let house =
        House::with(StandinOptions { tree_limit: 80, ..StandinOptions::default() }, harness::settings())
            .await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    // Fifty folders that stay as they are, of three files each.
    let kept: Vec<String> = (0..150).map(|n| format!("kept/{:02}/{n:03}.md", n % 50)).collect();
    let files: Vec<(&str, &str)> = kept.iter().map(|path| (path.as_str(), "text\n")).collect();
    repo.main = repo.commit("main", &files);
    let paths: Vec<String> = (0..120).map(|n| format!("docs/{:02}/{n:03}.md", n % 5)).collect();
    let mut files: Vec<(&str, Change<'_>)> =
        paths.iter().map(|path| (path.as_str(), Change::File(b"text\n"))).collect();
    files.push(("api/deep/Dockerfile", Change::File(UNKNOWN.as_bytes())));
    files.push(("Dockerfile", Change::Removed));
    repo.builder.branch("feature", &repo.main.clone()).unwrap();
    repo.change("feature", &files);
    let short = Fault::Status { status: 200, headers: Vec::new(), body: "[]".into() };
    let page = Endpoint::rest("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/files");
    house.standin.fail_next(page, short, 2);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "failure", "{}", house.run(&pull).summary);
    assert_eq!(annotated(&house, &pull), ["api/deep/Dockerfile"]);
    let trees = house.standin.traffic().count("GET", TREE);
    assert!(trees < 20, "{trees} requests: what did not change was looked into");
}

#[tokio::test]
async fn what_cannot_be_listed_at_all_blocks_and_says_so() {
    let house =
        House::with(StandinOptions { tree_limit: 2, ..StandinOptions::default() }, harness::settings()).await;
    let (_, pull) = opened(&house, 3_100).await;
    assert_eq!(house.conclusion(&pull), "failure");
    let run = house.run(&pull);
    assert!(run.title.to_lowercase().contains("could not be judged"), "{}", run.title);
    assert!(run.summary.contains("too large to list in 100 requests; split it"), "{}", run.summary);
    assert!(house.standin.traffic().count("GET", TREE) <= 110);
}

#[tokio::test]
async fn a_git_lfs_pointer_is_no_dockerfile() {
    let house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY)]);
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    repo.branch("feature", &[("Dockerfile", pointer)]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "action_required");
    assert_eq!(annotated(&house, &pull), ["Dockerfile"]);
    assert!(house.run(&pull).annotations[0]["message"].as_str().unwrap().contains("LFS"));
}
