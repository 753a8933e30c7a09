//! `fromguard policy`: work on a policy file, one file per command.

mod diff;
mod explain;
mod import;
mod schema;
mod test;
mod validate;

use std::path::Path;
use std::path::PathBuf;

use anyhow::bail;
use clap::Subcommand;
use fromguard_core::day::Day;
use fromguard_core::policy;
use fromguard_core::policy::Found;
use fromguard_core::policy::Loaded;
use fromguard_core::policy::Policies;
use fromguard_core::policy::PolicyFile;
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
    Validate(validate::Args),
    Test(test::Args),
    Explain(explain::Args),
    Diff(diff::Args),
    Import(import::Args),
    /// Print the JSON Schema of a policy file, for editors
    Schema,
}

pub(super) fn run(args: &Args, style: Style) -> anyhow::Result<Outcome> {
    match &args.command {
        Command::Validate(args) => validate::run(args, style),
        Command::Test(args) => test::run(args, style),
        Command::Explain(args) => explain::run(args, style),
        Command::Diff(args) => diff::run(args, style),
        Command::Import(args) => import::run(args),
        Command::Schema => schema::run(),
    }
}

/// How a policy file is to be read.
#[derive(Debug, clap::Args)]
struct Reading {
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

impl Reading {
    fn day(&self) -> Day {
        self.as_of.unwrap_or_else(files::today)
    }

    /// One file.
    fn load(&self, file: &Path) -> anyhow::Result<Loaded> {
        let day = self.day();
        let organisation = self.org_policy.as_deref().map(files::named_policy).transpose()?;
        let organisation = organisation.map(|file| policy::load(file, Scope::Organisation, day));
        let scope = match (&organisation, self.organisation) {
            (Some(loaded), _) => Scope::RepositoryUnderOrganisation(loaded.policy.as_ref()),
            (None, true) => Scope::Organisation,
            (None, false) => Scope::Repository,
        };
        Ok(policy::load(files::named_policy(file)?, scope, day))
    }

    /// One file in force, with that of its organisation. What is wrong with either
    /// is printed; then there is nothing.
    fn policies(&self, file: Option<&Path>, style: Style) -> anyhow::Result<Option<Policies>> {
        let found = |file: Option<&Path>| -> anyhow::Result<Found> {
            Ok(file.map(files::named_policy).transpose()?.map_or(Found::Absent, Found::File))
        };
        let own = found(file)?;
        let (organisation, repository) = match self.organisation {
            true => (own, Found::Absent),
            false => (found(self.org_policy.as_deref())?, own),
        };
        let policies = Policies::load(organisation, repository, self.day());
        for file in [&policies.organisation, &policies.repository] {
            if let PolicyFile::Read(loaded) = file
                && loaded.is_broken()
            {
                print(&report::policy_text(loaded, loaded.file.path().as_str(), style))?;
                return Ok(None);
            }
        }
        Ok(Some(policies))
    }
}

/// The policy of the folder that a command runs in, if none is named.
fn default_policy(named: Option<&Path>) -> Option<PathBuf> {
    let usual = Path::new(REPOSITORY_POLICY_PATH);
    named.map(Path::to_owned).or_else(|| usual.is_file().then(|| usual.to_owned()))
}

/// There must be something to judge by.
fn require(policies: &Policies) -> anyhow::Result<()> {
    if policies.loaded().next().is_none() {
        bail!("there is no {REPOSITORY_POLICY_PATH} here; name a policy with --policy or --org-policy");
    }
    Ok(())
}
