//! What the contexts of a file's expressions hold, and every value that a text of
//! the file may have.
//!
//! A job runs once for each combination of its matrix, a reusable workflow or a
//! composite action once for each caller. What belongs together is evaluated
//! together: `${{ matrix.image }}:${{ matrix.tag }}` never mixes two combinations.
//! What only a run knows (`vars`, `secrets`, outputs of steps) is not known, and says so.

use std::cell::Cell;
use std::cell::OnceCell;
use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use crate::formats::Files;
use crate::formats::value::MAX_MEMBERS;
use crate::formats::value::Value;
use crate::source::Content;
use crate::source::Location;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::source::Tree;
use crate::yaml::Mapping;
use crate::yaml::Node;
use crate::yaml::Visits;
use crate::yaml::Yaml;

use super::callers;
use super::document::Document;
use super::document::Job;
use super::evaluate;
use super::evaluate::Contexts;
use super::expression;
use super::expression::Key;
use super::expression::Piece;
use super::item::Item;
use super::item::Template;
use super::matrix;
use super::matrix::Combination;

/// How much evaluation one file may cost, in steps.
const MAX_STEPS: usize = 200_000;
/// How many values of a matrix or an environment are looked at.
const MAX_VALUES: usize = 20_000;
/// How often a variable may refer to another.
const MAX_LEVEL: usize = 16;

/// What the evaluation of a file and of its callers shares.
pub(super) struct Library<'m, 'a> {
    files: RefCell<&'m mut Files<'a>>,
    steps: Cell<usize>,
    pieces: RefCell<HashMap<String, Rc<[Piece]>>>,
    /// What the last evaluation looked at.
    asked_inputs: Cell<bool>,
    asked_matrix: Cell<bool>,
}

impl<'m, 'a> Library<'m, 'a> {
    pub(super) fn new(files: &'m mut Files<'a>) -> Library<'m, 'a> {
        Library {
            files: RefCell::new(files),
            steps: Cell::new(MAX_STEPS),
            pieces: RefCell::default(),
            asked_inputs: Cell::new(false),
            asked_matrix: Cell::new(false),
        }
    }
}

/// The library without its lifetimes.
pub(super) trait Shelf {
    fn tree(&self) -> Option<&Tree>;
    fn text(&self, path: &RepoPath) -> Option<Arc<str>>;
    fn yaml(&self, file: &SourceFile) -> Arc<Yaml>;
    fn pieces(&self, text: &str) -> Rc<[Piece]>;
    fn spend(&self, steps: usize) -> bool;
    fn is_exhausted(&self) -> bool;
    /// Notes that the inputs, or the matrix, were asked for.
    fn note(&self, inputs: bool, matrix: bool);
    /// What was asked for since the last call.
    fn asked(&self) -> (bool, bool);
}

impl Shelf for Library<'_, '_> {
    fn tree(&self) -> Option<&Tree> {
        self.files.borrow_mut().tree()
    }

    fn text(&self, path: &RepoPath) -> Option<Arc<str>> {
        match self.files.borrow_mut().get(path)? {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    fn yaml(&self, file: &SourceFile) -> Arc<Yaml> {
        self.files.borrow_mut().yaml(file)
    }

    fn pieces(&self, text: &str) -> Rc<[Piece]> {
        if let Some(pieces) = self.pieces.borrow().get(text) {
            return Rc::clone(pieces);
        }
        let pieces: Rc<[Piece]> = expression::pieces(text).into();
        self.pieces.borrow_mut().insert(text.to_owned(), Rc::clone(&pieces));
        pieces
    }

    fn spend(&self, steps: usize) -> bool {
        let left = self.steps.get();
        self.steps.set(left.saturating_sub(steps));
        left >= steps
    }

    fn is_exhausted(&self) -> bool {
        self.steps.get() == 0
    }

    fn note(&self, inputs: bool, matrix: bool) {
        self.asked_inputs.set(self.asked_inputs.get() || inputs);
        self.asked_matrix.set(self.asked_matrix.get() || matrix);
    }

    fn asked(&self) -> (bool, bool) {
        (self.asked_inputs.replace(false), self.asked_matrix.replace(false))
    }
}

/// One way in which a file is started: by an event, or by a caller.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct World {
    /// The members of each input.
    pub(super) inputs: Vec<(String, Vec<Item>)>,
    /// Why an input that is not listed is not known; it is null otherwise.
    pub(super) unknown: Option<String>,
}

/// A document of a file, ready to be evaluated.
pub(super) struct Engine<'e> {
    pub(super) file: &'e SourceFile,
    pub(super) document: Document<'e>,
    pub(super) shelf: &'e dyn Shelf,
    /// How many calls lie between this file and the one that is extracted.
    pub(super) depth: usize,
    worlds: OnceCell<Rc<[World]>>,
}

