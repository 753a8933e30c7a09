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
use fromguard_core::formats::dockerfile::Argument;
use fromguard_core::formats::dockerfile::Context;
use fromguard_core::formats::dockerfile::Dockerfile;
use fromguard_core::formats::dockerfile::Inputs;
use fromguard_core::formats::dockerfile::extract_with;
use fromguard_core::image::ImageRef;
use fromguard_core::image::ImageUse;
use fromguard_core::image::Role;
use fromguard_core::image::Target;
use fromguard_core::source::ProblemCode;
use fromguard_core::source::RepoPath;
use fromguard_core::source::SourceFile;

use super::answer::Answer;
use super::cases::Case;
use super::cases::PLATFORMS;

/// A way in which fromguard says more than BuildKit. `docs/dockerfile.md` tells users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deliberate {
    /// A build argument may give a variable without a default any value, so it is
    /// never taken for empty, as BuildKit does when none is given.
    UnsetVariable,
    /// A trigger's source is listed where the trigger stands, whoever runs it;
    /// BuildKit asks for it in the build of a child.
    Trigger,
    /// A name in a trigger that is also a stage's here is an image for a child
    /// in another file.
    TriggerNamesStage,
    /// A use has one set of values and is reachable or not, for all platforms and
    /// targets together; BuildKit builds one at a time, and may reach a stage on
    /// one platform only.
    OneUse,
    /// A build that fails is of use to nobody, and may be repaired by the next
    /// line to change: what stands in the file is listed all the same.
    FailingBuild,
    /// Another frontend reads the file as it likes: what BuildKit's own would
    /// make of it says nothing.
    ForeignFrontend,
    /// A frontend before 1.4 has no heredocs: what stands in one may be
    /// instructions there.
    FrontendWithoutHeredocs,
}

/// Every way; each has a conformance case that needs it.
pub(crate) const DELIBERATE: &[Deliberate] = &[
    Deliberate::UnsetVariable,
    Deliberate::Trigger,
    Deliberate::TriggerNamesStage,
    Deliberate::OneUse,
    Deliberate::FailingBuild,
    Deliberate::ForeignFrontend,
    Deliberate::FrontendWithoutHeredocs,
];

/// The outcome of a comparison.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// Every way in which the two disagree, in words.
    pub(crate) differences: Vec<String>,
    /// The deliberate differences that there were.
    pub(crate) deliberate: BTreeSet<Deliberate>,
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
    extract_as(&RepoPath::new("Dockerfile"), text)
}

/// The same, of a file of this name.
pub(crate) fn extract_as(path: &RepoPath, text: &str) -> Extracted {
    let file = SourceFile::new(path.clone(), text);
    let nothing = |_: &RepoPath| None;
    Dockerfile.extract(&file, &mut Files::new(&nothing))
}

/// Compares what BuildKit answered about a text with what fromguard read.
pub(crate) fn compare(text: &str, answer: &Answer, ours: &Extracted) -> Comparison {
    let mut outcome = Comparison::default();
    frontend(answer, ours, &mut outcome);
    if ours.problems.iter().any(|problem| problem.code == ProblemCode::ForeignFrontend) {
        if matches!(&answer.frontend, Some(Ok(name)) if !is_official(name)) {
            outcome.deliberate.insert(Deliberate::ForeignFrontend);
        } else {
            outcome.differs("fromguard calls the frontend foreign, and it is BuildKit's own");
        }
        return outcome;
    }
    triggers(answer, ours, &mut outcome);
    failures(answer, ours, &mut outcome);

    let builds = Builds {
        // A use that waits for a variable may stand for one image on each platform and machine.
        open: PLATFORMS.len().pow(2) * ours.uses.iter().filter(|one| is_build(one) && is_open(one)).count(),
        deferred: images(ours, |one| one.role == Role::Onbuild),
        asked: answer.default.images.union(&answer.others.images).cloned().collect(),
        listed: images(ours, is_build),
        has_heredocs: !is_before_heredocs(answer),
        varies: text.contains("TARGET") || text.contains("BUILD"),
        has_triggers: !answer.onbuild.is_empty() || !answer.onbuild_of_a_stage.is_empty(),
    };
    let reachable = images(ours, |one| is_build(one) && one.reachable);
    let fails = answer.syntax.is_some() || !answer.default.errors.is_empty();
    builds.compare("default target", &answer.default.images, &reachable, fails, &mut outcome);
    let fails = fails || !answer.others.errors.is_empty();
    builds.compare("all targets", &builds.asked, &builds.listed, fails, &mut outcome);
    outcome
}

