//! From `granit-parser`'s events to the tree.

use std::collections::HashMap;

use granit_parser::Event;
use granit_parser::Parser;
use granit_parser::ScalarStyle;
use granit_parser::ScanError;

use super::Data;
use super::Document;
use super::Kind;
use super::MANY_ENTRIES;
use super::Mark;
use super::Marks;
use super::NONE;
use super::Order;
use super::Piece;
use super::Style;
use super::Yaml;
use super::YamlError;
use super::YamlErrorKind;
use super::small;
use crate::source::MAX_FILE_BYTES;
use crate::source::Span;

/// How much is read before reading stops with [`YamlErrorKind::Limit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Collections inside each other. granit-parser's own limit is 255 of each style.
    pub depth: usize,
    /// Nodes over all documents: keeps a text of nothing but `[,` small in memory.
    pub nodes: usize,
    /// Documents of which each may be broken and resumed after.
    pub documents: usize,
}

impl Default for Limits {
    /// Fits every manifest that a file of [`MAX_FILE_BYTES`] can sensibly hold.
    fn default() -> Limits {
        Limits { bytes: MAX_FILE_BYTES as usize, depth: 100, nodes: 250_000, documents: 10_000 }
    }
}

/// Reads every document of a text. Never fails: what is broken stands in
/// [`Yaml::errors`], and reading goes on at the next `---`.
#[must_use]
pub fn read(text: &str, limits: Limits) -> Yaml {
    let mut yaml = Yaml::default();
    // Places are numbers of 32 bits.
    let most = limits.bytes.min(NONE as usize / 4);
    if text.len() > most {
        let message = format!("the text is {} bytes long, the limit is {most}", text.len());
        yaml.errors.push(YamlError { span: Span::new(0, 0), kind: YamlErrorKind::Limit, message });
        return yaml;
    }
    let options = granit_parser::options! {
        emit_anchor_events: true,
        emit_unresolved_aliases: true,
        emit_comments: false,
        flow_nesting_limit: limits.depth,
        block_nesting_limit: limits.depth,
    };
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut builder = Builder::new(text);
    let mut nodes_left = limits.nodes;
    loop {
        match parser.next_event() {
            None => break,
            Some(Ok((event, span))) => {
                let tag = event.tag().map(|tag| Mark {
                    text: tag.original(),
                    span: span.tag_span().map_or_else(|| bytes(&span), |tag| bytes(&tag)),
                });
                let span = bytes(&span);
                if event.is_node() {
                    if nodes_left == 0 || builder.open.len() > limits.depth {
                        let what = if nodes_left == 0 {
                            format!("more than {} values", limits.nodes)
                        } else {
                            format!("values nested deeper than {}", limits.depth)
                        };
                        let message = format!("reading stopped at {what}");
                        yaml.errors.push(YamlError { span, kind: YamlErrorKind::Limit, message });
                        break;
                    }
                    nodes_left -= 1;
                }
                builder.take(event, span, tag, &mut yaml.documents);
            }
            Some(Err(error)) => {
                yaml.errors.push(problem(&error, text));
                builder = Builder::new(text);
                if yaml.errors.len() >= limits.documents {
                    break;
                }
                match parser.proceed_next_document() {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        yaml.errors.push(problem(&error, text));
                        break;
                    }
                }
            }
        }
        if yaml.documents.len() > limits.documents {
            yaml.documents.pop();
            let message = format!("reading stopped at more than {} documents", limits.documents);
            yaml.errors.push(YamlError {
                span: Span::new(text.len(), text.len()),
                kind: YamlErrorKind::Limit,
                message,
            });
            break;
        }
    }
    yaml
}

fn bytes(span: &granit_parser::Span) -> Span {
    span.byte_range().map_or(Span::default(), |range| Span::new(range.start, range.end))
}

