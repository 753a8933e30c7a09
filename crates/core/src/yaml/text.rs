//! Where each byte of a scalar's value stands: the value and the bytes it was read
//! from are walked side by side. What YAML took away (indentation, escapes, folded
//! line breaks; <https://yaml.org/spec/1.2.2/#chapter-7-flow-style-productions>,
//! chapters 7 and 8) is passed over.

use super::Node;
use super::Style;
use crate::source::Mapped;
use crate::source::Span;

impl Node<'_> {
    /// The value of a scalar, each byte with its place; `None` for what is no
    /// scalar. `text` is what the document was read from.
    #[must_use]
    pub fn mapped(self, text: &str) -> Option<Mapped> {
        let scalar = self.scalar()?;
        let span = self.content_span();
        let written = text.get(span.start..span.end).unwrap_or("");
        if written == scalar.text {
            return Some(Mapped::verbatim(written, span.start));
        }
        Some(Walk { value: scalar.text, written, start: span.start, style: scalar.style }.walk())
    }

    /// The bytes of a scalar without its quotes; of anything else its span.
    #[must_use]
    pub fn content_span(self) -> Span {
        let span = self.span();
        match self.scalar().map(|scalar| scalar.style) {
            Some(Style::SingleQuoted | Style::DoubleQuoted) if span.end >= span.start + 2 => {
                Span::new(span.start + 1, span.end - 1)
            }
            _ => span,
        }
    }
}

struct Walk<'t> {
    value: &'t str,
    written: &'t str,
    start: usize,
    style: Style,
}

impl Walk<'_> {
    fn walk(&self) -> Mapped {
        let mut mapped = Mapped::default();
        let mut at = 0;
        let mut rest = self.value;
        while let Some(next) = rest.chars().next() {
            let width = next.len_utf8();
            let Some((begin, end)) = self.piece(next, at) else {
                // Not as YAML has it: the place of the rest is all that is left.
                let span =
                    Span::new(self.start + at.min(self.written.len()), self.start + self.written.len());
                mapped.push_made(rest, span);
                return mapped;
            };
            let written = self.written.get(begin..end).unwrap_or("");
            let char = rest.get(..width).unwrap_or("");
            match written == char {
                true => mapped.push_verbatim(char, self.start + begin),
                false => mapped.push_made(char, Span::new(self.start + begin, self.start + end)),
            }
            at = end;
            rest = &rest[width..];
        }
        mapped
    }

    /// The bytes from `at` on that make the next character of the value, what YAML
    /// takes away before it passed over.
    fn piece(&self, next: char, mut at: usize) -> Option<(usize, usize)> {
        loop {
            let written = self.written.get(at..)?;
            let Some(char) = written.chars().next() else {
                // The line break at the end of a block scalar is not in its span.
                return (next == '\n').then_some((at, at));
            };
            match (self.style, char) {
                (Style::DoubleQuoted, '\\') => match escape(written) {
                    (Some(made), length) => return (made == next).then_some((at, at + length)),
                    (None, length) => at += length,
                },
                (Style::SingleQuoted, '\'') if next == '\'' => return Some((at, at + 2)),
                (_, char) if char == next => return Some((at, at + char.len_utf8())),
                // A folded line break, with the space around it.
                (_, char) if next == ' ' && char.is_ascii_whitespace() => {
                    let length = written.len() - written.trim_start().len();
                    return Some((at, at + length));
                }
                (_, char) if char.is_ascii_whitespace() || char == '\u{feff}' => at += char.len_utf8(),
                _ => return None,
            }
        }
    }
}

/// What an escape stands for, and how long it is; nothing for a line break.
fn escape(written: &str) -> (Option<char>, usize) {
    let Some(char) = written.chars().nth(1) else { return (None, 1) };
    let digits = |count: usize| {
        let code = written.get(2..2 + count).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        (code.and_then(char::from_u32), 2 + count)
    };
    let made = match char {
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        't' | '\t' => '\t',
        'n' => '\n',
        'v' => '\u{b}',
        'f' => '\u{c}',
        'r' => '\r',
        'e' => '\u{1b}',
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        'x' => return digits(2),
        'u' => return digits(4),
        'U' => return digits(8),
        '\n' | '\r' => {
            let rest = &written[1..];
            return (None, 1 + rest.len() - rest.trim_start().len());
        }
        other => other,
    };
    (Some(made), 1 + char.len_utf8())
}
