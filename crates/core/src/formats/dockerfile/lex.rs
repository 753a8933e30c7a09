//! BuildKit's shell words: quotes, escapes and variables.
//!
//! After `frontend/dockerfile/shell/lex.go` of BuildKit 0.34, `Lex`:
//!
//! ```text
//! word      := { char | escape char | "'" … "'" | '"' { char | escape char | variable } '"' | variable }
//! variable  := "$" name | "${" name [ operator ] "}"
//! operator  := [":"] ("-" | "+" | "?") word | ("#" | "##" | "%" | "%%") pattern
//!            | ("/" | "//") pattern "/" word
//! name      := (letter | "_") { letter | digit | "_" } | digit+ | one of @ * # ? - $ !
//! ```
//!
//! Anything else after `${name` is an error. Expansion nests through the words
//! of operators, to [`MAX_NESTING`].

use super::glob;
use super::value::Hole;
use super::value::Value;

/// How deep `${a:-${b:-…}}` may nest. BuildKit has no limit; nobody writes ten.
const MAX_NESTING: usize = 64;
/// How many bytes all expansions of one file may copy together, so that many
/// small arguments cannot make endless work of large ones.
pub(super) const MAX_EXPANSION_BYTES: usize = 4 * 1024 * 1024;
/// How many steps all pattern operators of one file may take together.
pub(super) const MAX_PATTERN_STEPS: usize = 4 * 1024 * 1024;
/// How many instructions the readings of one file after the first, for every way
/// to build it and every platform, may go through together.
const MAX_READ_INSTRUCTIONS: usize = 32 * 1024;

/// Why a word could not be expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LexError {
    /// BuildKit refuses it too.
    Syntax(String),
    /// A limit of ours.
    Limit(String),
}

impl LexError {
    fn syntax(message: impl Into<String>) -> LexError {
        LexError::Syntax(message.into())
    }
}

/// What is left of the limits of one file.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    pub(super) bytes: usize,
    pub(super) steps: usize,
    /// Of the readings after the first; `None` before that.
    instructions: Option<usize>,
}

impl Budget {
    /// Counts a reading of a file of this many instructions; `false` when it is
    /// one too many, or the expansions have reached their limit already.
    pub(super) fn spend_reading(&mut self, instructions: usize) -> bool {
        let left = match self.instructions {
            None => Some(MAX_READ_INSTRUCTIONS),
            Some(left) => left.checked_sub(instructions).filter(|_| self.bytes > 0),
        };
        self.instructions = Some(left.unwrap_or(0));
        left.is_some()
    }
}

/// How much room is made for a word before it is read.
const MAX_RESERVED_BYTES: usize = 128;

impl Default for Budget {
    fn default() -> Budget {
        Budget { bytes: MAX_EXPANSION_BYTES, steps: MAX_PATTERN_STEPS, instructions: None }
    }
}

/// A variable, as an environment knows it.
pub(super) enum Variable<'e> {
    /// It has a value.
    Set(&'e Value),
    /// It has none, for this reason.
    Unset(Hole),
}

/// Where variables are looked up.
pub(super) trait Environment {
    fn get(&mut self, name: &str) -> Variable<'_>;
}

/// An environment in which nothing is set.
pub(super) struct Empty;

impl Environment for Empty {
    fn get(&mut self, _: &str) -> Variable<'_> {
        Variable::Unset(Hole::Undeclared(0))
    }
}

/// How a word is read: `Lex`'s fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mode {
    pub(super) escape: char,
    pub(super) raw_quotes: bool,
    pub(super) raw_escapes: bool,
    /// Unset variables stay as they are written.
    pub(super) skip_unset: bool,
}

impl Mode {
    /// How references and defaults are expanded.
    pub(super) fn expand(escape: char) -> Mode {
        Mode { escape, raw_quotes: false, raw_escapes: false, skip_unset: false }
    }
}

/// What a word is read for, which decides what becomes of its escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operand {
    /// A value: an escape is dropped, what it escapes stays.
    Value,
    /// A text that keeps its escapes.
    Raw,
    /// A pattern: it keeps its escapes, and those that quotes make literal are
    /// doubled, since the pattern is read again.
    Pattern,
}

