//! The comment on a pull request: short, and only when there is something to say.

use crate::report::Report;
use crate::report::item;
use crate::report::markdown;
use crate::report::markdown::Page;
use crate::report::untrusted::prose;
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
    if !speaks {
        let title = prose(&wording::title(report));
        page.push(&format!("**fromguard: settled.** {title}.\n"));
        return Some(page.finish());
    }
    page.push("**fromguard:** ");
    let items = item::counted(report);
    // Where every finding has its replacement beside it, that is all there is to do.
    match !items.is_empty() && items.iter().all(|item| !markdown::fixes(item).is_empty()) {
        true => page.push(&format!("{}\n", prose(&wording::what_is_wrong(report)))),
        false => page.push(&markdown::head(report)),
    };
    if !items.is_empty() {
        page.push("\n");
        let shown = items.len().min(MAX_FINDINGS);
        let entries = items[..shown].iter().map(|item| markdown::finding_line(report, item));
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
