//! The scripts of jobs: `before_script`, `script` and `after_script`, with the variables
//! that the job sees, handed to the shell's reader.
//!
//! The lines of the first two run in one shell, one after the other. A script that
//! several jobs get from one template is read for each, and told once.

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashSet;

use crate::formats::Build;
use crate::formats::Extracted;
use crate::formats::shell;
use crate::formats::shell::Foreign;
use crate::formats::shell::Script;
use crate::formats::uses::Finder;
use crate::formats::value::Value;
use crate::image::ImageUse;
use crate::source::Mapped;
use crate::source::Problem;
use crate::source::Span;

use super::FORMAT;
use super::images::Place;
use super::images::worlds;
use super::pipeline::Found;
use super::pipeline::Job;
use super::pipeline::Pipeline;
use super::variables;
use super::variables::Scope;
use super::variables::World;

/// How many bytes of scripts are read for one file: templates are read once for
/// each job that extends them.
pub(super) const MAX_BYTES: usize = 4 << 20;
/// How many ways to run one job a script is read for; beyond that its variables are
/// taken one by one.
const MAX_READINGS: usize = 16;

/// What the scripts of one or several pipelines use.
#[derive(Default)]
pub(super) struct Scripts {
    pub(super) found: BTreeMap<Place, ImageUse>,
    pub(super) builds: Vec<Build>,
    pub(super) problems: Vec<Problem>,
    /// How many bytes were read.
    pub(super) bytes: usize,
}

impl Scripts {
    /// Adds those of a pipeline.
    pub(super) fn add(&mut self, pipeline: &Pipeline<'_>, steps: &Cell<usize>) {
        let mut seen = HashSet::new();
        let mut reader = Reader { pipeline, steps, scripts: self, seen: &mut seen };
        for name in pipeline.jobs().filter(|name| !pipeline.text(*name).starts_with('.')) {
            let job = pipeline.job(name);
            let get = |key: &str| match pipeline.effective(&job.chain, key) {
                Some(found) => vec![found],
                None if pipeline.inherits(&job, key) => pipeline.defaults(key),
                None => Vec::new(),
            };
            let first: Vec<Found<'_>> = get("before_script").into_iter().chain(get("script")).collect();
            let local = RefCell::default();
            reader.script(&first, &job, &local, false);
            reader.script(&get("after_script"), &job, &local, false);
        }
        // What no job gets: templates, and what others replace.
        let keys = ["before_script", "script", "after_script"];
        for found in keys.iter().flat_map(|key| pipeline.defaults(key)) {
            reader.script(&[found], &Job::default(), &RefCell::default(), true);
        }
        for name in pipeline.jobs() {
            let local = RefCell::default();
            for found in keys.iter().flat_map(|key| pipeline.under(name, key)) {
                reader.script(&[found], &pipeline.job(name), &local, true);
            }
        }
    }
}

struct Reader<'r, 'p> {
    pipeline: &'r Pipeline<'p>,
    steps: &'r Cell<usize>,
    scripts: &'r mut Scripts,
    /// The lines that a job runs.
    seen: &'r mut HashSet<(usize, Span)>,
}

impl<'p> Reader<'_, 'p> {
    /// Reads a script that is put together from several lists; `rest` of it only what
    /// was not read yet.
    fn script(&mut self, lists: &[Found<'p>], job: &Job, local: &RefCell<BTreeSet<String>>, rest: bool) {
        let mut lines: Vec<Found<'p>> =
            lists.iter().flat_map(|found| self.pipeline.items(*found, self.steps)).collect();
        lines.retain(|line| line.node.text().is_some());
        if rest {
            lines.retain(|line| !self.seen.contains(&(line.part, line.node.span())));
        }
        self.seen.extend(lines.iter().map(|line| (line.part, line.node.span())));
        // A text has one file: where lines come from several, the shell forgets in between.
        for lines in lines.chunk_by(|a, b| a.part == b.part) {
            let Some(part) = lines.first().map(|line| line.part) else { continue };
            let file = &self.pipeline.loaded.parts[part].file;
            let mut text = Mapped::default();
            for line in lines {
                text.append(&line.node.mapped(file.text()).unwrap_or_default());
                text.push_made("\n", line.node.span());
            }
            if shell::may_hold_images(text.text()) {
                self.read(&text, part, job, local);
            }
        }
    }

    fn read(&mut self, text: &Mapped, part: usize, job: &Job, local: &RefCell<BTreeSet<String>>) {
        let mut all: Vec<World<'p>> = vec![World::new()];
        if variables::has_variable(text.text()) {
            all = worlds(self.pipeline, &job.chain);
        }
        // Of very many ways to run it each variable has all its values.
        let readings: Vec<&[World<'p>]> = match all.len() {
            0..=MAX_READINGS => all.chunks(1).collect(),
            _ => vec![&all],
        };
        for worlds in readings {
            self.scripts.bytes += text.text().len();
            if self.scripts.bytes > MAX_BYTES {
                return;
            }
            let scopes: Vec<Scope<'_, 'p>> = worlds
                .iter()
                .map(|world| Scope { pipeline: self.pipeline, chain: &job.chain, world, steps: self.steps })
                .collect();
            let every = |values: &dyn Fn(&Scope<'_, 'p>) -> Vec<Value>| {
                let mut members = Vec::new();
                for value in scopes.iter().flat_map(values) {
                    if !members.contains(&value) {
                        members.push(value);
                    }
                }
                members
            };
            let environment = |name: &str| {
                let is_set = scopes.iter().any(|scope| scope.is_set(name));
                is_set.then(|| every(&|scope| scope.variable(name)))
            };
            let foreign: Vec<Foreign> = variables::inputs(text.text())
                .into_iter()
                .map(|range| Foreign {
                    values: every(&|scope| scope.expand(&text.text()[range.clone()], part)),
                    range,
                })
                .collect();
            let finder = Finder { file: &self.pipeline.loaded.parts[part].file, format: FORMAT };
            let script =
                Script { finder, text, foreign: &foreign, environment: &environment, folders: &[""], local };
            let mut one = Extracted::default();
            shell::read(&script, &mut one);
            self.take(one);
        }
    }

    fn take(&mut self, one: Extracted) {
        for usage in one.uses {
            let place = (usage.span, usage.role, usage.file.clone());
            match self.scripts.found.get_mut(&place) {
                Some(known) => known.join(usage),
                None => drop(self.scripts.found.insert(place, usage)),
            }
        }
        for problem in one.problems {
            if !self.scripts.problems.contains(&problem) {
                self.scripts.problems.push(problem);
            }
        }
        for build in one.builds {
            if !self.scripts.builds.contains(&build) {
                self.scripts.builds.push(build);
            }
        }
    }
}
