//! Text for a terminal: code frames for what is wrong, and one line at the end
//! that says how it ended.

mod frame;
mod posted;

use std::fmt::Write as _;

use annotate_snippets::Level as Loudness;

use crate::change::Change;
use crate::image::Target;
use crate::policy::Diagnostic;
use crate::policy::Loaded;
use crate::policy::Severity;
use crate::report::Conclusion;
use crate::report::Report;
use crate::report::STARTER_POLICY;
use crate::report::dossier;
use crate::report::excepted;
use crate::report::explain;
use crate::report::item;
use crate::report::item::About;
use crate::report::item::Item;
use crate::report::item::Level;
use crate::report::markdown;
use crate::report::text::frame::Frame;
use crate::report::untrusted::MAX_SHOWN_CHARS;
use crate::report::untrusted::plain;
use crate::report::wording;
use crate::report::wording::PolicyProblem;
use crate::scan::Scanned;
use crate::source::Location;
use crate::source::Problem;

pub use posted::annotation_text;

/// Whether text carries colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// None.
    Plain,
    /// ANSI escape codes.
    Coloured,
}

/// What sentences are wrapped at, in columns.
const WIDTH: usize = 80;
/// The same within a code frame, whose margin takes some.
const NOTE_WIDTH: usize = 66;
/// The widest place that the columns of a scan are aligned to, in characters.
const MAX_ALIGNED_CHARS: usize = 40;

/// The uses of a scan, one line each, then its problems as code frames, then a
/// line of counts.
#[must_use]
pub fn scan_text(scanned: &Scanned, style: Style) -> String {
    let mut out = String::new();
    let rows: Vec<(String, &str, String)> = scanned
        .uses
        .iter()
        .map(|usage| {
            let at = Location { file: usage.file.clone(), span: usage.span };
            let place = explain::place(explain::source(scanned, &at), &at);
            let members: Vec<String> = usage.targets.iter().map(wording::target).collect();
            let unreached = match (usage.reachable, usage.replaced) {
                (_, true) => " (replaced)",
                (false, false) => " (not reached)",
                (true, false) => "",
            };
            (line(&place), usage.role.as_str(), format!("{}{unreached}", line(&members.join(" | "))))
        })
        .collect();
    let width =
        rows.iter().map(|(place, ..)| place.chars().count()).max().unwrap_or(0).min(MAX_ALIGNED_CHARS);
    for (place, role, members) in rows {
        let _ = writeln!(out, "{place:width$}  {role:11}  {members}");
    }
    if !scanned.uses.is_empty() && !scanned.problems.is_empty() {
        out.push('\n');
    }
    for problem in &scanned.problems {
        out.push_str(&problem_frame(scanned, problem, Loudness::WARNING).render(style));
        out.push('\n');
    }
    let problems = match scanned.problems.len() {
        0 => String::new(),
        problems => format!(", {}", wording::count(problems, "problem")),
    };
    if scanned.files_scanned == 0 && scanned.problems.is_empty() {
        out.push_str("no image sources: nothing here has the name of a file that is read\n");
        return out;
    }
    let _ = writeln!(
        out,
        "{} in {} read{problems}",
        wording::count(scanned.uses.len(), "image use"),
        wording::count(scanned.files_scanned, "file")
    );
    out
}

