//! Reading a local git repository: commits, trees, blobs, merge bases.
//!
//! Writes nothing but the merge commit of a merge queue's group, as an object that no
//! reference names: `rehearse` points the stand-in at a user's own repository. What is absent or cannot be read is `None`; refuses to know HTTP.

use std::collections::BTreeSet;
use std::path::Path;

use gix::ObjectId;
use gix::bstr::BStr;

use super::files;
use super::files::Files;

/// One opened repository. Opening is cheap, so each request opens its own.
pub(super) struct Git(gix::Repository);

/// A child of a tree, or a file reached by its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The path from the root of the tree that was asked.
    pub(super) path: String,
    /// Git's mode: `0o100644`, `0o100755`, `0o120000`, `0o040000`, `0o160000`.
    pub(super) mode: u16,
    /// The blob, tree or (of a submodule) commit.
    pub(super) oid: ObjectId,
}

impl Entry {
    /// The last part of the path.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Git's word for the object: `blob`, `tree`, `commit`.
    pub(super) fn kind(&self) -> &'static str {
        match self.mode {
            MODE_TREE => "tree",
            MODE_SUBMODULE => "commit",
            _ => "blob",
        }
    }
}

/// The mode of a folder.
pub(super) const MODE_TREE: u16 = 0o040_000;
/// The mode of a symbolic link.
pub(super) const MODE_SYMLINK: u16 = 0o120_000;
/// The mode of a submodule.
pub(super) const MODE_SUBMODULE: u16 = 0o160_000;

/// A commit, decoded.
#[derive(Debug, Clone)]
pub(super) struct Commit {
    pub(super) oid: ObjectId,
    pub(super) tree: ObjectId,
    pub(super) parents: Vec<ObjectId>,
    pub(super) message: String,
    pub(super) author: Person,
    pub(super) committer: Person,
}

/// Who wrote or made a commit, and when.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) at_s: i64,
}

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Blob,
    Tree,
    Commit,
    Tag,
}

impl Git {
    /// Opens a bare repository or a work tree's, without any of the user's or the machine's configuration.
    pub(super) fn open(path: &Path) -> Option<Git> {
        let options = gix::open::Options::isolated();
        gix::open_opts(path, options).ok().map(Git)
    }

    /// The commit that a revision as git spells it (`HEAD~1`, a branch, a SHA) names.
    pub(super) fn resolve(&self, revision: &str) -> Option<ObjectId> {
        let id = self.0.rev_parse_single(BStr::new(revision)).ok()?;
        Some(id.object().ok()?.peel_to_commit().ok()?.id)
    }

    /// The tip of a branch.
    pub(super) fn branch(&self, name: &str) -> Option<ObjectId> {
        let mut reference = self.0.try_find_reference(&format!("refs/heads/{name}")).ok()??;
        Some(reference.peel_to_commit().ok()?.id)
    }

    /// The branch that `HEAD` names.
    pub(super) fn head_branch(&self) -> Option<String> {
        let name = self.0.head_name().ok()??;
        Some(name.shorten().to_string())
    }

    /// What an object is, when it is there.
    pub(super) fn kind(&self, oid: ObjectId) -> Option<Kind> {
        Some(match self.0.find_header(oid).ok()?.kind() {
            gix::objs::Kind::Blob => Kind::Blob,
            gix::objs::Kind::Tree => Kind::Tree,
            gix::objs::Kind::Commit => Kind::Commit,
            gix::objs::Kind::Tag => Kind::Tag,
        })
    }

    /// A commit.
    pub(super) fn commit(&self, oid: ObjectId) -> Option<Commit> {
        let commit = self.0.find_commit(oid).ok()?;
        let decoded = commit.decode().ok()?;
        let author = decoded.author().ok()?;
        let committer = decoded.committer().ok()?;
        Some(Commit {
            oid,
            tree: decoded.tree(),
            parents: decoded.parents().collect(),
            message: decoded.message.to_string(),
            author: person(author),
            committer: person(committer),
        })
    }

    /// The direct children of a tree.
    pub(super) fn tree(&self, oid: ObjectId) -> Option<Vec<Entry>> {
        let tree = self.0.find_tree(oid).ok()?;
        let decoded = tree.decode().ok()?;
        let entries = decoded.entries.iter().map(|entry| Entry {
            path: entry.filename.to_string(),
            mode: entry.mode.value(),
            oid: entry.oid.to_owned(),
        });
        Some(entries.collect())
    }

