//! What a script is read into: steps, commands, words and their pieces. Places are
//! ranges of the script's text. Knows nothing of what commands mean.

use std::borrow::Cow;
use std::ops::Range;

/// A part of a script, read.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) steps: Vec<Step>,
    pub(super) heredocs: Vec<Heredoc>,
}

/// What happens next, in the order of the text.
#[derive(Debug)]
pub(super) enum Step {
    Command(Command),
    /// `for name in words`: each word is one value.
    For(String, Vec<Word>),
    Open(Block, Link),
    /// Another branch of the block; whether one is always taken from here on.
    Branch {
        of: Block,
        last: bool,
    },
    Close(Block),
}

/// A compound command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    If,
    Loop,
    Case,
    /// `{ … }`
    Group,
    /// `( … )`: assignments end with it.
    Subshell,
    /// The body of a function: assignments happen when it is called.
    Function,
}

/// What stands in front of a command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Link {
    #[default]
    Next,
    /// `&&` or `||`: it may not run.
    Maybe,
    /// `|`: it reads what the one before writes.
    Pipe,
}

/// A simple command.
#[derive(Debug, Default)]
pub(super) struct Command {
    pub(super) link: Link,
    pub(super) assignments: Vec<Assignment>,
    pub(super) words: Vec<Word>,
    /// Its heredocs, as indexes of [`Parsed::heredocs`].
    pub(super) heredocs: Vec<usize>,
    /// `<<<`
    pub(super) here_string: Option<Word>,
    /// Files that it reads, writes, appends to.
    pub(super) redirects: Vec<Redirect>,
}

impl Command {
    pub(super) fn is_empty(&self) -> bool {
        self.assignments.is_empty()
            && self.words.is_empty()
            && self.heredocs.is_empty()
            && self.here_string.is_none()
            && self.redirects.is_empty()
    }
}

/// `> file`
#[derive(Debug)]
pub(super) struct Redirect {
    pub(super) writes: bool,
    pub(super) target: Word,
}

/// `name=value`
#[derive(Debug)]
pub(super) struct Assignment {
    pub(super) name: String,
    /// `+=`
    pub(super) appends: bool,
    pub(super) value: Assigned,
}

/// What is assigned.
#[derive(Debug)]
pub(super) enum Assigned {
    Word(Word),
    Array(Vec<Word>),
    /// An element of an array.
    Element(Word),
}

/// `<<NAME`
#[derive(Debug, Default)]
pub(super) struct Heredoc {
    /// The body; one piece when its name was quoted.
    pub(super) body: Word,
    /// `<<-`: tabs at the beginning of a line are no part of it.
    pub(super) strips_tabs: bool,
}

/// One word, as written.
#[derive(Debug, Default)]
pub(super) struct Word {
    pub(super) pieces: Vec<Piece>,
    /// All of it, with its quotes.
    pub(super) written: Range<usize>,
}

impl Word {
    /// From the first to the last byte, quotes around all of it excluded.
    pub(super) fn range(&self) -> Range<usize> {
        let (Some(first), Some(last)) = (self.pieces.first(), self.pieces.last()) else { return 0..0 };
        let (before, after) = (
            first.range.start - self.written.start.min(first.range.start),
            self.written.end.saturating_sub(last.range.end),
        );
        if before == 0 && after == 1 && self.written.end > 0 {
            self.written.clone()
        } else {
            first.range.start..last.range.end
        }
    }

    /// Appends pieces.
    pub(super) fn add(&mut self, pieces: Vec<Piece>) {
        match self.pieces.is_empty() {
            true => self.pieces = pieces,
            false => self.pieces.extend(pieces),
        }
    }

    /// The text of a word that holds nothing but text.
    pub(super) fn literal<'s>(&'s self, script: &'s str) -> Option<Cow<'s, str>> {
        if let [Piece { range, kind: Kind::Text, .. }] = self.pieces.as_slice() {
            return Some(Cow::Borrowed(script.get(range.clone()).unwrap_or("")));
        }
        let mut text = String::new();
        for piece in &self.pieces {
            match &piece.kind {
                Kind::Text => text.push_str(script.get(piece.range.clone()).unwrap_or("")),
                Kind::Made(made) => text.push_str(made),
                _ => return None,
            }
        }
        Some(Cow::Owned(text))
    }
}

/// A part of a word.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) range: Range<usize>,
    pub(super) quoted: bool,
    pub(super) kind: Kind,
}

/// What a piece is.
#[derive(Debug)]
pub(super) enum Kind {
    /// Text that stands in the script as it is.
    Text,
    /// What an escape stands for.
    Made(String),
    Variable(Box<Variable>),
    /// `$(…)`, `` `…` ``, `<(…)`
    Commands(Vec<Step>),
    /// An expression of the format around the script, by its index.
    Foreign(usize),
    /// `$((…))`, and what is commanded in it.
    Arithmetic(Vec<Step>),
}

/// `$name`, `${name…}`
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    /// `[@]` or `[*]`, or another index.
    pub(super) index: Index,
    pub(super) operator: Operator,
    pub(super) operand: Word,
}

/// Which elements of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Index {
    None,
    All,
    One,
}

/// What `${name…}` does with the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    None,
    /// `:-`, `-`
    Default {
        /// With a colon: also when it is empty.
        empty: bool,
    },
    /// `:=`, `=`
    Assign {
        /// The same.
        empty: bool,
    },
    /// `:+`, `+`
    Alternative,
    /// `:?`, `?`
    Required,
    /// `%`, `%%`, `#`, `##`: what a pattern matches is taken away.
    Trim {
        from_end: bool,
        longest: bool,
    },
    /// Anything else: the result is not known.
    Other,
}
