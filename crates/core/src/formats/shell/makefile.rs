//! Makefiles: the lines of recipes are scripts, after what make puts into them.
//!
//! After the manual of GNU make (<https://www.gnu.org/software/make/manual/make.html>,
//! 5 and 6), as far as variables are plain:
//!
//! ```text
//! file       := { definition | rule | recipe | other line }
//! definition := [ target ":" ] [ "export" | "override" | "private" ] name ("=" | ":=" | "::=" | "?=" | "+=") text
//! recipe     := TAB [ "@" | "-" | "+" ] text
//! reference  := "$(" name ")" | "${" name "}" | "$" character | "$$"
//! ```
//!
//! Functions are not evaluated, but `$(shell …)` is read as a script.

use std::borrow::Cow;
use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::collections::HashMap;

use memchr::memchr;

use super::Foreign;
use super::Script;
use crate::formats::Extracted;
use crate::formats::uses::Finder;
use crate::formats::value::MAX_MEMBERS;
use crate::formats::value::Value;
use crate::formats::value::product;
use crate::image::ImageUse;
use crate::source::Mapped;
use crate::source::Span;

/// How deep variables may name others.
const MAX_DEPTH: usize = 16;
/// How many bytes of variables may be put into one file: those that double themselves.
const MAX_PUT_BYTES: usize = 2 * 1024 * 1024;

/// The values that a variable may have, each where it is written.
type Definitions<'t> = HashMap<&'t str, Vec<Text<'t>>>;

/// A part of the file.
#[derive(Debug, Clone, Copy)]
struct Text<'t> {
    text: &'t str,
    start: usize,
}

impl<'t> Text<'t> {
    /// Without the quotes around all of it, which the shell would take away.
    fn unquoted(self) -> Text<'t> {
        let inner = ['"', '\''].into_iter().find_map(|quote| {
            let inner = self.text.strip_prefix(quote)?.strip_suffix(quote)?;
            (!inner.contains(['"', '\'', ' ', '\t', '\\'])).then_some(inner)
        });
        inner.map_or(self, |inner| Text { text: inner, start: self.start + 1 })
    }
}

/// A Makefile, taken apart.
#[derive(Default)]
struct Makefile<'t> {
    definitions: Definitions<'t>,
    /// Texts that a shell gets: recipes, `$(shell …)`.
    scripts: Vec<Text<'t>>,
}

/// Reads a Makefile.
pub(super) fn read(finder: Finder<'_>, folders: &[&str], extracted: &mut Extracted) {
    let makefile = Makefile::read(finder.file.text());
    let local = RefCell::new(BTreeSet::new());
    let reader = Reader { finder, makefile: &makefile, left: Cell::new(MAX_PUT_BYTES) };
    // What one recipe builds is local to the others, whatever their order.
    for found in [&mut Extracted::default(), extracted] {
        reader.left.set(MAX_PUT_BYTES);
        for script in &makefile.scripts {
            if !reader.may_hold_images(script) {
                continue;
            }
            let (text, foreign) = reader.script(*script);
            let script = Script {
                finder,
                text: &text,
                foreign: &foreign,
                environment: &|_| None,
                folders,
                local: &local,
            };
            super::read_any(&script, found);
        }
        merge(&mut found.uses);
    }
}

/// Makes one use of what several recipes find at the same place: in a variable.
fn merge(uses: &mut Vec<ImageUse>) {
    uses.sort_by_key(|usage| (usage.span, usage.role));
    uses.dedup_by(|next, first| {
        let same = next.span == first.span && next.role == first.role;
        if same {
            first.targets.append(&mut next.targets);
            first.targets.sort();
            first.targets.dedup();
            first.via.extend(next.via.drain(..).filter(|via| !first.via.contains(via)).collect::<Vec<_>>());
        }
        same
    });
}

