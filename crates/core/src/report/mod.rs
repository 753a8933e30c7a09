//! The report of one judgement, and everything that shows it: check run,
//! comment, terminal text, JSON, SARIF, workflow commands.
//!
//! Renderers decide wording and limits, never verdicts.

use std::collections::BTreeSet;

use crate::change::Change;
use crate::image::ImageUse;
use crate::policy::Judgement;
use crate::policy::Loaded;
use crate::policy::Policies;
use crate::scan::Scanned;
use crate::source::Problem;
use crate::source::RepoPath;

/// What is to be judged.
#[derive(Debug, Clone)]
pub struct Subject {
    /// What the head holds.
    pub head: Scanned,
    /// What the base holds; `None` without a base: everything is introduced.
    pub base: Option<Scanned>,
    /// The files that the change touches; `None` without a base.
    pub touched: Option<BTreeSet<RepoPath>>,
    /// The policy in force, from the base.
    pub policies: Policies,
    /// The policy file of the head, when the change edits it.
    pub proposed: Option<Loaded>,
    /// Things to say that are no finding, one sentence each.
    pub notices: Vec<String>,
}

/// GitHub's word for the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Conclusion {
    /// No policy anywhere.
    Neutral,
    /// Nothing that is enforced is against it.
    Success,
    /// Somebody has to look.
    ActionRequired,
    /// Refused, or it could not be judged.
    Failure,
}

impl Conclusion {
    /// The word of GitHub's API and of our JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Conclusion::Neutral => "neutral",
            Conclusion::Success => "success",
            Conclusion::ActionRequired => "action_required",
            Conclusion::Failure => "failure",
        }
    }
}

/// A use of the head with everything that was found out about it.
#[derive(Debug, Clone)]
pub struct JudgedUse {
    /// The use.
    pub usage: ImageUse,
    /// What the change did to it.
    pub change: Change,
    /// Whether it counts (policy.md, `judge`); what does not count is listed only.
    pub counts: bool,
    /// The judgement; `None` without a policy.
    pub judgement: Option<Judgement>,
}

/// A problem of the head and what policy says of it.
#[derive(Debug, Clone)]
pub struct JudgedProblem {
    /// The problem.
    pub problem: Problem,
    /// Whether it counts.
    pub counts: bool,
    /// The judgement; `None` without a policy.
    pub judgement: Option<Judgement>,
}

/// One judgement of a change or a tree.
#[derive(Debug, Clone)]
pub struct Report {
    /// The outcome.
    pub conclusion: Conclusion,
    /// Every use of the head.
    pub uses: Vec<JudgedUse>,
    /// Every problem of the head.
    pub problems: Vec<JudgedProblem>,
    /// How many uses of the base are gone.
    pub removed: usize,
    /// What it was made from.
    pub subject: Subject,
}

/// Judges a subject.
#[must_use]
pub fn judge(subject: Subject) -> Report {
    Report { conclusion: Conclusion::Neutral, uses: Vec::new(), problems: Vec::new(), removed: 0, subject }
}

/// What a check run shows, within GitHub's limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRunOutput {
    /// One line.
    pub title: String,
    /// Markdown, at most 65,535 bytes.
    pub summary: String,
    /// Markdown, at most 65,535 bytes.
    pub text: Option<String>,
    /// At most 200, worst first; the rest is counted in the summary.
    pub annotations: Vec<Annotation>,
}

/// One annotation of a check run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// Path in the repository.
    pub path: String,
    /// First line, from 1.
    pub start_line: usize,
    /// Last line, from 1.
    pub end_line: usize,
    /// First column, from 1; only when both lines are the same.
    pub start_column: Option<usize>,
    /// Last column, from 1.
    pub end_column: Option<usize>,
    /// `notice`, `warning` or `failure`.
    pub level: &'static str,
    /// At most 255 characters.
    pub title: String,
    /// At most 64 KB.
    pub message: String,
    /// More, as plain text, at most 64 KB.
    pub raw_details: Option<String>,
}
