//! The whole App by conversation: open a pull request, expect a check run.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod contract;
mod harness;

use std::time::Duration;

use fromguard::standin::Endpoint;
use fromguard::standin::Fault;
use fromguard::standin::MergeBox;
use fromguard::standin::StandinOptions;
use fromguard::standin::repository::Change;
use harness::House;
use harness::POLICY;

const POLICY_PATH: &str = ".github/fromguard.yml";
const TRUSTED: &str = "FROM node:24\n";
const UNKNOWN: &str = "FROM node:24 AS build\n\nFROM docker.io/evil/miner:1\n";

#[tokio::test]
async fn a_pull_request_is_blocked_mended_and_freed() {
    let house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    house.standin.protect(&repo.name, "main", "fromguard", Some(house.standin.app_id())).unwrap();
    repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;

    assert_eq!(house.conclusion(&pull), "failure");
    let run = house.run(&pull);
    assert_eq!(run.annotations.len(), 1, "{:?}", run.annotations);
    assert_eq!(run.annotations[0]["path"], "Dockerfile");
    assert_eq!(run.annotations[0]["start_line"], 3);
    assert_eq!(run.annotations[0]["start_column"], 6);
    assert!(matches!(house.standin.merge_box(&pull).unwrap(), MergeBox::Blocked { .. }));
    let comments = house.standin.comments(&pull).unwrap();
    assert_eq!(comments.len(), 1);
    assert!(comments[0].by_app && comments[0].body.contains("evil/miner"), "{}", comments[0].body);

    let mended = repo.commit("feature", &[("Dockerfile", TRUSTED)]);
    house.standin.push(&pull, &mended.0).unwrap();
    house.deliver().await;

    assert_eq!(house.conclusion(&pull), "success");
    assert_eq!(house.standin.merge_box(&pull).unwrap(), MergeBox::Mergeable);
    let comments = house.standin.comments(&pull).unwrap();
    assert_eq!(comments.len(), 1, "the comment is changed, not added to");
    assert!(comments[0].body.contains("settled"), "{}", comments[0].body);
}

#[tokio::test]
async fn a_pull_request_without_candidates_costs_two_requests() {
    let house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    repo.branch("warm", &[("README.md", "warm\n")]);
    house.standin.open_pull_request(&repo.name, "main", "warm").unwrap();
    house.deliver().await;

    house.standin.reset_traffic();
    repo.branch("docs", &[("README.md", "shop\n")]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "docs").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "success");
    let traffic = house.standin.traffic();
    assert_eq!((traffic.total(), traffic.longest_chain()), (2, 2), "{}", traffic.describe());
    assert!(house.standin.comments(&pull).unwrap().is_empty());
}

#[tokio::test]
async fn judging_a_changed_dockerfile_takes_three_round_trips() {
    let latency = Duration::from_millis(60);
    let options = StandinOptions { latency, ..StandinOptions::default() };
    let house = House::with(options, harness::settings()).await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    repo.branch("warm", &[("README.md", "warm\n")]);
    house.standin.open_pull_request(&repo.name, "main", "warm").unwrap();
    house.deliver().await;

    for (branch, text, conclusion, requests) in
        [("clean", "FROM node:22\n", "success", 4), ("dirty", UNKNOWN, "failure", 5)]
    {
        house.standin.reset_traffic();
        // The base branch has moved on: the merge base is not its tip.
        repo.commit("main", &[("README.md", branch)]);
        repo.branch(branch, &[("Dockerfile", text)]);
        let pull = house.standin.open_pull_request(&repo.name, "main", branch).unwrap();
        house.deliver().await;
        assert_eq!(house.conclusion(&pull), conclusion);
        let traffic = house.standin.traffic();
        assert_eq!((traffic.total(), traffic.longest_chain()), (requests, 3), "{}", traffic.describe());
    }
}

#[tokio::test]
async fn what_stood_at_the_merge_base_is_not_introduced() {
    let house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", UNKNOWN)]);
    // The unknown image is on main already; the branch merges main in, where it was changed meanwhile.
    repo.branch("feature", &[("Dockerfile", &format!("# a remark\n{UNKNOWN}"))]);
    let on_main = repo.commit("main", &[("Dockerfile", &UNKNOWN.replace("miner:1", "miner:2"))]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "success", "{}", house.run(&pull).summary);

    let merged = repo
        .builder
        .merge(
            "feature",
            "main",
            &[(
                "Dockerfile",
                Change::File(format!("# a remark\n{}", UNKNOWN.replace("miner:1", "miner:2")).as_bytes()),
            )],
        )
        .unwrap();
    assert_ne!(on_main, merged);
    house.standin.push(&pull, &merged.0).unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "success", "{}", house.run(&pull).summary);
}

