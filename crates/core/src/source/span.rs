//! Byte ranges in a file, and the lines and columns that people see.

use std::sync::Arc;

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

/// A file's text together with its line starts.
#[derive(Debug, Clone)]
pub struct SourceFile {
    path: RepoPath,
    text: Arc<str>,
    line_starts: Vec<usize>,
}

impl SourceFile {
    /// Indexes the lines of `text`.
    #[must_use]
    pub fn new(path: RepoPath, text: impl Into<Arc<str>>) -> SourceFile {
        let text = text.into();
        let line_starts =
            std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1)).collect();
        SourceFile { path, text, line_starts }
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
        let line = self.line_starts.partition_point(|start| *start <= offset) - 1;
        let mut start = self.line_starts[line];
        if line == 0 && self.text.starts_with('\u{feff}') {
            start = '\u{feff}'.len_utf8().min(offset);
        }
        let before = self.text.as_bytes().get(start..offset).unwrap_or(&[]);
        let column = before.iter().filter(|byte| (**byte & 0xC0) != 0x80).count();
        Position { line_1based: line + 1, column_1based: column + 1 }
    }

    /// The byte offset of a line and column, the inverse of [`SourceFile::position`];
    /// what lies past a line's end is its end.
    #[must_use]
    pub fn offset(&self, position: Position) -> usize {
        let line = position.line_1based.saturating_sub(1).min(self.line_starts.len() - 1);
        let start = self.line_starts[line];
        let text = self.line(line + 1).unwrap_or("");
        let skipped = if line == 0 && text.starts_with('\u{feff}') { 1 } else { 0 };
        let column = position.column_1based.saturating_sub(1) + skipped;
        start + text.char_indices().nth(column).map_or(text.len(), |(at, _)| at)
    }

    /// The text of a line without its line ending; `None` past the last line.
    #[must_use]
    pub fn line(&self, line_1based: usize) -> Option<&str> {
        let start = *self.line_starts.get(line_1based.checked_sub(1)?)?;
        let end = self.line_starts.get(line_1based).map_or(self.text.len(), |next| next - 1);
        Some(self.text[start..end].trim_end_matches('\r'))
    }
}
