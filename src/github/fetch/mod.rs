//! Fetches a change: what the pull request (or the merge group) is now, the policy files in force, and
//! both ends of every file that could name an image.
//!
//! The plan, in round trips that follow one another: one query for the pull
//! request, its files and the policies; one for the contents at both ends, with
//! the merge base confirmed beside it. More than 100 files take one step more, and so
//! do files that an untouched one depends on: those are found in the tree of the head.
//! More files than GitHub lists of a pull request, and a merge group's, are found by
//! comparing the trees of both ends. Nothing is taken for absent that is not known to be.

mod change;
mod contents;
mod ends;
mod entry;
mod inforce;
mod listing;
mod policy;
mod review;
mod scans;
mod stock;
mod tip;
mod trees;

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;

use fromguard_core::day::Day;
use fromguard_core::policy::Policies;
use fromguard_core::report::Approval;
use fromguard_core::report::Subject;
use fromguard_core::source::RepoPath;
use thiserror::Error as ThisError;

use crate::github::error::Error;
use crate::github::fetch::change::Now;
use crate::github::fetch::ends::BaseEnd;
use crate::github::fetch::ends::Ends;
use crate::github::fetch::listing::Changed;
use crate::github::fetch::policy::Standing;
use crate::github::repository::Repository;
use crate::ids::PullNumber;
use crate::ids::RepositoryName;
use crate::ids::Sha;

pub(super) use scans::KeptScans;

pub use inforce::policies_in_force;
pub use scans::supplied_scans;
pub use stock::Stock;
pub use stock::stock;
pub use tip::TipRequest;
pub use tip::fetch as fetch_tip;

/// What to fetch.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Which pull request.
    pub pull: PullNumber,
    /// The head that is to be judged.
    pub head: &'a Sha,
    /// How many files it changes, as its event said; 0 when that is not known. A long list
    /// is asked for beside the first query.
    pub likely_files: u64,
    /// Whether it is said to be closed: nothing is asked for beside the first query.
    pub closing: bool,
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
    /// Where the default branch of the organisation's repository stands; `None` when that
    /// cannot be seen.
    pub organisation_tip: Option<Sha>,
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
    let early = early_pages(repository, &request);
    let pages = listing::pages(repository, request.pull, 1..=early);
    let now = change::now(repository, request.pull, request.comments);
    let (mut now, listed) = futures_util::try_join!(now, pages)?;
    let early = Early { pages: early, files: listed };
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
    let standing = Standing {
        organisation: now.organisation_policy.as_ref(),
        repository: &now.repository_policy,
        organisation_seen: request.organisation_policy_seen,
        pull: Some(request.pull),
        day: request.day,
    };
    let policies = policy::policies(&repository, standing).await?;
    let (approvals, notices) = review::approvals(&repository, &policies.in_force, &now.approvals).await?;
    let listed = files(&repository, request.pull, &mut now, &base_tip, early).await?;
    let base = match listed.merge_base {
        Some(merge_base) => BaseEnd::Known(merge_base),
        None => BaseEnd::Likely { tip: base_tip, guess: now.likely_merge_base.take() },
    };
    let read = Read { files: listed.files, base, tree: listed.tree };
    let mut subject = subject(&repository, request.head, read, policies.in_force, approvals).await?;
    subject.notices.extend(policies.notices);
    subject.notices.extend(notices);
    repository.github.texts().note_read(repository.place(), request.pull);
    Ok(Fetched::Change(Box::new(Change {
        private: now.private,
        name: now.name,
        subject,
        organisation_policy_read: policies.organisation_read,
        organisation_tip: now.organisation_tip,
        comments: now.comments,
    })))
}

/// What is to be read of a change.
struct Read {
    files: Vec<Changed>,
    base: BaseEnd,
    /// Every path of the head, if that is known.
    tree: Option<Vec<RepoPath>>,
}

