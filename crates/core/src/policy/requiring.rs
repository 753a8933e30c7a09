//! Whether a use has what a source or a place requires of it.

use std::fmt;

use super::Explanation;
use super::judging::Judging;
use super::judging::step;
use super::judging::when_unsure_step;
use super::place::Place;
use super::placing::Standing;
use super::require::Require;
use super::scrutinising::said_by;
use super::source::Entry;
use super::source::Trust;
use super::source::location;
use super::source::official_name;
use super::wording::quoted;
use super::wording::quoted_image;
use crate::image::ImageRef;
use crate::image::LATEST;
use crate::image::normal_host;
use crate::source::Location;
use crate::source::Span;
use crate::trust;
use crate::trust::Item;
use crate::trust::Learnt;
use crate::trust::Wanted;

/// Who requires something: a source is told by the id of the requirement, a place
/// by its own name.
#[derive(Clone, Copy)]
pub(super) enum By<'a> {
    Source(&'a Trust, &'a Entry),
    Place(&'a Place),
}

impl By<'_> {
    fn rule<'r>(&'r self, id: &'r str) -> &'r str {
        match self {
            By::Source(..) => id,
            By::Place(place) => &place.name.value,
        }
    }
}

impl fmt::Display for By<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            By::Source(trust, entry) => write!(f, "the source `{}`", trust.sources[entry.source].name),
            By::Place(place) => write!(f, "the place {}", quoted(&place.name.value)),
        }
    }
}

