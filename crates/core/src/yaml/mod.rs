//! YAML as a small tree in which everything knows its bytes.
//!
//! Grammar: YAML 1.2.2, <https://yaml.org/spec/1.2.2/>, as `granit-parser` reads
//! it. The tree keeps what a typed reader would throw away: spans, scalar styles,
//! anchors, aliases, tags, duplicate keys. It resolves nothing: an alias is a
//! node that names its target, `<<` is an ordinary key, and every scalar is text.
//! It knows no schema and no image.
//!
//! Nodes stand in one list per document, so neither reading nor dropping a deep
//! tree recurses, and an alias can point at its target.

mod follow;
mod read;
#[cfg(test)]
mod tests;
mod text;

use std::sync::OnceLock;

use crate::source::Span;

pub use follow::Visits;
pub use read::{Limits, read};

/// Everything that was read from a text. Documents before and after a broken one
/// are whole; a broken one is left out and stands in `errors`.
#[derive(Debug, Clone, Default)]
pub struct Yaml {
    /// The documents, in order.
    pub documents: Vec<Document>,
    /// What could not be read.
    pub errors: Vec<YamlError>,
}

/// Why a text, or one document of it, could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlError {
    /// The place where reading stopped.
    pub span: Span,
    /// What kind.
    pub kind: YamlErrorKind,
    /// What is wrong, for people, without control characters.
    pub message: String,
}

/// The kinds of [`YamlError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum YamlErrorKind {
    /// The text is not YAML.
    Syntax,
    /// A limit stopped the reading.
    Limit,
}

/// One document of a stream.
#[derive(Debug, Clone)]
pub struct Document {
    nodes: Vec<Data>,
    /// The texts of all scalars and the names of all aliases, one behind the other.
    texts: String,
    root: usize,
    span: Span,
}

#[derive(Debug, Clone)]
struct Data {
    span: Span,
    kind: Kind,
    /// Few nodes have some.
    marks: Option<Box<Marks>>,
}

#[derive(Debug, Clone, Default)]
struct Marks {
    anchor: Option<Mark>,
    tag: Option<Mark>,
}

#[derive(Debug, Clone)]
enum Kind {
    Scalar { text: Piece, style: Style },
    Mapping(Entries),
    Sequence(Vec<usize>),
    Alias { name: Piece, target: Option<usize> },
}

/// A part of a document's texts.
#[derive(Debug, Clone, Copy)]
struct Piece {
    start: usize,
    end: usize,
}

/// The keys and values of a mapping, by their nodes.
#[derive(Debug, Clone, Default)]
struct Entries {
    nodes: Vec<(usize, usize)>,
    /// The entries in the order of their keys, of a large mapping in which a key was looked for.
    sorted: OnceLock<Box<[usize]>>,
}

/// From how many entries on a mapping's keys are sorted to be found.
const MANY_ENTRIES: usize = 32;

/// An anchor or a tag as written, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The anchor's name without `&`, or the tag with its `!`.
    pub text: String,
    /// The bytes of the whole mark, `&` or `!` included.
    pub span: Span,
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// Nothing is written: `key:` without a value.
    Absent,
    /// Without quotes.
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

impl Document {
    /// The node that holds everything else.
    #[must_use]
    pub fn root(&self) -> Node<'_> {
        Node { document: self, index: self.root }
    }

    /// From the first byte of the document's content to its last.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// Every node, in the order in which the text writes them.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        (0..self.nodes.len()).map(|index| Node { document: self, index })
    }
}

/// A place in a document's tree; cheap to copy.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    document: &'a Document,
    index: usize,
}

/// What a node is.
#[derive(Debug, Clone, Copy)]
pub enum Shape<'a> {
    /// Text.
    Scalar(Scalar<'a>),
    /// Keys and values.
    Mapping(Mapping<'a>),
    /// Items.
    Sequence(Sequence<'a>),
    /// `*name`.
    Alias(Alias<'a>),
}

/// Text and how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scalar<'a> {
    /// The value, escapes and folding done.
    pub text: &'a str,
    /// How it is written.
    pub style: Style,
}

/// The entries of a mapping.
#[derive(Debug, Clone, Copy)]
pub struct Mapping<'a> {
    document: &'a Document,
    entries: &'a Entries,
}

/// The items of a sequence.
#[derive(Debug, Clone, Copy)]
pub struct Sequence<'a> {
    document: &'a Document,
    items: &'a [usize],
}

/// A reference to an anchored node.
#[derive(Debug, Clone, Copy)]
pub struct Alias<'a> {
    /// The name without `*`.
    pub name: &'a str,
    /// The anchored node; `None` when nothing before has that name. It may hold
    /// this very alias (`&a [*a]`): who follows targets must count.
    pub target: Option<Node<'a>>,
}

