//! Pull requests and their files.

use fromguard::standin::repository::Change;
use serde_json::Value;
use serde_json::json;

use super::World;

#[tokio::test]
async fn a_pull_request_shows_its_ends_and_its_files() {
    let mut world = World::start().await;
    world
        .git
        .commit(
            "topic",
            "Move and remove",
            &[
                ("docs/guide.md", Change::Removed),
                ("docs/manual.md", Change::File(b"# Guide\n\none\ntwo\nthree\nfour\n")),
                ("run.sh", Change::Removed),
                ("new", Change::File(b"new\n")),
            ],
        )
        .unwrap();
    world.open();
    // The base moves on: the change is still counted from the merge base.
    world.git.commit("main", "Meanwhile", &[("meanwhile", Change::File(b"m\n"))]).unwrap();
    let pull = world.get("/repos/acme/shop/pulls/1").await.expect(200);
    assert_eq!((pull["changed_files"].as_u64(), pull["commits"].as_u64()), (Some(4), Some(2)));
    assert_eq!(pull["mergeable_state"], "clean");

    let files = world.get("/repos/acme/shop/pulls/1/files").await.expect(200);
    let files: Vec<(&str, &str, u64, u64)> = files
        .as_array()
        .unwrap()
        .iter()
        .map(|file| {
            let text = |field: &str| file[field].as_str().unwrap();
            (
                text("filename"),
                text("status"),
                file["additions"].as_u64().unwrap(),
                file["deletions"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        files,
        [
            ("Dockerfile", "modified", 1, 1),
            ("docs/manual.md", "renamed", 1, 0),
            ("new", "added", 1, 0),
            ("run.sh", "removed", 0, 1),
        ]
    );
    let files = world.get("/repos/acme/shop/pulls/1/files").await.expect(200);
    assert_eq!(files[1]["previous_filename"], "docs/guide.md");
    assert!(files[0]["patch"].as_str().unwrap().contains("-FROM alpine:3.19\n+FROM alpine:3.20\n"));
    world.get("/repos/acme/shop/pulls/2").await.expect(404);
}

#[tokio::test]
async fn the_file_list_is_paged_and_ends_at_3_000() {
    let mut world = World::start().await;
    let names: Vec<String> = (0..3_050).map(|number| format!("f/{number:04}")).collect();
    let many: Vec<(&str, Change<'_>)> =
        names.iter().map(|name| (name.as_str(), Change::File(b"x\n"))).collect();
    world.git.commit("topic", "Many", &many).unwrap();
    world.open();
    let path = "/repos/acme/shop/pulls/1/files";
    assert_eq!(world.get("/repos/acme/shop/pulls/1").await.expect(200)["changed_files"], 3_051);
    assert_eq!(world.get(path).await.expect(200).as_array().unwrap().len(), 30);
    let page = world.get(&format!("{path}?per_page=1000&page=30")).await;
    assert!(!page.header("link").contains("next"), "{}", page.header("link"));
    assert_eq!(page.expect(200).as_array().unwrap().len(), 100);
    assert_eq!(world.get(&format!("{path}?per_page=100&page=31")).await.expect(200), json!([]));
    let first = world.get(&format!("{path}?per_page=100")).await;
    assert!(first.header("link").contains("per_page=100&page=30>; rel=\"last\""), "{}", first.header("link"));
}

#[tokio::test]
async fn a_long_patch_is_left_out_and_a_longer_answer_shows_no_changes() {
    let mut world = World::start().await;
    let long = "line\n".repeat(3_001);
    let medium = "line\n".repeat(2_900);
    let names: Vec<String> = (0..9).map(|number| format!("medium/{number}")).collect();
    let mut changes: Vec<(&str, Change<'_>)> =
        names.iter().map(|name| (name.as_str(), Change::File(medium.as_bytes()))).collect();
    changes.push(("long", Change::File(long.as_bytes())));
    world.git.commit("topic", "Long", &changes).unwrap();
    world.open();
    let files = world.get("/repos/acme/shop/pulls/1/files").await.expect(200);
    let find =
        |name: &str| files.as_array().unwrap().iter().find(|file| file["filename"] == name).unwrap().clone();
    assert_eq!(
        (find("long")["patch"].clone(), find("long")["additions"].as_u64()),
        (Value::Null, Some(3_001))
    );
    assert!(find("medium/0")["patch"].is_string());
    assert_eq!(
        (find("medium/8")["patch"].clone(), find("medium/8")["changes"].as_u64()),
        (Value::Null, Some(0))
    );
}

#[tokio::test]
async fn a_forks_pull_request_is_not_found_by_its_commit_and_not_listed_on_its_run() {
    let world = World::start().await;
    let pull = world.github.open_fork_pull_request("acme/shop", "main", "topic").unwrap();
    let head = world.github.head(&pull).unwrap();
    let shown = world.get("/repos/acme/shop/pulls/1").await.expect(200);
    assert_eq!(shown["head"]["repo"]["full_name"], "contributor/shop");
    assert_eq!(shown["head"]["repo"]["fork"], true);
    let by_commit = format!("/repos/acme/shop/commits/{head}/pulls");
    assert_eq!(world.get(&by_commit).await.expect(200), json!([]));
    let body = json!({"name": "fromguard", "head_sha": head, "conclusion": "success"});
    let run = world.call("POST", "/repos/acme/shop/check-runs", Some(&body)).await.expect(201);
    assert_eq!(run["pull_requests"], json!([]));

    world.open();
    assert_eq!(world.get(&by_commit).await.expect(200)[0]["number"], 2);
    let path = format!("/repos/acme/shop/check-runs/{}", run["id"]);
    assert_eq!(world.get(&path).await.expect(200)["pull_requests"][0]["number"], 2);
}

#[tokio::test]
async fn pull_requests_are_listed_by_state_head_and_base() {
    let world = World::start().await;
    let first = world.open();
    world.github.open_fork_pull_request("acme/shop", "main", "topic").unwrap();
    world.github.close(&first).unwrap();
    let numbers = async |query: &str| -> Vec<u64> {
        let listed = world.get(&format!("/repos/acme/shop/pulls?{query}")).await.expect(200);
        listed.as_array().unwrap().iter().map(|pull| pull["number"].as_u64().unwrap()).collect()
    };
    assert_eq!(numbers("per_page=100").await, [2]);
    assert_eq!(numbers("state=all").await, [2, 1]);
    assert_eq!(numbers("state=all&head=acme:topic").await, [1]);
    assert_eq!(numbers("state=open&head=contributor%3Atopic&base=main").await, [2]);
    assert_eq!(numbers("state=all&base=other").await, [0_u64; 0]);
}
