//! The patterns of `${X#p}`, `${X%p}` and `${X/p/r}`: `*` is any text, `?` any
//! character, `\` takes `*`, `?` and `\` literally.
//!
//! After `convertShellPatternToRegex`, `trimPrefix`, `trimSuffix` in
//! `frontend/dockerfile/shell/lex.go` of BuildKit 0.34, which hand the pattern to
//! Go's regexp (leftmost, first alternative). For patterns of this kind that is
//! the shortest or the longest match at the leftmost place, which a set of
//! states finds in one pass.

use super::lex::LexError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// `.*`, or `.*?`
    Any,
    /// `.`
    One,
    Char(char),
}

impl Token {
    fn accepts(self, char: char) -> bool {
        match self {
            // `.` of Go's regexp is everything but a newline.
            Token::Any | Token::One => char != '\n',
            Token::Char(wanted) => char == wanted,
        }
    }
}

fn compile(pattern: &str) -> Result<Vec<Token>, LexError> {
    let mut tokens = Vec::new();
    let mut chars = pattern.strip_prefix('\u{feff}').unwrap_or(pattern).chars().peekable();
    while let Some(char) = chars.next() {
        tokens.push(match char {
            '*' => Token::Any,
            '?' => Token::One,
            '\\' => match chars.peek() {
                Some('}' | '/') => continue,
                Some(&escaped @ ('*' | '?' | '\\')) => {
                    chars.next();
                    Token::Char(escaped)
                }
                _ => {
                    return Err(LexError::Syntax(format!(
                        "the pattern `{pattern}` escapes something other than `*`, `?`, `\\`"
                    )));
                }
            },
            other => Token::Char(other),
        });
    }
    Ok(tokens)
}

/// The end of the shortest or longest match that begins at the start of `text`.
fn match_end(
    tokens: &[Token],
    text: &[char],
    greedy: bool,
    steps: &mut usize,
) -> Result<Option<usize>, LexError> {
    let mut states = vec![false; tokens.len() + 1];
    states[0] = true;
    let mut found = None;
    for at in 0..=text.len() {
        spend(steps, tokens.len() + 1)?;
        // A star may stand for nothing.
        for (index, token) in tokens.iter().enumerate() {
            if states[index] && *token == Token::Any {
                states[index + 1] = true;
            }
        }
        if states[tokens.len()] {
            found = Some(at);
            if !greedy {
                break;
            }
        }
        let Some(char) = text.get(at) else { break };
        let mut alive = false;
        for index in (0..=tokens.len()).rev() {
            let stays = index < tokens.len()
                && states[index]
                && tokens[index] == Token::Any
                && tokens[index].accepts(*char);
            let arrives = index > 0
                && states[index - 1]
                && tokens[index - 1] != Token::Any
                && tokens[index - 1].accepts(*char);
            states[index] = stays || arrives;
            alive |= states[index];
        }
        if !alive {
            break;
        }
    }
    Ok(found)
}

fn spend(steps: &mut usize, cost: usize) -> Result<(), LexError> {
    *steps = steps.checked_sub(cost).ok_or_else(|| {
        LexError::Limit("the patterns of this file take too long to match; write the values out".to_owned())
    })?;
    Ok(())
}

/// `${X#pattern}`, or `${X##pattern}` when greedy.
pub(super) fn trim_prefix(
    pattern: &str,
    text: &str,
    greedy: bool,
    steps: &mut usize,
) -> Result<String, LexError> {
    let tokens = compile(pattern)?;
    let chars: Vec<char> = text.chars().collect();
    let end = match_end(&tokens, &chars, greedy, steps)?.unwrap_or(0);
    Ok(chars[end..].iter().collect())
}

/// `${X%pattern}`, or `${X%%pattern}` when greedy: the same on both reversed.
pub(super) fn trim_suffix(
    pattern: &str,
    text: &str,
    greedy: bool,
    steps: &mut usize,
) -> Result<String, LexError> {
    let tokens = compile(&reverse(pattern))?;
    let chars: Vec<char> = text.chars().rev().collect();
    let end = match_end(&tokens, &chars, greedy, steps)?.unwrap_or(0);
    Ok(chars[end..].iter().rev().collect())
}

/// Reverses a pattern and leaves each escape before what it escapes.
fn reverse(pattern: &str) -> String {
    let mut units: Vec<(Option<char>, char)> = Vec::new();
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some(escaped) => units.push((Some('\\'), escaped)),
                None => units.push((None, char)),
            },
            other => units.push((None, other)),
        }
    }
    let mut reversed = String::with_capacity(pattern.len());
    for (escape, char) in units.into_iter().rev() {
        reversed.extend(escape);
        reversed.push(char);
    }
    reversed
}

/// `${X/pattern/replacement}`, or `${X//pattern/replacement}` for all.
pub(super) fn replace(
    pattern: &str,
    replacement: &str,
    text: &str,
    all: bool,
    steps: &mut usize,
) -> Result<String, LexError> {
    let tokens = compile(pattern)?;
    let chars: Vec<char> = text.chars().collect();
    let mut result = String::new();
    let mut copied = 0;
    let mut at = 0;
    while at <= chars.len() {
        let Some(length) = match_end(&tokens, &chars[at..], true, steps)? else {
            at += 1;
            continue;
        };
        let end = at + length;
        // An empty match right after another match does not count.
        if length > 0 || at == 0 || at > copied || !all {
            result.extend(&chars[copied..at]);
            if all {
                expand_template(replacement, &chars[at..end], &mut result);
            } else {
                result.push_str(replacement);
            }
            copied = end;
        }
        if result.len() > super::value::MAX_VALUE_BYTES {
            return Err(LexError::Limit(
                "a replacement makes more text than fromguard reads; write the value out".to_owned(),
            ));
        }
        if !all {
            break;
        }
        at = if length > 0 { end } else { at + 1 };
    }
    result.extend(&chars[copied..]);
    Ok(result)
}

/// `Regexp.ReplaceAllString` reads `$0`, `$name` and `$$` in the replacement.
fn expand_template(template: &str, matched: &[char], result: &mut String) {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        result.push_str(before);
        if let Some(tail) = after.strip_prefix('$') {
            result.push('$');
            rest = tail;
            continue;
        }
        let (braced, body) = match after.strip_prefix('{') {
            Some(body) => (true, body),
            None => (false, after),
        };
        let length = body.find(|char: char| !char.is_alphanumeric() && char != '_').unwrap_or(body.len());
        let (name, tail) = body.split_at(length);
        let tail = if braced { tail.strip_prefix('}') } else { Some(tail) };
        match tail.filter(|_| !name.is_empty()) {
            Some(tail) => {
                // The only group there is; every other name is nothing.
                if name == "0" {
                    result.extend(matched);
                }
                rest = tail;
            }
            None => {
                result.push('$');
                rest = after;
            }
        }
    }
    result.push_str(rest);
}
