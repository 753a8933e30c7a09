//! GitLab CI: pipelines and what they include.
//!
//! <https://docs.gitlab.com/ci/yaml/>. `include` finds the files of a pipeline, `roots` which
//! pipelines there are, `load` reads them, `pipeline` is its jobs, `variables` expands, `images` says what the jobs
//! run in, `scripts` what their commands pull. `docs/gitlab-ci.md` says what is found.
//!
//! A file that others include is a part of their pipelines: what stands in it is found
//! by the first file that includes it and is not included itself, for every name that it
//! may have.

mod images;
mod include;
mod load;
mod pipeline;
mod roots;
mod scripts;
#[cfg(test)]
mod tests;
mod variables;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::formats::Claim;
use crate::formats::Extracted;
use crate::formats::Files;
use crate::formats::Format;
use crate::formats::uses::Finder;
use crate::formats::value::Value;
use crate::image::Role;
use crate::source::ProblemCode;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::source::Span;
use crate::yaml::Document;
use crate::yaml::Mapping;
use crate::yaml::Node;
use crate::yaml::YamlErrorKind;

use self::images::Images;
use self::include::Place;
use self::load::Loaded;
use self::load::Part;
use self::pipeline::Pipeline;
pub(super) use self::roots::Roots;
use self::scripts::Scripts;
use self::variables::Scope;

/// The format's id.
const FORMAT: &str = "gitlab-ci";
/// The file that GitLab begins with.
const FIRST: &str = ".gitlab-ci.yml";
/// What only jobs and what they extend have.
const JOB_KEYS: [&str; 5] = ["script", "before_script", "after_script", "trigger", "extends"];
/// How much evaluation one file may cost, in steps.
const MAX_STEPS: usize = 200_000;

/// The format `gitlab-ci`.
pub(super) struct GitlabCi;

impl Format for GitlabCi {
    fn id(&self) -> &'static str {
        FORMAT
    }

    fn claims(&self, path: &RepoPath) -> Claim {
        let name = path.name();
        if name.ends_with(".gitlab-ci.yml") || name.ends_with(".gitlab-ci.yaml") {
            return Claim::Yes;
        }
        let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
        let in_folder =
            is_yaml && [".gitlab/", ".gitlab-ci/"].iter().any(|folder| path.as_str().starts_with(folder));
        let is_named = is_yaml && name.starts_with(".gitlab-ci");
        if in_folder || is_named || is_component(path.as_str()) { Claim::Maybe } else { Claim::No }
    }

    /// A pipeline may include any file.
    fn may_depend(&self, _: &RepoPath, changed: &RepoPath) -> bool {
        changed.name().ends_with(".yml") || changed.name().ends_with(".yaml")
    }

    fn extract(&self, file: &SourceFile, files: &mut Files<'_>) -> Extracted {
        if self.claims(file.path()) != Claim::Yes && !is_pipeline(file, files) {
            return Extracted::foreign();
        }
        let mut extracted = Extracted::default();
        let Some(group) = Group::new(file.path(), files) else {
            // Others include it, and find what stands in it.
            report_errors(file, files, &mut extracted);
            return extracted;
        };
        let (targets, sources) = (&group.targets, group.sources());
        let steps = Cell::new(MAX_STEPS);
        let mut images = Images::default();
        let mut scripts = Scripts::default();
        for tree in group.trees.values() {
            if tree.iter().flat_map(|(_, loaded)| loaded.paths()).any(|path| targets.contains(path)) {
                read(tree, &mut images, &mut scripts, &steps);
            }
        }
        for ((span, role, path), values) in images.found {
            let Some(source) = sources.get(&path) else { continue };
            let values: Vec<Value> = values.into_iter().filter(|value| !value.is_empty()).collect();
            if !values.is_empty() {
                let finder = Finder { file: source, format: FORMAT };
                extracted.uses.push(finder.image_use(role, span, &values));
            }
        }
        extracted.uses.extend(scripts.found.into_values().filter(|usage| targets.contains(&usage.file)));
        extracted.builds = scripts.builds;
        extracted.problems = scripts.problems;
        extracted.problems.retain(|problem| targets.contains(&problem.at.file));
        let finder = Finder { file, format: FORMAT };
        for loaded in group.trees.values().flatten().map(|(_, loaded)| loaded) {
            for part in loaded.parts.iter().filter(|part| sources.contains_key(part.file.path())) {
                not_here(part, &mut extracted);
                report_errors_of(part, &mut extracted);
            }
            if let Some(more) = &loaded.more {
                let message = format!("the pipeline has more files than are read; {more} is not");
                extracted.problems.push(finder.problem(Span::default(), ProblemCode::Limit, message));
            }
        }
        if steps.get() == 0 || scripts.bytes > scripts::MAX_BYTES {
            let message = "the variables of this pipeline have more values than are followed";
            extracted.problems.push(finder.problem(Span::default(), ProblemCode::Limit, message));
        }
        extracted.uses.sort_by(|a, b| (&a.file, a.span).cmp(&(&b.file, b.span)));
        extracted.uses.dedup();
        extracted.problems.sort_by(|a, b| (&a.at, &a.message).cmp(&(&b.at, &b.message)));
        extracted.problems.dedup();
        extracted
    }
}

/// Whether a path may be that of a component: `templates/name.yml`,
/// `templates/name/template.yml`.
fn is_component(path: &str) -> bool {
    let Some(name) = path.strip_prefix("templates/") else { return false };
    let name = name.strip_suffix("/template.yml").or_else(|| name.strip_suffix(".yml"));
    name.is_some_and(|name| !name.contains('/'))
}

