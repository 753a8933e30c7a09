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
//! without build arguments.

mod arguments;
mod directive;
mod flags;
mod frontend;
mod glob;
mod go;
mod heredoc;
mod instruction;
mod lex;
mod line;
mod mount;
mod reader;
mod stages;
mod template;
#[cfg(test)]
mod tests;
mod uses;
mod value;

use crate::formats::Extracted;
use crate::formats::Files;
use crate::formats::Format;
use crate::image::Role;
use crate::image::Target;
use crate::source::Location;
use crate::source::Problem;
use crate::source::ProblemCode;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::source::Span;

use self::arguments::Arguments;
use self::arguments::Build;
use self::frontend::Dialect;
use self::lex::Budget;
use self::lex::LexError;
use self::reader::Fault;
use self::reader::Text;
use self::stages::Base;
use self::stages::Read;
use self::stages::Resolved;
use self::uses::Found;

/// How many stages, beside the last, `TARGETSTAGE` is evaluated for. BuildKit
/// knows one at a time; each is a reading of the whole file.
const MAX_TARGETS: usize = 16;
/// How many stages are read together for those, so that a file of many stages
/// is not read many times.
const MAX_TARGET_STAGES: usize = 4096;

/// The format `dockerfile`.
pub struct Dockerfile;

impl Format for Dockerfile {
    fn id(&self) -> &'static str {
        uses::FORMAT
    }

    fn claims(&self, path: &RepoPath) -> bool {
        is_dockerfile_name(path.name())
    }

    fn extract(&self, file: &SourceFile, _files: &mut Files<'_>) -> Extracted {
        extract(file)
    }
}

/// `[Dd]ockerfile*`, `[Cc]ontainerfile*`, `*.[Dd]ockerfile`, `*.containerfile`,
/// each also with `.in` or `.template`; not `.dockerignore`, not Markdown.
fn is_dockerfile_name(name: &str) -> bool {
    const NO_DOCKERFILES: [&str; 4] = [".dockerignore", ".containerignore", ".md", ".markdown"];
    if NO_DOCKERFILES.iter().any(|end| {
        name.len() >= end.len()
            && name.as_bytes()[name.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes())
    }) {
        return false;
    }
    let bare = name.strip_suffix(".in").or_else(|| name.strip_suffix(".template")).unwrap_or(name);
    ["Dockerfile", "dockerfile", "Containerfile", "containerfile"].iter().any(|start| name.starts_with(start))
        || [".Dockerfile", ".dockerfile", ".containerfile"].iter().any(|end| bare.ends_with(end))
}

/// Where a use stands: a stage, and in it its base or a source of a command.
type Place = (usize, Option<(usize, usize)>);

fn extract(file: &SourceFile) -> Extracted {
    let mut extracted = Extracted::default();
    let mut dialect = Dialect::Current;
    if let Some((image, span)) = directive::syntax(file.text()) {
        let target = uses::literal_target(&image);
        dialect = match &target {
            Target::Image(image) => frontend::dialect(image),
            // Nothing can read the file; what it would mean is still told.
            _ => Dialect::Current,
        };
        let mut found = Found {
            role: Role::Frontend,
            shipped: false,
            reachable: true,
            span,
            targets: Vec::new(),
            declarations: Vec::new(),
            origin: None,
        };
        found.add(target, None);
        let text = reader::read("", false);
        extracted.uses.push(found.finish(file, &text));
        if dialect == Dialect::Foreign {
            extracted.problems.push(problem(file, Fault {
                span,
                code: ProblemCode::ForeignFrontend,
                message: format!(
                    "the frontend {image} reads this file in its own way, so the images in it are not known; use docker/dockerfile"
                ),
            }));
            return extracted;
        }
    }
    let mut text = reader::read(file.text(), dialect == Dialect::BeforeHeredocs);
    let mut faults = std::mem::take(&mut text.faults);
    let mut found = Vec::new();
    let mut budget = Budget::default();
    let last = text.stages.len().saturating_sub(1);
    let mut target_seen = false;
    for build in Build::all() {
        let read = read_build(&text, build, last, &mut budget, &mut faults);
        merge(&mut found, read.found);
        target_seen |= read.target_seen;
        if !read.platform_seen {
            break;
        }
    }
    if target_seen {
        read_other_targets(&text, last, &mut found, &mut budget, &mut faults);
    }
    extracted.uses.extend(found.into_iter().map(|(_, found)| found.finish(file, &text)));
    extracted.uses.sort_by_key(|usage| usage.span);
    faults.sort_by(|a, b| a.span.cmp(&b.span).then_with(|| a.message.cmp(&b.message)));
    faults.dedup();
    extracted.problems.extend(faults.into_iter().map(|fault| problem(file, fault)));
    extracted
}

