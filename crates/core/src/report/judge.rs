//! From a subject to a report: which uses count, and what it comes to.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::change;
use crate::change::Change;
use crate::image::ImageUse;
use crate::policy::Effect;
use crate::policy::JudgeScope;
use crate::policy::Judgement;
use crate::policy::Mode;
use crate::policy::Policies;
use crate::policy::PolicyFile;
use crate::policy::REPOSITORY_POLICY_PATH;
use crate::report::Conclusion;
use crate::report::JudgedProblem;
use crate::report::JudgedUse;
use crate::report::Preview;
use crate::report::Report;
use crate::report::Subject;
use crate::report::excepted;
use crate::report::preview;
use crate::source::Problem;
use crate::source::ProblemCode;
use crate::source::RepoPath;

/// [`crate::report::judge()`], with what judges handed in.
pub(super) fn judge_with(
    mut subject: Subject,
    judge_use: impl Fn(&Policies, &ImageUse) -> Option<Judgement>,
    judge_problem: impl Fn(&Policies, &Problem) -> Option<Judgement>,
) -> Report {
    let mut notices = std::mem::take(&mut subject.notices);
    notices.extend(mend(&mut subject));
    // What is never pulled is listed without a judgement.
    let judge_use = |policies: &Policies, usage: &ImageUse| match usage.replaced {
        true => None,
        false => judge_use(policies, usage),
    };
    let scope = subject.policies.judge_scope();
    let (changes, removed) = match &subject.base {
        Some(base) => {
            let compared = change::compare(&base.uses, &subject.head.uses);
            (compared.head, compared.removed.len())
        }
        None => (vec![Change::Introduced; subject.head.uses.len()], 0),
    };
    let touched = |file: &RepoPath| subject.touched.as_ref().is_none_or(|files| files.contains(file));
    // What another file decides is skipped only together with that file.
    let skipped = |usage: &ImageUse| {
        let mut places = std::iter::once(&usage.file).chain(usage.via.iter().map(|via| &via.at.file));
        places.all(|file| subject.policies.is_skipped(file))
    };
    let uses: Vec<JudgedUse> = subject
        .head
        .uses
        .iter()
        .zip(changes)
        .map(|(usage, change)| JudgedUse {
            counts: !skipped(usage)
                && match scope {
                    JudgeScope::Repository => true,
                    // A place that decides a value can lie in another file than the use.
                    JudgeScope::Touched => {
                        change != Change::Unchanged
                            || touched(&usage.file)
                            || usage.via.iter().any(|via| touched(&via.at.file))
                    }
                    JudgeScope::Changed => change != Change::Unchanged,
                },
            skipped: skipped(usage),
            judgement: judge_use(&subject.policies, usage),
            usage: usage.clone(),
            change,
        })
        .collect();
    let new_problems = new_problems(&subject);
    let problems: Vec<JudgedProblem> = subject
        .head
        .problems
        .iter()
        .zip(new_problems)
        .map(|(problem, is_new)| JudgedProblem {
            counts: !subject.policies.is_skipped(&problem.at.file)
                && (is_new || scope == JudgeScope::Repository || touched(&problem.at.file)),
            skipped: subject.policies.is_skipped(&problem.at.file),
            judgement: judge_problem(&subject.policies, problem),
            problem: problem.clone(),
        })
        .collect();
    notices.extend(said(&uses));
    notices.extend(excepted::lifted(&uses));
    if subject.base.is_none() {
        notices.extend(excepted::unused_sentences(&subject.policies, &uses));
    }
    let (preview, said) = preview(&subject, judge_use);
    notices.extend(said);
    let mut report = Report {
        conclusion: Conclusion::Neutral,
        uses,
        problems,
        removed,
        subject,
        unjudged: None,
        label: None,
        others: Vec::new(),
        notices,
        preview,
    };
    report.conclusion = conclude(&report);
    let settled = report.settled_by().map(|approval| {
        format!(
            "A review was needed, and is settled: `{}` (one of the policy's reviewers, as `{}`) approved this commit at \
             {}. A new commit or a dismissal of the review asks again.",
            approval.by, approval.reviewer, approval.at
        )
    });
    report.notices.extend(settled);
    report
}

/// What judging says of the uses that count and is nothing against them.
fn said(uses: &[JudgedUse]) -> BTreeSet<String> {
    let counted = uses.iter().filter(|judged| judged.counts);
    counted.filter_map(|judged| judged.judgement.as_ref()).flat_map(|judged| judged.notices.clone()).collect()
}

