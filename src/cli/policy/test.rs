//! `fromguard policy test`: the tests that stand in a policy file.

use std::path::PathBuf;

use fromguard_core::policy::REPOSITORY_POLICY_PATH;
use fromguard_core::report;
use fromguard_core::report::Style;

use crate::cli::Outcome;
use crate::cli::policy::Reading;
use crate::cli::print;

/// Run the tests of a policy file; exit status 2 if one fails or the file cannot be used.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The policy file.
    #[arg(default_value = REPOSITORY_POLICY_PATH)]
    file: PathBuf,
    #[command(flatten)]
    reading: Reading,
}

pub(super) fn run(args: &Args, style: Style) -> anyhow::Result<Outcome> {
    let loaded = args.reading.load(&args.file)?;
    let tests = loaded.policy.as_ref().map(|policy| policy.tests());
    let ran = loaded.with_tests(args.reading.day());
    let shown = args.file.to_string_lossy();
    if ran.is_broken() {
        print(&report::policy_text(&ran, &shown, style))?;
        return Ok(Outcome::Invalid);
    }
    print(&match tests.unwrap_or(0) {
        0 => format!("{shown} has no tests\n"),
        1 => format!("{shown}: 1 test holds\n"),
        tests => format!("{shown}: {tests} tests hold\n"),
    })?;
    Ok(Outcome::Pass)
}
