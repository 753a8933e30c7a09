//! The words of an action of a Go template.
//!
//! Grammar: <https://pkg.go.dev/text/template#hdr-Actions>, Go 1.24. A word is a name,
//! a `.field`, a `$variable`, a string, a number or a sign.

/// A word and whether space stands before it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    /// What it is.
    pub(super) token: Token,
    /// Whether it stands apart from the one before.
    pub(super) spaced: bool,
}

/// What a word is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// `include`
    Name(String),
    /// `.image`
    Field(String),
    /// `$image`, without `$`
    Variable(String),
    /// `"%s"`
    Text(String),
    /// `1`
    Number(String),
    /// `.`
    Dot,
    /// `|`
    Pipe,
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
    /// `=`
    Assign,
    /// `:=`
    Declare,
}

/// The words of an action, without its braces; `None` when a byte begins none.
pub(super) fn words(action: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut at = 0;
    while at < action.len() {
        let rest = action.get(at..)?;
        let space = rest.len() - rest.trim_start().len();
        if space > 0 {
            at += space;
            continue;
        }
        let spaced = at == 0 || action[..at].ends_with(|before: char| before.is_whitespace());
        let (token, length) = word(rest)?;
        words.push(Word { token, spaced });
        at += length;
    }
    Some(words)
}

fn word(rest: &str) -> Option<(Token, usize)> {
    let first = rest.chars().next()?;
    let sign = |token| Some((token, 1));
    match first {
        '|' => sign(Token::Pipe),
        '(' => sign(Token::Open),
        ')' => sign(Token::Close),
        ',' => sign(Token::Comma),
        '=' => sign(Token::Assign),
        ':' if rest.starts_with(":=") => Some((Token::Declare, 2)),
        '.' => {
            let length = name_length(&rest[1..]);
            if length > 0 && !rest[1..].starts_with(|digit: char| digit.is_ascii_digit()) {
                return Some((Token::Field(rest[1..=length].to_owned()), 1 + length));
            }
            if length > 0 { number(rest) } else { sign(Token::Dot) }
        }
        '$' => {
            let length = name_length(&rest[1..]);
            Some((Token::Variable(rest[1..=length].to_owned()), 1 + length))
        }
        '"' => quoted(rest),
        '`' => {
            let end = rest[1..].find('`')? + 1;
            Some((Token::Text(rest[1..end].to_owned()), end + 1))
        }
        '\'' => {
            let end = rest[1..].find('\'')? + 1;
            Some((Token::Number("0".to_owned()), end + 1))
        }
        '0'..='9' | '-' | '+' => number(rest),
        _ => {
            let length = name_length(rest);
            (length > 0).then(|| (Token::Name(rest[..length].to_owned()), length))
        }
    }
}

fn name_length(text: &str) -> usize {
    text.find(|char: char| !(char.is_alphanumeric() || char == '_')).unwrap_or(text.len())
}

fn number(rest: &str) -> Option<(Token, usize)> {
    let signed = usize::from(rest.starts_with(['-', '+']));
    let length = rest[signed..]
        .find(|char: char| !(char.is_ascii_alphanumeric() || matches!(char, '_' | '.')))
        .unwrap_or(rest.len() - signed);
    (length > 0).then(|| (Token::Number(rest[..signed + length].to_owned()), signed + length))
}

/// A string with Go's escapes; those of numbers are left as they are, no image needs them.
fn quoted(rest: &str) -> Option<(Token, usize)> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((Token::Text(text), at + 1)),
            '\\' => match chars.next()?.1 {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                escaped @ ('"' | '\\' | '\'') => text.push(escaped),
                other => {
                    text.push('\\');
                    text.push(other);
                }
            },
            _ => text.push(char),
        }
    }
    None
}
