//! What GraphQL says of a path, and what of it can be scanned. `text` is believed
//! only when it is as long as the blob: GitHub shows a binary blob as none, cuts
//! text at 512,000 bytes, and may show other encodings as if they were UTF-8.

use fromguard_core::source::Content;
use fromguard_core::source::MAX_FILE_BYTES;
use fromguard_core::source::Unreadable;
use serde::Deserialize;

use crate::github::client::Call;
use crate::github::error::Error;
use crate::github::repository::Repository;
use crate::github::repository::repository_path;
use crate::ids::RepositoryName;

/// The file kind in git's mode, and its values: `git help fast-import`, "filemodify".
const KIND: u32 = 0o170_000;
const KIND_FILE: u32 = 0o100_000;
const KIND_SYMLINK: u32 = 0o120_000;
const KIND_SUBMODULE: u32 = 0o160_000;
const KIND_FOLDER: u32 = 0o040_000;

/// The media type that gives a blob's bytes instead of base64 in JSON.
/// <https://docs.github.com/en/rest/git/blobs#get-a-blob>
pub(super) const RAW: &str = "application/vnd.github.raw+json";

/// `fragment entry` of the queries.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    mode: u32,
    #[serde(default)]
    object: Option<Blob>,
}

/// Empty when the object is no blob.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Blob {
    #[serde(default)]
    oid: Option<String>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    is_truncated: bool,
    #[serde(default)]
    byte_size: u64,
}

/// What an entry says already, or which blob must be read whole.
#[derive(Debug, PartialEq, Eq)]
enum Known {
    Content(Content),
    Read { oid: String, size_bytes: u64 },
}

impl Entry {
    /// The blob of a regular file, if it is one.
    pub(super) fn file_blob(&self) -> Option<&str> {
        let blob = self.object.as_ref().filter(|_| self.mode & KIND == KIND_FILE);
        blob.and_then(|blob| blob.oid.as_deref())
    }

    fn known(self) -> Known {
        let failed = |reason: &str| {
            Known::Content(Content::Unreadable(Unreadable::Failed { reason: reason.to_owned() }))
        };
        let kind = self.mode & KIND;
        match kind {
            KIND_SUBMODULE => return Known::Content(Content::Unreadable(Unreadable::Submodule)),
            KIND_FOLDER => return Known::Content(Content::Missing),
            KIND_FILE | KIND_SYMLINK => {}
            other => return failed(&format!("GitHub shows it with the unknown file mode {other:o}")),
        }
        let Some(Blob { oid: Some(oid), text, is_truncated, byte_size }) = self.object else {
            return failed("GitHub shows no content for it");
        };
        let whole = text.filter(|text| !is_truncated && text.len() as u64 == byte_size);
        match whole {
            Some(target) if kind == KIND_SYMLINK => Known::Content(Content::Symlink(target)),
            _ if kind == KIND_SYMLINK => failed("it is a symbolic link whose target is not UTF-8 text"),
            Some(text) => Known::Content(Content::from_bytes(text.into_bytes())),
            None if byte_size > MAX_FILE_BYTES => {
                Known::Content(Content::Unreadable(Unreadable::TooLarge { size_bytes: byte_size }))
            }
            None => Known::Read { oid, size_bytes: byte_size },
        }
    }
}

/// The content at a path; no entry means that nothing stands there.
pub(super) async fn content(repository: &Repository, entry: Option<Entry>) -> Result<Content, Error> {
    content_of(repository, &repository.place().name, entry).await
}

/// The content at a path of the repository `holder`, read with the token of `repository`.
pub(super) async fn content_of(
    repository: &Repository,
    holder: &RepositoryName,
    entry: Option<Entry>,
) -> Result<Content, Error> {
    let (oid, size_bytes) = match entry.map(Entry::known) {
        None => return Ok(Content::Missing),
        Some(Known::Content(content)) => return Ok(content),
        Some(Known::Read { oid, size_bytes }) => (oid, size_bytes),
    };
    let path = repository_path(holder, &format!("/git/blobs/{oid}"));
    let limit = usize::try_from(MAX_FILE_BYTES).unwrap_or(usize::MAX);
    let call = Call { accept: Some(RAW), max_bytes: limit, ..Call::get("the blob", &path) };
    match repository.rest(call).await {
        Ok(answer) => Ok(Content::from_bytes(answer.body.to_vec())),
        Err(Error::TooLarge { .. }) => Ok(Content::Unreadable(Unreadable::TooLarge { size_bytes })),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(json: &str) -> Known {
        serde_json::from_str::<Entry>(json).expect("an entry").known()
    }

    fn blob(mode: u32, text: &str, truncated: bool, size: u64) -> String {
        format!(
            r#"{{"mode":{mode},"object":{{"oid":"b1","text":{text},"isBinary":false,"isTruncated":{truncated},"byteSize":{size}}}}}"#
        )
    }

    fn read(size_bytes: u64) -> Known {
        Known::Read { oid: "b1".into(), size_bytes }
    }

    #[test]
    fn text_is_believed_only_when_it_is_whole() {
        assert_eq!(
            known(&blob(33188, r#""FROM a""#, false, 6)),
            Known::Content(Content::Text("FROM a".into()))
        );
        assert_eq!(known(&blob(33261, r#""FROM a""#, true, 6)), read(6));
        assert_eq!(known(&blob(33188, "null", false, 6)), read(6));
        // Latin-1 shown as UTF-8: one byte became two.
        assert_eq!(known(&blob(33188, r#""é""#, false, 1)), read(1));
    }

    #[test]
    fn links_submodules_folders_and_giants_are_said() {
        assert_eq!(known(&blob(40960, r#""a/b""#, false, 3)), Known::Content(Content::Symlink("a/b".into())));
        let submodule = Known::Content(Content::Unreadable(Unreadable::Submodule));
        assert_eq!(known(r#"{"mode":57344,"object":null}"#), submodule);
        assert_eq!(known(r#"{"mode":16384,"object":{}}"#), Known::Content(Content::Missing));
        let giant = Unreadable::TooLarge { size_bytes: MAX_FILE_BYTES + 1 };
        assert_eq!(
            known(&blob(33188, "null", true, MAX_FILE_BYTES + 1)),
            Known::Content(Content::Unreadable(giant))
        );
    }

    #[test]
    fn what_is_not_understood_is_not_passed_over() {
        for json in [r#"{"mode":33188,"object":null}"#, r#"{"mode":33188,"object":{}}"#, r#"{"mode":7}"#] {
            let content = known(json);
            let failed = matches!(content, Known::Content(Content::Unreadable(Unreadable::Failed { .. })));
            assert!(failed, "{json}: {content:?}");
        }
    }
}
