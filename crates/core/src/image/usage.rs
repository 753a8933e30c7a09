//! A use of an image: where a file names one, in what role, and what it resolves to.

use crate::image::ImageRef;
use crate::image::RefError;
use crate::source::Location;
use crate::source::RepoPath;
use crate::source::Span;

/// One place in one file that makes something pull an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageUse {
    /// The file that holds the reference.
    pub file: RepoPath,
    /// The id of the format that found it, a row of `docs/formats.md`.
    pub format: &'static str,
    /// What the image is used for.
    pub role: Role,
    /// Whether it ends up in what is shipped.
    pub stage: Stage,
    /// The reference as it stands in the file, quotes excluded.
    pub span: Span,
    /// The text of `span`.
    pub raw: String,
    /// Every image that this may be: never empty, distinct, more than one for
    /// a value set (a platform argument, a matrix).
    pub targets: Vec<Target>,
    /// Whether a build or deployment of this file reaches it; what is not
    /// reachable is still judged, unless it is `replaced`.
    pub reachable: bool,
    /// Everything in the repository that deploys this file puts another image in the
    /// place of this one: it is not reachable, and not judged.
    pub replaced: bool,
    /// The places that the value was put together from, in order of evaluation.
    pub via: Vec<Via>,
    /// The place whose edit decides what is pulled: `span` itself, or a `via`.
    pub decided_at: Location,
}

impl ImageUse {
    /// A use that stands in no file: what would be said of it if it did.
    #[must_use]
    pub fn supposed(text: &str, file: RepoPath, role: Role, stage: Stage) -> ImageUse {
        let span = Span::new(0, text.len());
        ImageUse {
            file: file.clone(),
            format: "dockerfile",
            role,
            stage,
            span,
            raw: text.to_owned(),
            targets: vec![Target::parse(text)],
            reachable: true,
            replaced: false,
            via: Vec::new(),
            decided_at: Location { file, span },
        }
    }

    /// Adds what the same place is when it is evaluated in another way.
    pub fn join(&mut self, other: ImageUse) {
        self.targets.extend(other.targets);
        self.targets.sort();
        self.targets.dedup();
        for via in other.via {
            if !self.via.contains(&via) {
                self.via.push(via);
            }
        }
        self.reachable |= other.reachable;
    }
}

/// A place that contributed to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    /// Where.
    pub at: Location,
    /// What stands there, for people: ``default of `ARG TAG` ``.
    pub what: String,
}

/// One member of what a use may resolve to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// Wholly known.
    Image(ImageRef),
    /// Registry and repository are known, the rest is not.
    Partial(Partial),
    /// Not known, and why.
    Unresolved {
        /// For people: ``ARG `BASE` has no default``.
        reason: String,
    },
    /// Known, and not an image reference.
    Invalid {
        /// The text after expansion.
        text: String,
        /// What is wrong with it, for people.
        reason: String,
    },
}

/// A reference whose tag or digest is not known.
///
/// A tag that could hold a `/` is never assumed to be a tag: policy may judge
/// `name` alone only when `complete` is set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Partial {
    /// What is known: registry and repository (and the tag, when only the digest is open).
    pub name: ImageRef,
    /// The text before the variable holds a complete host and repository and
    /// ends in `:` or `@`, so that no value can turn it into another host.
    pub complete: bool,
    /// What is not known, for people: ``ARG `TAG` has no default``.
    pub reason: String,
}

impl Target {
    /// A target from text that is known to the last byte.
    #[must_use]
    pub fn parse(text: &str) -> Target {
        match ImageRef::parse(text) {
            Ok(image) => Target::Image(image),
            Err(error) => Target::invalid(text, &error),
        }
    }

    fn invalid(text: &str, error: &RefError) -> Target {
        Target::Invalid { text: text.to_owned(), reason: error.to_string() }
    }

    /// The word used in JSON: `resolved`, `partial`, `unresolved`, `invalid`.
    ///
    /// A partial reference that is not complete, `node:$TAG`, is `unresolved`:
    /// its known part is worth showing, but may not be what is pulled.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self {
            Target::Image(_) => "resolved",
            Target::Partial(partial) if partial.complete => "partial",
            Target::Partial(_) | Target::Unresolved { .. } => "unresolved",
            Target::Invalid { .. } => "invalid",
        }
    }
}

/// What an image is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// `FROM` of a stage that is not shipped.
    BuildStage,
    /// `FROM` of the stage that is shipped.
    FinalStage,
    /// `COPY --from=`.
    CopyFrom,
    /// `RUN --mount=…,from=`.
    MountFrom,
    /// `# syntax=`: the image that reads the Dockerfile.
    Frontend,
    /// A source in an `ONBUILD` trigger, pulled by the build of a child image.
    Onbuild,
    /// An image that a build is given under a name: `docker-image://`.
    NamedContext,
    /// A container of a workload or of a compose service.
    Container,
    /// A container that runs before the others of its pod.
    InitContainer,
    /// A container that is added to a running pod.
    EphemeralContainer,
    /// A container beside a CI job.
    Service,
    /// `image` beside `build`: what the build is called, and pulled before it is
    /// built unless something says otherwise.
    PullableOutput,
    /// The container that a CI job or step runs in.
    CiJob,
    /// The image of a container action.
    Action,
    /// An image that is mounted as a volume.
    ImageVolume,
    /// An image that a build takes layers from.
    Cache,
    /// An argument of a command: `docker pull`.
    Command,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 17] = [
        Role::BuildStage,
        Role::FinalStage,
        Role::CopyFrom,
        Role::MountFrom,
        Role::Frontend,
        Role::Onbuild,
        Role::NamedContext,
        Role::Container,
        Role::InitContainer,
        Role::EphemeralContainer,
        Role::Service,
        Role::PullableOutput,
        Role::CiJob,
        Role::Action,
        Role::ImageVolume,
        Role::Cache,
        Role::Command,
    ];

    /// The word used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Role::BuildStage => "build-stage",
            Role::FinalStage => "final-stage",
            Role::CopyFrom => "copy-from",
            Role::MountFrom => "mount-from",
            Role::Frontend => "frontend",
            Role::Onbuild => "onbuild",
            Role::NamedContext => "named-context",
            Role::Container => "container",
            Role::InitContainer => "init-container",
            Role::EphemeralContainer => "ephemeral-container",
            Role::Service => "service",
            Role::PullableOutput => "pullable-output",
            Role::CiJob => "ci-job",
            Role::Action => "action",
            Role::ImageVolume => "image-volume",
            Role::Cache => "cache",
            Role::Command => "command",
        }
    }
}

/// Whether a use is part of what is shipped (policy.md, `stages`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The last stage or a named target, what it is built from, and everything
    /// outside Dockerfiles.
    Final,
    /// The rest.
    Build,
}
