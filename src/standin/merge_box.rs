//! Whether a pull request may be merged, as the box at its end would show.
//!
//! A required check is the newest run of that name by that App on the head;
//! `success`, `skipped` and `neutral` satisfy it and nothing else does
//! (<https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-protected-branches/troubleshooting-required-status-checks>).

use gix::ObjectId;

use super::state::Pull;
use super::state::Repository;
use super::state::RequiredCheck;
use super::state::State;

/// What the merge box of a pull request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MergeBox {
    /// The button is green.
    Mergeable,
    /// A required check was never reported: "Expected — Waiting for status to be reported".
    Expected {
        /// The check's name.
        check: String,
    },
    /// A required check does not pass, or the pull request is a draft.
    Blocked {
        /// What blocks, in GitHub's words: `fromguard: failure`.
        why: String,
    },
    /// The pull request is not open.
    Closed,
}

/// Reads the box.
pub(super) fn merge_box(state: &State, repository: &Repository, pull: &Pull) -> MergeBox {
    if !pull.open {
        return MergeBox::Closed;
    }
    if pull.draft {
        return MergeBox::Blocked { why: "This pull request is still a draft".to_owned() };
    }
    checks(state, repository, &pull.base_branch, pull.head)
}

/// What the checks that a branch requires say of a commit: a pull request's head, or
/// a merge group's.
pub(super) fn checks(state: &State, repository: &Repository, branch: &str, head: ObjectId) -> MergeBox {
    let mut expected = None;
    for required in repository.required.iter().filter(|required| required.branch == branch) {
        match required_run(state, repository, head, required) {
            Verdict::Satisfied => {}
            Verdict::Never => expected = expected.or_else(|| Some(required.name.clone())),
            Verdict::Unsatisfied(state) => {
                return MergeBox::Blocked { why: format!("{}: {state}", required.name) };
            }
        }
    }
    match expected {
        Some(check) => MergeBox::Expected { check },
        None => MergeBox::Mergeable,
    }
}

/// The REST API's `mergeable_state`.
pub(super) fn state_word(state: &State, repository: &Repository, pull: &Pull) -> &'static str {
    match merge_box(state, repository, pull) {
        MergeBox::Mergeable => "clean",
        MergeBox::Blocked { .. } if pull.draft => "draft",
        MergeBox::Expected { .. } | MergeBox::Blocked { .. } => "blocked",
        MergeBox::Closed => "unknown",
    }
}

enum Verdict {
    Satisfied,
    Unsatisfied(String),
    Never,
}

fn required_run(state: &State, repository: &Repository, head: ObjectId, required: &RequiredCheck) -> Verdict {
    let newest = state
        .check_runs
        .iter()
        .filter(|run| run.repository == repository.id && run.head == head && run.name == required.name)
        .filter(|run| required.app.is_none_or(|app| run.app == app))
        .max_by_key(|run| run.id);
    match newest {
        None => Verdict::Never,
        Some(run) => match run.conclusion.as_deref() {
            Some("success" | "skipped" | "neutral") => Verdict::Satisfied,
            Some(other) => Verdict::Unsatisfied(other.to_owned()),
            None => Verdict::Unsatisfied(run.status.clone()),
        },
    }
}
