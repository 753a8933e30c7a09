//! Whether an image that no source names has everything that `scrutinise` asks for.

use super::Explanation;
use super::judging::Judging;
use super::judging::step;
use super::placing::Standing;
use super::scrutiny::Check;
use super::scrutiny::Scrutiny;
use super::wording::plain;
use super::wording::quoted;
use super::wording::quoted_image;
use crate::day::Day;
use crate::image::ImageRef;
use crate::trust;
use crate::trust::Dossier;
use crate::trust::Fact;
use crate::trust::Item;
use crate::trust::Learnt;
use crate::trust::ScanResult;
use crate::trust::Wanted;

/// For how many days a scan says that an operating system is maintained.
const SYSTEM_SCAN_MAX_DAYS: i64 = 90;

/// What evidence says of one item.
enum Answer {
    Proven(String),
    Refuted(String),
    NotKnown(String),
}

/// What scrutiny came to.
pub(super) enum Scrutinised {
    /// Everything is proven.
    Proven,
    /// Everything is but that somebody used it before: it is the first use.
    FirstUse,
    /// Everything is but that somebody used it before, which is not known.
    FirstUseNotKnown,
    /// Something is not proven.
    NotProven,
}

impl Judging<'_> {
    /// Scrutinises an image; the steps are its dossier.
    pub(super) fn scrutinise(
        &mut self,
        scrutiny: &Scrutiny,
        standing: &Standing<'_>,
    ) -> (Scrutinised, Explanation) {
        let at = Some(scrutiny.at(scrutiny.span));
        if standing.open.is_some() || standing.origin.digest.is_none() {
            let text =
                "`scrutinise` passes only what is pinned by digest: a tag can be moved after the proof";
            return (Scrutinised::NotProven, Explanation { text: text.to_owned(), at, because: Vec::new() });
        }
        let mut steps = Vec::new();
        let (mut proven, mut first_use) = (true, None);
        for (key, check) in &scrutiny.checks {
            let answer = self.answer(check.value, standing);
            let (word, text) = match &answer {
                Answer::Proven(text) => ("proven", text),
                Answer::Refuted(text) => ("not so", text),
                Answer::NotKnown(text) => ("not known", text),
            };
            let text = format!("`{key}`: {word}: {text}");
            steps.push(Explanation { text, at: Some(scrutiny.at(check.span)), because: Vec::new() });
            match (check.value, answer) {
                (_, Answer::Proven(_)) => {}
                (Check::FirstUse, Answer::Refuted(_)) => first_use = Some(Scrutinised::FirstUse),
                (Check::FirstUse, Answer::NotKnown(_)) => first_use = Some(Scrutinised::FirstUseNotKnown),
                _ => proven = false,
            }
        }
        let outcome = match proven {
            true => first_use.unwrap_or(Scrutinised::Proven),
            false => Scrutinised::NotProven,
        };
        (outcome, Explanation { text: "`scrutinise` asks for proof".to_owned(), at, because: steps })
    }

    fn answer(&mut self, check: Check, standing: &Standing<'_>) -> Answer {
        let image = standing.origin;
        let today = self.case.given.day;
        let dossier = self.case.given.evidence.of(image);
        match check {
            Check::FirstUse => self.fact(image, Item::UsedBefore, &dossier.used_before, |used| match used {
                true => Answer::Proven("it stands on a default branch of the organisation".to_owned()),
                false => Answer::Refuted("this is its first use in the organisation".to_owned()),
            }),
            Check::SourcePublic => {
                self.fact(image, Item::SourceRepository, &dossier.source_repository, |source| match source {
                    Some(source) if source.public => Answer::Proven(format!(
                        "it is built from {}, which is public",
                        quoted(&source.address)
                    )),
                    Some(source) => Answer::Refuted(format!(
                        "it is built from {}, which is not public",
                        quoted(&source.address)
                    )),
                    None => Answer::Refuted("no verified provenance says what it is built from".to_owned()),
                })
            }
            Check::SourceActiveWithin { days } => {
                self.fact(image, Item::SourceRepository, &dossier.source_repository, |source| match source {
                    Some(source) => match source.active {
                        Some(active) => within(today, active, days, "the last push to its source was"),
                        None => {
                            Answer::NotKnown("when its source was last pushed to is not known".to_owned())
                        }
                    },
                    None => Answer::Refuted("no verified provenance says what it is built from".to_owned()),
                })
            }
            Check::PushedWithin { days } => self.fact(image, Item::Pushed, &dossier.pushed, |pushed| {
                within(today, *pushed, days, "it was pushed")
            }),
            Check::PushedAtLeast { days } => self.fact(image, Item::Pushed, &dossier.pushed, |pushed| {
                let age = today.days_since(*pushed);
                let text = format!("it was pushed on {pushed}, {age} days ago");
                if age >= i64::from(days) { Answer::Proven(text) } else { Answer::Refuted(text) }
            }),
            Check::Vulnerabilities { critical_fixable, scan_within_days } => {
                self.fact(image, Item::Scan, &dossier.scan, |scan| match scan {
                    None => Answer::Refuted("there is no scan result of a known scanner".to_owned()),
                    Some(scan) if scan.critical_fixable > critical_fixable => Answer::Refuted(format!(
                        "{} critical vulnerabilities with a fix, scanned on {}",
                        scan.critical_fixable, scan.day
                    )),
                    Some(scan) => within(today, scan.day, scan_within_days, "it was scanned"),
                })
            }
            Check::NotEndOfLife => match trust::remark(image, today) {
                // What the tag admits needs no further proof.
                Some(remark) => Answer::Refuted(remark.to_string()),
                None if let Some(text) = maintained(image, dossier, today) => Answer::Proven(text),
                None => self.fact(image, Item::Scan, &dossier.scan, |scan| of_its_system(*scan, today)),
            },
            Check::NoLookalike => match trust::lookalike(image, &standing.trust.hosts) {
                None => Answer::Proven("its name is not close to a known one".to_owned()),
                Some(known) => Answer::Refuted(format!("its name is close to {}", quoted(&known))),
            },
        }
    }

    /// What a part of the dossier says, with who says so and when; asks for it when
    /// nobody did.
    fn fact<T>(
        &mut self,
        image: &ImageRef,
        item: Item,
        learnt: &Learnt<T>,
        read: impl FnOnce(&T) -> Answer,
    ) -> Answer {
        let Some(fact) = learnt.known() else {
            let why = self.not_known(learnt, Wanted::Image(image.clone(), item));
            return Answer::NotKnown(why);
        };
        let by = said_by(fact);
        match read(&fact.value) {
            Answer::Proven(text) => Answer::Proven(format!("{text} {by}")),
            Answer::Refuted(text) => Answer::Refuted(format!("{text} {by}")),
            Answer::NotKnown(text) => Answer::NotKnown(format!("{text} {by}")),
        }
    }

    /// Why something is not known, for people; it is wanted if asking could help.
    pub(super) fn not_known<T>(&mut self, learnt: &Learnt<T>, wanted: Wanted) -> String {
        if learnt.may_be_asked() {
            self.wants.insert(wanted);
        }
        match learnt {
            Learnt::Unavailable(reason) => plain(reason),
            Learnt::NotAsked | Learnt::Known(_) => "it cannot be known offline".to_owned(),
        }
    }

    /// The first use of what is otherwise proven.
    pub(super) fn first_use(&mut self, standing: &Standing<'_>, known: bool, dossier: Explanation) {
        let name = quoted_image(standing.image);
        let text = "the first use in the organisation needs a person".to_owned();
        let explanation = step(text, vec![dossier]);
        match known {
            true => {
                let message = format!("{name} is used for the first time in this organisation");
                self.review("unknown", message, explanation);
            }
            false => {
                let message = format!("whether {name} was used before in this organisation is not known");
                self.unsure("unsure", message, explanation);
            }
        }
    }
}

