//! What a commit holds, and in what two commits differ. One request for each where
//! GitHub can answer in one; a tree that comes truncated is listed folder by folder,
//! within a bound, and of two only the folders that differ.
//!
//! <https://docs.github.com/en/rest/git/trees#get-a-tree>

use std::collections::BTreeMap;

use fromguard_core::source::RepoPath;
use futures_util::StreamExt;
use futures_util::stream;
use serde::Deserialize;

use crate::github::client::Call;
use crate::github::client::segment;
use crate::github::error::Error;
use crate::github::fetch::FetchError;
use crate::github::fetch::listing::Changed;
use crate::github::repository::Repository;
use crate::ids::Sha;

/// How many requests one listing may take; a tree of 100,000 entries takes one.
const MAX_REQUESTS: usize = 100;
/// How many are under way at once.
const CONCURRENT: usize = 8;
/// How many files two commits may differ in; far more than is read of any change.
const MAX_DIFFERENCES: usize = 100_000;

/// In what two commits differ.
pub(super) struct Difference {
    pub(super) files: Vec<Changed>,
    /// Every path of the head, where that was seen on the way.
    pub(super) head: Option<Vec<RepoPath>>,
}

/// Every path of a commit, files, links and submodules.
///
/// # Errors
/// When GitHub does not answer, or the tree cannot be listed within
/// [`MAX_REQUESTS`].
pub(super) async fn paths(repository: &Repository, commit: &Sha) -> Result<Vec<RepoPath>, FetchError> {
    let mut budget = Budget::new(
        "the repository has too many files to list",
        ", and a changed file may decide an image in any of them",
    );
    let mut paths = Vec::new();
    let mut waiting = vec![Folder { path: String::new(), sha: commit.0.clone() }];
    while !waiting.is_empty() {
        let batch: Vec<Folder> = waiting.drain(..waiting.len().min(CONCURRENT)).collect();
        budget.spend(batch.len())?;
        let answers = batch.iter().map(|folder| listing(repository, &folder.sha, true));
        let answers: Vec<Result<Listing, Error>> =
            stream::iter(answers.collect::<Vec<_>>()).buffered(CONCURRENT).collect().await;
        for (folder, answer) in batch.iter().zip(answers) {
            let answer = answer?;
            if !answer.truncated {
                folder.add(answer, &mut paths, &mut Vec::new());
                continue;
            }
            budget.spend(1)?;
            folder.add(listing(repository, &folder.sha, false).await?, &mut paths, &mut waiting);
        }
    }
    Ok(paths)
}

/// The files in which `head` differs from `base`; without a base all of them.
///
/// # Errors
/// When GitHub does not answer, or the difference cannot be listed within
/// [`MAX_REQUESTS`] and [`MAX_DIFFERENCES`].
pub(super) async fn difference(
    repository: &Repository,
    base: Option<&Sha>,
    head: &Sha,
) -> Result<Difference, FetchError> {
    let mut budget = Budget::new("the change is in a tree too large to list", "; split it");
    let mut files = Vec::new();
    let mut whole_head = None;
    let top = Pair { path: String::new(), base: base.map(|base| base.0.clone()), head: Some(head.0.clone()) };
    let mut waiting = vec![top];
    while !waiting.is_empty() {
        let batch: Vec<Pair> = waiting.drain(..waiting.len().min(CONCURRENT)).collect();
        budget.spend(batch.iter().map(Pair::requests).sum())?;
        let pairs: Vec<_> = batch.iter().map(|pair| pair.list(repository, true)).collect();
        let answers: Vec<Result<Sides, Error>> = stream::iter(pairs).buffered(CONCURRENT).collect().await;
        for (pair, answer) in batch.iter().zip(answers) {
            let mut sides = answer?;
            let recursive = !sides.truncated();
            if !recursive {
                budget.spend(pair.requests())?;
                sides = pair.list(repository, false).await?;
                // Of one folder alone GitHub lists everything, or says that it does not.
                if sides.truncated() {
                    return Err(budget.spent());
                }
            } else if pair.path.is_empty() {
                let files = sides.head.iter().flat_map(|listing| &listing.tree);
                whole_head =
                    Some(files.filter(|it| it.kind != "tree").map(|it| RepoPath::new(&it.path)).collect());
            }
            pair.compare(sides, &mut files, (!recursive).then_some(&mut waiting));
            if files.len() > MAX_DIFFERENCES {
                return Err(FetchError::Hopeless(format!(
                    "the change touches more than {MAX_DIFFERENCES} files; split it"
                )));
            }
        }
    }
    Ok(Difference { files, head: whole_head })
}

