//! Whether a use has what a source or a place requires of it.

use std::fmt;

use super::Explanation;
use super::judging::Judging;
use super::judging::when_unsure_step;
use super::place::Place;
use super::placing::Standing;
use super::require::Require;
use super::source::Entry;
use super::source::Trust;
use super::source::location;
use super::source::official_name;
use super::wording::quoted;
use crate::image::ImageRef;
use crate::image::LATEST;
use crate::image::normal_host;
use crate::source::Location;
use crate::source::Span;
use crate::trust;

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
        let name = quoted(&image.to_string());
        if let Some(span) = require.digest.filter(|_| image.digest.is_none()) {
            let text = format!("{by} requires a digest: write `@sha256:…` after the tag");
            let message = format!("{name} is not pinned by digest, which {by} requires");
            let explanation = self.required(by, span, text);
            self.fail(by.rule("digest"), message, explanation);
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
        if let Some(span) = require.supported_tag {
            self.supported_tag(by, image, origin, span);
        }
    }

    fn supported_tag(&mut self, by: By<'_>, image: &ImageRef, origin: &ImageRef, span: Span) {
        let name = quoted(&image.to_string());
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
                    let message = format!(
                        "the tag {} of the official image `{short}` is not supported any more, or never was",
                        quoted(tag)
                    );
                    let text = format!(
                        "the list of official images of {date} does not have it: write a tag of the list"
                    );
                    let explanation = self.required(by, span, text);
                    self.fail(by.rule("tag"), message, explanation);
                } else if digest.is_some() {
                    let message = format!(
                        "whether the digest of {name} is what its supported tag means cannot be confirmed offline"
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
