//! Faults on order, and the count of round trips.

use std::time::Duration;

use fromguard::standin::Endpoint;
use fromguard::standin::Fault;
use serde_json::json;

use super::World;
use super::send;

const SHOP: &str = "/repos/acme/shop";

#[tokio::test]
async fn faults_meet_the_requests_they_were_ordered_for_and_are_used_up() {
    let world = World::start().await;
    let token = world.token().await;
    let get = async || world.as_token(&token, "GET", SHOP, None).await;
    let wait = Fault::Status {
        status: 429,
        headers: vec![("retry-after".to_owned(), "30".to_owned())],
        body: "{\"message\":\"slow down\"}".to_owned(),
    };
    world.github.fail_after(1, Endpoint::rest("GET", "/repos/{owner}/{repo}"), wait, 1);
    world.github.fail_next(
        Endpoint::graphql(),
        Fault::GraphqlErrorIn200 { kind: "RATE_LIMITED".to_owned() },
        1,
    );
    get().await.expect(200);
    let refused = get().await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "30"));
    get().await.expect(200);
    let query = json!({"query": "{ rateLimit { cost } }"});
    let answer = world.as_token(&token, "POST", "/graphql", Some(&query)).await.expect(200);
    assert_eq!(answer["errors"][0]["type"], "RATE_LIMITED");

    world.github.fail_next(Endpoint::any(), Fault::SecondaryLimitNoHeaders, 1);
    let limited = get().await;
    assert_eq!(
        (limited.status, limited.header("retry-after"), limited.header("x-ratelimit-remaining")),
        (403, "", "")
    );
    world.github.fail_next(Endpoint::any(), Fault::Timeout, 2);
    assert_eq!(get().await.status, 502);
    assert_eq!(world.github.faults_left(), 1);
    world.github.clear_faults();
    get().await.expect(200);
}

#[tokio::test]
async fn a_connection_is_cut_before_or_after_the_work() {
    let world = World::start().await;
    let token = world.token().await;
    let head = world.github.set_branch("acme/shop", "topic", "topic").unwrap();
    let authorization = format!("Bearer {token}");
    let url = world.url("/repos/acme/shop/check-runs");
    let headers = [("authorization", authorization.as_str())];
    let body = json!({"name": "fromguard", "head_sha": head});
    let runs = || world.github.check_runs("acme/shop", "topic").unwrap().len();

    world.github.fail_next(Endpoint::post_check_run(), Fault::Drop, 1);
    assert!(send("POST", &url, &headers, Some(&body)).await.is_none());
    assert_eq!(runs(), 0);
    world.github.fail_next(Endpoint::post_check_run(), Fault::DropAfterProcessing, 1);
    assert!(send("POST", &url, &headers, Some(&body)).await.is_none());
    assert_eq!(runs(), 1);
    let traffic = world.github.traffic();
    assert_eq!(traffic.requests.iter().filter(|record| record.status.is_none()).count(), 2);
}

#[tokio::test]
async fn a_hanging_request_is_recorded_when_the_client_gives_up() {
    let world = World::start().await;
    let token = world.token().await;
    world.github.reset_traffic();
    world.github.fail_next(Endpoint::any(), Fault::Hang, 1);
    {
        let hanging = world.as_token(&token, "GET", SHOP, None);
        let other = async {
            while world.github.faults_left() > 0 {
                tokio::task::yield_now().await;
            }
            world.as_token(&token, "GET", SHOP, None).await.expect(200)
        };
        tokio::select! {
            _ = hanging => panic!("it was never to be answered"),
            _ = other => {}
        }
    }
    while world.github.traffic().total() < 2 {
        tokio::task::yield_now().await;
    }
    let hung = world.github.traffic().requests.into_iter().find(|record| record.status.is_none());
    assert_eq!(hung.unwrap().template, "/repos/{owner}/{repo}");
}

#[tokio::test]
async fn a_slow_answer_waits_for_the_stand_ins_clock() {
    let world = World::start().await;
    let token = world.token().await;
    world.github.fail_next(Endpoint::any(), Fault::Slow(Duration::from_secs(20)), 1);
    let slow = world.as_token(&token, "GET", SHOP, None);
    let move_the_clock = async {
        loop {
            world.clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        reply = slow => assert_eq!(reply.status, 200),
        () = move_the_clock => {}
    }
}

#[tokio::test]
async fn parallel_requests_are_one_round_trip() {
    let world = World::start().await;
    let token = world.token().await;
    world.github.reset_traffic();
    let get = || world.as_token(&token, "GET", SHOP, None);
    // All three are under way before the clock lets the first one end.
    world.github.fail_next(Endpoint::any(), Fault::Slow(Duration::from_secs(1)), 3);
    let move_the_clock = async {
        while world.github.faults_left() > 0 {
            tokio::task::yield_now().await;
        }
        while world.github.traffic().total() < 3 {
            world.clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
    };
    let (first, second, third, ()) = tokio::join!(get(), get(), get(), move_the_clock);
    for reply in [first, second, third] {
        reply.expect(200);
    }
    get().await.expect(200);
    let traffic = world.github.traffic();
    assert_eq!((traffic.total(), traffic.longest_chain()), (4, 2), "{}", traffic.describe());
    assert_eq!(traffic.count("GET", "/repos/{owner}/{repo}"), 4);
}

#[tokio::test]
async fn the_paths_of_enterprise_server_work_too() {
    let world = World::start().await;
    world.get("/api/v3/repos/acme/shop").await.expect(200);
    let body = json!({"query": "{ rateLimit { cost } }"});
    world.call("POST", "/api/graphql", Some(&body)).await.expect(200);
    world.get("/repos/acme/shop/nothing").await.expect(404);
    assert_eq!(world.contract.take().len(), 1, "the last one is no operation of GitHub's");
}