/// That the release which the tag names is maintained, where the registry says that the
/// tag stands for the digest, or did.
fn maintained(image: &ImageRef, dossier: &Dossier, today: Day) -> Option<String> {
    let digest = image.digest.as_ref()?;
    dossier.tag.known().filter(|fact| fact.value.covers(digest))?;
    trust::maintained(image, today)
}

/// What a scan says of the operating system in an image.
fn of_its_system(scan: Option<ScanResult>, today: Day) -> Answer {
    let Some((scan, over)) = scan.and_then(|scan| Some((scan, scan.end_of_life?))) else {
        let text = "no scan says whether its operating system is past its end of life";
        return Answer::NotKnown(text.to_owned());
    };
    let text = format!("by the scan of {} its operating system is", scan.day);
    if over {
        return Answer::Refuted(format!("{text} past its end of life"));
    }
    // It may have ended since.
    match (0..=SYSTEM_SCAN_MAX_DAYS).contains(&today.days_since(scan.day)) {
        true => Answer::Proven(format!("{text} not past its end of life")),
        false => Answer::NotKnown(format!("{text} not past its end of life, which is too long ago")),
    }
}

/// Who says a fact, and when, for people.
pub(super) fn said_by<T>(fact: &Fact<T>) -> String {
    format!("({}, {})", plain(&fact.source), fact.day)
}

/// Whether something happened at most so many days ago. What lies in the future is
/// no proof of anything.
fn within(today: Day, when: Day, days: u32, what: &str) -> Answer {
    let age = today.days_since(when);
    let text = format!("{what} on {when}, {age} days ago");
    if (0..=i64::from(days)).contains(&age) { Answer::Proven(text) } else { Answer::Refuted(text) }
}
