//! The JSON documents of `scan` and `check`, version 1: a contract that others
//! script against (`docs/cli.md`). Keys are added, never renamed or removed.

use serde::Serialize;

use crate::image::ImageRef;
use crate::image::ImageUse;
use crate::image::Target;
use crate::policy::Finding;
use crate::policy::Severity;
use crate::report::JudgedUse;
use crate::report::Report;
use crate::report::dossier;
use crate::report::excepted;
use crate::report::explain;
use crate::report::item;
use crate::report::item::About;
use crate::report::wording;
use crate::scan::Scanned;
use crate::source::Location;
use crate::source::Problem;
use crate::source::SourceFile;

/// The version of both documents.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct ScanDocument<'a> {
    version: u32,
    uses: Vec<Use<'a>>,
    problems: Vec<ProblemEntry<'a>>,
    files_scanned: usize,
}

#[derive(Serialize)]
struct CheckDocument<'a> {
    version: u32,
    conclusion: &'static str,
    title: String,
    uses: Vec<CheckedUse<'a>>,
    findings: Vec<FindingEntry<'a>>,
    problems: Vec<ProblemEntry<'a>>,
    policy_errors: Vec<PolicyError<'a>>,
    notices: &'a [String],
    removed: usize,
    files_scanned: usize,
}

/// One member of what a use may resolve to.
#[derive(Serialize)]
struct Use<'a> {
    file: &'a str,
    format: &'static str,
    role: &'static str,
    #[serde(flatten)]
    range: Range,
    raw: &'a str,
    status: &'static str,
    image: Option<String>,
    registry: Option<&'a str>,
    repository: Option<&'a str>,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
    reachable: bool,
    reason: Option<&'a str>,
    via: Vec<ViaEntry<'a>>,
}

#[derive(Serialize)]
struct CheckedUse<'a> {
    #[serde(flatten)]
    usage: Use<'a>,
    verdict: Option<&'static str>,
    source: Option<&'a str>,
    change: &'static str,
    counts: bool,
    lifted: Vec<LiftedEntry<'a>>,
    /// Of an image that no source names, where something is known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    dossier: Option<Vec<DossierEntry>>,
}

/// A line of a dossier.
#[derive(Serialize)]
struct DossierEntry {
    about: &'static str,
    text: String,
}

/// Lines and columns from 1; columns in Unicode scalar values; the end exclusive.
#[derive(Serialize, Clone, Copy)]
struct Range {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    #[serde(flatten)]
    range: Range,
}

#[derive(Serialize)]
struct ViaEntry<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    what: &'a str,
}

#[derive(Serialize)]
struct ProblemEntry<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    code: &'static str,
    message: &'a str,
}

#[derive(Serialize)]
struct FindingEntry<'a> {
    verdict: &'static str,
    rule: &'a str,
    message: &'a str,
    explanation: String,
    fix: Option<&'a str>,
    file: &'a str,
    #[serde(flatten)]
    range: Range,
    at: Place<'a>,
    effect: &'static str,
    mode: &'static str,
    counts: bool,
    policy: Option<Place<'a>>,
    exception: Option<String>,
}

/// A finding that an exception took away.
#[derive(Serialize)]
struct LiftedEntry<'a> {
    rule: &'a str,
    message: &'a str,
    exception: &'a str,
    until: String,
    reason: &'a str,
}

#[derive(Serialize)]
struct PolicyError<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    message: &'a str,
    help: Option<&'a str>,
}

/// The JSON document of `fromguard scan`.
#[must_use]
pub fn scan_json(scanned: &Scanned) -> String {
    let mut uses: Vec<Use<'_>> = scanned.uses.iter().flat_map(|usage| members(scanned, usage)).collect();
    uses.sort_by(order);
    to_text(&ScanDocument {
        version: VERSION,
        uses,
        problems: scanned.problems.iter().map(|problem| problem_entry(scanned, problem)).collect(),
        files_scanned: scanned.files_scanned,
    })
}

/// The JSON document of `fromguard check`.
#[must_use]
pub fn check_json(report: &Report) -> String {
    let head = &report.subject.head;
    let mut uses: Vec<CheckedUse<'_>> =
        report.uses.iter().flat_map(|judged| checked_members(report, judged)).collect();
    uses.sort_by(|a, b| order(&a.usage, &b.usage));
    let mut findings: Vec<FindingEntry<'_>> = item::all(report)
        .flat_map(|item| {
            let about = item.about;
            let counts = item.counts();
            let exception = excepted::proposal(report, &item).map(|proposal| proposal.yaml);
            item.findings
                .into_iter()
                .map(move |finding| finding_entry(report, about, counts, finding, exception.clone()))
        })
        .collect();
    findings
        .sort_by(|a, b| (a.file, a.range.line, a.range.column).cmp(&(b.file, b.range.line, b.range.column)));
    to_text(&CheckDocument {
        version: VERSION,
        conclusion: report.conclusion.as_str(),
        title: report.title(),
        uses,
        findings,
        problems: head.problems.iter().map(|problem| problem_entry(head, problem)).collect(),
        policy_errors: policy_errors(report),
        notices: &report.notices,
        removed: report.removed,
        files_scanned: head.files_scanned,
    })
}

fn to_text(document: &impl Serialize) -> String {
    let mut text =
        serde_json::to_string_pretty(document).expect("documents of plain strings and numbers serialise");
    text.push('\n');
    text
}

/// By file, line, column, then image with null first.
fn order(a: &Use<'_>, b: &Use<'_>) -> std::cmp::Ordering {
    let place = |usage: &Use<'_>| (usage.range.line, usage.range.column);
    a.file.cmp(b.file).then_with(|| place(a).cmp(&place(b))).then_with(|| a.image.cmp(&b.image))
}

