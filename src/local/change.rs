//! Two ends of a change on this machine: a commit and the working tree.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

use fromguard_core::scan::Scanned;
use fromguard_core::source::Content;
use fromguard_core::source::RepoPath;
use fromguard_core::source::Unreadable;
use gix::objs::tree::EntryKind;

use crate::local::LocalError;
use crate::local::Repository;
use crate::local::WorkingTree;
use crate::local::git::CommitFiles;
use crate::local::scan;

/// What a working tree changes since it left a revision.
pub struct Change {
    /// What the working tree holds.
    pub head: Scanned,
    /// What the merge base holds.
    pub base: Scanned,
    /// The files that were read at either end and differ.
    pub touched: BTreeSet<RepoPath>,
    /// `file` at the tip of the revision, which may be newer than the merge base.
    pub file_at_tip: Content,
    /// `file` in the working tree.
    pub file_at_head: Content,
}

impl Change {
    /// Compares a working tree with the merge base of `revision` and `HEAD`, as
    /// a pull request is, and reads one more file that is not scanned.
    ///
    /// # Errors
    /// When the tree is in no git repository, the revision names no commit, or
    /// the repository cannot be read.
    pub fn read(
        path: &Path,
        tree: &WorkingTree,
        revision: &str,
        file: &RepoPath,
    ) -> Result<Change, LocalError> {
        let repository =
            Repository::discover(path)?.ok_or_else(|| LocalError::NoRepository(path.to_owned()))?;
        let prefix: PathBuf =
            tree.root().strip_prefix(repository.root()).map(Path::to_owned).unwrap_or_default();
        let tip = repository.commit(revision)?;
        let base = repository.merge_base(revision)?;
        let tip_files = tip.files(&prefix)?;
        let base_files = base.files(&prefix)?;
        let mut compared: BTreeMap<RepoPath, bool> = BTreeMap::new();
        let mut compare = |path: &RepoPath, content: &Content| {
            compared.insert(path.clone(), differs(&repository, tree, &base_files, path, content));
        };
        let head = tree.scan_with(&mut compare);
        let file_at_head = tree.read(file);
        compare(file, &file_at_head);
        let mut read_base = |path: &RepoPath| {
            // What the head did not read is gone from it, or no longer asked for.
            if !compared.contains_key(path) {
                let differs = differs(&repository, tree, &base_files, path, &tree.read(path));
                compared.insert(path.clone(), differs);
            }
            base_files.read(path)
        };
        let base = scan(base_files.claimed().cloned(), |paths| paths.iter().map(&mut read_base).collect());
        let touched = compared.into_iter().filter_map(|(path, differs)| differs.then_some(path)).collect();
        Ok(Change { head, base, touched, file_at_tip: tip_files.read(file), file_at_head })
    }
}

/// Whether a file of the working tree is another than the commit's. What cannot
/// be told counts as different. Line endings that git converts on check-out make
/// a difference here.
fn differs(
    repository: &Repository,
    tree: &WorkingTree,
    base: &CommitFiles<'_>,
    path: &RepoPath,
    content: &Content,
) -> bool {
    let Some(entry) = base.entry(path) else { return *content != Content::Missing };
    let id = match (content, entry.kind) {
        (Content::Text(text), EntryKind::Blob | EntryKind::BlobExecutable) => {
            repository.blob_id(text.as_bytes())
        }
        (Content::Symlink(target), EntryKind::Link) => repository.blob_id(target.as_bytes()),
        (Content::Unreadable(Unreadable::Submodule), EntryKind::Commit) => return false,
        (Content::Unreadable(_), EntryKind::Blob | EntryKind::BlobExecutable) => {
            tree.bytes(path).and_then(|bytes| repository.blob_id(&bytes))
        }
        _ => None,
    };
    id != Some(entry.id)
}
