//! A pipeline as its jobs: what each inherits by `extends`, what `!reference` leads to,
//! and the variables that it sees.
//!
//! <https://docs.gitlab.com/ci/yaml/#extends>, <https://docs.gitlab.com/ci/yaml/yaml_optimization/>,
//! <https://docs.gitlab.com/ci/variables/>.

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::rc::Rc;

use crate::formats::value::Value;
use crate::yaml::Mapping;
use crate::yaml::Node;

use super::load::Loaded;

/// Keys at the top of a file that are no jobs.
const KEYWORDS: &[&str] = &[
    "default",
    "include",
    "stages",
    "variables",
    "workflow",
    "image",
    "services",
    "cache",
    "before_script",
    "after_script",
    "spec",
    "types",
];
/// How many levels of `extends` are followed; GitLab follows eleven.
const MAX_LEVELS: usize = 11;
/// How many templates one job may extend.
const MAX_CHAIN: usize = 100;
/// How many items a list may have.
const MAX_ITEMS: usize = 10_000;
/// How often a `!reference` may lead to another; GitLab follows ten.
const MAX_REFERENCES: usize = 10;

/// A node, and the file that it stands in.
#[derive(Clone, Copy)]
pub(super) struct Found<'p> {
    pub(super) part: usize,
    pub(super) node: Node<'p>,
}

/// A job as it is put together.
pub(super) struct Job<'p> {
    /// What it is put together from, templates first, the job itself last.
    pub(super) chain: Rc<[&'p str]>,
}

impl Default for Job<'_> {
    fn default() -> Self {
        Job { chain: Rc::from([]) }
    }
}

/// A pipeline, ready to be asked.
pub(super) struct Pipeline<'p> {
    pub(super) loaded: &'p Loaded,
    /// Every definition of every name, in the order in which they are put on top of each other.
    names: HashMap<&'p str, Vec<Found<'p>>>,
    /// The names in the order of their first definition.
    order: Vec<&'p str>,
    /// What each name is put together from, as far as it was asked.
    chains: RefCell<HashMap<&'p str, Rc<[&'p str]>>>,
    /// Global variables, by name.
    globals: HashMap<&'p str, Vec<Found<'p>>>,
    /// What the job that started the pipeline passes on.
    pub(super) passed: &'p [(String, Vec<Value>)],
}

