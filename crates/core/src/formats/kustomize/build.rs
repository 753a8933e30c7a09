//! Building a kustomization, as far as images go: resources, components, patches and
//! `images`, in the order of kustomize's `api/internal/target`.

use std::collections::BTreeSet;

use super::edit::Gone;
use super::images::Entry;
use super::load;
use super::load::Loaded;
use super::resource::Resource;
use crate::formats::Files;
use crate::formats::kubernetes;
use crate::formats::kubernetes::Walk;
use crate::formats::kubernetes::Written;
use crate::formats::uses::Finder;
use crate::formats::value::Value;
use crate::image::ImageUse;
use crate::image::Role;
use crate::image::Via;
use crate::source::Location;
use crate::source::Problem;
use crate::source::ProblemCode;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::source::Span;
use crate::yaml::Node;

/// How many kustomizations are built for one: each base counts as often as it is met.
const MAX_KUSTOMIZATIONS: usize = 300;
/// How many resources and images are looked at for patches and `images`, in all.
const MAX_STEPS: usize = 1_000_000;
/// How many kustomizations may be built from each other.
const MAX_DEPTH: usize = 16;
/// How many resources one kustomization is built from.
const MAX_RESOURCES: usize = 20_000;

/// A kustomization under construction.
pub(super) struct Build<'b, 'f> {
    pub(super) finder: Finder<'b>,
    pub(super) files: &'b mut Files<'f>,
    pub(super) uses: Vec<ImageUse>,
    pub(super) gone: Gone,
    problems: Vec<Problem>,
    /// The kustomizations that this one is built from.
    parts: BTreeSet<RepoPath>,
    /// Those that are being built, outermost first.
    stack: Vec<RepoPath>,
    built: usize,
    /// Something is built in that is not known here: a remote base, a chart.
    is_open: bool,
    /// Something is not there yet.
    is_pending: bool,
    /// Whether manifests are read, rather than only asked for.
    pub(super) reads_manifests: bool,
    /// How many resources and images may still be looked at for patches and `images`.
    steps: usize,
}

impl<'b, 'f> Build<'b, 'f> {
    pub(super) fn new(finder: Finder<'b>, files: &'b mut Files<'f>) -> Build<'b, 'f> {
        Build {
            finder,
            files,
            uses: Vec::new(),
            gone: Vec::new(),
            problems: Vec::new(),
            parts: BTreeSet::new(),
            stack: Vec::new(),
            built: 0,
            is_open: false,
            is_pending: false,
            reads_manifests: false,
            steps: MAX_STEPS,
        }
    }

    /// Builds the kustomization of the file itself; `None` for the resources when
    /// something of it is not there yet, in which case no manifest was read: it is
    /// built again.
    pub(super) fn root(&mut self, root: Node<'_>) -> Option<Vec<Resource>> {
        self.kustomization(root, self.finder.file, &mut Vec::new());
        if self.is_pending {
            return None;
        }
        let mut resources = Vec::new();
        (self.uses, self.gone, self.problems) = (Vec::new(), Vec::new(), Vec::new());
        (self.built, self.is_open, self.reads_manifests, self.steps) = (0, false, true, MAX_STEPS);
        self.kustomization(root, self.finder.file, &mut resources);
        Some(resources)
    }

    /// What was found: uses, problems, the kustomizations it is built from, and the
    /// places whose images are gone.
    pub(super) fn finish(self) -> (Vec<ImageUse>, Vec<Problem>, BTreeSet<RepoPath>, Gone) {
        (self.uses, self.problems, self.parts, self.gone)
    }

    /// Whether what is read now is said by the file itself, rather than by a base.
    pub(super) fn is_own(&self) -> bool {
        self.stack.len() == 1
    }

    fn kustomization(&mut self, root: Node<'_>, file: &SourceFile, resources: &mut Vec<Resource>) {
        self.stack.push(file.path().clone());
        // What these do to images is not known here.
        self.is_open |= ["configurations", "crds", "generators", "transformers", "replacements", "vars"]
            .iter()
            .any(|key| root.at(&[key]).is_some_and(|node| !node.is_null()));
        let mut own = Vec::new();
        for key in ["resources", "bases"] {
            for node in root.at(&[key]).into_iter().flat_map(Node::list) {
                self.resource(node, file, &mut own);
            }
        }
        // A component changes what stands beside it; a base only what it brings.
        let is_component = root.at(&["kind"]).and_then(Node::text) == Some("Component");
        let mut all = match is_component {
            true => std::mem::take(resources),
            false => Vec::new(),
        };
        all.append(&mut own);
        for node in root.at(&["components"]).into_iter().flat_map(Node::list) {
            self.component(node, file, &mut all);
        }
        self.charts(root, file);
        self.strategic_merges(root, file, &mut all);
        self.patches("patches", root, file, &mut all);
        rename(root, &mut all);
        self.patches("patchesJson6902", root, file, &mut all);
        self.images(root, file, &mut all);
        resources.append(&mut all);
        self.stack.pop();
    }

