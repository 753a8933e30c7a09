//! Byte ranges in a file, and the lines and columns that people see.

use std::sync::Arc;
use std::sync::OnceLock;

use crate::source::RepoPath;

/// A half-open range of bytes in a file's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The bytes `start..end`.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Span {
        Span { start, end }
    }
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The file.
    pub file: RepoPath,
    /// The bytes in it.
    pub span: Span,
}

/// A line and column as people count them: both from 1, the column in Unicode
/// scalar values. A line ends at `\n`; a `\r` before it belongs to the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line_1based: usize,
    /// Column, from 1, in Unicode scalar values.
    pub column_1based: usize,
}

/// A file's text; its lines are looked for when somebody asks for a position,
/// which of most files nobody does.
#[derive(Debug, Clone)]
pub struct SourceFile {
    path: RepoPath,
    text: Arc<str>,
    index: OnceLock<Index>,
}

/// Where lines and characters begin.
#[derive(Debug, Clone)]
struct Index {
    line_starts: Vec<usize>,
    /// How many characters begin before every [`STRIDE_BYTES`]th byte, so that a
    /// column is counted from the nearest one: many positions on one long line
    /// must not cost the length of the line each.
    characters_before: Vec<usize>,
}

/// See [`Index`]; bounds what one column costs, in bytes.
const STRIDE_BYTES: usize = 512;

impl SourceFile {
    /// The file at `path` that holds `text`.
    #[must_use]
    pub fn new(path: RepoPath, text: impl Into<Arc<str>>) -> SourceFile {
        SourceFile { path, text: text.into(), index: OnceLock::new() }
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::new(self.text.as_bytes()))
    }

    /// Where the file stands in the repository.
    #[must_use]
    pub fn path(&self) -> &RepoPath {
        &self.path
    }

    /// The whole text, a byte order mark included.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of a span, empty when the span lies outside the file or splits
    /// a character.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or("")
    }

    /// The line and column of a byte offset; an offset past the end is the end.
    /// A byte order mark does not count as a column.
    #[must_use]
    pub fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        let index = self.index();
        let line = index.line_starts.partition_point(|start| *start <= offset) - 1;
        let mut start = index.line_starts[line];
        if line == 0 && self.text.starts_with('\u{feff}') {
            start = '\u{feff}'.len_utf8().min(offset);
        }
        let column = self.characters_before(offset) - self.characters_before(start);
        Position { line_1based: line + 1, column_1based: column + 1 }
    }

    /// The byte offset of a line and column, the inverse of [`SourceFile::position`];
    /// what lies past a line's end is its end.
    #[must_use]
    pub fn offset(&self, position: Position) -> usize {
        let line_starts = &self.index().line_starts;
        let line = position.line_1based.saturating_sub(1).min(line_starts.len() - 1);
        let start = line_starts[line];
        let text = self.line(line + 1).unwrap_or("");
        let skipped = if line == 0 && text.starts_with('\u{feff}') { 1 } else { 0 };
        let column = position.column_1based.saturating_sub(1) + skipped;
        start + text.char_indices().nth(column).map_or(text.len(), |(at, _)| at)
    }

    /// How many characters begin before a byte.
    fn characters_before(&self, offset: usize) -> usize {
        // The end of a text of whole strides has no entry of its own.
        let before = &self.index().characters_before;
        let stride = (offset / STRIDE_BYTES).min(before.len().saturating_sub(1));
        let rest = self.text.as_bytes().get(stride * STRIDE_BYTES..offset).unwrap_or(&[]);
        before.get(stride).copied().unwrap_or(0) + characters_beginning(rest)
    }

    /// The text of a line without its line ending; `None` past the last line.
    #[must_use]
    pub fn line(&self, line_1based: usize) -> Option<&str> {
        let line_starts = &self.index().line_starts;
        let start = *line_starts.get(line_1based.checked_sub(1)?)?;
        let end = line_starts.get(line_1based).map_or(self.text.len(), |next| next - 1);
        Some(self.text[start..end].trim_end_matches('\r'))
    }
}

impl Index {
    fn new(text: &[u8]) -> Index {
        let line_starts =
            std::iter::once(0).chain(memchr::memchr_iter(b'\n', text).map(|at| at + 1)).collect();
        let mut before = 0;
        let characters_before = text
            .chunks(STRIDE_BYTES)
            .map(|chunk| {
                let here = before;
                before += characters_beginning(chunk);
                here
            })
            .collect();
        Index { line_starts, characters_before }
    }
}

/// Every byte that does not continue a character begins one (UTF-8).
fn characters_beginning(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| (**byte & 0xC0) != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_the_same_counted_from_any_stride() {
        for length in [0, 1, STRIDE_BYTES - 1, STRIDE_BYTES, STRIDE_BYTES + 1, 3 * STRIDE_BYTES] {
            let text = format!("\u{feff}é{}\nß{}", "x".repeat(length), "日".repeat(length));
            let file = SourceFile::new(RepoPath::new("f"), text.as_str());
            for (offset, _) in text.char_indices().chain([(text.len(), ' ')]) {
                let start = text[..offset].rfind('\n').map_or(0, |newline| newline + 1);
                let expected = text[start..offset].trim_start_matches('\u{feff}').chars().count() + 1;
                assert_eq!(file.position(offset).column_1based, expected, "{offset} of {length}");
            }
        }
    }
}
