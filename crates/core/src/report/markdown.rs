//! Markdown within a limit of bytes: whole entries or none, and an honest count
//! of what was left out.

use crate::change::Change;
use crate::image::ImageUse;
use crate::image::Target;
use crate::policy::Diagnostic;
use crate::policy::Loaded;
use crate::policy::Mode;
use crate::policy::Severity;
use crate::report::JudgedUse;
use crate::report::Report;
use crate::report::brief;
use crate::report::dossier;
use crate::report::excepted;
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

/// Around the steps of an explanation in a list entry.
pub(super) const WHY_OPENS: &str = "  <details><summary>why</summary>";
/// See [`WHY_OPENS`].
pub(super) const WHY_CLOSES: &str = "  </details>";
/// Said when the explanations of all findings do not fit.
const WHY_LEFT_OUT: &str = "\nHow each was decided is left out here for GitHub's limit of 65,535 bytes; `fromguard check` says it, and so do the annotations.\n";

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

    /// How many bytes of entries a list with this reserve takes.
    fn room(&self, reserve_bytes: usize) -> usize {
        self.limit_bytes.saturating_sub(reserve_bytes + TAIL_BYTES + self.text.len())
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

/// The first two lines of every page: what is wrong, and what to do. Two spaces
/// at the end keep them apart (CommonMark 0.31, section 6.7, "Hard line breaks").
pub(super) fn head(report: &Report) -> String {
    format!("{}  \n{}\n", prose(&wording::what_is_wrong(report)), prose(&wording::what_to_do(report)))
}

/// The findings as a list, with how each was decided where the limit allows that
/// for all of them, and without where it does not.
pub(super) fn findings(report: &Report, items: &[Item<'_>], page: &mut Page, reserve_bytes: usize) {
    let mut whole: Vec<String> = Vec::new();
    let mut room = page.room(reserve_bytes);
    for item in items {
        let entry = finding_entry(report, item) + &why(report, item);
        if entry.len() > room {
            break;
        }
        room -= entry.len();
        whole.push(entry);
    }
    let elsewhere = ", left out here for GitHub's limit of 65,535 bytes";
    if whole.len() == items.len() {
        return page.list(whole.into_iter(), reserve_bytes, elsewhere);
    }
    let entries = items.iter().map(|item| finding_entry(report, item));
    page.list(entries, reserve_bytes + WHY_LEFT_OUT.len(), elsewhere);
    page.push(WHY_LEFT_OUT);
}

/// A finding as an entry of a list: image and place, what to write, what is
/// wrong, and where the value comes from.
fn finding_entry(report: &Report, item: &Item<'_>) -> String {
    let head = &report.subject.head;
    let at = item.decided_at();
    let place = code(&explain::place(explain::source(head, at), at));
    let mut entry = match item.about {
        About::Use(judged) => format!("- **{}** {} at {place}\n", level_word(item), name(&judged.usage)),
        About::Problem(_) => format!("- **{}** {place}\n", level_word(item)),
    };
    for fix in fixes(item) {
        entry.push_str(&format!("  - write {} instead\n", code(fix)));
    }
    for finding in &item.findings {
        entry.push_str(&format!("  - {}", prose(&finding.message)));
        if finding.mode == Mode::Observe && item.level() != level(finding) {
            entry.push_str(" (observed only)");
        }
        entry.push('\n');
    }
    let more = item.more_lines(explain::source(head, at));
    if !more.is_empty() {
        entry.push_str(&format!("  - {more}\n"));
    }
    if let About::Use(judged) = item.about {
        if let Some(lines) = dossier::of(report, judged) {
            entry.push_str("  - what is known of it:\n");
            entry.extend(lines.iter().map(|line| format!("    - {}: {}\n", line.about, prose(&line.text))));
        }
        entry.push_str(&how_it_resolves(report, judged));
    }
    entry
}

/// A finding as one line for a comment: place, what is wrong, what to write.
pub(super) fn finding_line(report: &Report, item: &Item<'_>) -> String {
    let at = item.decided_at();
    let mut line = format!("- {}: ", code(&explain::place(explain::source(&report.subject.head, at), at)));
    // The sentences of policy name the image as it is judged; where the whole
    // value is not known, what is written is what can be looked for.
    if let About::Use(judged) = item.about
        && !item.worst().message.contains(&brief::image_name(&judged.usage))
    {
        line.push_str(&format!("{}: ", code(&brief::image_name(&judged.usage))));
    }
    let messages: Vec<String> = item.findings.iter().map(|finding| prose(&finding.message)).collect();
    line.push_str(&messages.join("; "));
    if !item.more.is_empty() {
        line.push_str(&format!(" (and {} in the file)", wording::count(item.more.len(), "more place")));
    }
    line.push('.');
    for fix in fixes(item) {
        line.push_str(&format!(" Write {} instead.", code(fix)));
    }
    line.push('\n');
    if let About::Use(judged) = item.about
        && let Some(lines) = dossier::of(report, judged)
    {
        let said: Vec<String> =
            lines.iter().map(|line| format!("{}: {}", line.about, prose(&line.text))).collect();
        line.push_str(&format!("  - {}\n", said.join(" · ")));
    }
    line
}

/// What to write instead, each once.
pub(super) fn fixes<'a>(item: &Item<'a>) -> Vec<&'a str> {
    let mut fixes: Vec<&str> = item.findings.iter().filter_map(|finding| finding.fix.as_deref()).collect();
    fixes.dedup();
    fixes
}

