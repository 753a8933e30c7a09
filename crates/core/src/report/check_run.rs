//! What a check run shows, within GitHub's limits.

use crate::policy::Severity;
use crate::report::Conclusion;
use crate::report::Report;
use crate::report::STARTER_POLICY;
use crate::report::brief;
use crate::report::dossier;
use crate::report::excepted;
use crate::report::explain;
use crate::report::item;
use crate::report::item::About;
use crate::report::item::Item;
use crate::report::item::Level;
use crate::report::markdown;
use crate::report::markdown::Page;
use crate::report::markdown::cut;
use crate::report::untrusted::MAX_SHOWN_CHARS;
use crate::report::untrusted::code;
use crate::report::untrusted::plain;
use crate::report::untrusted::prose;
use crate::report::wording;
use crate::report::wording::PolicyProblem;
use crate::report::wording::Whose;
use crate::source::Location;
use crate::source::SourceFile;

/// `summary` and `text`, in bytes (GitHub's error says `bytesize`, its
/// documentation characters; github.md, "Platform facts").
const MAX_MARKDOWN_BYTES: usize = 65_535;
/// Annotations of one run, all requests together: more make a pull request
/// page unusable (reviewdog/reviewdog#1008).
const MAX_ANNOTATIONS: usize = 200;
/// `annotations[].title`, in characters (REST API, "Create a check run").
const MAX_ANNOTATION_TITLE_CHARS: usize = 255;
/// `annotations[].message` and `raw_details`: 64 KB.
const MAX_ANNOTATION_BYTES: usize = 64 * 1000;
/// Kept free behind the findings for the notices and the count, in bytes.
const NOTICES_BYTES: usize = 12_000;
/// What the starter and the line of counts take at most, in bytes.
const TALLY_BYTES: usize = 1_000;
/// The most other pull requests of the same head that are named.
const MAX_OTHERS: usize = 50;

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

pub(super) fn render(report: &Report) -> CheckRunOutput {
    let items = item::counted(report);
    let mut annotations = policy_annotations(report);
    let found = annotations.len() + items.len();
    annotations.truncate(MAX_ANNOTATIONS);
    // Only those that are shown are made: an author decides how many there are.
    let room = MAX_ANNOTATIONS - annotations.len();
    annotations.extend(items.iter().take(room).map(|item| annotation(report, item)));
    let unannotated = found - annotations.len();
    CheckRunOutput {
        title: wording::title(report),
        summary: summary(report, &items, unannotated),
        text: passed(report),
        annotations,
    }
}

/// Every annotation, worst first, as if there were no limit on their number.
pub(super) fn annotations(report: &Report) -> Vec<Annotation> {
    let mut annotations = policy_annotations(report);
    annotations.extend(item::counted(report).iter().map(|item| annotation(report, item)));
    annotations
}

