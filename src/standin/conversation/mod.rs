//! What a test or the rehearsal says to the stand-in: install, add a
//! repository, open a pull request, push; then [`deliveries`] and [`views`].
//!
//! Every act makes the webhook deliveries that GitHub would make; they wait until
//! [`Standin::deliver_all`], so that a test can lose, repeat and reorder them.

mod deliveries;
mod installations;
mod queue;
mod repositories;
mod views;

use std::path::Path;

pub use self::queue::MergeGroup;
pub use self::views::CheckRunView;
pub use self::views::CommentView;

use gix::ObjectId;
use serde_json::Value;
use serde_json::json;

use super::Standin;
use super::StandinError;
use super::git::Git;
use super::lock;
use super::state::Author;
use super::state::CheckRun;
use super::state::Comment;
use super::state::Pull;
use super::state::Repository;
use super::state::RequiredCheck;
use super::state::Review;
use super::state::State;
use super::time::iso;
use super::webhook;
use crate::ids::CheckRunId;
use crate::ids::CommentId;
use crate::ids::PullNumber;
use crate::ids::RepositoryId;
use crate::ids::RepositoryName;
use crate::ids::Sha;

/// The account that pull requests come from when they come from a fork.
const CONTRIBUTOR: &str = "contributor";
/// The account that pull requests come from otherwise.
const MEMBER: &str = "octocat";

/// A pull request by its repository and number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullPlace {
    /// The base repository.
    pub repository: RepositoryName,
    /// The number there.
    pub number: PullNumber,
}

impl Standin {
    /// Tells the App that a branch was pushed to, from one revision to another.
    ///
    /// # Errors
    /// When there is no such repository or revision.
    pub fn announce_push(
        &self,
        repository: &str,
        branch: &str,
        before: &str,
        after: &str,
    ) -> Result<(), StandinError> {
        let mut state = lock(&self.shared.state);
        let found = find(&state, repository)?;
        let ends = (revision_of(found, before)?, revision_of(found, after)?);
        self.announce_pushed(&mut state, repository, branch, ends)
    }

    fn announce_pushed(
        &self,
        state: &mut State,
        repository: &str,
        branch: &str,
        ends: (ObjectId, ObjectId),
    ) -> Result<(), StandinError> {
        let found = find(state, repository)?.clone();
        let git = Git::open(&found.path).ok_or_else(|| unknown("repository", repository))?;
        if state.installation_of(&found).is_some() {
            let shapes = self.shared.shapes();
            let payload = webhook::push(state, shapes, &found, &git, branch, ends);
            lock(&self.shared.deliveries).add("push", &payload);
        }
        Ok(())
    }

    /// Adds a private repository `owner/name` over the git repository at `path`, bare or with a work tree.
    /// Its default branch is the one that `HEAD` names there.
    ///
    /// # Errors
    /// When `path` holds no git repository.
    pub fn add_repository(&self, full_name: &str, path: &Path) -> Result<RepositoryId, StandinError> {
        let git = Git::open(path).ok_or_else(|| StandinError::NotARepository(path.display().to_string()))?;
        let (owner, name) = full_name.split_once('/').ok_or_else(|| unknown("repository", full_name))?;
        let mut state = lock(&self.shared.state);
        let id = RepositoryId(state.fresh_small_id());
        state.repositories.push(Repository {
            id,
            name: RepositoryName { owner: owner.to_owned(), name: name.to_owned() },
            path: path.to_path_buf(),
            private: true,
            archived: false,
            default_branch: git.head_branch().unwrap_or_else(|| "main".to_owned()),
            branches: Default::default(),
            pulls: Vec::new(),
            queue: Vec::new(),
            required: Vec::new(),
            created_ms: self.shared.clock.now_ms(),
        });
        Ok(id)
    }

    /// Lets anyone read a repository.
    ///
    /// # Errors
    /// When there is no such repository.
    pub fn make_public(&self, repository: &str) -> Result<(), StandinError> {
        self.change(repository, |found| found.private = false)
    }

