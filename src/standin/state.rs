//! Everything the stand-in remembers: installations, repositories, pull
//! requests, check runs, comments, tokens. Plain data behind one lock; refuses
//! to know HTTP and how GitHub spells any of it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use gix::ObjectId;
use serde_json::Value;

use super::diff;
use super::diff::ChangedFile;
use super::git::Git;
use crate::clock::TimestampMs;
use crate::ids::CheckRunId;
use crate::ids::CommentId;
use crate::ids::InstallationId;
use crate::ids::PullNumber;
use crate::ids::RepositoryId;
use crate::ids::RepositoryName;

/// The permissions of an installation or a token: name to `read` or `write`.
pub(super) type Permissions = BTreeMap<String, String>;

#[derive(Default)]
pub(super) struct State {
    last_id: u64,
    pub(super) installations: BTreeMap<InstallationId, Installation>,
    pub(super) repositories: Vec<Repository>,
    pub(super) tokens: HashMap<String, Token>,
    pub(super) check_runs: Vec<CheckRun>,
    pub(super) comments: Vec<Comment>,
    pub(super) reviews: Vec<Review>,
    /// The members of each team, by `organisation/slug`, lower-case, and whether each is active.
    pub(super) teams: BTreeMap<String, BTreeMap<String, bool>>,
    suites: BTreeMap<(RepositoryId, ObjectId, u64), u64>,
    differences: HashMap<(RepositoryId, ObjectId, ObjectId), Arc<Vec<ChangedFile>>>,
    pub(super) windows: HashMap<(InstallationId, &'static str), Window>,
}

/// The App on an account.
#[derive(Debug, Clone)]
pub(super) struct Installation {
    pub(super) account: String,
    /// The repositories it may reach; `None` is all of the account's.
    pub(super) selected: Option<BTreeSet<RepositoryId>>,
    pub(super) permissions: Permissions,
    /// No token is minted for it.
    pub(super) suspended: bool,
}

/// An installation token.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) installation: InstallationId,
    /// What it was narrowed to; `None` is all that the installation reaches.
    pub(super) repositories: Option<BTreeSet<RepositoryId>>,
    pub(super) permissions: Permissions,
    pub(super) expires_ms: TimestampMs,
}

/// What of an hour's requests is spent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) used: u32,
    pub(super) reset_s: i64,
}

#[derive(Clone)]
pub(super) struct Repository {
    pub(super) id: RepositoryId,
    pub(super) name: RepositoryName,
    pub(super) path: PathBuf,
    pub(super) private: bool,
    /// Nothing can be written to it.
    pub(super) archived: bool,
    pub(super) default_branch: String,
    /// Branches that exist only here, or stand elsewhere than in the git repository.
    pub(super) branches: BTreeMap<String, ObjectId>,
    pub(super) pulls: Vec<Pull>,
    /// The merge queues of all branches, each first in, first out.
    pub(super) queue: Vec<QueueEntry>,
    pub(super) required: Vec<RequiredCheck>,
    pub(super) created_ms: TimestampMs,
}

/// A check that a branch's protection requires.
#[derive(Debug, Clone)]
pub(super) struct RequiredCheck {
    pub(super) branch: String,
    pub(super) name: String,
    /// The App that must report it; `None` lets any do.
    pub(super) app: Option<u64>,
    /// Whether a ruleset requires it, and not the branch's own protection.
    pub(super) by_rule: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Pull {
    pub(super) number: PullNumber,
    pub(super) id: u64,
    pub(super) title: String,
    pub(super) author: String,
    pub(super) base_branch: String,
    pub(super) base: ObjectId,
    pub(super) head_branch: String,
    pub(super) head: ObjectId,
    /// The account whose fork the head lives in.
    pub(super) fork_owner: Option<String>,
    pub(super) draft: bool,
    pub(super) open: bool,
    pub(super) created_ms: TimestampMs,
    pub(super) updated_ms: TimestampMs,
}

/// A pull request that waits to be merged, and the merge group made for it.
#[derive(Debug, Clone)]
pub(super) struct QueueEntry {
    pub(super) pull: PullNumber,
    /// The branch that it is to be merged into.
    pub(super) base_branch: String,
    /// What the group is put on: the branch's tip, or the group before it.
    pub(super) base: ObjectId,
    /// The temporary merge commit.
    pub(super) head: ObjectId,
    /// The branch that GitHub makes for the group, without `refs/heads/`.
    pub(super) branch: String,
}

#[derive(Debug, Clone)]
pub(super) struct CheckRun {
    pub(super) id: CheckRunId,
    pub(super) repository: RepositoryId,
    pub(super) suite: u64,
    pub(super) app: u64,
    pub(super) name: String,
    pub(super) head: ObjectId,
    pub(super) status: String,
    pub(super) conclusion: Option<String>,
    pub(super) started_at: Option<String>,
    pub(super) completed_at: Option<String>,
    pub(super) details_url: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) title: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) text: Option<String>,
    /// In the order posted: they only ever become more.
    pub(super) annotations: Vec<Value>,
    pub(super) actions: Vec<Value>,
}

#[derive(Debug, Clone)]
pub(super) struct Comment {
    pub(super) id: CommentId,
    pub(super) repository: RepositoryId,
    pub(super) issue: PullNumber,
    pub(super) body: String,
    pub(super) author: Author,
    /// Folded away, with GitHub's word for why.
    pub(super) minimized: Option<String>,
    pub(super) created_ms: TimestampMs,
    pub(super) updated_ms: TimestampMs,
}

