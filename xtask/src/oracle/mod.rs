//! `cargo xtask oracle`: holds fromguard's readers of Dockerfiles, references, compose files,
//! charts and kustomizations against BuildKit's, distribution/reference's, compose-go's, Helm's
//! and kustomize's own code.
//!
//! Everything here asks the Go programs of `tests/oracle` and needs Go; the
//! golden answers that it writes are compared by a plain test of the core,
//! which shares the modules `answer`, `cases`, `charts`, `compose`, `references` and `rule`.

mod compose;
mod fuzz;
mod generate;
mod golden;
mod helm;
mod kustomize;
mod pools;
mod program;
mod random;
mod shrink;
mod tree;

#[path = "../../../crates/core/tests/conformance/answer.rs"]
#[allow(dead_code, reason = "the test of the core uses the rest")]
mod answer;
#[path = "../../../crates/core/tests/conformance/cases.rs"]
#[allow(dead_code, reason = "the test of the core uses the rest")]
mod cases;
#[path = "../../../crates/core/tests/conformance/charts.rs"]
#[allow(dead_code, reason = "the test of the core uses the rest")]
mod charts;
#[path = "../../../crates/core/tests/conformance/compose.rs"]
#[allow(dead_code, reason = "the test of the core uses the rest")]
mod compose_cases;
#[path = "../../../crates/core/tests/conformance/references.rs"]
#[allow(dead_code, reason = "the test of the core uses the rest")]
mod references;
#[path = "../../../crates/core/tests/conformance/rule.rs"]
#[allow(dead_code, reason = "the test of the core uses the rest")]
mod rule;

use std::path::Path;
use std::path::PathBuf;

use anyhow::Context;
use anyhow::bail;

use program::Program;

const USAGE: &str = "\
Usage: cargo xtask oracle [--check | --fuzz N [--seed S] | --tree PATH | --compose-tree PATH]
       cargo xtask oracle kustomize [--check]
       cargo xtask oracle helm [--check]

  (nothing)          Ask BuildKit and Compose about every case of tests/conformance and write the answers beside them
  --check            The same, and fail where the answers on file are others
  --fuzz N           Compare N made-up Dockerfiles; differences are shrunk and kept as cases
  --seed S           What the making starts from (default: 1), printed for every difference
  --tree PATH        Compare every Dockerfile below a folder, or in the HEAD of a git repository
  --compose-tree PATH
                     Compare every compose file below a folder
  kustomize          Ask kustomize about its cases of tests/conformance and write its answers beside them
  kustomize --check  The same, and fail where the answers on file are others
  helm               Render every chart of tests/conformance/helm and write its images beside it
  helm --check       The same, and fail where the images on file are others";

/// Runs the command.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => golden::write(&mut Program::start()?, &mut Program::start_compose()?),
        ["--check"] => golden::check(&mut Program::start()?, &mut Program::start_compose()?),
        ["--compose-tree", path] => compose::tree(&mut Program::start_compose()?, Path::new(path)),
        ["--fuzz", count] => fuzz::run(&mut Program::start()?, number(count)?, 1),
        ["--fuzz", count, "--seed", seed] => fuzz::run(&mut Program::start()?, number(count)?, number(seed)?),
        ["--tree", path] => tree::run(&mut Program::start()?, Path::new(path)),
        ["helm"] => helm::write(),
        ["helm", "--check"] => helm::check(),
        ["kustomize"] => kustomize::write(),
        ["kustomize", "--check"] => kustomize::check(),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        other => bail!("`oracle {}` is not understood\n\n{USAGE}", other.join(" ")),
    }
}

fn number(text: &str) -> anyhow::Result<u64> {
    text.replace('_', "").parse().with_context(|| format!("`{text}` is not a number"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn conformance() -> PathBuf {
    root().join("tests/conformance")
}
