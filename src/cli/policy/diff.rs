//! `fromguard policy diff`: what an edit of a policy would change.

use std::path::PathBuf;

use fromguard_core::report;
use fromguard_core::report::Style;

use crate::cli::Outcome;
use crate::cli::policy::Reading;
use crate::cli::print;
use crate::local::WorkingTree;

/// Say which uses below a folder change their verdict between two policies, and which exceptions nothing needs then.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The policy as it is.
    old: PathBuf,
    /// The policy as it would be.
    new: PathBuf,
    /// The folder whose image sources are judged by both.
    #[arg(default_value = ".", hide_default_value = true)]
    path: PathBuf,
    #[command(flatten)]
    reading: Reading,
}

pub(super) fn run(args: &Args, style: Style) -> anyhow::Result<Outcome> {
    let Some(old) = args.reading.policies(Some(&args.old), style)? else { return Ok(Outcome::Invalid) };
    let Some(new) = args.reading.policies(Some(&args.new), style)? else { return Ok(Outcome::Invalid) };
    let scanned = WorkingTree::open(&args.path)?.scan();
    print(&report::policy_diff(&scanned, &old, &new).text())?;
    Ok(Outcome::Pass)
}
