//! Dockerfiles, read as BuildKit reads them.
//!
//! The reader follows BuildKit's own structure, so that it can be compared with
//! it case by case: `line` joins lines, `directive` finds directives and the
//! frontend, `instruction`, `flags`, `mount` and `heredoc` read one instruction,
//! `reader` the file, `lex`, `glob` and `arguments` expand variables,
//! `stages` tells stages from images, `uses` makes image uses of it.
//! `docs/dockerfile.md` says what is found, and where this differs from BuildKit
//! on purpose.
//!
//! Everything is evaluated for the platforms of `arguments::PLATFORMS` and
//! without build arguments; what other files are known to build it with adds
//! to that (`inputs`).

mod arguments;
mod commands;
mod directive;
mod flags;
mod frontend;
mod glob;
mod go;
mod heredoc;
mod inputs;
mod instruction;
mod lex;
mod line;
mod mount;
mod name;
mod reader;
mod stages;
mod template;
#[cfg(test)]
mod tests;
mod uses;
mod value;

pub use self::inputs::Argument;
pub use self::inputs::Context;
pub use self::inputs::Inputs;

use crate::formats::Claim;
use crate::formats::Extracted;
use crate::formats::Files;
use crate::formats::Format;
use crate::image::Role;
use crate::image::Target;
use crate::source::Location;
use crate::source::Mapped;
use crate::source::Problem;
use crate::source::ProblemCode;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::source::Span;

use self::arguments::Arguments;
use self::arguments::Build;
use self::arguments::Seen;
use self::frontend::Dialect;
use self::inputs::Given;
use self::inputs::Prepared;
use self::inputs::Setup;
use self::lex::Budget;
use self::reader::Fault;
use self::reader::Text;
use self::stages::Base;
use self::stages::Read;
use self::stages::Resolved;
use self::uses::Found;
use self::value::Value;

/// How many stages, beside the last, `TARGETSTAGE` is evaluated for. BuildKit
/// knows one at a time; each is a reading of the whole file.
const MAX_TARGETS: usize = 16;
/// How many stages are read together for those, so that a file of many stages
/// is not read many times.
const MAX_TARGET_STAGES: usize = 4096;
/// How many errors of one file are told, and how many limits; who has more mends
/// the file, or it is no Dockerfile.
const MAX_FAULTS_OF_A_KIND: usize = 20;

/// The format `dockerfile`.
pub struct Dockerfile;

impl Format for Dockerfile {
    fn id(&self) -> &'static str {
        uses::FORMAT
    }

    fn claims(&self, path: &RepoPath) -> Claim {
        match path.name() {
            name if !name::is_dockerfile(name) => Claim::No,
            name if name::is_media(name) => Claim::Maybe,
            _ => Claim::Yes,
        }
    }

    fn is_built(&self) -> bool {
        true
    }

    fn extract(&self, file: &SourceFile, files: &mut Files<'_>) -> Extracted {
        extract_with(file, files.builds())
    }
}

/// Where a use stands: a stage, and in it its base or a source of a command; and
/// what is given to the build and is the beginning of the reference, since an edit
/// there decides then.
type Place = (usize, Option<(usize, usize)>, Option<usize>);

/// Extracts every use from a Dockerfile, whatever its name, that is built alone
/// and in each of the ways of `builds`.
#[must_use]
pub fn extract_with(file: &SourceFile, builds: &[Inputs]) -> Extracted {
    extract_file(file, builds, true)
}