#[tokio::test]
async fn a_fork_cannot_loosen_the_policy_that_judges_it() {
    let house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    let loose = POLICY.replace("unknown: fail", "unknown: allow");
    repo.branch("feature", &[(POLICY_PATH, &loose), ("Dockerfile", UNKNOWN)]);
    let pull = house.standin.open_fork_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "failure");
}

#[tokio::test]
async fn no_policy_is_neutral_and_a_broken_one_is_a_failure_at_its_line() {
    let house = House::new().await;
    let mut repo = house.repository("shop", &[("Dockerfile", TRUSTED)]);
    repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "neutral");

    let broken = POLICY.replace("unknown: fail", "unknown: perhaps");
    let mut repo = house.repository("till", &[(POLICY_PATH, &broken), ("Dockerfile", TRUSTED)]);
    repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "failure");
    let annotations = house.run(&pull).annotations;
    let at_policy = |it: &serde_json::Value| it["path"] == POLICY_PATH && it["start_line"] == 3;
    assert!(annotations.iter().any(at_policy), "{annotations:?}");
}

#[tokio::test]
async fn the_organisation_s_policy_applies_alone_and_is_expected_ever_after() {
    let house = House::new().await;
    house.repository(".github", &[("fromguard.yml", POLICY)]);
    let mut repo = house.repository("shop", &[("Dockerfile", TRUSTED)]);
    repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "failure");
    assert!(house.store.organisation_policy_seen(house.installation).await.unwrap());
}

#[tokio::test]
async fn every_annotation_arrives_fifty_at_a_time() {
    let house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    let many: String = (0..120).map(|n| format!("FROM docker.io/evil/miner{n}:1 AS s{n}\n")).collect();
    repo.branch("feature", &[("Dockerfile", &many)]);
    // The second append is carried out and its answer lost.
    house.standin.fail_after(1, Endpoint::patch_check_run(), Fault::DropAfterProcessing, 1);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    let run = house.run(&pull);
    assert_eq!(run.annotations.len(), 120);
    assert_eq!(house.standin.faults_left(), 0);
    let traffic = house.standin.traffic();
    assert_eq!(traffic.count("POST", "/repos/{owner}/{repo}/check-runs"), 1);
    assert_eq!(traffic.count("PATCH", "/repos/{owner}/{repo}/check-runs/{check_run_id}"), 2);
}

#[tokio::test]
async fn a_hundred_and_fifty_changed_files_are_all_judged() {
    let house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    let paths: Vec<String> = (0..150).map(|n| format!("services/s{n:03}/Dockerfile")).collect();
    let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), UNKNOWN)).collect();
    repo.branch("feature", &files);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "failure");
    assert_eq!(house.run(&pull).annotations.len(), 150);
}

#[tokio::test]
async fn a_lost_answer_to_a_post_makes_no_second_run() {
    for fault in [Fault::DropAfterProcessing, Fault::Timeout] {
        let house = House::new().await;
        let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
        repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
        house.standin.fail_next(Endpoint::post_check_run(), fault, 1);
        let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
        house.deliver().await;
        assert_eq!(house.standin.faults_left(), 0);
        let head = house.standin.head(&pull).unwrap();
        let runs = house.standin.check_runs(&repo.name, &head.0).unwrap();
        assert_eq!(runs.len(), 1);
        assert_eq!(house.conclusion(&pull), "failure");
    }
}

#[tokio::test]
async fn a_secondary_limit_without_a_header_is_waited_out() {
    let house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    repo.branch("feature", &[("Dockerfile", "FROM node:22\n")]);
    house.standin.fail_next(Endpoint::graphql(), Fault::SecondaryLimitNoHeaders, 1);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "success");
    assert!(house.clock.now_ms() >= harness::START_MS + 60_000);
}

#[tokio::test]
async fn what_fails_for_good_ends_as_a_run_that_says_why() {
    let house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    repo.branch("feature", &[("Dockerfile", "FROM node:22\n")]);
    house.standin.fail_next(Endpoint::graphql(), Fault::GraphqlErrorIn200 { kind: String::new() }, 5);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "failure");
    let run = house.run(&pull);
    assert!(run.title.to_lowercase().contains("could not be judged"), "{}", run.title);
    let head = house.standin.head(&pull).unwrap();
    let runs = house.standin.check_runs(&repo.name, &head.0).unwrap();
    assert!(runs.iter().all(|run| run.status == "completed"), "{runs:?}");
}

