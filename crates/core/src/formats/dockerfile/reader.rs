//! From the text of a file to its declarations and stages: every instruction in
//! order, with what is wrong with it. Resolves nothing.
//!
//! After `Parse` in `frontend/dockerfile/parser/parser.go` and in
//! `frontend/dockerfile/instructions/parse.go` of BuildKit 0.34. BuildKit stops
//! at the first error; this notes it and goes on.

use std::borrow::Cow;

use crate::formats::shell;
use crate::source::Mapped;
use crate::source::ProblemCode;
use crate::source::Span;

use super::directive::Directives;
use super::directive::Name;
use super::directive::Read;
use super::heredoc;
use super::heredoc::Heredoc;
use super::instruction;
use super::instruction::Instruction;
use super::instruction::Source;
use super::instruction::Word;
use super::lex::LexError;
use super::line;
use super::line::Joined;
use super::line::MAX_LINE_BYTES;
use super::line::Physical;
use super::template;

/// An `ARG` before the first `FROM`: one name of it.
#[derive(Debug)]
pub(super) struct Declaration<'s> {
    pub(super) name: Word<'s>,
    pub(super) value: Option<Word<'s>>,
}

/// A `FROM` and what its instructions read from.
#[derive(Debug)]
pub(super) struct StageText<'s> {
    /// `None` when the `FROM` is broken.
    pub(super) image: Option<Word<'s>>,
    pub(super) platform: Option<String>,
    pub(super) name: Option<Cow<'s, str>>,
    /// The whole `FROM`.
    pub(super) span: Span,
    pub(super) commands: Vec<Command<'s>>,
}

/// A `COPY`, a `RUN`, or an `ONBUILD` of one.
#[derive(Debug)]
pub(super) struct Command<'s> {
    pub(super) span: Span,
    pub(super) sources: Vec<Source<'s>>,
    /// A trigger, and why a child build would refuse it.
    pub(super) trigger: Option<Result<(), String>>,
}

/// Something that BuildKit refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) span: Span,
    pub(super) code: ProblemCode,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn syntax(span: Span, message: impl Into<String>) -> Fault {
        Fault { span, code: ProblemCode::Syntax, message: message.into() }
    }

    /// What could not be expanded or split into words.
    pub(super) fn lex(span: Span, error: LexError) -> Fault {
        match error {
            LexError::Syntax(message) => Fault::syntax(span, message),
            LexError::Limit(message) => Fault { span, code: ProblemCode::Limit, message },
        }
    }
}

/// A file, read.
#[derive(Debug)]
pub(super) struct Text<'s> {
    pub(super) escape: u8,
    pub(super) declarations: Vec<Declaration<'s>>,
    /// Names of `ARG`s that stand only behind a `FROM`, where no `FROM` sees them.
    pub(super) late_arguments: Vec<Cow<'s, str>>,
    pub(super) stages: Vec<StageText<'s>>,
    pub(super) faults: Vec<Fault>,
    /// What `RUN`s command, when that is asked for.
    pub(super) scripts: Vec<Mapped>,
    /// How many faults there are beside those.
    pub(super) more_faults: usize,
}

impl Text<'_> {
    /// How many instructions and sources a reading of the stages goes through.
    pub(super) fn instructions(&self) -> usize {
        let commands = self.stages.iter().flat_map(|stage| &stage.commands);
        let sources: usize = commands.map(|command| command.sources.len().max(1)).sum();
        self.declarations.len() + self.stages.len() + sources
    }
}

/// How many faults of one file are noted; a file with more is no Dockerfile.
const MAX_FAULTS: usize = 100;
/// How many late arguments are remembered, for one sentence in a message.
const MAX_LATE_ARGUMENTS: usize = 1000;

/// How a file is read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mode {
    /// As frontends before 1.4 read it, who know no heredocs: their lines are
    /// instructions, and those among them that are none are passed over.
    pub(super) plain_heredocs: bool,
    /// What is no instruction is a line of a template's own.
    pub(super) template: bool,
    /// What `RUN`s command is wanted.
    pub(super) scripts: bool,
}

/// Reads a file.
pub(super) fn read(text: &str, mode: Mode) -> Text<'_> {
    let mut reader = Reader {
        text: Text {
            escape: b'\\',
            declarations: Vec::new(),
            late_arguments: Vec::new(),
            stages: Vec::new(),
            faults: Vec::new(),
            scripts: Vec::new(),
            more_faults: 0,
        },
        template: mode.template,
        template_told: false,
        early: false,
    };
    reader.run(text, mode);
    reader.text
}

