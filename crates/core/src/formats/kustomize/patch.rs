//! Patches: what they are, and which resources they are for.

use super::build::Build;
use super::edit::Operation;
use super::load;
use super::load::Loaded;
use super::resource::Image;
use super::resource::Resource;
use super::resource::Step;
use crate::formats::kubernetes;
use crate::formats::kubernetes::Written;
use crate::formats::uses::Finder;
use crate::image::Via;
use crate::source::Location;
use crate::source::SourceFile;
use crate::source::Span;
use crate::yaml;
use crate::yaml::Node;
use crate::yaml::Yaml;

/// What it costs to see whether a patch is for a resource.
const SELECT_STEPS: usize = 8;

/// What a patch says.
enum Patch {
    Merge(Vec<Resource>),
    Operations(Vec<Operation>),
}

impl Build<'_, '_> {
    /// `patchesStrategicMerge`: paths, or patches themselves.
    pub(super) fn strategic_merges(&mut self, root: Node<'_>, file: &SourceFile, resources: &mut [Resource]) {
        for node in root.at(&["patchesStrategicMerge"]).into_iter().flat_map(Node::list) {
            let Some(text) = node.text() else { continue };
            let patches = match text.contains('\n') || text.trim_start().starts_with('{') {
                true => self.inline(node, file),
                false => self.in_file(node, file),
            };
            for patch in patches {
                self.apply(patch, None, resources);
            }
        }
    }

    /// `patches` and `patchesJson6902`: `patch` or `path`, and `target`.
    pub(super) fn patches(
        &mut self,
        key: &str,
        root: Node<'_>,
        file: &SourceFile,
        resources: &mut [Resource],
    ) {
        for entry in root.at(&[key]).into_iter().flat_map(Node::list) {
            let patches = match (entry.at(&["patch"]), entry.at(&["path"])) {
                (Some(node), _) => self.inline(node, file),
                (None, Some(node)) => self.in_file(node, file),
                (None, None) => continue,
            };
            let target = entry.at(&["target"]).map(Target::new);
            for patch in patches {
                self.apply(patch, target.as_ref(), resources);
            }
        }
    }

    fn apply(&mut self, patch: Patch, target: Option<&Target<'_>>, resources: &mut [Resource]) {
        if !self.spend(resources.len() * SELECT_STEPS) {
            return;
        }
        match patch {
            Patch::Merge(patches) => {
                for patch in &patches {
                    let is_meant = |resource: &Resource| match target {
                        Some(target) => target.selects(resource),
                        None => is_same(patch, resource),
                    };
                    for resource in resources.iter_mut().filter(|resource| is_meant(resource)) {
                        resource.merge(patch, &mut self.gone);
                    }
                }
            }
            Patch::Operations(operations) => {
                let Some(target) = target else { return };
                for resource in resources.iter_mut().filter(|resource| target.selects(resource)) {
                    for operation in &operations {
                        resource.operate(operation, &mut self.gone);
                    }
                }
            }
        }
    }

    /// A patch in a string of the kustomization.
    fn inline(&mut self, node: Node<'_>, file: &SourceFile) -> Vec<Patch> {
        if !self.reads_manifests {
            return Vec::new();
        }
        let span = node.content_span();
        let first = file.slice(span).lines().next().map_or(0, str::len);
        let at = Location { file: file.path().clone(), span: Span::new(span.start, span.start + first) };
        let via = Via { at, what: "patch in a string".to_owned() };
        let Some(written) = Written::file(file, file.text()).inside(node, via) else { return Vec::new() };
        let yaml = yaml::read(written.text(), yaml::Limits::default());
        self.read(&yaml, file, true, &|node: Node<'_>| Location {
            file: file.path().clone(),
            span: written.span(node.content_span()),
        })
    }

    /// A patch in a file of its own.
    fn in_file(&mut self, node: Node<'_>, file: &SourceFile) -> Vec<Patch> {
        let Some(entry) = node.text() else { return Vec::new() };
        if load::is_address(entry) {
            self.remote(node, file, entry);
            return Vec::new();
        }
        let Some(path) = file.path().beside(entry) else {
            self.unreadable(node, file, "it leads out of the repository");
            return Vec::new();
        };
        match load::read(self.files, &path) {
            Loaded::File(patch) => {
                let yaml = self.files.yaml(&patch);
                self.read(&yaml, &patch, false, &|node: Node<'_>| Location {
                    file: patch.path().clone(),
                    span: node.content_span(),
                })
            }
            Loaded::Unreadable(reason) => {
                self.unreadable(node, file, &reason);
                Vec::new()
            }
            Loaded::Pending => {
                self.await_it();
                Vec::new()
            }
            Loaded::Kustomization(_) | Loaded::Remote | Loaded::Told => Vec::new(),
        }
    }

    fn read(
        &mut self,
        yaml: &Yaml,
        file: &SourceFile,
        inline: bool,
        place: &dyn Fn(Node<'_>) -> Location,
    ) -> Vec<Patch> {
        let reader = |node: Node<'_>| Some(place(node));
        let mut patches = Vec::new();
        for document in &yaml.documents {
            let root = document.root();
            if root.sequence().is_some() {
                let operations: Vec<Operation> =
                    root.list().filter_map(|node| operation(node, &reader)).collect();
                for image in operations.iter().flat_map(|operation| &operation.images) {
                    self.patched(image, file);
                }
                patches.push(Patch::Operations(operations));
            } else if root.mapping().is_some() {
                let resource = Resource::read(root, &reader);
                // In a file of its own an object is read as a manifest.
                let is_object = !resource.kind.is_empty() && root.at(&["apiVersion"]).is_some();
                if inline || !is_object {
                    resource.images.iter().for_each(|image| self.patched(image, file));
                }
                patches.push(Patch::Merge(vec![resource]));
            }
        }
        patches
    }

    /// A use of the image that a patch puts somewhere.
    fn patched(&mut self, image: &Image, file: &SourceFile) {
        if self.is_own() {
            let finder = Finder { file, format: self.finder.format };
            let values = kubernetes::expand(&image.text);
            self.uses.push(finder.image_use(image.role(), image.at.span, &values));
        }
    }
}

