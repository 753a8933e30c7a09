//! `docker/build-push-action`: what it builds, and what that pulls.
//!
//! <https://github.com/docker/build-push-action#inputs>: lists are lines, and commas
//! where a value holds none. `tags`, `outputs` and `cache-to` are what it makes, no
//! sources.

use std::ops::Range;

use crate::formats::Build;
use crate::formats::dockerfile::Argument;
use crate::formats::dockerfile::Context;
use crate::formats::dockerfile::Inputs;
use crate::formats::value::Value;
use crate::image::Role;
use crate::source::Location;
use crate::source::Mapped;
use crate::source::RepoPath;
use crate::yaml::Mapping;

use super::expression;
use super::item::Item;
use super::scope::At;
use super::scope::Engine;

/// How many builds one step is read as.
const MAX_BUILDS: usize = 32;
/// How many lines of one list are read.
const MAX_LINES: usize = 256;

/// A use that a step of this kind makes of an image.
pub(super) struct Pulled {
    pub(super) role: Role,
    pub(super) text: Mapped,
    pub(super) values: Vec<Value>,
}

/// One entry of a list: its text, its name where it is `name=value`.
struct Entry {
    line: Mapped,
    /// Where the value begins.
    value: usize,
}

impl Entry {
    fn name(&self) -> &str {
        self.line.text()[..self.value].trim_end_matches('=')
    }
}

/// What a step builds, and the images that it names itself.
pub(super) fn read<'e>(engine: &Engine<'e>, with: Mapping<'e>, at: At<'_, 'e>) -> (Vec<Build>, Vec<Pulled>) {
    let text =
        |key: &str| with.find(key).and_then(|node| node.mapped(engine.file.text())).unwrap_or_default();
    let (context, file, target, platforms) =
        (text("context"), text("file"), text("target"), text("platforms"));
    let arguments = entries(&text("build-args"), true);
    let contexts = entries(&text("build-contexts"), true);
    let caches = entries(&text("cache-from"), true);
    let mut texts = vec![context.text(), file.text(), target.text(), platforms.text()];
    let single = texts.len();
    texts.extend(arguments.iter().chain(&contexts).map(|entry| &entry.line.text()[entry.value..]));
    let mut builds = Vec::new();
    for case in engine.cases(&texts, at) {
        let sets: Vec<Vec<Value>> =
            case.into_iter().map(|items| items.into_iter().map(Item::into_text).collect()).collect();
        // Where a value has several members without its matrix, they are taken in step.
        let members = sets.iter().map(Vec::len).max().unwrap_or(0).min(MAX_BUILDS);
        for member in 0..members {
            let pick = |index: usize| {
                let set = sets.get(index)?;
                set.get(member.min(set.len().checked_sub(1)?))
            };
            let (Some(context), Some(file)) = (pick(0), pick(1)) else { continue };
            let Some(dockerfile) = dockerfile(context, file) else { continue };
            let argument = |(number, entry): (usize, &Entry)| Argument {
                name: entry.name().trim().to_owned(),
                value: pick(single + number)
                    .filter(|value| value.is_known())
                    .map(|value| value.text().to_owned()),
                at: Some(location(engine, entry)),
            };
            let named = |(number, entry): (usize, &Entry)| Context {
                name: entry.name().trim().to_owned(),
                source: pick(single + arguments.len() + number).map_or("", Value::text).to_owned(),
                at: Some(location(engine, entry)),
            };
            let listed = pick(3).filter(|value| value.is_known()).map_or("", Value::text);
            let inputs = Inputs {
                arguments: arguments.iter().enumerate().map(argument).collect(),
                contexts: contexts.iter().enumerate().map(named).collect(),
                platforms: listed
                    .split([',', '\n'])
                    .map(str::trim)
                    .filter(|one| !one.is_empty())
                    .map(str::to_owned)
                    .collect(),
                target: pick(2)
                    .filter(|value| value.is_known() && !value.is_empty())
                    .map(|value| value.text().to_owned()),
            };
            let build = Build { dockerfile, inputs };
            if builds.len() < MAX_BUILDS && !builds.contains(&build) {
                builds.push(build);
            }
        }
    }
    let mut pulled = Vec::new();
    for entry in &contexts {
        let rest = &entry.line.text()[entry.value..];
        if let Some(image) = rest.strip_prefix("docker-image://") {
            let range = entry.line.text().len() - image.len()..entry.line.text().len();
            pulled.push(image_of(engine, at, &entry.line, range, Role::NamedContext));
        }
    }
    for entry in &caches {
        if let Some(range) = cache_image(entry.line.text()) {
            pulled.push(image_of(engine, at, &entry.line, range, Role::Cache));
        }
    }
    (builds, pulled)
}

