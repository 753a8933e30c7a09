//! From `granit-parser`'s events to the tree.

use std::collections::HashMap;

use granit_parser::Event;
use granit_parser::Parser;
use granit_parser::ScalarStyle;
use granit_parser::ScanError;

use super::Data;
use super::Document;
use super::Entries;
use super::Kind;
use super::Mark;
use super::Marks;
use super::Piece;
use super::Style;
use super::Yaml;
use super::YamlError;
use super::YamlErrorKind;
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
    if text.len() > limits.bytes {
        let message = format!("the text is {} bytes long, the limit is {}", text.len(), limits.bytes);
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
    /// The collections that are open, outermost first.
    open: Vec<Open>,
    anchors: HashMap<usize, usize>,
    last: Option<usize>,
    root: Option<usize>,
}

struct Open {
    node: usize,
    /// The key that waits for its value.
    key: Option<usize>,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str) -> Builder<'t> {
        Builder {
            text,
            nodes: Vec::new(),
            texts: String::new(),
            open: Vec::new(),
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
                    let mut nodes = std::mem::take(&mut self.nodes);
                    let mut texts = std::mem::take(&mut self.texts);
                    nodes.shrink_to_fit();
                    texts.shrink_to_fit();
                    let span = Span::new(nodes[root].span.start, nodes[root].span.end);
                    documents.push(Document { nodes, texts, root, span });
                }
            }
            Event::Scalar(value, style, anchor, _) => {
                let (kind, span) = self.scalar(&value, style, span);
                self.place(Data { span, kind, marks: tagged(tag) }, anchor);
            }
            Event::SequenceStart(_, anchor, _) => {
                let kind = Kind::Sequence(Vec::new());
                let node = self.place(Data { span, kind, marks: tagged(tag) }, anchor);
                self.open.push(Open { node, key: None });
            }
            Event::MappingStart(_, anchor, _) => {
                let kind = Kind::Mapping(Entries::default());
                let node = self.place(Data { span, kind, marks: tagged(tag) }, anchor);
                self.open.push(Open { node, key: None });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    // A block collection's end event stands at the next token:
                    // its last byte is its last child's.
                    let flow = span.end > span.start;
                    let end = if flow { span.end } else { self.last_child_end(open.node) };
                    let node = &mut self.nodes[open.node].span;
                    node.end = node.end.max(end);
                }
            }
            Event::Alias(id) => {
                let text = self.text;
                let name = self.piece(text.get(span.start + 1..span.end).unwrap_or(""));
                let target = self.anchors.get(&id).copied();
                self.place(Data { span, kind: Kind::Alias { name, target }, marks: None }, 0);
            }
            Event::UnresolvedAlias(name) => {
                let kind = Kind::Alias { name: self.piece(&name), target: None };
                self.place(Data { span, kind, marks: None }, 0);
            }
            Event::Anchor(_, name) => {
                if let Some(last) = self.last {
                    let marks = self.nodes[last].marks.get_or_insert_default();
                    marks.anchor = Some(Mark { text: name.into_owned(), span });
                }
            }
            _ => {}
        }
    }

    /// Puts a node where the open collection wants it.
    fn place(&mut self, data: Data, anchor: usize) -> usize {
        let index = self.nodes.len();
        self.nodes.push(data);
        self.last = Some(index);
        if anchor != 0 {
            self.anchors.insert(anchor, index);
        }
        match self.open.last_mut() {
            None => self.root = Some(index),
            Some(open) => match &mut self.nodes[open.node].kind {
                Kind::Sequence(items) => items.push(index),
                Kind::Mapping(entries) => match open.key.take() {
                    None => open.key = Some(index),
                    Some(key) => entries.nodes.push((key, index)),
                },
                Kind::Scalar { .. } | Kind::Alias { .. } => {}
            },
        }
        index
    }

    fn last_child_end(&self, node: usize) -> usize {
        let last = match &self.nodes[node].kind {
            Kind::Sequence(items) => items.last().copied(),
            Kind::Mapping(entries) => entries.nodes.last().map(|entry| entry.1),
            Kind::Scalar { .. } | Kind::Alias { .. } => None,
        };
        // The value of a last `key:` is empty and may stand further down.
        let of_key = match &self.nodes[node].kind {
            Kind::Mapping(entries) => entries.nodes.last().map(|entry| self.nodes[entry.0].span.end),
            _ => None,
        };
        last.map(|last| self.nodes[last].span.end).max(of_key).unwrap_or(self.nodes[node].span.end)
    }

    /// Keeps a text.
    fn piece(&mut self, text: &str) -> Piece {
        let start = self.texts.len();
        self.texts.push_str(text);
        Piece { start, end: self.texts.len() }
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

fn tagged(tag: Option<Mark>) -> Option<Box<Marks>> {
    tag.map(|tag| Box::new(Marks { anchor: None, tag: Some(tag) }))
}
