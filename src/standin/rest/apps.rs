//! The App itself, its installation tokens, and repositories as such.
//!
//! <https://docs.github.com/en/rest/apps/apps>

use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::json;

use super::Call;
use super::Outcome;
use super::pages::page;
use crate::ids::InstallationId;
use crate::ids::RepositoryId;
use crate::standin::answer::Answer;
use crate::standin::auth;
use crate::standin::auth::Needs;
use crate::standin::limits;
use crate::standin::shape::merge;
use crate::standin::state::Installation;
use crate::standin::state::Permissions;
use crate::standin::state::Repository;
use crate::standin::state::Token;
use crate::standin::time::iso;

/// An installation token lives an hour.
const TOKEN_LIFETIME_MS: i64 = 3_600_000;
/// A token may be narrowed to at most this many repositories.
const NARROWED_LIMIT: usize = 500;

/// `GET /app`
pub(super) fn get(call: &mut Call<'_>) -> Outcome {
    call.as_app()?;
    let mut value = call.shapes.app(call.app.id);
    merge(&mut value, json!({"installations_count": call.state.installations.len()}));
    Ok(Answer::json(200, &value))
}

/// `GET /app/installations/{installation_id}`
pub(super) fn installation(call: &mut Call<'_>, id: &str) -> Outcome {
    call.as_app()?;
    let (id, found) = known(call, id)?;
    Ok(Answer::json(200, &call.shapes.installation(id, &found)))
}

/// `GET /repos/{owner}/{repo}/installation`
pub(super) fn repository_installation(call: &mut Call<'_>, owner: &str, name: &str, (): ()) -> Outcome {
    call.as_app()?;
    let repository = call.state.repository(owner, name).ok_or_else(Answer::not_found)?;
    let (id, found) = call.state.installation_of(repository).ok_or_else(Answer::not_found)?;
    Ok(Answer::json(200, &call.shapes.installation(id, found)))
}

/// `GET /rate_limit`, which counts against none.
pub(super) fn rate_limit(call: &mut Call<'_>) -> Outcome {
    let token = auth::token(call.request, call.state, call.now_ms)?;
    call.caller = Some(token.installation);
    let mut left = |resource: &'static str| {
        let window = limits::window(call.state, token.installation, resource, call.now_ms);
        json!({
            "limit": call.hourly_limit,
            "used": window.used,
            "remaining": call.hourly_limit.saturating_sub(window.used),
            "reset": window.reset_s,
        })
    };
    let (core, graphql, search) = (left("core"), left("graphql"), left("search"));
    let resources = json!({"core": core, "graphql": graphql, "search": search});
    Ok(Answer::json(200, &json!({"resources": resources, "rate": core})))
}

/// `GET /app/installations`
pub(super) fn installations(call: &mut Call<'_>) -> Outcome {
    call.as_app()?;
    let all: Vec<_> = call.state.installations.iter().collect();
    let page = page(call, &all);
    let show = |(id, found): &(&InstallationId, &Installation)| {
        let mut value = call.shapes.installation(**id, found);
        // GitHub describes the account here as a user and an enterprise in one.
        let account = &found.account;
        let enterprise =
            json!({"name": account, "slug": account, "created_at": iso(0), "updated_at": iso(0)});
        merge(&mut value["account"], enterprise);
        value
    };
    let shown: Vec<Value> = page.items.iter().map(show).collect();
    Ok(Answer::json(200, &json!(shown)).with_link(page.link))
}

fn known(call: &Call<'_>, id: &str) -> Result<(InstallationId, Installation), Answer> {
    let id = id.parse().map(InstallationId).map_err(|_| Answer::not_found())?;
    let installation = call.state.installations.get(&id).cloned().ok_or_else(Answer::not_found)?;
    Ok((id, installation))
}

