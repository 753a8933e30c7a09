//! Deliveries: what they hold, how they are signed, how they are lost and repeated.

use std::sync::Arc;
use std::sync::Mutex;

use fromguard::standin::StandinError;
use hmac::Hmac;
use hmac::KeyInit as _;
use hmac::Mac as _;
use serde_json::Value;
use sha2::Sha256;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::World;

fn example(action: &str) -> Value {
    example_of("pull_request", action)
}

fn example_of(event: &str, action: &str) -> Value {
    let path = format!("{}/tests/data/github/webhooks/{event}.{action}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The pointers of the example's fields that the payload lacks.
fn lacking(example: &Value, payload: &Value, pointer: &str, found: &mut Vec<String>) {
    let Some(fields) = example.as_object() else { return };
    for (name, inner) in fields {
        let pointer = format!("{pointer}/{name}");
        match payload.get(name) {
            None => found.push(pointer),
            Some(Value::Null) => {}
            Some(present) => lacking(inner, present, &pointer, found),
        }
    }
}

#[tokio::test]
async fn a_payload_has_every_field_of_the_published_example() {
    let world = World::start().await;
    let pull = world.github.open_draft("acme/shop", "main", "topic").unwrap();
    world.github.mark_ready(&pull).unwrap();
    world.github.push(&pull, "main").unwrap();
    world.github.close(&pull).unwrap();
    world.github.reopen(&pull).unwrap();
    let waiting = world.github.waiting_deliveries();
    let actions: Vec<&str> = waiting.iter().map(|delivery| delivery.action.as_str()).collect();
    assert_eq!(actions, ["opened", "ready_for_review", "synchronize", "closed", "reopened"]);
    for delivery in &waiting {
        let payload: Value = serde_json::from_slice(&delivery.body).unwrap();
        let mut found = Vec::new();
        lacking(&example(&delivery.action), &payload, "", &mut found);
        assert!(found.is_empty(), "pull_request.{} lacks {found:#?}", delivery.action);
    }
    let push: Value = serde_json::from_slice(&waiting[2].body).unwrap();
    assert_eq!(push["after"], push["pull_request"]["head"]["sha"]);
}

#[tokio::test]
async fn a_review_has_every_field_of_the_published_example() {
    let world = World::start().await;
    let pull = world.github.open_draft("acme/shop", "main", "topic").unwrap();
    world.github.review(&pull, "ann", "APPROVED").unwrap();
    world.github.dismiss(&pull, "ann").unwrap();
    let waiting = world.github.waiting_deliveries();
    let reviews = waiting.iter().filter(|delivery| delivery.event == "pull_request_review");
    let actions: Vec<&str> = reviews
        .map(|delivery| {
            let payload: Value = serde_json::from_slice(&delivery.body).unwrap();
            let mut found = Vec::new();
            lacking(&example_of("pull_request_review", &delivery.action), &payload, "", &mut found);
            assert!(found.is_empty(), "pull_request_review.{} lacks {found:#?}", delivery.action);
            delivery.action.as_str()
        })
        .collect();
    assert_eq!(actions, ["submitted", "dismissed"]);
}

#[tokio::test]
async fn a_merge_group_has_every_field_of_the_published_example_and_real_commits() {
    let world = World::start().await;
    let pull = world.open();
    let group = world.github.enqueue(&pull).unwrap();
    world.github.dequeue(&pull).unwrap();
    let waiting = world.github.waiting_deliveries();
    let actions: Vec<&str> = waiting[1..].iter().map(|delivery| delivery.action.as_str()).collect();
    assert_eq!(actions, ["checks_requested", "destroyed"]);
    let example = example_of("merge_group", "checks_requested");
    for delivery in &waiting[1..] {
        let payload: Value = serde_json::from_slice(&delivery.body).unwrap();
        let mut found = Vec::new();
        lacking(&example, &payload, "", &mut found);
        assert!(found.is_empty(), "merge_group.{} lacks {found:#?}", delivery.action);
        assert_eq!(payload["merge_group"]["head_ref"], format!("refs/heads/{}", group.branch));
        assert_eq!(payload["merge_group"]["base_ref"], "refs/heads/main");
    }
    // The merge commit has both parents, and the files of both.
    let tree = world.get(&format!("/repos/acme/shop/git/trees/{}?recursive=1", group.head)).await.expect(200);
    let topic = world.get("/repos/acme/shop/git/trees/topic?recursive=1").await.expect(200);
    assert_eq!(tree["tree"], topic["tree"]);
    let compared = world.get(&format!("/repos/acme/shop/compare/main...{}", group.head)).await.expect(200);
    assert_eq!((&compared["status"], &compared["ahead_by"]), (&"ahead".into(), &2.into()));
}

#[tokio::test]
async fn installations_and_pushes_have_every_field_of_the_published_examples() {
    let world = World::start().await;
    let github = &world.github;
    github.announce_installed(world.installation);
    github.suspend(world.installation);
    github.unsuspend(world.installation);
    github.accept_permission(world.installation, "checks", "write");
    github.select(world.installation, "acme/shop").unwrap();
    github.announce_push("acme/shop", "main", "main", "topic").unwrap();
    github.deselect(world.installation, "acme/shop").unwrap();
    github.uninstall(world.installation);
    let waiting = github.waiting_deliveries();
    let what: Vec<String> =
        waiting.iter().map(|delivery| format!("{}.{}", delivery.event, delivery.action)).collect();
    let expected = [
        "installation.created",
        "installation.suspend",
        "installation.unsuspend",
        "installation.new_permissions_accepted",
        "installation_repositories.added",
        "push.",
        "installation_repositories.removed",
        "installation.deleted",
    ];
    assert_eq!(what, expected);
    for (delivery, what) in waiting.iter().zip(expected) {
        let name = what.trim_end_matches('.');
        let path = format!("{}/tests/data/github/webhooks/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let example: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let payload: Value = serde_json::from_slice(&delivery.body).unwrap();
        let mut found = Vec::new();
        lacking(&example, &payload, "", &mut found);
        // Each App asks for permissions of its own.
        found.retain(|pointer| !pointer.starts_with("/installation/permissions/"));
        assert!(found.is_empty(), "{what} lacks {found:#?}");
    }
    let push: Value = serde_json::from_slice(&waiting[5].body).unwrap();
    assert_eq!(push["commits"][0]["modified"][0], "Dockerfile");
    assert_eq!(push["forced"], false);
}

#[tokio::test]
async fn a_repository_that_moves_has_every_field_of_the_published_examples() {
    let world = World::start().await;
    let github = &world.github;
    github.change_default_branch("acme/shop", "topic").unwrap();
    github.rename("acme/shop", "store").unwrap();
    github.archive("acme/store").unwrap();
    github.unarchive("acme/store").unwrap();
    github.install("globex");
    github.transfer("acme/store", "globex").unwrap();
    let waiting = github.waiting_deliveries();
    let actions: Vec<&str> = waiting.iter().map(|delivery| delivery.action.as_str()).collect();
    assert_eq!(actions, ["edited", "renamed", "archived", "unarchived", "transferred"]);
    for delivery in waiting.iter().filter(|delivery| !delivery.action.ends_with("archived")) {
        let payload: Value = serde_json::from_slice(&delivery.body).unwrap();
        let mut found = Vec::new();
        lacking(&example_of("repository", &delivery.action), &payload, "", &mut found);
        // It was an organisation's.
        found.retain(|pointer| pointer != "/changes/owner/from/user");
        assert!(found.is_empty(), "repository.{} lacks {found:#?}", delivery.action);
    }
}

#[tokio::test]
async fn the_log_of_deliveries_is_paged_by_cursor_and_gives_a_delivery_again() {
    let world = World::start().await;
    let pull = world.open();
    world.github.retitle(&pull, "Better").unwrap();
    let (url, _received) = receiver().await;
    world.github.deliver_to(&url);
    world.github.deliver_all().await.unwrap();
    let as_app = async |method: &str, path: &str| world.as_token(&world.jwt(), method, path, None).await;
    let first = as_app("GET", "/app/hook/deliveries?per_page=1").await;
    let link = first.header("link").to_owned();
    let newest = first.expect(200);
    assert_eq!((&newest[0]["event"], &newest[0]["action"]), (&"pull_request".into(), &"edited".into()));
    assert_eq!((&newest[0]["status"], &newest[0]["status_code"]), (&"OK".into(), &202.into()));
    let path = link.split_once("deliveries?").unwrap().1.split_once('>').unwrap().0;
    let second = as_app("GET", &format!("/app/hook/deliveries?{path}")).await;
    assert_eq!(second.header("link"), "");
    let opened = second.expect(200);
    assert_eq!(opened[0]["action"], "opened");

    as_app("POST", &format!("/app/hook/deliveries/{}/attempts", opened[0]["id"])).await.expect(202);
    let again = world.github.deliver_all().await.unwrap();
    assert_eq!(opened[0]["guid"], again[0].guid);
    let log = as_app("GET", "/app/hook/deliveries").await.expect(200);
    assert_eq!((&log[0]["redelivery"], &log[2]["redelivery"]), (&true.into(), &false.into()));
    as_app("POST", "/app/hook/deliveries/1/attempts").await.expect(404);
    let token = world.token().await;
    world.as_token(&token, "GET", "/app/hook/deliveries", None).await.expect(401);
    assert_eq!(world.contract.take(), [] as [String; 0]);
}

#[tokio::test]
async fn an_edited_base_is_told_from_an_edited_title() {
    let world = World::start().await;
    let pull = world.open();
    world.github.set_branch("acme/shop", "release", "main").unwrap();
    world.github.retarget(&pull, "release").unwrap();
    world.github.retitle(&pull, "Better").unwrap();
    let waiting = world.github.waiting_deliveries();
    let changes = |at: usize| -> Value {
        serde_json::from_slice::<Value>(&waiting[at].body).unwrap()["changes"].clone()
    };
    assert_eq!(changes(1)["base"]["ref"]["from"], "main");
    assert_eq!(changes(2).get("base"), None);
}

#[tokio::test]
async fn nothing_is_sent_where_the_app_is_not_installed() {
    let world = World::start().await;
    world.github.add_repository("globex/shop", world.git.path()).unwrap();
    world.github.open_pull_request("globex/shop", "main", "topic").unwrap();
    assert!(world.github.waiting_deliveries().is_empty());
}

/// Answers every request with 202 and keeps what was sent.
async fn receiver() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhook", listener.local_addr().unwrap());
    let received: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&received);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = Vec::new();
            let mut buffer = [0; 65_536];
            loop {
                let read = stream.read(&mut buffer).await.unwrap();
                bytes.extend_from_slice(&buffer[..read]);
                let text = String::from_utf8_lossy(&bytes);
                let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
                    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                    length.is_some_and(|length| body.len() >= length.parse().unwrap())
                });
                if whole || read == 0 {
                    kept.lock().unwrap().push(text.into_owned());
                    break;
                }
            }
            stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        }
    });
    (url, received)
}

