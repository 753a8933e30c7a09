//! Executes templates with the values at hand, as far as it takes to know which
//! images they name.
//!
//! Where an image's text is put together, conditions are followed as Helm does it;
//! around it every branch is looked into, and what would not be rendered is marked.
//! What cannot be known (a release's name, the cluster, a function that is not here)
//! makes a text that is not known, with its reason.

use std::collections::HashMap;
use std::collections::HashSet;
use std::rc::Rc;

use crate::formats::value::Value;
use crate::image::Via;
use crate::source::Location;
use crate::source::RepoPath;
use crate::source::Span;

use super::data::Data;
use super::data::Map;
use super::functions;
use super::lines::Found;
use super::lines::Lines;
use super::template;
use super::template::Expression;
use super::template::Node;
use super::template::Pipeline;
use super::template::Template;

/// Calls inside each other.
const MAX_CALLS: usize = 20;
/// How many bytes are put together in a step.
const BYTES_PER_STEP: usize = 256;
/// How many variables are set aside in a step.
const VARIABLES_PER_STEP: usize = 8;

/// A template file and its text.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: RepoPath,
    pub(super) text: String,
    pub(super) template: Template,
}

impl Source {
    /// Reads a template file.
    pub(super) fn new(path: RepoPath, text: &str) -> Source {
        Source { path, text: text.to_owned(), template: template::read(text) }
    }
}

/// The templates that others may call, by their names.
#[derive(Default)]
pub(super) struct Library {
    defines: HashMap<String, (Rc<Source>, usize)>,
}

impl Library {
    /// Adds what a file defines; what is added later hides what has the same name.
    pub(super) fn add(&mut self, source: &Rc<Source>) {
        for (index, define) in source.template.defines.iter().enumerate() {
            self.defines.insert(define.name.clone(), (Rc::clone(source), index));
        }
    }

    /// Whether a template of this name is known.
    pub(super) fn has(&self, name: &str) -> bool {
        self.defines.contains_key(name)
    }
}

/// An execution under way.
pub(super) struct Run<'l> {
    library: &'l Library,
    steps_left: usize,
    calls: usize,
    /// Branches around this place that the values do not choose.
    off: usize,
    found: Vec<Found>,
    /// Calls that were made with a mapping, and the text that they made.
    made: HashMap<Call, (Rc<Map>, Data)>,
    /// Calls that were looked into for images with a mapping.
    looked_into: HashMap<(Call, bool), Rc<Map>>,
    /// The files that were not looked into to their ends.
    unfinished: HashSet<RepoPath>,
}

/// A template's name and the mapping it is called with, by its address: who
/// remembers a call keeps the mapping, so that no other one takes its place.
type Call = (String, *const Map);

fn call_of(name: &str, argument: &Rc<Map>) -> Call {
    (name.to_owned(), Rc::as_ptr(argument))
}

/// What a piece of a template sees.
#[derive(Clone)]
struct Scope {
    source: Rc<Source>,
    dot: Data,
    /// Innermost last; the first is `$`.
    variables: Vec<(String, Data)>,
}

/// Where the text goes.
enum Sink {
    /// It is put together.
    Text(Value),
    /// Images are looked for in it.
    Lines(Lines),
}

impl Sink {
    /// Whether text is put together here.
    fn is_text(&self) -> bool {
        match self {
            Sink::Text(_) => true,
            Sink::Lines(lines) => lines.is_open(),
        }
    }

    /// Says of a text that is put together here that it is not known. `false`
    /// where images are looked for: either branch may hold them.
    fn gives_up(&mut self) -> bool {
        let unknown = Value::unknown("it depends on a condition that is not known");
        match self {
            Sink::Text(value) => value.append(&unknown),
            Sink::Lines(lines) if lines.is_open() => lines.value(&unknown, None),
            Sink::Lines(_) => return false,
        }
        true
    }
}

