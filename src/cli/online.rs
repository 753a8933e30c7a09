//! `--online`: judging with what registries say.

use std::io;
use std::io::Write;

use anyhow::Context;
use fromguard_core::report;
use fromguard_core::report::Report;
use fromguard_core::report::Subject;

use crate::clock::Clock;
use crate::config;
use crate::registry::Inquiry;

/// Judges a subject, asking who may be asked. Whoever runs the command may see
/// what their own credentials show.
pub(super) fn judge(subject: Subject) -> anyhow::Result<Report> {
    let Some(operator) = config::registries_from_environment()? else {
        let _ = writeln!(io::stderr(), "warning: FROMGUARD_OFFLINE is set: no registry is asked");
        return Ok(report::judge(subject));
    };
    let inquiry = Inquiry::new(operator, Clock::system(), Inquiry::BUDGET).map_err(anyhow::Error::msg)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("the runtime did not start")?;
    let judged = runtime.block_on(inquiry.judge(subject, true));
    let (report, _late) = judged.context("judging stopped inside fromguard")?;
    Ok(report)
}
