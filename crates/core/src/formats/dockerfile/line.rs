//! Instructions as lines: directives, comments, continuations and heredocs are
//! dealt with here, and every byte of a joined line can be traced to its place
//! in the file. Knows nothing of what instructions mean.
//!
//! After `frontend/dockerfile/parser/parser.go` of BuildKit 0.34, `Parse`:
//!
//! ```text
//! file         := [ BOM ] { blank | comment | instruction }
//! comment      := space* "#" …            (also between the lines of an instruction)
//! instruction  := { text escape [ \t]* newline { comment | blank } } text newline { heredoc }
//! ```
//!
//! An escape character continues a line only when no escape character stands
//! before it: `x\\` does not.

use std::borrow::Cow;

use memchr::memchr;

use crate::source::Mapped;
use crate::source::Span;

/// `bufio.MaxScanTokenSize`: BuildKit refuses longer lines, newline included.
pub(super) const MAX_LINE_BYTES: usize = 64 * 1024;

/// The text of one instruction, continuations joined.
#[derive(Debug)]
pub(super) struct Line<'j, 's> {
    /// What BuildKit hands to its instruction parser.
    pub(super) text: &'j str,
    /// The text of the file.
    file: &'s str,
    /// Source offset of the first byte.
    base: usize,
    /// For a joined line: (offset in `text`, source offset) of each part.
    parts: &'j [(usize, usize)],
    /// One past the last source byte of the instruction's text.
    end: usize,
}

impl<'s> Line<'_, 's> {
    /// `text[start..end]`, to be kept: copied only where lines were joined.
    pub(super) fn keep(&self, start: usize, end: usize) -> Cow<'s, str> {
        if self.parts.is_empty() {
            Cow::Borrowed(&self.file[self.base + start..self.base + end])
        } else {
            Cow::Owned(self.text[start..end].to_owned())
        }
    }

    fn source(&self, at: usize) -> usize {
        match self.parts.partition_point(|(start, _)| *start <= at) {
            0 => self.base + at,
            after => {
                let (start, source) = self.parts[after - 1];
                source + (at - start)
            }
        }
    }

    /// The place in the file of `text[start..end]`, from its first to its last
    /// byte, whatever stands between them. Flags are scanned byte by byte and may
    /// end inside a character: the whole character is taken then.
    pub(super) fn span(&self, mut start: usize, mut end: usize) -> Span {
        let length = self.text.len();
        (start, end) = (start.min(length), end.min(length));
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        if end <= start {
            let at = self.source(start);
            return Span::new(at, at);
        }
        Span::new(self.source(start), self.source(end - 1) + 1)
    }

    /// The text from `start` on, each byte with its place.
    pub(super) fn mapped(&self, start: usize) -> Mapped {
        let mut mapped = Mapped::default();
        let mut at = start.min(self.text.len());
        let next = self.parts.partition_point(|(begin, _)| *begin <= at);
        for (begin, _) in &self.parts[next..] {
            mapped.push_verbatim(&self.text[at..*begin], self.source(at));
            at = *begin;
        }
        mapped.push_verbatim(&self.text[at..], self.source(at));
        mapped
    }

    /// The whole instruction.
    pub(super) fn whole(&self) -> Span {
        Span::new(self.base, self.end.max(self.base))
    }
}

/// Walks over physical lines.
pub(super) struct Physical<'s> {
    text: &'s str,
    at: usize,
    /// Where a line longer than [`MAX_LINE_BYTES`] began, the first one.
    pub(super) too_long: Option<usize>,
}

