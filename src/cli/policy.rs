//! `fromguard policy`: work on a policy file.

mod import;

use std::path::PathBuf;

use clap::Subcommand;
use fromguard_core::day::Day;
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
    Import(import::Args),
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
    /// The day, as YYYY-MM-DD in UTC, on which exceptions are to be in force
    /// (today if not given).
    #[arg(long, value_name = "DATE", value_parser = files::day)]
    as_of: Option<Day>,
}

pub(super) fn run(args: &Args, style: Style) -> anyhow::Result<Outcome> {
    match &args.command {
        Command::Validate(args) => validate(args, style),
        Command::Import(args) => import::run(args),
    }
}

fn validate(args: &Validate, style: Style) -> anyhow::Result<Outcome> {
    let day = args.as_of.unwrap_or_else(files::today);
    let organisation = args.org_policy.as_deref().map(files::named_policy).transpose()?;
    let organisation = organisation.map(|file| policy::load(file, Scope::Organisation, day));
    let scope = match (&organisation, args.organisation) {
        (Some(loaded), _) => Scope::RepositoryUnderOrganisation(loaded.policy.as_ref()),
        (None, true) => Scope::Organisation,
        (None, false) => Scope::Repository,
    };
    let loaded = policy::load(files::named_policy(&args.file)?, scope, day).with_tests(day);
    print(&report::policy_text(&loaded, &args.file.to_string_lossy(), style))?;
    Ok(if loaded.is_broken() { Outcome::Invalid } else { Outcome::Pass })
}
