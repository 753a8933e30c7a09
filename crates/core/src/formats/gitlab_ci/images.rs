//! The images of a pipeline's jobs: `image` and `services`, each at the place where
//! it stands, with the values that it has in every job that gets it from there.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::collections::HashSet;

use crate::formats::value::MAX_MEMBERS;
use crate::formats::value::Value;
use crate::image::Role;
use crate::source::RepoPath;
use crate::source::Span;
use crate::yaml::Mapping;
use crate::yaml::Node;

use super::pipeline::Found;
use super::pipeline::Job;
use super::pipeline::Name;
use super::pipeline::Pipeline;
use super::pipeline::is_reference;
use super::variables;
use super::variables::Scope;
use super::variables::World;

/// How many ways to run one job are told apart; GitLab runs at most 200 of one matrix.
const MAX_WORLDS: usize = 256;

/// Where an image stands, and what for.
pub(super) type Place = (Span, Role, RepoPath);

/// The images of one or several pipelines.
#[derive(Default)]
pub(super) struct Images {
    pub(super) found: BTreeMap<Place, Vec<Value>>,
}

impl Images {
    /// Adds those of a pipeline.
    pub(super) fn add(&mut self, pipeline: &Pipeline<'_>, steps: &Cell<usize>) {
        let mut seen = HashSet::new();
        let mut reader = Reader { pipeline, steps, images: self, seen: &mut seen };
        let (hidden, jobs): (Vec<Name>, Vec<Name>) =
            pipeline.jobs().partition(|name| pipeline.text(*name).starts_with('.'));
        for name in &jobs {
            reader.job(&pipeline.job(*name));
        }
        let nobody = Job::default();
        for (key, role) in [("image", Role::CiJob), ("services", Role::Service)] {
            for found in pipeline.defaults(key) {
                reader.unless_seen(found, role, &nobody);
            }
        }
        // What no job gets: templates, and what others replace.
        for name in jobs.iter().chain(&hidden) {
            for (key, role) in [("image", Role::CiJob), ("services", Role::Service)] {
                for found in pipeline.under(*name, key) {
                    reader.unless_seen(found, role, &pipeline.job(*name));
                }
            }
        }
    }
}

struct Reader<'r, 'p> {
    pipeline: &'r Pipeline<'p>,
    steps: &'r Cell<usize>,
    images: &'r mut Images,
    /// The places that a job of this pipeline gets an image from, each by its part.
    seen: &'r mut HashSet<(usize, Span, Role)>,
}

impl<'p> Reader<'_, 'p> {
    fn job(&mut self, job: &Job) {
        for (key, role) in [("image", Role::CiJob), ("services", Role::Service)] {
            match self.pipeline.effective(&job.chain, key) {
                Some(found) => self.take(found, role, job),
                None if self.pipeline.inherits(job, key) => {
                    for found in self.pipeline.defaults(key) {
                        self.take(found, role, job);
                    }
                }
                None => {}
            }
        }
    }

    /// Adds what stands at a place, unless a job gets it from there.
    fn unless_seen(&mut self, found: Found<'p>, role: Role, job: &Job) {
        for text in self.texts(found, role) {
            if !self.seen.contains(&(text.part, text.node.content_span(), role)) {
                self.evaluate(text, role, job);
            }
        }
    }

    fn take(&mut self, found: Found<'p>, role: Role, job: &Job) {
        for text in self.texts(found, role) {
            self.evaluate(text, role, job);
        }
    }

    /// The scalars that name images: the text or `name` of an image, of each service.
    fn texts(&self, found: Found<'p>, role: Role) -> Vec<Found<'p>> {
        let found = self.pipeline.resolved(found);
        let mut texts = Vec::new();
        if role == Role::CiJob {
            self.name(found, &mut texts);
            return texts;
        }
        for item in self.pipeline.items(found, self.steps) {
            self.name(item, &mut texts);
        }
        texts
    }

    fn name(&self, found: Found<'p>, texts: &mut Vec<Found<'p>>) {
        let node = match found.node.map() {
            Some(mapping) => mapping.find("name"),
            None => Some(found.node),
        };
        let Some(node) = node else { return };
        let found = self.pipeline.resolved(Found { part: found.part, node });
        let is_text = found.node.text().is_some() && !found.node.is_null();
        if is_text || is_reference(found.node) {
            texts.push(found);
        }
    }

    /// Adds every value that a text has in a job.
    fn evaluate(&mut self, found: Found<'p>, role: Role, job: &Job) {
        let text = found.node.text().unwrap_or("");
        let span = found.node.content_span();
        self.seen.insert((found.part, span, role));
        let path = self.pipeline.loaded.parts[found.part].file.path();
        let members = self.images.found.entry((span, role, path.clone())).or_default();
        if is_reference(found.node) {
            let reason = "what is referred to is not in these files";
            if members.is_empty() {
                members.push(Value::unknown(reason));
            }
            return;
        }
        if !variables::has_variable(text) {
            if members.is_empty() {
                members.push(Value::known(text));
            }
            return;
        }
        let worlds = worlds(self.pipeline, &job.chain);
        for world in &worlds {
            let scope = Scope { pipeline: self.pipeline, chain: &job.chain, world, steps: self.steps };
            for value in scope.expand(text, found.part) {
                if members.len() > MAX_MEMBERS || members.contains(&value) {
                    continue;
                }
                members.push(match members.len() {
                    MAX_MEMBERS => {
                        Value::unknown(format!("more than {MAX_MEMBERS} values are not told apart"))
                    }
                    _ => value,
                });
            }
        }
    }
}