impl Judging<'_> {
    /// What the source that applies requires.
    pub(super) fn require_of_source(&mut self, standing: &Standing<'_>, entry: &Entry) {
        let require = &standing.trust.sources[entry.source].require;
        self.require(By::Source(standing.trust, entry), require, standing.image, standing.origin);
    }

    /// What `require` holds. `image` is what is shown, `origin` what is judged.
    pub(super) fn require(&mut self, by: By<'_>, require: &Require, image: &ImageRef, origin: &ImageRef) {
        let name = quoted_image(image);
        if let Some(span) = require.digest.filter(|_| image.digest.is_none()) {
            self.unpinned(by, span, image, origin);
        }
        let tag = image.tag.as_deref().unwrap_or(LATEST);
        if let Some(forbidden) = require.forbid_tags.iter().find(|glob| glob.value.matches(tag)) {
            let message = match &image.tag {
                Some(tag) => format!("{name} has the tag {}, which {by} forbids", quoted(tag)),
                None => format!("{name} has no tag, which counts as `latest`, and {by} forbids that"),
            };
            let text = format!("`forbid-tags` of {by} holds `{}`: write another tag", forbidden.value);
            let explanation = self.required(by, forbidden.span, text);
            self.fail(by.rule("forbid-tags"), message, explanation);
        }
        if let Some(span) = require.supported_tag.filter(|_| !self.case.given.supported_tags_met) {
            self.supported_tag(by, image, origin, span);
        }
        self.signed(by, require, image, origin);
        self.built(by, require, image, origin);
        self.listed(by, require, image, origin);
    }

    /// There is no digest. Where it is known what the tag stands for, the finding says
    /// what to write.
    fn unpinned(&mut self, by: By<'_>, span: Span, image: &ImageRef, origin: &ImageRef) {
        let mut text = format!("{by} requires a digest: write `@sha256:…` after the tag");
        let mut fix = None;
        if !self.judged.as_ref().is_some_and(|(_, open)| *open) {
            let learnt = &self.case.given.evidence.of(origin).tag;
            match learnt.known() {
                Some(fact) => {
                    let digest = fact.value.digest.clone();
                    text.push_str(&format!(
                        ", which stands for {} {}",
                        quoted(digest.as_str()),
                        said_by(fact)
                    ));
                    fix = Some(ImageRef { digest: Some(digest), ..image.clone() }.to_string());
                }
                None => {
                    self.not_known(learnt, Wanted::Image(origin.clone(), Item::Tag));
                }
            }
        }
        let message = format!("{} is not pinned by digest, which {by} requires", quoted(&image.to_string()));
        let explanation = self.required(by, span, text);
        self.fail(by.rule("digest"), message, explanation);
        if let Some(finding) = self.findings.last_mut() {
            finding.fix = fix;
        }
    }

    fn signed(&mut self, by: By<'_>, require: &Require, image: &ImageRef, origin: &ImageRef) {
        let Some(wanted) = &require.signed_by else { return };
        let who = quoted(&wanted.value.identity);
        let learnt = &self.case.given.evidence.of(origin).signatures;
        self.evident(
            by,
            "signed-by",
            Item::Signatures,
            wanted.span,
            learnt,
            origin,
            |signers: &Vec<trust::Signer>| match signers.iter().find(|signer| wanted.value.is(signer)) {
                Some(signer) => Ok(format!("it is signed by {}", quoted(&signer.identity))),
                None => Err(format!("{} is not signed by {who}, which {by} requires", quoted_image(image))),
            },
        );
    }

    fn built(&mut self, by: By<'_>, require: &Require, image: &ImageRef, origin: &ImageRef) {
        let Some(span) = require.github_hosted else { return };
        let name = quoted_image(image);
        // Anybody can attest that they built any image: it has to be who must sign it.
        let counts =
            |signer: &trust::Signer| require.signed_by.as_ref().is_none_or(|wanted| wanted.value.is(signer));
        let learnt = &self.case.given.evidence.of(origin).provenance;
        self.evident(
            by,
            "provenance",
            Item::Provenance,
            span,
            learnt,
            origin,
            |provenance: &Vec<trust::Provenance>| {
                let mut named = provenance.iter().filter(|one| counts(&one.signer));
                match named.clone().find(|one| one.github_hosted).or_else(|| named.next()) {
                    Some(one) if one.github_hosted => Ok(format!("it was built by {}", quoted(&one.builder))),
                    Some(one) => Err(format!(
                        "{name} was built by {}, and {by} requires a runner hosted by GitHub",
                        quoted(&one.builder)
                    )),
                    None => Err(match provenance.first() {
                        Some(other) => format!(
                            "{name} has no provenance of whom {by} requires, only one of {}",
                            quoted(&other.signer.identity)
                        ),
                        None => format!("{name} has no provenance, which {by} requires"),
                    }),
                }
            },
        );
    }

    fn listed(&mut self, by: By<'_>, require: &Require, image: &ImageRef, origin: &ImageRef) {
        let Some(span) = require.sbom else { return };
        let learnt = &self.case.given.evidence.of(origin).sbom;
        self.evident(by, "sbom", Item::Sbom, span, learnt, origin, |has: &bool| match has {
            true => Ok("it has a bill of materials".to_owned()),
            false => Err(format!("{} has no bill of materials, which {by} requires", quoted_image(image))),
        });
    }

    /// A requirement that evidence proves (`Ok`) or refutes; without evidence it is unsure.
    #[allow(clippy::too_many_arguments, reason = "what is required, of what, by whom, and what is known")]
    fn evident<T>(
        &mut self,
        by: By<'_>,
        id: &str,
        item: Item,
        span: Span,
        learnt: &Learnt<T>,
        origin: &ImageRef,
        read: impl FnOnce(&T) -> Result<String, String>,
    ) {
        let text = format!("{by} requires `{id}`");
        let mut explanation = self.required(by, span, text);
        let Some(fact) = learnt.known() else {
            let why = self.not_known(learnt, Wanted::Image(origin.clone(), item));
            let message = format!("{by} requires `{id}` of {}: {why}", quoted_image(origin));
            explanation.because.push(when_unsure_step(self.case.policy));
            return self.unsure(by.rule("unsure"), message, explanation);
        };
        let said = said_by(fact);
        match read(&fact.value) {
            Ok(text) => {
                let at = explanation.at;
                self.proven.push(Explanation { text: format!("{text} {said}"), at, because: Vec::new() });
            }
            Err(message) => {
                explanation.text.push_str(&format!(" {said}"));
                self.fail(by.rule(id), message, explanation);
            }
        }
    }

    fn supported_tag(&mut self, by: By<'_>, image: &ImageRef, origin: &ImageRef, span: Span) {
        let name = quoted_image(image);
        let date = &trust::catalogue_origin().date;
        let short = official_name(&normal_host(&origin.registry), &origin.repository).unwrap_or("");
        let Some(official) = trust::official(short) else {
            let text = format!("the list of official images of {date} does not have it");
            let message =
                format!("{name} is not an official image, and {by} requires a supported tag of one");
            let explanation = self.required(by, span, text);
            return self.fail(by.rule("tag"), message, explanation);
        };
        match (&image.tag, &image.digest) {
            (None, Some(_)) => {
                let message =
                    format!("{name} has no tag, so that whether it is supported cannot be known offline");
                let explanation = self.required(by, span, "`tag: supported` reads the tag".to_owned());
                self.unsure(by.rule("unsure"), message, explanation);
            }
            (tag, digest) => {
                let tag = tag.as_deref().unwrap_or(LATEST);
                if !official.supports(tag) {
                    let remark = trust::remark(origin, self.case.given.day);
                    let message = format!(
                        "the tag {} of the official image `{short}` is not supported any more, or never was",
                        quoted(tag)
                    );
                    let text = format!(
                        "the list of official images of {date} does not have it: write a tag of the list"
                    );
                    let mut explanation = self.required(by, span, text);
                    explanation.because.extend(remark.map(|remark| step(remark.to_string(), Vec::new())));
                    self.fail(by.rule("tag"), message, explanation);
                } else if digest.is_some() {
                    let learnt = &self.case.given.evidence.of(origin).tag;
                    // What the tag stands for, where it is known, is said of every pin.
                    if learnt.known().is_some() {
                        return;
                    }
                    let why = self.not_known(learnt, Wanted::Image(origin.clone(), Item::Tag));
                    let message = format!(
                        "whether the digest of {name} is what its supported tag means is not known: {why}"
                    );
                    let text = "beside a digest a runtime ignores the tag".to_owned();
                    let mut explanation = self.required(by, span, text);
                    explanation.because.push(when_unsure_step(self.case.policy));
                    self.unsure(by.rule("unsure"), message, explanation);
                }
            }
        }
    }

    /// A step about a requirement, which rests on why its source applies.
    fn required(&self, by: By<'_>, span: Span, text: String) -> Explanation {
        let (at, because): (Location, Option<Explanation>) = match by {
            By::Source(trust, _) => (location(trust, span), self.passes_because.clone()),
            By::Place(_) => (self.case.at(span), None),
        };
        Explanation { text, at: Some(at), because: because.into_iter().collect() }
    }
}