fn summary(report: &Report, items: &[Item<'_>], unannotated: usize) -> String {
    let mut page = Page::new(MAX_MARKDOWN_BYTES);
    page.push(&markdown::head(report));
    others(report, &mut page);
    policy_section(report, &mut page);
    if !items.is_empty() {
        page.push("\n### Findings\n");
        markdown::findings(report, items, &mut page, NOTICES_BYTES);
    }
    if unannotated > 0 {
        page.push(&format!(
            "\nThe worst {MAX_ANNOTATIONS} are annotated in the files, and {unannotated} more are not.\n"
        ));
    }
    preview_section(report, &mut page);
    let mut notices: Vec<String> =
        report.notices.iter().map(|notice| format!("- {}\n", prose(notice))).collect();
    notices.extend(wording::uncounted(report).iter().map(|said| format!("- {}\n", prose(said))));
    notices.extend(policy_notices(report));
    if !notices.is_empty() {
        page.push("\n### Notices\n");
        page.list(notices.into_iter(), TALLY_BYTES, "");
    }
    if report.conclusion == Conclusion::Neutral && report.unjudged.is_none() {
        page.push(&format!("\n### A policy to start with\n\n```yaml\n{STARTER_POLICY}```\n"));
    }
    page.push(&tally(report));
    page.finish()
}

/// What the policy that the change proposes would make of what was read.
fn preview_section(report: &Report, page: &mut Page) {
    let Some(preview) = &report.preview else { return };
    if preview.changed.is_empty() && preview.unused.is_empty() {
        return;
    }
    page.push("\n### What the new policy would change\n\n");
    if !preview.changed.is_empty() {
        let counts = preview.counts().join(", ");
        let uses = wording::count(preview.uses, "image use");
        page.push(&format!("{} of {uses} that were read: {counts}.\n\n", preview.changed.len()));
    }
    let changed = preview.changed.iter().map(|one| {
        let because =
            one.because.as_ref().map_or(String::new(), |because| format!("  - {}\n", prose(because)));
        format!("- {} at {}: {}\n{because}", code(&one.image), code(&one.place), one.step())
    });
    let unused = preview.unused.iter().map(|id| format!("- exception {} lifts nothing any more\n", code(id)));
    let entries: Vec<String> = unused.chain(changed).collect();
    page.list(entries.into_iter(), NOTICES_BYTES, "");
}

/// Which pull request this is the result of, when several have this head.
fn others(report: &Report, page: &mut Page) {
    if report.others.is_empty() {
        return;
    }
    let label = report.label.as_deref().map_or_else(|| "one of them".to_owned(), code);
    page.push(&format!(
        "\nSeveral pull requests have this head, and GitHub keeps one result for it: the worst, which is that of {label}. The others:\n"
    ));
    let entries: Vec<String> = report
        .others
        .iter()
        .map(|other| {
            format!("- {}: {} ({})\n", code(&other.label), other.conclusion.as_str(), prose(&other.title))
        })
        .collect();
    let shown = entries.len().min(MAX_OTHERS);
    page.list(entries[..shown].iter().cloned(), NOTICES_BYTES, "");
    if entries.len() > shown {
        page.push(&format!("- … and {} more\n", entries.len() - shown));
    }
}

/// The lines of policy files that are wrong.
fn policy_section(report: &Report, page: &mut Page) {
    for problem in wording::policy_problems(report) {
        if let PolicyProblem::Broken { whose, loaded } = problem {
            page.push(&format!("\n### Errors in {}\n", prose(&whose.file())));
            let errors: Vec<String> = loaded
                .diagnostics
                .iter()
                .filter(|diagnostic| diagnostic.severity == Severity::Error)
                .map(|diagnostic| markdown::diagnostic_entry(loaded, diagnostic))
                .collect();
            page.list(errors.into_iter(), NOTICES_BYTES, "");
        }
    }
}

/// What loading the policies in force, and the one proposed, had to say.
fn policy_notices(report: &Report) -> Vec<String> {
    wording::loaded_policies(report)
        .into_iter()
        .flat_map(|(_, loaded)| {
            loaded
                .diagnostics
                .iter()
                .filter(|diagnostic| diagnostic.severity == Severity::Notice)
                .map(move |diagnostic| markdown::diagnostic_entry(loaded, diagnostic))
        })
        .collect()
}

/// One line of counts.
fn tally(report: &Report) -> String {
    if report.unjudged.is_some() {
        return String::new();
    }
    let mut line = format!(
        "\n{} in {} read",
        wording::count(report.uses.len(), "image use"),
        wording::count(report.subject.head.files_scanned, "file")
    );
    if report.removed > 0 {
        line.push_str(&format!(", {} removed", report.removed));
    }
    line.push_str(".\n");
    line
}

/// What passed, collapsed.
fn passed(report: &Report) -> Option<String> {
    let passed: Vec<_> = report
        .uses
        .iter()
        .filter_map(|judged| judged.judgement.as_ref().map(|judgement| (judged, judgement)))
        .filter(|(_, judgement)| judgement.findings.is_empty())
        .collect();
    if passed.is_empty() {
        return None;
    }
    const END: &str = "\n</details>\n";
    let mut page = Page::new(MAX_MARKDOWN_BYTES);
    page.push(&format!(
        "<details><summary>{} passed</summary>\n\n",
        wording::count(passed.len(), "image use")
    ));
    let entries = passed.iter().map(|(judged, judgement)| {
        let at = Location { file: judged.usage.file.clone(), span: judged.usage.span };
        let place = explain::place(explain::source(&report.subject.head, &at), &at);
        let source =
            judgement.source.as_ref().map_or(String::new(), |source| format!(", source {}", code(source)));
        let lifted: String = judgement
            .lifted
            .iter()
            .map(|lifted| format!(", exception {} until {}", code(&lifted.exception), lifted.until))
            .collect();
        let known = dossier::of(report, judged).filter(|lines| dossier::has_facts(lines)).unwrap_or_default();
        let known: String =
            known.iter().map(|line| format!("  - {}: {}\n", line.about, prose(&line.text))).collect();
        format!(
            "- {} at {} ({}{source}{lifted})\n{known}",
            code(&judged.usage.raw),
            code(&place),
            judged.change.as_str()
        )
    });
    page.list(entries, END.len(), "");
    page.push(END);
    Some(page.finish())
}

/// Annotations at the lines of policy files of this repository. Those of the
/// organisation's file cannot be shown: it is in another repository.
fn policy_annotations(report: &Report) -> Vec<Annotation> {
    let mut annotations = Vec::new();
    for problem in wording::policy_problems(report) {
        match problem {
            PolicyProblem::Broken { whose: Whose::Organisation, .. }
            | PolicyProblem::Unreadable { whose: Whose::Organisation, .. } => {}
            // The head has other lines than the base's file.
            PolicyProblem::Broken { whose: Whose::Repository, .. } if report.subject.proposed.is_some() => {}
            PolicyProblem::Broken { loaded, .. } => {
                let errors = loaded.diagnostics.iter().filter(|d| d.severity == Severity::Error);
                annotations.extend(errors.map(|diagnostic| {
                    let at = Location { file: loaded.file.path().clone(), span: diagnostic.span };
                    Annotation {
                        message: message(
                            std::iter::once(diagnostic.message.as_str()).chain(diagnostic.help.as_deref()),
                        ),
                        ..annotation_at(Some(&loaded.file), &at, Level::Failure, "error in the policy")
                    }
                }));
            }
            PolicyProblem::Unreadable { path, reason, .. } => {
                let at = Location {
                    file: crate::source::RepoPath::new(path),
                    span: crate::source::Span::new(0, 0),
                };
                annotations.push(Annotation {
                    message: message([reason].into_iter()),
                    ..annotation_at(None, &at, Level::Failure, "the policy cannot be read")
                });
            }
        }
    }
    annotations
}

fn annotation(report: &Report, item: &Item<'_>) -> Annotation {
    let head = &report.subject.head;
    let at = item.decided_at();
    let title = match item.about {
        About::Use(judged) => {
            format!("{}: {}", wording::verdict(item.verdict()), brief::image_name(&judged.usage))
        }
        About::Problem(_) => "cannot be read in full".to_owned(),
    };
    let mut lines: Vec<String> =
        item.findings.iter().map(|finding| wording::sentence(&finding.message)).collect();
    let more = item.more_lines(explain::source(head, at));
    if !more.is_empty() {
        lines.push(wording::sentence(&more));
    }
    let fixes = markdown::fixes(item);
    lines.extend(fixes.iter().map(|fix| format!("Write {fix} instead.")));
    let unnamed = || item.findings.iter().any(|finding| finding.rule == "unknown");
    if fixes.is_empty()
        && unnamed()
        && let Some(sources) = brief::trusted(&report.subject.policies)
    {
        lines.push(format!("Trusted: {sources}."));
    }
    let stands_at = item.stands_at();
    if let About::Use(judged) = item.about
        && stands_at != *at
    {
        let place = explain::place(explain::source(head, &stands_at), &stands_at);
        lines.push(format!(
            "{} {} at {place} takes its image from here.",
            wording::statement(judged.usage.role),
            judged.usage.raw
        ));
    }
    Annotation {
        message: message(lines.iter().map(String::as_str)),
        raw_details: details(report, item),
        ..annotation_at(explain::source(head, at), at, item.level(), &title)
    }
}

/// The explanation as an indented list in plain text.
fn details(report: &Report, item: &Item<'_>) -> Option<String> {
    let mut lines = Vec::new();
    for finding in &item.findings {
        lines.push(format!("rule: {}", plain(&finding.rule, MAX_SHOWN_CHARS)));
        for step in explain::steps(&finding.explanation) {
            let indent = "  ".repeat(step.depth + 1);
            let place = step.at.map_or(String::new(), |at| {
                format!(" ({})", explain::place(explain::policy_source(report, at), at))
            });
            lines.push(format!("{indent}{}", plain(&format!("{}{place}", step.text), 2 * MAX_SHOWN_CHARS)));
        }
    }
    if let Some(proposal) = excepted::proposal(report, item) {
        lines.push(wording::sentence(&excepted::introduction(&proposal)));
        lines.extend(proposal.yaml.lines().map(|line| plain(line, 2 * MAX_SHOWN_CHARS)));
    }
    (!lines.is_empty()).then(|| cut(lines.join("\n"), MAX_ANNOTATION_BYTES))
}

fn message<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let lines: Vec<String> = lines.map(|line| plain(line, 2 * MAX_SHOWN_CHARS)).collect();
    cut(lines.join("\n"), MAX_ANNOTATION_BYTES)
}

fn annotation_at(source: Option<&SourceFile>, at: &Location, level: Level, title: &str) -> Annotation {
    let (start, end) = explain::positions(source, at);
    let one_line = start.line_1based == end.line_1based;
    Annotation {
        path: at.file.as_str().to_owned(),
        start_line: start.line_1based,
        end_line: end.line_1based,
        start_column: one_line.then_some(start.column_1based),
        // Ours is exclusive, GitHub's the last column.
        end_column: one_line.then(|| (end.column_1based - 1).max(start.column_1based)),
        level: match level {
            Level::Notice => "notice",
            Level::Warning => "warning",
            Level::Failure => "failure",
        },
        // One character is kept for the ellipsis.
        title: plain(title, MAX_ANNOTATION_TITLE_CHARS - 1),
        message: String::new(),
        raw_details: None,
    }
}

#[cfg(test)]
mod tests;