/// What the report comes to.
fn conclude(report: &Report) -> Conclusion {
    if report.policy_is_broken() {
        return Conclusion::Failure;
    }
    let policies = &report.subject.policies;
    if matches!((&policies.organisation, &policies.repository), (PolicyFile::Absent, PolicyFile::Absent)) {
        return Conclusion::Neutral;
    }
    match worst_effect(report, Mode::Enforce) {
        Conclusion::ActionRequired if !report.subject.approvals.is_empty() => Conclusion::Success,
        open => open,
    }
}

/// What the findings that count come to, when those of at least this mode are enforced.
pub(super) fn worst_effect(report: &Report, least: Mode) -> Conclusion {
    let uses = report.uses.iter().filter(|usage| usage.counts).filter_map(|usage| usage.judgement.as_ref());
    let problems = report
        .problems
        .iter()
        .filter(|problem| problem.counts)
        .filter_map(|problem| problem.judgement.as_ref());
    let worst = uses
        .chain(problems)
        .flat_map(|judgement| &judgement.findings)
        .filter(|finding| finding.mode >= least)
        .map(|finding| finding.effect)
        .max();
    match worst {
        Some(Effect::Fail) => Conclusion::Failure,
        Some(Effect::Review) => Conclusion::ActionRequired,
        None => Conclusion::Success,
    }
}

/// For each problem of the head, whether the base does not have it. As for uses,
/// where in the file it stands makes no difference.
fn new_problems(subject: &Subject) -> Vec<bool> {
    let mut at_base: BTreeMap<(&RepoPath, ProblemCode, &str), usize> = BTreeMap::new();
    for problem in subject.base.iter().flat_map(|base| &base.problems) {
        *at_base.entry((&problem.at.file, problem.code, &problem.message)).or_default() += 1;
    }
    let mut new = Vec::with_capacity(subject.head.problems.len());
    for problem in &subject.head.problems {
        let left = at_base.get_mut(&(&problem.at.file, problem.code, problem.message.as_str()));
        new.push(match left {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => true,
        });
    }
    new
}

/// A repository policy that is broken at the base would block the very change
/// that mends it. A change of nothing but that file, to one that loads, is
/// judged without it (github.md, "Decisions", 6).
fn mend(subject: &mut Subject) -> Option<String> {
    let broken = matches!(&subject.policies.repository, PolicyFile::Read(loaded) if loaded.policy.is_none());
    let mends = subject.proposed.as_ref().is_some_and(|loaded| loaded.policy.is_some());
    let alone = subject.touched.as_ref().is_some_and(|files| {
        files.len() == 1 && files.iter().all(|file| file.as_str() == REPOSITORY_POLICY_PATH)
    });
    if !(broken && mends && alone) {
        return None;
    }
    subject.policies.repository = PolicyFile::Absent;
    Some(match subject.policies.organisation {
        PolicyFile::Absent => format!(
            "The policy of the base branch does not load and this change mends it: nothing was judged. \
             The new `{REPOSITORY_POLICY_PATH}` loads and is in force once it is merged."
        ),
        PolicyFile::Read(_) | PolicyFile::Unreadable { .. } => format!(
            "The repository's policy does not load at the base branch and this change mends it: it was judged by \
             the organisation's policy alone. The new `{REPOSITORY_POLICY_PATH}` loads and is in force once it is merged."
        ),
    })
}

/// What a change of the policy would do, once merged, to the uses that were read;
/// and what to say of it.
fn preview(
    subject: &Subject,
    judge_use: impl Fn(&Policies, &ImageUse) -> Option<Judgement>,
) -> (Option<Preview>, Option<String>) {
    let Some(proposed) = &subject.proposed else {
        let edited = subject
            .touched
            .as_ref()
            .is_some_and(|files| files.contains(&RepoPath::new(REPOSITORY_POLICY_PATH)));
        let in_force = !matches!(subject.policies.repository, PolicyFile::Absent);
        let said = (edited && in_force).then(|| {
            format!(
                "This change removes `{REPOSITORY_POLICY_PATH}`. It was judged by the policy of the base branch, \
                 which stays in force until it is merged."
            )
        });
        return (None, said);
    };
    if proposed.policy.is_none() {
        return (None, None);
    }
    let after = subject.policies.with_proposed(proposed);
    let preview = preview::compare(&subject.head, &subject.head.uses, (&subject.policies, &after), judge_use);
    let said = format!(
        "This change edits the policy. It was judged by the policy of the base branch; the new one loads, \
         and is in force once it is merged. {}",
        preview.sentence()
    );
    (Some(preview), Some(said))
}

#[cfg(test)]
mod tests;
