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
        let (name_and_tag, digest) = match split_at_byte(remainder, b'@') {
            Some((before, digest)) => (before, Some(digest)),
            None => (remainder, None),
        };
        let last_segment = name_and_tag.bytes().rposition(|byte| byte == b'/').map_or(0, |slash| slash + 1);
        let (repository, tag) = match split_at_byte(&name_and_tag[last_segment..], b':') {
            Some((last, tag)) => (&name_and_tag[..last_segment + last.len()], Some(tag)),
            None => (name_and_tag, None),
        };
        if has_uppercase(repository) {
            return Err(RefError::Uppercase { lowercased: repository.to_lowercase() });
        }
        let repository = match registry {
            DEFAULT_REGISTRY if !repository.as_bytes().contains(&b'/') => ["library/", repository].concat(),
            _ => repository.to_owned(),
        };
        // A domain the grammar refuses may still match as a path component
        // (`my_host.com/x`): upstream then has no domain, and a runtime contacts
        // the first component all the same, so it stays the registry here.
        let has_domain = registry == DEFAULT_REGISTRY || is_domain(registry);
        if !(has_domain || is_component(registry.as_bytes()))
            || !repository.as_bytes().split(|byte| *byte == b'/').all(is_component)
        {
            return Err(RefError::Name(text.to_owned()));
        }
        let path_bytes = repository.len() + if has_domain { 0 } else { registry.len() + 1 };
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

/// `split_once`, for texts so short that a search would cost more to set up than to make.
fn split_at_byte(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|other| other == byte)?;
    Some((&text[..at], &text[at + 1..]))
}

/// `splitDockerDomain` of distribution/reference, without the `library/` prefix.
fn split_registry(text: &str) -> (&str, &str) {
    match split_at_byte(text, b'/') {
        Some((LEGACY_DEFAULT_REGISTRY, rest)) => (DEFAULT_REGISTRY, rest),
        Some((first, rest))
            if first == "localhost"
                || first.bytes().any(|byte| matches!(byte, b'.' | b':'))
                || has_uppercase(first) =>
        {
            (first, rest)
        }
        _ => (DEFAULT_REGISTRY, text),
    }
}

fn has_uppercase(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii())
        && text.chars().any(char::is_uppercase)
}

fn is_domain(text: &str) -> bool {
    let text = text.as_bytes();
    let host = match text.iter().rposition(|byte| *byte == b':') {
        Some(colon) if !text.ends_with(b"]") => {
            let port = &text[colon + 1..];
            if port.is_empty() || !port.iter().all(u8::is_ascii_digit) {
                return false;
            }
            &text[..colon]
        }
        _ => text,
    };
    match host.strip_prefix(b"[") {
        Some(rest) => rest.strip_suffix(b"]").is_some_and(|address| {
            !address.is_empty() && address.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b':')
        }),
        None => host.split(|byte| *byte == b'.').all(|label| {
            !label.is_empty()
                && !label.starts_with(b"-")
                && !label.ends_with(b"-")
                && label.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        }),
    }
}

