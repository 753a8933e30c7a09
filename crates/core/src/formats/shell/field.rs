//! What a command gets: one field of its arguments, and where that stands.

use std::rc::Rc;

use super::Foreign;
use super::scope::Member;
use super::scope::product;
use super::word::Kind;
use super::word::Parsed;
use super::word::Piece;
use super::word::Word;
use crate::formats::value::Value;
use crate::source::Mapped;
use crate::source::Span;

/// A script that was read, and its places.
pub(super) struct Source<'s> {
    pub(super) text: &'s Mapped,
    pub(super) foreign: &'s [Foreign],
    pub(super) parsed: &'s Parsed,
}

impl Source<'_> {
    /// A piece as it stands in the script.
    pub(super) fn written(&self, piece: &Piece) -> &str {
        self.text.text().get(piece.range.clone()).unwrap_or("")
    }
}

/// One field.
#[derive(Debug, Clone)]
pub(super) struct Field<'s> {
    pub(super) members: Vec<Member>,
    /// The word that it is made of, when it is all of the word.
    pub(super) word: Option<&'s Word>,
    /// What stands behind the text at its beginning: from where on, and the members.
    pub(super) behind: Option<(usize, Vec<Member>)>,
    pub(super) span: Span,
    /// It may be any number of fields.
    pub(super) many: bool,
    /// The variable that it is.
    pub(super) name: Option<&'s str>,
}

impl<'s> Field<'s> {
    /// Something that is not known.
    pub(super) fn unknown(span: Span, reason: &str) -> Field<'s> {
        let members = vec![Member::unknown(reason, reason)];
        Field { members, word: None, behind: None, span, many: false, name: None }
    }

    /// A word that is one field; `parts` are the members of its pieces.
    pub(super) fn of_word(
        word: &'s Word,
        members: Vec<Member>,
        parts: &[Vec<Member>],
        source: &Source<'s>,
    ) -> Field<'s> {
        let name = match word.pieces.as_slice() {
            [Piece { kind: Kind::Variable(variable), .. }] => Some(variable.name.as_str()),
            _ => None,
        };
        let span = source.text.span(word.range());
        Field { members, word: Some(word), behind: behind(word, parts, source), span, many: false, name }
    }

    /// What the field is called where it is not known: a variable, an expression.
    pub(super) fn hint(&self) -> &str {
        self.name.or_else(|| self.members.iter().find_map(|member| member.symbol.as_deref())).unwrap_or("")
    }

    /// The word, when the field is all of it.
    pub(super) fn word(&self) -> Option<&'s Word> {
        self.word
    }

    /// The text, when there is one and it is wholly known.
    pub(super) fn known(&self) -> Option<&str> {
        match self.members.as_slice() {
            [member] if member.value.is_known() => Some(member.value.text()),
            _ => None,
        }
    }

    /// What is known of its beginning.
    pub(super) fn beginning(&self) -> &str {
        self.members.first().map_or("", |member| member.value.beginning())
    }

    /// The first `length` bytes of a field whose beginning is known that far.
    pub(super) fn up_to(&self, length: usize) -> Field<'s> {
        let cut = |member: &Member| Member::known(member.value.slice(0..length));
        let written = self
            .members
            .first()
            .is_some_and(|member| member.value.text().len() == self.span.end - self.span.start);
        let span = if written { Span::new(self.span.start, self.span.start + length) } else { self.span };
        Field {
            members: self.members.iter().map(cut).collect(),
            word: None,
            behind: None,
            span,
            ..self.clone()
        }
    }

    /// What stands behind the first `=` of a word that begins with a variable.
    pub(super) fn behind_equals(&self, source: &Source<'s>) -> Option<Field<'s>> {
        let word = self.word?;
        let at = word
            .pieces
            .iter()
            .position(|piece| matches!(piece.kind, Kind::Text) && source.written(piece).starts_with('='))?;
        let mut members = vec![Member::known(Value::default())];
        for (index, piece) in word.pieces.iter().enumerate().skip(at) {
            let skip = usize::from(index == at);
            let more = match &piece.kind {
                Kind::Text => vec![Member::known(Value::known(&source.written(piece)[skip..]))],
                _ => vec![Member::unknown(source.written(piece), "it stands behind a variable")],
            };
            members = product(members, &more);
        }
        let span = source.text.span(word.pieces[at].range.start + 1..word.range().end);
        Some(Field { members, word: None, behind: None, span, many: false, name: None })
    }

    /// The field where something not known stands from `at` on.
    pub(super) fn opened(&self, at: usize, reason: &str) -> Field<'s> {
        let open = |member: &Member| {
            let mut opened = Member::known(member.value.slice(0..at));
            opened.append(&Member::unknown("…", reason));
            opened
        };
        Field { members: self.members.iter().map(open).collect(), word: None, behind: None, ..self.clone() }
    }

    /// The field without the first `length` bytes of its text.
    pub(super) fn without(&self, length: usize, source: &Source<'s>) -> Field<'s> {
        let prefix = self.members.first().and_then(|first| first.value.text().get(..length)).unwrap_or("");
        let cut = |member: &Member| {
            if !member.value.text().starts_with(prefix) || member.value.beginning().len() < length {
                return Member::unknown("…", "it begins with a variable");
            }
            let value = member.value.slice(length..member.value.text().len());
            let symbol = member.symbol.as_ref().and_then(|symbol| symbol.get(length..)).map(Rc::from);
            Member { value, symbol }
        };
        let span = self.word.and_then(|word| tail(word, length, source)).unwrap_or(self.span);
        let members = match &self.behind {
            Some((at, members)) if *at == length => members.clone(),
            _ => self.members.iter().map(cut).collect(),
        };
        Field { members, word: None, behind: None, span, many: self.many, name: self.name }
    }
}

/// What stands behind the last `=` or `/` of the text that a word begins with, when
/// something else follows that text. So it is known where that comes from.
fn behind(word: &Word, parts: &[Vec<Member>], source: &Source<'_>) -> Option<(usize, Vec<Member>)> {
    if word.pieces.len() < 2 {
        return None;
    }
    let first = word.pieces.first().filter(|piece| matches!(piece.kind, Kind::Text))?;
    let written = source.written(first);
    let at = written.rfind(['=', '/'])? + 1;
    let rest = vec![Member::known(Value::known(&written[at..]))];
    Some((at, parts.iter().skip(1).fold(rest, |members, part| product(members, part))))
}

/// The place of a word behind the first `length` bytes of its text.
fn tail(word: &Word, mut length: usize, source: &Source<'_>) -> Option<Span> {
    // Quotes that begin behind it are no part of what stands in them.
    let end = |piece: &Piece| {
        if piece.quoted { word.pieces.last().map_or(0, |last| last.range.end) } else { word.range().end }
    };
    for piece in &word.pieces {
        if length == 0 {
            return Some(source.text.span(piece.range.start..end(piece)));
        }
        if !matches!(piece.kind, Kind::Text) {
            return None;
        }
        if length < piece.range.len() {
            return Some(source.text.span(piece.range.start + length..end(piece)));
        }
        length -= piece.range.len();
    }
    let end = word.range().end;
    Some(source.text.span(end..end))
}
