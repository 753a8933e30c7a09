//! Explanations as lines, and positions as people read them.

use crate::policy::Explanation;
use crate::policy::Policies;
use crate::policy::PolicyFile;
use crate::report::Report;
use crate::scan::Scanned;
use crate::source::Location;
use crate::source::Position;
use crate::source::SourceFile;

/// The most steps of one explanation that are shown.
const MAX_STEPS: usize = 40;

/// One step of an explanation.
pub(super) struct Step<'a> {
    /// How far it is indented.
    pub(super) depth: usize,
    pub(super) text: &'a str,
    pub(super) at: Option<&'a Location>,
}

/// The steps of an explanation, each before what it rests on.
pub(super) fn steps(explanation: &Explanation) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut open = vec![(0, explanation)];
    while let Some((depth, step)) = open.pop() {
        if steps.len() == MAX_STEPS {
            break;
        }
        // A step without words only groups what is below it.
        let below = match step.text.is_empty() && step.at.is_none() {
            true => depth,
            false => {
                steps.push(Step { depth, text: &step.text, at: step.at.as_ref() });
                depth + 1
            }
        };
        open.extend(step.because.iter().rev().map(|because| (below, because)));
    }
    steps
}

/// The first place in a policy file that an explanation speaks of.
pub(super) fn policy_place(explanation: &Explanation) -> Option<&Location> {
    steps(explanation).into_iter().find_map(|step| step.at)
}

/// `path:line:column`, or the path alone when the text is not at hand.
pub(super) fn place(source: Option<&SourceFile>, at: &Location) -> String {
    match source {
        Some(source) => {
            let Position { line_1based, column_1based } = source.position(at.span.start);
            format!("{}:{line_1based}:{column_1based}", at.file)
        }
        None => at.file.to_string(),
    }
}

/// The text of the policy file that a place is in.
pub(super) fn policy_source<'a>(report: &'a Report, at: &Location) -> Option<&'a SourceFile> {
    policy_text(&report.subject.policies, at)
}

/// The text of one of some policy files that a place is in.
pub(super) fn policy_text<'p>(policies: &'p Policies, at: &Location) -> Option<&'p SourceFile> {
    [&policies.repository, &policies.organisation].into_iter().find_map(|file| match file {
        PolicyFile::Read(loaded) if *loaded.file.path() == at.file => Some(&*loaded.file),
        PolicyFile::Read(_) | PolicyFile::Absent | PolicyFile::Unreadable { .. } => None,
    })
}

/// The text of a file that was scanned.
pub(super) fn source<'a>(scanned: &'a Scanned, at: &Location) -> Option<&'a SourceFile> {
    scanned.sources.get(&at.file).map(|source| &**source)
}

/// A span as lines and columns, the end exclusive; the first character of the
/// file when its text is not at hand.
pub(super) fn positions(source: Option<&SourceFile>, at: &Location) -> (Position, Position) {
    match source {
        Some(source) => (source.position(at.span.start), source.position(at.span.end.max(at.span.start))),
        None => {
            let first = Position { line_1based: 1, column_1based: 1 };
            (first, first)
        }
    }
}
