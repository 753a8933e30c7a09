//! Everything that the policy says of one image, for a terminal: what `fromguard
//! policy explain` prints.

use crate::image::ImageUse;
use crate::policy::Explanation;
use crate::policy::Judgement;
use crate::policy::Policies;
use crate::report::explain;
use crate::report::untrusted::MAX_SHOWN_CHARS;
use crate::report::untrusted::plain;
use crate::report::wording;

/// What the policy says of a use and why, with the place of everything in the
/// policy files. `None` judgement: there is no policy.
#[must_use]
pub fn explain_text(policies: &Policies, usage: &ImageUse, judgement: Option<&Judgement>) -> String {
    let line = |text: &str| plain(text, 2 * MAX_SHOWN_CHARS);
    let members: Vec<String> = usage.targets.iter().map(wording::target).collect();
    let mut out = format!("{}\n", line(&usage.raw));
    out.push_str(&format!("read as: {}\n", line(&members.join(" | "))));
    out.push_str(&format!("used in: {} ({})\n", line(usage.file.as_str()), usage.role.as_str()));
    let Some(judgement) = judgement else {
        out.push_str("verdict: none, there is no policy\n");
        return out;
    };
    out.push_str(&format!("verdict: {}\n", judgement.verdict.as_str()));
    if let Some(source) = &judgement.source {
        out.push_str(&format!("source: {}\n", line(source)));
    }
    if judgement.findings.is_empty() {
        out.push('\n');
        steps(policies, &judgement.explanation, &mut out);
    }
    for finding in &judgement.findings {
        out.push_str(&format!(
            "\n{}: {} ({}, {})\n",
            line(&finding.rule),
            line(&finding.message),
            wording::effect(finding.effect),
            wording::mode(finding.mode)
        ));
        steps(policies, &finding.explanation, &mut out);
        if let Some(fix) = &finding.fix {
            out.push_str(&format!("  write {} instead\n", line(fix)));
        }
    }
    for lifted in &judgement.lifted {
        out.push_str(&format!(
            "\nlifted {}: {} (exception {} until {}: {})\n",
            line(&lifted.finding.rule),
            line(&lifted.finding.message),
            line(&lifted.exception),
            lifted.until,
            line(&lifted.reason)
        ));
        steps(policies, &lifted.finding.explanation, &mut out);
    }
    out
}

fn steps(policies: &Policies, explanation: &Explanation, out: &mut String) {
    for step in explain::steps(explanation) {
        let place = step.at.map_or(String::new(), |at| {
            format!(" ({})", explain::place(explain::policy_text(policies, at), at))
        });
        let indent = "  ".repeat(step.depth + 1);
        out.push_str(&format!("{indent}{}\n", plain(&format!("{}{place}", step.text), 2 * MAX_SHOWN_CHARS)));
    }
}
