//! Our own Markdown as a terminal shows it: folds stay folded, as on GitHub,
//! lists are wrapped under their bullets, and comments are not seen.
//!
//! Reads only what fromguard posts: headings, `**bold**`, code spans, lists,
//! fenced code and `<details>` on lines of their own.

use fromguard_core::report::Style;

use crate::cli::rehearse::show::WIDTH;
use crate::cli::rehearse::show::bold;

/// Markdown of ours as lines of at most [`WIDTH`] columns, where words allow it.
pub(super) fn text(markdown: &str, style: Style) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut fence = false;
    let mut folded = 0_usize;
    for line in markdown.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") {
            fence = !fence;
        } else if fence {
            out.push(format!("    {line}"));
        } else if let Some(rest) = trimmed.strip_prefix("<details><summary>") {
            folded += 1;
            let indent = line.len() - line.trim_start().len();
            let summary = rest.trim_end_matches("</summary>");
            if folded == 1 {
                close_up(&mut out, indent > 0);
                out.push(format!("{}▸ {summary}", " ".repeat(indent)));
            }
        } else if trimmed == "</details>" {
            folded = folded.saturating_sub(1);
        } else if folded > 0 || (trimmed.starts_with("<!--") && trimmed.ends_with("-->")) {
            continue;
        } else if let Some(heading) = trimmed.strip_prefix("### ") {
            out.push(bold(heading, style));
        } else {
            wrap(line.trim_end(), style, &mut out);
        }
    }
    out.dedup_by(|a, b| a.is_empty() && b.is_empty());
    out.join("\n").trim().to_owned()
}

/// Takes back a blank line that only Markdown needs, before a fold in a list.
fn close_up(out: &mut Vec<String>, in_list: bool) {
    if in_list && out.last().is_some_and(String::is_empty) {
        out.pop();
    }
}

/// One line, continued under its first word, or under the text of its bullet.
fn wrap(line: &str, style: Style, out: &mut Vec<String>) {
    let indent = line.len() - line.trim_start().len();
    let (bullet, rest) = match line.trim_start().strip_prefix("- ") {
        Some(rest) => ("- ", rest),
        None => ("", line.trim_start()),
    };
    let hanging = " ".repeat(indent + bullet.len());
    let mut current = format!("{}{bullet}", " ".repeat(indent));
    let mut columns = current.len();
    let mut is_bold = false;
    let mut begins = true;
    for word in rest.split(' ') {
        // `**` is ours alone: what others wrote stands in code spans.
        let (word, before, after) = emphasis(word, is_bold);
        let length = word.chars().count();
        if !begins && columns + 1 + length > WIDTH {
            out.push(std::mem::replace(&mut current, hanging.clone()));
            columns = hanging.len();
        } else if !begins {
            current.push(' ');
            columns += 1;
        }
        current.push_str(&if before { bold(&word, style) } else { word });
        columns += length;
        (is_bold, begins) = (after, false);
    }
    out.push(current);
}

/// A word without its `**`, whether it is bold, and whether the next one is.
fn emphasis(word: &str, is_bold: bool) -> (String, bool, bool) {
    if word.contains('`') {
        return (word.to_owned(), is_bold, is_bold);
    }
    let opens = word.starts_with("**");
    let closes = word.trim_start_matches("**").contains("**");
    (word.replace("**", ""), is_bold || opens, (is_bold || opens) && !closes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_read_as_on_github() {
        let markdown = "<!-- fromguard -->\n**fromguard:** 1 image use refused: `a/b` (blocked).  \nDo it.\n\n### Findings\n\
            - **needs review** `a/b` at `f:1:6`\n  - write `c` instead\n\n  <details><summary>why</summary>\n\n  - because\n\n  \
            </details>\n\n```yaml\nversion: 1\n```\n";
        let shown = text(markdown, Style::Plain);
        assert_eq!(
            shown,
            "fromguard: 1 image use refused: `a/b` (blocked).\nDo it.\n\nFindings\n\
             - needs review `a/b` at `f:1:6`\n  - write `c` instead\n  ▸ why\n\n    version: 1"
        );
    }

    #[test]
    fn long_lines_are_continued_under_the_text_of_their_bullet() {
        let shown = text(&format!("  - {}\n", "word ".repeat(40)), Style::Plain);
        assert!(shown.lines().all(|line| line.chars().count() <= WIDTH), "{shown}");
        assert!(shown.lines().skip(1).all(|line| line.starts_with("    word")), "{shown}");
    }

    #[test]
    fn stars_in_a_code_span_stay() {
        assert_eq!(text("take `a/**` or **b**\n", Style::Plain), "take `a/**` or b");
    }
}