/// Reads both ends, and puts together what is to be judged.
async fn subject(
    repository: &Repository,
    head: &Sha,
    read: Read,
    policies: Policies,
    approvals: Vec<Approval>,
) -> Result<Subject, FetchError> {
    let Read { files, base, tree } = read;
    let proposed_path = policy::path_in(repository);
    let proposed_path = files
        .iter()
        .find(|file| file.at_head && file.path.as_str() == proposed_path)
        .map(|file| file.path.clone());
    let Ends { head, base, proposed } =
        ends::read(repository, head, base, &files, proposed_path, tree).await?;

    let touched: BTreeSet<RepoPath> =
        files.iter().flat_map(|file| std::iter::once(&file.path).chain(&file.previous)).cloned().collect();
    let proposed = proposed.map(|(path, content)| policy::proposed(path, content, &policies));
    Ok(Subject {
        head,
        base: Some(base),
        touched: Some(touched),
        policies,
        proposed,
        evidence: Arc::default(),
        notices: Vec::new(),
        approvals,
    })
}

/// Pages of the list that were asked for beside the first query.
struct Early {
    pages: u64,
    files: Vec<Changed>,
}

/// How many pages of the list are asked for beside the first query: all of a long one, and
/// one when texts of the pull request are kept: it says blobs, so that no text of those is
/// asked for again.
fn early_pages(repository: &Repository, request: &Request<'_>) -> u64 {
    let was_read = || repository.github.texts().has_read(repository.place(), request.pull);
    match request.likely_files {
        _ if request.closing => 0,
        files if files > listing::MAX_FILES => 0,
        files if files > listing::PAGE => files.div_ceil(listing::PAGE),
        _ => u64::from(was_read()),
    }
}

/// The list of the query with what the page of the other API says besides. That page may
/// be of a newer head, so that only the query says which files there are.
fn with_hints(mut files: Vec<Changed>, page: Vec<Changed>) -> Vec<Changed> {
    let mut hints: HashMap<RepoPath, Changed> =
        page.into_iter().map(|file| (file.path.clone(), file)).collect();
    for file in &mut files {
        if let Some(hint) = hints.remove(&file.path) {
            file.head_blob = hint.head_blob;
            file.base_blob = hint.base_blob;
            file.previous = hint.previous;
        }
    }
    files
}

/// The files that a pull request changes, and what was learnt on the way.
struct Listed {
    files: Vec<Changed>,
    /// Where the change began, if that was asked for.
    merge_base: Option<Option<Sha>>,
    /// Every path of the head, if that was seen.
    tree: Option<Vec<RepoPath>>,
}

/// The whole list of files. Where GitHub does not list them all, or not as many as it
/// counts, they are found by comparing the trees of both ends.
async fn files(
    repository: &Repository,
    pull: PullNumber,
    now: &mut Now,
    base_tip: &Sha,
    early: Early,
) -> Result<Listed, FetchError> {
    let count = now.changed_files;
    let mut known_base = None;
    if count <= listing::MAX_FILES {
        let pages = count.div_ceil(listing::PAGE);
        let files = if pages <= 1 {
            with_hints(std::mem::take(&mut now.files), early.files)
        } else if pages <= early.pages {
            early.files
        } else {
            let rest = listing::pages(repository, pull, early.pages + 1..=pages);
            let merge_base = listing::merge_base(repository, base_tip, &now.head);
            let (rest, merge_base) = futures_util::try_join!(rest, merge_base)?;
            known_base = Some(merge_base);
            early.files.into_iter().chain(rest).collect()
        };
        if files.len() as u64 == count {
            return Ok(Listed { files, merge_base: known_base, tree: None });
        }
    }
    let merge_base = match known_base {
        Some(merge_base) => merge_base,
        None => listing::merge_base(repository, base_tip, &now.head).await?,
    };
    let difference = trees::difference(repository, merge_base.as_ref(), &now.head).await?;
    Ok(Listed { files: difference.files, merge_base: Some(merge_base), tree: difference.head })
}
