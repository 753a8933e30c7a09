//! Parser directives, and the frontend that a file asks for.
//!
//! After `frontend/dockerfile/parser/directives.go` of BuildKit 0.34:
//!
//! ```text
//! directive := "#" space* name space* "=" space* value space*
//! name      := "syntax" | "escape" | "check"      in any case, each at most once
//! ```
//!
//! Directives stand before everything else; the first line that is not one ends
//! them. The frontend is looked for with three comment forms: `#`, `//`, and a
//! JSON document with a string member `syntax`.

use crate::source::Span;

use super::go;
use super::line::MAX_LINE_BYTES;

/// A directive with the place of its value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Directive<'s> {
    pub(super) name: Name,
    pub(super) value: &'s str,
    /// Offset of the value in the line that was read.
    pub(super) at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Syntax,
    Escape,
    Check,
}

/// What a line is to the directive parser.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read<'s> {
    Directive(Directive<'s>),
    /// A second directive of the same name: an error.
    Repeated(&'static str),
    /// No directive; there are no more after it.
    Done,
}

/// Reads directives line by line until the first line that is none.
pub(super) struct Directives {
    comment: &'static str,
    seen: [bool; 3],
    done: bool,
}

impl Directives {
    pub(super) fn new(comment: &'static str) -> Directives {
        Directives { comment, seen: [false; 3], done: false }
    }

    /// Reads a line without newline.
    pub(super) fn read<'s>(&mut self, line: &'s str) -> Read<'s> {
        if self.done {
            return Read::Done;
        }
        let Some(directive) = parse(line, self.comment) else {
            self.done = true;
            return Read::Done;
        };
        let (index, name) = match directive.name {
            Name::Syntax => (0, "syntax"),
            Name::Escape => (1, "escape"),
            Name::Check => (2, "check"),
        };
        if std::mem::replace(&mut self.seen[index], true) {
            return Read::Repeated(name);
        }
        Read::Directive(directive)
    }
}

/// `space` of Go's regular expressions, `\s`.
fn is_regexp_space(char: char) -> bool {
    matches!(char, '\t' | '\n' | '\u{c}' | '\r' | ' ')
}

fn parse<'s>(line: &'s str, comment: &str) -> Option<Directive<'s>> {
    let body = line.strip_prefix(comment)?.trim_start();
    let name_end = body.find(|char: char| !char.is_ascii_alphanumeric())?;
    let (name, rest) = body.split_at(name_end);
    if !name.starts_with(|char: char| char.is_ascii_alphabetic()) {
        return None;
    }
    let rest = rest.trim_start_matches(is_regexp_space).strip_prefix('=')?;
    // `\s*(.+?)\s*$`: something must be left, a space at the least.
    let mut value = rest.trim_matches(is_regexp_space);
    if value.is_empty() {
        value = rest.get(rest.len().checked_sub(1)?..)?;
    }
    let name = match &*go::lower(name) {
        "syntax" => Name::Syntax,
        "escape" => Name::Escape,
        "check" => Name::Check,
        _ => return None,
    };
    let at = value.as_ptr() as usize - line.as_ptr() as usize;
    Some(Directive { name, value, at })
}

/// The frontend image that a file names and where its name stands, as
/// `DetectSyntax` finds it.
pub(super) fn syntax(text: &str) -> Option<(String, Span)> {
    let mut start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    if text[start..].starts_with("#!") {
        start += text[start..].find('\n').map_or(text.len() - start, |newline| newline + 1);
    }
    ["#", "//"].iter().find_map(|comment| line_form(text, start, comment)).or_else(|| json_form(text, start))
}

fn line_form(text: &str, start: usize, comment: &'static str) -> Option<(String, Span)> {
    let mut directives = Directives::new(comment);
    let mut at = start;
    for line in text[start..].split_inclusive('\n') {
        if line.len() > MAX_LINE_BYTES {
            return None;
        }
        let content = line.strip_suffix('\n').unwrap_or(line);
        let content = content.strip_suffix('\r').unwrap_or(content);
        match directives.read(content) {
            Read::Directive(Directive { name: Name::Syntax, value, at: offset }) => {
                let image = value.split(' ').next().unwrap_or(value);
                let begin = at + offset;
                // A value of nothing but a space is an empty name; the space is its place.
                let length = if image.is_empty() { value.len() } else { image.len() };
                return Some((image.to_owned(), Span::new(begin, begin + length)));
            }
            Read::Directive(_) => {}
            Read::Repeated(_) | Read::Done => return None,
        }
        at += line.len();
    }
    None
}

fn json_form(text: &str, start: usize) -> Option<(String, Span)> {
    let body = &text[start..];
    if !body.trim_start().starts_with('{') {
        return None;
    }
    let document: serde_json::Map<String, serde_json::Value> = serde_json::from_str(body).ok()?;
    let image = document.get("syntax")?.as_str()?.to_owned();
    // Of two members of that name the last one counts. A name that is written
    // with escapes is not found as it reads; the whole document is its place then.
    let quoted = serde_json::to_string(&image).ok()?;
    let span = match body.rfind(&quoted) {
        Some(found) if image.is_empty() => Span::new(start + found, start + found + quoted.len()),
        Some(found) => Span::new(start + found + 1, start + found + quoted.len() - 1),
        None => Span::new(start, text.len()),
    };
    Some((image, span))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<String> {
        syntax(text).map(|(image, span)| {
            assert_eq!(&text[span.start..span.end], image);
            image
        })
    }

    /// directives_test.go, TestDetectSyntax, and directives.go.
    #[test]
    fn finds_the_frontend_in_every_form() {
        assert_eq!(found("# syntax=a/b:1\nFROM x"), Some("a/b:1".into()));
        assert_eq!(found("#  SyNtAx =\ta/b \nFROM x"), Some("a/b".into()));
        assert_eq!(found("# syntax=a/b and more"), Some("a/b".into()));
        assert_eq!(found("\u{feff}# syntax=a/b\r\nFROM x"), Some("a/b".into()));
        assert_eq!(found("# check=skip=all\n# escape=`\n# syntax=evil/fe"), Some("evil/fe".into()));
        assert_eq!(found("#!/bin/sh\n# syntax=a"), Some("a".into()));
        assert_eq!(found("//syntax=x\nFROM a"), Some("x".into()));
        assert_eq!(found("{\"syntax\": \"x\"}"), Some("x".into()));
        assert_eq!(found("#!x\n{\"a\": [], \"syntax\": \"x\"}"), Some("x".into()));
    }

    #[test]
    fn an_empty_name_has_a_place() {
        assert_eq!(syntax("# syntax= \nFROM x"), Some((String::new(), Span::new(9, 10))));
        assert_eq!(syntax("{\"syntax\":\"\"}"), Some((String::new(), Span::new(10, 12))));
        assert_eq!(syntax("{\"syntax\":\"\\u0061\"}"), Some(("a".to_owned(), Span::new(0, 19))));
    }

    #[test]
    fn is_not_fooled_by_what_comes_late() {
        assert_eq!(found("\n# syntax=a"), None);
        assert_eq!(found("# a comment\n# syntax=a"), None);
        assert_eq!(found(" # syntax=a"), None);
        assert_eq!(found("# unknown=b\n# syntax=a"), None);
        assert_eq!(found("{\"syntax\": 1}"), None);
        assert_eq!(found("# syntax="), None);
        assert_eq!(found("FROM x\n# syntax=a"), None);
    }
}