    /// Makes another branch the default one.
    ///
    /// # Errors
    /// When there is no such repository.
    pub fn set_default_branch(&self, repository: &str, branch: &str) -> Result<(), StandinError> {
        self.change(repository, |found| found.default_branch = branch.to_owned())
    }

    /// Lets a branch stand at a revision, in the stand-in only: the git repository is not written to.
    ///
    /// # Errors
    /// When there is no such repository or revision.
    pub fn set_branch(&self, repository: &str, branch: &str, revision: &str) -> Result<Sha, StandinError> {
        let mut state = lock(&self.shared.state);
        let found = find(&state, repository)?;
        let oid = revision_of(found, revision)?;
        let found = find_mut(&mut state, repository)?;
        found.branches.insert(branch.to_owned(), oid);
        Ok(Sha(oid.to_string()))
    }

    /// Requires a check on pull requests to a branch. With `app` it must come from that App.
    ///
    /// # Errors
    /// When there is no such repository.
    pub fn protect(
        &self,
        repository: &str,
        branch: &str,
        check: &str,
        app: Option<u64>,
    ) -> Result<(), StandinError> {
        self.require(repository, branch, check, app, false)
    }

    /// The same by a ruleset instead of the branch's own protection.
    ///
    /// # Errors
    /// When there is no such repository.
    pub fn protect_by_rule(
        &self,
        repository: &str,
        branch: &str,
        check: &str,
        app: Option<u64>,
    ) -> Result<(), StandinError> {
        self.require(repository, branch, check, app, true)
    }

    fn require(
        &self,
        repository: &str,
        branch: &str,
        check: &str,
        app: Option<u64>,
        by_rule: bool,
    ) -> Result<(), StandinError> {
        let required = RequiredCheck { branch: branch.to_owned(), name: check.to_owned(), app, by_rule };
        self.change(repository, |found| found.required.push(required))
    }

    /// Opens a pull request from a branch (or revision) to a branch of the same repository.
    ///
    /// # Errors
    /// When there is no such repository, branch or revision.
    pub fn open_pull_request(
        &self,
        repository: &str,
        base: &str,
        head: &str,
    ) -> Result<PullPlace, StandinError> {
        self.open(repository, base, head, Opening::default())
    }

    /// Opens a pull request from a fork's branch; the fork shares the repository's objects.
    ///
    /// # Errors
    /// As [`Standin::open_pull_request`].
    pub fn open_fork_pull_request(
        &self,
        repository: &str,
        base: &str,
        head: &str,
    ) -> Result<PullPlace, StandinError> {
        self.open(repository, base, head, Opening { fork: true, draft: false })
    }

    /// Opens a draft.
    ///
    /// # Errors
    /// As [`Standin::open_pull_request`].
    pub fn open_draft(&self, repository: &str, base: &str, head: &str) -> Result<PullPlace, StandinError> {
        self.open(repository, base, head, Opening { fork: false, draft: true })
    }

    fn open(
        &self,
        repository: &str,
        base: &str,
        head: &str,
        opening: Opening,
    ) -> Result<PullPlace, StandinError> {
        let now_ms = self.shared.clock.now_ms();
        let mut state = lock(&self.shared.state);
        let id = state.fresh_id();
        let found = find_mut(&mut state, repository)?;
        let base_oid = branch_of(found, base)?;
        let head_oid = revision_of(found, head)?;
        let number = PullNumber(found.pulls.len() as u64 + 1);
        found.pulls.push(Pull {
            number,
            id,
            title: format!("Merge {head}"),
            author: if opening.fork { CONTRIBUTOR } else { MEMBER }.to_owned(),
            base_branch: base.to_owned(),
            base: base_oid,
            head_branch: head.to_owned(),
            head: head_oid,
            fork_owner: opening.fork.then(|| CONTRIBUTOR.to_owned()),
            draft: opening.draft,
            open: true,
            created_ms: now_ms,
            updated_ms: now_ms,
        });
        let place = PullPlace { repository: found.name.clone(), number };
        self.announce(&mut state, &place, "opened", json!({}))?;
        Ok(place)
    }