/// A review of a pull request.
#[derive(Debug, Clone)]
pub(super) struct Review {
    pub(super) id: u64,
    pub(super) repository: RepositoryId,
    pub(super) pull: PullNumber,
    pub(super) author: String,
    /// `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`, `DISMISSED`.
    pub(super) state: &'static str,
    /// The head that was looked at.
    pub(super) commit: ObjectId,
    pub(super) submitted_ms: TimestampMs,
}

/// Who wrote a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Author {
    /// The App under test.
    App,
    /// Somebody else.
    User(String),
}

impl State {
    /// A number that nothing else has, of a size that GitHub's numbers have reached: past 32 bits.
    pub(super) fn fresh_id(&mut self) -> u64 {
        self.last_id += 1;
        5_000_000_000 + self.last_id
    }

    /// A number for what GitHub still counts within 32 bits: repositories, installations.
    pub(super) fn fresh_small_id(&mut self) -> u64 {
        self.last_id += 1;
        1_000_000_000 + self.last_id
    }

    pub(super) fn repository(&self, owner: &str, name: &str) -> Option<&Repository> {
        self.repositories.iter().find(|repository| repository.is(owner, name))
    }

    pub(super) fn repository_mut(&mut self, owner: &str, name: &str) -> Option<&mut Repository> {
        self.repositories.iter_mut().find(|repository| repository.is(owner, name))
    }

    pub(super) fn repository_by_id(&self, id: RepositoryId) -> Option<&Repository> {
        self.repositories.iter().find(|repository| repository.id == id)
    }

    /// The installation on a repository's account that reaches the repository.
    pub(super) fn installation_of(&self, repository: &Repository) -> Option<(InstallationId, &Installation)> {
        self.installations
            .iter()
            .find(|(_, installation)| installation.reaches(repository))
            .map(|(id, installation)| (*id, installation))
    }

    /// The check suite that an App's runs on a commit belong to.
    pub(super) fn suite(&mut self, repository: RepositoryId, head: ObjectId, app: u64) -> u64 {
        if let Some(suite) = self.suites.get(&(repository, head, app)) {
            return *suite;
        }
        let suite = self.fresh_id();
        self.suites.insert((repository, head, app), suite);
        suite
    }

    /// What changed from `base`'s tree to `head`'s, remembered.
    pub(super) fn difference(
        &mut self,
        repository: RepositoryId,
        git: &Git,
        base: ObjectId,
        head: ObjectId,
    ) -> Arc<Vec<ChangedFile>> {
        if let Some(known) = self.differences.get(&(repository, base, head)) {
            return Arc::clone(known);
        }
        let tree = |oid| git.commit(oid).map(|commit| commit.tree);
        let files = tree(head).map(|head| diff::changed_files(git, tree(base), head)).unwrap_or_default();
        let files = Arc::new(files);
        self.differences.insert((repository, base, head), Arc::clone(&files));
        files
    }

    /// The files of a pull request: from the merge base to the head.
    pub(super) fn pull_files(&mut self, repository: RepositoryId, pull: &Pull) -> Arc<Vec<ChangedFile>> {
        let git = self.repository_by_id(repository).and_then(|found| Git::open(&found.path));
        let Some(git) = git else {
            return Arc::default();
        };
        let base = git.merge_base(pull.base, pull.head).unwrap_or(pull.base);
        self.difference(repository, &git, base, pull.head)
    }
}

impl Installation {
    pub(super) fn reaches(&self, repository: &Repository) -> bool {
        self.account.eq_ignore_ascii_case(&repository.name.owner)
            && self.selected.as_ref().is_none_or(|selected| selected.contains(&repository.id))
    }
}

impl Repository {
    fn is(&self, owner: &str, name: &str) -> bool {
        self.name.owner.eq_ignore_ascii_case(owner) && self.name.name.eq_ignore_ascii_case(name)
    }

    pub(super) fn pull(&self, number: PullNumber) -> Option<&Pull> {
        self.pulls.iter().find(|pull| pull.number == number)
    }

    pub(super) fn pull_mut(&mut self, number: PullNumber) -> Option<&mut Pull> {
        self.pulls.iter_mut().find(|pull| pull.number == number)
    }

    /// Where a branch stands.
    pub(super) fn branch(&self, git: &Git, name: &str) -> Option<ObjectId> {
        self.branches.get(name).copied().or_else(|| git.branch(name))
    }

    /// The commit that a branch, `refs/…`, `heads/…`, a pull request's ref or a SHA names.
    pub(super) fn commit(&self, git: &Git, reference: &str) -> Option<ObjectId> {
        if reference == "HEAD" {
            return self.branch(git, &self.default_branch);
        }
        let short = reference.strip_prefix("refs/").unwrap_or(reference);
        if let Some(branch) = short.strip_prefix("heads/") {
            return self.branch(git, branch);
        }
        if let Some(number) = short.strip_prefix("pull/").and_then(|rest| rest.strip_suffix("/head")) {
            return Some(self.pull(PullNumber(number.parse().ok()?))?.head);
        }
        self.branch(git, reference).or_else(|| git.resolve(reference))
    }
}
