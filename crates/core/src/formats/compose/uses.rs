//! From services to uses of images: which texts are inputs, and which are names of
//! what is built (extraction.md, "Decisions", 3).

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;

use crate::formats::is_claimed;
use crate::formats::uses::Finder;
use crate::formats::value::Value;
use crate::image::ImageUse;
use crate::image::Role;
use crate::source::Location;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::source::Span;

use super::environment::Environment;
use super::model::BuildText;
use super::model::Merged;
use super::model::Service;
use super::model::Shared;
use super::model::Text;
use super::project::Lost;
use super::project::Project;
use super::template;
use super::template::Budget;

/// The prefix of a named context that is an image.
pub(super) const IMAGE_CONTEXT: &str = "docker-image://";

/// Gathers uses; each place once, with every member that it was found to be.
pub(super) struct Gatherer<'g> {
    /// The file that is extracted.
    own: &'g RepoPath,
    budget: &'g Budget,
    found: BTreeMap<(RepoPath, Span), Found>,
    files: HashMap<RepoPath, SourceFile>,
}

struct Found {
    role: Role,
    values: Vec<Value>,
}

/// What the services of a project build, by the names that they give it.
type Outputs = HashSet<String>;

impl<'g> Gatherer<'g> {
    pub(super) fn new(own: &'g RepoPath, budget: &'g Budget) -> Gatherer<'g> {
        Gatherer { own, budget, found: BTreeMap::new(), files: HashMap::new() }
    }

    /// Every use in a project and in what it includes and extends.
    pub(super) fn project(&mut self, project: &Project) {
        let outputs = self.outputs(project);
        // Beside the file itself stands what it is laid onto, which tells of itself.
        let own = self.own;
        let own_only = project.sheets.iter().any(|sheet| sheet.file.path() == own);
        let sheets = project.sheets.iter().filter(|sheet| !own_only || sheet.file.path() == own);
        for sheet in sheets {
            self.files.entry(sheet.file.path().clone()).or_insert_with(|| sheet.file.clone());
            for (name, service) in sheet.layers.iter().flat_map(|layer| &layer.services) {
                if let Some(merged) = project.services.get(name) {
                    self.service(service, merged, &project.environment, &outputs);
                }
            }
        }
        for base in &project.bases {
            self.files.entry(base.sheet.file.path().clone()).or_insert_with(|| base.sheet.file.clone());
            self.service(&base.service, &base.merged, &project.environment, &outputs);
        }
        project.included.iter().for_each(|included| self.project(included));
    }

    /// The names of what is built here.
    fn outputs(&self, project: &Project) -> Outputs {
        let built = project.services.values().filter(|service| service.build.is_some());
        let images = built.filter_map(|service| service.image.as_ref());
        let values = images.flat_map(|image| image.evaluate(self.budget));
        values.filter(Value::is_known).map(|value| value.text().to_owned()).collect()
    }

    fn service(&mut self, service: &Service, merged: &Merged, environment: &Environment, outputs: &Outputs) {
        if let Some(image) = &service.image.value
            && self.counts(image)
            && let Some(role) = self.role(image, merged, environment, outputs)
        {
            self.add(image, role, environment);
        }
        if let Some(build) = &service.build.value {
            self.build(build, environment);
        }
        for (texts, role) in
            [(&service.volumes, Role::ImageVolume), (&service.pre_start, Role::InitContainer)]
        {
            for text in texts {
                if self.counts(text) {
                    self.add(text, role, environment);
                }
            }
        }
    }

    /// What an image is to its service; `None` for the name of what is built.
    fn role(
        &self,
        image: &Text,
        merged: &Merged,
        environment: &Environment,
        outputs: &Outputs,
    ) -> Option<Role> {
        let is_built = merged.build.is_some()
            || (!outputs.is_empty()
                && self.evaluate(image, environment).iter().all(|value| outputs.contains(value.text())));
        if !is_built {
            return Some(Role::Container);
        }
        let Some(policy) = &merged.pull_policy else { return Some(Role::PullableOutput) };
        let policies = policy.evaluate(self.budget);
        let builds = policies.iter().all(|policy| policy.is_known() && policy.text() == "build");
        (!builds).then_some(Role::Container)
    }

    fn build(&mut self, build: &BuildText, environment: &Environment) {
        for (_, entry) in &build.contexts.value {
            let Some(text) = entry.value.as_ref().filter(|text| self.counts(text)) else { continue };
            let values = self.evaluate(text, environment);
            let images = values.into_iter().filter_map(|value| without_prefix(value, IMAGE_CONTEXT));
            let images: Vec<Value> = images.filter(|image| image.text() != "scratch").collect();
            if !images.is_empty() {
                let start = if text.text().starts_with(IMAGE_CONTEXT) { IMAGE_CONTEXT.len() } else { 0 };
                let span = text.mapped.span(start..text.text().len());
                self.add_values(&Location { span, ..text.at.clone() }, Role::NamedContext, images);
            }
        }
        for text in &build.cache_from {
            if !self.counts(text) {
                continue;
            }
            let Some(range) = cache_reference(text.text()) else { continue };
            let reference = text.text().get(range.clone()).unwrap_or_default();
            let values = template::evaluate(reference, environment, self.budget);
            let at = Location { span: text.mapped.span(range), ..text.at.clone() };
            self.add_values(&at, Role::Cache, values);
        }
    }

    /// A place that leads to images that are not known.
    pub(super) fn lost(&mut self, lost: Lost) {
        if self.is_own(&lost.at.file) {
            self.add_values(&lost.at, Role::Container, vec![Value::unknown(lost.reason)]);
        }
    }

    /// Whether a text is told of here: one of the file itself, or one that means
    /// something else here than it means to its own file.
    pub(super) fn counts(&self, text: &Text) -> bool {
        self.is_own(&text.at.file) || text.is_open() || !is_claimed(&text.at.file)
    }

    pub(super) fn is_own(&self, file: &RepoPath) -> bool {
        file == self.own
    }

    pub(super) fn evaluate(&self, text: &Text, environment: &Environment) -> Vec<Value> {
        template::evaluate(text.text(), environment, self.budget)
    }

    fn add(&mut self, text: &Shared, role: Role, environment: &Environment) {
        let values = self.evaluate(text, environment);
        self.add_values(&text.at, role, values);
    }

    /// Adds what stands at a place. What one service only builds another may pull.
    pub(super) fn add_values(&mut self, at: &Location, role: Role, values: Vec<Value>) {
        let entry = self.found.entry((at.file.clone(), at.span));
        let found = entry.or_insert_with(|| Found { role, values: Vec::new() });
        if found.role == Role::PullableOutput {
            found.role = role;
        }
        for value in values {
            if !found.values.contains(&value) {
                found.values.push(value);
            }
        }
    }

    /// The uses, in the order of their places.
    pub(super) fn finish(self, file: &SourceFile) -> Vec<ImageUse> {
        let mut uses = Vec::new();
        for ((path, span), found) in &self.found {
            let Some(file) = (if path == file.path() { Some(file) } else { self.files.get(path) }) else {
                continue;
            };
            let finder = Finder { file, format: super::FORMAT };
            uses.push(finder.image_use(found.role, *span, &found.values));
        }
        uses
    }
}

/// The value behind a prefix that it begins with.
fn without_prefix(value: Value, prefix: &str) -> Option<Value> {
    value.text().starts_with(prefix).then(|| value.skip(prefix.len()))
}

/// The reference in an entry of `cache_from`: the whole of it, or `ref` of a
/// registry's cache. After `ParseCacheEntry` of buildx.
fn cache_reference(text: &str) -> Option<std::ops::Range<usize>> {
    if !text.contains('=') {
        return Some(0..text.len());
    }
    let mut reference = None;
    let mut registry = false;
    let mut at = 0;
    for field in text.split(',') {
        let trimmed = field.trim_start();
        let start = at + (field.len() - trimmed.len());
        at += field.len() + 1;
        let Some((key, value)) = trimmed.split_once('=') else { continue };
        match key.to_ascii_lowercase().as_str() {
            "type" => registry = value.trim() == "registry",
            "ref" => {
                let begin = start + key.len() + 1;
                reference = Some(begin..begin + value.trim_end().len());
            }
            _ => {}
        }
    }
    reference.filter(|_| registry)
}