impl<'t> Makefile<'t> {
    fn read(text: &'t str) -> Makefile<'t> {
        let mut makefile = Makefile::default();
        let mut at = 0;
        let mut in_rule = false;
        let mut conditions = 0_usize;
        let mut in_define = false;
        while at < text.len() {
            let start = at;
            at = logical_end(text, at);
            let line = text[start..at].trim_end_matches(['\n', '\r']);
            let bare = line.trim_start();
            let word = bare.split([' ', '\t', '(']).next().unwrap_or("");
            if in_define && word == "endef" {
                in_define = false;
                continue;
            }
            if in_define || (in_rule && line.starts_with('\t')) {
                makefile.scripts.push(Text { text: line, start });
                continue;
            }
            match word {
                "" => continue,
                word if word.starts_with('#') => continue,
                "ifeq" | "ifneq" | "ifdef" | "ifndef" => conditions += 1,
                "endif" => conditions = conditions.saturating_sub(1),
                "else" | "include" | "-include" | "sinclude" => {}
                "define" => in_define = true,
                _ => {
                    let (is_rule, specific) = makefile.define(line, start, conditions > 0);
                    in_rule = is_rule && !specific;
                    makefile.commands_of(line, start);
                }
            }
        }
        makefile
    }

    /// Takes a definition in; whether the line is a rule, and whether one with a
    /// variable of its own.
    fn define(&mut self, line: &'t str, start: usize, maybe: bool) -> (bool, bool) {
        let Some(equals) = memchr(b'=', line.as_bytes()) else { return (line.contains(':'), false) };
        let before = &line[..equals];
        let (name, operator) = match before.as_bytes().last() {
            Some(b'?') => (&before[..equals - 1], '?'),
            Some(b'+') => (&before[..equals - 1], '+'),
            Some(b'!') => (&before[..equals - 1], '!'),
            _ => (before.trim_end_matches(':'), '='),
        };
        let (specific, name) = match name.rsplit_once(':') {
            Some((_, name)) => (true, name),
            None => (false, name),
        };
        let name = name.split_whitespace().filter(|word| !matches!(*word, "export" | "override" | "private"));
        let name = match name.collect::<Vec<_>>().as_slice() {
            [name] => *name,
            _ => return (line.contains(':'), false),
        };
        if operator == '!' || name.contains('$') {
            return (specific, specific);
        }
        let value = line[equals + 1..].trim_start();
        let start = start + line.len() - value.len();
        let value = Text { text: uncommented(value), start };
        let known = self.definitions.entry(name).or_default();
        if operator == '=' && !maybe && !specific {
            known.clear();
        }
        if operator != '?' || known.is_empty() || maybe {
            known.push(value);
        }
        // Other files may use it.
        self.scripts.push(value);
        (specific, specific)
    }

    /// The commands of `$(shell …)` in a line that is no recipe.
    fn commands_of(&mut self, line: &'t str, start: usize) {
        for (at, _) in line.match_indices("$(shell ") {
            self.scripts
                .push(Text { text: &line[at..at + reference_length(&line[at..])], start: start + at });
        }
        // The rest of a rule behind `;` is a recipe.
        if let Some((_, recipe)) = line.split_once(';')
            && !line.contains('=')
        {
            self.scripts.push(Text { text: recipe, start: start + line.len() - recipe.len() });
        }
    }
}

/// Where a line ends that `\` goes on with, its newline included.
fn logical_end(text: &str, mut at: usize) -> usize {
    loop {
        let Some(length) = memchr(b'\n', &text.as_bytes()[at..]) else { return text.len() };
        let line = text[at..at + length].trim_end_matches('\r');
        at += length + 1;
        let slashes = line.len() - line.trim_end_matches('\\').len();
        if slashes.is_multiple_of(2) {
            return at;
        }
    }
}

/// A value without the comment behind it and the space in front of that.
fn uncommented(value: &str) -> &str {
    let end = value.find(" #").or_else(|| value.find("\t#")).unwrap_or(value.len());
    value[..end].trim_end()
}

/// A value as make has it: a line that goes on is joined to the next by a space.
fn continued(value: &str) -> Cow<'_, str> {
    match value.contains("\\\n") || value.contains("\\\r\n") {
        true => Cow::Owned(value.replace("\\\r\n", " ").replace("\\\n", " ")),
        false => Cow::Borrowed(value),
    }
}

/// How long the reference at the beginning is; 1 when it is none, or never ends.
fn reference_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (open, close) = match bytes.get(1) {
        Some(b'(') => (b'(', b')'),
        Some(b'{') => (b'{', b'}'),
        Some(_) => return 1 + text[1..].chars().next().map_or(0, char::len_utf8),
        None => return 1,
    };
    let mut depth = 0_usize;
    for (at, byte) in bytes.iter().enumerate().skip(1).take(MAX_REFERENCE_BYTES) {
        if *byte == open {
            depth += 1;
        } else if *byte == close {
            depth -= 1;
            if depth == 0 {
                return at + 1;
            }
        }
    }
    1
}

/// How far the end of a reference is looked for.
const MAX_REFERENCE_BYTES: usize = 4096;

/// What is between the parentheses of a reference.
fn name_of(reference: &str) -> &str {
    reference.trim_start_matches('$').trim_matches(['(', ')', '{', '}'])
}

/// Whether white space stands on both sides.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].chars().next_back();
    let after = text[end..].chars().next();
    before.is_none_or(char::is_whitespace) && after.is_none_or(char::is_whitespace)
}

/// A script that is being put together.
#[derive(Default)]
struct Put {
    text: Mapped,
    foreign: Vec<Foreign>,
}

struct Reader<'r, 't> {
    finder: Finder<'r>,
    makefile: &'r Makefile<'t>,
    left: Cell<usize>,
}

