//! The walk over a script: variables are set in the order of the text, and every
//! command is looked at. A script inside a script (`bash -c '…'`, a heredoc that a shell
//! reads) is walked over in its place.

mod assign;
mod found;
mod input;
mod paths;

pub(super) use self::input::Input;
pub(super) use self::input::inner;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashSet;
use std::ops::Range;
use std::rc::Rc;

use memchr::memchr;
use memchr::memchr_iter;
use memchr::memmem;

use self::found::Found;
use super::Foreign;
use super::Script;
use super::commands;
use super::expand;
use super::field::Field;
use super::field::Source;
use super::lexer;
use super::scope::Scope;
use super::word::Block;
use super::word::Command;
use super::word::Kind;
use super::word::Link;
use super::word::Operator;
use super::word::Step;
use super::word::Word;
use crate::formats::Build;
use crate::formats::Extracted;
use crate::formats::value::Value;
use crate::image::ImageUse;
use crate::image::Role;
use crate::source::Mapped;
use crate::source::Problem;
use crate::source::ProblemCode;
use crate::source::Span;

/// How many scripts may stand inside one another.
const MAX_SCRIPTS: usize = 6;
/// How many lists of arguments one command is looked at with.
const MAX_CALLS: usize = 32;

/// What is said of a command that may be too many.
const TOO_MANY_CALLS: &str = "the variables of this command make more commands of it than are looked at";

/// A script that is being walked over.
pub(super) struct Run<'a, 'x> {
    pub(super) script: &'a Script<'a>,
    pub(super) extracted: &'x mut Extracted,
    scope: Scope,
    /// The folders that commands may run in; none when that is not known.
    folders: Rc<[String]>,
    found: BTreeMap<(Span, Role), Found>,
    scripts: usize,
    pub(super) commands: usize,
    /// Shapes of a word were left out.
    drops_shapes: bool,
    /// Not every shape of a word was put together with every one of the others.
    samples: bool,
    /// Where the command that is looked at names images, when that matters.
    named: Option<BTreeSet<Span>>,
    problems: Vec<Problem>,
    builds: Vec<Build>,
    /// What was found in Dockerfiles that stand in the script.
    inlined: BTreeMap<(Span, Role), Vec<ImageUse>>,
    /// What functions set is being gathered: nothing counts yet.
    gathers: bool,
    /// The texts that the command in front of `|` writes, as far as they are heredocs.
    piped: Input,
}

impl<'a, 'x> Run<'a, 'x> {
    pub(super) fn new(script: &'a Script<'a>, extracted: &'x mut Extracted) -> Run<'a, 'x> {
        Run {
            script,
            extracted,
            scope: Scope::new(script.text.text().len()),
            folders: script.folders.iter().map(|folder| (*folder).to_owned()).collect(),
            found: BTreeMap::new(),
            scripts: 0,
            commands: 0,
            drops_shapes: false,
            samples: false,
            named: None,
            problems: Vec::new(),
            builds: Vec::new(),
            inlined: BTreeMap::new(),
            gathers: false,
            piped: Vec::new(),
        }
    }

    /// Walks over the script and adds what was found.
    pub(super) fn finish(mut self) {
        let script = self.script;
        if may_hold_function(script.text.text()) {
            let folders = Rc::clone(&self.folders);
            self.gathers = true;
            self.walk(script.text, script.foreign);
            self.scope.close_to(0);
            self.gathers = false;
            self.scope = std::mem::take(&mut self.scope).again(script.text.text().len());
            self.folders = folders;
            self.piped.clear();
        }
        self.walk(script.text, script.foreign);
        if self.scope.was_spent() {
            let message = "the values of this script are too large to be evaluated; those of variables \
                           are not known behind the place where that shows";
            self.limit(script.text.span(0..0), message);
        }
        let finder = &self.script.finder;
        for ((span, role), found) in self.found {
            let values: Vec<Value> = found.members.into_iter().map(|member| member.value).collect();
            self.extracted.uses.push(finder.image_use(role, span, &values));
        }
        distinct(&mut self.builds);
        self.extracted.builds.append(&mut self.builds);
        self.extracted.uses.extend(self.inlined.into_values().flatten());
        self.problems.sort_by(|a, b| (&a.at, &a.message).cmp(&(&b.at, &b.message)));
        self.problems.dedup();
        self.extracted.problems.append(&mut self.problems);
    }

    /// Notes something that was not read, and may hide an image.
    pub(super) fn limit(&mut self, span: Span, message: &str) {
        if !self.gathers {
            self.problems.push(self.script.finder.problem(span, ProblemCode::Limit, message));
        }
    }

