//! Where the text of a node stands: in a file, or in a string of a file that holds
//! YAML of its own.

use std::borrow::Cow;
use std::rc::Rc;

use crate::formats::marker;
use crate::formats::value::Value;
use crate::image::Via;
use crate::source::Mapped;
use crate::source::SourceFile;
use crate::source::Span;
use crate::yaml::Node;

/// The text that nodes were read from, and the file that it stands in.
#[derive(Clone)]
pub(in crate::formats) struct Written<'f> {
    file: &'f SourceFile,
    /// What was read: the file's text, with a template's markers covered.
    text: Cow<'f, str>,
    /// Where the bytes of `text` stand in the file, when it is not all of it.
    mapped: Option<Rc<Mapped>>,
    /// The strings that hold the text, outermost first.
    via: Vec<Via>,
}

impl<'f> Written<'f> {
    /// A file that was read as `text`.
    pub(in crate::formats) fn file(file: &'f SourceFile, text: &'f str) -> Written<'f> {
        Written { file, text: Cow::Borrowed(text), mapped: None, via: Vec::new() }
    }

    /// What was read.
    pub(in crate::formats) fn text(&self) -> &str {
        &self.text
    }

    /// How many strings the text stands in.
    pub(super) fn depth(&self) -> usize {
        self.via.len()
    }

    /// A text that stands in a string of this one. `None` when the node is no string.
    pub(in crate::formats) fn inside(&self, node: Node<'_>, via: Via) -> Option<Written<'f>> {
        let mapped = node.mapped(&self.text)?;
        let text = mapped.text().to_owned();
        let mapped = match &self.mapped {
            None => mapped,
            Some(outer) => through(&mapped, outer),
        };
        let mut all = self.via.clone();
        all.push(via);
        Some(Written { file: self.file, text: Cow::Owned(text), mapped: Some(Rc::new(mapped)), via: all })
    }

    /// The same with its markers covered, where there are some.
    pub(super) fn covered(mut self) -> Written<'f> {
        if let Some(masked) = super::template::masked(&self.text) {
            self.text = Cow::Owned(masked);
        }
        self
    }

    /// The bytes of the file that a span of the text stands for.
    pub(in crate::formats) fn span(&self, span: Span) -> Span {
        self.mapped.as_ref().map_or(span, |mapped| mapped.span(span.start..span.end))
    }

    /// The place of a scalar, quotes excluded, and its text; with the markers of a
    /// template as the file has them.
    pub(super) fn scalar<'n>(&self, node: Node<'n>) -> Option<(Span, Cow<'n, str>)>
    where
        'f: 'n,
    {
        let text = node.scalar()?.text;
        let span = self.span(node.content_span());
        let written = self.file.slice(span);
        match marker::has_marker(written) && written != text {
            true => Some((span, Cow::Borrowed(written))),
            false => Some((span, Cow::Borrowed(text))),
        }
    }

    /// Notes the strings that hold the text in what was found in it.
    pub(super) fn note(&self, values: &mut [Value]) {
        for via in &self.via {
            values.iter_mut().for_each(|value| value.note(via.clone()));
        }
    }
}

/// A text that is made of pieces of another one, with places in that one's file.
fn through(inner: &Mapped, outer: &Mapped) -> Mapped {
    let mut mapped = Mapped::default();
    let text = inner.text();
    for (at, char) in text.char_indices() {
        let span = inner.span(at..at + char.len_utf8());
        let place = outer.span(span.start..span.end);
        let char = &text[at..at + char.len_utf8()];
        match place.end.saturating_sub(place.start) == char.len() {
            true => mapped.push_verbatim(char, place.start),
            false => mapped.push_made(char, place),
        }
    }
    mapped
}
