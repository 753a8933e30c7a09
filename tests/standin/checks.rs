//! Check runs, and the merge box that they open and close.

use fromguard::standin::MergeBox;
use serde_json::Value;
use serde_json::json;

use super::World;

const RUNS: &str = "/repos/acme/shop/check-runs";

fn annotation(line: usize) -> Value {
    json!({"path": "Dockerfile", "start_line": line, "end_line": line, "annotation_level": "failure", "message": "no"})
}

fn annotations(count: usize) -> Vec<Value> {
    (1..=count).map(annotation).collect()
}

async fn post(world: &World, more: Value) -> super::Reply {
    let pull_head = world.github.set_branch("acme/shop", "topic", "topic").unwrap();
    let mut body = json!({"name": "fromguard", "head_sha": pull_head});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.call("POST", RUNS, Some(&body)).await
}

#[tokio::test]
async fn annotations_append_and_stay() {
    let world = World::start().await;
    let output = json!({"title": "t", "summary": "s", "annotations": annotations(50)});
    let run = post(&world, json!({"conclusion": "failure", "output": output, "external_id": "x"}))
        .await
        .expect(201);
    assert_eq!(run["status"], "completed");
    assert_eq!(run["output"]["annotations_count"], 50);
    let path = format!("{RUNS}/{}", run["id"]);
    let more = json!({"output": {"title": "t", "summary": "s2", "annotations": annotations(7)}});
    let run = world.call("PATCH", &path, Some(&more)).await.expect(200);
    assert_eq!(run["output"]["annotations_count"], 57);
    assert_eq!(run["output"]["summary"], "s2");
    world
        .call("PATCH", &path, Some(&json!({"output": {"summary": "s3", "annotations": []}})))
        .await
        .expect(200);

    let second = world.get(&format!("{path}/annotations?per_page=50&page=2")).await;
    assert!(second.header("link").contains("rel=\"prev\""));
    assert_eq!(second.expect(200).as_array().unwrap().len(), 7);
    let seen = world.github.check_runs("acme/shop", "topic").unwrap();
    assert_eq!(seen[0].annotations.len(), 57);
    assert_eq!(seen[0].external_id.as_deref(), Some("x"));
}

#[tokio::test]
async fn what_github_refuses_is_refused() {
    let world = World::start().await;
    let with = |output: Value| json!({"status": "in_progress", "output": output});
    let long = "é".repeat(32_768);
    let spread = json!({"path": "a", "start_line": 1, "end_line": 2, "start_column": 1, "annotation_level": "notice", "message": "m"});
    let titled = |length: usize| {
        let mut annotation = annotation(1);
        annotation["title"] = json!("t".repeat(length));
        json!({"title": "t", "summary": "s", "annotations": [annotation]})
    };
    let button = |label: &str| json!({"label": label, "description": "d", "identifier": "i"});
    for (what, body) in [
        ("51 annotations", with(json!({"title": "t", "summary": "s", "annotations": annotations(51)}))),
        ("65,536 bytes of summary in 32,768 characters", with(json!({"title": "t", "summary": long}))),
        ("65,536 bytes of text", with(json!({"title": "t", "summary": "s", "text": long}))),
        ("output without title", with(json!({"summary": "s"}))),
        ("output without summary", with(json!({"title": "t"}))),
        ("columns over two lines", with(json!({"title": "t", "summary": "s", "annotations": [spread]}))),
        ("a title of 256", with(titled(256))),
        ("completed without conclusion", json!({"status": "completed"})),
        ("a conclusion of its own", json!({"conclusion": "passed"})),
        ("stale, which is GitHub's", json!({"conclusion": "stale"})),
        ("a fourth button", json!({"actions": [button("a"), button("b"), button("c"), button("d")]})),
        ("a label of 21", json!({"actions": [button(&"l".repeat(21))]})),
        ("a commit that is not there", json!({"head_sha": "0".repeat(40)})),
    ] {
        let reply = post(&world, body).await;
        assert_eq!(reply.status, 422, "{what}: {}", String::from_utf8_lossy(&reply.body));
    }
    assert!(world.github.check_runs("acme/shop", "topic").unwrap().is_empty());
    post(&world, with(json!({"title": "t", "summary": "s".repeat(65_535)}))).await.expect(201);
    post(&world, with(titled(255))).await.expect(201);
    post(&world, json!({"actions": [button(&"l".repeat(20))]})).await.expect(201);
}

