//! What stands at a path: text, a link, or something that cannot be scanned.

use std::fmt;
use std::sync::Arc;

/// The largest file that is read, in bytes. A larger one is a problem, never
/// skipped in silence.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// What a side of a change holds at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A file of UTF-8 text, at most [`MAX_FILE_BYTES`] long.
    Text(Arc<str>),
    /// A symbolic link and its target as git stores it.
    Symlink(String),
    /// Nothing stands there.
    Missing,
    /// Something that could hide an image source and cannot be scanned.
    Unreadable(Unreadable),
}

impl Content {
    /// Classifies the bytes of a regular file: too large, a Git LFS pointer,
    /// binary, not UTF-8, or text.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Content {
        let size_bytes = bytes.len() as u64;
        if size_bytes > MAX_FILE_BYTES {
            return Content::Unreadable(Unreadable::TooLarge { size_bytes });
        }
        if bytes.starts_with(b"version https://git-lfs.github.com/spec/") {
            return Content::Unreadable(Unreadable::LfsPointer);
        }
        match String::from_utf8(bytes) {
            Ok(text) if text.contains('\0') => Content::Unreadable(Unreadable::Binary),
            Ok(text) => Content::Text(Arc::from(text)),
            Err(error) => Content::Unreadable(match memchr::memchr(0, error.as_bytes()) {
                Some(_) => Unreadable::Binary,
                None => Unreadable::NotUtf8 { offset: error.utf8_error().valid_up_to() },
            }),
        }
    }
}

/// Why a file that exists cannot be scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// The bytes are not UTF-8, from this byte offset on.
    NotUtf8 {
        /// First byte that is not UTF-8.
        offset: usize,
    },
    /// The file holds NUL bytes.
    Binary,
    /// The file is larger than [`MAX_FILE_BYTES`].
    TooLarge {
        /// Its size in bytes.
        size_bytes: u64,
    },
    /// A Git LFS pointer: the text is somewhere else.
    LfsPointer,
    /// A submodule: another repository's commit.
    Submodule,
    /// A symbolic link whose target lies outside the repository.
    LinkOutside {
        /// The target as written.
        target: String,
    },
    /// A symbolic link that leads nowhere: a loop, too many links, or a target
    /// that does not exist.
    LinkBroken {
        /// The target as written.
        target: String,
    },
    /// The file could not be read for a reason outside the repository.
    Failed {
        /// What happened, for people.
        reason: String,
    },
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::NotUtf8 { offset } => {
                write!(f, "not UTF-8 text (byte {offset} is the first that is not)")
            }
            Unreadable::Binary => f.write_str("a binary file (it holds NUL bytes)"),
            Unreadable::TooLarge { size_bytes } => {
                write!(f, "{size_bytes} bytes long, over the limit of {MAX_FILE_BYTES}")
            }
            Unreadable::LfsPointer => f.write_str("a Git LFS pointer, its text is not in the repository"),
            Unreadable::Submodule => f.write_str("a submodule, its text is in another repository"),
            Unreadable::LinkOutside { target } => {
                write!(f, "a symbolic link out of the repository (to {target:?})")
            }
            Unreadable::LinkBroken { target } => {
                write!(f, "a symbolic link that leads to no file (to {target:?})")
            }
            Unreadable::Failed { reason } => write!(f, "not readable: {reason}"),
        }
    }
}
