//! The dossier of an image that no source names: what a careful person would ask of it,
//! each answer with who gives it and how old it is, and what nobody knows said so.
//!
//! Facts, not a score. What others wrote (labels, names, reasons) stands between
//! backquotes and reaches an output through `untrusted` like everything else.

use crate::day::Day;
use crate::image::ImageRef;
use crate::image::Role;
use crate::image::Target;
use crate::image::normal_host;
use crate::report::JudgedUse;
use crate::report::Report;
use crate::trust;
use crate::trust::Badge;
use crate::trust::Dossier;
use crate::trust::Fact;
use crate::trust::Learnt;

/// More signers than this are not read by anybody.
const MAX_SIGNERS: usize = 3;

/// One line of a dossier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// What it is about: `Publisher`.
    pub(super) about: &'static str,
    /// What is known of that, with foreign text between backquotes.
    pub(super) text: String,
}

/// The dossier of a use that no source names, and who vouches for the publisher of one that
/// a source does; `None` where nothing at all is known.
pub(super) fn of(report: &Report, judged: &JudgedUse) -> Option<Vec<Line>> {
    let Some(image) = subject(judged) else { return vouched(report, judged) };
    let today = report.subject.policies.day;
    let evidence = &report.subject.evidence;
    let facts = evidence.of(&image);
    let mut lines = Lines { today, known: Vec::new(), unknown: Vec::new(), asked: false };
    if let Some(namespace) = trust::namespace(&normal_host(&image.registry), &image.repository) {
        lines.add("Publisher", evidence.publisher(namespace), |badge| {
            let name = quoted(namespace);
            match badge {
                Badge::VerifiedPublisher => format!("{name}, a verified publisher"),
                Badge::OpenSource => format!("{name}, sponsored open source"),
                Badge::Community => format!("{name}, a community account"),
            }
        });
    }
    lines.add("Pushed", &facts.pushed, |day| since(*day, today));
    lines.source(facts);
    lines.add("Signature", &facts.signatures, |signers| match signers.as_slice() {
        [] => "none".to_owned(),
        signers => {
            let shown = signers.iter().take(MAX_SIGNERS);
            let shown: Vec<String> =
                shown.map(|one| format!("{} by {}", quoted(&one.identity), quoted(&one.issuer))).collect();
            format!("verified, of {}", shown.join(", "))
        }
    });
    lines.add("Provenance", &facts.provenance, |provenance| match provenance.as_slice() {
        [] => "none".to_owned(),
        provenance => {
            let shown: Vec<String> =
                provenance.iter().take(MAX_SIGNERS).map(|one| quoted(&one.builder)).collect();
            format!("verified, built by {}", shown.join(", "))
        }
    });
    lines.add("Bill of materials", &facts.sbom, |has| if *has { "there is one" } else { "none" }.to_owned());
    lines.add("Scan", &facts.scan, |scan| match scan {
        None => "there is no result".to_owned(),
        Some(scan) => format!(
            "{} critical vulnerabilities with a fix, scanned {}",
            scan.critical_fixable,
            since(scan.day, today)
        ),
    });
    lines.add("Used before", &facts.used_before, |used| match used {
        true => "it stands on a default branch of the organisation".to_owned(),
        false => "this is its first use in the organisation".to_owned(),
    });
    let remark = trust::remark(&image, today);
    let alternative = trust::official_alternative(&image, today).filter(|_| remark.is_none());
    if !lines.asked && remark.is_none() && alternative.is_none() {
        return None;
    }
    lines.known.extend(remark.map(|remark| Line { about: "Catalogues", text: remark.to_string() }));
    lines.known.extend(alternative.map(|name| Line { about: "Official alternative", text: quoted(&name) }));
    Some(lines.finish())
}

/// Whether anybody was asked for what a dossier says, or it was looked up.
pub(super) fn has_facts(lines: &[Line]) -> bool {
    lines.iter().any(|line| !matches!(line.about, "Not known" | "Official alternative" | "Catalogues"))
}

/// Whether a dossier says the same as a step of an explanation.
pub(super) fn says(lines: Option<&[Line]>, step: &str) -> bool {
    lines.into_iter().flatten().any(|line| line.text == step)
}

/// Who verified the publisher of an image that a source names.
fn vouched(report: &Report, judged: &JudgedUse) -> Option<Vec<Line>> {
    judged.judgement.as_ref()?.source.as_ref()?;
    let [Target::Image(written)] = judged.usage.targets.as_slice() else { return None };
    let policies = &report.subject.policies;
    let publisher = |image: &ImageRef| {
        let namespace = trust::namespace(&normal_host(&image.registry), &image.repository)?.to_owned();
        let fact = report.subject.evidence.publisher(&namespace).known()?;
        let said = said_by(fact, policies.day);
        let text = format!("{}, a verified publisher {said}", quoted(&namespace));
        (fact.value == Badge::VerifiedPublisher).then(|| vec![Line { about: "Publisher", text }])
    };
    policies.loaded().find_map(|policy| publisher(&policy.origin(written)))
}

