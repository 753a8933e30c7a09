//! Helm charts: their values files, and their templates.
//!
//! `data` reads values as Helm does, `values` knows which of them are images.
//! `lex` and `template` read Go templates, `run` and `functions` execute them as far as
//! it takes to know what `image:` lines (`lines`) say, `chart` knows which files make a
//! chart. An image whose name stands in a values file is found there, with what the
//! templates make of it; any other one where the template names it.
//! `docs/helm.md` says what is found, and where this differs from Helm.

mod chart;
mod data;
mod functions;
mod lex;
mod lines;
mod rendered;
mod run;
mod template;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;

use crate::formats::Claim;
use crate::formats::Extracted;
use crate::formats::Files;
use crate::formats::Format;
use crate::formats::uses::Finder;
use crate::formats::value::MAX_MEMBERS;
use crate::formats::value::Value;
use crate::image::ImageUse;
use crate::image::Role;
use crate::image::Target;
use crate::image::Via;
use crate::source::Location;
use crate::source::Problem;
use crate::source::ProblemCode;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::source::Span;
use crate::yaml::Node;
use crate::yaml::Yaml;
use crate::yaml::YamlError;
use crate::yaml::YamlErrorKind;

use self::lines::Found;
pub(super) use self::rendered::Rendered;
use self::rendered::Set;
use self::values::Candidate;

/// How far below a chart its values files are looked for, when only names are known.
const MAX_FOLDERS_BELOW: usize = 2;

/// The format of Helm charts.
pub(in crate::formats) struct Helm;

impl Format for Helm {
    fn id(&self) -> &'static str {
        "helm"
    }

    fn claims(&self, path: &RepoPath) -> Claim {
        if matches!(path.name(), "values.yaml" | "values.yml") {
            return Claim::Yes;
        }
        let is_chart = path.name() == "Chart.yaml";
        let is_template = !templates_above(path).is_empty() && chart::is_template(path);
        if is_chart || is_template || is_values(path) { Claim::Maybe } else { Claim::No }
    }

    fn may_depend(&self, candidate: &RepoPath, changed: &RepoPath) -> bool {
        if self.claims(changed) == Claim::No {
            return false;
        }
        let (ours, theirs) = (Roots::of(candidate), Roots::of(changed));
        let is_one = |root: &String| {
            let is_around = |other: &String| lies_in_charts_of(root, other) || lies_in_charts_of(other, root);
            theirs.nearest.iter().any(|other| root == other || is_around(other))
                || theirs.outer.contains(root)
        };
        ours.nearest.iter().any(is_one) || ours.outer.iter().any(|root| theirs.nearest.contains(root))
    }

    fn extract(&self, file: &SourceFile, files: &mut Files<'_>) -> Extracted {
        let finder = Finder { file, format: self.id() };
        let Some(tree) = files.tree() else { return Extracted::default() };
        if file.path().name() == "Chart.yaml" {
            // What of the chart is not read is told here, and nowhere else.
            let rendered = render(file.path().folder(), files);
            let problems = rendered.map(|rendered| rendered.problems.clone()).unwrap_or_default();
            return Extracted { problems, ..Extracted::default() };
        }
        match chart::root_of(file.path(), tree) {
            Some(root) if chart::is_in_templates(file.path(), &root) => {
                extract_template(&finder, &root, files)
            }
            root if is_values(file.path()) => extract_values(&finder, root, files),
            _ => Extracted::foreign(),
        }
    }
}

/// Whether a file holds values, by its name.
fn is_values(path: &RepoPath) -> bool {
    let name = path.name();
    let Some(stem) = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")) else { return false };
    let is_in_folder = path.folder().rsplit('/').next() == Some("values");
    stem.starts_with("values") || stem.ends_with("-values") || stem.ends_with(".values") || is_in_folder
}

