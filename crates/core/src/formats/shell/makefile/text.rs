//! The text of a Makefile: lines that go on, comments, references and the arguments of
//! functions in them. Knows nothing of what they stand for.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr;
use memchr::memchr_iter;

/// A part of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'t> {
    pub(super) text: &'t str,
    pub(super) start: usize,
    /// `name != command`: the value is what that prints.
    pub(super) is_output: bool,
}

impl<'t> Text<'t> {
    /// Text that stands in the file as it is, from byte `start` on.
    pub(super) fn new(text: &'t str, start: usize) -> Text<'t> {
        Text { text, start, is_output: false }
    }

    /// Without the quotes around all of it, which the shell would take away.
    pub(super) fn unquoted(self) -> Text<'t> {
        let inner = ['"', '\''].into_iter().find_map(|quote| {
            let inner = self.text.strip_prefix(quote)?.strip_suffix(quote)?;
            (!inner.contains(['"', '\'', ' ', '\t', '\\'])).then_some(inner)
        });
        inner.map_or(self, |inner| Text { text: inner, start: self.start + 1, ..self })
    }
}

/// Where a line ends that `\` goes on with, its newline included.
pub(super) fn logical_end(text: &str, mut at: usize) -> usize {
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
pub(super) fn uncommented(value: &str) -> &str {
    let end = value.find(" #").or_else(|| value.find("\t#")).unwrap_or(value.len());
    value[..end].trim_end()
}

/// A value as make has it: a line that goes on is joined to the next by a space.
pub(super) fn continued(value: &str) -> Cow<'_, str> {
    match value.contains("\\\n") || value.contains("\\\r\n") {
        true => Cow::Owned(value.replace("\\\r\n", " ").replace("\\\n", " ")),
        false => Cow::Borrowed(value),
    }
}

/// The references in a text, those that stand in others left out. One that never ends is its
/// first byte.
pub(super) fn references(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = match memchr(b'$', bytes) {
        Some(first) => first,
        None => return Vec::new(),
    };
    // Where each parenthesis and each brace is closed, by where it is opened.
    let mut closed: Vec<(usize, usize)> = Vec::new();
    let (mut parentheses, mut braces) = (Vec::new(), Vec::new());
    for (place, byte) in bytes.iter().enumerate().skip(at) {
        let open = match byte {
            b'(' => {
                parentheses.push(place);
                continue;
            }
            b'{' => {
                braces.push(place);
                continue;
            }
            b')' => parentheses.pop(),
            b'}' => braces.pop(),
            _ => continue,
        };
        closed.extend(open.map(|open| (open, place)));
    }
    closed.sort_unstable();
    let mut found = Vec::new();
    while let Some(length) = bytes.get(at..).and_then(|rest| memchr(b'$', rest)) {
        let start = at + length;
        let end = match bytes.get(start + 1) {
            Some(b'(' | b'{') => match closed.binary_search_by_key(&(start + 1), |(open, _)| *open) {
                Ok(index) => closed[index].1 + 1,
                Err(_) => start + 1,
            },
            Some(_) => start + 1 + text[start + 1..].chars().next().map_or(0, char::len_utf8),
            None => start + 1,
        };
        found.push(start..end);
        at = end;
    }
    found
}

/// The arguments of a function of make, as far as they are no parts of others.
pub(super) fn arguments<'t>(reference: Text<'t>) -> Vec<Text<'t>> {
    let inner = reference.text.get(2..reference.text.len().saturating_sub(1)).unwrap_or("");
    let Some((name, rest)) = inner.split_once([' ', '\t']) else { return Vec::new() };
    // What these make is no command.
    if matches!(name, "info" | "warning" | "error") {
        return Vec::new();
    }
    let start = reference.start + 2 + name.len() + 1;
    let inside = references(rest);
    let mut next = inside.iter().peekable();
    let mut arguments = Vec::new();
    let mut begin = 0;
    for comma in memchr_iter(b',', rest.as_bytes()) {
        while next.next_if(|reference| reference.end <= comma).is_some() {}
        if next.peek().is_none_or(|reference| comma < reference.start) {
            arguments.push(Text::new(&rest[begin..comma], start + begin));
            begin = comma + 1;
        }
    }
    arguments.push(Text::new(&rest[begin..], start + begin));
    arguments
}

/// What is between the parentheses of a reference.
pub(super) fn name_of(reference: &str) -> &str {
    reference.trim_start_matches('$').trim_matches(['(', ')', '{', '}'])
}

/// Whether white space stands on both sides.
pub(super) fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].chars().next_back();
    let after = text[end..].chars().next();
    before.is_none_or(char::is_whitespace) && after.is_none_or(char::is_whitespace)
}

/// The beginning of a long text.
pub(super) fn shortened(text: &str) -> &str {
    let end = (0..=text.len().min(64)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[..end]
}
