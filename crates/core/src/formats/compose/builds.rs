//! From `build` to what is built: which Dockerfile, and what it is given.

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::rc::Rc;

use crate::formats::Build;
use crate::formats::dockerfile::Argument;
use crate::formats::dockerfile::Context;
use crate::formats::dockerfile::Inputs;
use crate::formats::value::Value;
use crate::source::Location;
use crate::source::RepoPath;
use crate::source::Span;

use super::model::Bound;
use super::model::Entry;
use super::model::Merged;
use super::model::MergedBuild;
use super::model::Setting;
use super::path;
use super::path::Place;
use super::project::Lost;
use super::project::Project;
use super::template;
use super::template::Budget;
use super::uses::IMAGE_CONTEXT;

/// How many builds one file may describe. Each is a reading of a Dockerfile.
const MAX_BUILDS: usize = 500;
/// How many ways one service is built in, by values that may be one or another.
const MAX_WAYS: usize = 8;

/// What the services of a project build.
#[derive(Default)]
pub(super) struct Builds {
    pub(super) builds: Vec<Build>,
    /// Dockerfiles that stand in compose files, by their places, and how they are built.
    pub(super) inline: BTreeMap<(RepoPath, Span), (Bound, Vec<Inputs>)>,
    pub(super) lost: Vec<Lost>,
    /// The Dockerfiles that are built, each with a place that names it.
    pub(super) named: BTreeMap<RepoPath, Location>,
    /// More builds than are told.
    pub(super) too_many: bool,
    seen: HashSet<(RepoPath, Inputs)>,
}

type BoundEntry = (Rc<str>, Entry, Rc<Setting>);

/// Reads the builds of a project.
pub(super) struct Builder<'b> {
    pub(super) project: &'b Project,
    pub(super) budget: &'b Budget,
}

impl Builder<'_> {
    /// Adds every build of a service.
    pub(super) fn add(&self, service: &Merged, builds: &mut Builds) {
        let Some(build) = &service.build else { return };
        if builds.builds.len() >= MAX_BUILDS || !self.budget.spend(service.size()) {
            builds.too_many = true;
            return;
        }
        let inputs = self.inputs(service, build);
        if let Some(inline) = &build.inline {
            let place = (inline.text.at.file.clone(), inline.text.at.span);
            builds.inline.entry(place).or_insert_with(|| (inline.clone(), Vec::new())).1.extend(inputs);
            return;
        }
        for path in self.dockerfiles(build, &mut builds.lost) {
            if let Some(text) = build.dockerfile.as_ref().or(build.context.as_ref()) {
                builds.named.entry(path.clone()).or_insert_with(|| text.text.at.clone());
            }
            for inputs in &inputs {
                if builds.seen.insert((path.clone(), inputs.clone())) {
                    builds.builds.push(Build { dockerfile: path.clone(), inputs: inputs.clone() });
                }
            }
        }
    }

    /// The Dockerfiles that a build may be of.
    fn dockerfiles(&self, build: &MergedBuild, lost: &mut Vec<Lost>) -> Vec<RepoPath> {
        let mut folders = Vec::new();
        match &build.context {
            None => folders.push(RepoPath::new(&self.project.folder)),
            Some(context) => {
                for value in self.context(context) {
                    match path::place(&value, &context.setting.folder) {
                        Place::Local(path) => folders.push(path),
                        place => lost
                            .push(Lost { at: context.text.at.clone(), reason: place.reason(value.text()) }),
                    }
                }
            }
        }
        let names = match &build.dockerfile {
            None => vec![Value::known("Dockerfile")],
            Some(text) => text.evaluate(self.budget),
        };
        let mut paths = Vec::new();
        for folder in &folders {
            for name in &names {
                let place = path::place(name, folder.as_str());
                match (place, &build.dockerfile) {
                    (Place::Local(path), _) => paths.push(path),
                    (place, Some(dockerfile)) => {
                        let at = dockerfile.text.at.clone();
                        lost.push(Lost { at, reason: place.reason(name.text()) });
                    }
                    (_, None) => {}
                }
            }
        }
        paths
    }

    /// A context; the folder that Compose runs in is that of the project.
    fn context(&self, context: &Bound) -> Vec<Value> {
        let environment = &context.setting.environment;
        for variable in ["${PWD}", "$PWD"] {
            let rest = context.text.text().strip_prefix(variable);
            if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with('/'))
                && environment.get("PWD").is_none()
            {
                return template::evaluate(&format!(".{rest}"), environment, self.budget);
            }
        }
        context.evaluate(self.budget)
    }

    /// Every way in which a service is built.
    fn inputs(&self, service: &Merged, build: &MergedBuild) -> Vec<Inputs> {
        let first = |text: &Bound| text.evaluate(self.budget).into_iter().find(Value::is_known);
        let platforms: Vec<String> = match (build.platforms.is_empty(), &service.platform) {
            (true, Some(platform)) => first(platform).into_iter().collect::<Vec<_>>(),
            _ => build.platforms.iter().filter_map(first).collect(),
        }
        .into_iter()
        .map(|value| value.text().to_owned())
        .collect();
        let mut inputs = Inputs {
            arguments: Vec::new(),
            contexts: build.contexts.iter().flat_map(|entry| self.contexts(entry)).collect(),
            platforms,
            target: build.target.as_ref().and_then(first).map(|value| value.text().to_owned()),
        };
        let mut others: Vec<(usize, Argument)> = Vec::new();
        for entry in build.args.iter().filter(|(_, entry, _)| !entry.is_reset) {
            let mut members = self.arguments(entry).into_iter();
            inputs.arguments.extend(members.next());
            others.extend(members.map(|member| (inputs.arguments.len() - 1, member)));
        }
        let mut ways = vec![inputs];
        for (index, argument) in others.into_iter().take(MAX_WAYS - 1) {
            let mut way = ways[0].clone();
            if let Some(place) = way.arguments.get_mut(index) {
                *place = argument;
            }
            ways.push(way);
        }
        ways
    }

    /// What a build argument may be. A name alone is taken from the environment.
    fn arguments(&self, (name, entry, setting): &BoundEntry) -> Vec<Argument> {
        let environment = &setting.environment;
        let (at, values) = match &entry.value {
            Some(text) => (&text.at, template::evaluate(text.text(), environment, self.budget)),
            None => {
                let unset = || vec![template::unset(name)];
                (&entry.at, environment.get(name).map_or_else(unset, <[Value]>::to_vec))
            }
        };
        values.into_iter().map(|value| Argument::of(name, at, &value)).collect()
    }

    fn contexts(&self, (name, entry, setting): &BoundEntry) -> Vec<Context> {
        let Some(text) = &entry.value else { return Vec::new() };
        let mut contexts = Vec::new();
        for value in template::evaluate(text.text(), &setting.environment, self.budget) {
            // What another service runs is the image, unless that is built.
            let other =
                value.text().strip_prefix("service:").and_then(|name| self.project.services.get(name));
            let (source, at) = match other.map(|other| (&other.image, &other.build)) {
                Some((Some(image), None)) => {
                    let known = image.evaluate(self.budget).into_iter().find(Value::is_known);
                    let Some(known) = known else { continue };
                    let at = known.origin().unwrap_or(&image.text.at).clone();
                    (format!("{IMAGE_CONTEXT}{}", known.text()), at)
                }
                _ if value.is_known() => {
                    (value.text().to_owned(), value.origin().unwrap_or(&text.at).clone())
                }
                _ => continue,
            };
            contexts.push(Context { name: name.to_string(), source, at: Some(at) });
        }
        contexts
    }
}
