//! Text and where it stands: paths inside a repository, file contents with
//! positions, and what could not be read. Knows nothing of images or policy.

mod content;
mod mapped;
mod path;
mod problem;
mod span;
mod tree;

pub use content::{Content, MAX_FILE_BYTES, Unreadable};
pub use mapped::Mapped;
pub use path::RepoPath;
pub use problem::{Problem, ProblemCode};
pub use span::{Location, Position, SourceFile, Span};
pub use tree::Tree;