fn problem(error: &ScanError, text: &str) -> YamlError {
    let start = error.marker().byte_offset().unwrap_or(0).min(text.len());
    let start = (0..=start).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let end = text[start..]
        .chars()
        .next()
        .filter(|next| *next != '\n')
        .map_or(start, |next| start + next.len_utf8());
    let message = error.info().replace(char::is_control, " ");
    YamlError { span: Span::new(start, end), kind: YamlErrorKind::Syntax, message }
}

/// A document under construction.
struct Builder<'t> {
    text: &'t str,
    nodes: Vec<Data>,
    texts: String,
    pairs: Vec<(u32, u32)>,
    items: Vec<u32>,
    marks: Vec<Marks>,
    orders: Vec<Order>,
    /// The collections that are open, outermost first.
    open: Vec<Open>,
    /// The entries of the open mappings, and the items of the open sequences.
    open_pairs: Vec<(u32, u32)>,
    open_items: Vec<u32>,
    anchors: HashMap<usize, u32>,
    last: Option<u32>,
    root: Option<u32>,
}

struct Open {
    node: u32,
    is_mapping: bool,
    /// The key that waits for its value.
    key: Option<u32>,
    /// Where what it holds begins, among the open entries or items.
    first: usize,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str) -> Builder<'t> {
        Builder {
            text,
            nodes: Vec::new(),
            texts: String::new(),
            pairs: Vec::new(),
            items: Vec::new(),
            marks: Vec::new(),
            orders: Vec::new(),
            open: Vec::new(),
            open_pairs: Vec::new(),
            open_items: Vec::new(),
            anchors: HashMap::new(),
            last: None,
            root: None,
        }
    }

    fn take(&mut self, event: Event<'_>, span: Span, tag: Option<Mark>, documents: &mut Vec<Document>) {
        match event {
            Event::DocumentStart(..) => {
                *self = Builder::new(self.text);
            }
            Event::DocumentEnd => {
                if let Some(root) = self.root.take() {
                    documents.push(std::mem::replace(self, Builder::new(self.text)).document(root));
                }
            }
            Event::Scalar(value, style, anchor, _) => {
                let (kind, span) = self.scalar(&value, style, span);
                self.place(kind, span, tag, anchor);
            }
            Event::SequenceStart(_, anchor, _) => {
                let kind = Kind::Sequence { items: Piece::default() };
                let node = self.place(kind, span, tag, anchor);
                self.open.push(Open { node, is_mapping: false, key: None, first: self.open_items.len() });
            }
            Event::MappingStart(_, anchor, _) => {
                let kind = Kind::Mapping { pairs: Piece::default(), order: NONE, merges: false };
                let node = self.place(kind, span, tag, anchor);
                self.open.push(Open { node, is_mapping: true, key: None, first: self.open_pairs.len() });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    self.close(&open, span);
                }
            }
            Event::Alias(id) => {
                let text = self.text;
                let name = self.piece(text.get(span.start + 1..span.end).unwrap_or(""));
                let target = self.anchors.get(&id).copied().unwrap_or(NONE);
                self.place(Kind::Alias { name, target }, span, None, 0);
            }
            Event::UnresolvedAlias(name) => {
                let kind = Kind::Alias { name: self.piece(&name), target: NONE };
                self.place(kind, span, None, 0);
            }
            Event::Anchor(_, name) => {
                if let Some(last) = self.last {
                    let anchor = Mark { text: name.into_owned(), span };
                    match self.marks.get_mut(self.nodes[last as usize].marks as usize) {
                        Some(marks) => marks.anchor = Some(anchor),
                        None => self.mark(last, Marks { anchor: Some(anchor), tag: None }),
                    }
                }
            }
            _ => {}
        }
    }

    fn document(mut self, root: u32) -> Document {
        self.nodes.shrink_to_fit();
        self.texts.shrink_to_fit();
        self.pairs.shrink_to_fit();
        self.items.shrink_to_fit();
        let Data { start, end, .. } = self.nodes[root as usize];
        Document {
            nodes: self.nodes,
            texts: self.texts,
            pairs: self.pairs,
            items: self.items,
            marks: self.marks,
            orders: self.orders,
            root,
            span: Span::new(start as usize, end as usize),
        }
    }

    /// Puts a node where the open collection wants it.
    fn place(&mut self, kind: Kind, span: Span, tag: Option<Mark>, anchor: usize) -> u32 {
        let index = small(self.nodes.len());
        self.nodes.push(Data { start: small(span.start), end: small(span.end), kind, marks: NONE });
        if tag.is_some() {
            self.mark(index, Marks { anchor: None, tag });
        }
        self.last = Some(index);
        if anchor != 0 {
            self.anchors.insert(anchor, index);
        }
        match self.open.last_mut() {
            None => self.root = Some(index),
            Some(open) if open.is_mapping => match open.key.take() {
                None => open.key = Some(index),
                Some(key) => self.open_pairs.push((key, index)),
            },
            Some(_) => self.open_items.push(index),
        }
        index
    }

    fn mark(&mut self, node: u32, marks: Marks) {
        self.nodes[node as usize].marks = small(self.marks.len());
        self.marks.push(marks);
    }

    /// Keeps what a collection holds, and says where it ends.
    fn close(&mut self, open: &Open, span: Span) {
        let end_of = |node: u32| self.nodes[node as usize].end;
        let (kind, of_child) = if open.is_mapping {
            let own = &self.open_pairs[open.first..];
            // The value of a last `key:` is empty and may stand further down.
            let of_child = own.last().map(|(key, value)| end_of(*value).max(end_of(*key)));
            let merges = own.iter().any(|(key, _)| self.is_merge(*key));
            let mut order = NONE;
            if own.len() >= MANY_ENTRIES {
                order = small(self.orders.len());
                self.orders.push(Order::new());
            }
            let start = small(self.pairs.len());
            self.pairs.extend(self.open_pairs.drain(open.first..));
            let pairs = Piece { start, end: small(self.pairs.len()) };
            (Kind::Mapping { pairs, order, merges }, of_child)
        } else {
            let of_child = self.open_items[open.first..].last().map(|item| end_of(*item));
            let start = small(self.items.len());
            self.items.extend(self.open_items.drain(open.first..));
            (Kind::Sequence { items: Piece { start, end: small(self.items.len()) } }, of_child)
        };
        let node = &mut self.nodes[open.node as usize];
        node.kind = kind;
        // A block collection's end event stands at the next token: its last byte is its last child's.
        let flow = span.end > span.start;
        let end = if flow { small(span.end) } else { of_child.unwrap_or(node.end) };
        node.end = node.end.max(end);
    }

    /// `<<` without quotes.
    fn is_merge(&self, key: u32) -> bool {
        match self.nodes[key as usize].kind {
            Kind::Scalar { text, style: Style::Plain } => text.of(self.texts.as_bytes()) == b"<<",
            _ => false,
        }
    }

    /// Keeps a text.
    fn piece(&mut self, text: &str) -> Piece {
        let start = small(self.texts.len());
        self.texts.push_str(text);
        Piece { start, end: small(self.texts.len()) }
    }

    fn scalar(&mut self, value: &str, style: ScalarStyle, span: Span) -> (Kind, Span) {
        let absent = span.start == span.end;
        let style = match style {
            ScalarStyle::Plain if absent => Style::Absent,
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::SingleQuoted,
            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        let text = self.piece(if style == Style::Absent { "" } else { value });
        let mut span = span;
        if matches!(style, Style::Literal | Style::Folded) {
            // granit-parser ends a block scalar past the indentation of what follows.
            let written = self.text.get(span.start..span.end).unwrap_or("");
            span.end = span.start + written.trim_end().len();
        }
        (Kind::Scalar { text, style }, span)
    }
}
