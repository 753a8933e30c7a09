//! A project: the files that Compose lays onto each other, what they include and
//! extend, and the services that come of it.
//!
//! After `loader/{loader,include,extends}.go` of compose-go 2.16. Paths of the files
//! of a project are relative to its folder, that of its first file; those of a file
//! that a service extends from are relative to that file. An included project has
//! its own folder and variables, and takes those of the one that includes it first.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::rc::Rc;

use crate::formats::Files;
use crate::source::Content;
use crate::source::Location;
use crate::source::Problem;
use crate::source::ProblemCode;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::yaml::YamlErrorKind;

use super::environment::Environment;
use super::model::Include;
use super::model::Layer;
use super::model::Merged;
use super::model::Service;
use super::model::Setting;
use super::model::Shared;
use super::name;
use super::path;
use super::path::Place;
use super::read;
use super::read::Form;
use super::template;
use super::template::Budget;

/// How deep files may include and extend each other.
const MAX_DEPTH: usize = 32;
/// What beginning with a project costs, in steps: its variables, its maps.
const PROJECT_STEPS: usize = 2_000;

/// A file, read.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) file: SourceFile,
    pub(super) layers: Vec<Layer>,
}

/// Services by name.
pub(super) type Services = BTreeMap<Rc<str>, Merged>;

/// A project, with everything in it resolved.
pub(super) struct Project {
    pub(super) folder: Rc<str>,
    pub(super) environment: Rc<Environment>,
    pub(super) sheets: Vec<Rc<Sheet>>,
    pub(super) services: Services,
    /// The services of other files that those here are based on.
    pub(super) bases: Vec<Base>,
    pub(super) included: Vec<Project>,
}

/// A service that one of another file is based on, and what it is.
pub(super) struct Base {
    pub(super) sheet: Rc<Sheet>,
    pub(super) service: Rc<Service>,
    pub(super) merged: Merged,
}

/// A text that names a file that cannot be followed, and why.
pub(super) struct Lost {
    pub(super) at: Location,
    pub(super) reason: String,
}

/// Reads files and puts projects together.
pub(super) struct Loader<'l, 'a> {
    pub(super) files: &'l mut Files<'a>,
    pub(super) budget: &'l Budget,
    sheets: HashMap<RepoPath, Option<Rc<Sheet>>>,
    pub(super) problems: Vec<Problem>,
    pub(super) lost: Vec<Lost>,
}

/// Where a service is looked up: the services of one document, and those that it includes.
struct Scope<'s> {
    file: &'s RepoPath,
    setting: Rc<Setting>,
    services: HashMap<&'s str, &'s Rc<Service>>,
    imported: &'s Services,
}

/// What has been resolved in a scope, and what is being resolved.
#[derive(Default)]
struct Progress {
    done: HashMap<(RepoPath, String), Merged>,
    open: Vec<(RepoPath, String)>,
    bases: Vec<Base>,
}

impl<'l, 'a> Loader<'l, 'a> {
    pub(super) fn new(files: &'l mut Files<'a>, budget: &'l Budget) -> Loader<'l, 'a> {
        Loader { files, budget, sheets: HashMap::new(), problems: Vec::new(), lost: Vec::new() }
    }

    /// Puts a project together from files that are laid onto each other. Without
    /// `env_files` its variables are those of the `.env` in its folder.
    pub(super) fn project(
        &mut self,
        sheets: Vec<Rc<Sheet>>,
        folder: Rc<str>,
        outer: Option<&Project>,
        env_files: &[RepoPath],
        open: &mut Vec<RepoPath>,
    ) -> Project {
        let _ = self.budget.spend(PROJECT_STEPS);
        let outer = outer.map(|outer| Rc::clone(&outer.environment));
        let mut project = Project {
            environment: Rc::new(self.environment(&sheets, &folder, outer, env_files)),
            folder,
            sheets,
            services: Services::new(),
            bases: Vec::new(),
            included: Vec::new(),
        };
        for sheet in project.sheets.clone() {
            for layer in &sheet.layers {
                let imported = self.include_all(layer, &mut project, open);
                self.lay(&sheet, layer, &imported, &mut project);
            }
        }
        project
    }

