//! What an expression may stand for: text, a number, a list, an object, each with
//! the places that it came from; and the rules of the language for telling such
//! values apart and making text of them.
//!
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/expressions>.
//! Plain YAML scalars are typed as the runner types them: `3.10` is the number 3.1.

use std::hash::Hash;
use std::hash::Hasher;
use std::rc::Rc;

use crate::formats::value::Value;
use crate::source::Location;
use crate::source::SourceFile;
use crate::yaml::Node;
use crate::yaml::Shape;
use crate::yaml::Style;
use crate::yaml::Visits;

use super::expression;

/// How deep lists and objects are looked into.
const MAX_DEPTH: usize = 16;

/// One member of what an expression may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Scalar(Type, Value),
    List(Rc<[Item]>),
    Map(Rc<[(String, Item)]>),
    /// Text with expressions in it, to be evaluated where it is asked for.
    Template(Rc<Template>),
}

/// What kind of scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Type {
    Null,
    Bool,
    Number,
    Text,
}

/// Text with expressions, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    pub(super) text: String,
    pub(super) at: Location,
    /// What stands there, for people.
    pub(super) what: String,
}

impl Hash for Item {
    /// By scalars, and how many entries there are: nearly always that tells items apart.
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Item::Scalar(kind, value) => (kind, value).hash(state),
            Item::List(items) => items.len().hash(state),
            Item::Map(entries) => entries.len().hash(state),
            Item::Template(template) => template.text.hash(state),
        }
    }
}

impl Item {
    pub(super) fn null() -> Item {
        Item::Scalar(Type::Null, Value::default())
    }

    pub(super) fn bool(value: bool) -> Item {
        Item::Scalar(Type::Bool, Value::known(if value { "true" } else { "false" }))
    }

    pub(super) fn text(text: impl Into<String>) -> Item {
        Item::Scalar(Type::Text, Value::known(text))
    }

    /// Something that is not known, and why.
    pub(super) fn unknown(reason: impl Into<String>) -> Item {
        Item::Scalar(Type::Text, Value::unknown(reason))
    }

    /// What a node of a file says; `what` it is, for people.
    pub(super) fn from_node(node: Node<'_>, file: &SourceFile, what: &str, visits: &mut Visits) -> Item {
        Item::read(node, file, what, visits, 0)
    }

    fn read(node: Node<'_>, file: &SourceFile, what: &str, visits: &mut Visits, depth: usize) -> Item {
        if depth > MAX_DEPTH || !visits.step() {
            return Item::unknown(format!("{what} is too large to be followed"));
        }
        let Some(node) = node.followed() else { return Item::null() };
        let mut inner = |node, what: &str| Item::read(node, file, what, visits, depth + 1);
        match node.shape() {
            Shape::Scalar(scalar) => {
                let at = Location { file: file.path().clone(), span: node.content_span() };
                if expression::has_expression(scalar.text) {
                    let template = Template { text: scalar.text.to_owned(), at, what: what.to_owned() };
                    return Item::Template(Rc::new(template));
                }
                let (kind, text) = typed(scalar.text, scalar.style);
                Item::Scalar(kind, Value::known(text).placed(at, what))
            }
            Shape::Sequence(sequence) => Item::List(sequence.items().map(|item| inner(item, what)).collect()),
            Shape::Mapping(mapping) => Item::Map(
                mapping
                    .merged()
                    .into_iter()
                    .map(|(key, value)| (key.text().unwrap_or("").to_owned(), inner(value, what)))
                    .collect(),
            ),
            Shape::Alias(_) => Item::null(),
        }
    }

    /// What JSON text says; everything came from where the text did.
    pub(super) fn from_json(
        json: &serde_json::Value,
        source: &Value,
        visits: &mut Visits,
        depth: usize,
    ) -> Item {
        if depth > MAX_DEPTH || !visits.step() {
            return Item::unknown("a JSON text is too large to be followed");
        }
        match json {
            serde_json::Value::Null => Item::null(),
            serde_json::Value::Bool(value) => Item::Scalar(Type::Bool, source.derived(value.to_string())),
            serde_json::Value::Number(value) => {
                Item::Scalar(Type::Number, source.derived(number_text(&value.to_string())))
            }
            serde_json::Value::String(text) => Item::Scalar(Type::Text, source.derived(text.clone())),
            serde_json::Value::Array(items) => Item::List(
                items.iter().map(|item| Item::from_json(item, source, visits, depth + 1)).collect(),
            ),
            serde_json::Value::Object(entries) => Item::Map(
                entries
                    .iter()
                    .map(|(key, value)| (key.clone(), Item::from_json(value, source, visits, depth + 1)))
                    .collect(),
            ),
        }
    }

    /// The member of an object by its name, in any case; null when there is none.
    pub(super) fn member(&self, name: &str) -> Item {
        match self {
            Item::Map(entries) => entries
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map_or_else(Item::null, |(_, item)| item.clone()),
            Item::List(items) => name
                .parse::<usize>()
                .ok()
                .and_then(|index| items.get(index).cloned())
                .unwrap_or_else(Item::null),
            Item::Scalar(_, value) if !value.is_known() => self.clone(),
            Item::Scalar(..) => Item::null(),
            Item::Template(_) => Item::unknown("an expression inside an expression"),
        }
    }

    /// Whether it counts as true; nothing when that is not known.
    pub(super) fn truth(&self) -> Option<bool> {
        match self {
            Item::Scalar(_, value) if !value.is_known() => (!value.text().is_empty()).then_some(true),
            Item::Scalar(Type::Null, _) => Some(false),
            Item::Scalar(Type::Bool, value) => Some(value.text() == "true"),
            Item::Scalar(Type::Number, value) => {
                Some(number(value.text()).is_some_and(|number| number != 0.0 && !number.is_nan()))
            }
            Item::Scalar(Type::Text, value) => Some(!value.text().is_empty()),
            Item::List(_) | Item::Map(_) => Some(true),
            Item::Template(_) => None,
        }
    }