    /// Walks over a script, and tells of what was not read in it, where that could hide
    /// something: a variable may hold all of a command.
    fn walk(&mut self, text: &Mapped, foreign: &[Foreign]) {
        let mut reader = lexer::Reader::new(text.text(), foreign);
        for parsed in reader.by_ref() {
            self.steps(&parsed.steps, &Source { text, foreign, parsed: &parsed });
        }
        let limits = [
            (reader.too_deep(), "substitutions and quotes are nested too deep here to be read"),
            (
                reader.unclosed(),
                "too many quotes and parentheses are not closed; what follows here is not read as it \
                 should be",
            ),
        ];
        for (at, message) in limits {
            if let Some(at) = at
                && text.text().get(at..).is_none_or(may_command)
            {
                self.limit(text.span(at..at), message);
            }
        }
    }

    fn steps(&mut self, steps: &[Step], source: &Source<'_>) {
        for (index, step) in steps.iter().enumerate() {
            match step {
                Step::Command(command) => {
                    self.command(command, source);
                    let is_piped = match steps.get(index + 1) {
                        Some(Step::Command(next)) => next.link == Link::Pipe,
                        Some(Step::Open(_, link)) => *link == Link::Pipe,
                        _ => false,
                    };
                    if is_piped {
                        self.print(command, source);
                    }
                }
                Step::For(name, words) => self.for_each(name, words, source),
                Step::Open(block, link) => self.scope.open(*block, *link != Link::Maybe),
                Step::Branch { of, last } => self.scope.branch(*of, *last),
                Step::Close(block) => self.scope.close(*block),
            }
        }
    }

    /// Walks over the commands in a word.
    fn visit(&mut self, word: &Word, source: &Source<'_>) {
        for piece in &word.pieces {
            match &piece.kind {
                Kind::Commands(steps) | Kind::Arithmetic(steps) if !steps.is_empty() => {
                    let (folders, depth) = (Rc::clone(&self.folders), self.scope.depth());
                    let piped = std::mem::take(&mut self.piped);
                    self.scope.open(Block::Subshell, true);
                    self.steps(steps, source);
                    self.scope.close_to(depth);
                    self.piped = piped;
                    self.folders = folders;
                }
                Kind::Variable(variable) => {
                    self.visit(&variable.operand, source);
                    if let Operator::Assign { .. } = variable.operator {
                        self.assign_default(variable, source);
                    }
                }
                _ => {}
            }
        }
    }

    fn command(&mut self, command: &Command, source: &Source<'_>) {
        let piped = match command.link {
            Link::Pipe => std::mem::take(&mut self.piped),
            _ => {
                self.piped.clear();
                Vec::new()
            }
        };
        for word in command
            .words
            .iter()
            .chain(&command.here_string)
            .chain(command.redirects.iter().map(|redirect| &redirect.target))
        {
            self.visit(word, source);
        }
        for index in &command.heredocs {
            if let Some(heredoc) = source.parsed.heredocs.get(*index) {
                self.visit(&heredoc.body, source);
            }
        }
        let Some(first) = command.words.first() else {
            self.assign(command, false, source);
            return;
        };
        let text = source.text.text();
        let name = first.literal(text);
        match name.as_deref() {
            Some("export" | "local" | "declare" | "typeset" | "readonly") => {
                self.declare(command, name.as_deref() != Some("export"), source);
                return;
            }
            Some("exit" | "return" | "break" | "continue") => {
                if command.link == Link::Next {
                    self.scope.leave();
                }
                return;
            }
            Some("unset") => return,
            Some("read" | "mapfile" | "readarray" | "getopts") => {
                self.read_names(command, source);
                return;
            }
            _ => {}
        }
        self.assign_for_command(command, source);
        // Of what functions do only what they set is gathered.
        if self.gathers && name.as_deref() != Some("eval") {
            return;
        }
        let input = self.input(command, piped, source);
        if commands::is_of_interest(name.as_deref(), command, text) {
            self.look_at(first.range(), &command.words, &input, source);
        }
        self.dockerfile(command, &input, source);
        self.piped = input;
    }

