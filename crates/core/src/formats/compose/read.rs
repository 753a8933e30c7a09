//! From YAML to what a compose file says of images.
//!
//! Keys after the Compose Specification's schema (`schema/compose-spec.json` of
//! compose-go 2.16). Aliases and merge keys are followed; what a document repeats by
//! them is counted.

use std::collections::HashSet;
use std::rc::Rc;

use crate::source::Location;
use crate::source::Mapped;
use crate::source::SourceFile;
use crate::source::Span;
use crate::yaml::Document;
use crate::yaml::Mapping;
use crate::yaml::Node;
use crate::yaml::Style;

use super::model::BuildText;
use super::model::Entry;
use super::model::Extends;
use super::model::Include;
use super::model::Layer;
use super::model::Named;
use super::model::Service;
use super::model::Shared;
use super::model::Slot;
use super::model::Text;
use super::number;
use super::template::Budget;

/// What the documents of a file are read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The file has the name of a compose file.
    Named,
    /// Another one: a service has to have an image or a build.
    Unnamed,
}

/// Reads a document; `None` when it is not one of Compose.
pub(super) fn read(file: &SourceFile, document: &Document, form: Form, budget: &Budget) -> Option<Layer> {
    let reader = Reader { file, budget };
    let root = document.root().map()?;
    let services = root.find("services").and_then(Node::map);
    let includes = root.find("include").filter(|node| node.sequence().is_some());
    match form {
        Form::Unnamed => {
            if !services?.entries().any(|(_, value)| reader.has_image(value)) {
                return None;
            }
        }
        Form::Named if services.is_none() && includes.is_none() => {
            if root.find("services").is_some_and(Node::is_null) {
                return Some(Layer::default());
            }
            return reader.first_version(root);
        }
        Form::Named => {}
    }
    let mut layer = Layer {
        name: root.find("name").and_then(|node| reader.text(node)),
        includes: includes.into_iter().flat_map(Node::list).map(|node| reader.include(node)).collect(),
        services: Vec::new(),
    };
    let jobs = root.find("jobs").and_then(Node::map);
    for mapping in services.into_iter().chain(jobs) {
        layer.services.extend(reader.services(mapping));
    }
    Some(layer)
}

/// What a text costs beside its bytes, in steps.
const TEXT_STEPS: usize = 16;

struct Reader<'r> {
    file: &'r SourceFile,
    budget: &'r Budget,
}

impl<'r> Reader<'r> {
    /// A file as docker-compose 1 read it first: services at the root.
    fn first_version(&self, root: Mapping<'_>) -> Option<Layer> {
        let known = ["version", "volumes", "networks", "secrets", "configs", "on", "jobs"];
        if known.iter().any(|key| root.get(key).is_some())
            || !root.entries().any(|(_, value)| self.has_image(value))
        {
            return None;
        }
        Some(Layer { services: self.services(root), ..Layer::default() })
    }

    fn has_image(&self, node: Node<'_>) -> bool {
        let is_image =
            |mapping| self.find(mapping, "image").or_else(|| self.find(mapping, "build")).is_some();
        node.map().is_some_and(is_image)
    }

