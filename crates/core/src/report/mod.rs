//! The report of one judgement, and everything that shows it: check run,
//! comment, terminal text, JSON, SARIF, workflow commands.
//!
//! Renderers decide wording and limits, never verdicts. What somebody else
//! wrote (references, paths, reasons) reaches an output only through
//! `untrusted`.

#[cfg(test)]
mod bench;
mod brief;
mod check_run;
mod comment;
mod dossier;
mod excepted;
mod explain;
mod explained;
mod item;
mod json;
mod judge;
mod markdown;
mod preview;
mod sarif;
mod text;
mod untrusted;
mod wording;
mod workflow;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::change::Change;
use crate::image::ImageUse;
use crate::policy::Judgement;
use crate::policy::Loaded;
use crate::policy::Policies;
use crate::scan::Scanned;
use crate::source::Problem;
use crate::source::RepoPath;
use crate::trust::Evidence;
use crate::trust::Wanted;

pub use check_run::{Annotation, CheckRunOutput};
pub use comment::COMMENT_MARKER;
pub use explained::explain_text;
pub use json::{check_json, scan_json};
pub use preview::{ChangedVerdict, Preview, policy_diff};
pub use sarif::{check_sarif, scan_sarif};
pub use text::{Style, annotation_text, check_text, policy_text, scan_text};
pub use workflow::check_workflow_commands;

/// A policy to start with: it observes, and trusts Docker's official images.
pub const STARTER_POLICY: &str = "\
version: 1
mode: observe
unknown: review
trust:
  official: {images: [\"hub:official\"]}
  internal: {images: [\"registry.example.com/approved-base/**\"]}
";

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
    /// What is known of the images; nothing when judging is offline.
    pub evidence: Arc<Evidence>,
    /// Things to say that are no finding, one sentence each.
    pub notices: Vec<String>,
    /// Who of the policy's reviewers approves the head as it is.
    pub approvals: Vec<Approval>,
}

/// An approving review of the head by one of the policy's reviewers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// As the policy names them: `@ann`, `@acme/security`.
    pub reviewer: String,
    /// The account.
    pub by: String,
    /// When, as GitHub writes it.
    pub at: String,
}

impl Subject {
    /// Nothing to judge and no policy.
    fn empty() -> Subject {
        Subject {
            head: Scanned::default(),
            base: None,
            touched: None,
            policies: Policies::none(),
            proposed: None,
            evidence: Arc::default(),
            notices: Vec::new(),
            approvals: Vec::new(),
        }
    }
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

    /// Whether GitHub holds back a merge that requires this check.
    #[must_use]
    pub fn blocks(self) -> bool {
        matches!(self, Conclusion::ActionRequired | Conclusion::Failure)
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
    /// Whether `skip-paths` leaves it out; then it does not count.
    pub skipped: bool,
    /// The judgement; `None` without a policy, and for what every deployment replaces.
    pub judgement: Option<Judgement>,
}

/// A problem of the head and what policy says of it.
#[derive(Debug, Clone)]
pub struct JudgedProblem {
    /// The problem.
    pub problem: Problem,
    /// Whether it counts.
    pub counts: bool,
    /// Whether `skip-paths` leaves it out; then it does not count.
    pub skipped: bool,
    /// The judgement; `None` without a policy.
    pub judgement: Option<Judgement>,
}

/// Whose fault it is that nothing could be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// GitHub did not answer, or not with what it documents.
    GitHub,
    /// The installation or the App's configuration: a right is missing.
    Installation,
    /// The repository or the change: too large to be read whole, for example.
    Repository,
    /// A defect of fromguard.
    Fromguard,
}

/// Why a head could not be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unjudged {
    /// Whose fault it is.
    pub fault: Fault,
    /// What happened, one sentence for people.
    pub reason: String,
}

/// Another report on the same head, not the worst.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Which: `#12 into main`.
    pub label: String,
    /// How it ended.
    pub conclusion: Conclusion,
    /// Its title.
    pub title: String,
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
    /// Why nothing was judged; `None` when everything was.
    pub unjudged: Option<Unjudged>,
    /// Which of several reports on the same head this is; see [`Report::worst`].
    pub label: Option<String>,
    /// The other reports on the same head.
    pub others: Vec<Other>,
    /// Things to say that are no finding, one sentence each.
    pub notices: Vec<String>,
    /// What the policy that the change proposes would make of what was read.
    pub preview: Option<Preview>,
}

