//! What the places of `where` ask of a use: each adds findings under its own name.

use super::Explanation;
use super::Verdict;
use super::form::Unknown;
use super::judging::Judging;
use super::judging::when_unsure_step;
use super::place::Place;
use super::requiring::By;
use super::source::Entry;
use super::source::Trust;
use super::source::location;
use super::verdict::Effect;
use super::wording::listed;
use super::wording::quoted;
use super::wording::quoted_image;
use crate::image::ImageRef;

/// What is known of an image that is not blocked.
pub(super) struct Standing<'a> {
    pub(super) trust: &'a Trust,
    /// As it is shown.
    pub(super) image: &'a ImageRef,
    /// As it is judged: a mirror's origin.
    pub(super) origin: &'a ImageRef,
    /// The entry that applies for certain, unless one of the candidates does.
    pub(super) applies: Option<&'a Entry>,
    /// Entries of other sources that may apply before it.
    pub(super) candidates: Vec<&'a Entry>,
    /// For a partial reference, what is not known of it, as a sentence.
    pub(super) open: Option<String>,
}

impl Judging<'_> {
    /// What the places that the use is in ask for.
    pub(super) fn places(&mut self, standing: &Standing<'_>) {
        let places = std::mem::take(&mut self.places);
        for place in &places {
            self.only_from(place, standing);
            self.require_of_place(place, standing);
            self.unknown_in(place, standing);
        }
        self.places = places;
    }

    fn only_from(&mut self, place: &Place, standing: &Standing<'_>) {
        let Some(only) = &place.only_from else { return };
        let trust = standing.trust;
        let allowed = |entry: &Entry| {
            let name = &trust.sources[entry.source].name;
            only.value.iter().any(|source| source.value == *name)
        };
        let certain = standing.applies.is_some_and(allowed);
        let candidates = standing.candidates.iter().filter(|entry| allowed(entry)).count();
        if certain && candidates == standing.candidates.len() {
            return;
        }
        let name = quoted_image(standing.image);
        let wanted: Vec<&str> = only.value.iter().map(|source| source.value.as_str()).collect();
        let wanted = listed(&wanted, "or");
        let place_name = quoted(&place.name.value);
        let text = format!("`only-from` of the place {place_name}");
        let at = Some(self.case.at(only.span));
        if !certain && candidates == 0 {
            let because = standing.applies.map(|entry| covered(trust, entry)).into_iter().collect();
            let from = match standing.applies {
                Some(entry) => format!("the source `{}`", trust.sources[entry.source].name),
                None => "no trusted source".to_owned(),
            };
            let message = format!("{name} comes from {from}, and the place {place_name} takes only {wanted}");
            return self.fail(&place.name.value, message, Explanation { text, at, because });
        }
        let message = format!(
            "whether {name} comes from {wanted}, as the place {place_name} asks, cannot be known here"
        );
        let because = standing.candidates.iter().map(|entry| covered(trust, entry));
        let because = because.chain([when_unsure_step(self.case.policy)]).collect();
        self.unsure(&place.name.value, message, Explanation { text, at, because });
    }

    fn require_of_place(&mut self, place: &Place, standing: &Standing<'_>) {
        if place.require.is_empty() {
            return;
        }
        let by = By::Place(place);
        let Some(open) = &standing.open else {
            return self.require(by, &place.require, standing.image, standing.origin);
        };
        let text = format!("a requirement of {by} reads it");
        let at = Some(self.case.at(place.name.span));
        let because = vec![when_unsure_step(self.case.policy)];
        self.unsure(&place.name.value, open.clone(), Explanation { text, at, because });
    }

    /// The place may be harder on what no source names than the file is.
    fn unknown_in(&mut self, place: &Place, standing: &Standing<'_>) {
        let Some(unknown) = place.unknown.filter(|_| self.is_unknown) else { return };
        let around = match self.case.policy.unknown.as_ref().map(|(unknown, _)| *unknown) {
            Some(Unknown::Fail) => Some(Effect::Fail),
            Some(Unknown::Review) => Some(Effect::Review),
            Some(Unknown::Allow) | None => None,
        };
        if around.is_some_and(|around| around >= unknown.value) {
            return;
        }
        let name = quoted(&place.name.value);
        let message = format!(
            "{} comes from no source this policy trusts, which the place {name} does not take",
            quoted_image(standing.image)
        );
        let (verdict, word) = match unknown.value {
            Effect::Review => (Verdict::Review, "review"),
            Effect::Fail => (Verdict::Fail, "fail"),
        };
        let text = format!("`unknown: {word}` of the place {name} decides here");
        let explanation = Explanation { text, at: Some(self.case.at(unknown.span)), because: Vec::new() };
        self.find(&place.name.value, verdict, unknown.value, message, explanation);
    }

    /// The place may be harder on what cannot be known than the file is.
    pub(super) fn unsure_in_places(&mut self) {
        let unsure = self.findings.iter().find(|finding| finding.verdict == Verdict::Undecided);
        let Some(message) = unsure.map(|finding| finding.message.clone()) else { return };
        let places = std::mem::take(&mut self.places);
        for place in &places {
            let Some(harder) =
                place.when_unsure.filter(|unsure| unsure.value > self.case.policy.when_unsure.0)
            else {
                continue;
            };
            let name = quoted(&place.name.value);
            let message = format!("{message}, which the place {name} does not take");
            let text = format!("what is not known counts as `when-unsure: fail` in the place {name}");
            let explanation = Explanation { text, at: Some(self.case.at(harder.span)), because: Vec::new() };
            self.find(&place.name.value, Verdict::Undecided, harder.value, message, explanation);
            if let Some(finding) = self.findings.last_mut().filter(|_| self.may_be_blocked) {
                finding.liftable_as = None;
            }
        }
        self.places = places;
    }
}

fn covered(trust: &Trust, entry: &Entry) -> Explanation {
    Explanation {
        text: format!(
            "{} of the source `{}` covers it",
            quoted(&entry.text),
            trust.sources[entry.source].name
        ),
        at: Some(location(trust, entry.span)),
        because: Vec::new(),
    }
}
