//! The events that are handled, and the little of their payloads that is read:
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request>.
//!
//! A payload is some 24 KB; the structs here borrow from it and skip the rest.

mod installation;
mod push;
mod repository;

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use thiserror::Error;

use crate::ids::InstallationId;
use crate::ids::PullNumber;
use crate::ids::RepositoryId;
use crate::ids::RepositoryName;
use crate::ids::RepositoryPlace;
use crate::ids::Sha;

/// The events to subscribe to.
pub const HANDLED: &[&str] =
    &["check_run", "check_suite", "merge_group", "pull_request", "pull_request_review", "push", "repository"];

/// The events that every App gets, whatever it subscribes to.
pub const AUTOMATIC: &[&str] = &["installation", "installation_repositories"];

/// The button of a completed run that asks for another judgement.
pub const RECHECK: &str = "recheck";

/// What a delivery says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// GitHub tries whether we are there.
    Ping,
    /// Something that changes what is to be judged happened to a pull request.
    Pull(PullEvent),
    /// A merge queue made a group, or is done with it.
    Group(GroupEvent),
    /// Somebody asks for another judgement of a commit.
    Rerun(RerunEvent),
    /// The App was let in, or into more.
    Arrived(ArrivedEvent),
    /// The App was shut out, or of some repositories.
    Left(LeftEvent),
    /// A policy file was changed on a branch.
    Policy(PolicyEvent),
    /// The default branch got other files that may name images.
    Stock(RepositoryPlace),
    /// A repository has another name or owner.
    Moved(MovedEvent),
    /// Nothing that concerns us.
    Other,
}

/// What happened to which pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullEvent {
    /// Where.
    pub place: RepositoryPlace,
    /// Which.
    pub pull: PullNumber,
    /// Its head when the event was made.
    pub head: Sha,
    /// Whether it was open then.
    pub open: bool,
    /// What happened.
    pub action: PullAction,
    /// How many files it changes, if the event says so; 0 otherwise.
    pub files: u64,
}

/// What happened to which merge group. Which pull requests are in it is not said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupEvent {
    /// Where.
    pub place: RepositoryPlace,
    /// The whole name of the branch that GitHub made for it.
    pub branch: String,
    /// Its tip: what would be merged.
    pub head: Sha,
    /// What the group is put on.
    pub base: Sha,
    /// The whole name of the branch that it is to be merged into.
    pub base_branch: String,
    /// Whether its checks are waited for.
    pub open: bool,
}

/// Where another judgement is asked for. Which pull requests are concerned is not
/// said: for forks GitHub leaves that empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RerunEvent {
    /// Where.
    pub place: RepositoryPlace,
    /// Which commit.
    pub head: Sha,
}

/// Where the App may work from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrivedEvent {
    /// Who lets it in.
    pub installation: InstallationId,
    /// The repositories that came; `None` when all are to be looked at.
    pub repositories: Option<Vec<(RepositoryId, RepositoryName)>>,
}

/// Where the App may not work any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftEvent {
    /// Who shuts it out.
    pub installation: InstallationId,
    /// Of which repositories; `None` is all of them.
    pub repositories: Option<Vec<RepositoryId>>,
}

/// Whose policy changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyEvent {
    /// The repository that was pushed to.
    pub place: RepositoryPlace,
    /// The branch whose pull requests are concerned; `None` when it is the organisation's
    /// policy, and so every pull request of the installation.
    pub base: Option<String>,
}

/// What a repository is called now, and who lets the App in there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedEvent {
    /// Where it is now.
    pub place: RepositoryPlace,
    /// Whether it is, or was, the one that holds the organisation's policy.
    pub organisation: bool,
}

/// What happened to a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullAction {
    /// It is new.
    Opened,
    /// It is open again.
    Reopened,
    /// Its head moved.
    Synchronize,
    /// It is no longer a draft.
    ReadyForReview,
    /// `edited`, with another base.
    Retargeted,
    /// It was merged or closed.
    Closed,
    /// Somebody approved it or asked for changes, or such a review was dismissed.
    Reviewed,
}

