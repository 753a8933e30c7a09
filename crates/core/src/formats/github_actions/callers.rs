//! The ways in which a file is started, and what its inputs hold in each: its own
//! defaults, what a person may choose, and what every caller in the repository gives
//! (`uses: ./.github/workflows/x.yml`, `uses: ./path` and their `with`).
//!
//! A default stays a member whatever the callers give, since others may call too. An
//! input without default is not known where nobody in the repository gives it.

use crate::formats::Claim;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::yaml::Mapping;
use crate::yaml::Node;
use crate::yaml::Visits;

use super::claim;
use super::document::Step;
use super::item::Item;
use super::item::Type;
use super::scope::At;
use super::scope::Engine;
use super::scope::World;
use super::scope::placed;

/// How many ways to start one file are told apart.
const MAX_WORLDS: usize = 64;
/// How many calls are followed from a file to its callers; GitHub nests ten levels.
const MAX_DEPTH: usize = 4;
/// How many files are searched for callers.
const MAX_FILES: usize = 1_000;
/// How many values of one default are looked at.
const MAX_VALUES: usize = 100;

/// Every way in which a file is started.
pub(super) fn worlds(engine: &Engine<'_>) -> Vec<World> {
    let root = engine.document.root;
    let callable = match root.at(&["runs"]) {
        Some(_) => root.at(&["inputs"]).or(Some(root)),
        None => root.at(&["on", "workflow_call"]).map(|call| call.at(&["inputs"]).unwrap_or(call)),
    };
    let mut worlds = Vec::new();
    if let Some(inputs) = callable {
        let declared = if inputs.at(&["runs"]).is_some() { Vec::new() } else { declared(inputs) };
        called(engine, &declared, &mut worlds);
    } else if names_event(root, "workflow_call") {
        called(engine, &[], &mut worlds);
    }
    if let Some(dispatch) = root.at(&["on", "workflow_dispatch"]) {
        let inputs = dispatch.at(&["inputs"]).map(declared).unwrap_or_default();
        let inputs = inputs.iter().map(|input| (input.name.to_owned(), by_hand(engine, input))).collect();
        worlds.push(World { inputs, unknown: None });
    }
    if has_other_events(root) || worlds.is_empty() {
        worlds.push(World { inputs: Vec::new(), unknown: None });
    }
    worlds.dedup();
    worlds
}

/// A declared input.
struct Input<'a> {
    name: &'a str,
    mapping: Option<Mapping<'a>>,
}

fn declared(inputs: Node<'_>) -> Vec<Input<'_>> {
    let entries = inputs.map().map(Mapping::merged).unwrap_or_default();
    entries
        .into_iter()
        .filter_map(|(name, input)| Some(Input { name: name.text()?, mapping: input.map() }))
        .collect()
}

impl<'a> Input<'a> {
    fn get(&self, key: &str) -> Option<Node<'a>> {
        self.mapping?.find(key)
    }

    fn is_bool(&self) -> bool {
        self.get("type").and_then(Node::text) == Some("boolean")
    }

    /// What it holds when nothing is given; empty when there is no default.
    fn default(&self, engine: &Engine<'a>) -> Vec<Item> {
        let what = format!("default of the input `{}`", self.name);
        match self.get("default") {
            Some(node) => {
                let item = Item::from_node(node, engine.file, &what, &mut Visits::new(MAX_VALUES));
                match item {
                    // A default may name `github` and `vars`, nothing that this file says.
                    Item::Template(_) => engine
                        .items(node, At::default())
                        .into_iter()
                        .map(|item| placed(item, &engine.location(node), &what))
                        .collect(),
                    item => vec![item],
                }
            }
            None => Vec::new(),
        }
    }
}

/// What an input may hold when a person starts the workflow.
fn by_hand(engine: &Engine<'_>, input: &Input<'_>) -> Vec<Item> {
    if input.is_bool() {
        return vec![Item::bool(true), Item::bool(false)];
    }
    let what = format!("choice of the input `{}`", input.name);
    let options: Vec<Item> = input
        .get("options")
        .into_iter()
        .flat_map(Node::list)
        .map(|option| Item::from_node(option, engine.file, &what, &mut Visits::new(MAX_VALUES)))
        .collect();
    if !options.is_empty() {
        return options;
    }
    let default = input.default(engine);
    if default.is_empty() {
        return vec![Item::unknown(format!("the input `{}` has no default", input.name))];
    }
    default
}

/// Adds what each caller makes of the inputs, and what they are without one.
fn called(engine: &Engine<'_>, declared: &[Input<'_>], worlds: &mut Vec<World>) {
    let callers = match engine.depth < MAX_DEPTH {
        true => callers(engine, declared),
        false => vec![World {
            inputs: Vec::new(),
            unknown: Some("the calls lead through too many files".to_owned()),
        }],
    };
    let alone = declared.iter().map(|input| {
        let mut items = input.default(engine);
        if input.is_bool() {
            items = vec![Item::bool(true), Item::bool(false)];
        } else if items.is_empty() && callers.is_empty() {
            items.push(Item::unknown(format!(
                "the input `{}` has no default, and nothing in this repository gives it",
                input.name
            )));
        }
        (input.name.to_owned(), items)
    });
    worlds.push(World { inputs: alone.collect(), unknown: None });
    for world in callers {
        if worlds.len() >= MAX_WORLDS {
            let reason = format!("more than {MAX_WORLDS} ways to call this file are not told apart");
            worlds.push(World { inputs: Vec::new(), unknown: Some(reason) });
            return;
        }
        if !worlds.contains(&world) {
            worlds.push(world);
        }
    }
}