impl Reader<'_, '_> {
    /// Whether a recipe may hold a command that names an image, itself or by a variable.
    fn may_hold_images(&self, script: &Text<'_>) -> bool {
        script.text.contains("$(") || script.text.contains("${") || super::may_hold_images(script.text)
    }

    /// A recipe as a shell gets it.
    fn script(&self, recipe: Text<'_>) -> (Mapped, Vec<Foreign>) {
        let mut put = Put::default();
        let body = recipe.text.trim_start_matches(['\t', ' ', '@', '-', '+']);
        let start = recipe.start + recipe.text.len() - body.len();
        self.put(Text { text: body, start }, &mut put, 0);
        (put.text, put.foreign)
    }

    /// Appends a text with what its references stand for.
    fn put(&self, part: Text<'_>, put: &mut Put, depth: usize) {
        let mut at = 0;
        while let Some(length) = memchr(b'$', &part.text.as_bytes()[at..]) {
            put.text.push_verbatim(&part.text[at..at + length], part.start + at);
            at += length;
            let end = at + reference_length(&part.text[at..]);
            let reference = &part.text[at..end];
            let start = part.start + at;
            if reference == "$$" {
                put.text.push_verbatim("$", start + 1);
            } else if let (Some(commands), true) = (reference.strip_prefix("$(shell "), depth < MAX_DEPTH) {
                // Its output is not known; its commands are.
                put.text.push_verbatim("$(", start);
                self.put(Text { text: commands, start: start + "$(shell ".len() }, put, depth + 1);
            } else if reference.len() == 1 {
                put.text.push_verbatim("$", start);
            } else if let Some(words) =
                self.words(reference, depth).filter(|_| stands_alone(part.text, at, end))
            {
                // A command, or a part of one: the images in it stand where it is defined.
                self.left.set(self.left.get().saturating_sub(words.text.len() + 1));
                self.put(words, put, depth + 1);
            } else {
                let from = put.text.text().len();
                put.text.push_verbatim(reference, start);
                let values = self.reference(reference, 0);
                put.foreign.push(Foreign { range: from..put.text.text().len(), values });
            }
            at = end;
        }
        put.text.push_verbatim(&part.text[at..], part.start + at);
    }

    /// The definition of a variable that holds more than one word.
    fn words(&self, reference: &str, depth: usize) -> Option<Text<'_>> {
        let [definition] = self.makefile.definitions.get(name_of(reference))?.as_slice() else { return None };
        let is_more = definition.text.contains([' ', '\t', '&', '|', ';', '"', '\'', '<', '>', '`']);
        // What a function makes is a value, and not known.
        let is_function =
            definition.text.starts_with('$') && reference_length(definition.text) == definition.text.len();
        (is_more && !is_function && depth < MAX_DEPTH && self.left.get() > 0).then_some(*definition)
    }

    /// What `$(name)` may be.
    fn reference(&self, reference: &str, depth: usize) -> Vec<Value> {
        let name = name_of(reference);
        let unknown = |reason: String| vec![Value::unknown(reason)];
        if name.len() == 1 && !name.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return unknown(format!("`{reference}` is known when make runs the rule"));
        }
        if name.contains([' ', ',', '$', ':']) {
            let function = name.split_whitespace().next().unwrap_or(name);
            let what = if function.contains('$') { reference } else { function };
            return unknown(format!("`{what}` is not evaluated"));
        }
        let Some(definitions) = self.makefile.definitions.get(name) else {
            return unknown(format!("`{reference}` is not set in this Makefile"));
        };
        if depth >= MAX_DEPTH || self.left.get() == 0 {
            return unknown(format!("`{reference}` names too many others"));
        }
        let mut values: Vec<Value> = Vec::new();
        for definition in definitions.iter().take(MAX_MEMBERS) {
            let definition = definition.unquoted();
            let at =
                self.finder.location(Span::new(definition.start, definition.start + definition.text.len()));
            for value in self.expand(&continued(definition.text), depth + 1) {
                let value = value.placed(at.clone(), format!("value of `{name}`"));
                if values.len() < MAX_MEMBERS && !values.contains(&value) {
                    values.push(value);
                }
            }
        }
        values
    }

    /// A value with the variables in it.
    fn expand(&self, text: &str, depth: usize) -> Vec<Value> {
        let mut values = vec![Value::default()];
        let mut at = 0;
        while let Some(length) = memchr(b'$', &text.as_bytes()[at..]) {
            self.left.set(self.left.get().saturating_sub(16));
            let end = at + length + reference_length(&text[at + length..]);
            let reference = &text[at + length..end];
            values = product(&values, &[Value::known(&text[at..at + length])]);
            let more =
                if reference == "$$" { vec![Value::known("$")] } else { self.reference(reference, depth) };
            values = product(&values, &more);
            at = end;
            if self.left.get() == 0 {
                break;
            }
        }
        product(&values, &[Value::known(&text[at..])])
    }
}
