//! A git repository on disk: its tracked paths, and the trees of its commits.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use fromguard_core::formats;
use fromguard_core::source::Content;
use fromguard_core::source::MAX_FILE_BYTES;
use fromguard_core::source::RepoPath;
use fromguard_core::source::Unreadable;
use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::objs::tree::EntryKind;

use crate::local::LocalError;

/// A git repository.
pub struct Repository {
    inner: gix::Repository,
    /// The root of the working tree, canonical; of a bare one its folder.
    root: PathBuf,
}

/// What the index says of a path.
pub(super) struct Tracked {
    /// Relative to the root of the working tree.
    pub(super) path: PathBuf,
    /// Whether it is another repository.
    pub(super) submodule: bool,
}

impl Repository {
    /// The repository that `path` belongs to; `None` when there is none, or none
    /// with a working tree.
    ///
    /// # Errors
    /// When there is one and it cannot be opened.
    pub fn discover(path: &Path) -> Result<Option<Repository>, LocalError> {
        let broken = |reason: String| LocalError::BrokenRepository { path: path.to_owned(), reason };
        let absolute = path.canonicalize().map_err(|error| broken(error.to_string()))?;
        if !absolute.ancestors().any(|folder| folder.join(".git").exists()) {
            return Ok(None);
        }
        let inner = gix::discover(&absolute).map_err(|error| broken(error.to_string()))?;
        let Some(root) = inner.workdir() else { return Ok(None) };
        let root = root.canonicalize().map_err(|error| broken(error.to_string()))?;
        Ok(Some(Repository { inner, root }))
    }

    /// The repository at `path` or above it, bare or with a working tree.
    ///
    /// # Errors
    /// When there is none, or it cannot be opened.
    pub fn open(path: &Path) -> Result<Repository, LocalError> {
        let broken = |reason: String| LocalError::BrokenRepository { path: path.to_owned(), reason };
        if !path.exists() {
            return Err(LocalError::NoSuchPath(path.to_owned()));
        }
        if !path.is_dir() {
            return Err(broken("it is a file; name the folder of the repository".to_owned()));
        }
        let absolute = path.canonicalize().map_err(|error| broken(error.to_string()))?;
        // A bare one has no `.git`, and every one has a HEAD.
        let marked = |folder: &Path| folder.join(".git").exists() || folder.join("HEAD").exists();
        if !absolute.ancestors().any(marked) {
            return Err(LocalError::NotInRepository(path.to_owned()));
        }
        let inner = gix::discover(&absolute).map_err(|error| broken(error.to_string()))?;
        let root = inner.workdir().unwrap_or_else(|| inner.git_dir());
        let root = root.canonicalize().map_err(|error| broken(error.to_string()))?;
        Ok(Repository { inner, root })
    }

    /// The root of the working tree, of a bare repository its folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Every path in the index; nothing before the first `git add`.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub(super) fn tracked(&self) -> Result<Vec<Tracked>, LocalError> {
        let index = self.inner.index_or_empty().map_err(|error| LocalError::BrokenRepository {
            path: self.root.clone(),
            reason: error.to_string(),
        })?;
        Ok(index
            .entries()
            .iter()
            .filter_map(|entry| {
                let path = gix::path::from_bstr(entry.path(&index)).ok()?;
                let submodule = entry.mode == gix::index::entry::Mode::COMMIT;
                Some(Tracked { path: path.into_owned(), submodule })
            })
            .collect())
    }

    /// The commit that a revision names, as `git rev-parse REV^{commit}` reads it.
    ///
    /// # Errors
    /// When there is no such commit.
    pub fn commit(&self, revision: &str) -> Result<Commit<'_>, LocalError> {
        let unknown = || LocalError::NoSuchRevision { revision: revision.to_owned() };
        let id = self.inner.rev_parse_single(revision).map_err(|_| unknown())?;
        let commit = id.object().and_then(gix::Object::peel_to_commit).map_err(|_| unknown())?;
        Ok(Commit { repository: self, id: commit.id })
    }

    /// The best common ancestor of a commit and `HEAD`: where the change begins.
    ///
    /// # Errors
    /// When they have none, or the history cannot be read.
    pub fn merge_base(&self, revision: &str) -> Result<Commit<'_>, LocalError> {
        let (base, head) = (self.commit(revision)?, self.commit("HEAD")?);
        let found = self.inner.merge_base(base.id, head.id);
        match found.map_err(|error| LocalError::Damaged(error.to_string()))? {
            Some(id) => Ok(Commit { repository: self, id: id.detach() }),
            None => Err(LocalError::NoMergeBase { revision: revision.to_owned() }),
        }
    }

    /// The id that git gives to these bytes as a file or a link.
    pub(super) fn blob_id(&self, bytes: &[u8]) -> Option<ObjectId> {
        gix::objs::compute_hash(self.inner.object_hash(), gix::objs::Kind::Blob, bytes).ok()
    }
}

