//! `fromguard policy`: work on a policy file.

use std::path::PathBuf;

use anyhow::bail;
use clap::Subcommand;
use fromguard_core::import::Imported;
use fromguard_core::import::import;
use fromguard_core::policy;
use fromguard_core::policy::REPOSITORY_POLICY_PATH;
use fromguard_core::policy::Scope;
use fromguard_core::report;
use fromguard_core::report::Style;

use crate::cli::Outcome;
use crate::cli::files;
use crate::cli::print;

/// Work on a policy file.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Validate(Validate),
    Import(Import),
}

/// Say everything that is wrong with a policy file; exit status 2 if it cannot be used.
#[derive(Debug, clap::Args)]
struct Validate {
    /// The policy file.
    #[arg(default_value = REPOSITORY_POLICY_PATH)]
    file: PathBuf,
    /// The file is an organisation's policy, not a repository's.
    #[arg(long)]
    organisation: bool,
    /// The file is a repository's policy under this policy of its organisation.
    #[arg(long, value_name = "FILE", conflicts_with = "organisation")]
    org_policy: Option<PathBuf>,
}

/// Print another tool's policy in this language: hadolint's trustedRegistries, constraints of
/// gatekeeper, policies of Kyverno, containers' policy.json, build policies of Docker (*.rego).
#[derive(Debug, clap::Args)]
struct Import {
    /// The file to translate.
    file: PathBuf,
}

pub(super) fn run(args: &Args, style: Style) -> anyhow::Result<Outcome> {
    match &args.command {
        Command::Validate(args) => validate(args, style),
        Command::Import(args) => translate(args),
    }
}

fn validate(args: &Validate, style: Style) -> anyhow::Result<Outcome> {
    let organisation = args.org_policy.as_deref().map(files::named_policy).transpose()?;
    let organisation = organisation.map(|file| policy::load(file, Scope::Organisation));
    let scope = match (&organisation, args.organisation) {
        (Some(loaded), _) => Scope::RepositoryUnderOrganisation(loaded.policy.as_ref()),
        (None, true) => Scope::Organisation,
        (None, false) => Scope::Repository,
    };
    let loaded = policy::load(files::named_policy(&args.file)?, scope);
    print(&report::policy_text(&loaded, &args.file.to_string_lossy(), style))?;
    Ok(if loaded.is_broken() { Outcome::Invalid } else { Outcome::Pass })
}

fn translate(args: &Import) -> anyhow::Result<Outcome> {
    match import(files::named_policy(&args.file)?.as_ref()) {
        Imported::Policy(text) => print(&text)?,
        Imported::Refused(why) => bail!("{}: {why}", args.file.display()),
    }
    Ok(Outcome::Pass)
}