/// Whether a file of another name declares inputs, or jobs.
fn is_pipeline(file: &SourceFile, files: &mut Files<'_>) -> bool {
    let holds = |word: &str| memchr::memmem::find(file.text().as_bytes(), word.as_bytes()).is_some();
    if !["spec:", "script:", "trigger:", "extends:"].into_iter().any(holds) {
        return false;
    }
    let yaml = files.yaml(file);
    let mut roots = yaml.documents.iter().map(Document::root);
    if is_component(file.path().as_str()) {
        return roots.next().is_some_and(|root| root.at(&["spec", "inputs"]).is_some());
    }
    let is_job =
        |job: Node<'_>| job.map().is_some_and(|job| JOB_KEYS.iter().any(|key| job.find(key).is_some()));
    roots.filter_map(Node::map).flat_map(Mapping::merged).any(|(_, job)| is_job(job))
}

/// A pipeline and those that its jobs start, each with the job that starts it.
type Started = Vec<(Option<String>, Loaded)>;

/// The pipelines whose files one of them finds the images of, by the file that each
/// begins with.
struct Group {
    trees: BTreeMap<RepoPath, Started>,
    /// The files whose images are found.
    targets: BTreeSet<RepoPath>,
}

impl Group {
    /// The group of the pipeline that begins with `path`; `None` when another one includes
    /// that file.
    fn new(path: &RepoPath, files: &mut Files<'_>) -> Option<Group> {
        let own = started(path, files);
        let is_alone = own.len() == 1 && own.iter().all(|(_, loaded)| loaded.parts.len() == 1);
        let roots = match files.tree() {
            Some(tree) if !(is_alone && path.as_str() == FIRST) => {
                files.pipelines(|files| Roots::new(tree, files))
            }
            _ => None,
        };
        let Some(roots) = roots else {
            let targets = own.iter().flat_map(|(_, loaded)| loaded.paths()).cloned().collect();
            return Some(Group { trees: BTreeMap::from([(path.clone(), own)]), targets });
        };
        if roots.is_included(path) {
            return None;
        }
        let mut targets = roots.targets(path);
        // It may be one of more than are looked at.
        targets.insert(path.clone());
        let mut trees = BTreeMap::from([(path.clone(), own)]);
        for other in roots.holding(&targets) {
            if other != *path {
                let tree = started(&other, files);
                trees.insert(other, tree);
            }
        }
        Some(Group { trees, targets })
    }

    /// The files whose images are found, with their texts.
    fn sources(&self) -> BTreeMap<RepoPath, SourceFile> {
        let parts = self.trees.values().flatten().flat_map(|(_, loaded)| &loaded.parts);
        let targets = parts.filter(|part| self.targets.contains(part.file.path()));
        targets.map(|part| (part.file.path().clone(), part.file.clone())).collect()
    }
}

/// A pipeline, and those that its jobs start.
fn started(path: &RepoPath, files: &mut Files<'_>) -> Started {
    let first = Loaded::new(path, files);
    let children = first.started();
    let mut all = vec![(None, first)];
    for (path, job) in children {
        all.push((Some(job), Loaded::new(&path, files)));
    }
    all
}

/// Adds what a pipeline, and those that it starts, use.
fn read(tree: &Started, images: &mut Images, scripts: &mut Scripts, steps: &Cell<usize>) {
    let Some((_, first)) = tree.first() else { return };
    let parent = Pipeline::new(first, &[]);
    images.add(&parent, steps);
    scripts.add(&parent, steps);
    for (job, loaded) in tree.iter().skip(1) {
        let starter = parent.jobs().find(|name| job.as_deref() == Some(parent.text(*name)));
        let chain = starter.map(|name| parent.job(name)).unwrap_or_default().chain;
        let scope = Scope { pipeline: &parent, chain: &chain, world: &[], steps };
        let mut names = parent.own_names(&chain);
        names.extend(parent.global_names());
        let passed: Vec<(String, Vec<Value>)> =
            names.into_iter().map(|name| (name.to_owned(), scope.variable(name))).collect();
        let child = Pipeline::new(loaded, &passed);
        images.add(&child, steps);
        scripts.add(&child, steps);
    }
}

/// Adds a use for each include that leads out of the repository: a job may take an
/// image from it.
fn not_here(part: &Part, extracted: &mut Extracted) {
    let finder = Finder { file: &part.file, format: FORMAT };
    let jobs = part.roots().filter_map(Node::map).flat_map(Mapping::merged);
    let of_jobs = jobs.filter_map(|(_, job)| job.map()).flat_map(|job| include::started(job, &part.file));
    for entry in part.includes().into_iter().chain(of_jobs) {
        if let Place::Unknown(reason) = entry.place {
            extracted.uses.push(finder.image_use(Role::CiJob, entry.span, &[Value::unknown(reason)]));
        }
    }
}

fn report_errors(file: &SourceFile, files: &mut Files<'_>, extracted: &mut Extracted) {
    let part = Part { file: file.clone(), yaml: files.yaml(file), conditional: false, given: Vec::new() };
    report_errors_of(&part, extracted);
}

/// Adds what could not be read of a file.
fn report_errors_of(part: &Part, extracted: &mut Extracted) {
    let finder = Finder { file: &part.file, format: FORMAT };
    extracted.problems.extend(part.yaml.errors.iter().map(|error| {
        let code = match error.kind {
            YamlErrorKind::Syntax => ProblemCode::Syntax,
            YamlErrorKind::Limit => ProblemCode::Limit,
        };
        finder.problem(error.span, code, error.message.clone())
    }));
}
