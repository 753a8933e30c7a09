//! Scripts with carets under the images in them.

mod hidden;
mod limits;
mod makefile;
mod options;
mod recipes;
mod syntax;
mod variables;

use crate::formats::Claim;
use crate::formats::Format;
use crate::formats::tests::check;
use crate::source::RepoPath;

use super::Shell;

#[test]
fn scripts_are_known_by_their_names() {
    let claims = |path: &str| Shell.claims(&RepoPath::new(path)) == Claim::Yes;
    for path in [
        "a.sh",
        "x/b.bash",
        "Makefile",
        "gnumakefile",
        "docker.Makefile",
        "rules.mk",
        "Makefile.ci",
        "justfile",
        ".envrc",
    ] {
        assert!(claims(path), "{path}");
    }
    for path in ["a.sh.md", "Makefile.am", "Makefile.in", "sh", "a.py", "makefile.md"] {
        assert!(!claims(path), "{path}");
    }
}

#[test]
fn scripts_around_a_dockerfile_may_build_it() {
    let depends =
        |script: &str, changed: &str| Shell.may_depend(&RepoPath::new(script), &RepoPath::new(changed));
    assert!(depends("Makefile", "a/b/Dockerfile"));
    assert!(depends("a/build.sh", "a/b/Dockerfile"));
    assert!(depends("hack/build.sh", "a/Dockerfile"));
    assert!(!depends("ab/build.sh", "a/Dockerfile"));
    assert!(!depends("c/build.sh", "a/Dockerfile"));
    assert!(!depends("Makefile", "a/main.go"));
}
