//! The policy language: the file's form, loading with positions, and judging.
//!
//! Nothing here knows file formats, GitHub or how a verdict is shown: uses come
//! in as [`ImageUse`], judgements go out as data that explains itself.

mod verdict;

use std::sync::Arc;

use crate::image::ImageUse;
use crate::source::Problem;
use crate::source::SourceFile;
use crate::source::Span;

pub use verdict::{Effect, Explanation, Finding, Judgement, Mode, Verdict};

/// The path of a repository's policy.
pub const REPOSITORY_POLICY_PATH: &str = ".github/fromguard.yml";
/// The path of the organisation's policy, in its repository `.github`.
pub const ORGANISATION_POLICY_PATH: &str = "fromguard.yml";

/// Whose policy a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// `fromguard.yml` of the organisation's `.github` repository.
    Organisation,
    /// `.github/fromguard.yml` of a repository whose organisation has a policy.
    RepositoryUnderOrganisation,
    /// `.github/fromguard.yml` of a repository that stands alone.
    Repository,
}

/// A policy that loaded without an error.
#[derive(Debug, Clone)]
pub struct Policy {
    file: Arc<SourceFile>,
}

/// Which uses of a change are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum JudgeScope {
    /// Introduced and changed uses.
    Changed,
    /// Every use in a file that the change touches.
    Touched,
    /// Every use in the repository.
    Repository,
}

/// What loading a file gave: everything that is wrong with it at once, and the
/// policy if nothing is an error.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The file.
    pub file: Arc<SourceFile>,
    /// The policy; `None` when a diagnostic is an error.
    pub policy: Option<Policy>,
    /// Errors and notices, by position.
    pub diagnostics: Vec<Diagnostic>,
}

/// Something to say about a policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or notice.
    pub severity: Severity,
    /// Where in the policy file.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The policy cannot be used.
    Error,
    /// It can, and somebody should know.
    Notice,
}

/// What is known about one of the two policy files. Absent is known, or it is
/// a failure: there is no "probably absent".
#[derive(Debug, Clone)]
pub enum PolicyFile {
    /// The repository or the file is known not to exist.
    Absent,
    /// It was read; it may still be broken.
    Read(Loaded),
    /// It exists or may exist and cannot be read.
    Unreadable {
        /// Its path, for people.
        path: String,
        /// Why, for people.
        reason: String,
    },
}

/// The policy files in force.
#[derive(Debug, Clone)]
pub struct Policies {
    /// The organisation's.
    pub organisation: PolicyFile,
    /// The repository's.
    pub repository: PolicyFile,
}

/// Reads a policy file.
#[must_use]
pub fn load(file: Arc<SourceFile>, scope: Scope) -> Loaded {
    let _ = scope;
    Loaded { policy: Some(Policy { file: Arc::clone(&file) }), file, diagnostics: Vec::new() }
}

impl Policy {
    /// The file it was read from.
    #[must_use]
    pub fn file(&self) -> &Arc<SourceFile> {
        &self.file
    }

    /// The mode of the file.
    #[must_use]
    pub fn mode(&self) -> Mode {
        Mode::Enforce
    }

    /// Which uses it judges.
    #[must_use]
    pub fn judge_scope(&self) -> JudgeScope {
        JudgeScope::Changed
    }
}

impl Policies {
    /// Judges one use by every file that loaded, each alone; findings of both
    /// are kept, the worse verdict is taken. `None` when there is no policy.
    #[must_use]
    pub fn judge(&self, usage: &ImageUse) -> Option<Judgement> {
        let _ = usage;
        None
    }

    /// Judges something that could not be read: the finding `unreadable`.
    /// `None` when there is no policy.
    #[must_use]
    pub fn judge_problem(&self, problem: &Problem) -> Option<Judgement> {
        let _ = problem;
        None
    }
}
