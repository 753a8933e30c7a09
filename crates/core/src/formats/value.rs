//! Text that formats put together from variables: what it is, where it is not
//! known and why, and the places that it came from. What such a text stands for
//! as an image is decided here, for every format alike.

use std::ops::Range;

use crate::formats::marker;
use crate::image::ImageRef;
use crate::image::Partial;
use crate::image::Target;
use crate::image::Via;
use crate::source::Location;
use crate::source::Span;

/// The longest text that is put together, in bytes. A reference has at most a few
/// hundred; variables that double themselves reach this in a few lines.
const MAX_VALUE_BYTES: usize = 64 * 1024;
/// The most members of a value set; one more that is not known stands for the rest.
pub(super) const MAX_MEMBERS: usize = 64;
/// The most places that are remembered: more than any chain that a person writes.
const MAX_VIA: usize = 32;

/// One member of what a text may be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Value {
    text: String,
    /// The first place in `text` where something unknown stands, and why it is not known.
    hole: Option<(usize, String)>,
    /// The places that contributed, in the order of evaluation.
    via: Vec<Via>,
    /// Where the first byte stands, when that is not the reference itself.
    origin: Option<Location>,
}

impl Value {
    /// Text that stands where it is used.
    pub(super) fn known(text: impl Into<String>) -> Value {
        Value { text: text.into(), ..Value::default() }
    }

    /// Something that is not known, and why, for people.
    pub(super) fn unknown(reason: impl Into<String>) -> Value {
        Value { hole: Some((0, reason.into())), ..Value::default() }
    }

    /// The same value, taken from a place that holds it.
    #[allow(clippy::wrong_self_convention, reason = "the value is from there")]
    pub(super) fn placed(mut self, at: Location, what: impl Into<String>) -> Value {
        if self.origin.is_none() && !self.text.is_empty() {
            self.origin = Some(at.clone());
        }
        self.note(Via { at, what: what.into() });
        self
    }

    /// Text that was made of this one: it came from the same places.
    pub(super) fn derived(&self, text: impl Into<String>) -> Value {
        let origin = self.origin.clone();
        Value { text: text.into(), hole: None, via: self.via.clone(), origin }
    }

    /// The same value without its first bytes, as far as they are known.
    pub(super) fn without_start(&self, bytes: usize) -> Value {
        let mut value = self.clone();
        if let Some(rest) = self.text.get(bytes..) {
            value.text = rest.to_owned();
            value.hole = self.hole.clone().map(|(at, reason)| (at.saturating_sub(bytes), reason));
        }
        value
    }

    /// The text; what is not known is left out of it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Why the text is not wholly known.
    pub(super) fn reason(&self) -> Option<&str> {
        self.hole.as_ref().map(|(_, reason)| reason.as_str())
    }

    /// Where in the text something is not known, and why.
    pub(super) fn hole(&self) -> Option<(usize, &str)> {
        self.hole.as_ref().map(|(at, reason)| (*at, reason.as_str()))
    }

    /// The same value without its first bytes, which are known.
    pub(super) fn skip(mut self, bytes: usize) -> Value {
        self.text = self.text.get(bytes..).unwrap_or_default().to_owned();
        if let Some((at, _)) = &mut self.hole {
            *at = at.saturating_sub(bytes);
        }
        self
    }

    /// Whether every byte is known.
    pub(super) fn is_known(&self) -> bool {
        self.hole.is_none()
    }