/// Why a delivery of a handled event is not that event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EventError {
    /// The body is no JSON, or its values are not those of the event. What it says
    /// there is not repeated: bodies do not belong into a log.
    #[error("it is not the JSON of the event (line {line}, column {column})")]
    Json {
        /// Where, counted from 1.
        line: usize,
        /// Where in the line, counted from 1.
        column: usize,
    },
    /// A member is missing.
    #[error("it has no {0}")]
    Missing(&'static str),
    /// The webhook is not the App's.
    #[error(
        "it has no installation.id: it was sent by a repository's or organisation's webhook, not by the App's"
    )]
    NoInstallation,
    /// The head is not a commit's name.
    #[error("the commit that it names is not a full SHA")]
    Sha,
}

impl PullAction {
    /// Whether a run that stands on the head may be of another base, so that a queued
    /// one is to supersede it before anything else happens.
    #[must_use]
    pub fn announces(self) -> bool {
        matches!(self, PullAction::Opened | PullAction::Reopened | PullAction::Retargeted)
    }
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    action: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pull_request: Option<PullRequest<'a>>,
    #[serde(borrow)]
    review: Option<Review<'a>>,
    #[serde(borrow)]
    merge_group: Option<MergeGroup<'a>>,
    #[serde(borrow)]
    check_run: Option<Check<'a>>,
    #[serde(borrow)]
    check_suite: Option<Check<'a>>,
    #[serde(borrow, default)]
    repositories_added: Vec<Listed<'a>>,
    #[serde(borrow, default)]
    repositories_removed: Vec<Listed<'a>>,
    #[serde(borrow)]
    requested_action: Option<RequestedAction<'a>>,
    #[serde(borrow)]
    repository: Option<Repository<'a>>,
    installation: Option<Installation>,
    changes: Option<Changes>,
}

#[derive(Deserialize)]
struct PullRequest<'a> {
    number: u64,
    #[serde(borrow)]
    state: Cow<'a, str>,
    #[serde(borrow)]
    head: Head<'a>,
    #[serde(default)]
    changed_files: u64,
}

#[derive(Deserialize)]
struct Review<'a> {
    #[serde(borrow)]
    state: Cow<'a, str>,
}

#[derive(Deserialize)]
struct MergeGroup<'a> {
    #[serde(borrow)]
    head_sha: Cow<'a, str>,
    #[serde(borrow)]
    head_ref: Cow<'a, str>,
    #[serde(borrow)]
    base_sha: Cow<'a, str>,
    #[serde(borrow)]
    base_ref: Cow<'a, str>,
}

/// A repository in an installation's list.
#[derive(Deserialize)]
struct Listed<'a> {
    id: u64,
    #[serde(borrow)]
    full_name: Cow<'a, str>,
}

/// A check run or a suite of them.
#[derive(Deserialize)]
struct Check<'a> {
    #[serde(borrow)]
    head_sha: Cow<'a, str>,
    #[serde(borrow)]
    external_id: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct RequestedAction<'a> {
    #[serde(borrow)]
    identifier: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    sha: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Repository<'a> {
    id: u64,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    owner: Owner<'a>,
    #[serde(borrow, default)]
    default_branch: Cow<'a, str>,
}

/// A user or an organisation.
#[derive(Deserialize)]
struct Owner<'a> {
    #[serde(borrow)]
    login: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
}

#[derive(Deserialize)]
struct Changes {
    base: Option<IgnoredAny>,
}

/// Reads a delivery: `event` is `X-GitHub-Event`.
///
/// # Errors
/// When the event is handled and the body is not that event.
pub fn read(event: &str, body: &[u8]) -> Result<Event, EventError> {
    match event {
        "ping" => Ok(Event::Ping),
        "pull_request" => pull(body, pull_action),
        "pull_request_review" => pull(body, review_action),
        "merge_group" => group(body),
        "check_run" | "check_suite" => rerun(body),
        "installation" => installation::installation(body),
        "installation_repositories" => installation::repositories(body),
        "push" => push::push(body),
        "repository" => repository::repository(body),
        _ => Ok(Event::Other),
    }
}

/// What a `pull_request` event is about; `None` when it changes nothing that is judged.
fn pull_action(action: &str, payload: &Payload<'_>) -> Option<PullAction> {
    Some(match action {
        "opened" => PullAction::Opened,
        "reopened" => PullAction::Reopened,
        "synchronize" => PullAction::Synchronize,
        "ready_for_review" => PullAction::ReadyForReview,
        "edited" if payload.changes.as_ref().is_some_and(|changes| changes.base.is_some()) => {
            PullAction::Retargeted
        }
        "closed" => PullAction::Closed,
        _ => return None,
    })
}

