//! Everything that stands on a default branch: its tip, and unless that was read before,
//! the whole tree and every file of it that names images. Texts that are kept are not read
//! again, so that after a push it is the changed files that cost.

use std::collections::HashMap;

use fromguard_core::scan::Scan;
use fromguard_core::scan::Scanned;
use fromguard_core::source::RepoPath;
use fromguard_core::source::Tree;
use serde::Deserialize;
use serde::Serialize;

use crate::github::error::Error;
use crate::github::fetch::FetchError;
use crate::github::fetch::change::Owner;
use crate::github::fetch::change::Parent;
use crate::github::fetch::contents;
use crate::github::fetch::contents::Wanted;
use crate::github::fetch::ends::blocking;
use crate::github::fetch::trees;
use crate::github::repository::Repository;
use crate::ids::RepositoryId;
use crate::ids::RepositoryName;
use crate::ids::Sha;

const QUERY: &str = include_str!("../queries/stock.graphql");

/// How often files may want further files.
const MAX_HOPS: usize = 8;
/// How many files are read; what is past it is not in the inventory.
const MAX_READ: usize = 6_000;

/// A default branch.
#[derive(Debug)]
pub struct Stock {
    /// What the repository is called now.
    pub name: RepositoryName,
    /// Its whole name.
    pub branch: String,
    /// Where it stands.
    pub head: Sha,
    /// What stands there; `None` when it stood there before.
    pub scanned: Option<Scanned>,
}

#[derive(Deserialize)]
struct Data {
    repository: Option<Node>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    database_id: Option<RepositoryId>,
    name: String,
    owner: Owner,
    is_archived: bool,
    default_branch_ref: Option<Branch>,
}

#[derive(Deserialize)]
struct Branch {
    prefix: String,
    name: String,
    target: Option<Parent>,
}

/// Reads the default branch unless it still stands where it was `known` to stand; `None`
/// when there is none: the repository is empty or archived.
///
/// # Errors
/// When it is not known what stands there.
pub async fn stock(repository: &Repository, known: Option<&Sha>) -> Result<Option<Stock>, FetchError> {
    #[derive(Serialize)]
    struct Variables<'a> {
        owner: &'a str,
        name: &'a str,
    }

    let place = repository.place();
    let variables = Variables { owner: &place.name.owner, name: &place.name.name };
    let data: Data = repository.graphql("the default branch", QUERY, &variables, &[]).await?;
    let gone = || Error::NotFound { what: "the repository".into(), message: "no such repository".into() };
    let node = data.repository.ok_or_else(gone)?;
    if node.database_id.is_some_and(|id| id != place.id) {
        return Err(gone().into());
    }
    let Some(Branch { prefix, name, target: Some(Parent { oid: head }) }) =
        node.default_branch_ref.filter(|_| !node.is_archived)
    else {
        return Ok(None);
    };
    let repository = repository.named(RepositoryName { owner: node.owner.login, name: node.name });
    let scanned = match known == Some(&head) {
        true => None,
        false => Some(read(&repository, &head).await?),
    };
    let name_now = repository.place().name.clone();
    Ok(Some(Stock { name: name_now, branch: format!("{prefix}{name}"), head, scanned }))
}

async fn read(repository: &Repository, head: &Sha) -> Result<Scanned, FetchError> {
    let files = trees::difference(repository, None, head).await?.files;
    let tree: Tree = files.iter().map(|file| file.path.clone()).collect();
    let mut blobs: HashMap<RepoPath, String> =
        files.into_iter().filter_map(|file| Some((file.path, file.head_blob?))).collect();
    let mut scan = blocking(move || Scan::of_tree(tree)).await?;
    let mut left = MAX_READ;
    for _ in 0..MAX_HOPS {
        let mut paths = scan.wanted();
        paths.truncate(left);
        left -= paths.len();
        if paths.is_empty() {
            break;
        }
        let wanted: Vec<Wanted> = paths
            .iter()
            .map(|path| Wanted { commit: head.clone(), path: path.clone(), likely: blobs.remove(path) })
            .collect();
        let contents = contents::read(repository, &wanted).await?;
        scan = blocking(move || {
            for (path, content) in paths.iter().zip(contents) {
                scan.feed(path, content);
            }
            scan
        })
        .await?;
    }
    blocking(move || scan.finish()).await
}
