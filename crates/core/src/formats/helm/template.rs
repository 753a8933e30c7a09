//! Go templates as a tree in which every text and action knows its bytes.
//!
//! Grammar: <https://pkg.go.dev/text/template>, Go 1.24. Reading never fails: an
//! action that is not understood is one whose value is not known, an `end` too
//! many is passed over, one that is missing stands at the end of the text.

use crate::source::Span;

use super::lex;
use super::lex::Token;
use super::lex::Word;

/// Branches inside each other; what is deeper is read as if it stood at this depth.
const MAX_DEPTH: usize = 60;
/// Parentheses inside each other.
const MAX_PARENTHESES: usize = 30;

/// A template file.
#[derive(Debug, Default)]
pub(super) struct Template {
    /// What is executed.
    pub(super) body: Vec<Node>,
    /// What other templates may call.
    pub(super) defines: Vec<Define>,
}

/// `{{ define "name" }}…{{ end }}`
#[derive(Debug)]
pub(super) struct Define {
    pub(super) name: String,
    /// The bytes of the action that begins it.
    pub(super) at: Span,
    pub(super) body: Vec<Node>,
}

/// A piece of a template.
#[derive(Debug)]
pub(super) enum Node {
    /// Text, what `{{-` and `-}}` trim away excluded.
    Text(Span),
    /// `{{ pipeline }}`
    Action(Pipeline, Span),
    /// `{{ if }}` and every `{{ else if }}` in turn; `{{ else }}` has no condition.
    If(Vec<(Option<Pipeline>, Vec<Node>)>),
    /// `{{ with }}`
    With(Pipeline, Vec<Node>, Vec<Node>),
    /// `{{ range }}`
    Range(Pipeline, Vec<Node>, Vec<Node>),
}

/// Commands of which each is given the result of the one before.
#[derive(Debug, Default)]
pub(super) struct Pipeline {
    /// The variables that take the result.
    pub(super) variables: Vec<String>,
    /// Whether they exist already: `=`, not `:=`.
    pub(super) assigns: bool,
    /// Each a function and its arguments, or a single operand. None: not understood.
    pub(super) commands: Vec<Vec<Expression>>,
}

/// An operand.
#[derive(Debug)]
pub(super) enum Expression {
    Dot,
    Variable(String),
    Text(String),
    Number(String),
    Function(String),
    Nested(Pipeline),
    /// `.field` of something.
    Field(Box<Expression>, String),
}

/// Reads a template.
pub(super) fn read(text: &str) -> Template {
    let mut reader = Reader { text, template: Template::default(), frames: vec![Frame::root()], too_deep: 0 };
    reader.read();
    reader.template
}

/// `{{` without `}}`, when there is one.
pub(super) fn unclosed(text: &str) -> Option<Span> {
    let mut at = 0;
    while let Some(open) = memchr::memmem::find(&text.as_bytes()[at..], b"{{") {
        let open = at + open;
        match action_end(text, open) {
            Some((end, _)) => at = end,
            None => return Some(Span::new(open, open + 2)),
        }
    }
    None
}

struct Frame {
    kind: Open,
    nodes: Vec<Node>,
}

enum Open {
    Root,
    Define(String, Span),
    /// The branches that are complete, and the condition of the one that is not.
    If(Vec<(Option<Pipeline>, Vec<Node>)>, Option<Pipeline>),
    With(Pipeline, Option<Vec<Node>>),
    Range(Pipeline, Option<Vec<Node>>),
}

impl Frame {
    fn root() -> Frame {
        Frame { kind: Open::Root, nodes: Vec::new() }
    }
}

struct Reader<'t> {
    text: &'t str,
    template: Template,
    /// The branches that are open; the root is the first.
    frames: Vec<Frame>,
    /// Branches that were not opened, since there are too many.
    too_deep: usize,
}