impl<'s> Physical<'s> {
    pub(super) fn new(text: &'s str) -> Physical<'s> {
        Physical { text, at: 0, too_long: None }
    }

    /// Where the next line starts.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// Goes on at `offset`, the start of a line.
    pub(super) fn skip_to(&mut self, offset: usize) {
        self.at = offset;
    }

    /// The next line with its newline, and its offset.
    pub(super) fn next(&mut self) -> Option<(usize, &'s str)> {
        let start = self.at;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        let (length, complete) = match memchr(b'\n', rest.as_bytes()) {
            Some(newline) => (newline + 1, 1),
            None => (rest.len(), 0),
        };
        if length >= MAX_LINE_BYTES + complete {
            self.too_long.get_or_insert(start);
        }
        self.at = start + length;
        Some((start, &rest[..length]))
    }
}

/// A line without the newline characters at its end.
pub(super) fn trim_newline(line: &str) -> &str {
    let bytes = line.as_bytes();
    let mut end = bytes.len();
    while end > 0 && matches!(bytes[end - 1], b'\r' | b'\n') {
        end -= 1;
    }
    &line[..end]
}

/// `trim_end`, quick in the same way.
pub(super) fn trim_end(text: &str) -> &str {
    match text.as_bytes().last() {
        Some(byte) if byte.is_ascii_graphic() => text,
        _ => text.trim_end(),
    }
}

/// `trim_start`, quick where the first byte that counts is ASCII, as it nearly always is.
pub(super) fn trim_start(text: &str) -> &str {
    let blanks = text.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let rest = &text[blanks..];
    match rest.as_bytes().first() {
        Some(byte) if byte.is_ascii_graphic() => rest,
        _ => rest.trim_start(),
    }
}

/// What is left of a line when its continuation is cut off, if it has one:
/// `([^\\])\\[ \t]*$|^\\[ \t]*$` for the escape character `\`.
fn continuation(line: &str, escape: u8) -> Option<&str> {
    let bytes = line.as_bytes();
    let mut end = bytes.len();
    while end > 0 && matches!(bytes[end - 1], b' ' | b'\t') {
        end -= 1;
    }
    if end == 0 || bytes[end - 1] != escape || (end >= 2 && bytes[end - 2] == escape) {
        return None;
    }
    Some(&line[..end - 1])
}

/// What joined lines are put together in, one after the other.
#[derive(Default)]
pub(super) struct Joined {
    text: String,
    parts: Vec<(usize, usize)>,
}

/// Joins an instruction that begins with `first`, a physical line without
/// newline and leading space at source offset `base`.
pub(super) fn join<'j, 's: 'j>(
    first: &'s str,
    base: usize,
    lines: &mut Physical<'s>,
    escape: u8,
    joined: &'j mut Joined,
) -> Line<'j, 's> {
    let file = lines.text;
    let Some(head) = continuation(first, escape) else {
        return Line { text: first, file, base, parts: &[], end: base + first.len() };
    };
    let Joined { text, parts } = joined;
    text.clear();
    // Most continued instructions have a few lines of like length.
    text.reserve(head.len() * 4);
    text.push_str(head);
    parts.clear();
    parts.reserve(8);
    parts.push((0, base));
    let mut end = base + head.len();
    while let Some((start, physical)) = lines.next() {
        let content = trim_newline(physical);
        let visible = trim_start(content);
        if visible.is_empty() || visible.starts_with('#') {
            continue;
        }
        let (part, more) = match continuation(content, escape) {
            Some(part) => (part, true),
            None => (content, false),
        };
        parts.push((text.len(), start));
        text.push_str(part);
        end = start + part.len();
        if !more {
            break;
        }
    }
    Line { text, file, base, parts, end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_escape_does_not_continue() {
        assert_eq!(continuation(r"a \", b'\\'), Some("a "));
        assert_eq!(continuation("a \\ \t", b'\\'), Some("a "));
        assert_eq!(continuation(r"\", b'\\'), Some(""));
        assert_eq!(continuation(r"a \\", b'\\'), None);
        assert_eq!(continuation(r"a \\\", b'\\'), None);
        assert_eq!(continuation(r"a \", b'`'), None);
    }

    #[test]
    fn traces_joined_text_to_its_place() {
        let text = "FROM al\\\n# no\n\n  pine:3\nRUN x";
        let mut lines = Physical::new(text);
        let (base, first) = lines.next().expect("a line");
        let mut joined = Joined::default();
        let line = join(trim_newline(first), base, &mut lines, b'\\', &mut joined);
        assert_eq!(line.text, "FROM al  pine:3");
        let span = line.span(5, 15);
        assert_eq!(&text[span.start..span.end], "al\\\n# no\n\n  pine:3");
        assert_eq!(&text[lines.offset()..], "RUN x");
    }
}