    /// Looks at what a command may be.
    fn look_at(&mut self, at: Range<usize>, words: &[Word], input: &Input, source: &Source<'_>) {
        (self.drops_shapes, self.samples) = (false, false);
        let calls = self.calls(words, source);
        let (mut is_left_out, samples) = (self.drops_shapes, self.samples);
        let may_be_a_tool =
            (is_left_out || samples) && calls.iter().any(|fields| commands::name_tool(fields));
        let mut named: Option<BTreeSet<Span>> = None;
        for fields in calls {
            self.named = samples.then(BTreeSet::new);
            commands::run(self, &fields, input, source);
            // Where all of some name the same images, so do the others.
            if let Some(these) = self.named.take() {
                is_left_out |= named.get_or_insert_with(|| these.clone()) != &these;
            }
        }
        if is_left_out && may_be_a_tool {
            self.limit(source.text.span(at), TOO_MANY_CALLS);
        }
    }

    fn shapes<'s>(&mut self, word: &'s Word, source: &Source<'s>) -> Vec<Vec<Field<'s>>> {
        expand::fields(word, source, self)
    }

    /// The lists of fields that the words of a command may be.
    fn calls<'s>(&mut self, words: &'s [Word], source: &Source<'s>) -> Vec<Vec<Field<'s>>> {
        let mut calls: Vec<Vec<Field<'s>>> = vec![Vec::with_capacity(words.len())];
        for word in words {
            if let Some(field) = expand::plain(word, source) {
                for call in &mut calls {
                    call.push(field.clone());
                }
                if calls.len() > 1 {
                    self.scope.spend(64 * calls.len());
                }
                continue;
            }
            let mut shapes = self.shapes(word, source);
            if let ([shape], [call]) = (shapes.as_mut_slice(), calls.as_mut_slice()) {
                call.append(shape);
                continue;
            }
            if shapes.len() * calls.len() > MAX_CALLS {
                // Each shape is looked at in one of them.
                self.samples = true;
                let more = shapes.len().saturating_sub(calls.len());
                let work: usize = calls.iter().cycle().take(more).map(|call| 64 * call.len()).sum();
                self.scope.spend(work);
                let others: Vec<Vec<Field<'s>>> = calls.iter().cycle().take(more).cloned().collect();
                calls.extend(others);
            } else if shapes.len() > 1 {
                let work: usize = calls.iter().map(|call| 64 * call.len()).sum();
                self.scope.spend(work * (shapes.len() - 1));
                // Every one so far with every shape of this word.
                calls = calls.into_iter().flat_map(|call| std::iter::repeat_n(call, shapes.len())).collect();
            }
            for (index, call) in calls.iter_mut().enumerate() {
                let Some(shape) = shapes.get(index % shapes.len().max(1)) else { continue };
                if !self.scope.spend(64 * (1 + shape.len())) {
                    break;
                }
                call.extend(shape.iter().cloned());
            }
        }
        calls
    }

    /// Walks over a script that stands inside this one: in a shell of its own, or in a
    /// group of this one.
    pub(super) fn nested(&mut self, text: &Mapped, foreign: &[Foreign], block: Block) {
        let bytes = text.text().as_bytes();
        if block == Block::Subshell && !may_command(text.text()) {
            return;
        }
        if self.scripts >= MAX_SCRIPTS {
            self.limit(text.span(0..0), "too many scripts stand inside one another here to be read");
            return;
        }
        if !self.scope.spend(64 + 8 * bytes.len()) {
            return;
        }
        self.scripts += 1;
        let (folders, depth) = (Rc::clone(&self.folders), self.scope.depth());
        let piped = std::mem::take(&mut self.piped);
        self.scope.open(block, true);
        self.walk(text, foreign);
        self.scope.close_to(depth);
        self.piped = piped;
        if block == Block::Subshell {
            self.folders = folders;
        }
        self.scripts -= 1;
    }
}

/// Whether there may be commands in a text that name images, at a glance: a variable may
/// hold all of one.
fn may_command(text: &str) -> bool {
    memchr(b'$', text.as_bytes()).is_some() || super::may_hold_images(text)
}

/// Whether a script may define a function, at a glance: `name()`, `function name`.
fn may_hold_function(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr_iter(b'(', bytes)
        .any(|at| bytes[at + 1..].iter().find(|byte| !matches!(byte, b' ' | b'\t')) == Some(&b')'))
        || memmem::find(bytes, b"function").is_some()
}

/// Leaves one of builds that are alike.
pub(super) fn distinct(builds: &mut Vec<Build>) {
    let mut seen = HashSet::with_capacity(builds.len());
    let are_new: Vec<bool> = builds.iter().map(|build| seen.insert(build)).collect();
    let mut are_new = are_new.into_iter();
    builds.retain(|_| are_new.next().unwrap_or(true));
}