/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request_review>:
/// a comment settles nothing, and an edit changes words only.
fn review_action(action: &str, payload: &Payload<'_>) -> Option<PullAction> {
    let state = payload.review.as_ref().map_or("", |review| &review.state);
    let opinion = ["approved", "changes_requested"].iter().any(|known| state.eq_ignore_ascii_case(known));
    ((action == "submitted" && opinion) || action == "dismissed").then_some(PullAction::Reviewed)
}

fn pull(body: &[u8], read: fn(&str, &Payload<'_>) -> Option<PullAction>) -> Result<Event, EventError> {
    let payload = payload(body)?;
    let action = payload.action.as_deref().ok_or(EventError::Missing("action"))?;
    let Some(action) = read(action, &payload) else { return Ok(Event::Other) };
    let pull = payload.pull_request.ok_or(EventError::Missing("pull_request"))?;
    let place = place(payload.repository, payload.installation)?;
    let open = action != PullAction::Closed && pull.state == "open";
    let head = sha(&pull.head.sha)?;
    let files = pull.changed_files;
    Ok(Event::Pull(PullEvent { place, pull: PullNumber(pull.number), head, open, action, files }))
}

/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#merge_group>
fn group(body: &[u8]) -> Result<Event, EventError> {
    let payload = payload(body)?;
    let open = match payload.action.as_deref().ok_or(EventError::Missing("action"))? {
        "checks_requested" => true,
        "destroyed" => false,
        _ => return Ok(Event::Other),
    };
    let group = payload.merge_group.ok_or(EventError::Missing("merge_group"))?;
    let place = place(payload.repository, payload.installation)?;
    let (head, base) = (sha(&group.head_sha)?, sha(&group.base_sha)?);
    let (branch, base_branch) = (group.head_ref.into_owned(), group.base_ref.into_owned());
    Ok(Event::Group(GroupEvent { place, branch, head, base, base_branch, open }))
}

/// `rerequested` of a run of ours or of our suite ("re-run all"), and our own button.
/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#check_run>
fn rerun(body: &[u8]) -> Result<Event, EventError> {
    let payload = payload(body)?;
    let action = payload.action.as_deref().ok_or(EventError::Missing("action"))?;
    let pressed = || payload.requested_action.as_ref().is_some_and(|action| action.identifier == RECHECK);
    if !(action == "rerequested" || (action == "requested_action" && pressed())) {
        return Ok(Event::Other);
    }
    let place = place(payload.repository, payload.installation)?;
    // A run says by its reference that it is ours; a suite comes to its own App only.
    let ours = |run: &Check<'_>| {
        run.external_id.as_ref().is_some_and(|id| id.starts_with(&format!("fromguard:{}:", place.id)))
    };
    let head = match (payload.check_run, payload.check_suite) {
        (Some(run), _) if ours(&run) => run.head_sha,
        (Some(_), _) => return Ok(Event::Other),
        (None, Some(suite)) => suite.head_sha,
        (None, None) => return Err(EventError::Missing("check_run or check_suite")),
    };
    Ok(Event::Rerun(RerunEvent { head: sha(&head)?, place }))
}

fn payload(body: &[u8]) -> Result<Payload<'_>, EventError> {
    serde_json::from_slice(body)
        .map_err(|error| EventError::Json { line: error.line(), column: error.column() })
}

fn place(
    repository: Option<Repository<'_>>,
    installation: Option<Installation>,
) -> Result<RepositoryPlace, EventError> {
    let repository = repository.ok_or(EventError::Missing("repository"))?;
    let installation = installation.ok_or(EventError::NoInstallation)?;
    Ok(RepositoryPlace {
        installation: InstallationId(installation.id),
        id: RepositoryId(repository.id),
        name: RepositoryName {
            owner: repository.owner.login.into_owned(),
            name: repository.name.into_owned(),
        },
    })
}

fn sha(text: &str) -> Result<Sha, EventError> {
    if is_full_sha(text) { Ok(Sha(text.to_owned())) } else { Err(EventError::Sha) }
}

fn is_full_sha(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests;
