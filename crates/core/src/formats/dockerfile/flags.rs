//! The flags of an instruction: which words they are, and which a command knows.
//!
//! After `extractBuilderFlags` in `frontend/dockerfile/parser/split_command.go`
//! and `BFlags` in `frontend/dockerfile/instructions/bflag.go` of BuildKit 0.34:
//! flags are the leading words that begin with `--`, up to a word `--`; quotes
//! and escapes are taken away; the scanner looks at single bytes.

use std::borrow::Cow;

use memchr::memchr;

use super::go;
use super::line::Line;
use crate::source::Span;

/// A flag as BuildKit sees it, quotes and escapes taken away.
#[derive(Debug)]
pub(super) struct Flag<'l> {
    text: Cow<'l, str>,
    places: Places,
}

/// A part of a flag's text that can be traced to the file.
#[derive(Debug)]
pub(super) struct FlagValue<'f> {
    pub(super) text: Cow<'f, str>,
    /// Offset in the line of every byte.
    pub(super) places: Places,
}

/// Where the bytes of a text stand in the line.
#[derive(Debug, Clone)]
pub(super) enum Places {
    /// One after the other, from here.
    From(usize),
    /// Each at its own place.
    Each(Vec<usize>),
}

impl Places {
    /// The place of the byte at `index`, of a text that has one there.
    pub(super) fn at(&self, index: usize) -> usize {
        match self {
            Places::From(start) => start + index,
            Places::Each(places) => places.get(index).copied().unwrap_or_default(),
        }
    }

    /// The places of the bytes `start..end`.
    pub(super) fn part(&self, start: usize, end: usize) -> Places {
        match self {
            Places::From(first) => Places::From(first + start),
            Places::Each(places) => Places::Each(places.get(start..end).unwrap_or_default().to_vec()),
        }
    }
}

impl FlagValue<'_> {
    /// The text, to be kept.
    pub(super) fn keep<'s>(self, line: &Line<'_, 's>) -> Cow<'s, str> {
        match self.places {
            Places::From(start) => line.keep(start, start + self.text.len()),
            Places::Each(_) => Cow::Owned(self.text.into_owned()),
        }
    }

    /// The place in the file of the text, which is not empty.
    pub(super) fn span(&self, line: &Line<'_, '_>) -> Span {
        match self.text.len() {
            0 => line.span(self.places.at(0), self.places.at(0)),
            length => line.span(self.places.at(0), self.places.at(length - 1) + 1),
        }
    }
}

impl Flag<'_> {
    /// The name without `--`, and what stands after `=`.
    fn split(&self) -> (&str, Option<FlagValue<'_>>) {
        let name_end = memchr(b'=', self.text.as_bytes()).unwrap_or(self.text.len());
        let name = &self.text[2..name_end.max(2)];
        let value = self.text.get(name_end + 1..).map(|value| FlagValue {
            text: Cow::Borrowed(value),
            places: self.places.part(name_end + 1, self.text.len()),
        });
        (name, value)
    }
}

/// Takes the flags off `rest`, which begins at `base` in the line; returns them
/// and the offset in the line where the arguments begin.
pub(super) fn extract<'l>(rest: &'l str, base: usize, escape: u8) -> (Vec<Flag<'l>>, usize) {
    let bytes = rest.as_bytes();
    let mut flags = Vec::new();
    let mut at = 0;
    loop {
        while at < bytes.len() && go::is_byte_space(bytes[at]) {
            at += 1;
        }
        if !bytes[at..].starts_with(b"--") {
            // The scanner may have stopped inside a character.
            while !rest.is_char_boundary(at) {
                at += 1;
            }
            return (flags, base + at);
        }
        let start = at;
        let mut quote = None;
        let mut quoted = false;
        // (byte as a character, offset), filled only when something is left out.
        let mut plain = true;
        let mut written: Vec<(u8, usize)> = Vec::new();
        loop {
            if plain {
                at += bytes[at..].iter().take_while(|byte| go::is_plain(**byte)).count();
            }
            let Some(&byte) = bytes.get(at) else { break };
            if quote.is_none() && go::is_byte_space(byte) {
                break;
            }
            let drop = match quote {
                None if matches!(byte, b'\'' | b'"') => {
                    quote = Some(byte);
                    quoted = true;
                    true
                }
                Some(open) if open == byte => {
                    quote = None;
                    true
                }
                _ => byte == escape,
            };
            if plain && (drop || !byte.is_ascii()) {
                plain = false;
                written.extend((start..at).map(|offset| (bytes[offset], offset)));
            }
            if drop && byte == escape && !matches!(byte, b'\'' | b'"') {
                at += 1;
                match bytes.get(at) {
                    Some(escaped) => written.push((*escaped, at)),
                    // An escape at the very end is skipped, and closes a quote.
                    None => break,
                }
            } else if !drop && !plain {
                written.push((byte, at));
            }
            at += 1;
        }
        let flag = if plain {
            Flag { text: Cow::Borrowed(&rest[start..at]), places: Places::From(base + start) }
        } else {
            let mut text = String::new();
            let mut places = Vec::new();
            for (byte, offset) in written {
                // One byte is one character to the scanner.
                let char = char::from(byte);
                text.push(char);
                places.extend(std::iter::repeat_n(base + offset, char.len_utf8()));
            }
            Flag { text: Cow::Owned(text), places: Places::Each(places) }
        };
        if flag.text == "--" {
            while !rest.is_char_boundary(at) {
                at += 1;
            }
            return (flags, base + at);
        }
        if quoted || !flag.text.is_empty() {
            flags.push(flag);
        }
    }
}

/// What a command does with a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Text,
    /// May be given more than once.
    Texts,
}

/// Checks flags against the ones a command knows and returns their values.
pub(super) fn parse<'f>(
    flags: &'f [Flag<'_>],
    known: &[(&'static str, Kind)],
) -> Result<Vec<Given<'f>>, String> {
    let mut given: Vec<Given<'f>> = Vec::with_capacity(flags.len());
    for flag in flags {
        if !flag.text.starts_with("--") {
            return Err(format!("the flag `{}` does not begin with `--`", flag.text));
        }
        let (name, value) = flag.split();
        let Some((name, kind)) = known.iter().find(|(known, _)| *known == name) else {
            return Err(format!("unknown flag `--{name}`"));
        };
        if *kind != Kind::Texts && given.iter().any(|other| other.name == *name) {
            return Err(format!("the flag `--{name}` stands twice"));
        }
        match (kind, &value) {
            (Kind::Bool, None) => {}
            (Kind::Bool, Some(value)) => {
                if !matches!(&*go::lower(&value.text), "true" | "false") {
                    return Err(format!("the flag `--{name}` takes `true` or `false`"));
                }
            }
            (_, None) => return Err(format!("the flag `--{name}` needs a value: `--{name}=…`")),
            (_, Some(_)) => {}
        }
        given.push(Given { name, value });
    }
    Ok(given)
}

/// A flag that a command knows.
#[derive(Debug)]
pub(super) struct Given<'f> {
    pub(super) name: &'static str,
    pub(super) value: Option<FlagValue<'f>>,
}
