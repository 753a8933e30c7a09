//! Which files may be compose files by their names, which belong together, and
//! which may decide what another one uses. Reads no text.

use crate::source::RepoPath;

/// What Compose looks for when it is given no file, best first: `DefaultFileNames`
/// in `cli/options.go` of compose-go.
const BASES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/// What a name says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Read alone, or under others that are named with it.
    Alone,
    /// Laid onto the base in its folder whenever Compose is given no file.
    Override,
    /// `compose.prod.yml`: often named behind the base in its folder.
    Variant,
}

/// Whether a file is YAML.
pub(super) fn is_yaml(path: &RepoPath) -> bool {
    stem(&path.name().to_ascii_lowercase()).is_some()
}

/// `(docker-)?compose*.y?ml`, `*.compose.y?ml`, `stack*.yml`, in any case.
pub(super) fn is_compose(path: &RepoPath) -> bool {
    let name = path.name().to_ascii_lowercase();
    let Some(stem) = stem(&name) else { return false };
    stem.starts_with("compose")
        || stem.starts_with("docker-compose")
        || stem.ends_with(".compose")
        || (stem.starts_with("stack") && name.ends_with(".yml"))
}

/// How a file is used beside others.
pub(super) fn kind(path: &RepoPath) -> Kind {
    let name = path.name().to_ascii_lowercase();
    let Some(stem) = stem(&name) else { return Kind::Alone };
    let stem = stem.strip_prefix("docker-").unwrap_or(stem);
    match stem.strip_prefix("compose") {
        Some(".override") => Kind::Override,
        Some(rest) if rest.starts_with(['.', '-', '_']) => Kind::Variant,
        _ => Kind::Alone,
    }
}

/// The files beside this one that it may be laid onto, best first.
pub(super) fn bases(path: &RepoPath) -> impl Iterator<Item = RepoPath> {
    BASES.iter().filter_map(|name| path.beside(name)).filter(move |base| base != path)
}

/// See [`crate::formats::Format::may_depend`].
pub(super) fn may_depend(candidate: &RepoPath, changed: &RepoPath) -> bool {
    let (folder, name) = (candidate.folder(), changed.name());
    let variables = name.starts_with(".env") || name.ends_with(".env");
    if !is_compose(candidate) {
        return variables && changed.folder() == folder;
    }
    let near = is_below(changed.folder(), parent(folder));
    if variables || (is_yaml(changed) && !is_compose(changed)) {
        return near;
    }
    let builds = name.to_ascii_lowercase();
    let is_read = is_compose(changed) || builds.contains("docker") || builds.contains("containerfile");
    is_read && (near || is_below(folder, changed.folder()))
}

/// The folder that holds a folder.
fn parent(folder: &str) -> &str {
    folder.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// Whether `folder` is `other` or lies in it.
fn is_below(folder: &str, other: &str) -> bool {
    other.is_empty()
        || folder.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A name without the end that makes it YAML.
fn stem(name: &str) -> Option<&str> {
    name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_compose_files_by_their_names() {
        for yes in [
            "compose.yml",
            "a/docker-compose.prod.yaml",
            "docker-compose-dev.yml",
            "web.compose.yml",
            "stack.yml",
            "Docker-Compose.YML",
        ] {
            assert!(is_compose(&RepoPath::new(yes)), "{yes}");
        }
        for no in ["stack.yaml", "compose.md", "my-compose.yml", "docker-compose.yml.j2", "common.yml"] {
            assert!(!is_compose(&RepoPath::new(no)), "{no}");
        }
        let kinds = [
            "compose.yml",
            "docker-compose.override.yaml",
            "compose.prod.yml",
            "composer.yml",
            "a.compose.yml",
        ]
        .map(|name| kind(&RepoPath::new(name)));
        assert_eq!(kinds, [Kind::Alone, Kind::Override, Kind::Variant, Kind::Alone, Kind::Alone]);
    }

    #[test]
    fn knows_what_may_decide() {
        let depends =
            |candidate: &str, changed: &str| may_depend(&RepoPath::new(candidate), &RepoPath::new(changed));
        for (candidate, changed) in [
            ("compose.yml", ".env"),
            ("a/compose.yml", "a/prod.env"),
            ("a/compose.yml", "b/common.yml"),
            ("a/b/compose.yml", "compose.yml"),
            ("docker/compose.yml", "Dockerfile"),
            ("compose.yml", "services/web/Dockerfile.dev"),
            ("local.yml", ".env"),
        ] {
            assert!(depends(candidate, changed), "{candidate} {changed}");
        }
        for (candidate, changed) in [
            ("compose.yml", "src/main.rs"),
            ("a/b/compose.yml", "mkdocs.yml"),
            ("a/b/compose.yml", "c/compose.yml"),
            ("a/b/compose.yml", "ab/c/Dockerfile"),
            ("k8s/web.yml", "k8s/db.yml"),
            ("k8s/web.yml", ".env"),
        ] {
            assert!(!depends(candidate, changed), "{candidate} {changed}");
        }
    }
}
