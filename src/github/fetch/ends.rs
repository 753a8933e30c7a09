//! Both ends of a change, read together: each is a scan that says which files it
//! wants, and every hop of both is one query.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;

use fromguard_core::scan::Scan;
use fromguard_core::scan::Scanned;
use fromguard_core::source::Content;
use fromguard_core::source::RepoPath;
use fromguard_core::source::Tree;
use fromguard_core::source::Unreadable;

use crate::github::error::Error;
use crate::github::fetch::FetchError;
use crate::github::fetch::contents;
use crate::github::fetch::contents::Wanted;
use crate::github::fetch::listing;
use crate::github::fetch::listing::Changed;
use crate::github::fetch::trees;
use crate::github::repository::Repository;
use crate::ids::Sha;

/// How often files may want further files (a link, what a file builds from); a
/// file that is wanted after that is a problem of the scan.
const MAX_HOPS: usize = 8;
/// How many files are read of both ends together; the rest is a problem too.
const MAX_READ: usize = 6_000;

/// The commit that the change began at.
pub(super) enum BaseEnd {
    /// `None`: the two histories share nothing, everything is introduced.
    Known(Option<Sha>),
    /// To be confirmed against the tip of the base branch.
    Likely { tip: Sha, guess: Option<Sha> },
}

/// What was read.
pub(super) struct Ends {
    pub(super) head: Scanned,
    pub(super) base: Scanned,
    /// The policy file of the head, if it was asked for.
    pub(super) proposed: Option<(RepoPath, Content)>,
}

/// Reads both ends of the changed files and of those that may depend on them, and
/// the head's policy file beside them. `known_tree` is every path of the head, if it was
/// listed already.
pub(super) async fn read(
    repository: &Repository,
    head: &Sha,
    mut base_end: BaseEnd,
    files: &[Changed],
    proposed: Option<RepoPath>,
    mut known_tree: Option<Vec<RepoPath>>,
) -> Result<Ends, FetchError> {
    let listed: BTreeSet<&RepoPath> =
        files.iter().filter(|file| file.at_head).map(|file| &file.path).collect();
    let blobs = Blobs::of(files);
    let before = files.iter().filter(|file| file.at_base).map(|file| &file.path);
    let before = before.chain(files.iter().filter_map(|file| file.previous.as_ref()));
    let mut scans =
        Scans { head: Scan::new(listed.iter().copied().cloned()), base: Scan::new(before.cloned()) };
    scans.affected_by(files);

    let mut proposed_content = None;
    let mut count = 0;
    let mut tree_is_known = false;
    for hop in 0..MAX_HOPS {
        let mut wanted = scans.wanted();
        wanted.trim(MAX_READ.saturating_sub(count));
        count += wanted.head.len() + wanted.base.len();
        let needs_tree = !tree_is_known && scans.wants_tree();
        // The first hop carries the head's policy file.
        let extra = proposed.as_ref().filter(|_| hop == 0);
        if wanted.is_empty() && !needs_tree && extra.is_none() {
            break;
        }
        let paths =
            Paths { head: wanted.head.iter().chain(extra).cloned().collect(), base: wanted.base.clone() };
        let known = known_tree.take_if(|_| needs_tree);
        let tree = async {
            match known {
                Some(paths) => Ok(Some(paths)),
                None if needs_tree => Ok(Some(trees::paths(repository, head).await?)),
                None => Ok(None),
            }
        };
        let contents = async {
            let confirm = needs_tree || !paths.base.is_empty();
            Ok::<_, FetchError>(read_both(repository, head, &mut base_end, &paths, &blobs, confirm).await?)
        };
        let (mut read, tree) = futures_util::try_join!(contents, tree)?;
        if let Some(path) = extra {
            proposed_content = read.head.pop().map(|content| (path.clone(), content));
        }
        if hop == 0 {
            for (path, content) in wanted.head.iter().zip(&mut read.head) {
                if *content == Content::Missing && listed.contains(path) {
                    let reason = "GitHub lists it as changed and has nothing at its path".to_owned();
                    *content = Content::Unreadable(Unreadable::Failed { reason });
                }
            }
        }
        tree_is_known |= tree.is_some();
        scans = scans.feed(wanted, read, tree.map(|paths| trees_of(paths, files))).await?;
    }
    let (head, base) = blocking(move || (scans.head.finish(), scans.base.finish())).await?;
    Ok(Ends { head, base, proposed: proposed_content })
}

/// The trees of both ends: the base had what the change removed and not what it added.
fn trees_of(paths: Vec<RepoPath>, files: &[Changed]) -> (Tree, Tree) {
    let added: BTreeSet<&RepoPath> =
        files.iter().filter(|file| !file.at_base).map(|file| &file.path).collect();
    let removed = files.iter().filter(|file| !file.at_head).map(|file| &file.path);
    let removed = removed.chain(files.iter().filter_map(|file| file.previous.as_ref()));
    let base = paths.iter().filter(|path| !added.contains(path)).chain(removed).cloned().collect();
    (paths.into_iter().collect(), base)
}

