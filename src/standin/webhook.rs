//! Webhooks: what an event's payload holds, how it is signed, how it is sent.
//!
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads>. A payload is
//! made of the same JSON as the REST answers; a test holds it against the published example.

use std::pin::pin;

use aws_lc_rs::hmac;
use bytes::Bytes;
use gix::ObjectId;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use serde_json::json;
use tokio::net::TcpStream;

use super::git::Commit;
use super::git::Git;
use super::shape::Shapes;
use super::shape::account_id;
use super::shape::merge;
use super::shape::node_id;
use super::state::CheckRun;
use super::state::Installation;
use super::state::Pull;
use super::state::QueueEntry;
use super::state::Repository;
use super::state::Review;
use super::state::State;
use super::time::iso;
use crate::clock::TimestampMs;
use crate::ids::InstallationId;

/// Where deliveries go and what they are signed with.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) url: String,
    pub(super) secret: String,
}

/// One webhook delivery, waiting or sent.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// `X-GitHub-Delivery`; a redelivery keeps it.
    pub guid: String,
    /// `X-GitHub-Event`.
    pub event: String,
    /// The payload's `action`; empty when the event has none.
    pub action: String,
    /// The payload, byte for byte what is signed.
    pub body: Vec<u8>,
}

/// How a delivery went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The delivery's GUID.
    pub guid: String,
    /// The event and its action: `pull_request.opened`.
    pub what: String,
    /// The receiver's status, or `None` when there was no answer.
    pub status: Option<u16>,
}

/// Deliveries that wait, all that were ever made, and every attempt to send one.
#[derive(Default)]
pub(super) struct Deliveries {
    made: u64,
    pub(super) waiting: Vec<Delivery>,
    pub(super) log: Vec<Delivery>,
    pub(super) attempts: Vec<Attempt>,
}

/// One attempt to send a delivery, as the App's log has it.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) id: u64,
    pub(super) delivery: Delivery,
    pub(super) at_ms: TimestampMs,
    /// The receiver's status; 0 without an answer.
    pub(super) status: u16,
}

impl Deliveries {
    /// Writes down how sending a delivery went.
    pub(super) fn attempted(&mut self, delivery: Delivery, at_ms: TimestampMs, status: Option<u16>) {
        let id = 12_000_000_000 + self.attempts.len() as u64;
        self.attempts.push(Attempt { id, delivery, at_ms, status: status.unwrap_or(0) });
    }

    /// Makes a delivery of a payload and lets it wait.
    pub(super) fn add(&mut self, event: &str, payload: &Value) {
        self.made += 1;
        let delivery = Delivery {
            guid: format!("{:08x}-0000-11f0-8000-{:012x}", self.made, account_id(event)),
            event: event.to_owned(),
            action: payload["action"].as_str().unwrap_or_default().to_owned(),
            body: payload.to_string().into_bytes(),
        };
        self.log.push(delivery.clone());
        self.waiting.push(delivery);
    }
}

/// The payload of an `installation` event.
pub(super) fn installation(
    shapes: Shapes<'_>,
    action: &str,
    id: InstallationId,
    of: &Installation,
    reached: &[&Repository],
) -> Value {
    json!({
        "action": action,
        "installation": shapes.installation(id, of),
        "repositories": reached.iter().map(|it| shapes.listed_repository(it)).collect::<Vec<_>>(),
        "requester": Value::Null,
        "sender": shapes.user("octocat", "User"),
    })
}

/// The payload of an `installation_repositories` event.
pub(super) fn installation_repositories(
    shapes: Shapes<'_>,
    id: InstallationId,
    of: &Installation,
    added: &[&Repository],
    removed: &[&Repository],
) -> Value {
    let list = |repositories: &[&Repository]| -> Vec<Value> {
        repositories.iter().map(|it| shapes.listed_repository(it)).collect()
    };
    json!({
        "action": if added.is_empty() { "removed" } else { "added" },
        "installation": shapes.installation(id, of),
        "repository_selection": if of.selected.is_some() { "selected" } else { "all" },
        "repositories_added": list(added),
        "repositories_removed": list(removed),
        "requester": Value::Null,
        "sender": shapes.user("octocat", "User"),
    })
}

