//! `cargo xtask oracle`: holds fromguard's Dockerfile reader and reference
//! parser against BuildKit's and distribution/reference's own code.
//!
//! Everything here asks the Go program of `tests/oracle` and needs Go; the
//! golden answers that it writes are compared by a plain test of the core,
//! which shares the modules `answer`, `cases`, `references` and `rule`.

mod fuzz;
mod generate;
mod golden;
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
Usage: cargo xtask oracle [--check | --fuzz N [--seed S] | --tree PATH]
       cargo xtask oracle kustomize

  (nothing)          Ask BuildKit about every case of tests/conformance and write its answers beside them
  --check            The same, and fail where the answers on file are others
  --fuzz N           Compare N made-up Dockerfiles; differences are shrunk and kept as cases
  --seed S           What the making starts from (default: 1), printed for every difference
  --tree PATH        Compare every Dockerfile below a folder, or in the HEAD of a git repository
  kustomize          Ask kustomize about its cases of tests/conformance and write its answers beside them";

/// Runs the command.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => golden::write(&mut Program::start()?),
        ["--check"] => golden::check(&mut Program::start()?),
        ["--fuzz", count] => fuzz::run(&mut Program::start()?, number(count)?, 1),
        ["--fuzz", count, "--seed", seed] => fuzz::run(&mut Program::start()?, number(count)?, number(seed)?),
        ["--tree", path] => tree::run(&mut Program::start()?, Path::new(path)),
        ["kustomize"] => kustomize::write(),
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
