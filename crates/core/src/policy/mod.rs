//! The policy language: the file's form, loading with positions, and judging.
//!
//! Nothing here knows file formats, GitHub or how a verdict is shown: uses come
//! in as [`ImageUse`](crate::image::ImageUse), judgements go out as data that
//! explains itself.
//!
//! A file goes `reader` (typed values) → `form` (keys) → `load` (what values mean
//! together) → [`Policy`]; `judge` judges by one file, [`Policies`] by both.

mod block;
mod case;
mod confirming;
mod diagnostic;
mod exception;
mod files;
mod form;
mod judge;
mod judging;
mod keys;
mod load;
mod matcher;
mod near;
mod paths;
mod place;
mod placing;
mod proposal;
mod reader;
mod require;
mod requiring;
mod rewrite;
mod rules;
mod ruling;
mod schema;
mod scrutinising;
mod scrutiny;
mod signer;
mod source;
#[cfg(test)]
mod tests;
mod trial;
mod verdict;
mod wording;

use std::sync::Arc;

use crate::day::Day;
use crate::image::ImageRef;
use crate::source::Location;
use crate::source::RepoPath;
use crate::source::SourceFile;

pub use diagnostic::{Diagnostic, Severity};
pub use files::{Found, Policies, PolicyFile, PolicyStatus};
pub use load::{MAX_POLICY_BYTES, load};
pub use proposal::Proposal;
pub use rules::Circumstances;
pub use schema::schema;
pub use verdict::{Effect, Explanation, Finding, Judgement, Lifted, Mode, Verdict};

/// The path of a repository's policy.
pub const REPOSITORY_POLICY_PATH: &str = ".github/fromguard.yml";
/// The path of the organisation's policy, in its repository `.github`.
pub const ORGANISATION_POLICY_PATH: &str = "fromguard.yml";

/// Whose policy a file is.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// `fromguard.yml` of the organisation's `.github` repository.
    Organisation,
    /// `.github/fromguard.yml` of a repository whose organisation has a policy,
    /// whose sources and mirrors it sees; `None` when that one did not load: then
    /// no source is known, and what depends on one is unsure.
    RepositoryUnderOrganisation(Option<&'a Policy>),
    /// `.github/fromguard.yml` of a repository that stands alone.
    Repository,
}

/// A policy that loaded without an error.
#[derive(Debug, Clone)]
pub struct Policy {
    file: Arc<SourceFile>,
    mode: Mode,
    /// `None` when neither this file nor a readable organisation's says it.
    unknown: Option<(form::Unknown, Location)>,
    when_unsure: (Effect, Option<Location>),
    judge: JudgeScope,
    skip_paths: Vec<paths::PathGlob>,
    /// `None` when the sources are the organisation's and that did not load.
    trust: Option<Arc<source::Trust>>,
    mirrors: Arc<rewrite::Rewrites>,
    scrutiny: Option<Arc<scrutiny::Scrutiny>>,
    blocks: block::Blocks,
    replace: rewrite::Rewrites,
    places: Vec<place::Place>,
    exceptions: exception::Exceptions,
    trials: Vec<trial::Trial>,
    /// How far ahead the repositories of this organisation may except something.
    max_exception_days: Option<u32>,
    reviewers: Arc<[String]>,
    contact: Vec<String>,
    rules: Vec<rules::Rule>,
}

/// Which uses of a change are judged; a greater one judges more.
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

impl Loaded {
    /// Whether something makes the policy unusable.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.policy.is_none()
    }
}

impl Policy {
    /// The file it was read from.
    #[must_use]
    pub fn file(&self) -> &Arc<SourceFile> {
        &self.file
    }

    /// The mode of the file; of the organisation's when a repository's has none.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Which uses it judges.
    #[must_use]
    pub fn judge_scope(&self) -> JudgeScope {
        self.judge
    }

    /// Whether `skip-paths` leaves a file out. It does not cover a file that an
    /// unskipped one builds from: that is the caller's to know.
    #[must_use]
    pub fn is_skipped(&self, path: &RepoPath) -> bool {
        self.skip_paths.iter().any(|glob| glob.matches(path))
    }

    /// What it trusts: one step for each source, by its name. `None` when the
    /// sources are the organisation's and that did not load.
    #[must_use]
    pub fn trusted(&self) -> Option<&Explanation> {
        self.trust.as_deref().map(|trust| &trust.allowed)
    }

    /// Who settles a review, as `@user` and `@organisation/team`: those of the
    /// organisation's policy when there is one.
    #[must_use]
    pub fn reviewers(&self) -> &[String] {
        &self.reviewers
    }

    /// The ids of the findings that it makes beside those that every policy makes.
    fn made(&self) -> impl Iterator<Item = &str> {
        let required = self.trust.iter().flat_map(|trust| &trust.sources);
        let required = required.flat_map(|source| source.require.ids());
        let asked = self.places.iter().map(|place| place.name.value.as_str());
        required.chain(asked).chain(self.rules.iter().map(|rule| rule.name.as_str()))
    }

    /// Its exceptions that are in force on a day: the id of each, and where it stands.
    pub fn exceptions(&self, day: Day) -> impl Iterator<Item = (&str, Location)> {
        let active = self.exceptions.list.iter().filter(move |exception| exception.is_active(day));
        active.map(|exception| (exception.id.value.as_str(), exception.at()))
    }

    /// What an image is a mirror of, as far as the policy knows; otherwise itself.
    #[must_use]
    pub fn origin(&self, image: &ImageRef) -> ImageRef {
        self.mirrors.apply(image).map_or_else(|| image.clone(), |(origin, _)| origin)
    }

    /// Hosts that may be asked for evidence, beside the built-in ones.
    #[must_use]
    pub fn contact(&self) -> &[String] {
        &self.contact
    }
}
