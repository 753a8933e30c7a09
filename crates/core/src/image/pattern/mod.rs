//! Image patterns of the policy language: what one covers, and whether it
//! covers too much. Reading one is in `parse`, which of two is more specific in
//! `order`, what is known of registries in `hosts`.
//!
//! ```text
//! pattern := host "/" path [ ":" tag | "@" digest ]
//! host    := ["*."] domain [ ":" port ]
//! path    := segment { "/" segment } [ "/**" ] | "**"
//! segment := a path component in which "*" stands for zero or more characters
//! tag     := a tag in which "*" stands for zero or more characters
//! ```

mod hosts;
mod order;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

use thiserror::Error;

use crate::image::Digest;
use crate::image::ImageRef;

pub use hosts::{is_docker_hub, normal_host};
pub use order::Specificity;

/// A checked pattern.
///
/// ```
/// # use fromguard_core::image::{ImageRef, Pattern};
/// let pattern = Pattern::parse("registry.example.com/approved-base/**").unwrap();
/// let covered = |text| pattern.covers_name(&ImageRef::parse(text).unwrap());
/// assert!(!covered("registry.example.com.evil.io/approved-base/x"));
/// assert!(!covered("evil.io/registry.example.com/approved-base/x"));
/// assert!(!covered("registry.example.com/approved-base")); // one segment or more
/// assert!(covered("REGISTRY.example.com:443/approved-base/a/b"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern {
    host: HostPattern,
    segments: Vec<Glob>,
    /// Ends in `/**`.
    deep: bool,
    /// `None` when every tag is meant.
    tag: Option<Glob>,
    digest: Option<Digest>,
}

/// The host of a pattern, in normal form.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPattern {
    /// `*.` stood before it: its subdomains are meant, never itself.
    pub subdomains: bool,
    /// The domain and a port that is not 443.
    pub name: String,
}

/// A text in which `*` stands for zero or more characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Glob {
    text: String,
}

/// Why a text is not a pattern, with what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct PatternError {
    /// What is wrong.
    pub message: String,
    /// What to write instead, as an instruction, when that is known.
    pub help: Option<String>,
}