/// An operation; `None` for one that puts nothing anywhere.
fn operation(node: Node<'_>, reader: &super::resource::Reader<'_>) -> Option<Operation> {
    let name = node.at(&["op"])?.text()?.to_owned();
    let pointer = node.at(&["path"])?.text()?;
    let path: Vec<String> = pointer
        .strip_prefix('/')?
        .split('/')
        .map(|segment| segment.replace("~1", "/").replace("~0", "~"))
        .collect();
    let steps: Vec<Step> = path
        .iter()
        .map(|segment| match segment.parse() {
            Ok(index) => Step::Item(index, None),
            // The end of a list whose length is not known.
            Err(_) if segment == "-" => Step::Item(usize::MAX, None),
            Err(_) => Step::Key(segment.clone()),
        })
        .collect();
    let images = node.mapping()?.get("value").map(|value| {
        let mut steps = steps;
        if let Some(Step::Item(_, name)) = steps.last_mut() {
            *name = value.at(&["name"]).and_then(Node::text).map(str::to_owned);
        }
        Resource::read_value(value, &steps, reader)
    });
    Some(Operation { name, path, images: images.unwrap_or_default() })
}

/// Whether a patch is for a resource, by what it is called.
fn is_same(patch: &Resource, resource: &Resource) -> bool {
    let namespace = patch.namespaces.first().map_or("", String::as_str);
    patch.kind == resource.kind
        && patch.group == resource.group
        && patch.names.first().is_some_and(|name| resource.names.contains(name))
        && resource.namespaces.iter().any(|known| effective(known) == effective(namespace))
}

fn effective(namespace: &str) -> &str {
    if namespace.is_empty() { "default" } else { namespace }
}

/// What a `target` asks of a resource; nothing of what it does not name.
struct Target<'n> {
    group: Option<&'n str>,
    version: Option<&'n str>,
    kind: Option<&'n str>,
    name: Option<&'n str>,
    namespace: Option<&'n str>,
    labels: Option<&'n str>,
    annotations: Option<&'n str>,
}

impl<'n> Target<'n> {
    fn new(target: Node<'n>) -> Target<'n> {
        let part = |key: &str| target.at(&[key]).and_then(Node::text).filter(|text| !text.is_empty());
        Target {
            group: part("group"),
            version: part("version"),
            kind: part("kind"),
            name: part("name"),
            namespace: part("namespace"),
            labels: part("labelSelector"),
            annotations: part("annotationSelector"),
        }
    }

    /// Whether it selects a resource. Names are regular expressions; of those only the
    /// plain ones and `.*` are understood, and others select nothing.
    fn selects(&self, resource: &Resource) -> bool {
        let any = |wanted: Option<&str>, values: &[String]| {
            wanted.is_none_or(|wanted| values.iter().any(|value| matches(wanted, value)))
        };
        self.group.is_none_or(|group| group == resource.group)
            && self.version.is_none_or(|version| version == resource.version)
            && self.kind.is_none_or(|kind| matches(kind, &resource.kind))
            && any(self.name, &resource.names)
            && any(self.namespace, &resource.namespaces)
            && self.labels.is_none_or(|selector| chooses(selector, &resource.labels))
            && self.annotations.is_none_or(|selector| chooses(selector, &resource.annotations))
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    let pattern = pattern.trim_start_matches('^').trim_end_matches('$');
    let is_plain =
        |part: &str| part.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.'));
    pattern.split('|').any(|pattern| {
        let parts: Vec<&str> = pattern.split(".*").collect();
        match parts.as_slice() {
            [whole] => is_plain(whole) && *whole == text,
            [start, end] => {
                is_plain(start)
                    && is_plain(end)
                    && text.len() >= start.len() + end.len()
                    && text.starts_with(start)
                    && text.ends_with(end)
            }
            _ => false,
        }
    })
}

/// `a=b,c!=d`, the equality forms of a label selector.
fn chooses(selector: &str, pairs: &[(String, String)]) -> bool {
    selector.split(',').all(|part| {
        let value = |key: &str| pairs.iter().find(|pair| pair.0 == key.trim()).map(|pair| pair.1.as_str());
        if let Some((key, wanted)) = part.split_once("!=") {
            return value(key) != Some(wanted.trim());
        }
        match part.split_once('=') {
            Some((key, wanted)) => value(key) == Some(wanted.trim_start_matches('=').trim()),
            None => value(part).is_some(),
        }
    })
}