impl Mode {
    fn operand(self) -> Operand {
        if self.raw_escapes { Operand::Raw } else { Operand::Value }
    }
}

/// `ProcessWord`: expands a text as one word.
pub(super) fn expand(
    text: &str,
    mode: Mode,
    environment: &mut dyn Environment,
    budget: &mut Budget,
) -> Result<Value, LexError> {
    let special = |byte: u8| matches!(byte, b'$' | b'\'' | b'"') || char::from(byte) == mode.escape;
    if !text.bytes().any(special) && !text.starts_with('\u{feff}') {
        return Ok(Value { text: text.to_owned(), ..Value::default() });
    }
    let mut lexer = Lexer::new(text, mode, environment, budget);
    lexer.word(None, mode.operand(), 0)
}

/// `ProcessWords` without variables: splits a text into words.
pub(super) fn words(text: &str, mode: Mode) -> Result<Vec<String>, LexError> {
    let mut budget = Budget::default();
    let mut environment = Empty;
    let mut lexer = Lexer::new(text, mode, &mut environment, &mut budget);
    lexer.splits = true;
    lexer.word(None, mode.operand(), 0)?;
    lexer.words.flush();
    Ok(lexer.words.words)
}

/// The words of the outermost text. BuildKit shares the buffer of the word that
/// is being read with the words inside operators, so that those clear it.
#[derive(Default)]
struct Words {
    buffer: String,
    words: Vec<String>,
    in_word: bool,
}

impl Words {
    fn char(&mut self, char: char) {
        if !char.is_whitespace() {
            self.raw_char(char);
        } else if self.in_word && !self.buffer.is_empty() {
            self.flush();
        }
    }

    fn raw_char(&mut self, char: char) {
        self.buffer.push(char);
        self.in_word = true;
    }

    fn raw_str(&mut self, text: &str) {
        self.buffer.push_str(text);
        self.in_word = true;
    }

    fn flush(&mut self) {
        if !self.buffer.is_empty() {
            self.words.push(std::mem::take(&mut self.buffer));
            self.in_word = false;
        }
    }
}

/// What is left of a text.
struct Cursor<'l> {
    rest: &'l str,
}

impl<'l> Cursor<'l> {
    fn peek(&self) -> Option<char> {
        match self.rest.as_bytes().first() {
            Some(byte) if byte.is_ascii() => Some(char::from(*byte)),
            _ => self.rest.chars().next(),
        }
    }

    fn next(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.take(char.len_utf8());
        Some(char)
    }

    fn next_if(&mut self, wanted: impl FnOnce(char) -> bool) -> Option<char> {
        self.peek().filter(|char| wanted(*char))?;
        self.next()
    }

    fn next_if_eq(&mut self, wanted: char) -> Option<char> {
        self.next_if(|char| char == wanted)
    }

    fn take(&mut self, bytes: usize) -> &'l str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'l str {
        let end = self.rest.find(|char| !wanted(char)).unwrap_or(self.rest.len());
        self.take(end)
    }

    /// What stands before the next character that means something to a word.
    fn plain(&mut self, stop: Option<char>, escape: char) -> &'l str {
        let means = |byte: u8| {
            let char = char::from(byte);
            matches!(byte, b'$' | b'<' | b'\'' | b'"') || char == escape || stop == Some(char)
        };
        let end = self.rest.bytes().position(means).unwrap_or(self.rest.len());
        self.take(end)
    }
}

struct Lexer<'l> {
    chars: Cursor<'l>,
    mode: Mode,
    environment: &'l mut dyn Environment,
    budget: &'l mut Budget,
    /// The words are wanted, not the value.
    splits: bool,
    words: Words,
}

