//! A resource as far as images go: what it is called, and every image in it.

use std::collections::HashSet;

use crate::formats::kubernetes::list_role;
use crate::image::Role;
use crate::source::Location;
use crate::yaml::Node;
use crate::yaml::Shape;

/// How deep a resource is looked into, aliases followed.
const MAX_DEPTH: usize = 100;
/// How many images are read from one file: more than any that a person wrote.
const MAX_IMAGES: usize = 10_000;

/// An object that a kustomization deploys, or a patch of one.
#[derive(Debug, Clone, Default)]
pub(super) struct Resource {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    /// The names it had, the first one first: a patch may use any.
    pub(super) names: Vec<String>,
    /// The namespaces it had.
    pub(super) namespaces: Vec<String>,
    pub(super) labels: Vec<(String, String)>,
    pub(super) annotations: Vec<(String, String)>,
    pub(super) images: Vec<Image>,
    /// Paths that a patch empties before it fills them: `$patch: replace`, null.
    pub(super) emptied: Vec<Vec<Step>>,
    /// `$patch: delete` at the outermost level.
    pub(super) deletes_all: bool,
}

/// One image in a resource.
#[derive(Debug, Clone)]
pub(super) struct Image {
    pub(super) path: Vec<Step>,
    pub(super) text: String,
    /// The place whose edit decides what it is.
    pub(super) at: Location,
}

/// A step of a path into a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    /// An item of a list, with its `name`, by which patches are merged.
    Item(usize, Option<String>),
}

impl Image {
    /// The key of the list that holds the container.
    fn list(&self) -> Option<&str> {
        let mut steps = self.path.iter().rev();
        steps.find(|step| matches!(step, Step::Item(..)))?;
        match steps.next() {
            Some(Step::Key(key)) => Some(key),
            _ => None,
        }
    }

    /// Whether `images` rewrites it: kustomize looks into `containers` and
    /// `initContainers` at any depth, and into volumes.
    pub(super) fn is_rewritten_by_images(&self) -> bool {
        let leaf = matches!(self.path.as_slice(), [.., Step::Key(list), Step::Item(..), Step::Key(image)]
            if matches!(list.as_str(), "containers" | "initContainers") && image == "image");
        leaf || self.is_volume()
    }

    fn is_volume(&self) -> bool {
        self.list() == Some("volumes")
    }

    pub(super) fn role(&self) -> Role {
        if self.is_volume() {
            return Role::ImageVolume;
        }
        self.list().and_then(list_role).unwrap_or(Role::Container)
    }
}

impl Resource {
    /// The objects of a document, those of a list each for itself.
    pub(super) fn read_all(root: Node<'_>, reader: &Reader<'_>) -> Vec<Resource> {
        let text = |key: &str| root.at(&[key]).and_then(Node::text);
        let (Some(kind), Some(_)) = (text("kind"), text("apiVersion")) else { return Vec::new() };
        match root.at(&["items"]) {
            Some(items) if kind.ends_with("List") => items
                .list()
                .filter(|item| item.at(&["kind"]).is_some())
                .map(|item| Resource::read(item, reader))
                .collect(),
            _ => vec![Resource::read(root, reader)],
        }
    }

    /// One object.
    pub(super) fn read(root: Node<'_>, reader: &Reader<'_>) -> Resource {
        let text = |path: &[&str]| root.at(path).and_then(Node::text).unwrap_or_default().to_owned();
        let pairs = |key: &str| {
            let map = root.at(&["metadata", key]).and_then(Node::map);
            let entries = map.into_iter().flat_map(|map| map.entries());
            let pair =
                |(key, value): (Node<'_>, Node<'_>)| Some((key.text()?.to_owned(), value.text()?.to_owned()));
            entries.filter_map(pair).collect()
        };
        let api_version = text(&["apiVersion"]);
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        let mut resource = Resource {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: text(&["kind"]),
            names: vec![text(&["metadata", "name"])],
            namespaces: vec![text(&["metadata", "namespace"])],
            labels: pairs("labels"),
            annotations: pairs("annotations"),
            deletes_all: root.at(&["$patch"]).and_then(Node::text) == Some("delete"),
            ..Resource::default()
        };
        if resource.kind != "CustomResourceDefinition" {
            let mut walk = Walk { reader, resource: &mut resource, followed: HashSet::new() };
            walk.node(root, &mut Vec::new());
        }
        resource
    }

