//! GitHub Actions: workflows and actions.
//!
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax>
//! and <https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax>.
//! `document` is a file as jobs and steps, `expression` and `evaluate` its
//! expressions, `scope`, `matrix` and `callers` what those may hold, `build` the
//! steps that build images, `script` those that run commands. `docs/github-actions.md` says what is found.
//!
//! An action of another repository (`uses: owner/action@ref`) is not looked into.

mod build;
mod callers;
mod document;
mod evaluate;
mod expression;
mod item;
mod matrix;
mod scope;
mod script;
#[cfg(test)]
mod tests;

use crate::formats;
use crate::formats::Build;
use crate::formats::Claim;
use crate::formats::Extracted;
use crate::formats::Files;
use crate::formats::Format;
use crate::formats::uses::Finder;
use crate::formats::value::Value;
use crate::image::Role;
use crate::source::Location;
use crate::source::ProblemCode;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::source::Span;
use crate::yaml::Mapping;
use crate::yaml::Node;

use self::document::Step;
use self::item::Item;
use self::scope::At;
use self::scope::Engine;
use self::scope::Library;
use self::scope::Shelf;
use self::script::Local;

/// The format's id.
const FORMAT: &str = "github-actions";
/// Where workflows stand.
const WORKFLOWS: &str = ".github/workflows";
/// What an image is marked with where an action could stand.
const DOCKER: &str = "docker://";
/// Actions of others that pull an image which their input names.
const IMAGE_INPUTS: &[(&str, &str, Role)] = &[
    ("addnab/docker-run-action", "image", Role::CiJob),
    ("docker/setup-qemu-action", "image", Role::Action),
    ("helm/kind-action", "node_image", Role::Action),
];

/// The format `github-actions`.
pub(super) struct GithubActions;

impl Format for GithubActions {
    fn id(&self) -> &'static str {
        FORMAT
    }

    fn claims(&self, path: &RepoPath) -> Claim {
        claim(path)
    }

    /// What a workflow or action is called with stands in others; and which
    /// Dockerfile it builds, and how, is asked when that changed.
    fn may_depend(&self, _: &RepoPath, changed: &RepoPath) -> bool {
        claim(changed) != Claim::No || formats::formats_for(changed).any(|(format, _)| format.is_built())
    }

    fn extract(&self, file: &SourceFile, files: &mut Files<'_>) -> Extracted {
        let yaml = files.yaml(file);
        let is_ours = |root: Node<'_>| root.at(&["runs"]).is_some() || root.at(&["jobs"]).is_some();
        let in_workflows = file.path().folder() == WORKFLOWS;
        if !in_workflows
            && yaml.errors.is_empty()
            && !yaml.documents.iter().any(|document| is_ours(document.root()))
        {
            return Extracted::foreign();
        }
        let finder = Finder { file, format: FORMAT };
        let mut extracted = Extracted::default();
        extracted.problems.extend(yaml.errors.iter().map(|error| {
            let code = match error.kind {
                crate::yaml::YamlErrorKind::Syntax => ProblemCode::Syntax,
                crate::yaml::YamlErrorKind::Limit => ProblemCode::Limit,
            };
            finder.problem(error.span, code, error.message.clone())
        }));
        let library = Library::new(files);
        for document in &yaml.documents {
            let engine = Engine::new(file, document.root(), &library, 0);
            Reader { engine, finder, extracted: &mut extracted }.document();
        }
        if library.is_exhausted() {
            let message =
                "the expressions of this file have more values than are followed; use fewer combinations";
            extracted.problems.push(finder.problem(Span::default(), ProblemCode::Limit, message));
        }
        extracted.uses.sort_by_key(|usage| usage.span);
        extracted.uses.dedup();
        extracted
    }
}

/// What a path's name says.
fn claim(path: &RepoPath) -> Claim {
    let name = path.name();
    let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    match (is_yaml && path.folder() == WORKFLOWS) || matches!(name, "action.yml" | "action.yaml") {
        true => Claim::Yes,
        false => Claim::No,
    }
}

struct Reader<'x, 'e> {
    engine: Engine<'e>,
    finder: Finder<'e>,
    extracted: &'x mut Extracted,
}

