//! Text that formats put together from variables: what it is, where it is not
//! known and why, and the places that it came from. What such a text stands for
//! as an image is decided here, for every format alike.

use std::hash::Hash;
use std::hash::Hasher;
use std::ops::Range;
use std::sync::Arc;

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

/// One member of what a text may be. Copies of it share what it holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Value(Arc<Parts>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Parts {
    text: String,
    /// The first place in `text` where something unknown stands, and why it is not known.
    hole: Option<(usize, String)>,
    /// The places that contributed, in the order of evaluation.
    via: Vec<Via>,
    /// Where the first byte stands, when that is not the reference itself.
    origin: Option<Location>,
}

impl Hash for Parts {
    /// By the text and the last place: nearly always that tells values apart.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
        self.origin.as_ref().map(|origin| origin.span).hash(state);
        self.via.last().map(|via| via.at.span).hash(state);
    }
}

impl Value {
    /// Text that stands where it is used.
    pub(super) fn known(text: impl Into<String>) -> Value {
        Value::of(Parts { text: text.into(), ..Parts::default() })
    }

    /// Something that is not known, and why, for people.
    pub(super) fn unknown(reason: impl Into<String>) -> Value {
        Value::of(Parts { hole: Some((0, reason.into())), ..Parts::default() })
    }

    fn of(parts: Parts) -> Value {
        Value(Arc::new(parts))
    }

    /// What it holds, to be changed: of this copy alone.
    fn parts(&mut self) -> &mut Parts {
        Arc::make_mut(&mut self.0)
    }

    /// The same value, taken from a place that holds it.
    pub(super) fn placed(mut self, at: Location, what: impl Into<String>) -> Value {
        if self.0.origin.is_none() && !self.0.text.is_empty() {
            self.parts().origin = Some(at.clone());
        }
        self.note(Via { at, what: what.into() });
        self
    }

    /// Text that was made of this one: it came from the same places.
    pub(super) fn derived(&self, text: impl Into<String>) -> Value {
        let (via, origin) = (self.0.via.clone(), self.0.origin.clone());
        Value::of(Parts { text: text.into(), hole: None, via, origin })
    }

    /// The same value without its first bytes, as far as they are known.
    pub(super) fn without_start(&self, bytes: usize) -> Value {
        match self.0.text.get(bytes..) {
            Some(_) => self.clone().skip(bytes),
            None => self.clone(),
        }
    }

    /// The text; what is not known is left out of it.
    pub(super) fn text(&self) -> &str {
        &self.0.text
    }

    /// Why the text is not wholly known.
    pub(super) fn reason(&self) -> Option<&str> {
        self.0.hole.as_ref().map(|(_, reason)| reason.as_str())
    }

    /// Where in the text something is not known, and why.
    pub(super) fn hole(&self) -> Option<(usize, &str)> {
        self.0.hole.as_ref().map(|(at, reason)| (*at, reason.as_str()))
    }

    /// The same value without its first bytes, which are known.
    pub(super) fn skip(mut self, bytes: usize) -> Value {
        let parts = self.parts();
        parts.text = parts.text.get(bytes..).unwrap_or_default().to_owned();
        if let Some((at, _)) = &mut parts.hole {
            *at = at.saturating_sub(bytes);
        }
        self
    }

    /// Whether every byte is known.
    pub(super) fn is_known(&self) -> bool {
        self.0.hole.is_none()
    }

    /// Whether nothing is there, known and empty.
    pub(super) fn is_empty(&self) -> bool {
        self.0.text.is_empty() && self.0.hole.is_none()
    }

    /// The places that contributed.
    pub(super) fn via(&self) -> &[Via] {
        &self.0.via
    }

    /// Where the first byte stands, when that is not where it is used.
    pub(super) fn origin(&self) -> Option<&Location> {
        self.0.origin.as_ref()
    }

    /// Notes a place that contributed.
    pub(super) fn note(&mut self, via: Via) {
        if self.0.via.len() < MAX_VIA && !self.0.via.contains(&via) {
            self.parts().via.push(via);
        }
    }