/// Where a text stands: its job, and the `env` that it sees, nearest first.
#[derive(Clone, Copy, Default)]
pub(super) struct At<'p, 'e> {
    pub(super) job: Option<&'p Job<'e>>,
    pub(super) env: &'p [Mapping<'e>],
}

/// The members of each of several texts that are evaluated together.
pub(super) type Case = Vec<Vec<Item>>;

impl<'e> Engine<'e> {
    pub(super) fn new(
        file: &'e SourceFile,
        root: Node<'e>,
        shelf: &'e dyn Shelf,
        depth: usize,
    ) -> Engine<'e> {
        Engine { file, document: Document::new(root), shelf, depth, worlds: OnceCell::new() }
    }

    /// What a node of the file says; what lies in it is counted.
    fn item(&self, node: Node<'e>, what: &str) -> Item {
        if self.shelf.is_exhausted() {
            return Item::unknown(evaluate::TOO_MANY);
        }
        let mut visits = Visits::new(MAX_VALUES);
        let item = Item::from_node(node, self.file, what, &mut visits);
        self.shelf.spend(MAX_VALUES - visits.left());
        item
    }

    /// Every value of a node: of its text where that holds expressions.
    pub(super) fn items(&self, node: Node<'e>, at: At<'_, 'e>) -> Vec<Item> {
        let mut members = Vec::new();
        let item = self.item(node, "");
        let template = match item {
            Item::Template(template) => template,
            // It stands where it is used.
            Item::Scalar(kind, value) => return vec![Item::Scalar(kind, Value::known(value.text()))],
            item => return vec![item],
        };
        for case in self.cases(&[&template.text], at) {
            add_all(&mut members, case.into_iter().flatten());
        }
        members
    }

    /// Every value of several texts, one case for each way in which they are evaluated.
    pub(super) fn cases(&self, texts: &[&str], at: At<'_, 'e>) -> Vec<Case> {
        let one = |world: Option<(usize, &World)>, combination: Option<&Combination>| -> Case {
            let scope = Scope { engine: self, at, world, combination, level: 0 };
            texts.iter().map(|text| scope.text(text)).collect()
        };
        self.shelf.asked();
        let probe = one(None, None);
        let (asks_inputs, asks_matrix) = self.shelf.asked();
        if !asks_inputs && !asks_matrix {
            return vec![probe];
        }
        let worlds = self.worlds_if(asks_inputs || self.matrix_asks(at.job));
        let mut cases = Vec::new();
        let mut seen = HashSet::new();
        for (id, world) in worlds.iter().enumerate() {
            let world = Some((id, world));
            let combinations = match at.job {
                Some(job) if asks_matrix => self.combinations(job, world),
                _ => Rc::from([Combination::default()]),
            };
            for combination in combinations.iter() {
                let case = one(world, Some(combination));
                if seen.insert(case.clone()) {
                    cases.push(case);
                }
                if self.shelf.is_exhausted() {
                    return cases;
                }
            }
        }
        cases
    }

    /// The ways in which the file is started; only one where that plays no part.
    fn worlds_if(&self, needed: bool) -> Rc<[World]> {
        if !needed {
            return Rc::from([World { inputs: Vec::new(), unknown: None }]);
        }
        Rc::clone(self.worlds.get_or_init(|| callers::worlds(self).into()))
    }

    /// Whether a job's matrix may hold what a caller gives.
    fn matrix_asks(&self, job: Option<&Job<'e>>) -> bool {
        job.is_some_and(|job| *job.matrix_asks.get_or_init(|| Self::asks(job)))
    }

    fn asks(job: &Job<'e>) -> bool {
        let Some(matrix) = job.mapping.find("strategy") else { return false };
        let mut waiting = vec![matrix];
        let mut visits = Visits::new(MAX_VALUES);
        while let Some(node) = waiting.pop() {
            if !visits.step() {
                return true;
            }
            match (node.text(), node.map()) {
                (Some(text), _) if expression::has_expression(text) => return true,
                (_, Some(mapping)) => waiting.extend(mapping.merged().into_iter().map(|(_, value)| value)),
                _ => waiting.extend(node.list()),
            }
        }
        false
    }

    fn combinations(&self, job: &Job<'e>, world: Option<(usize, &World)>) -> Rc<[Combination]> {
        let id = world.map_or(usize::MAX, |(id, _)| id);
        if let Some((_, made)) = job.combinations.borrow().iter().find(|(known, _)| *known == id) {
            return Rc::clone(made);
        }
        let matrix = job.mapping.find("strategy").and_then(|strategy| strategy.at(&["matrix"]));
        let made: Rc<[Combination]> = match matrix {
            None => Rc::from([Combination::default()]),
            Some(matrix) => {
                let matrix = self.item(matrix, "the matrix");
                let env = self.document.env_of(job);
                let at = At { job: None, env: &env };
                let scope = Scope { engine: self, at, world, combination: None, level: 1 };
                matrix::combinations(matrix, &scope).into()
            }
        };
        job.combinations.borrow_mut().push((id, Rc::clone(&made)));
        made
    }
}