/// `POST /app/installations/{installation_id}/access_tokens`
pub(super) fn mint(call: &mut Call<'_>, id: &str) -> Outcome {
    call.as_app()?;
    let (id, installation) = known(call, id)?;
    if installation.suspended {
        return Err(Answer::error(403, "This installation has been suspended"));
    }
    let body = if call.request.body.is_empty() { json!({}) } else { call.request.json()? };

    let reached: Vec<&Repository> =
        call.state.repositories.iter().filter(|repository| installation.reaches(repository)).collect();
    let unreachable = || {
        Answer::error(
            422,
            "There is at least one repository that does not exist or is not accessible to the parent installation.",
        )
    };
    let mut narrowed = BTreeSet::new();
    for name in list(&body, "repositories")? {
        let name = name.as_str().ok_or_else(|| Answer::unprocessable("`repositories` holds names."))?;
        let found = reached.iter().find(|repository| repository.name.name.eq_ignore_ascii_case(name));
        narrowed.insert(found.ok_or_else(unreachable)?.id);
    }
    for wanted in list(&body, "repository_ids")? {
        let wanted = wanted.as_u64().map(RepositoryId);
        let found = reached.iter().find(|repository| Some(repository.id) == wanted);
        narrowed.insert(found.ok_or_else(unreachable)?.id);
    }
    if narrowed.len() > NARROWED_LIMIT {
        return Err(Answer::unprocessable("A token covers at most 500 repositories by name."));
    }

    let permissions = permissions(&body, &installation.permissions)?;
    let narrowed = (!narrowed.is_empty()).then_some(narrowed);
    let selected = narrowed.is_some() || installation.selected.is_some();
    let repositories: Option<Vec<Value>> = narrowed.as_ref().map(|only| {
        let covered = reached.iter().filter(|repository| only.contains(&repository.id));
        covered.map(|repository| call.shapes.repository(repository)).collect()
    });

    let expires_ms = call.now_ms + TOKEN_LIFETIME_MS;
    let token = format!("ghs_{:036}", call.state.fresh_id());
    let mut value = json!({
        "token": token,
        "expires_at": iso(expires_ms),
        "permissions": permissions,
        "repository_selection": if selected { "selected" } else { "all" },
    });
    if let Some(repositories) = repositories {
        value["repositories"] = json!(repositories);
    }
    let minted = Token { installation: id, repositories: narrowed, permissions, expires_ms };
    call.state.tokens.insert(token, minted);
    Ok(Answer::json(201, &value))
}

fn list<'a>(body: &'a Value, field: &str) -> Result<&'a [Value], Answer> {
    match &body[field] {
        Value::Null => Ok(&[]),
        Value::Array(items) => Ok(items),
        _ => Err(Answer::unprocessable(&format!("`{field}` is not a list."))),
    }
}

/// The permissions asked for, all of which the installation must have.
fn permissions(body: &Value, granted: &Permissions) -> Result<Permissions, Answer> {
    let Some(asked) = body["permissions"].as_object() else {
        return Ok(granted.clone());
    };
    let mut narrowed = Permissions::new();
    for (name, level) in asked {
        let level = level.as_str().unwrap_or_default();
        let granted = granted.get(name).map(String::as_str);
        if !matches!((granted, level), (Some("write"), "read" | "write") | (Some("read"), "read")) {
            return Err(Answer::error(
                422,
                "The permissions requested are not granted to this installation.",
            ));
        }
        narrowed.insert(name.clone(), level.to_owned());
    }
    // Every token may read metadata.
    narrowed.entry("metadata".to_owned()).or_insert_with(|| "read".to_owned());
    Ok(narrowed)
}

/// `GET /installation/repositories`
pub(super) fn repositories(call: &mut Call<'_>) -> Outcome {
    let token = call.as_installation()?;
    let selected = call
        .state
        .installations
        .get(&token.installation)
        .is_some_and(|installation| installation.selected.is_some() || token.repositories.is_some());
    let reached: Vec<Repository> = call
        .state
        .repositories
        .iter()
        .filter(|repository| auth::reach(&token, call.state, repository) == auth::Reach::Granted)
        .cloned()
        .collect();
    let page = page(call, &reached);
    let shown: Vec<Value> = page.items.iter().map(|repository| call.shapes.repository(repository)).collect();
    let value = json!({
        "total_count": reached.len(),
        "repository_selection": if selected { "selected" } else { "all" },
        "repositories": shown,
    });
    let answer = Answer::json(200, &value);
    Ok(answer.with_link(page.link))
}

/// `GET /repos/{owner}/{repo}`
pub(super) fn repository(call: &mut Call<'_>, owner: &str, name: &str, (): ()) -> Outcome {
    let repository = call.repository(owner, name, Needs::read(&["metadata"]))?;
    Ok(Answer::json(200, &call.shapes.full_repository(&repository)))
}
