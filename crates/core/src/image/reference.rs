//! Image references and their normal form.
//!
//! Grammar: `github.com/distribution/reference` v0.6.0, `regexp.go` and
//! `normalize.go`:
//!
//! ```text
//! reference := name [ ":" tag ] [ "@" digest ]
//! name      := [ domain "/" ] component { "/" component }
//! domain    := host [ ":" digits ]           host := names joined by "." | "[" IPv6 "]"
//! component := alnum { separator alnum }     separator := "." | "_" | "__" | "-"+
//! tag       := [A-Za-z0-9_] [A-Za-z0-9_.-]{0,127}
//! ```
//!
//! The first component is a domain when it is `localhost`, holds `.` or `:`, or
//! has an upper-case letter; everything else is on Docker Hub.

use std::fmt;

use thiserror::Error;

use crate::image::Digest;
use crate::image::DigestError;

/// The registry that a name without one means.
const DEFAULT_REGISTRY: &str = "docker.io";
/// The older name of the default registry, folded into it.
const LEGACY_DEFAULT_REGISTRY: &str = "index.docker.io";
/// `RepositoryNameTotalLengthMax` of distribution/reference, in bytes.
const MAX_REPOSITORY_BYTES: usize = 255;
/// The longest tag, in bytes.
const MAX_TAG_BYTES: usize = 128;

/// An image reference in normal form.
///
/// ```
/// # use fromguard_core::image::ImageRef;
/// let hub = ImageRef::parse("localhost:5000").unwrap();
/// assert_eq!(hub.to_string(), "docker.io/library/localhost:5000"); // a tag, not a port
/// let local = ImageRef::parse("localhost:5000/x").unwrap();
/// assert_eq!((local.registry.as_str(), local.tag), ("localhost:5000", None));
/// let trap = ImageRef::parse("evil.io/docker.io/library/node:24").unwrap();
/// assert_eq!(trap.registry, "evil.io");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageRef {
    /// Host and optional port, as written except that `index.docker.io` is `docker.io`.
    pub registry: String,
    /// Path on the registry, `library/` added for single names on Docker Hub.
    pub repository: String,
    /// The tag as written; nothing is invented when there is none.
    pub tag: Option<String>,
    /// The digest; it decides over the tag when both stand.
    pub digest: Option<Digest>,
}

/// Why a text is not an image reference.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RefError {
    /// Nothing stands there.
    #[error("an image reference cannot be empty")]
    Empty,
    /// 64 hex digits, which would be read as an image id.
    #[error("64 hex digits are an image id, not a repository name")]
    HexId,
    /// An upper-case letter in the repository path.
    #[error("repository names are lower case: write {lowercased:?}")]
    Uppercase {
        /// The repository in lower case.
        lowercased: String,
    },
    /// The repository path is over the grammar's limit.
    #[error("the repository name is {0} bytes long, the limit is {MAX_REPOSITORY_BYTES}")]
    TooLong(usize),
    /// The part after `:` is not a tag.
    #[error("{0:?} is not a tag (letters, digits, `_`, `.`, `-`, at most {MAX_TAG_BYTES})")]
    Tag(String),
    /// The part after `@` is not a digest.
    #[error("{0}")]
    Digest(#[from] DigestError),
    /// Anything else that the grammar refuses.
    #[error("{0:?} is not an image name")]
    Name(String),
}

impl ImageRef {
    /// Reads a reference as Docker does and puts it in normal form.
    ///
    /// # Errors
    /// When `distribution/reference`'s `ParseNormalizedNamed` refuses the text.
    pub fn parse(text: &str) -> Result<ImageRef, RefError> {
        if text.is_empty() {
            return Err(RefError::Empty);
        }
        if text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(RefError::HexId);
        }
        let (registry, remainder) = split_registry(text);
        let (name_and_tag, digest) = match remainder.split_once('@') {
            Some((before, digest)) => (before, Some(digest)),
            None => (remainder, None),
        };
        let last_segment = name_and_tag.rfind('/').map_or(0, |slash| slash + 1);
        let (repository, tag) = match name_and_tag[last_segment..].split_once(':') {
            Some((last, tag)) => (&name_and_tag[..last_segment + last.len()], Some(tag)),
            None => (name_and_tag, None),
        };
        if repository.chars().any(char::is_uppercase) {
            return Err(RefError::Uppercase { lowercased: repository.to_lowercase() });
        }
        let repository = match registry {
            DEFAULT_REGISTRY if !repository.contains('/') => format!("library/{repository}"),
            _ => repository.to_owned(),
        };
        // A domain the grammar refuses may still match as a path component
        // (`my_host.com/x`): upstream then has no domain, and a runtime contacts
        // the first component all the same, so it stays the registry here.
        if !(is_domain(registry) || is_component(registry)) || !repository.split('/').all(is_component) {
            return Err(RefError::Name(text.to_owned()));
        }
        let path_bytes = repository.len() + if is_domain(registry) { 0 } else { registry.len() + 1 };
        if path_bytes > MAX_REPOSITORY_BYTES {
            return Err(RefError::TooLong(path_bytes));
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(RefError::Tag(tag.to_owned()));
        }
        Ok(ImageRef {
            registry: registry.to_owned(),
            repository,
            tag: tag.map(str::to_owned),
            digest: digest.map(Digest::parse).transpose()?,
        })
    }

    /// Registry and repository, without tag and digest: `docker.io/library/node`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// `splitDockerDomain` of distribution/reference, without the `library/` prefix.
fn split_registry(text: &str) -> (&str, &str) {
    match text.split_once('/') {
        Some((LEGACY_DEFAULT_REGISTRY, rest)) => (DEFAULT_REGISTRY, rest),
        Some((first, rest))
            if first == "localhost"
                || first.contains(['.', ':'])
                || first.chars().any(char::is_uppercase) =>
        {
            (first, rest)
        }
        _ => (DEFAULT_REGISTRY, text),
    }
}

fn is_domain(text: &str) -> bool {
    let host = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
                return false;
            }
            host
        }
        _ => text,
    };
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|address| {
            !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':')
        }),
        None => host.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        }),
    }
}

/// `component := alnum { separator alnum }`
fn is_component(text: &str) -> bool {
    let alnum = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        let start = at;
        while at < bytes.len() && alnum(bytes[at]) {
            at += 1;
        }
        if at == start {
            return false;
        }
        if at == bytes.len() {
            return true;
        }
        let separator = at;
        while at < bytes.len() && !alnum(bytes[at]) {
            at += 1;
        }
        match &bytes[separator..at] {
            b"." | b"_" | b"__" => {}
            dashes if dashes.iter().all(|byte| *byte == b'-') => {}
            _ => return false,
        }
    }
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= MAX_TAG_BYTES
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|byte| word(byte) || matches!(byte, b'.' | b'-'))
}
