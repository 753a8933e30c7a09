//! What became of an image that stands somewhere and that nobody changes: it is looked at
//! every so often, and what is otherwise than it was is noted, with the day since when.
//!
//! What could not be learnt at a look changes nothing: the notes before it stay.

use serde::Deserialize;
use serde::Serialize;

use crate::day::Day;
use crate::image::Digest;
use crate::image::ImageRef;
use crate::trust::Badge;
use crate::trust::remark;

/// How long it is shown that a tag which nobody pinned has moved, in days.
const MOVED_SHOWN_DAYS: i64 = 30;

/// What a look found of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<T> {
    /// It is so.
    Is(T),
    /// There is no such thing, or it is not shown any more.
    Gone,
    /// It could not be learnt.
    NotKnown,
}

/// A look at an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// What it stands for now; of one that is pinned by digest alone, that digest.
    pub digest: Found<Digest>,
    /// Of one that is pinned beside a tag: whether the tag stands for the pin.
    pub pin_holds: Option<bool>,
    /// The badge of its publisher, where it has one on Docker Hub.
    pub badge: Found<Badge>,
}

/// What was seen at earlier looks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// What it stood for last; `None` when it was never there.
    pub digest: Option<Digest>,
    /// Whether its publisher was ever verified.
    pub verified: bool,
}

/// The ways in which an image drifts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriftKind {
    /// It was there, and is not any more.
    Removed,
    /// Its tag stands for something else.
    TagMoved,
    /// Its publisher lost the badge of Docker Hub.
    BadgeLost,
    /// The catalogues say something against it: an end of life, a name that is official no more.
    Catalogue,
}

/// Something that is otherwise than it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// In which way.
    pub kind: DriftKind,
    /// The day on which it was first seen, as `YYYY-MM-DD`.
    pub since: String,
    /// What is so, for people.
    pub text: String,
}

/// What a look adds to what was seen before, and what has drifted since.
#[must_use]
pub fn drift(image: &ImageRef, seen: &Seen, before: &[Drift], look: &Look, today: Day) -> (Seen, Vec<Drift>) {
    let mut notes = Notes { before, today, now: Vec::new() };
    let mut after = seen.clone();
    match &look.digest {
        Found::Is(digest) => {
            let tag = image.tag.as_deref().unwrap_or("latest");
            match (look.pin_holds, &seen.digest) {
                (Some(true), _) => {}
                (Some(false), _) => {
                    notes.add(DriftKind::TagMoved, format!("its tag `{tag}` stands for {digest} now"), false);
                }
                (None, Some(last)) if last != digest => {
                    notes.add(DriftKind::TagMoved, format!("its tag `{tag}` moved to {digest}"), true);
                }
                (None, _) => notes.keep_for(DriftKind::TagMoved, MOVED_SHOWN_DAYS),
            }
            after.digest = Some(digest.clone());
        }
        Found::Gone if seen.digest.is_some() => {
            let text = "the registry does not have it any more, or does not show it".to_owned();
            notes.add(DriftKind::Removed, text, false);
            notes.keep_for(DriftKind::TagMoved, MOVED_SHOWN_DAYS);
        }
        // What was never there may never have been shown.
        Found::Gone => {}
        Found::NotKnown => {
            notes.keep(DriftKind::Removed);
            notes.keep(DriftKind::TagMoved);
        }
    }
    match look.badge {
        Found::Is(Badge::VerifiedPublisher) => after.verified = true,
        Found::Is(Badge::OpenSource | Badge::Community) | Found::Gone if seen.verified => {
            let text = "Docker does not call its publisher verified any more".to_owned();
            notes.add(DriftKind::BadgeLost, text, false);
        }
        Found::Is(_) | Found::Gone => {}
        Found::NotKnown => notes.keep(DriftKind::BadgeLost),
    }
    if let Some(remark) = remark(image, today) {
        notes.add(DriftKind::Catalogue, remark.to_string(), false);
    }
    (after, notes.now)
}

struct Notes<'a> {
    before: &'a [Drift],
    today: Day,
    now: Vec<Drift>,
}

