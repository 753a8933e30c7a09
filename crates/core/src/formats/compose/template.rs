//! Interpolation: `$NAME`, `${NAME}` and its operators.
//!
//! After `template/template.go` of compose-go 2.16:
//!
//! ```text
//! text     := { "$$" | "$" name | "${" name [ [":"] ("-" | "+" | "?") text ] "}" | char }
//! name     := (letter | "_") { letter | digit | "_" }
//! ```
//!
//! `${` that begins nothing of this is an error, and Compose refuses the file; any
//! other lone `$` stands for itself. The word of an operator ends at the brace that
//! closes the first one, whatever braces stand in it, and on the same line.
//!
//! What a variable is comes from `.env` files. One that has no value there may have
//! one in the environment of whoever runs Compose: it is not known, never empty.

use std::cell::Cell;
use std::ops::Range;

use crate::formats::value::Value;
use crate::formats::value::product;

use super::environment::Environment;

/// How deep the words of operators may nest. Nobody writes four.
const MAX_NESTING: usize = 16;
/// The longest text that is interpolated, in bytes: many times any reference.
const MAX_TEXT_BYTES: usize = 16 * 1024;
/// How many members a text may have by variables that may be set or not.
const MAX_FORKS: usize = 8;

/// What all interpolation and merging of one file may cost together, in steps of
/// about one entry or sixteen bytes.
#[derive(Debug)]
pub(super) struct Budget {
    left: Cell<usize>,
}

impl Budget {
    pub(super) fn new(steps: usize) -> Budget {
        Budget { left: Cell::new(steps) }
    }

    /// Takes steps; `false` when there are none left.
    pub(super) fn spend(&self, steps: usize) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(steps));
        left > steps
    }

    /// Whether something was left out.
    pub(super) fn is_spent(&self) -> bool {
        self.left.get() == 0
    }
}

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// It stands for itself.
    Literal(Range<usize>),
    /// `$$`.
    Dollar(Range<usize>),
    Variable(Variable),
    /// `${` that begins no variable, and all that follows.
    Invalid(Range<usize>),
}

