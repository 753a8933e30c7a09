#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use serde_json::json;

use super::*;

/// A published example of a `pull_request` payload.
fn example(action: &str) -> Value {
    let path = format!("{}/tests/data/webhooks/pull_request.{action}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn read_pull(payload: &Value) -> Result<Event, EventError> {
    read("pull_request", payload.to_string().as_bytes())
}

fn pull_event(payload: &Value) -> PullEvent {
    match read_pull(payload) {
        Ok(Event::Pull(event)) => event,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_published_examples_are_read() {
    for (action, expected, open) in [
        ("opened", PullAction::Opened, true),
        ("reopened", PullAction::Reopened, true),
        ("synchronize", PullAction::Synchronize, true),
        ("ready_for_review", PullAction::ReadyForReview, true),
        ("closed", PullAction::Closed, false),
    ] {
        let payload = example(action);
        let event = pull_event(&payload);
        assert_eq!((event.action, event.open), (expected, open), "{action}");
        assert_eq!(event.head.0, payload["pull_request"]["head"]["sha"]);
        assert_eq!(event.pull.0, payload["number"]);
        assert_eq!(event.place.id.0, payload["repository"]["id"]);
        assert_eq!(event.place.name.to_string(), payload["repository"]["full_name"].as_str().unwrap());
        assert_eq!(event.place.installation.0, payload["installation"]["id"]);
    }
}

#[test]
fn the_published_merge_group_is_read() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/github/webhooks/merge_group.checks_requested.json");
    let mut payload: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let group = |payload: &Value| match read("merge_group", payload.to_string().as_bytes()) {
        Ok(Event::Group(group)) => group,
        other => panic!("{other:?}"),
    };
    let made = group(&payload);
    let said = &payload["merge_group"];
    assert_eq!(made.head.0, said["head_sha"]);
    assert_eq!(made.base.0, said["base_sha"]);
    assert_eq!(made.branch, said["head_ref"]);
    assert_eq!(made.base_branch, said["base_ref"]);
    assert!(made.open);
    payload["action"] = json!("destroyed");
    payload["reason"] = json!("dequeued");
    assert!(!group(&payload).open);
    payload["action"] = json!("of tomorrow");
    assert_eq!(read("merge_group", payload.to_string().as_bytes()), Ok(Event::Other));
}

/// A published example.
fn published(name: &str) -> Value {
    let path = format!("{}/tests/data/github/webhooks/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn the_published_installations_say_where_the_app_may_work() {
    let read = |event: &str, payload: &Value| read(event, payload.to_string().as_bytes()).unwrap();
    for action in ["created", "new_permissions_accepted", "unsuspend"] {
        let payload = published(&format!("installation.{action}"));
        let Event::Arrived(arrived) = read("installation", &payload) else { panic!("{action}") };
        assert_eq!(arrived.installation.0, payload["installation"]["id"]);
        assert_eq!(arrived.repositories, None);
    }
    for action in ["deleted", "suspend"] {
        let payload = published(&format!("installation.{action}"));
        let Event::Left(left) = read("installation", &payload) else { panic!("{action}") };
        assert_eq!(left.installation.0, payload["installation"]["id"]);
        assert_eq!(left.repositories, None);
    }
    let payload = published("installation_repositories.added");
    let Event::Arrived(arrived) = read("installation_repositories", &payload) else { panic!("added") };
    let added = &payload["repositories_added"][0];
    let (id, name) = &arrived.repositories.unwrap()[0];
    assert_eq!(
        (id.0, name.to_string()),
        (added["id"].as_u64().unwrap(), added["full_name"].as_str().unwrap().to_owned())
    );
    let payload = published("installation_repositories.removed");
    let Event::Left(left) = read("installation_repositories", &payload) else { panic!("removed") };
    assert_eq!(left.repositories.unwrap()[0].0, payload["repositories_removed"][0]["id"]);
}

/// The published push, of commits that touch these paths.
fn push_of(repository: &str, branch: &str, paths: &[&str]) -> Value {
    let mut payload = published("push");
    payload["ref"] = json!(format!("refs/heads/{branch}"));
    payload["repository"]["name"] = json!(repository);
    payload["repository"]["default_branch"] = json!("main");
    payload["commits"][0]["added"] = json!([]);
    payload["commits"][0]["modified"] = json!(paths);
    payload
}

#[test]
fn a_push_that_touches_a_policy_says_whose() {
    let base = |payload: &Value| match read("push", payload.to_string().as_bytes()) {
        Ok(Event::Policy(policy)) => Some(policy.base),
        Ok(Event::Other | Event::Stock(_)) => None,
        other => panic!("{other:?}"),
    };
    assert_eq!(base(&published("push")), None);
    let of = |repository, branch, path| base(&push_of(repository, branch, &["README.md", path]));
    assert_eq!(of("shop", "main", ".github/fromguard.yml"), Some(Some("main".into())));
    assert_eq!(of("shop", "release/1", ".github/fromguard.yml"), Some(Some("release/1".into())));
    assert_eq!(of("shop", "main", "fromguard.yml"), None);
    assert_eq!(of(".github", "main", "fromguard.yml"), Some(None));
    assert_eq!(of(".github", "topic", "fromguard.yml"), None);

    // What a forced push took away is not listed, and of very many commits only some are.
    let mut forced = push_of("shop", "feature", &["README.md"]);
    forced["forced"] = json!(true);
    assert_eq!(base(&forced), Some(Some("feature".into())));
    let mut many = push_of("shop", "main", &["README.md"]);
    many["commits"] = json!(vec![many["commits"][0].clone(); push::MAX_LISTED_COMMITS]);
    assert_eq!(base(&many), Some(Some("main".into())));
    // A branch that is gone, and a tag, have no pull requests.
    let mut gone = push_of("shop", "main", &[".github/fromguard.yml"]);
    gone["deleted"] = json!(true);
    assert_eq!(base(&gone), None);
    let mut tag = push_of("shop", "main", &[".github/fromguard.yml"]);
    tag["ref"] = json!("refs/tags/main");
    assert_eq!(base(&tag), None);
}

/// A published `repository` example, as an installation is told it.
fn repository(action: &str) -> Value {
    let mut payload = published(&format!("repository.{action}"));
    payload["installation"] = json!({"id": 7});
    payload
}

#[test]
fn the_published_repositories_say_where_each_is_now() {
    let read = |payload: &Value| read("repository", payload.to_string().as_bytes());
    for action in ["renamed", "transferred"] {
        let mut payload = repository(action);
        let Ok(Event::Moved(moved)) = read(&payload) else { panic!("{action}") };
        assert_eq!(
            (moved.place.id.0, moved.place.installation.0),
            (payload["repository"]["id"].as_u64().unwrap(), 7)
        );
        assert_eq!(moved.place.name.to_string(), payload["repository"]["full_name"].as_str().unwrap());
        assert!(!moved.organisation);
        payload["repository"]["name"] = json!(".github");
        assert!(
            matches!(read(&payload), Ok(Event::Moved(MovedEvent { organisation: true, .. }))),
            "{action}"
        );
    }
    let mut was = repository("renamed");
    was["changes"]["repository"]["name"]["from"] = json!(".github");
    assert!(matches!(read(&was), Ok(Event::Moved(MovedEvent { organisation: true, .. }))));

    let edited = repository("edited");
    assert!(edited["changes"]["default_branch"].is_object());
    let Ok(Event::Arrived(arrived)) = read(&edited) else { panic!("edited") };
    assert_eq!(arrived.repositories.unwrap()[0].0.0, edited["repository"]["id"]);
    let mut description = edited.clone();
    description["changes"] = json!({"description": {"from": "before"}});
    assert_eq!(read(&description), Ok(Event::Other));
    let mut home = edited;
    home["repository"]["name"] = json!(".github");
    assert!(matches!(read(&home), Ok(Event::Policy(PolicyEvent { base: None, .. }))));
    home["action"] = json!("deleted");
    assert!(matches!(read(&home), Ok(Event::Policy(PolicyEvent { base: None, .. }))));

    // Visibility is asked with each judgement.
    for action in ["privatized", "publicized"] {
        assert_eq!(read(&repository(action)), Ok(Event::Other), "{action}");
    }
    // No example of these is published.
    let mut gone = repository("renamed");
    for action in ["archived", "deleted"] {
        gone["action"] = json!(action);
        let Ok(Event::Left(left)) = read(&gone) else { panic!("{action}") };
        assert_eq!(left.repositories, Some(vec![RepositoryId(gone["repository"]["id"].as_u64().unwrap())]));
    }
    gone["action"] = json!("unarchived");
    assert!(matches!(read(&gone), Ok(Event::Arrived(_))));
}

/// Every event and action that is handled. The second list has no published example: its tests
/// change another one's, as the documentation says.
const HANDLED_ACTIONS: [(&str, &[&str], &[&str]); 9] = [
    ("check_run", &["rerequested", "requested_action"], &[]),
    ("check_suite", &["rerequested"], &[]),
    ("installation", &["created", "deleted", "new_permissions_accepted", "suspend", "unsuspend"], &[]),
    ("installation_repositories", &["added", "removed"], &[]),
    ("merge_group", &["checks_requested"], &["destroyed"]),
    ("pull_request", &["closed", "opened", "ready_for_review", "reopened", "synchronize"], &["edited"]),
    ("pull_request_review", &["dismissed", "submitted"], &[]),
    ("push", &[""], &[]),
    ("repository", &["edited", "renamed", "transferred"], &["archived", "deleted", "unarchived"]),
];

#[test]
fn every_event_and_action_has_its_published_example_or_is_known_to_have_none() {
    let mut events: Vec<&str> = HANDLED.iter().chain(AUTOMATIC).copied().collect();
    events.sort_unstable();
    assert_eq!(events, HANDLED_ACTIONS.map(|(event, ..)| event));
    let file = |event: &str, action: &str| {
        let name = format!("{event}.{action}");
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/github/webhooks");
        std::path::PathBuf::from(format!("{folder}/{}.json", name.trim_end_matches('.')))
    };
    for (event, published, unpublished) in HANDLED_ACTIONS {
        for action in published {
            let body = std::fs::read(file(event, action)).unwrap();
            let read = read(event, &body);
            // Of some events only other webhooks' examples are published.
            assert!(matches!(read, Ok(_) | Err(EventError::NoInstallation)), "{event}.{action}: {read:?}");
        }
        for action in unpublished {
            assert!(!file(event, action).exists(), "{event}.{action} has an example: test it");
        }
    }
}

#[test]
fn a_push_to_the_default_branch_may_change_what_stands_there() {
    let stock = |payload: &Value| match read("push", payload.to_string().as_bytes()) {
        Ok(Event::Stock(place)) => Some(place.name.name),
        Ok(Event::Other) => None,
        other => panic!("{other:?}"),
    };
    let of = |branch, path| stock(&push_of("shop", branch, &["README.md", path]));
    assert_eq!(of("main", "services/api/Dockerfile"), Some("shop".into()));
    assert_eq!(of("main", "deploy/prod.env"), Some("shop".into()));
    assert_eq!(of("main", "src/main.rs"), None);
    assert_eq!(of("feature", "Dockerfile"), None);
}

#[test]
fn only_what_can_leave_another_base_announces() {
    for (action, announces) in [
        (PullAction::Opened, true),
        (PullAction::Reopened, true),
        (PullAction::Retargeted, true),
        (PullAction::Synchronize, false),
        (PullAction::ReadyForReview, false),
        (PullAction::Closed, false),
    ] {
        assert_eq!(action.announces(), announces, "{action:?}");
    }
}

/// A published example of a `pull_request_review` payload.
fn review(action: &str) -> Value {
    let path = format!(
        "{}/tests/data/github/webhooks/pull_request_review.{action}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_review_counts_when_it_approves_objects_or_is_dismissed() {
    let read_review = |payload: &Value| read("pull_request_review", payload.to_string().as_bytes());
    let mut payload = review("submitted");
    assert_eq!(read_review(&payload), Ok(Event::Other), "the example is a comment");
    for state in ["approved", "APPROVED", "changes_requested"] {
        payload["review"]["state"] = json!(state);
        let Ok(Event::Pull(event)) = read_review(&payload) else { panic!("{state}") };
        assert_eq!((event.action, event.open), (PullAction::Reviewed, true));
        assert_eq!(event.head.0, payload["pull_request"]["head"]["sha"]);
    }
    payload["action"] = json!("edited");
    assert_eq!(read_review(&payload), Ok(Event::Other));
    let Ok(Event::Pull(event)) = read_review(&review("dismissed")) else { panic!() };
    assert_eq!(event.action, PullAction::Reviewed);
}

/// A published example of another event.
fn example_of(event: &str, action: &str) -> Value {
    let path = format!("{}/tests/data/github/webhooks/{event}.{action}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_rerun_is_of_a_run_or_a_suite_of_ours() {
    let read_as = |event: &str, payload: &Value| read(event, payload.to_string().as_bytes());
    let mut run = example_of("check_run", "rerequested");
    assert_eq!(read_as("check_run", &run), Ok(Event::Other), "the example is somebody else's");
    let ours = format!("fromguard:{}:1:00", run["repository"]["id"]);
    run["check_run"]["external_id"] = json!(ours);
    let Ok(Event::Rerun(event)) = read_as("check_run", &run) else { panic!() };
    assert_eq!(event.head.0, run["check_run"]["head_sha"]);
    assert_eq!(event.place.id.0, run["repository"]["id"]);

    let mut pressed = example_of("check_run", "requested_action");
    pressed["check_run"]["external_id"] = json!(format!("fromguard:{}:1:00", pressed["repository"]["id"]));
    assert_eq!(read_as("check_run", &pressed), Ok(Event::Other), "another button");
    pressed["requested_action"]["identifier"] = json!(RECHECK);
    assert!(matches!(read_as("check_run", &pressed), Ok(Event::Rerun(_))));

    let suite = example_of("check_suite", "rerequested");
    let Ok(Event::Rerun(event)) = read_as("check_suite", &suite) else { panic!() };
    assert_eq!(event.head.0, suite["check_suite"]["head_sha"]);
    for (event, action) in [("check_run", "created"), ("check_suite", "requested")] {
        assert_eq!(read_as(event, &example_of(event, action)), Ok(Event::Other), "{event}.{action}");
    }
}

#[test]
fn edited_counts_only_with_another_base() {
    let mut payload = example("opened");
    payload["action"] = json!("edited");
    payload["changes"] = json!({"title": {"from": "before"}});
    assert_eq!(read_pull(&payload), Ok(Event::Other));
    payload["changes"] = json!({"base": {"ref": {"from": "main"}, "sha": {"from": "0".repeat(40)}}});
    assert_eq!(pull_event(&payload).action, PullAction::Retargeted);
    payload["pull_request"]["state"] = json!("closed");
    assert!(!pull_event(&payload).open);
}

#[test]
fn other_events_and_actions_are_none_of_ours() {
    assert_eq!(read_pull(&example("labeled")), Ok(Event::Other));
    assert_eq!(read("star", b"not even JSON"), Ok(Event::Other));
    assert_eq!(read("ping", b"{}"), Ok(Event::Ping));
}

#[test]
fn a_webhook_that_is_not_the_apps_is_told_so() {
    assert_eq!(read_pull(&example("opened.not-of-an-app")), Err(EventError::NoInstallation));
}

#[test]
fn what_is_not_the_event_is_told_where_and_never_what() {
    let broken = read("pull_request", b"{\n\"action\": secret}").unwrap_err();
    assert_eq!(broken, EventError::Json { line: 2, column: 11 });
    for body in [&b""[..], b"[]", b"null", b"{\"action\":1}", b"{\"action\":\"opened\"", b"\xff"] {
        assert!(matches!(read("pull_request", body), Err(EventError::Json { .. })), "{body:?}");
    }
    assert_eq!(read_pull(&json!({})), Err(EventError::Missing("action")));
    assert_eq!(read_pull(&json!({"action": "opened"})), Err(EventError::Missing("pull_request")));
    for (pointer, value) in [
        ("/pull_request/head/sha", json!("main")),
        ("/pull_request/head/sha", json!("A".repeat(40))),
        ("/pull_request/head/sha", json!("")),
    ] {
        let mut payload = example("opened");
        *payload.pointer_mut(pointer).unwrap() = value.clone();
        assert_eq!(read_pull(&payload), Err(EventError::Sha), "{pointer} {value}");
    }
}

#[test]
fn deep_nesting_is_refused_and_brings_nothing_down() {
    let deep = format!("{{\"action\":\"opened\",\"x\":{}", "[".repeat(1_000_000));
    assert!(matches!(read("pull_request", deep.as_bytes()), Err(EventError::Json { .. })));
}
