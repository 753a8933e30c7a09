//! From the tokens of an expression to its tree.
//!
//! Grammar, from loose to tight, <https://github.com/google/cel-spec/blob/v0.24.0/doc/langdef.md#syntax>:
//!
//! ```text
//! Expr     = Or ["?" Or ":" Expr]
//! Or       = And {"||" And}                 And      = Relation {"&&" Relation}
//! Relation = Sum {("<" | "<=" | ">=" | ">" | "==" | "!=" | "in") Sum}
//! Sum      = Product {("+" | "-") Product}  Product  = Unary {("*" | "/" | "%") Unary}
//! Unary    = {"!"} Member | {"-"} Member
//! Member   = Primary {"." Name ["(" [List] ")"] | "[" Expr "]"}
//! Primary  = Name ["(" [List] ")"] | "(" Expr ")" | "[" [List] "]" | Literal
//! ```
//!
//! It recurses as deep as the expression nests, which [`tokens`](super::text::tokens)
//! has bounded.

use std::ops::Range;

use super::text::Kind;
use super::text::Mistake;
use super::text::Token;
use crate::policy::wording::quoted;

/// A part of an expression and where it stands, brackets around it excluded.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) at: Range<usize>,
    pub(super) shape: Shape,
}

/// What a part of an expression is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Bool(bool),
    Int(i64),
    Text(String),
    List(Vec<Node>),
    Name(String),
    Field(Box<Node>, Word),
    Index(Box<Node>, Box<Node>),
    Call {
        target: Option<Box<Node>>,
        name: Word,
        arguments: Vec<Node>,
    },
    Not(Box<Node>),
    Minus(Box<Node>),
    /// Joined by `&&`.
    All(Vec<Node>),
    /// Joined by `||`.
    Any(Vec<Node>),
    Binary(Operator, Box<Node>, Box<Node>),
    Choice(Box<Node>, Box<Node>, Box<Node>),
}

/// The name of a field or function, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) at: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    In,
    Plus,
    Minus,
    Times,
    Divide,
    Remainder,
}

impl Operator {
    fn read(text: &str) -> Option<Operator> {
        Some(match text {
            "==" => Operator::Equal,
            "!=" => Operator::Unequal,
            "<" => Operator::Less,
            "<=" => Operator::AtMost,
            ">" => Operator::Greater,
            ">=" => Operator::AtLeast,
            "in" => Operator::In,
            "+" => Operator::Plus,
            "-" => Operator::Minus,
            "*" => Operator::Times,
            "/" => Operator::Divide,
            "%" => Operator::Remainder,
            _ => return None,
        })
    }

    /// A greater one binds tighter.
    fn binding(self) -> u8 {
        match self {
            Operator::Times | Operator::Divide | Operator::Remainder => 3,
            Operator::Plus | Operator::Minus => 2,
            _ => 1,
        }
    }
}

