//! Who gets in, and how far.

use std::time::Duration;

use fromguard::standin::StandinOptions;
use serde_json::json;

use super::World;

#[tokio::test]
async fn the_app_is_known_by_its_jwt() {
    let world = World::start().await;
    let app = world.as_token(&world.jwt(), "GET", "/app", None).await.expect(200);
    assert_eq!(app["slug"], "fromguard");
    assert_eq!(app["installations_count"], 1);
}

#[tokio::test]
async fn wrong_jwts_are_refused() {
    let world = World::start().await;
    let now_s = world.clock.now_ms() / 1000;
    let app = world.github.app_id();
    let good = world.jwt();
    let (signed, _) = good.rsplit_once('.').unwrap();
    for (claims, status, why) in [
        (json!({"iat": now_s - 60, "exp": now_s + 601, "iss": app}), 401, "too far in the future"),
        (json!({"iat": now_s - 60, "exp": now_s - 1, "iss": app}), 401, "must be a numeric value"),
        (json!({"iat": now_s + 5, "exp": now_s + 500, "iss": app}), 401, "'Issued at'"),
        (json!({"exp": now_s + 500, "iss": app}), 401, "'Issued at'"),
        (json!({"iat": now_s - 60, "exp": now_s + 500, "iss": app + 1}), 404, "Integration not found"),
    ] {
        let reply = world.as_token(&world.jwt_of(&claims), "GET", "/app", None).await.expect(status);
        assert!(reply["message"].as_str().unwrap().contains(why), "{claims}: {reply}");
    }
    for token in ["", "x.y.z", &format!("{signed}.AAAA")] {
        world.as_token(token, "GET", "/app", None).await.expect(401);
    }
}

#[tokio::test]
async fn a_token_expires_after_an_hour() {
    let world = World::start().await;
    let token = world.token().await;
    world.as_token(&token, "GET", "/repos/acme/shop", None).await.expect(200);
    world.clock.advance(Duration::from_secs(3_599));
    world.as_token(&token, "GET", "/repos/acme/shop", None).await.expect(200);
    world.clock.advance(Duration::from_secs(1));
    let refused = world.as_token(&token, "GET", "/repos/acme/shop", None).await.expect(401);
    assert_eq!(refused["message"], "Bad credentials");
}

#[tokio::test]
async fn a_narrowed_token_covers_what_it_names_and_no_more() {
    let world = World::start().await;
    let other = world.github.add_repository("acme/other", world.git.path()).unwrap();
    let minted =
        world.mint(&json!({"repositories": ["shop"], "permissions": {"contents": "read"}})).await.expect(201);
    assert_eq!(minted["repository_selection"], "selected");
    assert_eq!(minted["repositories"][0]["full_name"], "acme/shop");
    assert_eq!(minted["permissions"], json!({"contents": "read", "metadata": "read"}));
    let token = minted["token"].as_str().unwrap();

    world.as_token(token, "GET", "/repos/acme/shop/git/trees/main", None).await.expect(200);
    world.as_token(token, "GET", "/repos/acme/other", None).await.expect(404);
    // Reached, but without that permission.
    world.as_token(token, "GET", "/repos/acme/shop/pulls", None).await.expect(403);
    let listed = world.as_token(token, "GET", "/installation/repositories", None).await.expect(200);
    assert_eq!(listed["total_count"], 1);

    let by_id = world.mint(&json!({"repository_ids": [other]})).await.expect(201);
    assert_eq!(by_id["repositories"][0]["name"], "other");
}

#[tokio::test]
async fn a_token_for_what_the_installation_cannot_reach_is_refused() {
    let world = World::start().await;
    let refused = world.mint(&json!({"repositories": ["shop", ".github"]})).await.expect(422);
    assert!(refused["message"].as_str().unwrap().contains("not accessible to the parent installation"));
    world.mint(&json!({"permissions": {"administration": "write"}})).await.expect(422);
    world.mint(&json!({"permissions": {"contents": "write"}})).await.expect(422);
}

#[tokio::test]
async fn a_selected_installation_reaches_only_what_was_selected() {
    let world = World::start().await;
    world.github.add_repository("globex/one", world.git.path()).unwrap();
    world.github.add_repository("globex/two", world.git.path()).unwrap();
    let selected = world.github.install_selected("globex");
    world.github.select(selected, "globex/one").unwrap();
    let path = format!("/app/installations/{selected}/access_tokens");
    let jwt = world.jwt();
    let minted = world.as_token(&jwt, "POST", &path, None).await.expect(201);
    assert_eq!(minted["repository_selection"], "selected");
    let seen = world.as_token(&jwt, "GET", &format!("/app/installations/{selected}"), None).await.expect(200);
    assert_eq!(
        (seen["repository_selection"].as_str(), seen["account"]["login"].as_str()),
        (Some("selected"), Some("globex"))
    );
    let token = minted["token"].as_str().unwrap();
    world.as_token(token, "GET", "/repos/globex/one", None).await.expect(200);
    world.as_token(token, "GET", "/repos/globex/two", None).await.expect(404);

    world.github.uninstall(selected);
    world.as_token(token, "GET", "/repos/globex/one", None).await.expect(401);
    world.as_token(&jwt, "POST", &path, None).await.expect(404);
}

#[tokio::test]
async fn a_public_repository_can_be_read_but_not_written() {
    let world = World::start().await;
    world.github.add_repository("elsewhere/open", world.git.path()).unwrap();
    world.get("/repos/elsewhere/open").await.expect(404);
    world.github.make_public("elsewhere/open").unwrap();
    world.get("/repos/elsewhere/open").await.expect(200);
    let head = world.github.set_branch("elsewhere/open", "copy", "main").unwrap();
    let run = json!({"name": "x", "head_sha": head});
    world.call("POST", "/repos/elsewhere/open/check-runs", Some(&run)).await.expect(403);
}

#[tokio::test]
async fn every_answer_reports_the_limit_and_past_it_nothing_is_answered() {
    let world = World::start_with(StandinOptions { hourly_limit: 2, ..StandinOptions::default() }).await;
    let token = world.token().await;
    let first = world.as_token(&token, "GET", "/repos/acme/shop", None).await;
    assert_eq!(first.header("x-ratelimit-limit"), "2");
    assert_eq!(first.header("x-ratelimit-remaining"), "1");
    world.as_token(&token, "GET", "/repos/acme/shop", None).await.expect(200);
    let past = world.as_token(&token, "GET", "/repos/acme/shop", None).await;
    assert_eq!(past.header("x-ratelimit-remaining"), "0");
    let reset_s: i64 = past.header("x-ratelimit-reset").parse().unwrap();
    past.expect(403);

    world.clock.advance(Duration::from_secs(u64::try_from(reset_s - world.clock.now_ms() / 1000).unwrap()));
    let token = world.token().await;
    world.as_token(&token, "GET", "/repos/acme/shop", None).await.expect(200);
}
