//! Where the App's deliveries go, its log of them, newest first, and asking for one again.
//!
//! <https://docs.github.com/en/rest/apps/webhooks>

use serde_json::Value;
use serde_json::json;

use super::Call;
use super::Outcome;
use crate::standin::answer::Answer;
use crate::standin::lock;
use crate::standin::time::iso;
use crate::standin::webhook::Attempt;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How long GitHub keeps a delivery, and a GitHub Enterprise Server.
const KEPT_MS: i64 = 3 * DAY_MS;
const KEPT_BY_SERVERS_MS: i64 = 7 * DAY_MS;
const DEFAULT_PER_PAGE: usize = 30;
const PER_PAGE_LIMIT: usize = 100;
const CURSOR: &str = "v1_";

/// `GET /app/hook/config`: the secret is never shown.
pub(super) fn config(call: &mut Call<'_>) -> Outcome {
    call.as_app()?;
    let value = json!({
        "content_type": "json",
        "insecure_ssl": "0",
        "secret": "********",
        "url": call.webhook_url,
    });
    Ok(Answer::json(200, &value))
}

/// `GET /app/hook/deliveries`: pages by a cursor, which no number of a page replaces.
pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    call.as_app()?;
    let per_page = call.request.query("per_page").and_then(|text| text.parse().ok());
    let per_page = per_page.unwrap_or(DEFAULT_PER_PAGE).clamp(1, PER_PAGE_LIMIT);
    let below = match call.request.query("cursor") {
        None => u64::MAX,
        Some(cursor) => cursor
            .strip_prefix(CURSOR)
            .and_then(|id| id.parse().ok())
            .ok_or_else(|| Answer::unprocessable("The cursor is not valid."))?,
    };
    let deliveries = lock(call.deliveries);
    let kept_ms = if call.request.enterprise { KEPT_BY_SERVERS_MS } else { KEPT_MS };
    let kept = |attempt: &&Attempt| attempt.id < below && attempt.at_ms >= call.now_ms - kept_ms;
    let mut newest = deliveries.attempts.iter().rev().filter(kept);
    let page: Vec<&Attempt> = newest.by_ref().take(per_page).collect();
    let next = page.last().filter(|_| newest.next().is_some()).map(|last| {
        let address = format!("{}/app/hook/deliveries", call.shapes.base_url);
        format!("<{address}?per_page={per_page}&cursor={CURSOR}{}>; rel=\"next\"", last.id)
    });
    let first = |attempt: &Attempt| {
        let mut attempts = deliveries.attempts.iter();
        attempts.find(|it| it.delivery.guid == attempt.delivery.guid).map_or(0, |it| it.id)
    };
    let shown: Vec<Value> = page.iter().map(|attempt| item(attempt, attempt.id != first(attempt))).collect();
    Ok(Answer::json(200, &json!(shown)).with_link(next))
}

fn item(attempt: &Attempt, redelivery: bool) -> Value {
    let body: Value = serde_json::from_slice(&attempt.delivery.body).unwrap_or_default();
    let status = match attempt.status {
        0 => "failed to connect to host".to_owned(),
        200..=299 => "OK".to_owned(),
        other => format!("Invalid HTTP Response: {other}"),
    };
    let action = &attempt.delivery.action;
    json!({
        "id": attempt.id,
        "guid": attempt.delivery.guid,
        "delivered_at": iso(attempt.at_ms),
        "redelivery": redelivery,
        "duration": 0.1,
        "status": status,
        "status_code": attempt.status,
        "event": attempt.delivery.event,
        "action": if action.is_empty() { Value::Null } else { json!(action) },
        "installation_id": body["installation"]["id"],
        "repository_id": body["repository"]["id"],
        "throttled_at": Value::Null,
    })
}

/// `POST /app/hook/deliveries/{delivery_id}/attempts`: it waits to be sent, with its old GUID.
pub(super) fn redeliver(call: &mut Call<'_>, id: u64) -> Outcome {
    call.as_app()?;
    let mut deliveries = lock(call.deliveries);
    let found = deliveries.attempts.iter().find(|attempt| attempt.id == id);
    let delivery = found.ok_or_else(Answer::not_found)?.delivery.clone();
    deliveries.waiting.push(delivery);
    Ok(Answer::json(202, &json!({})))
}