#[tokio::test]
async fn publishing_outlives_a_long_outage() {
    let house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    repo.branch("feature", &[("Dockerfile", "FROM node:22\n")]);
    house.standin.fail_next(Endpoint::post_check_run(), Fault::Timeout, 30);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "success");
}

#[tokio::test]
async fn the_newest_head_wins_whatever_the_order() {
    let house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    repo.branch("feature", &[("Dockerfile", "FROM node:22\n")]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    for (n, text) in ["FROM node:20\n", UNKNOWN].into_iter().enumerate() {
        let head = repo.commit("feature", &[("Dockerfile", text), ("n", &n.to_string())]);
        house.standin.push(&pull, &head.0).unwrap();
    }
    house.standin.rearrange_deliveries(|waiting| {
        waiting.reverse();
        let again = waiting[0].clone();
        waiting.push(again);
    });
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "failure");
    assert_eq!(house.standin.comments(&pull).unwrap().len(), 1);
}

#[tokio::test]
async fn two_pull_requests_with_one_head_get_the_worse_result() {
    let house = House::new().await;
    let strict = [(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)];
    let mut repo = house.repository("shop", &strict);
    let lax = POLICY.replace("unknown: fail", "unknown: allow");
    repo.branch("lax", &[(POLICY_PATH, &lax)]);
    repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    let to_lax = house.standin.open_pull_request(&repo.name, "lax", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&to_lax), "success");

    // The same head, now towards a strict base too: the green run must not stand.
    let to_main = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&to_main), "failure");
    assert_eq!(house.conclusion(&to_lax), "failure");

    house.standin.close(&to_main).unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&to_lax), "success");
}

#[tokio::test]
async fn what_cannot_be_scanned_is_said_and_blocks() {
    let house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("base.Dockerfile", TRUSTED)]);
    repo.builder.branch("feature", &repo.main.clone()).unwrap();
    let giant = vec![b'#'; 1024 * 1024 + 1];
    // Over what GraphQL shows of a blob, and under the limit: read whole.
    let mut long = vec![b'#'; 600_000];
    long.extend_from_slice(b"\nFROM docker.io/evil/long:1\n");
    repo.change(
        "feature",
        &[
            ("a/Dockerfile", Change::File(&giant)),
            ("b/Dockerfile", Change::File(b"FROM caf\xe9\n")),
            ("c/Dockerfile", Change::Symlink("../../../etc/passwd")),
            ("d/Dockerfile", Change::Submodule("0123456789abcdef0123456789abcdef01234567")),
            ("e/Dockerfile", Change::File(&long)),
            ("f/Dockerfile", Change::Symlink("../base.Dockerfile")),
        ],
    );
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    let run = house.run(&pull);
    assert!(["failure", "action_required"].contains(&house.conclusion(&pull).as_str()));
    let paths: std::collections::BTreeSet<&str> =
        run.annotations.iter().filter_map(|it| it["path"].as_str()).collect();
    let expected = ["a/Dockerfile", "b/Dockerfile", "c/Dockerfile", "d/Dockerfile", "e/Dockerfile"];
    assert_eq!(paths, expected.into_iter().collect(), "{:?}", run.annotations);
}

#[tokio::test]
async fn one_token_is_minted_however_many_ask() {
    let house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    for n in 0..8 {
        let branch = format!("feature{n}");
        repo.branch(&branch, &[("Dockerfile", "FROM node:22\n"), ("n", &branch)]);
        house.standin.open_pull_request(&repo.name, "main", &branch).unwrap();
    }
    house.deliver().await;
    // The organisation has no `.github`: asked for once, then minted without.
    let mints = house.standin.traffic().count("POST", "/app/installations/{installation_id}/access_tokens");
    assert_eq!(mints, 2);
}

#[tokio::test]
async fn a_comment_with_our_marker_by_somebody_else_is_left_alone() {
    let house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    let marker = fromguard_core::report::COMMENT_MARKER;
    house.standin.comment_as(&pull, "mallory", &format!("{marker}\nall is well")).unwrap();
    house.deliver().await;
    let comments = house.standin.comments(&pull).unwrap();
    assert_eq!(comments.len(), 2);
    assert!(!comments[0].by_app && comments[0].body.ends_with("all is well"));
    assert!(comments[1].by_app);
}

