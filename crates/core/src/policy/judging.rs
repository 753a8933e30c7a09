//! A judgement under construction: each rule adds its findings, and each finding
//! says what it rests on.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Explanation;
use super::Finding;
use super::Judgement;
use super::Lifted;
use super::Policy;
use super::Verdict;
use super::block::Blocked;
use super::case::Case;
use super::exception::Asked;
use super::exception::Naming;
use super::form::Unknown;
use super::near;
use super::place::Place;
use super::placing::Standing;
use super::scrutinising::Scrutinised;
use super::source::Entry;
use super::source::Trust;
use super::source::location;
use super::verdict::Effect;
use super::wording::quoted;
use super::wording::quoted_image;
use crate::image::ImageRef;
use crate::image::LATEST;
use crate::image::PatternMatch;
use crate::trust;
use crate::trust::Wanted;
/// A judgement under construction.
pub(super) struct Judging<'c> {
    pub(super) case: &'c Case<'c>,
    /// The places of the case.
    pub(super) places: Vec<&'c Place>,
    pub(super) source: Option<String>,
    pub(super) findings: Vec<Finding>,
    pub(super) wants: BTreeSet<Wanted>,
    pub(super) notices: BTreeSet<String>,
    /// What is required and proven, with who says so.
    pub(super) proven: Vec<Explanation>,
    /// The image that is judged, and whether its tag or digest is open; `None`
    /// when it is not known which image it is.
    pub(super) judged: Option<(ImageRef, bool)>,
    /// Whether it is blocked cannot be known.
    pub(super) may_be_blocked: bool,
    /// No source names the image, and nothing else lets it pass.
    pub(super) is_unknown: bool,
    /// How the reference was read, for every explanation.
    reading: Vec<Explanation>,
    pub(super) passes_because: Option<Explanation>,
}

