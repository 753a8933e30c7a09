//! What only a registry can confirm: that a tag stands for a digest, and that a
//! publisher is verified.

use super::Explanation;
use super::form::Images;
use super::judging::Judging;
use super::judging::when_unsure_step;
use super::scrutinising::said_by;
use super::source::Entry;
use super::source::Trust;
use super::source::location;
use super::wording::quoted;
use super::wording::quoted_image;
use crate::image::ImageRef;
use crate::image::PatternMatch;
use crate::image::normal_host;
use crate::trust::Item;
use crate::trust::Wanted;
use crate::trust::namespace;

impl Judging<'_> {
    /// Whether the tag of a pinned image stands for its digest, where that is known.
    /// `origin` is what is judged, `image` what is shown.
    pub(super) fn pin(&mut self, origin: &ImageRef, image: &ImageRef) {
        let (Some(tag), Some(digest)) = (&origin.tag, &origin.digest) else { return };
        let learnt = &self.case.given.evidence.of(origin).tag;
        let Some(fact) = learnt.known() else {
            self.not_known(learnt, Wanted::Image(origin.clone(), Item::Tag));
            return;
        };
        if fact.value.earlier.contains(digest) {
            self.notices.insert(format!(
                "stale-pin: {} is what the tag {} stood for before; now it stands for {} {}.",
                quoted(&image.to_string()),
                quoted(tag),
                quoted(fact.value.digest.as_str()),
                said_by(fact)
            ));
        }
        if fact.value.covers(digest) {
            return;
        }
        let message = format!(
            "the tag {} of {} stands for another digest, and never stood for this one as far as is known",
            quoted(tag),
            quoted_image(image)
        );
        let text = format!("the tag stands for {} {}", quoted(fact.value.digest.as_str()), said_by(fact));
        let because = vec![when_unsure_step(self.case.policy)];
        self.unsure("pin-mismatch", message, Explanation { text, at: None, because });
    }

    /// What the match of an entry is worth once the registry was asked: beside a
    /// digest a runtime ignores the tag, so that a tag pattern counts only if the
    /// tag stands for that digest.
    pub(super) fn confirmed(&self, entry: &Entry, matched: PatternMatch, origin: &ImageRef) -> PatternMatch {
        let by_tag = matches!(&entry.images, Images::Pattern(_)) && matched == PatternMatch::Unsure;
        match (&origin.digest, self.case.given.evidence.of(origin).tag.known()) {
            (Some(digest), Some(fact)) if by_tag => match fact.value.covers(digest) {
                true => PatternMatch::Yes,
                false => PatternMatch::No,
            },
            _ => matched,
        }
    }

    /// Who vouches for what an entry says of an image, beside the policy itself, and when.
    pub(super) fn vouched(&self, entry: &Entry, origin: &ImageRef) -> Option<Explanation> {
        let evidence = self.case.given.evidence;
        let text = match &entry.images {
            Images::HubVerified => {
                let host = normal_host(&origin.registry);
                let publisher = namespace(&host, &origin.repository)?;
                let fact = evidence.publisher(publisher).known()?;
                format!("Docker verified who {} is {}", quoted(publisher), said_by(fact))
            }
            Images::Pattern(pattern) if pattern.tag().is_some() && origin.digest.is_some() => {
                let fact = evidence.of(origin).tag.known()?;
                format!("its tag stands for that digest, or did {}", said_by(fact))
            }
            Images::Pattern(_) | Images::HubOfficial => return None,
        };
        Some(Explanation { text, at: None, because: Vec::new() })
    }

    /// An entry may apply: what nobody confirmed is not skipped.
    pub(super) fn unconfirmed(&mut self, trust: &Trust, entry: &Entry, image: &ImageRef, origin: &ImageRef) {
        let name = quoted_image(image);
        let (message, text) = if entry.images == Images::HubVerified {
            let host = normal_host(&origin.registry);
            let publisher = namespace(&host, &origin.repository).unwrap_or_default();
            let learnt = self.case.given.evidence.publisher(publisher);
            let why = self.not_known(learnt, Wanted::Publisher(publisher.to_owned()));
            let message = format!("whether the publisher of {name} is verified is not known: {why}");
            (message, format!("{} covers what Docker verified the publisher of", quoted(&entry.text)))
        } else {
            let learnt = &self.case.given.evidence.of(origin).tag;
            let why = self.not_known(learnt, Wanted::Image(origin.clone(), Item::Tag));
            let message = format!(
                "whether {name} is what the tag of {} means is not known: {why}",
                quoted(&entry.text)
            );
            let text = "beside a digest a runtime ignores the tag, so that a tag pattern counts only when the registry confirms it";
            (message, text.to_owned())
        };
        let explanation = Explanation {
            text,
            at: Some(location(trust, entry.span)),
            because: vec![when_unsure_step(self.case.policy)],
        };
        self.unsure("unsure", message, explanation);
    }
}