/// The payload of a `push` event.
pub(super) fn push(
    state: &mut State,
    shapes: Shapes<'_>,
    repository: &Repository,
    git: &Git,
    branch: &str,
    (before, after): (ObjectId, ObjectId),
) -> Value {
    let mut payload = of_app(state, shapes, repository, "push");
    if let Some(object) = payload.as_object_mut() {
        object.remove("action");
    }
    let mut commits = git.commits_between(before, after);
    commits.reverse();
    let commits: Vec<Value> = commits
        .into_iter()
        .filter_map(|oid| git.commit(oid))
        .map(|commit| pushed_commit(state, shapes, repository, git, &commit))
        .collect();
    let place = format!("{}/{}", shapes.base_url, repository.name);
    let forced = git.merge_base(before, after) != Some(before);
    let own = json!({
        "ref": format!("refs/heads/{branch}"),
        "before": before.to_string(),
        "after": after.to_string(),
        "created": false,
        "deleted": false,
        "forced": forced,
        "base_ref": Value::Null,
        "compare": format!("{place}/compare/{before}...{after}"),
        "head_commit": commits.last().cloned().unwrap_or(Value::Null),
        "commits": commits,
        "pusher": {"name": "octocat", "email": "octocat@example.com"},
    });
    merge(&mut payload, own);
    // A push shows repository and owner in a form of its own.
    let login = &repository.name.owner;
    merge(&mut payload["repository"], json!({"master_branch": repository.default_branch, "stargazers": 0}));
    merge(&mut payload["repository"]["owner"], json!({"name": login, "email": Value::Null}));
    payload
}

fn pushed_commit(
    state: &mut State,
    shapes: Shapes<'_>,
    repository: &Repository,
    git: &Git,
    commit: &Commit,
) -> Value {
    let mut lists: [Vec<String>; 3] = Default::default();
    if let Some(parent) = commit.parents.first() {
        for file in state.difference(repository.id, git, *parent, commit.oid).iter() {
            let list = match file.status.graphql() {
                "ADDED" | "RENAMED" | "COPIED" => 0,
                "DELETED" => 1,
                _ => 2,
            };
            lists[list].push(file.path.clone());
        }
    }
    let [added, removed, modified] = lists;
    let person = json!({"name": commit.author.name, "email": commit.author.email, "username": "octocat"});
    json!({
        "id": commit.oid.to_string(),
        "tree_id": commit.tree.to_string(),
        "distinct": true,
        "message": commit.message,
        "timestamp": iso(commit.committer.at_s * 1000),
        "url": format!("{}/{}/commit/{}", shapes.base_url, repository.name, commit.oid),
        "author": person,
        "committer": person,
        "added": added,
        "removed": removed,
        "modified": modified,
    })
}

/// The payload of a `pull_request` event. `more` holds what the action adds: `changes`, `before` and `after`.
pub(super) fn pull_request(
    state: &mut State,
    shapes: Shapes<'_>,
    action: &str,
    repository: &Repository,
    pull: &Pull,
    more: Value,
) -> Value {
    let totals = super::rest::totals(state, repository, pull);
    let mut shown = shapes.pull(repository, pull, Some(&totals));
    // GitHub has not worked these out yet when it sends.
    if action == "opened" || action == "synchronize" || action == "reopened" {
        merge(
            &mut shown,
            json!({"mergeable": Value::Null, "rebaseable": Value::Null, "mergeable_state": "unknown"}),
        );
    }
    let mut payload = json!({
        "action": action,
        "number": pull.number,
        "pull_request": shown,
        "repository": shapes.repository(repository),
        "organization": organization(shapes, &repository.name.owner),
        "sender": shapes.user(&pull.author, "User"),
    });
    if let Some((id, _)) = state.installation_of(repository) {
        payload["installation"] =
            json!({"id": id, "node_id": node_id("MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9u", id.0)});
    }
    merge(&mut payload, more);
    payload
}

