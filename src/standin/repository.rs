//! Building small git repositories for tests and the rehearsal's sample,
//! without the git program: fixed identity, fixed times, so fixed SHAs.

use std::path::Path;
use std::path::PathBuf;

use gix::ObjectId;
use gix::objs::tree::EntryKind;
use thiserror::Error;

use super::files;
use super::files::Files;
use crate::ids::Sha;

/// Commits are one minute apart from here on: 2026-01-01T00:00:00Z.
const FIRST_COMMIT_S: i64 = 1_767_225_600;

/// A repository could not be built: the operator's disk, or a name git refuses.
#[derive(Debug, Error)]
#[error("cannot build the git repository at {path}: {reason}")]
pub struct BuildError {
    path: PathBuf,
    reason: String,
}

/// What a commit changes at a path.
#[derive(Debug, Clone)]
pub enum Change<'a> {
    /// A file with this content.
    File(&'a [u8]),
    /// An executable file with this content.
    Executable(&'a [u8]),
    /// A symbolic link to this target.
    Symlink(&'a str),
    /// A submodule at this commit, 40 hex digits.
    Submodule(&'a str),
    /// Nothing any longer.
    Removed,
}

/// A bare repository under construction.
pub struct Builder {
    git: gix::Repository,
    path: PathBuf,
    commits: i64,
}

impl Builder {
    /// Makes a bare repository in `folder`, whose `HEAD` names the branch `main`.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn init(folder: &Path) -> Result<Builder, BuildError> {
        let fail = |reason: String| BuildError { path: folder.to_path_buf(), reason };
        gix::init_bare(folder).map_err(|error| fail(error.to_string()))?;
        std::fs::write(folder.join("HEAD"), "ref: refs/heads/main\n")
            .map_err(|error| fail(error.to_string()))?;
        let git = gix::open_opts(folder, gix::open::Options::isolated())
            .map_err(|error| fail(error.to_string()))?;
        Ok(Builder { git, path: folder.to_path_buf(), commits: 0 })
    }

    /// Where the repository is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Commits `changes` on top of `branch` and moves the branch there. A branch
    /// that does not exist starts from nothing; see [`Builder::branch`] to start it elsewhere.
    ///
    /// # Errors
    /// When a name is refused by git or the disk is not writable.
    pub fn commit(
        &mut self,
        branch: &str,
        message: &str,
        changes: &[(&str, Change<'_>)],
    ) -> Result<Sha, BuildError> {
        let parent = self.tip(branch);
        let parents: Vec<ObjectId> = parent.into_iter().collect();
        self.commit_on(branch, message, &parents, changes)
    }

    /// Merges `other` into `branch`: two parents, the files of `branch` with `changes` on top.
    ///
    /// # Errors
    /// When either branch is missing, or as [`Builder::commit`].
    pub fn merge(
        &mut self,
        branch: &str,
        other: &str,
        changes: &[(&str, Change<'_>)],
    ) -> Result<Sha, BuildError> {
        let parents = [branch, other]
            .map(|name| self.tip(name).ok_or_else(|| self.fail(format!("there is no branch {name}"))));
        let [first, second] = parents;
        self.commit_on(branch, &format!("Merge {other} into {branch}"), &[first?, second?], changes)
    }

    /// Lets `branch` point at a commit.
    ///
    /// # Errors
    /// When the name is refused by git or the commit is not a SHA.
    pub fn branch(&mut self, branch: &str, at: &Sha) -> Result<(), BuildError> {
        let oid = ObjectId::from_hex(at.0.as_bytes()).map_err(|error| self.fail(error))?;
        self.move_branch(branch, oid)
    }

    fn commit_on(
        &mut self,
        branch: &str,
        message: &str,
        parents: &[ObjectId],
        changes: &[(&str, Change<'_>)],
    ) -> Result<Sha, BuildError> {
        let mut files = Files::new();
        if let Some(parent) = parents.first() {
            let tree = self.git.find_commit(*parent).and_then(|commit| Ok(commit.tree_id()?.detach()));
            let tree = tree.map_err(|error| self.fail(error))?;
            files = files::read(&self.git, tree).map_err(|error| self.fail(error))?;
        }
        for (path, change) in changes {
            match self.write_change(change)? {
                Some(entry) => files.insert((*path).to_owned(), entry),
                None => files.remove(*path),
            };
        }
        let tree = files::write(&self.git, &files).map_err(|error| self.fail(error))?;
        let signature = gix::actor::Signature {
            name: "Octo Cat".into(),
            email: "octocat@example.com".into(),
            time: gix::date::Time { seconds: FIRST_COMMIT_S + 60 * self.commits, offset: 0 },
        };
        let commit = gix::objs::Commit {
            tree,
            parents: parents.iter().copied().collect(),
            author: signature.clone(),
            committer: signature,
            encoding: None,
            message: message.into(),
            extra_headers: Vec::new(),
        };
        let oid = self.git.write_object(&commit).map_err(|error| self.fail(error))?.detach();
        self.commits += 1;
        self.move_branch(branch, oid)?;
        Ok(Sha(oid.to_string()))
    }

    fn write_change(&self, change: &Change<'_>) -> Result<Option<(EntryKind, ObjectId)>, BuildError> {
        let blob = |bytes: &[u8]| Ok(self.git.write_blob(bytes).map_err(|error| self.fail(error))?.detach());
        Ok(Some(match change {
            Change::File(content) => (EntryKind::Blob, blob(content)?),
            Change::Executable(content) => (EntryKind::BlobExecutable, blob(content)?),
            Change::Symlink(target) => (EntryKind::Link, blob(target.as_bytes())?),
            Change::Submodule(commit) => {
                (EntryKind::Commit, ObjectId::from_hex(commit.as_bytes()).map_err(|error| self.fail(error))?)
            }
            Change::Removed => return Ok(None),
        }))
    }

    fn tip(&self, branch: &str) -> Option<ObjectId> {
        let mut reference = self.git.try_find_reference(&format!("refs/heads/{branch}")).ok()??;
        Some(reference.peel_to_id().ok()?.detach())
    }

    fn move_branch(&self, branch: &str, to: ObjectId) -> Result<(), BuildError> {
        use gix::refs::transaction::PreviousValue;
        self.git
            .reference(format!("refs/heads/{branch}"), to, PreviousValue::Any, "commit")
            .map(|_| ())
            .map_err(|error| self.fail(error))
    }

    fn fail(&self, reason: impl std::fmt::Display) -> BuildError {
        BuildError { path: self.path.clone(), reason: reason.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::Builder;
    use super::Change;

    #[test]
    fn the_same_repository_has_the_same_shas_and_folders_sort_as_git_sorts_them() {
        let build = || {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let mut git = Builder::init(folder.path()).expect("a repository");
            let file = Change::File(b"x\n");
            // As files `a.c` < `a/b` < `a0`: a folder sorts as if its name ended in `/`.
            let changes =
                [("a0", file.clone()), ("a/b", file.clone()), ("a.c", file.clone()), ("a/d/e", file)];
            git.commit("main", "One", &changes).expect("a commit");
            git.commit("topic", "Two", &[("b", Change::Symlink("a.c"))]).expect("a commit");
            git.merge("main", "topic", &[("a/d/e", Change::Removed)]).expect("a merge")
        };
        let sha = build();
        assert_eq!(sha, build());
        // What git itself makes of the same content.
        assert_eq!(sha.0, "1006d5aee58a26165fb65035510863b0de74ba0b");
    }
}