impl Notes<'_> {
    /// Notes something, since it was first seen; `anew` it was seen today.
    fn add(&mut self, kind: DriftKind, text: String, anew: bool) {
        let known = self.before.iter().find(|drift| drift.kind == kind && !anew);
        let since = known.map_or_else(|| self.today.to_string(), |drift| drift.since.clone());
        self.now.push(Drift { kind, since, text });
    }

    fn keep(&mut self, kind: DriftKind) {
        self.now.extend(self.before.iter().filter(|drift| drift.kind == kind).cloned());
    }

    /// Keeps what was noted at most so many days ago.
    fn keep_for(&mut self, kind: DriftKind, days: i64) {
        let young = |drift: &&Drift| {
            let since = Day::parse(&drift.since);
            drift.kind == kind && since.is_some_and(|since| self.today.days_since(since) <= days)
        };
        self.now.extend(self.before.iter().filter(young).cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(digit: &str) -> Digest {
        Digest::parse(&format!("sha256:{}", digit.repeat(64))).expect("a digest")
    }

    fn there(digit: &str, badge: Badge) -> Look {
        Look { digest: Found::Is(digest(digit)), pin_holds: None, badge: Found::Is(badge) }
    }

    /// Looks one after the other, on their days; what is noted after the last.
    fn noted(image: &str, looks: &[(&str, Look)]) -> Vec<String> {
        let image = ImageRef::parse(image).expect("a reference");
        let (mut seen, mut notes) = (Seen::default(), Vec::new());
        for (day, look) in looks {
            let today = Day::parse(day).expect("a day");
            (seen, notes) = drift(&image, &seen, &notes, look, today);
        }
        let text = |drift: &Drift| {
            let words: Vec<&str> = drift.text.split(' ').take(3).collect();
            format!("{:?} {} {}", drift.kind, drift.since, words.join(" "))
        };
        notes.iter().map(text).collect()
    }

    const GONE: Look = Look { digest: Found::Gone, pin_holds: None, badge: Found::Gone };
    const NOTHING: Look = Look { digest: Found::NotKnown, pin_holds: None, badge: Found::NotKnown };

    #[test]
    fn what_is_as_it_was_is_not_noted() {
        let look = || there("a", Badge::VerifiedPublisher);
        assert!(noted("foo/app:1", &[("2026-11-01", look()), ("2026-11-02", look())]).is_empty());
        assert!(noted("foo/app:1", &[("2026-11-01", GONE)]).is_empty(), "it was never seen");
    }

    #[test]
    fn a_badge_that_is_lost_and_a_repository_that_is_removed_stay_noted_since_their_day() {
        let first = ("2026-11-01", there("a", Badge::VerifiedPublisher));
        let lost = |day| (day, there("a", Badge::Community));
        let looks = [first.clone(), lost("2026-11-03"), ("2026-11-04", NOTHING), lost("2026-11-05")];
        assert_eq!(noted("foo/app:1", &looks), ["BadgeLost 2026-11-03 Docker does not"]);
        let looks = [first.clone(), ("2026-11-03", GONE), ("2026-11-09", GONE)];
        let both = ["Removed 2026-11-03 the registry does", "BadgeLost 2026-11-03 Docker does not"];
        assert_eq!(noted("foo/app:1", &looks), both);
        assert!(noted("foo/app:1", &[first.clone(), lost("2026-11-03"), first]).is_empty());
    }

    #[test]
    fn a_tag_that_moved_is_noted_for_a_while_and_a_pin_that_it_left_for_as_long_as_it_has() {
        let look = |day, digit| (day, there(digit, Badge::Community));
        let looks = [look("2026-10-01", "a"), look("2026-10-02", "b"), look("2026-11-01", "b")];
        assert_eq!(noted("foo/app:1", &looks), ["TagMoved 2026-10-02 its tag `1`"]);
        let looks = [&looks[..], &[look("2026-11-02", "b")]].concat();
        assert!(noted("foo/app:1", &looks).is_empty());

        let pin = |day, holds| {
            (day, Look { pin_holds: Some(holds), ..there(if holds { "a" } else { "b" }, Badge::Community) })
        };
        let image = format!("foo/app:1@{}", digest("a"));
        let looks = [pin("2026-10-01", true), pin("2026-10-02", false), pin("2026-12-01", false)];
        assert_eq!(noted(&image, &looks), ["TagMoved 2026-10-02 its tag `1`"]);
    }

    #[test]
    fn the_catalogues_are_asked_on_the_day() {
        let looks = [("2026-11-26", there("a", Badge::Community))];
        let said = noted("centos:7", &looks);
        assert!(said[0].starts_with("Catalogue 2026-11-26 CentOS 7"), "{said:?}");
    }
}