/// Reads a case as fromguard does when it knows what the build is given.
pub(crate) fn extract_given(case: &Case) -> Extracted {
    let file = SourceFile::new(RepoPath::new("Dockerfile"), case.text.as_str());
    let argument = |(name, value): &(String, String)| Argument {
        name: name.clone(),
        value: Some(value.clone()),
        ..Argument::default()
    };
    let context =
        |(name, source): &(String, String)| Context { name: name.clone(), source: source.clone(), at: None };
    let inputs = Inputs {
        arguments: case.args.iter().map(argument).collect(),
        contexts: case.contexts.iter().map(context).collect(),
        platforms: case.platforms.clone(),
        target: None,
    };
    extract_with(&file, &[inputs])
}

/// Compares what BuildKit answered about a case with arguments, contexts or
/// platforms: what fromguard lists then is at least what BuildKit asks for, and
/// at most that and what it lists of the file alone, of which nothing is lost.
pub(crate) fn compare_given(case: &Case, answer: &Answer) -> Vec<String> {
    let mut outcome = Comparison::default();
    let (alone, ours) = (extract(&case.text), extract_given(case));
    for one in &alone.uses {
        let kept = ours.uses.iter().any(|other| {
            other.span == one.span
                && is_build(other) == is_build(one)
                && (other.reachable || !one.reachable)
                && one.targets.iter().all(|target| other.targets.contains(target))
        });
        if !kept {
            outcome.differs(format!("what the file names alone is lost: {one:?}"));
        }
    }
    if let Some(theirs) = &answer.frontend {
        let listed = images(&ours, |one| one.role == Role::Frontend);
        let same = match theirs.as_ref().map(|theirs| ImageRef::parse(theirs)) {
            Ok(Ok(image)) => listed.contains(&with_tag(image)),
            _ => ours.uses.iter().any(|one| one.role == Role::Frontend && is_open_or_invalid(one)),
        };
        if !same {
            outcome.differs(format!("BuildKit's frontend is {theirs:?}, fromguard's {listed:?}"));
        }
    }
    if ours.problems.iter().any(|problem| problem.code == ProblemCode::ForeignFrontend) {
        return outcome.differences;
    }
    // As in `Builds`: an unset variable, and a trigger's source, may be any of these.
    let open = PLATFORMS.len().pow(2) * ours.uses.iter().filter(|one| is_build(one) && is_open(one)).count();
    let deferred = images(&ours, |one| one.role == Role::Onbuild);
    let varies =
        open > 0 || !deferred.is_empty() || case.text.contains("TARGET") || case.text.contains("BUILD");
    // An OCI layout is a folder: BuildKit finds the digest there and asks no registry.
    let is_layout = |image: &String| {
        let digest = image.split_once('@').map_or("", |(_, digest)| digest);
        !digest.is_empty()
            && case
                .contexts
                .iter()
                .any(|(_, source)| source.starts_with("oci-layout:") && source.ends_with(digest))
    };
    let asked: BTreeSet<String> =
        answer.default.images.iter().filter(|image| !is_layout(image)).cloned().collect();
    let all: BTreeSet<String> =
        asked.iter().chain(answer.others.images.iter().filter(|image| !is_layout(image))).cloned().collect();
    let fails =
        answer.syntax.is_some() || !answer.default.errors.is_empty() || !answer.others.errors.is_empty();
    let (has_heredocs, all_listed) = (!is_before_heredocs(answer), images(&ours, is_build));
    for (scope, asked, counts) in [
        ("default target", &asked, (|one| is_build(one) && one.reachable) as fn(&ImageUse) -> bool),
        ("all targets", &all, is_build),
    ] {
        let (listed, known) = (images(&ours, counts), images(&alone, counts));
        // Such a frontend makes other stages of the file, and so another target.
        let found = if has_heredocs { &listed } else { &all_listed };
        let missed: Vec<&String> =
            asked.difference(found).filter(|image| !deferred.contains(*image)).collect();
        if missed.len() > open {
            outcome.differs(format!("{scope}: BuildKit asks for {missed:?}, which fromguard does not list"));
        }
        let extra: Vec<&String> = listed
            .difference(if varies { &all } else { asked })
            .filter(|image| !known.contains(*image))
            .collect();
        if !extra.is_empty() && !fails && has_heredocs {
            outcome.differs(format!("{scope}: fromguard lists {extra:?}, which no build asks for"));
        }
    }
    if !fails && has_heredocs {
        for problem in ours.problems.iter().filter(|problem| !alone.problems.contains(problem)) {
            outcome.differs(format!("BuildKit builds this and fromguard has a problem: {}", problem.message));
        }
    }
    outcome.differences.extend(inconsistencies(&case.text, &ours));
    outcome.differences
}