    /// Moves a pull request's head to another revision, as a push does.
    ///
    /// # Errors
    /// When there is no such pull request or revision.
    pub fn push(&self, pull: &PullPlace, revision: &str) -> Result<Sha, StandinError> {
        let mut state = lock(&self.shared.state);
        let repository = find(&state, &pull.repository.to_string())?;
        let after = revision_of(repository, revision)?;
        let base = revision_of(repository, &found_pull(repository, pull)?.base_branch)?;
        let mut before = after;
        self.change_pull(&mut state, pull, |found| {
            before = std::mem::replace(&mut found.head, after);
            found.base = base;
        })?;
        let more = json!({"before": before.to_string(), "after": after.to_string()});
        self.announce(&mut state, pull, "synchronize", more)?;
        Ok(Sha(after.to_string()))
    }

    /// Points a pull request at another base branch.
    ///
    /// # Errors
    /// When there is no such pull request or branch.
    pub fn retarget(&self, pull: &PullPlace, base: &str) -> Result<(), StandinError> {
        let mut state = lock(&self.shared.state);
        let repository = find(&state, &pull.repository.to_string())?;
        let to = branch_of(repository, base)?;
        let before = found_pull(repository, pull)?.clone();
        self.change_pull(&mut state, pull, |found| {
            found.base_branch = base.to_owned();
            found.base = to;
        })?;
        let changes = json!({"base": {
            "ref": {"from": before.base_branch},
            "sha": {"from": before.base.to_string()},
        }});
        self.announce(&mut state, pull, "edited", json!({"changes": changes}))
    }

    /// Gives a pull request another title: an `edited` event that changes nothing that is judged.
    ///
    /// # Errors
    /// When there is no such pull request.
    pub fn retitle(&self, pull: &PullPlace, title: &str) -> Result<(), StandinError> {
        let mut state = lock(&self.shared.state);
        let mut before = String::new();
        self.change_pull(&mut state, pull, |found| {
            before = std::mem::replace(&mut found.title, title.to_owned());
        })?;
        self.announce(&mut state, pull, "edited", json!({"changes": {"title": {"from": before}}}))
    }

    /// Closes a pull request without merging it.
    ///
    /// # Errors
    /// When there is no such pull request.
    pub fn close(&self, pull: &PullPlace) -> Result<(), StandinError> {
        let mut state = lock(&self.shared.state);
        self.change_pull(&mut state, pull, |found| found.open = false)?;
        self.announce(&mut state, pull, "closed", json!({}))
    }

    /// Opens a closed pull request again.
    ///
    /// # Errors
    /// When there is no such pull request.
    pub fn reopen(&self, pull: &PullPlace) -> Result<(), StandinError> {
        let mut state = lock(&self.shared.state);
        self.change_pull(&mut state, pull, |found| found.open = true)?;
        self.announce(&mut state, pull, "reopened", json!({}))
    }

    /// Turns a draft into a pull request that asks to be merged.
    ///
    /// # Errors
    /// When there is no such pull request.
    pub fn mark_ready(&self, pull: &PullPlace) -> Result<(), StandinError> {
        let mut state = lock(&self.shared.state);
        self.change_pull(&mut state, pull, |found| found.draft = false)?;
        self.announce(&mut state, pull, "ready_for_review", json!({}))
    }

    /// A comment by somebody who is not the App.
    ///
    /// # Errors
    /// When there is no such pull request.
    pub fn comment_as(&self, pull: &PullPlace, login: &str, body: &str) -> Result<CommentId, StandinError> {
        let mut state = lock(&self.shared.state);
        let repository = find(&state, &pull.repository.to_string())?.id;
        let id = CommentId(state.fresh_id());
        let now_ms = self.shared.clock.now_ms();
        state.comments.push(Comment {
            id,
            repository,
            issue: pull.number,
            body: body.to_owned(),
            author: Author::User(login.to_owned()),
            minimized: None,
            created_ms: now_ms,
            updated_ms: now_ms,
        });
        Ok(id)
    }

    /// Somebody deletes a comment.
    pub fn delete_comment(&self, comment: CommentId) {
        lock(&self.shared.state).comments.retain(|kept| kept.id != comment);
    }