/// Adds members that are not there yet, up to the limit.
pub(super) fn add_all(members: &mut Vec<Item>, items: impl IntoIterator<Item = Item>) {
    for item in items {
        if members.contains(&item) {
            continue;
        }
        if members.len() > MAX_MEMBERS {
            break;
        }
        members.push(match members.len() {
            MAX_MEMBERS => Item::unknown(format!("more than {MAX_MEMBERS} values are not told apart")),
            _ => item,
        });
    }
}

/// One way to evaluate a text. Without a world or a combination it finds out what
/// the text asks for: whatever those hold is not known.
struct Scope<'s, 'e> {
    engine: &'s Engine<'e>,
    at: At<'s, 'e>,
    world: Option<(usize, &'s World)>,
    combination: Option<&'s Combination>,
    level: usize,
}

impl Scope<'_, '_> {
    fn text(&self, text: &str) -> Vec<Item> {
        match expression::has_expression(text) {
            true => evaluate::text(&self.engine.shelf.pieces(text), self),
            false => vec![Item::text(text)],
        }
    }

    fn matrix(&self, keys: &[Key]) -> (Vec<Item>, usize) {
        let Some(combination) = self.combination else {
            self.engine.shelf.note(false, true);
            return (vec![Item::unknown("`matrix` is not known here")], 0);
        };
        match keys.first() {
            Some(Key::Name(key)) => (self.settled(combination.get(key)), 1),
            _ => (vec![combination.whole()], 0),
        }
    }

    fn inputs(&self, keys: &[Key], skipped: usize) -> (Vec<Item>, usize) {
        let Some((_, world)) = self.world else {
            self.engine.shelf.note(true, false);
            return (vec![Item::unknown("`inputs` is not known here")], 0);
        };
        let Some(Key::Name(key)) = keys.get(skipped) else {
            return (vec![Item::unknown("all inputs at once are not followed")], keys.len());
        };
        let listed = world.inputs.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
        let items = match (listed, &world.unknown) {
            (Some((_, items)), _) => items.clone(),
            (None, Some(reason)) => vec![Item::unknown(reason.as_str())],
            (None, None) => vec![Item::null()],
        };
        (items, skipped + 1)
    }

    fn env(&self, keys: &[Key]) -> (Vec<Item>, usize) {
        let Some(Key::Name(key)) = keys.first() else {
            return (vec![Item::unknown("all of `env` at once is not followed")], keys.len());
        };
        let layers = self.at.env.iter().enumerate();
        let found = layers.filter_map(|(layer, env)| Some((layer, env.find(key)?))).next();
        let Some((layer, node)) = found else {
            return (vec![Item::unknown(format!("`env.{key}` is not set in this file"))], 1);
        };
        let what = format!("`env.{key}`");
        let item = self.engine.item(node, &what);
        // A variable sees those of the levels above its own.
        let env = self.at.env.get(layer + 1..).unwrap_or_default();
        let outer = Scope { at: At { env, ..self.at }, level: self.level + 1, ..*self };
        (outer.settled(item), 1)
    }

