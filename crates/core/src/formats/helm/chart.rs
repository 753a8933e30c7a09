//! A chart: the folder that holds `Chart.yaml`, what is in it, and the charts in it.
//! What is in it and cannot be read, or is more than is read, is a problem at that place.
//!
//! <https://helm.sh/docs/topics/charts/#the-chart-file-structure>

use std::collections::HashMap;
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use crate::formats::Files;
use crate::formats::value::Value;
use crate::source::Content;
use crate::source::Location;
use crate::source::Problem;
use crate::source::ProblemCode;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::source::Span;
use crate::source::Tree;
use crate::source::Unreadable;

use super::data;
use super::data::Data;
use super::data::Path;
use super::run::Library;
use super::run::Run;
use super::run::Source;
use super::values::Surroundings;

/// Charts inside each other.
const MAX_CHARTS: usize = 4;
/// How many charts are read for one, each as often as it is met.
const MAX_CHARTS_IN_ALL: usize = 200;
/// How many templates of a chart are read.
const MAX_TEMPLATES: usize = 2_000;
/// How many values files beside `values.yaml` are laid over it.
const MAX_ENVIRONMENTS: usize = 64;

/// A chart and what was read of it.
#[derive(Default)]
pub(super) struct Chart {
    /// Its folder.
    root: String,
    /// `Chart.yaml`.
    meta: Data,
    /// `values.yaml`.
    pub(super) values: Data,
    templates: Vec<Rc<Source>>,
    subcharts: Vec<Subchart>,
}

/// A chart in a chart, and the keys under which the outer one gives it values.
struct Subchart {
    keys: Vec<String>,
    chart: Chart,
}

impl Default for Data {
    fn default() -> Data {
        Data::map([])
    }
}

/// The folder of the chart that a file belongs to.
pub(super) fn root_of(path: &RepoPath, tree: &Tree) -> Option<String> {
    let mut folder = path.folder();
    loop {
        if tree.contains(&chart_file(folder)) {
            return Some(folder.to_owned());
        }
        if folder.is_empty() {
            return None;
        }
        folder = folder.rsplit_once('/').map_or("", |(outer, _)| outer);
    }
}

/// The `Chart.yaml` of a folder.
fn chart_file(root: &str) -> RepoPath {
    RepoPath::new(&format!("{root}/Chart.yaml"))
}

/// Reads charts and the values files beside them.
pub(super) struct Loader<'l, 'f> {
    files: &'l mut Files<'f>,
    tree: &'l Tree,
    /// The folder of the chart that is read.
    root: &'l str,
    /// Whether something is not there yet.
    is_waiting: bool,
    charts: usize,
    problems: Vec<Problem>,
    /// The files whose values are more than are read.
    pub(super) cut: HashSet<RepoPath>,
    /// The values of the files that were read.
    values: HashMap<RepoPath, Data>,
    /// The templates that were read.
    templates: HashMap<RepoPath, Rc<Source>>,
}

impl<'l, 'f> Loader<'l, 'f> {
    /// Reads the chart in the folder `root`.
    pub(super) fn new(root: &'l str, files: &'l mut Files<'f>, tree: &'l Tree) -> Loader<'l, 'f> {
        Loader {
            files,
            tree,
            root,
            is_waiting: false,
            charts: 0,
            problems: Vec::new(),
            cut: HashSet::new(),
            values: HashMap::new(),
            templates: HashMap::new(),
        }
    }

    /// The chart, when all of it is there.
    pub(super) fn chart(&mut self) -> Option<Chart> {
        self.ask(self.root, 0);
        for path in self.environments() {
            self.text(&path);
        }
        if self.is_waiting {
            return None;
        }
        (self.charts, self.problems) = (0, Vec::new());
        Some(self.nested_chart(self.root, 0))
    }

