//! `fromguard policy schema`: what editors check a policy file by.

use fromguard_core::policy;

use crate::cli::Outcome;
use crate::cli::print;

pub(super) fn run() -> anyhow::Result<Outcome> {
    print(&policy::schema())?;
    Ok(Outcome::Pass)
}