/// The same; without `commands`, what `RUN`s pull is left out.
fn extract_file(file: &SourceFile, builds: &[Inputs], commands: bool) -> Extracted {
    let mut extracted = Extracted::default();
    let frontend = directive::syntax(file.text());
    let given_frontends = frontend::given(builds);
    // BuildKit would refuse it before it asks for any image.
    if frontend.is_none()
        && given_frontends.is_empty()
        && name::is_foreign(file.path().name())
        && !reader::begins_build(file.text())
    {
        extracted.is_foreign = true;
        return extracted;
    }
    let mut dialect = Dialect::Current;
    let span = frontend.as_ref().map_or_else(Span::default, |(_, span)| *span);
    let mut frontend_use = None;
    if let Some((image, _)) = &frontend {
        let target = uses::literal_target(image);
        dialect = frontend::dialect_of(&target);
        uses::add_frontend(&mut frontend_use, file, span, target, None);
    }
    let mut foreign =
        (dialect == Dialect::Foreign).then(|| frontend.map_or_else(String::new, |(image, _)| image));
    for (target, argument) in given_frontends {
        // It reads the file in its own build only; alone the file is read as it says.
        if let (Dialect::Foreign, Target::Image(image)) = (frontend::dialect_of(&target), &target) {
            foreign.get_or_insert_with(|| image.to_string());
        }
        uses::add_frontend(&mut frontend_use, file, span, target, Some(argument));
    }
    extracted.uses.extend(frontend_use);
    if let Some(image) = foreign {
        extracted.problems.push(problem(file, foreign_frontend(&image, span)));
    }
    if dialect == Dialect::Foreign {
        return extracted;
    }
    let template = name::is_template(file.path().name());
    let mode =
        reader::Mode { plain_heredocs: dialect == Dialect::BeforeHeredocs, template, scripts: commands };
    let mut text = reader::read(file.text(), mode);
    let mut faults = std::mem::take(&mut text.faults);
    extracted.takes_arguments = !text.declarations.is_empty();
    let Prepared { given, setups, is_cut } = inputs::prepare(builds, &text);
    if is_cut {
        faults.push(Fault {
            span: Span::default(),
            code: ProblemCode::Limit,
            message: format!("more than {} ways to build this file are not evaluated", inputs::MAX_BUILDS),
        });
    }
    let mut found = Vec::new();
    let mut budget = Budget::default();
    for setup in [Setup::default()].iter().chain(&setups) {
        read_all(&text, setup, &given, &mut found, &mut budget, &mut faults);
    }
    extracted.uses.extend(found.into_iter().map(|(_, found)| found.finish(file, &text, &given)));
    commands::read(file, &text.scripts, &mut extracted);
    extracted.uses.sort_by_key(|usage| usage.span);
    faults.sort_by(|a, b| a.span.cmp(&b.span).then_with(|| a.message.cmp(&b.message)));
    faults.dedup();
    shorten(&mut faults, ProblemCode::Syntax, text.more_faults);
    shorten(&mut faults, ProblemCode::Limit, 0);
    extracted.problems.extend(faults.into_iter().map(|fault| problem(file, fault)));
    extracted.problems.sort_by_key(|problem| problem.at.span.start);
    extracted
}

/// Extracts every use from a Dockerfile that stands inside another file, in each
/// of the ways of `builds`. Places are places of `file`.
#[must_use]
pub fn extract_inline(file: &SourceFile, text: &Mapped, builds: &[Inputs]) -> Extracted {
    extract_inner(file, text, builds, true)
}

/// The same for one that stands in a script: the commands in it are not looked at, so
/// that scripts and Dockerfiles inside one another end.
pub(super) fn extract_from_script(file: &SourceFile, text: &Mapped, builds: &[Inputs]) -> Extracted {
    extract_inner(file, text, builds, false)
}

fn extract_inner(file: &SourceFile, text: &Mapped, builds: &[Inputs], commands: bool) -> Extracted {
    // A name that no file of a repository has: its places are those to be moved.
    let inner = SourceFile::new(RepoPath::new("\0/Dockerfile"), text.text());
    let mut extracted = extract_file(&inner, builds, commands);
    let move_place = |at: &mut Location| {
        if at.file == *inner.path() {
            *at = Location { file: file.path().clone(), span: text.span(at.span.start..at.span.end) };
        }
    };
    for usage in &mut extracted.uses {
        usage.file = file.path().clone();
        usage.span = text.span(usage.span.start..usage.span.end);
        usage.raw = file.slice(usage.span).to_owned();
        move_place(&mut usage.decided_at);
        usage.via.iter_mut().for_each(|via| move_place(&mut via.at));
    }
    extracted.problems.iter_mut().for_each(|problem| move_place(&mut problem.at));
    extracted
}

fn foreign_frontend(image: &str, span: Span) -> Fault {
    Fault {
        span,
        code: ProblemCode::ForeignFrontend,
        message: format!(
            "the frontend {image} reads this file in its own way, so the images in it are not known; use docker/dockerfile"
        ),
    }
}