/// The ways in which a job runs: each combination of `parallel: matrix`, and what
/// `rules` of the job and of the workflow set.
pub(super) fn worlds<'p>(pipeline: &Pipeline<'p>, chain: &[Name]) -> Vec<World<'p>> {
    let mut worlds: Vec<World<'p>> = Vec::new();
    let of_workflow = pipeline
        .at_top("workflow")
        .rev()
        .find_map(|found| Some(Found { part: found.part, node: found.node.at(&["rules"])? }));
    let of_job = pipeline.effective(chain, "rules");
    let (workflow, job) = (rules(pipeline, of_workflow), rules(pipeline, of_job));
    let matrix = matrix(pipeline, pipeline.effective(chain, "parallel"));
    for first in &workflow {
        for second in &job {
            for third in &matrix {
                if worlds.len() < MAX_WORLDS {
                    worlds.push(first.iter().chain(second).chain(third).copied().collect());
                }
            }
        }
    }
    worlds
}

/// Nothing, and the variables of each rule that sets some.
fn rules<'p>(pipeline: &Pipeline<'p>, rules: Option<Found<'p>>) -> Vec<World<'p>> {
    let mut worlds = vec![World::new()];
    let Some(rules) = rules.map(|rules| pipeline.resolved(rules)) else { return worlds };
    for rule in rules.node.list().take(MAX_WORLDS) {
        let rule = pipeline.resolved(Found { part: rules.part, node: rule });
        let inner = if rule.node.map().is_some() { vec![rule.node] } else { rule.node.list().collect() };
        for node in inner.into_iter().take(MAX_WORLDS) {
            let Some(variables) = node.at(&["variables"]) else { continue };
            worlds.push(pipeline.entries(Found { part: rule.part, node: variables }));
        }
    }
    worlds
}

/// The combinations of `parallel: matrix`; one without variables where there is none.
fn matrix<'p>(pipeline: &Pipeline<'p>, parallel: Option<Found<'p>>) -> Vec<World<'p>> {
    let mut combinations = Vec::new();
    let parallel = parallel.map(|parallel| pipeline.resolved(parallel));
    let matrix = parallel.and_then(|found| {
        Some(pipeline.resolved(Found { part: found.part, node: found.node.at(&["matrix"])? }))
    });
    let Some(matrix) = matrix else { return vec![World::new()] };
    for entry in matrix.node.list().take(MAX_WORLDS) {
        let entry = pipeline.resolved(Found { part: matrix.part, node: entry });
        let mut made: Vec<World<'p>> = vec![World::new()];
        for (name, values) in entry.node.map().map(Mapping::merged).unwrap_or_default() {
            let Some(name) = name.text() else { continue };
            let values = pipeline.resolved(Found { part: entry.part, node: values });
            let items: Vec<Node<'p>> = match values.node.text() {
                Some(_) => vec![values.node],
                None => values.node.list().take(MAX_WORLDS).collect(),
            };
            let mut next = Vec::new();
            for combination in &made {
                for node in &items {
                    if next.len() < MAX_WORLDS {
                        let mut longer = combination.clone();
                        longer.push((name, Found { part: values.part, node: *node }));
                        next.push(longer);
                    }
                }
            }
            made = next;
        }
        combinations.extend(made);
        combinations.truncate(MAX_WORLDS);
    }
    combinations
}
