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
mod run;
mod template;
#[cfg(test)]
mod tests;
mod values;

use std::rc::Rc;

use crate::formats::Claim;
use crate::formats::Extracted;
use crate::formats::Files;
use crate::formats::Format;
use crate::formats::uses::Finder;
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
use crate::yaml::Yaml;
use crate::yaml::YamlErrorKind;

use self::chart::Chart;
use self::chart::Loader;
use self::chart::Needs;
use self::data::Data;
use self::data::Path;
use self::lines::Found;
use self::run::Run;
use self::run::Source;
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
        if matches!(path.name(), "values.yaml" | "values.yml") && !is_in_templates(path) {
            return Claim::Yes;
        }
        let is_chart = path.name() == "Chart.yaml";
        let is_template = is_in_templates(path) && chart::is_template(path);
        if is_chart || is_template || is_values(path) { Claim::Maybe } else { Claim::No }
    }

    fn may_depend(&self, candidate: &RepoPath, changed: &RepoPath) -> bool {
        if self.claims(changed) == Claim::No || candidate.name() == "Chart.yaml" {
            return false;
        }
        let of_candidate = roots_by_name(candidate);
        roots_by_name(changed).iter().any(|changed| {
            of_candidate.iter().any(|root| {
                root == changed
                    || lies_in(root, &format!("{changed}/charts"))
                    || lies_in(changed, &format!("{root}/charts"))
            })
        })
    }

    fn extract(&self, file: &SourceFile, files: &mut Files<'_>) -> Extracted {
        let finder = Finder { file, format: self.id() };
        if file.path().name() == "Chart.yaml" {
            return Extracted::default();
        }
        match is_in_templates(file.path()) {
            true => extract_template(&finder, files),
            false => extract_values(&finder, files),
        }
    }
}

fn is_in_templates(path: &RepoPath) -> bool {
    path.folder().split('/').any(|folder| folder == "templates")
}

/// Whether a file holds values, by its name.
fn is_values(path: &RepoPath) -> bool {
    let name = path.name();
    let Some(stem) = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")) else { return false };
    let is_named = stem.starts_with("values") || stem.ends_with("-values") || stem.ends_with(".values");
    let is_in_folder = path.folder().rsplit('/').next() == Some("values");
    (is_named || is_in_folder) && !is_in_templates(path)
}

/// The folders that may be the one of a file's chart, by its name alone.
fn roots_by_name(path: &RepoPath) -> Vec<String> {
    let folder = path.folder();
    if is_in_templates(path) {
        let parts: Vec<&str> = folder.split('/').collect();
        let templates = parts.iter().position(|part| *part == "templates").unwrap_or(0);
        return vec![parts[..templates].join("/")];
    }
    if path.name() == "Chart.yaml" {
        return vec![folder.to_owned()];
    }
    let mut roots = vec![folder.to_owned()];
    let mut outer = folder;
    for _ in 0..MAX_FOLDERS_BELOW {
        if outer.is_empty() {
            break;
        }
        outer = outer.rsplit_once('/').map_or("", |(outer, _)| outer);
        roots.push(outer.to_owned());
    }
    roots
}

fn lies_in(folder: &str, outer: &str) -> bool {
    let outer = outer.trim_start_matches('/');
    folder.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
}

/// What is found in a file of values.
fn extract_values(finder: &Finder<'_>, files: &mut Files<'_>) -> Extracted {
    let file = finder.file;
    let yaml = files.yaml(file);
    let Some(tree) = files.tree() else { return Extracted::default() };
    let root = chart::root_of(file.path(), tree);
    let documents: Vec<_> = yaml.documents.iter().map(|document| document.root()).collect();
    let is_object =
        documents.iter().any(|root| root.at(&["apiVersion"]).is_some() && root.at(&["kind"]).is_some());
    let is_named = Helm.claims(file.path()) == Claim::Yes;
    if is_object || (root.is_none() && !is_named && !documents.iter().any(|root| root.map().is_some())) {
        return Extracted::foreign();
    }
    let mut extracted = Extracted { problems: yaml_problems(finder, &yaml), ..Extracted::default() };
    let Some(root) = root else {
        extracted.uses = documents.into_iter().flat_map(|root| values::read(finder, root)).collect();
        extracted.uses.sort_by_key(|usage| usage.span);
        return extracted;
    };
    let Some(document) = documents.first() else { return extracted };
    let own = data::read(file.path(), *document, &Path::default());
    if own.is_cut {
        extracted.problems.push(finder.problem(
            document.span(),
            ProblemCode::Limit,
            "there are more values than are read; split the file",
        ));
    }
    let mut loader = Loader::new(files, tree);
    let mut chart = loader.chart(&root, Needs::Callable);
    let is_base = *file.path() == RepoPath::new(&format!("{root}/values.yaml"));
    let values = chart.completed(&if is_base { own.data } else { chart.values.overlaid(&own.data) });
    let here = file.path();
    let mut candidates: Vec<Candidate> = values::candidates(&values, &chart.surroundings());
    candidates.retain(|candidate| candidate.parts.iter().any(|part| part.file == *here));
    if loader.is_waiting || candidates.is_empty() {
        return extracted;
    }
    chart = loader.chart(&root, Needs::All);
    if loader.is_waiting {
        return extracted;
    }
    let library = chart.library();
    let mut run = Run::new(&library, true);
    chart.execute(&values, &mut run);
    let (found, is_stopped) = run.into_found();
    if is_stopped || loader.is_cut {
        extracted.problems.push(too_long(finder));
    }
    for candidate in candidates {
        let made = made_of(&candidate, &found);
        extracted.uses.extend(candidate.into_use(finder, made));
    }
    extracted.uses.sort_by_key(|usage| usage.span);
    extracted
}