#[tokio::test]
async fn an_uninstalled_app_gives_up() {
    let house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.standin.uninstall(house.installation);
    house.deliver().await;
    let status = house.store.queue_status(house.clock.now_ms()).await.unwrap();
    assert_eq!((status.waiting, status.leased), (0, 0));
}

#[tokio::test]
async fn a_worker_killed_while_it_publishes_is_made_up_for() {
    let mut house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    house.standin.fail_next(Endpoint::post_check_run(), Fault::Hang, 1);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.standin.deliver_all().await.unwrap();
    while house.standin.faults_left() > 0 {
        tokio::task::yield_now().await;
    }
    house.kill_worker().await;
    house.start_worker();
    house.settle_from_leases().await;
    assert_eq!(house.conclusion(&pull), "failure");
}

#[tokio::test]
async fn a_refused_token_is_minted_again_once() {
    let house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    repo.branch("feature", &[("Dockerfile", "FROM node:22\n")]);
    let refused =
        Fault::Status { status: 401, headers: Vec::new(), body: r#"{"message":"Bad credentials"}"#.into() };
    house.standin.fail_next(Endpoint::graphql(), refused, 1);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "success");
    assert_eq!(house.clock.now_ms(), harness::START_MS, "nothing was put off");
}

#[tokio::test]
async fn an_organisation_s_policy_that_was_seen_is_missed_when_it_is_out_of_reach() {
    let house = House::new().await;
    house.repository(".github", &[("fromguard.yml", POLICY)]);
    let mut repo = house.repository("shop", &[("Dockerfile", TRUSTED)]);
    house.store.set_organisation_policy_seen(house.installation).await.unwrap();
    house.standin.select(house.installation, &repo.name).unwrap();
    repo.branch("feature", &[("Dockerfile", "FROM node:22\n")]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "failure");
    assert!(house.run(&pull).summary.contains("acme/.github"), "{}", house.run(&pull).summary);
}

#[tokio::test]
async fn a_judgement_that_waited_says_that_it_is_under_way() {
    let mut house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    house.stop_worker().await;
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.standin.deliver_all().await.unwrap();
    house.clock.advance(Duration::from_secs(10));
    house.start_worker();
    house.settle().await;
    assert_eq!(house.conclusion(&pull), "failure");
    let head = house.standin.head(&pull).unwrap();
    assert_eq!(house.standin.check_runs(&repo.name, &head.0).unwrap().len(), 1);
    let traffic = house.standin.traffic();
    assert_eq!(traffic.count("PATCH", "/repos/{owner}/{repo}/check-runs/{check_run_id}"), 1);
}

#[tokio::test]
async fn a_run_in_progress_on_a_head_that_moved_is_cancelled() {
    let mut house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    let old = repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    house.stop_worker().await;
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.standin.deliver_all().await.unwrap();
    house.clock.advance(Duration::from_secs(10));
    // The head moves behind the worker's back, after its run in progress was posted.
    let new = repo.commit("feature", &[("Dockerfile", "FROM node:22\n")]);
    house.standin.push(&pull, &new.0).unwrap();
    house.standin.rearrange_deliveries(|waiting| waiting.clear());
    house.start_worker();
    house.settle().await;
    let runs = house.standin.check_runs(&repo.name, &old.0).unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].conclusion.as_deref(), Some("cancelled"));
    assert_eq!(house.conclusion(&pull), "success", "the new head was learnt without its event");
}

#[tokio::test]
async fn a_pull_request_that_moves_to_a_stricter_base_is_judged_by_that() {
    let house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    let lax = POLICY.replace("unknown: fail", "unknown: allow");
    repo.branch("lax", &[(POLICY_PATH, &lax)]);
    repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    let pull = house.standin.open_pull_request(&repo.name, "lax", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "success");

    house.standin.retarget(&pull, "main").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "failure");

    // A new title decides nothing and costs nothing.
    house.standin.retitle(&pull, "Better words").unwrap();
    house.standin.reset_traffic();
    house.deliver().await;
    assert_eq!(house.standin.traffic().total(), 0, "{}", house.standin.traffic().describe());
}