impl<'l> Lexer<'l> {
    fn new(
        text: &'l str,
        mode: Mode,
        environment: &'l mut dyn Environment,
        budget: &'l mut Budget,
    ) -> Lexer<'l> {
        // Go's text/scanner drops a byte order mark at the very beginning.
        let chars = Cursor { rest: text.strip_prefix('\u{feff}').unwrap_or(text) };
        Lexer { chars, mode, environment, budget, splits: false, words: Words::default() }
    }

    /// `processStopOn`: reads up to `stop`, or to the end. What is split goes to
    /// [`Lexer::words`] instead of the result.
    fn word(&mut self, stop: Option<char>, operand: Operand, depth: usize) -> Result<Value, LexError> {
        if depth > MAX_NESTING {
            return Err(LexError::Limit(format!(
                "expansions nest deeper than {MAX_NESTING} levels; write the value out"
            )));
        }
        self.words.buffer.clear();
        let splits = self.splits && depth == 0;
        let mut result = Value::default();
        if !splits {
            // What variables stand for is often longer than their names.
            result.text.reserve(self.chars.rest.len().min(MAX_RESERVED_BYTES));
        }
        while let Some(char) = self.chars.peek() {
            if stop == Some(char) {
                self.chars.next();
                return Ok(result);
            }
            match char {
                '$' => {
                    self.dollar(&mut result, depth)?;
                    if splits {
                        result.text.drain(..).for_each(|char| self.words.char(char));
                    }
                }
                '<' => {
                    let text = self.heredoc_mark();
                    if splits {
                        self.words.raw_str(&text);
                    } else {
                        result.push_str(&text);
                    }
                }
                '\'' | '"' => {
                    let value = match char {
                        '\'' => self.single_quoted(operand)?,
                        _ => self.double_quoted(operand, depth)?,
                    };
                    if splits {
                        self.words.raw_str(&value.text);
                    } else {
                        append(self.budget, &mut result, &value)?;
                    }
                }
                _ => {
                    if char != self.mode.escape {
                        let plain = self.chars.plain(stop, self.mode.escape);
                        if splits {
                            plain.chars().for_each(|char| self.words.char(char));
                        } else {
                            result.push_str(plain);
                        }
                        continue;
                    }
                    self.chars.next();
                    let kept = (operand != Operand::Value).then_some(char);
                    let escaped = self.chars.next();
                    for char in kept.into_iter().chain(escaped) {
                        if splits {
                            self.words.raw_char(char);
                        } else {
                            result.push(char);
                        }
                    }
                }
            }
        }
        match stop {
            Some(stop) => Err(LexError::syntax(format!("the matching `{stop}` is missing"))),
            None => Ok(result),
        }
    }

    fn single_quoted(&mut self, operand: Operand) -> Result<Value, LexError> {
        let mut result = Value::default();
        self.quote(&mut result);
        loop {
            match self.chars.peek() {
                None => return Err(LexError::syntax("a single quote is not closed")),
                Some('\'') => {
                    self.quote(&mut result);
                    return Ok(result);
                }
                Some(char) => {
                    self.chars.next();
                    if operand == Operand::Pattern && char == self.mode.escape {
                        result.push(char);
                    }
                    result.push(char);
                }
            }
        }
    }

    fn double_quoted(&mut self, operand: Operand, depth: usize) -> Result<Value, LexError> {
        let mut result = Value::default();
        self.quote(&mut result);
        loop {
            match self.chars.peek() {
                None => return Err(LexError::syntax("a double quote is not closed")),
                Some('"') => {
                    self.quote(&mut result);
                    return Ok(result);
                }
                Some('$') => {
                    self.dollar(&mut result, depth)?;
                }
                Some(char) => {
                    self.chars.next();
                    let mut written = char;
                    if char == self.mode.escape {
                        let kept = match self.chars.peek() {
                            None => continue,
                            Some(next) if next == '"' || next == '$' || next == self.mode.escape => {
                                self.chars.next();
                                written = next;
                                operand != Operand::Value
                            }
                            // It is literal here; a pattern doubles it, and so does what drops the quotes.
                            Some(_) => match operand {
                                Operand::Value => false,
                                Operand::Raw => !self.mode.raw_quotes,
                                Operand::Pattern => true,
                            },
                        };
                        if kept {
                            result.push(char);
                        }
                    }
                    result.push(written);
                }
            }
        }
    }

    /// Takes a quote, and keeps it when quotes are raw.
    fn quote(&mut self, result: &mut Value) {
        if let Some(quote) = self.chars.next().filter(|_| self.mode.raw_quotes) {
            result.push(quote);
        }
    }

    /// `processPossibleHeredoc`: `<<` keeps the blanks after it in its word.
    fn heredoc_mark(&mut self) -> String {
        self.chars.next();
        if self.chars.next_if_eq('<').is_none() {
            return "<".to_owned();
        }
        let mut mark = "<<".to_owned();
        while let Some(blank) = self.chars.next_if(|char| matches!(char, '\t' | '\r' | ' ')) {
            mark.push(blank);
        }
        mark
    }

    /// `processDollar`: appends what the variable expands to.
    fn dollar(&mut self, result: &mut Value, depth: usize) -> Result<(), LexError> {
        self.chars.next();
        if self.chars.next_if_eq('{').is_none() {
            let name = self.name();
            if name.is_empty() {
                result.push('$');
                return Ok(());
            }
            return self.plain(result, name, || format!("${name}"));
        }
        match self.chars.peek() {
            None => return Err(LexError::syntax("`${` without `}`")),
            Some('{' | '}' | ':') => return Err(LexError::syntax("`${` without a variable name")),
            Some(_) => {}
        }
        let name = self.name();
        let operator = match self.chars.next() {
            None => return Err(unsupported(name, "")),
            Some('}') => return self.plain(result, name, || format!("${{{name}}}")),
            Some(operator) => operator,
        };
        let value = match operator {
            '/' => self.replace(name, depth)?,
            operator => self.operator(name, operator, depth)?,
        };
        append(self.budget, result, &value)
    }

    /// `${name` and an operator other than `/`.
    fn operator(&mut self, name: &str, mut operator: char, depth: usize) -> Result<Value, LexError> {
        let colon = operator == ':';
        let mut written = operator.to_string();
        if colon {
            match self.chars.next() {
                None => return Err(unsupported(name, &written)),
                Some(next) => operator = next,
            }
            written.push(operator);
        }
        let trims = matches!(operator, '#' | '%');
        // After a colon BuildKit reads a word before it looks at the operator.
        if (colon && trims) || (!colon && !matches!(operator, '+' | '-' | '?' | '#' | '%')) {
            return Err(unsupported(name, &written));
        }
        let operand = if trims { Operand::Pattern } else { Operand::Value };
        let word = self.word(Some('}'), operand, depth + 1)?;
        let (value, hole) = match self.look_up(name)? {
            Looked::Set(value) => (value, None),
            Looked::Unset(_) if self.mode.skip_unset => {
                return Ok(literal(&format!("${{{name}{written}{}}}", word.text)));
            }
            Looked::Unset(hole) => (Value::default(), Some(hole)),
        };
        let null = hole.is_some() || (colon && value.text.is_empty());
        match operator {
            // It is set, and to what is not known.
            '-' | '+' | '?' if let Some(given @ Hole::Given(_)) = hole => Ok(open(given)),
            '-' if null => Ok(with_uses(word, &value)),
            '-' => Ok(value),
            '+' if null => Ok(with_uses(Value::default(), &value)),
            '+' => Ok(with_uses(word, &value)),
            '?' if !null => Ok(value),
            '?' => match hole {
                // A build must give it: what it is then is not known here.
                Some(hole @ (Hole::NoDefault(_) | Hole::Broken(_) | Hole::Given(_))) => Ok(open(hole)),
                Some(Hole::Undeclared(_)) => Err(LexError::syntax(format!(
                    "`{name}` is required by `${{{name}{written}…}}` and never set"
                ))),
                None => Err(LexError::syntax(format!(
                    "`{name}` is required by `${{{name}{written}…}}` and empty"
                ))),
            },
            '#' | '%' => {
                let value = hole.map_or(value, open);
                let (greedy, pattern) = match word.text.strip_prefix(operator) {
                    Some(rest) => (true, rest),
                    None => (false, word.text.as_str()),
                };
                let steps = &mut self.budget.steps;
                let text = match operator {
                    '%' => glob::trim_suffix(pattern, &value.text, greedy, steps),
                    _ => glob::trim_prefix(pattern, &value.text, greedy, steps),
                }?;
                Ok(rewritten(text, &value, &[&word]))
            }
            _ => Err(unsupported(name, &written)),
        }
    }

    /// `${name/pattern/word}` and `${name//pattern/word}`.
    fn replace(&mut self, name: &str, depth: usize) -> Result<Value, LexError> {
        let all = self.chars.next_if_eq('/').is_some();
        let pattern = self.word(Some('/'), Operand::Pattern, depth + 1)?;
        let replacement = self.word(Some('}'), Operand::Raw, depth + 1)?;
        let value = match self.look_up(name)? {
            Looked::Set(value) => value,
            Looked::Unset(_) if self.mode.skip_unset => {
                return Ok(literal(&format!("${{{name}/{}/{}}}", pattern.text, replacement.text)));
            }
            Looked::Unset(hole) => open(hole),
        };
        let steps = &mut self.budget.steps;
        let text = glob::replace(&pattern.text, &replacement.text, &value.text, all, steps)?;
        Ok(rewritten(text, &value, &[&pattern, &replacement]))
    }

    /// `$name` and `${name}`.
    fn plain(
        &mut self,
        result: &mut Value,
        name: &str,
        written: impl Fn() -> String,
    ) -> Result<(), LexError> {
        match self.environment.get(name) {
            Variable::Set(value) => append(self.budget, result, value)?,
            Variable::Unset(_) if self.mode.skip_unset => result.push_str(&written()),
            Variable::Unset(hole) => result.hole(result.text.len(), hole),
        }
        Ok(())
    }

    /// A copy of a variable's value, counted before it is made.
    fn look_up(&mut self, name: &str) -> Result<Looked, LexError> {
        match self.environment.get(name) {
            Variable::Unset(hole) => Ok(Looked::Unset(hole)),
            Variable::Set(value) => {
                spend_bytes(self.budget, value.text.len())?;
                Ok(Looked::Set(value.clone()))
            }
        }
    }

    /// `processName`.
    fn name(&mut self) -> &'l str {
        match self.chars.peek() {
            Some(first) if first.is_ascii_digit() => self.chars.take_while(|char| char.is_ascii_digit()),
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => self.chars.take(1),
            _ => {
                let ascii = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
                let length = self.chars.rest.bytes().take_while(ascii).count();
                match self.chars.rest.as_bytes().get(length) {
                    Some(byte) if !byte.is_ascii() => {
                        self.chars.take_while(|char| char.is_alphanumeric() || char == '_')
                    }
                    _ => self.chars.take(length),
                }
            }
        }
    }
}

