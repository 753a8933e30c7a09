//! Which pipelines a repository has: the files that one may begin with, and what each of
//! them leads to. This is found out once for all of them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;

use crate::formats::Claim;
use crate::formats::Files;
use crate::formats::Format;
use crate::source::Content;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::source::Tree;

use super::GitlabCi;
use super::include;
use super::include::Place;
use super::load;
use super::load::MAX_FILES;
use super::load::Part;

/// How many files are searched for those that include others.
const MAX_ROOTS: usize = 1_000;

/// The pipelines of a repository.
#[derive(Debug, Default)]
pub(in crate::formats) struct Roots {
    /// The files of each pipeline, by the one that it begins with.
    reach: BTreeMap<RepoPath, BTreeSet<RepoPath>>,
    /// The pipelines that a file is a part of.
    holding: HashMap<RepoPath, BTreeSet<RepoPath>>,
    /// Files that a pipeline may begin with and that others include.
    included: HashSet<RepoPath>,
}

impl Roots {
    /// Looks at the files that one may begin with; `None` when something is not there yet.
    pub(super) fn new(tree: &Tree, files: &mut Files<'_>) -> Option<Roots> {
        let missing = files.missing();
        let roots: Vec<RepoPath> =
            tree.paths().filter(|path| GitlabCi.claims(path) != Claim::No).take(MAX_ROOTS).cloned().collect();
        let mut reader = Reader { tree, files, edges: HashMap::new() };
        let mut roots: BTreeMap<RepoPath, BTreeSet<RepoPath>> =
            roots.into_iter().map(|root| (root.clone(), reader.reach(&root))).collect();
        if reader.files.missing() > missing {
            return None;
        }
        let mut included = HashSet::new();
        for (root, reach) in &roots {
            for path in reach.iter().filter(|path| *path != root) {
                // Of files that include each other the first counts.
                let is_first = roots.get(path).is_some_and(|back| back.contains(root)) && path < root;
                if !is_first {
                    included.insert(path.clone());
                }
            }
        }
        roots.retain(|root, _| !included.contains(root));
        let mut holding: HashMap<RepoPath, BTreeSet<RepoPath>> = HashMap::new();
        for (root, reach) in &roots {
            for path in reach {
                holding.entry(path.clone()).or_default().insert(root.clone());
            }
        }
        Some(Roots { reach: roots, holding, included })
    }

    /// Whether another pipeline includes the file.
    pub(super) fn is_included(&self, path: &RepoPath) -> bool {
        self.included.contains(path)
    }

    /// The files whose images are found by the pipeline that begins with `root`: those
    /// that no earlier one has.
    pub(super) fn targets(&self, root: &RepoPath) -> BTreeSet<RepoPath> {
        let first = |path: &RepoPath| self.holding.get(path).and_then(BTreeSet::first);
        let own = self.reach.get(root).into_iter().flatten();
        own.filter(|path| first(path) == Some(root)).cloned().collect()
    }

    /// The pipelines that some of these files are a part of.
    pub(super) fn holding(&self, paths: &BTreeSet<RepoPath>) -> BTreeSet<RepoPath> {
        paths.iter().filter_map(|path| self.holding.get(path)).flatten().cloned().collect()
    }
}

/// The files that one leads to by its own text.
#[derive(Clone, Default)]
struct Edges {
    /// Whether it is there at all.
    is_there: bool,
    includes: Vec<RepoPath>,
    /// The first files of the pipelines that its jobs start.
    started: Vec<RepoPath>,
}

struct Reader<'r, 'f> {
    tree: &'r Tree,
    files: &'r mut Files<'f>,
    edges: HashMap<RepoPath, Edges>,
}

impl Reader<'_, '_> {
    /// The files of the pipeline that begins with `root`, and of those that it starts.
    fn reach(&mut self, root: &RepoPath) -> BTreeSet<RepoPath> {
        let (mut reach, started) = self.included(root);
        for child in started {
            reach.extend(self.included(&child).0);
        }
        reach
    }

    /// What a file includes, through others, with itself; and what is started by that.
    fn included(&mut self, root: &RepoPath) -> (BTreeSet<RepoPath>, Vec<RepoPath>) {
        let (mut seen, mut started) = (BTreeSet::new(), Vec::new());
        let mut there = BTreeSet::new();
        let mut waiting = vec![root.clone()];
        while let Some(path) = waiting.pop() {
            if seen.len() >= MAX_FILES || !seen.insert(path.clone()) {
                continue;
            }
            let edges = self.edges(&path);
            if edges.is_there {
                there.insert(path);
                waiting.extend(edges.includes.into_iter().rev());
                started.extend(edges.started);
            }
        }
        started.truncate(MAX_FILES);
        (there, started)
    }

    fn edges(&mut self, path: &RepoPath) -> Edges {
        if let Some(known) = self.edges.get(path) {
            return known.clone();
        }
        let edges = self.read(path);
        self.edges.insert(path.clone(), edges.clone());
        edges
    }

    fn read(&mut self, path: &RepoPath) -> Edges {
        let Some(Content::Text(text)) = self.files.get(path) else { return Edges::default() };
        let mut edges = Edges { is_there: true, ..Edges::default() };
        if memchr::memmem::find(text.as_bytes(), b"include").is_none() {
            return edges;
        }
        let file = SourceFile::new(path.clone(), text);
        let yaml = self.files.yaml(&file);
        let part = Part { file, yaml, conditional: false, given: Vec::new() };
        for entry in part.includes() {
            if let Place::Local(pattern) = entry.place {
                edges.includes.extend(include::matching(&pattern, Some(self.tree)).unwrap_or_default());
            }
        }
        edges.started = load::started(&part).map(|(path, _)| path).take(MAX_FILES).collect();
        edges
    }
}