fn members<'a>(scanned: &'a Scanned, usage: &'a ImageUse) -> impl Iterator<Item = Use<'a>> {
    let at = Location { file: usage.file.clone(), span: usage.span };
    let range = range(explain::source(scanned, &at), &at);
    usage.targets.iter().map(move |target| {
        let (known, image, reason): (Option<&ImageRef>, _, _) = match target {
            Target::Image(image) => (Some(image), Some(image.to_string()), None),
            Target::Partial(partial) => (Some(&partial.name), None, Some(partial.reason.as_str())),
            Target::Unresolved { reason } | Target::Invalid { reason, .. } => {
                (None, None, Some(reason.as_str()))
            }
        };
        Use {
            file: usage.file.as_str(),
            format: usage.format,
            role: usage.role.as_str(),
            range,
            raw: &usage.raw,
            status: target.status(),
            image,
            registry: known.map(|image| image.registry.as_str()),
            repository: known.map(|image| image.repository.as_str()),
            tag: known.and_then(|image| image.tag.as_deref()),
            digest: known.and_then(|image| image.digest.as_ref()).map(|digest| digest.as_str()),
            reachable: usage.reachable,
            reason,
            via: usage
                .via
                .iter()
                .map(|via| {
                    let (start, _) = explain::positions(explain::source(scanned, &via.at), &via.at);
                    ViaEntry {
                        file: via.at.file.as_str(),
                        line: start.line_1based,
                        column: start.column_1based,
                        what: &via.what,
                    }
                })
                .collect(),
        }
    })
}

fn checked_members<'a>(report: &'a Report, judged: &'a JudgedUse) -> impl Iterator<Item = CheckedUse<'a>> {
    members(&report.subject.head, &judged.usage).map(move |usage| CheckedUse {
        usage,
        verdict: judged.judgement.as_ref().map(|judgement| judgement.verdict.as_str()),
        source: judged.judgement.as_ref().and_then(|judgement| judgement.source.as_deref()),
        change: judged.change.as_str(),
        counts: judged.counts,
        dossier: dossier::of(report, judged).map(|lines| {
            lines.into_iter().map(|line| DossierEntry { about: line.about, text: line.text }).collect()
        }),
        lifted: judged
            .judgement
            .iter()
            .flat_map(|judgement| &judgement.lifted)
            .map(|lifted| LiftedEntry {
                rule: &lifted.finding.rule,
                message: &lifted.finding.message,
                exception: &lifted.exception,
                until: lifted.until.to_string(),
                reason: &lifted.reason,
            })
            .collect(),
    })
}

fn problem_entry<'a>(scanned: &Scanned, problem: &'a Problem) -> ProblemEntry<'a> {
    let (start, _) = explain::positions(explain::source(scanned, &problem.at), &problem.at);
    ProblemEntry {
        file: problem.at.file.as_str(),
        line: start.line_1based,
        column: start.column_1based,
        code: problem.code.as_str(),
        message: &problem.message,
    }
}

fn finding_entry<'a>(
    report: &'a Report,
    about: About<'a>,
    counts: bool,
    finding: &'a Finding,
    exception: Option<String>,
) -> FindingEntry<'a> {
    let head = &report.subject.head;
    let (stands_at, decided_at) = match about {
        About::Use(judged) => {
            (Location { file: judged.usage.file.clone(), span: judged.usage.span }, &judged.usage.decided_at)
        }
        About::Problem(judged) => (judged.problem.at.clone(), &judged.problem.at),
    };
    let file = match about {
        About::Use(judged) => judged.usage.file.as_str(),
        About::Problem(judged) => judged.problem.at.file.as_str(),
    };
    let explanation: Vec<String> = explain::steps(&finding.explanation)
        .into_iter()
        .map(|step| format!("{}{}", "  ".repeat(step.depth), step.text))
        .collect();
    FindingEntry {
        verdict: finding.verdict.as_str(),
        rule: &finding.rule,
        message: &finding.message,
        explanation: explanation.join("\n"),
        fix: finding.fix.as_deref(),
        file,
        range: range(explain::source(head, &stands_at), &stands_at),
        at: place(explain::source(head, decided_at), decided_at),
        effect: wording::effect(finding.effect),
        mode: wording::mode(finding.mode),
        counts,
        policy: explain::policy_place(&finding.explanation)
            .map(|at| place(explain::policy_source(report, at), at)),
        exception,
    }
}

fn policy_errors(report: &Report) -> Vec<PolicyError<'_>> {
    let mut errors = Vec::new();
    for (_, loaded) in wording::loaded_policies(report) {
        for diagnostic in loaded.diagnostics.iter().filter(|d| d.severity == Severity::Error) {
            let start = loaded.file.position(diagnostic.span.start);
            errors.push(PolicyError {
                file: loaded.file.path().as_str(),
                line: start.line_1based,
                column: start.column_1based,
                message: &diagnostic.message,
                help: diagnostic.help.as_deref(),
            });
        }
    }
    for problem in wording::policy_problems(report) {
        if let wording::PolicyProblem::Unreadable { path, reason, .. } = problem {
            errors.push(PolicyError { file: path, line: 1, column: 1, message: reason, help: None });
        }
    }
    errors
}

fn place<'a>(source: Option<&SourceFile>, at: &'a Location) -> Place<'a> {
    Place { file: at.file.as_str(), range: range(source, at) }
}

fn range(source: Option<&SourceFile>, at: &Location) -> Range {
    let (start, end) = explain::positions(source, at);
    Range {
        line: start.line_1based,
        column: start.column_1based,
        end_line: end.line_1based,
        end_column: end.column_1based,
    }
}

#[cfg(test)]
mod tests;
