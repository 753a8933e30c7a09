//! Words: quotes, escapes, expansions, after the Shell Command Language of POSIX
//! (<https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html>, 2.2, 2.3
//! and 2.6) and what bash adds: `$'…'`, `$"…"`, `<(…)`, arrays, `${name/…}`, `?(…)`.
//!
//! ```text
//! word      := { text | "\" char | "'" … "'" | '"' … '"' | "$'" … "'" | expansion }
//! expansion := "$" name | "${" name [ operator word ] "}" | "$(" steps ")"
//!            | "`" steps "`" | "$((" … "))" | ("<(" | ">(") steps ")"
//! ```
//!
//! What is never closed is read again as something else, but of a script no more than
//! [`MAX_PASSES`] times its length: reading is linear, whatever the text.

use memchr::memchr;
use memchr::memchr2;

use super::Foreign;
use super::ansi;
use super::steps::End;
use super::steps::List;
use super::word::Heredoc;
use super::word::Index;
use super::word::Kind;
use super::word::Operator;
use super::word::Parsed;
use super::word::Piece;
use super::word::Step;
use super::word::Variable;
use super::word::Word;

/// How deep substitutions and quotes in them may be nested. People write three or four.
const MAX_DEPTH: usize = 48;
/// How often a script may be read, when much in it turns out not to be closed. Scripts
/// that a shell takes are read once, and a few lines of them twice.
const MAX_PASSES: usize = 4;

/// A script that is read a few lines at a time.
pub(super) struct Reader<'t> {
    parser: Parser<'t>,
    list: List,
}

impl<'t> Reader<'t> {
    /// Before the first line; `foreign` are the expressions in the script.
    pub(super) fn new(text: &'t str, foreign: &'t [Foreign]) -> Reader<'t> {
        Reader { parser: Parser::new(text, foreign), list: List::default() }
    }

    /// Where substitutions are nested too deep to be read.
    pub(super) fn too_deep(&self) -> Option<usize> {
        self.parser.too_deep
    }

    /// Where something begins that nothing ends, when the rest of the script went with it.
    pub(super) fn unclosed(&self) -> Option<usize> {
        self.parser.unclosed
    }
}

impl Iterator for Reader<'_> {
    type Item = Parsed;

    fn next(&mut self) -> Option<Parsed> {
        if self.parser.at >= self.parser.bytes.len() {
            return None;
        }
        self.parser.steps_of(&mut self.list, End::Script);
        let steps = std::mem::take(&mut self.list.steps);
        Some(Parsed { steps, heredocs: std::mem::take(&mut self.parser.heredocs) })
    }
}

/// A script that is being read.
pub(super) struct Parser<'t> {
    pub(super) text: &'t str,
    pub(super) bytes: &'t [u8],
    pub(super) at: usize,
    foreign: &'t [Foreign],
    next_foreign: usize,
    pub(super) depth: usize,
    /// Backquotes that are open.
    pub(super) backquotes: usize,
    pub(super) heredocs: Vec<Heredoc>,
    /// Heredocs whose bodies begin with the next line.
    pub(super) pending: Vec<super::heredoc::Pending>,
    /// How many bytes may still be read again.
    rereads: usize,
    unclosed: Option<usize>,
    too_deep: Option<usize>,
    indexes: Ahead,
    globs: [Ahead; 3],
}

/// What was found last of a byte that is looked for ahead: every byte of a text is looked at
/// once, however often that is.
#[derive(Default)]
struct Ahead {
    from: usize,
    found: usize,
    /// How long the text was: that of a heredoc ends earlier.
    length: usize,
}

impl Ahead {
    /// The next `byte` behind `at` and on its line.
    fn find(&mut self, bytes: &[u8], at: usize, byte: u8) -> Option<usize> {
        if at < self.from || at > self.found || self.length != bytes.len() {
            let length = memchr2(byte, b'\n', bytes.get(at..)?);
            let found = length.map_or(bytes.len(), |length| at + length);
            *self = Ahead { from: at, found, length: bytes.len() };
        }
        (bytes.get(self.found) == Some(&byte)).then_some(self.found)
    }
}

/// What ends a word that is not in quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// A blank or an operator.
    Operator,
    /// `}`
    Brace,
    /// `}`, between double quotes.
    QuotedBrace,
    /// The same, where single quotes are quotes: in a pattern.
    QuotedPattern,
    /// `"`
    Quote,
    /// The end of the text: the body of a heredoc.
    End,
}