impl Reader<'_> {
    fn read(&mut self) {
        let mut at = 0;
        let mut trims = false;
        while let Some(open) = memchr::memmem::find(&self.text.as_bytes()[at..], b"{{") {
            let open = at + open;
            let Some((end, content)) = action_end(self.text, open) else {
                self.text_node(at, open, trims, false);
                self.close_all();
                return;
            };
            let inner = &self.text[content.start..content.end];
            let trims_before = self.text[open + 2..].starts_with('-')
                && self.text[open + 3..].starts_with(|char: char| char.is_whitespace() || char == '/');
            self.text_node(at, open, trims, trims_before);
            self.action(inner, Span::new(open, end));
            trims = self.text[..end - 2].ends_with('-') && content.end < end - 2;
            at = end;
        }
        self.text_node(at, self.text.len(), trims, false);
        self.close_all();
    }

    fn text_node(&mut self, start: usize, end: usize, trims_start: bool, trims_end: bool) {
        let text = &self.text[start..end];
        let trimmed = if trims_start { text.trim_start() } else { text };
        let start = end - trimmed.len();
        let kept = if trims_end { trimmed.trim_end() } else { trimmed };
        if !kept.is_empty() {
            self.push(Node::Text(Span::new(start, start + kept.len())));
        }
    }

    fn push(&mut self, node: Node) {
        if let Some(frame) = self.frames.last_mut() {
            frame.nodes.push(node);
        }
    }

    fn open(&mut self, kind: Open) {
        match self.frames.len() > MAX_DEPTH {
            true => self.too_deep += 1,
            false => self.frames.push(Frame { kind, nodes: Vec::new() }),
        }
    }

    fn action(&mut self, action: &str, span: Span) {
        if action.trim_start().starts_with("/*") {
            return;
        }
        let words = lex::words(action).unwrap_or_default();
        let rest = words.get(1..).unwrap_or_default();
        let trimmed = action.trim_start();
        let keyword =
            trimmed.find(|char: char| !char.is_ascii_alphabetic()).map_or(trimmed, |end| &trimmed[..end]);
        match keyword {
            "if" => self.open(Open::If(Vec::new(), Some(pipeline(rest)))),
            "with" => self.open(Open::With(pipeline(rest), None)),
            "range" => self.open(Open::Range(pipeline(rest), None)),
            "define" | "block" => {
                let name = match rest.first().map(|word| &word.token) {
                    Some(Token::Text(name)) => name.clone(),
                    _ => String::new(),
                };
                if keyword == "block" {
                    self.push(Node::Action(call_of_template(rest), span));
                }
                self.open(Open::Define(name, span));
            }
            "else" => self.otherwise(&words),
            "end" => self.close(),
            "template" => self.push(Node::Action(call_of_template(rest), span)),
            "break" | "continue" if words.len() == 1 => {}
            _ => self.push(Node::Action(pipeline(&words), span)),
        }
    }

    /// `else`, `else if`, `else with`.
    fn otherwise(&mut self, words: &[Word]) {
        if self.too_deep > 0 {
            return;
        }
        let Some(frame) = self.frames.last_mut() else { return };
        let nodes = std::mem::take(&mut frame.nodes);
        let next = words.get(1).map(|_| pipeline(words.get(2..).unwrap_or_default()));
        match &mut frame.kind {
            Open::If(branches, condition) => {
                branches.push((condition.take(), nodes));
                *condition = next;
            }
            Open::With(_, body) | Open::Range(_, body) => match body {
                None => *body = Some(nodes),
                // `else with` once more: what is said is not followed, and kept.
                Some(_) => frame.nodes = nodes,
            },
            Open::Root | Open::Define(..) => frame.nodes = nodes,
        }
    }

    fn close(&mut self) {
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        if self.frames.len() < 2 {
            return;
        }
        let Some(Frame { kind, nodes }) = self.frames.pop() else { return };
        let node = match kind {
            Open::Root => return,
            Open::Define(name, at) => {
                self.template.defines.push(Define { name, at, body: nodes });
                return;
            }
            Open::If(mut branches, condition) => {
                branches.push((condition, nodes));
                Node::If(branches)
            }
            Open::With(pipeline, None) => Node::With(pipeline, nodes, Vec::new()),
            Open::With(pipeline, Some(body)) => Node::With(pipeline, body, nodes),
            Open::Range(pipeline, None) => Node::Range(pipeline, nodes, Vec::new()),
            Open::Range(pipeline, Some(body)) => Node::Range(pipeline, body, nodes),
        };
        self.push(node);
    }

    fn close_all(&mut self) {
        self.too_deep = 0;
        while self.frames.len() > 1 {
            self.close();
        }
        if let Some(root) = self.frames.pop() {
            self.template.body = root.nodes;
        }
    }
}

