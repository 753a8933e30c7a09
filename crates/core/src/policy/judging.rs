//! A judgement under construction: each rule adds its findings, and each finding
//! says what it rests on.

use super::Explanation;
use super::Finding;
use super::Judgement;
use super::Policy;
use super::Verdict;
use super::block::Blocked;
use super::form::Unknown;
use super::near;
use super::source::Entry;
use super::source::Trust;
use super::source::official_name;
use super::verdict::Effect;
use super::wording::quoted;
use crate::image::ImageRef;
use crate::image::LATEST;
use crate::image::PatternMatch;
use crate::image::normal_host;
use crate::source::Location;
use crate::source::Span;
use crate::trust;
/// A judgement under construction.
pub(super) struct Judging<'p> {
    policy: &'p Policy,
    source: Option<String>,
    findings: Vec<Finding>,
    /// How the reference was read, for every explanation.
    reading: Vec<Explanation>,
    passes_because: Option<Explanation>,
}

impl<'p> Judging<'p> {
    pub(super) fn new(policy: &'p Policy, reading: Option<Explanation>) -> Judging<'p> {
        let reading = reading.into_iter().collect();
        Judging { policy, source: None, findings: Vec::new(), reading, passes_because: None }
    }

    /// The image that is judged: a mirror's origin.
    pub(super) fn origin(&mut self, image: &ImageRef) -> ImageRef {
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
    pub(super) fn block(&mut self, image: &ImageRef, origin: &ImageRef, open: bool) -> bool {
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

    pub(super) fn applies(&mut self, trust: &Trust, entry: &Entry, image: &ImageRef) {
        let source = &trust.sources[entry.source].name;
        self.passes_because = Some(Explanation {
            text: format!(
                "{} comes from the source `{source}`: {} covers it",
                quoted(&image.to_string()),
                quoted(&entry.text)
            ),
            at: Some(location(trust, entry.span)),
            because: Vec::new(),
        });
        self.source = Some(source.clone());
    }

    /// What the source requires. `image` is what is shown, `origin` what is judged.
    pub(super) fn require(&mut self, trust: &Trust, entry: &Entry, image: &ImageRef, origin: &ImageRef) {
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
    pub(super) fn unknown(&mut self, trust: &Trust, image: &ImageRef, origin: &ImageRef) {
        let name = quoted(&image.to_string());
        let Some((unknown, at)) = &self.policy.unknown else { return };
        let (text, at) =
            (format!("no source names it, and `unknown: {}` decides", unknown.as_str()), Some(at.clone()));
        if *unknown == Unknown::Allow {
            self.passes_because = Some(Explanation { text, at, because: Vec::new() });
            return;
        }
        let mut because = near::misses(trust, origin);
        because.push(trust.allowed.clone());
        let message = format!("{name} comes from no source this policy trusts");
        let explanation = Explanation { text, at, because };
        match unknown {
            Unknown::Fail => self.fail("unknown", message, explanation),
            Unknown::Review | Unknown::Allow => {
                self.find("unknown", Verdict::Review, Effect::Review, message, explanation)
            }
        }
    }

    pub(super) fn organisation_unknown(&mut self, image: &ImageRef) {
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

    pub(super) fn fail(&mut self, rule: &str, message: String, explanation: Explanation) {
        self.find(rule, Verdict::Fail, Effect::Fail, message, explanation);
    }

    pub(super) fn unsure(&mut self, rule: &str, message: String, explanation: Explanation) {
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

    pub(super) fn finish(self) -> Judgement {
        let verdict = self.findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Pass);
        let explanation = match self.findings.as_slice() {
            [] => {
                let mut explanation = self
                    .passes_because
                    .unwrap_or_else(|| step("nothing is against it".to_owned(), Vec::new()));
                explanation.because.splice(0..0, self.reading);
                explanation
            }
            // What each rests on stands in the finding.
            findings => does_not_pass(findings),
        };
        Judgement { verdict, source: self.source, findings: self.findings, explanation }
    }
}

/// What a judgement with findings says as a whole.
pub(super) fn does_not_pass(findings: &[Finding]) -> Explanation {
    let messages = findings.iter().map(|finding| step(finding.message.clone(), Vec::new()));
    step("it does not pass".to_owned(), messages.collect())
}

fn may_be(blocked: &Blocked) -> String {
    let what = if blocked.pattern.digest().is_some() { "digest" } else { "tag" };
    format!("may be the {what} that `{}` blocks", blocked.pattern)
}

pub(super) fn step(text: String, because: Vec<Explanation>) -> Explanation {
    Explanation { text, at: None, because }
}

/// How a reference was read, when that is not what stands there.
pub(super) fn read_as(raw: &str, image: &ImageRef) -> Option<Explanation> {
    let normal = image.to_string();
    (raw != normal).then(|| step(format!("{} is read as {}", quoted(raw), quoted(&normal)), Vec::new()))
}

pub(super) fn when_unsure_step(policy: &Policy) -> Explanation {
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

pub(super) fn location(trust: &Trust, span: Span) -> Location {
    Location { file: trust.file.clone(), span }
}
