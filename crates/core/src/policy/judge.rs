//! Judging one use by one file (docs/policy.md, "Order of judgement").
//!
//! Worst wins: pass, unsure, review, fail. What is not known is never a pass.

use super::Circumstances;
use super::Explanation;
use super::Judgement;
use super::Policy;
use super::Verdict;
use super::files::add;
use super::judging::Judging;
use super::judging::location;
use super::judging::read_as;
use super::judging::step;
use super::judging::when_unsure_step;
use super::ruling;
use super::source::Entry;
use super::wording::foreign_sentence;
use super::wording::plain;
use super::wording::quoted;
use crate::image::ImageRef;
use crate::image::ImageUse;
use crate::image::Partial;
use crate::image::PatternMatch;
use crate::image::Target;
use crate::source::Problem;

/// Judges a use: every image that it may be, and the worst of them counts.
pub(super) fn judge(policy: &Policy, usage: &ImageUse, circumstances: &Circumstances) -> Judgement {
    let mut members = usage.targets.iter().map(|target| {
        let mut judgement = judge_target(policy, usage, target);
        ruling::apply(policy, usage, target, circumstances, &mut judgement);
        judgement
    });
    let Some(mut worst) = members.next() else {
        return unsure_judgement(policy, format!("{} resolves to nothing that is known", quoted(&usage.raw)));
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
            worst = base;
        }
        let text = format!("{} may be any of {}; the worst counts", quoted(&usage.raw), usage.targets.len());
        worst.explanation = Explanation { text, at: None, because: steps };
    }
    worst
}

/// Judges something that could not be read.
pub(super) fn judge_problem(policy: &Policy, problem: &Problem) -> Judgement {
    let message = foreign_sentence(&problem.message);
    let explanation = Explanation {
        text: "what cannot be read could hide an image source".to_owned(),
        at: Some(problem.at.clone()),
        because: vec![when_unsure_step(policy)],
    };
    let mut judging = Judging::new(policy, None);
    judging.unsure("unreadable", message, explanation);
    judging.finish()
}

fn unsure_judgement(policy: &Policy, message: String) -> Judgement {
    let mut judging = Judging::new(policy, None);
    let explanation = step(message.clone(), vec![when_unsure_step(policy)]);
    judging.unsure("unsure", message, explanation);
    judging.finish()
}

fn judge_target(policy: &Policy, usage: &ImageUse, target: &Target) -> Judgement {
    match target {
        Target::Image(image) => {
            let mut judgement = judge_image(policy, Some(&usage.raw), image);
            if !judgement.findings.is_empty() {
                offer_replacement(policy, image, usage.targets.len() == 1, &mut judgement);
            }
            judgement
        }
        Target::Partial(partial) => judge_partial(policy, usage, partial),
        Target::Unresolved { reason } => {
            let message = format!("{} cannot be resolved: {}", quoted(&usage.raw), foreign_sentence(reason));
            unsure_judgement(policy, message)
        }
        Target::Invalid { text, reason } => {
            let mut judging = Judging::new(policy, None);
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

fn judge_image(policy: &Policy, raw: Option<&str>, image: &ImageRef) -> Judgement {
    let mut judging = Judging::new(policy, raw.and_then(|raw| read_as(raw, image)));
    let origin = judging.origin(image);
    if judging.block(image, &origin, false) {
        return judging.finish();
    }
    let Some(trust) = policy.trust.as_deref() else {
        judging.organisation_unknown(image);
        return judging.finish();
    };
    // Sources whose tag pattern matches a tag that stands beside a digest: only
    // the registry could say whether they apply.
    let mut unconfirmed: Vec<&Entry> = Vec::new();
    let mut applies = None;
    for (entry, matched) in trust.covering(&origin, false) {
        match matched {
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
        let message = format!(
            "whether {} is what the tag of {} means cannot be confirmed offline",
            quoted(&image.to_string()),
            quoted(&entry.text),
        );
        let text = "beside a digest a runtime ignores the tag, so that a tag pattern counts only when the registry confirms it";
        let explanation = Explanation {
            text: text.to_owned(),
            at: Some(location(trust, entry.span)),
            because: vec![when_unsure_step(policy)],
        };
        judging.unsure("unsure", message, explanation);
    }
    match applies {
        Some(entry) => {
            judging.applies(trust, entry, image);
            judging.require(trust, entry, image, &origin);
        }
        None => judging.unknown(trust, image, &origin),
    }
    judging.finish()
}

/// A partial reference is judged like a whole one only when nothing that could
/// stand in its place names another repository, and nothing that applies reads
/// what is not known.
fn judge_partial(policy: &Policy, usage: &ImageUse, partial: &Partial) -> Judgement {
    let image = &partial.name;
    let name = quoted(&image.to_string());
    let what = if image.tag.is_some() { "digest" } else { "tag" };
    let reason = foreign_sentence(&partial.reason);
    if !partial.complete {
        let message = format!("{} is not wholly known: {reason}", quoted(&usage.raw));
        let mut judging = Judging::new(policy, None);
        let text = format!(
            "the text before the variable does not fix host and repository, so that it may be more than {name}"
        );
        judging.unsure("unsure", message, step(text, vec![when_unsure_step(policy)]));
        return judging.finish();
    }
    let mut judging = Judging::new(policy, read_as(&usage.raw, image));
    let origin = judging.origin(image);
    if judging.block(image, &origin, true) {
        return judging.finish();
    }
    let Some(trust) = policy.trust.as_deref() else {
        judging.organisation_unknown(image);
        return judging.finish();
    };
    let mut open: Option<&Entry> = None;
    let mut applies = None;
    for (entry, matched) in trust.covering(&origin, true) {
        match matched {
            PatternMatch::Yes => {
                applies = Some(entry);
                break;
            }
            PatternMatch::Unsure => open = open.or(Some(entry)),
            PatternMatch::No => {}
        }
    }
    let reads = match (open, applies) {
        (Some(open), applied) if applied.is_none_or(|applied| applied.source != open.source) => {
            Some((open, "the pattern"))
        }
        (_, Some(applied)) if trust.sources[applied.source].require.reads_version() => {
            Some((applied, "a requirement of the source"))
        }
        _ => None,
    };
    if let Some((entry, reader)) = reads {
        let message = format!("the {what} of {name} is not known: {reason}");
        let text = format!("{reader} {} reads it", quoted(&entry.text));
        let explanation = Explanation {
            text,
            at: Some(location(trust, entry.span)),
            because: vec![when_unsure_step(policy)],
        };
        judging.unsure("unsure", message, explanation);
        return judging.finish();
    }
    match applies {
        Some(entry) => judging.applies(trust, entry, image),
        None => judging.unknown(trust, image, &origin),
    }
    judging.finish()
}

/// What `replace` offers, with its own verdict beside it.
fn offer_replacement(policy: &Policy, image: &ImageRef, whole_use: bool, judgement: &mut Judgement) {
    if policy.replace.is_empty() {
        return;
    }
    let Some((name, rewrite)) = policy.replace.apply(image) else { return };
    let target = ImageRef { digest: None, ..name };
    let verdict = match judge_image(policy, None, &target) {
        Judgement { verdict: Verdict::Pass, source: Some(source), .. } => {
            format!("passes (source `{}`)", plain(&source))
        }
        Judgement { verdict: Verdict::Pass, .. } => "passes".to_owned(),
        other => {
            format!("does not pass either: {}", other.findings.first().map_or("", |finding| &finding.message))
        }
    };
    let text = quoted(&target.to_string());
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
