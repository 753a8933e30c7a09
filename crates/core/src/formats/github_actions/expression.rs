//! The expression language as text: `${{ … }}` in a string, and what stands in it.
//!
//! ```text
//! text     = { literal | "${{" or "}}" }
//! or       = and { "||" and }
//! and      = compare { "&&" compare }
//! compare  = unary [ ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) unary ]…
//! unary    = "!" unary | postfix
//! postfix  = primary { "." name | ".*" | "[" or "]" | "[*]" }
//! primary  = literal | name | name "(" [ or { "," or } ] ")" | "(" or ")"
//! ```
//!
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/expressions>.
//! What any of it stands for is `evaluate`'s.

/// Expressions inside each other; GitHub refuses more than 50.
const MAX_DEPTH: usize = 50;

/// A part of a string.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// Text as it stands.
    Literal(String),
    /// An expression; nothing when it cannot be read.
    Expression(Option<Expr>),
}

/// What stands between `${{` and `}}`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    /// A context: `matrix`.
    Name(String),
    /// `a.b`, `a['b']`, `a[0]`, `a.*`.
    Member(Box<Expr>, Key),
    Call(String, Vec<Expr>),
    Not(Box<Expr>),
    /// `a || b || c`
    Any(Vec<Expr>),
    /// `a && b && c`
    All(Vec<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
}

/// What is taken of an object or list.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Key {
    Name(String),
    Computed(Box<Expr>),
    /// Every member.
    Every,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Whether a text holds an expression.
pub(super) fn has_expression(text: &str) -> bool {
    text.contains("${{")
}

/// Where the expressions of a text stand, `${{` and `}}` included.
pub(super) fn places(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut places = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find("${{").map(|start| at + start) {
        let end = end_of(&text[start + 3..]).map_or(text.len(), |end| start + 3 + end + 2);
        places.push(start..end);
        at = end;
    }
    places
}

/// Splits a text at its expressions and reads them.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    for place in places(text) {
        if at < place.start {
            pieces.push(Piece::Literal(text[at..place.start].to_owned()));
        }
        let inner = text[place.clone()].strip_prefix("${{").and_then(|inner| inner.strip_suffix("}}"));
        pieces.push(Piece::Expression(inner.and_then(parse)));
        at = place.end;
    }
    if at < text.len() {
        pieces.push(Piece::Literal(text[at..].to_owned()));
    }
    pieces
}

/// Where the `}}` stands that ends an expression; one in a string does not.
fn end_of(text: &str) -> Option<usize> {
    let mut quoted = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            b'}' if !quoted && text.as_bytes().get(at + 1) == Some(&b'}') => return Some(at),
            _ => {}
        }
    }
    None
}

/// Reads one expression; nothing when it is not one.
pub(super) fn parse(text: &str) -> Option<Expr> {
    let mut parser = Parser { rest: text, depth: 0 };
    let expr = parser.or()?;
    parser.space();
    parser.rest.is_empty().then_some(expr)
}

