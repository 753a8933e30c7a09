//! Through the tree of an object to everything in it that runs an image.

use std::collections::HashMap;
use std::collections::HashSet;

use super::fields;
use super::fields::Kind;
use super::parameters::Scope;
use super::pod;
use super::text::Written;
use crate::formats::Extracted;
use crate::formats::uses::Finder;
use crate::formats::value::Value;
use crate::image::ImageUse;
use crate::image::Role;
use crate::image::Via;
use crate::source::ProblemCode;
use crate::source::Span;
use crate::yaml;
use crate::yaml::Document;
use crate::yaml::Mapping;
use crate::yaml::Node;
use crate::yaml::Shape;

/// How deep aliases and strings may lead. Nothing that is written reaches a tenth.
const MAX_DEPTH: usize = 200;
/// How many entries merge keys bring in: more than any that a person wrote.
const MAX_MERGED: usize = 100_000;
/// How many strings may hold each other.
const MAX_STRINGS: usize = 3;

/// A walk through the objects of a file.
pub(in crate::formats) struct Walk<'f> {
    pub(super) finder: Finder<'f>,
    pub(super) written: Written<'f>,
    uses: Vec<ImageUse>,
    /// Where uses were found: an anchored container is reached on several ways.
    found: HashMap<(Span, Role), usize>,
    /// The anchored nodes that were walked, by the key that led there.
    followed: HashSet<(Span, u8, bool)>,
    /// A place that was too deep.
    too_deep: Option<Span>,
    /// How many merged entries are walked before the rest is given up.
    merges_left: usize,
    /// The first mapping whose merged entries were given up.
    too_much: Option<Span>,
}

/// Where in an object a node stands.
#[derive(Clone, Copy)]
pub(super) struct At<'w> {
    pub(super) kind: Kind<'w>,
    /// The key that the node, or the list that it is in, stands under.
    pub(super) key: &'w str,
    pub(super) scope: &'w Scope<'w>,
    pub(super) depth: usize,
}

