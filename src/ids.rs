//! Names for the things GitHub numbers and hashes, so that none is taken for another.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(
    /// The installation of the App on an account.
    InstallationId
);
number!(
    /// A repository, for ever, whatever it is renamed to.
    RepositoryId
);
number!(
    /// A pull request's number in its repository.
    PullNumber
);
number!(
    /// A check run.
    CheckRunId
);
number!(
    /// An issue comment.
    CommentId
);

/// A commit's full SHA, 40 (or 64) lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sha(pub String);

impl fmt::Display for Sha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `owner/name` of a repository at the time of an event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RepositoryName {
    /// The account.
    pub owner: String,
    /// The name below it.
    pub name: String,
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

/// A repository as a job knows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RepositoryPlace {
    /// Who lets us in.
    pub installation: InstallationId,
    /// Which repository.
    pub id: RepositoryId,
    /// What it is called.
    pub name: RepositoryName,
}
