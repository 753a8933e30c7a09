//! The sans-IO driver of a scan: told which paths there are, it says which
//! files it wants; fed with them, it says which more; at the end, what was found.
//!
//! The same [`Scan`] runs over a working tree, a git commit or the GitHub API.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::image::ImageUse;
use crate::source::Content;
use crate::source::Problem;
use crate::source::RepoPath;
use crate::source::SourceFile;

/// A scan under way.
#[derive(Default)]
pub struct Scan {
    // A text is dropped as soon as it is extracted and nothing was found in it.
}

/// What a scan found. Uses and problems are sorted by file and span.
#[derive(Debug, Clone, Default)]
pub struct Scanned {
    /// Every use of an image.
    pub uses: Vec<ImageUse>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// The files that hold a use, a problem, or a place of a `via`.
    pub sources: BTreeMap<RepoPath, Arc<SourceFile>>,
    /// How many files were read.
    pub files_scanned: usize,
}

impl Scan {
    /// A scan of these paths; paths that no format claims are ignored.
    #[must_use]
    pub fn new(paths: impl IntoIterator<Item = RepoPath>) -> Scan {
        let _ = paths;
        Scan::default()
    }

    /// The files to fetch next, each asked for once. Empty when the scan is done.
    pub fn wanted(&mut self) -> Vec<RepoPath> {
        Vec::new()
    }

    /// Hands in a file that was wanted. [`Content::Missing`] is an answer.
    pub fn feed(&mut self, path: &RepoPath, content: Content) {
        let _ = (path, content);
    }

    /// What was found. A wanted file that was never fed is a problem.
    #[must_use]
    pub fn finish(self) -> Scanned {
        Scanned::default()
    }
}