/// Whether a pattern covers something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternMatch {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// That depends on something unknown.
    Unsure,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// When it is ambiguous, could never match, or is no pattern; the error
    /// says what to write.
    pub fn parse(text: &str) -> Result<Pattern, PatternError> {
        parse::parse(text)
    }

    /// Its host.
    #[must_use]
    pub fn host(&self) -> &HostPattern {
        &self.host
    }

    /// Its path, without a final `**`.
    #[must_use]
    pub fn segments(&self) -> &[Glob] {
        &self.segments
    }

    /// Whether it ends in `/**`: one more segment, or several.
    #[must_use]
    pub fn is_deep(&self) -> bool {
        self.deep
    }

    /// Its tag, unless every tag is meant.
    #[must_use]
    pub fn tag(&self) -> Option<&Glob> {
        self.tag.as_ref()
    }

    /// Its digest.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Its path as it is written, a final `**` included.
    #[must_use]
    pub fn path_text(&self) -> String {
        let mut path = self.segments.iter().map(Glob::as_str).collect::<Vec<_>>();
        if self.deep {
            path.push("**");
        }
        path.join("/")
    }

    /// Whether it says nothing of tag and digest.
    #[must_use]
    pub fn is_name_only(&self) -> bool {
        self.tag.is_none() && self.digest.is_none()
    }

    /// Whether host and path cover those of `image`, tag and digest aside. Hosts
    /// are compared in normal form ([`normal_host`]).
    #[must_use]
    pub fn covers_name(&self, image: &ImageRef) -> bool {
        let mut path = image.repository.split('/');
        self.host.covers(&normal_host(&image.registry))
            && self.segments.iter().all(|glob| path.next().is_some_and(|segment| glob.matches(segment)))
            && path.next().is_some() == self.deep
    }

    /// Whether tag and digest are trusted, for an image whose name is covered.
    ///
    /// With a digest beside it a runtime ignores the tag, so that a tag pattern
    /// then depends on what the registry says. `open` says that the tag or, when
    /// there is a tag, the digest is not known.
    #[must_use]
    pub fn trusts_version(&self, image: &ImageRef, open: bool) -> PatternMatch {
        if let Some(digest) = &self.digest {
            return match &image.digest {
                Some(other) if other == digest => PatternMatch::Yes,
                Some(_) => PatternMatch::No,
                None if open => PatternMatch::Unsure,
                None => PatternMatch::No,
            };
        }
        let Some(glob) = &self.tag else { return PatternMatch::Yes };
        match (&image.tag, &image.digest) {
            (Some(tag), _) if !glob.matches(tag) => PatternMatch::No,
            (Some(_), Some(_)) => PatternMatch::Unsure,
            (Some(_), None) if open => PatternMatch::Unsure,
            (Some(_), None) => PatternMatch::Yes,
            (None, Some(_)) => PatternMatch::No,
            (None, None) if open => PatternMatch::Unsure,
            (None, None) if glob.matches(LATEST) => PatternMatch::Yes,
            (None, None) => PatternMatch::No,
        }
    }

    /// Whether tag and digest are blocked, for an image whose name is covered:
    /// the written tag counts whatever the digest, and what could be the blocked
    /// tag or digest is unsure.
    #[must_use]
    pub fn blocks_version(&self, image: &ImageRef, open: bool) -> PatternMatch {
        if let Some(digest) = &self.digest {
            return match &image.digest {
                Some(other) if other == digest => PatternMatch::Yes,
                Some(_) => PatternMatch::No,
                None => PatternMatch::Unsure,
            };
        }
        let Some(glob) = &self.tag else { return PatternMatch::Yes };
        let tag = match (&image.tag, &image.digest) {
            (Some(tag), _) => tag,
            (None, Some(_)) => return PatternMatch::Unsure,
            (None, None) if open => return PatternMatch::Unsure,
            (None, None) => LATEST,
        };
        if glob.matches(tag) { PatternMatch::Yes } else { PatternMatch::No }
    }

    /// Why the pattern trusts people that nobody named: on a registry that
    /// everybody can push to the owner must be written out, and where the tenant
    /// is in the host name the host must be.
    ///
    /// # Errors
    /// The error says what to write.
    pub fn check_not_broad(&self) -> Result<(), PatternError> {
        hosts::check_not_broad(self)
    }

    /// The same pattern on another host, for hosts that are the same registry.
    #[must_use]
    pub fn with_host(&self, name: &str) -> Pattern {
        let host = HostPattern { subdomains: self.host.subdomains, name: name.to_owned() };
        Pattern { host, ..self.clone() }
    }
}

/// The tag that neither tag nor digest means.
pub(crate) const LATEST: &str = "latest";

impl HostPattern {
    /// Whether it covers a host in normal form.
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        if !self.subdomains {
            return host == self.name;
        }
        host.strip_suffix(self.name.as_str())
            .and_then(|before| before.strip_suffix('.'))
            .is_some_and(|subdomain| !subdomain.is_empty())
    }
}

impl Glob {
    fn new(text: &str) -> Glob {
        Glob { text: text.to_owned() }
    }

    /// The text with its `*`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it holds no `*`.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        !self.text.contains('*')
    }

    /// A glob for tags, as in `forbid-tags`.
    ///
    /// # Errors
    /// When no tag could match it.
    pub fn of_tag(text: &str) -> Result<Glob, PatternError> {
        match parse::check_tag_glob(text) {
            Ok(()) => Ok(Glob::new(text)),
            Err(message) => Err(PatternError { message, help: None }),
        }
    }

    /// Whether it matches the whole of `text`.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        glob_matches(&self.text, text)
    }
}

/// Whether `glob`, in which `*` is zero or more characters, matches all of
/// `text`. Goes back to the last `*` only, so at worst it is the product of both
/// lengths, each of which the grammar bounds.
pub(crate) fn glob_matches(glob: &str, text: &str) -> bool {
    let (glob, text) = (glob.as_bytes(), text.as_bytes());
    let (mut g, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if g < glob.len() && glob[g] == b'*' {
            star = Some((g + 1, t));
            g += 1;
        } else if g < glob.len() && glob[g] == text[t] {
            g += 1;
            t += 1;
        } else if let Some((after, from)) = star {
            star = Some((after, from + 1));
            g = after;
            t = from + 1;
        } else {
            return false;
        }
    }
    glob[g..].iter().all(|byte| *byte == b'*')
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.subdomains {
            f.write_str("*.")?;
        }
        f.write_str(&self.host.name)?;
        for segment in &self.segments {
            write!(f, "/{segment}")?;
        }
        if self.deep {
            f.write_str("/**")?;
        }
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}
