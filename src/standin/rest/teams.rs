//! Who is in a team.
//!
//! <https://docs.github.com/en/rest/teams/members>

use serde_json::json;

use super::Call;
use super::Outcome;
use crate::standin::answer::Answer;
use crate::standin::auth::Needs;

/// `GET /orgs/{org}/teams/{team_slug}/memberships/{username}`
pub(super) fn membership(call: &mut Call<'_>, team: &str, login: &str) -> Outcome {
    let token = call.as_installation()?;
    let account = call.state.installations.get(&token.installation).map(|found| found.account.clone());
    let organisation = team.split('/').next().unwrap_or_default();
    if !account.is_some_and(|account| account.eq_ignore_ascii_case(organisation)) {
        return Err(Answer::not_found());
    }
    if !Needs::read(&["members"]).met_by(&token.permissions) {
        return Err(Answer::error(403, "Resource not accessible by integration"));
    }
    let members = call.state.teams.get(&team.to_ascii_lowercase());
    let active = members.and_then(|members| members.get(&login.to_ascii_lowercase()).copied());
    let active = active.ok_or_else(Answer::not_found)?;
    let url =
        format!("{}/orgs/{}/memberships/{login}", call.shapes.base_url, team.replacen('/', "/teams/", 1));
    let state = if active { "active" } else { "pending" };
    Ok(Answer::json(200, &json!({"url": url, "role": "member", "state": state})))
}
