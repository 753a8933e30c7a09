//! The formats that fromguard reads, and the registry of them.
//!
//! A format is one file or folder here: which paths it claims, what it extracts,
//! its fixtures and tests beside it, one line in [`FORMATS`], one row in
//! `docs/formats.md`. Formats know nothing of policy.
//!
//! `value`, `uses` and `marker` are what formats share: texts that are put together
//! from variables, and the uses that are made of them.

pub mod compose;
pub mod dockerfile;
mod github_actions;
mod gitlab_ci;
mod helm;
pub mod kubernetes;
pub mod kustomize;
mod marker;
mod parsed;
pub mod shell;
#[cfg(test)]
mod tests;
mod uses;
mod value;

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;

use crate::image::ImageUse;
use crate::source::Content;
use crate::source::Location;
use crate::source::Problem;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::source::Tree;
use crate::yaml;
use crate::yaml::Yaml;

use self::dockerfile::Inputs;
pub use self::parsed::Parsed;
use self::parsed::Slot;

/// A kind of file that names images.
pub trait Format: Sync {
    /// Its stable id: `dockerfile`.
    fn id(&self) -> &'static str;

    /// Whether a file of this path may be of this format, by its name alone.
    fn claims(&self, path: &RepoPath) -> Claim;

    /// Whether a change of `changed` may decide what a use in `candidate` is,
    /// a path that the format claims. By names alone: a changed `.env` decides in a
    /// compose file. The file itself is left out of the question.
    fn may_depend(&self, candidate: &RepoPath, changed: &RepoPath) -> bool {
        let _ = (candidate, changed);
        false
    }

    /// Whether a change of this file may decide anything of the format in a tree, by the
    /// paths in it: where not, nothing is asked of the candidates.
    fn may_matter(&self, changed: &RepoPath, tree: &Tree) -> bool {
        let _ = (changed, tree);
        true
    }

    /// Whether other files say how a file of this format is built. It is extracted
    /// when all of those have been, with what they say ([`Files::builds`]).
    fn is_built(&self) -> bool {
        false
    }

    /// Extracts every use from a file. Other files that it needs are asked for
    /// through `files`; extraction runs again once they are there, so it must
    /// depend on nothing but its arguments.
    fn extract(&self, file: &SourceFile, files: &mut Files<'_>) -> Extracted;
}

/// What a path's name says of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// The file is not of the format.
    No,
    /// The text decides. One that cannot be read is not taken for it.
    Maybe,
    /// The file is of the format unless its text says otherwise. One that cannot
    /// be read is a problem.
    Yes,
}

/// What a format found in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extracted {
    /// The uses, in the order of their spans.
    pub uses: Vec<ImageUse>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// The file is not of the format, whatever its name says: nothing is found
    /// in it, it does not count as read, and the next format that claims it is asked.
    pub is_foreign: bool,
    /// The builds of Dockerfiles that the file describes.
    pub builds: Vec<Build>,
    /// What is found depends on how other files say that this one is built.
    pub takes_arguments: bool,
    /// What the file makes of images that stand elsewhere.
    pub rendering: Option<Rendering>,
}

impl Extracted {
    /// What is found in a file that is not of the format.
    #[must_use]
    pub fn foreign() -> Extracted {
        Extracted { is_foreign: true, ..Extracted::default() }
    }
}

/// A build of a Dockerfile that another file describes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Build {
    /// The file that is built, whatever it is called.
    pub dockerfile: RepoPath,
    /// What it is built with.
    pub inputs: Inputs,
}

/// What a file that deploys others leaves of the images in them. One that no other
/// such file is built from is deployed as it is: an image that none of those leaves is
/// not pulled (extraction.md, "Decisions", 2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendering {
    /// The files of the same kind that it is built from.
    pub parts: BTreeSet<RepoPath>,
    /// The places that name an image in what it is built from, sorted, and whether the
    /// image is left in what it renders.
    pub places: Vec<(Location, bool)>,
}

/// The files that an extraction may look at beside its own.
pub struct Files<'a> {
    known: &'a dyn Fn(&RepoPath) -> Option<Content>,
    tree: Option<&'a Tree>,
    builds: &'a [Inputs],
    wanted: BTreeSet<RepoPath>,
    used: BTreeSet<RepoPath>,
    wants_tree: bool,
    yaml: HashMap<RepoPath, Arc<Yaml>>,
    /// What other extractions have made.
    parsed: Option<&'a Parsed>,
    is_busy: bool,
}

