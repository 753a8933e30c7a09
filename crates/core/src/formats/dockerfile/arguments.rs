//! The variables that `FROM` sees: platform arguments and the `ARG`s before the
//! first `FROM`.
//!
//! After `buildMetaArgs` in `frontend/dockerfile/dockerfile2llb/convert.go` and
//! `defaultArgs` in `platform.go` of BuildKit 0.34. Defaults are evaluated once,
//! in their order, each seeing the ones before it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::BitOrAssign;

use super::inputs::Setup;
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
pub(super) static PLATFORMS: [Platform; 2] = [Platform::linux("amd64"), Platform::linux("arm64")];

/// A platform that images are built for, or on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Platform {
    os: Cow<'static, str>,
    version: String,
    arch: Cow<'static, str>,
    variant: String,
}

impl Platform {
    const fn linux(arch: &'static str) -> Platform {
        Platform {
            os: Cow::Borrowed("linux"),
            version: String::new(),
            arch: Cow::Borrowed(arch),
            variant: String::new(),
        }
    }

    /// `Parse` of containerd's platforms, `os[(version)]/arch[/variant]`; `None`
    /// for what is no platform, or leaves something to the machine.
    pub(super) fn parse(text: &str) -> Option<Platform> {
        let lower = text.to_ascii_lowercase();
        let mut parts = lower.split('/');
        let (os, arch, variant) = (parts.next()?, parts.next()?, parts.next());
        let valid = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        };
        let (os, version) = match os.strip_suffix(')').and_then(|os| os.split_once('(')) {
            Some((os, version)) => (os, version),
            None => (os, ""),
        };
        if parts.next().is_some() || ![os, arch].into_iter().chain(variant).all(valid) {
            return None;
        }
        let os = if os == "macos" { "darwin" } else { os };
        let full = variant.is_some();
        let (arch, variant) = match (arch, variant.unwrap_or_default()) {
            ("i386", _) => ("386", String::new()),
            ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", String::new()),
            ("x86_64" | "x86-64", variant) => ("amd64", variant.to_owned()),
            ("aarch64" | "arm64", "8" | "v8" | "v8.0") => ("arm64", "v8".to_owned()),
            ("aarch64" | "arm64", "9" | "9.0" | "v9.0") => ("arm64", "v9".to_owned()),
            ("aarch64", variant) => ("arm64", variant.to_owned()),
            ("armhf", _) => ("arm", if full { "v7" } else { "" }.to_owned()),
            ("armel", _) => ("arm", "v6".to_owned()),
            ("arm", variant @ ("5" | "6" | "7" | "8")) => ("arm", format!("v{variant}")),
            (arch, variant) => (arch, variant.to_owned()),
        };
        Some(Platform {
            os: Cow::Owned(os.to_owned()),
            version: version.to_owned(),
            arch: Cow::Owned(arch.to_owned()),
            variant,
        })
    }

    /// `Format`, and with the version `FormatAll`.
    fn format(&self, version: bool) -> String {
        let mut text = self.os.to_string();
        if version && !self.version.is_empty() {
            text.push_str(&format!("({})", self.version));
        }
        for part in [&*self.arch, &self.variant] {
            if !part.is_empty() {
                text.push('/');
                text.push_str(part);
            }
        }
        text
    }
}

/// One way to build a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Build<'b> {
    build: &'b Platform,
    target: &'b Platform,
    /// What it is given; nothing when the file is built alone.
    pub(super) setup: &'b Setup<'b>,
}

impl<'b> Build<'b> {
    /// What a file is given, on a machine for a target.
    pub(super) fn new(setup: &'b Setup<'b>, build: &'b Platform, target: &'b Platform) -> Build<'b> {
        Build { build, target, setup }
    }

    /// The platforms of machines that build, the common one first: the two that
    /// every file is evaluated for, and those that are given.
    pub(super) fn machines(setup: &'b Setup<'b>) -> impl Iterator<Item = &'b Platform> {
        PLATFORMS.iter().chain(&setup.platforms)
    }

    /// The platforms to build for: those that are given, or the two.
    pub(super) fn targets(setup: &'b Setup<'b>) -> &'b [Platform] {
        if setup.platforms.is_empty() { &PLATFORMS } else { &setup.platforms }
    }
}