    /// A review of a pull request's head as it is: `APPROVED`, `CHANGES_REQUESTED` or `COMMENTED`.
    ///
    /// # Errors
    /// When there is no such pull request.
    pub fn review(&self, pull: &PullPlace, login: &str, verdict: &'static str) -> Result<(), StandinError> {
        let mut state = lock(&self.shared.state);
        let repository = find(&state, &pull.repository.to_string())?;
        let (repository, commit) = (repository.id, found_pull(repository, pull)?.head);
        let review = Review {
            id: state.fresh_id(),
            repository,
            pull: pull.number,
            author: login.to_owned(),
            state: verdict,
            commit,
            submitted_ms: self.shared.clock.now_ms(),
        };
        state.reviews.push(review.clone());
        self.announce_review(&mut state, pull, "submitted", &review)
    }

    /// Dismisses what somebody said in a review.
    ///
    /// # Errors
    /// When there is no such pull request or review.
    pub fn dismiss(&self, pull: &PullPlace, login: &str) -> Result<(), StandinError> {
        let mut state = lock(&self.shared.state);
        let repository = find(&state, &pull.repository.to_string())?.id;
        let review = state.reviews.iter_mut().rev().find(|review| {
            review.repository == repository && review.pull == pull.number && review.author == login
        });
        let review = review.ok_or_else(|| unknown("review by", login))?;
        review.state = "DISMISSED";
        let review = review.clone();
        self.announce_review(&mut state, pull, "dismissed", &review)
    }

    /// Puts somebody into a team, `organisation/slug`, or only invites them.
    pub fn team_member(&self, team: &str, login: &str, active: bool) {
        let mut state = lock(&self.shared.state);
        let members = state.teams.entry(team.to_ascii_lowercase()).or_default();
        members.insert(login.to_ascii_lowercase(), active);
    }

    /// Presses "Re-run" on a check run, or a button of its own with this identifier.
    /// The run itself does not change.
    ///
    /// # Errors
    /// When there is no such run.
    pub fn rerequest(&self, run: CheckRunId, button: Option<&str>) -> Result<(), StandinError> {
        let state = lock(&self.shared.state);
        let found = state.check_runs.iter().find(|found| found.id == run);
        let found = found.ok_or_else(|| unknown("check run", &run.to_string()))?;
        if let Some(repository) = state.repository_by_id(found.repository) {
            let payload = webhook::check_run(&state, self.shared.shapes(), repository, found, button);
            lock(&self.shared.deliveries).add("check_run", &payload);
        }
        Ok(())
    }

    /// Presses "Re-run all checks" on a pull request.
    ///
    /// # Errors
    /// When there is no such pull request.
    pub fn rerequest_all(&self, pull: &PullPlace) -> Result<(), StandinError> {
        let mut state = lock(&self.shared.state);
        let repository = find(&state, &pull.repository.to_string())?.clone();
        let head = found_pull(&repository, pull)?.head;
        let suite = state.suite(repository.id, head, self.shared.app.id);
        let shapes = self.shared.shapes();
        let payload = webhook::check_suite(&state, shapes, &repository, suite, head, self.shared.app.id);
        lock(&self.shared.deliveries).add("check_suite", &payload);
        Ok(())
    }

    /// A completed check run by another App: whoever may write checks can forge a name.
    ///
    /// # Errors
    /// When there is no such repository or revision.
    pub fn check_run_by_other_app(
        &self,
        repository: &str,
        revision: &str,
        app: u64,
        name: &str,
        conclusion: &str,
    ) -> Result<CheckRunId, StandinError> {
        let mut state = lock(&self.shared.state);
        let found = find(&state, repository)?;
        let (id, head) = (found.id, revision_of(found, revision)?);
        let at = iso(self.shared.clock.now_ms());
        let run = CheckRun {
            id: CheckRunId(state.fresh_id()),
            repository: id,
            suite: state.suite(id, head, app),
            app,
            name: name.to_owned(),
            head,
            status: "completed".to_owned(),
            conclusion: Some(conclusion.to_owned()),
            started_at: Some(at.clone()),
            completed_at: Some(at),
            details_url: None,
            external_id: None,
            title: None,
            summary: None,
            text: None,
            annotations: Vec::new(),
            actions: Vec::new(),
        };
        let id = run.id;
        state.check_runs.push(run);
        Ok(id)
    }

