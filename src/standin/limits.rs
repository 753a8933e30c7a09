//! The hourly limit of an installation, and the headers that report it.
//!
//! <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>

use super::answer::Answer;
use super::state::State;
use super::state::Window;
use crate::clock::TimestampMs;
use crate::ids::InstallationId;

/// Requests (or GraphQL points) in an hour for an installation on a small account.
pub(super) const HOURLY_LIMIT: u32 = 5_000;
/// Entries of a recursive tree, past which it is truncated.
/// <https://docs.github.com/en/rest/git/trees#get-a-tree>
pub(super) const TREE_LIMIT_ENTRIES: usize = 100_000;
/// Requests in an hour for who is nobody.
const ANONYMOUS_LIMIT: u32 = 60;
const HOUR_S: i64 = 3_600;

/// `core` for the REST API, `graphql` for the other.
pub(super) type Resource = &'static str;

/// What of this hour is spent.
pub(super) fn window(
    state: &mut State,
    installation: InstallationId,
    resource: Resource,
    now_ms: TimestampMs,
) -> &mut Window {
    let now_s = now_ms.div_euclid(1000);
    let fresh = Window { used: 0, reset_s: now_s + HOUR_S };
    let window = state.windows.entry((installation, resource)).or_insert(fresh);
    if window.reset_s <= now_s {
        *window = fresh;
    }
    window
}

/// What is spent of this hour, after spending `cost`.
pub(super) fn spend(
    state: &mut State,
    installation: InstallationId,
    resource: Resource,
    cost: u32,
    limit: u32,
    now_ms: TimestampMs,
) -> Result<Window, Answer> {
    let window = window(state, installation, resource, now_ms);
    if window.used.saturating_add(cost) > limit {
        let message = format!("API rate limit exceeded for installation ID {installation}.");
        return Err(Answer::error(403, &message));
    }
    window.used += cost;
    Ok(*window)
}

/// Puts the rate-limit headers on an answer.
pub(super) fn report(
    answer: Answer,
    state: &mut State,
    installation: Option<InstallationId>,
    resource: Resource,
    limit: u32,
    now_ms: TimestampMs,
) -> Answer {
    let (limit, window) = match installation {
        Some(installation) => (limit, *window(state, installation, resource, now_ms)),
        None => (ANONYMOUS_LIMIT, Window { used: 0, reset_s: now_ms.div_euclid(1000) + HOUR_S }),
    };
    answer
        .with_header("x-ratelimit-limit", limit.to_string())
        .with_header("x-ratelimit-remaining", limit.saturating_sub(window.used).to_string())
        .with_header("x-ratelimit-used", window.used.to_string())
        .with_header("x-ratelimit-reset", window.reset_s.to_string())
        .with_header("x-ratelimit-resource", resource)
}