    /// The text that it becomes inside a string.
    pub(super) fn into_text(self) -> Value {
        match self {
            Item::Scalar(_, value) => value,
            Item::List(_) => Value::unknown("it is a list, not text"),
            Item::Map(_) => Value::unknown("it is an object, not text"),
            Item::Template(template) => Value::unknown(format!("{} is not evaluated here", template.what)),
        }
    }

    /// Whether two are equal by `==`; nothing when that is not known.
    pub(super) fn equals(&self, other: &Item) -> Option<bool> {
        match (self, other) {
            (Item::Scalar(_, value), _) | (_, Item::Scalar(_, value)) if !value.is_known() => None,
            (Item::Template(_), _) | (_, Item::Template(_)) => None,
            (Item::Scalar(a, left), Item::Scalar(b, right)) if a == b && *a != Type::Number => {
                Some(left.text().eq_ignore_ascii_case(right.text()))
            }
            (Item::Scalar(..), Item::Scalar(..)) => Some(self.number() == other.number()),
            // Two lists are equal only when they are the same one.
            _ => Some(false),
        }
    }

    /// Whether two matrix values are the same, by their content.
    pub(super) fn same(&self, other: &Item) -> bool {
        match (self, other) {
            (Item::List(left), Item::List(right)) => {
                left.len() == right.len() && left.iter().zip(right.iter()).all(|(a, b)| a.same(b))
            }
            (Item::Map(left), Item::Map(right)) => {
                left.len() == right.len() && left.iter().all(|(key, a)| a.same(&other.member(key))) && {
                    right.iter().all(|(key, _)| left.iter().any(|(name, _)| name.eq_ignore_ascii_case(key)))
                }
            }
            (Item::Template(a), Item::Template(b)) => a == b,
            // `3.10` is not `'3.10'` here: what is told apart hides nothing.
            (Item::Scalar(a, left), Item::Scalar(b, right)) => {
                a == b && left.is_known() && right.is_known() && left.text() == right.text()
            }
            _ => false,
        }
    }

    /// The number that it counts as; NaN for what is none.
    pub(super) fn number(&self) -> f64 {
        match self {
            Item::Scalar(Type::Null, _) => 0.0,
            Item::Scalar(Type::Bool, value) => f64::from(u8::from(value.text() == "true")),
            Item::Scalar(_, value) if value.text().trim().is_empty() => 0.0,
            Item::Scalar(_, value) => number(value.text().trim()).unwrap_or(f64::NAN),
            _ => f64::NAN,
        }
    }
}

/// The type of a YAML scalar, and its text as the runner has it.
fn typed(text: &str, style: Style) -> (Type, String) {
    match (style, text) {
        (Style::Absent, _) | (Style::Plain, "~" | "null" | "Null" | "NULL" | "") => {
            (Type::Null, String::new())
        }
        (Style::Plain, "true" | "True" | "TRUE") => (Type::Bool, "true".to_owned()),
        (Style::Plain, "false" | "False" | "FALSE") => (Type::Bool, "false".to_owned()),
        (Style::Plain, text) if number(text).is_some() => (Type::Number, number_text(text)),
        (_, text) => (Type::Text, text.to_owned()),
    }
}

/// A number as JSON, YAML and the expression language write it.
pub(super) fn number(text: &str) -> Option<f64> {
    let digits = text.trim_start_matches(['+', '-']);
    if text.len() - digits.len() > 1 {
        return None;
    }
    let radix =
        |prefix: &str, radix| Some(i64::from_str_radix(text.strip_prefix(prefix)?, radix).ok()? as f64);
    if let Some(number) = radix("0x", 16).or_else(|| radix("0o", 8)) {
        return Some(number);
    }
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        || !digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'))
    {
        return None;
    }
    text.parse().ok()
}

/// How the runner writes a number: fifteen digits, no zeros at the end.
fn number_text(text: &str) -> String {
    match number(text) {
        Some(number) if number == 0.0 || (1e-5..1e15).contains(&number.abs()) => {
            let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
            if rounded == 0.0 { "0".to_owned() } else { rounded.to_string() }
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_scalars_as_the_runner_does() {
        let plain = |text| typed(text, Style::Plain);
        assert_eq!(plain("3.10"), (Type::Number, "3.1".to_owned()));
        assert_eq!(plain("18"), (Type::Number, "18".to_owned()));
        assert_eq!(plain("1e3"), (Type::Number, "1000".to_owned()));
        assert_eq!(plain("0x1F"), (Type::Number, "31".to_owned()));
        assert_eq!(plain("3.10.1"), (Type::Text, "3.10.1".to_owned()));
        assert_eq!(plain("12-alpine"), (Type::Text, "12-alpine".to_owned()));
        assert_eq!(plain("1-2"), (Type::Text, "1-2".to_owned()));
        assert_eq!(typed("3.10", Style::DoubleQuoted), (Type::Text, "3.10".to_owned()));
        assert_eq!(plain("True"), (Type::Bool, "true".to_owned()));
    }

    #[test]
    fn compares_loosely() {
        let number = |text: &str| Item::Scalar(Type::Number, Value::known(text));
        assert_eq!(Item::text("A").equals(&Item::text("a")), Some(true));
        assert_eq!(number("1").equals(&Item::text("1")), Some(true));
        assert_eq!(Item::null().equals(&Item::text("")), Some(true));
        assert_eq!(Item::bool(true).equals(&Item::text("true")), Some(false));
        assert_eq!(Item::unknown("x").equals(&Item::text("a")), None);
    }
}