    fn change(&self, repository: &str, change: impl FnOnce(&mut Repository)) -> Result<(), StandinError> {
        let mut state = lock(&self.shared.state);
        change(find_mut(&mut state, repository)?);
        Ok(())
    }

    fn change_pull(
        &self,
        state: &mut State,
        pull: &PullPlace,
        change: impl FnOnce(&mut Pull),
    ) -> Result<(), StandinError> {
        let repository = find_mut(state, &pull.repository.to_string())?;
        let found = repository.pull_mut(pull.number).ok_or_else(|| unknown_pull(pull))?;
        change(found);
        found.updated_ms = self.shared.clock.now_ms();
        Ok(())
    }

    /// Makes the delivery of a `pull_request` event, if the App is installed there.
    fn announce(
        &self,
        state: &mut State,
        pull: &PullPlace,
        action: &str,
        more: Value,
    ) -> Result<(), StandinError> {
        let repository = find(state, &pull.repository.to_string())?.clone();
        let found = found_pull(&repository, pull)?;
        if state.installation_of(&repository).is_some() {
            let shapes = self.shared.shapes();
            let payload = webhook::pull_request(state, shapes, action, &repository, found, more);
            lock(&self.shared.deliveries).add("pull_request", &payload);
        }
        Ok(())
    }

    /// Makes the delivery of a `pull_request_review` event, if the App is installed there.
    fn announce_review(
        &self,
        state: &mut State,
        pull: &PullPlace,
        action: &str,
        review: &Review,
    ) -> Result<(), StandinError> {
        let repository = find(state, &pull.repository.to_string())?.clone();
        let found = found_pull(&repository, pull)?;
        if state.installation_of(&repository).is_some() {
            let shapes = self.shared.shapes();
            let payload = webhook::pull_request_review(state, shapes, action, &repository, found, review);
            lock(&self.shared.deliveries).add("pull_request_review", &payload);
        }
        Ok(())
    }
}

#[derive(Default)]
struct Opening {
    fork: bool,
    draft: bool,
}

fn find<'a>(state: &'a State, full_name: &str) -> Result<&'a Repository, StandinError> {
    let (owner, name) = full_name.split_once('/').unwrap_or((full_name, ""));
    state.repository(owner, name).ok_or_else(|| unknown("repository", full_name))
}

fn find_mut<'a>(state: &'a mut State, full_name: &str) -> Result<&'a mut Repository, StandinError> {
    let (owner, name) = full_name.split_once('/').unwrap_or((full_name, ""));
    state.repository_mut(owner, name).ok_or_else(|| unknown("repository", full_name))
}

fn found_pull<'a>(repository: &'a Repository, pull: &PullPlace) -> Result<&'a Pull, StandinError> {
    repository.pull(pull.number).ok_or_else(|| unknown_pull(pull))
}

/// A revision as the caller's git spells it (`HEAD~2` of the real repository), or a branch that exists only here.
fn revision_of(repository: &Repository, revision: &str) -> Result<ObjectId, StandinError> {
    let find = |git: Git| {
        let here = repository.branches.get(revision).copied();
        here.or_else(|| git.resolve(revision)).or_else(|| repository.commit(&git, revision))
    };
    Git::open(&repository.path).and_then(find).ok_or_else(|| unknown("branch or commit", revision))
}

fn branch_of(repository: &Repository, branch: &str) -> Result<ObjectId, StandinError> {
    Git::open(&repository.path)
        .and_then(|git| repository.branch(&git, branch))
        .ok_or_else(|| unknown("branch", branch))
}

fn unknown(what: &'static str, name: &str) -> StandinError {
    StandinError::Unknown { what, name: name.to_owned() }
}

fn unknown_pull(pull: &PullPlace) -> StandinError {
    unknown("pull request", &format!("{}#{}", pull.repository, pull.number))
}
