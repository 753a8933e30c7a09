//! Verdicts and what explains them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::day::Day;
use crate::image::ImageRef;
use crate::source::Location;
use crate::trust::Wanted;

/// The judgement of a use, best first. `Undecided` is what evidence that cannot
/// be had makes; policy says what it counts as ([`Effect`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Trusted.
    Pass,
    /// Not decidable with what is known.
    Undecided,
    /// A person has to look.
    Review,
    /// Refused.
    Fail,
}

impl Verdict {
    /// The word used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Undecided => "undecided",
            Verdict::Review => "review",
            Verdict::Fail => "fail",
        }
    }
}

/// What a finding counts as in the conclusion, once `when-unsure` was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// `action_required` when enforced.
    Review,
    /// `failure` when enforced.
    Fail,
}

/// Whether findings count in the conclusion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// They are said, and the check passes.
    Observe,
    /// They count.
    Enforce,
}

/// One reason why a use does not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The finding id of policy.md: `unknown`, `block`, `unsure`, `invalid`, `unreadable`, …
    pub rule: String,
    /// What it makes of the use.
    pub verdict: Verdict,
    /// What it counts as.
    pub effect: Effect,
    /// Whether it counts.
    pub mode: Mode,
    /// What is wrong, in one sentence without a line break:
    /// ``no source names `docker.io/foo/bar:1` ``.
    pub message: String,
    /// How it was decided.
    pub explanation: Explanation,
    /// The reference to write instead, from `replace`.
    pub fix: Option<String>,
    /// Who settles it where it counts as a review: the `reviewers` of the
    /// organisation's policy or, without one, of the repository's.
    pub reviewers: Arc<[String]>,
    /// The image that an exception has to name to lift it; `None` when none can.
    pub liftable_as: Option<ImageRef>,
}

/// A finding that an exception lifted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifted {
    /// What would stand against the use.
    pub finding: Finding,
    /// The id of the exception.
    pub exception: String,
    /// Where that stands.
    pub at: Location,
    /// The last day on which it holds.
    pub until: Day,
    /// Why, and who answers for it.
    pub reason: String,
}

/// How a finding was decided, a tree that every output prints alike.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Explanation {
    /// One step for people.
    pub text: String,
    /// The place in a policy file that it speaks of.
    pub at: Option<Location>,
    /// What it rests on.
    pub because: Vec<Explanation>,
}

/// Everything that policy says of a use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The worst of the findings, or pass.
    pub verdict: Verdict,
    /// The name of the trust source that applied.
    pub source: Option<String>,
    /// Why it is not a pass; empty when it is.
    pub findings: Vec<Finding>,
    /// What exceptions took away.
    pub lifted: Vec<Lifted>,
    /// What could change it, were it known.
    pub wants: BTreeSet<Wanted>,
    /// What is to be said of the use and is nothing against it, one sentence each.
    pub notices: BTreeSet<String>,
    /// Why it is what it is, a pass too.
    pub explanation: Explanation,
}
