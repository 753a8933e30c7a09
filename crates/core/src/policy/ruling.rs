//! What `rules` add to a judgement. They apply to every use whatever its source,
//! and can only add findings; on what `block` refuses they say nothing more.

use super::judging::Judging;
use super::rules::Subject;
use super::verdict::Effect;
use super::verdict::Verdict;

/// The tier of an image that no source names.
const NO_TIER: &str = "unknown";

impl Judging<'_> {
    /// Adds what the rules of the file say.
    pub(super) fn rules(&mut self) {
        let case = self.case;
        let Some(usage) = case.usage.filter(|_| !case.is_output && !case.policy.rules.is_empty()) else {
            return;
        };
        if self.findings.iter().any(|finding| matches!(finding.rule.as_str(), "block" | "invalid")) {
            return;
        }
        let (origin, open) = self.judged.clone().unzip();
        let subject = Subject {
            usage,
            tier: origin.as_ref().and_then(|_| self.tier()),
            origin,
            whole: open == Some(false),
            circumstances: case.given.circumstances,
        };
        for rule in &case.policy.rules {
            let Some(applied) = rule.apply(&subject) else { continue };
            let effect = match applied.verdict {
                Verdict::Undecided => case.policy.when_unsure.0,
                Verdict::Review => Effect::Review,
                Verdict::Fail | Verdict::Pass => Effect::Fail,
            };
            self.find(&rule.name, applied.verdict, effect, applied.message, applied.explanation);
        }
    }

    /// The source that applies. As long as something is unsure, another may.
    fn tier(&self) -> Option<String> {
        let is_unsure = self.findings.iter().any(|finding| finding.rule == "unsure");
        if is_unsure || self.case.policy.trust.is_none() {
            return None;
        }
        Some(self.source.clone().unwrap_or_else(|| NO_TIER.to_owned()))
    }
}
