//! What a changed file decides in files that were not touched, by conversation.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod contract;
mod harness;

use fromguard::standin::PullPlace;
use harness::House;
use harness::POLICY;

const POLICY_PATH: &str = ".github/fromguard.yml";
const COMPOSE: &str = "services:\n  web:\n    image: ${IMAGE}\n";

/// Opens a pull request that changes `changes` in a repository of `files`.
async fn judged(house: &House, files: &[(&str, &str)], changes: &[(&str, &str)]) -> PullPlace {
    let mut all = vec![(POLICY_PATH, POLICY)];
    all.extend_from_slice(files);
    let mut repo = house.repository("shop", &all);
    repo.branch("feature", changes);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    pull
}

/// The paths and lines of a run's annotations.
fn annotated(house: &House, pull: &PullPlace) -> Vec<String> {
    let line = |annotation: &serde_json::Value| {
        format!("{}:{}", annotation["path"].as_str().unwrap(), annotation["start_line"])
    };
    house.run(pull).annotations.iter().map(line).collect()
}

#[tokio::test]
async fn a_changed_env_file_is_judged_in_the_compose_file_that_reads_it() {
    let house = House::new().await;
    let files = [("app/compose.yml", COMPOSE), ("app/.env", "IMAGE=registry.example.com/base/web:1\n")];
    let changes = [("app/.env", "# new\nIMAGE=docker.io/evil/miner:1\n")];
    let pull = judged(&house, &files, &changes).await;
    assert_eq!(house.conclusion(&pull), "failure");
    assert_eq!(annotated(&house, &pull), ["app/.env:2"]);
}

#[tokio::test]
async fn what_an_untouched_file_uses_as_before_is_not_held_against_the_change() {
    let house = House::new().await;
    let files = [("compose.yml", COMPOSE), (".env", "IMAGE=docker.io/evil/miner:1\nPORT=1\n")];
    let changes = [(".env", "IMAGE=docker.io/evil/miner:1\nPORT=2\n")];
    let pull = judged(&house, &files, &changes).await;
    assert_eq!(house.conclusion(&pull), "success");
}

#[tokio::test]
async fn a_dockerfile_that_begins_to_take_an_argument_is_judged_with_what_is_given() {
    let house = House::new().await;
    let compose =
        "services:\n  web:\n    build:\n      context: .\n      args: {BASE: docker.io/evil/miner:1}\n";
    let files = [("compose.yml", compose), ("Dockerfile", "FROM node:24\n")];
    let pull = judged(&house, &files, &[("Dockerfile", "ARG BASE=node:24\nFROM $BASE\n")]).await;
    assert_eq!(house.conclusion(&pull), "failure");
    assert_eq!(annotated(&house, &pull), ["compose.yml:5"]);
}

#[tokio::test]
async fn a_base_that_every_overlay_rewrites_may_name_what_it_likes() {
    let deployment = |image: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  template:\n    spec:\n      containers:\n      - {{name: web, image: \"{image}\"}}\n"
        )
    };
    let overlay = "resources: [../../base]\nimages: [{name: web, newName: registry.example.com/base/web, newTag: \"1\"}]\n";
    let (before, after) = (deployment("web:1"), deployment("web:2"));
    for (images, conclusion) in [(overlay, "success"), ("resources: [../../base]\n", "failure")] {
        let house = House::new().await;
        let files = [
            ("base/web.yaml", before.as_str()),
            ("base/kustomization.yaml", "resources: [web.yaml]\n"),
            ("overlays/prod/kustomization.yaml", images),
        ];
        let pull = judged(&house, &files, &[("base/web.yaml", &after)]).await;
        assert_eq!(house.conclusion(&pull), conclusion, "{images}");
    }
}

#[tokio::test]
async fn a_dockerfile_without_arguments_costs_no_listing() {
    let house = House::new().await;
    let files = [("compose.yml", COMPOSE), ("Dockerfile", "FROM node:24\n")];
    judged(&house, &files, &[("Dockerfile", "FROM node:22\n")]).await;
    let traffic = house.standin.traffic().describe();
    assert!(!traffic.contains("/git/trees/"), "{traffic}");
}

#[tokio::test]
async fn a_listing_costs_one_request_beside_the_contents() {
    let house = House::new().await;
    let files = [("compose.yml", COMPOSE), (".env", "IMAGE=registry.example.com/base/web:1\n")];
    judged(&house, &files, &[("README.md", "warm\n")]).await;
    house.standin.reset_traffic();
    let mut repo = house.repository("next", &[(POLICY_PATH, POLICY), files[0], files[1]]);
    repo.branch("feature", &[(".env", "IMAGE=docker.io/evil/miner:1\n")]);
    house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    let traffic = house.standin.traffic();
    let listings = traffic.describe().matches("/git/trees/").count();
    assert_eq!(listings, 1, "{}", traffic.describe());
}