impl<'a> Files<'a> {
    /// Answers from `known`; what it does not know is recorded as wanted.
    pub fn new(known: &'a dyn Fn(&RepoPath) -> Option<Content>) -> Files<'a> {
        Files {
            known,
            tree: None,
            builds: &[],
            wanted: BTreeSet::new(),
            used: BTreeSet::new(),
            wants_tree: false,
            yaml: HashMap::new(),
            parsed: None,
            is_busy: false,
        }
    }

    /// The same, where the paths of the tree are known.
    #[must_use]
    pub fn with_tree(self, tree: Option<&'a Tree>) -> Files<'a> {
        Files { tree, ..self }
    }

    /// The same, where others build the file in these ways.
    #[must_use]
    pub fn with_builds(self, builds: &'a [Inputs]) -> Files<'a> {
        Files { builds, ..self }
    }

    /// The content at a path, links followed; `None` when it has not been
    /// fetched yet: it is fetched, and extraction runs again.
    pub fn get(&mut self, path: &RepoPath) -> Option<Content> {
        let content = (self.known)(path);
        let kept = if content.is_none() { &mut self.wanted } else { &mut self.used };
        kept.insert(path.clone());
        content
    }

    /// The paths that stand beside the file, at least those that a format claims;
    /// `None` when they are not known yet: they are fetched, and extraction runs again.
    pub fn tree(&mut self) -> Option<&'a Tree> {
        self.wants_tree |= self.tree.is_none();
        self.tree
    }

    /// The ways in which other files build this one.
    #[must_use]
    pub fn builds(&self) -> &'a [Inputs] {
        self.builds
    }

    /// The same, where others look at the same files.
    #[must_use]
    pub fn with_parsed(self, parsed: &'a Parsed) -> Files<'a> {
        Files { parsed: Some(parsed), ..self }
    }

    /// A file as YAML, read once for all formats that look at it; what only defines types is
    /// left out.
    pub fn yaml(&mut self, file: &SourceFile) -> Arc<Yaml> {
        let parsed = self.parsed;
        let read = || match parsed {
            Some(parsed) => parsed.yaml(file),
            None => Arc::new(parsed::read(file)),
        };
        Arc::clone(self.yaml.entry(file.path().clone()).or_insert_with(read))
    }

    /// The same with all of it: to values, what looks like the definition of a type is a map.
    pub fn whole_yaml(&mut self, file: &SourceFile) -> Arc<Yaml> {
        match kubernetes::are_definitions_in(file.text()) {
            true => Arc::new(yaml::read(file.text(), yaml::Limits::default())),
            false => self.yaml(file),
        }
    }

    /// What a chart renders, made once for all of its files. `None` when it cannot be
    /// made yet: what it lacks is fetched, and extraction runs again.
    fn chart(
        &mut self,
        root: &str,
        make: impl FnOnce(&mut Files<'a>) -> Option<helm::Rendered>,
    ) -> Option<Arc<helm::Rendered>> {
        match self.parsed {
            Some(parsed) => self.made(&parsed.chart(root), make),
            None => make(self).map(Arc::new),
        }
    }

    /// The pipelines of GitLab CI, found once for all of their files; `None` as above.
    fn pipelines(
        &mut self,
        make: impl FnOnce(&mut Files<'a>) -> Option<gitlab_ci::Roots>,
    ) -> Option<Arc<gitlab_ci::Roots>> {
        match self.parsed {
            Some(parsed) => self.made(parsed.pipelines(), make),
            None => make(self).map(Arc::new),
        }
    }

    fn made<T>(&mut self, slot: &Slot<T>, make: impl FnOnce(&mut Files<'a>) -> Option<T>) -> Option<Arc<T>> {
        let Some(mut state) = slot.state() else {
            self.is_busy = true;
            return None;
        };
        // Of many that wait for the same files one asks for all.
        let is_waiting = state.waits_for.as_ref().is_some_and(|path| self.get(path).is_none());
        if state.made.is_none() && !is_waiting {
            state.made = make(self).map(Arc::new);
            state.waits_for = self.wanted.last().filter(|_| state.made.is_none()).cloned();
        }
        state.made.clone()
    }

    /// How many files were asked for that are not there yet.
    fn missing(&self) -> usize {
        self.wanted.len()
    }

    /// What was asked for.
    #[must_use]
    pub fn into_wanted(self) -> Wanted {
        Wanted { files: self.wanted, used: self.used, tree: self.wants_tree, is_busy: self.is_busy }
    }
}

/// What an extraction asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Files that were not there.
    pub files: BTreeSet<RepoPath>,
    /// Files that were there.
    pub used: BTreeSet<RepoPath>,
    /// Whether it asked which paths there are.
    pub tree: bool,
    /// Whether another extraction, under way, makes what it needs: it runs again after that.
    pub is_busy: bool,
}

/// Every format. Of several that claim a file, the first that does not call it
/// foreign reads it.
pub static FORMATS: &[&dyn Format] = &[
    &dockerfile::Dockerfile,
    &compose::Compose,
    &github_actions::GithubActions,
    &gitlab_ci::GitlabCi,
    &kustomize::Kustomize,
    &helm::Helm,
    &kubernetes::Kubernetes,
    &shell::Shell,
];

/// The formats that may read a path, by its name.
pub fn formats_for(path: &RepoPath) -> impl Iterator<Item = (&'static dyn Format, Claim)> {
    FORMATS
        .iter()
        .map(move |format| (*format, format.claims(path)))
        .filter(|(_, claim)| *claim != Claim::No)
        .collect::<Vec<_>>()
        .into_iter()
}

/// Whether a format may read a path, by its name.
#[must_use]
pub fn is_claimed(path: &RepoPath) -> bool {
    FORMATS.iter().any(|format| format.claims(path) != Claim::No)
}

/// Whether a file of this path may decide what another one uses, by its name: it
/// is of a format, holds variables (`.env`, `prod.env`, `.env.local`), or is YAML
/// that others may include.
#[must_use]
pub fn may_decide_others(path: &RepoPath) -> bool {
    let name = path.name();
    name.starts_with(".env")
        || [".env", ".yml", ".yaml"].iter().any(|end| name.ends_with(end))
        || formats_for(path).any(|(format, _)| !format.is_built())
}

/// The files of a tree in which a use may be decided by one of the changed files,
/// by their names.
pub fn dependents<'t>(tree: &'t Tree, changed: &'t BTreeSet<RepoPath>) -> impl Iterator<Item = &'t RepoPath> {
    let deciding: Vec<(&'static dyn Format, Vec<&RepoPath>)> = FORMATS
        .iter()
        .map(|format| (*format, changed.iter().filter(|path| format.may_matter(path, tree)).collect()))
        .collect();
    tree.paths().filter(move |candidate| {
        deciding.iter().any(|(format, changed)| {
            !changed.is_empty()
                && format.claims(candidate) != Claim::No
                && changed.iter().any(|path| path != candidate && format.may_depend(candidate, path))
        })
    })
}
