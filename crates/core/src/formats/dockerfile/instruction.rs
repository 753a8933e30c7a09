//! What an instruction says, as far as it can concern an image, and whether
//! BuildKit would take it. Knows no other instruction.
//!
//! After `frontend/dockerfile/parser/{parser,line_parsers}.go` and
//! `frontend/dockerfile/instructions/parse.go` of BuildKit 0.34:
//!
//! ```text
//! instruction := name { flag } arguments
//! FROM        := "FROM" [ "--platform=" word ] image [ "AS" stage ]
//! ARG         := "ARG" { name [ "=" word ] }
//! COPY        := "COPY" { "--from=" image | other flag } source… destination
//! RUN         := "RUN" { "--mount=" fields | other flag } command
//! ONBUILD     := "ONBUILD" instruction
//! ```

use std::borrow::Cow;
use std::fmt;

use memchr::memchr;
use memchr::memchr_iter;
use serde::Deserialize;
use serde::Deserializer;
use serde::de::Visitor;

use crate::source::Span;

use super::flags;
use super::flags::Flag;
use super::flags::FlagValue;
use super::flags::Kind;
use super::go;
use super::heredoc;
use super::lex;
use super::lex::Empty;
use super::lex::Mode;
use super::line;
use super::line::Line;
use super::mount;
use super::template;

/// The escape of a file without a directive for it: `DefaultEscapeToken`.
const DEFAULT_ESCAPE: u8 = b'\\';

/// A text and its place in the file, quotes excluded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word<'s> {
    /// The text as BuildKit gets it, quotes included.
    pub(super) text: Cow<'s, str>,
    pub(super) span: Span,
}

/// A `name` or `name=value` of `ARG`.
#[derive(Debug)]
pub(super) struct ArgPair<'s> {
    pub(super) name: Word<'s>,
    pub(super) value: Option<Word<'s>>,
}

/// An image or stage that a `COPY` or `RUN` reads from.
#[derive(Debug, Clone)]
pub(super) struct Source<'s> {
    pub(super) kind: SourceKind,
    /// The name; for a mount without `from` the empty image.
    pub(super) name: Cow<'s, str>,
    pub(super) span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SourceKind {
    /// `COPY --from=`: a number is an index.
    Copy,
    /// `RUN --mount=…,from=`.
    Mount,
    /// A mount without `from`.
    EmptyMount,
}

/// What an instruction says.
#[derive(Debug)]
pub(super) enum Instruction<'s> {
    From {
        image: Word<'s>,
        platform: Option<String>,
        /// In lower case, as BuildKit keeps it.
        name: Option<Cow<'s, str>>,
    },
    /// The first pair, which most are alone, and the others.
    Arg(ArgPair<'s>, Vec<ArgPair<'s>>),
    /// A `COPY` or `RUN`, with the sources of one command together.
    Reads(Vec<Source<'s>>),
    /// Sources that a child build reads, or why it would refuse.
    Onbuild(Result<Vec<Source<'s>>, String>),
    Other,
}

/// Why an instruction is refused.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) message: String,
    pub(super) span: Span,
    /// It begins with no instruction's name.
    pub(super) unknown: bool,
    /// It is a line of a template, not an instruction.
    pub(super) template: bool,
}

/// A line split into its name, flags and arguments.
pub(super) struct Parts<'l> {
    name: &'l str,
    /// The name in lower case, when it is that of an instruction.
    pub(super) known: Option<&'static str>,
    flags: Vec<Flag<'l>>,
    /// The arguments without space around them, and their offset in the line.
    pub(super) arguments: &'l str,
    at: usize,
}

fn trimmed(text: &str, at: usize) -> (&str, usize) {
    let start = line::trim_start(text);
    (line::trim_end(start), at + (text.len() - start.len()))
}

