//! Whether a text may hold a command that names an image, at a glance: most scripts
//! hold none, and are not read.

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use aho_corasick::MatchKind;
use memchr::memchr3_iter;
use memchr::memmem;

use super::TOOLS;

/// Names of variables that stand for a tool: `$CONTAINER_ENGINE`.
const VARIABLES: [&str; 2] = ["engine", "container"];
/// Names of up to this length are looked for as words of their own.
const SHORT: usize = 5;

/// Whether the name of a tool stands in a text, or that of a variable for one: in small
/// letters, in capitals, or with one capital in front, with or without quotes, backslashes
/// and ends of lines in it. What a script puts together otherwise (`$(printf dock)er`,
/// `${A}er`) is not seen.
pub(in crate::formats::shell) fn may_hold_one(text: &[u8]) -> bool {
    static NEEDLES: OnceLock<Needles> = OnceLock::new();
    let needles = NEEDLES.get_or_init(Needles::new);
    needles.stand_in(text) || joined(text).is_some_and(|text| needles.stand_in(&text))
}

/// The text without quotes and backslashes, when one of them divides a word.
fn joined(text: &[u8]) -> Option<Vec<u8>> {
    let is_letter = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    let marks = || memchr3_iter(b'\'', b'"', b'\\', text);
    let end_of = |at: usize| match &text[at..] {
        [b'\\', b'\r', b'\n', ..] => at + 3,
        [b'\\', b'\n', ..] => at + 2,
        _ => at + 1,
    };
    let divides = |at: usize| {
        is_letter(at.wrapping_sub(1)) && {
            let mut end = end_of(at);
            while matches!(text.get(end), Some(b'\'' | b'"' | b'\\')) {
                end = end_of(end);
            }
            is_letter(end)
        }
    };
    marks().any(divides).then(|| {
        let mut plain = Vec::with_capacity(text.len());
        let mut at = 0;
        for mark in marks() {
            plain.extend_from_slice(text.get(at..mark).unwrap_or_default());
            at = end_of(mark);
        }
        plain.extend_from_slice(text.get(at..).unwrap_or_default());
        plain
    })
}

/// What is looked for, all at once.
struct Needles {
    /// Finds the longer names. With letters as they are and tails of three letters and
    /// more, it can look at 32 bytes at a time.
    searcher: Option<AhoCorasick>,
    /// For each pattern of the searcher, what it is of.
    tails: Vec<Tail>,
    /// Names of two letters, in every writing.
    pairs: Vec<memmem::Finder<'static>>,
}

/// What names end with: all but their first letter, or the whole of short ones.
#[derive(Default)]
struct Tail {
    /// What stands in front of it in small letters, for each of the names.
    fronts: Vec<String>,
    /// The names are words of their own.
    are_short: bool,
}

impl Needles {
    fn new() -> Needles {
        let mut patterns: Vec<(String, Tail)> = Vec::new();
        let mut pairs = Vec::new();
        let names = || TOOLS.iter().chain(&VARIABLES).copied();
        for name in names() {
            let [small, capitals, capital] = writings(name);
            let are_short = name.len() <= SHORT;
            if name.len() < 3 {
                pairs.extend([small, capitals, capital].map(|name| memmem::Finder::new(&name).into_owned()));
                continue;
            }
            if name.len() < SHORT {
                patterns.extend(
                    [small, capitals, capital]
                        .map(|name| (name, Tail { fronts: vec![String::new()], are_short })),
                );
                continue;
            }
            // No tail may be all of another name, which it would hide.
            let inner = names().find(|other| *other != name && name.ends_with(other));
            let front = inner.map_or(0, |inner| name.len() - inner.len()) + 1;
            for tail in [&small[front..], &capitals[front..]] {
                let at = patterns.iter().position(|(known, _)| known == tail).unwrap_or_else(|| {
                    patterns.push((tail.to_owned(), Tail { are_short, ..Tail::default() }));
                    patterns.len() - 1
                });
                patterns[at].1.fronts.push(small[..front].to_owned());
            }
        }
        let (patterns, tails): (Vec<String>, Vec<Tail>) = patterns.into_iter().unzip();
        let searcher = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(patterns).ok();
        Needles { searcher, tails, pairs }
    }

    fn stand_in(&self, text: &[u8]) -> bool {
        let Some(searcher) = &self.searcher else { return true };
        let is_letter = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
        // `oc` in `local` is none.
        let is_word = |start: usize, end: usize| !is_letter(start.wrapping_sub(1)) && !is_letter(end);
        let names_one = searcher.find_iter(text).any(|found| {
            let tail = &self.tails[found.pattern().as_usize()];
            tail.fronts.iter().any(|front| {
                let Some(start) = found.start().checked_sub(front.len()) else { return false };
                text[start..found.start()].eq_ignore_ascii_case(front.as_bytes())
                    && (!tail.are_short || is_word(start, found.end()))
                    && !begins_another(text, start, found.end())
            })
        });
        names_one
            || self
                .pairs
                .iter()
                .any(|pair| pair.find_iter(text).any(|at| is_word(at, at + pair.needle().len())))
    }
}

/// Whether what stands there begins the name of another command: `docker-php-ext-install`.
fn begins_another(text: &[u8], start: usize, end: usize) -> bool {
    // `${DOCKER-podman}`
    let is_default = text.get(start.wrapping_sub(1)) == Some(&b'{');
    !is_default && text.get(end) == Some(&b'-') && text.get(end + 1).is_some_and(u8::is_ascii_lowercase)
}

/// In small letters, in capitals, with one capital in front.
fn writings(name: &str) -> [String; 3] {
    let (first, rest) = name.split_at(1);
    [name.to_owned(), name.to_ascii_uppercase(), first.to_ascii_uppercase() + rest]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_is_seen_in_each_writing() {
        for name in TOOLS.iter().chain(&VARIABLES) {
            for name in writings(name) {
                for text in
                    [name.clone(), format!("echo $({name} a)"), format!("xyz/{name}"), format!("${name}")]
                {
                    assert!(may_hold_one(text.as_bytes()), "{text}");
                }
            }
        }
    }

    #[test]
    fn a_divided_word_may_be_a_tool() {
        for text in ["d'ocke'r pull a", "doc\\\nker pull a", "do\\cker", "d\"\"ocker pull a", "doc\\\r\nker"]
        {
            assert!(may_hold_one(text.as_bytes()), "{text}");
        }
        for text in ["echo 'a' \"b\"", "a \\\n b", "x\\\n", "'it' s", "it's"] {
            assert!(!may_hold_one(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn long_names_are_seen_inside_words_and_short_ones_are_not() {
        for text in [
            "MYDOCKER=1",
            "lockerdocker",
            "xcontainerized",
            "${docker-x} a",
            "docker -v",
            "docker-",
            "minikubectl",
        ] {
            assert!(may_hold_one(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "local docs OCR",
            "find kinds",
            "locker",
            "ocker",
            "crab brane",
            "oras2",
            "imgs k3ds",
            "divers",
        ] {
            assert!(!may_hold_one(text.as_bytes()), "{text}");
        }
    }
}
