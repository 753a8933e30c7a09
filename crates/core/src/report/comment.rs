//! The comment on a pull request: short, and only when there is something to say.

use crate::report::Report;
use crate::report::item;
use crate::report::markdown;
use crate::report::markdown::Page;
use crate::report::wording;

/// Stands at the head of every comment of ours, unseen. It tells our comment
/// from our other comments; that it is ours, only its author does.
pub const COMMENT_MARKER: &str = "<!-- fromguard -->";

/// GitHub refuses a comment of over 65,536 characters; it is counted in bytes
/// here, which is stricter.
const MAX_COMMENT_BYTES: usize = 65_535;
/// Findings in a comment; the check run has them all.
const MAX_FINDINGS: usize = 20;

pub(super) fn render(report: &Report, exists: bool) -> Option<String> {
    let speaks = report.has_findings();
    if !speaks && !exists {
        return None;
    }
    let mut page = Page::new(MAX_COMMENT_BYTES);
    page.push(COMMENT_MARKER);
    page.push("\n");
    let title = crate::report::untrusted::prose(&wording::title(report));
    if !speaks {
        page.push(&format!("**fromguard: settled.** {title}.\n"));
        return Some(page.finish());
    }
    page.push(&format!("**fromguard: {title}**\n\n"));
    page.push(&markdown::head(report));
    let items = item::counted(report);
    if !items.is_empty() {
        page.push("\n");
        let shown = items.len().min(MAX_FINDINGS);
        let entries = items[..shown].iter().map(|item| markdown::finding_entry(report, item));
        page.list(entries, 200, ", in the check run");
        if items.len() > shown {
            page.push(&format!("- … and {} more, in the check run\n", items.len() - shown));
        }
    }
    page.push("\nThe check run `fromguard` on the newest commit has every detail.\n");
    Some(page.finish())
}

#[cfg(test)]
mod tests;
