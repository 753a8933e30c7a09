//! Files on this machine read into a scan: a working tree, and the commits of
//! its git repository. Knows no policy and prints nothing.

mod change;
mod git;
mod tree;

use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use fromguard_core::scan::Scan;
use fromguard_core::scan::Scanned;
use fromguard_core::source::Content;
use fromguard_core::source::RepoPath;
use thiserror::Error;

pub use change::Change;
pub use git::{Commit, Repository};
pub use tree::WorkingTree;

/// Why local files cannot be read: something that who runs the command can mend.
#[derive(Debug, Error)]
pub enum LocalError {
    /// Nothing stands at the path.
    #[error("{} does not exist", .0.display())]
    NoSuchPath(PathBuf),
    /// The path cannot be looked at.
    #[error("{} cannot be read: {reason}", .path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// There is a git repository and it cannot be opened.
    #[error("the git repository of {} cannot be read: {reason}", .path.display())]
    BrokenRepository {
        /// The path that belongs to it.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A revision was named and there is no git repository.
    #[error("{} is not in a git repository, so it has no revision to compare with", .0.display())]
    NoRepository(PathBuf),
    /// A git repository was named and there is none.
    #[error("{} is not in a git repository", .0.display())]
    NotInRepository(PathBuf),
    /// The repository has no such commit.
    #[error(
        "{revision:?} names no commit of this git repository; in CI, fetch it first (actions/checkout needs \
         `fetch-depth: 0`)"
    )]
    NoSuchRevision {
        /// What was asked for.
        revision: String,
    },
    /// Two commits without a common ancestor.
    #[error(
        "{revision:?} and HEAD have no commit in common; if this is a shallow clone, fetch the whole history \
         (actions/checkout needs `fetch-depth: 0`)"
    )]
    NoMergeBase {
        /// What HEAD was compared with.
        revision: String,
    },
    /// An object of the repository cannot be read.
    #[error("the git repository is damaged: {0}")]
    Damaged(String),
}

/// How many files are read and extracted together: bounds what a scan holds in
/// memory of files in which nothing is found.
const BATCH: usize = 512;

/// Scans a tree of these paths, reading each file that the scan asks for once.
/// `read` answers a batch of paths in their order.
fn scan(
    paths: impl IntoIterator<Item = RepoPath>,
    mut read: impl FnMut(&[RepoPath]) -> Vec<Content>,
) -> Scanned {
    let mut scan = Scan::of_tree(paths.into_iter().collect());
    loop {
        let wanted = scan.wanted();
        if wanted.is_empty() {
            return scan.finish();
        }
        for batch in wanted.chunks(BATCH) {
            let contents = read(batch);
            scan.feed_all(batch.iter().cloned().zip(contents), &on_all_processors);
        }
    }
}

/// Runs a task for each number below `count`, on as many threads as there are processors.
fn on_all_processors(count: usize, task: &(dyn Fn(usize) + Sync)) {
    /// Fewer tasks than this are done before a thread has started.
    const FEW: usize = 8;

    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return;
            }
            task(index);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if count < FEW || threads == 1 {
        return work();
    }
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
}
