//! `--online` and `--scans`: judging with what registries and scanners say.

use std::io;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use fromguard_core::report;
use fromguard_core::report::Report;
use fromguard_core::report::Subject;

use crate::clock::Clock;
use crate::config;
use crate::registry::Inquiry;

/// Judges a subject with what registries and a folder of scan results say; without `ask`
/// no registry is asked. Whoever runs the command may see what their own credentials show.
pub(super) fn judge(subject: Subject, ask: bool, scans: Option<&Path>) -> anyhow::Result<Report> {
    let asked = if ask { config::registries_from_environment()? } else { None };
    if ask && asked.is_none() {
        let _ = writeln!(io::stderr(), "warning: FROMGUARD_OFFLINE is set: no registry is asked");
    }
    let offline = asked.is_none();
    if offline && scans.is_none() {
        return Ok(report::judge(subject));
    }
    let mut operator = asked.unwrap_or_default();
    operator.scans = scans.map(Path::to_owned).or(operator.scans);
    let inquiry = Inquiry::new(operator, Clock::system(), Inquiry::BUDGET).map_err(anyhow::Error::msg)?;
    let inquiry = if offline { inquiry.offline() } else { inquiry };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("the runtime did not start")?;
    let judged = runtime.block_on(inquiry.judge(subject, true));
    let (report, _late) = judged.context("judging stopped inside fromguard")?;
    Ok(report)
}
