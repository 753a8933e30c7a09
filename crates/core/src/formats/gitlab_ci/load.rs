//! A pipeline's files: the one that it begins with and everything local that this
//! includes, in the order in which they are put on top of each other.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::formats::Files;
use crate::formats::value::Value;
use crate::source::Content;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::yaml::Document;
use crate::yaml::Mapping;
use crate::yaml::Node;
use crate::yaml::Yaml;

use super::include;
use super::include::Include;
use super::include::Place;

/// How many files one pipeline may have; GitLab allows 150 includes.
pub(super) const MAX_FILES: usize = 151;

/// One file of a pipeline.
pub(super) struct Part {
    pub(super) file: SourceFile,
    pub(super) yaml: Arc<Yaml>,
    /// Included only sometimes.
    pub(super) conditional: bool,
    /// What it is given by those that include it.
    pub(super) given: Vec<(String, Value)>,
}

/// The files of a pipeline, those that are included before those that include them.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) parts: Vec<Part>,
    /// The file at which the limit was reached.
    pub(super) more: Option<RepoPath>,
}

impl Part {
    /// The documents that hold jobs; a header (`spec:`) does not.
    pub(super) fn roots(&self) -> impl Iterator<Item = Node<'_>> {
        self.yaml.documents.iter().map(Document::root).filter(|root| root.at(&["spec"]).is_none())
    }

    /// The declared inputs.
    pub(super) fn spec(&self) -> Option<Node<'_>> {
        self.yaml.documents.iter().find_map(|document| document.root().at(&["spec", "inputs"]))
    }

    /// What it includes.
    pub(super) fn includes(&self) -> Vec<Include> {
        self.roots().flat_map(|root| include::includes(root, &self.file)).collect()
    }
}

impl Loaded {
    /// The files of the pipeline that begins with `path`. What has not been fetched
    /// yet is left out and asked for.
    pub(super) fn new(path: &RepoPath, files: &mut Files<'_>) -> Loaded {
        let mut loaded = Loaded::default();
        let mut seen = BTreeSet::new();
        loaded.add(path, false, Vec::new(), files, &mut seen, 0);
        loaded
    }

    fn add(
        &mut self,
        path: &RepoPath,
        conditional: bool,
        given: Vec<(String, Value)>,
        files: &mut Files<'_>,
        seen: &mut BTreeSet<RepoPath>,
        depth: usize,
    ) {
        if !seen.insert(path.clone()) {
            if let Some(part) = self.parts.iter_mut().find(|part| part.file.path() == path) {
                part.given.extend(given);
            }
            return;
        }
        if seen.len() > MAX_FILES || depth > MAX_FILES {
            self.more.get_or_insert_with(|| path.clone());
            return;
        }
        let Some(Content::Text(text)) = files.get(path) else { return };
        let file = SourceFile::new(path.clone(), text);
        let yaml = files.yaml(&file);
        let part = Part { file, yaml, conditional, given };
        for entry in part.includes() {
            let Place::Local(pattern) = entry.place else { continue };
            let tree = if pattern.contains('*') { files.tree() } else { None };
            for path in include::matching(&pattern, tree).unwrap_or_default() {
                let conditional = conditional || entry.conditional;
                self.add(&path, conditional, entry.inputs.clone(), files, seen, depth + 1);
            }
        }
        self.parts.push(part);
    }

    /// The pipelines that its jobs start, each by its first file and with the name of the job.
    pub(super) fn started(&self) -> Vec<(RepoPath, String)> {
        self.parts.iter().flat_map(started).take(MAX_FILES).collect()
    }

    /// The paths of its files.
    pub(super) fn paths(&self) -> impl Iterator<Item = &RepoPath> {
        self.parts.iter().map(|part| part.file.path())
    }
}

/// The pipelines that the jobs of a file start, each by its first file and with the name
/// of the job.
pub(super) fn started(part: &Part) -> impl Iterator<Item = (RepoPath, String)> {
    let jobs = part.roots().filter_map(Node::map).flat_map(Mapping::merged);
    let named = jobs.filter_map(|(name, job)| Some((name.text()?, job.map()?)));
    named.flat_map(|(name, job)| {
        let local = include::started(job, &part.file).into_iter().filter_map(|entry| match entry.place {
            Place::Local(path) if !path.contains('*') => Some(path),
            _ => None,
        });
        local.map(|path| (RepoPath::new(&path), name.to_owned())).collect::<Vec<_>>()
    })
}
