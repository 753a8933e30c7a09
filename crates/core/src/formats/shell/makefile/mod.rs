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
//! Functions are not evaluated, but `$(shell …)` is read as a script, and so is what others
//! may put into a recipe, where a tool is named in it.

mod text;

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use std::rc::Rc;

use memchr::memchr;

use self::text::Text;
use self::text::arguments;
use self::text::continued;
use self::text::logical_end;
use self::text::name_of;
use self::text::references;
use self::text::shortened;
use self::text::stands_alone;
use self::text::uncommented;
use super::Foreign;
use super::Script;
use crate::formats::Extracted;
use crate::formats::uses::Finder;
use crate::formats::value::MAX_MEMBERS;
use crate::formats::value::Value;
use crate::formats::value::product;
use crate::image::ImageUse;
use crate::source::Mapped;
use crate::source::ProblemCode;
use crate::source::Span;

/// How deep variables may name others.
const MAX_DEPTH: usize = 16;
/// How many bytes of variables may be put into one file: those that double themselves.
const MAX_PUT_BYTES: usize = 2 * 1024 * 1024;
/// What is said of a file where these limits matter.
const CUT: &str = "the variables of this Makefile name too many others, or are too large, to be put in \
                   everywhere";

/// The values that a variable may have, each where it is written.
type Definitions<'t> = HashMap<&'t str, Vec<Text<'t>>>;

/// A Makefile, taken apart.
#[derive(Default)]
struct Makefile<'t> {
    definitions: Definitions<'t>,
    /// Texts that a shell gets: recipes, `$(shell …)`.
    scripts: Vec<Text<'t>>,
}

/// What a line is that is no recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Definition,
    Rule,
    Other,
}

/// Reads a Makefile.
pub(super) fn read(finder: Finder<'_>, folders: &[&str], extracted: &mut Extracted) {
    let makefile = Makefile::read(finder.file.text());
    let local = RefCell::new(BTreeSet::new());
    let mut found = read_scripts(finder, folders, &makefile, &local);
    // What one recipe builds is local to the others, whatever their order.
    if !local.borrow().is_empty() {
        found = read_scripts(finder, folders, &makefile, &local);
    }
    merge(&mut found.uses);
    extracted.uses.append(&mut found.uses);
    extracted.builds.append(&mut found.builds);
    extracted.problems.append(&mut found.problems);
}

/// Reads what a shell gets.
fn read_scripts(
    finder: Finder<'_>,
    folders: &[&str],
    makefile: &Makefile<'_>,
    local: &RefCell<BTreeSet<String>>,
) -> Extracted {
    let mut found = Extracted::default();
    let reader = Reader {
        finder,
        makefile,
        left: Cell::new(MAX_PUT_BYTES),
        is_cut: Cell::new(false),
        open: RefCell::default(),
        values: RefCell::default(),
        is_whole: Cell::new(true),
        more: RefCell::default(),
        looked: RefCell::default(),
    };
    for script in &makefile.scripts {
        reader.more.borrow_mut().push(*script);
        loop {
            let Some(script) = reader.more.borrow_mut().pop() else { break };
            if !may_hold_images(script.text) {
                continue;
            }
            let (text, foreign) = reader.script(script);
            let script =
                Script { finder, text: &text, foreign: &foreign, environment: &|_| None, folders, local };
            super::read_any(&script, &mut found);
        }
    }
    if reader.is_cut.get() {
        found.problems.push(finder.problem(Span::default(), ProblemCode::Limit, CUT));
    }
    found
}

