//! Variables in a text: `$NAME`, `${NAME}`, `$$`, and inputs, `$[[ inputs.name ]]`.
//!
//! <https://docs.gitlab.com/ci/variables/where_variables_can_be_used/>,
//! <https://docs.gitlab.com/ci/inputs/>. What the files do not set is not known: it may
//! be a setting of the project, and GitLab's own are known only when a job runs.

use std::cell::Cell;

use crate::formats::value::Value;
use crate::formats::value::product;
use crate::source::Location;
use crate::yaml::Node;
use crate::yaml::Style;

use super::pipeline::Found;
use super::pipeline::Name;
use super::pipeline::Pipeline;

/// How often a variable may refer to another.
const MAX_LEVEL: usize = 16;

/// Why something is not known that took too long.
const TOO_MANY: &str = "the variables of these files have more values than are followed";

/// The variables that are being expanded, innermost first.
#[derive(Clone, Copy)]
struct Trail<'t> {
    name: &'t str,
    outer: Option<&'t Trail<'t>>,
}

impl Trail<'_> {
    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self), |trail| trail.outer).map(|trail| trail.name)
    }
}

/// The variables that one way to run a job sets on top of the others.
pub(super) type World<'p> = Vec<(&'p str, Found<'p>)>;

/// What a text is evaluated with.
pub(super) struct Scope<'s, 'p> {
    pub(super) pipeline: &'s Pipeline<'p>,
    /// The job and its templates.
    pub(super) chain: &'s [Name],
    pub(super) world: &'s [(&'p str, Found<'p>)],
    /// How many steps the evaluation of a file may still take.
    pub(super) steps: &'s Cell<usize>,
}

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'t> {
    Text(&'t str),
    Variable(&'t str),
    Input(&'t str),
}

/// Whether a text holds a variable or an input.
pub(super) fn has_variable(text: &str) -> bool {
    text.contains('$')
}

impl<'p> Scope<'_, 'p> {
    /// Every value of a text of a file.
    pub(super) fn expand(&self, text: &str, part: usize) -> Vec<Value> {
        self.expand_at(text, part, None)
    }

    fn expand_at(&self, text: &str, part: usize, trail: Option<&Trail<'_>>) -> Vec<Value> {
        let mut members = vec![Value::default()];
        for piece in pieces(text) {
            let next = match piece {
                Piece::Text(text) => vec![Value::known(text)],
                Piece::Variable(name) => self.variable_at(name, trail),
                Piece::Input(name) => self.input(name, part, trail),
            };
            if !self.spend(members.len() * next.len()) {
                return vec![Value::unknown(TOO_MANY)];
            }
            members = product(&members, &next);
        }
        members
    }

    /// Takes steps; `false` when there are not so many left.
    fn spend(&self, cost: usize) -> bool {
        let left = self.steps.get();
        self.steps.set(left.saturating_sub(cost));
        left >= cost
    }

    /// Whether the files, or GitLab, set a variable.
    pub(super) fn is_set(&self, name: &str) -> bool {
        is_predefined(name)
            || self.world.iter().any(|(known, _)| *known == name)
            || !self.pipeline.variable(self.chain, name).is_empty()
            || self.pipeline.passed.iter().any(|(known, _)| known == name)
    }

    /// Every value of a variable.
    pub(super) fn variable(&self, name: &str) -> Vec<Value> {
        self.variable_at(name, None)
    }

    fn variable_at(&self, name: &str, outer: Option<&Trail<'_>>) -> Vec<Value> {
        let trail = Trail { name, outer };
        if trail.names().skip(1).any(|open| open == name) {
            return vec![Value::unknown(format!("`{name}` refers to itself"))];
        }
        let level = trail.names().count();
        // Every level notes its place in what it leads to.
        if !self.spend(level) {
            return vec![Value::unknown(TOO_MANY)];
        }
        if level > MAX_LEVEL {
            return vec![Value::unknown(format!("`{name}` leads through too many others"))];
        }
        let set = self.world.iter().rev().find(|(known, _)| *known == name);
        let definitions = match set {
            Some((_, found)) => vec![*found],
            None => self.pipeline.variable(self.chain, name),
        };
        let mut members = Vec::new();
        if let Some((_, passed)) = self.pipeline.passed.iter().find(|(known, _)| known == name) {
            members.extend(passed.iter().cloned());
        }
        for found in definitions {
            for value in self.values_of(found, &trail) {
                if !members.contains(&value) {
                    members.push(value);
                }
            }
        }
        if members.is_empty() {
            members.push(Value::unknown(reason(name)));
        }
        members
    }

    /// The values of one definition: text, or `value` and `options`.
    fn values_of(&self, found: Found<'p>, trail: &Trail<'_>) -> Vec<Value> {
        let name = trail.name;
        let Some(mapping) = found.node.map() else {
            if found.node.text().is_none() {
                let value = Value::unknown(format!("what `{name}` refers to is not in these files"));
                return vec![self.placed(value, name, found.part, found.node)];
            }
            return self.value_at(found.part, found.node, trail);
        };
        let raw = mapping.find("expand").and_then(Node::text) == Some("false");
        let value = mapping.find("value");
        let options = mapping.find("options").into_iter().flat_map(Node::list);
        let mut members = Vec::new();
        for node in value.into_iter().chain(options) {
            let values = match raw {
                true => vec![self.placed(Value::known(text_of(node)), name, found.part, node)],
                false => self.value_at(found.part, node, trail),
            };
            for value in values {
                if !members
                    .iter()
                    .any(|known: &Value| known.text() == value.text() && known.reason() == value.reason())
                {
                    members.push(value);
                }
            }
        }
        members
    }

    fn value_at(&self, part: usize, node: Node<'p>, trail: &Trail<'_>) -> Vec<Value> {
        let values = self.expand_at(&text_of(node), part, Some(trail));
        values.into_iter().map(|value| self.placed(value, trail.name, part, node)).collect()
    }

    fn placed(&self, value: Value, name: &str, part: usize, node: Node<'p>) -> Value {
        let file = self.pipeline.loaded.parts[part].file.path().clone();
        value.placed(Location { file, span: node.content_span() }, format!("`{name}`"))
    }

    /// Every value of an input: its default, its options, what includes give.
    fn input(&self, name: &str, part: usize, outer: Option<&Trail<'_>>) -> Vec<Value> {
        // No name of a variable holds a space.
        let own = format!("the input {name}");
        let trail = Trail { name: &own, outer };
        if trail.names().skip(1).any(|open| open == own) {
            return vec![Value::unknown(format!("the input `{name}` refers to itself"))];
        }
        let file = &self.pipeline.loaded.parts[part];
        let declared = file.spec().and_then(|spec| spec.at(&[name]));
        let default = declared.and_then(|input| input.at(&["default"]));
        let options = declared.and_then(|input| input.at(&["options"])).into_iter().flat_map(Node::list);
        let mut members: Vec<Value> = Vec::new();
        for node in default.into_iter().chain(options) {
            let at = Location { file: file.file.path().clone(), span: node.content_span() };
            // A default may name variables, which are put in afterwards.
            for value in self.expand_at(&text_of(node), part, Some(&trail)) {
                let value = value.placed(at.clone(), format!("default of the input `{name}`"));
                if !members.iter().any(|known| known.text() == value.text()) {
                    members.push(value);
                }
            }
        }
        for (_, value) in file.given.iter().filter(|(given, _)| given == name) {
            if !members.contains(value) {
                members.push(value.clone());
            }
        }
        if members.is_empty() {
            members.push(Value::unknown(format!(
                "the input `{name}` has no default, and nothing in this repository gives it"
            )));
        }
        members
    }
}

/// Whether GitLab sets a variable.
fn is_predefined(name: &str) -> bool {
    name.starts_with("CI_") || name.starts_with("GITLAB_")
}

/// Why a variable is not known.
fn reason(name: &str) -> String {
    match name {
        "CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX" | "CI_DEPENDENCY_PROXY_DIRECT_GROUP_IMAGE_PREFIX" => {
            format!(
                "`{name}` is GitLab's dependency proxy, which passes on images of Docker Hub; its address is known only when the job runs"
            )
        }
        name if is_predefined(name) => {
            format!("GitLab sets `{name}` when the job runs")
        }
        name => format!("`{name}` is not set in these files; it may be a setting of the project"),
    }
}

/// The text of a scalar as GitLab's reader of YAML has it: `3.10` is the number 3.1.
fn text_of(node: Node<'_>) -> String {
    let Some(scalar) = node.followed().and_then(Node::scalar) else { return String::new() };
    if node.is_null() {
        return String::new();
    }
    let text = scalar.text;
    let is_decimal = scalar.style == Style::Plain
        && text.split_once('.').is_some_and(|(whole, part)| {
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits(whole.trim_start_matches(['+', '-'])) && digits(part)
        });
    if !is_decimal {
        return text.to_owned();
    }
    let short = text.trim_end_matches('0');
    if short.ends_with('.') { format!("{short}0") } else { short.to_owned() }
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        if at > 0 {
            pieces.push(Piece::Text(&rest[..at]));
        }
        let after = &rest[at + 1..];
        let name_length = |text: &str| {
            text.find(|char: char| !(char.is_ascii_alphanumeric() || char == '_')).unwrap_or(text.len())
        };
        let (piece, length) = if let Some(inner) = after.strip_prefix("[[") {
            match inner.find("]]") {
                Some(end) => (input(&inner[..end]), 2 + end + 2),
                None => (Piece::Text("$"), 0),
            }
        } else if let Some(inner) = after.strip_prefix('{') {
            match name_length(inner) {
                length if length > 0 && inner[length..].starts_with('}') => {
                    (Piece::Variable(&inner[..length]), length + 2)
                }
                _ => (Piece::Text("$"), 0),
            }
        } else if after.starts_with('$') {
            (Piece::Text("$"), 1)
        } else {
            match name_length(after) {
                0 => (Piece::Text("$"), 0),
                length => (Piece::Variable(&after[..length]), length),
            }
        };
        pieces.push(piece);
        rest = &after[length..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

/// Where the inputs of a text stand, brackets included.
pub(super) fn inputs(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut places = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find("$[[").map(|start| at + start) {
        let Some(end) = text[start..].find("]]").map(|end| start + end + 2) else { break };
        places.push(start..end);
        at = end;
    }
    places
}

/// `inputs.name | function`
fn input(text: &str) -> Piece<'_> {
    let name = text.split('|').next().unwrap_or("").trim();
    Piece::Input(name.strip_prefix("inputs.").unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_variables() {
        assert_eq!(
            pieces("a$B/${C_1}:$[[ inputs.tag | expand_vars ]]-$$d${e"),
            [
                Piece::Text("a"),
                Piece::Variable("B"),
                Piece::Text("/"),
                Piece::Variable("C_1"),
                Piece::Text(":"),
                Piece::Input("tag"),
                Piece::Text("-"),
                Piece::Text("$"),
                Piece::Text("d"),
                Piece::Text("$"),
                Piece::Text("{e"),
            ]
        );
    }
}