    /// Appends text that stands where it is used.
    pub(super) fn push_str(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.0.text.len() + text.len() > MAX_VALUE_BYTES {
            self.open("a value longer than 64 KiB");
        } else {
            self.parts().text.push_str(text);
        }
    }

    /// Appends another value.
    pub(super) fn append(&mut self, other: &Value) {
        let bare = self.is_empty() && self.0.origin.is_none();
        if bare && self.0.via.is_empty() && other.text().len() <= MAX_VALUE_BYTES {
            *self = other.clone();
            return;
        }
        if self.is_empty() && other.0.origin.is_some() {
            self.parts().origin.clone_from(&other.0.origin);
        }
        if let (None, Some((at, reason))) = (&self.0.hole, &other.0.hole) {
            let at = self.0.text.len() + at;
            self.parts().hole = Some((at, reason.clone()));
        }
        for via in &other.0.via {
            if self.0.via.len() >= MAX_VIA {
                break;
            }
            self.note(via.clone());
        }
        self.push_str(&other.0.text);
    }

    /// The same value without what stands before and after a part of it.
    pub(super) fn part(&self, start: usize, end: usize) -> Value {
        let text = self.0.text.get(start..end).unwrap_or("").to_owned();
        let hole = self.0.hole.as_ref();
        let hole = hole.map(|(at, reason)| (at.saturating_sub(start).min(text.len()), reason.clone()));
        Value::of(Parts { text, hole, via: self.0.via.clone(), origin: self.0.origin.clone() })
    }

    /// Another text that was made of this one and comes from the same places.
    pub(super) fn rewritten(mut self, text: String) -> Value {
        let parts = self.parts();
        if let Some((at, _)) = &mut parts.hole {
            *at = (*at).min(text.len());
        }
        parts.text = text;
        self
    }

    /// The same value, where something is known to be missing at `at`.
    pub(super) fn opened(mut self, at: usize, reason: impl Into<String>) -> Value {
        if self.is_known() {
            self.parts().hole = Some((at, reason.into()));
        }
        self
    }

    /// The known text in front of anything that is not known.
    pub(super) fn beginning(&self) -> &str {
        match &self.0.hole {
            Some((at, _)) => self.0.text.get(..*at).unwrap_or(""),
            None => &self.0.text,
        }
    }

    /// Where in the text the first thing stands that is not known.
    pub(super) fn hole_at(&self) -> Option<usize> {
        self.0.hole.as_ref().map(|(at, _)| *at)
    }

    /// A part of the text, from the same places.
    pub(super) fn slice(&self, range: Range<usize>) -> Value {
        if range == (0..self.0.text.len()) {
            return self.clone();
        }
        let hole = self.0.hole.as_ref().filter(|(at, _)| (range.start..=range.end).contains(at));
        let mut part = Parts {
            text: self.0.text.get(range.clone()).unwrap_or("").to_owned(),
            hole: hole.map(|(at, reason)| (at - range.start, reason.clone())),
            via: self.0.via.clone(),
            origin: self.0.origin.clone(),
        };
        // Where the text stands as it is, so does the part.
        if let Some(origin) = &mut part.origin
            && origin.span.end - origin.span.start == self.0.text.len()
        {
            let whole = origin.clone();
            origin.span = Span::new(
                whole.span.start + range.start,
                whole.span.start + range.end.min(self.0.text.len()),
            );
            part.via.iter_mut().filter(|via| via.at == whole).for_each(|via| via.at = origin.clone());
        }
        Value::of(part)
    }

    fn open(&mut self, reason: &str) {
        if self.is_known() {
            let at = self.0.text.len();
            self.parts().hole = Some((at, reason.to_owned()));
        }
    }

    /// The image that the text stands for.
    pub(super) fn target(&self) -> Target {
        match &self.0.hole {
            Some((at, reason)) if !marker::has_marker(self.text()) => {
                open_target(self.text(), *at, reason.clone())
            }
            _ => literal_target(self.text()),
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