impl<'c> Judging<'c> {
    pub(super) fn new(case: &'c Case<'c>, reading: Option<Explanation>) -> Judging<'c> {
        Judging {
            case,
            places: case.places.clone(),
            source: None,
            findings: Vec::new(),
            wants: BTreeSet::new(),
            notices: BTreeSet::new(),
            proven: Vec::new(),
            judged: None,
            may_be_blocked: false,
            is_unknown: false,
            reading: reading.into_iter().collect(),
            passes_because: None,
        }
    }

    /// The image that is judged: a mirror's origin.
    ///
    /// `open` says that its tag or, when there is one, its digest is not known.
    pub(super) fn origin(&mut self, image: &ImageRef, open: bool) -> ImageRef {
        let origin = match self.case.policy.mirrors.apply(image) {
            None => image.clone(),
            Some((origin, mirror)) => {
                self.reading.push(Explanation {
                    text: format!("the mirror `{}` makes it {}", mirror.from, quoted_image(&origin)),
                    at: Some(mirror.at.clone()),
                    because: Vec::new(),
                });
                origin
            }
        };
        self.judged = Some((origin.clone(), open));
        origin
    }

    /// Applies `block` to what is written and to where it comes from; `true` when it is blocked.
    pub(super) fn block(&mut self, image: &ImageRef, origin: &ImageRef, open: bool) -> bool {
        let blocks = &self.case.policy.blocks;
        let mut found = blocks.find(image, open);
        if origin != image && !matches!(found, Some((_, PatternMatch::Yes))) {
            found = blocks.find(origin, open).or(found);
        }
        let Some((blocked, matched)) = found else { return false };
        let name = quoted_image(image);
        let at = Some(self.case.at(blocked.span));
        if matched == PatternMatch::Yes {
            let because = blocked.because.as_ref().map_or(String::new(), |because| format!(": {because}"));
            let text = format!("`{}` of `block` covers it, and `block` always wins", blocked.pattern);
            let explanation = Explanation { text, at, because: Vec::new() };
            self.fail("block", format!("{name} is blocked{because}"), explanation);
            return true;
        }
        let message = format!("{name} {}", may_be(blocked));
        let because = vec![when_unsure_step(self.case.policy)];
        let text = format!(
            "`{}` of `block` names a tag or digest, and which one this is cannot be known offline",
            blocked.pattern
        );
        self.unsure("unsure", message, Explanation { text, at, because });
        // What may be blocked is not lifted either.
        self.may_be_blocked = true;
        if let Some(finding) = self.findings.last_mut() {
            finding.liftable_as = None;
        }
        false
    }

    /// A source applies to `image`, which is judged as `origin`.
    pub(super) fn applies(&mut self, trust: &Trust, entry: &Entry, image: &ImageRef, origin: &ImageRef) {
        let source = &trust.sources[entry.source].name;
        self.passes_because = Some(Explanation {
            text: format!(
                "{} comes from the source `{source}`: {} covers it",
                quoted_image(image),
                quoted(&entry.text)
            ),
            at: Some(location(trust, entry.span)),
            because: self.vouched(entry, origin).into_iter().collect(),
        });
        self.source = Some(source.clone());
    }

    /// No source names the image.
    pub(super) fn unknown(&mut self, standing: &Standing<'_>) {
        let (trust, name) = (standing.trust, quoted_image(standing.image));
        self.is_unknown = true;
        let Some((unknown, at)) = &self.case.policy.unknown else { return };
        let (text, at) =
            (format!("no source names it, and `unknown: {}` decides", unknown.as_str()), Some(at.clone()));
        let mut dossier = None;
        if let Some(scrutiny) = &self.case.policy.scrutiny {
            let (outcome, explanation) = self.scrutinise(scrutiny, standing);
            match outcome {
                Scrutinised::Proven => {
                    self.is_unknown = false;
                    let text = "no source names it, and everything that `scrutinise` asks for is proven";
                    self.passes_because = Some(step(text.to_owned(), vec![explanation]));
                    return;
                }
                Scrutinised::FirstUse => return self.first_use(standing, true, explanation),
                Scrutinised::FirstUseNotKnown => return self.first_use(standing, false, explanation),
                Scrutinised::NotProven => dossier = Some(explanation),
            }
        }
        let mut because = near::misses(trust, standing.origin, self.case.given.day);
        let tried = near::tried(trust, standing.origin, self.case.given.evidence, &because);
        if *unknown == Unknown::Allow {
            because.extend(tried);
            self.passes_because = Some(Explanation { text, at, because });
            return;
        }
        because.extend(dossier);
        because.push(trust.allowed.clone());
        because.extend(tried);
        let message = format!("{name} comes from no source this policy trusts");
        let explanation = Explanation { text, at, because };
        match unknown {
            Unknown::Fail => self.fail("unknown", message, explanation),
            Unknown::Review | Unknown::Allow => self.review("unknown", message, explanation),
        }
    }

    pub(super) fn organisation_unknown(&mut self, image: &ImageRef) {
        let message =
            format!("{} cannot be judged: the organisation's policy did not load", quoted_image(image));
        let explanation = step(
            "the sources stand in the organisation's policy".to_owned(),
            vec![when_unsure_step(self.case.policy)],
        );
        self.unsure("unsure", message, explanation);
    }

    /// What a build is called, and not blocked: only its name can be against it.
    pub(super) fn output(mut self, trust: &Trust, image: &ImageRef, origin: &ImageRef) -> Judgement {
        if trust.covering(origin, true, self.case.given.evidence).is_empty() {
            self.lookalike(trust, image, origin);
        }
        self.places.clear();
        let text = "it is what a build is called, which `block` and `lookalike` alone are about";
        self.passes_because = Some(step(text.to_owned(), Vec::new()));
        self.finish()
    }

    /// One slip of the keys is no choice: a person has to look.
    pub(super) fn lookalike(&mut self, trust: &Trust, image: &ImageRef, origin: &ImageRef) {
        let Some(known) = trust::lookalike(origin, &trust.hosts) else { return };
        let name = quoted_image(image);
        let message = format!("{name} looks like {}, one letter away", quoted(&known));
        let text = "no source names it, and a name that is nearly a known one is how people are deceived";
        self.review("lookalike", message, step(text.to_owned(), Vec::new()));
    }

    pub(super) fn review(&mut self, rule: &str, message: String, explanation: Explanation) {
        self.find(rule, Verdict::Review, Effect::Review, message, explanation);
    }

    pub(super) fn fail(&mut self, rule: &str, message: String, explanation: Explanation) {
        self.find(rule, Verdict::Fail, Effect::Fail, message, explanation);
    }

    pub(super) fn unsure(&mut self, rule: &str, message: String, explanation: Explanation) {
        self.find(rule, Verdict::Undecided, self.case.policy.when_unsure.0, message, explanation);
    }

    pub(super) fn find(
        &mut self,
        rule: &str,
        verdict: Verdict,
        effect: Effect,
        message: String,
        mut explanation: Explanation,
    ) {
        explanation.because.splice(0..0, self.reading.iter().cloned());
        let (mode, harder) = self.case.mode();
        explanation.because.extend(harder.map(|(place, span)| Explanation {
            text: format!("the place {} enforces it", quoted(&place.name.value)),
            at: Some(self.case.at(span)),
            because: Vec::new(),
        }));
        self.findings.push(Finding {
            rule: rule.to_owned(),
            verdict,
            effect,
            mode,
            message,
            explanation,
            fix: None,
            reviewers: Arc::clone(&self.case.policy.reviewers),
            liftable_as: self.liftable_as().filter(|_| rule != "block"),
        });
    }

    /// The image that an exception has to name: of an open reference the name alone,
    /// whatever stands in the place of what is not known.
    fn liftable_as(&self) -> Option<ImageRef> {
        let (image, open) = self.judged.as_ref()?;
        let (tag, digest) = match (open, &image.tag, &image.digest) {
            (true, ..) => (None, None),
            (false, None, None) => (Some(LATEST.to_owned()), None),
            (false, tag, digest) => (tag.clone(), digest.clone()),
        };
        Some(ImageRef { tag, digest, ..image.clone() })
    }

    /// Takes away what exceptions lift; what stays is told why none does.
    fn except(&mut self) -> Vec<Lifted> {
        let given = self.case.given;
        let Some((image, open)) = &self.judged else { return Vec::new() };
        let asked = Asked { day: given.day, image, open: *open, file: self.case.file };
        let naming: Vec<Naming<'_>> = given.exceptions.iter().map(|list| list.naming(asked)).collect();
        if naming.iter().all(Naming::is_empty) {
            return Vec::new();
        }
        let mut lifted = Vec::new();
        for mut finding in std::mem::take(&mut self.findings) {
            let lifting = naming.iter().find_map(|list| list.lifting(&finding.rule));
            match lifting.filter(|_| finding.liftable_as.is_some()) {
                Some(exception) => lifted.push(exception.lifts(finding)),
                None => {
                    if finding.liftable_as.is_some() {
                        let misses = naming.iter().flat_map(|list| list.misses(&finding.rule));
                        finding.explanation.because.extend(misses);
                    }
                    self.findings.push(finding);
                }
            }
        }
        lifted
    }

    pub(super) fn finish(mut self) -> Judgement {
        self.rules();
        self.unsure_in_places();
        let lifted = self.except();
        let verdict = self.findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Pass);
        let explanation = match self.findings.as_slice() {
            [] => self.passing(&lifted),
            // What each rests on stands in the finding.
            findings => does_not_pass(findings),
        };
        Judgement {
            verdict,
            source: self.source,
            findings: self.findings,
            lifted,
            wants: self.wants,
            notices: self.notices,
            explanation,
        }
    }

    /// Why it passes.
    fn passing(&mut self, lifted: &[Lifted]) -> Explanation {
        let reading = std::mem::take(&mut self.reading);
        if !lifted.is_empty() {
            let steps = lifted.iter().map(|lifted| Explanation {
                text: format!(
                    "the exception {} lifts {} until {}: {}",
                    quoted(&lifted.exception),
                    quoted(&lifted.finding.rule),
                    lifted.until,
                    lifted.reason
                ),
                at: Some(lifted.at.clone()),
                because: vec![step(lifted.finding.message.clone(), Vec::new())],
            });
            return step(
                "exceptions lift what is against it".to_owned(),
                reading.into_iter().chain(steps).collect(),
            );
        }
        let mut explanation = self
            .passes_because
            .take()
            .unwrap_or_else(|| step("nothing is against it".to_owned(), Vec::new()));
        explanation.because.splice(0..0, reading);
        explanation.because.append(&mut self.proven);
        explanation.because.extend(self.places.iter().map(|place| Explanation {
            text: format!("it has what the place {} asks for", quoted(&place.name.value)),
            at: Some(self.case.at(place.name.span)),
            because: Vec::new(),
        }));
        explanation
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
    let normal = quoted_image(image);
    let differs = normal.strip_prefix('`').and_then(|text| text.strip_suffix('`')) != Some(raw);
    differs.then(|| step(format!("{} is read as {normal}", quoted(raw)), Vec::new()))
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
