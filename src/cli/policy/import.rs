//! `fromguard policy import`: another tool's policy in this language.

use std::path::PathBuf;

use anyhow::bail;
use fromguard_core::import::Imported;
use fromguard_core::import::import;

use crate::cli::Outcome;
use crate::cli::files;
use crate::cli::print;

/// Print another tool's policy in this language: hadolint's trustedRegistries, constraints of
/// gatekeeper, policies of Kyverno, containers' policy.json, build policies of Docker (*.rego).
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file to translate.
    file: PathBuf,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Outcome> {
    match import(files::named_policy(&args.file)?.as_ref()) {
        Imported::Policy(text) => print(&text)?,
        Imported::Refused(why) => bail!("{}: {why}", args.file.display()),
    }
    Ok(Outcome::Pass)
}
