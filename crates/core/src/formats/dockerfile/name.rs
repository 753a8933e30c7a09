//! Which files are Dockerfiles by their names, and which names say that the
//! text may be something else. Reads no text.

/// Names that no build reads as a Dockerfile: ignore lists and Markdown.
const NO_DOCKERFILES: [&str; 3] = [".dockerignore", ".md", ".markdown"];

/// What tools write behind the name of a Dockerfile that is filled in later.
const TEMPLATES: [&str; 5] = [".in", ".template", ".tpl", ".tmpl", ".j2"];

/// Ends of names that belong to another language: `dockerfile_test.go` is a
/// program about Dockerfiles. Whether the text is one decides.
const FOREIGN: [&str; 47] = [
    "adoc", "bash", "bat", "bats", "c", "cc", "cpp", "cs", "css", "csv", "diff", "go", "gradle", "groovy",
    "h", "hcl", "html", "ini", "java", "js", "json", "jsx", "kt", "lock", "log", "lua", "mod", "patch",
    "php", "pl", "ps1", "py", "rb", "rs", "rst", "sh", "sum", "svg", "tf", "toml", "tpl", "ts", "tsx", "txt",
    "xml", "yaml", "yml",
];

/// Podman's ignore list beside a Dockerfile.
const IGNORE_LIST: &str = "containerignore";

/// Ends of names of pictures and archives. A text of such a name is judged like
/// one of [`FOREIGN`]; what cannot be read is what its name says.
const MEDIA: [&str; 14] =
    ["bmp", "bz2", "gif", "gz", "ico", "jpeg", "jpg", "pdf", "png", "tar", "tgz", "webp", "xz", "zip"];

/// `[Dd]ockerfile*`, `[Cc]ontainerfile*`, `*.[Dd]ockerfile`, `*.containerfile`,
/// each also with `.in` or `.template`; not those of [`NO_DOCKERFILES`].
pub(super) fn is_dockerfile(name: &str) -> bool {
    if NO_DOCKERFILES.iter().any(|end| ends_with(name, end)) {
        return false;
    }
    let bare = name.strip_suffix(".in").or_else(|| name.strip_suffix(".template")).unwrap_or(name);
    ["Dockerfile", "dockerfile", "Containerfile", "containerfile"].iter().any(|start| name.starts_with(start))
        || [".Dockerfile", ".dockerfile", ".containerfile"].iter().any(|end| bare.ends_with(end))
}

/// Whether a name ends as the files of another language do, or as a picture's.
pub(super) fn is_foreign(name: &str) -> bool {
    has_end(name, &FOREIGN) || has_end(name, &[IGNORE_LIST]) || is_media(name)
}

/// Whether a name says that the file is no text.
pub(super) fn is_media(name: &str) -> bool {
    has_end(name, &MEDIA)
}

fn has_end(name: &str, ends: &[&str]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| ends.iter().any(|known| known.eq_ignore_ascii_case(end)))
}

/// Whether a name says that the text is a template.
pub(super) fn is_template(name: &str) -> bool {
    TEMPLATES.iter().any(|end| ends_with(name, end))
}

fn ends_with(name: &str, end: &str) -> bool {
    name.len() >= end.len() && name.as_bytes()[name.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_dockerfiles() {
        for name in [
            "Dockerfile",
            "dockerfile",
            "Dockerfile.prod",
            "dockerfile-dev",
            "Containerfile",
            "containerfile.x",
            "a.Dockerfile",
            "a.dockerfile",
            "x.containerfile",
            "Dockerfile.in",
            "a.dockerfile.template",
            "Dockerfile.template",
            "dockerfile_test.go",
            "Dockerfile.json",
            "dockerfile-stages.PNG",
            "Dockerfile.tar.gz",
            "Dockerfile.containerignore",
        ] {
            assert!(is_dockerfile(name), "{name}");
        }
        for name in [
            "Dockerfile.dockerignore",
            ".dockerignore",
            "Dockerfile.md",
            "README.md",
            "DOCKERFILE",
            "docker-compose.yml",
            "x.in",
        ] {
            assert!(!is_dockerfile(name), "{name}");
        }
    }

    #[test]
    fn knows_the_ends_of_other_languages() {
        for name in [
            "dockerfile_test.go",
            "dockerfile-x.lock.YML",
            "Dockerfile.json",
            "Dockerfile.rs",
            "Dockerfile.png",
        ] {
            assert!(is_foreign(name), "{name}");
        }
        assert!(is_media("Dockerfile.PNG") && is_media("dockerfiles.tar.gz") && !is_media("dockerfile.go"));
        for name in
            ["Dockerfile", "go", "Dockerfile.in", "Dockerfile.template", "Dockerfile.prod", "a.go.dockerfile"]
        {
            assert!(!is_foreign(name), "{name}");
        }
    }

    #[test]
    fn knows_templates() {
        assert!(["Dockerfile.in", "a.template", "Dockerfile.TMPL"].into_iter().all(is_template));
        assert!(!["Dockerfile", "Dockerfile.inc", "in"].into_iter().any(is_template));
    }
}
