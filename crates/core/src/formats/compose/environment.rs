//! `.env` files: the variables that they set, and where.
//!
//! After `dotenv/parser.go` of compose-go 2.16:
//!
//! ```text
//! file   := { comment | ["export"] name [ ("=" | ":") value ] }
//! value  := "'" … "'" | '"' { char | escape | variable } '"' | { char | variable } up to " #" or the line's end
//! ```
//!
//! Quoted values may go over several lines. A name alone takes the value that the
//! environment has: it is not known. Compose refuses a file with anything else in
//! it; what stands before that is read all the same.

use std::collections::HashMap;
use std::rc::Rc;

use crate::formats::value::Value;
use crate::source::Location;
use crate::source::RepoPath;
use crate::source::Span;

use super::template;
use super::template::Budget;

/// What a place that a value is remembered to come from counts as, in bytes.
const VIA_BYTES: usize = 64;

/// The variables of a project. Those of the project that includes it come first.
#[derive(Debug, Default)]
pub(super) struct Environment {
    variables: HashMap<String, Vec<Value>>,
    outer: Option<Rc<Environment>>,
}

impl Environment {
    /// An empty one in a project that another one includes.
    pub(super) fn inside(outer: Option<Rc<Environment>>) -> Environment {
        Environment { variables: HashMap::new(), outer }
    }

    /// What a variable is, if the repository says so.
    pub(super) fn get(&self, name: &str) -> Option<&[Value]> {
        let outer = self.outer.as_ref().and_then(|outer| outer.get(name));
        outer.or_else(|| self.variables.get(name).map(Vec::as_slice))
    }

    /// Sets a variable that nothing sets yet.
    pub(super) fn set_default(&mut self, name: &str, values: Vec<Value>) {
        if self.get(name).is_none() {
            self.variables.insert(name.to_owned(), values);
        }
    }

    /// Adds what a file sets.
    pub(super) fn read(&mut self, path: &RepoPath, text: &str, budget: &Budget) {
        let mut reader = Reader { text, at: if text.starts_with('\u{feff}') { 3 } else { 0 } };
        while let Some(statement) = reader.next() {
            let Some((value, span)) = statement.value else { continue };
            let cost = value.text.len() / 16 + 1;
            let mut values = match (budget.spend(cost), value.expands) {
                (false, _) => vec![Value::unknown("the variables of this file make too much text")],
                (true, true) => template::evaluate(&value.text, self, budget),
                (true, false) => vec![Value::known(value.text)],
            };
            let at = Location { file: path.clone(), span };
            for value in &mut values {
                let what = format!("`{}`", statement.name);
                *value = std::mem::take(value).placed(at.clone(), what);
                let _ = budget.spend((value.text().len() + value.via().len() * VIA_BYTES) / 16);
            }
            self.variables.insert(statement.name.to_owned(), values);
        }
    }
}

/// A name, and its value unless it is one of the environment.
struct Statement<'t> {
    name: &'t str,
    value: Option<(Written, Span)>,
}

struct Written {
    text: String,
    /// Whether variables in it are looked up.
    expands: bool,
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next statement; `None` at the end, and at what Compose refuses.
    fn next(&mut self) -> Option<Statement<'t>> {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start().len();
            if !self.rest().starts_with('#') {
                break;
            }
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
        if let Some(rest) = self.rest().strip_prefix("export")
            && rest.starts_with(char::is_whitespace)
        {
            self.at += "export".len() + (rest.len() - rest.trim_start_matches(is_space).len());
        }
        let rest = self.rest();
        let end = rest.find(|char: char| !(is_space(char) || is_name(char)))?;
        let (name, separator) = (rest[..end].trim_end(), rest.as_bytes()[end]);
        self.at += end + 1;
        if name.is_empty() || name.contains(' ') {
            return None;
        }
        match separator {
            b'\n' => Some(Statement { name, value: None }),
            b'=' | b':' => {
                let rest = self.rest();
                self.at += rest.len() - rest.trim_start_matches(is_space).len();
                Some(Statement { name, value: Some(self.value()?) })
            }
            _ => None,
        }
    }

    fn value(&mut self) -> Option<(Written, Span)> {
        let start = self.at;
        let rest = self.rest();
        if let Some(quote @ ('"' | '\'')) = rest.chars().next() {
            return self.quoted(quote);
        }
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        self.at = (start + line.len() + 1).min(self.text.len());
        let value = line.find(" #").map_or(line, |comment| &line[..comment]).trim_end();
        let written = Written { text: value.to_owned(), expands: true };
        Some((written, Span::new(start, start + value.len())))
    }

    fn quoted(&mut self, quote: char) -> Option<(Written, Span)> {
        let start = self.at + 1;
        let mut text = String::new();
        let mut escaped = false;
        for (at, char) in self.text.get(start..)?.char_indices() {
            if char == quote && !escaped {
                self.at = start + at + 1;
                let expands = quote == '"';
                let text = if expands { unescaped(&text) } else { text };
                return Some((Written { text, expands }, Span::new(start, start + at)));
            }
            if char == '\\' && !escaped {
                escaped = true;
                continue;
            }
            if escaped && char != quote {
                text.push('\\');
            }
            escaped = false;
            text.push(char);
        }
        None
    }
}

/// `expandEscapes`: what a backslash makes of `a b c f n r t v $ " \` and of octal
/// digits behind a zero; before anything else it stays.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = &rest[at..];
        let made = match escape.as_bytes().get(1) {
            Some(b'a') => "\u{7}",
            Some(b'b') => "\u{8}",
            Some(b'f') => "\u{c}",
            Some(b'n') => "\n",
            Some(b'r') => "\r",
            Some(b't') => "\t",
            Some(b'v') => "\u{b}",
            Some(b'"') => "\"",
            Some(b'\\') => "\\",
            Some(b'$') => "$$",
            Some(b'0') => {
                let digits = escape[2..].bytes().take(3).take_while(u8::is_ascii_digit).count();
                let (digits, after) = escape[2..].split_at(digits);
                match u8::from_str_radix(digits, 8).ok().filter(|_| digits.len() == 3) {
                    Some(octal) => out.push(char::from(octal)),
                    // The zero is gone before Go refuses the rest.
                    None => {
                        out.push('\\');
                        out.push_str(digits);
                    }
                }
                rest = after;
                continue;
            }
            _ => {
                out.push('\\');
                rest = &escape[1..];
                continue;
            }
        };
        out.push_str(made);
        rest = &escape[2..];
    }
    out.push_str(rest);
    out
}

/// Space that ends no line.
fn is_space(char: char) -> bool {
    matches!(char, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}')
}

fn is_name(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, '_' | '.' | '-' | '[' | ']')
}
