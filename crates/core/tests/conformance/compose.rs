//! Compose files: the questions of `tests/conformance/compose`, compose-go's answers,
//! and when fromguard agrees with them.
//!
//! ```text
//! file   := { line } { case }            lines before the first case are for people
//! case   := "=== " name { "--- " key ": " value } { "+++ " path { line } }
//! key    := "source" | "about" | "load" | "extra"
//! ```
//!
//! `load` names the files that Compose is given (what it finds itself otherwise).
//! `extra` is an image that fromguard lists and Compose would not pull, on purpose;
//! `about` says why.
//!
//! Compose takes a variable without a value for empty; fromguard does not. Where it
//! says that something is not known, no answer is wrong.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use fromguard_core::formats::Extracted;
use fromguard_core::formats::Files;
use fromguard_core::formats::Format;
use fromguard_core::formats::compose::Compose;
use fromguard_core::formats::dockerfile::Inputs;
use fromguard_core::image::ImageRef;
use fromguard_core::image::Target;
use fromguard_core::source::Content;
use fromguard_core::source::RepoPath;
use fromguard_core::source::SourceFile;

/// One question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Case {
    /// What it is called, unique in its file.
    pub(crate) name: String,
    /// The files, by their paths.
    pub(crate) files: BTreeMap<String, String>,
    /// Those that are given to Compose, in order.
    pub(crate) load: Vec<String>,
    /// Images that are listed beside those that Compose pulls.
    pub(crate) extra: Vec<String>,
}

/// What compose-go makes of a case: facts, or why it refuses it.
pub(crate) type Answer = Result<Vec<String>, String>;

/// Reads a file of cases.
///
/// # Errors
/// With the line that is not as the grammar has it.
pub(crate) fn read(text: &str) -> Result<Vec<Case>, String> {
    let mut cases: Vec<Case> = Vec::new();
    let mut path: Option<String> = None;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let content = line.trim_end_matches('\n');
        if let Some(name) = content.strip_prefix("=== ") {
            cases.push(Case { name: name.to_owned(), ..Case::default() });
            path = None;
            continue;
        }
        let Some(case) = cases.last_mut() else { continue };
        if let Some(name) = content.strip_prefix("+++ ") {
            case.files.insert(name.to_owned(), String::new());
            path = Some(name.to_owned());
        } else if let Some(text) = path.as_ref().and_then(|path| case.files.get_mut(path)) {
            text.push_str(line);
        } else {
            let key = content.strip_prefix("--- ").and_then(|key| key.split_once(": "));
            match key {
                Some(("load", value)) => case.load = value.split(' ').map(str::to_owned).collect(),
                Some(("extra", value)) => case.extra.push(value.to_owned()),
                Some(("source" | "about", _)) => {}
                _ => return Err(format!("line {}: neither a key nor a file: {content}", index + 1)),
            }
        }
    }
    Ok(cases)
}

/// Writes answers beside the names of their cases.
pub(crate) fn write_answers(versions: &str, answers: &[(String, Answer)]) -> String {
    let mut text = format!("# Written by `cargo xtask oracle`; answered by {versions}.\n");
    for (name, answer) in answers {
        let _ = write!(text, "\n=== {name}\n");
        match answer {
            Ok(facts) => text.extend(facts.iter().map(|fact| format!("{fact}\n"))),
            Err(message) => text.push_str(&format!("fails: {message}\n")),
        }
    }
    text
}

/// Reads what [`write_answers`] wrote.
pub(crate) fn read_answers(text: &str) -> Vec<(String, Answer)> {
    let mut answers: Vec<(String, Answer)> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("=== ") {
            answers.push((name.to_owned(), Ok(Vec::new())));
        } else if let Some((_, answer)) = answers.last_mut().filter(|_| !line.is_empty()) {
            match (line.strip_prefix("fails: "), answer) {
                (Some(message), answer) => *answer = Err(message.to_owned()),
                (None, Ok(facts)) => facts.push(line.to_owned()),
                (None, Err(_)) => {}
            }
        }
    }
    answers
}

/// Where fromguard and compose-go differ on a case.
pub(crate) fn differences(case: &Case, answer: &Answer) -> Vec<String> {
    let known = |path: &RepoPath| {
        let text = case.files.get(path.as_str());
        Some(text.map_or(Content::Missing, |text| Content::Text(text.as_str().into())))
    };
    let default = ["compose.yml", "compose.override.yml"].map(str::to_owned);
    let load = if case.load.is_empty() { &default[..] } else { &case.load };
    // Every file tells of its own images, those that Compose is given also of builds.
    let mut read: Vec<Extracted> = load.iter().filter_map(|path| extract(path, &known)).collect();
    let others = case.files.keys().filter(|path| path.ends_with(".yml") && !load.contains(path));
    for path in others {
        let uses = extract(path, &known).map_or_else(Vec::new, |read| read.uses);
        read.push(resolved(Extracted { uses, ..Extracted::default() }));
    }
    let Ok(facts) = answer else { return Vec::new() };
    compare(facts, &read, &case.extra, true)
}

/// Only the uses that are wholly known.
pub(crate) fn resolved(mut read: Extracted) -> Extracted {
    read.uses.retain(|usage| usage.targets.iter().all(|target| target.status() == "resolved"));
    read
}

/// What fromguard finds in a file.
pub(crate) fn extract(path: &str, known: &dyn Fn(&RepoPath) -> Option<Content>) -> Option<Extracted> {
    let path = RepoPath::new(path);
    let Some(Content::Text(text)) = known(&path) else { return None };
    let mut files = Files::new(known);
    Some(Compose.extract(&SourceFile::new(path, text), &mut files))
}

