//! The words that every output shares: what is wrong, what to do, how many.

use crate::image::ImageUse;
use crate::image::Role;
use crate::image::Target;
use crate::policy::Effect;
use crate::policy::Loaded;
use crate::policy::Mode;
use crate::policy::ORGANISATION_POLICY_PATH;
use crate::policy::PolicyFile;
use crate::policy::REPOSITORY_POLICY_PATH;
use crate::policy::Severity;
use crate::policy::Verdict;
use crate::report::Conclusion;
use crate::report::Fault;
use crate::report::Report;
use crate::report::item;
use crate::report::judge::worst_effect;

/// Whose policy file something is said of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Organisation,
    Repository,
    /// The repository's as the change would have it.
    Proposed,
}

/// A policy file that cannot be used.
pub(super) enum PolicyProblem<'a> {
    Broken { whose: Whose, loaded: &'a Loaded },
    Unreadable { whose: Whose, path: &'a str, reason: &'a str },
}

/// Every policy file that cannot be used, the head's included.
pub(super) fn policy_problems(report: &Report) -> Vec<PolicyProblem<'_>> {
    let policies = &report.subject.policies;
    let mut problems = Vec::new();
    for (whose, file) in
        [(Whose::Organisation, &policies.organisation), (Whose::Repository, &policies.repository)]
    {
        match file {
            PolicyFile::Read(loaded) if loaded.policy.is_none() => {
                problems.push(PolicyProblem::Broken { whose, loaded });
            }
            PolicyFile::Unreadable { path, reason } => {
                problems.push(PolicyProblem::Unreadable { whose, path, reason });
            }
            PolicyFile::Read(_) | PolicyFile::Absent => {}
        }
    }
    if let Some(loaded) = report.subject.proposed.as_ref().filter(|loaded| loaded.policy.is_none()) {
        problems.push(PolicyProblem::Broken { whose: Whose::Proposed, loaded });
    }
    problems
}

/// Every policy file that was read, the head's included.
pub(super) fn loaded_policies(report: &Report) -> Vec<(Whose, &Loaded)> {
    let policies = &report.subject.policies;
    let in_force = [(Whose::Organisation, &policies.organisation), (Whose::Repository, &policies.repository)];
    let mut loaded: Vec<(Whose, &Loaded)> = in_force
        .into_iter()
        .filter_map(|(whose, file)| match file {
            PolicyFile::Read(loaded) => Some((whose, loaded)),
            PolicyFile::Absent | PolicyFile::Unreadable { .. } => None,
        })
        .collect();
    loaded.extend(report.subject.proposed.as_ref().map(|proposed| (Whose::Proposed, proposed)));
    loaded
}

impl PolicyProblem<'_> {
    /// What is wrong, in one clause.
    pub(super) fn what(&self) -> String {
        match self {
            PolicyProblem::Broken { whose, loaded } => {
                let errors = loaded.diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
                format!("{} has {}", whose.file(), count(errors, "error"))
            }
            PolicyProblem::Unreadable { whose, path, reason } => {
                format!("{} (`{path}`) cannot be read: {reason}", whose.file())
            }
        }
    }
}

impl Whose {
    /// The file, for people.
    pub(super) fn file(self) -> String {
        match self {
            Whose::Organisation => {
                format!("the organisation's policy `{ORGANISATION_POLICY_PATH}` in its repository `.github`")
            }
            Whose::Repository => format!("the repository's policy `{REPOSITORY_POLICY_PATH}`"),
            Whose::Proposed => format!("the policy `{REPOSITORY_POLICY_PATH}` as this change would have it"),
        }
    }
}

/// `1 error`, `2 errors`.
pub(super) fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// The reference of a use as people know it: as written.
pub(super) fn name_of(usage: &ImageUse) -> &str {
    &usage.raw
}

/// What a member of a value set is, in a few words.
pub(super) fn target(target: &Target) -> String {
    match target {
        Target::Image(image) => image.to_string(),
        Target::Partial(partial) => format!("{} with something unknown: {}", partial.name, partial.reason),
        Target::Unresolved { reason } => format!("unresolved: {reason}"),
        Target::Invalid { text, reason } => format!("not a reference: `{text}`: {reason}"),
    }
}

/// The statement that a use stands in.
pub(super) fn statement(role: Role) -> &'static str {
    match role {
        Role::BuildStage | Role::FinalStage => "FROM",
        Role::CopyFrom => "COPY --from",
        Role::MountFrom => "RUN --mount from=",
        Role::Frontend => "# syntax",
        Role::Onbuild => "ONBUILD",
    }
}

