//! The bench that the tests of the report stand at: files in, a report out, with
//! a judge of its own in place of a policy's rules.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::day::Day;
use crate::image::ImageUse;
use crate::image::Target;
use crate::policy;
use crate::policy::Effect;
use crate::policy::Explanation;
use crate::policy::Finding;
use crate::policy::Judgement;
use crate::policy::Loaded;
use crate::policy::Mode;
use crate::policy::Policies;
use crate::policy::PolicyFile;
use crate::policy::REPOSITORY_POLICY_PATH;
use crate::policy::Scope;
use crate::policy::Verdict;
use crate::report::Report;
use crate::report::Subject;
use crate::report::judge::judge_with;
use crate::scan::Scan;
use crate::scan::Scanned;
use crate::source::Content;
use crate::source::Location;
use crate::source::Problem;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::source::Span;

/// A policy that loads. What it says is not asked here: [`verdict_of`] judges.
pub(super) const POLICY: &str = "version: 1\nmode: enforce\nunknown: review\n";

pub(super) fn scanned(files: &[(&str, &str)]) -> Scanned {
    let mut scan = Scan::of_tree(files.iter().map(|(path, _)| RepoPath::new(path)).collect());
    loop {
        let wanted = scan.wanted();
        if wanted.is_empty() {
            return scan.finish();
        }
        for path in wanted {
            let text = files.iter().find(|(known, _)| RepoPath::new(known) == path);
            scan.feed(
                &path,
                text.map_or(Content::Missing, |(_, text)| Content::from_bytes(text.as_bytes().to_vec())),
            );
        }
    }
}

pub(super) fn loaded(text: &str) -> Loaded {
    let file = Arc::new(SourceFile::new(RepoPath::new(REPOSITORY_POLICY_PATH), text));
    policy::load(file, Scope::Repository, day())
}

/// The day on which everything here is judged.
pub(super) fn day() -> Day {
    Day::parse("2026-11-25").expect("a day")
}

/// A policy with an error at its second line, whatever the loader thinks of it.
pub(super) fn broken() -> Loaded {
    let mut loaded = loaded("version: 1\nmood: enforce\nunknown: review\n");
    loaded.policy = None;
    loaded.diagnostics = vec![policy::Diagnostic {
        severity: policy::Severity::Error,
        span: Span::new(11, 15),
        message: "unknown key `mood`".to_owned(),
        help: Some("did you mean `mode`?".to_owned()),
    }];
    loaded
}

pub(super) fn subject(base: Option<&[(&str, &str)]>, head: &[(&str, &str)]) -> Subject {
    let touched = base.map(|base| {
        let differs = |(path, text): &&(&str, &str), other: &[(&str, &str)]| {
            other.iter().all(|known| known != &(*path, *text))
        };
        let gone = base.iter().filter(|file| differs(file, head));
        head.iter()
            .filter(|file| differs(file, base))
            .chain(gone)
            .map(|(path, _)| RepoPath::new(path))
            .collect::<BTreeSet<_>>()
    });
    Subject {
        head: scanned(head),
        base: base.map(scanned),
        touched,
        policies: Policies { repository: PolicyFile::Read(loaded(POLICY)), day: day(), ..Policies::none() },
        proposed: None,
        evidence: Arc::default(),
        notices: Vec::new(),
        approvals: Vec::new(),
    }
}

/// A report on a whole tree under an enforcing policy.
pub(super) fn report(head: &[(&str, &str)]) -> Report {
    judge(subject(None, head), Mode::Enforce)
}

pub(super) fn judge(subject: Subject, mode: Mode) -> Report {
    judge_with(
        subject,
        |policies, usage| (!is_absent(policies)).then(|| verdict_of(usage, mode)),
        |policies, problem| (!is_absent(policies)).then(|| unreadable(problem, mode)),
    )
}

fn is_absent(policies: &Policies) -> bool {
    matches!(policies.repository, PolicyFile::Absent) && matches!(policies.organisation, PolicyFile::Absent)
}

/// `evil.io` is blocked, with a replacement; Docker Hub's official images pass; what
/// is not known is unsure; the rest is unknown.
fn verdict_of(usage: &ImageUse, mode: Mode) -> Judgement {
    let finding = match &usage.targets[0] {
        Target::Image(image) if image.registry == "evil.io" => Some((
            "block",
            Verdict::Fail,
            Effect::Fail,
            format!("`{image}` is blocked: frozen"),
            Some("registry.example.com/base/x:1"),
        )),
        Target::Image(image) if image.name().starts_with("docker.io/library/") => None,
        Target::Image(image) => {
            Some(("unknown", Verdict::Review, Effect::Review, format!("no source names `{image}`"), None))
        }
        Target::Partial(_) | Target::Unresolved { .. } => Some((
            "unsure",
            Verdict::Undecided,
            Effect::Review,
            format!("`{}` cannot be resolved", usage.raw),
            None,
        )),
        Target::Invalid { text, reason } => Some((
            "invalid",
            Verdict::Fail,
            Effect::Fail,
            format!("`{text}` is not a reference: {reason}"),
            None,
        )),
    };
    judgement(finding, mode)
}

fn unreadable(problem: &Problem, mode: Mode) -> Judgement {
    let message = format!("`{}` cannot be judged: {}", problem.at.file, problem.message);
    judgement(Some(("unreadable", Verdict::Undecided, Effect::Review, message, None)), mode)
}

fn judgement(finding: Option<(&str, Verdict, Effect, String, Option<&str>)>, mode: Mode) -> Judgement {
    let explanation = Explanation {
        text: "the policy reads".to_owned(),
        at: Some(Location { file: RepoPath::new(REPOSITORY_POLICY_PATH), span: Span::new(11, 24) }),
        because: vec![Explanation { text: "as it was matched".to_owned(), at: None, because: Vec::new() }],
    };
    let findings: Vec<Finding> = finding
        .into_iter()
        .map(|(rule, verdict, effect, message, fix)| Finding {
            rule: rule.to_owned(),
            verdict,
            effect,
            mode,
            message,
            explanation: explanation.clone(),
            fix: fix.map(str::to_owned),
            reviewers: Arc::from([]),
            liftable_as: None,
        })
        .collect();
    Judgement {
        verdict: findings.first().map_or(Verdict::Pass, |finding| finding.verdict),
        source: findings.is_empty().then(|| "official".to_owned()),
        findings,
        lifted: Vec::new(),
        wants: BTreeSet::new(),
        notices: BTreeSet::new(),
        explanation,
    }
}
