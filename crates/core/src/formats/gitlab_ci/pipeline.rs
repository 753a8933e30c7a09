//! A pipeline as its jobs: what each inherits by `extends`, what `!reference` leads to,
//! and the variables that it sees.
//!
//! <https://docs.gitlab.com/ci/yaml/#extends>, <https://docs.gitlab.com/ci/yaml/yaml_optimization/>,
//! <https://docs.gitlab.com/ci/variables/>.

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
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

/// A name at the top of a pipeline's files, by its number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Name(usize);

/// A job as it is put together.
pub(super) struct Job {
    /// What it is put together from, templates first, the job itself last.
    pub(super) chain: Rc<[Name]>,
}

impl Default for Job {
    fn default() -> Self {
        Job { chain: Rc::from([]) }
    }
}

/// Nearly always one.
struct Definitions<'p> {
    first: Found<'p>,
    others: Vec<Found<'p>>,
}

/// A pipeline, ready to be asked.
pub(super) struct Pipeline<'p> {
    pub(super) loaded: &'p Loaded,
    names: HashMap<&'p str, Name>,
    /// Each name and its definitions, in the order in which they are put on top of each other.
    named: Vec<(&'p str, Definitions<'p>)>,
    /// What each name is put together from, as far as it was asked.
    chains: RefCell<Vec<Option<Rc<[Name]>>>>,
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
            named: Vec::new(),
            chains: RefCell::default(),
            globals: HashMap::new(),
            passed,
        };
        for (part, file) in loaded.parts.iter().enumerate() {
            for (name, node) in file.roots().filter_map(Node::map).flat_map(Mapping::merged) {
                let Some(name) = name.text() else { continue };
                let found = Found { part, node };
                match pipeline.names.entry(name) {
                    Entry::Occupied(known) => pipeline.named[known.get().0].1.others.push(found),
                    Entry::Vacant(new) => {
                        new.insert(Name(pipeline.named.len()));
                        pipeline.named.push((name, Definitions { first: found, others: Vec::new() }));
                    }
                }
            }
        }
        pipeline.chains = RefCell::new(vec![None; pipeline.named.len()]);
        let variables: Vec<Found<'p>> = pipeline.at_top("variables").collect();
        for found in variables {
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
    fn definitions(&self, name: Name) -> impl DoubleEndedIterator<Item = Found<'p>> {
        let named = self.named.get(name.0).map(|(_, definitions)| definitions);
        named.into_iter().flat_map(|named| std::iter::once(&named.first).chain(&named.others)).copied()
    }

    /// Every definition of a key at the top of a file.
    pub(super) fn at_top(&self, key: &str) -> impl DoubleEndedIterator<Item = Found<'p>> {
        self.names.get(key).into_iter().flat_map(|name| self.definitions(*name))
    }

    /// The names of jobs and of hidden templates, in the order of their first definition.
    pub(super) fn jobs(&self) -> impl Iterator<Item = Name> {
        let named = self.named.iter().enumerate();
        named.filter(|(_, (name, _))| !KEYWORDS.contains(name)).map(|(number, _)| Name(number))
    }

    /// A name as it is written.
    pub(super) fn text(&self, name: Name) -> &'p str {
        self.named.get(name.0).map_or("", |(text, _)| text)
    }

    /// What every definition of a name has under a key.
    pub(super) fn under(&self, name: Name, key: &str) -> impl DoubleEndedIterator<Item = Found<'p>> {
        let of = move |found: Found<'p>| Some(Found { part: found.part, node: found.node.at(&[key])? });
        self.definitions(name).filter_map(of)
    }

    /// What jobs get that say nothing: `default`, or the key at the top of a file.
    pub(super) fn defaults(&self, key: &str) -> Vec<Found<'p>> {
        let of_default = self.names.get("default").into_iter().flat_map(|name| self.under(*name, key));
        self.at_top(key).chain(of_default).collect()
    }

    /// Whether a job gets the default of a key: `inherit: {default: …}`.
    pub(super) fn inherits(&self, job: &Job, key: &str) -> bool {
        let inherit = self.effective(&job.chain, "inherit").and_then(|found| found.node.at(&["default"]));
        match inherit {
            None => true,
            Some(node) if node.text() == Some("false") => false,
            Some(node) if node.text().is_some() => true,
            Some(node) => node.list().any(|item| item.text() == Some(key)),
        }
    }

    /// A job, put together.
    pub(super) fn job(&self, name: Name) -> Job {
        Job { chain: self.chain(name) }
    }

    /// The names of a job's templates, and its own; each once, where it counts.
    fn chain(&self, name: Name) -> Rc<[Name]> {
        if let Some(Some(chain)) = self.chains.borrow().get(name.0) {
            return Rc::clone(chain);
        }
        let mut all = Vec::new();
        self.extend(name, &mut all, &mut Vec::new());
        let mut chain: Vec<Name> = Vec::new();
        for name in all.into_iter().rev() {
            if !chain.contains(&name) {
                chain.push(name);
            }
        }
        chain.reverse();
        let chain: Rc<[Name]> = chain.into();
        if let Some(known) = self.chains.borrow_mut().get_mut(name.0) {
            *known = Some(Rc::clone(&chain));
        }
        chain
    }

    /// Adds what a name extends, and the name; `open` are those that lead to it.
    fn extend(&self, name: Name, chain: &mut Vec<Name>, open: &mut Vec<Name>) {
        if open.len() > MAX_LEVELS || chain.len() >= MAX_CHAIN || open.contains(&name) {
            return;
        }
        if let Some(Found { node: extends, .. }) = self.under(name, "extends").next_back() {
            open.push(name);
            let parents = extends.text().into_iter().chain(extends.list().filter_map(Node::text));
            for parent in parents.take(MAX_CHAIN).filter_map(|parent| self.names.get(parent)) {
                self.extend(*parent, chain, open);
            }
            open.pop();
        }
        chain.push(name);
    }

    /// What a job has under a key: the last definition that has it.
    pub(super) fn effective(&self, chain: &[Name], key: &str) -> Option<Found<'p>> {
        chain.iter().rev().find_map(|name| self.under(*name, key).next_back())
    }

    /// The definitions of a variable that a job sees, those that count.
    pub(super) fn variable(&self, chain: &[Name], name: &str) -> Vec<Found<'p>> {
        match self.own_variable(chain, name) {
            Some(found) => vec![found],
            None => self.globals.get(name).cloned().unwrap_or_default(),
        }
    }

    /// A variable that a job or one of its templates sets.
    fn own_variable(&self, chain: &[Name], name: &str) -> Option<Found<'p>> {
        let mut all = chain.iter().rev().flat_map(|job| self.under(*job, "variables").rev());
        all.find_map(|variables| {
            let variables = self.resolved(variables);
            let node = variables.node.map()?.find(name)?;
            Some(self.resolved(Found { part: variables.part, node }))
        })
    }

    /// The names of the variables that a job and its templates set.
    pub(super) fn own_names(&self, chain: &[Name]) -> BTreeSet<&'p str> {
        let mut names = BTreeSet::new();
        for found in chain.iter().flat_map(|job| self.under(*job, "variables")) {
            names.extend(self.entries(found).into_iter().map(|(name, _)| name));
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
            let of = |name: Name| {
                let mut all = self.definitions(name).rev();
                all.find_map(|found| Some(Found { part: found.part, node: found.node.at(keys)? }))
            };
            let chain = self.names.get(name).map(|name| self.chain(*name));
            let Some(next) = chain.and_then(|chain| chain.iter().rev().find_map(|name| of(*name))) else {
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
