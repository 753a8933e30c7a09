//! Heredocs: which of them a line opens, and how each ends.
//!
//! After `heredocsFromLine` and `ParseHeredoc` in
//! `frontend/dockerfile/parser/parser.go` of BuildKit 0.34: the words of a `RUN`,
//! `COPY` or `ADD` that match `^(\d*)<<(-?)\s*([^<]*)$`, where the last part is
//! again one word and names the line that ends the heredoc.

use memchr::memchr_iter;

use super::instruction;
use super::instruction::Json;
use super::instruction::Parts;
use super::lex;
use super::lex::LexError;
use super::lex::Mode;
use super::line::Line;

/// The end of a heredoc.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Heredoc {
    pub(super) terminator: String,
    /// `<<-`: tabs before the terminator are ignored.
    pub(super) chomp: bool,
}

/// The heredocs that a line opens: `RUN`, `COPY` and `ADD`, also as triggers.
pub(super) fn opened(line: &Line<'_, '_>, parts: &Parts<'_>, escape: u8) -> Result<Vec<Heredoc>, LexError> {
    if !holds_mark(line.text.as_bytes()) || !can_hold_heredoc(parts, escape) {
        return Ok(Vec::new());
    }
    let mode = Mode { escape: '\\', raw_quotes: true, raw_escapes: true, skip_unset: true };
    let words = match lex::words(line.text, mode) {
        // A line that does not lex has no heredocs.
        Err(LexError::Syntax(_)) => return Ok(Vec::new()),
        words => words?,
    };
    let mut heredocs = Vec::new();
    for word in words {
        heredocs.extend(self::word(&word)?);
    }
    Ok(heredocs)
}

/// Whether `<<` stands anywhere.
fn holds_mark(text: &[u8]) -> bool {
    memchr_iter(b'<', text).any(|at| text.get(at + 1) == Some(&b'<'))
}

fn can_hold_heredoc(parts: &Parts<'_>, escape: u8) -> bool {
    let inner;
    let parts = match parts.known {
        Some("onbuild") => {
            inner = instruction::split(parts.arguments, 0, escape);
            &inner
        }
        _ => parts,
    };
    matches!(parts.known, Some("run" | "copy" | "add"))
        && !matches!(instruction::json(parts.arguments), Ok(Json::Texts(_)))
}

/// `ParseHeredoc`: `^(\d*)<<(-?)\s*([^<]*)$`, and the rest a single word.
pub(super) fn word(word: &str) -> Result<Option<Heredoc>, LexError> {
    let body = word.trim_start_matches(|char: char| char.is_ascii_digit());
    let Some(body) = body.strip_prefix("<<") else { return Ok(None) };
    let (chomp, body) = match body.strip_prefix('-') {
        Some(body) => (true, body),
        None => (false, body),
    };
    let name = body.trim_start_matches(['\t', '\n', '\u{c}', '\r', ' ']);
    if name.is_empty() || name.contains('<') {
        return Ok(None);
    }
    let mode = Mode { escape: '\\', raw_quotes: false, raw_escapes: false, skip_unset: true };
    let refused = |error| match error {
        LexError::Syntax(_) => {
            LexError::Syntax(format!("the heredoc name `{}` does not parse", instruction::shortened(name)))
        }
        limit => limit,
    };
    let mut words = lex::words(name, mode).map_err(refused)?;
    match (words.pop(), words.is_empty()) {
        (Some(terminator), true) => Ok(Some(Heredoc { terminator, chomp })),
        _ => Ok(None),
    }
}
