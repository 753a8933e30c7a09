//! What a build is given beside the file: build arguments, named contexts,
//! platforms, a target. Other formats name these; they add to what a file says
//! alone and take nothing away, since anybody can build it alone.
//!
//! After `buildMetaArgs` in `frontend/dockerfile/dockerfile2llb/convert.go` and
//! `frontend/dockerui/{config,namedcontext}.go` of BuildKit 0.34, and `Parse` of
//! `github.com/containerd/platforms`.

use std::collections::HashMap;

use crate::image::ImageRef;
use crate::image::Target;
use crate::source::Location;
use crate::source::ProblemCode;
use crate::source::Span;

use super::arguments;
use super::arguments::Platform;
use super::instruction;
use super::reader::Fault;
use super::reader::Text;
use super::value::Value;

/// How many ways to build one file are evaluated: each is a reading of the file.
pub(super) const MAX_BUILDS: usize = 32;
/// How many platforms of one of them: every pair of two may be a reading.
pub(super) const MAX_PLATFORMS: usize = 16;

/// One way in which somebody builds a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Build arguments; of two with one name the last counts.
    pub arguments: Vec<Argument>,
    /// Named contexts.
    pub contexts: Vec<Context>,
    /// Platforms to build for: `linux/arm64`, or `local` for the machine's own;
    /// those that a file is evaluated for anyway when there are none.
    pub platforms: Vec<String>,
    /// The stage to build; the last one when there is none of that name.
    pub target: Option<String>,
}

/// A build argument.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Its value; `None` when one is given and not known.
    pub value: Option<String>,
    /// Where the value stands.
    pub at: Option<Location>,
}

/// A named context.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Its name, that of an image or of a stage.
    pub name: String,
    /// What it is: `docker-image://alpine:3`, a folder, an address.
    pub source: String,
    /// Where that stands.
    pub at: Option<Location>,
}

/// An argument or context that contributes to a value.
#[derive(Debug)]
pub(super) struct Given<'i> {
    pub(super) name: &'i str,
    /// What it is, for people.
    pub(super) what: String,
    pub(super) at: Option<&'i Location>,
    /// The first `ARG` that declares it.
    pub(super) declaration: Option<usize>,
}

/// [`Inputs`], made ready for one file.
#[derive(Debug, Default)]
pub(super) struct Setup<'i> {
    /// By name: the index of a [`Value`]'s uses, and the value.
    arguments: HashMap<&'i str, (usize, Option<&'i str>)>,
    /// By name without platform: the same, and the image if it is one.
    contexts: HashMap<&'i str, Vec<(usize, Option<Target>)>>,
    pub(super) platforms: Vec<Platform>,
    /// What of the platforms is not evaluated, which matters to a file that
    /// looks at them.
    pub(super) platform_faults: Vec<Fault>,
    pub(super) target: Option<&'i str>,
}

/// Makes inputs ready for a file, and numbers what they give.
pub(super) fn prepare<'i>(inputs: &'i [Inputs], text: &Text<'_>) -> (Vec<Given<'i>>, Vec<Setup<'i>>) {
    let mut declared: HashMap<&str, usize> = HashMap::new();
    if !inputs.is_empty() {
        for (index, declaration) in text.declarations.iter().enumerate() {
            declared.entry(&*declaration.name.text).or_insert(index);
        }
    }
    let mut given = Vec::new();
    let mut setups = Vec::new();
    for inputs in inputs.iter().take(MAX_BUILDS) {
        let mut setup = Setup { target: inputs.target.as_deref(), ..Setup::default() };
        for argument in &inputs.arguments {
            let name = argument.name.as_str();
            let index = text.declarations.len() + given.len();
            setup.arguments.insert(name, (index, argument.value.as_deref()));
            let (what, at) = (format!("build argument `{name}`"), argument.at.as_ref());
            given.push(Given { name, what, at, declaration: declared.get(name).copied() });
        }
        for context in &inputs.contexts {
            // One for a platform only counts for every platform: it adds a member.
            let name = match context.name.rsplit_once("::") {
                Some((name, platform)) if !platform.contains(']') => name,
                _ => &context.name,
            };
            let index = text.declarations.len() + given.len();
            setup.contexts.entry(name).or_default().push((index, context_image(&context.source)));
            let (what, at) = (format!("named context `{}`", context.name), context.at.as_ref());
            given.push(Given { name, what, at, declaration: None });
        }
        setup.add_platforms(&inputs.platforms);
        setups.push(setup);
    }
    (given, setups)
}

