//! The real registry that tests of evidence run: Debian's `docker-registry`. Who
//! may install packages gets it installed; everybody else is told its name.

use std::process::Command;

use anyhow::Context;
use anyhow::bail;

const PROGRAM: &str = "docker-registry";

/// Finds the registry, or installs it.
///
/// # Errors
/// When it is not there and cannot be installed.
pub(crate) fn need() -> anyhow::Result<()> {
    if is_there() {
        return Ok(());
    }
    eprintln!("installing {PROGRAM}: the tests of evidence run it");
    let apt = |arguments: &[&str]| -> anyhow::Result<bool> {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        Ok(command.status().context("apt-get could not be run")?.success())
    };
    let installed = apt(&["update", "-qq"])
        .and_then(|_| apt(&["install", "-y", "-qq", "--no-install-recommends", PROGRAM]))
        .unwrap_or(false);
    if !installed || !is_there() {
        bail!(
            "`{PROGRAM}` is needed and was not found; install the Debian package {PROGRAM}, or put the binary of the distribution project into PATH under this name"
        );
    }
    Ok(())
}

fn is_there() -> bool {
    Command::new(PROGRAM).arg("--version").output().is_ok_and(|output| output.status.success())
}