/// The arguments that every build has, whatever the file declares.
const PREDEFINED: [&str; 11] = [
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDOSVERSION",
    "BUILDARCH",
    "BUILDVARIANT",
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETOSVERSION",
    "TARGETARCH",
    "TARGETVARIANT",
    "TARGETSTAGE",
];

enum State {
    Set(Value),
    Unset(Hole),
}

/// The variables of one build.
pub(super) struct Arguments<'t> {
    build: Build<'t>,
    target_stage: &'t str,
    variables: HashMap<&'t str, State>,
    /// Names that nothing declares, as [`Hole::Undeclared`] counts them.
    undeclared: Vec<String>,
    /// What was looked at so far.
    pub(super) seen: Seen,
}

/// Which predefined arguments something looked at: builds that differ only in
/// others are the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// `BUILDPLATFORM` and its parts.
    pub(super) machine: bool,
    /// `TARGETPLATFORM` and its parts.
    pub(super) platform: bool,
    /// `TARGETSTAGE`.
    pub(super) stage: bool,
}

impl BitOrAssign for Seen {
    fn bitor_assign(&mut self, other: Seen) {
        self.machine |= other.machine;
        self.platform |= other.platform;
        self.stage |= other.stage;
    }
}

/// A default that could not be evaluated.
pub(super) struct Refused {
    pub(super) declaration: usize,
    pub(super) error: LexError,
}

impl<'t> Arguments<'t> {
    /// Evaluates the declarations for one build.
    pub(super) fn evaluate(
        build: Build<'t>,
        target_stage: &'t str,
        declarations: &'t [Declaration<'t>],
        escape: u8,
        budget: &mut Budget,
    ) -> (Arguments<'t>, Vec<Refused>) {
        let mut arguments = Arguments {
            build,
            target_stage,
            variables: HashMap::with_capacity(declarations.len()),
            undeclared: Vec::new(),
            seen: Seen::default(),
        };
        let mut refused = Vec::new();
        for (index, declaration) in declarations.iter().enumerate() {
            let name = &*declaration.name.text;
            if let Some(given) = arguments.given(name) {
                arguments.variables.insert(name, given);
                continue;
            }
            let Some(default) = &declaration.value else {
                if !PREDEFINED.contains(&name) {
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

    /// What the build is given.
    pub(super) fn setup(&self) -> &'t Setup<'t> {
        self.build.setup
    }

    /// What the build is given for an argument.
    fn given(&self, name: &str) -> Option<State> {
        Some(match self.build.setup.argument(name)? {
            Ok(value) => State::Set(value),
            Err(index) => State::Unset(Hole::Given(index)),
        })
    }

    /// The value of a predefined argument.
    fn platform(&self, name: &str) -> Option<String> {
        let (build, target) = (self.build.build, self.build.target);
        let stage = if self.target_stage.is_empty() { "default" } else { self.target_stage };
        Some(match name {
            "BUILDPLATFORM" => build.format(false),
            "BUILDOS" => build.os.to_string(),
            "BUILDOSVERSION" => build.version.clone(),
            "BUILDARCH" => build.arch.to_string(),
            "BUILDVARIANT" => build.variant.clone(),
            "TARGETPLATFORM" => target.format(true),
            "TARGETOS" => target.os.to_string(),
            "TARGETOSVERSION" => target.version.clone(),
            "TARGETARCH" => target.arch.to_string(),
            "TARGETVARIANT" => target.variant.clone(),
            "TARGETSTAGE" => stage.to_owned(),
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
        if let Some(name) = PREDEFINED.into_iter().find(|known| *known == name) {
            // The two that every file is evaluated for differ in the architecture only.
            let differs = !self.build.setup.platforms.is_empty()
                || matches!(name, "BUILDPLATFORM" | "BUILDARCH" | "TARGETPLATFORM" | "TARGETARCH");
            match name {
                "TARGETSTAGE" => self.seen.stage = true,
                _ if name.starts_with("BUILD") => self.seen.machine |= differs,
                _ => self.seen.platform |= differs,
            }
            if !self.variables.contains_key(name) {
                let state = self.given(name).unwrap_or_else(|| {
                    State::Set(Value { text: self.platform(name).unwrap_or_default(), ..Value::default() })
                });
                self.variables.insert(name, state);
            }
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