/// Whether BuildKit reads on after the first instruction: it is `FROM` or
/// `ARG`. What a template's own line becomes is not known, so it may be.
pub(super) fn begins_build(text: &str) -> bool {
    let mut lines = Physical::new(text);
    let mut directives = Directives::new("#");
    let mut escape = b'\\';
    while let Some((start, physical)) = lines.next() {
        let (first, base) = begin(start, physical);
        if let Read::Directive(directive) = directives.read(first)
            && directive.name == Name::Escape
            && let [value] = directive.value.as_bytes()
        {
            escape = *value;
        }
        if first.is_empty() || first.starts_with('#') {
            continue;
        }
        let mut joined = Joined::default();
        let line = line::join(first, base, &mut lines, escape, &mut joined);
        return matches!(instruction::split(line.text, 0, escape).known, Some("from" | "arg"))
            || template::is_control_line(line.text);
    }
    false
}

/// A physical line without what stands around it, and where it then begins.
fn begin(start: usize, physical: &str) -> (&str, usize) {
    let mut first = line::trim_newline(physical);
    let mut skipped = 0;
    if start == 0
        && let Some(rest) = first.strip_prefix('\u{feff}')
    {
        skipped = first.len() - rest.len();
        first = rest;
    }
    let end = first.len();
    first = line::trim_start(first);
    (first, start + skipped + (end - first.len()))
}

struct Reader<'s> {
    text: Text<'s>,
    /// The file is a template.
    template: bool,
    /// A line of a template was told of.
    template_told: bool,
    /// An instruction before the first `FROM` was told of.
    early: bool,
}

impl<'s> Reader<'s> {
    fn run(&mut self, text: &'s str, mode: Mode) {
        let mut lines = Physical::new(text);
        let mut joined = Joined::default();
        let mut directives = Directives::new("#");
        // Where the heredocs end whose lines are read as instructions.
        let mut plain_until = 0;
        let mut instructions = 0_usize;
        while let Some((start, physical)) = lines.next() {
            let (first, base) = begin(start, physical);
            let span = Span::new(base, base + first.len());
            match directives.read(first) {
                Read::Directive(directive) if directive.name == Name::Escape => {
                    match directive.value.as_bytes() {
                        [escape @ (b'\\' | b'`')] => self.text.escape = *escape,
                        _ => self.fault(Fault::syntax(span, "the escape character can be `\\` or `` ` ``")),
                    }
                }
                Read::Repeated(name) => {
                    self.fault(Fault::syntax(span, format!("the directive `{name}` stands twice")));
                }
                Read::Directive(_) | Read::Done => {}
            }
            if first.is_empty() || first.starts_with('#') {
                continue;
            }
            let lenient = start < plain_until;
            let line = line::join(first, base, &mut lines, self.text.escape, &mut joined);
            instructions += 1;
            let parts = instruction::split(line.text, 0, self.text.escape);
            match instruction::read(&line, &parts, self.text.escape) {
                Ok(instruction) => self.add(instruction, line.whole(), lenient),
                Err(_) if lenient => {}
                Err(refused) => self.refuse(refused, line.text),
            }
            let command = if mode.scripts { instruction::command(&parts) } else { None };
            let heredocs = match heredoc::opened(&line, &parts, self.text.escape) {
                Ok(heredocs) => heredocs,
                Err(error) => {
                    self.fault(Fault::lex(line.whole(), error));
                    continue;
                }
            };
            if heredocs.is_empty() || lenient {
                self.script(&line, command);
                continue;
            }
            let mut body = Physical::new(text);
            body.skip_to(lines.offset());
            let terminated = heredocs.iter().all(|heredoc| skip(&mut body, heredoc));
            if mode.plain_heredocs {
                self.script(&line, command);
                plain_until = body.offset();
                continue;
            }
            let inner = &text[lines.offset()..body.offset()];
            if let Some(at) = command
                && (shell::may_hold_images(&line.text[at..]) || shell::may_hold_images(inner))
            {
                self.text.scripts.push(with_heredocs(line.mapped(at), inner, lines.offset()));
            }
            lines.skip_to(body.offset());
            lines.too_long = lines.too_long.or(body.too_long);
            if !terminated {
                let names: Vec<&str> = heredocs.iter().map(|heredoc| heredoc.terminator.as_str()).collect();
                self.fault(Fault::syntax(
                    line.whole(),
                    format!(
                        "the heredoc `{}` is not ended; the rest of the file belongs to it",
                        names.join("`, `")
                    ),
                ));
            }
        }
        if let Some(start) = lines.too_long {
            self.fault(Fault::syntax(
                Span::new(start, start),
                format!("a line is longer than {} bytes, which BuildKit refuses", MAX_LINE_BYTES - 1),
            ));
        }
        // An empty file builds nothing, and nothing can hide in it.
        if instructions > 0 && self.text.stages.is_empty() && self.text.faults.is_empty() {
            self.fault(Fault::syntax(Span::default(), "the file holds no FROM"));
        }
    }