/// The folders that have a folder `templates` on the way to a file.
fn templates_above(path: &RepoPath) -> Vec<String> {
    let parts: Vec<&str> = path.folder().split('/').collect();
    let templates = parts.iter().enumerate().filter(|(_, part)| **part == "templates");
    templates.map(|(index, _)| parts[..index].join("/")).collect()
}

/// The folders that may be the one of a file's chart, by its name alone.
struct Roots {
    /// Where it most likely is.
    nearest: Vec<String>,
    /// Where it is when the file holds the values of an environment.
    outer: Vec<String>,
}

impl Roots {
    fn of(path: &RepoPath) -> Roots {
        let mut roots = Roots { nearest: templates_above(path), outer: Vec::new() };
        let mut folder = path.folder();
        if path.name() == "Chart.yaml" || is_values(path) {
            roots.nearest.push(folder.to_owned());
        }
        if is_values(path) {
            for _ in 0..MAX_FOLDERS_BELOW {
                folder = folder.rsplit_once('/').map_or("", |(outer, _)| outer);
                roots.outer.push(folder.to_owned());
            }
        }
        roots
    }
}

/// Whether a chart's folder lies in the `charts` of another one.
fn lies_in_charts_of(inner: &str, outer: &str) -> bool {
    let below = if outer.is_empty() { Some(inner) } else { inner.strip_prefix(outer) };
    below.is_some_and(|below| below.trim_start_matches('/').starts_with("charts/"))
}

/// What is found in a file of values.
fn extract_values(finder: &Finder<'_>, root: Option<String>, files: &mut Files<'_>) -> Extracted {
    let here = finder.file.path();
    let are_values = Helm.claims(here) == Claim::Yes || here.name().contains("values");
    let yaml = if are_values { files.whole_yaml(finder.file) } else { files.yaml(finder.file) };
    let documents: Vec<_> = yaml.documents.iter().map(|document| document.root()).collect();
    let is_object = |root: &Node<'_>| ["apiVersion", "kind"].into_iter().all(|key| root.at(&[key]).is_some());
    let may_be_values = root.is_some()
        || Helm.claims(here) == Claim::Yes
        || documents.iter().any(|root| root.map().is_some());
    if documents.iter().any(is_object) || !may_be_values {
        return Extracted::foreign();
    }
    let mut extracted = Extracted { problems: yaml_problems(finder, &yaml), ..Extracted::default() };
    if let Some(root) = root {
        let Some(rendered) = render(&root, files) else { return extracted };
        if let Some(set) = rendered.of_values(here) {
            of_set(finder, set, &mut extracted);
            return extracted;
        }
    }
    extracted.uses = documents.into_iter().flat_map(|root| values::read(finder, root)).collect();
    extracted.uses.sort_by_key(|usage| usage.span);
    extracted
}

/// Adds what is found in a values file that its chart is rendered with.
fn of_set(finder: &Finder<'_>, set: &Set, extracted: &mut Extracted) {
    if set.is_cut {
        let message = "there are more values than are read; split the file";
        extracted.problems.push(finder.problem(Span::default(), ProblemCode::Limit, message));
    }
    if set.is_stopped && !set.candidates.is_empty() {
        extracted.problems.push(rendered::too_long(finder.location(Span::default())));
    }
    let made = Made::of(&set.found);
    for candidate in &set.candidates {
        let values = made.values(candidate);
        extracted.uses.extend(candidate.to_use(finder, values));
    }
    extracted.uses.sort_by_key(|usage| usage.span);
}

/// What templates make of values, by the places of those.
struct Made<'f> {
    found: &'f [Found],
    by_place: HashMap<&'f Location, Vec<usize>>,
}