/// The image that is meant, with what is written where that is a variable.
fn name(usage: &ImageUse) -> String {
    let image = brief::image_name(usage);
    match image == usage.raw || brief::is_literal(usage) {
        true => code(&image),
        false => format!("{} (from {})", code(&image), code(&usage.raw)),
    }
}

/// How a finding was decided, folded. An element ends at a blank line, so that
/// what is between is Markdown (CommonMark 0.31, section 4.6, "HTML blocks").
fn why(report: &Report, item: &Item<'_>) -> String {
    let mut steps = String::new();
    let known = match item.about {
        About::Use(judged) => dossier::of(report, judged),
        About::Problem(_) => None,
    };
    for finding in &item.findings {
        let shown = explain::steps(&finding.explanation).into_iter();
        for step in shown.filter(|step| !dossier::says(known.as_deref(), step.text)).take(MAX_STEPS) {
            let indent = "  ".repeat((step.depth + 1).min(6));
            steps.push_str(&format!("{indent}- {}", prose(step.text)));
            if let Some(at) = step.at {
                let place = explain::place(explain::policy_source(report, at), at);
                steps.push_str(&format!(" ({})", code(&place)));
            }
            steps.push('\n');
        }
    }
    if let Some(proposal) = excepted::proposal(report, item) {
        steps.push_str(&format!(
            "\n  {}\n\n  ```yaml\n",
            prose(&wording::sentence(&excepted::introduction(&proposal)))
        ));
        steps.extend(proposal.yaml.lines().map(|line| format!("  {line}\n")));
        steps.push_str("  ```\n");
    }
    match steps.is_empty() {
        true => steps,
        false => format!("\n{WHY_OPENS}\n\n{steps}\n{WHY_CLOSES}\n\n"),
    }
}

/// Where a use stands and from where it is decided, where that is not the same place.
fn how_it_resolves(report: &Report, judged: &JudgedUse) -> String {
    let head = &report.subject.head;
    let usage = &judged.usage;
    let mut said = String::new();
    if usage.targets.len() > 1 {
        said.push_str(&format!("  - may be {}\n", targets(&usage.targets)));
    }
    let mut used = format!("  - {} by {}", judged.change.as_str(), code(wording::statement(usage.role)));
    if usage.decided_at.file != usage.file || usage.decided_at.span != usage.span {
        let at = crate::source::Location { file: usage.file.clone(), span: usage.span };
        let place = explain::place(explain::source(head, &at), &at);
        used.push_str(&format!(" at {}", code(&place)));
    }
    if let Change::Changed { from } = &judged.change
        && *from != usage.targets
    {
        used.push_str(&format!(", it was {}", targets(from)));
    }
    said.push_str(&used);
    said.push('\n');
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
