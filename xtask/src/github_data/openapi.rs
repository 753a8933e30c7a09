//! The REST operations called, and the schemas they need.

use std::collections::BTreeSet;

use anyhow::Context;
use anyhow::Result;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Every REST operation that fromguard calls, and those that its tests look through.
const OPERATIONS: [(&str, &[&str]); 28] = [
    ("/app", &["get"]),
    ("/app/hook/config", &["get"]),
    ("/app/hook/deliveries", &["get"]),
    ("/app/hook/deliveries/{delivery_id}/attempts", &["post"]),
    ("/app/installations", &["get"]),
    ("/app/installations/{installation_id}", &["get"]),
    ("/app/installations/{installation_id}/access_tokens", &["post"]),
    ("/installation/repositories", &["get"]),
    ("/orgs/{org}/teams/{team_slug}/memberships/{username}", &["get"]),
    ("/rate_limit", &["get"]),
    ("/repos/{owner}/{repo}", &["get"]),
    ("/repos/{owner}/{repo}/branches/{branch}", &["get"]),
    ("/repos/{owner}/{repo}/installation", &["get"]),
    ("/repos/{owner}/{repo}/rules/branches/{branch}", &["get"]),
    ("/repos/{owner}/{repo}/pulls", &["get"]),
    ("/repos/{owner}/{repo}/pulls/{pull_number}", &["get"]),
    ("/repos/{owner}/{repo}/pulls/{pull_number}/files", &["get"]),
    ("/repos/{owner}/{repo}/compare/{basehead}", &["get"]),
    ("/repos/{owner}/{repo}/git/blobs/{file_sha}", &["get"]),
    ("/repos/{owner}/{repo}/git/trees/{tree_sha}", &["get"]),
    ("/repos/{owner}/{repo}/contents/{path}", &["get"]),
    ("/repos/{owner}/{repo}/check-runs", &["post"]),
    ("/repos/{owner}/{repo}/check-runs/{check_run_id}", &["get", "patch"]),
    ("/repos/{owner}/{repo}/check-runs/{check_run_id}/annotations", &["get"]),
    ("/repos/{owner}/{repo}/commits/{ref}/check-runs", &["get"]),
    ("/repos/{owner}/{repo}/commits/{commit_sha}/pulls", &["get"]),
    ("/repos/{owner}/{repo}/issues/{issue_number}/comments", &["get", "post"]),
    ("/repos/{owner}/{repo}/issues/comments/{comment_id}", &["get", "patch", "delete"]),
];

/// Prose and examples: nothing validates against them.
const DROPPED: [&str; 7] =
    ["description", "summary", "example", "examples", "externalDocs", "tags", "deprecated"];

/// The description cut down to [`OPERATIONS`].
pub(super) fn extract(description: &Value) -> Result<Value> {
    let mut paths = Map::new();
    for (path, methods) in OPERATIONS {
        let described = description["paths"].get(path).with_context(|| format!("{path} is not described"))?;
        let mut kept = Map::new();
        for method in methods {
            let operation =
                described.get(*method).with_context(|| format!("{method} {path} is not described"))?;
            kept.insert((*method).to_owned(), slim(operation, false));
        }
        paths.insert(path.to_owned(), Value::Object(kept));
    }

    let mut paths = Value::Object(paths);
    let mut components = Map::new();
    let mut reached = BTreeSet::new();
    let mut wanted = references(&paths);
    while let Some(pointer) = wanted.pop() {
        if !reached.insert(pointer.clone()) {
            continue;
        }
        let target = description.pointer(&pointer).with_context(|| format!("{pointer} is not described"))?;
        let target = slim(target, false);
        wanted.extend(references(&target));
        let mut parts = pointer.trim_start_matches("/components/").splitn(2, '/');
        let (kind, name) =
            parts.next().zip(parts.next()).with_context(|| format!("odd reference {pointer}"))?;
        let kind = components.entry(kind).or_insert_with(|| json!({}));
        kind[name] = target;
    }

    let mut components = Value::Object(components);
    spell_nullable(&mut paths);
    spell_nullable(&mut components);
    Ok(json!({
        "openapi": description["openapi"],
        "info": {"title": description["info"]["title"], "version": description["info"]["version"],
                 "license": description["info"]["license"]},
        "paths": paths,
        "components": components,
    }))
}

/// Without prose. Under `properties` every key is a name, so nothing is dropped there.
fn slim(value: &Value, names: bool) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .filter(|(key, _)| names || !(DROPPED.contains(&key.as_str()) || key.starts_with("x-")))
                .map(|(key, inner)| (key.clone(), slim(inner, !names && key == "properties")))
                .collect(),
        ),
        Value::Array(items) => items.iter().map(|item| slim(item, false)).collect(),
        other => other.clone(),
    }
}

/// The JSON pointers of every `$ref` inside.
fn references(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(target)) = map.get("$ref") {
                    found.push(target.trim_start_matches('#').to_owned());
                }
                open.extend(map.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    found
}

/// OpenAPI 3.0 says `nullable: true` where JSON Schema has a type `null`.
fn spell_nullable(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(spell_nullable),
        Value::Object(map) => {
            map.values_mut().for_each(spell_nullable);
            if map.get("nullable").is_some_and(Value::is_boolean)
                && map.remove("nullable") == Some(json!(true))
            {
                let schema = Value::Object(std::mem::take(map));
                map.insert("anyOf".to_owned(), json!([schema, {"type": "null"}]));
            }
        }
        _ => {}
    }
}