impl<'a> Node<'a> {
    fn data(self) -> &'a Data {
        &self.document.nodes[self.index]
    }

    fn piece(self, piece: Piece) -> &'a str {
        self.document.texts.get(piece.start..piece.end).unwrap_or_default()
    }

    /// The bytes of the node: quotes and brackets included; anchor, tag, the space
    /// around and the header of a block scalar (`|`, `>-`) excluded.
    #[must_use]
    pub fn span(self) -> Span {
        self.data().span
    }

    /// What it is.
    #[must_use]
    pub fn shape(self) -> Shape<'a> {
        let document = self.document;
        match &self.data().kind {
            Kind::Scalar { text, style } => Shape::Scalar(Scalar { text: self.piece(*text), style: *style }),
            Kind::Mapping(entries) => Shape::Mapping(Mapping { document, entries }),
            Kind::Sequence(items) => Shape::Sequence(Sequence { document, items }),
            Kind::Alias { name, target } => {
                let target = target.map(|index| Node { document, index });
                Shape::Alias(Alias { name: self.piece(*name), target })
            }
        }
    }

    /// The scalar, if it is one.
    #[must_use]
    pub fn scalar(self) -> Option<Scalar<'a>> {
        match self.shape() {
            Shape::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The mapping, if it is one.
    #[must_use]
    pub fn mapping(self) -> Option<Mapping<'a>> {
        match self.shape() {
            Shape::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// The sequence, if it is one.
    #[must_use]
    pub fn sequence(self) -> Option<Sequence<'a>> {
        match self.shape() {
            Shape::Sequence(sequence) => Some(sequence),
            _ => None,
        }
    }

    /// The value of the first entry of a mapping whose key is this text.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Node<'a>> {
        self.mapping()?.get(key)
    }

    /// `&name` before the node.
    #[must_use]
    pub fn anchor(self) -> Option<&'a Mark> {
        self.data().marks.as_ref()?.anchor.as_ref()
    }

    /// `!tag` before the node.
    #[must_use]
    pub fn tag(self) -> Option<&'a Mark> {
        self.data().marks.as_ref()?.tag.as_ref()
    }

    /// Whether YAML's core schema reads it as null: nothing, `~` or `null`, unquoted.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.scalar().is_some_and(|scalar| match scalar.style {
            Style::Absent => true,
            Style::Plain => matches!(scalar.text, "~" | "null" | "Null" | "NULL"),
            _ => false,
        })
    }
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Node").field(&self.data().span).finish()
    }
}

impl<'a> Mapping<'a> {
    /// Every entry as key and value, in order, duplicates and `<<` included.
    pub fn entries(self) -> impl ExactSizeIterator<Item = (Node<'a>, Node<'a>)> {
        let document = self.document;
        self.entries
            .nodes
            .iter()
            .map(move |(key, value)| (Node { document, index: *key }, Node { document, index: *value }))
    }

    /// The value of the first entry whose key is this text.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Node<'a>> {
        self.named(key).next().map(|entry| entry.1)
    }

    /// Every entry whose key is this text, in order. Many files look
    /// for many keys in one large mapping: its keys are sorted.
    fn named(self, key: &str) -> impl Iterator<Item = (Node<'a>, Node<'a>)> {
        let document = self.document;
        let entries = &self.entries.nodes;
        let text = move |entry: usize| {
            let index = entries.get(entry)?.0;
            Node { document, index }.scalar().map(|scalar| scalar.text)
        };
        let sorted: Option<&[usize]> = (entries.len() >= MANY_ENTRIES).then(|| {
            let sort = || {
                let mut sorted: Vec<usize> = (0..entries.len()).collect();
                sorted.sort_by_key(|entry| text(*entry));
                sorted.into()
            };
            &**self.entries.sorted.get_or_init(sort)
        });
        let near = sorted.map(|sorted| &sorted[sorted.partition_point(|entry| text(*entry) < Some(key))..]);
        let near = near.into_iter().flatten().copied().take_while(move |entry| text(*entry) == Some(key));
        let all = if sorted.is_none() { 0..entries.len() } else { 0..0 };
        near.chain(all.filter(move |entry| text(*entry) == Some(key)))
            .filter_map(move |entry| entries.get(entry))
            .map(move |(key, value)| (Node { document, index: *key }, Node { document, index: *value }))
    }
}

impl<'a> Sequence<'a> {
    /// Every item, in order.
    pub fn items(self) -> impl ExactSizeIterator<Item = Node<'a>> {
        let document = self.document;
        self.items.iter().map(move |index| Node { document, index: *index })
    }
}