impl<'f> Walk<'f> {
    pub(in crate::formats) fn new(finder: Finder<'f>, written: Written<'f>) -> Walk<'f> {
        Walk {
            finder,
            written,
            uses: Vec::new(),
            found: HashMap::new(),
            followed: HashSet::new(),
            too_deep: None,
            merges_left: MAX_MERGED,
            too_much: None,
        }
    }

    /// Adds what was found to that of the file.
    pub(in crate::formats) fn finish(mut self, extracted: &mut Extracted) {
        self.uses.sort_by_key(|usage| usage.span);
        extracted.uses.append(&mut self.uses);
        if let Some(span) = self.too_deep {
            let message =
                format!("what lies more than {MAX_DEPTH} levels deep, aliases followed, is not read");
            extracted.problems.push(self.finder.problem(span, ProblemCode::Limit, message));
            extracted.problems.sort_by_key(|problem| problem.at.span);
        }
    }

    /// Walks a document; `false` when it holds no object.
    pub(in crate::formats) fn document(&mut self, document: &Document) -> bool {
        let root = document.root();
        let objects: Vec<Node<'_>> = match root.sequence() {
            Some(sequence) => sequence.items().filter_map(Node::followed).collect(),
            None => vec![root],
        };
        let mut is_object = false;
        for node in objects {
            if let Some(kind) = node.mapping().and_then(kind_of) {
                is_object = true;
                self.object(node, kind, &Scope::default(), 0);
            }
        }
        is_object
    }

    /// Walks values that a custom resource holds for something else: any key in them
    /// may name an image.
    pub(in crate::formats) fn values(&mut self, values: Node<'_>) {
        let kind = Kind { group: "values.", name: "Values" };
        self.visit(values, At { kind, key: "", scope: &Scope::default(), depth: 0 });
    }

    fn object(&mut self, node: Node<'_>, kind: Kind<'_>, scope: &Scope<'_>, depth: usize) {
        if kind.runs_nothing() {
            return;
        }
        let Some(mapping) = node.mapping() else { return };
        self.functions(node);
        let mut scope = Scope::inside(scope);
        if kind.name == "Template" {
            self.template_parameters(node, &mut scope);
        }
        self.entries_of(mapping, At { kind, key: "", scope: &scope, depth: depth + 1 });
    }

    /// The container that kustomize runs to transform resources, which an annotation
    /// holds as YAML.
    fn functions(&mut self, node: Node<'_>) {
        let Some(annotations) = node.at(&["metadata", "annotations"]).and_then(Node::map) else { return };
        for key in ["config.kubernetes.io/function", "config.k8s.io/function"] {
            if let Some(value) = annotations.find(key) {
                self.embedded(value, "function of kustomize", |walk, document| walk.values(document.root()));
            }
        }
    }

    /// Walks a node.
    pub(super) fn visit(&mut self, node: Node<'_>, at: At<'_>) {
        if at.depth > MAX_DEPTH {
            self.too_deep.get_or_insert(self.written.span(node.span()));
            return;
        }
        let at = At { depth: at.depth + 1, ..at };
        match node.shape() {
            Shape::Scalar(scalar) => self.string(node, scalar.text, at),
            Shape::Sequence(sequence) => sequence.items().for_each(|item| self.visit(item, at)),
            Shape::Mapping(mapping) => self.mapping(node, mapping, at),
            Shape::Alias(alias) => {
                let Some(target) = alias.target else { return };
                if self.is_first(target.span(), at.key) {
                    self.visit(target, at);
                }
            }
        }
    }

    fn mapping(&mut self, node: Node<'_>, mapping: Mapping<'_>, at: At<'_>) {
        if let Some(kind) = kind_of(mapping) {
            return self.object(node, kind, at.scope, at.depth);
        }
        if at.kind.group == "argoproj.io" && mapping.get("templates").is_some() {
            return self.workflow(node, at);
        }
        let is_tekton = at.kind.group.ends_with("tekton.dev");
        if let Some(scope) = is_tekton.then(|| self.task_parameters(node, at.scope)).flatten() {
            let at = At { scope: &scope, ..at };
            self.bundle(node, at);
            return self.entries_of(mapping, at);
        }
        self.entries_of(mapping, at);
    }

    /// Walks the entries of a mapping, with those that are merged in.
    pub(super) fn entries_of(&mut self, mapping: Mapping<'_>, at: At<'_>) {
        if !merges(mapping) {
            for (key, value) in mapping.entries() {
                if let Some(key) = key.text() {
                    self.entry(key, value, at);
                }
            }
            return;
        }
        if self.merges_left == 0 {
            let first = mapping.entries().next().map(|(key, _)| key.span()).unwrap_or_default();
            self.too_much.get_or_insert(self.written.span(first));
            return;
        }
        let entries = mapping.merged();
        self.merges_left = self.merges_left.saturating_sub(entries.len());
        let own: HashSet<Span> = mapping.entries().map(|(_, value)| value.span()).collect();
        for (key, value) in entries {
            let Some(name) = key.text() else { continue };
            // What is merged in is walked once in each role, like what an alias names.
            let is_new = value.scalar().is_some()
                || own.contains(&value.span())
                || self.is_first(value.span(), name)
                || single_or_list_role(at.key).is_some() && self.is_first(value.span(), at.key);
            if is_new {
                self.entry(name, value, at);
            }
        }
    }

    /// Whether a node is met for the first time in the role that a key gives it.
    fn is_first(&mut self, span: Span, key: &str) -> bool {
        let role = single_or_list_role(key).map_or(0, |role| 1 + role as u8);
        self.followed.insert((span, role, key == "volumes"))
    }

    /// Walks an entry of a mapping that stands at `at`.
    fn entry(&mut self, key: &str, value: Node<'_>, at: At<'_>) {
        let is_top = at.key.is_empty();
        if at.kind.hides(key) || is_top && matches!(key, "status" | "apiVersion" | "kind") {
            return;
        }
        let is_text = value.text().is_some();
        let container = single_or_list_role(at.key).filter(|_| key == "image");
        if let Some(role) = container.filter(|_| is_text) {
            return self.image(role, value, at.scope);
        }
        let volume = value.map().filter(|_| key == "image" && at.key == "volumes");
        if let Some(reference) = volume.and_then(|image| image.find("reference")) {
            return self.image(Role::ImageVolume, reference, at.scope);
        }
        if is_text && at.kind.is_image(key) {
            return self.image(Role::Container, value, at.scope);
        }
        if at.kind.has_loose_images() && self.loose_image(key, value, at) {
            return;
        }
        self.visit(value, At { key, ..at });
    }

    /// An image of a custom resource that stands outside of containers.
    fn loose_image(&mut self, key: &str, value: Node<'_>, at: At<'_>) -> bool {
        if let Some(text) = value.text() {
            if key == "image" || fields::is_image_key(key) {
                if at.scope.expand(text).iter().any(|value| fields::is_certain_reference(value.text())) {
                    self.image(Role::Container, value, at.scope);
                    return true;
                }
                return false;
            }
            return self.strings_of_argo_and_openshift(key, value, at);
        }
        match value.map() {
            Some(map) if key == "image" || fields::is_image_key(key) => self.image_map(map, at.scope),
            Some(map) if key == "from" && at.kind.group.ends_with("openshift.io") => {
                let is_image = map.find("kind").and_then(Node::text) == Some("DockerImage");
                if let Some(name) = map.find("name").filter(|_| is_image) {
                    self.image(Role::Container, name, at.scope);
                }
                is_image
            }
            Some(map) if key == "kustomize" => self.rewrites(map, at),
            Some(_) if key == "valuesObject" && at.key == "helm" => {
                self.values(value);
                true
            }
            Some(map) if at.kind.holds_values() && is_repository_and_tag(map) => {
                self.image_map(map, at.scope)
            }
            _ if key == "images" && at.kind.group == "kustomize.toolkit.fluxcd.io" => {
                value.list().for_each(|entry| self.rewrite(entry, at.scope));
                true
            }
            _ => false,
        }
    }

    /// YAML in strings: the values that Argo CD and k3s give a chart.
    fn strings_of_argo_and_openshift(&mut self, key: &str, value: Node<'_>, at: At<'_>) -> bool {
        let holds_values = match key {
            "values" => at.key == "helm",
            "valuesContent" => at.kind.group == "helm.cattle.io",
            _ => false,
        };
        if holds_values {
            self.embedded(value, &format!("values under `{key}`"), |walk, document| {
                walk.values(document.root())
            });
        }
        holds_values
    }

    /// `{registry, repository, tag, digest}`: what charts and operators read.
    fn image_map(&mut self, map: Mapping<'_>, scope: &Scope<'_>) -> bool {
        let part = |key: &str| map.find(key).filter(|node| node.text().is_some_and(|text| !text.is_empty()));
        let Some(repository) = part("repository").or_else(|| part("name").filter(|_| part("tag").is_some()))
        else {
            return false;
        };
        let tag = part("tag").or_else(|| part("version"));
        let digest = part("digest").or_else(|| part("sha256"));
        let mut values = Vec::new();
        if let Some(registry) = part("registry") {
            values = joined(values, self.members(registry, scope), "");
            values = joined(values, vec![Value::known("/")], "");
        }
        values = joined(values, self.members(repository, scope), "");
        let has_version = repository.text().is_some_and(|text| {
            text.contains('@') || text.rsplit('/').next().is_some_and(|last| last.contains(':'))
        });
        if let Some(tag) = tag.filter(|_| !has_version) {
            values = joined(values, self.members(tag, scope), ":");
        }
        if let Some(digest) = digest {
            values = joined(values, self.members(digest, scope), "@");
        } else if tag.is_none() && !has_version {
            let open = Value::unknown("the tag is left to what reads this");
            values = joined(values, vec![open], ":");
        }
        self.add(Role::Container, repository, values);
        true
    }

    /// `images` under `kustomize` of Argo CD: `name=new:tag`, or `new:tag`.
    fn rewrites(&mut self, map: Mapping<'_>, at: At<'_>) -> bool {
        let Some(images) = map.find("images") else { return false };
        for node in images.list() {
            let Some((span, text)) = self.written.scalar(node) else { continue };
            let start = text.find('=').map_or(0, |at| at + 1);
            let image = text[start..].to_owned();
            if image.contains('*') || self.finder.file.slice(span) != text {
                continue;
            }
            let values = at.scope.expand(&image);
            self.push(Role::Container, Span::new(span.start + start, span.end), values);
        }
        true
    }

    /// An entry of `images` of a Flux `Kustomization`: what it makes of an image.
    fn rewrite(&mut self, entry: Node<'_>, scope: &Scope<'_>) {
        let Some(map) = entry.map() else { return };
        let part = |key: &str| map.find(key).filter(|node| node.text().is_some_and(|text| !text.is_empty()));
        let Some(name) = part("newName").or_else(|| part("name")) else { return };
        let (digest, tag) = (part("digest"), part("newTag"));
        let mut values = self.members(name, scope);
        if let Some(digest) = digest {
            values = joined(values, self.members(digest, scope), "@");
        } else if let Some(tag) = tag {
            values = joined(values, self.members(tag, scope), ":");
        }
        if let Some(deciding) = part("newName").or(digest).or(tag) {
            self.add(Role::Container, deciding, values);
        }
    }

    /// A use of the image that a node's text stands for.
    pub(super) fn image(&mut self, role: Role, node: Node<'_>, scope: &Scope<'_>) {
        // The text of an anchor stands for the image wherever an alias does.
        let Some(target) = node.followed() else { return };
        let Some((span, text)) = self.written.scalar(target) else { return };
        let text = text.trim();
        // ko builds what it finds under this scheme.
        if text.is_empty() || text.starts_with("ko://") {
            return;
        }
        let mut values = scope.expand(text);
        if target.span() != node.span() {
            let at = self.finder.location(span);
            values = values.into_iter().map(|value| value.placed(at.clone(), "anchor")).collect();
        }
        self.add(role, node, values);
    }

    fn add(&mut self, role: Role, node: Node<'_>, values: Vec<Value>) {
        let span = self.written.span(node.content_span());
        self.push(role, span, values);
    }

    fn push(&mut self, role: Role, span: Span, mut values: Vec<Value>) {
        self.written.note(&mut values);
        let usage = self.finder.image_use(role, span, &values);
        match self.found.entry((span, role)) {
            std::collections::hash_map::Entry::Occupied(known) => {
                let known = &mut self.uses[*known.get()];
                for target in usage.targets {
                    if let Err(at) = known.targets.binary_search(&target) {
                        known.targets.insert(at, target);
                    }
                }
            }
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(self.uses.len());
                self.uses.push(usage);
            }
        }
    }

    /// What a node's text may be, each with the node as its place.
    pub(super) fn members(&self, node: Node<'_>, scope: &Scope<'_>) -> Vec<Value> {
        let Some(target) = node.followed() else { return Vec::new() };
        let Some((span, text)) = self.written.scalar(target) else { return Vec::new() };
        let at = self.finder.location(span);
        let what = "part of the image";
        scope.expand(text.trim()).into_iter().map(|value| value.placed(at.clone(), what)).collect()
    }

    /// A string that holds objects of its own, as those of a `ConfigMap` may.
    fn string(&mut self, node: Node<'_>, text: &str, at: At<'_>) {
        let holds = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
        if text.len() < 32 || !(holds("apiVersion") && holds("kind") && holds("mage")) {
            return;
        }
        let what = format!("YAML in a string under `{}`", at.key);
        self.embedded(node, &what, |walk, document| {
            walk.document(document);
        });
    }

    /// Walks YAML in a string.
    fn embedded(&mut self, node: Node<'_>, what: &str, walk: impl Fn(&mut Walk<'f>, &Document)) {
        let Some(node) = node.followed() else { return };
        if self.written.depth() == MAX_STRINGS {
            self.too_deep.get_or_insert(self.written.span(node.span()));
            return;
        }
        let span = self.written.span(node.content_span());
        let first = self.finder.file.slice(span).lines().next().map_or(0, str::len);
        let at = self.finder.location(Span::new(span.start, span.start + first));
        let Some(written) = self.written.inside(node, Via { at, what: what.to_owned() }) else { return };
        let written = written.covered();
        let yaml = yaml::read(written.text(), yaml::Limits::default());
        let outer = std::mem::replace(&mut self.written, written);
        let followed = std::mem::take(&mut self.followed);
        for document in &yaml.documents {
            walk(self, document);
        }
        self.followed = followed;
        self.written = outer;
    }

    /// The parameters of an OpenShift `Template`.
    fn template_parameters(&self, node: Node<'_>, scope: &mut Scope<'_>) {
        for parameter in node.at(&["parameters"]).into_iter().flat_map(Node::list) {
            let Some(name) = parameter.at(&["name"]).and_then(Node::text) else { continue };
            let value = parameter.at(&["value"]).map(|value| self.parameter(name, value, &Scope::default()));
            scope.set(name, value.unwrap_or_default());
        }
    }

    /// What a parameter may be by a text that is given for it.
    pub(super) fn parameter(&self, name: &str, node: Node<'_>, scope: &Scope<'_>) -> Vec<Value> {
        let Some((span, text)) = self.written.scalar(node) else { return Vec::new() };
        let at = self.finder.location(span);
        let what = format!("parameter `{name}`");
        scope.expand(text.trim()).into_iter().map(|value| value.placed(at.clone(), &what)).collect()
    }
}