    /// The value of a key, counted.
    fn find<'y>(&self, mapping: Mapping<'y>, key: &str) -> Option<Node<'y>> {
        let mut layers = mapping.layers();
        layers.find_map(|layer| self.budget.spend(layer.entries().len()).then(|| layer.get(key))?)?.followed()
    }

    /// The entries of a mapping whose keys are `wanted`, those that it merges in behind.
    fn entries<'y>(&self, mapping: Mapping<'y>, wanted: impl Fn(&str) -> bool) -> Vec<Pair<'y>> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        for layer in mapping.layers() {
            for (key, value) in layer.entries() {
                if !self.budget.spend(1) {
                    return found;
                }
                let (Some(key), Some(value)) = (key.followed(), value.followed()) else { continue };
                let Some(name) = key.scalar().map(|scalar| scalar.text) else { continue };
                if name != "<<" && wanted(name) && seen.insert(name) {
                    found.push(Pair { name, key, value });
                }
            }
        }
        found
    }

    fn services(&self, mapping: Mapping<'_>) -> Vec<(Rc<str>, Rc<Service>)> {
        let services = self.entries(mapping, |_| true);
        services.into_iter().map(|pair| (Rc::from(pair.name), Rc::new(self.service(pair.value)))).collect()
    }

    fn service(&self, node: Node<'_>) -> Service {
        let mut service = Service { replaces: tag(node).is_some(), ..Service::default() };
        let Some(mapping) = node.mapping().filter(|_| tag(node) != Some(Tag::Reset)) else { return service };
        let wanted = |key: &str| {
            matches!(
                key,
                "image" | "build" | "extends" | "pull_policy" | "platform" | "volumes" | "pre_start"
            )
        };
        for Pair { name, value, .. } in self.entries(mapping, wanted) {
            match name {
                "image" => service.image = self.slot(value),
                "pull_policy" => service.pull_policy = self.slot(value),
                "platform" => service.platform = self.slot(value),
                "build" => service.build = self.build(value),
                "extends" => service.extends = self.extends(value),
                "volumes" => service.volumes = self.image_volumes(value),
                _ => service.pre_start = self.members(value, "image"),
            }
        }
        service
    }

    fn build(&self, node: Node<'_>) -> Slot<Option<Rc<BuildText>>> {
        let tag = tag(node);
        let replaces = tag.is_some();
        if tag == Some(Tag::Reset) || node.is_null() {
            return Slot { value: None, replaces };
        }
        let mut build = BuildText::default();
        let Some(mapping) = node.mapping() else {
            build.context.value = self.text(node);
            return Slot { value: Some(Rc::new(build)), replaces };
        };
        let wanted = |key: &str| {
            matches!(
                key,
                "context"
                    | "dockerfile"
                    | "dockerfile_inline"
                    | "target"
                    | "args"
                    | "additional_contexts"
                    | "platforms"
                    | "cache_from"
            )
        };
        for Pair { name, value, .. } in self.entries(mapping, wanted) {
            match name {
                "context" => build.context = self.slot(value),
                "dockerfile" => build.dockerfile = self.slot(value),
                "dockerfile_inline" => build.inline = self.slot(value),
                "target" => build.target = self.slot(value),
                "args" => build.args = self.named(value),
                "additional_contexts" => build.contexts = self.named(value),
                "platforms" => {
                    build.platforms = Slot { value: self.texts(value), replaces: self::tag(value).is_some() };
                }
                _ => build.cache_from = self.texts(value),
            }
        }
        Slot { value: Some(Rc::new(build)), replaces }
    }

    fn extends(&self, node: Node<'_>) -> Option<Extends> {
        match node.mapping() {
            Some(mapping) => Some(Extends {
                service: self.text(self.find(mapping, "service")?)?,
                file: self.find(mapping, "file").and_then(|file| self.text(file)),
            }),
            None => Some(Extends { service: self.text(node)?, file: None }),
        }
    }

    fn include(&self, node: Node<'_>) -> Include {
        let Some(mapping) = node.mapping() else {
            return Include { paths: self.text(node).into_iter().collect(), ..Include::default() };
        };
        let texts = |key: &str| self.find(mapping, key).map_or_else(Vec::new, |value| self.texts(value));
        Include {
            paths: texts("path"),
            folder: self.find(mapping, "project_directory").and_then(|folder| self.text(folder)),
            env_files: texts("env_file"),
        }
    }

    /// A mapping of names to values, or a list of `name=value`.
    fn named(&self, node: Node<'_>) -> Slot<Named> {
        let tag = tag(node);
        let mut slot = Slot { value: Named::new(), replaces: tag.is_some() };
        if tag == Some(Tag::Reset) {
            return slot;
        }
        if let Some(mapping) = node.mapping() {
            for Pair { name, key, value } in self.entries(mapping, |_| true) {
                let at = self.location(key.content_span());
                let is_reset = self::tag(value) == Some(Tag::Reset);
                let value = if is_reset { None } else { self.argument(value) };
                slot.value.push((Rc::from(name), Entry { value, at, is_reset }));
            }
            return slot;
        }
        for item in node.list() {
            let Some(text) = self.text(item).filter(|_| self.budget.spend(1)) else { continue };
            let (name, value) = match text.text().split_once('=') {
                Some((name, value)) => {
                    let (start, end) = (name.len() + 1, name.len() + 1 + value.len());
                    (name, Some(Rc::new(self.part(&text, start..end))))
                }
                None => (text.text(), None),
            };
            slot.value.push((Rc::from(name), Entry { value, at: text.at.clone(), is_reset: false }));
        }
        slot
    }

    /// The value of a build argument: a number is written anew, as Go prints it.
    fn argument(&self, node: Node<'_>) -> Option<Shared> {
        let scalar = node.scalar().filter(|scalar| scalar.style == Style::Plain);
        let Some(made) = scalar.and_then(|scalar| number::printed(scalar.text)) else {
            return self.text(node);
        };
        let mut mapped = Mapped::default();
        mapped.push_made(&made, node.span());
        Some(Rc::new(Text { mapped, at: self.location(node.span()) }))
    }

    fn part(&self, text: &Text, range: std::ops::Range<usize>) -> Text {
        Text { at: self.location(text.mapped.span(range.clone())), mapped: text.mapped.slice(range) }
    }

    /// The sources of those volumes that are images.
    fn image_volumes(&self, node: Node<'_>) -> Vec<Shared> {
        let is_image =
            |volume: &Mapping<'_>| self.find(*volume, "type").and_then(Node::text) == Some("image");
        let volumes = node.list().filter(|_| self.budget.spend(1)).filter_map(Node::mapping).filter(is_image);
        volumes.filter_map(|volume| self.text(self.find(volume, "source")?)).collect()
    }

    /// What the mappings of a list have under a key.
    fn members(&self, node: Node<'_>, key: &str) -> Vec<Shared> {
        let members = node.list().filter(|_| self.budget.spend(1)).filter_map(Node::mapping);
        members.filter_map(|member| self.text(self.find(member, key)?)).collect()
    }

    /// The texts of a list, or the only one.
    fn texts(&self, node: Node<'_>) -> Vec<Shared> {
        if tag(node) == Some(Tag::Reset) {
            return Vec::new();
        }
        if node.scalar().is_some() {
            return self.text(node).into_iter().collect();
        }
        node.list().filter(|_| self.budget.spend(1)).filter_map(|item| self.text(item)).collect()
    }

    fn slot(&self, node: Node<'_>) -> Slot<Option<Shared>> {
        let value = if tag(node) == Some(Tag::Reset) { None } else { self.text(node) };
        Slot { value, replaces: tag(node).is_some() }
    }

    /// The text of a scalar; of anything else what is written, to the line's end: a
    /// template's marker (`{{ .image }}`) is a mapping to YAML.
    fn text(&self, node: Node<'_>) -> Option<Shared> {
        let span = node.content_span();
        if node.is_null() || !self.budget.spend(TEXT_STEPS + (span.end - span.start) / 16) {
            return None;
        }
        if let Some(mapped) = node.mapped(self.file.text()) {
            return Some(Rc::new(Text { mapped, at: self.location(span) }));
        }
        let written = self.file.slice(span);
        let line = written.lines().next().unwrap_or_default();
        let mapped = Mapped::verbatim(line, span.start);
        let at = self.location(Span::new(span.start, span.start + line.len()));
        Some(Rc::new(Text { mapped, at }))
    }

    fn location(&self, span: Span) -> Location {
        Location { file: self.file.path().clone(), span }
    }
}

struct Pair<'y> {
    name: &'y str,
    key: Node<'y>,
    value: Node<'y>,
}

/// What Compose's own tags do to what stands below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    Reset,
    Override,
}

fn tag(node: Node<'_>) -> Option<Tag> {
    match node.tag()?.text.as_str() {
        "!reset" => Some(Tag::Reset),
        "!override" => Some(Tag::Override),
        _ => None,
    }
}
