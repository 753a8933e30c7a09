//! The values that a chart is rendered with: what stands in values files, each
//! scalar with its place, laid over each other as Helm does it.
//!
//! A scalar is what Helm's YAML reader makes of it, which is not what is written:
//! `tag: 1.10` is the number 1.1 (<https://helm.sh/docs/chart_best_practices/values/>).
//! Nothing here knows templates or images.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::formats::value::Value;
use crate::image::Via;
use crate::source::Location;
use crate::source::RepoPath;
use crate::source::Span;
use crate::yaml::Node;
use crate::yaml::Shape;
use crate::yaml::Style;
use crate::yaml::Visits;

/// How many values are read from one file, aliases followed.
const MAX_VALUES: usize = 300_000;
/// How deep values are read; the YAML reader has the same limit without aliases.
const MAX_DEPTH: usize = 100;
/// How deep values are nested in templates: files laid over each other and more.
const MAX_NESTED: usize = 2 * MAX_DEPTH;
/// The exponent from which on Go prints a number with it.
const PLAIN_EXPONENTS: i32 = 6;
/// How many keys of a path are shown.
const SHOWN_KEYS: usize = 8;

/// A value of a template.
#[derive(Debug, Clone)]
pub(super) enum Data {
    /// Nothing is there, and what would have to be.
    Absent(String),
    /// `true` or `false`.
    Bool(bool),
    /// A number that was computed.
    Number(i64),
    /// Text that was put together.
    Text(Value),
    /// A scalar of a file.
    Leaf(Rc<Leaf>),
    /// Items.
    List(Rc<List>),
    /// Keys and values.
    Map(Rc<Map>),
    /// Something that is not known, why, and of what it was made.
    Unknown(Value),
}

/// A scalar and where it stands.
#[derive(Debug)]
pub(super) struct Leaf {
    /// The text that a template prints.
    pub(super) text: String,
    /// What it is.
    pub(super) kind: Kind,
    /// Its bytes, quotes excluded.
    pub(super) at: Location,
    /// The keys that lead to it.
    pub(super) path: Path,
}

/// What a scalar is for Helm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text.
    Text,
    /// A number.
    Number,
    /// A truth value.
    Bool(bool),
}

/// Keys and values.
#[derive(Debug, Default)]
pub(super) struct Map {
    /// Sorted, as templates range over them.
    pub(super) entries: BTreeMap<String, Data>,
    /// Where it stands, when a file holds it.
    pub(super) at: Option<Location>,
    /// The keys that lead to it.
    pub(super) path: Path,
    size: Size,
}

/// Items.
#[derive(Debug, Default)]
pub(super) struct List {
    pub(super) items: Vec<Data>,
    size: Size,
}

/// How much a value holds, so that templates cannot pile values up without end.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    /// Values in it, counted as often as they stand there.
    values: usize,
    depth: usize,
}

impl Size {
    fn around<'d>(inner: impl Iterator<Item = &'d Data>) -> Size {
        inner.fold(Size { values: 1, depth: 1 }, |sum, data| {
            let inner = data.size();
            Size { values: sum.values.saturating_add(inner.values), depth: sum.depth.max(inner.depth + 1) }
        })
    }
}

/// The keys that lead to a value, innermost first.
#[derive(Debug, Clone, Default)]
pub(super) struct Path(Option<Rc<Step>>);

#[derive(Debug)]
struct Step {
    key: String,
    parent: Path,
}

impl Path {
    /// The path of an entry.
    pub(super) fn child(&self, key: &str) -> Path {
        Path(Some(Rc::new(Step { key: key.to_owned(), parent: self.clone() })))
    }

    /// Whether no key leads here.
    pub(super) fn is_root(&self) -> bool {
        self.0.is_none()
    }

    /// The last key; empty at the root.
    pub(super) fn key(&self) -> &str {
        self.0.as_ref().map_or("", |step| step.key.as_str())
    }

    /// The first key; empty at the root.
    pub(super) fn first(&self) -> &str {
        let mut first = "";
        let mut path = self;
        while let Some(step) = &path.0 {
            first = &step.key;
            path = &step.parent;
        }
        first
    }

    /// The path for people: `image.tag`.
    pub(super) fn shown(&self) -> String {
        let mut keys = Vec::new();
        let mut path = self;
        while let Some(step) = &path.0 {
            if keys.len() == SHOWN_KEYS {
                keys.push("…".to_owned());
                break;
            }
            keys.push(step.key.chars().take(40).collect());
            path = &step.parent;
        }
        keys.reverse();
        keys.join(".")
    }
}

