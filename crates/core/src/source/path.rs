//! Paths inside a repository.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// A path relative to the repository root, `/`-separated, without `.` or `..`
/// segments and without a leading `/`.
///
/// Bytes of a path that are not UTF-8 have become U+FFFD before they get here.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RepoPath(Arc<str>);

impl Ord for RepoPath {
    /// By their text; mostly paths of one file are compared, which share it.
    fn cmp(&self, other: &RepoPath) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) { Ordering::Equal } else { self.0.cmp(&other.0) }
    }
}

impl PartialOrd for RepoPath {
    fn partial_cmp(&self, other: &RepoPath) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl RepoPath {
    /// Takes a path as git or GitHub writes it; `./` prefixes and doubled
    /// slashes are folded away.
    ///
    /// ```
    /// # use fromguard_core::source::RepoPath;
    /// assert_eq!(RepoPath::new("./a//Dockerfile").as_str(), "a/Dockerfile");
    /// ```
    #[must_use]
    pub fn new(path: &str) -> RepoPath {
        let clean = !path.is_empty() && path.split('/').all(|part| !part.is_empty() && part != ".");
        if clean {
            return RepoPath(Arc::from(path));
        }
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        RepoPath(Arc::from(parts.join("/")))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The folder that holds this path, `""` at the root.
    #[must_use]
    pub fn folder(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The path that `relative` names when it is written in this file's folder;
    /// `None` when it leaves the repository (too many `..`, or absolute).
    ///
    /// ```
    /// # use fromguard_core::source::RepoPath;
    /// let link = RepoPath::new("a/b/Dockerfile");
    /// assert_eq!(link.beside("../base.Dockerfile"), Some(RepoPath::new("a/base.Dockerfile")));
    /// assert_eq!(link.beside("../../../etc/passwd"), None);
    /// assert_eq!(link.beside("/etc/passwd"), None);
    /// ```
    #[must_use]
    pub fn beside(&self, relative: &str) -> Option<RepoPath> {
        if relative.starts_with('/') {
            return None;
        }
        let mut parts: Vec<&str> = self.folder().split('/').filter(|part| !part.is_empty()).collect();
        for part in relative.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop()?;
                }
                other => parts.push(other),
            }
        }
        Some(RepoPath(Arc::from(parts.join("/"))))
    }
}

/// Paths are ordered and hashed as their text is.
impl Borrow<str> for RepoPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