impl Comparison {
    fn differs(&mut self, how: impl Into<String>) {
        self.differences.push(how.into());
    }
}

/// What is true of all targets, to judge one by.
struct Builds {
    /// How many images may hide behind variables.
    open: usize,
    deferred: BTreeSet<String>,
    asked: BTreeSet<String>,
    listed: BTreeSet<String>,
    has_heredocs: bool,
    /// A predefined argument may stand in it.
    varies: bool,
    has_triggers: bool,
}

impl Builds {
    fn compare(
        &self,
        scope: &str,
        asked: &BTreeSet<String>,
        listed: &BTreeSet<String>,
        fails: bool,
        outcome: &mut Comparison,
    ) {
        let known = if fails || !self.has_heredocs { &self.listed } else { listed };
        let missed: Vec<&String> = asked.difference(known).collect();
        let (triggered, missed): (Vec<_>, Vec<_>) =
            missed.into_iter().partition(|image| self.deferred.contains(*image));
        if !triggered.is_empty() {
            outcome.deliberate.insert(Deliberate::Trigger);
        }
        if missed.len() > self.open {
            outcome.differs(format!("{scope}: BuildKit asks for {missed:?}, which fromguard does not list"));
        } else if !missed.is_empty() {
            outcome.deliberate.insert(Deliberate::UnsetVariable);
        }

        let extra: Vec<&String> = listed.difference(asked).collect();
        if extra.is_empty() {
        } else if fails {
            outcome.deliberate.insert(Deliberate::FailingBuild);
        } else if !self.has_heredocs {
            outcome.deliberate.insert(Deliberate::FrontendWithoutHeredocs);
        } else if self.open > 0 && extra.iter().all(|image| self.asked.contains(*image)) {
            // What a variable names may be a stage, and reach what that is built from.
            outcome.deliberate.insert(Deliberate::UnsetVariable);
        } else if self.varies && extra.iter().all(|image| self.asked.contains(*image)) {
            outcome.deliberate.insert(Deliberate::OneUse);
        } else if self.has_triggers && extra.iter().all(|image| self.asked.contains(*image)) {
            // What a stage copies from that only a trigger reaches is pulled only if the copy needs it.
            outcome.deliberate.insert(Deliberate::Trigger);
        } else {
            outcome.differs(format!("{scope}: fromguard lists {extra:?}, which BuildKit does not ask for"));
        }
    }
}

fn frontend(answer: &Answer, ours: &Extracted, outcome: &mut Comparison) {
    let ours: Vec<&ImageUse> = ours.uses.iter().filter(|one| one.role == Role::Frontend).collect();
    let same = match (&answer.frontend, ours.as_slice()) {
        (None, []) => true,
        (Some(Ok(theirs)), [one]) => {
            matches!(one.targets.as_slice(), [Target::Image(image)] if image.to_string() == *theirs)
        }
        (Some(Err(_)), [one]) => is_open_or_invalid(one),
        _ => false,
    };
    if !same {
        let ours: Vec<_> = ours.iter().map(|one| &one.targets).collect();
        outcome.differs(format!("BuildKit's frontend is {:?}, fromguard's {ours:?}", answer.frontend));
    }
}