impl<'e> Reader<'_, 'e> {
    fn document(&mut self) {
        for job in self.engine.document.jobs.clone() {
            let env = self.engine.document.env_of(&job);
            let at = At { job: Some(&job), env: &env };
            if let Some(container) = job.mapping.find("container") {
                self.container(container, at, Role::CiJob);
            }
            if let Some(services) = job.mapping.find("services") {
                self.services(services, at);
            }
            self.reference(job.mapping.find("uses"));
        }
        let mut local = Local::default();
        let mut job = None;
        for step in self.engine.document.steps() {
            let id = step.job.as_ref().map(|job| job.id);
            if job.replace(id) != Some(id) {
                local = Local::default();
            }
            self.step(&step, &local);
        }
        if let Some(image) = self.engine.document.root.at(&["runs", "image"]) {
            self.action_image(image);
        }
    }

    /// `container: image`, `container: {image: …}`, or an expression for either.
    fn container(&mut self, node: Node<'e>, at: At<'_, 'e>, role: Role) {
        let node = match node.map() {
            Some(mapping) => mapping.find("image"),
            None => Some(node),
        };
        let Some(node) = node else { return };
        let items = self.engine.items(node, at);
        let values = items.iter().flat_map(|item| image_of(&self.engine, item, at)).collect();
        self.found(role, node.content_span(), values);
    }

    /// `services`: each a container; an expression may stand for all of them.
    fn services(&mut self, node: Node<'e>, at: At<'_, 'e>) {
        if let Some(mapping) = node.map() {
            for (_, service) in mapping.merged() {
                self.container(service, at, Role::Service);
            }
            return;
        }
        let mut values = Vec::new();
        for item in self.engine.items(node, at) {
            match item {
                Item::Map(entries) => {
                    values.extend(entries.iter().flat_map(|(_, item)| image_of(&self.engine, item, at)));
                }
                item => values.push(item.into_text()),
            }
        }
        self.found(Role::Service, node.content_span(), values);
    }

    /// `uses: docker://image`.
    fn reference(&mut self, uses: Option<Node<'e>>) {
        let Some(text) = uses.and_then(|uses| uses.mapped(self.finder.file.text())) else { return };
        if let Some(image) = strip_docker(text.text()) {
            let span = text.span(text.text().len() - image.len()..text.text().len());
            self.found(Role::Action, span, vec![Value::known(image)]);
        }
    }

    /// `runs.image` of an action: an image, or the Dockerfile beside it.
    fn action_image(&mut self, node: Node<'e>) {
        let Some(text) = node.text() else { return };
        if strip_docker(text).is_some() {
            self.reference(Some(node));
        } else if let Some(dockerfile) = self.finder.file.path().beside(text) {
            self.extracted.builds.push(Build { dockerfile, inputs: formats::dockerfile::Inputs::default() });
        }
    }

    fn step(&mut self, step: &Step<'e>, local: &Local) {
        let at = At { job: step.job.as_deref(), env: &step.env };
        script::read(&self.engine, self.finder, step, at, local, self.extracted);
        self.reference(step.mapping.find("uses"));
        let uses = step.mapping.find("uses").and_then(Node::text).unwrap_or("");
        let action = uses.split('@').next().unwrap_or("").to_ascii_lowercase();
        let Some(with) = step.mapping.find("with").and_then(Node::map) else {
            if action == "docker/build-push-action" {
                self.builds(None, at);
            }
            return;
        };
        match action.as_str() {
            "docker/build-push-action" => self.builds(Some(with), at),
            "docker/setup-buildx-action" => self.driver_image(with, at),
            _ => {}
        }
        for (_, input, role) in IMAGE_INPUTS.iter().filter(|(name, ..)| *name == action) {
            if let Some(image) = with.find(input) {
                self.container(image, at, *role);
            }
        }
    }

    /// A step that builds; without inputs it builds the repository's own Dockerfile.
    fn builds(&mut self, with: Option<Mapping<'e>>, at: At<'_, 'e>) {
        let Some(with) = with else {
            let (dockerfile, inputs) = (RepoPath::new("Dockerfile"), formats::dockerfile::Inputs::default());
            self.extracted.builds.push(Build { dockerfile, inputs });
            return;
        };
        let (builds, pulled) = build::read(&self.engine, with, at);
        self.extracted.builds.extend(builds);
        for pulled in pulled {
            let span = pulled.text.span(0..pulled.text.text().len());
            self.found(pulled.role, span, pulled.values);
        }
        let context = with.find("context");
        if let Some(context) = context.filter(|context| context.text().is_some_and(build::is_remote)) {
            let reason = "remote: the build context is somewhere else, and is not fetched".to_owned();
            self.found(Role::FinalStage, context.content_span(), vec![Value::unknown(reason)]);
        }
    }

    /// `driver-opts: image=…`: the builder itself.
    fn driver_image(&mut self, with: Mapping<'e>, at: At<'_, 'e>) {
        let Some(options) = with.find("driver-opts").and_then(|node| node.mapped(self.finder.file.text()))
        else {
            return;
        };
        let mut start = 0;
        for option in options.text().split(['\n', ',']) {
            let trimmed = option.trim();
            if let Some(image) = trimmed.strip_prefix("image=") {
                let end = start + option.trim_end().len();
                let values = self.engine.values(image, at);
                self.found(Role::Action, options.span(end - image.len()..end), values);
            }
            start += option.len() + 1;
        }
    }

    /// Adds a use of what is not certainly nothing.
    fn found(&mut self, role: Role, span: Span, values: Vec<Value>) {
        let values: Vec<Value> = values
            .into_iter()
            .map(|value| match strip_docker(value.text()) {
                Some(image) => value.without_start(value.text().len() - image.len()),
                None => value,
            })
            .filter(|value| !value.is_empty())
            .collect();
        if !values.is_empty() {
            self.extracted.uses.push(self.finder.image_use(role, span, &values));
        }
    }
}

/// The image of a container that an expression stands for: its text, or what it has
/// under `image`.
fn image_of<'e>(engine: &Engine<'e>, item: &Item, at: At<'_, 'e>) -> Vec<Value> {
    match item {
        Item::Map(_) => match item.member("image") {
            Item::Template(template) => engine.values(&template.text, at),
            image => vec![image.into_text()],
        },
        item => vec![item.clone().into_text()],
    }
}

/// What stands behind `docker://`, in any case.
fn strip_docker(text: &str) -> Option<&str> {
    let scheme = text.get(..DOCKER.len())?;
    scheme.eq_ignore_ascii_case(DOCKER).then(|| &text[DOCKER.len()..])
}

impl Engine<'_> {
    /// The place of a node.
    fn location(&self, node: Node<'_>) -> Location {
        Location { file: self.file.path().clone(), span: node.content_span() }
    }
}

impl<'e> Engine<'e> {
    /// Every value of a text.
    fn values(&self, text: &str, at: At<'_, 'e>) -> Vec<Value> {
        let mut members = Vec::new();
        for case in self.cases(&[text], at) {
            scope::add_all(&mut members, case.into_iter().flatten());
        }
        members.into_iter().map(Item::into_text).collect()
    }
}