    fn environment(
        &mut self,
        sheets: &[Rc<Sheet>],
        folder: &str,
        outer: Option<Rc<Environment>>,
        env_files: &[RepoPath],
    ) -> Environment {
        let mut environment = Environment::inside(outer);
        let needed = sheets.iter().any(|sheet| {
            let leads_on = |layer: &Layer| {
                let mut services = layer.services.iter().map(|(_, service)| service);
                !layer.includes.is_empty() || services.any(|service| extends_file(service) || asks(service))
            };
            sheet.file.text().contains('$') || sheet.layers.iter().any(leads_on)
        });
        if !needed {
            return environment;
        }
        let default: Vec<RepoPath> = path::within(folder, ".env").into_iter().collect();
        let env_files = if env_files.is_empty() { &default } else { env_files };
        for path in env_files {
            match self.files.get(path) {
                Some(Content::Text(text)) => environment.read(path, &text, self.budget),
                Some(Content::Unreadable(unreadable)) => self.problems.push(Problem {
                    at: Location { file: path.clone(), span: Default::default() },
                    code: ProblemCode::Unreadable,
                    message: format!("the variables in this file cannot be read: it is {unreadable}"),
                }),
                Some(Content::Missing | Content::Symlink(_)) | None => {}
            }
        }
        let mut names = sheets.iter().flat_map(|sheet| &sheet.layers).filter_map(|layer| layer.name.as_ref());
        if let Some(name) = names.next_back() {
            let values = template::evaluate(name.text(), &environment, self.budget);
            let what = "the project's `name`";
            let values = values.into_iter().map(|value| value.placed(name.at.clone(), what)).collect();
            environment.set_default("COMPOSE_PROJECT_NAME", values);
        }
        environment
    }

    /// Lays one document onto a project.
    fn lay(&mut self, sheet: &Sheet, layer: &Layer, imported: &Services, project: &mut Project) {
        let scope = Scope {
            file: sheet.file.path(),
            setting: Rc::new(Setting {
                folder: Rc::clone(&project.folder),
                environment: Rc::clone(&project.environment),
            }),
            services: layer.services.iter().map(|(name, service)| (&**name, service)).collect(),
            imported,
        };
        let mut progress = Progress::default();
        let own = layer.services.iter().map(|(name, _)| name);
        let only_imported = imported.keys().filter(|name| !scope.services.contains_key(&***name));
        for name in own.chain(only_imported) {
            let Some(merged) = self.resolve(&scope, name, &mut progress) else { continue };
            match project.services.get_mut(name) {
                Some(below) => {
                    let _ = self.budget.spend(below.size() + merged.size());
                    if let Some(service) = scope.services.get(&**name) {
                        below.put_away(service);
                    }
                    below.lay_merged(&merged);
                }
                None => drop(project.services.insert(Rc::clone(name), merged)),
            }
        }
        project.bases.append(&mut progress.bases);
    }

    /// A service with all that it extends.
    fn resolve(&mut self, scope: &Scope<'_>, name: &str, progress: &mut Progress) -> Option<Merged> {
        let below = scope.imported.get(name);
        let Some(own) = scope.services.get(name) else { return below.cloned() };
        let mut merged = below.cloned().unwrap_or_default();
        if own.extends.is_none() {
            if self.budget.spend(merged.size() * 2) {
                merged.lay(own, &scope.setting);
            }
            return Some(merged);
        }
        let key = (scope.file.clone(), name.to_owned());
        if let Some(done) = progress.done.get(&key) {
            return Some(done.clone());
        }
        // Compose refuses a cycle.
        if !progress.open.contains(&key) {
            progress.open.push(key.clone());
            if let Some(base) = self.base(scope, own, progress) {
                merged.lay_merged(&base);
            }
            progress.open.pop();
        }
        if self.budget.spend(merged.size() * 2) {
            merged.lay(own, &scope.setting);
        }
        progress.done.insert(key, merged.clone());
        Some(merged)
    }

    /// What a service extends.
    fn base(&mut self, scope: &Scope<'_>, service: &Service, progress: &mut Progress) -> Option<Merged> {
        let extends = service.extends.as_ref()?;
        if progress.open.len() > MAX_DEPTH {
            self.limit(
                &extends.service,
                "services that extend each other more than 32 deep are not followed",
            );
            return None;
        }
        let environment = &scope.setting.environment;
        let name = template::evaluate(extends.service.text(), environment, self.budget);
        let name = name.first().filter(|name| name.is_known())?.text().to_owned();
        let Some(file) = &extends.file else { return self.resolve(scope, &name, progress) };
        let (path, sheet) = self.follow(file, &scope.setting.folder, environment)?;
        let services = sheet.layers.iter().flat_map(|layer| &layer.services);
        let base = Scope {
            file: &path,
            setting: Rc::new(Setting {
                folder: Rc::from(path.folder()),
                environment: Rc::clone(environment),
            }),
            services: services.map(|(name, service)| (&**name, service)).collect(),
            imported: &Services::new(),
        };
        let merged = self.resolve(&base, &name, progress)?;
        let service = Rc::clone(base.services.get(name.as_str())?);
        progress.bases.push(Base { sheet: Rc::clone(&sheet), service, merged: merged.clone() });
        Some(merged)
    }

    /// What a document includes, and the services that come of it.
    fn include_all(&mut self, layer: &Layer, project: &mut Project, open: &mut Vec<RepoPath>) -> Services {
        let mut services = Services::new();
        for include in &layer.includes {
            let Some(included) = self.include(include, project, open) else { continue };
            for (name, service) in &included.services {
                let _ = self.budget.spend(service.size());
                services.entry(Rc::clone(name)).or_default().lay_merged(service);
            }
            project.included.push(included);
        }
        services
    }

