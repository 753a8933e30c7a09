//! Check runs: created, updated by the App that made them, never taken back.
//!
//! <https://docs.github.com/en/rest/checks/runs>

use gix::ObjectId;
use serde_json::Value;
use serde_json::json;

use super::Call;
use super::Outcome;
use super::open;
use super::pages::page;
use super::rules;
use crate::ids::CheckRunId;
use crate::standin::answer::Answer;
use crate::standin::auth::Needs;
use crate::standin::git::Kind;
use crate::standin::shape::encode_path;
use crate::standin::state::CheckRun;
use crate::standin::state::Repository;
use crate::standin::time::iso;

const READ: Needs = Needs::read(&["checks"]);
const WRITE: Needs = Needs::write(&["checks"]);

/// `POST /repos/{owner}/{repo}/check-runs`
pub(super) fn create(call: &mut Call<'_>, owner: &str, name: &str, (): ()) -> Outcome {
    let repository = call.repository(owner, name, WRITE)?;
    let body = call.request.json()?;
    let run_name = rules::required_text(&body, "name")?.to_owned();
    let sha = rules::required_text(&body, "head_sha")?;
    if body["output"].is_object() {
        rules::required_text(&body["output"], "title")?;
    }
    rules::check(&body)?;
    let git = open(&repository)?;
    let head = ObjectId::from_hex(sha.as_bytes())
        .ok()
        .filter(|oid| git.kind(*oid) == Some(Kind::Commit))
        .ok_or_else(|| Answer::error(422, &format!("No commit found for SHA: {sha}")))?;

    let app = call.app.id;
    let mut run = CheckRun {
        id: CheckRunId(call.state.fresh_id()),
        repository: repository.id,
        suite: call.state.suite(repository.id, head, app),
        app,
        name: run_name,
        head,
        status: "queued".to_owned(),
        conclusion: None,
        started_at: Some(iso(call.now_ms)),
        completed_at: None,
        details_url: None,
        external_id: None,
        title: None,
        summary: None,
        text: None,
        annotations: Vec::new(),
        actions: Vec::new(),
    };
    apply(&mut run, &body, call.now_ms);
    let answer = Answer::json(201, &call.shapes.check_run(&repository, &run));
    call.state.check_runs.push(run);
    Ok(answer)
}

/// `PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}`
pub(super) fn update(call: &mut Call<'_>, owner: &str, name: &str, id: u64) -> Outcome {
    let repository = call.repository(owner, name, WRITE)?;
    let mut run = find(call, &repository, id)?;
    if run.app != call.app.id {
        return Err(Answer::error(
            403,
            &format!(
                "Invalid app_id `{}` - check run can only be modified by the GitHub App that created it.",
                call.app.id
            ),
        ));
    }
    let body = call.request.json()?;
    rules::check(&body)?;
    let reopens = body["status"].as_str().is_some_and(|status| status != "completed");
    if run.status == "completed" && reopens && body["conclusion"].is_null() {
        return Err(Answer::invalid(
            "CheckRun",
            "status",
            "a completed check run cannot go back to another status",
        ));
    }
    apply(&mut run, &body, call.now_ms);
    let answer = Answer::json(200, &call.shapes.check_run(&repository, &run));
    if let Some(kept) = call.state.check_runs.iter_mut().find(|kept| kept.id == run.id) {
        *kept = run;
    }
    Ok(answer)
}

