//! The paths of a side of a change.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::source::RepoPath;

/// Every path of a tree that is known, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    paths: BTreeSet<RepoPath>,
}

impl Tree {
    /// Whether a path is listed.
    #[must_use]
    pub fn contains(&self, path: &RepoPath) -> bool {
        self.paths.contains(path)
    }

    /// Every path, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &RepoPath> {
        self.paths.iter()
    }

    /// The paths in a folder and in the folders in it, sorted; `""` is the root.
    ///
    /// ```
    /// # use fromguard_core::source::{RepoPath, Tree};
    /// let tree: Tree = ["a/b/c", "a-b", "a/d"].map(RepoPath::new).into_iter().collect();
    /// let below: Vec<&str> = tree.below("a").map(RepoPath::as_str).collect();
    /// assert_eq!(below, ["a/b/c", "a/d"]);
    /// ```
    pub fn below(&self, folder: &str) -> impl Iterator<Item = &RepoPath> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        self.paths
            .range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded))
            .take_while(move |path| path.as_str().starts_with(&prefix))
    }
}

impl FromIterator<RepoPath> for Tree {
    fn from_iter<I: IntoIterator<Item = RepoPath>>(paths: I) -> Tree {
        Tree { paths: paths.into_iter().collect() }
    }
}
