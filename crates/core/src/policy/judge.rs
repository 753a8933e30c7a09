//! Judging one use by one file (policy.md, "Order of judgement").
//!
//! Worst wins: pass, unsure, review, fail. What is not known is never a pass.

use super::Explanation;
use super::Finding;
use super::Judgement;
use super::Policy;
use super::Verdict;
use super::block::Blocked;
use super::files::add;
use super::form::Images;
use super::form::Unknown;
use super::near;
use super::source::Entry;
use super::source::Trust;
use super::source::official_name;
use super::verdict::Effect;
use super::wording::foreign_sentence;
use super::wording::plain;
use super::wording::quoted;
use crate::image::ImageRef;
use crate::image::ImageUse;
use crate::image::LATEST;
use crate::image::Partial;
use crate::image::PatternMatch;
use crate::image::Target;
use crate::image::normal_host;
use crate::source::Location;
use crate::source::Problem;
use crate::source::Span;
use crate::trust;

/// Judges a use: every image that it may be, and the worst of them counts.
pub(super) fn judge(policy: &Policy, usage: &ImageUse) -> Judgement {
    let mut members = usage.targets.iter().map(|target| judge_target(policy, usage, target));
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
    for entry in trust.covering(&origin) {
        match version(entry, &origin, false) {
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
            quoted(&entry.text()),
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
    for entry in trust.covering(&origin) {
        match version(entry, &origin, true) {
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
        let text = format!("{reader} {} reads it", quoted(&entry.text()));
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

fn version(entry: &Entry, image: &ImageRef, open: bool) -> PatternMatch {
    match &entry.images {
        Images::Pattern(pattern) => pattern.trusts_version(image, open),
        Images::HubOfficial => PatternMatch::Yes,
    }
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

/// A judgement under construction.
struct Judging<'p> {
    policy: &'p Policy,
    source: Option<String>,
    findings: Vec<Finding>,
    /// How the reference was read, for every explanation.
    reading: Vec<Explanation>,
    passes_because: Option<Explanation>,
}

impl<'p> Judging<'p> {
    fn new(policy: &'p Policy, reading: Option<Explanation>) -> Judging<'p> {
        let reading = reading.into_iter().collect();
        Judging { policy, source: None, findings: Vec::new(), reading, passes_because: None }
    }

    /// The image that is judged: a mirror's origin.
    fn origin(&mut self, image: &ImageRef) -> ImageRef {
        match self.policy.mirrors.apply(image) {
            None => image.clone(),
            Some((origin, mirror)) => {
                self.reading.push(Explanation {
                    text: format!("the mirror `{}` makes it {}", mirror.from, quoted(&origin.to_string())),
                    at: Some(mirror.at.clone()),
                    because: Vec::new(),
                });
                origin
            }
        }
    }

    /// Applies `block` to what is written and to where it comes from; `true` when it is blocked.
    fn block(&mut self, image: &ImageRef, origin: &ImageRef, open: bool) -> bool {
        let blocks = &self.policy.blocks;
        let mut found = blocks.find(image, open);
        if origin != image && !matches!(found, Some((_, PatternMatch::Yes))) {
            found = blocks.find(origin, open).or(found);
        }
        let Some((blocked, matched)) = found else { return false };
        let name = quoted(&image.to_string());
        let at = Some(Location { file: self.policy.file.path().clone(), span: blocked.span });
        if matched == PatternMatch::Yes {
            let because = blocked.because.as_ref().map_or(String::new(), |because| format!(": {because}"));
            let text = format!("`{}` of `block` covers it, and `block` always wins", blocked.pattern);
            let explanation = Explanation { text, at, because: Vec::new() };
            self.fail("block", format!("{name} is blocked{because}"), explanation);
            return true;
        }
        let message = format!("{name} {}", may_be(blocked));
        let because = vec![when_unsure_step(self.policy)];
        let text = format!(
            "`{}` of `block` names a tag or digest, and which one this is cannot be known offline",
            blocked.pattern
        );
        self.unsure("unsure", message, Explanation { text, at, because });
        false
    }

    fn applies(&mut self, trust: &Trust, entry: &Entry, image: &ImageRef) {
        let source = &trust.sources[entry.source].name;
        self.passes_because = Some(Explanation {
            text: format!(
                "{} comes from the source `{source}`: {} covers it",
                quoted(&image.to_string()),
                quoted(&entry.text())
            ),
            at: Some(location(trust, entry.span)),
            because: Vec::new(),
        });
        self.source = Some(source.clone());
    }

    /// What the source requires. `image` is what is shown, `origin` what is judged.
    fn require(&mut self, trust: &Trust, entry: &Entry, image: &ImageRef, origin: &ImageRef) {
        let source = &trust.sources[entry.source];
        let require = &source.require;
        let (name, by) = (quoted(&image.to_string()), &source.name);
        let at = |span: Span| Some(location(trust, span));
        let because = |this: &Judging<'p>| this.passes_because.clone().into_iter().collect();
        if let Some(span) = require.digest.filter(|_| image.digest.is_none()) {
            let text = format!("the source `{by}` requires a digest: write `@sha256:…` after the tag");
            let explanation = Explanation { text, at: at(span), because: because(self) };
            self.fail(
                "digest",
                format!("{name} is not pinned by digest, which the source `{by}` requires"),
                explanation,
            );
        }
        let tag = image.tag.as_deref().unwrap_or(LATEST);
        if let Some(forbidden) = require.forbid_tags.iter().find(|glob| glob.value.matches(tag)) {
            let message = match &image.tag {
                Some(tag) => format!("{name} has the tag {}, which the source `{by}` forbids", quoted(tag)),
                None => {
                    format!("{name} has no tag, which counts as `latest`, and the source `{by}` forbids that")
                }
            };
            let text =
                format!("`forbid-tags` of the source `{by}` holds `{}`: write another tag", forbidden.value);
            let explanation = Explanation { text, at: at(forbidden.span), because: because(self) };
            self.fail("forbid-tags", message, explanation);
        }
        if let Some(span) = require.supported_tag {
            self.supported_tag(image, origin, at(span));
        }
    }

    fn supported_tag(&mut self, image: &ImageRef, origin: &ImageRef, at: Option<Location>) {
        let name = quoted(&image.to_string());
        let date = &trust::catalogue_origin().date;
        let short = official_name(&normal_host(&origin.registry), &origin.repository).unwrap_or("");
        let because: Vec<Explanation> = self.passes_because.clone().into_iter().collect();
        let Some(official) = trust::official(short) else {
            let text = format!("the list of official images of {date} does not have it");
            let message =
                format!("{name} is not an official image, and its source requires a supported tag of one");
            return self.fail("tag", message, Explanation { text, at, because });
        };
        match (&image.tag, &image.digest) {
            (None, Some(_)) => {
                let message =
                    format!("{name} has no tag, so that whether it is supported cannot be known offline");
                let explanation =
                    Explanation { text: "`tag: supported` reads the tag".to_owned(), at, because };
                self.unsure("unsure", message, explanation);
            }
            (tag, digest) => {
                let tag = tag.as_deref().unwrap_or(LATEST);
                if !official.supports(tag) {
                    let message = format!(
                        "the tag {} of the official image `{short}` is not supported any more, or never was",
                        quoted(tag)
                    );
                    let text = format!(
                        "the list of official images of {date} does not have it: write a tag of the list"
                    );
                    self.fail("tag", message, Explanation { text, at, because });
                } else if digest.is_some() {
                    let message = format!(
                        "whether the digest of {name} is what its supported tag means cannot be confirmed offline"
                    );
                    let text = "beside a digest a runtime ignores the tag".to_owned();
                    let because = because.into_iter().chain([when_unsure_step(self.policy)]).collect();
                    self.unsure("unsure", message, Explanation { text, at, because });
                }
            }
        }
    }

    /// No source names the image.
    fn unknown(&mut self, trust: &Trust, image: &ImageRef, origin: &ImageRef) {
        let name = quoted(&image.to_string());
        let Some((unknown, at)) = &self.policy.unknown else { return };
        let (text, at) =
            (format!("no source names it, and `unknown: {}` decides", unknown.as_str()), Some(at.clone()));
        if *unknown == Unknown::Allow {
            self.passes_because = Some(Explanation { text, at, because: Vec::new() });
            return;
        }
        let mut because = near::misses(trust, origin);
        because.push(near::allowed(trust));
        let message = format!("{name} comes from no source this policy trusts");
        let explanation = Explanation { text, at, because };
        match unknown {
            Unknown::Fail => self.fail("unknown", message, explanation),
            Unknown::Review | Unknown::Allow => {
                self.find("unknown", Verdict::Review, Effect::Review, message, explanation)
            }
        }
    }

    fn organisation_unknown(&mut self, image: &ImageRef) {
        let message = format!(
            "{} cannot be judged: the organisation's policy did not load",
            quoted(&image.to_string())
        );
        let explanation = step(
            "the sources stand in the organisation's policy".to_owned(),
            vec![when_unsure_step(self.policy)],
        );
        self.unsure("unsure", message, explanation);
    }

    fn fail(&mut self, rule: &str, message: String, explanation: Explanation) {
        self.find(rule, Verdict::Fail, Effect::Fail, message, explanation);
    }

    fn unsure(&mut self, rule: &str, message: String, explanation: Explanation) {
        self.find(rule, Verdict::Undecided, self.policy.when_unsure.0, message, explanation);
    }

    fn find(
        &mut self,
        rule: &str,
        verdict: Verdict,
        effect: Effect,
        message: String,
        mut explanation: Explanation,
    ) {
        explanation.because.splice(0..0, self.reading.iter().cloned());
        let mode = self.policy.mode;
        self.findings.push(Finding {
            rule: rule.to_owned(),
            verdict,
            effect,
            mode,
            message,
            explanation,
            fix: None,
        });
    }

    fn finish(self) -> Judgement {
        let verdict = self.findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Pass);
        let explanation = match self.findings.as_slice() {
            [] => {
                let mut explanation = self
                    .passes_because
                    .unwrap_or_else(|| step("nothing is against it".to_owned(), Vec::new()));
                explanation.because.splice(0..0, self.reading);
                explanation
            }
            [only] => {
                Explanation { text: only.message.clone(), at: None, because: vec![only.explanation.clone()] }
            }
            several => Explanation {
                text: format!("{} findings", several.len()),
                at: None,
                because: several
                    .iter()
                    .map(|finding| Explanation {
                        text: finding.message.clone(),
                        at: None,
                        because: vec![finding.explanation.clone()],
                    })
                    .collect(),
            },
        };
        Judgement { verdict, source: self.source, findings: self.findings, explanation }
    }
}

fn may_be(blocked: &Blocked) -> String {
    let what = if blocked.pattern.digest().is_some() { "digest" } else { "tag" };
    format!("may be the {what} that `{}` blocks", blocked.pattern)
}

fn step(text: String, because: Vec<Explanation>) -> Explanation {
    Explanation { text, at: None, because }
}

/// How a reference was read, when that is not what stands there.
fn read_as(raw: &str, image: &ImageRef) -> Option<Explanation> {
    let normal = image.to_string();
    (raw != normal).then(|| step(format!("{} is read as {}", quoted(raw), quoted(&normal)), Vec::new()))
}

fn when_unsure_step(policy: &Policy) -> Explanation {
    let (effect, at) = &policy.when_unsure;
    let word = match effect {
        Effect::Review => "review",
        Effect::Fail => "fail",
    };
    let default = if at.is_none() { " (the default)" } else { "" };
    Explanation {
        text: format!("what is not known counts as `when-unsure: {word}`{default}"),
        at: at.clone(),
        because: Vec::new(),
    }
}

fn location(trust: &Trust, span: Span) -> Location {
    Location { file: trust.file.clone(), span }
}