/// `splitCommand`, on `text` at offset `at` of the line.
pub(super) fn split<'l>(text: &'l str, at: usize, escape: u8) -> Parts<'l> {
    let (text, at) = trimmed(text, at);
    let bytes = text.as_bytes();
    let Some(name_end) = bytes.iter().position(|byte| go::is_separator(*byte)) else {
        let at = at + text.len();
        return Parts { name: text, known: known(text), flags: Vec::new(), arguments: "", at };
    };
    let name = &text[..name_end];
    let blanks = bytes[name_end..].iter().take_while(|byte| go::is_separator(**byte)).count();
    let rest = &text[name_end + blanks..];
    let base = at + name_end + blanks;
    // Most instructions have no flags.
    let (flags, start) = match rest.as_bytes().first() {
        Some(b'-') => flags::extract(rest, base, escape),
        Some(byte) if go::is_byte_space(*byte) || !byte.is_ascii() => flags::extract(rest, base, escape),
        _ => (Vec::new(), base),
    };
    let (arguments, at) = trimmed(&rest[start - base..], start);
    Parts { name, known: known(name), flags, arguments, at }
}

/// The instruction's name, in lower case, when it is one.
fn known(name: &str) -> Option<&'static str> {
    const LONGEST: usize = "healthcheck".len();
    let mut buffer = [0; LONGEST];
    let lower = match buffer.get_mut(..name.len()) {
        Some(lower) if name.is_ascii() => {
            lower.copy_from_slice(name.as_bytes());
            lower.make_ascii_lowercase();
            lower
        }
        _ => return known_lower(go::lower(name).as_bytes()),
    };
    known_lower(lower)
}

fn known_lower(name: &[u8]) -> Option<&'static str> {
    Some(match name {
        b"add" => "add",
        b"arg" => "arg",
        b"cmd" => "cmd",
        b"copy" => "copy",
        b"entrypoint" => "entrypoint",
        b"env" => "env",
        b"expose" => "expose",
        b"from" => "from",
        b"healthcheck" => "healthcheck",
        b"label" => "label",
        b"maintainer" => "maintainer",
        b"onbuild" => "onbuild",
        b"run" => "run",
        b"shell" => "shell",
        b"stopsignal" => "stopsignal",
        b"user" => "user",
        b"volume" => "volume",
        b"workdir" => "workdir",
        _ => return None,
    })
}

/// Where the command of a `RUN` begins, also as a trigger.
pub(super) fn command(parts: &Parts<'_>) -> Option<usize> {
    if parts.known == Some("onbuild") {
        let inner = split(parts.arguments, parts.at, DEFAULT_ESCAPE);
        return (inner.known == Some("run")).then_some(inner.at);
    }
    (parts.known == Some("run")).then_some(parts.at)
}

/// Whether a command is the list of its arguments, which no shell gets.
pub(super) fn is_exec_form(command: &str) -> bool {
    matches!(json(command), Ok(Json::Texts(_)))
}

/// Reads a whole line, which was split.
pub(super) fn read<'s>(
    line: &Line<'_, 's>,
    parts: &Parts<'_>,
    escape: u8,
) -> Result<Instruction<'s>, Refused> {
    let refuse = |message: String| Refused { message, span: line.whole(), unknown: false, template: false };
    let Some(name) = parts.known else {
        return Err(Refused {
            message: format!("unknown instruction `{}`", shortened(parts.name)),
            span: line.whole(),
            unknown: true,
            template: template::is_control_line(line.text),
        });
    };
    read_known(name, parts, line, escape, false).map_err(refuse)
}

/// A text for a message, cut where it gets long.
pub(super) fn shortened(text: &str) -> Cow<'_, str> {
    const MAX_CHARS: usize = 40;
    match text.char_indices().nth(MAX_CHARS) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    }
}

fn read_known<'s>(
    name: &'static str,
    parts: &Parts<'_>,
    line: &Line<'_, 's>,
    escape: u8,
    trigger: bool,
) -> Result<Instruction<'s>, String> {
    match name {
        "from" => from(parts, line),
        "arg" => arg(parts, line, escape),
        "copy" => copy(parts, line, escape),
        "run" => run(parts, line),
        "onbuild" if trigger => Err("`ONBUILD ONBUILD` is not allowed".to_owned()),
        "onbuild" => onbuild(parts, line, escape),
        _ => other(name, parts, escape).map(|()| Instruction::Other),
    }
}

