//! Judging one use by one file (docs/policy.md, "Order of judgement").
//!
//! Worst wins: pass, unsure, review, fail. What is not known is never a pass.

use super::Explanation;
use super::Judgement;
use super::Policy;
use super::Verdict;
use super::case::Case;
use super::case::Given;
use super::files::add;
use super::form::Images;
use super::judging::Judging;
use super::judging::read_as;
use super::judging::step;
use super::judging::when_unsure_step;
use super::placing::Standing;
use super::source::Entry;
use super::source::location;
use super::wording::foreign_sentence;
use super::wording::plain;
use super::wording::quoted;
use super::wording::quoted_image;
use crate::image::ImageRef;
use crate::image::ImageUse;
use crate::image::Partial;
use crate::image::PatternMatch;
use crate::image::Target;
use crate::source::Problem;

/// Judges a use: every image that it may be, and the worst of them counts.
pub(super) fn judge(policy: &Policy, usage: &ImageUse, given: &Given<'_>) -> Judgement {
    let case = Case::of_use(policy, usage, given);
    let mut members = usage.targets.iter().map(|target| judge_target(&case, usage, target));
    let Some(mut worst) = members.next() else {
        return unsure_judgement(&case, format!("{} resolves to nothing that is known", quoted(&usage.raw)));
    };
    if usage.targets.len() > 1 {
        let mut steps = vec![worst.explanation.clone()];
        for member in members {
            steps.push(member.explanation.clone());
            let worse = member.verdict > worst.verdict;
            let (mut base, other) = if worse { (member, worst) } else { (worst, member) };
            for finding in other.findings {
                add(&mut base.findings, finding);
            }
            base.lifted.extend(other.lifted);
            base.wants.extend(other.wants);
            base.notices.extend(other.notices);
            worst = base;
        }
        let text = format!("{} may be any of {}; the worst counts", quoted(&usage.raw), usage.targets.len());
        worst.explanation = Explanation { text, at: None, because: steps };
    }
    worst
}

/// Judges something that could not be read.
pub(super) fn judge_problem(policy: &Policy, problem: &Problem, given: &Given<'_>) -> Judgement {
    let message = foreign_sentence(&problem.message);
    let explanation = Explanation {
        text: "what cannot be read could hide an image source".to_owned(),
        at: Some(problem.at.clone()),
        because: vec![when_unsure_step(policy)],
    };
    let case = Case::of_file(policy, &problem.at.file, given);
    let mut judging = Judging::new(&case, None);
    judging.unsure("unreadable", message, explanation);
    judging.finish()
}

fn unsure_judgement(case: &Case<'_>, message: String) -> Judgement {
    let mut judging = Judging::new(case, None);
    let explanation = step(message.clone(), vec![when_unsure_step(case.policy)]);
    judging.unsure("unsure", message, explanation);
    judging.finish()
}

fn judge_target(case: &Case<'_>, usage: &ImageUse, target: &Target) -> Judgement {
    match target {
        Target::Image(image) => {
            let mut judgement = judge_image(case, Some(&usage.raw), image);
            if !judgement.findings.is_empty() {
                offer_replacement(case, image, usage.targets.len() == 1, &mut judgement);
            }
            judgement
        }
        Target::Partial(partial) => judge_partial(case, usage, partial),
        // Whatever it is, only `block` could be against it.
        Target::Unresolved { .. } if case.is_output && case.policy.blocks.is_empty() => {
            Judging::new(case, None).finish()
        }
        Target::Unresolved { reason } => {
            let message = format!("{} cannot be resolved: {}", quoted(&usage.raw), foreign_sentence(reason));
            unsure_judgement(case, message)
        }
        Target::Invalid { text, reason } => {
            let mut judging = Judging::new(case, None);
            let mut message = format!("{} is not an image reference", quoted(text));
            // A reason that only says so again is left out.
            if !reason.starts_with(&format!("{text:?}")) {
                message.push_str(&format!(": {}", plain(reason)));
            }
            let explanation =
                step(format!("{} was read as an image reference and is none", quoted(text)), Vec::new());
            judging.fail("invalid", message, explanation);
            judging.finish()
        }
    }
}