    /// `needs.job.outputs.name`: what the job says that it gives.
    fn needs(&self, keys: &[Key]) -> (Vec<Item>, usize) {
        if let [Key::Name(id), Key::Name(outputs), Key::Name(name), ..] = keys
            && outputs.eq_ignore_ascii_case("outputs")
            && let Some(job) = self.engine.document.job(id)
            && let Some(output) = job.mapping.find("outputs").and_then(|outputs| outputs.at(&[name.as_str()]))
        {
            let what = format!("the output `{name}` of the job `{id}`");
            let item = self.engine.item(output, &what);
            let env = self.engine.document.env_of(job);
            let at = At { job: Some(job), env: &env };
            let combinations = match self.world {
                Some(_) if self.level < MAX_LEVEL => self.engine.combinations(job, self.world),
                _ => Rc::from([Combination::default()]),
            };
            let mut members = Vec::new();
            for combination in combinations.iter() {
                let scope = Scope {
                    engine: self.engine,
                    at,
                    world: self.world,
                    combination: Some(combination),
                    level: self.level + 1,
                };
                add_all(&mut members, scope.settled(item.clone()));
            }
            return (members, 3);
        }
        (
            vec![Item::unknown(format!("`{}` is known only when the workflow runs", written("needs", keys)))],
            keys.len(),
        )
    }

    fn github(&self, keys: &[Key]) -> (Vec<Item>, usize) {
        let name = |at: usize| match keys.get(at) {
            Some(Key::Name(name)) => name.as_str(),
            _ => "",
        };
        match (name(0), name(1)) {
            ("event", "inputs") => return self.inputs(keys, 2),
            // Paths are relative to the workspace.
            ("workspace", _) => return (vec![Item::text(".")], 1),
            ("action_path", _) => {
                let folder = self.engine.file.path().folder();
                return (vec![Item::text(if folder.is_empty() { "." } else { folder })], 1);
            }
            _ => {}
        }
        (
            vec![Item::unknown(format!(
                "`{}` is known only when the workflow runs",
                written("github", keys)
            ))],
            keys.len(),
        )
    }

    /// The members of an item, its expressions evaluated.
    fn settled(&self, item: Item) -> Vec<Item> {
        match item {
            Item::Template(template) => self.expand(&template),
            item => vec![item],
        }
    }
}

impl Contexts for Scope<'_, '_> {
    fn lookup(&self, context: &str, keys: &[Key]) -> (Vec<Item>, usize) {
        let unknown =
            |why: &str| (vec![Item::unknown(format!("`{}` {why}", written(context, keys)))], keys.len());
        match context {
            "matrix" => self.matrix(keys),
            "inputs" => self.inputs(keys, 0),
            "env" => self.env(keys),
            "needs" => self.needs(keys),
            "github" => self.github(keys),
            "vars" => unknown("is a setting of the repository or its organisation"),
            "secrets" => unknown("is a secret"),
            "steps" => unknown("is what a step gives, known only when the workflow runs"),
            "jobs" | "runner" | "strategy" | "job" => unknown("is known only when the workflow runs"),
            _ => unknown("is no context that GitHub has"),
        }
    }

    fn expand(&self, template: &Template) -> Vec<Item> {
        if self.level >= MAX_LEVEL {
            return vec![Item::unknown(format!("{} leads through too many others", template.what))];
        }
        let inner = Scope { level: self.level + 1, ..*self };
        inner
            .text(&template.text)
            .into_iter()
            .map(|item| placed(item, &template.at, &template.what))
            .collect()
    }

    fn spend(&self, steps: usize) -> bool {
        self.engine.shelf.spend(steps)
    }
}

/// An item that was taken from a place.
pub(super) fn placed(item: Item, at: &Location, what: &str) -> Item {
    match item {
        Item::Scalar(kind, value) => Item::Scalar(kind, value.placed(at.clone(), what)),
        other => other,
    }
}

/// A context and its keys as people write them.
fn written(context: &str, keys: &[Key]) -> String {
    let mut text = context.to_owned();
    for key in keys {
        match key {
            Key::Name(name) => {
                text.push('.');
                text.push_str(name);
            }
            Key::Computed(_) => text.push_str("[…]"),
            Key::Every => text.push_str(".*"),
        }
    }
    text
}
