//! Why a signature proves nothing, which is said beside the fact.

/// Why a signature proves nothing, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unproven {
    /// It does not hold.
    Wrong(String),
    /// This version cannot tell.
    NotVerified(String),
}
