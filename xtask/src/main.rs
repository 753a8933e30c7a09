//! `cargo xtask`: runs the tests and refreshes bundled data.

mod catalogues;
mod docker_registry;
mod github_data;
mod oracle;
mod postgres;

use std::env;
use std::path::Path;
use std::process::Command;
use std::process::ExitCode;

use anyhow::Context;
use anyhow::bail;

use crate::postgres::Postgres;

const USAGE: &str = "\
Usage: cargo xtask <COMMAND>

Commands:
  test                          Every test: the core, the shell, the whole bot by conversation, the docs' examples,
                                and what stores once more on a PostgreSQL server that is started for it
  postgres [--durable] COMMAND  Run a command beside a PostgreSQL server of its own, named by FROMGUARD_TEST_POSTGRES_URL
  oracle                        Compare with BuildKit\'s own Dockerfile frontend and with Helm (needs Go); `oracle help` tells how
  catalogues OFFICIAL ENDOFLIFE Refresh crates/core/data from clones of official-images and endoflife.date
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
        Some("postgres") => beside_postgres(&arguments.collect::<Vec<_>>()),
        Some("github-data") => github_data::run(arguments.next().as_deref().map(Path::new)),
        Some("catalogues") => catalogues::run(&arguments.collect::<Vec<_>>()),
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
    let postgres = Postgres::start(false)?;
    let named = [(postgres::URL_VARIABLE, postgres.url.as_str())];
    let extra: Vec<&str> = extra.iter().map(String::as_str).collect();
    cargo(&[&["test", "--locked", "--workspace"], extra.as_slice()].concat(), &named)?;
    println!("\nonce more, with the store in PostgreSQL");
    let again = [named.as_slice(), &[("FROMGUARD_TEST_STORE", "postgres")]].concat();
    cargo(&[&["test", "--locked"], STORING_TESTS, extra.as_slice()].concat(), &again)
}

/// The tests that run on SQLite and on PostgreSQL: those of the library, whose store's are
/// among them, and the whole App's.
const STORING_TESTS: &[&str] = &["--lib", "--test", "conversation*"];

/// Runs a command beside a server.
fn beside_postgres(arguments: &[String]) -> anyhow::Result<()> {
    let (durable, command) = match arguments {
        [flag, command @ ..] if flag == "--durable" => (true, command),
        command => (false, command),
    };
    let [program, arguments @ ..] = command else { bail!("which command?\n\n{USAGE}") };
    let postgres = Postgres::start(durable)?;
    let mut command = Command::new(program);
    command.args(arguments).env(postgres::URL_VARIABLE, &postgres.url);
    let status = command.status().with_context(|| format!("{program} could not be run"))?;
    if !status.success() {
        bail!("{program} failed");
    }
    Ok(())
}

fn needs(program: &str, remedy: &str) -> anyhow::Result<()> {
    let found = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        bail!("`{program}` is needed and was not found; {remedy}");
    }
    Ok(())
}

fn cargo(arguments: &[&str], variables: &[(&str, &str)]) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let status = Command::new(cargo)
        .current_dir(root)
        .args(arguments)
        .envs(variables.iter().copied())
        .status()
        .context("cargo could not be run")?;
    if !status.success() {
        bail!("`cargo {}` failed", arguments.join(" "));
    }
    Ok(())
}