/// The words of `parseStringsWhitespaceDelimited`, with their offsets.
fn separated(text: &str, at: usize) -> impl Iterator<Item = (&str, usize)> {
    let mut rest = text;
    let mut offset = at;
    let mut done = text.is_empty();
    std::iter::from_fn(move || {
        if done {
            return None;
        }
        let word_end = rest.bytes().position(go::is_separator);
        let (word, start) = (&rest[..word_end.unwrap_or(rest.len())], offset);
        match word_end {
            None => done = true,
            Some(end) => {
                let blanks = rest[end..].bytes().take_while(|byte| go::is_separator(*byte)).count();
                offset += end + blanks;
                rest = &rest[end + blanks..];
            }
        }
        Some((word, start))
    })
}

/// A word at an offset of the line; its span leaves a pair of quotes out that
/// goes around all of it.
fn word<'s>(text: &str, at: usize, line: &Line<'_, 's>) -> Word<'s> {
    let bytes = text.as_bytes();
    let quoted = bytes.len() >= 2
        && matches!(bytes[0], b'"' | b'\'')
        && bytes[bytes.len() - 1] == bytes[0]
        && memchr_iter(bytes[0], bytes).count() == 2;
    let inner = usize::from(quoted);
    Word { text: line.keep(at, at + text.len()), span: line.span(at + inner, at + text.len() - inner) }
}

fn from<'s>(parts: &Parts<'_>, line: &Line<'_, 's>) -> Result<Instruction<'s>, String> {
    const USAGE: &str = "FROM takes an image, or an image, `AS` and a name";
    let mut words: Vec<(&str, usize)> = separated(parts.arguments, parts.at).take(4).collect();
    let well_formed =
        |words: &[(&str, usize)]| words.len() == 1 || (words.len() == 3 && go::is_as(words[1].0));
    if !well_formed(&words) && parts.arguments.contains("{{") {
        words = template::separated(parts.arguments, parts.at);
    }
    if !well_formed(&words) {
        return Err(match words.get(1) {
            Some((comment, _)) if comment.starts_with('#') => {
                format!("{USAGE}; a comment cannot stand behind an instruction")
            }
            _ => USAGE.to_owned(),
        });
    }
    let name = match words.get(2) {
        None => None,
        Some((name, at)) => Some(stage_name(name, *at, line)?),
    };
    let mut given = flags::parse(&parts.flags, &[("platform", Kind::Text)])?;
    let platform = given.pop().and_then(|flag| flag.value).map(|value| value.text.into_owned());
    Ok(Instruction::From { image: word(words[0].0, words[0].1, line), platform, name })
}

/// `^[a-z][a-z0-9-_.]*$` of the name in lower case.
fn stage_name<'s>(name: &str, at: usize, line: &Line<'_, 's>) -> Result<Cow<'s, str>, String> {
    let lower = go::lower(name);
    let mut bytes = lower.bytes();
    let valid = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte));
    if !valid {
        return Err(format!(
            "`{}` is not a stage name: a letter, then letters, digits, `-`, `_`, `.`",
            shortened(name)
        ));
    }
    Ok(match lower {
        Cow::Borrowed(name) => line.keep(at, at + name.len()),
        Cow::Owned(name) => Cow::Owned(name),
    })
}

/// `parseWords`: words with their quotes and escapes; the offsets where each
/// begins and ends.
fn quoted_words(text: &str, escape: u8) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = text.len() - line::trim_start(&text[at..]).len();
        let (end, next) = word_end(text, start, escape);
        at = next;
        (start < end).then_some((start, end))
    })
}