impl Leaf {
    /// The text with its place.
    pub(super) fn value(&self) -> Value {
        let what = format!("`{}`", self.path.shown());
        let mut value = Value::known(self.text.clone()).placed(self.at.clone(), what.clone());
        value.note(Via { at: self.at.clone(), what });
        value
    }
}

impl Data {
    /// A text that stands where it is used.
    pub(super) fn text(text: impl Into<String>) -> Data {
        Data::Text(Value::known(text))
    }

    /// Something that is not known, and why.
    pub(super) fn unknown(reason: impl Into<String>) -> Data {
        Data::Unknown(Value::unknown(reason))
    }

    /// A mapping that no file holds.
    pub(super) fn map(entries: impl IntoIterator<Item = (String, Data)>) -> Data {
        Data::map_at(entries.into_iter().collect(), None, Path::default())
    }

    /// A mapping, where it stands, and the keys that lead to it.
    pub(super) fn map_at(entries: BTreeMap<String, Data>, at: Option<Location>, path: Path) -> Data {
        let size = Size::around(entries.values());
        match size.depth > MAX_NESTED {
            true => Data::unknown("values are nested too deep"),
            false => Data::Map(Rc::new(Map { entries, at, path, size })),
        }
    }

    /// Items.
    pub(super) fn list(items: Vec<Data>) -> Data {
        let size = Size::around(items.iter());
        match size.depth > MAX_NESTED {
            true => Data::unknown("values are nested too deep"),
            false => Data::List(Rc::new(List { items, size })),
        }
    }

    fn size(&self) -> Size {
        match self {
            Data::Map(map) => map.size,
            Data::List(list) => list.size,
            _ => Size { values: 1, depth: 0 },
        }
    }

    /// How many values it holds.
    pub(super) fn weight(&self) -> usize {
        self.size().values
    }

    /// The value of a key, when this is a mapping that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Data> {
        match self {
            Data::Map(map) => map.entries.get(key),
            _ => None,
        }
    }

    /// The value at a path of keys.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Data> {
        path.iter().try_fold(self, |data, key| data.get(key))
    }

    /// The text of a scalar with its place; not of what is missing or not known.
    pub(super) fn value(&self) -> Option<Value> {
        match self {
            Data::Text(value) => Some(value.clone()),
            Data::Leaf(leaf) => Some(leaf.value()),
            Data::Number(number) => Some(Value::known(number.to_string())),
            Data::Bool(bool) => Some(Value::known(bool.to_string())),
            _ => None,
        }
    }

    /// Whether templates take it for true; `None` when that is not known.
    pub(super) fn truth(&self) -> Option<bool> {
        match self {
            Data::Absent(_) => Some(false),
            Data::Bool(bool) => Some(*bool),
            Data::Number(number) => Some(*number != 0),
            Data::Text(value) if !value.text().is_empty() => Some(true),
            Data::Text(value) => value.is_known().then_some(false),
            Data::Leaf(leaf) => Some(match leaf.kind {
                Kind::Text => !leaf.text.is_empty(),
                Kind::Number => leaf.text.parse() != Ok(0.0),
                Kind::Bool(bool) => bool,
            }),
            Data::List(list) => Some(!list.items.is_empty()),
            Data::Map(map) => Some(!map.entries.is_empty()),
            Data::Unknown(_) => None,
        }
    }

    /// Notes in `value` where this comes from: the places of its scalar, or of
    /// the mapping that it is.
    pub(super) fn leave_traces(&self, value: &mut Value) {
        match self {
            Data::Text(other) | Data::Unknown(other) => {
                for via in other.via() {
                    value.note(via.clone());
                }
            }
            Data::Leaf(leaf) => {
                value.note(Via { at: leaf.at.clone(), what: format!("`{}`", leaf.path.shown()) });
            }
            Data::Map(map) if !map.path.is_root() => {
                if let Some(at) = &map.at {
                    value.note(Via { at: at.clone(), what: format!("`{}`", map.path.shown()) });
                }
            }
            _ => {}
        }
    }

    /// This with another one laid over it, as Helm lays values files over each
    /// other: mappings are merged, anything else replaces, null takes away.
    pub(super) fn overlaid(&self, over: &Data) -> Data {
        let (Data::Map(base), Data::Map(above)) = (self, over) else { return over.clone() };
        let mut entries = base.entries.clone();
        for (key, value) in &above.entries {
            let merged = match (entries.get(key), value) {
                (_, Data::Absent(_)) => {
                    entries.remove(key);
                    continue;
                }
                (Some(old), new) => old.overlaid(new),
                (None, new) => new.clone(),
            };
            entries.insert(key.clone(), merged);
        }
        let (at, path) = match &above.at {
            Some(at) => (Some(at.clone()), above.path.clone()),
            None => (base.at.clone(), base.path.clone()),
        };
        Data::map_at(entries, at, path)
    }
}