/// What a verdict means for the reader.
pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "passed",
        Verdict::Undecided => "undecided",
        Verdict::Review => "needs review",
        Verdict::Fail => "refused",
    }
}

/// The word for an effect in JSON.
pub(super) fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Review => "review",
        Effect::Fail => "fail",
    }
}

/// The word for a mode, as the policy file has it.
pub(super) fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Observe => "observe",
        Mode::Enforce => "enforce",
    }
}

/// One line that says how it ended.
pub(super) fn title(report: &Report) -> String {
    if let Some(unjudged) = &report.unjudged {
        return match unjudged.fault {
            Fault::GitHub => "Could not be judged: GitHub did not answer".to_owned(),
            Fault::Installation => "Could not be judged: a right is missing".to_owned(),
            Fault::Repository => "Could not be judged: the change cannot be read".to_owned(),
            Fault::Fromguard => "Could not be judged: fromguard has a defect".to_owned(),
        };
    }
    let broken = policy_problems(report);
    if !broken.is_empty() {
        let unreadable = broken.iter().any(|problem| matches!(problem, PolicyProblem::Unreadable { .. }));
        return match unreadable {
            true => "The policy cannot be read".to_owned(),
            false => "The policy has errors".to_owned(),
        };
    }
    if report.conclusion == Conclusion::Neutral {
        return format!("No policy: {} not judged", count(report.uses.len(), "image use"));
    }
    let tally = Tally::of(report);
    match (tally.findings(), report.conclusion) {
        (0, _) if report.uses.is_empty() && report.problems.is_empty() => "No image sources".to_owned(),
        (0, _) => match report.uses.iter().filter(|usage| usage.counts).count() {
            0 => "No image source was introduced or changed".to_owned(),
            passed => format!("{} from trusted sources", count(passed, "image use")),
        },
        (_, Conclusion::Success) => format!("Observed only: {}", tally.words()),
        _ => tally.words(),
    }
}

/// What is wrong, one sentence. The title's clause, said in full.
pub(super) fn what_is_wrong(report: &Report) -> String {
    if let Some(unjudged) = &report.unjudged {
        return format!("This head could not be judged: {}.", unjudged.reason.trim_end_matches('.'));
    }
    let broken = policy_problems(report);
    if !broken.is_empty() {
        let clauses: Vec<String> = broken.iter().map(PolicyProblem::what).collect();
        return sentence(&clauses.join("; and "));
    }
    if report.conclusion == Conclusion::Neutral {
        let found = match report.uses.len() {
            0 => "no image source was read".to_owned(),
            uses => format!("{} found, none judged", count(uses, "image use")),
        };
        return format!("There is no policy: {found}.");
    }
    let tally = Tally::of(report);
    let place = match report.subject.base {
        Some(_) => "this change",
        None => "these files",
    };
    match (tally.findings(), report.conclusion) {
        (0, _) if report.uses.is_empty() && report.problems.is_empty() => {
            format!(
                "Nothing is wrong: {place} {} no image source.",
                if report.subject.base.is_some() { "touches" } else { "hold" }
            )
        }
        (0, _) => match report.uses.iter().filter(|usage| usage.counts).count() {
            0 => "Nothing is wrong: no image source was introduced or changed.".to_owned(),
            passed => {
                format!("Nothing is wrong: {} judged, all from trusted sources.", count(passed, "image use"))
            }
        },
        (_, Conclusion::Success) => {
            let would = match worst_effect(report, Mode::Observe) {
                Conclusion::Failure => "fail",
                _ => "wait for a review",
            };
            format!("{}. The policy only observes; enforced, this check would {would}.", tally.words())
        }
        _ => format!("{}.", tally.words()),
    }
}