    /// Everything below a tree, folders before what they hold, up to `limit` entries; and whether that was all.
    pub(super) fn walk(&self, oid: ObjectId, limit: usize) -> Option<(Vec<Entry>, bool)> {
        let mut found = Vec::new();
        let mut open = self.tree(oid)?;
        open.reverse();
        while let Some(entry) = open.pop() {
            if found.len() == limit {
                return Some((found, false));
            }
            if entry.mode == MODE_TREE {
                let mut children = self.tree(entry.oid)?;
                for child in &mut children {
                    child.path = format!("{}/{}", entry.path, child.path);
                }
                open.extend(children.into_iter().rev());
            }
            found.push(entry);
        }
        Some((found, true))
    }

    /// The entry at a path below a tree; symbolic links are not followed.
    pub(super) fn entry(&self, tree: ObjectId, path: &str) -> Option<Entry> {
        let mut at = tree;
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let child = self.tree(at)?.into_iter().find(|entry| entry.path == part)?;
            if parts.peek().is_none() {
                return Some(Entry { path: path.to_owned(), ..child });
            }
            if child.mode != MODE_TREE {
                return None;
            }
            at = child.oid;
        }
        None
    }

    /// A blob's bytes.
    pub(super) fn blob(&self, oid: ObjectId) -> Option<Vec<u8>> {
        let mut blob = self.0.try_find_object(oid).ok()??;
        (blob.kind == gix::objs::Kind::Blob).then(|| std::mem::take(&mut blob.data))
    }

    /// A blob's size without reading it.
    pub(super) fn size(&self, oid: ObjectId) -> Option<u64> {
        Some(self.0.find_header(oid).ok()?.size())
    }

    /// The best common ancestor.
    pub(super) fn merge_base(&self, one: ObjectId, other: ObjectId) -> Option<ObjectId> {
        Some(self.0.merge_base(one, other).ok()??.detach())
    }

    /// Merges `theirs` into `ours` as a commit that no reference names; `None` when both
    /// changed a file, or either is no commit.
    pub(super) fn merge(
        &self,
        ours: ObjectId,
        theirs: ObjectId,
        message: &str,
        at_s: i64,
    ) -> Option<ObjectId> {
        let files = |oid: ObjectId| files::read(&self.0, self.commit(oid)?.tree).ok();
        let base = self.merge_base(ours, theirs).map_or_else(|| Some(Files::new()), files)?;
        let (mut merged, theirs_files) = (files(ours)?, files(theirs)?);
        let changed = |path: &&String| theirs_files.get(*path) != base.get(*path);
        let paths: BTreeSet<String> =
            base.keys().chain(theirs_files.keys()).filter(changed).cloned().collect();
        for path in paths {
            let (before, mine, other) = (base.get(&path), merged.get(&path), theirs_files.get(&path));
            if mine != before && mine != other {
                return None;
            }
            match other.copied() {
                Some(file) => merged.insert(path, file),
                None => merged.remove(&path),
            };
        }
        let signature = gix::actor::Signature {
            name: "GitHub".into(),
            email: "noreply@github.com".into(),
            time: gix::date::Time { seconds: at_s, offset: 0 },
        };
        let commit = gix::objs::Commit {
            tree: files::write(&self.0, &merged).ok()?,
            parents: [ours, theirs].into_iter().collect(),
            author: signature.clone(),
            committer: signature,
            encoding: None,
            message: message.into(),
            extra_headers: Vec::new(),
        };
        Some(self.0.write_object(&commit).ok()?.detach())
    }

    /// The commits reachable from `head` and not from `base`, newest first.
    pub(super) fn commits_between(&self, base: ObjectId, head: ObjectId) -> Vec<ObjectId> {
        let Ok(walk) = self.0.rev_walk([head]).with_hidden([base]).all() else {
            return Vec::new();
        };
        walk.filter_map(Result::ok).map(|found| found.id).collect()
    }
}

fn person(signature: gix::actor::SignatureRef<'_>) -> Person {
    Person {
        name: signature.name.to_string(),
        email: signature.email.to_string(),
        at_s: signature.time().map(|time| time.seconds).unwrap_or_default(),
    }
}
