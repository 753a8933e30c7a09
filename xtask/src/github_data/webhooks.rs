//! One published example payload for each webhook event and action.

use anyhow::Context;
use anyhow::Result;
use serde_json::Value;

/// Events and the actions of which an example is kept. `pull_request.edited` has no published example.
const EVENTS: [(&str, &[&str]); 10] = [
    (
        "pull_request",
        &["opened", "reopened", "synchronize", "ready_for_review", "closed", "converted_to_draft"],
    ),
    ("pull_request_review", &["submitted", "dismissed"]),
    ("check_run", &["created", "requested_action", "rerequested"]),
    ("check_suite", &["requested", "rerequested"]),
    ("merge_group", &["checks_requested"]),
    ("push", &[]),
    ("repository", &["edited", "privatized", "publicized", "renamed", "transferred"]),
    ("ping", &[]),
    ("installation", &["created", "deleted", "new_permissions_accepted", "suspend", "unsuspend"]),
    ("installation_repositories", &["added", "removed"]),
];

/// File names and examples. Of several examples the longest: it shows the most fields.
pub(super) fn extract(index: &Value) -> Result<Vec<(String, Value)>> {
    let events = index.as_array().context("the index of examples is not a list")?;
    let mut kept = Vec::new();
    for (event, actions) in EVENTS {
        let examples = events
            .iter()
            .find(|candidate| candidate["name"] == event)
            .and_then(|found| found["examples"].as_array())
            .with_context(|| format!("no examples of {event}"))?;
        let longest = |action: Option<&str>| {
            examples
                .iter()
                .filter(|example| example.get("action").and_then(Value::as_str) == action)
                .max_by_key(|example| example.to_string().len())
                .cloned()
                .with_context(|| format!("no example of {event} {}", action.unwrap_or_default()))
        };
        if actions.is_empty() {
            kept.push((format!("{event}.json"), longest(None)?));
        }
        for action in actions {
            kept.push((format!("{event}.{action}.json"), longest(Some(action))?));
        }
    }
    Ok(kept)
}