/// The payload of a `pull_request_review` event: the pull request in it is shorter
/// than elsewhere, without what has to be counted.
pub(super) fn pull_request_review(
    state: &mut State,
    shapes: Shapes<'_>,
    action: &str,
    repository: &Repository,
    pull: &Pull,
    review: &Review,
) -> Value {
    let mut payload = pull_request(state, shapes, action, repository, pull, json!({}));
    let page = format!("{}/{}/pull/{}", shapes.base_url, repository.name, pull.number);
    let link = format!("{page}#pullrequestreview-{}", review.id);
    let shown = shapes.pull(repository, pull, None);
    let own = json!({
        "pull_request": shown,
        "sender": shapes.user(&review.author, "User"),
        "review": {
            "id": review.id,
            "node_id": node_id("PRR", review.id),
            "user": shapes.user(&review.author, "User"),
            "body": Value::Null,
            "commit_id": review.commit.to_string(),
            "submitted_at": iso(review.submitted_ms),
            "state": review.state.to_ascii_lowercase(),
            "html_url": link,
            "pull_request_url": format!("{}/repos/{}/pulls/{}", shapes.base_url, repository.name, pull.number),
            "author_association": "MEMBER",
            "_links": {"html": {"href": link}, "pull_request": {"href": page}},
        },
    });
    merge(&mut payload, own);
    if let Some(object) = payload.as_object_mut() {
        object.remove("number");
    }
    payload
}

/// The payload of a `merge_group` event: `checks_requested`, or `destroyed` with its reason.
pub(super) fn merge_group(
    state: &State,
    shapes: Shapes<'_>,
    repository: &Repository,
    entry: &QueueEntry,
    destroyed: Option<&str>,
) -> Value {
    let mut payload = of_app(state, shapes, repository, "checks_requested");
    let head = entry.head.to_string();
    let person = json!({"name": "GitHub", "email": "noreply@github.com"});
    payload["merge_group"] = json!({
        "head_sha": head,
        "head_ref": format!("refs/heads/{}", entry.branch),
        "base_sha": entry.base.to_string(),
        "base_ref": format!("refs/heads/{}", entry.base_branch),
        "head_commit": {
            "id": head,
            "tree_id": head,
            "message": format!("Merge pull request #{}", entry.pull),
            "timestamp": iso(0),
            "author": person,
            "committer": person,
        },
    });
    if let Some(reason) = destroyed {
        payload["action"] = json!("destroyed");
        payload["reason"] = json!(reason);
    }
    payload
}

/// The payload of a `check_run` event: `rerequested`, or `requested_action` with the
/// button that was pressed.
pub(super) fn check_run(
    state: &State,
    shapes: Shapes<'_>,
    repository: &Repository,
    run: &CheckRun,
    button: Option<&str>,
) -> Value {
    let mut shown = shapes.check_run(repository, run);
    shown["check_suite"] = suite(shapes, repository, run.suite, run.head, run.app);
    let mut payload = of_app(state, shapes, repository, "rerequested");
    payload["check_run"] = shown;
    if let Some(identifier) = button {
        payload["action"] = json!("requested_action");
        payload["requested_action"] = json!({"identifier": identifier});
    }
    payload
}

/// The payload of `check_suite.rerequested`.
pub(super) fn check_suite(
    state: &State,
    shapes: Shapes<'_>,
    repository: &Repository,
    id: u64,
    head: ObjectId,
    app: u64,
) -> Value {
    let mut payload = of_app(state, shapes, repository, "rerequested");
    payload["check_suite"] = suite(shapes, repository, id, head, app);
    payload
}

/// The payload of a `repository` event. `changes` says what was before, where something was.
pub(super) fn repository(
    state: &State,
    shapes: Shapes<'_>,
    action: &str,
    repository: &Repository,
    changes: Value,
) -> Value {
    let mut payload = of_app(state, shapes, repository, action);
    if changes.as_object().is_some_and(|changes| !changes.is_empty()) {
        payload["changes"] = changes;
    }
    payload
}

fn of_app(state: &State, shapes: Shapes<'_>, repository: &Repository, action: &str) -> Value {
    let mut payload = json!({
        "action": action,
        "repository": shapes.repository(repository),
        "organization": organization(shapes, &repository.name.owner),
        "sender": shapes.user("octocat", "User"),
    });
    if let Some((id, _)) = state.installation_of(repository) {
        payload["installation"] =
            json!({"id": id, "node_id": node_id("MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9u", id.0)});
    }
    payload
}

