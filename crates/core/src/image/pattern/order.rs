//! Which of two patterns is more specific, and whether they have an image in common.

use super::Glob;
use super::HostPattern;
use super::Pattern;

/// How specific a pattern is: greater is more specific. The fields are compared
/// in the order in which they stand (docs/policy.md, "Which source applies").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Specificity {
    digest: bool,
    /// 2 literal, 1 with `*`, 0 none.
    tag: u8,
    literal_host: bool,
    /// Literal path segments before the first wildcard.
    literal_segments: usize,
    /// 2 no wildcard, 1 `*`, 0 `/**`.
    path: u8,
    /// Characters that are no wildcard, in host, path and tag.
    literal_characters: usize,
}

impl Pattern {
    /// How specific the pattern is.
    #[must_use]
    pub fn specificity(&self) -> Specificity {
        let literal = |glob: &Glob| glob.as_str().bytes().filter(|byte| *byte != b'*').count();
        Specificity {
            digest: self.digest.is_some(),
            tag: match &self.tag {
                None => 0,
                Some(glob) if glob.is_literal() => 2,
                Some(_) => 1,
            },
            literal_host: !self.host.subdomains,
            literal_segments: self.literal_prefix().len(),
            path: match (self.deep, self.segments.iter().all(Glob::is_literal)) {
                (true, _) => 0,
                (false, false) => 1,
                (false, true) => 2,
            },
            literal_characters: self.host.name.len()
                + self.segments.iter().map(literal).sum::<usize>()
                + self.tag.as_ref().map_or(0, literal),
        }
    }

    /// The path segments before the first one with a `*`.
    #[must_use]
    pub fn literal_prefix(&self) -> &[Glob] {
        let end = self.segments.iter().position(|glob| !glob.is_literal()).unwrap_or(self.segments.len());
        &self.segments[..end]
    }

    /// Whether some image is covered by both.
    #[must_use]
    pub fn overlaps(&self, other: &Pattern) -> bool {
        let digests = match (&self.digest, &other.digest) {
            (Some(one), Some(two)) => one == two,
            _ => true,
        };
        let tags = match (&self.tag, &other.tag) {
            (Some(one), Some(two)) => one.overlaps(two),
            _ => true,
        };
        digests && tags && self.host.overlaps(&other.host) && self.paths_overlap(other)
    }

    fn paths_overlap(&self, other: &Pattern) -> bool {
        let (short, long) =
            if self.segments.len() <= other.segments.len() { (self, other) } else { (other, self) };
        let lengths =
            if short.segments.len() == long.segments.len() { short.deep == long.deep } else { short.deep };
        lengths && short.segments.iter().zip(&long.segments).all(|(one, two)| one.overlaps(two))
    }
}

impl HostPattern {
    fn overlaps(&self, other: &HostPattern) -> bool {
        match (self.subdomains, other.subdomains) {
            (_, false) => self.covers(&other.name),
            (false, true) => other.covers(&self.name),
            (true, true) => self.name == other.name || self.covers(&other.name) || other.covers(&self.name),
        }
    }
}

impl Glob {
    /// Whether some text is matched by both. Two globs with a `*` share one exactly
    /// when what stands before the first `*` and after the last one agree as far as
    /// both go: the longer of each, with everything else in between, is matched by both.
    fn overlaps(&self, other: &Glob) -> bool {
        let (one, two) = (self.as_str(), other.as_str());
        match (one.split_once('*'), two.split_once('*')) {
            (None, None) => one == two,
            (None, Some(_)) => other.matches(one),
            (Some(_), None) => self.matches(two),
            (Some((begin, rest)), Some((other_begin, other_rest))) => {
                let end = rest.rsplit('*').next().unwrap_or(rest);
                let other_end = other_rest.rsplit('*').next().unwrap_or(other_rest);
                (begin.starts_with(other_begin) || other_begin.starts_with(begin))
                    && (end.ends_with(other_end) || other_end.ends_with(end))
            }
        }
    }
}