/// `component := alnum { separator alnum }`
fn is_component(bytes: &[u8]) -> bool {
    let alnum = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use proptest::prelude::*;

    use super::*;

    const HEX: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";

    #[track_caller]
    fn parts(text: &str, registry: &str, repository: &str, tag: Option<&str>) {
        let image = ImageRef::parse(text).unwrap();
        assert_eq!(
            (image.registry.as_str(), image.repository.as_str(), image.tag.as_deref()),
            (registry, repository, tag),
            "{text}"
        );
    }

    #[track_caller]
    fn refused(text: &str) {
        assert!(ImageRef::parse(text).is_err(), "{text}");
    }

    /// extraction.md, "Reference normalisation"; distribution/reference, normalize_test.go.
    #[test]
    fn normalises_names() {
        for text in ["busybox", "docker.io/busybox", "index.docker.io/busybox", "docker.io/library/busybox"] {
            parts(text, "docker.io", "library/busybox", None);
        }
        parts("library/foo/bar", "docker.io", "library/foo/bar", None);
        parts("registry-1.docker.io/library/x", "registry-1.docker.io", "library/x", None);
        parts("registry.hub.docker.com/library/x", "registry.hub.docker.com", "library/x", None);
        parts("localhost", "docker.io", "library/localhost", None);
        parts("localhost:5000", "docker.io", "library/localhost", Some("5000"));
        parts("localhost/foo", "localhost", "foo", None);
        parts("localhost:5000/x", "localhost:5000", "x", None);
        parts("test.com:5000", "docker.io", "library/test.com", Some("5000"));
        parts("192.168.1.1", "docker.io", "library/192.168.1.1", None);
        parts("192.168.1.1:5000/repo:5050", "192.168.1.1:5000", "repo", Some("5050"));
        parts("test_com/foo", "docker.io", "test_com/foo", None);
        parts("Foo/bar", "Foo", "bar", None);
        parts("DOCKER.IO/a", "DOCKER.IO", "a", None);
        parts("repo:UPPER", "docker.io", "library/repo", Some("UPPER"));
        parts("[2001:db8::1]:5000/repo:tag", "[2001:db8::1]:5000", "repo", Some("tag"));
        parts("docker.io:443/library/nginx", "docker.io:443", "library/nginx", None);
        parts("docker.io.evil.com/library/nginx", "docker.io.evil.com", "library/nginx", None);
        parts("evil.com/docker.io/library/nginx", "evil.com", "docker.io/library/nginx", None);
        parts("dock__er/d", "docker.io", "dock__er/d", None);
        parts("a---b/c", "docker.io", "a---b/c", None);
        parts("amd64/alpine", "docker.io", "amd64/alpine", None);
    }

    /// distribution/reference, reference_test.go, TestReferenceParse.
    #[test]
    fn keeps_tags_and_digests() {
        parts("test:5000/repo:tag", "test:5000", "repo", Some("tag"));
        parts(
            "b.gcr.io/test.example.com/my-app:test.example.com",
            "b.gcr.io",
            "test.example.com/my-app",
            Some("test.example.com"),
        );
        parts("xn--n3h.com/myimage:xn--n3h.com", "xn--n3h.com", "myimage", Some("xn--n3h.com"));
        parts("foo/foo_bar.com:8080", "docker.io", "foo/foo_bar.com", Some("8080"));
        parts("foo_bar.com:8080", "docker.io", "library/foo_bar.com", Some("8080"));
        parts(&format!("x:1@sha256:{HEX}"), "docker.io", "library/x", Some("1"));
        let both = ImageRef::parse(&format!("test:5000/repo:tag@sha256:{HEX}")).unwrap();
        assert_eq!(both.digest.unwrap().as_str(), format!("sha256:{HEX}"));
        parts(&format!("example.com/{}:tag", "a".repeat(255)), "example.com", &"a".repeat(255), Some("tag"));
        parts(&format!("docker.io/{HEX}"), "docker.io", &format!("library/{HEX}"), None);
    }

    /// A first component with a dot that is no domain: upstream has no domain
    /// there, a runtime contacts it all the same.
    #[test]
    fn an_odd_host_is_still_the_registry() {
        parts("my_host.com/x", "my_host.com", "x", None);
    }

    #[test]
    fn refuses_what_upstream_refuses() {
        for text in [
            "",
            ":justtag",
            "@",
            "foo:",
            "foo/",
            "foo@",
            "-foo/bar",
            "docker///x",
            "dock..er/d",
            "____/x",
            "docker/Docker",
            "Uppercase:tag",
            "ghcr.io/A/b",
            "test:5000/Uppercase/lowercase:tag",
            "aa/asdf$$^/aa",
            "[2001:db8::1]",
            "[2001:db8::1]:5000",
            "[2001:db8::1]:tag",
            "[fc00::1]",
            "fc00::1:5000/x",
            "[fe80::1%eth0]:5000/repo",
            "[fe80::1%@invalidzone]:5000/repo",
            "foo@sha256:ffff",
            "a b",
            "a\n",
            "x:y:z",
            "a/b:5000/evil",
        ] {
            refused(text);
        }
        refused(HEX);
        refused(&format!("@sha256:{HEX}"));
        refused(&format!("validname@invaliddigest:{HEX}"));
        refused(&format!("repo@sha256:{}", HEX.to_uppercase()));
        refused(&format!("x:{}", "t".repeat(129)));
        refused(&format!("domain/{}:tag", "a".repeat(256)));
    }

    #[test]
    fn says_what_to_write_for_upper_case() {
        let error = ImageRef::parse("ghcr.io/Acme/App:1").unwrap_err();
        assert_eq!(error.to_string(), "repository names are lower case: write \"acme/app\"");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn normal_form_is_its_own(text in "([a-zA-Z0-9._-]{1,6}|localhost|docker.io|index.docker.io|library|:|/|@){1,8}") {
            if let Ok(image) = ImageRef::parse(&text) {
                prop_assert_eq!(ImageRef::parse(&image.to_string()).unwrap(), image);
            }
        }

        #[test]
        fn any_text_is_judged(text in "\\PC*") {
            let _ = ImageRef::parse(&text);
        }
    }
}
