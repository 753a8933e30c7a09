//! The formats that fromguard reads, and the registry of them.
//!
//! A format is one file or folder here: which paths it claims, what it extracts,
//! its fixtures and tests beside it, one line in [`FORMATS`], one row in
//! `docs/formats.md`. Formats know nothing of policy.

pub mod dockerfile;

use std::collections::BTreeSet;

use crate::image::ImageUse;
use crate::source::Content;
use crate::source::Problem;
use crate::source::RepoPath;
use crate::source::SourceFile;

/// A kind of file that names images.
pub trait Format: Sync {
    /// Its stable id: `dockerfile`.
    fn id(&self) -> &'static str;

    /// Whether a file of this path is of this format, by its name alone.
    fn claims(&self, path: &RepoPath) -> bool;

    /// Whether a claimed file that is no text is none of the format: its name
    /// says that it is a picture. What is no text under any other name is a problem.
    fn may_be_binary(&self, _path: &RepoPath) -> bool {
        false
    }

    /// Extracts every use from a file. Other files that it needs are asked for
    /// through `files`; extraction runs again once they are there, so it must
    /// depend on nothing but its arguments.
    fn extract(&self, file: &SourceFile, files: &mut Files<'_>) -> Extracted;
}

/// What a format found in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extracted {
    /// The uses, in the order of their spans.
    pub uses: Vec<ImageUse>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// The file is not of the format, whatever its name says: nothing is found
    /// in it, and it does not count as read.
    pub is_foreign: bool,
}

/// The files that an extraction may look at beside its own.
pub struct Files<'a> {
    known: &'a dyn Fn(&RepoPath) -> Option<Content>,
    wanted: BTreeSet<RepoPath>,
}

impl<'a> Files<'a> {
    /// Answers from `known`; what it does not know is recorded as wanted.
    pub fn new(known: &'a dyn Fn(&RepoPath) -> Option<Content>) -> Files<'a> {
        Files { known, wanted: BTreeSet::new() }
    }

    /// The content at a path, links followed; `None` when it has not been
    /// fetched yet: it is fetched, and extraction runs again.
    pub fn get(&mut self, path: &RepoPath) -> Option<Content> {
        let content = (self.known)(path);
        if content.is_none() {
            self.wanted.insert(path.clone());
        }
        content
    }

    /// What was asked for and not there.
    #[must_use]
    pub fn into_wanted(self) -> BTreeSet<RepoPath> {
        self.wanted
    }
}

/// Every format.
pub static FORMATS: &[&dyn Format] = &[&dockerfile::Dockerfile];

/// The format that claims a path by its name.
#[must_use]
pub fn format_for(path: &RepoPath) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.claims(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every row of the table begins with a format's id, in the registry's order.
    #[test]
    fn the_documentation_lists_every_format() {
        let page = include_str!("../../../../docs/formats.md");
        let rows: Vec<&str> = page
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
            .map(|(id, _)| id)
            .collect();
        let registry: Vec<&str> = FORMATS.iter().map(|format| format.id()).collect();
        assert_eq!(rows, registry);
    }

    #[test]
    fn a_path_has_a_format_by_its_name() {
        let format = |path: &str| format_for(&RepoPath::new(path)).map(|format| format.id());
        assert_eq!(format("services/a/Dockerfile.prod"), Some("dockerfile"));
        assert_eq!(format("docs/Dockerfile.md"), None);
    }
}