impl<'l> Run<'l> {
    /// An execution that has `steps` left.
    pub(super) fn new(library: &'l Library, steps: usize) -> Run<'l> {
        Run {
            library,
            steps_left: steps,
            calls: 0,
            off: 0,
            found: Vec::new(),
            made: HashMap::new(),
            looked_into: HashMap::new(),
            unfinished: HashSet::new(),
        }
    }

    /// Looks for images in a file that is rendered with `root`.
    pub(super) fn file(&mut self, source: &Rc<Source>, root: &Data) {
        let scope = Scope::new(source, root);
        self.collect(&source.template.body, scope);
        self.note_end(source);
    }

    /// Looks for images in what a file defines, as if nothing called it.
    pub(super) fn defines(&mut self, source: &Rc<Source>, root: &Data) {
        self.off += 1;
        for define in &source.template.defines {
            self.collect(&define.body, Scope::new(source, root));
        }
        self.off -= 1;
        self.note_end(source);
    }

    fn note_end(&mut self, source: &Rc<Source>) {
        if self.steps_left == 0 {
            self.unfinished.insert(source.path.clone());
        }
    }

    /// How much was found so far.
    pub(super) fn found(&self) -> usize {
        self.found.len()
    }

    /// What was found, the steps that are left, and the files that were not looked into
    /// to their ends.
    pub(super) fn finish(self) -> (Vec<Found>, usize, HashSet<RepoPath>) {
        (self.found, self.steps_left, self.unfinished)
    }

    /// Counts the steps of something that takes longer than one.
    pub(super) fn charge(&mut self, steps: usize) {
        self.steps_left = self.steps_left.saturating_sub(steps);
    }

    fn collect(&mut self, nodes: &[Node], mut scope: Scope) {
        let mut sink = Sink::Lines(Lines::new(scope.source.path.clone()));
        self.nodes(nodes, &mut scope, &mut sink);
        if let Sink::Lines(lines) = sink {
            self.found.extend(lines.into_found());
        }
    }

    fn nodes(&mut self, nodes: &[Node], scope: &mut Scope, sink: &mut Sink) {
        let variables = scope.variables.len();
        for node in nodes {
            if self.steps_left == 0 {
                break;
            }
            self.steps_left -= 1;
            self.node(node, scope, sink);
        }
        scope.variables.truncate(variables);
    }

    fn node(&mut self, node: &Node, scope: &mut Scope, sink: &mut Sink) {
        match node {
            Node::Text(span) => {
                let text = scope.source.text.get(span.start..span.end).unwrap_or("");
                match sink {
                    Sink::Text(value) => value.push_str(text),
                    Sink::Lines(lines) => lines.text(text, span.start, self.off > 0),
                }
            }
            Node::Action(pipeline, span) => self.action(pipeline, *span, scope, sink),
            Node::If(branches) => self.branches(branches, scope, sink),
            Node::With(pipeline, body, otherwise) => {
                let variables = scope.variables.len();
                let data = self.pipeline(pipeline, scope);
                declare(pipeline, std::slice::from_ref(&data), scope);
                let truth = data.truth();
                if truth.is_some() || !sink.gives_up() {
                    self.branch(truth, sink, |run, sink| run.with_dot(data, body, scope, sink));
                    let otherwise_runs = truth.map(|truth| !truth);
                    self.branch(otherwise_runs, sink, |run, sink| run.nodes(otherwise, scope, sink));
                }
                scope.variables.truncate(variables);
            }
            Node::Range(pipeline, body, otherwise) => self.range(pipeline, body, otherwise, scope, sink),
        }
    }

    /// Goes into a branch that runs, does not, or may: where text is put together,
    /// only when it runs.
    fn branch(&mut self, runs: Option<bool>, sink: &mut Sink, run: impl FnOnce(&mut Self, &mut Sink)) {
        if sink.is_text() {
            if runs == Some(true) {
                run(self, sink);
            }
            return;
        }
        let is_off = runs == Some(false);
        self.off += usize::from(is_off);
        run(self, sink);
        if let Sink::Lines(lines) = sink {
            lines.close();
        }
        self.off -= usize::from(is_off);
    }

    fn branches(&mut self, branches: &[(Option<Pipeline>, Vec<Node>)], scope: &mut Scope, sink: &mut Sink) {
        // Whether one before is chosen, as far as that is known.
        let mut chosen = Some(false);
        let outside = scope.variables.len();
        for (condition, body) in branches {
            let variables = scope.variables.len();
            let truth = match condition {
                None => Some(true),
                Some(pipeline) => {
                    let data = self.pipeline(pipeline, scope);
                    let truth = data.truth();
                    declare(pipeline, &[data], scope);
                    truth
                }
            };
            let runs = match (chosen, truth) {
                (Some(true), _) | (_, Some(false)) => Some(false),
                (Some(false), truth) => truth,
                (None, _) => None,
            };
            if runs.is_none() && sink.gives_up() {
                break;
            }
            self.charge(scope.variables.len() / VARIABLES_PER_STEP);
            let kept = scope.variables.clone();
            self.branch(runs, sink, |run, sink| run.nodes(body, scope, sink));
            match runs {
                Some(false) => scope.variables = kept,
                None => forget_changes(&mut scope.variables, &kept),
                Some(true) => {}
            }
            scope.variables.truncate(variables);
            chosen = match (chosen, runs) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
        }
        scope.variables.truncate(outside);
    }

    fn range(
        &mut self,
        pipeline: &Pipeline,
        body: &[Node],
        otherwise: &[Node],
        scope: &mut Scope,
        sink: &mut Sink,
    ) {
        let data = self.pipeline(pipeline, scope);
        let truth = data.truth();
        let items: Vec<(Data, Data)> = match &data {
            Data::List(list) => {
                let items = list.items.iter().enumerate();
                items.map(|(index, item)| (Data::Number(index as i64), item.clone())).collect()
            }
            Data::Map(map) => {
                map.entries.iter().map(|(key, item)| (Data::text(key.clone()), item.clone())).collect()
            }
            _ => Vec::new(),
        };
        if truth.is_none() && sink.gives_up() {
            return;
        }
        self.charge(items.len());
        let unknown = Data::unknown("it is an item of something that is not known");
        let items = if items.is_empty() { vec![(unknown.clone(), unknown)] } else { items };
        self.branch(truth, sink, |run, sink| {
            for (key, item) in items.into_iter() {
                let variables = scope.variables.len();
                declare(pipeline, &[key, item.clone()], scope);
                run.with_dot(item, body, scope, sink);
                scope.variables.truncate(variables);
            }
        });
        let otherwise_runs = truth.map(|truth| !truth);
        self.branch(otherwise_runs, sink, |run, sink| run.nodes(otherwise, scope, sink));
    }

    fn with_dot(&mut self, dot: Data, nodes: &[Node], scope: &mut Scope, sink: &mut Sink) {
        let outer = std::mem::replace(&mut scope.dot, dot);
        self.nodes(nodes, scope, sink);
        scope.dot = outer;
    }

    fn action(&mut self, pipeline: &Pipeline, span: Span, scope: &mut Scope, sink: &mut Sink) {
        if pipeline.variables.is_empty() && !sink.is_text() {
            self.descend(pipeline, scope);
            let source = scope.source.text.get(span.start..span.end).unwrap_or("");
            let may_be_image = memchr::memmem::find(source.as_bytes(), b"mage").is_some();
            match sink {
                Sink::Lines(lines) if may_be_image => lines.open_word(self.off > 0),
                _ => return,
            }
        }
        let data = self.pipeline(pipeline, scope);
        if !pipeline.variables.is_empty() {
            declare(pipeline, &[data], scope);
            return;
        }
        let value = functions::printed(&data);
        match sink {
            Sink::Text(text) => text.append(&value),
            Sink::Lines(lines) => lines.value(&value, Some(span)),
        }
    }

    /// Looks for images in the text that `include "name" data` puts here.
    fn descend(&mut self, pipeline: &Pipeline, scope: &mut Scope) {
        let Some([Expression::Function(function), name, argument]) =
            pipeline.commands.first().map(Vec::as_slice)
        else {
            return;
        };
        if function != "include" {
            return;
        }
        let name = self.expression(name, scope).value().map(|name| name.text().to_owned());
        let Some(name) = name else { return };
        let Some((source, index)) = self.library.defines.get(&name) else { return };
        let (source, index) = (Rc::clone(source), *index);
        if self.calls == MAX_CALLS {
            // What is called so deep and not chosen by the values would never end.
            if self.off == 0 {
                self.unfinished.insert(scope.source.path.clone());
            }
            return;
        }
        let argument = self.expression(argument, scope);
        if let Data::Map(map) = &argument
            && self.looked_into.insert((call_of(&name, map), self.off > 0), Rc::clone(map)).is_some()
        {
            return;
        }
        self.calls += 1;
        if let Some(define) = source.template.defines.get(index) {
            self.collect(&define.body, Scope::new(&source, &argument));
        }
        self.calls -= 1;
    }

    /// Whether a template of this name is known.
    pub(super) fn has_template(&self, name: &str) -> bool {
        self.library.has(name)
    }

    /// The text that a template makes of its argument.
    pub(super) fn include(&mut self, name: &str, argument: &Data) -> Data {
        let Data::Map(map) = argument else { return self.execute(name, argument) };
        let call = call_of(name, map);
        if let Some((_, made)) = self.made.get(&call) {
            return made.clone();
        }
        let made = self.execute(name, argument);
        self.made.insert(call, (Rc::clone(map), made.clone()));
        made
    }

    fn execute(&mut self, name: &str, argument: &Data) -> Data {
        let Some((source, index)) = self.library.defines.get(name) else {
            let mut value = Value::unknown(format!("the template `{name}` is not in this repository"));
            functions::leave_all_traces(argument, &mut value);
            return Data::Unknown(value);
        };
        if self.calls == MAX_CALLS {
            return Data::unknown(format!("the template `{name}` calls too many others"));
        }
        let Some(define) = source.template.defines.get(*index) else { return Data::text("") };
        self.calls += 1;
        let mut sink = Sink::Text(Value::default());
        self.nodes(&define.body, &mut Scope::new(source, argument), &mut sink);
        self.calls -= 1;
        let Sink::Text(value) = sink else { return Data::text("") };
        if self.steps_left == 0 {
            return Data::unknown(format!("the template `{name}` takes too long"));
        }
        let at = Location { file: source.path.clone(), span: define.at };
        let what = format!("template `{name}`");
        if value.text().trim().is_empty() {
            return Data::Text(value);
        }
        Data::Text(value.placed(at, what))
    }

    /// The text that `tpl` makes of a text with actions in it.
    pub(super) fn rendered(&mut self, text: &Value, root: &Data) -> Data {
        if !text.text().contains("{{") {
            return Data::Text(text.clone());
        }
        if self.calls == MAX_CALLS || text.origin().is_none() && text.via().is_empty() {
            return Data::unknown("a text that is rendered as a template");
        }
        let source = Rc::new(Source::new(RepoPath::new(""), text.text()));
        let mut sink = Sink::Text(Value::default());
        self.calls += 1;
        self.nodes(&source.template.body, &mut Scope::new(&source, root), &mut sink);
        self.calls -= 1;
        let Sink::Text(mut value) = sink else { return Data::text("") };
        for via in text.via() {
            value.note(Via { at: via.at.clone(), what: via.what.clone() });
        }
        Data::Text(value)
    }

    fn pipeline(&mut self, pipeline: &Pipeline, scope: &mut Scope) -> Data {
        if self.steps_left == 0 {
            return Data::unknown("the templates of this chart take too long");
        }
        self.steps_left -= 1;
        let mut result: Option<Data> = None;
        for command in &pipeline.commands {
            let Some((head, arguments)) = command.split_first() else { continue };
            result = Some(match head {
                Expression::Function(name) => {
                    let mut given: Vec<Data> =
                        arguments.iter().map(|argument| self.expression(argument, scope)).collect();
                    given.extend(result.take());
                    functions::call(self, name, given, scope.root())
                }
                operand if arguments.is_empty() && result.is_none() => self.expression(operand, scope),
                _ => Data::unknown("a method that is called in a template"),
            });
        }
        if let Some(Data::Text(value)) = &result {
            self.charge(value.text().len() / BYTES_PER_STEP);
        }
        result.unwrap_or_else(|| Data::unknown("an action that is not understood"))
    }

    fn expression(&mut self, expression: &Expression, scope: &mut Scope) -> Data {
        match expression {
            Expression::Dot => scope.dot.clone(),
            Expression::Variable(name) => scope.variable(name),
            Expression::Text(text) => Data::text(text.clone()),
            Expression::Number(number) => match number.parse() {
                Ok(number) => Data::Number(number),
                Err(_) => Data::unknown("a number in a template"),
            },
            Expression::Function(name) => functions::call(self, name, Vec::new(), scope.root()),
            Expression::Nested(pipeline) => self.pipeline(pipeline, scope),
            Expression::Field(of, name) => {
                let of = self.expression(of, scope);
                functions::field(&of, name)
            }
        }
    }
}

impl Scope {
    fn new(source: &Rc<Source>, dot: &Data) -> Scope {
        Scope { source: Rc::clone(source), dot: dot.clone(), variables: vec![(String::new(), dot.clone())] }
    }