/// Reads paths of both ends; where it has to be confirmed and is not yet, the
/// commit of the base beside it.
async fn read_both(
    repository: &Repository,
    head: &Sha,
    base_end: &mut BaseEnd,
    paths: &Paths,
    blobs: &Blobs<'_>,
    confirm: bool,
) -> Result<Contents, Error> {
    let (tip, guess) = match base_end {
        BaseEnd::Likely { tip, guess } if confirm => (tip.clone(), guess.take()),
        BaseEnd::Known(base) => return read_at(repository, head, base.as_ref(), paths, blobs).await,
        // Nothing that counts stood there before: no need to know where "before" is.
        BaseEnd::Likely { .. } => return read_at(repository, head, None, paths, blobs).await,
    };
    let (mut read, base) = futures_util::try_join!(
        read_at(repository, head, guess.as_ref(), paths, blobs),
        listing::merge_base(repository, &tip, head),
    )?;
    if base != guess && !paths.base.is_empty() {
        let again = Paths { head: Vec::new(), base: paths.base.clone() };
        read.base = read_at(repository, head, base.as_ref(), &again, blobs).await?.base;
    }
    *base_end = BaseEnd::Known(base);
    Ok(read)
}

/// Without a base commit nothing stands at the base.
async fn read_at(
    repository: &Repository,
    head: &Sha,
    base: Option<&Sha>,
    paths: &Paths,
    blobs: &Blobs<'_>,
) -> Result<Contents, Error> {
    let at = |commit: &Sha, path: &RepoPath, likely: Option<&str>| {
        let likely = likely.map(str::to_owned);
        Wanted { commit: commit.clone(), path: path.clone(), likely }
    };
    let likely = |path| blobs.head.get(path).copied();
    let mut wanted: Vec<Wanted> = paths.head.iter().map(|path| at(head, path, likely(path))).collect();
    if let Some(base) = base {
        let likely = |path| blobs.base.get(path).copied();
        wanted.extend(paths.base.iter().map(|path| at(base, path, likely(path))));
    }
    let mut head = contents::read(repository, &wanted).await?;
    let mut base = head.split_off(paths.head.len());
    base.resize(paths.base.len(), Content::Missing);
    Ok(Contents { head, base })
}

/// The blobs that the listing says are at both ends.
struct Blobs<'a> {
    head: HashMap<&'a RepoPath, &'a str>,
    base: HashMap<&'a RepoPath, &'a str>,
}

impl<'a> Blobs<'a> {
    fn of(files: &'a [Changed]) -> Blobs<'a> {
        let head = files.iter().filter_map(|file| Some((&file.path, file.head_blob.as_deref()?)));
        let base = files.iter().filter_map(|file| Some((&file.path, file.base_blob.as_deref()?)));
        Blobs { head: head.collect(), base: base.collect() }
    }
}

/// Paths at both ends.
#[derive(Default)]
struct Paths {
    head: Vec<RepoPath>,
    base: Vec<RepoPath>,
}

impl Paths {
    fn is_empty(&self) -> bool {
        self.head.is_empty() && self.base.is_empty()
    }

    fn trim(&mut self, limit: usize) {
        self.head.truncate(limit);
        self.base.truncate(limit - self.head.len());
    }
}

/// The contents of [`Paths`], in their order.
struct Contents {
    head: Vec<Content>,
    base: Vec<Content>,
}

struct Scans {
    head: Scan,
    base: Scan,
}

impl Scans {
    fn affected_by(&mut self, files: &[Changed]) {
        let changed: Vec<RepoPath> = files
            .iter()
            .flat_map(|file| std::iter::once(&file.path).chain(&file.previous))
            .cloned()
            .collect();
        self.head.affected_by(changed.iter().cloned());
        self.base.affected_by(changed);
    }

    fn wants_tree(&self) -> bool {
        self.head.wants_tree() || self.base.wants_tree()
    }

    fn wanted(&mut self) -> Paths {
        Paths { head: self.head.wanted(), base: self.base.wanted() }
    }

    /// Extraction works on somebody's text: off the threads that wait for GitHub,
    /// and a panic of it stays this job's.
    async fn feed(
        mut self,
        paths: Paths,
        contents: Contents,
        trees: Option<(Tree, Tree)>,
    ) -> Result<Scans, FetchError> {
        blocking(move || {
            if let Some((head, base)) = trees {
                self.head.feed_tree(Arc::new(head));
                self.base.feed_tree(Arc::new(base));
            }
            for (path, content) in paths.head.iter().zip(contents.head) {
                self.head.feed(path, content);
            }
            for (path, content) in paths.base.iter().zip(contents.base) {
                self.base.feed(path, content);
            }
            self
        })
        .await
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, FetchError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| FetchError::Panicked(error.to_string()))
}