/// The image that is judged, a mirror's origin, of a use that no source names.
fn subject(judged: &JudgedUse) -> Option<ImageRef> {
    // What a build is called comes from nowhere.
    if judged.usage.role == Role::PullableOutput {
        return None;
    }
    let judgement = judged.judgement.as_ref().filter(|judgement| judgement.source.is_none())?;
    let [Target::Image(written)] = judged.usage.targets.as_slice() else { return None };
    let mut findings = judgement.findings.iter();
    if judgement.findings.is_empty() {
        return Some(written.clone());
    }
    let origin =
        findings.find(|finding| matches!(finding.rule.as_str(), "unknown" | "unsure" | "lookalike"))?;
    let mut origin = origin.liftable_as.clone()?;
    // What has neither tag nor digest is looked up as it is written.
    if written.tag.is_none() {
        origin.tag = None;
    }
    Some(origin)
}

/// A dossier in the making.
struct Lines {
    today: Day,
    known: Vec<Line>,
    /// What is not known, each with why.
    unknown: Vec<(&'static str, String)>,
    /// Somebody asked for something.
    asked: bool,
}

impl Lines {
    fn add<T>(&mut self, about: &'static str, learnt: &Learnt<T>, say: impl FnOnce(&T) -> String) {
        self.asked |= !learnt.may_be_asked();
        match learnt {
            Learnt::Known(fact) => {
                let text = format!("{} {}", say(&fact.value), said_by(fact, self.today));
                self.known.push(Line { about, text });
            }
            Learnt::Unavailable(reason) => self.unknown.push((about, plain(reason))),
            Learnt::NotAsked => self.unknown.push((about, "nobody was asked".to_owned())),
        }
    }

    /// What it is built from: proven by provenance, or only claimed by a label.
    fn source(&mut self, facts: &Dossier) {
        let today = self.today;
        let claim = facts.claimed_source.known().and_then(|fact| Some((fact, fact.value.as_ref()?)));
        match (&facts.source_repository, claim) {
            (Learnt::Known(Fact { value: Some(_), .. }), _) | (_, None) => {
                self.add("Source", &facts.source_repository, |source| match source {
                    None => "nothing proves what it is built from".to_owned(),
                    Some(source) => {
                        let active = source
                            .active
                            .map_or("when it was last pushed to is not known".to_owned(), |day| {
                                format!("last pushed to {}", since(day, today))
                            });
                        let public = if source.public { "public" } else { "not public" };
                        format!("{}, proven by its provenance, {public}, {active}", quoted(&source.address))
                    }
                });
            }
            (_, Some((fact, address))) => {
                self.asked = true;
                let text = format!("claims {}, not proven {}", quoted(address), said_by(fact, today));
                self.known.push(Line { about: "Source", text });
            }
        }
    }

    fn finish(self) -> Vec<Line> {
        let mut lines = self.known;
        // What is not known for one reason stands together.
        let mut unknown: Vec<(Vec<&str>, String)> = Vec::new();
        for (about, reason) in self.unknown {
            match unknown.iter_mut().find(|(_, known)| *known == reason) {
                Some((abouts, _)) => abouts.push(about),
                None => unknown.push((vec![about], reason)),
            }
        }
        let unknown = unknown.into_iter().map(|(abouts, reason)| format!("{}: {reason}", abouts.join(", ")));
        lines.extend(unknown.map(|text| Line { about: "Not known", text }));
        lines
    }
}

/// Who says a fact, and how old it is.
fn said_by<T>(fact: &Fact<T>, today: Day) -> String {
    format!("({}, {})", plain(&fact.source), ago(fact.day, today))
}

/// A day, and how long ago that is.
fn since(day: Day, today: Day) -> String {
    format!("on {day}, {}", ago(day, today))
}

fn ago(day: Day, today: Day) -> String {
    match today.days_since(day) {
        0 => "today".to_owned(),
        1 => "yesterday".to_owned(),
        days if days < 0 => format!("{} days ahead", -days),
        days => format!("{days} days ago"),
    }
}

/// Somebody's text that cannot leave its backquotes.
fn quoted(text: &str) -> String {
    format!("`{}`", plain(text))
}

fn plain(text: &str) -> String {
    text.replace('`', "'")
}

#[cfg(test)]
mod tests;
