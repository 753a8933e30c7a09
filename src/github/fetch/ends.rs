//! Both ends of a change, read together: each is a scan that says which files it
//! wants, and every hop of both is one query.

use std::collections::BTreeSet;

use fromguard_core::scan::Scan;
use fromguard_core::scan::Scanned;
use fromguard_core::source::Content;
use fromguard_core::source::RepoPath;
use fromguard_core::source::Unreadable;

use crate::github::error::Error;
use crate::github::fetch::FetchError;
use crate::github::fetch::contents;
use crate::github::fetch::contents::Wanted;
use crate::github::fetch::listing;
use crate::github::fetch::listing::Changed;
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

/// Reads both ends of the changed files, and the head's policy file beside them.
pub(super) async fn read(
    repository: &Repository,
    head: &Sha,
    base_end: BaseEnd,
    files: &[Changed],
    proposed: Option<RepoPath>,
) -> Result<Ends, FetchError> {
    let listed: BTreeSet<&RepoPath> =
        files.iter().filter(|file| file.at_head).map(|file| &file.path).collect();
    let before = files.iter().filter(|file| file.at_base).map(|file| &file.path);
    let before = before.chain(files.iter().filter_map(|file| file.previous.as_ref()));
    let mut scans =
        Scans { head: Scan::new(listed.iter().copied().cloned()), base: Scan::new(before.cloned()) };
    let mut wanted = scans.wanted();

    // The first hop carries the head's policy file; the merge base is confirmed beside it.
    let first =
        Paths { head: wanted.head.iter().chain(&proposed).cloned().collect(), base: wanted.base.clone() };
    let (mut read, base) = first_hop(repository, head, base_end, &first).await?;
    let proposed = match proposed {
        Some(path) => read.head.pop().map(|content| (path, content)),
        None => None,
    };
    for (path, content) in wanted.head.iter().zip(&mut read.head) {
        if *content == Content::Missing && listed.contains(path) {
            let reason = "GitHub lists it as changed and has nothing at its path".to_owned();
            *content = Content::Unreadable(Unreadable::Failed { reason });
        }
    }
    let mut count = 0;
    for _ in 0..MAX_HOPS {
        count += wanted.head.len() + wanted.base.len();
        (scans, wanted) = scans.feed(wanted, read).await?;
        wanted.trim(MAX_READ.saturating_sub(count));
        if wanted.is_empty() {
            break;
        }
        read = read_both(repository, head, base.as_ref(), &wanted).await?;
    }
    let (head, base) = blocking(move || (scans.head.finish(), scans.base.finish())).await?;
    Ok(Ends { head, base, proposed })
}

/// Reads the first files of both ends and settles which commit the base end is.
async fn first_hop(
    repository: &Repository,
    head: &Sha,
    base_end: BaseEnd,
    paths: &Paths,
) -> Result<(Contents, Option<Sha>), Error> {
    match base_end {
        BaseEnd::Known(base) => Ok((read_both(repository, head, base.as_ref(), paths).await?, base)),
        // Nothing that counts stood there before: no need to know where "before" is.
        BaseEnd::Likely { .. } if paths.base.is_empty() => {
            Ok((read_both(repository, head, None, paths).await?, None))
        }
        BaseEnd::Likely { tip, guess } => {
            let (mut read, base) = futures_util::try_join!(
                read_both(repository, head, guess.as_ref(), paths),
                listing::merge_base(repository, &tip, head),
            )?;
            if base != guess {
                let again = Paths { head: Vec::new(), base: paths.base.clone() };
                read.base = read_both(repository, head, base.as_ref(), &again).await?.base;
            }
            Ok((read, base))
        }
    }
}

/// Without a base commit nothing stands at the base.
async fn read_both(
    repository: &Repository,
    head: &Sha,
    base: Option<&Sha>,
    paths: &Paths,
) -> Result<Contents, Error> {
    let at = |commit: &Sha, path: &RepoPath| Wanted { commit: commit.clone(), path: path.clone() };
    let mut wanted: Vec<Wanted> = paths.head.iter().map(|path| at(head, path)).collect();
    if let Some(base) = base {
        wanted.extend(paths.base.iter().map(|path| at(base, path)));
    }
    let mut head = contents::read(repository, &wanted).await?;
    let mut base = head.split_off(paths.head.len());
    base.resize(paths.base.len(), Content::Missing);
    Ok(Contents { head, base })
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
    fn wanted(&mut self) -> Paths {
        Paths { head: self.head.wanted(), base: self.base.wanted() }
    }

    /// Extraction works on somebody's text: off the threads that wait for GitHub,
    /// and a panic of it stays this job's.
    async fn feed(mut self, paths: Paths, contents: Contents) -> Result<(Scans, Paths), FetchError> {
        blocking(move || {
            for (path, content) in paths.head.iter().zip(contents.head) {
                self.head.feed(path, content);
            }
            for (path, content) in paths.base.iter().zip(contents.base) {
                self.base.feed(path, content);
            }
            let wanted = self.wanted();
            (self, wanted)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, FetchError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| FetchError::Panicked(error.to_string()))
}