    /// An entry of `resources`: a file, or a folder with a kustomization.
    fn resource(&mut self, node: Node<'_>, file: &SourceFile, resources: &mut Vec<Resource>) {
        let Some(entry) = node.text().map(str::trim).filter(|entry| !entry.is_empty()) else { return };
        match load::load(self.files, file.path(), entry) {
            Loaded::File(manifest) => self.manifest(&manifest, resources),
            Loaded::Kustomization(base) => self.base(node, file, &base, resources),
            Loaded::Remote => self.remote(node, file, entry),
            Loaded::Unreadable(reason) => self.unreadable(node, file, &reason),
            Loaded::Told => self.is_open = true,
            Loaded::Pending => self.await_it(),
        }
    }

    fn component(&mut self, node: Node<'_>, file: &SourceFile, resources: &mut Vec<Resource>) {
        let Some(entry) = node.text().map(str::trim) else { return };
        match load::load(self.files, file.path(), entry) {
            Loaded::Kustomization(component) => self.base(node, file, &component, resources),
            Loaded::Remote => self.remote(node, file, entry),
            Loaded::File(_) => self.unreadable(node, file, "it is a file, and a component is a folder"),
            Loaded::Unreadable(reason) => self.unreadable(node, file, &reason),
            Loaded::Told => self.is_open = true,
            Loaded::Pending => self.await_it(),
        }
    }

    /// Takes steps; `false` when there are not so many left, which is told once.
    pub(super) fn spend(&mut self, steps: usize) -> bool {
        if self.steps >= steps {
            self.steps -= steps;
            return true;
        }
        if self.steps > 0 {
            self.steps = 0;
            let message = "there are more resources, patches and `images` than are put together; split the kustomization";
            self.problems.push(self.finder.problem(Span::default(), ProblemCode::Limit, message));
        }
        self.is_open = true;
        false
    }

    pub(super) fn await_it(&mut self) {
        (self.is_open, self.is_pending) = (true, true);
    }

    fn manifest(&mut self, file: &SourceFile, resources: &mut Vec<Resource>) {
        let yaml = self.files.yaml(file);
        let reader = |node: Node<'_>| Some(Location { file: file.path().clone(), span: node.content_span() });
        for document in &yaml.documents {
            if resources.len() < MAX_RESOURCES {
                resources.extend(Resource::read_all(document.root(), &reader));
            }
        }
    }

    fn base(&mut self, node: Node<'_>, file: &SourceFile, base: &SourceFile, resources: &mut Vec<Resource>) {
        if self.stack.contains(base.path()) {
            return self.unreadable(node, file, "it is built from itself");
        }
        self.built += 1;
        if self.built > MAX_KUSTOMIZATIONS || self.stack.len() >= MAX_DEPTH {
            let message = format!(
                "more than {MAX_KUSTOMIZATIONS} kustomizations, or {MAX_DEPTH} in each other, are not built"
            );
            return self.problem(node, file, ProblemCode::Limit, message);
        }
        self.parts.insert(base.path().clone());
        let yaml = self.files.yaml(base);
        if let Some(document) = yaml.documents.first() {
            self.kustomization(document.root(), base, resources);
        }
    }

    /// Something that is never fetched.
    pub(super) fn remote(&mut self, node: Node<'_>, file: &SourceFile, what: &str) {
        self.is_open = true;
        if self.is_own() {
            let value = Value::unknown(format!("remote: what `{what}` holds is not fetched"));
            let finder = Finder { file, ..self.finder };
            self.uses.push(finder.image_use(Role::Container, node.content_span(), &[value]));
        }
    }

    pub(super) fn unreadable(&mut self, node: Node<'_>, file: &SourceFile, reason: &str) {
        self.is_open = true;
        let message = format!("`{}` cannot be read: {reason}", node.text().unwrap_or_default());
        self.problem(node, file, ProblemCode::Unreadable, message);
    }

    fn problem(&mut self, node: Node<'_>, file: &SourceFile, code: ProblemCode, message: String) {
        if self.is_own() {
            let finder = Finder { file, ..self.finder };
            self.problems.push(finder.problem(node.content_span(), code, message));
        }
    }