    /// What of it is not read, each once.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort_by(|a, b| (&a.at, &a.message).cmp(&(&b.at, &b.message)));
        self.problems.dedup();
        self.problems
    }

    /// Asks for everything that a chart is rendered from.
    fn ask(&mut self, root: &str, depth: usize) {
        for name in ["Chart.yaml", "values.yaml"] {
            self.text(&RepoPath::new(&format!("{root}/{name}")));
        }
        for path in self.templates_of(root) {
            self.text(&path);
        }
        let chart = Chart { root: root.to_owned(), meta: self.values(&chart_file(root)), ..Chart::default() };
        for folder in self.subcharts(&chart, depth) {
            self.ask(&folder, depth + 1);
        }
    }

    fn templates_of(&mut self, root: &str) -> Vec<RepoPath> {
        let folder = RepoPath::new(&format!("{root}/templates"));
        let mut templates: Vec<RepoPath> =
            self.tree.below(folder.as_str()).filter(|path| is_template(path)).cloned().collect();
        if let Some(first) = templates.get(MAX_TEMPLATES) {
            let what = format!(
                "a chart has more than {MAX_TEMPLATES} templates; this one and those after it are not read"
            );
            self.limit(&first.clone(), what);
        }
        templates.truncate(MAX_TEMPLATES);
        templates
    }

    fn nested_chart(&mut self, root: &str, depth: usize) -> Chart {
        let below = |name: &str| RepoPath::new(&format!("{root}/{name}"));
        let mut chart = Chart {
            root: root.to_owned(),
            meta: self.values(&chart_file(root)),
            values: self.values(&below("values.yaml")),
            ..Chart::default()
        };
        for path in self.templates_of(root) {
            let known = self.templates.get(&path).cloned();
            let source = known.or_else(|| Some(Rc::new(Source::new(path.clone(), &self.text(&path)?))));
            if let Some(source) = source {
                self.templates.insert(path, Rc::clone(&source));
                chart.templates.push(source);
            }
        }
        for folder in self.subcharts(&chart, depth) {
            let sub = self.nested_chart(&folder, depth + 1);
            let keys = chart.keys_of(&sub);
            chart.subcharts.push(Subchart { keys, chart: sub });
        }
        chart
    }

    /// The folders of the charts in a chart: those in `charts/`, and those that it
    /// takes from elsewhere in the repository (`file://`).
    fn subcharts(&mut self, chart: &Chart, depth: usize) -> Vec<String> {
        let charts = RepoPath::new(&format!("{}/charts", chart.root));
        let mut folders: Vec<String> = Vec::new();
        for path in self.tree.below(charts.as_str()) {
            let folder = path.folder();
            let outer = folder.rsplit_once('/').map_or("", |(outer, _)| outer);
            if path.name() == "Chart.yaml" && outer == charts.as_str() {
                folders.push(folder.to_owned());
            }
        }
        for dependency in chart.dependencies() {
            let local = dependency.get("repository").and_then(Data::value);
            let local = local.as_ref().and_then(|repository| repository.text().strip_prefix("file://"));
            let folder = local.and_then(|local| chart_file(&chart.root).beside(local));
            if let Some(folder) = folder
                && folder.as_str() != chart.root
                && self.tree.contains(&chart_file(folder.as_str()))
            {
                folders.push(folder.as_str().to_owned());
            }
        }
        folders.sort();
        folders.dedup();
        self.charts += folders.len();
        let is_too_deep = depth >= MAX_CHARTS && !folders.is_empty();
        if is_too_deep || self.charts > MAX_CHARTS_IN_ALL {
            let what = format!(
                "of charts in charts {MAX_CHARTS} levels and {MAX_CHARTS_IN_ALL} charts are read; what this one makes of those in it is not known"
            );
            self.limit(&chart_file(&chart.root), what);
            folders.clear();
        }
        folders
    }

    /// The values files of the chart that are laid over its `values.yaml`.
    pub(super) fn environments(&mut self) -> Vec<RepoPath> {
        let own = RepoPath::new(&format!("{}/values.yaml", self.root));
        let mut paths: Vec<RepoPath> = self
            .tree
            .below(self.root)
            .filter(|path| **path != own && super::is_values(path) && !is_in_templates(path, self.root))
            .filter(|path| root_of(path, self.tree).as_deref() == Some(self.root))
            .cloned()
            .collect();
        if let Some(first) = paths.get(MAX_ENVIRONMENTS) {
            let what = format!(
                "a chart has more than {MAX_ENVIRONMENTS} values files; what the templates make of this one and those after it is not known"
            );
            self.limit(&first.clone(), what);
        }
        paths.truncate(MAX_ENVIRONMENTS);
        paths
    }

    fn limit(&mut self, file: &RepoPath, message: String) {
        let at = Location { file: file.clone(), span: Span::default() };
        self.problems.push(Problem { at, code: ProblemCode::Limit, message });
    }

    /// A template that cannot be read is a problem where its name alone makes it none.
    fn unreadable(&mut self, file: &RepoPath, unreadable: &Unreadable) {
        if file.name().ends_with(".tpl") {
            let at = Location { file: file.clone(), span: Span::default() };
            let message = format!("this template cannot be read: it is {unreadable}");
            self.problems.push(Problem { at, code: ProblemCode::Unreadable, message });
        }
    }

    /// The values in a YAML file; none when it is missing or cannot be read.
    pub(super) fn values(&mut self, path: &RepoPath) -> Data {
        let Some(text) = self.text(path) else { return Data::default() };
        if let Some(known) = self.values.get(path) {
            return known.clone();
        }
        let data = self.values_of(path, text);
        self.values.insert(path.clone(), data.clone());
        data
    }

    fn values_of(&mut self, path: &RepoPath, text: Arc<str>) -> Data {
        let yaml = self.files.whole_yaml(&SourceFile::new(path.clone(), text));
        let Some(document) = yaml.documents.first() else { return Data::default() };
        let read = if path.name() == "Chart.yaml" { data::read_texts } else { data::read };
        let read = read(path, document.root());
        if read.is_cut {
            self.cut.insert(path.clone());
        }
        match read.data {
            map @ Data::Map(_) => map,
            _ => Data::default(),
        }
    }

    fn text(&mut self, path: &RepoPath) -> Option<Arc<str>> {
        if !self.tree.contains(path) {
            return None;
        }
        match self.files.get(path) {
            None => {
                self.is_waiting = true;
                None
            }
            Some(Content::Text(text)) => Some(text),
            Some(Content::Unreadable(unreadable)) => {
                self.unreadable(path, &unreadable);
                None
            }
            Some(Content::Missing | Content::Symlink(_)) => None,
        }
    }
}