/// A variable, all as places in the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) whole: Range<usize>,
    name: Range<usize>,
    operator: Option<(Operator, Range<usize>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Operator {
    kind: u8,
    /// With a colon: an empty value counts as none.
    colon: bool,
}

/// Every member of what a text is.
pub(super) fn evaluate(text: &str, environment: &Environment, budget: &Budget) -> Vec<Value> {
    if !text.contains('$') {
        return vec![Value::known(text)];
    }
    if text.len() > MAX_TEXT_BYTES {
        return vec![Value::unknown(format!("a text with variables is longer than {MAX_TEXT_BYTES} bytes"))];
    }
    nested(text, environment, budget, 0)
}

fn nested(text: &str, environment: &Environment, budget: &Budget, depth: usize) -> Vec<Value> {
    if depth > MAX_NESTING {
        return vec![Value::unknown(format!("variables are nested deeper than {MAX_NESTING}"))];
    }
    let mut members = vec![Value::default()];
    for piece in pieces(text) {
        let more = match piece {
            Piece::Literal(range) => {
                let literal = text.get(range).unwrap_or_default();
                members.iter_mut().for_each(|member| member.push_str(literal));
                continue;
            }
            Piece::Dollar(_) => vec![Value::known("$")],
            Piece::Variable(variable) => resolve(&variable, text, environment, budget, depth),
            Piece::Invalid(range) => {
                let invalid = text.get(range).unwrap_or_default();
                vec![Value::unknown(format!("`{}` is no variable that Compose can read", shown(invalid)))]
            }
        };
        if !budget.spend(1 + members.len() * more.len() * (1 + members[0].text().len() / 16)) {
            return vec![Value::unknown("the variables of this file make too much text")];
        }
        members = match members.len() * more.len() > MAX_FORKS {
            true => product(&members[..1], &[Value::unknown("more values than are told apart")]),
            false => product(&members, &more),
        };
    }
    members
}

/// What one variable of `text` is.
pub(super) fn resolve(
    variable: &Variable,
    text: &str,
    environment: &Environment,
    budget: &Budget,
    depth: usize,
) -> Vec<Value> {
    let name = text.get(variable.name.clone()).unwrap_or_default();
    let values = environment.get(name);
    let Some((operator, word)) = &variable.operator else {
        return values.map_or_else(|| vec![unset(name)], <[Value]>::to_vec);
    };
    let word = text.get(word.clone()).unwrap_or_default();
    let word = || nested(word, environment, budget, depth + 1);
    let Some(values) = values else {
        return match operator.kind {
            // Whoever sets it from outside chooses; the default is what is known.
            b'-' => word(),
            b'+' => [vec![Value::default()], word()].concat(),
            _ => vec![Value::unknown(format!("`{name}` has to be set outside of the repository"))],
        };
    };
    let mut members = Vec::new();
    for value in values {
        // What is not known may be either.
        let is = !(operator.colon && value.is_empty());
        let is_not = operator.colon && value.text().is_empty();
        // Where the value stands decides, even when it is not what stands here.
        let noted = |mut member: Value| {
            value.via().iter().for_each(|via| member.note(via.clone()));
            member
        };
        match operator.kind {
            b'+' => {
                members.extend(is.then(word).into_iter().flatten().map(noted));
                members.extend(is_not.then(|| noted(Value::default())));
            }
            b'-' => {
                members.extend(is.then(|| value.clone()));
                members.extend(is_not.then(word).into_iter().flatten().map(noted));
            }
            _ => {
                members.extend(is.then(|| value.clone()));
                members.extend(is_not.then(|| Value::unknown(format!("`{name}` is empty and may not be"))));
            }
        }
    }
    members
}

/// Why a variable is not known.
pub(super) fn unset(name: &str) -> Value {
    Value::unknown(format!("`{name}` has no value in the repository and no default"))
}

/// The parts of a text, in order.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let bytes = text.as_bytes();
    let mut pieces = Vec::new();
    let (mut start, mut at) = (0, 0);
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr(b'$', rest)) {
        let dollar = at + found;
        let piece = match bytes.get(dollar + 1) {
            Some(b'$') => Piece::Dollar(dollar..dollar + 2),
            Some(b'{') => braced(bytes, dollar),
            Some(first) if is_name_start(*first) => {
                let end = name_end(bytes, dollar + 1);
                Piece::Variable(Variable { whole: dollar..end, name: dollar + 1..end, operator: None })
            }
            _ => {
                at = dollar + 1;
                continue;
            }
        };
        if start < dollar {
            pieces.push(Piece::Literal(start..dollar));
        }
        at = match &piece {
            Piece::Literal(range) | Piece::Dollar(range) | Piece::Invalid(range) => range.end,
            Piece::Variable(variable) => variable.whole.end,
        };
        start = at;
        pieces.push(piece);
    }
    if start < text.len() {
        pieces.push(Piece::Literal(start..text.len()));
    }
    pieces
}

/// What begins with the `${` at `dollar`.
fn braced(bytes: &[u8], dollar: usize) -> Piece {
    let invalid = Piece::Invalid(dollar..bytes.len());
    let begin = dollar + 2;
    if !bytes.get(begin).copied().is_some_and(is_name_start) {
        return invalid;
    }
    let name = begin..name_end(bytes, begin);
    let (colon, at) = match bytes.get(name.end) {
        Some(b'}') => {
            let whole = dollar..name.end + 1;
            return Piece::Variable(Variable { whole, name, operator: None });
        }
        Some(b':') => (true, name.end + 1),
        _ => (false, name.end),
    };
    let Some(kind @ (b'-' | b'+' | b'?')) = bytes.get(at).copied() else { return invalid };
    let word = at + 1;
    let line = &bytes[word..];
    let line = &line[..memchr::memchr(b'\n', line).unwrap_or(line.len())];
    let Some(end) = closing(line).or_else(|| memchr::memrchr(b'}', line)) else { return invalid };
    let end = word + end;
    let operator = Some((Operator { kind, colon }, word..end));
    Piece::Variable(Variable { whole: dollar..end + 1, name, operator })
}

/// `getFirstBraceClosingIndex`, one brace being open: an opening brace hides the
/// character behind it.
fn closing(line: &[u8]) -> Option<usize> {
    let mut open = 1_usize;
    let mut at = 0;
    while let Some(byte) = line.get(at) {
        match byte {
            b'}' => {
                open -= 1;
                if open == 0 {
                    return Some(at);
                }
            }
            b'{' => {
                open += 1;
                at += 1;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn name_end(bytes: &[u8], begin: usize) -> usize {
    let rest = bytes.get(begin..).unwrap_or_default();
    begin + rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
}

/// The beginning of a text, for a message.
fn shown(text: &str) -> String {
    text.chars().take(40).map(|char| if char.is_control() { ' ' } else { char }).collect()
}
