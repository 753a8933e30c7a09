//! Comments on a pull request.

use serde_json::json;

use super::World;

#[tokio::test]
async fn a_comment_is_posted_changed_and_deleted() {
    let world = World::start().await;
    let pull = world.open();
    world.github.comment_as(&pull, "someone", "hello").unwrap();
    let path = "/repos/acme/shop/issues/1/comments";
    let posted = world.call("POST", path, Some(&json!({"body": "first"}))).await.expect(201);
    assert_eq!(posted["user"]["login"], "fromguard[bot]");
    assert_eq!(posted["performed_via_github_app"]["id"], world.github.app_id());
    let one = format!("/repos/acme/shop/issues/comments/{}", posted["id"]);
    world.call("PATCH", &one, Some(&json!({"body": "second"}))).await.expect(200);
    assert_eq!(world.get(&one).await.expect(200)["body"], "second");

    let first = world.get(&format!("{path}?per_page=1")).await;
    assert!(first.header("link").contains("page=2>; rel=\"next\""), "{}", first.header("link"));
    assert_eq!(first.expect(200)[0]["body"], "hello");
    let seen = world.github.comments(&pull).unwrap();
    assert_eq!((seen.len(), seen[0].by_app, seen[1].by_app), (2, false, true));

    world.call("DELETE", &one, None).await.expect(204);
    world.get(&one).await.expect(404);
    for body in [json!({"body": " "}), json!({"body": "x".repeat(65_537)}), json!({})] {
        world.call("POST", path, Some(&body)).await.expect(422);
    }
    world.call("POST", "/repos/acme/shop/issues/9/comments", Some(&json!({"body": "b"}))).await.expect(404);
}
