//! From a resolved file to image uses: targets, positions, and the places that
//! decided.

use crate::formats::marker;
use crate::formats::value::open_target;
use crate::image::ImageUse;
use crate::image::Role;
use crate::image::Stage;
use crate::image::Target;
use crate::image::Via;
use crate::source::Location;
use crate::source::SourceFile;
use crate::source::Span;

use super::arguments::Arguments;
use super::inputs::Argument;
use super::inputs::Given;
use super::reader::Text;
use super::value::Hole;
use super::value::MAX_USES;
use super::value::Value;

/// The id of the format.
pub(super) const FORMAT: &str = "dockerfile";

/// What is known about a use, gathered over all builds.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) role: Role,
    pub(super) shipped: bool,
    pub(super) reachable: bool,
    pub(super) span: Span,
    pub(super) targets: Vec<Target>,
    /// What the value was put together from, as [`Value::uses`].
    pub(super) declarations: Vec<usize>,
    /// The one of those that is the beginning of the reference.
    pub(super) origin: Option<usize>,
}

impl Found {
    pub(super) fn add(&mut self, target: Target, value: Option<&Value>) {
        // Room for one: a use seldom has a second, and a file may hold very many uses.
        self.targets.reserve_exact(1);
        self.targets.push(target);
        let Some(value) = value else { return };
        self.origin = self.origin.or(value.origin);
        let open = value.holes.iter().filter_map(|(_, hole)| match hole {
            Hole::NoDefault(index) | Hole::Broken(index) | Hole::Given(index) => Some(index),
            Hole::Undeclared(_) => None,
        });
        self.declarations.extend(value.uses.iter().chain(open));
    }

    /// Takes in what another build found at the same place.
    pub(super) fn merge(&mut self, other: Found) {
        self.shipped |= other.shipped;
        self.reachable |= other.reachable;
        self.origin = self.origin.or(other.origin);
        self.targets.extend(other.targets);
        self.declarations.extend(other.declarations);
    }

    /// The use, with its places in `file` and in those of what is `given`.
    pub(super) fn finish(mut self, file: &SourceFile, text: &Text<'_>, given: &[Given<'_>]) -> ImageUse {
        self.targets.sort();
        self.targets.dedup();
        let known = text.declarations.len();
        let given = |index: usize| index.checked_sub(known).and_then(|index| given.get(index));
        // What is given counts where it is declared.
        self.declarations.sort_unstable_by_key(|index| match given(*index) {
            None => (*index, 0),
            Some(given) => (given.declaration.unwrap_or(0), *index),
        });
        self.declarations.dedup();
        self.declarations.truncate(MAX_USES);
        let locate = |span: Span| Location { file: file.path().clone(), span };
        let places = self.declarations.iter().filter_map(|index| {
            if let Some(given) = given(*index) {
                return Some(Via { at: given.at?.clone(), what: given.what.clone() });
            }
            let declaration = text.declarations.get(*index)?;
            let name = &declaration.name.text;
            Some(match &declaration.value {
                Some(value) => Via { at: locate(value.span), what: ["default of `ARG ", name, "`"].concat() },
                None => Via {
                    at: locate(declaration.name.span),
                    what: ["`ARG ", name, "` without a default"].concat(),
                },
            })
        });
        // One place may give it in several builds: a matrix.
        let mut via: Vec<Via> = Vec::new();
        for place in places {
            if !via.contains(&place) {
                via.push(place);
            }
        }
        let decided = self
            .origin
            .and_then(|index| match given(index) {
                Some(given) => given.at.cloned(),
                None => text.declarations.get(index)?.value.as_ref().map(|value| locate(value.span)),
            })
            .unwrap_or_else(|| locate(self.span));
        ImageUse {
            file: file.path().clone(),
            format: FORMAT,
            role: match self.role {
                Role::BuildStage if self.shipped => Role::FinalStage,
                role => role,
            },
            stage: if self.shipped { Stage::Final } else { Stage::Build },
            span: self.span,
            raw: file.slice(self.span).to_owned(),
            targets: self.targets,
            reachable: self.reachable,
            replaced: false,
            via,
            decided_at: decided,
        }
    }
}

/// Adds an image that reads the file: written in it, or a build argument.
pub(super) fn add_frontend(
    usage: &mut Option<ImageUse>,
    file: &SourceFile,
    span: Span,
    target: Target,
    argument: Option<&Argument>,
) {
    let at = argument.and_then(|argument| argument.at.clone());
    let usage = usage.get_or_insert_with(|| ImageUse {
        file: file.path().clone(),
        format: FORMAT,
        role: Role::Frontend,
        stage: Stage::Build,
        span,
        raw: file.slice(span).to_owned(),
        targets: Vec::new(),
        reachable: true,
        replaced: false,
        via: Vec::new(),
        decided_at: at.clone().unwrap_or_else(|| Location { file: file.path().clone(), span }),
    });
    if !usage.targets.contains(&target) {
        usage.targets.push(target);
        usage.targets.sort();
    }
    if let (Some(argument), Some(at)) = (argument, at) {
        usage.via.push(Via { at, what: format!("build argument `{}`", argument.name) });
    }
}

/// What a name without variables stands for.
pub(super) fn literal_target(text: &str) -> Target {
    if marker::has_marker(text) {
        return Target::Unresolved { reason: marker::reason(text) };
    }
    Target::parse(text)
}

/// What an expanded `FROM` stands for.
pub(super) fn target(
    value: &Value,
    text: &Text<'_>,
    arguments: &Arguments<'_>,
    given: &[Given<'_>],
) -> Target {
    if marker::has_marker(&value.text) {
        return Target::Unresolved { reason: marker::reason(&value.text) };
    }
    let Some((at, hole)) = value.holes.first() else { return Target::parse(&value.text) };
    open_target(&value.text, *at, reason(*hole, text, arguments, given))
}

fn reason(hole: Hole, text: &Text<'_>, arguments: &Arguments<'_>, given: &[Given<'_>]) -> String {
    let name = |index: usize| text.declarations.get(index).map_or("", |declaration| &declaration.name.text);
    match hole {
        Hole::NoDefault(index) => format!("`ARG {}` has no default", name(index)),
        Hole::Broken(index) => format!("the default of `ARG {}` cannot be evaluated", name(index)),
        Hole::Given(index) => {
            let given = index.checked_sub(text.declarations.len()).and_then(|index| given.get(index));
            format!("the value of the build argument `{}` is not known", given.map_or("", |given| given.name))
        }
        Hole::Undeclared(index) => {
            let name = arguments.undeclared(index);
            if text.late_arguments.iter().any(|late| late == name) {
                format!("`ARG {name}` stands behind a FROM, where no FROM sees it")
            } else {
                format!("`{name}` is not set: no `ARG {name}` stands before the first FROM")
            }
        }
    }
}