    /// `$`
    fn root(&self) -> Data {
        self.variables.first().map_or_else(|| self.dot.clone(), |(_, root)| root.clone())
    }

    fn variable(&self, name: &str) -> Data {
        let found = self.variables.iter().rev().find(|(known, _)| known == name);
        found.map_or_else(|| Data::unknown(format!("`${name}` is not set")), |(_, data)| data.clone())
    }
}

/// Sets the variables of a pipeline: the last one to the last of `values`.
fn declare(pipeline: &Pipeline, values: &[Data], scope: &mut Scope) {
    let skipped = values.len().saturating_sub(pipeline.variables.len());
    for (name, value) in pipeline.variables.iter().zip(&values[skipped..]) {
        let known = scope.variables.iter_mut().rev().find(|(known, _)| known == name);
        match known {
            Some(known) if pipeline.assigns => known.1 = value.clone(),
            _ => scope.variables.push((name.clone(), value.clone())),
        }
    }
}

/// Variables that a branch may have set are not known behind it.
fn forget_changes(variables: &mut [(String, Data)], before: &[(String, Data)]) {
    for ((_, now), (_, then)) in variables.iter_mut().zip(before) {
        if !functions::is_same(now, then) {
            *now = Data::unknown("it depends on a condition that is not known");
        }
    }
}
