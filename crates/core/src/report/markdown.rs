//! Markdown within a limit of bytes: whole entries or none, and an honest count
//! of what was left out.

use crate::change::Change;
use crate::image::Target;
use crate::policy::Diagnostic;
use crate::policy::Loaded;
use crate::policy::Mode;
use crate::policy::Severity;
use crate::report::JudgedUse;
use crate::report::Report;
use crate::report::explain;
use crate::report::item::About;
use crate::report::item::Item;
use crate::report::item::level;
use crate::report::untrusted::code;
use crate::report::untrusted::prose;
use crate::report::wording;

/// What "and N more" takes at most, in bytes.
const TAIL_BYTES: usize = 160;
/// The most members of a value set that are named.
const MAX_MEMBERS: usize = 8;
/// The most places that a value came from that are named.
const MAX_PLACES: usize = 6;
/// The most steps of an explanation in a list entry.
const MAX_STEPS: usize = 12;

/// A text that never grows over its limit.
pub(super) struct Page {
    text: String,
    limit_bytes: usize,
}

impl Page {
    pub(super) fn new(limit_bytes: usize) -> Page {
        Page { text: String::new(), limit_bytes }
    }

    /// Adds a piece if the whole of it fits.
    pub(super) fn push(&mut self, piece: &str) -> bool {
        let fits = self.text.len() + piece.len() <= self.limit_bytes;
        if fits {
            self.text.push_str(piece);
        }
        fits
    }

    /// Adds entries while they fit and at least `reserve_bytes` are left after
    /// them, then says how many are missing.
    pub(super) fn list(
        &mut self,
        entries: impl ExactSizeIterator<Item = String>,
        reserve_bytes: usize,
        elsewhere: &str,
    ) {
        let mut left = entries.len();
        let room = self.limit_bytes.saturating_sub(reserve_bytes + TAIL_BYTES);
        for entry in entries {
            if self.text.len() + entry.len() > room {
                break;
            }
            self.text.push_str(&entry);
            left -= 1;
        }
        if left > 0 {
            self.push(&format!("- … and {left} more{elsewhere}\n"));
        }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// `text` cut to at most `max_bytes`, at a character and with an ellipsis.
pub(super) fn cut(mut text: String, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text;
    }
    let mut end = max_bytes.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text.push('…');
    text
}

/// The first two lines of every page: what is wrong, and what to do.
pub(super) fn head(report: &Report) -> String {
    format!("{}\n{}\n", prose(&wording::what_is_wrong(report)), prose(&wording::what_to_do(report)))
}

/// A finding as an entry of a list, with how it was decided.
pub(super) fn finding_entry(report: &Report, item: &Item<'_>) -> String {
    let head = &report.subject.head;
    let at = item.decided_at();
    let mut entry = format!(
        "- **{}** {} at {}",
        level_word(item),
        code(item.name()),
        code(&explain::place(explain::source(head, at), at))
    );
    if let About::Use(judged) = item.about {
        entry.push_str(&format!(
            ", {} ({})",
            code(wording::statement(judged.usage.role)),
            judged.change.as_str()
        ));
    }
    entry.push('\n');
    for finding in &item.findings {
        entry.push_str(&format!("  - {}: {}", code(&finding.rule), prose(&finding.message)));
        if finding.mode == Mode::Observe && item.level() != level(finding) {
            entry.push_str(" (observed only)");
        }
        entry.push('\n');
        for step in explain::steps(&finding.explanation).into_iter().take(MAX_STEPS) {
            let indent = "  ".repeat((step.depth + 2).min(6));
            entry.push_str(&format!("{indent}- {}", prose(step.text)));
            if let Some(at) = step.at {
                let place = explain::place(explain::policy_source(report, at), at);
                entry.push_str(&format!(" ({})", code(&place)));
            }
            entry.push('\n');
        }
        if let Some(fix) = &finding.fix {
            entry.push_str(&format!("  - write {} instead\n", code(fix)));
        }
    }
    if let About::Use(judged) = item.about {
        entry.push_str(&how_it_resolves(report, judged));
    }
    entry
}

/// What a use resolves to and from where, where that is more than it says itself.
fn how_it_resolves(report: &Report, judged: &JudgedUse) -> String {
    let head = &report.subject.head;
    let usage = &judged.usage;
    let mut said = String::new();
    if let Change::Changed { from } = &judged.change
        && *from != usage.targets
    {
        said.push_str(&format!("  - was {}\n", targets(from)));
    }
    if !usage.via.is_empty() || usage.targets.len() > 1 {
        said.push_str(&format!("  - resolves to {}\n", targets(&usage.targets)));
    }
    if usage.decided_at.file != usage.file || usage.decided_at.span != usage.span {
        let at = crate::source::Location { file: usage.file.clone(), span: usage.span };
        let place = explain::place(explain::source(head, &at), &at);
        said.push_str(&format!("  - {} is at {}\n", code(wording::statement(usage.role)), code(&place)));
    }
    for via in usage.via.iter().take(MAX_PLACES) {
        let place = explain::place(explain::source(head, &via.at), &via.at);
        said.push_str(&format!("  - by {} at {}\n", prose(&via.what), code(&place)));
    }
    if usage.via.len() > MAX_PLACES {
        said.push_str(&format!("  - and by {} more places\n", usage.via.len() - MAX_PLACES));
    }
    said
}

/// The members of a value set.
pub(super) fn targets(targets: &[Target]) -> String {
    let named: Vec<String> = targets
        .iter()
        .take(MAX_MEMBERS)
        .map(|target| match target {
            Target::Image(image) => code(&image.to_string()),
            other => prose(&wording::target(other)),
        })
        .collect();
    match targets.len().saturating_sub(MAX_MEMBERS) {
        0 => named.join(", "),
        more => format!("{}, and {more} more", named.join(", ")),
    }
}

/// A line of a policy file that is wrong, as an entry of a list.
pub(super) fn diagnostic_entry(loaded: &Loaded, diagnostic: &Diagnostic) -> String {
    let at = crate::source::Location { file: loaded.file.path().clone(), span: diagnostic.span };
    let word = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Notice => "notice",
    };
    let mut entry = format!(
        "- **{word}** at {}: {}\n",
        code(&explain::place(Some(&loaded.file), &at)),
        prose(&diagnostic.message)
    );
    if let Some(help) = &diagnostic.help {
        entry.push_str(&format!("  - {}\n", prose(help)));
    }
    entry
}

fn level_word(item: &Item<'_>) -> &'static str {
    match item.is_problem() {
        true => "cannot be read",
        false => wording::verdict(item.verdict()),
    }
}

#[cfg(test)]
mod tests;