/// What to do about it, one sentence or two.
pub(super) fn what_to_do(report: &Report) -> String {
    if let Some(unjudged) = &report.unjudged {
        return match unjudged.fault {
            Fault::GitHub => {
                "Nothing is wrong with the change as far as is known. Re-run this check in a few minutes; \
                 githubstatus.com says whether GitHub is ill."
            }
            Fault::Installation => {
                "An owner of the organisation has to accept the App's permissions, or install it on this \
                 repository; then re-run this check."
            }
            Fault::Repository => {
                "Make the change small enough to be read whole, or split it; the check runs again on the next push."
            }
            Fault::Fromguard => {
                "This is a defect of fromguard, not of the change. Re-run this check; if it happens again, give \
                 its operator this message."
            }
        }
        .to_owned();
    }
    let broken = policy_problems(report);
    if let Some(problem) = broken.first() {
        return match problem {
            PolicyProblem::Broken { whose: Whose::Proposed, .. } => {
                "Mend the lines that are shown; `fromguard policy validate` checks the file before a push."
                    .to_owned()
            }
            PolicyProblem::Broken { whose: Whose::Repository, .. } => format!(
                "Mend `{REPOSITORY_POLICY_PATH}` on the base branch, in a pull request that changes nothing else; \
                 until then no image can be judged."
            ),
            PolicyProblem::Broken { whose: Whose::Organisation, .. } => format!(
                "A maintainer of the organisation's policy has to mend `{ORGANISATION_POLICY_PATH}`; until then no \
                 image can be judged."
            ),
            PolicyProblem::Unreadable { .. } => {
                "Make the file readable text at its usual path, then re-run this check.".to_owned()
            }
        };
    }
    if report.conclusion == Conclusion::Neutral {
        return format!(
            "To have them judged, add `{REPOSITORY_POLICY_PATH}`; the starter below only observes."
        );
    }
    let items = item::counted(report);
    let fix = items.iter().flat_map(|item| &item.findings).any(|finding| finding.fix.is_some());
    let review_only =
        items.iter().flat_map(|item| &item.findings).all(|finding| finding.effect == Effect::Review);
    if items.is_empty() {
        return "Nothing is to be done.".to_owned();
    }
    let only =
        |verdict, problem| items.iter().all(|item| item.is_problem() == problem && item.verdict() == verdict);
    let act = match (fix, review_only) {
        _ if items.iter().all(item::Item::is_problem) => {
            "Mend what cannot be read, at the places shown: it could hide an image, so it is never passed."
        }
        _ if only(Verdict::Undecided, false) => {
            "Write each reference so that the files alone decide it: give the argument a default, or write it out."
        }
        (true, _) => "Write the approved image that stands beside each finding, or have the policy changed.",
        (false, true) => {
            "Take an image from a source that the policy names, or have the policy changed: only a change of the \
             code or of the policy settles a review."
        }
        (false, false) => "Take each image from a source that the policy names, or have the policy changed.",
    };
    match report.conclusion {
        Conclusion::Success => {
            format!("Nothing has to be done now. Before it is enforced: {}", lower_first(act))
        }
        _ => act.to_owned(),
    }
}

/// What has findings or lies in skipped paths and does not count, if anything.
pub(super) fn uncounted(report: &Report) -> Vec<String> {
    let skipped = report.uses.iter().filter(|judged| judged.skipped).count()
        + report.problems.iter().filter(|judged| judged.skipped).count();
    let standing = item::all(report).filter(|item| !item.counts() && !item.is_skipped()).count();
    let mut said = Vec::new();
    if standing > 0 {
        let verb = if standing == 1 { "does" } else { "do" };
        said.push(format!(
            "{} with findings did not change and {verb} not count; `judge: repository` in the policy counts all.",
            count(standing, "more place")
        ));
    }
    if skipped > 0 {
        said.push(format!("{} in paths that `skip-paths` leaves out.", count(skipped, "image use")));
    }
    said
}

/// `text` with a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first: String = characters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", characters.as_str().trim_end_matches('.'))
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    let first: String = characters.next().map(|first| first.to_lowercase().collect()).unwrap_or_default();
    format!("{first}{}", characters.as_str())
}

/// How many uses and problems that count have a finding, by the worst of each.
#[derive(Debug, Default)]
struct Tally {
    refused: usize,
    review: usize,
    undecided: usize,
    unreadable: usize,
}

impl Tally {
    fn of(report: &Report) -> Tally {
        let mut tally = Tally::default();
        for item in item::counted(report) {
            match (item.is_problem(), item.verdict()) {
                (true, _) => tally.unreadable += 1,
                (false, Verdict::Fail) => tally.refused += 1,
                (false, Verdict::Review) => tally.review += 1,
                (false, _) => tally.undecided += 1,
            }
        }
        tally
    }

    fn findings(&self) -> usize {
        self.refused + self.review + self.undecided + self.unreadable
    }

    /// `2 image uses refused, 1 needs review`
    fn words(&self) -> String {
        let parts = [
            (self.refused, "image use", "refused", "refused"),
            (self.review, "image use", "needs review", "need review"),
            (self.undecided, "image use", "cannot be decided", "cannot be decided"),
            (self.unreadable, "place", "cannot be read", "cannot be read"),
        ];
        let mut said: Vec<String> = Vec::new();
        let mut last_noun = "";
        for (number, noun, one, several) in parts.into_iter().filter(|(number, ..)| *number > 0) {
            let verb = if number == 1 { one } else { several };
            said.push(match noun == last_noun {
                true => format!("{number} {verb}"),
                false => format!("{} {verb}", count(number, noun)),
            });
            last_noun = noun;
        }
        said.join(", ")
    }
}
