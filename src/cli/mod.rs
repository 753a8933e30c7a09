//! The command line, one file per command.

mod check;
mod ci;
mod doctor;
mod files;
mod inventory;
mod online;
mod policy;
mod rehearse;
mod scan;
mod serve;

use std::ffi::OsString;
use std::io;
use std::io::IsTerminal;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use clap::Subcommand;
use clap::ValueEnum;
use fromguard_core::report::Style;

/// What a command answers its caller: the contract of `docs/cli.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Nothing is against it.
    Pass,
    /// Policy says no, or something is to be mended.
    Refused,
    /// The policy or the input is wrong.
    Invalid,
}

impl Outcome {
    fn exit_code(self) -> u8 {
        match self {
            Outcome::Pass => 0,
            Outcome::Refused => 1,
            Outcome::Invalid => 2,
        }
    }
}

/// Keeps a repository to trusted container image sources.
#[derive(Debug, Parser)]
#[command(name = "fromguard", version, after_help = EXAMPLES)]
struct Cli {
    /// Colours in text output; `auto` asks the terminal and NO_COLOR.
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    color: Colour,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  fromguard scan                               every image source below this folder
  fromguard scan services --format json        as JSON, for scripts
  fromguard check --base origin/main           judge what this branch changed
  fromguard check --base origin/main --format github   as annotations in GitHub Actions
  fromguard policy validate                    check .github/fromguard.yml
  fromguard policy explain node:24             what the policy says of an image, and why
  fromguard policy import policy.json          another tool's policy in this language
  fromguard rehearse                           a pull request end to end on this machine
  fromguard serve                              the GitHub App, set up by FROMGUARD_ variables
  fromguard doctor --repo acme/shop            whether the App is set up right, and what to do
  fromguard inventory --drifted                what is in use and no longer what it was

Exit status: 0 passed, 1 the policy says no (doctor: something is to be mended), 2 the command line, the policy or the input is wrong.";

#[derive(Debug, Subcommand)]
enum Command {
    Scan(scan::Args),
    Check(check::Args),
    Policy(policy::Args),
    Rehearse(rehearse::Args),
    /// Serve the GitHub App
    Serve(serve::ServeArgs),
    Doctor(doctor::Args),
    Inventory(inventory::Args),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Colour {
    Auto,
    Always,
    Never,
}

impl Colour {
    fn style(self) -> Style {
        // https://no-color.org: set and not empty.
        let unwanted = || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        match self {
            Colour::Always => Style::Coloured,
            Colour::Never => Style::Plain,
            Colour::Auto if io::stdout().is_terminal() && !unwanted() && !dumb() => Style::Coloured,
            Colour::Auto => Style::Plain,
        }
    }
}

/// Runs the command that the program's arguments name.
#[must_use]
pub fn run() -> ExitCode {
    run_with(std::env::args_os())
}

fn run_with(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no mistake; clap says which. A closed pipe is
            // nobody's business.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Outcome::Invalid.exit_code() } else { 0 });
        }
    };
    let style = cli.color.style();
    let result = match &cli.command {
        Command::Scan(args) => scan::run(args, style),
        Command::Check(args) => check::run(args, style),
        Command::Policy(args) => policy::run(args, style),
        Command::Rehearse(args) => rehearse::run(args, style),
        Command::Doctor(args) => doctor::run(args, style),
        Command::Inventory(args) => inventory::run(args),
        Command::Serve(args) => return serve::run(args),
    };
    match result {
        Ok(outcome) => ExitCode::from(outcome.exit_code()),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::from(Outcome::Invalid.exit_code())
        }
    }
}

/// Somebody's text, such as the name of a file, without what a terminal would obey.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Writes a result. That the reader has gone (`| head`) is no error.
fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
