//! What is checked on the text of an expression before anything parses it, so that
//! no text can keep a parser or an evaluation long, or nest deeper than a stack holds.
//!
//! Grammar: <https://github.com/google/cel-spec/blob/v0.24.0/doc/langdef.md#syntax>,
//! without maps, messages, bytes, fractions, `has`, optional fields and comments.
//!
//! Depth is counted on the tokens, from above: brackets inside each other, `?` after
//! `?`, and the operators, signs and dots in a row, each of which nests once in the
//! tree. `&&` and `||` do not count: what they join is one list.

use std::ops::Range;

/// The longest expression, in bytes.
pub(super) const MAX_BYTES: usize = 1024;
/// The most names, values and operators in one.
pub(super) const MAX_NODES: usize = 200;
/// How deep they may nest.
pub(super) const MAX_DEPTH: usize = 16;

/// The calls that look at every item of a list.
pub(super) const COMPREHENSIONS: [&str; 5] = ["all", "exists", "exists_one", "filter", "map"];

/// Something wrong in an expression: where, what, and what to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) at: Range<usize>,
    pub(super) message: String,
    pub(super) help: String,
}

impl Mistake {
    pub(super) fn new(at: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Mistake {
        Mistake { at, message: message.into(), help: help.into() }
    }
}

/// A word of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) at: Range<usize>,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Number,
    Text,
    /// `&&` or `||`.
    Logical,
    /// Everything else between two operands, `in` included.
    Binary,
    /// `!` or `-` before an operand.
    Prefix,
    Dot,
    Comma,
    Question,
    Colon,
    Open,
    Close,
}

/// The tokens of an expression that is safe to parse.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Mistake> {
    if text.len() > MAX_BYTES {
        let message = format!("the expression is {} bytes long, the limit is {MAX_BYTES}", text.len());
        return Err(Mistake::new(0..text.len(), message, "write two rules"));
    }
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let first = rest.as_bytes()[0];
        if matches!(first, b' ' | b'\t' | b'\n' | b'\r') {
            at += 1;
            continue;
        }
        let (kind, length) = token(rest, at, tokens.last())?;
        tokens.push(Token { at: at..at + length, kind });
        at += length;
    }
    check_size(&tokens)?;
    check_nesting(text, &tokens)?;
    Ok(tokens)
}

/// The first token of `rest`, which stands at `at`.
fn token(rest: &str, at: usize, before: Option<&Token>) -> Result<(Kind, usize), Mistake> {
    let bytes = rest.as_bytes();
    let wrong = |length: usize, message: &str, help: &str| Err(Mistake::new(at..at + length, message, help));
    let second = bytes.get(1).copied();
    match (bytes[0], second) {
        (b'&', Some(b'&')) | (b'|', Some(b'|')) => Ok((Kind::Logical, 2)),
        (b'=' | b'!' | b'<' | b'>', Some(b'=')) => Ok((Kind::Binary, 2)),
        (b'&', _) => wrong(1, "`&` is no operator", "write `&&`"),
        (b'|', _) => wrong(1, "`|` is no operator", "write `||`"),
        (b'=', _) => wrong(1, "`=` is no operator", "write `==`"),
        (b'/', Some(b'/')) => wrong(2, "an expression has no comments", "write the reason into `say`"),
        (b'?', _) if before.is_some_and(|token| matches!(token.kind, Kind::Dot | Kind::Open)) => {
            wrong(1, "there are no optional fields", "leave the `?` out: every field is always there")
        }
        (b'?', _) => Ok((Kind::Question, 1)),
        (b'!', _) => Ok((Kind::Prefix, 1)),
        (b'-', _) if !before.is_some_and(|token| ends_operand(token.kind)) => Ok((Kind::Prefix, 1)),
        (b'<' | b'>' | b'+' | b'-' | b'*' | b'/' | b'%', _) => Ok((Kind::Binary, 1)),
        (b':', _) => Ok((Kind::Colon, 1)),
        (b'.', _) => Ok((Kind::Dot, 1)),
        (b',', _) => Ok((Kind::Comma, 1)),
        (b'(' | b'[', _) => Ok((Kind::Open, 1)),
        (b')' | b']', _) => Ok((Kind::Close, 1)),
        (b'{' | b'}', _) => wrong(1, "there are no maps here", "write a list: `[\"a\", \"b\"]`"),
        (b'\'' | b'"', _) => quoted(rest, at, 0, false),
        (b'r' | b'R', Some(b'\'' | b'"')) => quoted(rest, at, 1, true),
        (b'b' | b'B', Some(b'\'' | b'"')) => wrong(1, "there are no bytes here", "leave the `b` out"),
        (b'0'..=b'9', _) => number(rest, at),
        (first, _) if first.is_ascii_alphabetic() || first == b'_' => {
            let name = word(rest);
            let help = match name {
                "and" => "write `&&`",
                "or" => "write `||`",
                "not" => "write `!`",
                "in" => return Ok((Kind::Binary, 2)),
                _ => return Ok((Kind::Name, name.len())),
            };
            wrong(name.len(), &format!("`{name}` is no operator"), help)
        }
        _ => {
            let length = rest.chars().next().map_or(1, char::len_utf8);
            wrong(
                length,
                "this character has no meaning in an expression",
                "remove it, or put it into quotes",
            )
        }
    }
}

