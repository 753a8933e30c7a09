//! What GitHub would show: the merge box, check runs, comments.

use serde_json::Value;

use super::PullPlace;
use super::branch_of;
use super::find;
use super::found_pull;
use super::revision_of;
use crate::ids::CheckRunId;
use crate::ids::CommentId;
use crate::ids::Sha;
use crate::standin::Standin;
use crate::standin::StandinError;
use crate::standin::lock;
use crate::standin::merge_box;
use crate::standin::merge_box::MergeBox;
use crate::standin::state::Author;
use crate::standin::state::CheckRun;
use crate::standin::state::Comment;

/// A check run as GitHub would show it.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckRunView {
    /// Its id.
    pub id: CheckRunId,
    /// Its name.
    pub name: String,
    /// The App that made it.
    pub app: u64,
    /// `queued`, `in_progress` or `completed`.
    pub status: String,
    /// GitHub's word, once completed.
    pub conclusion: Option<String>,
    /// The output's title.
    pub title: String,
    /// The output's summary, Markdown.
    pub summary: String,
    /// The output's text, Markdown.
    pub text: String,
    /// Every annotation of every request, as posted.
    pub annotations: Vec<Value>,
    /// The buttons, as posted.
    pub actions: Vec<Value>,
    /// Where "Details" leads.
    pub details_url: Option<String>,
    /// The App's own reference.
    pub external_id: Option<String>,
}

/// A comment as GitHub would show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentView {
    /// Its id.
    pub id: CommentId,
    /// Markdown.
    pub body: String,
    /// Whether the App under test wrote it.
    pub by_app: bool,
    /// Why it is folded away, if it is: `resolved`.
    pub minimized: Option<String>,
}

impl Standin {
    /// What the merge box of a pull request says.
    ///
    /// # Errors
    /// When there is no such pull request.
    pub fn merge_box(&self, pull: &PullPlace) -> Result<MergeBox, StandinError> {
        let state = lock(&self.shared.state);
        let repository = find(&state, &pull.repository.to_string())?;
        Ok(merge_box::merge_box(&state, repository, found_pull(repository, pull)?))
    }

    /// A pull request's head.
    ///
    /// # Errors
    /// When there is no such pull request.
    pub fn head(&self, pull: &PullPlace) -> Result<Sha, StandinError> {
        let state = lock(&self.shared.state);
        let repository = find(&state, &pull.repository.to_string())?;
        Ok(Sha(found_pull(repository, pull)?.head.to_string()))
    }

    /// The tip of a branch.
    ///
    /// # Errors
    /// When there is no such repository or branch.
    pub fn branch(&self, repository: &str, branch: &str) -> Result<Sha, StandinError> {
        let state = lock(&self.shared.state);
        Ok(Sha(branch_of(find(&state, repository)?, branch)?.to_string()))
    }

    /// Every check run on a commit, oldest first, superseded ones included.
    ///
    /// # Errors
    /// When there is no such repository or revision.
    pub fn check_runs(&self, repository: &str, revision: &str) -> Result<Vec<CheckRunView>, StandinError> {
        let state = lock(&self.shared.state);
        let found = find(&state, repository)?;
        let head = revision_of(found, revision)?;
        let runs = state.check_runs.iter().filter(|run| run.repository == found.id && run.head == head);
        Ok(runs.map(view).collect())
    }

    /// The newest check run of the App under test with this name on a pull request's head.
    ///
    /// # Errors
    /// When there is no such pull request.
    pub fn check_run(&self, pull: &PullPlace, name: &str) -> Result<Option<CheckRunView>, StandinError> {
        let head = self.head(pull)?;
        let runs = self.check_runs(&pull.repository.to_string(), &head.0)?;
        Ok(runs.into_iter().rfind(|run| run.name == name && run.app == self.app_id()))
    }

    /// The comments on a pull request, oldest first.
    ///
    /// # Errors
    /// When there is no such pull request.
    pub fn comments(&self, pull: &PullPlace) -> Result<Vec<CommentView>, StandinError> {
        let state = lock(&self.shared.state);
        let repository = find(&state, &pull.repository.to_string())?;
        found_pull(repository, pull)?;
        let on_pull =
            |comment: &&Comment| comment.repository == repository.id && comment.issue == pull.number;
        let view = |comment: &Comment| CommentView {
            id: comment.id,
            body: comment.body.clone(),
            by_app: comment.author == Author::App,
            minimized: comment.minimized.clone(),
        };
        Ok(state.comments.iter().filter(on_pull).map(view).collect())
    }
}

fn view(run: &CheckRun) -> CheckRunView {
    CheckRunView {
        id: run.id,
        name: run.name.clone(),
        app: run.app,
        status: run.status.clone(),
        conclusion: run.conclusion.clone(),
        title: run.title.clone().unwrap_or_default(),
        summary: run.summary.clone().unwrap_or_default(),
        text: run.text.clone().unwrap_or_default(),
        annotations: run.annotations.clone(),
        actions: run.actions.clone(),
        details_url: run.details_url.clone(),
        external_id: run.external_id.clone(),
    }
}
