//! `fromguard policy validate`: everything that is wrong with a policy file.

use std::path::PathBuf;

use fromguard_core::policy::REPOSITORY_POLICY_PATH;
use fromguard_core::report;
use fromguard_core::report::Style;

use crate::cli::Outcome;
use crate::cli::policy::Reading;
use crate::cli::print;

/// Say everything that is wrong with a policy file, its failing tests too; exit status 2 if it cannot be used.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The policy file.
    #[arg(default_value = REPOSITORY_POLICY_PATH)]
    file: PathBuf,
    #[command(flatten)]
    reading: Reading,
}

pub(super) fn run(args: &Args, style: Style) -> anyhow::Result<Outcome> {
    let loaded = args.reading.load(&args.file)?.with_tests(args.reading.day());
    print(&report::policy_text(&loaded, &args.file.to_string_lossy(), style))?;
    Ok(if loaded.is_broken() { Outcome::Invalid } else { Outcome::Pass })
}
