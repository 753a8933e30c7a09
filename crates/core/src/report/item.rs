//! What is against a use or a problem, worst first: the list that every output walks.

use crate::policy::Effect;
use crate::policy::Finding;
use crate::policy::Judgement;
use crate::policy::Mode;
use crate::policy::Verdict;
use crate::report::JudgedProblem;
use crate::report::JudgedUse;
use crate::report::Report;
use crate::source::Location;
use crate::source::SourceFile;

/// The most lines of one file that are listed beside the first.
const MAX_LINES: usize = 8;

/// What the findings are about.
#[derive(Debug, Clone, Copy)]
pub(super) enum About<'a> {
    Use(&'a JudgedUse),
    Problem(&'a JudgedProblem),
}

/// One use or problem with what is against it.
#[derive(Debug, Clone)]
pub(super) struct Item<'a> {
    pub(super) about: About<'a>,
    /// Never empty, worst first.
    pub(super) findings: Vec<&'a Finding>,
    /// More problems of the same file, as loud, in the order of their places: a
    /// file that is no Dockerfile at all is one thing to mend, not a hundred.
    pub(super) more: Vec<&'a JudgedProblem>,
}

/// How loud an item is said, loudest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Notice,
    Warning,
    Failure,
}

/// What has findings and counts in the conclusion, worst first, then by place.
pub(super) fn counted(report: &Report) -> Vec<Item<'_>> {
    let mut items: Vec<Item<'_>> = all(report).filter(|item| item.counts()).collect();
    items.sort_by(|a, b| {
        b.level()
            .cmp(&a.level())
            .then_with(|| b.verdict().cmp(&a.verdict()))
            .then_with(|| a.decided_at().cmp(b.decided_at()))
    });
    items.into_iter().fold(Vec::new(), folded)
}

/// Adds an item, or its problem to the last item if that is of the same file.
fn folded<'a>(mut items: Vec<Item<'a>>, item: Item<'a>) -> Vec<Item<'a>> {
    if let (About::Problem(problem), Some(last)) = (item.about, items.last_mut())
        && last.is_problem()
        && last.decided_at().file == problem.problem.at.file
        && (last.level(), last.verdict()) == (item.level(), item.verdict())
    {
        last.more.push(problem);
    } else {
        items.push(item);
    }
    items
}

/// Everything that has findings, uses first, in the report's order.
pub(super) fn all(report: &Report) -> impl Iterator<Item = Item<'_>> {
    let uses = report.uses.iter().filter_map(|judged| item(About::Use(judged), judged.judgement.as_ref()));
    let problems =
        report.problems.iter().filter_map(|judged| item(About::Problem(judged), judged.judgement.as_ref()));
    uses.chain(problems)
}

fn item<'a>(about: About<'a>, judgement: Option<&'a Judgement>) -> Option<Item<'a>> {
    let mut findings: Vec<&Finding> = judgement?.findings.iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse((finding.mode, finding.effect, finding.verdict)));
    (!findings.is_empty()).then_some(Item { about, findings, more: Vec::new() })
}

impl<'a> Item<'a> {
    pub(super) fn worst(&self) -> &'a Finding {
        self.findings[0]
    }

    pub(super) fn counts(&self) -> bool {
        match self.about {
            About::Use(judged) => judged.counts,
            About::Problem(judged) => judged.counts,
        }
    }

    pub(super) fn is_skipped(&self) -> bool {
        match self.about {
            About::Use(judged) => judged.skipped,
            About::Problem(judged) => judged.skipped,
        }
    }

    pub(super) fn is_problem(&self) -> bool {
        matches!(self.about, About::Problem(_))
    }

    /// The worst verdict of its findings.
    pub(super) fn verdict(&self) -> Verdict {
        self.findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Pass)
    }

    pub(super) fn level(&self) -> Level {
        self.findings.iter().map(|finding| level(finding)).max().unwrap_or(Level::Notice)
    }

    /// Where the reference or the problem stands.
    pub(super) fn stands_at(&self) -> Location {
        match self.about {
            About::Use(judged) => Location { file: judged.usage.file.clone(), span: judged.usage.span },
            About::Problem(judged) => judged.problem.at.clone(),
        }
    }

    /// Where else in the file something cannot be read; empty when nowhere.
    pub(super) fn more_lines(&self, source: Option<&SourceFile>) -> String {
        let Some(source) = source.filter(|_| !self.more.is_empty()) else { return String::new() };
        let mut lines: Vec<usize> =
            self.more.iter().map(|more| source.position(more.problem.at.span.start).line_1based).collect();
        lines.dedup();
        let shown: Vec<String> = lines.iter().take(MAX_LINES).map(usize::to_string).collect();
        let rest = match lines.len() - shown.len() {
            0 => String::new(),
            rest => format!(" and {rest} more"),
        };
        let noun = if lines.len() == 1 { "line" } else { "lines" };
        format!("the same file cannot be read at {noun} {}{rest}", shown.join(", "))
    }

    /// The place whose edit decides.
    pub(super) fn decided_at(&self) -> &'a Location {
        match self.about {
            About::Use(judged) => &judged.usage.decided_at,
            About::Problem(judged) => &judged.problem.at,
        }
    }
}

/// What is refused and enforced is a failure; what is only observed, or waits
/// for a person, is said one step more quietly.
pub(super) fn level(finding: &Finding) -> Level {
    match (finding.mode, finding.effect) {
        (Mode::Enforce, Effect::Fail) => Level::Failure,
        (Mode::Enforce, Effect::Review) | (Mode::Observe, Effect::Fail) => Level::Warning,
        (Mode::Observe, Effect::Review) => Level::Notice,
    }
}
