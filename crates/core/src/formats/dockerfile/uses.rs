//! From a resolved file to image uses: targets, positions, and the places that
//! decided.

use crate::image::ImageRef;
use crate::image::ImageUse;
use crate::image::Partial;
use crate::image::Role;
use crate::image::Stage;
use crate::image::Target;
use crate::image::Via;
use crate::source::Location;
use crate::source::SourceFile;
use crate::source::Span;

use super::arguments::Arguments;
use super::reader::Text;
use super::template;
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
    /// Declarations that the value was put together from.
    pub(super) declarations: Vec<usize>,
    /// The declaration whose default is the beginning of the reference.
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
            Hole::NoDefault(declaration) | Hole::Broken(declaration) => Some(declaration),
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

    /// The use, with its places in `file`.
    pub(super) fn finish(mut self, file: &SourceFile, text: &Text) -> ImageUse {
        self.targets.sort();
        self.targets.dedup();
        self.declarations.sort_unstable();
        self.declarations.dedup();
        self.declarations.truncate(MAX_USES);
        let locate = |span: Span| Location { file: file.path().clone(), span };
        let via = self
            .declarations
            .iter()
            .filter_map(|index| text.declarations.get(*index))
            .map(|declaration| {
                let name = &declaration.name.text;
                match &declaration.value {
                    Some(value) => {
                        Via { at: locate(value.span), what: ["default of `ARG ", name, "`"].concat() }
                    }
                    None => Via {
                        at: locate(declaration.name.span),
                        what: ["`ARG ", name, "` without a default"].concat(),
                    },
                }
            })
            .collect();
        let decided = self
            .origin
            .and_then(|index| text.declarations.get(index))
            .and_then(|declaration| declaration.value.as_ref())
            .map_or(self.span, |value| value.span);
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
            via,
            decided_at: locate(decided),
        }
    }
}

/// What a name without variables stands for.
pub(super) fn literal_target(text: &str) -> Target {
    if template::has_marker(text) {
        return Target::Unresolved { reason: template_reason(text) };
    }
    Target::parse(text)
}

fn template_reason(text: &str) -> String {
    format!("`{text}` holds a template's marker, which is filled in before the build")
}

/// What an expanded `FROM` stands for.
pub(super) fn target(value: &Value, text: &Text, arguments: &Arguments<'_>) -> Target {
    if template::has_marker(&value.text) {
        return Target::Unresolved { reason: template_reason(&value.text) };
    }
    let Some((at, hole)) = value.holes.first() else { return Target::parse(&value.text) };
    let reason = reason(*hole, text, arguments);
    match known_part(&value.text[..*at], &value.text[*at..]) {
        None => Target::Unresolved { reason },
        Some(name) => {
            let complete = name.contains('/');
            match ImageRef::parse(name) {
                Ok(name) => Target::Partial(Partial { name, complete, reason }),
                // No value can make a reference of it.
                Err(error) if complete => {
                    Target::Invalid { text: value.text.clone(), reason: error.to_string() }
                }
                Err(_) => Target::Unresolved { reason },
            }
        }
    }
}

/// The name in front of a tag or digest that is not known: `before` ends where
/// the unknown text begins. `None` when more than the tag or digest is open.
fn known_part<'v>(before: &'v str, after: &str) -> Option<&'v str> {
    if after.contains('/') {
        return None;
    }
    let component = before.rfind('/').map_or(0, |slash| slash + 1);
    let end = match before[component..].find('@') {
        Some(at) => component + at,
        None => component + before[component..].find(':')?,
    };
    Some(&before[..end])
}

fn reason(hole: Hole, text: &Text, arguments: &Arguments<'_>) -> String {
    let name = |index: usize| text.declarations.get(index).map_or("", |declaration| &declaration.name.text);
    match hole {
        Hole::NoDefault(index) => format!("`ARG {}` has no default", name(index)),
        Hole::Broken(index) => format!("the default of `ARG {}` cannot be evaluated", name(index)),
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