    fn include(&mut self, include: &Include, project: &Project, open: &mut Vec<RepoPath>) -> Option<Project> {
        let first = include.paths.first()?;
        if self.budget.is_spent() {
            return None;
        }
        if open.len() > MAX_DEPTH {
            self.limit(first, "files that include each other more than 32 deep are not followed");
            return None;
        }
        let followed =
            include.paths.iter().map(|path| self.follow(path, &project.folder, &project.environment));
        let followed: Vec<(RepoPath, Rc<Sheet>)> =
            followed.collect::<Vec<_>>().into_iter().flatten().collect();
        let main = followed.first()?.0.clone();
        // Compose refuses a cycle.
        if open.contains(&main) {
            return None;
        }
        let local = |text: &Shared| self.place(text, &project.folder, &project.environment).local();
        let folder = match &include.folder {
            Some(folder) => Rc::from(local(folder)?.as_str()),
            None => Rc::from(main.folder()),
        };
        let env_files: Vec<RepoPath> = include.env_files.iter().filter_map(local).collect();
        open.push(main);
        let sheets = followed.into_iter().map(|(_, sheet)| sheet).collect();
        let included = self.project(sheets, folder, Some(project), &env_files, open);
        open.pop();
        Some(included)
    }

    /// The file that a text names; what cannot be followed is noted.
    fn follow(
        &mut self,
        text: &Shared,
        folder: &str,
        environment: &Environment,
    ) -> Option<(RepoPath, Rc<Sheet>)> {
        let path = match self.place(text, folder, environment) {
            Place::Local(path) => path,
            place => {
                self.lost.push(Lost { at: text.at.clone(), reason: place.reason(text.text()) });
                return None;
            }
        };
        if let Some(sheet) = self.sheets.get(&path) {
            return sheet.clone().map(|sheet| (path, sheet));
        }
        let sheet = match self.files.get(&path)? {
            Content::Text(content) => {
                let file = SourceFile::new(path.clone(), content);
                // Under a compose file's name it tells what is wrong with it itself.
                let form = Form::Named;
                Some(self.read(file, form, !name::is_compose(&path))).flatten()
            }
            Content::Unreadable(unreadable) => {
                let reason = format!("`{path}` cannot be read: it is {unreadable}");
                self.lost.push(Lost { at: text.at.clone(), reason });
                None
            }
            Content::Missing | Content::Symlink(_) => {
                let reason = format!("`{path}` is not in the repository");
                self.lost.push(Lost { at: text.at.clone(), reason });
                None
            }
        };
        self.sheets.insert(path.clone(), sheet.clone());
        sheet.map(|sheet| (path, sheet))
    }

    /// Reads a file; `None` when no document of it is one of Compose. What is wrong
    /// with its YAML is told when it is asked for, of a file of Compose.
    pub(super) fn read(&mut self, file: SourceFile, form: Form, tells: bool) -> Option<Rc<Sheet>> {
        let yaml = self.files.yaml(&file);
        let read =
            yaml.documents.iter().filter_map(|document| read::read(&file, document, form, self.budget));
        let layers: Vec<Layer> = read.collect();
        if layers.is_empty() && (form == Form::Unnamed || yaml.errors.is_empty()) {
            return None;
        }
        for error in yaml.errors.iter().filter(|_| tells) {
            self.problems.push(Problem {
                at: Location { file: file.path().clone(), span: error.span },
                code: match error.kind {
                    YamlErrorKind::Syntax => ProblemCode::Syntax,
                    YamlErrorKind::Limit => ProblemCode::Limit,
                },
                message: format!("this cannot be read as YAML: {}", error.message),
            });
        }
        Some(Rc::new(Sheet { file, layers }))
    }

    /// The place that a text names, seen from a folder.
    pub(super) fn place(&self, text: &Shared, folder: &str, environment: &Environment) -> Place {
        let values = template::evaluate(text.text(), environment, self.budget);
        values.first().map_or(Place::Outside, |value| path::place(value, folder))
    }

    /// Tells of a limit, once.
    fn limit(&mut self, text: &Shared, message: &str) {
        if self.problems.iter().any(|problem| problem.message == message) {
            return;
        }
        self.problems.push(Problem {
            at: text.at.clone(),
            code: ProblemCode::Limit,
            message: message.to_owned(),
        });
    }
}

fn extends_file(service: &Service) -> bool {
    service.extends.as_ref().is_some_and(|extends| extends.file.is_some())
}

/// Whether a build argument takes its value from the environment.
fn asks(service: &Service) -> bool {
    let build = service.build.value.as_ref();
    build.is_some_and(|build| {
        build.args.value.iter().any(|(_, entry)| entry.value.is_none() && !entry.is_reset)
    })
}