struct Parser<'t> {
    rest: &'t str,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, token: &str) -> bool {
        self.space();
        let Some(rest) = self.rest.strip_prefix(token) else { return false };
        self.rest = rest;
        true
    }

    fn or(&mut self) -> Option<Expr> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let expr = self.chain("||", Self::and, Expr::Any);
        self.depth -= 1;
        expr
    }

    fn and(&mut self) -> Option<Expr> {
        self.chain("&&", Self::compare, Expr::All)
    }

    fn chain(
        &mut self,
        operator: &str,
        operand: fn(&mut Self) -> Option<Expr>,
        join: fn(Vec<Expr>) -> Expr,
    ) -> Option<Expr> {
        let mut operands = vec![operand(self)?];
        while self.take(operator) {
            operands.push(operand(self)?);
        }
        if operands.len() == 1 { operands.pop() } else { Some(join(operands)) }
    }

    fn compare(&mut self) -> Option<Expr> {
        const OPERATORS: [(&str, Comparison); 6] = [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        let mut left = self.unary()?;
        let mut compared = 0;
        while let Some((_, comparison)) = OPERATORS.into_iter().find(|(token, _)| self.take(token)) {
            compared += 1;
            if compared > MAX_DEPTH {
                return None;
            }
            left = Expr::Compare(comparison, Box::new(left), Box::new(self.unary()?));
        }
        Some(left)
    }

    fn unary(&mut self) -> Option<Expr> {
        self.space();
        if self.rest.starts_with("!=") || !self.take("!") {
            return self.postfix();
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let operand = self.unary()?;
        self.depth -= 1;
        Some(Expr::Not(Box::new(operand)))
    }

    fn postfix(&mut self) -> Option<Expr> {
        let mut expr = self.primary()?;
        let mut members = 0;
        loop {
            let key = if self.take(".") {
                if self.take("*") { Key::Every } else { Key::Name(self.name()?.to_owned()) }
            } else if self.take("[") {
                if self.take("*") {
                    self.take("]").then_some(Key::Every)?
                } else {
                    let key = self.or()?;
                    self.take("]").then_some(())?;
                    match key {
                        Expr::Text(name) => Key::Name(name),
                        other => Key::Computed(Box::new(other)),
                    }
                }
            } else {
                return Some(expr);
            };
            members += 1;
            if members > MAX_DEPTH {
                return None;
            }
            expr = Expr::Member(Box::new(expr), key);
        }
    }

    fn primary(&mut self) -> Option<Expr> {
        if self.take("(") {
            let expr = self.or()?;
            return self.take(")").then_some(expr);
        }
        self.space();
        if self.rest.starts_with('\'') {
            return self.string();
        }
        if self.rest.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
            return self.number();
        }
        let name = self.name()?;
        if self.take("(") {
            return self.call(name);
        }
        Some(match name {
            "true" => Expr::Bool(true),
            "false" => Expr::Bool(false),
            "null" => Expr::Null,
            "NaN" => Expr::Number(f64::NAN),
            "Infinity" => Expr::Number(f64::INFINITY),
            name => Expr::Name(name.to_ascii_lowercase()),
        })
    }

    fn call(&mut self, name: &str) -> Option<Expr> {
        let mut arguments = Vec::new();
        if !self.take(")") {
            loop {
                arguments.push(self.or()?);
                if self.take(")") {
                    break;
                }
                self.take(",").then_some(())?;
            }
        }
        Some(Expr::Call(name.to_ascii_lowercase(), arguments))
    }

    fn name(&mut self) -> Option<&'t str> {
        self.space();
        let rest = self.rest;
        let length = rest
            .find(|char: char| !(char.is_ascii_alphanumeric() || matches!(char, '_' | '-')))
            .unwrap_or(rest.len());
        if !rest.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
            return None;
        }
        self.rest = &rest[length..];
        Some(&rest[..length])
    }

    /// `'…'`, a quote in it doubled.
    fn string(&mut self) -> Option<Expr> {
        let mut text = String::new();
        let mut rest = &self.rest[1..];
        loop {
            let end = rest.find('\'')?;
            text.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            let Some(more) = rest.strip_prefix('\'') else { break };
            text.push('\'');
            rest = more;
        }
        self.rest = rest;
        Some(Expr::Text(text))
    }

    fn number(&mut self) -> Option<Expr> {
        let rest = self.rest;
        let length = rest
            .find(|char: char| !(char.is_ascii_alphanumeric() || matches!(char, '+' | '-' | '.')))
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        self.rest = after;
        super::item::number(word).map(Expr::Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Expr {
        Expr::Text(text.to_owned())
    }

    fn member(of: Expr, name: &str) -> Expr {
        Expr::Member(Box::new(of), Key::Name(name.to_owned()))
    }

    #[test]
    fn a_string_may_hold_what_ends_an_expression() {
        assert_eq!(
            pieces("a:${{ '}}''' }}-b"),
            [
                Piece::Literal("a:".to_owned()),
                Piece::Expression(Some(text("}}'"))),
                Piece::Literal("-b".to_owned())
            ]
        );
    }

    #[test]
    fn reads_operators_by_their_rank() {
        let matrix = |name| member(Expr::Name("matrix".to_owned()), name);
        assert_eq!(
            parse(" Matrix.a == 'x' && matrix['b-c'] || !true"),
            Some(Expr::Any(vec![
                Expr::All(vec![
                    Expr::Compare(Comparison::Equal, Box::new(matrix("a")), Box::new(text("x"))),
                    matrix("b-c")
                ]),
                Expr::Not(Box::new(Expr::Bool(true))),
            ]))
        );
        assert_eq!(
            parse("format('{0}', 1)"),
            Some(Expr::Call("format".to_owned(), vec![text("{0}"), Expr::Number(1.0)]))
        );
    }

    #[test]
    fn what_is_no_expression_is_nothing() {
        let deep = format!("{}1{}", "(".repeat(60), ")".repeat(60));
        for broken in ["", "a b", "'open", "a.", "f(", "a[", "a ||", "\"x\"", "1x", &deep, &"!".repeat(99)] {
            assert_eq!(parse(broken), None, "{broken}");
        }
        assert_eq!(pieces("${{ 1"), [Piece::Expression(None)]);
    }
}
