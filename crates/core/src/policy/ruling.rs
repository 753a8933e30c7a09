//! What `rules` add to a judgement. They apply to every use whatever its source,
//! and can only add findings; on what `block` refuses they say nothing more.

use super::Circumstances;
use super::Effect;
use super::Finding;
use super::Judgement;
use super::Policy;
use super::Verdict;
use super::judging::does_not_pass;
use super::rules::Subject;
use crate::image::ImageRef;
use crate::image::ImageUse;
use crate::image::Target;

/// The tier of an image that no source names.
const NO_TIER: &str = "unknown";

/// Adds what the rules of a file say of one image that a use may be.
pub(super) fn apply(
    policy: &Policy,
    usage: &ImageUse,
    target: &Target,
    circumstances: &Circumstances,
    judgement: &mut Judgement,
) {
    let is_blocked = judgement.findings.iter().any(|finding| finding.rule == "block");
    if policy.rules.is_empty() || is_blocked || matches!(target, Target::Invalid { .. }) {
        return;
    }
    let (image, whole) = match target {
        Target::Image(image) => (Some(image), true),
        Target::Partial(partial) if partial.complete => (Some(&partial.name), false),
        Target::Partial(_) | Target::Unresolved { .. } | Target::Invalid { .. } => (None, false),
    };
    let subject = Subject {
        usage,
        origin: image.map(|image| origin(policy, image)),
        whole,
        tier: image.and_then(|_| tier(policy, judgement)),
        circumstances,
    };
    let before = judgement.findings.len();
    for rule in &policy.rules {
        let Some(applied) = rule.apply(&subject) else { continue };
        let effect = match applied.verdict {
            Verdict::Undecided => policy.when_unsure.0,
            Verdict::Review => Effect::Review,
            Verdict::Fail | Verdict::Pass => Effect::Fail,
        };
        judgement.verdict = judgement.verdict.max(applied.verdict);
        judgement.findings.push(Finding {
            rule: rule.name.clone(),
            verdict: applied.verdict,
            effect,
            mode: policy.mode,
            message: applied.message,
            explanation: applied.explanation,
            fix: None,
        });
    }
    if judgement.findings.len() > before {
        judgement.explanation = does_not_pass(&judgement.findings);
    }
}

fn origin(policy: &Policy, image: &ImageRef) -> ImageRef {
    policy.mirrors.apply(image).map_or_else(|| image.clone(), |(origin, _)| origin)
}

/// The source that applies. As long as something is unsure, another may.
fn tier(policy: &Policy, judgement: &Judgement) -> Option<String> {
    let is_unsure = judgement.findings.iter().any(|finding| finding.rule == "unsure");
    if is_unsure || policy.trust.is_none() {
        return None;
    }
    Some(judgement.source.clone().unwrap_or_else(|| NO_TIER.to_owned()))
}
