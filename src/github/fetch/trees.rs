//! Which paths a commit holds. One request where GitHub can answer in one; a tree
//! that comes truncated is listed folder by folder, within a bound.
//!
//! <https://docs.github.com/en/rest/git/trees#get-a-tree>

use fromguard_core::source::RepoPath;
use futures_util::StreamExt;
use futures_util::stream;
use serde::Deserialize;

use crate::github::client::Call;
use crate::github::client::segment;
use crate::github::error::Error;
use crate::github::fetch::FetchError;
use crate::github::repository::Repository;
use crate::ids::Sha;

/// How many requests one listing may take; a tree of 100,000 entries takes one.
const MAX_REQUESTS: usize = 100;
/// How many are under way at once.
const CONCURRENT: usize = 8;

/// Every path of a commit, files, links and submodules.
///
/// # Errors
/// When GitHub does not answer, or the tree cannot be listed within
/// [`MAX_REQUESTS`].
pub(super) async fn paths(repository: &Repository, commit: &Sha) -> Result<Vec<RepoPath>, FetchError> {
    let mut paths = Vec::new();
    let mut waiting = vec![Folder { path: String::new(), sha: commit.0.clone() }];
    let mut requests = 0;
    while !waiting.is_empty() {
        let batch: Vec<Folder> = waiting.drain(..waiting.len().min(CONCURRENT)).collect();
        requests += batch.len();
        if requests > MAX_REQUESTS {
            return Err(FetchError::Hopeless(format!(
                "the repository has too many files to list in {MAX_REQUESTS} requests, and a changed file may decide \
                 an image in any of them"
            )));
        }
        let answers = batch.iter().map(|folder| listing(repository, folder, true));
        let answers: Vec<Result<Listing, Error>> =
            stream::iter(answers.collect::<Vec<_>>()).buffered(CONCURRENT).collect().await;
        for (folder, answer) in batch.iter().zip(answers) {
            let answer = answer?;
            if !answer.truncated {
                folder.add(answer, &mut paths, &mut Vec::new());
                continue;
            }
            requests += 1;
            folder.add(listing(repository, folder, false).await?, &mut paths, &mut waiting);
        }
    }
    Ok(paths)
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

#[derive(Deserialize)]
struct Entry {
    path: String,
    #[serde(rename = "type")]
    kind: String,
    sha: String,
}

async fn listing(repository: &Repository, folder: &Folder, recursive: bool) -> Result<Listing, Error> {
    let recursive = if recursive { "?recursive=1" } else { "" };
    let path = repository.path(&format!("/git/trees/{}{recursive}", segment(&folder.sha)));
    repository.rest(Call::get("the repository's paths", &path)).await?.json()
}