/// Where the word that begins at `at` ends, and where to read on.
fn word_end(text: &str, mut at: usize, escape: u8) -> (usize, usize) {
    let bytes = text.as_bytes();
    let mut quote = None;
    loop {
        at += bytes[at..].iter().take_while(|byte| go::is_plain(**byte)).count();
        let Some(&byte) = bytes.get(at) else { return (at, at) };
        if quote.is_none() && is_space_at(text, at) {
            return (at, at);
        }
        if byte == escape && quote != Some(b'\'') {
            // An escape at the end is left out, and a word of nothing else with it.
            let Some(escaped) = text[at + 1..].chars().next() else { return (at, text.len()) };
            at += 1 + escaped.len_utf8();
            continue;
        }
        match quote {
            None if matches!(byte, b'\'' | b'"') => quote = Some(byte),
            Some(open) if open == byte => quote = None,
            _ => {}
        }
        at += 1;
    }
}

/// Whether a character of white space begins at `at`.
fn is_space_at(text: &str, at: usize) -> bool {
    let byte = text.as_bytes()[at];
    match byte.is_ascii() {
        true => matches!(byte, b'\t'..=b'\r' | b' '),
        false => text.get(at..).and_then(|rest| rest.chars().next()).is_some_and(char::is_whitespace),
    }
}

fn arg<'s>(parts: &Parts<'_>, line: &Line<'_, 's>, escape: u8) -> Result<Instruction<'s>, String> {
    let mut pairs = quoted_words(parts.arguments, escape)
        .map(|(start, end)| arg_pair(&parts.arguments[start..end], parts.at + start, line));
    let first = pairs.next().ok_or_else(|| "ARG needs a name".to_owned())??;
    Ok(Instruction::Arg(first, pairs.collect::<Result<_, String>>()?))
}

fn arg_pair<'s>(text: &str, at: usize, line: &Line<'_, 's>) -> Result<ArgPair<'s>, String> {
    let equals = memchr(b'=', text.as_bytes());
    let name_end = equals.unwrap_or(text.len());
    if name_end == 0 {
        return Err("ARG needs a name before `=`".to_owned());
    }
    let name = Word { text: line.keep(at, at + name_end), span: line.span(at, at + name_end) };
    let value = equals.map(|equals| word(&text[equals + 1..], at + equals + 1, line));
    Ok(ArgPair { name, value })
}

/// What JSON makes of arguments.
pub(super) enum Json {
    /// They are no JSON array.
    No,
    /// An array of this many texts.
    Texts(usize),
}

/// A JSON text, which need not be kept.
struct Text;

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        deserializer.deserialize_str(Text)
    }
}

impl Visitor<'_> for Text {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, _: &str) -> Result<Text, E> {
        Ok(self)
    }
}

/// `parseJSON`: an array of texts; an array of something else is an error.
pub(super) fn json(arguments: &str) -> Result<Json, String> {
    if !arguments.starts_with('[') || !arguments.ends_with(']') {
        return Ok(Json::No);
    }
    if let Ok(texts) = serde_json::from_str::<Vec<Text>>(arguments) {
        return Ok(Json::Texts(texts.len()));
    }
    match serde_json::from_str::<Vec<serde_json::Value>>(arguments) {
        Err(_) => Ok(Json::No),
        Ok(_) => Err("a JSON array of arguments may hold only texts".to_owned()),
    }
}

const COPY_FLAGS: &[(&str, Kind)] = &[
    ("chown", Kind::Text),
    ("from", Kind::Text),
    ("chmod", Kind::Text),
    ("link", Kind::Bool),
    ("exclude", Kind::Texts),
    ("parents", Kind::Bool),
];
const ADD_FLAGS: &[(&str, Kind)] = &[
    ("chown", Kind::Text),
    ("chmod", Kind::Text),
    ("link", Kind::Bool),
    ("keep-git-dir", Kind::Bool),
    ("checksum", Kind::Text),
    ("unpack", Kind::Bool),
    ("exclude", Kind::Texts),
];
const RUN_FLAGS: &[(&str, Kind)] =
    &[("mount", Kind::Texts), ("network", Kind::Text), ("security", Kind::Text), ("device", Kind::Texts)];
const HEALTHCHECK_FLAGS: &[(&str, Kind)] = &[
    ("interval", Kind::Text),
    ("timeout", Kind::Text),
    ("start-period", Kind::Text),
    ("start-interval", Kind::Text),
    ("retries", Kind::Text),
];

