//! Why evidence could not be had. None of these says anything about the image:
//! an error is never "unverified", "unsigned" or "does not exist".

use thiserror::Error;

use crate::clock::TimestampMs;

/// Why a request has no answer, for people after "could not be had:".
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// The guard lets no request out to there: which host, and why.
    #[error("not contacted: {0}")]
    NotContacted(String),
    /// There is no such thing, or it is hidden from who asked.
    #[error("the registry does not have it, or does not show it")]
    NotFound,
    /// Who asked may not know.
    #[error("the registry refuses access")]
    Denied,
    /// The registry was asked too often; until when it is left alone.
    #[error("the registry's rate limit is reached")]
    Limited {
        /// When it may be asked again.
        until_ms: TimestampMs,
    },
    /// No connection, or one that broke.
    #[error("the registry cannot be reached: {0}")]
    Unreachable(String),
    /// It took too long.
    #[error("the registry did not answer in time")]
    TimedOut,
    /// The answer is larger than what is read.
    #[error("the registry's answer is larger than {limit_bytes} bytes")]
    TooLarge {
        /// What is read.
        limit_bytes: usize,
    },
    /// An answer that no registry should give.
    #[error("the registry's answer cannot be used: {0}")]
    Malformed(String),
}