#[tokio::test]
async fn completed_is_for_ever() {
    let world = World::start().await;
    let run = post(&world, json!({"status": "in_progress"})).await.expect(201);
    assert_eq!(run["conclusion"], Value::Null);
    let path = format!("{RUNS}/{}", run["id"]);
    let run = world.call("PATCH", &path, Some(&json!({"conclusion": "failure"}))).await.expect(200);
    assert_eq!(run["status"], "completed");
    assert_eq!(run["completed_at"], "2026-01-01T00:00:00Z");
    for status in ["in_progress", "queued"] {
        world.call("PATCH", &path, Some(&json!({"status": status}))).await.expect(422);
    }
    assert_eq!(world.get(&path).await.expect(200)["conclusion"], "failure");
}

#[tokio::test]
async fn only_the_app_that_made_a_run_changes_it() {
    let world = World::start().await;
    let id = world.github.check_run_by_other_app("acme/shop", "topic", 7, "fromguard", "success").unwrap();
    let refused = world.call("PATCH", &format!("{RUNS}/{id}"), Some(&json!({"conclusion": "failure"}))).await;
    assert!(
        refused.expect(403)["message"].as_str().unwrap().contains("can only be modified by the GitHub App")
    );
}

#[tokio::test]
async fn the_newest_run_of_a_name_stands_for_all() {
    let world = World::start().await;
    let head = world.github.set_branch("acme/shop", "topic", "topic").unwrap();
    post(&world, json!({"conclusion": "failure"})).await.expect(201);
    let newest = post(&world, json!({"conclusion": "success"})).await.expect(201);
    let id = world.github.check_run_by_other_app("acme/shop", "topic", 7, "fromguard", "failure").unwrap();
    let list = format!("/repos/acme/shop/commits/{head}/check-runs");
    let app = world.github.app_id();

    let ours =
        world.get(&format!("{list}?check_name=fromguard&app_id={app}&filter=latest")).await.expect(200);
    assert_eq!(ours["total_count"], 1);
    assert_eq!(ours["check_runs"][0]["id"], newest["id"]);
    let all = world.get(&format!("{list}?filter=all")).await.expect(200);
    assert_eq!(all["total_count"], 3);
    assert_eq!(all["check_runs"][0]["id"], json!(id));
    assert_eq!(
        world.get("/repos/acme/shop/commits/heads%2Ftopic/check-runs").await.expect(200)["total_count"],
        2
    );
}

#[tokio::test]
async fn the_merge_box_opens_for_success_neutral_and_skipped_by_the_right_app() {
    let world = World::start().await;
    let app = world.github.app_id();
    world.github.protect("acme/shop", "main", "fromguard", Some(app)).unwrap();
    let pull = world.open();
    let merge_box = || world.github.merge_box(&pull).unwrap();
    assert_eq!(merge_box(), MergeBox::Expected { check: "fromguard".to_owned() });
    // Forged by another App.
    world.github.check_run_by_other_app("acme/shop", "topic", 7, "fromguard", "success").unwrap();
    assert_eq!(merge_box(), MergeBox::Expected { check: "fromguard".to_owned() });

    for conclusion in ["failure", "cancelled", "timed_out", "action_required"] {
        post(&world, json!({"conclusion": conclusion})).await.expect(201);
        assert_eq!(merge_box(), MergeBox::Blocked { why: format!("fromguard: {conclusion}") });
    }
    for conclusion in ["success", "neutral", "skipped"] {
        post(&world, json!({"conclusion": conclusion})).await.expect(201);
        assert_eq!(merge_box(), MergeBox::Mergeable);
    }
    post(&world, json!({"status": "queued"})).await.expect(201);
    assert_eq!(merge_box(), MergeBox::Blocked { why: "fromguard: queued".to_owned() });
    world.github.close(&pull).unwrap();
    assert_eq!(merge_box(), MergeBox::Closed);
}
