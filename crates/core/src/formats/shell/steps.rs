//! Steps: commands and what stands between them, in the order of the text.
//!
//! After 2.9 and 2.10 of the Shell Command Language, without its tree: a reserved word
//! opens, divides or closes a block, and what does not fit is passed over. So a script
//! that no shell would take is still read command by command.

use memchr::memchr;

use super::lexer::Parser;
use super::lexer::Until;
use super::lexer::name_length;
use super::word::Assigned;
use super::word::Assignment;
use super::word::Block;
use super::word::Command;
use super::word::Kind;
use super::word::Link;
use super::word::Redirect;
use super::word::Step;
use super::word::Word;

/// What ends a list of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The end of the script.
    Script,
    /// `)`
    Parenthesis,
    /// `` ` ``
    Backquote,
}

/// How many steps are read before those of a script are walked over, at the end of a line:
/// a long one is not held in memory as a whole.
const BATCH: usize = 64;

/// A list of steps that is being read.
#[derive(Default)]
pub(super) struct List {
    pub(super) steps: Vec<Step>,
    command: Command,
    /// Parentheses that are open.
    subshells: usize,
    /// `case`s that are open.
    cases: Vec<Case>,
    /// A function's name was read: what follows is its body.
    function: bool,
    /// The blocks that are open, for what closes them.
    braces: Vec<Block>,
}

/// Where a `case` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    /// Before a pattern.
    Pattern,
    /// In the commands of a branch.
    Commands,
}

impl List {
    fn finish(&mut self, next: Link) {
        if !self.command.is_empty() {
            self.steps.push(Step::Command(std::mem::take(&mut self.command)));
        }
        self.command.link = next;
    }

    fn open(&mut self, block: Block) {
        let link = std::mem::take(&mut self.command.link);
        self.steps.push(Step::Open(block, link));
    }

    fn close(&mut self, block: Block) {
        self.finish(Link::Next);
        self.steps.push(Step::Close(block));
    }
}