    /// Whether nothing is there, known and empty.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.hole.is_none()
    }

    /// The places that contributed.
    pub(super) fn via(&self) -> &[Via] {
        &self.via
    }

    /// Where the first byte stands, when that is not where it is used.
    pub(super) fn origin(&self) -> Option<&Location> {
        self.origin.as_ref()
    }

    /// Notes a place that contributed.
    pub(super) fn note(&mut self, via: Via) {
        if self.via.len() < MAX_VIA && !self.via.contains(&via) {
            self.via.push(via);
        }
    }

    /// Appends text that stands where it is used.
    pub(super) fn push_str(&mut self, text: &str) {
        if self.text.len() + text.len() > MAX_VALUE_BYTES {
            self.open("a value longer than 64 KiB");
        } else {
            self.text.push_str(text);
        }
    }

    /// Appends another value.
    pub(super) fn append(&mut self, other: &Value) {
        if self.text.is_empty() && self.hole.is_none() && other.origin.is_some() {
            self.origin.clone_from(&other.origin);
        }
        if let (None, Some((at, reason))) = (&self.hole, &other.hole) {
            self.hole = Some((self.text.len() + at, reason.clone()));
        }
        for via in &other.via {
            self.note(via.clone());
        }
        self.push_str(&other.text);
    }

    /// The same value without what stands before and after a part of it.
    pub(super) fn part(&self, start: usize, end: usize) -> Value {
        let text = self.text.get(start..end).unwrap_or("").to_owned();
        let hole = self.hole.as_ref();
        let hole = hole.map(|(at, reason)| (at.saturating_sub(start).min(text.len()), reason.clone()));
        Value { text, hole, via: self.via.clone(), origin: self.origin.clone() }
    }

    /// Another text that was made of this one and comes from the same places.
    pub(super) fn rewritten(mut self, text: String) -> Value {
        if let Some((at, _)) = &mut self.hole {
            *at = (*at).min(text.len());
        }
        self.text = text;
        self
    }

    /// The same value, where something is known to be missing at `at`.
    pub(super) fn opened(mut self, at: usize, reason: impl Into<String>) -> Value {
        self.hole.get_or_insert_with(|| (at, reason.into()));
        self
    }

    /// The known text in front of anything that is not known.
    pub(super) fn beginning(&self) -> &str {
        match &self.hole {
            Some((at, _)) => self.text.get(..*at).unwrap_or(""),
            None => &self.text,
        }
    }

    /// Where in the text the first thing stands that is not known.
    pub(super) fn hole_at(&self) -> Option<usize> {
        self.hole.as_ref().map(|(at, _)| *at)
    }

    /// A part of the text, from the same places.
    pub(super) fn slice(&self, range: Range<usize>) -> Value {
        let hole = self.hole.as_ref().filter(|(at, _)| (range.start..=range.end).contains(at));
        let mut part = Value {
            text: self.text.get(range.clone()).unwrap_or("").to_owned(),
            hole: hole.map(|(at, reason)| (at - range.start, reason.clone())),
            via: self.via.clone(),
            origin: self.origin.clone(),
        };
        // Where the text stands as it is, so does the part.
        if let Some(origin) = &mut part.origin
            && origin.span.end - origin.span.start == self.text.len()
        {
            let whole = origin.clone();
            origin.span =
                Span::new(whole.span.start + range.start, whole.span.start + range.end.min(self.text.len()));
            part.via.iter_mut().filter(|via| via.at == whole).for_each(|via| via.at = origin.clone());
        }
        part
    }

    fn open(&mut self, reason: &str) {
        let at = self.text.len();
        self.hole.get_or_insert_with(|| (at, reason.to_owned()));
    }

    /// The image that the text stands for.
    pub(super) fn target(&self) -> Target {
        match &self.hole {
            Some((at, reason)) if !marker::has_marker(&self.text) => {
                open_target(&self.text, *at, reason.clone())
            }
            _ => literal_target(&self.text),
        }
    }
}

/// Every member followed by every other one: the texts that two value sets make.
/// Of more than [`MAX_MEMBERS`] the rest is one member that is not known.
pub(super) fn product(left: &[Value], right: &[Value]) -> Vec<Value> {
    let mut members: Vec<Value> = Vec::new();
    for first in left {
        for second in right {
            if members.len() == MAX_MEMBERS {
                members.push(Value::unknown(format!("more than {MAX_MEMBERS} values are not told apart")));
                return members;
            }
            let mut both = first.clone();
            both.append(second);
            if !members.contains(&both) {
                members.push(both);
            }
        }
    }
    members
}

