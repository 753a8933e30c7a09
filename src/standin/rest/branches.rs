//! A branch, and what must be true before something is merged into it: by its own
//! protection, and by rulesets.
//!
//! <https://docs.github.com/en/rest/branches/branches>, <https://docs.github.com/en/rest/repos/rules>

use serde_json::Value;
use serde_json::json;

use super::Call;
use super::Outcome;
use super::open;
use super::pages::page;
use crate::standin::answer::Answer;
use crate::standin::auth::Needs;
use crate::standin::state::RequiredCheck;

/// The ruleset that requires every check required by rule.
const RULESET: u64 = 42;

/// `GET /repos/{owner}/{repo}/branches/{branch}`: with the checks that its own protection
/// requires, for who may read it.
pub(super) fn get(call: &mut Call<'_>, owner: &str, name: &str, branch: String) -> Outcome {
    let repository = call.repository(owner, name, Needs::read(&["contents"]))?;
    let git = open(&repository)?;
    let not_found = || Answer::error(404, "Branch not found");
    let tip = repository.branch(&git, &branch).ok_or_else(not_found)?;
    let commit = git.commit(tip).ok_or_else(not_found)?;
    let required: Vec<&RequiredCheck> =
        repository.required.iter().filter(|it| it.branch == branch && !it.by_rule).collect();
    let enabled = !required.is_empty();
    let contexts: Vec<&str> = required.iter().map(|it| it.name.as_str()).collect();
    let checks: Vec<Value> =
        required.iter().map(|it| json!({"context": it.name, "app_id": it.app})).collect();
    let base = call.shapes.base_url;
    let url = format!("{base}/repos/{}/branches/{branch}", repository.name);
    let value = json!({
        "name": branch,
        "commit": call.shapes.commit(&repository, &commit),
        "_links": {"self": url, "html": format!("{base}/{}/tree/{branch}", repository.name)},
        "protected": repository.required.iter().any(|it| it.branch == branch),
        "protection": {
            "enabled": enabled,
            "required_status_checks": {
                "enforcement_level": if enabled { "non_admins" } else { "off" },
                "contexts": contexts,
                "checks": checks,
            },
        },
        "protection_url": format!("{url}/protection"),
    });
    Ok(Answer::json(200, &value))
}

/// `GET /repos/{owner}/{repo}/rules/branches/{branch}`: of a branch that need not exist. A check
/// without an App of its own has no `integration_id` at all.
pub(super) fn rules(call: &mut Call<'_>, owner: &str, name: &str, branch: String) -> Outcome {
    let repository = call.repository(owner, name, Needs::read(&["metadata"]))?;
    let required = repository.required.iter().filter(|it| it.branch == branch && it.by_rule);
    let checks: Vec<Value> = required
        .map(|it| match it.app {
            Some(app) => json!({"context": it.name, "integration_id": app}),
            None => json!({"context": it.name}),
        })
        .collect();
    let mut rules = Vec::new();
    if !checks.is_empty() {
        rules.push(json!({
            "type": "required_status_checks",
            "ruleset_source_type": "Repository",
            "ruleset_source": repository.name.to_string(),
            "ruleset_id": RULESET,
            "parameters": {
                "required_status_checks": checks,
                "strict_required_status_checks_policy": false,
            },
        }));
    }
    let page = page(call, &rules);
    Ok(Answer::json(200, &json!(page.items)).with_link(page.link))
}
