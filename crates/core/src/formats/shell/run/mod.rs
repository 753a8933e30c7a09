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

use memchr::memchr;

use super::Foreign;
use super::Script;
use super::commands;
use super::expand;
use super::field::Field;
use super::field::Source;
use super::lexer;
use super::scope::Member;
use super::scope::Scope;
use super::word::Block;
use super::word::Command;
use super::word::Kind;
use super::word::Link;
use super::word::Operator;
use super::word::Step;
use super::word::Word;
use crate::formats::Extracted;
use crate::formats::value::Value;
use crate::image::Role;
use crate::source::Mapped;
use crate::source::ProblemCode;
use crate::source::Span;

/// How many scripts may stand inside one another.
const MAX_SCRIPTS: usize = 6;
/// How many bytes of text are put together in one script, beside its own: variables
/// that are used over and over.
const MAX_TEXT_BYTES: usize = 4 * 1024 * 1024;
/// How many lists of arguments one command is looked at with.
const MAX_CALLS: usize = 16;

/// A script that is being walked over.
pub(super) struct Run<'a, 'x> {
    pub(super) script: &'a Script<'a>,
    pub(super) extracted: &'x mut Extracted,
    scope: Scope,
    /// The folders that commands may run in; none when that is not known.
    folders: Vec<String>,
    found: BTreeMap<(Span, Role), Vec<Member>>,
    scripts: usize,
    pub(super) commands: usize,
    /// Bytes that may still be put together.
    left: usize,
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
            scope: Scope::default(),
            folders: script.folders.iter().map(|folder| (*folder).to_owned()).collect(),
            found: BTreeMap::new(),
            scripts: 0,
            commands: 0,
            left: MAX_TEXT_BYTES + script.text.text().len(),
            gathers: false,
            piped: Vec::new(),
        }
    }

    /// Walks over the script and adds what was found.
    pub(super) fn finish(mut self) {
        let script = self.script;
        let parsed = lexer::parse(script.text.text(), script.foreign);
        let source = Source { text: script.text, foreign: script.foreign, parsed: &parsed };
        if holds_function(&parsed.steps) {
            self.gathers = true;
            self.steps(&parsed.steps, &source);
            self.scope.close_to(0);
            self.gathers = false;
            self.scope = std::mem::take(&mut self.scope).again();
            self.folders = script.folders.iter().map(|folder| (*folder).to_owned()).collect();
            self.left = MAX_TEXT_BYTES + script.text.text().len();
            self.piped.clear();
        }
        self.steps(&parsed.steps, &source);
        self.note_limits(&source);
        let finder = &self.script.finder;
        for ((span, role), members) in self.found {
            let values: Vec<Value> = members.into_iter().map(|member| member.value).collect();
            self.extracted.uses.push(finder.image_use(role, span, &values));
        }
        self.extracted.uses.sort_by_key(|usage| usage.span);
        self.extracted.problems.sort_by(|a, b| a.at.cmp(&b.at));
    }

    /// Tells of what was not read, where it could hide something.
    fn note_limits(&mut self, source: &Source<'_>) {
        let text = source.text.text();
        let mut tell = |at: Option<usize>, message: &str| {
            if let Some(at) = at
                && commands::may_hold_one(&text.as_bytes()[at..])
            {
                let problem =
                    self.script.finder.problem(source.text.span(at..at), ProblemCode::Limit, message);
                if !self.gathers && !self.extracted.problems.contains(&problem) {
                    self.extracted.problems.push(problem);
                }
            }
        };
        tell(source.parsed.too_deep, "substitutions and quotes are nested too deep here to be read");
        tell(
            source.parsed.unclosed,
            "too many quotes and parentheses are not closed; what follows here is not read as it should be",
        );
        tell((self.left == 0).then_some(0), "the values of this script are too large to be evaluated");
    }

    fn steps(&mut self, steps: &[Step], source: &Source<'_>) {
        for step in steps {
            match step {
                Step::Command(command) => self.command(command, source),
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
                    let (folders, depth) = (self.folders.clone(), self.scope.depth());
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
        let input = self.input(command, piped, source);
        if commands::is_of_interest(name.as_deref(), command, text) {
            for fields in self.calls(&command.words, source) {
                commands::run(self, &fields, &input, source);
            }
        }
        self.dockerfile(command, &input, source);
        self.piped = input;
    }

    fn shapes<'s>(&mut self, word: &'s Word, source: &Source<'s>) -> Vec<Vec<Field<'s>>> {
        expand::fields(word, source, self)
    }

    /// The lists of fields that the words of a command may be.
    fn calls<'s>(&mut self, words: &'s [Word], source: &Source<'s>) -> Vec<Vec<Field<'s>>> {
        let shapes: Vec<Vec<Vec<Field<'s>>>> = words.iter().map(|word| self.shapes(word, source)).collect();
        let mut calls: Vec<Vec<Field<'s>>> = vec![Vec::new()];
        for word in shapes {
            let [only] = word.as_slice() else {
                let mut next = Vec::new();
                // Beyond the limit each way of the first few is gone on with.
                for call in &calls {
                    for shape in &word {
                        if next.len() < MAX_CALLS {
                            let mut call = call.clone();
                            call.extend(shape.iter().cloned());
                            next.push(call);
                        }
                    }
                }
                calls = next;
                continue;
            };
            for call in &mut calls {
                call.extend(only.iter().cloned());
            }
        }
        calls
    }

    /// Walks over a script that stands inside this one.
    pub(super) fn nested(&mut self, text: &Mapped, foreign: &[Foreign]) {
        let bytes = text.text().as_bytes();
        // A variable may hold all of a command.
        let may_hold_one = memchr(b'$', bytes).is_some() || commands::may_hold_one(bytes);
        if self.scripts >= MAX_SCRIPTS || !may_hold_one {
            return;
        }
        self.scripts += 1;
        let parsed = lexer::parse(text.text(), foreign);
        let source = Source { text, foreign, parsed: &parsed };
        let (folders, depth) = (self.folders.clone(), self.scope.depth());
        let piped = std::mem::take(&mut self.piped);
        self.scope.open(Block::Subshell, true);
        self.steps(&parsed.steps, &source);
        self.scope.close_to(depth);
        self.piped = piped;
        self.folders = folders;
        self.note_limits(&source);
        self.scripts -= 1;
    }
}

fn holds_function(steps: &[Step]) -> bool {
    steps.iter().any(|step| matches!(step, Step::Open(Block::Function, _)))
}