/// Holds what was found against facts. With `both`, nothing else may be listed.
pub(crate) fn compare(facts: &[String], read: &[Extracted], extra: &[String], both: bool) -> Vec<String> {
    let mut differences = Vec::new();
    let mut listed = BTreeSet::new();
    let mut is_open = false;
    for target in read.iter().flat_map(|read| &read.uses).flat_map(|usage| &usage.targets) {
        match target {
            Target::Image(image) => drop(listed.insert(image.to_string())),
            Target::Invalid { text, .. } => drop(listed.insert(text.clone())),
            Target::Partial(_) | Target::Unresolved { .. } => is_open = true,
        }
    }
    let services = services(facts);
    let mut pulled: BTreeSet<String> = extra.iter().cloned().collect();
    for (name, service) in &services {
        let is_output = service.build.is_some() && service.pull_policy.as_deref() == Some("build");
        for image in &service.images {
            let image = ImageRef::parse(image).map_or_else(|_| image.clone(), |image| image.to_string());
            if !(is_output || is_open || listed.contains(&image)) {
                differences.push(format!("{name}: {image} is pulled and not listed: {listed:?}"));
            }
            pulled.insert(image);
        }
        let Some(build) = &service.build else { continue };
        let Some(dockerfile) = &build.dockerfile else {
            if !is_open && !build.is_inline {
                differences.push(format!("{name}: the build of {} is not told", build.context));
            }
            continue;
        };
        if dockerfile.starts_with("..") {
            continue;
        }
        let builds = read.iter().flat_map(|read| &read.builds);
        let mut candidates = builds.filter(|one| one.dockerfile == RepoPath::new(dockerfile)).peekable();
        if candidates.peek().is_none() && !is_open {
            differences.push(format!("{name}: a build of {dockerfile} is not known"));
        } else if candidates.peek().is_some() && !candidates.any(|one| build.is(&one.inputs)) {
            differences.push(format!("{name}: none of the builds of {dockerfile} is {build:?}"));
        }
    }
    if both && !is_open {
        for image in listed.difference(&pulled) {
            differences.push(format!("{image} is listed and never pulled"));
        }
    }
    differences
}

#[derive(Debug, Default)]
struct Service {
    images: Vec<String>,
    pull_policy: Option<String>,
    build: Option<Build>,
}

#[derive(Debug, Default)]
struct Build {
    context: String,
    dockerfile: Option<String>,
    is_inline: bool,
    args: BTreeMap<String, String>,
    target: Option<String>,
    platforms: BTreeSet<String>,
    contexts: BTreeMap<String, String>,
}

impl Build {
    /// Whether fromguard knows of the same; what it does not know fits everything.
    fn is(&self, inputs: &Inputs) -> bool {
        let given = |name: &str| inputs.arguments.iter().find(|argument| argument.name == name);
        let all_given = self.args.iter().all(|(name, value)| {
            given(name).is_some_and(|one| {
                one.hole.is_some() || one.value.as_deref().is_none_or(|text| text == value)
            })
        });
        let none_else = inputs
            .arguments
            .iter()
            .all(|one| self.args.contains_key(&one.name) || one.hole.is_some() || one.value.is_none());
        let is_image = |source: &String| source.starts_with("docker-image://");
        let contexts: BTreeMap<&String, &String> = inputs
            .contexts
            .iter()
            .map(|context| (&context.name, &context.source))
            .filter(|(_, source)| is_image(source))
            .collect();
        let same_contexts = self
            .contexts
            .iter()
            .filter(|(_, source)| is_image(source))
            .all(|(name, source)| contexts.get(name) == Some(&source));
        let platforms: BTreeSet<String> = inputs.platforms.iter().cloned().collect();
        all_given && none_else && same_contexts && platforms == self.platforms && inputs.target == self.target
    }
}

/// The facts, service by service.
fn services(facts: &[String]) -> BTreeMap<String, Service> {
    let mut services: BTreeMap<String, Service> = BTreeMap::new();
    for fact in facts {
        let Some((name, kind, value)) = parts(fact) else { continue };
        let service = services.entry(name).or_default();
        let pair = || value.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        match kind {
            "image" | "volume" | "pre_start" => service.images.push(value),
            "pull_policy" => service.pull_policy = Some(value),
            "cache" => service.images.extend(cache(&value)),
            _ => {
                let build = service.build.get_or_insert_with(Build::default);
                match kind {
                    "context" => build.context = value,
                    "dockerfile" => build.dockerfile = Some(value),
                    "inline" => build.is_inline = true,
                    "target" => build.target = Some(value),
                    "platform" => drop(build.platforms.insert(value)),
                    "arg" => build.args.extend(pair()),
                    _ => {
                        build.contexts.extend(pair());
                        service
                            .images
                            .extend(value.split_once("=docker-image://").map(|pair| pair.1.to_owned()));
                    }
                }
            }
        }
    }
    services
}

/// `name kind "value"`, the value as JSON.
fn parts(fact: &str) -> Option<(String, &str, String)> {
    let (name, rest) = fact.split_once(' ')?;
    let (kind, value) = rest.split_once(' ')?;
    Some((name.to_owned(), kind, serde_json::from_str(value).ok()?))
}

/// The reference of an entry of `cache_from`.
fn cache(entry: &str) -> Option<String> {
    if !entry.contains('=') {
        return Some(entry.to_owned());
    }
    let field = |name: &str| entry.split(',').find_map(|field| field.trim().strip_prefix(name));
    field("type=").filter(|kind| *kind == "registry").and(field("ref=")).map(str::to_owned)
}