impl<'p> Pipeline<'p> {
    pub(super) fn new(loaded: &'p Loaded, passed: &'p [(String, Vec<Value>)]) -> Pipeline<'p> {
        let mut pipeline = Pipeline {
            loaded,
            names: HashMap::new(),
            order: Vec::new(),
            chains: RefCell::default(),
            globals: HashMap::new(),
            passed,
        };
        for (part, file) in loaded.parts.iter().enumerate() {
            for (name, node) in file.roots().filter_map(Node::map).flat_map(Mapping::merged) {
                let Some(name) = name.text() else { continue };
                let known = pipeline.names.entry(name).or_default();
                if known.is_empty() {
                    pipeline.order.push(name);
                }
                known.push(Found { part, node });
            }
        }
        for found in pipeline.definitions("variables").to_vec() {
            let conditional = loaded.parts[found.part].conditional;
            for (name, value) in pipeline.entries(found) {
                let known = pipeline.globals.entry(name).or_default();
                if !conditional {
                    known.clear();
                }
                known.push(value);
            }
        }
        pipeline
    }

    /// Every definition of a name.
    pub(super) fn definitions(&self, name: &str) -> &[Found<'p>] {
        self.names.get(name).map_or(&[], Vec::as_slice)
    }

    /// The names of jobs and of hidden templates.
    pub(super) fn jobs(&self) -> impl Iterator<Item = &'p str> {
        self.order.iter().copied().filter(|name| !KEYWORDS.contains(name))
    }

    /// What every definition of a name has under a key.
    pub(super) fn under(&self, name: &str, key: &str) -> Vec<Found<'p>> {
        let of = |found: &Found<'p>| Some(Found { part: found.part, node: found.node.at(&[key])? });
        self.definitions(name).iter().filter_map(of).collect()
    }

    /// What jobs get that say nothing: `default`, or the key at the top of a file.
    pub(super) fn defaults(&self, key: &str) -> Vec<Found<'p>> {
        self.definitions(key).iter().copied().chain(self.under("default", key)).collect()
    }

    /// Whether a job gets the default of a key: `inherit: {default: …}`.
    pub(super) fn inherits(&self, job: &Job<'p>, key: &str) -> bool {
        let inherit = self.effective(&job.chain, "inherit").and_then(|found| found.node.at(&["default"]));
        match inherit {
            None => true,
            Some(node) if node.text() == Some("false") => false,
            Some(node) if node.text().is_some() => true,
            Some(node) => node.list().any(|item| item.text() == Some(key)),
        }
    }

    /// A job, put together.
    pub(super) fn job(&self, name: &'p str) -> Job<'p> {
        Job { chain: self.chain(name) }
    }

    /// The names of a job's templates, and its own; each once, where it counts.
    fn chain(&self, name: &'p str) -> Rc<[&'p str]> {
        if let Some(chain) = self.chains.borrow().get(name) {
            return Rc::clone(chain);
        }
        let mut all = Vec::new();
        self.extend(name, &mut all, &mut Vec::new());
        let mut chain: Vec<&'p str> = Vec::new();
        for name in all.into_iter().rev() {
            if !chain.contains(&name) {
                chain.push(name);
            }
        }
        chain.reverse();
        let chain: Rc<[&'p str]> = chain.into();
        self.chains.borrow_mut().insert(name, Rc::clone(&chain));
        chain
    }

    /// Adds what a name extends, and the name; `open` are those that lead to it.
    fn extend(&self, name: &'p str, chain: &mut Vec<&'p str>, open: &mut Vec<&'p str>) {
        if open.len() > MAX_LEVELS || chain.len() >= MAX_CHAIN || open.contains(&name) {
            return;
        }
        open.push(name);
        let extends = self.definitions(name).iter().rev().find_map(|found| found.node.at(&["extends"]));
        if let Some(extends) = extends {
            match extends.text() {
                Some(parent) => self.extend(parent, chain, open),
                None => extends
                    .list()
                    .filter_map(Node::text)
                    .take(MAX_CHAIN)
                    .for_each(|parent| self.extend(parent, chain, open)),
            }
        }
        open.pop();
        chain.push(name);
    }

    /// What a job has under a key: the last definition that has it.
    pub(super) fn effective(&self, chain: &[&'p str], key: &str) -> Option<Found<'p>> {
        chain.iter().rev().find_map(|name| {
            self.definitions(name)
                .iter()
                .rev()
                .find_map(|found| Some(Found { part: found.part, node: found.node.at(&[key])? }))
        })
    }

    /// The definitions of a variable that a job sees, those that count.
    pub(super) fn variable(&self, chain: &[&'p str], name: &str) -> Vec<Found<'p>> {
        match self.own_variable(chain, name) {
            Some(found) => vec![found],
            None => self.globals.get(name).cloned().unwrap_or_default(),
        }
    }

    /// A variable that a job or one of its templates sets.
    fn own_variable(&self, chain: &[&'p str], name: &str) -> Option<Found<'p>> {
        let definitions = chain.iter().rev().flat_map(|job| self.definitions(job).iter().rev());
        definitions.into_iter().find_map(|found| {
            let variables = Found { part: found.part, node: found.node.at(&["variables"])? };
            let variables = self.resolved(variables);
            let node = variables.node.map()?.find(name)?;
            Some(self.resolved(Found { part: variables.part, node }))
        })
    }

    /// The names of the variables that a job and its templates set.
    pub(super) fn own_names(&self, chain: &[&'p str]) -> BTreeSet<&'p str> {
        let mut names = BTreeSet::new();
        for found in chain.iter().flat_map(|job| self.definitions(job)) {
            let Some(node) = found.node.at(&["variables"]) else { continue };
            names.extend(self.entries(Found { part: found.part, node }).into_iter().map(|(name, _)| name));
        }
        names
    }

    /// The names of the global variables.
    pub(super) fn global_names(&self) -> impl Iterator<Item = &'p str> {
        self.globals.keys().copied()
    }

    /// The entries of a mapping, or of what a `!reference` to one leads to.
    pub(super) fn entries(&self, found: Found<'p>) -> Vec<(&'p str, Found<'p>)> {
        let found = self.resolved(found);
        let entries = found.node.map().map(Mapping::merged).unwrap_or_default();
        entries
            .into_iter()
            .filter_map(|(name, node)| Some((name.text()?, self.resolved(Found { part: found.part, node }))))
            .collect()
    }

    /// What a `!reference` leads to; anything else is itself.
    pub(super) fn resolved(&self, found: Found<'p>) -> Found<'p> {
        let mut found = found;
        for _ in 0..MAX_REFERENCES {
            let Some(node) = found.node.followed() else { return found };
            found.node = node;
            if !is_reference(node) {
                return found;
            }
            let path: Vec<&str> = node.list().filter_map(Node::text).collect();
            let Some((name, keys)) = path.split_first() else { return found };
            let of = |name: &str| {
                self.definitions(name)
                    .iter()
                    .rev()
                    .find_map(|found| Some(Found { part: found.part, node: found.node.at(keys)? }))
            };
            let name = self.names.get_key_value(name).map(|(name, _)| *name);
            let Some(next) = name.and_then(|name| self.chain(name).iter().rev().find_map(|name| of(name)))
            else {
                return found;
            };
            found = next;
        }
        found
    }
}

impl<'p> Pipeline<'p> {
    /// The items of a list, with those of lists in it and of what they refer to; what
    /// is no list is the only one.
    pub(super) fn items(&self, found: Found<'p>, steps: &Cell<usize>) -> Vec<Found<'p>> {
        let mut items = Vec::new();
        let mut waiting = vec![(found, 0)];
        while let Some((found, depth)) = waiting.pop() {
            let left = steps.get();
            steps.set(left.saturating_sub(1));
            if left == 0 || items.len() >= MAX_ITEMS {
                break;
            }
            let found = self.resolved(found);
            let is_list = found.node.sequence().is_some() && !is_reference(found.node);
            if !is_list {
                items.push(found);
            } else if depth < MAX_REFERENCES {
                let inner: Vec<Found<'p>> =
                    found.node.list().map(|node| Found { part: found.part, node }).collect();
                waiting.extend(inner.into_iter().rev().map(|item| (item, depth + 1)));
            }
        }
        items
    }
}

/// Whether a node is `!reference […]`.
pub(super) fn is_reference(node: Node<'_>) -> bool {
    node.tag().is_some_and(|tag| tag.text == "!reference")
}