/// The arguments of `COPY` and `ADD`: at least a source and a destination.
fn check_paths(name: &str, parts: &Parts<'_>) -> Result<(), String> {
    let (count, last) = match json(parts.arguments)? {
        Json::Texts(count) => (count, None),
        Json::No => {
            let blank = parts.arguments.bytes().rposition(go::is_separator);
            let last = blank.map(|blank| &parts.arguments[blank + 1..]);
            (usize::from(!parts.arguments.is_empty()) + usize::from(last.is_some()), last)
        }
    };
    if count < 2 {
        return Err(format!("{name} takes at least a source and a destination"));
    }
    if last.is_some_and(|last| matches!(heredoc::word(last), Ok(Some(_)))) {
        return Err(format!("the destination of {name} cannot be a heredoc"));
    }
    Ok(())
}

fn copy<'s>(parts: &Parts<'_>, line: &Line<'_, 's>, escape: u8) -> Result<Instruction<'s>, String> {
    check_paths("COPY", parts)?;
    let given = flags::parse(&parts.flags, COPY_FLAGS)?;
    let from = given.into_iter().find(|flag| flag.name == "from").and_then(|flag| flag.value);
    let Some(from) = from.filter(|from| !from.text.is_empty()) else {
        return Ok(Instruction::Reads(Vec::new()));
    };
    // toCommand in dockerfile2llb/convert.go: what expands to something else is refused.
    let expanded =
        lex::expand(&from.text, Mode::expand(char::from(escape)), &mut Empty, &mut lex::Budget::default());
    if expanded.map_or(true, |value| value.text != from.text) {
        return Err(
            "`COPY --from=` takes no variables; name a stage with `FROM … AS` and copy from that".to_owned()
        );
    }
    let span = from.span(line);
    Ok(Instruction::Reads(vec![Source { kind: SourceKind::Copy, name: from.keep(line), span }]))
}

fn run<'s>(parts: &Parts<'_>, line: &Line<'_, 's>) -> Result<Instruction<'s>, String> {
    if parts.arguments.starts_with('[') {
        json(parts.arguments)?;
    }
    if parts.flags.is_empty() {
        return Ok(Instruction::Other);
    }
    let mut sources = Vec::new();
    let mut network = None;
    for flag in flags::parse(&parts.flags, RUN_FLAGS)? {
        let Some(value) = flag.value else { continue };
        match flag.name {
            "mount" => sources.push(mount_source(&value, line)?),
            "network" => network = Some(value.text),
            _ => {}
        }
    }
    if let Some(network) = network.filter(|mode| !matches!(&**mode, "default" | "none" | "host")) {
        return Err(format!("`{}` is not a network mode: default, none, host", shortened(&network)));
    }
    Ok(Instruction::Reads(sources))
}

fn mount_source<'s>(value: &FlagValue<'_>, line: &Line<'_, 's>) -> Result<Source<'s>, String> {
    Ok(match mount::from(value)? {
        Some(from) => {
            let span = from.span(line);
            Source { kind: SourceKind::Mount, name: from.keep(line), span }
        }
        None => Source { kind: SourceKind::EmptyMount, name: Cow::Borrowed(""), span: line.whole() },
    })
}

fn onbuild<'s>(parts: &Parts<'_>, line: &Line<'_, 's>, escape: u8) -> Result<Instruction<'s>, String> {
    if parts.arguments.is_empty() {
        return Err("ONBUILD needs an instruction".to_owned());
    }
    flags::parse(&parts.flags, &[])?;
    let inner = split(parts.arguments, parts.at, escape);
    let Some(name) = known(inner.name) else {
        return Ok(Instruction::Onbuild(Err(format!("unknown instruction `{}`", shortened(inner.name)))));
    };
    if matches!(name, "onbuild" | "from" | "maintainer") {
        return Err(format!("{} is not allowed as an ONBUILD trigger", name.to_uppercase()));
    }
    check_trigger(name, &inner, escape)?;
    // A child reads the trigger as a file of its own, without the directives of
    // this one; only what a COPY names is expanded with the escape of the child's
    // file, which is this one for the children that are known here.
    let trigger = split(parts.arguments, parts.at, DEFAULT_ESCAPE);
    let escape = if name == "copy" { escape } else { DEFAULT_ESCAPE };
    Ok(Instruction::Onbuild(read_known(name, &trigger, line, escape, true).map(|inner| match inner {
        Instruction::Reads(sources) => sources,
        _ => Vec::new(),
    })))
}