/// How many requests are left, and what to say when none is.
struct Budget {
    left: usize,
    what: &'static str,
    why: &'static str,
}

impl Budget {
    fn new(what: &'static str, why: &'static str) -> Budget {
        Budget { left: MAX_REQUESTS, what, why }
    }

    fn spend(&mut self, requests: usize) -> Result<(), FetchError> {
        self.left = self.left.checked_sub(requests).ok_or_else(|| self.spent())?;
        Ok(())
    }

    fn spent(&self) -> FetchError {
        FetchError::Hopeless(format!("{} in {MAX_REQUESTS} requests{}", self.what, self.why))
    }
}

/// A folder at both ends, by the names of its trees.
struct Pair {
    /// With a `/` at its end, unless it is the root.
    path: String,
    base: Option<String>,
    head: Option<String>,
}

/// What a folder holds at both ends.
struct Sides {
    base: Option<Listing>,
    head: Option<Listing>,
}

impl Sides {
    fn truncated(&self) -> bool {
        [&self.base, &self.head].into_iter().flatten().any(|listing| listing.truncated)
    }
}

impl Pair {
    fn requests(&self) -> usize {
        usize::from(self.base.is_some()) + usize::from(self.head.is_some())
    }

    async fn list(&self, repository: &Repository, recursive: bool) -> Result<Sides, Error> {
        let base = side(repository, self.base.as_deref(), recursive);
        let head = side(repository, self.head.as_deref(), recursive);
        let (base, head) = futures_util::try_join!(base, head)?;
        Ok(Sides { base, head })
    }

    /// Adds the files that differ, and the folders that do if they were not looked into.
    fn compare(&self, sides: Sides, files: &mut Vec<Changed>, mut folders: Option<&mut Vec<Pair>>) {
        type Ends = (Option<Entry>, Option<Entry>);
        let entries = |listing: Option<Listing>| listing.into_iter().flat_map(|listing| listing.tree);
        let mut both: BTreeMap<String, Ends> = BTreeMap::new();
        for entry in entries(sides.base) {
            let path = entry.path.clone();
            both.entry(path).or_default().0 = Some(entry);
        }
        for entry in entries(sides.head) {
            let path = entry.path.clone();
            both.entry(path).or_default().1 = Some(entry);
        }
        for (name, (base, head)) in both {
            if base == head {
                continue;
            }
            let path = format!("{}{name}", self.path);
            let split = |entry: Option<Entry>| match entry {
                Some(entry) if entry.kind == "tree" => (Some(entry.sha), None),
                Some(entry) => (None, Some(entry.sha)),
                None => (None, None),
            };
            let ((base_tree, base_file), (head_tree, head_file)) = (split(base), split(head));
            if let Some(folders) = &mut folders
                && (base_tree.is_some() || head_tree.is_some())
            {
                folders.push(Pair { path: format!("{path}/"), base: base_tree, head: head_tree });
            }
            if base_file.is_some() || head_file.is_some() {
                files.push(Changed::between(&path, base_file, head_file));
            }
        }
    }
}

/// The folder at one end, if there is one.
async fn side(repository: &Repository, sha: Option<&str>, recursive: bool) -> Result<Option<Listing>, Error> {
    match sha {
        Some(sha) => listing(repository, sha, recursive).await.map(Some),
        None => Ok(None),
    }
}

/// A folder that is to be listed.
struct Folder {
    /// With a `/` at its end, unless it is the root.
    path: String,
    sha: String,
}

impl Folder {
    /// Adds what was listed in it: the files, and the folders to be listed.
    fn add(&self, listing: Listing, files: &mut Vec<RepoPath>, folders: &mut Vec<Folder>) {
        for entry in listing.tree {
            let path = format!("{}{}", self.path, entry.path);
            match entry.kind.as_str() {
                "tree" => folders.push(Folder { path: path + "/", sha: entry.sha }),
                _ => files.push(RepoPath::new(&path)),
            }
        }
    }
}

#[derive(Deserialize)]
struct Listing {
    tree: Vec<Entry>,
    truncated: bool,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Entry {
    path: String,
    mode: String,
    #[serde(rename = "type")]
    kind: String,
    sha: String,
}

async fn listing(repository: &Repository, sha: &str, recursive: bool) -> Result<Listing, Error> {
    let recursive = if recursive { "?recursive=1" } else { "" };
    let path = repository.path(&format!("/git/trees/{}{recursive}", segment(sha)));
    repository.rest(Call::get("the repository's paths", &path)).await?.json()
}