/// A report: a code frame for each thing that counts against it, notices, what
/// to do, and a line that says how it ended.
#[must_use]
pub fn check_text(report: &Report, style: Style) -> String {
    let mut out = String::new();
    for problem in wording::policy_problems(report) {
        match problem {
            PolicyProblem::Broken { loaded, .. } => {
                for diagnostic in loaded.diagnostics.iter().filter(|d| d.severity == Severity::Error) {
                    out.push_str(
                        &diagnostic_frame(loaded, diagnostic, loaded.file.path().as_str()).render(style),
                    );
                    out.push('\n');
                }
            }
            PolicyProblem::Unreadable { .. } => {
                let _ = writeln!(out, "error: {}\n", line(&problem.what()));
            }
        }
    }
    for item in item::counted(report) {
        out.push_str(&item_frame(report, &item).render(style));
        out.push('\n');
    }
    for notice in notices(report) {
        let notice = format!("note: {}", plain(&notice, 4 * MAX_SHOWN_CHARS));
        let _ = writeln!(out, "{}", wrapped(&notice, WIDTH, 0));
    }
    if report.has_findings() || report.conclusion == Conclusion::Neutral {
        let help = format!("help: {}", plain(&wording::what_to_do(report), 4 * MAX_SHOWN_CHARS));
        let _ = writeln!(out, "{}", wrapped(&help, WIDTH, 0));
    }
    if report.conclusion == Conclusion::Neutral && report.unjudged.is_none() {
        let _ = writeln!(out, "\n{STARTER_POLICY}");
    }
    let head = &report.subject.head;
    let _ = writeln!(
        out,
        "{}: {} ({} in {} read)",
        report.conclusion.as_str(),
        line(&wording::outcome(report)),
        wording::count(report.uses.len(), "image use"),
        wording::count(head.files_scanned, "file")
    );
    out
}

/// Everything that is to be said of a policy file, as code frames under the path
/// that the reader gave, and a line that says whether it can be used.
#[must_use]
pub fn policy_text(loaded: &Loaded, shown_path: &str, style: Style) -> String {
    let mut out = String::new();
    for diagnostic in &loaded.diagnostics {
        out.push_str(&diagnostic_frame(loaded, diagnostic, shown_path).render(style));
        out.push('\n');
    }
    let number = |severity| loaded.diagnostics.iter().filter(|d| d.severity == severity).count();
    let (errors, notices) = (number(Severity::Error), number(Severity::Notice));
    let verdict = match loaded.policy.is_some() {
        true if notices == 0 => "is a valid policy".to_owned(),
        true => format!("is a valid policy, with {}", wording::count(notices, "notice")),
        false => format!("cannot be used: {}", wording::count(errors, "error")),
    };
    let _ = writeln!(out, "{} {verdict}", line(shown_path));
    out
}

fn line(text: &str) -> String {
    plain(text, 2 * MAX_SHOWN_CHARS)
}

/// The notices of the report and of the policies in force, and what did not count.
fn notices(report: &Report) -> Vec<String> {
    let mut notices = report.notices.clone();
    for (_, loaded) in wording::loaded_policies(report) {
        for diagnostic in loaded.diagnostics.iter().filter(|d| d.severity == Severity::Notice) {
            let at = Location { file: loaded.file.path().clone(), span: diagnostic.span };
            notices.push(format!("{}: {}", explain::place(Some(&loaded.file), &at), diagnostic.message));
        }
    }
    notices.extend(wording::uncounted(report));
    for other in &report.others {
        notices.push(format!("{}: {} ({})", other.label, other.conclusion.as_str(), other.title));
    }
    notices
}