/// A suite. For a fork it names no branch and no pull request.
fn suite(shapes: Shapes<'_>, repository: &Repository, id: u64, head: ObjectId, app: u64) -> Value {
    let place = format!("{}/repos/{}", shapes.base_url, repository.name);
    let of_head = |pull: &&Pull| pull.open && pull.fork_owner.is_none() && pull.head == head;
    let pull = repository.pulls.iter().find(of_head);
    json!({
        "id": id,
        "node_id": node_id("CS", id),
        "head_branch": pull.map(|pull| pull.head_branch.as_str()),
        "head_sha": head.to_string(),
        "status": "queued",
        "conclusion": Value::Null,
        "url": format!("{place}/check-suites/{id}"),
        "before": Value::Null,
        "after": head.to_string(),
        "pull_requests": [],
        "app": shapes.app(app),
        "created_at": iso(0),
        "updated_at": iso(0),
        "latest_check_runs_count": 1,
        "check_runs_url": format!("{place}/check-suites/{id}/check-runs"),
        "head_commit": {
            "id": head.to_string(),
            "tree_id": head.to_string(),
            "message": "",
            "timestamp": iso(0),
            "author": {"name": "Octo Cat", "email": "octocat@example.com"},
            "committer": {"name": "Octo Cat", "email": "octocat@example.com"},
        },
    })
}

/// An organisation as payloads carry it.
fn organization(shapes: Shapes<'_>, login: &str) -> Value {
    let base = shapes.base_url;
    let id = account_id(login);
    let url = format!("{base}/orgs/{login}");
    json!({
        "login": login,
        "id": id,
        "node_id": node_id("O", id),
        "url": url,
        "repos_url": format!("{url}/repos"),
        "events_url": format!("{url}/events"),
        "hooks_url": format!("{url}/hooks"),
        "issues_url": format!("{url}/issues"),
        "members_url": format!("{url}/members{{/member}}"),
        "public_members_url": format!("{url}/public_members{{/member}}"),
        "avatar_url": format!("{base}/avatars/{id}"),
        "description": "",
    })
}

/// `X-Hub-Signature-256` of a body.
pub(super) fn signature(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, body);
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

/// The headers that make a POST a delivery.
pub(super) fn headers(secret: &str, app_id: u64, delivery: &Delivery) -> Vec<(String, String)> {
    [
        ("content-type", "application/json".to_owned()),
        ("x-github-delivery", delivery.guid.clone()),
        ("x-github-event", delivery.event.clone()),
        ("x-github-hook-id", "1".to_owned()),
        ("x-github-hook-installation-target-id", app_id.to_string()),
        ("x-github-hook-installation-target-type", "integration".to_owned()),
        ("x-hub-signature-256", signature(secret, &delivery.body)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

/// Sends a delivery to `http://HOST:PORT/PATH` and returns the status, or what kept it from getting one.
pub(super) async fn send(target: &Target, app_id: u64, delivery: &Delivery) -> Result<u16, String> {
    let rest = target.url.strip_prefix("http://").ok_or("deliveries go to http:// addresses only")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let stream = TcpStream::connect(host).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let mut request = http::Request::builder()
        .method("POST")
        .uri(format!("/{path}"))
        .header("host", host)
        .header("accept", "*/*")
        .header("user-agent", "GitHub-Hookshot/standin");
    for (name, value) in headers(&target.secret, app_id, delivery) {
        request = request.header(name, value);
    }
    let request =
        request.body(Full::new(Bytes::from(delivery.body.clone()))).map_err(|error| error.to_string())?;
    let mut answered = pin!(sender.send_request(request));
    let mut connection = pin!(connection);
    // The connection moves the bytes while the answer is awaited; it may end before the answer is taken.
    let answered = tokio::select! {
        answered = &mut answered => answered,
        _ = &mut connection => answered.await,
    };
    answered.map(|response| response.status().as_u16()).map_err(|error| error.to_string())
}
