//! Typed reading of a YAML tree: every wrong key and type is said, with what to
//! write, and reading goes on.

use std::collections::HashMap;

use super::diagnostic::Diagnostics;
use super::keys::Keys;
use super::wording::listed;
use super::wording::quoted;
use crate::source::Span;
use crate::yaml::Node;
use crate::yaml::Shape;
use crate::yaml::Style;

/// At most this edit distance makes a did-you-mean.
const MAX_SUGGESTION_DISTANCE: usize = 2;

/// YAML's merge key, which the language leaves out.
pub(super) const MERGE_KEY: &str = "<<";

/// A value and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spanned<T> {
    pub(super) value: T,
    pub(super) span: Span,
}

/// One entry of a mapping whose key is text.
pub(super) struct Entry<'a> {
    pub(super) key: &'a str,
    pub(super) key_span: Span,
    pub(super) value: Node<'a>,
}

impl Diagnostics {
    /// The entries of a mapping with known keys: unknown and duplicate ones are
    /// errors and left out. `what` says whose keys they are.
    pub(super) fn entries<'a>(&mut self, node: Node<'a>, what: &str, keys: &Keys) -> Vec<Entry<'a>> {
        let mut entries = self.named_entries(node, what);
        let names: Vec<&str> = keys.known.iter().map(|key| key.name).collect();
        entries.retain(|entry| {
            if names.contains(&entry.key) {
                return true;
            }
            if keys.later.contains(&entry.key) {
                self.not_yet(entry.key_span, entry.key);
                return false;
            }
            let all: Vec<&str> = names.iter().chain(keys.later).copied().collect();
            let help = match closest(entry.key, &all) {
                Some(close) => format!("did you mean `{close}`?"),
                None => format!("the keys here are {}", listed(&names, "and")),
            };
            self.error(entry.key_span, format!("{} is not a key of {what}", quoted(entry.key)), help);
            false
        });
        entries
    }

    /// A part of the language that this version cannot judge by.
    pub(super) fn not_yet(&mut self, span: Span, what: &str) {
        let message = format!("`{what}` is not supported by this version of fromguard yet");
        self.error(
            span,
            message,
            "remove it, or use a version that supports it: leaving it out of account would not be safe",
        );
    }

    /// The entries of a mapping whose keys are names; duplicates are errors.
    pub(super) fn named_entries<'a>(&mut self, node: Node<'a>, what: &str) -> Vec<Entry<'a>> {
        let Some(mapping) = node.mapping() else {
            self.wrong_type(node, what, "keys and values");
            return Vec::new();
        };
        let mut seen: HashMap<&str, Span> = HashMap::new();
        let mut entries = Vec::new();
        for (key, value) in mapping.entries() {
            let key_span = key.span();
            match key.scalar() {
                Some(scalar) if !key.is_null() => {
                    if let Some(first) = seen.get(scalar.text) {
                        let line = self.line(*first);
                        let message =
                            format!("{} stands here twice, first on line {line}", quoted(scalar.text));
                        self.error(key_span, message, "keep one of them");
                        continue;
                    }
                    seen.insert(scalar.text, key_span);
                    if scalar.text == MERGE_KEY {
                        continue; // said for the document as a whole
                    }
                    entries.push(Entry { key: scalar.text, key_span, value });
                }
                _ => self.error(key_span, format!("a key of {what} must be text"), "write `key: value`"),
            }
        }
        if mapping.entries().len() == 0 {
            self.error(node.span(), format!("{what} is empty"), "write what it should hold, or leave it out");
        }
        entries
    }

    /// Says that a value is of another type. Aliases were reported before.
    pub(super) fn wrong_type(&mut self, node: Node<'_>, what: &str, wanted: &str) {
        let found = match node.shape() {
            Shape::Alias(_) => return,
            _ if node.is_null() => "nothing",
            Shape::Mapping(_) => "keys and values",
            Shape::Sequence(_) => "a list",
            Shape::Scalar(_) => "a single value",
        };
        self.error(
            node.span(),
            format!("{what} must be {wanted}, and here is {found}"),
            format!("write {wanted}"),
        );
    }

    /// A text that is not blank, as written: `3.10` stays `3.10`.
    pub(super) fn text<'a>(&mut self, node: Node<'a>, what: &str) -> Option<&'a str> {
        match node.scalar() {
            Some(scalar) if !node.is_null() => {
                if scalar.text.trim().is_empty() {
                    self.error(node.span(), format!("{what} is blank"), "write a text, or leave it out");
                    return None;
                }
                Some(scalar.text)
            }
            _ => {
                self.wrong_type(node, what, "a text");
                None
            }
        }
    }

    /// The items of a list that is not empty.
    pub(super) fn list<'a>(&mut self, node: Node<'a>, what: &str) -> Vec<Node<'a>> {
        let Some(sequence) = node.sequence() else {
            match node.scalar() {
                Some(scalar) if !node.is_null() => {
                    let help = format!("write it in brackets: [\"{}\"]", super::wording::plain(scalar.text));
                    self.error(
                        node.span(),
                        format!("{what} must be a list, and here is a single value"),
                        help,
                    );
                }
                _ => self.wrong_type(node, what, "a list"),
            }
            return Vec::new();
        };
        if sequence.items().len() == 0 {
            let help = "write at least one item, or leave the key out";
            self.error(node.span(), format!("{what} is an empty list"), help);
        }
        sequence.items().collect()
    }

    /// `true` or `false`, unquoted.
    pub(super) fn boolean(&mut self, node: Node<'_>, what: &str) -> Option<bool> {
        let scalar = node.scalar().filter(|scalar| scalar.style == Style::Plain);
        match scalar.map(|scalar| scalar.text) {
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some("yes" | "on" | "True" | "TRUE") => {
                self.error(node.span(), format!("{what} is `true` or `false`"), "write `true`");
                None
            }
            Some("no" | "off" | "False" | "FALSE") => {
                self.error(node.span(), format!("{what} is `true` or `false`"), "write `false`");
                None
            }
            _ => {
                self.wrong_word(node, what, &["true", "false"]);
                None
            }
        }
    }

    /// `true`, and where it stands: `false` would be looser than nothing, or say
    /// nothing at all.
    pub(super) fn only_true(&mut self, node: Node<'_>, key_span: Span, key: &str) -> Option<Span> {
        match self.boolean(node, &format!("`{key}`"))? {
            true => Some(key_span),
            false => {
                self.error(key_span, format!("`{key}: false` says nothing"), "leave it out");
                None
            }
        }
    }

    /// `false`; `true` would say nothing.
    pub(super) fn only_false(&mut self, node: Node<'_>, key_span: Span, key: &str) -> bool {
        match self.boolean(node, &format!("`{key}`")) {
            Some(false) => true,
            Some(true) => {
                self.error(key_span, format!("`{key}: true` says nothing"), "write `false`, or leave it out");
                false
            }
            None => false,
        }
    }

    /// Says which keys that must stand do not.
    pub(super) fn needed(&mut self, node: Node<'_>, what: &str, keys: &Keys) {
        let Some(mapping) = node.mapping().filter(|mapping| mapping.entries().len() > 0) else { return };
        for key in keys.known.iter().filter(|key| key.needed) {
            let stands = mapping
                .entries()
                .any(|(written, _)| written.scalar().is_some_and(|scalar| scalar.text == key.name));
            if !stands {
                let help = format!("write `{}: {}` in it", key.name, key.holds.example());
                self.error(node.span(), format!("{what} has no `{}`", key.name), help);
            }
        }
    }

    /// A whole number within bounds.
    pub(super) fn count(
        &mut self,
        node: Node<'_>,
        what: &str,
        bounds: std::ops::RangeInclusive<u32>,
    ) -> Option<u32> {
        let text = self.text(node, what)?;
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| plain && bounds.contains(number));
        if number.is_none() {
            let (least, most) = (bounds.start(), bounds.end());
            let message = format!("{what} is a whole number from {least} to {most}, not {}", quoted(text));
            self.error(node.span(), message, format!("write a number, as `{}`", (*least).max(14)));
        }
        number
    }

    /// One of some words.
    pub(super) fn word<T: Copy>(
        &mut self,
        node: Node<'_>,
        what: &str,
        words: &[(&str, T)],
    ) -> Option<Spanned<T>> {
        let text = node.scalar().map(|scalar| scalar.text);
        if let Some((_, value)) = words.iter().find(|(word, _)| Some(*word) == text) {
            return Some(Spanned { value: *value, span: node.span() });
        }
        self.wrong_word(node, what, &words.iter().map(|(word, _)| *word).collect::<Vec<_>>());
        None
    }

    fn wrong_word(&mut self, node: Node<'_>, what: &str, words: &[&str]) {
        let Some(scalar) = node.scalar().filter(|_| !node.is_null()) else {
            return self.wrong_type(node, what, &listed(words, "or"));
        };
        let help = match closest(scalar.text, words) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("write {}", listed(words, "or")),
        };
        let message = format!("{what} is {}, not {}", listed(words, "or"), quoted(scalar.text));
        self.error(node.span(), message, help);
    }
}

/// The word that somebody who wrote `text` may have meant.
pub(super) fn closest<'w>(text: &str, words: &[&'w str]) -> Option<&'w str> {
    // Nobody misspells a word into a sentence; this also bounds the comparison.
    if text.len() > 64 {
        return None;
    }
    let lower = text.to_lowercase().replace('_', "-");
    let distance = |word: &str| strsim::damerau_levenshtein(&lower, word);
    let best = words.iter().copied().min_by_key(|word| distance(word))?;
    let limit = MAX_SUGGESTION_DISTANCE.min(best.len() / 2);
    (distance(best) <= limit || (lower.len() >= 4 && best.starts_with(&lower))).then_some(best)
}