/// `{repository, tag}`: an image whatever the key above it is. That of a chart or of
/// sources is an address.
fn is_repository_and_tag(map: Mapping<'_>) -> bool {
    let text = |key: &str| map.find(key).and_then(Node::text);
    let is_name = text("repository").is_some_and(|repository| !repository.contains("://"));
    is_name && (text("tag").is_some() || text("digest").is_some())
}

/// One value set behind another, with a text between.
fn joined(left: Vec<Value>, right: Vec<Value>, between: &str) -> Vec<Value> {
    let left = if left.is_empty() { vec![Value::default()] } else { left };
    let left = match between {
        "" => left,
        between => crate::formats::value::product(&left, &[Value::known(between)]),
    };
    crate::formats::value::product(&left, &right)
}

fn single_or_list_role(key: &str) -> Option<Role> {
    pod::list_role(key).or_else(|| pod::single_role(key))
}

/// The kind of an object; `None` for a mapping that is none.
fn kind_of(mapping: Mapping<'_>) -> Option<Kind<'_>> {
    let api_version = mapping.get("apiVersion")?.text()?;
    Some(Kind::new(api_version, mapping.get("kind")?.text()?))
}

/// Whether something is merged into a mapping.
fn merges(mapping: Mapping<'_>) -> bool {
    mapping.entries().any(|(key, _)| key.scalar().is_some_and(|key| key.text == "<<"))
}

/// Values with the same text only once.
pub(super) fn distinct(values: Vec<Value>) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::new();
    for value in values {
        if !kept.contains(&value) {
            kept.push(value);
        }
    }
    kept
}