    /// `helmCharts`: charts of other places, and the values that they are given.
    fn charts(&mut self, root: Node<'_>, file: &SourceFile) {
        for chart in root.at(&["helmCharts"]).into_iter().flat_map(Node::list) {
            self.is_open = true;
            if !self.is_own() {
                continue;
            }
            if let Some(repository) = chart.at(&["repo"]).filter(|node| node.text().is_some()) {
                let what = repository.text().unwrap_or_default();
                self.remote(chart.at(&["name"]).unwrap_or(repository), file, what);
            }
            if let Some(values) = chart.at(&["valuesInline"]) {
                let mut found = crate::formats::Extracted::default();
                let mut walk = Walk::new(self.finder, Written::file(self.finder.file, file.text()));
                walk.values(values);
                walk.finish(&mut found);
                self.uses.append(&mut found.uses);
                self.problems.append(&mut found.problems);
            }
        }
    }

    /// `images`, one entry after the other.
    fn images(&mut self, root: Node<'_>, file: &SourceFile, resources: &mut [Resource]) {
        let has_images = || resources.iter().any(|resource| !resource.images.is_empty());
        if !(self.reads_manifests || self.is_pending) || !(self.is_own() || has_images()) {
            return;
        }
        for node in root.at(&["images"]).into_iter().flat_map(Node::list) {
            let part =
                |key: &str| node.at(&[key]).filter(|part| part.text().is_some_and(|text| !text.is_empty()));
            let text = |key: &str| part(key).and_then(Node::text);
            let Some(name) = text("name") else { continue };
            let entry = Entry {
                name,
                new_name: text("newName"),
                new_tag: text("newTag"),
                tag_suffix: text("tagSuffix"),
                digest: text("digest"),
            };
            let keys = ["newName", "digest", "newTag", "tagSuffix"];
            let parts: Vec<(&str, Node<'_>)> =
                keys.iter().filter_map(|key| Some((*key, part(key)?))).collect();
            let Some(((_, deciding), others)) = parts.split_first() else { continue };
            let place = |node: Node<'_>| Location { file: file.path().clone(), span: node.content_span() };
            let via: Vec<Via> = others
                .iter()
                .map(|(key, node)| Via { at: place(*node), what: format!("`{key}` of `images`") })
                .collect();
            let at = place(*deciding);
            let mut made: Vec<(Role, Vec<Value>)> = Vec::new();
            let count = resources.iter().map(|resource| 1 + resource.images.len()).sum();
            let resources = if self.spend(count) { &mut *resources } else { &mut [] };
            for image in resources.iter_mut().flat_map(|resource| &mut resource.images) {
                if !image.is_rewritten_by_images() || !entry.is_for(&image.text) {
                    continue;
                }
                let text = entry.rewritten(&image.text);
                if self.is_own() {
                    let base = Via { at: image.at.clone(), what: "the image that is rewritten".to_owned() };
                    let values = noted(&text, via.iter().chain([&base]));
                    let role = image.role();
                    match made.iter_mut().find(|(known, _)| *known == role) {
                        Some((_, known)) => known.extend(values),
                        None => made.push((role, values)),
                    }
                }
                self.gone.push((image.at.clone(), false));
                (image.text, image.at) = (text, at.clone());
            }
            if !self.is_own() {
                continue;
            }
            let is_met = !made.is_empty();
            if !is_met {
                made.push((Role::Container, noted(&entry.rewritten(name), via.iter())));
            }
            for (role, values) in made {
                let mut usage = self.finder.image_use(role, at.span, &values);
                usage.reachable = is_met || self.is_open;
                self.uses.push(usage);
            }
        }
    }
}

/// What a text stands for, with the places that it was put together from.
fn noted<'v>(text: &str, via: impl Iterator<Item = &'v Via>) -> Vec<Value> {
    let mut values = kubernetes::expand(text);
    for via in via {
        values.iter_mut().for_each(|value| value.note(via.clone()));
    }
    values
}

/// `namePrefix`, `nameSuffix` and `namespace`: patches of overlays may use either name.
fn rename(root: Node<'_>, resources: &mut [Resource]) {
    let text = |key: &str| root.at(&[key]).and_then(Node::text).unwrap_or_default();
    let (prefix, suffix, namespace) = (text("namePrefix"), text("nameSuffix"), text("namespace"));
    for resource in resources {
        if let Some(name) = resource.names.last().filter(|_| !(prefix.is_empty() && suffix.is_empty())) {
            let name = format!("{prefix}{name}{suffix}");
            resource.names.push(name);
        }
        if !namespace.is_empty() {
            resource.namespaces.push(namespace.to_owned());
        }
    }
}