impl Chart {
    fn dependencies(&self) -> Vec<Data> {
        match self.meta.get("dependencies") {
            Some(Data::List(list)) => list.items.clone(),
            _ => Vec::new(),
        }
    }

    /// The keys under which this chart gives values to one in it.
    fn keys_of(&self, sub: &Chart) -> Vec<String> {
        let text = |data: Option<&Data>| data.and_then(Data::value).map(|value| value.text().to_owned());
        let folder = sub.root.rsplit('/').next().unwrap_or_default().to_owned();
        let name = text(sub.meta.get("name")).unwrap_or(folder);
        let mut keys: Vec<String> = self
            .dependencies()
            .iter()
            .filter(|dependency| text(dependency.get("name")).as_ref() == Some(&name))
            .filter_map(|dependency| text(dependency.get("alias")))
            .collect();
        if keys.is_empty() {
            keys.push(name);
        }
        keys
    }

    /// What it adds to images that are not complete.
    pub(super) fn surroundings(&self) -> Surroundings {
        let text = |data: Option<&Data>| data.and_then(Data::value).map(|value| value.text().to_owned());
        let mut subcharts: HashMap<String, Option<Value>> = HashMap::new();
        for sub in &self.subcharts {
            subcharts.extend(sub.keys.iter().map(|key| (key.clone(), sub.chart.app_version())));
        }
        for dependency in self.dependencies() {
            let key = text(dependency.get("alias")).or_else(|| text(dependency.get("name")));
            if let Some(key) = key {
                subcharts.entry(key).or_insert(None);
            }
        }
        Surroundings { app_version: self.app_version(), subcharts }
    }

