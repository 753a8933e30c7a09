//! Text and where it stands: paths inside a repository, file contents with
//! positions, and what could not be read. Knows nothing of images or policy.

mod content;
mod path;
mod problem;
mod span;

pub use content::{Content, MAX_FILE_BYTES, Unreadable};
pub use path::RepoPath;
pub use problem::{Problem, ProblemCode};
pub use span::{Location, Position, SourceFile, Span};
