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
///
/// Nodes are many and small: what they hold stands in lists of the document, by numbers
/// of 32 bits, so that a document is a few allocations whatever it says.
#[derive(Debug, Clone)]
pub struct Document {
    nodes: Vec<Data>,
    /// The texts of all scalars and the names of all aliases, one behind the other.
    texts: String,
    /// The keys and values of all mappings, those of one mapping side by side.
    pairs: Vec<(u32, u32)>,
    /// The items of all sequences, those of one sequence side by side.
    items: Vec<u32>,
    /// What few nodes have.
    marks: Vec<Marks>,
    /// One for each large mapping.
    orders: Vec<Order>,
    root: u32,
    span: Span,
}

#[derive(Debug, Clone, Copy)]
struct Data {
    start: u32,
    end: u32,
    kind: Kind,
    /// Which marks it has; [`NONE`] for most.
    marks: u32,
}

/// The number of nothing.
const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Default)]
struct Marks {
    anchor: Option<Mark>,
    tag: Option<Mark>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Scalar {
        text: Piece,
        style: Style,
    },
    /// `merges` when it has a merge key; `order` is [`NONE`] for a small one.
    Mapping {
        pairs: Piece,
        order: u32,
        merges: bool,
    },
    Sequence {
        items: Piece,
    },
    /// `target` is [`NONE`] for an alias of nothing.
    Alias {
        name: Piece,
        target: u32,
    },
}

/// A part of one of a document's lists.
#[derive(Debug, Clone, Copy, Default)]
struct Piece {
    start: u32,
    end: u32,
}

impl Piece {
    fn of<T>(self, list: &[T]) -> &[T] {
        list.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// The entries of a large mapping in the order of their keys, made when a key is looked
/// for: each by the first bytes of its key, which nearly always decide.
type Order = OnceLock<Box<[(u64, u32)]>>;

/// From how many entries on a mapping's keys are sorted to be found.
const MANY_ENTRIES: usize = 32;

/// The first eight bytes of a key, to be compared like the key; shorter ones end in zeros.
fn lead(key: &str) -> u64 {
    let mut bytes = [0; 8];
    for (byte, of_key) in bytes.iter_mut().zip(key.bytes()) {
        *byte = of_key;
    }
    u64::from_be_bytes(bytes)
}

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
        self.node(self.root)
    }

    /// From the first byte of the document's content to its last.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// Every node, in the order in which the text writes them.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        (0..self.nodes.len()).map(|index| self.node(small(index)))
    }

    fn node(&self, index: u32) -> Node<'_> {
        Node { document: self, index }
    }
}

/// A place in a document's tree; cheap to copy.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    document: &'a Document,
    index: u32,
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
    pairs: &'a [(u32, u32)],
    order: Option<&'a Order>,
    merges: bool,
}

/// The items of a sequence.
#[derive(Debug, Clone, Copy)]
pub struct Sequence<'a> {
    document: &'a Document,
    items: &'a [u32],
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
        &self.document.nodes[self.index as usize]
    }

    fn piece(self, piece: Piece) -> &'a str {
        self.document.texts.get(piece.start as usize..piece.end as usize).unwrap_or_default()
    }

    fn marks(self) -> Option<&'a Marks> {
        self.document.marks.get(self.data().marks as usize)
    }

    /// The bytes of the node: quotes and brackets included; anchor, tag, the space
    /// around and the header of a block scalar (`|`, `>-`) excluded.
    #[must_use]
    pub fn span(self) -> Span {
        Span::new(self.data().start as usize, self.data().end as usize)
    }

    /// What it is.
    #[must_use]
    pub fn shape(self) -> Shape<'a> {
        let document = self.document;
        match self.data().kind {
            Kind::Scalar { text, style } => Shape::Scalar(Scalar { text: self.piece(text), style }),
            Kind::Mapping { pairs, order, merges } => Shape::Mapping(Mapping {
                document,
                pairs: pairs.of(&document.pairs),
                order: document.orders.get(order as usize),
                merges,
            }),
            Kind::Sequence { items } => {
                Shape::Sequence(Sequence { document, items: items.of(&document.items) })
            }
            Kind::Alias { name, target } => {
                let target = (target != NONE).then(|| document.node(target));
                Shape::Alias(Alias { name: self.piece(name), target })
            }
        }
    }

    /// The text of a scalar, where it is a key.
    fn key(self) -> Option<&'a str> {
        match self.data().kind {
            Kind::Scalar { text, .. } => Some(self.piece(text)),
            _ => None,
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
        self.marks()?.anchor.as_ref()
    }

    /// `!tag` before the node.
    #[must_use]
    pub fn tag(self) -> Option<&'a Mark> {
        self.marks()?.tag.as_ref()
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
        f.debug_tuple("Node").field(&self.span()).finish()
    }
}

impl<'a> Mapping<'a> {
    /// Every entry as key and value, in order, duplicates and `<<` included.
    pub fn entries(self) -> impl ExactSizeIterator<Item = (Node<'a>, Node<'a>)> {
        let document = self.document;
        self.pairs.iter().map(move |(key, value)| (document.node(*key), document.node(*value)))
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
        let is_named = move |key_node: u32| document.node(key_node).key() == Some(key);
        let sorted = self.order.map(|order| {
            let order = order.get_or_init(|| self.sorted());
            let lead = lead(key);
            let first = order.partition_point(|(other, entry)| {
                *other < lead || *other == lead && self.key_of(*entry) < Some(key)
            });
            &order[first..]
        });
        let all = if sorted.is_none() { self.pairs } else { &[] };
        let near = sorted.into_iter().flatten().filter_map(|(_, entry)| self.pairs.get(*entry as usize));
        near.take_while(move |(key, _)| is_named(*key))
            .chain(all.iter().filter(move |(key, _)| is_named(*key)))
            .map(move |(key, value)| (document.node(*key), document.node(*value)))
    }

    /// Its entries in the order of their keys; those of the same key as they stand.
    fn sorted(self) -> Box<[(u64, u32)]> {
        let entries = 0..small(self.pairs.len());
        let mut sorted: Vec<(u64, u32)> =
            entries.filter_map(|entry| Some((lead(self.key_of(entry)?), entry))).collect();
        sorted.sort_by(|(lead, entry), (other_lead, other)| {
            lead.cmp(other_lead).then_with(|| self.key_of(*entry).cmp(&self.key_of(*other)))
        });
        sorted.into()
    }

    fn key_of(self, entry: u32) -> Option<&'a str> {
        self.document.node(self.pairs.get(entry as usize)?.0).key()
    }
}

impl<'a> Sequence<'a> {
    /// Every item, in order.
    pub fn items(self) -> impl ExactSizeIterator<Item = Node<'a>> {
        let document = self.document;
        self.items.iter().map(move |index| document.node(*index))
    }
}

/// A number of 32 bits: what is read is never so large that this matters.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(NONE)
}
