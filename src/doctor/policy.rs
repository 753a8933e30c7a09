//! A policy file: whether it can be read and loads, shown as `fromguard policy validate` shows it.

use fromguard_core::day::Day;
use fromguard_core::policy::Mode;
use fromguard_core::policy::PolicyFile;
use fromguard_core::report;
use fromguard_core::report::Style;

use crate::doctor::Line;

/// What is to be said of a file that `place` names: `acme/.github/fromguard.yml`. Nothing of one
/// that does not exist.
pub(super) fn examine(check: &'static str, place: &str, file: &PolicyFile, day: Day) -> Option<Line> {
    let loaded = match file {
        PolicyFile::Absent => return None,
        PolicyFile::Unreadable { reason, .. } => {
            return Some(Line::fail(
                check,
                format!(
                    "The policy {place} cannot be read: it is {reason}. Every pull request that it is for fails."
                ),
                "Make it a plain file of UTF-8 text.",
            ));
        }
        PolicyFile::Read(loaded) => loaded.clone().with_tests(day),
    };
    let detail = report::policy_text(&loaded, place, Style::Plain);
    if loaded.is_broken() {
        let message = format!("The policy {place} cannot be used; every pull request that it is for fails.");
        let remedy = "Mend it where it is shown; fromguard policy validate says the same of a file before it is pushed.";
        return Some(Line::fail(check, message, remedy).with_detail(detail));
    }
    let mode = loaded.policy.as_ref().map(|policy| policy.mode());
    let said = match mode {
        Some(Mode::Observe) => {
            format!("The policy {place} loads. It observes: the check passes whatever it finds.")
        }
        _ => format!("The policy {place} loads and enforces."),
    };
    Some(match loaded.diagnostics.is_empty() {
        true => Line::ok(check, said),
        false => Line::warn(check, said, "Read what is noted of it.").with_detail(detail),
    })
}