/// Judges a subject: every use and problem of the head by every policy that
/// loaded. The conclusion counts what the change did (policy.md, `judge`) and
/// what is enforced. A policy that cannot be used is a failure, none at all neutral.
#[must_use]
pub fn judge(subject: Subject) -> Report {
    let evidence = Arc::clone(&subject.evidence);
    judge::judge_with(subject, |policies, usage| policies.judge(usage, &evidence), Policies::judge_problem)
}

impl Report {
    /// The report that a head gets when it could not be judged: a failure that
    /// says whose fault it is and what to do.
    #[must_use]
    pub fn could_not_judge(fault: Fault, reason: impl Into<String>) -> Report {
        Report {
            conclusion: Conclusion::Failure,
            uses: Vec::new(),
            problems: Vec::new(),
            removed: 0,
            subject: Subject::empty(),
            unjudged: Some(Unjudged { fault, reason: reason.into() }),
            label: None,
            others: Vec::new(),
            notices: Vec::new(),
            preview: None,
        }
    }

    /// One report for a head that several pull requests share: the worst one (the
    /// first of equals), with the others named in its summary. The labels are
    /// shown to people: `#12 into main`. `None` without any.
    #[must_use]
    pub fn worst(reports: Vec<(String, Report)>) -> Option<Report> {
        if reports.len() <= 1 {
            return reports.into_iter().next().map(|(_, report)| report);
        }
        let mut worst = 0;
        for (index, (_, report)) in reports.iter().enumerate() {
            if report.conclusion > reports[worst].1.conclusion {
                worst = index;
            }
        }
        let mut chosen = None;
        let mut others = Vec::new();
        for (index, (label, report)) in reports.into_iter().enumerate() {
            if index == worst {
                chosen = Some(Report { label: Some(label), ..report });
            } else {
                let title = wording::title(&report);
                others.push(Other { label, conclusion: report.conclusion, title });
            }
        }
        chosen.map(|report| Report { others, ..report })
    }

    /// What could change a verdict that counts, were it known.
    #[must_use]
    pub fn wants(&self) -> BTreeSet<Wanted> {
        let counted = self.uses.iter().filter(|judged| judged.counts);
        counted
            .filter_map(|judged| judged.judgement.as_ref())
            .flat_map(|judged| judged.wants.clone())
            .collect()
    }

    /// Whether a policy file is broken or cannot be read, the head's included.
    #[must_use]
    pub fn policy_is_broken(&self) -> bool {
        !wording::policy_problems(self).is_empty()
    }

    /// The approval that settles what would need a review: nothing worse stands
    /// against the change, and one of the policy's reviewers approves this head.
    #[must_use]
    pub fn settled_by(&self) -> Option<&Approval> {
        let approval = self.subject.approvals.first()?;
        let open = judge::worst_effect(self, crate::policy::Mode::Enforce);
        (open == Conclusion::ActionRequired && self.conclusion == Conclusion::Success).then_some(approval)
    }

    /// Whether there is something against the change that a person should hear
    /// of: findings that count, even those that are only observed, a broken
    /// policy, or that nothing could be judged.
    #[must_use]
    pub fn has_findings(&self) -> bool {
        self.unjudged.is_some() || self.policy_is_broken() || !item::counted(self).is_empty()
    }

    /// One line that says how it ended, as the check run's title does.
    #[must_use]
    pub fn title(&self) -> String {
        wording::title(self)
    }

    /// What the check run shows, within GitHub's limits.
    #[must_use]
    pub fn check_run(&self) -> CheckRunOutput {
        check_run::render(self)
    }

    /// The comment on the pull request: `Some` when there is something to say,
    /// or when a comment of ours `exists` and has to say that it is settled.
    #[must_use]
    pub fn comment(&self, exists: bool) -> Option<String> {
        comment::render(self, exists)
    }
}
