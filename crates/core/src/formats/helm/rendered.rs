//! What a chart makes of its values files: each of them is laid over `values.yaml`, and
//! the templates are executed with the result. This is done once for a chart, and every
//! file of it takes from that what stands in it.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;

use crate::formats::Files;
use crate::source::Location;
use crate::source::Problem;
use crate::source::ProblemCode;
use crate::source::RepoPath;
use crate::source::Span;
use crate::source::Tree;

use super::chart::Chart;
use super::chart::Loader;
use super::data::Data;
use super::lines::Found;
use super::run::Run;
use super::values;
use super::values::Candidate;
use super::values::Surroundings;

/// How many pieces of templates are executed with one values file.
const MAX_STEPS: usize = 100_000;
/// How many are executed with all values files of a chart.
const MAX_STEPS_IN_ALL: usize = 1_000_000;

/// A chart, rendered with each of its values files.
#[derive(Debug, Default)]
pub(in crate::formats) struct Rendered {
    /// What the values files hold, by their paths.
    values: HashMap<RepoPath, Set>,
    /// The images that templates name themselves, by the files that they stand in.
    named: HashMap<RepoPath, Vec<Found>>,
    /// What of the chart is not read, or not executed to its end.
    pub(super) problems: Vec<Problem>,
}

/// What is made of one values file.
#[derive(Debug, Default)]
pub(super) struct Set {
    /// The images of which some part stands in the file.
    pub(super) candidates: Vec<Candidate>,
    /// The images that the templates name.
    pub(super) found: Vec<Found>,
    /// Whether the file holds more values than are read.
    pub(super) is_cut: bool,
    /// Whether some template was not executed to its end.
    pub(super) is_stopped: bool,
}

impl Rendered {
    /// Renders the chart in a folder; `None` when something of it is not there yet.
    pub(super) fn new(root: &str, files: &mut Files<'_>, tree: &Tree) -> Option<Rendered> {
        let mut loader = Loader::new(root, files, tree);
        let chart = loader.chart()?;
        let mut rendering = Rendering {
            chart: &chart,
            surroundings: chart.surroundings(),
            steps_left: MAX_STEPS_IN_ALL,
            unfinished: BTreeSet::new(),
            rendered: Rendered::default(),
        };
        let base = RepoPath::new(&format!("{root}/values.yaml"));
        let is_open = rendering.values(base, &chart.completed(&chart.values), &HashSet::new());
        for path in loader.environments() {
            let values = chart.completed(&chart.values.overlaid(&loader.values(&path)));
            rendering.values(path, &values, &is_open);
        }
        let Rendering { mut rendered, unfinished, .. } = rendering;
        for path in &loader.cut {
            if let Some(set) = rendered.values.get_mut(path) {
                set.is_cut = true;
            }
        }
        rendered.problems = loader.into_problems();
        rendered
            .problems
            .extend(unfinished.into_iter().map(|file| too_long(Location { file, span: Span::default() })));
        Some(rendered)
    }

    /// What is made of a values file; `None` when the chart is not rendered with it.
    pub(super) fn of_values(&self, path: &RepoPath) -> Option<&Set> {
        self.values.get(path)
    }

    /// The images that a template names itself.
    pub(super) fn of_template(&self, path: &RepoPath) -> &[Found] {
        self.named.get(path).map_or(&[], Vec::as_slice)
    }
}

/// What it means that a template was not executed to its end.
pub(super) fn too_long(at: Location) -> Problem {
    let message = "the templates of this chart call each other more, or take longer, than is followed; what they make of values is not known";
    Problem { at, code: ProblemCode::Limit, message: message.to_owned() }
}

struct Rendering<'c> {
    chart: &'c Chart,
    surroundings: Surroundings,
    steps_left: usize,
    /// The templates that were not executed to their ends.
    unfinished: BTreeSet<RepoPath>,
    rendered: Rendered,
}

impl Rendering<'_> {
    /// Renders the chart with the values of one file. What templates name themselves is
    /// taken from those in `open` only, or from all for the first file; those are
    /// returned in which something depends on values.
    fn values(&mut self, path: RepoPath, values: &Data, open: &HashSet<RepoPath>) -> HashSet<RepoPath> {
        let is_first = self.rendered.values.is_empty();
        let mut candidates = values::candidates(values, &self.surroundings);
        let owned: HashSet<Location> =
            candidates.iter().flat_map(|candidate| &candidate.places).cloned().collect();
        candidates.retain(|candidate| candidate.parts.iter().any(|part| part.file == path));
        let is_needed = !candidates.is_empty() || !open.is_empty() || is_first && self.chart.names_images();
        if !is_needed {
            self.rendered.values.insert(path, Set::default());
            return HashSet::new();
        }
        let library = self.chart.library();
        let steps = self.steps_left.min(MAX_STEPS);
        let mut run = Run::new(&library, steps);
        self.chart.execute(values, &mut run);
        let executed = run.found();
        self.chart.look_into_defines(values, &mut run);
        let (mut found, left, unfinished) = run.finish();
        self.steps_left -= steps - left;
        let mut depending = HashSet::new();
        for one in &found {
            let is_own = !one.is_word && (is_first || open.contains(&one.at.file));
            if is_own && !one.value.via().iter().any(|via| owned.contains(&via.at)) {
                if !one.value.via().is_empty() || !one.value.is_known() {
                    depending.insert(one.at.file.clone());
                }
                self.rendered.named.entry(one.at.file.clone()).or_default().push(one.clone());
            }
        }
        found.truncate(executed);
        if candidates.is_empty() {
            found.clear();
        }
        let is_stopped = !unfinished.is_empty();
        self.unfinished.extend(unfinished);
        self.rendered.values.insert(path, Set { candidates, found, is_cut: false, is_stopped });
        depending
    }
}