/// Whether a recipe may hold a command that names an image, itself or by a variable.
fn may_hold_images(script: &str) -> bool {
    script.contains("$(") || script.contains("${") || super::may_hold_images(script)
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
        let mut prefix = '\t';
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
            if in_define || (in_rule && line.starts_with(prefix)) {
                let body = line.strip_prefix(prefix).unwrap_or(line);
                makefile.scripts.push(Text::new(body, start + line.len() - body.len()));
                continue;
            }
            match word {
                "" => continue,
                word if word.starts_with('#') => continue,
                "ifeq" | "ifneq" | "ifdef" | "ifndef" => {
                    conditions += 1;
                    makefile.commands_of(line, start);
                }
                "endif" => conditions = conditions.saturating_sub(1),
                "else" | "include" | "-include" | "sinclude" => makefile.commands_of(line, start),
                "define" => in_define = true,
                ".RECIPEPREFIX" => {
                    let value = line.split_once('=').map_or("", |(_, value)| value.trim_start());
                    prefix = value.chars().next().unwrap_or('\t');
                    in_rule = false;
                }
                _ => {
                    let kind = makefile.define(line, start, conditions > 0);
                    in_rule = kind == Line::Rule;
                    match (kind, line.split_once(';')) {
                        (Line::Definition, _) => {}
                        // The rest of a rule behind `;` is a recipe.
                        (Line::Rule, Some((targets, recipe))) => {
                            makefile.commands_of(targets, start);
                            makefile.scripts.push(Text::new(recipe, start + line.len() - recipe.len()));
                        }
                        _ => makefile.commands_of(line, start),
                    }
                }
            }
        }
        makefile
    }

    /// Takes a definition in.
    fn define(&mut self, line: &'t str, start: usize, maybe: bool) -> Line {
        let no_definition = if line.contains(':') { Line::Rule } else { Line::Other };
        let Some(equals) = memchr(b'=', line.as_bytes()) else { return no_definition };
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
        let mut names =
            name.split_whitespace().filter(|word| !matches!(*word, "export" | "override" | "private"));
        let (Some(name), None) = (names.next(), names.next()) else { return no_definition };
        if name.contains(';') {
            return no_definition;
        }
        let value = line[equals + 1..].trim_start();
        let start = start + line.len() - value.len();
        let value = Text { text: uncommented(value), start, is_output: operator == '!' };
        // Other files may use it, and the command behind `!=` is run.
        self.scripts.push(value);
        if name.contains('$') {
            return Line::Definition;
        }
        let known = self.definitions.entry(name).or_default();
        if matches!(operator, '=' | '!') && !maybe && !specific {
            known.clear();
        }
        // One more than are told apart is enough.
        if (operator != '?' || known.is_empty() || maybe) && known.len() <= MAX_MEMBERS {
            known.push(value);
        }
        Line::Definition
    }

    /// The commands in the references of a line that is no recipe: those of `$(shell …)`.
    fn commands_of(&mut self, line: &'t str, start: usize) {
        for reference in references(line) {
            let text = &line[reference.clone()];
            if text.contains("$(shell ") && super::may_hold_images(text) {
                self.scripts.push(Text::new(text, start + reference.start));
            }
        }
    }
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
    /// Something was left out.
    is_cut: Cell<bool>,
    /// The variables that are being put in.
    open: RefCell<Vec<&'t str>>,
    /// What variables may be that were looked up.
    values: RefCell<HashMap<&'t str, Rc<Vec<Value>>>>,
    /// Whether nothing was left out of the variable that is being put together, and it does
    /// not name itself.
    is_whole: Cell<bool>,
    /// Texts that functions may put into recipes, and where those functions stand.
    more: RefCell<Vec<Text<'t>>>,
    looked: RefCell<HashSet<usize>>,
}

