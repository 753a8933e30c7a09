//! A chart: the folder that holds `Chart.yaml`, what is in it, and the charts in it.
//!
//! <https://helm.sh/docs/topics/charts/#the-chart-file-structure>

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::formats::Files;
use crate::formats::value::Value;
use crate::source::Content;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::source::Tree;

use super::data;
use super::data::Data;
use super::data::Path;
use super::run::Library;
use super::run::Run;
use super::run::Source;
use super::values::Surroundings;

/// Charts inside each other.
const MAX_CHARTS: usize = 4;
/// How many templates of a chart are read.
const MAX_TEMPLATES: usize = 1_000;
/// How many values files beside `values.yaml` are laid over it.
const MAX_ENVIRONMENTS: usize = 16;

/// Which templates are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Those that others may call, by their names (`_helpers.tpl`).
    Callable,
    /// All of them.
    All,
}

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

/// The files beside the one that is read.
pub(super) struct Loader<'l, 'f> {
    pub(super) files: &'l mut Files<'f>,
    pub(super) tree: &'l Tree,
    /// Whether something is not there yet.
    pub(super) is_waiting: bool,
    /// Whether there are more templates than are read.
    pub(super) is_cut: bool,
    /// The values of the files that were read.
    read: HashMap<RepoPath, Data>,
}

impl<'l, 'f> Loader<'l, 'f> {
    pub(super) fn new(files: &'l mut Files<'f>, tree: &'l Tree) -> Loader<'l, 'f> {
        Loader { files, tree, is_waiting: false, is_cut: false, read: HashMap::new() }
    }

    /// Reads the chart in a folder, when all of it is there.
    pub(super) fn chart(&mut self, root: &str, needs: Needs) -> Chart {
        match self.is_there(root, needs) {
            true => self.nested_chart(root, needs, 0),
            false => Chart::default(),
        }
    }

    /// Whether everything is there that a chart is read from; asks for the rest.
    pub(super) fn is_there(&mut self, root: &str, needs: Needs) -> bool {
        self.ask(root, needs, 0);
        !self.is_waiting
    }

    /// Takes over values that were read of a file.
    pub(super) fn know(&mut self, path: &RepoPath, values: &Data) {
        if matches!(values, Data::Map(_)) {
            self.read.insert(path.clone(), values.clone());
        }
    }

    /// Asks for everything that a chart is read from.
    fn ask(&mut self, root: &str, needs: Needs, depth: usize) {
        for name in ["Chart.yaml", "values.yaml"] {
            self.text(&RepoPath::new(&format!("{root}/{name}")));
        }
        for path in self.templates(root, needs) {
            self.text(&path);
        }
        if depth < MAX_CHARTS {
            let chart =
                Chart { root: root.to_owned(), meta: self.values(&chart_file(root)), ..Chart::default() };
            for folder in self.subcharts(&chart) {
                self.ask(&folder, needs, depth + 1);
            }
        }
    }

    fn templates(&mut self, root: &str, needs: Needs) -> Vec<RepoPath> {
        let mut templates: Vec<RepoPath> = self
            .tree
            .below(RepoPath::new(&format!("{root}/templates")).as_str())
            .filter(|path| is_template(path) && (needs == Needs::All || is_callable(path)))
            .cloned()
            .collect();
        self.is_cut |= templates.len() > MAX_TEMPLATES;
        templates.truncate(MAX_TEMPLATES);
        templates
    }

    fn nested_chart(&mut self, root: &str, needs: Needs, depth: usize) -> Chart {
        let below = |name: &str| RepoPath::new(&format!("{root}/{name}"));
        let mut chart = Chart {
            root: root.to_owned(),
            meta: self.values(&chart_file(root)),
            values: self.values(&below("values.yaml")),
            ..Chart::default()
        };
        for path in self.templates(root, needs) {
            if let Some(text) = self.text(&path) {
                chart.templates.push(Rc::new(Source::new(path, &text)));
            }
        }
        if depth == MAX_CHARTS {
            return chart;
        }
        for folder in self.subcharts(&chart) {
            let sub = self.nested_chart(&folder, needs, depth + 1);
            let keys = chart.keys_of(&sub);
            chart.subcharts.push(Subchart { keys, chart: sub });
        }
        chart
    }

    /// The folders of the charts in a chart: those in `charts/`, and those that it
    /// takes from elsewhere in the repository (`file://`).
    fn subcharts(&self, chart: &Chart) -> Vec<String> {
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
        folders
    }

    /// The values files of a chart that are laid over its `values.yaml`.
    pub(super) fn environments(&mut self, chart: &Chart) -> Vec<Data> {
        let own = RepoPath::new(&format!("{}/values.yaml", chart.root));
        let paths: Vec<RepoPath> = self
            .tree
            .below(&chart.root)
            .filter(|path| **path != own && super::is_values(path) && !is_in_templates(path, &chart.root))
            .filter(|path| root_of(path, self.tree).as_deref() == Some(chart.root.as_str()))
            .take(MAX_ENVIRONMENTS)
            .cloned()
            .collect();
        paths.iter().map(|path| self.values(path)).collect()
    }

    /// The values in a YAML file; none when it is missing or cannot be read.
    pub(super) fn values(&mut self, path: &RepoPath) -> Data {
        let Some(text) = self.text(path) else { return Data::default() };
        if let Some(known) = self.read.get(path) {
            return known.clone();
        }
        let data = self.values_of(path, text);
        self.read.insert(path.clone(), data.clone());
        data
    }

    fn values_of(&mut self, path: &RepoPath, text: Arc<str>) -> Data {
        let yaml = self.files.yaml(&SourceFile::new(path.clone(), text));
        let Some(document) = yaml.documents.first() else { return Data::default() };
        let read = if path.name() == "Chart.yaml" { data::read_texts } else { data::read };
        match read(path, document.root()).data {
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
            Some(_) => None,
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