/// Where an action that begins at `open` ends, and what stands between its braces
/// and trim marks.
fn action_end(text: &str, open: usize) -> Option<(usize, Span)> {
    let bytes = text.as_bytes();
    let mut at = open + 2;
    let trims = bytes.get(at) == Some(&b'-')
        && bytes.get(at + 1).is_some_and(|next| next.is_ascii_whitespace() || *next == b'/');
    at += usize::from(trims);
    let start = at;
    let after = text[at..].trim_start();
    if after.starts_with("/*") {
        let comment = text.len() - after.len();
        let close = comment + memchr::memmem::find(&bytes[comment..], b"*/")? + 2;
        let end = close + memchr::memmem::find(&bytes[close..], b"}}")? + 2;
        return Some((end, Span::new(start, close)));
    }
    while at < bytes.len() {
        match bytes[at] {
            b'}' if bytes.get(at + 1) == Some(&b'}') => {
                let trims = bytes[at - 1] == b'-' && at > start && bytes[at - 2].is_ascii_whitespace();
                return Some((at + 2, Span::new(start, at - usize::from(trims))));
            }
            b'`' => at += 1 + memchr::memchr(b'`', &bytes[at + 1..])?,
            quote @ (b'"' | b'\'') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote && bytes[at] != b'\n' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// `{{ template "name" pipeline }}` is a call like `include`.
fn call_of_template(words: &[Word]) -> Pipeline {
    let Some(Token::Text(name)) = words.first().map(|word| &word.token) else { return Pipeline::default() };
    let mut command = vec![Expression::Function("include".to_owned()), Expression::Text(name.clone())];
    command.push(match words.len() {
        1 => Expression::Function("nil".to_owned()),
        _ => Expression::Nested(pipeline(&words[1..])),
    });
    Pipeline { commands: vec![command], ..Pipeline::default() }
}

fn pipeline(words: &[Word]) -> Pipeline {
    let mut parser = Parser { words, at: 0, depth: 0 };
    let read = parser.pipeline();
    if parser.at < words.len() { Pipeline::default() } else { read.unwrap_or_default() }
}

struct Parser<'w> {
    words: &'w [Word],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn token(&self, ahead: usize) -> Option<&Token> {
        self.words.get(self.at + ahead).map(|word| &word.token)
    }

    fn pipeline(&mut self) -> Option<Pipeline> {
        let mut pipeline = Pipeline::default();
        while let (Some(Token::Variable(name)), Some(next)) = (self.token(0), self.token(1)) {
            let name = name.clone();
            match next {
                Token::Comma => self.at += 2,
                Token::Declare | Token::Assign => {
                    pipeline.assigns = *next == Token::Assign;
                    self.at += 2;
                    pipeline.variables.push(name);
                    break;
                }
                _ => break,
            }
            pipeline.variables.push(name);
        }
        loop {
            pipeline.commands.push(self.command()?);
            match self.token(0) {
                Some(Token::Pipe) => self.at += 1,
                _ => return Some(pipeline),
            }
        }
    }

    fn command(&mut self) -> Option<Vec<Expression>> {
        let mut operands = Vec::new();
        while !matches!(self.token(0), None | Some(Token::Pipe | Token::Close)) {
            operands.push(self.operand()?);
        }
        (!operands.is_empty()).then_some(operands)
    }

    fn operand(&mut self) -> Option<Expression> {
        let token = self.token(0)?.clone();
        self.at += 1;
        let mut operand = match token {
            Token::Dot => Expression::Dot,
            Token::Field(name) => Expression::Field(Box::new(Expression::Dot), name),
            Token::Variable(name) => Expression::Variable(name),
            Token::Text(text) => Expression::Text(text),
            Token::Number(number) => Expression::Number(number),
            Token::Name(name) => Expression::Function(name),
            Token::Open => {
                self.depth += 1;
                if self.depth > MAX_PARENTHESES {
                    return None;
                }
                let nested = self.pipeline()?;
                self.depth -= 1;
                if self.token(0) != Some(&Token::Close) {
                    return None;
                }
                self.at += 1;
                Expression::Nested(nested)
            }
            Token::Pipe | Token::Close | Token::Comma | Token::Assign | Token::Declare => return None,
        };
        let mut fields = 0;
        while let Some(Word { token: Token::Field(name), spaced: false }) = self.words.get(self.at) {
            fields += 1;
            if fields > MAX_PARENTHESES {
                return None;
            }
            operand = Expression::Field(Box::new(operand), name.clone());
            self.at += 1;
        }
        Some(operand)
    }
}
