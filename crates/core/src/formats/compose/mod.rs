//! Compose files, read as Compose reads them.
//!
//! `read` takes from the YAML what concerns images (`model`), `template` and
//! `environment` put variables into it, `project` follows `include`, `extends` and
//! overrides, `uses` tells inputs from outputs, `builds` and `inline` say how
//! Dockerfiles are built. After compose-go 2.16, with which it is compared case by
//! case; `docs/compose.md` says what is found, and where this differs on purpose.
//!
//! Everything is read as if each file were used alone with the `.env` in its folder,
//! and beside that in every way in which other files name it. Profiles do not
//! matter: a service that only some profile runs is read like the others.

mod builds;
mod environment;
mod inline;
mod model;
mod name;
mod number;
mod path;
mod project;
mod read;
mod template;
#[cfg(test)]
mod tests;
mod uses;

use std::rc::Rc;

use crate::formats::Claim;
use crate::formats::Extracted;
use crate::formats::Files;
use crate::formats::Format;
use crate::formats::uses::Finder;
use crate::source::Content;
use crate::source::Problem;
use crate::source::ProblemCode;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::source::Span;

use self::builds::Builder;
use self::builds::Builds;
use self::model::Service;
use self::name::Kind;
use self::project::Loader;
use self::project::Project;
use self::project::Sheet;
use self::read::Form;
use self::template::Budget;
use self::uses::Gatherer;

/// The id of the format.
const FORMAT: &str = "compose";
/// What reading one file may cost, in steps of [`Budget`]; about a tenth of a second.
const MAX_STEPS: usize = 1_200_000;

/// The format `compose`.
pub struct Compose;

impl Format for Compose {
    fn id(&self) -> &'static str {
        FORMAT
    }

    fn claims(&self, path: &RepoPath) -> Claim {
        match (name::is_compose(path), name::is_yaml(path)) {
            (true, _) => Claim::Yes,
            (false, true) => Claim::Maybe,
            (false, false) => Claim::No,
        }
    }

    fn may_depend(&self, candidate: &RepoPath, changed: &RepoPath) -> bool {
        name::may_depend(candidate, changed)
    }

    fn extract(&self, file: &SourceFile, files: &mut Files<'_>) -> Extracted {
        let named = name::is_compose(file.path());
        if !named && !may_be_compose(file.text()) {
            return Extracted::foreign();
        }
        let form = if named { Form::Named } else { Form::Unnamed };
        let budget = Budget::new(MAX_STEPS);
        let mut loader = Loader::new(files, &budget);
        let Some(sheet) = loader.read(file.clone(), form, true) else { return Extracted::foreign() };
        extract(file, &sheet, &mut loader)
    }
}

/// Whether a text that has no compose file's name is worth reading as YAML.
fn may_be_compose(text: &str) -> bool {
    let has = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    has("services") && (has("image") || has("build"))
}

fn extract(file: &SourceFile, sheet: &Rc<Sheet>, loader: &mut Loader<'_, '_>) -> Extracted {
    let kind = name::kind(file.path());
    let base = if kind == Kind::Alone { None } else { base(file.path(), loader) };
    let folder: Rc<str> = Rc::from(file.path().folder());
    let mut open = vec![file.path().clone()];
    let mut project = |sheets: Vec<Rc<Sheet>>, loader: &mut Loader<'_, '_>| {
        loader.project(sheets, Rc::clone(&folder), None, &[], &mut open)
    };
    let mut builds = Builds::default();
    let main = match (kind, &base) {
        (Kind::Override, Some(base)) => project(vec![Rc::clone(base), Rc::clone(sheet)], loader),
        _ => project(vec![Rc::clone(sheet)], loader),
    };
    let mut gatherer = Gatherer::new(file.path(), loader.budget);
    gatherer.project(&main);
    let mut beside: Option<Project> = None;
    if let (Kind::Variant, Some(base)) = (kind, &base) {
        beside = Some(project(vec![Rc::clone(base), Rc::clone(sheet)], loader));
    }
    let says_build = |service: &Service| service.build.value.is_some() || service.extends.is_some();
    let own = || sheet.layers.iter().flat_map(|layer| &layer.services);
    let builder = Builder { project: &main, budget: loader.budget };
    for (name, service) in &main.services {
        // What a variant says of a build without a context belongs to its base.
        let of_base = beside.as_ref().is_some_and(|beside| {
            let written = own().any(|(own, own_service)| own == name && own_service.build.value.is_some());
            let context = service.build.as_ref().is_some_and(|build| build.context.is_some());
            written && !context && beside.services.get(name).is_some_and(|both| both.build.is_some())
        });
        if !of_base {
            builder.add(service, &mut builds);
        }
    }
    if let Some(beside) = &beside {
        let builder = Builder { project: beside, budget: loader.budget };
        for (name, _) in own().filter(|(_, service)| says_build(service)) {
            if let Some(service) = beside.services.get(name) {
                builder.add(service, &mut builds);
            }
        }
    }
    finish(file, loader, gatherer, builds)
}

/// Puts together what was found.
fn finish(
    file: &SourceFile,
    loader: &mut Loader<'_, '_>,
    mut gatherer: Gatherer<'_>,
    builds: Builds,
) -> Extracted {
    let mut extracted = Extracted { builds: builds.builds, ..Extracted::default() };
    for lost in std::mem::take(&mut loader.lost).into_iter().chain(builds.lost) {
        gatherer.lost(lost);
    }
    extracted.problems.append(&mut loader.problems);
    for (dockerfile, at) in builds.named {
        if gatherer.is_own(&at.file) && matches!(loader.files.get(&dockerfile), Some(Content::Missing)) {
            let message =
                format!("`{dockerfile}` is not in the repository; what this is built from is not known");
            extracted.problems.push(Problem { at, code: ProblemCode::Unreadable, message });
        }
    }
    for (inline, inputs) in builds.inline.values() {
        if !gatherer.is_own(&inline.text.at.file) {
            continue;
        }
        let environment = &inline.setting.environment;
        let found = inline::extract(file, &inline.text, environment, loader.budget, inputs);
        extracted.uses.extend(found.uses);
        extracted.problems.extend(found.problems);
    }
    extracted.uses.extend(gatherer.finish(file));
    extracted.uses.sort_by(|a, b| (&a.file, a.span).cmp(&(&b.file, b.span)));
    let finder = Finder { file, format: FORMAT };
    if builds.too_many || loader.budget.is_spent() {
        let message =
            "the services of this file take too much to put together; not all that they build is followed";
        extracted.problems.push(finder.problem(Span::default(), ProblemCode::Limit, message));
    }
    extracted
}

/// The file that one in the same folder is laid onto.
fn base(path: &RepoPath, loader: &mut Loader<'_, '_>) -> Option<Rc<Sheet>> {
    // All are asked for at once; the best one counts.
    let contents: Vec<_> = name::bases(path).map(|base| (loader.files.get(&base), base)).collect();
    contents.into_iter().find_map(|(content, base)| match content {
        Some(Content::Text(text)) => loader.read(SourceFile::new(base, text), Form::Named, false),
        _ => None,
    })
}
