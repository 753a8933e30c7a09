//! The findings in two sentences: which images and why, and what to write instead.

use crate::image::ImageRef;
use crate::image::ImageUse;
use crate::image::Target;
use crate::policy::Effect;
use crate::policy::Explanation;
use crate::policy::ORGANISATION_POLICY_PATH;
use crate::policy::Policies;
use crate::policy::Policy;
use crate::policy::PolicyFile;
use crate::policy::REPOSITORY_POLICY_PATH;
use crate::policy::Verdict;
use crate::report::Conclusion;
use crate::report::Report;
use crate::report::explain;
use crate::report::item::About;
use crate::report::item::Item;
use crate::report::wording;

/// The most images, replacements and sources that one of the two sentences names.
const MAX_NAMED: usize = 3;
/// The most that is said of what to do.
const MAX_SENTENCES: usize = 2;
/// Hexadecimal digits of a digest that are enough to tell it, as `docker images` has it.
const SHORT_DIGEST_HEX: usize = 12;
/// The longest image that stands in a title, in characters.
const MAX_TITLE_IMAGE_CHARS: usize = 100;

/// The image of a use in normal form, where it is one and known; otherwise the
/// text that is read as one.
pub(super) fn image_name(usage: &ImageUse) -> String {
    match usage.targets.as_slice() {
        [Target::Image(image)] => image.to_string(),
        [Target::Invalid { text, .. }] => text.clone(),
        _ => usage.raw.clone(),
    }
}

/// Whether a reference stands in the file as it is used, without a variable.
pub(super) fn is_literal(usage: &ImageUse) -> bool {
    !usage.raw.contains('$')
}

/// What an item is about, short: the image with its digest cut, or the place.
fn short_name(report: &Report, item: &Item<'_>) -> String {
    match item.about {
        About::Use(judged) => match judged.usage.targets.as_slice() {
            [Target::Image(image)] => short_image(image),
            _ => image_name(&judged.usage),
        },
        About::Problem(_) => {
            let at = item.decided_at();
            explain::place(explain::source(&report.subject.head, at), at)
        }
    }
}

fn short_image(image: &ImageRef) -> String {
    let text = image.to_string();
    let Some((name, digest)) = text.split_once('@') else { return text };
    match digest.split_once(':') {
        Some((algorithm, hex)) if hex.len() > SHORT_DIGEST_HEX => {
            let shown: String = hex.chars().take(SHORT_DIGEST_HEX).collect();
            format!("{name}@{algorithm}:{shown}…")
        }
        _ => text,
    }
}

/// Why, in a word or three.
fn why(rule: &str) -> Option<&'static str> {
    Some(match rule {
        "block" => "blocked",
        "unknown" => "no trusted source",
        "digest" => "not pinned by digest",
        "forbid-tags" => "forbidden tag",
        "tag" => "unsupported tag",
        "invalid" => "not an image reference",
        _ => return None,
    })
}

