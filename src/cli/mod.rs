//! The command line, one file per command.

pub(crate) mod serve;

use std::process::ExitCode;

/// Runs the command that the arguments name.
#[must_use]
pub fn run() -> ExitCode {
    ExitCode::from(2)
}
