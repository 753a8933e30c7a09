//! Content digests, `algorithm:hex`.
//!
//! Grammar: OCI image specification 1.1, "Descriptors", section "Digests";
//! checked as `github.com/opencontainers/go-digest` checks them.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;
use thiserror::Error;

/// A content digest of a registered algorithm, such as `sha256:` and 64 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DigestError {
    /// No `algorithm:hex` shape.
    #[error("a digest is an algorithm, a colon and hex digits, such as sha256:…")]
    Format,
    /// An algorithm that registries do not use.
    #[error("digest algorithm {0:?} is not one of sha256, sha384, sha512")]
    Algorithm(String),
    /// The wrong number of hex digits for the algorithm.
    #[error("a {algorithm} digest has {expected} hex digits, this one has {found}")]
    Length {
        /// The algorithm.
        algorithm: String,
        /// How many hex digits it has.
        expected: usize,
        /// How many stand there.
        found: usize,
    },
    /// Something other than `0`–`9` and `a`–`f`.
    #[error("a digest's hex digits are 0 to 9 and a to f, lower case")]
    Hex,
}

impl Digest {
    /// Reads `algorithm:hex`.
    ///
    /// # Errors
    /// When the algorithm is not sha256, sha384 or sha512, or the digits are not
    /// exactly as many lower-case hex digits as it has.
    pub fn parse(text: &str) -> Result<Digest, DigestError> {
        let (algorithm, hex) = text.split_once(':').ok_or(DigestError::Format)?;
        let expected = match algorithm {
            "sha256" => 64,
            "sha384" => 96,
            "sha512" => 128,
            "" => return Err(DigestError::Format),
            other => return Err(DigestError::Algorithm(other.to_owned())),
        };
        if hex.len() != expected {
            return Err(DigestError::Length { algorithm: algorithm.to_owned(), expected, found: hex.len() });
        }
        if !hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(DigestError::Hex);
        }
        Ok(Digest(text.to_owned()))
    }

    /// The digest as written, `algorithm:hex`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Digest, DigestError> {
        Digest::parse(&text)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_registered_algorithms_of_their_length() {
        for (algorithm, digits) in [("sha256", 64), ("sha384", 96), ("sha512", 128)] {
            let text = format!("{algorithm}:{}", "a".repeat(digits));
            assert_eq!(Digest::parse(&text).map(|digest| digest.to_string()), Ok(text));
            let short = Digest::parse(&format!("{algorithm}:{}", "a".repeat(digits - 1)));
            assert!(matches!(short, Err(DigestError::Length { found, .. }) if found == digits - 1));
        }
        assert_eq!(Digest::parse(&format!("sha256:{}", "A".repeat(64))), Err(DigestError::Hex));
        assert_eq!(Digest::parse("md5:00"), Err(DigestError::Algorithm("md5".to_owned())));
        assert_eq!(Digest::parse("sha256"), Err(DigestError::Format));
        assert_eq!(Digest::parse(":00"), Err(DigestError::Format));
    }
}