    /// What stands at a path and below, read from a value.
    pub(super) fn read_value(value: Node<'_>, path: &[Step], reader: &Reader<'_>) -> Vec<Image> {
        let mut resource = Resource::default();
        let mut walk = Walk { reader, resource: &mut resource, followed: HashSet::new() };
        walk.node(value, &mut path.to_vec());
        resource.images
    }

    /// Whether this is one of Kubernetes' own kinds, whose containers are merged by name.
    pub(super) fn merges_by_name(&self) -> bool {
        !self.group.contains('.') || self.group.ends_with(".k8s.io")
    }
}

/// Where a scalar of the text that is read stands in the file, and its text.
pub(super) type Reader<'r> = dyn Fn(Node<'_>) -> Option<Location> + 'r;

struct Walk<'w> {
    reader: &'w Reader<'w>,
    resource: &'w mut Resource,
    followed: HashSet<(crate::source::Span, usize)>,
}

impl Walk<'_> {
    fn node(&mut self, node: Node<'_>, path: &mut Vec<Step>) {
        if path.len() > MAX_DEPTH || self.resource.images.len() >= MAX_IMAGES {
            return;
        }
        match node.shape() {
            Shape::Scalar(scalar) => self.scalar(node, scalar.text, path),
            Shape::Alias(alias) => {
                let Some(target) = alias.target else { return };
                if let Some(scalar) = target.scalar() {
                    self.scalar(node, scalar.text, path);
                } else if self.followed.insert((target.span(), path.len())) {
                    self.node(target, path);
                }
            }
            Shape::Sequence(sequence) => {
                for (index, item) in sequence.items().enumerate() {
                    let name = item.at(&["name"]).and_then(Node::text).map(str::to_owned);
                    path.push(Step::Item(index, name));
                    self.node(item, path);
                    path.pop();
                }
            }
            Shape::Mapping(mapping) => {
                let patch = mapping.get("$patch").and_then(Node::text);
                if matches!(patch, Some("replace" | "delete")) && !path.is_empty() {
                    // In an item of a list, `replace` is about the whole list.
                    let keep = match (patch, path.last()) {
                        (Some("replace"), Some(Step::Item(..))) => path.len() - 1,
                        _ => path.len(),
                    };
                    self.resource.emptied.push(path[..keep].to_vec());
                }
                let entries: Vec<_> = match mapping.get("<<") {
                    Some(_) => mapping.merged(),
                    None => mapping.entries().collect(),
                };
                for (key, value) in entries {
                    let Some(key) = key.text() else { continue };
                    if matches!((key, path.len()), ("metadata" | "status", 0)) {
                        continue;
                    }
                    path.push(Step::Key(key.to_owned()));
                    if value.is_null() {
                        self.resource.emptied.push(path.clone());
                    }
                    self.node(value, path);
                    path.pop();
                }
            }
        }
    }

    fn scalar(&mut self, node: Node<'_>, text: &str, path: &[Step]) {
        let is_image = match path {
            [.., Step::Key(image)] if image == "image" => true,
            [.., Step::Key(image), Step::Key(reference)] => image == "image" && reference == "reference",
            _ => false,
        };
        if !is_image || text.trim().is_empty() {
            return;
        }
        if let Some(at) = (self.reader)(node) {
            let text = text.trim().to_owned();
            self.resource.images.push(Image { path: path.to_vec(), text, at });
        }
    }
}