/// What a text without variables stands for.
pub(super) fn literal_target(text: &str) -> Target {
    if marker::has_marker(text) {
        return Target::Unresolved { reason: marker::reason(text) };
    }
    Target::parse(text)
}

/// What a text stands for that is known but for what would stand at `at`.
pub(super) fn open_target(text: &str, at: usize, reason: String) -> Target {
    let (before, after) = text.split_at(at.min(text.len()));
    let Some(name) = known_part(before, after) else { return Target::Unresolved { reason } };
    let complete = name.contains('/');
    match ImageRef::parse(name) {
        Ok(name) => Target::Partial(Partial { name, complete, reason }),
        // No value can make a reference of it.
        Err(error) if complete => Target::Invalid { text: text.to_owned(), reason: error.to_string() },
        Err(_) => Target::Unresolved { reason },
    }
}

/// The name in front of a tag or digest that is not known: `before` ends where
/// the unknown text begins. `None` when more than the tag or digest is open.
fn known_part<'v>(before: &'v str, after: &str) -> Option<&'v str> {
    if after.contains('/') {
        return None;
    }
    let component = before.rfind('/').map_or(0, |slash| slash + 1);
    let end = match before[component..].find('@') {
        Some(at) => component + at,
        None => component + before[component..].find(':')?,
    };
    Some(&before[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::RepoPath;

    fn place(at: usize) -> Location {
        Location { file: RepoPath::new(".env"), span: Span::new(at, at + 1) }
    }

    #[test]
    fn a_value_remembers_where_it_came_from() {
        let registry = Value::known("ghcr.io/acme").placed(place(0), "`REGISTRY`");
        let mut image = Value::default();
        image.append(&registry);
        image.push_str("/app:");
        image.append(&Value::known("1").placed(place(5), "`TAG`"));
        assert_eq!(image.text(), "ghcr.io/acme/app:1");
        assert_eq!(image.origin(), Some(&place(0)));
        assert_eq!(
            image.via().iter().map(|via| via.what.as_str()).collect::<Vec<_>>(),
            ["`REGISTRY`", "`TAG`"]
        );
        assert_eq!(image.target(), Target::parse("ghcr.io/acme/app:1"));
    }

    #[test]
    fn a_hole_leaves_what_is_certain() {
        let with_tag = |before: &str| {
            let mut value = Value::known(before);
            value.append(&Value::unknown("`TAG` is not set"));
            value.target()
        };
        assert_eq!(with_tag("ghcr.io/acme/app:").status(), "partial");
        assert_eq!(with_tag("node:").status(), "unresolved");
        assert_eq!(with_tag("ghcr.io/acme/").status(), "unresolved");
        assert_eq!(with_tag("ghcr.io/ACME/app:").status(), "invalid");
        assert_eq!(Value::known("a:{{ .tag }}").target().status(), "unresolved");
    }

    #[test]
    fn members_multiply_up_to_a_limit() {
        let values = |texts: &[&str]| texts.iter().map(|text| Value::known(*text)).collect::<Vec<_>>();
        let texts = |values: &[Value]| values.iter().map(|value| value.text().to_owned()).collect::<Vec<_>>();
        assert_eq!(
            texts(&product(&values(&["a:", "b:"]), &values(&["1", "2"]))),
            ["a:1", "a:2", "b:1", "b:2"]
        );
        let many: Vec<Value> = (0..9).map(|number| Value::known(number.to_string())).collect();
        let all = product(&many, &many);
        assert_eq!(all.len(), MAX_MEMBERS + 1);
        assert!(!all[MAX_MEMBERS].is_known());
    }

    #[test]
    fn what_doubles_itself_ends() {
        let mut value = Value::known("x".repeat(40_000));
        value.append(&value.clone());
        assert_eq!((value.text().len(), value.is_known()), (40_000, false));
    }
}
