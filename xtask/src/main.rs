//! `cargo xtask`: runs the tests and refreshes bundled data.

mod docker_registry;
mod github_data;
mod oracle;

use std::env;
use std::path::Path;
use std::process::Command;
use std::process::ExitCode;

use anyhow::Context;
use anyhow::bail;

const USAGE: &str = "\
Usage: cargo xtask <COMMAND>

Commands:
  test                          Every test: the core, the shell, the whole bot by conversation, the docs' examples
  oracle                        Compare with BuildKit\'s own Dockerfile frontend and with Helm (needs Go); `oracle help` tells how
  github-data [NODE_MODULES]    Extract tests/data/github from npm's published packages, or from a folder that holds them

Arguments after `test` go to `cargo test`.";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let mut arguments = env::args().skip(1);
    match arguments.next().as_deref() {
        Some("test") => test(&arguments.collect::<Vec<_>>()),
        Some("github-data") => github_data::run(arguments.next().as_deref().map(Path::new)),
        Some("oracle") => oracle::run(&arguments.collect::<Vec<_>>()),
        Some("help" | "--help" | "-h") => {
            println!("{USAGE}");
            Ok(())
        }
        Some(other) => bail!("there is no command `{other}`\n\n{USAGE}"),
        None => bail!("which command?\n\n{USAGE}"),
    }
}

/// Runs every test. Services and programs that tests need are found first: a
/// missing one fails here, by name, and no test is skipped.
fn test(extra: &[String]) -> anyhow::Result<()> {
    needs("git", "install git: the tests make repositories with it")?;
    docker_registry::need()?;
    cargo(
        &[
            &["test", "--locked", "--workspace"],
            extra.iter().map(String::as_str).collect::<Vec<_>>().as_slice(),
        ]
        .concat(),
    )
}

fn needs(program: &str, remedy: &str) -> anyhow::Result<()> {
    let found = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        bail!("`{program}` is needed and was not found; {remedy}");
    }
    Ok(())
}

fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let status =
        Command::new(cargo).current_dir(root).args(arguments).status().context("cargo could not be run")?;
    if !status.success() {
        bail!("`cargo {}` failed", arguments.join(" "));
    }
    Ok(())
}