/// Adds what the builds of one setup use, on every platform.
fn read_all(
    text: &Text<'_>,
    setup: &Setup<'_>,
    given: &[Given<'_>],
    found: &mut Vec<(Place, Found)>,
    budget: &mut Budget,
    faults: &mut Vec<Fault>,
) {
    let last = text.stages.len().saturating_sub(1);
    // Of several stages of one name the last is the target.
    let named = setup.target.and_then(|target| {
        let target = go::lower(target);
        text.stages.iter().rposition(|stage| stage.name.as_deref() == Some(&*target))
    });
    let target = named.unwrap_or(last);
    let seen = read_platforms(text, setup, target, given, budget, faults, |read| merge(found, read));
    if seen.machine || seen.platform {
        faults.extend_from_slice(&setup.platform_faults);
    }
    if seen.stage {
        read_other_targets(text, setup, target, given, found, budget, faults);
    }
}

/// Leaves [`MAX_FAULTS_OF_A_KIND`] faults of one kind, and says how many more
/// there are, with `more` that were not noted.
fn shorten(faults: &mut Vec<Fault>, code: ProblemCode, more: usize) {
    let of_kind = |fault: &Fault| fault.code == code;
    let all = faults.iter().filter(|fault| of_kind(fault)).count() + more;
    if all <= MAX_FAULTS_OF_A_KIND {
        return;
    }
    let mut kept = 0;
    faults.retain(|fault| {
        kept += usize::from(of_kind(fault));
        !of_kind(fault) || kept <= MAX_FAULTS_OF_A_KIND
    });
    if let Some(last) = faults.iter_mut().rfind(|fault| of_kind(fault)) {
        let (more, word) =
            (all - MAX_FAULTS_OF_A_KIND, if all == MAX_FAULTS_OF_A_KIND + 1 { "error" } else { "errors" });
        last.message = format!("{}; {more} more {word} in this file not listed", last.message);
    }
}

/// Hands what the builds of a target use to `add`, for every pair of platforms
/// that can make a difference; what they looked at.
fn read_platforms(
    text: &Text<'_>,
    setup: &Setup<'_>,
    target: usize,
    given: &[Given<'_>],
    budget: &mut Budget,
    faults: &mut Vec<Fault>,
    mut add: impl FnMut(Vec<(Place, Found)>),
) -> Seen {
    let mut seen = Seen::default();
    for machine in Build::machines(setup) {
        for platform in Build::targets(setup) {
            let build = Build::new(setup, machine, platform);
            let Some((found, saw)) = read_build(text, build, target, given, budget, faults) else {
                return seen;
            };
            add(found);
            seen |= saw;
            if !saw.platform {
                break;
            }
        }
        if !seen.machine {
            break;
        }
    }
    seen
}

/// What one build of a file uses, and what it looked at; `None` when too much
/// was read already.
fn read_build(
    text: &Text<'_>,
    build: Build<'_>,
    target: usize,
    given: &[Given<'_>],
    budget: &mut Budget,
    faults: &mut Vec<Fault>,
) -> Option<(Vec<(Place, Found)>, Seen)> {
    if !budget.spend_reading(text.instructions()) {
        faults.push(Fault {
            span: Span::default(),
            code: ProblemCode::Limit,
            message: "this file is too long to be evaluated for every way to build it and every platform"
                .to_owned(),
        });
        return None;
    }
    let name = text.stages.get(target).and_then(|stage| stage.name.as_deref()).unwrap_or_default();
    let (mut arguments, refused) = Arguments::evaluate(build, name, &text.declarations, text.escape, budget);
    faults.extend(refused.into_iter().map(|refused| refused_default(text, refused)));
    let mut resolved = stages::resolve(text, target, &mut arguments, budget);
    faults.append(&mut resolved.faults);
    Some((collect(text, &resolved, &arguments, given), arguments.seen))
}

/// Adds what `TARGETSTAGE` makes of the references that the builds of other
/// stages than the target reach. They are not reachable for that.
fn read_other_targets(
    text: &Text<'_>,
    setup: &Setup<'_>,
    target: usize,
    given: &[Given<'_>],
    found: &mut Vec<(Place, Found)>,
    budget: &mut Budget,
    faults: &mut Vec<Fault>,
) {
    // Of several stages of one name the last is the target.
    let mut targets: Vec<(&str, usize)> = Vec::new();
    let most = MAX_TARGETS.min(MAX_TARGET_STAGES / text.stages.len().max(1));
    for (index, stage) in text.stages.iter().enumerate().rev().filter(|(index, _)| *index != target) {
        let Some(name) = &stage.name else { continue };
        let known =
            text.stages[target].name.as_ref() == Some(name) || targets.iter().any(|(one, _)| one == name);
        if known {
            continue;
        }
        if targets.len() == most {
            faults.push(Fault {
                span: stage.span,
                code: ProblemCode::Limit,
                message: format!(
                    "`TARGETSTAGE` is not evaluated for more than {most} stages; write the references out"
                ),
            });
            break;
        }
        targets.push((name, index));
    }
    for (_, target) in targets {
        read_platforms(text, setup, target, given, budget, faults, |mut read| {
            read.retain(|(_, one)| one.reachable);
            for (_, one) in &mut read {
                (one.reachable, one.shipped) = (false, false);
            }
            merge(found, read);
        });
    }
}

fn problem(file: &SourceFile, fault: Fault) -> Problem {
    Problem {
        at: Location { file: file.path().clone(), span: fault.span },
        code: fault.code,
        message: fault.message,
    }
}

fn refused_default(text: &Text<'_>, refused: arguments::Refused) -> Fault {
    let declaration = &text.declarations[refused.declaration];
    let span = declaration.value.as_ref().map_or(declaration.name.span, |value| value.span);
    Fault::lex(span, refused.error)
}

/// Adds what another build found, each place once.
fn merge(found: &mut Vec<(Place, Found)>, more: Vec<(Place, Found)>) {
    if found.is_empty() {
        *found = more;
        return;
    }
    let mut both = std::mem::take(found);
    both.extend(more);
    both.sort_by_key(|(place, _)| *place);
    for (place, next) in both {
        match found.last_mut() {
            Some((last, previous)) if *last == place => previous.merge(next),
            _ => found.push((place, next)),
        }
    }
}

/// What one build uses, in the order of the file.
fn collect(
    text: &Text<'_>,
    resolved: &Resolved,
    arguments: &Arguments<'_>,
    given: &[Given<'_>],
) -> Vec<(Place, Found)> {
    let setup = arguments.setup();
    let mut found: Vec<(Place, Found)> = Vec::new();
    for (index, (stage, resolved)) in text.stages.iter().zip(&resolved.stages).enumerate() {
        let mut add = |place, role, span: Span, reached: bool, target, value: Option<&Value>| {
            let origin = value.and_then(|value| value.origin);
            let place: Place = (index, place, origin.filter(|origin| *origin >= text.declarations.len()));
            let mut entry = Found {
                role,
                shipped: resolved.shipped,
                reachable: resolved.reachable || reached,
                span,
                targets: Vec::new(),
                declarations: Vec::new(),
                origin: None,
            };
            entry.add(target, value);
            match found.last_mut() {
                Some((last, previous)) if *last == place => previous.merge(entry),
                _ => found.push((place, entry)),
            }
        };
        match (&resolved.base, &stage.image, &stage.name) {
            (Base::Image(value), Some(image), _) => {
                let contexts = if value.is_open() { &[] } else { setup.contexts(&value.text) };
                if contexts.is_empty() {
                    let target = uses::target(value, text, arguments, given);
                    add(None, Role::BuildStage, image.span, false, target, Some(value));
                }
                for (target, value) in inputs::members(contexts) {
                    add(None, Role::BuildStage, image.span, false, target, Some(&value));
                }
            }
            (Base::Context, Some(image), Some(name)) => {
                for (target, value) in inputs::members(setup.contexts(name)) {
                    add(None, Role::BuildStage, image.span, false, target, Some(&value));
                }
            }
            _ => {}
        }
        for (number, (command, reads)) in stage.commands.iter().zip(&resolved.commands).enumerate() {
            for (place, (source, read)) in command.sources.iter().zip(&reads.reads).enumerate() {
                let role = match (&command.trigger, source.kind) {
                    (_, instruction::SourceKind::EmptyMount) => continue,
                    (Some(_), instruction::SourceKind::Copy) if source.name.parse::<i64>().is_ok() => {
                        continue;
                    }
                    (Some(_), _) if source.name == "scratch" => continue,
                    (Some(_), _) => Role::Onbuild,
                    (None, instruction::SourceKind::Copy) => Role::CopyFrom,
                    (None, instruction::SourceKind::Mount) => Role::MountFrom,
                };
                if *read == Read::NoImage {
                    continue;
                }
                let (place, reached) = (Some((number, place)), *read == Read::ReachedImage);
                let contexts = setup.contexts(&source.name);
                // A trigger also runs in builds of other files, which have contexts of their own.
                if contexts.is_empty() || role == Role::Onbuild {
                    add(place, role, source.span, reached, uses::literal_target(&source.name), None);
                }
                for (target, value) in inputs::members(contexts) {
                    add(place, role, source.span, reached, target, Some(&value));
                }
            }
        }
    }
    found
}