    fn app_version(&self) -> Option<Value> {
        self.meta.get("appVersion").and_then(Data::value).filter(|value| !value.is_empty())
    }

    /// Values with what the charts in this one have of their own below them.
    pub(super) fn completed(&self, values: &Data) -> Data {
        let global = Data::map(values.get("global").map(|global| ("global".to_owned(), global.clone())));
        let mut below: Vec<(String, Data)> = Vec::new();
        for sub in &self.subcharts {
            for key in &sub.keys {
                let given = values.get(key).cloned().unwrap_or_default();
                let own = sub.chart.values.overlaid(&given).overlaid(&global);
                below.push((key.clone(), sub.chart.completed(&own)));
            }
        }
        match below.is_empty() {
            true => values.clone(),
            false => values.overlaid(&Data::map(below)),
        }
    }

    /// The templates that may be called when this chart is rendered.
    pub(super) fn library(&self) -> Library {
        let mut library = Library::default();
        self.add_to(&mut library);
        library
    }

    fn add_to(&self, library: &mut Library) {
        for sub in &self.subcharts {
            sub.chart.add_to(library);
        }
        for source in &self.templates {
            library.add(source);
        }
    }

    /// Whether a template of its own may name an image.
    pub(super) fn names_images(&self) -> bool {
        self.templates.iter().any(|source| super::lines::has_key(&source.text))
    }

    /// Looks into what its own templates define, as if nothing called it.
    pub(super) fn look_into_defines(&self, values: &Data, run: &mut Run<'_>) {
        let root = self.root_data(values);
        for source in &self.templates {
            run.defines(source, &root);
        }
    }

    /// Executes every template of this chart, and those of the charts in it, with
    /// completed values.
    pub(super) fn execute(&self, values: &Data, run: &mut Run<'_>) {
        let root = self.root_data(values);
        for source in self.templates.iter().filter(|source| !is_callable(&source.path)) {
            run.file(source, &root);
        }
        for sub in &self.subcharts {
            for key in &sub.keys {
                sub.chart.execute(&values.get(key).cloned().unwrap_or_default(), run);
            }
        }
    }

    /// What `$` is in its templates.
    pub(super) fn root_data(&self, values: &Data) -> Data {
        let unknown =
            |what: &str| Data::Unknown(Value::unknown(format!("`.{what}` is known at its installation")));
        let meta = match &self.meta {
            Data::Map(map) => {
                map.entries.iter().map(|(key, value)| (capitalised(key), value.clone())).collect()
            }
            _ => Vec::new(),
        };
        let mut entries = vec![
            ("Values".to_owned(), values.clone()),
            (
                "Chart".to_owned(),
                Data::map_at(meta.into_iter().collect(), None, Path::default().child(".Chart")),
            ),
        ];
        for name in ["Release", "Capabilities", "Template", "Files", "Subcharts"] {
            entries.push((name.to_owned(), unknown(name)));
        }
        Data::map(entries)
    }
}

fn capitalised(key: &str) -> String {
    let mut chars = key.chars();
    chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

/// Whether a file is in the templates of the chart in a folder.
pub(super) fn is_in_templates(path: &RepoPath, root: &str) -> bool {
    let below = if root.is_empty() { Some(path.as_str()) } else { path.as_str().strip_prefix(root) };
    below.is_some_and(|below| below.trim_start_matches('/').starts_with("templates/"))
}

/// Whether a file of a `templates` folder is a template that may name images.
pub(super) fn is_template(path: &RepoPath) -> bool {
    [".yaml", ".yml", ".tpl"].iter().any(|end| path.name().ends_with(end))
}

/// Whether it is there to be called by others only.
pub(super) fn is_callable(path: &RepoPath) -> bool {
    path.name().starts_with('_') || path.name().ends_with(".tpl")
}
