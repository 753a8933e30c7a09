//! Which files a pull request changes, and from which commit.
//!
//! A listing that does not add up is no listing: a file that is missing from it
//! would pass unjudged.

use std::ops::RangeInclusive;

use fromguard_core::source::RepoPath;
use futures_util::StreamExt;
use futures_util::TryStreamExt;
use futures_util::stream;
use serde::Deserialize;

use crate::github::client::Call;
use crate::github::client::segment;
use crate::github::error::Error;
use crate::github::repository::Repository;
use crate::ids::PullNumber;
use crate::ids::Sha;

/// The most files that GitHub lists of a pull request.
/// <https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files>
pub(super) const MAX_FILES: u64 = 3_000;
/// The most files in a page.
pub(super) const PAGE: u64 = 100;
/// How many pages of open pull requests are looked through, newest first.
const MAX_PULL_PAGES: u64 = 20;
/// How many pages are asked for at once.
const CONCURRENT: usize = 10;

/// A file that a pull request changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) path: RepoPath,
    /// Where it stood before, when it was moved and GitHub says from where.
    pub(super) previous: Option<RepoPath>,
    pub(super) at_head: bool,
    pub(super) at_base: bool,
    /// The blob at each end, where the listing says it.
    pub(super) head_blob: Option<String>,
    pub(super) base_blob: Option<String>,
}

impl Changed {
    /// Reads the words of REST (`removed`) and GraphQL (`DELETED`); a word that is
    /// not known stands at both ends, so that it is looked at.
    pub(super) fn new(path: &str, status: &str, previous: Option<&str>) -> Changed {
        let (at_base, at_head) = match status.to_ascii_lowercase().as_str() {
            "added" | "renamed" | "copied" => (false, true),
            "removed" | "deleted" => (true, false),
            _ => (true, true),
        };
        let previous = previous.map(RepoPath::new);
        Changed { path: RepoPath::new(path), previous, at_head, at_base, head_blob: None, base_blob: None }
    }

    /// What stands at a path in the trees of both ends.
    pub(super) fn between(path: &str, base_blob: Option<String>, head_blob: Option<String>) -> Changed {
        let (at_base, at_head) = (base_blob.is_some(), head_blob.is_some());
        Changed { path: RepoPath::new(path), previous: None, at_head, at_base, head_blob, base_blob }
    }
}

/// Pages of the list, at once.
pub(super) async fn pages(
    repository: &Repository,
    pull: PullNumber,
    pages: RangeInclusive<u64>,
) -> Result<Vec<Changed>, Error> {
    #[derive(Deserialize)]
    struct File {
        sha: Option<String>,
        filename: String,
        status: String,
        previous_filename: Option<String>,
    }

    let pages: Vec<_> = pages
        .map(|page| async move {
            let path = repository.path(&format!("/pulls/{pull}/files?per_page={PAGE}&page={page}"));
            repository.rest(Call::get("the pull request's files", &path)).await?.json::<Vec<File>>()
        })
        .collect();
    let pages: Vec<Vec<File>> = stream::iter(pages).buffered(CONCURRENT).try_collect().await?;
    let file = |file: File| {
        let changed = Changed::new(&file.filename, &file.status, file.previous_filename.as_deref());
        let (head_blob, base_blob) = if changed.at_head { (file.sha, None) } else { (None, file.sha) };
        Changed { head_blob, base_blob, ..changed }
    };
    Ok(pages.into_iter().flatten().map(file).collect())
}

impl Repository {
    /// The open pull requests that have this commit as their head. GitHub's own answer
    /// for a commit leaves out forks, so all open ones are looked through.
    ///
    /// # Errors
    /// When GitHub does not say.
    pub async fn open_pulls_at(&self, head: &Sha) -> Result<Vec<PullNumber>, Error> {
        #[derive(Deserialize)]
        struct Pull {
            number: PullNumber,
            head: Head,
        }
        #[derive(Deserialize)]
        struct Head {
            sha: Sha,
        }

        let mut found = Vec::new();
        for page in 1..=MAX_PULL_PAGES {
            let path = self
                .path(&format!("/pulls?state=open&sort=updated&direction=desc&per_page={PAGE}&page={page}"));
            let pulls: Vec<Pull> = self.rest(Call::get("the open pull requests", &path)).await?.json()?;
            let last = (pulls.len() as u64) < PAGE;
            found.extend(pulls.into_iter().filter(|pull| pull.head.sha == *head).map(|pull| pull.number));
            if last {
                break;
            }
        }
        Ok(found)
    }
}

/// The merge base of two commits; `None` when their histories have none.
pub(super) async fn merge_base(
    repository: &Repository,
    base: &Sha,
    head: &Sha,
) -> Result<Option<Sha>, Error> {
    #[derive(Deserialize)]
    struct Comparison {
        merge_base_commit: Commit,
    }
    #[derive(Deserialize)]
    struct Commit {
        sha: Sha,
    }

    let (base, head) = (segment(&base.0), segment(&head.0));
    let path = repository.path(&format!("/compare/{base}...{head}?per_page=1"));
    match repository.rest(Call::get("the merge base", &path)).await {
        Ok(answer) => Ok(Some(answer.json::<Comparison>()?.merge_base_commit.sha)),
        Err(Error::NotFound { message, .. })
            if message.to_ascii_lowercase().contains("no common ancestor") =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_apis_words_say_at_which_end_a_file_stands() {
        let ends = |status| {
            let changed = Changed::new("Dockerfile", status, None);
            (changed.at_base, changed.at_head)
        };
        for status in ["removed", "DELETED"] {
            assert_eq!(ends(status), (true, false), "{status}");
        }
        for status in ["added", "ADDED", "renamed", "RENAMED", "copied", "COPIED"] {
            assert_eq!(ends(status), (false, true), "{status}");
        }
        for status in ["modified", "MODIFIED", "changed", "CHANGED", "unchanged", "of tomorrow"] {
            assert_eq!(ends(status), (true, true), "{status}");
        }
    }
}