/// `parseNameVal`, and with `need_names` `parseKvps`: `name value`, or pairs with `=`.
fn check_pairs(name: &str, parts: &Parts<'_>, escape: u8, need_names: bool) -> Result<(), String> {
    let upper = || name.to_uppercase();
    let mut texts =
        quoted_words(parts.arguments, escape).map(|(start, end)| &parts.arguments[start..end]).peekable();
    if texts.peek().is_none_or(|first| memchr(b'=', first.as_bytes()).is_none()) {
        return match parts.arguments.bytes().any(go::is_separator) {
            true => Ok(()),
            false => Err(format!("{} needs a name and a value", upper())),
        };
    }
    texts.try_for_each(|word| match memchr(b'=', word.as_bytes()) {
        None => Err(format!("`{}` in {} has no `=`", shortened(word), upper())),
        Some(0) if need_names => Err(format!("{} needs a name before `=`", upper())),
        Some(_) => Ok(()),
    })
}

/// What is wrong with a trigger already where it stands: BuildKit takes it apart
/// there, and only the child build reads what it says.
fn check_trigger(name: &str, parts: &Parts<'_>, escape: u8) -> Result<(), String> {
    match name {
        "add" | "copy" | "cmd" | "entrypoint" | "run" | "shell" | "volume" => {
            json(parts.arguments).map(|_| ())
        }
        // An empty name is only the child build's to refuse.
        "env" | "label" if !parts.arguments.is_empty() => check_pairs(name, parts, escape, false),
        _ => Ok(()),
    }
}

/// The checks of the instructions that name no image.
fn other(name: &str, parts: &Parts<'_>, escape: u8) -> Result<(), String> {
    let upper = || name.to_uppercase();
    let no_flags = || flags::parse(&parts.flags, &[]).map(|_| ());
    let empty = parts.arguments.is_empty();
    match name {
        "env" | "label" => {
            no_flags()?;
            check_pairs(name, parts, escape, true)
        }
        "add" => {
            check_paths("ADD", parts)?;
            flags::parse(&parts.flags, ADD_FLAGS).map(|_| ())
        }
        "cmd" | "entrypoint" => {
            json(parts.arguments)?;
            no_flags()
        }
        "shell" => {
            no_flags()?;
            match json(parts.arguments)? {
                Json::Texts(1..) => Ok(()),
                _ => Err("SHELL takes a JSON array of texts".to_owned()),
            }
        }
        "healthcheck" => {
            let kind = parts.arguments.split_whitespace().next().unwrap_or("");
            let rest = parts.arguments[kind.len()..].trim_start();
            json(rest)?;
            match (kind.to_uppercase().as_str(), rest.is_empty()) {
                ("NONE", true) => Ok(()),
                ("NONE", false) => Err("HEALTHCHECK NONE takes no arguments".to_owned()),
                ("CMD", false) => flags::parse(&parts.flags, HEALTHCHECK_FLAGS).map(|_| ()),
                ("CMD", true) => Err("HEALTHCHECK CMD needs a command".to_owned()),
                _ => Err("HEALTHCHECK takes CMD or NONE".to_owned()),
            }
        }
        "stopsignal" if !empty => Ok(()),
        "volume" => match json(parts.arguments)? {
            Json::Texts(0) => Err("VOLUME needs an argument".to_owned()),
            _ if empty => Err("VOLUME needs an argument".to_owned()),
            _ => no_flags(),
        },
        _ if empty => Err(format!("{} needs an argument", upper())),
        _ => no_flags(),
    }
}