fn judge_image(case: &Case<'_>, raw: Option<&str>, image: &ImageRef) -> Judgement {
    let mut judging = Judging::new(case, raw.and_then(|raw| read_as(raw, image)));
    let origin = judging.origin(image, false);
    if judging.block(image, &origin, false) {
        return judging.finish();
    }
    let Some(trust) = case.policy.trust.as_deref() else {
        judging.organisation_unknown(image);
        return judging.finish();
    };
    if case.is_output {
        return judging.output(trust, image, &origin);
    }
    judging.pin(&origin, image);
    // Sources that apply only if the registry confirms something.
    let mut unconfirmed: Vec<&Entry> = Vec::new();
    let mut applies = None;
    for (entry, matched) in trust.covering(&origin, false, case.given.evidence) {
        match judging.confirmed(entry, matched, &origin) {
            PatternMatch::Yes => {
                applies = Some(entry);
                break;
            }
            PatternMatch::Unsure => unconfirmed.push(entry),
            PatternMatch::No => {}
        }
    }
    unconfirmed.retain(|entry| applies.is_none_or(|applied| applied.source != entry.source));
    if let Some(entry) = unconfirmed.first() {
        judging.unconfirmed(trust, entry, image, &origin);
    }
    let standing = Standing { trust, image, origin: &origin, applies, candidates: unconfirmed, open: None };
    match applies {
        Some(entry) => {
            judging.applies(trust, entry, image, &origin);
            judging.require_of_source(&standing, entry);
        }
        None => {
            judging.unknown(&standing);
            judging.lookalike(trust, image, &origin);
        }
    }
    judging.places(&standing);
    judging.finish()
}

/// A partial reference is judged like a whole one only when nothing that could
/// stand in its place names another repository, and nothing that applies reads
/// what is not known.
fn judge_partial(case: &Case<'_>, usage: &ImageUse, partial: &Partial) -> Judgement {
    let image = &partial.name;
    let name = quoted_image(image);
    let what = if image.tag.is_some() { "digest" } else { "tag" };
    let reason = foreign_sentence(&partial.reason);
    if !partial.complete {
        let message = format!("{} is not wholly known: {reason}", quoted(&usage.raw));
        let mut judging = Judging::new(case, None);
        let text = format!(
            "the text before the variable does not fix host and repository, so that it may be more than {name}"
        );
        judging.unsure("unsure", message, step(text, vec![when_unsure_step(case.policy)]));
        return judging.finish();
    }
    let mut judging = Judging::new(case, read_as(&usage.raw, image));
    let origin = judging.origin(image, true);
    if judging.block(image, &origin, true) {
        return judging.finish();
    }
    let Some(trust) = case.policy.trust.as_deref() else {
        judging.organisation_unknown(image);
        return judging.finish();
    };
    if case.is_output {
        return judging.output(trust, image, &origin);
    }
    let mut candidates: Vec<&Entry> = Vec::new();
    let mut applies = None;
    for (entry, matched) in trust.covering(&origin, true, case.given.evidence) {
        match matched {
            PatternMatch::Yes => {
                applies = Some(entry);
                break;
            }
            PatternMatch::Unsure => candidates.push(entry),
            PatternMatch::No => {}
        }
    }
    candidates.retain(|entry| applies.is_none_or(|applied| applied.source != entry.source));
    let unverified = candidates.first().filter(|entry| entry.images == Images::HubVerified);
    if let Some(entry) = unverified {
        judging.unconfirmed(trust, entry, image, &origin);
    }
    let reads = match (candidates.iter().find(|entry| entry.images != Images::HubVerified), applies) {
        (Some(open), _) => Some((*open, "the pattern")),
        (None, Some(applied)) if !trust.sources[applied.source].require.is_empty() => {
            Some((applied, "a requirement of the source"))
        }
        _ => None,
    };
    let open = format!("the {what} of {name} is not known: {reason}");
    let standing = Standing { trust, image, origin: &origin, applies, candidates, open: Some(open.clone()) };
    match (reads, applies) {
        (Some((entry, reader)), _) => {
            let text = format!("{reader} {} reads it", quoted(&entry.text));
            let explanation = Explanation {
                text,
                at: Some(location(trust, entry.span)),
                because: vec![when_unsure_step(case.policy)],
            };
            judging.unsure("unsure", open, explanation);
        }
        (None, Some(entry)) => judging.applies(trust, entry, image, &origin),
        (None, None) => {
            judging.unknown(&standing);
            judging.lookalike(trust, image, &origin);
        }
    }
    judging.places(&standing);
    judging.finish()
}

/// What `replace` offers, with its own verdict beside it.
fn offer_replacement(case: &Case<'_>, image: &ImageRef, whole_use: bool, judgement: &mut Judgement) {
    let replace = &case.policy.replace;
    if replace.is_empty() {
        return;
    }
    let Some((name, rewrite)) = replace.apply(image) else { return };
    let target = ImageRef { digest: None, ..name };
    let verdict = match judge_image(case, None, &target) {
        Judgement { verdict: Verdict::Pass, source: Some(source), .. } => {
            format!("passes (source `{}`)", plain(&source))
        }
        Judgement { verdict: Verdict::Pass, .. } => "passes".to_owned(),
        other => {
            format!("does not pass either: {}", other.findings.first().map_or("", |finding| &finding.message))
        }
    };
    let text = quoted_image(&target);
    for finding in &mut judgement.findings {
        finding.explanation.because.push(Explanation {
            text: format!("`replace` offers {text}, which {verdict}"),
            at: Some(rewrite.at.clone()),
            because: Vec::new(),
        });
        if whole_use {
            finding.fix = Some(target.to_string());
        }
    }
}