/// The sources in triggers are the same, as far as they are references.
fn triggers(answer: &Answer, ours: &Extracted, outcome: &mut Comparison) {
    if answer.syntax.is_some() {
        return;
    }
    let images_of = |names: &[String]| -> BTreeSet<String> {
        names.iter().filter_map(|name| ImageRef::parse(name).ok()).map(with_tag).collect()
    };
    let theirs = images_of(&answer.onbuild);
    let stages = images_of(&answer.onbuild_of_a_stage);
    let ours = images(ours, |one| one.role == Role::Onbuild);
    let mut extra = ours.difference(&theirs).peekable();
    if extra.peek().is_some() {
        outcome.deliberate.insert(Deliberate::TriggerNamesStage);
    }
    if !theirs.is_subset(&ours) || !extra.all(|image| stages.contains(image)) {
        outcome.differs(format!("the triggers name {theirs:?}, fromguard's {ours:?}"));
    }
}

/// Where BuildKit fails for an image's sake fromguard says so too, and nowhere else.
fn failures(answer: &Answer, ours: &Extracted, outcome: &mut Comparison) {
    let failures: Vec<&String> =
        answer.syntax.iter().chain(&answer.default.errors).chain(&answer.others.errors).collect();
    // The order of stages in a trigger is the child's.
    let by_trigger = |failure: &str| {
        answer.onbuild_of_a_stage.iter().any(|name| {
            failure.contains(&format!("from stage \"{name}\""))
                || failure == format!("invalid stage index {name}")
        })
    };
    // Whether a mount without `from` is held to the order is decided by its type,
    // which is known only when the instruction is executed.
    let by_mount_type = |failure: &str| failure.starts_with("cannot mount from stage \"scratch\"");
    let of_an_image =
        |failure: &str| is_image_failure(failure) && !by_trigger(failure) && !by_mount_type(failure);
    // A frontend without heredocs makes other stages of the file.
    let read_alike = !is_before_heredocs(answer);
    if let Some(failure) = failures.iter().find(|text| read_alike && of_an_image(text)) {
        let waits = ours.uses.iter().any(is_open);
        if ours.problems.is_empty() && !ours.uses.iter().any(is_open_or_invalid) {
            outcome
                .differs(format!("BuildKit fails for an image's sake and fromguard is content: {failure}"));
        }
        // What BuildKit expanded the reference to is in its message.
        if let Some(text) = unquote(failure).filter(|_| !waits) {
            let invalid = ours
                .uses
                .iter()
                .flat_map(|one| &one.targets)
                .any(|target| matches!(target, Target::Invalid { text: ours, .. } if *ours == text));
            if !invalid {
                outcome.differs(format!(
                    "BuildKit expands a reference to {text:?}, and fromguard calls no such reference invalid"
                ));
            }
        }
    }
    // What only a frontend without heredocs takes for instructions may be wrong.
    if failures.is_empty() && read_alike {
        for problem in &ours.problems {
            outcome.differs(format!("BuildKit builds this and fromguard has a problem: {}", problem.message));
        }
        for target in ours.uses.iter().filter(|one| is_build(one)).flat_map(|one| &one.targets) {
            if let Target::Invalid { text, reason } = target {
                outcome
                    .differs(format!("BuildKit builds this and fromguard calls {text:?} invalid: {reason}"));
            }
        }
    }
}

/// What must be true of any reading, whatever BuildKit says: spans hold what
/// they are said to hold, and every use says what it may be.
pub(crate) fn inconsistencies(text: &str, ours: &Extracted) -> Vec<String> {
    let mut found = Vec::new();
    for one in &ours.uses {
        if text.get(one.span.start..one.span.end) != Some(one.raw.as_str()) {
            found.push(format!("the span of a use does not hold its text: {:?} {:?}", one.span, one.raw));
        }
        let places = one.via.iter().map(|via| &via.at).chain([&one.decided_at]);
        for at in places.filter(|at| text.get(at.span.start..at.span.end).is_none()) {
            found.push(format!("a place of a use is not in the file: {:?}", at.span));
        }
        let distinct: BTreeSet<&Target> = one.targets.iter().collect();
        if one.targets.is_empty() || distinct.len() != one.targets.len() {
            found.push(format!("the targets of a use are none or not distinct: {:?}", one.targets));
        }
    }
    for problem in ours.problems.iter().filter(|one| text.get(one.at.span.start..one.at.span.end).is_none()) {
        found.push(format!("the place of a problem is not in the file: {:?}", problem.at.span));
    }
    if !ours.uses.is_sorted_by_key(|one| one.span) {
        found.push("the uses are not in the order of their spans".to_owned());
    }
    found
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
    !matches!(one.role, Role::Frontend | Role::Onbuild | Role::Command)
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