impl<'t> Reader<'_, 't> {
    /// Takes what something costs, as bytes, from what is left; whether anything is.
    fn spend(&self, work: usize) -> bool {
        let left = self.left.get().saturating_sub(work);
        self.left.set(left);
        if left == 0 {
            self.is_cut.set(true);
        }
        left > 0
    }

    /// A recipe as a shell gets it.
    fn script(&self, recipe: Text<'t>) -> (Mapped, Vec<Foreign>) {
        let mut put = Put::default();
        let body = recipe.text.trim_start_matches(['\t', ' ', '@', '-', '+']);
        let start = recipe.start + recipe.text.len() - body.len();
        self.put(Text::new(body, start), &mut put, 0);
        (put.text, put.foreign)
    }

    /// Appends a text with what its references stand for.
    fn put(&self, part: Text<'t>, put: &mut Put, depth: usize) {
        let mut at = 0;
        for found in references(part.text) {
            put.text.push_verbatim(&part.text[at..found.start], part.start + at);
            at = found.end;
            let reference = &part.text[found.clone()];
            let start = part.start + found.start;
            if reference == "$$" {
                put.text.push_verbatim("$", start + 1);
            } else if reference.len() == 1 {
                put.text.push_verbatim("$", start);
            } else if let Some(commands) = reference.strip_prefix("$(shell ") {
                // Its output is not known; its commands are.
                if depth >= MAX_DEPTH {
                    self.is_cut.set(true);
                    continue;
                }
                put.text.push_verbatim("$(", start);
                self.put(Text::new(commands, start + "$(shell ".len()), put, depth + 1);
            } else if let Some(words) =
                self.words(reference).filter(|_| stands_alone(part.text, found.start, found.end))
            {
                // A command, or a part of one: the images in it stand where it is defined.
                if depth >= MAX_DEPTH || !self.spend(words.text.len() + 1) {
                    self.is_cut.set(true);
                    self.put_value(reference, start, put);
                    continue;
                }
                let name = name_of(reference);
                self.open.borrow_mut().push(name);
                self.put(words, put, depth + 1);
                self.open.borrow_mut().pop();
            } else {
                self.put_value(reference, start, put);
                if reference.contains([' ', '\t']) {
                    self.look_into(Text::new(reference, start));
                }
            }
        }
        put.text.push_verbatim(&part.text[at..], part.start + at);
    }

    /// Appends what a reference stands for as an expression.
    fn put_value(&self, reference: &'t str, start: usize, put: &mut Put) {
        let from = put.text.text().len();
        put.text.push_verbatim(reference, start);
        let values = self.reference(reference, 0);
        let weight = |value: &Value| 32 + value.text().len() + 32 * value.via().len();
        let values = match self.spend(values.iter().map(weight).sum()) {
            true => values.to_vec(),
            false => vec![Value::unknown("the variables of this Makefile are too large")],
        };
        put.foreign.push(Foreign { range: from..put.text.text().len(), values });
    }

    /// What a function puts into a recipe may be a command.
    fn look_into(&self, function: Text<'t>) {
        if self.looked.borrow_mut().insert(function.start)
            && super::may_hold_images(function.text)
            && self.spend(function.text.len())
        {
            self.more.borrow_mut().extend(arguments(function));
        }
    }

    /// The definition of a variable that holds more than one word.
    fn words(&self, reference: &'t str) -> Option<Text<'t>> {
        let name = name_of(reference);
        let [definition] = self.makefile.definitions.get(name)?.as_slice() else { return None };
        let text = definition.text;
        let is_more = text.contains([' ', '\t', '&', '|', ';', '"', '\'', '<', '>', '`']);
        // What a function makes is a value, and not known.
        let is_function = text.starts_with('$')
            && matches!(references(text).as_slice(), [only] if *only == (0..text.len()));
        let is_open = self.open.borrow().contains(&name);
        (is_more && !is_function && !is_open && !definition.is_output).then_some(*definition)
    }

    /// What `$(name)` may be.
    fn reference(&self, reference: &'t str, depth: usize) -> Rc<Vec<Value>> {
        let name = name_of(reference);
        let unknown = |reason: String| Rc::new(vec![Value::unknown(reason)]);
        if name.len() == 1 && !name.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return unknown(format!("`{reference}` is known when make runs the rule"));
        }
        if name.contains([' ', ',', '$', ':']) {
            let function = name.split_whitespace().next().unwrap_or(name);
            let what = if function.contains('$') { reference } else { function };
            return unknown(format!("`{}` is not evaluated", shortened(what)));
        }
        let Some(definitions) = self.makefile.definitions.get(name) else {
            return unknown(format!("`{reference}` is not set in this Makefile"));
        };
        if let Some(values) = self.values.borrow().get(name) {
            return Rc::clone(values);
        }
        if self.open.borrow().contains(&name) {
            self.is_whole.set(false);
            return unknown(format!("`{reference}` names itself"));
        }
        if depth >= MAX_DEPTH || self.left.get() == 0 {
            self.is_cut.set(true);
            self.is_whole.set(false);
            return unknown(format!("`{reference}` names too many others"));
        }
        self.open.borrow_mut().push(name);
        let is_whole = self.is_whole.replace(true);
        let mut values: Vec<Value> = Vec::new();
        'definitions: for definition in definitions {
            let definition = definition.unquoted();
            let at =
                self.finder.location(Span::new(definition.start, definition.start + definition.text.len()));
            let what = format!("value of `{name}`");
            for value in self.expand(definition, depth + 1) {
                let value = value.placed(at.clone(), what.clone());
                if values.contains(&value) {
                    continue;
                }
                if values.len() == MAX_MEMBERS {
                    let reason = format!("more than {MAX_MEMBERS} values are not told apart");
                    values.push(Value::unknown(reason));
                    break 'definitions;
                }
                values.push(value);
            }
        }
        self.open.borrow_mut().pop();
        let values = Rc::new(values);
        if self.is_whole.get() {
            self.values.borrow_mut().insert(name, Rc::clone(&values));
        }
        self.is_whole.set(is_whole && self.is_whole.get());
        values
    }

    /// A value with the variables in it.
    fn expand(&self, definition: Text<'t>, depth: usize) -> Vec<Value> {
        if definition.is_output {
            return vec![Value::unknown("what the command prints is not known")];
        }
        let text = definition.text;
        let mut values = vec![Value::default()];
        let mut at = 0;
        for found in references(text) {
            let reference = &text[found.clone()];
            values = product(&values, &[Value::known(&*continued(&text[at..found.start]))]);
            at = found.end;
            let more = match reference {
                "$$" => Rc::new(vec![Value::known("$")]),
                _ => self.reference(reference, depth),
            };
            let weight = |values: &[Value]| values.iter().map(|value| 16 + value.text().len()).sum::<usize>();
            if !self.spend(values.len() * weight(&more) + more.len() * weight(&values)) {
                self.is_whole.set(false);
                return vec![Value::unknown("the variables of this Makefile are too large")];
            }
            values = product(&values, &more);
        }
        product(&values, &[Value::known(&*continued(&text[at..]))])
    }
}