/// What a variable is, owned.
enum Looked {
    Set(Value),
    Unset(Hole),
}

fn append(budget: &mut Budget, result: &mut Value, value: &Value) -> Result<(), LexError> {
    spend_bytes(budget, value.text.len())?;
    if result.append(value) { Ok(()) } else { Err(too_long()) }
}

fn spend_bytes(budget: &mut Budget, bytes: usize) -> Result<(), LexError> {
    match budget.bytes.checked_sub(bytes) {
        Some(left) => {
            budget.bytes = left;
            Ok(())
        }
        None => {
            // What does not fit ends it, so that no later one is tried either.
            budget.bytes = 0;
            Err(too_long())
        }
    }
}

fn too_long() -> LexError {
    LexError::Limit("the variables expand to more text than fromguard reads; write the values out".to_owned())
}

fn literal(text: &str) -> Value {
    Value { text: text.to_owned(), ..Value::default() }
}

/// Nothing, and not known.
fn open(hole: Hole) -> Value {
    Value { holes: vec![(0, hole)], ..Value::default() }
}

fn with_uses(mut value: Value, tested: &Value) -> Value {
    value.depend(&tested.uses);
    value
}

/// The outcome of a pattern operator: where the input was not known, nothing
/// of the result is.
fn rewritten(text: String, value: &Value, operands: &[&Value]) -> Value {
    let mut result = Value { text, origin: value.origin, ..Value::default() };
    for part in std::iter::once(value).chain(operands.iter().copied()) {
        result.depend(&part.uses);
        if let Some(hole) = part.unknown() {
            result.hole(0, hole);
        }
    }
    result
}

fn unsupported(name: &str, operator: &str) -> LexError {
    LexError::syntax(format!("`${{{name}{operator}` is not an expansion that BuildKit knows"))
}