    /// Keeps the command that begins at `at` of a line, if it may be one to look at.
    fn script(&mut self, line: &line::Line<'_, '_>, at: Option<usize>) {
        let Some(at) = at else { return };
        let command = &line.text[at..];
        // `"\u0064ocker"`
        let has_escapes = command.starts_with('[') && command.contains("\\u");
        if has_escapes || shell::may_hold_images(command) {
            self.text.scripts.push(line.mapped(at));
        }
    }

    fn add(&mut self, instruction: Instruction<'s>, span: Span, lenient: bool) {
        match instruction {
            Instruction::From { image, platform, name } => {
                self.text.stages.push(StageText {
                    image: Some(image),
                    platform,
                    name,
                    span,
                    commands: Vec::new(),
                });
            }
            Instruction::Arg(first, others) => {
                let pairs = std::iter::once(first).chain(others);
                if self.text.stages.is_empty() {
                    let declarations = pairs.map(|pair| Declaration { name: pair.name, value: pair.value });
                    self.text.declarations.extend(declarations);
                } else {
                    let free = MAX_LATE_ARGUMENTS.saturating_sub(self.text.late_arguments.len());
                    self.text.late_arguments.extend(pairs.take(free).map(|pair| pair.name.text));
                }
            }
            other => {
                let Some(stage) = self.text.stages.last_mut() else {
                    if !lenient && !std::mem::replace(&mut self.early, true) {
                        self.fault(Fault::syntax(
                            span,
                            "an instruction before the first FROM; only ARG can stand here",
                        ));
                    }
                    return;
                };
                match other {
                    Instruction::Reads(sources) if !sources.is_empty() => {
                        stage.commands.push(Command { span, sources, trigger: None });
                    }
                    Instruction::Onbuild(Ok(sources)) if !sources.is_empty() => {
                        stage.commands.push(Command { span, sources, trigger: Some(Ok(())) });
                    }
                    Instruction::Onbuild(Err(message)) => {
                        stage.commands.push(Command {
                            span,
                            sources: Vec::new(),
                            trigger: Some(Err(message)),
                        });
                    }
                    _ => {}
                }
            }
        }
    }

    fn refuse(&mut self, refused: instruction::Refused, text: &str) {
        if refused.template || (self.template && refused.unknown) {
            if !std::mem::replace(&mut self.template_told, true) {
                self.fault(Fault::syntax(
                    refused.span,
                    "a template's own lines are not evaluated: what they put into the Dockerfile is not seen",
                ));
            }
            return;
        }
        self.fault(Fault::syntax(refused.span, refused.message));
        // A broken FROM still begins a stage: what follows is not part of the last one.
        if text.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("from")) {
            self.text.stages.push(StageText {
                image: None,
                platform: None,
                name: None,
                span: refused.span,
                commands: Vec::new(),
            });
        }
    }

    fn fault(&mut self, fault: Fault) {
        if self.text.faults.len() < MAX_FAULTS {
            self.text.faults.push(fault);
        } else {
            self.text.more_faults += 1;
        }
    }
}

/// A command with its heredocs: what a shell gets, or where there is nothing but a
/// heredoc, that one.
fn with_heredocs(command: Mapped, body: &str, start: usize) -> Mapped {
    let body = Mapped::verbatim(body, start);
    let only = command.text().trim();
    if only.starts_with("<<") && !only.contains(['|', '>', ';', '&', ' ']) {
        // Its first line may name what reads it.
        let first = body.text().lines().next().unwrap_or("");
        let other = first.starts_with("#!")
            && !["sh", "bash", "ash", "dash"].iter().any(|shell| first.ends_with(shell));
        return if other { Mapped::default() } else { body };
    }
    let mut script = command;
    script.push_made("\n", Span::new(start, start));
    script.append(&body);
    script
}

/// Passes the lines of a heredoc and its terminator; `false` at the end of the file.
fn skip(lines: &mut Physical<'_>, heredoc: &Heredoc) -> bool {
    while let Some((_, physical)) = lines.next() {
        let mut line = line::trim_newline(physical);
        if heredoc.chomp {
            line = line.trim_start_matches('\t');
        }
        if line == heredoc.terminator {
            return true;
        }
    }
    false
}