/// A commit and the files in it.
pub struct Commit<'a> {
    repository: &'a Repository,
    id: ObjectId,
}

impl Commit<'_> {
    /// The commit's full SHA.
    #[must_use]
    pub fn sha(&self) -> String {
        self.id.to_string()
    }

    /// The text of a file, `None` when there is no text at that path.
    ///
    /// # Errors
    /// When a tree of the commit cannot be read.
    pub fn text(&self, path: &RepoPath) -> Result<Option<Arc<str>>, LocalError> {
        match self.files(Path::new(""))?.read(path) {
            Content::Text(text) => Ok(Some(text)),
            _ => Ok(None),
        }
    }

    /// The files under `prefix` (a path from the repository's root, empty for
    /// all of it), by their paths below it.
    ///
    /// # Errors
    /// When a tree of the commit cannot be read.
    pub(super) fn files(&self, prefix: &Path) -> Result<CommitFiles<'_>, LocalError> {
        let damaged = |error: gix::Error| LocalError::Damaged(error.to_string());
        let repository = self.repository;
        let root =
            repository.inner.find_object(self.id).and_then(gix::Object::peel_to_tree).map_err(damaged)?;
        let tree = match prefix.as_os_str().is_empty() {
            true => Some(root),
            false => match root.lookup_entry_by_path(prefix).map_err(damaged)? {
                Some(entry) if entry.mode().is_tree() => {
                    Some(entry.object().and_then(gix::Object::peel_to_tree).map_err(damaged)?)
                }
                _ => None,
            },
        };
        let mut entries = BTreeMap::new();
        if let Some(tree) = &tree {
            for entry in tree.traverse().breadthfirst.files().map_err(damaged)? {
                let path = RepoPath::new(&entry.filepath.to_str_lossy());
                if !entry.mode.is_tree() && formats::is_claimed(&path) {
                    entries.insert(path, Entry { kind: entry.mode.kind(), id: entry.oid });
                }
            }
        }
        Ok(CommitFiles { repository, tree, claimed: entries })
    }
}

/// One entry of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: EntryKind,
    pub(super) id: ObjectId,
}

/// The files of a commit under a folder.
pub(super) struct CommitFiles<'a> {
    repository: &'a Repository,
    tree: Option<gix::Tree<'a>>,
    /// Those that a format claims.
    claimed: BTreeMap<RepoPath, Entry>,
}

impl CommitFiles<'_> {
    /// The paths that a format claims.
    pub(super) fn claimed(&self) -> impl Iterator<Item = &RepoPath> {
        self.claimed.keys()
    }

    /// What stands at a path, whether a format claims it or not.
    pub(super) fn entry(&self, path: &RepoPath) -> Option<Entry> {
        if let Some(entry) = self.claimed.get(path) {
            return Some(*entry);
        }
        let entry = self.tree.as_ref()?.lookup_entry_by_path(path.as_str()).ok()??;
        let kind = entry.mode().kind();
        (kind != EntryKind::Tree).then(|| Entry { kind, id: entry.object_id() })
    }

    /// Reads a path.
    pub(super) fn read(&self, path: &RepoPath) -> Content {
        let Some(entry) = self.entry(path) else { return Content::Missing };
        if entry.kind == EntryKind::Commit {
            return Content::Unreadable(Unreadable::Submodule);
        }
        let failed =
            |error: gix::Error| Content::Unreadable(Unreadable::Failed { reason: error.to_string() });
        let size_bytes = match self.repository.inner.find_header(entry.id) {
            Ok(header) => header.size(),
            Err(error) => return failed(error),
        };
        if size_bytes > MAX_FILE_BYTES {
            return Content::Unreadable(Unreadable::TooLarge { size_bytes });
        }
        match self.repository.inner.find_blob(entry.id) {
            Err(error) => failed(error),
            Ok(mut blob) if entry.kind == EntryKind::Link => {
                Content::Symlink(String::from_utf8_lossy(&blob.take_data()).into_owned())
            }
            Ok(mut blob) => Content::from_bytes(blob.take_data()),
        }
    }
}
