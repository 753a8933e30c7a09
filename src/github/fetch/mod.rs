//! Fetches a change: what the pull request is now, the policy files in force, and
//! both ends of every file that could name an image.
//!
//! The plan, in round trips that follow one another: one query for the pull
//! request, its files and the policies; one for the contents at both ends, with
//! the merge base confirmed beside it. More than 100 files take one step more, and so
//! do files that an untouched one depends on: those are found in the tree of the head.
//! Nothing is taken for absent that is not known to be.

mod change;
mod contents;
mod ends;
mod entry;
mod listing;
mod policy;
mod review;
mod trees;

use std::collections::BTreeSet;
use std::sync::Arc;

use fromguard_core::day::Day;
use fromguard_core::report::Subject;
use fromguard_core::source::RepoPath;
use thiserror::Error as ThisError;

use crate::github::error::Error;
use crate::github::fetch::change::Now;
use crate::github::fetch::ends::BaseEnd;
use crate::github::fetch::ends::Ends;
use crate::github::fetch::listing::Changed;
use crate::github::repository::Repository;
use crate::ids::PullNumber;
use crate::ids::RepositoryName;
use crate::ids::Sha;

/// What to fetch.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Which pull request.
    pub pull: PullNumber,
    /// The head that is to be judged.
    pub head: &'a Sha,
    /// Whether its comments are looked at too, for one of ours.
    pub comments: bool,
    /// Whether a policy of this organisation was ever read.
    pub organisation_policy_seen: bool,
    /// The day of judgement: exceptions of a policy end.
    pub day: Day,
}

/// What was found.
#[derive(Debug)]
pub enum Fetched {
    /// The head is still the head.
    Change(Box<Change>),
    /// The pull request has another head now.
    Moved(Sha),
    /// It was closed or merged.
    Closed,
}

/// A change, ready to be judged.
#[derive(Debug)]
pub struct Change {
    /// What the repository is called now.
    pub name: RepositoryName,
    /// Whether not everybody can see the repository.
    pub private: bool,
    /// What is to be judged.
    pub subject: Subject,
    /// A policy of the organisation was read: from now on it is expected.
    pub organisation_policy_read: bool,
    /// The bodies of all comments; `None` when they were not asked for or are many.
    pub comments: Option<Vec<String>>,
}

/// Why there is nothing to judge.
#[derive(Debug, ThisError)]
pub enum FetchError {
    /// GitHub did not answer.
    #[error(transparent)]
    GitHub(#[from] Error),
    /// This change cannot be judged, however often it is fetched.
    #[error("{0}")]
    Hopeless(String),
    /// It may be judged later.
    #[error("{0}")]
    NotYet(String),
    /// A defect of ours.
    #[error("reading the change failed inside fromguard: {0}")]
    Panicked(String),
}

/// Fetches a pull request.
///
/// # Errors
/// When something is not known: nothing is guessed.
pub async fn fetch(repository: &Repository, request: Request<'_>) -> Result<Fetched, FetchError> {
    let mut now = change::now(repository, request.pull, request.comments).await?;
    if !now.open {
        return Ok(Fetched::Closed);
    }
    if now.head != *request.head {
        return Ok(Fetched::Moved(now.head));
    }
    let repository = repository.named(now.name.clone());
    let base_tip = now.base_tip.take().ok_or_else(|| {
        FetchError::NotYet("the pull request's base branch is gone, and with it the policy".into())
    })?;
    let mut policies = policy::policies(&repository, &now, &request).await?;
    let (approvals, notices) = review::approvals(&repository, &policies.in_force, &now.approvals).await?;
    policies.notices.extend(notices);
    let (files, confirmed) = files(&repository, request.pull, &mut now, &base_tip).await?;

    let proposed_path = policy::path_in(&repository);
    let proposed_path = files
        .iter()
        .find(|file| file.at_head && file.path.as_str() == proposed_path)
        .map(|file| file.path.clone());
    let base_end = match confirmed {
        Some(merge_base) => BaseEnd::Known(merge_base),
        None => BaseEnd::Likely { tip: base_tip, guess: now.likely_merge_base.take() },
    };
    let Ends { head, base, proposed } =
        ends::read(&repository, request.head, base_end, &files, proposed_path).await?;

    let touched: BTreeSet<RepoPath> =
        files.iter().flat_map(|file| std::iter::once(&file.path).chain(&file.previous)).cloned().collect();
    let proposed = proposed.map(|(path, content)| policy::proposed(path, content, &policies.in_force));
    Ok(Fetched::Change(Box::new(Change {
        private: now.private,
        name: now.name,
        subject: Subject {
            head,
            base: Some(base),
            touched: Some(touched),
            policies: policies.in_force,
            proposed,
            evidence: Arc::default(),
            notices: policies.notices,
            approvals,
        },
        organisation_policy_read: policies.organisation_read,
        comments: now.comments,
    })))
}

/// The whole list of files; with the merge base if that was fetched beside it.
async fn files(
    repository: &Repository,
    pull: PullNumber,
    now: &mut Now,
    base_tip: &Sha,
) -> Result<(Vec<Changed>, Option<Option<Sha>>), FetchError> {
    let count = now.changed_files;
    if count > listing::MAX_FILES {
        return Err(FetchError::Hopeless(format!(
            "the pull request changes {count} files and GitHub lists at most {} of them; split it",
            listing::MAX_FILES
        )));
    }
    let (files, confirmed) = if count > listing::PAGE {
        let pages = listing::pages(repository, pull, count);
        let merge_base = listing::merge_base(repository, base_tip, &now.head);
        let (files, merge_base) = futures_util::try_join!(pages, merge_base)?;
        (files, Some(merge_base))
    } else {
        (std::mem::take(&mut now.files), None)
    };
    if files.len() as u64 != count {
        return Err(FetchError::NotYet(format!(
            "GitHub says that {count} files are changed and lists {}",
            files.len()
        )));
    }
    Ok((files, confirmed))
}
