//! Pull requests and the files they change.
//!
//! <https://docs.github.com/en/rest/pulls/pulls>

use serde_json::Value;
use serde_json::json;

use super::Call;
use super::Outcome;
use super::open;
use super::pages::page;
use crate::ids::PullNumber;
use crate::standin::answer::Answer;
use crate::standin::auth::Needs;
use crate::standin::diff;
use crate::standin::merge_box;
use crate::standin::shape::PullTotals;
use crate::standin::state::Pull;
use crate::standin::state::Repository;
use crate::standin::state::State;

const READ: Needs = Needs::read(&["pull_requests"]);

/// `GET /repos/{owner}/{repo}/pulls/{pull_number}`
pub(super) fn get(call: &mut Call<'_>, owner: &str, name: &str, number: u64) -> Outcome {
    let (repository, pull) = find(call, owner, name, number)?;
    let totals = totals(call.state, &repository, &pull);
    Ok(Answer::json(200, &call.shapes.pull(&repository, &pull, Some(&totals))))
}

/// `GET /repos/{owner}/{repo}/pulls/{pull_number}/files`
pub(super) fn files(call: &mut Call<'_>, owner: &str, name: &str, number: u64) -> Outcome {
    let (repository, pull) = find(call, owner, name, number)?;
    let git = open(&repository)?;
    let files = call.state.pull_files(repository.id, &pull);
    let page = page(call, &files[..files.len().min(diff::FILES_LIMIT)]);
    let head = pull.head.to_string();
    let lines = diff::answer_lines(&git, page.items);
    let shown: Vec<Value> = page
        .items
        .iter()
        .zip(&lines)
        .map(|(file, lines)| call.shapes.file(&repository, &head, file, lines))
        .collect();
    Ok(Answer::json(200, &json!(shown)).with_link(page.link))
}

/// `GET /repos/{owner}/{repo}/pulls`
pub(super) fn list(call: &mut Call<'_>, owner: &str, name: &str, (): ()) -> Outcome {
    let repository = call.repository(owner, name, READ)?;
    let state = call.request.query("state").unwrap_or("open");
    if !["open", "closed", "all"].contains(&state) {
        return Err(Answer::invalid("PullRequest", "state", "state must be one of open, closed, all"));
    }
    let head = call.request.query("head");
    let base = call.request.query("base");
    let mut found: Vec<&Pull> = repository
        .pulls
        .iter()
        .filter(|pull| state == "all" || pull.open == (state == "open"))
        .filter(|pull| base.is_none_or(|base| pull.base_branch == base))
        .filter(|pull| {
            head.is_none_or(|head| {
                let owner = pull.fork_owner.as_ref().unwrap_or(&repository.name.owner);
                head == format!("{owner}:{}", pull.head_branch)
            })
        })
        .collect();
    // Newest first, unless asked otherwise.
    if call.request.query("direction") != Some("asc") {
        found.reverse();
    }
    let page = page(call, &found);
    let shown: Vec<Value> = page.items.iter().map(|pull| call.shapes.pull(&repository, pull, None)).collect();
    Ok(Answer::json(200, &json!(shown)).with_link(page.link))
}

/// `GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls`: what a fork offers is not found by its commit.
pub(super) fn of_commit(call: &mut Call<'_>, owner: &str, name: &str, sha: String) -> Outcome {
    let repository = call.repository(owner, name, Needs::read(&["pull_requests", "contents"]))?;
    let git = open(&repository)?;
    let commit =
        git.resolve(&sha).ok_or_else(|| Answer::error(422, &format!("No commit found for SHA: {sha}")))?;
    let found: Vec<&Pull> = repository
        .pulls
        .iter()
        .filter(|pull| pull.fork_owner.is_none())
        .filter(|pull| pull.head == commit || git.commits_between(pull.base, pull.head).contains(&commit))
        .collect();
    let page = page(call, &found);
    let shown: Vec<Value> = page.items.iter().map(|pull| call.shapes.pull(&repository, pull, None)).collect();
    Ok(Answer::json(200, &json!(shown)).with_link(page.link))
}

fn find(call: &mut Call<'_>, owner: &str, name: &str, number: u64) -> Result<(Repository, Pull), Answer> {
    let repository = call.repository(owner, name, READ)?;
    let pull = repository.pull(PullNumber(number)).cloned().ok_or_else(Answer::not_found)?;
    Ok((repository, pull))
}

/// What a single pull request's answer counts.
pub(in crate::standin) fn totals(state: &mut State, repository: &Repository, pull: &Pull) -> PullTotals {
    let files = state.pull_files(repository.id, pull);
    let git = open(repository).ok();
    let lines = git.as_ref().map(|git| diff::answer_lines(git, &files)).unwrap_or_default();
    let on_pull = |comment: &&crate::standin::state::Comment| {
        comment.repository == repository.id && comment.issue == pull.number
    };
    PullTotals {
        mergeable_state: merge_box::state_word(state, repository, pull),
        comments: state.comments.iter().filter(on_pull).count(),
        commits: git.map_or(0, |git| git.commits_between(pull.base, pull.head).len()),
        additions: lines.iter().map(|lines| lines.additions).sum(),
        deletions: lines.iter().map(|lines| lines.deletions).sum(),
        changed_files: files.len(),
    }
}