fn item_frame<'a>(report: &'a Report, item: &Item<'a>) -> Frame<'a> {
    let head = &report.subject.head;
    let loudness = match item.level() {
        Level::Failure => Loudness::ERROR,
        Level::Warning => Loudness::WARNING,
        Level::Notice => Loudness::NOTE,
    };
    let mut frame = match item.about {
        About::Use(judged) => {
            let usage = &judged.usage;
            let mut frame = Frame::new(loudness, &item.worst().message).id(&item.worst().rule);
            let stands_at = item.stands_at();
            let resolves = resolved(&usage.targets, &usage.raw);
            if stands_at == usage.decided_at {
                frame.point(explain::source(head, &stands_at), stands_at, &resolves);
            } else {
                frame.point(
                    explain::source(head, &usage.decided_at),
                    usage.decided_at.clone(),
                    "decided here",
                );
                let label = match resolves.is_empty() {
                    true => "used here".to_owned(),
                    false => format!("used here: {resolves}"),
                };
                frame.relate(explain::source(head, &stands_at), stands_at, &label);
            }
            for via in &usage.via {
                frame.relate(explain::source(head, &via.at), via.at.clone(), &via.what);
            }
            frame
        }
        About::Problem(judged) => problem_frame(head, &judged.problem, loudness),
    };
    for fix in markdown::fixes(item) {
        frame.note(Loudness::HELP, format!("write {} instead", line(fix)));
    }
    let more = item.more_lines(explain::source(head, item.decided_at()));
    if !more.is_empty() {
        frame.note(Loudness::NOTE, wrapped(&more, NOTE_WIDTH, 0));
    }
    for finding in &item.findings[1..] {
        frame.note(Loudness::NOTE, wrapped(&line(&finding.message), NOTE_WIDTH, 0));
    }
    if let About::Use(judged) = item.about
        && let Change::Changed { from } = &judged.change
        && *from != judged.usage.targets
    {
        let was: Vec<String> = from.iter().map(wording::target).collect();
        frame.note(Loudness::NOTE, wrapped(&format!("it was {}", line(&was.join(" | "))), NOTE_WIDTH, 0));
    }
    let known = match item.about {
        About::Use(judged) => dossier::of(report, judged),
        About::Problem(_) => None,
    };
    for finding in &item.findings {
        let steps: Vec<String> = explain::steps(&finding.explanation)
            .into_iter()
            .filter(|step| !dossier::says(known.as_deref(), step.text))
            .map(|step| {
                let place = step.at.map_or(String::new(), |at| {
                    format!(" ({})", explain::place(explain::policy_source(report, at), at))
                });
                let text = format!("{}{place}", line(step.text));
                wrapped(&text, NOTE_WIDTH, 2 * step.depth)
            })
            .collect();
        if !steps.is_empty() {
            frame.note(Loudness::NOTE, steps.join("\n"));
        }
    }
    if let Some(lines) = known {
        let said = lines
            .iter()
            .map(|known| wrapped(&line(&format!("{}: {}", known.about, known.text)), NOTE_WIDTH, 2));
        let said: Vec<String> = said.collect();
        frame.note(Loudness::NOTE, format!("what is known of it:\n{}", said.join("\n")));
    }
    if let Some(proposal) = excepted::proposal(report, item) {
        let introduction = wrapped(&excepted::introduction(&proposal), NOTE_WIDTH, 0);
        frame.note(Loudness::HELP, format!("{introduction}\n{}", proposal.yaml.trim_end()));
    }
    frame
}

/// Lines of at most `width` columns where words allow it, each indented.
fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut columns = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        match lines.last_mut() {
            Some(last) if columns + 1 + length <= width => {
                last.push(' ');
                last.push_str(word);
                columns += 1 + length;
            }
            // Lines after the first stand a little deeper, so that the step shows.
            _ => {
                let deeper = if lines.is_empty() { indent } else { indent + 2 };
                lines.push(format!("{}{word}", " ".repeat(deeper)));
                columns = deeper + length;
            }
        }
    }
    lines.join("\n")
}

/// What is known to be pulled, where that is more than what is written. Why
/// something is not known, the finding says.
fn resolved(targets: &[Target], raw: &str) -> String {
    let known: Vec<String> = targets
        .iter()
        .filter_map(|target| match target {
            Target::Image(image) => Some(image.to_string()),
            Target::Partial(_) | Target::Unresolved { .. } | Target::Invalid { .. } => None,
        })
        .filter(|image| image != raw)
        .collect();
    known.join(" | ")
}

fn problem_frame<'a>(scanned: &'a Scanned, problem: &'a Problem, loudness: Loudness<'static>) -> Frame<'a> {
    let mut frame = Frame::new(loudness, &problem.message).id(problem.code.as_str());
    frame.point(explain::source(scanned, &problem.at), problem.at.clone(), "");
    frame
}

fn diagnostic_frame<'a>(loaded: &'a Loaded, diagnostic: &'a Diagnostic, shown_path: &'a str) -> Frame<'a> {
    let loudness = match diagnostic.severity {
        Severity::Error => Loudness::ERROR,
        Severity::Notice => Loudness::NOTE,
    };
    let mut frame = Frame::new(loudness, &diagnostic.message).shown_as(shown_path);
    let at = Location { file: loaded.file.path().clone(), span: diagnostic.span };
    frame.point(Some(&loaded.file), at, "");
    if let Some(help) = &diagnostic.help {
        frame.note(Loudness::HELP, help.clone());
    }
    frame
}

#[cfg(test)]
mod tests;