impl Parser<'_> {
    /// Reads steps up to their end, which is read too.
    pub(super) fn steps(&mut self, end: End) -> Vec<Step> {
        let mut list = List::default();
        self.steps_of(&mut list, end);
        list.steps
    }

    /// Reads the next steps of a list; of a script those of a few lines.
    pub(super) fn steps_of(&mut self, list: &mut List, end: End) {
        loop {
            self.blanks();
            if list.cases.last() == Some(&Case::Pattern) && list.command.is_empty() {
                self.pattern(list);
                if list.cases.last() == Some(&Case::Pattern) {
                    // The text ends, or the list around it.
                    list.cases.pop();
                }
                continue;
            }
            let Some(byte) = self.peek(0) else { break };
            match byte {
                b'\n' | b'\r' => {
                    self.at += 1;
                    if byte == b'\n' {
                        let link = if list.command.is_empty() { list.command.link } else { Link::Next };
                        list.finish(link);
                        self.bodies();
                        if end == End::Script && list.steps.len() >= BATCH && list.command.link != Link::Pipe
                        {
                            return;
                        }
                    }
                }
                b'#' => {
                    self.at += memchr(b'\n', &self.bytes[self.at..]).unwrap_or(self.bytes.len() - self.at)
                }
                b';' => {
                    let branch = matches!(self.peek(1), Some(b';' | b'&'));
                    self.at += if self.looking_at(";;&") { 3 } else { 1 + usize::from(branch) };
                    list.finish(Link::Next);
                    if branch && let Some(case) = list.cases.last_mut() {
                        *case = Case::Pattern;
                    }
                }
                b'&' if self.peek(1) == Some(b'>') => self.redirect(list),
                b'&' | b'|' => {
                    let double = self.peek(1) == Some(byte);
                    self.at += 1 + usize::from(double);
                    list.finish(match (double, byte) {
                        (true, _) => Link::Maybe,
                        (false, b'|') => Link::Pipe,
                        _ => Link::Next,
                    });
                    if byte == b'|' && !double && self.peek(0) == Some(b'&') {
                        self.at += 1;
                    }
                }
                b'(' => self.parenthesis(list),
                b')' => {
                    self.at += 1;
                    list.finish(Link::Next);
                    if list.subshells > 0 {
                        list.subshells -= 1;
                        list.close(Block::Subshell);
                    } else if end == End::Parenthesis {
                        return;
                    }
                }
                b'`' if end == End::Backquote && self.backquotes > 0 => {
                    self.at += 1;
                    list.finish(Link::Next);
                    return;
                }
                b'`' if self.backquotes > 0 => {
                    list.finish(Link::Next);
                    return;
                }
                b'<' | b'>' if self.peek(1) != Some(b'(') => self.redirect(list),
                b'0'..=b'9' if self.is_descriptor() => self.redirect(list),
                _ => self.simple(list),
            }
        }
        list.finish(Link::Next);
    }

    pub(super) fn blanks(&mut self) {
        loop {
            match self.peek(0) {
                Some(b' ' | b'\t') => self.at += 1,
                Some(b'\\') if self.peek(1) == Some(b'\n') => self.at += 2,
                Some(b'\\') if self.looking_at("\\\r\n") => self.at += 3,
                _ => return,
            }
        }
    }

    /// Whether digits here name the descriptor of a redirection.
    fn is_descriptor(&self) -> bool {
        let digits = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        matches!(self.peek(digits), Some(b'<' | b'>'))
    }

    fn redirect(&mut self, list: &mut List) {
        while self.peek(0).is_some_and(|byte| byte.is_ascii_digit() || byte == b'&') {
            self.at += 1;
        }
        if self.looking_at("<<<") {
            self.at += 3;
            self.blanks();
            list.command.here_string = Some(self.word(Until::Operator));
            return;
        }
        if self.looking_at("<<") {
            self.at += 2;
            list.command.heredocs.extend(self.heredoc());
            return;
        }
        let writes = self.peek(0) == Some(b'>');
        while matches!(self.peek(0), Some(b'<' | b'>' | b'&' | b'|')) {
            self.at += 1;
        }
        self.blanks();
        let target = self.word(Until::Operator);
        if !target.pieces.is_empty() {
            list.command.redirects.push(Redirect { writes, target });
        }
    }

    fn parenthesis(&mut self, list: &mut List) {
        let arithmetic = list.command.is_empty() && self.peek(1) == Some(b'(') && !self.gave_up();
        let (start, heredocs) = (self.at, self.heredocs.len());
        self.at += 1;
        if arithmetic {
            self.at += 1;
            match self.arithmetic_body() {
                Some(steps) => {
                    list.steps.extend(steps);
                    return;
                }
                None => {
                    self.may_retry(start, self.at);
                    self.rewind(start + 1, heredocs);
                }
            }
        }
        if list.command.words.len() == 1 && list.command.assignments.is_empty() {
            self.blanks();
            if self.peek(0) == Some(b')') {
                self.at += 1;
                list.command.words.clear();
                list.function = true;
                return;
            }
        }
        list.finish(list.command.link);
        let block = self.block(list, Block::Subshell);
        list.subshells += 1;
        list.open(block);
    }

    /// The block that opens here: the body of a function where one is due.
    fn block(&self, list: &mut List, block: Block) -> Block {
        if std::mem::take(&mut list.function) && block == Block::Group { Block::Function } else { block }
    }

    /// A word where a command may begin or go on.
    fn simple(&mut self, list: &mut List) {
        let begins = list.command.words.is_empty();
        if begins && self.assignment(list) {
            return;
        }
        let start = self.at;
        let word = self.word(Until::Operator);
        if self.at == start {
            // A byte that is no part of any word.
            self.at += 1;
            while !self.text.is_char_boundary(self.at) {
                self.at += 1;
            }
            return;
        }
        if word.pieces.is_empty() {
            return;
        }
        let reserved = begins
            && list.command.assignments.is_empty()
            && word.pieces.len() == 1
            && !word.pieces[0].quoted
            && matches!(word.pieces[0].kind, Kind::Text);
        let text = self.text;
        if reserved && self.reserved(list, &text[start..self.at]) {
            return;
        }
        list.command.words.push(word);
        // `name=(…)` behind `local`, `declare`, `export`.
        if self.peek(0) == Some(b'(') && self.bytes.get(self.at - 1) == Some(&b'=') && self.at > start + 1 {
            let text = self.text[start..self.at - 1].trim_end_matches('+').to_owned();
            let appends = self.bytes.get(self.at.wrapping_sub(2)) == Some(&b'+');
            if name_length(text.as_bytes()) == text.len() && !text.is_empty() {
                list.command.words.pop();
                let value = self.array();
                list.command.assignments.push(Assignment { name: text, appends, value });
            }
        }
    }

    /// A reserved word: whether `word` is one.
    fn reserved(&mut self, list: &mut List, word: &str) -> bool {
        match word {
            "if" => list.open(Block::If),
            "then" | "do" | "!" | "coproc" => {}
            "elif" => list.steps.push(Step::Branch { of: Block::If, last: false }),
            "else" => list.steps.push(Step::Branch { of: Block::If, last: true }),
            "fi" => list.close(Block::If),
            "while" | "until" => list.open(Block::Loop),
            "for" | "select" => self.for_loop(list),
            "done" => list.close(Block::Loop),
            "case" => {
                self.case(list);
            }
            "esac" => {
                list.cases.pop();
                list.close(Block::Case);
            }
            "{" => {
                let block = self.block(list, Block::Group);
                list.braces.push(block);
                list.open(block);
            }
            "}" => {
                if let Some(block) = list.braces.pop() {
                    list.close(block);
                }
            }
            "function" => {
                self.blanks();
                self.word(Until::Operator);
                self.blanks();
                if self.looking_at("()") {
                    self.at += 2;
                }
                list.function = true;
            }
            "[[" => self.condition(list),
            _ => return false,
        }
        true
    }

    /// `[[ … ]]`: what is commanded in it.
    fn condition(&mut self, list: &mut List) {
        let mut command = Command { link: list.command.link, ..Command::default() };
        loop {
            self.blanks();
            match self.peek(0) {
                None | Some(b'\n' | b';') => break,
                Some(b'<' | b'>' | b'(' | b')' | b'&' | b'|' | b'#') => self.at += 1,
                Some(_) => {
                    let start = self.at;
                    let word = self.word(Until::Operator);
                    let text = &self.text[start..self.at];
                    self.at += usize::from(text.is_empty());
                    while !self.text.is_char_boundary(self.at) {
                        self.at += 1;
                    }
                    if text == "]]" {
                        break;
                    }
                    command.words.push(word);
                }
            }
        }
        command.words.insert(0, Word::default());
        list.steps.push(Step::Command(command));
    }

    fn for_loop(&mut self, list: &mut List) {
        list.open(Block::Loop);
        self.blanks();
        if self.looking_at("((") {
            // As a command it is read the same way.
            return;
        }
        let length = name_length(&self.bytes[self.at..]);
        let name = self.text[self.at..self.at + length].to_owned();
        self.at += length;
        self.blanks();
        while self.peek(0) == Some(b'\n') {
            self.at += 1;
            self.blanks();
        }
        let mut words = Vec::new();
        if self.looking_at("in") && matches!(self.peek(2), Some(b' ' | b'\t' | b'\n' | b'\\' | b';')) {
            self.at += 2;
            loop {
                self.blanks();
                let start = self.at;
                if self.peek(0) == Some(b'#') {
                    break;
                }
                let word = self.word(Until::Operator);
                if self.at == start {
                    break;
                }
                words.push(word);
            }
        }
        list.steps.push(Step::For(name, words));
    }

    /// `case WORD in`
    fn case(&mut self, list: &mut List) {
        self.blanks();
        let word = self.word(Until::Operator);
        let mut command = Command { link: list.command.link, ..Command::default() };
        command.words = vec![Word::default(), word];
        list.steps.push(Step::Command(command));
        self.blanks();
        while matches!(self.peek(0), Some(b'\n' | b'\r')) {
            self.at += 1;
            self.blanks();
        }
        if self.looking_at("in") {
            self.at += 2;
            list.open(Block::Case);
            list.cases.push(Case::Pattern);
        }
    }

    /// The patterns of a branch up to `)`, or `esac`.
    fn pattern(&mut self, list: &mut List) {
        let mut last = false;
        let mut first = true;
        loop {
            self.blanks();
            let start = self.at;
            match self.peek(0) {
                None => return,
                Some(b'\n' | b'\r' | b'|' | b';' | b'&' | b'<' | b'>' | b'(') => self.at += 1,
                Some(b'#') => {
                    self.at += memchr(b'\n', &self.bytes[start..]).unwrap_or(self.bytes.len() - start);
                }
                Some(b')') => {
                    self.at += 1;
                    break;
                }
                Some(b'`') if self.backquotes > 0 => return,
                Some(_) => {
                    self.word(Until::Operator);
                    let text = &self.text[start..self.at];
                    if text == "esac" && first {
                        list.cases.pop();
                        list.close(Block::Case);
                        return;
                    }
                    last |= text == "*";
                    first = false;
                    if text.is_empty() {
                        self.at += 1;
                        while !self.text.is_char_boundary(self.at) {
                            self.at += 1;
                        }
                    }
                }
            }
        }
        if let Some(case) = list.cases.last_mut() {
            *case = Case::Commands;
        }
        list.steps.push(Step::Branch { of: Block::Case, last });
    }

    /// `name=value`, `name+=value`, `name[index]=value`, `name=(…)`.
    fn assignment(&mut self, list: &mut List) -> bool {
        let bytes = self.bytes;
        let rest = &bytes[self.at..];
        let length = name_length(rest);
        if length == 0 || rest[0].is_ascii_digit() {
            return false;
        }
        let mut end = length;
        let mut element = false;
        if rest.get(end) == Some(&b'[') {
            match self.end_of_index(self.at + end) {
                Some(close) => end = close + 1 - self.at,
                None => return false,
            }
            element = true;
        }
        let appends = rest.get(end) == Some(&b'+');
        end += usize::from(appends);
        if rest.get(end) != Some(&b'=') {
            return false;
        }
        let name = self.text[self.at..self.at + length].to_owned();
        self.at += end + 1;
        let value = match self.peek(0) {
            Some(b'(') if !element => self.array(),
            _ => {
                let word = self.word(Until::Operator);
                if element { Assigned::Element(word) } else { Assigned::Word(word) }
            }
        };
        list.command.assignments.push(Assignment { name, appends, value });
        true
    }

    /// `(…)` behind `name=`.
    fn array(&mut self) -> Assigned {
        let (start, heredocs) = (self.at, self.heredocs.len());
        self.at += 1;
        let mut words = Vec::new();
        loop {
            self.blanks();
            match self.peek(0) {
                Some(b')') => {
                    self.at += 1;
                    return Assigned::Array(words);
                }
                Some(b'\n' | b'\r') => self.at += 1,
                Some(b'#') => {
                    self.at += memchr(b'\n', &self.bytes[self.at..]).unwrap_or(self.bytes.len() - self.at)
                }
                Some(b'`') if self.backquotes > 0 => return Assigned::Array(words),
                Some(b'<' | b'>') if self.peek(1) == Some(b'(') => words.push(self.word(Until::Operator)),
                None | Some(b';' | b'&' | b'|' | b'(' | b'<' | b'>') => {
                    if self.peek(0).is_none() && self.may_retry(start, self.at) {
                        self.rewind(start + 1, heredocs);
                        words.clear();
                    }
                    return Assigned::Array(words);
                }
                Some(_) => {
                    let before = self.at;
                    words.push(self.word(Until::Operator));
                    if self.at == before {
                        self.at += 1;
                    }
                }
            }
        }
    }
}