/// Takes over what the body says. A conclusion completes the run, annotations are added to those there.
fn apply(run: &mut CheckRun, body: &Value, now_ms: i64) {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let set = |field: &mut Option<String>, value: &Value| {
        if let Some(value) = text(value) {
            *field = Some(value);
        }
    };
    if let Some(name) = text(&body["name"]) {
        run.name = name;
    }
    if let Some(status) = text(&body["status"]) {
        run.status = status;
    }
    set(&mut run.started_at, &body["started_at"]);
    set(&mut run.details_url, &body["details_url"]);
    set(&mut run.external_id, &body["external_id"]);
    if let Some(conclusion) = text(&body["conclusion"]) {
        run.status = "completed".to_owned();
        run.conclusion = Some(conclusion);
        run.completed_at = Some(iso(now_ms));
    }
    set(&mut run.completed_at, &body["completed_at"]);

    let output = &body["output"];
    set(&mut run.title, &output["title"]);
    set(&mut run.summary, &output["summary"]);
    set(&mut run.text, &output["text"]);
    if let Some(annotations) = output["annotations"].as_array() {
        run.annotations.extend(annotations.iter().cloned());
    }
    if let Some(actions) = body["actions"].as_array() {
        run.actions.clone_from(actions);
    }
}

/// `GET /repos/{owner}/{repo}/check-runs/{check_run_id}`
pub(super) fn get(call: &mut Call<'_>, owner: &str, name: &str, id: u64) -> Outcome {
    let repository = call.repository(owner, name, READ)?;
    let run = find(call, &repository, id)?;
    Ok(Answer::json(200, &call.shapes.check_run(&repository, &run)))
}

/// `GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations`
pub(super) fn annotations(call: &mut Call<'_>, owner: &str, name: &str, id: u64) -> Outcome {
    let repository = call.repository(owner, name, READ)?;
    let run = find(call, &repository, id)?;
    let page = page(call, &run.annotations);
    let base = call.shapes.base_url;
    let shown: Vec<Value> = page
        .items
        .iter()
        .map(|annotation| {
            let path = encode_path(annotation["path"].as_str().unwrap_or_default());
            json!({
                "path": annotation["path"],
                "blob_href": format!("{base}/{}/blob/{}/{path}", repository.name, run.head),
                "start_line": annotation["start_line"],
                "start_column": annotation["start_column"],
                "end_line": annotation["end_line"],
                "end_column": annotation["end_column"],
                "annotation_level": annotation["annotation_level"],
                "title": annotation["title"],
                "message": annotation["message"],
                "raw_details": annotation["raw_details"],
            })
        })
        .collect();
    let answer = Answer::json(200, &json!(shown));
    Ok(answer.with_link(page.link))
}

/// `GET /repos/{owner}/{repo}/commits/{ref}/check-runs`
pub(super) fn list(call: &mut Call<'_>, owner: &str, name: &str, reference: String) -> Outcome {
    let repository = call.repository(owner, name, READ)?;
    let git = open(&repository)?;
    let head = repository
        .commit(&git, &reference)
        .ok_or_else(|| Answer::error(422, &format!("No commit found for SHA: {reference}")))?;
    let query = |name: &str| call.request.query(name);
    let app = query("app_id").and_then(|text| text.parse::<u64>().ok());
    let all = query("filter") == Some("all");
    let mut found: Vec<&CheckRun> = Vec::new();
    // Newest first; of runs with one name in one suite the newest stands for all.
    for run in call.state.check_runs.iter().rev() {
        let wanted = run.repository == repository.id
            && run.head == head
            && query("check_name").is_none_or(|name| run.name == name)
            && query("status").is_none_or(|status| run.status == status)
            && app.is_none_or(|app| run.app == app);
        let shadowed = !all && found.iter().any(|newer| newer.name == run.name && newer.suite == run.suite);
        if wanted && !shadowed {
            found.push(run);
        }
    }
    let page = page(call, &found);
    let shown: Vec<Value> = page.items.iter().map(|run| call.shapes.check_run(&repository, run)).collect();
    let answer = Answer::json(200, &json!({"total_count": found.len(), "check_runs": shown}));
    Ok(answer.with_link(page.link))
}

fn find(call: &Call<'_>, repository: &Repository, id: u64) -> Result<CheckRun, Answer> {
    let runs = &call.state.check_runs;
    let found = runs.iter().find(|run| run.id.0 == id && run.repository == repository.id);
    found.cloned().ok_or_else(Answer::not_found)
}