/// The images that contexts are, each as a value that says where it is given.
pub(super) fn members(contexts: &[(usize, Option<Target>)]) -> impl Iterator<Item = (Target, Value)> {
    contexts.iter().filter_map(|(index, target)| {
        let value = Value { uses: vec![*index], origin: Some(*index), ..Value::default() };
        Some((target.clone()?, value))
    })
}

/// The image that a context is, if it is one: `docker-image:` and a reference.
fn context_image(source: &str) -> Option<Target> {
    let reference = source.strip_prefix("docker-image:")?;
    let reference = reference.strip_prefix("//").unwrap_or(reference);
    (reference != "scratch").then(|| Target::parse(reference))
}

impl Setup<'_> {
    fn add_platforms(&mut self, texts: &[String]) {
        for text in texts {
            let platforms = match text.as_str() {
                // `Parse` in util/platformutil of buildx: the machine's own.
                "local" => arguments::PLATFORMS.to_vec(),
                _ => Platform::parse(text).into_iter().collect(),
            };
            if platforms.is_empty() {
                self.platform_faults.push(Fault::syntax(
                    Span::default(),
                    format!(
                        "the platform `{}` is not known: write it as `os/arch`",
                        instruction::shortened(text)
                    ),
                ));
            }
            for platform in platforms {
                if !self.platforms.contains(&platform) {
                    self.platforms.push(platform);
                }
            }
            if self.platforms.len() > MAX_PLATFORMS {
                self.platforms.truncate(MAX_PLATFORMS);
                self.platform_faults.push(Fault {
                    span: Span::default(),
                    code: ProblemCode::Limit,
                    message: format!(
                        "this file depends on the platform, and more than {MAX_PLATFORMS} for one build are not evaluated"
                    ),
                });
                return;
            }
        }
    }

    /// The value of an argument: known, or the index of one that is not.
    pub(super) fn argument(&self, name: &str) -> Option<Result<Value, usize>> {
        let (index, text) = self.arguments.get(name)?;
        Some(match text {
            None => Err(*index),
            Some(text) => Ok(Value {
                text: (*text).to_owned(),
                uses: vec![*index],
                origin: (!text.is_empty()).then_some(*index),
                ..Value::default()
            }),
        })
    }

    /// The contexts that stand for a stage or image of this name, by
    /// `NamedContext` of config.go.
    pub(super) fn contexts(&self, name: &str) -> &[(usize, Option<Target>)] {
        if self.contexts.is_empty() || ["scratch", "context"].iter().any(|no| no.eq_ignore_ascii_case(name)) {
            return &[];
        }
        let Ok(image) = ImageRef::parse(name) else { return &[] };
        self.contexts.get(familiar(&image).as_str()).map_or(&[], Vec::as_slice)
    }
}

/// `FamiliarString` of distribution/reference, without `:latest` at its end.
fn familiar(image: &ImageRef) -> String {
    let name = image.to_string();
    let name = name.strip_prefix("docker.io/").map_or(name.as_str(), |name| {
        name.strip_prefix("library/").filter(|rest| !rest.contains('/')).unwrap_or(name)
    });
    name.strip_suffix(":latest").unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// reference_test.go, TestFamiliar…; config.go, NamedContext.
    #[test]
    fn contexts_are_found_by_familiar_names() {
        let of = |text: &str| familiar(&ImageRef::parse(text).expect("a reference"));
        assert_eq!(of("docker.io/library/busybox:latest"), "busybox");
        assert_eq!(of("busybox:1"), "busybox:1");
        assert_eq!(of("a/b"), "a/b");
        assert_eq!(of("docker.io/library/a/b"), "library/a/b");
        assert_eq!(of("ghcr.io/a/b:latest"), "ghcr.io/a/b");
    }

    #[test]
    fn knows_which_contexts_are_images() {
        let image = |text: &str| Some(Target::parse(text));
        assert_eq!(context_image("docker-image://alpine:3"), image("alpine:3"));
        assert_eq!(context_image("docker-image:alpine:3"), image("alpine:3"));
        for none in ["docker-image://scratch", "./folder", "https://example.com/x.git", "oci-layout:x"] {
            assert_eq!(context_image(none), None, "{none}");
        }
    }
}
