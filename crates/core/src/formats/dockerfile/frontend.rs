//! The image that reads the file: `# syntax=`.
//!
//! `docker/dockerfile` and `docker/dockerfile-upstream` are BuildKit's own
//! frontends in a container; the heredocs of this reader came with their 1.4.
//! Any other image may give every line another meaning.

use crate::image::ImageRef;
use crate::image::Target;

use super::inputs::Argument;
use super::inputs::Inputs;
use super::uses;

/// How a file is read under its frontend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// As this reader reads it.
    Current,
    /// Without heredocs.
    BeforeHeredocs,
    /// Unknown.
    Foreign,
}

/// The first version with heredocs in its stable channel.
const HEREDOC_VERSION: (u64, u64) = (1, 4);

/// The build argument that outranks the file's own choice: `keySyntaxArg` in
/// `frontend/dockerfile/builder/build.go`.
pub(super) const SYNTAX_ARGUMENT: &str = "BUILDKIT_SYNTAX";

/// The frontends that builds are given.
pub(super) fn given(builds: &[Inputs]) -> Vec<(Target, &Argument)> {
    builds
        .iter()
        .flat_map(|build| &build.arguments)
        .filter(|argument| argument.name == SYNTAX_ARGUMENT)
        .map(|argument| match &argument.value {
            Some(value) => {
                (uses::literal_target(value.trim().split(' ').next().unwrap_or_default()), argument)
            }
            None => {
                let reason = format!("the value of the build argument `{SYNTAX_ARGUMENT}` is not known");
                (Target::Unresolved { reason }, argument)
            }
        })
        .collect()
}

/// The dialect of what names a frontend. Nothing can read the file when it is
/// no reference; what it would mean is still told.
pub(super) fn dialect_of(target: &Target) -> Dialect {
    match target {
        Target::Image(image) => dialect(image),
        _ => Dialect::Current,
    }
}

/// The dialect of a frontend image.
pub(super) fn dialect(image: &ImageRef) -> Dialect {
    if image.registry != "docker.io"
        || !matches!(image.repository.as_str(), "docker/dockerfile" | "docker/dockerfile-upstream")
    {
        return Dialect::Foreign;
    }
    let Some(tag) = &image.tag else {
        // A digest alone may be any version.
        return if image.digest.is_some() { Dialect::BeforeHeredocs } else { Dialect::Current };
    };
    // The channel `experimental` ended before 1.4; `labs` took its place.
    if tag.contains("experimental") {
        return Dialect::BeforeHeredocs;
    }
    let mut numbers = tag.split('-').next().unwrap_or("").split('.').map(str::parse::<u64>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) < HEREDOC_VERSION => Dialect::BeforeHeredocs,
        (Some(Ok(major)), _) if major < HEREDOC_VERSION.0 => Dialect::BeforeHeredocs,
        _ => Dialect::Current,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Dialect {
        dialect(&ImageRef::parse(text).expect("a reference"))
    }

    /// extraction.md, "Decisions", 5.
    #[test]
    fn knows_versions_and_channels() {
        for current in [
            "docker/dockerfile",
            "docker/dockerfile:1",
            "docker/dockerfile:1.4",
            "docker/dockerfile:1.10-labs",
            "docker/dockerfile:labs",
            "docker/dockerfile-upstream:master",
            "docker.io/docker/dockerfile:latest",
        ] {
            assert_eq!(of(current), Dialect::Current, "{current}");
        }
        for old in [
            "docker/dockerfile:1.3",
            "docker/dockerfile:1.3-labs",
            "docker/dockerfile:1.0.0-experimental",
            "docker/dockerfile:0.9",
            "docker/dockerfile:experimental",
        ] {
            assert_eq!(of(old), Dialect::BeforeHeredocs, "{old}");
        }
        for foreign in
            ["evil/dockerfile:1", "ghcr.io/docker/dockerfile:1", "docker/dockerfile/x:1", "dockerfile"]
        {
            assert_eq!(of(foreign), Dialect::Foreign, "{foreign}");
        }
    }
}