#[tokio::test]
async fn deliveries_are_signed_and_can_be_lost_repeated_reordered() {
    let world = World::start().await;
    let pull = world.open();
    assert!(matches!(world.github.deliver_all().await, Err(StandinError::NoWebhook)));
    let (url, received) = receiver().await;
    world.github.deliver_to(&url);
    world.github.push(&pull, "main").unwrap();
    world.github.close(&pull).unwrap();
    world.github.rearrange_deliveries(|waiting| {
        waiting.remove(2);
        waiting.reverse();
        waiting.push(waiting[1].clone());
    });
    let sent = world.github.deliver_all().await.unwrap();
    let what: Vec<(&str, Option<u16>)> = sent.iter().map(|sent| (sent.what.as_str(), sent.status)).collect();
    assert_eq!(
        what,
        [
            ("pull_request.synchronize", Some(202)),
            ("pull_request.opened", Some(202)),
            ("pull_request.opened", Some(202)),
        ]
    );
    assert_eq!(sent[1].guid, sent[2].guid);
    assert!(world.github.waiting_deliveries().is_empty());
    world.github.reopen(&pull).unwrap();
    world.github.retitle(&pull, "Again").unwrap();
    assert_eq!(world.github.deliver_all_at_once().await.unwrap().len(), 2);
    world.github.redeliver(&sent[0].guid).unwrap();
    assert_eq!(world.github.deliver_all().await.unwrap()[0].guid, sent[0].guid);

    let first = received.lock().unwrap()[0].clone();
    let (head, body) = first.split_once("\r\n\r\n").unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(world.github.webhook_secret().as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let expected: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(head.contains(&format!("x-hub-signature-256: sha256={expected}")), "{head}");
    assert!(head.contains("x-github-event: pull_request"));
    assert!(head.contains(&format!("x-github-delivery: {}", sent[0].guid)));
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_no_error() {
    let world = World::start().await;
    world.open();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhook", listener.local_addr().unwrap());
    drop(listener);
    world.github.deliver_to(&url);
    assert_eq!(world.github.deliver_all().await.unwrap()[0].status, None);
}
