//! When fromguard's reading of a Dockerfile and BuildKit's answer agree.
//!
//! Where BuildKit builds, the images it asks for are those of the uses that
//! fromguard calls reachable, and over all targets those of every use; platforms
//! are united on both sides. Where BuildKit fails, fromguard says so too if the
//! failure is about an image, and knows at least what BuildKit asked for before.
//! fromguard may know more than BuildKit only in the ways of [`DELIBERATE`].

use std::collections::BTreeSet;

use fromguard_core::formats::Extracted;
use fromguard_core::formats::Files;
use fromguard_core::formats::Format;
use fromguard_core::formats::dockerfile::Dockerfile;
use fromguard_core::image::ImageRef;
use fromguard_core::image::ImageUse;
use fromguard_core::image::Role;
use fromguard_core::image::Target;
use fromguard_core::source::ProblemCode;
use fromguard_core::source::RepoPath;
use fromguard_core::source::SourceFile;

use super::answer::Answer;
use super::answer::Runs;
use super::cases::PLATFORMS;

/// Where fromguard says more than BuildKit, and why. `docs/dockerfile.md` tells users.
pub(crate) const DELIBERATE: &[(Deliberate, &str)] = &[
    (
        Deliberate::UnsetVariable,
        "a build argument may give a variable without a default any value, so it is never taken for empty",
    ),
    (
        Deliberate::OnbuildSource,
        "a trigger's source is listed where the trigger stands, also when a stage of the same file runs it",
    ),
    (
        Deliberate::ForeignFrontend,
        "another frontend reads the file as it likes: what BuildKit's own would make of it says nothing",
    ),
    (
        Deliberate::OldFrontend,
        "a frontend before 1.4 has no heredocs: what stands in one may be instructions there",
    ),
];

/// A way in which fromguard says more than BuildKit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deliberate {
    /// A reference that needs a variable nobody set.
    UnsetVariable,
    /// A source in a trigger.
    OnbuildSource,
    /// A file for another frontend.
    ForeignFrontend,
    /// A file for a frontend without heredocs.
    OldFrontend,
}

/// What BuildKit says when a build fails for an image's sake. What else it may
/// fail for (an unknown flag of RUN, a port of EXPOSE) hides no image.
const IMAGE_FAILURES: &[&str] = &[
    "failed to parse stage name",
    "should not be blank",
    "variable expansion is not supported for --from",
    "'from' doesn't support variable expansion",
    "invalid stage index",
    "cannot copy from stage",
    "cannot mount from stage",
    "circular dependency detected",
    "from requires either one or three arguments",
    "invalid name for build stage",
];

/// Reads a text as fromguard does, alone in its repository.
pub(crate) fn extract(text: &str) -> Extracted {
    let file = SourceFile::new(RepoPath::new("Dockerfile"), text);
    let nothing = |_: &RepoPath| None;
    Dockerfile.extract(&file, &mut Files::new(&nothing))
}

/// Every way in which the two disagree, in words.
pub(crate) fn differences(answer: &Answer, ours: &Extracted) -> Vec<String> {
    let mut found = Vec::new();
    frontend(answer, ours, &mut found);

    let foreign = ours.problems.iter().any(|problem| problem.code == ProblemCode::ForeignFrontend);
    if foreign {
        if answer.frontend.as_ref().and_then(|read| read.as_ref().ok()).is_none_or(|name| is_official(name)) {
            found.push("fromguard calls the frontend foreign, and it is BuildKit's own".to_owned());
        }
        return found;
    }
    onbuild(answer, ours, &mut found);

    // A use that waits for a variable may stand for one image on each platform.
    let open = PLATFORMS.len() * ours.uses.iter().filter(|one| is_build(one) && is_open(one)).count();
    let failures: Vec<&String> =
        answer.syntax.iter().chain(&answer.default.errors).chain(&answer.others.errors).collect();
    let by_trigger = |failure: &str| {
        answer.onbuild_of_a_stage.iter().any(|name| failure.contains(&format!("from stage \"{name}\"")))
    };
    let of_images: Vec<_> =
        failures.iter().filter(|text| is_image_failure(text) && !by_trigger(text)).collect();
    if let Some(failure) = of_images.first() {
        let said = !ours.problems.is_empty() || ours.uses.iter().any(is_open_or_invalid);
        if !said {
            found.push(format!("BuildKit fails for an image's sake and fromguard is content: {failure}"));
        }
        // What BuildKit expanded the reference to is in its message.
        if let Some(text) = unquote(failure).filter(|_| open == 0) {
            let invalid = ours
                .uses
                .iter()
                .flat_map(|one| &one.targets)
                .any(|target| matches!(target, Target::Invalid { text: ours, .. } if *ours == text));
            if !invalid {
                found.push(format!(
                    "BuildKit expands a reference to {text:?}, and fromguard calls no such reference invalid"
                ));
            }
        }
    }
    if failures.is_empty() {
        for problem in &ours.problems {
            found.push(format!("BuildKit builds this and fromguard has a problem: {}", problem.message));
        }
        for target in ours.uses.iter().filter(|one| is_build(one)).flat_map(|one| &one.targets) {
            if let Target::Invalid { text, reason } = target {
                found.push(format!("BuildKit builds this and fromguard calls {text:?} invalid: {reason}"));
            }
        }
    }

    let superset_only = is_before_heredocs(answer);
    let deferred = images(ours, |one| one.role == Role::Onbuild);
    let reachable = images(ours, |one| is_build(one) && one.reachable);
    let every = images(ours, is_build);
    let union: BTreeSet<String> = answer.default.images.union(&answer.others.images).cloned().collect();
    let compare = |scope: &str, asked: &BTreeSet<String>, runs: &[&Runs], have: &BTreeSet<String>| {
        let mut found = Vec::new();
        let fails = answer.syntax.is_some() || runs.iter().any(|runs| !runs.errors.is_empty());
        let known = if fails || superset_only { &every } else { have };
        let missed: Vec<&String> =
            asked.iter().filter(|image| !known.contains(*image) && !deferred.contains(*image)).collect();
        if missed.len() > open {
            found.push(format!("{scope}: BuildKit asks for {missed:?}, which fromguard does not list"));
        }
        // What a variable may name may be a stage, and reach what that is built from.
        let maybe = if open > 0 { &union } else { asked };
        let extra: Vec<&String> = have.iter().filter(|image| !maybe.contains(*image)).collect();
        if !fails && !superset_only && !extra.is_empty() {
            found.push(format!("{scope}: fromguard lists {extra:?}, which BuildKit does not ask for"));
        }
        found
    };
    found.extend(compare("default target", &answer.default.images, &[&answer.default], &reachable));
    found.extend(compare("all targets", &union, &[&answer.default, &answer.others], &every));
    found
}