/// What one build of a file uses.
struct BuildRead {
    found: Vec<(Place, Found)>,
    platform_seen: bool,
    target_seen: bool,
}

fn read_build(
    text: &Text,
    build: Build,
    target: usize,
    budget: &mut Budget,
    faults: &mut Vec<Fault>,
) -> BuildRead {
    let name = text.stages.get(target).and_then(|stage| stage.name.as_deref()).unwrap_or_default();
    let (mut arguments, refused) = Arguments::evaluate(build, name, &text.declarations, text.escape, budget);
    faults.extend(refused.into_iter().map(|refused| refused_default(text, refused)));
    let mut resolved = stages::resolve(text, target, &mut arguments, budget);
    faults.append(&mut resolved.faults);
    BuildRead {
        found: collect(text, &resolved, &arguments),
        platform_seen: arguments.platform_seen,
        target_seen: arguments.target_seen,
    }
}

/// Adds what `TARGETSTAGE` makes of the references that the builds of other
/// stages than the last reach. They are not reachable by default for that.
fn read_other_targets(
    text: &Text,
    last: usize,
    found: &mut Vec<(Place, Found)>,
    budget: &mut Budget,
    faults: &mut Vec<Fault>,
) {
    // Of several stages of one name the last is the target.
    let mut targets: Vec<(&str, usize)> = Vec::new();
    let most = MAX_TARGETS.min(MAX_TARGET_STAGES / text.stages.len().max(1));
    for (index, stage) in text.stages[..last].iter().enumerate().rev() {
        let Some(name) = &stage.name else { continue };
        let known =
            text.stages[last].name.as_ref() == Some(name) || targets.iter().any(|(one, _)| one == name);
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
        for build in Build::all() {
            let mut read = read_build(text, build, target, budget, faults);
            read.found.retain(|(_, one)| one.reachable);
            for (_, one) in &mut read.found {
                (one.reachable, one.shipped) = (false, false);
            }
            merge(found, read.found);
            if !read.platform_seen {
                break;
            }
        }
    }
}

fn problem(file: &SourceFile, fault: Fault) -> Problem {
    Problem {
        at: Location { file: file.path().clone(), span: fault.span },
        code: fault.code,
        message: fault.message,
    }
}

fn refused_default(text: &Text, refused: arguments::Refused) -> Fault {
    let declaration = &text.declarations[refused.declaration];
    let span = declaration.value.as_ref().map_or(declaration.name.span, |value| value.span);
    match refused.error {
        LexError::Syntax(message) => Fault::syntax(span, message),
        LexError::Limit(message) => Fault { span, code: ProblemCode::Limit, message },
    }
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
fn collect(text: &Text, resolved: &Resolved, arguments: &Arguments<'_>) -> Vec<(Place, Found)> {
    let mut found = Vec::new();
    for (index, (stage, resolved)) in text.stages.iter().zip(&resolved.stages).enumerate() {
        let mut add = |place: Place, role, span: Span, reached: bool, target, value| {
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
            found.push((place, entry));
        };
        if let (Base::Image(value), Some(image)) = (&resolved.base, &stage.image) {
            let target = uses::target(value, text, arguments);
            add((index, None), Role::BuildStage, image.span, false, target, Some(value));
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
                if *read != Read::NoImage {
                    let target = uses::literal_target(&source.name);
                    let reached = *read == Read::ReachedImage;
                    add((index, Some((number, place))), role, source.span, reached, target, None);
                }
            }
        }
    }
    found
}
