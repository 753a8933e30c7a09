//! Comments on a pull request's conversation.
//!
//! <https://docs.github.com/en/rest/issues/comments>

use serde_json::Value;
use serde_json::json;

use super::Call;
use super::Outcome;
use super::pages::page;
use crate::ids::CommentId;
use crate::ids::PullNumber;
use crate::standin::answer::Answer;
use crate::standin::auth::Needs;
use crate::standin::state::Author;
use crate::standin::state::Comment;
use crate::standin::state::Repository;

/// The longest comment.
const BODY_LIMIT_CHARACTERS: usize = 65_536;

const READ: Needs = Needs::read(&["pull_requests", "issues"]);
const WRITE: Needs = Needs::write(&["pull_requests", "issues"]);

/// `GET /repos/{owner}/{repo}/issues/{issue_number}/comments`, oldest first.
pub(super) fn list(call: &mut Call<'_>, owner: &str, name: &str, number: u64) -> Outcome {
    let repository = call.repository(owner, name, READ)?;
    let pull = pull(&repository, number)?;
    let found: Vec<&Comment> = call
        .state
        .comments
        .iter()
        .filter(|comment| comment.repository == repository.id && comment.issue == pull)
        .collect();
    let page = page(call, &found);
    let shown: Vec<Value> =
        page.items.iter().map(|comment| call.shapes.comment(&repository, comment)).collect();
    let answer = Answer::json(200, &json!(shown));
    Ok(answer.with_link(page.link))
}

/// `POST /repos/{owner}/{repo}/issues/{issue_number}/comments`
pub(super) fn create(call: &mut Call<'_>, owner: &str, name: &str, number: u64) -> Outcome {
    let repository = call.repository(owner, name, WRITE)?;
    let issue = pull(&repository, number)?;
    let body = body(call)?;
    let comment = Comment {
        id: CommentId(call.state.fresh_id()),
        repository: repository.id,
        issue,
        body,
        author: Author::App,
        minimized: None,
        created_ms: call.now_ms,
        updated_ms: call.now_ms,
    };
    let answer = Answer::json(201, &call.shapes.comment(&repository, &comment));
    call.state.comments.push(comment);
    Ok(answer)
}

/// `GET /repos/{owner}/{repo}/issues/comments/{comment_id}`
pub(super) fn get(call: &mut Call<'_>, owner: &str, name: &str, id: u64) -> Outcome {
    let repository = call.repository(owner, name, READ)?;
    let comment = find(call, &repository, id)?;
    Ok(Answer::json(200, &call.shapes.comment(&repository, &comment)))
}

/// `PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}`
pub(super) fn update(call: &mut Call<'_>, owner: &str, name: &str, id: u64) -> Outcome {
    let repository = call.repository(owner, name, WRITE)?;
    let found = find(call, &repository, id)?;
    let comment = Comment { body: body(call)?, updated_ms: call.now_ms, ..found };
    let answer = Answer::json(200, &call.shapes.comment(&repository, &comment));
    if let Some(kept) = call.state.comments.iter_mut().find(|kept| kept.id == comment.id) {
        *kept = comment;
    }
    Ok(answer)
}

/// `DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}`
pub(super) fn delete(call: &mut Call<'_>, owner: &str, name: &str, id: u64) -> Outcome {
    let repository = call.repository(owner, name, WRITE)?;
    let comment = find(call, &repository, id)?;
    call.state.comments.retain(|kept| kept.id != comment.id);
    Ok(Answer::no_content())
}

fn pull(repository: &Repository, number: u64) -> Result<PullNumber, Answer> {
    let number = PullNumber(number);
    repository.pull(number).map(|pull| pull.number).ok_or_else(Answer::not_found)
}

fn find(call: &Call<'_>, repository: &Repository, id: u64) -> Result<Comment, Answer> {
    let comments = &call.state.comments;
    let found = comments.iter().find(|comment| comment.id.0 == id && comment.repository == repository.id);
    found.cloned().ok_or_else(Answer::not_found)
}

fn body(call: &Call<'_>) -> Result<String, Answer> {
    let body = call.request.json()?;
    let text = body["body"].as_str().ok_or_else(|| Answer::unprocessable("\"body\" wasn't supplied."))?;
    if text.trim().is_empty() {
        return Err(Answer::invalid("IssueComment", "body", "Body cannot be blank"));
    }
    if text.chars().count() > BODY_LIMIT_CHARACTERS {
        let message = format!("Body is too long (maximum is {BODY_LIMIT_CHARACTERS} characters)");
        return Err(Answer::invalid("IssueComment", "body", &message));
    }
    Ok(text.to_owned())
}