/// What was read from a file's values.
pub(super) struct Read {
    /// The values.
    pub(super) data: Data,
    /// Whether some were left out, since there are too many.
    pub(super) is_cut: bool,
}

/// The values that a node of `file` holds.
pub(super) fn read(file: &RepoPath, node: Node<'_>) -> Read {
    read_as(file, node, typed)
}

/// What stands in a `Chart.yaml`, whose scalars are texts: an integer is not printed
/// with an exponent.
pub(super) fn read_texts(file: &RepoPath, node: Node<'_>) -> Read {
    read_as(file, node, |text| match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => (text.to_owned(), Kind::Text),
        false => (typed(text).0, Kind::Text),
    })
}

fn read_as(file: &RepoPath, node: Node<'_>, typed: fn(&str) -> (String, Kind)) -> Read {
    let path = &Path::default();
    let mut reader = Reader { file, typed, visits: Visits::new(MAX_VALUES), is_cut: false };
    let data = reader.read(node, path, 0);
    Read { data, is_cut: reader.is_cut }
}

struct Reader<'f> {
    file: &'f RepoPath,
    typed: fn(&str) -> (String, Kind),
    visits: Visits,
    is_cut: bool,
}

impl Reader<'_> {
    fn read(&mut self, node: Node<'_>, path: &Path, depth: usize) -> Data {
        if depth > MAX_DEPTH || !self.visits.step() {
            self.is_cut = true;
            return Data::unknown("there are more values than are read");
        }
        let absent = || Data::Absent(format!("`{}` is null", path.shown()));
        let Some(node) = node.followed() else { return absent() };
        match node.shape() {
            _ if node.is_null() => absent(),
            Shape::Scalar(scalar) => {
                let tagged_text = node.tag().is_some_and(|tag| tag.text == "!!str");
                let plain = scalar.style == Style::Plain && !tagged_text;
                let (text, kind) =
                    if plain { (self.typed)(scalar.text) } else { (scalar.text.to_owned(), Kind::Text) };
                let at = Location { file: self.file.clone(), span: node.content_span() };
                Data::Leaf(Rc::new(Leaf { text, kind, at, path: path.clone() }))
            }
            Shape::Sequence(sequence) => {
                Data::list(sequence.items().map(|item| self.read(item, path, depth + 1)).collect())
            }
            Shape::Mapping(mapping) => {
                let mut entries = BTreeMap::new();
                for (key, value) in mapping.merged() {
                    let Some(scalar) = key.scalar() else { continue };
                    let name = match (self.typed)(scalar.text) {
                        (text, Kind::Bool(_)) if scalar.style == Style::Plain => text,
                        _ => scalar.text.to_owned(),
                    };
                    let value = self.read(value, &path.child(&name), depth + 1);
                    entries.insert(name, value);
                }
                let span = node.span();
                let at = Some(Location { file: self.file.clone(), span: Span::new(span.start, span.end) });
                Data::map_at(entries, at, path.clone())
            }
            Shape::Alias(_) => absent(),
        }
    }
}

/// What YAML 1.1 makes of a plain scalar, and how a template prints it.
fn typed(text: &str) -> (String, Kind) {
    match text {
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            return ("true".to_owned(), Kind::Bool(true));
        }
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return ("false".to_owned(), Kind::Bool(false));
        }
        _ => {}
    }
    match number(text) {
        Some(number) => (printed(number), Kind::Number),
        None => (text.to_owned(), Kind::Text),
    }
}

/// A number of YAML 1.1 (<https://yaml.org/type/int.html>, <https://yaml.org/type/float.html>)
/// as Helm holds every number.
fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    let whole = |digits: &str, radix: u32| i64::from_str_radix(&digits.replace('_', ""), radix).ok();
    let of_radix = |prefix: &str, radix: u32| digits.strip_prefix(prefix).and_then(|rest| whole(rest, radix));
    let is_octal = digits.len() > 1 && digits.starts_with('0');
    let found = of_radix("0x", 16)
        .or_else(|| of_radix("0o", 8))
        .or_else(|| of_radix("0b", 2))
        .or_else(|| if is_octal { of_radix("0", 8) } else { whole(digits, 10) });
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    if let Some(found) = found {
        return Some(sign * found as f64);
    }
    let is_float =
        digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-' | b'_'));
    text.replace('_', "").parse().ok().filter(|number: &f64| is_float && number.is_finite())
}

/// A number as Go prints it: the shortest text, with an exponent from a million on
/// (<https://pkg.go.dev/strconv#FormatFloat>, `g`).
fn printed(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..PLAIN_EXPONENTS).contains(&exponent) {
        return number.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}
