//! Blobs, trees, files, comparisons.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fromguard::standin::repository::Change;
use serde_json::Value;

use super::World;
use super::send;

fn decoded(value: &Value) -> Vec<u8> {
    STANDARD.decode(value["content"].as_str().unwrap().replace('\n', "")).unwrap()
}

async fn raw(world: &World, path: &str) -> Vec<u8> {
    let authorization = format!("Bearer {}", world.token().await);
    let headers = [("authorization", authorization.as_str()), ("accept", "application/vnd.github.raw+json")];
    let reply = send("GET", &world.url(path), &headers, None).await.unwrap();
    assert_eq!(reply.status, 200);
    reply.body
}

#[tokio::test]
async fn a_tree_lists_modes_and_blobs_give_their_bytes() {
    let mut world = World::start().await;
    let module = "1".repeat(40);
    world.git.commit("main", "Module", &[("vendor/lib", Change::Submodule(&module))]).unwrap();
    let tree = world.get("/repos/acme/shop/git/trees/main?recursive=1").await.expect(200);
    assert_eq!(tree["truncated"], false);
    let entries: Vec<(&str, &str, &str)> = tree["tree"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["mode"].as_str().unwrap(),
                entry["type"].as_str().unwrap(),
                entry["path"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        entries,
        [
            ("100644", "blob", "Dockerfile"),
            ("040000", "tree", "docs"),
            ("100644", "blob", "docs/guide.md"),
            ("120000", "blob", "link"),
            ("100755", "blob", "run.sh"),
            ("040000", "tree", "vendor"),
            ("160000", "commit", "vendor/lib"),
        ]
    );
    let blob = format!("/repos/acme/shop/git/blobs/{}", tree["tree"][0]["sha"].as_str().unwrap());
    assert_eq!(decoded(&world.get(&blob).await.expect(200)), b"FROM alpine:3.19\nRUN true\n");
    assert_eq!(raw(&world, &blob).await, b"FROM alpine:3.19\nRUN true\n");
    world.get(&format!("/repos/acme/shop/git/blobs/{module}")).await.expect(404);
    let flat = world.get("/repos/acme/shop/git/trees/main").await.expect(200);
    assert_eq!(flat["tree"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn contents_are_files_folders_links_and_submodules() {
    let mut world = World::start().await;
    let big = vec![b'x'; 1024 * 1024 + 1];
    world
        .git
        .commit(
            "main",
            "More",
            &[
                ("big", Change::File(&big)),
                ("out", Change::Symlink("../outside")),
                ("sub", Change::Submodule(&"2".repeat(40))),
                (".gitmodules", Change::File(b"[submodule \"s\"]\n\tpath = sub\n\turl = ../sub.git\n")),
            ],
        )
        .unwrap();
    let contents = "/repos/acme/shop/contents";
    let file = world.get(&format!("{contents}/docs/guide.md?ref=main")).await.expect(200);
    assert_eq!(decoded(&file), b"# Guide\n\none\ntwo\nthree\n");
    // A link to a file answers as the file.
    assert_eq!(world.get(&format!("{contents}/link")).await.expect(200)["type"], "file");
    assert_eq!(world.get(&format!("{contents}/out")).await.expect(200)["target"], "../outside");
    let module = world.get(&format!("{contents}/sub")).await.expect(200);
    assert_eq!(
        (module["type"].as_str(), module["submodule_git_url"].as_str()),
        (Some("submodule"), Some("../sub.git"))
    );
    assert_eq!(world.get(contents).await.expect(200).as_array().unwrap().len(), 8);
    let large = world.get(&format!("{contents}/big")).await.expect(200);
    assert_eq!((large["encoding"].as_str(), large["content"].as_str()), (Some("none"), Some("")));
    assert_eq!(raw(&world, &format!("{contents}/big")).await.len(), big.len());
    world.get(&format!("{contents}/nothing")).await.expect(404);
    world.get(&format!("{contents}/Dockerfile?ref=nowhere")).await.expect(404);
}

#[tokio::test]
async fn a_comparison_knows_the_merge_base_and_stops_at_300_files() {
    let mut world = World::start().await;
    let base = world.github.set_branch("acme/shop", "start", "main").unwrap();
    world.git.commit("main", "Elsewhere", &[("other", Change::File(b"o\n"))]).unwrap();
    let names: Vec<String> = (0..301).map(|number| format!("many/{number:03}")).collect();
    let many: Vec<(&str, Change<'_>)> =
        names.iter().map(|name| (name.as_str(), Change::File(b"same\n"))).collect();
    world.git.commit("topic", "Many", &many).unwrap();

    let compared = world.get("/repos/acme/shop/compare/main...topic?per_page=1").await;
    assert!(compared.header("link").contains("rel=\"next\""));
    let compared = compared.expect(200);
    assert_eq!(compared["merge_base_commit"]["sha"], base.0.as_str());
    assert_eq!((compared["status"].as_str(), compared["ahead_by"].as_u64()), (Some("diverged"), Some(2)));
    assert_eq!(compared["behind_by"], 1);
    assert_eq!(compared["commits"].as_array().unwrap().len(), 1);
    assert_eq!(compared["files"].as_array().unwrap().len(), 300);
    let second = world.get("/repos/acme/shop/compare/main...topic?per_page=1&page=2").await.expect(200);
    assert!(second["files"].as_array().unwrap().is_empty());
    let same = world.get("/repos/acme/shop/compare/main...main").await.expect(200);
    assert_eq!(same["status"], "identical");
    world.get("/repos/acme/shop/compare/main...nowhere").await.expect(404);
}

#[tokio::test]
async fn a_tree_of_more_than_7_mb_is_truncated() {
    let mut world = World::start().await;
    let names: Vec<String> = (0..20_000).map(|number| format!("{number:05}-{}", "n".repeat(240))).collect();
    let many: Vec<(&str, Change<'_>)> = names.iter().map(|name| (name.as_str(), Change::File(b""))).collect();
    world.git.commit("wide", "Wide", &many).unwrap();
    let tree = world.get("/repos/acme/shop/git/trees/wide?recursive=1").await.expect(200);
    assert_eq!(tree["truncated"], true);
    assert!(tree["tree"].as_array().unwrap().len() < 20_000);
}
