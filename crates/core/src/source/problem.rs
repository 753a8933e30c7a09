//! What was wrong with somebody's input, as data.

use crate::source::Location;

/// Something in a file that could hide an image source: the file or a part of
/// it could not be read. Policy treats each as the finding `unreadable`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where; an empty span at 0 when the whole file is meant.
    pub at: Location,
    /// What kind.
    pub code: ProblemCode,
    /// One sentence for people: what is wrong and what to do.
    pub message: String,
}

/// The kinds of [`Problem`], stable words in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemCode {
    /// The file as a whole cannot be scanned: encoding, size, link, submodule.
    Unreadable,
    /// The text breaks its format's grammar here; the rest was still scanned.
    Syntax,
    /// A limit of fromguard's stopped the reading.
    Limit,
    /// A frontend that fromguard does not know reads this file.
    ForeignFrontend,
}

impl ProblemCode {
    /// The word used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ProblemCode::Unreadable => "unreadable",
            ProblemCode::Syntax => "syntax",
            ProblemCode::Limit => "limit",
            ProblemCode::ForeignFrontend => "foreign-frontend",
        }
    }
}