fn frontend(answer: &Answer, ours: &Extracted, found: &mut Vec<String>) {
    let ours: Vec<&ImageUse> = ours.uses.iter().filter(|one| one.role == Role::Frontend).collect();
    match (&answer.frontend, ours.as_slice()) {
        (None, []) => {}
        (Some(Ok(theirs)), [one]) if matches!(one.targets.as_slice(), [Target::Image(image)] if image.to_string() == *theirs) =>
            {}
        (Some(Err(_)), [one]) if is_open_or_invalid(one) => {}
        (theirs, ours) => {
            let ours: Vec<_> = ours.iter().map(|one| &one.targets).collect();
            found.push(format!("BuildKit's frontend is {theirs:?}, fromguard's {ours:?}"));
        }
    }
}

/// The sources in triggers are the same, as far as they are references. A name
/// that is also a stage's here may be listed or not: it is that stage for a child
/// in this file, and an image for a child elsewhere.
fn onbuild(answer: &Answer, ours: &Extracted, found: &mut Vec<String>) {
    if answer.syntax.is_some() {
        return;
    }
    let images_of = |names: &[String]| -> BTreeSet<String> {
        names.iter().filter_map(|name| ImageRef::parse(name).ok()).map(with_tag).collect()
    };
    let theirs = images_of(&answer.onbuild);
    let optional = images_of(&answer.onbuild_of_a_stage);
    let ours = images(ours, |one| one.role == Role::Onbuild);
    if !theirs.is_subset(&ours)
        || !ours.iter().all(|image| theirs.contains(image) || optional.contains(image))
    {
        found.push(format!("the triggers name {theirs:?}, fromguard's {ours:?}"));
    }
}

fn images(ours: &Extracted, counts: impl Fn(&ImageUse) -> bool) -> BTreeSet<String> {
    ours.uses
        .iter()
        .filter(|one| counts(one))
        .flat_map(|one| &one.targets)
        .filter_map(|target| match target {
            Target::Image(image) => Some(with_tag(image.clone())),
            _ => None,
        })
        .collect()
}

/// The form in which BuildKit asks: `latest` where there is neither tag nor digest.
fn with_tag(mut image: ImageRef) -> String {
    if image.tag.is_none() && image.digest.is_none() {
        image.tag = Some("latest".to_owned());
    }
    image.to_string()
}

fn is_build(one: &ImageUse) -> bool {
    !matches!(one.role, Role::Frontend | Role::Onbuild)
}

fn is_open(one: &ImageUse) -> bool {
    one.targets.iter().any(|target| matches!(target, Target::Partial(_) | Target::Unresolved { .. }))
}

fn is_open_or_invalid(one: &ImageUse) -> bool {
    one.targets.iter().any(|target| !matches!(target, Target::Image(_)))
}

fn is_image_failure(text: &str) -> bool {
    let text = text.to_lowercase();
    IMAGE_FAILURES.iter().any(|words| text.contains(words))
}

/// The text that `failed to parse stage name "…"` quotes, as Go's `%q` does;
/// `None` where it holds an escape that a reference never needs.
fn unquote(failure: &str) -> Option<String> {
    let mut characters = failure.strip_prefix("failed to parse stage name \"")?.chars();
    let mut text = String::new();
    loop {
        match characters.next()? {
            '"' => return Some(text),
            '\\' => match characters.next()? {
                plain @ ('"' | '\\') => text.push(plain),
                _ => return None,
            },
            other => text.push(other),
        }
    }
}

fn is_official(frontend: &str) -> bool {
    ["docker.io/docker/dockerfile", "docker.io/docker/dockerfile-upstream"].iter().any(|name| {
        frontend.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '@']))
    })
}

/// `docker/dockerfile:1.0` to `1.3`, with whatever follows.
fn is_before_heredocs(answer: &Answer) -> bool {
    let Some(Ok(name)) = &answer.frontend else { return false };
    let Some(tag) = name.split('@').next().and_then(|name| name.rsplit_once(':')).map(|(_, tag)| tag) else {
        return false;
    };
    is_official(name)
        && ["1.0", "1.1", "1.2", "1.3"].iter().any(|old| {
            tag.strip_prefix(old).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
        })
}