/// What each caller in the repository gives.
fn callers(engine: &Engine<'_>, declared: &[Input<'_>]) -> Vec<World> {
    let Some(tree) = engine.shelf.tree() else { return Vec::new() };
    let path = engine.file.path();
    // A workflow is called by its path, an action by its folder.
    let callee = match is_action(path) {
        true => path.folder(),
        false => path.as_str(),
    };
    let needle = memchr::memmem::Finder::new(callee);
    let others: Vec<&RepoPath> =
        tree.paths().filter(|other| claim(other) == Claim::Yes && *other != path).take(MAX_FILES).collect();
    let texts: Vec<_> = others.into_iter().map(|other| (other, engine.shelf.text(other))).collect();
    let mut worlds = Vec::new();
    for (other, text) in texts {
        let Some(text) = text.filter(|text| needle.find(text.as_bytes()).is_some()) else { continue };
        let file = SourceFile::new(other.clone(), text);
        let yaml = engine.shelf.yaml(&file);
        for document in &yaml.documents {
            let caller = Engine::new(&file, document.root(), engine.shelf, engine.depth + 1);
            for (with, at) in calls(&caller, callee) {
                given(engine, declared, &caller, with, at.as_at(), &mut worlds);
                if worlds.len() > MAX_WORLDS {
                    return worlds;
                }
            }
        }
    }
    worlds
}

/// Where a call stands.
struct Site<'e> {
    step: Step<'e>,
}

impl<'e> Site<'e> {
    fn as_at(&self) -> At<'_, 'e> {
        At { job: self.step.job.as_deref(), env: &self.step.env }
    }
}

/// The calls of a file in another one, with what they give.
fn calls<'e>(caller: &Engine<'e>, callee: &str) -> Vec<(Option<Mapping<'e>>, Site<'e>)> {
    let names = |mapping: Mapping<'e>| {
        let uses = mapping.find("uses").and_then(Node::text)?;
        let path = RepoPath::new(uses.strip_prefix("./")?);
        (path.as_str().trim_end_matches('/') == callee).then(|| mapping.find("with").and_then(Node::map))
    };
    let of_jobs = caller.document.jobs.iter().map(|job| Step {
        mapping: job.mapping,
        job: Some(job.clone()),
        env: caller.document.env_of(job),
    });
    of_jobs
        .chain(caller.document.steps())
        .filter_map(|step| Some((names(step.mapping)?, Site { step })))
        .collect()
}

/// Adds what one call gives, once for each combination that it runs in.
fn given<'e>(
    engine: &Engine<'_>,
    declared: &[Input<'_>],
    caller: &Engine<'e>,
    with: Option<Mapping<'e>>,
    at: At<'_, 'e>,
    worlds: &mut Vec<World>,
) {
    let entries: Vec<(&str, Node<'e>)> = with
        .map(Mapping::merged)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(key, value)| Some((key.text()?, value)))
        .collect();
    let texts: Vec<&str> = entries.iter().map(|(_, value)| value.text().unwrap_or("")).collect();
    for case in caller.cases(&texts, at) {
        let inputs = declared
            .iter()
            .map(|input| {
                let index = entries.iter().position(|(name, _)| name.eq_ignore_ascii_case(input.name));
                let items = match index.and_then(|index| Some((entries.get(index)?.1, case.get(index)?))) {
                    Some((node, items)) => placed_at(caller, node, items, input.name),
                    None => match input.default(engine) {
                        default if default.is_empty() => vec![Item::Scalar(Type::Text, Default::default())],
                        default => default,
                    },
                };
                (input.name.to_owned(), items)
            })
            .collect();
        let world = World { inputs, unknown: None };
        if !worlds.contains(&world) {
            worlds.push(world);
        }
    }
}

/// What a call gives for one input, with the place where it does.
fn placed_at(caller: &Engine<'_>, node: Node<'_>, items: &[Item], name: &str) -> Vec<Item> {
    let what = format!("the input `{name}`, given here");
    match Item::from_node(node, caller.file, &what, &mut Visits::new(MAX_VALUES)) {
        Item::Template(_) => {
            let at = caller.location(node);
            items.iter().map(|item| placed(item.clone(), &at, &what)).collect()
        }
        item => vec![item],
    }
}

fn is_action(path: &RepoPath) -> bool {
    matches!(path.name(), "action.yml" | "action.yaml") && path.folder() != super::WORKFLOWS
}

/// The events that start a workflow.
fn events<'a>(root: Node<'a>) -> Vec<&'a str> {
    let Some(on) = root.at(&["on"]) else { return Vec::new() };
    match (on.text(), on.map()) {
        (Some(event), _) => vec![event],
        (_, Some(events)) => events.merged().into_iter().filter_map(|(event, _)| event.text()).collect(),
        _ => on.list().filter_map(Node::text).collect(),
    }
}

fn names_event(root: Node<'_>, event: &str) -> bool {
    events(root).contains(&event)
}

/// Whether something starts the workflow that gives no inputs.
fn has_other_events(root: Node<'_>) -> bool {
    events(root).iter().any(|event| !matches!(*event, "workflow_call" | "workflow_dispatch"))
}
