//! How the App is set up: its webhook, where it is installed, what branches require, what is left.

use fromguard::standin::StandinOptions;
use serde_json::json;

use super::World;

#[tokio::test]
async fn the_webhook_s_secret_is_never_shown() {
    let world = World::start().await;
    world.github.deliver_to("http://127.0.0.1:1/webhook");
    let config = world.as_token(&world.jwt(), "GET", "/app/hook/config", None).await.expect(200);
    let expected = json!({
        "content_type": "json", "insecure_ssl": "0", "secret": "********", "url": "http://127.0.0.1:1/webhook",
    });
    assert_eq!(config, expected);
    let token = world.token().await;
    world.as_token(&token, "GET", "/app/hook/config", None).await.expect(401);
}

#[tokio::test]
async fn a_repository_names_its_installation() {
    let world = World::start().await;
    let installation = world.as_token(&world.jwt(), "GET", "/repos/acme/shop/installation", None).await;
    assert_eq!(installation.expect(200)["id"], world.installation.0);
    world.as_token(&world.jwt(), "GET", "/repos/acme/none/installation", None).await.expect(404);
    world.github.uninstall(world.installation);
    world.as_token(&world.jwt(), "GET", "/repos/acme/shop/installation", None).await.expect(404);
}

#[tokio::test]
async fn a_branch_shows_what_its_protection_requires_and_rules_show_the_rest() {
    let world = World::start().await;
    let branch = world.get("/repos/acme/shop/branches/main").await.expect(200);
    assert_eq!((&branch["protected"], &branch["protection"]["enabled"]), (&json!(false), &json!(false)));
    assert_eq!(world.get("/repos/acme/shop/rules/branches/main").await.expect(200), json!([]));

    world.github.protect("acme/shop", "main", "tests", None).unwrap();
    world.github.protect_by_rule("acme/shop", "main", "fromguard", Some(7)).unwrap();
    world.github.protect_by_rule("acme/shop", "main", "lint", None).unwrap();
    let branch = world.get("/repos/acme/shop/branches/main").await.expect(200);
    let checks = &branch["protection"]["required_status_checks"]["checks"];
    assert_eq!(checks, &json!([{"context": "tests", "app_id": null}]));
    let rules = world.get("/repos/acme/shop/rules/branches/main").await.expect(200);
    assert_eq!(
        rules[0]["parameters"]["required_status_checks"],
        json!([{"context": "fromguard", "integration_id": 7}, {"context": "lint"}])
    );
    assert_eq!(rules[0]["type"], "required_status_checks");
    world.get("/repos/acme/shop/branches/none").await.expect(404);
    assert_eq!(world.get("/repos/acme/shop/rules/branches/none").await.expect(200), json!([]));
}

#[tokio::test]
async fn asking_for_the_limits_costs_nothing() {
    let world = World::start_with(StandinOptions { hourly_limit: 10, ..StandinOptions::default() }).await;
    let token = world.token().await;
    world.as_token(&token, "GET", "/repos/acme/shop", None).await.expect(200);
    world.github.spend(world.installation, 5);
    for _ in 0..2 {
        let limits = world.as_token(&token, "GET", "/rate_limit", None).await.expect(200);
        assert_eq!(limits["resources"]["core"]["remaining"], 4);
        assert_eq!(limits["resources"]["graphql"]["remaining"], 10);
    }
}

#[tokio::test]
async fn every_answer_is_dated_by_the_clock_that_judges_jwts() {
    let world = World::start().await;
    let refused = world.as_token("x", "GET", "/app", None).await;
    assert_eq!(refused.header("date"), "Thu, 01 Jan 2026 00:00:00 GMT");
    refused.expect(401);
}