impl Made<'_> {
    fn of(found: &[Found]) -> Made<'_> {
        let mut by_place: HashMap<&Location, Vec<usize>> = HashMap::new();
        for (index, one) in found.iter().enumerate() {
            for via in one.value.via() {
                by_place.entry(&via.at).or_default().push(index);
            }
        }
        Made { found, by_place }
    }

    /// What an image in values is as it is rendered, else as a word of some line,
    /// else what it would be rendered to.
    fn values(&self, candidate: &Candidate) -> Vec<Value> {
        let places = candidate.places.iter().filter_map(|place| self.by_place.get(place)).flatten();
        let used: BTreeSet<usize> = places.copied().collect();
        let mut values: Vec<Value> = Vec::new();
        let mut texts: HashSet<&str> = HashSet::new();
        for (is_word, is_off) in [(false, false), (true, false), (false, true), (true, true)] {
            let used = used.iter().filter_map(|index| self.found.get(*index));
            for found in used.filter(|found| (found.is_word, found.is_off) == (is_word, is_off)) {
                let counts = match found.value.target() {
                    // A word may be the name alone, where the tag is given elsewhere.
                    Target::Image(image) => !is_word || image.tag.is_some() || image.digest.is_some(),
                    Target::Partial(partial) => partial.complete && !is_word && !is_off,
                    Target::Invalid { .. } => !is_word && !is_off,
                    Target::Unresolved { .. } => false,
                };
                if counts && texts.len() <= MAX_MEMBERS && texts.insert(found.value.text()) {
                    if texts.len() > MAX_MEMBERS {
                        let reason = format!("more than {MAX_MEMBERS} values are not told apart");
                        values.push(Value::unknown(reason));
                        continue;
                    }
                    let what = "the template that names the image".to_owned();
                    let mut value = found.value.clone();
                    value.note(Via { at: found.at.clone(), what });
                    values.push(value);
                }
            }
            if !values.is_empty() {
                break;
            }
        }
        values
    }
}

/// What is found in a template of the chart in a folder.
fn extract_template(finder: &Finder<'_>, root: &str, files: &mut Files<'_>) -> Extracted {
    let file = finder.file;
    let mut extracted = Extracted::default();
    if !lines::has_key(file.text()) {
        return extracted;
    }
    let Some(rendered) = render(root, files) else { return extracted };
    if let Some(span) = template::unclosed(file.text()) {
        let message = "`{{` is not closed; nothing after it is read";
        extracted.problems.push(finder.problem(span, ProblemCode::Syntax, message));
    }
    extracted.uses = uses_of(finder, rendered.of_template(file.path()).to_vec());
    extracted
}

/// What a chart makes of its values; `None` when it is not there yet.
fn render(root: &str, files: &mut Files<'_>) -> Option<Arc<Rendered>> {
    let tree = files.tree()?;
    files.chart(root, |files| Rendered::new(root, files, tree))
}

/// A use for each place, with everything that was found there. What is not
/// rendered counts only when it is an image, and where nothing is rendered.
fn uses_of(finder: &Finder<'_>, mut found: Vec<Found>) -> Vec<ImageUse> {
    found.retain(|found| !found.is_off || matches!(found.value.target().status(), "resolved" | "partial"));
    found.sort_by_key(|found| (found.at.span, found.is_off));
    let mut uses: Vec<ImageUse> = Vec::new();
    for group in found.chunk_by(|left, right| left.at == right.at) {
        let is_rendered = group.iter().any(|found| !found.is_off);
        let values = group.iter().filter(|found| !(is_rendered && found.is_off));
        let values: Vec<Value> = values.map(|found| found.value.clone()).collect();
        uses.push(finder.image_use(Role::Container, group[0].at.span, &values));
    }
    uses
}

fn yaml_problems(finder: &Finder<'_>, yaml: &Yaml) -> Vec<Problem> {
    let problem = |error: &YamlError| {
        let code = match error.kind {
            YamlErrorKind::Syntax => ProblemCode::Syntax,
            YamlErrorKind::Limit => ProblemCode::Limit,
        };
        finder.problem(error.span, code, format!("this is not YAML: {}", error.message))
    };
    yaml.errors.iter().map(problem).collect()
}