/// The one image that a title can name, after its verdict: `Refused`,
/// `docker.io/foo/bar:1 (blocked)`. `None` when there are several, or none in
/// normal form, whose characters are harmless anywhere.
pub(super) fn title_of_one(items: &[Item<'_>]) -> Option<(&'static str, String)> {
    let [item] = items else { return None };
    let About::Use(judged) = item.about else { return None };
    let [Target::Image(image)] = judged.usage.targets.as_slice() else { return None };
    let image = short_image(image);
    if image.chars().count() > MAX_TITLE_IMAGE_CHARS {
        return None;
    }
    let verdict = match item.verdict() {
        Verdict::Fail => "Refused",
        Verdict::Review => "Needs review",
        Verdict::Undecided | Verdict::Pass => "Cannot be decided",
    };
    let why = why(&item.worst().rule).map_or(String::new(), |why| format!(" ({why})"));
    Some((verdict, format!("{image}{why}")))
}

/// The findings by verdict, each group with its number and the names that there
/// is room for: ``2 image uses refused: `a` (blocked), `b` (no trusted source)``.
pub(super) fn what(report: &Report, items: &[Item<'_>]) -> String {
    let mut room = MAX_NAMED;
    let mut said = Vec::new();
    for (words, of_group) in wording::groups(items) {
        let named = names(report, &of_group);
        let shown = named.len().min(room);
        room -= shown;
        let names = joined(&named[..shown], named.len() - shown);
        said.push(match shown {
            0 => words,
            _ => format!("{words}: {names}"),
        });
    }
    said.join("; ")
}

/// Each distinct image with its reason, in the items' order.
fn names(report: &Report, items: &[&Item<'_>]) -> Vec<String> {
    let mut seen: Vec<(String, Option<&'static str>)> = Vec::new();
    let mut times = std::collections::BTreeMap::<(String, Option<&'static str>), usize>::new();
    for item in items {
        let named = (short_name(report, item), why(&item.worst().rule));
        let number = times.entry(named.clone()).or_default();
        *number += 1;
        if *number == 1 {
            seen.push(named);
        }
    }
    seen.into_iter()
        .map(|named| {
            let number = times[&named];
            let mut remarks: Vec<String> = named.1.map(str::to_owned).into_iter().collect();
            if number > 1 {
                remarks.push(format!("{number} times"));
            }
            match remarks.is_empty() {
                true => quoted(&named.0),
                false => format!("{} ({})", quoted(&named.0), remarks.join(", ")),
            }
        })
        .collect()
}

/// What to do about findings that are no problems of reading, one to three sentences.
pub(super) fn what_to_do(report: &Report, items: &[Item<'_>]) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut fixes: Vec<String> = Vec::new();
    let mut rest: Vec<&Item<'_>> = Vec::new();
    for item in items {
        let About::Use(judged) = item.about else {
            rest.push(item);
            continue;
        };
        match item.findings.iter().find_map(|finding| finding.fix.as_deref()) {
            Some(fix) => {
                let fix = format!("{} instead of {}", quoted(fix), quoted(&to_replace(&judged.usage)));
                if !fixes.contains(&fix) && fixes.len() <= MAX_NAMED {
                    fixes.push(fix);
                }
            }
            None => rest.push(item),
        }
    }
    if !fixes.is_empty() {
        let shown = fixes.len().min(MAX_NAMED);
        let more = if fixes.len() > shown { ", and so on as each finding says" } else { "" };
        said.push(format!("Write {}{more}.", fixes[..shown].join(", ")));
    }
    let begins = said.is_empty();
    let has = |rules: &[&str]| rest.iter().any(|item| rules.contains(&item.worst().rule.as_str()));
    if has(&["unknown", "block"]) {
        said.push(from_trusted(report, &rest, begins));
    }
    if has(&["digest"]) {
        said.push("Pin the image: write `@sha256:…` after the tag.".to_owned());
    }
    if has(&["forbid-tags", "tag"]) {
        said.push("Write a tag that the policy takes.".to_owned());
    }
    if has(&["invalid"]) {
        said.push("Write a valid reference, such as `registry.example.com/team/image:1.2`.".to_owned());
    }
    if rest.iter().any(|item| !item.is_problem() && item.worst().rule == "unsure") {
        said.push(
            "Write each reference so that the files alone decide it: give the argument a default, or write it out."
                .to_owned(),
        );
    }
    if rest.iter().any(|item| item.is_problem()) {
        said.push(
            "Mend the lines shown, or leave the file out with `skip-paths` in the policy: what cannot be read \
             could hide an image, so it is never passed."
                .to_owned(),
        );
    }
    if report.conclusion == Conclusion::ActionRequired {
        let at = said.len().min(1);
        said.splice(at..at, who_settles(report));
    }
    // Five seconds of reading; the findings themselves say the rest.
    said.truncate(MAX_SENTENCES);
    if said.is_empty() {
        let review = rest.iter().flat_map(|item| &item.findings).all(|f| f.effect == Effect::Review);
        said.push(match review {
            true => "Change the image or the policy: only that settles a review.".to_owned(),
            false => "Change each image as its finding says, or have the policy changed.".to_owned(),
        });
    }
    said.join(" ")
}

/// The text that an author looks for in the file, or the image where that is a variable.
fn to_replace(usage: &ImageUse) -> String {
    match is_literal(usage) {
        true => usage.raw.clone(),
        false => image_name(usage),
    }
}

fn from_trusted(report: &Report, rest: &[&Item<'_>], begins: bool) -> String {
    let which = match (begins, rest.len()) {
        (true, 1) => "Take it",
        (true, _) => "Take them",
        (false, 1) => "Take the other",
        (false, _) => "Take the others",
    };
    let from = match trusted(&report.subject.policies) {
        Some(sources) => format!("from {sources}"),
        None => "from a source that the policy trusts".to_owned(),
    };
    let mut text = format!("{which} {from}.");
    let mut files: Vec<String> = Vec::new();
    for item in rest.iter().filter(|item| !item.is_problem()) {
        for finding in &item.findings {
            let file = explain::policy_place(&finding.explanation).map(|at| policy_file(at.file.as_str()));
            files.extend(file.filter(|file| !files.contains(file)));
        }
    }
    // Beside something to write, the way through the policy would only distract.
    if begins && !files.is_empty() {
        text.push_str(&format!(" To have an image allowed, propose a change of {}", files.join(" or ")));
        let mut reviewers: Vec<String> = Vec::new();
        for name in report.subject.policies.loaded().flat_map(Policy::reviewers) {
            let name = quoted(name);
            if !reviewers.contains(&name) {
                reviewers.push(name);
            }
        }
        if !reviewers.is_empty() {
            let named = joined(&reviewers[..reviewers.len().min(MAX_NAMED)], 0);
            text.push_str(&format!(" to {named}"));
        }
        text.push('.');
    }
    text
}

/// Who may settle a review, where the policy names somebody.
fn who_settles(report: &Report) -> Option<String> {
    let reviewers: Vec<String> =
        report.subject.policies.reviewers().iter().map(|reviewer| quoted(reviewer)).collect();
    let named = reviewers.get(..reviewers.len().min(MAX_NAMED)).filter(|named| !named.is_empty())?;
    Some(format!("An approving review of this commit by {} settles it.", named.join(" or ")))
}

/// A policy file, for people.
pub(super) fn policy_file(path: &str) -> String {
    match path {
        ORGANISATION_POLICY_PATH => format!("{} in the organisation's `.github` repository", quoted(path)),
        REPOSITORY_POLICY_PATH => quoted(path),
        _ => format!("the policy {}", quoted(path)),
    }
}

/// The sources that are trusted, of the policy that names them:
/// ``internal` (`registry.example.com/**`), `official` (`hub:official`)``.
pub(super) fn trusted(policies: &Policies) -> Option<String> {
    // A repository under an organisation has the organisation's sources.
    let policy = match &policies.organisation {
        PolicyFile::Absent => policies.repository.policy(),
        organisation => organisation.policy(),
    }?;
    let in_brackets = |source: &Explanation| match source.text.split_once("`: ") {
        Some((name, patterns)) => format!("{name}` ({patterns})"),
        None => source.text.clone(),
    };
    let sources: Vec<String> = policy.trusted()?.because.iter().map(in_brackets).collect();
    if sources.is_empty() {
        return None;
    }
    let shown = sources.len().min(MAX_NAMED);
    Some(match (sources.len() - shown, &sources[..shown]) {
        (0, [all @ .., last]) if !all.is_empty() => format!("{} or {last}", all.join(", ")),
        (0, named) => named.join(", "),
        (more, named) => format!("{} or {}", named.join(", "), wording::count(more, "other source")),
    })
}

fn quoted(text: &str) -> String {
    format!("`{}`", text.replace('`', "'"))
}

fn joined(names: &[String], more: usize) -> String {
    match more {
        0 => names.join(", "),
        _ => format!("{} and {more} more", names.join(", ")),
    }
}
