//! Heredocs: what is waited for after `<<NAME`, and the bodies behind the line.

use std::borrow::Cow;

use memchr::memchr;

use super::lexer::Parser;
use super::lexer::Until;
use super::word::Heredoc;
use super::word::Kind;
use super::word::Piece;
use super::word::Word;

/// A heredoc whose body is to come.
#[derive(Debug)]
pub(super) struct Pending {
    /// Its place in `Parsed::heredocs`.
    pub(super) index: usize,
    name: String,
    quoted: bool,
    strips_tabs: bool,
}

impl Parser<'_> {
    /// Reads what stands behind `<<`; the index of the heredoc.
    pub(super) fn heredoc(&mut self) -> Option<usize> {
        let strips_tabs = self.peek(0) == Some(b'-');
        self.at += usize::from(strips_tabs);
        self.blanks();
        let start = self.at;
        let word = self.word(Until::Operator);
        if word.pieces.is_empty() {
            return None;
        }
        let quoted = word.pieces.iter().any(|piece| piece.quoted);
        // Expansions in the name are not made.
        let name =
            word.literal(self.text).map_or_else(|| self.text[start..self.at].to_owned(), Cow::into_owned);
        let index = self.heredocs.len();
        self.heredocs.push(Heredoc { body: Word::default(), strips_tabs });
        self.pending.push(Pending { index, name, quoted, strips_tabs });
        Some(index)
    }

    /// Reads the bodies that begin here, at the start of a line.
    pub(super) fn bodies(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            let start = self.at;
            let Some((end, next)) = self.end_of_body(&pending) else {
                // What never ends is read as commands: nothing hides in it.
                continue;
            };
            let body = match pending.quoted {
                true => Word {
                    pieces: vec![Piece { range: start..end, quoted: true, kind: Kind::Text }],
                    written: start..end,
                },
                false => {
                    // What is not closed in it ends with it.
                    let (text, bytes) = (self.text, self.bytes);
                    (self.text, self.bytes) = (&text[..end], &bytes[..end]);
                    let body = self.word(Until::End);
                    (self.text, self.bytes) = (text, bytes);
                    body
                }
            };
            self.heredocs[pending.index].body = body;
            self.pending.clear();
            self.at = next;
        }
    }

    /// Where a body ends and what follows it begins.
    fn end_of_body(&mut self, pending: &Pending) -> Option<(usize, usize)> {
        let start = self.at;
        let mut at = start;
        if self.gave_up() {
            return None;
        }
        while at < self.bytes.len() {
            let end = memchr(b'\n', &self.bytes[at..]).map_or(self.bytes.len(), |length| at + length);
            let next = (end + 1).min(self.bytes.len());
            let line = self.text[at..end].strip_suffix('\r').unwrap_or(&self.text[at..end]);
            let line = if pending.strips_tabs { line.trim_start_matches('\t') } else { line };
            if line == pending.name {
                return Some((at, next));
            }
            at = next;
        }
        self.may_retry(start, self.bytes.len());
        None
    }
}
