//! The words that every output shares: what is wrong, what to do, how many.

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
use crate::report::brief;
use crate::report::item;
use crate::report::item::Item;
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
        Role::NamedContext => "named context",
        Role::Container => "container",
        Role::InitContainer => "init container",
        Role::EphemeralContainer => "ephemeral container",
        Role::Service => "service",
        Role::PullableOutput => "image beside build",
        Role::CiJob => "CI job",
        Role::Action => "action",
        Role::ImageVolume => "image volume",
        Role::Cache => "build cache",
        Role::Command => "command",
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

/// One line that says how it ended; a single image is named.
pub(super) fn title(report: &Report) -> String {
    let judged = report.unjudged.is_none() && policy_problems(report).is_empty();
    let one = judged.then(|| brief::title_of_one(&item::counted(report))).flatten();
    if let Some(approval) = report.settled_by() {
        let what = one.map_or_else(|| tally(&item::counted(report)), |(_, one)| one);
        return format!("Approved by {}: {what}", approval.by);
    }
    match (one, report.conclusion) {
        (Some((_, one)), Conclusion::Success) => format!("Observed only: {one}"),
        (Some((verdict, one)), _) => format!("{verdict}: {one}"),
        (None, _) => outcome(report),
    }
}

/// How it ended, in numbers.
pub(super) fn outcome(report: &Report) -> String {
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
    let items = item::counted(report);
    match (items.len(), report.conclusion) {
        (0, _) if report.uses.is_empty() && report.problems.is_empty() => "No image sources".to_owned(),
        (0, _) => match report.uses.iter().filter(|usage| usage.counts).count() {
            0 => "No image source was introduced or changed".to_owned(),
            passed => format!("{} from trusted sources", count(passed, "image use")),
        },
        (_, Conclusion::Success) => format!("Observed only: {}", tally(&items)),
        _ => tally(&items),
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
    let items = item::counted(report);
    let place = match report.subject.base {
        Some(_) => "this change",
        None => "these files",
    };
    match (items.len(), report.conclusion) {
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
            format!("Observed only: {}. Enforced, this check would {would}.", brief::what(report, &items))
        }
        _ => format!("{}.", brief::what(report, &items)),
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
            // Without a base the file is one on the reader's own machine.
            PolicyProblem::Broken { whose: Whose::Repository | Whose::Organisation, loaded }
                if report.subject.base.is_none() =>
            {
                format!(
                    "Mend the lines shown of `{}`; until then no image can be judged.",
                    loaded.file.path()
                )
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
    if items.is_empty() {
        return "Nothing is to be done.".to_owned();
    }
    let act = brief::what_to_do(report, &items);
    match report.conclusion {
        Conclusion::Success => {
            format!("Nothing has to be done now. Before it is enforced: {}", lower_first(&act))
        }
        _ => act,
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
pub(super) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first: String = characters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", characters.as_str().trim_end_matches('.'))
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    let first: String = characters.next().map(|first| first.to_lowercase().collect()).unwrap_or_default();
    format!("{first}{}", characters.as_str())
}

/// What an item counts among, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Refused,
    Review,
    Undecided,
    Unreadable,
}

impl Group {
    const ALL: [Group; 4] = [Group::Refused, Group::Review, Group::Undecided, Group::Unreadable];

    fn of(item: &Item<'_>) -> Group {
        match (item.is_problem(), item.verdict()) {
            (true, _) => Group::Unreadable,
            (false, Verdict::Fail) => Group::Refused,
            (false, Verdict::Review) => Group::Review,
            (false, _) => Group::Undecided,
        }
    }

    /// What is counted, and what is said of one and of several.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Group::Refused => ("image use", "refused", "refused"),
            Group::Review => ("image use", "needs review", "need review"),
            Group::Undecided => ("image use", "cannot be decided", "cannot be decided"),
            Group::Unreadable => ("file", "cannot be read in full", "cannot be read in full"),
        }
    }
}

/// Items by what they count among, worst first, each group with its words:
/// `2 image uses refused`, `1 needs review`.
pub(super) fn groups<'i, 'a>(items: &'i [Item<'a>]) -> Vec<(String, Vec<&'i Item<'a>>)> {
    let mut groups = Vec::new();
    let mut last_noun = "";
    for group in Group::ALL {
        let of_group: Vec<&Item<'_>> = items.iter().filter(|item| Group::of(item) == group).collect();
        let number = of_group.len();
        if number == 0 {
            continue;
        }
        let (noun, one, several) = group.words();
        let verb = if number == 1 { one } else { several };
        let words = match noun == last_noun {
            true => format!("{number} {verb}"),
            false => format!("{} {verb}", count(number, noun)),
        };
        last_noun = noun;
        groups.push((words, of_group));
    }
    groups
}

/// How many uses and problems that count have a finding: `2 image uses refused, 1 needs review`.
fn tally(items: &[Item<'_>]) -> String {
    let words: Vec<String> = groups(items).into_iter().map(|(words, _)| words).collect();
    words.join(", ")
}
