//! Image references, the uses of them that a file makes, and the patterns that
//! policy matches them with. Knows no file format and no policy.

mod digest;
mod pattern;
mod reference;
mod usage;

pub use digest::{Digest, DigestError};
pub use pattern::{Glob, HostPattern, Pattern, PatternError, PatternMatch, Specificity};
pub(crate) use pattern::{LATEST, glob_matches};
pub use pattern::{is_docker_hub, normal_host};
pub use reference::{ImageRef, RefError};
pub use usage::{ImageUse, Partial, Role, Stage, Target, Via};