impl Until {
    /// Whether what is read stands in double quotes, or as if it did.
    fn is_quoted(self) -> bool {
        matches!(self, Until::Quote | Until::QuotedBrace | Until::QuotedPattern | Until::End)
    }
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, foreign: &'t [Foreign]) -> Parser<'t> {
        Parser {
            text,
            bytes: text.as_bytes(),
            at: 0,
            foreign,
            next_foreign: 0,
            depth: 0,
            backquotes: 0,
            heredocs: Vec::new(),
            pending: Vec::new(),
            rereads: 4096 + MAX_PASSES * text.len(),
            unclosed: None,
            too_deep: None,
            indexes: Ahead::default(),
            globs: Default::default(),
        }
    }

    pub(super) fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    pub(super) fn looking_at(&self, text: &str) -> bool {
        self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(text.as_bytes()))
    }

    /// Whether what began at `start`, was read up to `end` and is not closed may be read
    /// as something else.
    pub(super) fn may_retry(&mut self, start: usize, end: usize) -> bool {
        self.rereads = self.rereads.saturating_sub(1 + end.saturating_sub(start));
        if self.gave_up() {
            self.unclosed.get_or_insert(start);
        }
        !self.gave_up()
    }

    /// Whether nothing is read again any more.
    pub(super) fn gave_up(&self) -> bool {
        self.rereads == 0
    }

    /// Goes back to `at`, as if nothing had been read behind it.
    pub(super) fn rewind(&mut self, at: usize, heredocs: usize) {
        self.at = at;
        self.heredocs.truncate(heredocs);
        self.pending.retain(|pending| pending.index < heredocs);
        self.next_foreign = self.foreign.partition_point(|foreign| foreign.range.start < at);
    }

    /// The expression of the format around the script that begins here.
    fn foreign_here(&mut self) -> Option<usize> {
        while let Some(foreign) = self.foreign.get(self.next_foreign) {
            if foreign.range.start >= self.at {
                let found = foreign.range.start == self.at && !foreign.range.is_empty();
                return found.then_some(self.next_foreign);
            }
            self.next_foreign += 1;
        }
        None
    }

    /// Reads a word up to what ends it.
    pub(super) fn word(&mut self, until: Until) -> Word {
        let start = self.at;
        let mut word = self.pieces(until);
        word.written = start..self.at;
        word
    }

    fn pieces(&mut self, until: Until) -> Word {
        let mut word = Word::default();
        let quoted = until.is_quoted();
        loop {
            let start = self.at;
            if let Some(index) = self.foreign_here() {
                self.at = self.foreign[index].range.end;
                self.next_foreign += 1;
                self.push(&mut word, start, quoted, Kind::Foreign(index));
                continue;
            }
            let Some(byte) = self.peek(0) else { return word };
            match byte {
                b'\\' => self.escape(&mut word, until),
                b'"' if until == Until::Quote => return word,
                b'"' if until == Until::End => self.plain(&mut word, quoted),
                b'"' => self.double_quoted(&mut word),
                b'\'' if !quoted || until == Until::QuotedPattern => self.single_quoted(&mut word),
                b'`' => {
                    if self.backquotes > 0 {
                        return word;
                    }
                    self.at += 1;
                    self.backquotes += 1;
                    let steps = self.nested(End::Backquote);
                    self.backquotes -= 1;
                    self.push(&mut word, start, quoted, Kind::Commands(steps));
                }
                b'$' => self.dollar(&mut word, quoted),
                b'}' if matches!(until, Until::Brace | Until::QuotedBrace | Until::QuotedPattern) => {
                    return word;
                }
                b'<' | b'>' if until == Until::Operator && self.peek(1) == Some(b'(') => {
                    self.at += 2;
                    let steps = self.nested(End::Parenthesis);
                    self.push(&mut word, start, true, Kind::Commands(steps));
                }
                b'(' if until == Until::Operator && self.ends_in_glob(&word) => self.glob(&mut word),
                b' ' | b'\t' | b'\n' | b'\r' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')'
                    if until == Until::Operator =>
                {
                    if byte == b'\r' && self.peek(1) != Some(b'\n') {
                        self.plain(&mut word, quoted);
                        continue;
                    }
                    return word;
                }
                _ => self.plain(&mut word, quoted),
            }
        }
    }

    fn push(&self, word: &mut Word, start: usize, quoted: bool, kind: Kind) {
        if word.pieces.is_empty() {
            // Nearly all words have one piece.
            word.pieces.reserve_exact(1);
        }
        word.pieces.push(Piece { range: start..self.at, quoted, kind });
    }

    /// Reads at least one byte of text, and all that means nothing else.
    fn plain(&mut self, word: &mut Word, quoted: bool) {
        let start = self.at;
        self.at += 1;
        let limit = self.foreign.get(self.next_foreign).map_or(self.bytes.len(), |next| next.range.start);
        let limit = limit.max(self.at).min(self.bytes.len());
        let special = |byte: u8| match quoted {
            true => matches!(byte, b'\\' | b'"' | b'\'' | b'`' | b'$' | b'}'),
            false => {
                !(byte.is_ascii_alphanumeric()
                    || matches!(byte, b'-' | b'_' | b'.' | b'/' | b':' | b'=' | b'@' | b',')
                    || byte >= 0x80)
            }
        };
        self.at += self.bytes[self.at..limit].iter().take_while(|byte| !special(**byte)).count();
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
        match word.pieces.last_mut() {
            Some(Piece { range, quoted: same, kind: Kind::Text })
                if *same == quoted && range.end == start =>
            {
                range.end = self.at;
            }
            _ => self.push(word, start, quoted, Kind::Text),
        }
    }

    fn escape(&mut self, word: &mut Word, until: Until) {
        let quoted = until.is_quoted();
        let Some(next) = self.text[self.at + 1..].chars().next() else {
            self.plain(word, quoted);
            return;
        };
        if next == '\n' || (next == '\r' && self.peek(2) == Some(b'\n')) {
            self.at += if next == '\n' { 2 } else { 3 };
            return;
        }
        let special = match next {
            '$' | '`' | '\\' => true,
            '"' => until != Until::End,
            '}' => matches!(until, Until::QuotedBrace | Until::QuotedPattern),
            _ => until == Until::QuotedPattern,
        };
        if quoted && !special {
            self.plain(word, quoted);
            return;
        }
        self.at += 1;
        let start = self.at;
        self.at += next.len_utf8();
        self.push(word, start, true, Kind::Text);
    }

    fn single_quoted(&mut self, word: &mut Word) {
        let start = self.at + 1;
        match self.end_of_quote(start) {
            Some(end) => {
                self.at = end;
                self.push_quoted(word, start);
                self.at += 1;
            }
            // The last one of the script.
            None => self.plain(word, false),
        }
    }

    /// The next single quote that stands in no expression.
    fn end_of_quote(&self, start: usize) -> Option<usize> {
        let mut at = start;
        loop {
            at += memchr(b'\'', self.bytes.get(at..)?)?;
            let next = self.foreign.partition_point(|foreign| foreign.range.end <= at);
            match self.foreign.get(next) {
                Some(foreign) if foreign.range.contains(&at) => at = foreign.range.end,
                _ => return Some(at),
            }
        }
    }

    /// Text in quotes, cut where an expression stands in it.
    fn push_quoted(&mut self, word: &mut Word, start: usize) {
        let end = self.at;
        self.at = start;
        loop {
            let from = self.at;
            let next = self.foreign_from(from).filter(|index| self.foreign[*index].range.start < end);
            self.at = next.map_or(end, |index| self.foreign[index].range.start);
            if self.at > from || (from == start && next.is_none()) {
                self.push(word, from, true, Kind::Text);
            }
            let Some(index) = next else { return };
            let from = self.at;
            self.at = self.foreign[index].range.end.min(end);
            self.next_foreign = index + 1;
            self.push(word, from, true, Kind::Foreign(index));
        }
    }

    fn foreign_from(&mut self, at: usize) -> Option<usize> {
        while self.foreign.get(self.next_foreign).is_some_and(|foreign| foreign.range.start < at) {
            self.next_foreign += 1;
        }
        (self.next_foreign < self.foreign.len()).then_some(self.next_foreign)
    }

    /// `$'…'`
    fn ansi_quoted(&mut self, word: &mut Word) {
        let start = self.at + 2;
        let mut end = start;
        if self.gave_up() {
            return self.plain(word, false);
        }
        loop {
            match memchr2(b'\'', b'\\', self.bytes.get(end..).unwrap_or_default()) {
                Some(length) if self.bytes[end + length] == b'\'' => {
                    end += length;
                    break;
                }
                Some(length) => end += length + 2,
                None => {
                    self.may_retry(start, self.bytes.len());
                    self.plain(word, false);
                    return;
                }
            }
        }
        let body = &self.text[start..end];
        self.at = end;
        if memchr(b'\\', body.as_bytes()).is_none() {
            self.push_quoted(word, start);
        } else {
            self.push(word, start, true, Kind::Made(ansi::unescaped(body)));
        }
        self.at = end + 1;
    }

    fn double_quoted(&mut self, word: &mut Word) {
        let start = self.at;
        let (heredocs, pieces) = (self.heredocs.len(), word.pieces.len());
        if !self.enter(start) {
            return self.plain(word, false);
        }
        self.at += 1;
        let inner = self.word(Until::Quote);
        self.depth -= 1;
        if self.peek(0) == Some(b'"') {
            if inner.pieces.is_empty() {
                self.push(word, self.at, true, Kind::Text);
            }
            word.add(inner.pieces);
            self.at += 1;
            return;
        }
        // A backquote ends it, or nothing does.
        if self.at >= self.bytes.len() && self.may_retry(start, self.at) {
            self.rewind(start, heredocs);
            word.pieces.truncate(pieces);
            self.plain(word, false);
        } else {
            word.add(inner.pieces);
        }
    }

    /// Goes one level deeper, unless that is too deep.
    fn enter(&mut self, start: usize) -> bool {
        if self.depth >= MAX_DEPTH {
            self.too_deep.get_or_insert(start);
            return false;
        }
        self.depth += 1;
        true
    }

    /// The steps of a substitution whose beginning has been read.
    fn nested(&mut self, end: End) -> Vec<Step> {
        let start = self.at;
        if !self.enter(start) {
            return Vec::new();
        }
        let outer =
            if end == End::Parenthesis { std::mem::take(&mut self.backquotes) } else { self.backquotes };
        let steps = self.steps(end);
        self.backquotes = outer;
        self.depth -= 1;
        steps
    }

    fn dollar(&mut self, word: &mut Word, quoted: bool) {
        let start = self.at;
        match self.peek(1) {
            Some(b'(') if self.peek(2) == Some(b'(') => self.arithmetic(word, quoted),
            Some(b'(') => {
                self.at += 2;
                let steps = self.nested(End::Parenthesis);
                self.push(word, start, quoted, Kind::Commands(steps));
            }
            Some(b'{') => self.braced(word, quoted),
            Some(b'\'') if !quoted => self.ansi_quoted(word),
            Some(b'"') if !quoted => self.at += 1,
            Some(b'@' | b'*' | b'#' | b'?' | b'$' | b'!' | b'-' | b'0'..=b'9') => {
                self.at += 2;
                let name = self.text[start + 1..self.at].to_owned();
                self.push_variable(word, start, quoted, name, Index::None, Operator::None, Word::default());
            }
            Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => {
                self.at += 1 + name_length(&self.bytes[start + 1..]);
                let name = self.text[start + 1..self.at].to_owned();
                self.push_variable(word, start, quoted, name, Index::None, Operator::None, Word::default());
            }
            _ => self.plain(word, quoted),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one expansion")]
    fn push_variable(
        &self,
        word: &mut Word,
        start: usize,
        quoted: bool,
        name: String,
        index: Index,
        operator: Operator,
        operand: Word,
    ) {
        let variable = Variable { name, index, operator, operand };
        self.push(word, start, quoted, Kind::Variable(Box::new(variable)));
    }

    /// `$((…))`; as two parentheses when it does not end so.
    fn arithmetic(&mut self, word: &mut Word, quoted: bool) {
        let start = self.at;
        let heredocs = self.heredocs.len();
        if self.gave_up() || !self.enter(start) {
            return self.plain(word, quoted);
        }
        self.at += 3;
        let closed = self.arithmetic_body();
        self.depth -= 1;
        match closed {
            Some(steps) => self.push(word, start, quoted, Kind::Arithmetic(steps)),
            None => {
                self.may_retry(start, self.at);
                self.rewind(start + 2, heredocs);
                let steps = self.nested(End::Parenthesis);
                self.push(word, start, quoted, Kind::Commands(steps));
            }
        }
    }

    /// Reads up to `))`; what is commanded in between.
    pub(super) fn arithmetic_body(&mut self) -> Option<Vec<Step>> {
        let mut open = 0_usize;
        let mut steps = Vec::new();
        loop {
            match self.peek(0)? {
                b'(' => open += 1,
                b')' if open > 0 => open -= 1,
                b')' if self.peek(1) == Some(b')') => {
                    self.at += 2;
                    return Some(steps);
                }
                b')' => return None,
                b'$' if self.peek(1) == Some(b'(') && self.peek(2) != Some(b'(') => {
                    self.at += 2;
                    steps.extend(self.nested(End::Parenthesis));
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    /// `${…}`
    fn braced(&mut self, word: &mut Word, quoted: bool) {
        let start = self.at;
        let heredocs = self.heredocs.len();
        if !self.enter(start) {
            return self.plain(word, quoted);
        }
        let read = self.braced_body(quoted);
        self.depth -= 1;
        match read {
            Some(_)
                if self.at >= self.bytes.len()
                    && self.bytes.last() != Some(&b'}')
                    && self.may_retry(start, self.at) =>
            {
                self.rewind(start, heredocs);
                self.plain(word, quoted);
            }
            Some((name, index, operator, operand)) => {
                self.push_variable(word, start, quoted, name, index, operator, operand);
            }
            None => {
                self.rewind(start, heredocs);
                self.plain(word, quoted);
            }
        }
    }

    /// Nothing when it is no expansion; that is seen before its operand is read.
    fn braced_body(&mut self, quoted: bool) -> Option<(String, Index, Operator, Word)> {
        self.at += 2;
        // `${#name}` is a length, `${!name}` the value of another variable.
        let indirect = match self.peek(0) {
            Some(b'#' | b'!') if !matches!(self.peek(1), Some(b'}' | b':' | b'-' | b'+' | b'?')) => {
                self.at += 1;
                true
            }
            _ => false,
        };
        let start = self.at;
        self.at += match self.peek(0)? {
            b'@' | b'*' | b'#' | b'?' | b'$' | b'!' | b'-' => 1,
            _ => name_length(&self.bytes[start..]),
        };
        if self.at == start {
            return None;
        }
        let name = self.text[start..self.at].to_owned();
        let mut index = Index::None;
        if self.peek(0) == Some(b'[') {
            let close = self.end_of_index(self.at)?;
            let inner = &self.bytes[self.at + 1..close];
            index = if matches!(inner, b"@" | b"*") { Index::All } else { Index::One };
            self.at = close + 1;
        }
        let mut operator = self.operator()?;
        let operand = match operator {
            Operator::None => Word::default(),
            _ if !quoted => self.word(Until::Brace),
            Operator::Trim { .. } | Operator::Other => self.word(Until::QuotedPattern),
            _ => self.word(Until::QuotedBrace),
        };
        if indirect {
            operator = Operator::Other;
        }
        if self.peek(0) == Some(b'}') {
            self.at += 1;
        } else if operator == Operator::None {
            return None;
        }
        Some((name, index, operator, operand))
    }

    fn operator(&mut self) -> Option<Operator> {
        let colon = self.peek(0) == Some(b':');
        let (operator, length) = match (self.peek(usize::from(colon))?, colon) {
            (b'}', false) => (Operator::None, 0),
            (b'-', _) => (Operator::Default { empty: colon }, 1),
            (b'=', _) => (Operator::Assign { empty: colon }, 1),
            (b'+', _) => (Operator::Alternative, 1),
            (b'?', _) => (Operator::Required, 1),
            (trim @ (b'%' | b'#'), false) => {
                let longest = self.peek(1) == Some(trim);
                (Operator::Trim { from_end: trim == b'%', longest }, 1 + usize::from(longest))
            }
            _ => (Operator::Other, 0),
        };
        self.at += length + usize::from(colon);
        Some(operator)
    }

    /// Whether `(` here begins a pattern list of bash: `@(a|b)`.
    fn ends_in_glob(&self, word: &Word) -> bool {
        let last = word.pieces.last();
        last.is_some_and(|piece| {
            !piece.quoted && matches!(piece.kind, Kind::Text) && piece.range.end == self.at
        }) && matches!(self.bytes.get(self.at.wrapping_sub(1)), Some(b'@' | b'?' | b'*' | b'+' | b'!'))
    }

    fn glob(&mut self, word: &mut Word) {
        let (bytes, at) = (self.bytes, self.at);
        let [close, dollar, backquote] = &mut self.globs;
        let commands = [dollar.find(bytes, at, b'$'), backquote.find(bytes, at, b'`')];
        match close.find(bytes, at, b')') {
            // What is commanded in one is read as commands are.
            Some(close) if commands.iter().flatten().all(|at| *at > close) => {
                let start = self.at;
                self.at = close + 1;
                self.push(word, start, false, Kind::Text);
            }
            _ => self.plain(word, false),
        }
    }

    /// Where the index ends whose `[` stands at `at`, on the same line.
    pub(super) fn end_of_index(&mut self, at: usize) -> Option<usize> {
        self.indexes.find(self.bytes, at, b']')
    }
}

/// How long the name at the beginning is: letters, digits and `_`.
pub(super) fn name_length(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
}
