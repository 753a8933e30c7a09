//! The variables that `FROM` sees: platform arguments and the `ARG`s before the
//! first `FROM`.
//!
//! After `buildMetaArgs` in `frontend/dockerfile/dockerfile2llb/convert.go` and
//! `defaultArgs` in `platform.go` of BuildKit 0.34. Defaults are evaluated once,
//! in their order, each seeing the ones before it.

use std::collections::HashMap;
use std::fmt;

use super::lex;
use super::lex::Budget;
use super::lex::Environment;
use super::lex::LexError;
use super::lex::Mode;
use super::lex::Variable;
use super::reader::Declaration;
use super::value::Hole;
use super::value::Value;

/// The platforms that a reference is evaluated for.
pub(super) const PLATFORMS: [Platform; 2] =
    [Platform { os: "linux", arch: "amd64" }, Platform { os: "linux", arch: "arm64" }];

/// A platform that images are built for, or on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Platform {
    os: &'static str,
    arch: &'static str,
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.arch)
    }
}

/// One way to build a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Build {
    pub(super) build: Platform,
    pub(super) target: Platform,
}

impl Build {
    /// Every combination of [`PLATFORMS`], the common one first.
    pub(super) fn all() -> impl Iterator<Item = Build> {
        PLATFORMS
            .into_iter()
            .flat_map(|build| PLATFORMS.into_iter().map(move |target| Build { build, target }))
    }
}

enum State {
    Set(Value),
    Unset(Hole),
}

/// The variables of one build.
pub(super) struct Arguments<'t> {
    build: Build,
    target_stage: &'t str,
    variables: HashMap<&'t str, State>,
    /// Names that nothing declares, as [`Hole::Undeclared`] counts them.
    undeclared: Vec<String>,
    /// Whether anything looked at a platform argument.
    pub(super) platform_seen: bool,
    /// Whether anything looked at the name of the stage that is built.
    pub(super) target_seen: bool,
}

/// A default that could not be evaluated.
pub(super) struct Refused {
    pub(super) declaration: usize,
    pub(super) error: LexError,
}

impl<'t> Arguments<'t> {
    /// Evaluates the declarations for one build.
    pub(super) fn evaluate(
        build: Build,
        target_stage: &'t str,
        declarations: &'t [Declaration],
        escape: u8,
        budget: &mut Budget,
    ) -> (Arguments<'t>, Vec<Refused>) {
        let mut arguments = Arguments {
            build,
            target_stage,
            variables: HashMap::with_capacity(declarations.len()),
            undeclared: Vec::new(),
            platform_seen: false,
            target_seen: false,
        };
        let mut refused = Vec::new();
        for (index, declaration) in declarations.iter().enumerate() {
            let name = declaration.name.text.as_str();
            let Some(default) = &declaration.value else {
                if arguments.platform(name).is_none() {
                    arguments.variables.entry(name).or_insert(State::Unset(Hole::NoDefault(index)));
                }
                continue;
            };
            let mode = Mode::expand(char::from(escape));
            let state = match lex::expand(&default.text, mode, &mut arguments, budget) {
                Ok(mut value) => {
                    if value.origin.is_none() && !value.text.is_empty() {
                        value.origin = Some(index);
                    }
                    // Its own default counts last; an overwritten one is kept.
                    if value.uses.len() >= super::value::MAX_USES {
                        value.uses.remove(0);
                    }
                    value.uses.push(index);
                    State::Set(value)
                }
                Err(error) => {
                    refused.push(Refused { declaration: index, error });
                    State::Unset(Hole::Broken(index))
                }
            };
            arguments.variables.insert(name, state);
        }
        (arguments, refused)
    }

    /// The value of a predefined argument, and its name for good.
    fn platform(&self, name: &str) -> Option<(&'static str, String)> {
        let (build, target) = (self.build.build, self.build.target);
        let stage = if self.target_stage.is_empty() { "default" } else { self.target_stage };
        Some(match name {
            "BUILDPLATFORM" => ("BUILDPLATFORM", build.to_string()),
            "BUILDOS" => ("BUILDOS", build.os.to_owned()),
            "BUILDOSVERSION" => ("BUILDOSVERSION", String::new()),
            "BUILDARCH" => ("BUILDARCH", build.arch.to_owned()),
            "BUILDVARIANT" => ("BUILDVARIANT", String::new()),
            "TARGETPLATFORM" => ("TARGETPLATFORM", target.to_string()),
            "TARGETOS" => ("TARGETOS", target.os.to_owned()),
            "TARGETOSVERSION" => ("TARGETOSVERSION", String::new()),
            "TARGETARCH" => ("TARGETARCH", target.arch.to_owned()),
            "TARGETVARIANT" => ("TARGETVARIANT", String::new()),
            "TARGETSTAGE" => ("TARGETSTAGE", stage.to_owned()),
            _ => return None,
        })
    }

    /// The name behind [`Hole::Undeclared`].
    pub(super) fn undeclared(&self, index: usize) -> &str {
        self.undeclared.get(index).map_or("", String::as_str)
    }
}

impl Environment for Arguments<'_> {
    fn get(&mut self, name: &str) -> Variable<'_> {
        if (name.starts_with("TARGET") || name.starts_with("BUILD"))
            && let Some((name, text)) = self.platform(name)
        {
            self.target_seen |= name == "TARGETSTAGE";
            // Of the others only these differ between the builds of a file.
            self.platform_seen |=
                matches!(name, "BUILDPLATFORM" | "BUILDARCH" | "TARGETPLATFORM" | "TARGETARCH");
            self.variables.entry(name).or_insert_with(|| State::Set(Value { text, ..Value::default() }));
        }
        match self.variables.get(name) {
            Some(State::Set(value)) => Variable::Set(value),
            Some(State::Unset(hole)) => Variable::Unset(*hole),
            None => {
                // The same name twice in a row is the common case.
                if self.undeclared.last().is_none_or(|last| last != name) {
                    self.undeclared.push(name.to_owned());
                }
                Variable::Unset(Hole::Undeclared(self.undeclared.len() - 1))
            }
        }
    }
}
