//! From `build` to what is built: which Dockerfile, and what it is given.

use std::collections::HashSet;
use std::rc::Rc;

use crate::formats::Build;
use crate::formats::dockerfile::Argument;
use crate::formats::dockerfile::Context;
use crate::formats::dockerfile::Inputs;
use crate::formats::value::Value;
use crate::image::Via;
use crate::source::Location;
use crate::source::RepoPath;

use super::environment::Environment;
use super::model::Entry;
use super::model::Merged;
use super::model::MergedBuild;
use super::model::Shared;
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
    /// Dockerfiles that stand in compose files, and how they are built.
    pub(super) inline: Vec<(Shared, Vec<Inputs>)>,
    pub(super) lost: Vec<Lost>,
    /// More builds than are told.
    pub(super) too_many: bool,
    seen: HashSet<(RepoPath, Inputs)>,
}

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
            match builds.inline.iter_mut().find(|(text, _)| text.at == inline.at) {
                Some((_, known)) => known.extend(inputs),
                None => builds.inline.push((Rc::clone(inline), inputs)),
            }
            return;
        }
        for path in self.dockerfiles(build, &mut builds.lost) {
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
            Some((text, folder)) => {
                for value in self.context(text) {
                    match path::place(&value, folder) {
                        Place::Local(path) => folders.push(path),
                        place => lost.push(Lost { at: text.at.clone(), reason: place.reason(value.text()) }),
                    }
                }
            }
        }
        let names = match &build.dockerfile {
            None => vec![Value::known("Dockerfile")],
            Some(text) => self.evaluate(text),
        };
        let mut paths = Vec::new();
        for folder in &folders {
            for name in &names {
                let place = path::place(name, folder.as_str());
                match (place, &build.dockerfile) {
                    (Place::Local(path), _) => paths.push(path),
                    (place, Some(text)) => {
                        lost.push(Lost { at: text.at.clone(), reason: place.reason(name.text()) });
                    }
                    (_, None) => {}
                }
            }
        }
        paths
    }

    /// A context; the folder that Compose runs in is that of the project.
    fn context(&self, text: &Shared) -> Vec<Value> {
        let written = text.text();
        for variable in ["${PWD}", "$PWD"] {
            let rest = written.strip_prefix(variable);
            if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with('/'))
                && self.project.environment.get("PWD").is_none()
            {
                return template::evaluate(&format!(".{rest}"), &self.project.environment, self.budget);
            }
        }
        self.evaluate(text)
    }

    /// Every way in which a service is built.
    fn inputs(&self, service: &Merged, build: &MergedBuild) -> Vec<Inputs> {
        let first = |text: &Shared| self.evaluate(text).into_iter().find(Value::is_known);
        let platforms: Vec<String> = match (build.platforms.is_empty(), &service.platform) {
            (true, Some(platform)) => first(platform).into_iter().collect::<Vec<_>>(),
            _ => build.platforms.iter().filter_map(first).collect(),
        }
        .into_iter()
        .map(|value| value.text().to_owned())
        .collect();
        let mut inputs = Inputs {
            arguments: Vec::new(),
            contexts: build.contexts.iter().flat_map(|(name, entry)| self.contexts(name, entry)).collect(),
            platforms,
            target: build.target.as_ref().and_then(first).map(|value| value.text().to_owned()),
        };
        let mut others: Vec<(usize, Argument)> = Vec::new();
        for (name, entry) in build.args.iter() {
            let mut members = self.arguments(name, entry).into_iter();
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
    fn arguments(&self, name: &str, entry: &Entry) -> Vec<Argument> {
        let environment: &Environment = &self.project.environment;
        let (at, values) = match &entry.value {
            Some(text) => (&text.at, self.evaluate(text)),
            None => {
                let unset = || vec![template::unset(name)];
                (&entry.at, environment.get(name).map_or_else(unset, <[Value]>::to_vec))
            }
        };
        values.into_iter().map(|value| argument(name, at, &value)).collect()
    }

    fn contexts(&self, name: &str, entry: &Entry) -> Vec<Context> {
        let Some(text) = &entry.value else { return Vec::new() };
        let mut contexts = Vec::new();
        for value in self.evaluate(text) {
            // What another service runs is the image, unless that is built.
            let other =
                value.text().strip_prefix("service:").and_then(|name| self.project.services.get(name));
            let (source, at) = match other.map(|other| (&other.image, &other.build)) {
                Some((Some(image), None)) => {
                    let Some(known) = self.evaluate(image).into_iter().find(Value::is_known) else {
                        continue;
                    };
                    (format!("{IMAGE_CONTEXT}{}", known.text()), known.origin().unwrap_or(&image.at).clone())
                }
                _ if value.is_known() => {
                    (value.text().to_owned(), value.origin().unwrap_or(&text.at).clone())
                }
                _ => continue,
            };
            contexts.push(Context { name: name.to_owned(), source, at: Some(at) });
        }
        contexts
    }

    fn evaluate(&self, text: &Shared) -> Vec<Value> {
        template::evaluate(text.text(), &self.project.environment, self.budget)
    }
}

/// A build argument that is a value, written at a place.
fn argument(name: &str, at: &Location, value: &Value) -> Argument {
    let what = format!("build argument `{name}`");
    let mut via = value.via().to_vec();
    via.push(Via { at: at.clone(), what });
    Argument {
        name: name.to_owned(),
        value: (value.is_known() || !value.text().is_empty()).then(|| value.text().to_owned()),
        hole: value.hole().map(|(at, reason)| (at, reason.to_owned())),
        at: Some(value.origin().unwrap_or(at).clone()),
        via,
    }
}