fn word(rest: &str) -> &str {
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    &rest[..end]
}

fn ends_operand(kind: Kind) -> bool {
    matches!(kind, Kind::Name | Kind::Number | Kind::Text | Kind::Close)
}

fn number(rest: &str, at: usize) -> Result<(Kind, usize), Mistake> {
    let length = word(rest).len();
    let digits = &rest[..length];
    let fraction = rest[length..].starts_with('.')
        && rest.as_bytes().get(length + 1).is_some_and(|next| next.is_ascii_digit());
    if fraction || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let message = "numbers are whole numbers in decimal digits";
        return Err(Mistake::new(at..at + length, message, "write one such as `42`"));
    }
    if digits.parse::<i64>().is_err() {
        let message = "the number is too large";
        return Err(Mistake::new(at..at + length, message, format!("write one up to {}", i64::MAX)));
    }
    Ok((Kind::Number, length))
}

/// A text whose quote stands after `prefix` bytes.
fn quoted(rest: &str, at: usize, prefix: usize, raw: bool) -> Result<(Kind, usize), Mistake> {
    let bytes = rest.as_bytes();
    let quote = bytes[prefix];
    if bytes[prefix..].starts_with(&[quote, quote, quote]) {
        let message = "a text has one quote on each side";
        return Err(Mistake::new(at..at + prefix + 3, message, "write `\"…\"` or `'…'`"));
    }
    let mut end = prefix + 1;
    loop {
        match bytes.get(end) {
            Some(byte) if *byte == quote => return Ok((Kind::Text, end + 1)),
            Some(b'\\') if !raw => end += 2,
            None | Some(b'\n' | b'\r') => {
                let message = "this text does not end";
                let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
                return Err(Mistake::new(at..at + length, message, "close the quote on the same line"));
            }
            Some(_) => end += 1,
        }
    }
}

fn check_size(tokens: &[Token]) -> Result<(), Mistake> {
    let counts = |token: &&Token| !matches!(token.kind, Kind::Dot | Kind::Comma | Kind::Colon | Kind::Close);
    if let Some(over) = tokens.iter().filter(counts).nth(MAX_NODES) {
        let end = tokens.last().map_or(over.at.end, |last| last.at.end);
        let message =
            format!("the expression holds more than {MAX_NODES} names, values, operators and brackets");
        return Err(Mistake::new(over.at.start..end, message, "write two rules"));
    }
    Ok(())
}

/// What nests inside one pair of brackets, at the token that is read.
#[derive(Default, Clone)]
struct Level {
    comprehension: bool,
    questions: usize,
    row: usize,
    dots: usize,
    signs: usize,
}

impl Level {
    fn depth(&self) -> usize {
        1 + self.questions + self.row + self.dots + self.signs
    }

    fn next_operand(&mut self) {
        (self.row, self.dots, self.signs) = (0, 0, 0);
    }
}

fn check_nesting(text: &str, tokens: &[Token]) -> Result<(), Mistake> {
    let mut levels = vec![Level::default()];
    let mut above = 0;
    for (index, token) in tokens.iter().enumerate() {
        let before = |back: usize| index.checked_sub(back).and_then(|at| tokens.get(at));
        if token.kind == Kind::Open {
            let level = levels.last_mut().expect("the outermost level stays");
            level.dots += usize::from(before(1).is_some_and(|token| ends_operand(token.kind)));
            above += level.depth();
            let name = before(1).filter(|name| {
                name.kind == Kind::Name && before(2).is_some_and(|token| token.kind == Kind::Dot)
            });
            let call = name.filter(|name| COMPREHENSIONS.contains(&&text[name.at.clone()]));
            if let Some(call) = call
                && levels.iter().any(|level| level.comprehension)
            {
                let message = format!("`{}` stands inside another of its kind", &text[call.at.clone()]);
                return Err(Mistake::new(call.at.clone(), message, "write two rules"));
            }
            levels.push(Level { comprehension: call.is_some(), ..Level::default() });
        }
        if token.kind == Kind::Close && levels.len() > 1 {
            levels.pop();
            above = above.saturating_sub(levels.last().map_or(0, Level::depth));
        }
        let level = levels.last_mut().expect("the outermost level stays");
        match token.kind {
            Kind::Binary => {
                level.row += 1;
                (level.dots, level.signs) = (0, 0);
            }
            Kind::Prefix => level.signs += 1,
            Kind::Dot => level.dots += 1,
            Kind::Logical | Kind::Comma | Kind::Colon => {
                level.next_operand();
                if token.kind == Kind::Comma {
                    level.questions = 0;
                }
            }
            Kind::Question => {
                level.next_operand();
                level.questions += 1;
            }
            Kind::Name | Kind::Number | Kind::Text | Kind::Open | Kind::Close => {}
        }
        if above + level.depth() > MAX_DEPTH + 1 {
            let message = format!("the expression nests deeper than {MAX_DEPTH} from here on");
            return Err(Mistake::new(token.at.clone(), message, "write two rules"));
        }
    }
    Ok(())
}
