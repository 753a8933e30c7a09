//! Image patterns of the policy language.

use thiserror::Error;

use crate::image::Target;

/// A checked pattern, such as `registry.example.com/approved-base/**`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

/// Why a text is not a pattern, with what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct PatternError {
    /// What is wrong.
    pub message: String,
    /// What to write instead, when that is known.
    pub instead: Option<String>,
}

/// Whether a pattern covers a target.
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
    /// When it is ambiguous or could never match.
    pub fn parse(text: &str) -> Result<Pattern, PatternError> {
        Ok(Pattern(text.to_owned()))
    }

    /// Whether this pattern covers `target`.
    #[must_use]
    pub fn matches(&self, target: &Target) -> PatternMatch {
        let _ = target;
        PatternMatch::No
    }
}