/// What templates make of an image in values: as they are rendered, else what they
/// would be rendered to.
fn made_of(candidate: &Candidate, found: &[Found]) -> Vec<Value> {
    let used = || {
        found.iter().filter(|found| {
            found.value.via().iter().any(|via| candidate.places.contains(&via.at))
                && found.value.target().status() != "unresolved"
        })
    };
    let mut values = Vec::new();
    for (is_word, is_off) in [(false, false), (true, false), (false, true), (true, true)] {
        for found in used().filter(|found| (found.is_word, found.is_off) == (is_word, is_off)) {
            let is_counted = match found.value.target() {
                // A word may be the name alone, where the tag is given elsewhere.
                Target::Image(image) => !is_word || image.tag.is_some() || image.digest.is_some(),
                _ => !is_off && !is_word,
            };
            if !is_counted {
                continue;
            }
            let mut value = found.value.clone();
            value.note(Via { at: found.at.clone(), what: "the template that names the image".to_owned() });
            if !values.contains(&value) {
                values.push(value);
            }
        }
        if !values.is_empty() {
            break;
        }
    }
    values
}

/// What is found in a template.
fn extract_template(finder: &Finder<'_>, files: &mut Files<'_>) -> Extracted {
    let file = finder.file;
    let Some(tree) = files.tree() else { return Extracted::default() };
    let Some(root) = chart::root_of(file.path(), tree) else { return Extracted::foreign() };
    if !lies_in(file.path().folder(), &format!("{root}/x"))
        && !file.path().as_str().starts_with(format!("{root}/templates/").trim_start_matches('/'))
    {
        return Extracted::foreign();
    }
    let mut extracted = Extracted::default();
    if !lines::has_key(file.text()) {
        return extracted;
    }
    let source = Rc::new(Source::new(file.path().clone(), file.text()));
    if let Some(span) = source.template.unclosed {
        let message = "`{{` is not closed; nothing after it is read";
        extracted.problems.push(finder.problem(span, ProblemCode::Syntax, message));
    }
    let is_callable = chart::is_callable(file.path()) || !source.template.defines.is_empty();
    let mut loader = Loader::new(files, tree);
    let mut needs = if is_callable { Needs::All } else { Needs::Callable };
    loop {
        let chart = loader.chart(&root, needs);
        if loader.is_waiting {
            return extracted;
        }
        let (found, misses, is_stopped) = look(&source, &chart, is_callable, &mut loader);
        if loader.is_waiting {
            return extracted;
        }
        if misses && needs == Needs::Callable {
            needs = Needs::All;
            continue;
        }
        if is_stopped || loader.is_cut {
            extracted.problems.push(too_long(finder));
        }
        extracted.uses = uses_of(finder, found);
        return extracted;
    }
}

/// The images that a template names itself, with the values of each file.
fn look(
    source: &Rc<Source>,
    chart: &Chart,
    is_callable: bool,
    loader: &mut Loader<'_, '_>,
) -> (Vec<Found>, bool, bool) {
    let library = chart.library();
    let surroundings = chart.surroundings();
    let (mut all, mut misses, mut is_stopped) = (Vec::new(), false, false);
    let mut environments: Option<Vec<Data>> = None;
    let mut next = 0;
    let mut values = chart.completed(&chart.values);
    loop {
        let mut run = Run::new(&library, is_callable);
        match is_callable {
            true => chart.execute(&values, &mut run),
            false => run.file(source, &chart.root_data(&values)),
        }
        misses |= run.misses_template;
        let (mut found, stopped) = run.into_found();
        is_stopped |= stopped;
        let owned: Vec<Location> = values::candidates(&values, &surroundings)
            .into_iter()
            .flat_map(|candidate| candidate.places)
            .collect();
        found.retain(|found| {
            found.at.file == source.path
                && !found.is_word
                && !found.value.via().iter().any(|via| owned.contains(&via.at))
        });
        let depends = found.iter().any(|found| !found.value.via().is_empty() || !found.value.is_known());
        all.extend(found);
        if environments.is_none() {
            environments = Some(if depends { loader.environments(chart) } else { Vec::new() });
        }
        let Some(environment) = environments.as_ref().and_then(|environments| environments.get(next)) else {
            return (all, misses, is_stopped);
        };
        values = chart.completed(&chart.values.overlaid(environment));
        next += 1;
    }
}

/// A use for each place, with everything that was found there. What is not
/// rendered counts only when it is an image.
fn uses_of(finder: &Finder<'_>, mut found: Vec<Found>) -> Vec<ImageUse> {
    found.retain(|found| !found.is_off || matches!(found.value.target().status(), "resolved" | "partial"));
    found.sort_by_key(|found| found.at.span);
    let mut uses: Vec<ImageUse> = Vec::new();
    for group in found.chunk_by(|left, right| left.at == right.at) {
        let values: Vec<Value> = group.iter().map(|found| found.value.clone()).collect();
        uses.push(finder.image_use(Role::Container, group[0].at.span, &values));
    }
    uses
}

fn too_long(finder: &Finder<'_>) -> Problem {
    let message =
        "the templates of this chart take longer than is waited for; what they make of values is not known";
    finder.problem(Span::default(), ProblemCode::Limit, message)
}

fn yaml_problems(finder: &Finder<'_>, yaml: &Yaml) -> Vec<Problem> {
    let problem = |error: &crate::yaml::YamlError| {
        let code = match error.kind {
            YamlErrorKind::Syntax => ProblemCode::Syntax,
            YamlErrorKind::Limit => ProblemCode::Limit,
        };
        finder.problem(error.span, code, format!("this is not YAML: {}", error.message))
    };
    yaml.errors.iter().map(problem).collect()
}