#[tokio::test]
async fn deliveries_that_come_all_at_once_and_twice_make_one_result_each() {
    let house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    let pulls: Vec<_> = (0..12)
        .map(|n| {
            let text = if n % 2 == 0 { UNKNOWN } else { TRUSTED };
            let branch = format!("feature-{n}");
            repo.branch(&branch, &[("Dockerfile", text), ("n", &n.to_string())]);
            house.standin.open_pull_request(&repo.name, "main", &branch).unwrap()
        })
        .collect();
    house.standin.rearrange_deliveries(|waiting| waiting.extend(waiting.clone()));
    let delivered = house.standin.deliver_all_at_once().await.unwrap();
    assert_eq!(delivered.len(), 24);
    assert!(delivered.iter().all(|delivery| delivery.status == Some(202)), "{delivered:?}");
    house.settle().await;
    for (n, pull) in pulls.iter().enumerate() {
        let expected = if n % 2 == 0 { "failure" } else { "success" };
        assert_eq!(house.conclusion(pull), expected, "pull request {n}");
        assert_eq!(house.standin.comments(pull).unwrap().len(), usize::from(n % 2 == 0));
    }
}

#[tokio::test]
async fn a_redelivery_after_the_answer_changes_nothing() {
    let house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    let guid = house.standin.waiting_deliveries()[0].guid.clone();
    house.deliver().await;
    let first = house.run(&pull);
    house.standin.redeliver(&guid).unwrap();
    house.standin.reset_traffic();
    house.deliver().await;
    assert_eq!(house.run(&pull), first);
    assert_eq!(house.standin.traffic().total(), 0);
}

#[tokio::test]
async fn a_draft_gets_its_run_like_any_other() {
    let house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    let pull = house.standin.open_draft(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "failure");
    house.standin.mark_ready(&pull).unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "failure");
}

#[tokio::test]
async fn a_pull_request_that_edits_the_policy_is_judged_by_the_old_one() {
    let house = House::new().await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    let lax = POLICY.replace("unknown: fail", "unknown: allow");
    repo.branch("feature", &[(POLICY_PATH, &lax), ("Dockerfile", UNKNOWN)]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "failure");

    // A policy that would not load is annotated at its own line.
    let broken = repo.commit("feature", &[(POLICY_PATH, "version: 1\nmood: enforce\n")]);
    house.standin.push(&pull, &broken.0).unwrap();
    house.deliver().await;
    let run = house.run(&pull);
    assert_eq!(run.conclusion.as_deref(), Some("failure"));
    let at_policy =
        |annotation: &&serde_json::Value| annotation["path"] == POLICY_PATH && annotation["start_line"] == 2;
    assert_eq!(run.annotations.iter().filter(at_policy).count(), 1, "{:?}", run.annotations);
}

/// Least privilege: each permission of the manifest is missed when it is lowered.
#[tokio::test]
async fn every_permission_is_needed() {
    for (permission, level) in [("checks", Some("read")), ("contents", None), ("pull_requests", Some("read"))]
    {
        let house = House::new().await;
        let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
        repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
        house.standin.permit(house.installation, permission, level);
        let (refusals, mut refused) = tokio::sync::mpsc::unbounded_channel();
        house.standin.observe(move |exchange| {
            let forbidden =
                String::from_utf8_lossy(&exchange.response_body).contains("not accessible by integration");
            if forbidden {
                // The test may have seen enough already.
                let _ = refusals.send(exchange.template.clone());
            }
        });
        house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
        house.standin.deliver_all().await.unwrap();
        let seen = harness::within("a refusal", refused.recv()).await;
        assert!(seen.is_some(), "without {permission} nothing was refused");
    }
}

#[tokio::test]
async fn an_organisation_s_policy_that_graphql_does_not_show_is_read_from_its_own_repository() {
    let house = House::new().await;
    // Over 512,000 bytes GraphQL cuts a blob; this one is refused for its size, by name.
    let endless = format!("{POLICY}# {}\n", "x".repeat(600_000));
    house.repository(".github", &[("fromguard.yml", &endless)]);
    let mut repo = house.repository("shop", &[("Dockerfile", TRUSTED)]);
    repo.branch("feature", &[("Dockerfile", UNKNOWN)]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    let run = house.run(&pull);
    assert_eq!(run.conclusion.as_deref(), Some("failure"));
    assert!(run.summary.contains("262,144") || run.summary.contains("262144"), "{}", run.summary);
    assert_eq!(house.standin.traffic().count("GET", "/repos/{owner}/{repo}/git/blobs/{file_sha}"), 1);
}