/// The tree of an expression, or the first place at which it is none.
pub(super) fn parse(text: &str, tokens: &[Token]) -> Result<Node, Mistake> {
    let mut parser = Parser { text, tokens, next: 0 };
    let node = parser.expression()?;
    match parser.peek() {
        None => Ok(node),
        Some(_) => Err(parser.unexpected()),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    next: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.next)
    }

    fn slice(&self, token: &Token) -> &'a str {
        &self.text[token.at.clone()]
    }

    /// The next token, when its text is this one.
    fn take(&mut self, text: &str) -> Option<&'a Token> {
        let token = self.peek().filter(|token| token.kind != Kind::Text && self.slice(token) == text)?;
        self.next += 1;
        Some(token)
    }

    fn expect(&mut self, text: &str) -> Result<&'a Token, Mistake> {
        match self.take(text) {
            Some(token) => Ok(token),
            None => Err(Mistake { help: format!("`{text}` is missing before it"), ..self.unexpected() }),
        }
    }

    fn unexpected(&self) -> Mistake {
        let help = "write a comparison, such as `image.tier == \"unknown\"`";
        match (self.peek(), self.tokens.last()) {
            (Some(token), _) => Mistake::new(
                token.at.clone(),
                format!("{} cannot stand here", quoted(self.slice(token))),
                help,
            ),
            (None, Some(last)) => Mistake::new(last.at.clone(), "the expression ends too early", help),
            (None, None) => Mistake::new(0..self.text.len(), "the expression is empty", help),
        }
    }

    fn expression(&mut self) -> Result<Node, Mistake> {
        let condition = self.joined("||")?;
        if self.take("?").is_none() {
            return Ok(condition);
        }
        let yes = self.joined("||")?;
        self.expect(":")?;
        let no = self.expression()?;
        let at = condition.at.start..no.at.end;
        Ok(Node { at, shape: Shape::Choice(Box::new(condition), Box::new(yes), Box::new(no)) })
    }

    /// What is joined by `||`, or by `&&`: one list, however long.
    fn joined(&mut self, operator: &str) -> Result<Node, Mistake> {
        let is_or = operator == "||";
        let mut parts = Vec::new();
        loop {
            parts.push(if is_or { self.joined("&&")? } else { self.binary(1)? });
            if self.take(operator).is_none() {
                break;
            }
        }
        if parts.len() == 1 {
            return parts.pop().ok_or_else(|| self.unexpected());
        }
        let at = parts[0].at.start..parts[parts.len() - 1].at.end;
        Ok(Node { at, shape: if is_or { Shape::Any(parts) } else { Shape::All(parts) } })
    }

    /// Operators that bind at least this tight, each from left to right.
    fn binary(&mut self, binding: u8) -> Result<Node, Mistake> {
        let mut left = self.unary()?;
        while let Some(token) = self.peek().filter(|token| token.kind == Kind::Binary) {
            let Some(operator) = Operator::read(self.slice(token)).filter(|found| found.binding() >= binding)
            else {
                break;
            };
            self.next += 1;
            let right = self.binary(operator.binding() + 1)?;
            let at = left.at.start..right.at.end;
            left = Node { at, shape: Shape::Binary(operator, Box::new(left), Box::new(right)) };
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Node, Mistake> {
        let Some(sign) = self.peek().filter(|token| token.kind == Kind::Prefix) else {
            return self.member();
        };
        self.next += 1;
        let mixed = |token: &&Token| token.kind == Kind::Prefix && self.slice(token) != self.slice(sign);
        if self.peek().is_some_and(|token| mixed(&token)) {
            return Err(self.unexpected());
        }
        let operand = Box::new(self.unary()?);
        let at = sign.at.start..operand.at.end;
        let is_not = self.slice(sign) == "!";
        Ok(Node { at, shape: if is_not { Shape::Not(operand) } else { Shape::Minus(operand) } })
    }

    fn member(&mut self) -> Result<Node, Mistake> {
        let mut node = self.primary()?;
        loop {
            if self.take(".").is_some() {
                let name = self.name()?;
                let start = node.at.start;
                let target = Box::new(node);
                node = match self.arguments()? {
                    Some((arguments, end)) => {
                        let shape = Shape::Call { target: Some(target), name, arguments };
                        Node { at: start..end, shape }
                    }
                    None => Node { at: start..name.at.end, shape: Shape::Field(target, name) },
                };
            } else if self.take("[").is_some() {
                let index = self.expression()?;
                let end = self.expect("]")?.at.end;
                let at = node.at.start..end;
                node = Node { at, shape: Shape::Index(Box::new(node), Box::new(index)) };
            } else {
                return Ok(node);
            }
        }
    }

    fn name(&mut self) -> Result<Word, Mistake> {
        let Some(token) = self.peek().filter(|token| token.kind == Kind::Name) else {
            return Err(self.unexpected());
        };
        self.next += 1;
        Ok(Word { text: self.slice(token).to_owned(), at: token.at.clone() })
    }

    /// What stands in brackets after a name, and where they end.
    fn arguments(&mut self) -> Result<Option<(Vec<Node>, usize)>, Mistake> {
        match self.take("(") {
            Some(_) => self.list(")").map(Some),
            None => Ok(None),
        }
    }

    fn list(&mut self, end: &str) -> Result<(Vec<Node>, usize), Mistake> {
        let mut items = Vec::new();
        if let Some(token) = self.take(end) {
            return Ok((items, token.at.end));
        }
        loop {
            items.push(self.expression()?);
            if self.take(",").is_none() {
                return Ok((items, self.expect(end)?.at.end));
            }
        }
    }

    fn primary(&mut self) -> Result<Node, Mistake> {
        let Some(token) = self.peek() else { return Err(self.unexpected()) };
        let text = self.slice(token);
        let at = token.at.clone();
        match (token.kind, text) {
            (Kind::Name, _) => {
                let name = self.name()?;
                if let Some((arguments, end)) = self.arguments()? {
                    let shape = Shape::Call { target: None, name, arguments };
                    return Ok(Node { at: at.start..end, shape });
                }
                let shape = match text {
                    "true" => Shape::Bool(true),
                    "false" => Shape::Bool(false),
                    _ => Shape::Name(name.text),
                };
                Ok(Node { at, shape })
            }
            (Kind::Number, _) => {
                let Ok(value) = text.parse() else { return Err(self.unexpected()) };
                self.next += 1;
                Ok(Node { at, shape: Shape::Int(value) })
            }
            (Kind::Text, _) => {
                self.next += 1;
                let value = unquoted(text).map_err(|(escape, message)| {
                    let start = at.start + escape;
                    let help = "write `\\n`, `\\t`, `\\\\`, `\\\"`, `\\u00e9` or `r\"…\"` without escapes";
                    Mistake::new(start..at.end, message, help)
                })?;
                Ok(Node { at, shape: Shape::Text(value) })
            }
            (Kind::Open, "(") => {
                self.next += 1;
                let node = self.expression()?;
                self.expect(")")?;
                Ok(node)
            }
            (Kind::Open, _) => {
                self.next += 1;
                let (items, end) = self.list("]")?;
                Ok(Node { at: at.start..end, shape: Shape::List(items) })
            }
            _ => Err(self.unexpected()),
        }
    }
}

/// The value of a quoted text; where an escape stands that is none.
fn unquoted(token: &str) -> Result<String, (usize, &'static str)> {
    let quote = token.find(['\'', '"']).unwrap_or(0);
    let inner = &token[quote + 1..token.len() - 1];
    if quote > 0 {
        return Ok(inner.to_owned());
    }
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(escape) = rest.find('\\') {
        out.push_str(&rest[..escape]);
        let at = token.len() - 1 - rest.len() + escape;
        rest = &rest[escape + 1..];
        let code = |rest: &str, digits: Range<usize>, radix: u32| {
            let digits = rest.get(digits).filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
            char::from_u32(u32::from_str_radix(digits, radix).ok()?)
        };
        let (value, length) = match rest.as_bytes().first() {
            Some(b'a') => (Some('\u{7}'), 1),
            Some(b'b') => (Some('\u{8}'), 1),
            Some(b'f') => (Some('\u{c}'), 1),
            Some(b'n') => (Some('\n'), 1),
            Some(b'r') => (Some('\r'), 1),
            Some(b't') => (Some('\t'), 1),
            Some(b'v') => (Some('\u{b}'), 1),
            Some(b'\\' | b'?' | b'"' | b'\'' | b'`') => (rest.chars().next(), 1),
            Some(b'x' | b'X') => (code(rest, 1..3, 16), 3),
            Some(b'u') => (code(rest, 1..5, 16), 5),
            Some(b'U') => (code(rest, 1..9, 16), 9),
            Some(b'0'..=b'3') => (code(rest, 0..3, 8), 3),
            _ => (None, 0),
        };
        let Some(value) = value else { return Err((at, "this is no escape that a text has")) };
        out.push(value);
        rest = &rest[length..];
    }
    out.push_str(rest);
    Ok(out)
}