fn image_of<'e>(
    engine: &Engine<'e>,
    at: At<'_, 'e>,
    line: &Mapped,
    range: Range<usize>,
    role: Role,
) -> Pulled {
    let text = line.slice(range);
    let values = engine.values(text.text(), at);
    Pulled { role, text, values }
}

/// The image of a cache that comes from a registry: `type=registry,ref=image`, or the
/// image alone.
fn cache_image(line: &str) -> Option<Range<usize>> {
    if !line.contains('=') {
        return Some(0..line.len());
    }
    let mut at = 0;
    let (mut image, mut registry) = (None, false);
    for field in line.split(',') {
        let (key, value) = field.split_once('=').unwrap_or((field, ""));
        match key.trim() {
            "type" => registry = value.trim() == "registry",
            "ref" => image = Some(at + field.len() - value.len()..at + field.len()),
            _ => {}
        }
        at += field.len() + 1;
    }
    image.filter(|_| registry)
}

/// The entries of a list, one to a line. An expression may hold a line's end.
fn entries(text: &Mapped, named: bool) -> Vec<Entry> {
    let whole = text.text();
    let inside = expression::places(whole);
    let mut entries = Vec::new();
    let mut start = 0;
    let ends = memchr::memchr_iter(b'\n', whole.as_bytes()).chain([whole.len()]);
    for end in ends {
        if inside.iter().any(|place| place.contains(&end)) {
            continue;
        }
        let line = &whole[start..end];
        let trimmed = line.trim();
        if !trimmed.is_empty() && entries.len() < MAX_LINES {
            let from = start + (line.len() - line.trim_start().len());
            let line = text.slice(from..from + trimmed.len());
            let value = match trimmed.find('=') {
                Some(at) if named => at + 1,
                _ => 0,
            };
            entries.push(Entry { line, value });
        }
        start = end + 1;
    }
    entries
}

fn location(engine: &Engine<'_>, entry: &Entry) -> Location {
    let span = entry.line.span(entry.value..entry.line.text().len());
    Location { file: engine.file.path().clone(), span }
}

/// The Dockerfile that is built. Without `context` it is the repository itself.
fn dockerfile(context: &Value, file: &Value) -> Option<RepoPath> {
    let root = RepoPath::new("");
    let inside = |folder: &str, name: &str| root.beside(&format!("./{folder}/{name}"));
    let whole = |value: &Value| value.is_known().then(|| value.text().trim().to_owned());
    let file = whole(file)?;
    // A file stands beside the workspace, not in the context.
    if !file.is_empty() && !context.text().trim_start().starts_with("{{defaultContext}}") {
        return inside("", &file);
    }
    let context = whole(context)?;
    let folder = context.strip_prefix("{{defaultContext}}").unwrap_or(&context).trim_start_matches(':');
    if is_remote(folder) {
        return None;
    }
    inside(folder, if file.is_empty() { "Dockerfile" } else { &file })
}

/// Whether a context is somewhere else.
pub(super) fn is_remote(context: &str) -> bool {
    context.contains("://") || context.starts_with("git@") || context.starts_with("github.com/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_where_the_dockerfile_is() {
        let of = |context: &str, file: &str| {
            dockerfile(&Value::known(context), &Value::known(file)).map(|path| path.to_string())
        };
        let path = |path: &str| Some(path.to_owned());
        assert_eq!(of("", ""), path("Dockerfile"));
        assert_eq!(of(".", ""), path("Dockerfile"));
        assert_eq!(of("./app/", ""), path("app/Dockerfile"));
        assert_eq!(of("./app", "./build/a.Dockerfile"), path("build/a.Dockerfile"));
        assert_eq!(of("{{defaultContext}}:app", "b/Dockerfile"), path("app/b/Dockerfile"));
        assert_eq!(of("https://github.com/a/b.git#main", ""), None);
        assert_eq!(of("../x", ""), None);
    }

    #[test]
    fn a_cache_of_a_registry_is_an_image() {
        let image = |line: &'static str| cache_image(line).map(|range| &line[range]);
        assert_eq!(image("type=registry,ref=a/b:cache"), Some("a/b:cache"));
        assert_eq!(image("a/b:cache"), Some("a/b:cache"));
        assert_eq!(image("type=gha,scope=x"), None);
        assert_eq!(image("type=local,ref=x"), None);
    }
}
