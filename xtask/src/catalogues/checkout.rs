//! A clone, read at its newest commit by git itself.

use std::process::Command;

use anyhow::Context;
use anyhow::Result;
use anyhow::bail;

pub(super) struct Checkout {
    folder: String,
    from: &'static str,
    licence: &'static str,
    commit: String,
    date: String,
}

impl Checkout {
    pub(super) fn new(folder: &str, from: &'static str, licence: &'static str) -> Result<Checkout> {
        let mut checkout =
            Checkout { folder: folder.to_owned(), from, licence, commit: String::new(), date: String::new() };
        let head = checkout.git(&["log", "-1", "--format=%H %cs"])?;
        let (commit, date) = head.trim().split_once(' ').context("git log has another form")?;
        (checkout.commit, checkout.date) = (commit.to_owned(), date.to_owned());
        Ok(checkout)
    }

    /// What the head of a catalogue says of it, without the braces around.
    pub(super) fn origin(&self) -> String {
        format!(
            "\"from\": \"{}\",\n\"commit\": \"{}\",\n\"date\": \"{}\",\n\"licence\": \"{}\"",
            self.from, self.commit, self.date, self.licence
        )
    }

    /// The names of the files in a folder.
    pub(super) fn names(&self, folder: &str) -> Result<Vec<String>> {
        let names = self.git(&["ls-tree", "--name-only", &format!("HEAD:{folder}")])?;
        Ok(names.lines().map(str::to_owned).collect())
    }

    pub(super) fn file(&self, path: &str) -> Result<String> {
        self.git(&["show", &format!("HEAD:{path}")])
    }

    pub(super) fn git(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new("git").arg("-C").arg(&self.folder).args(arguments).output();
        let output = output.context("git could not be run")?;
        if !output.status.success() {
            bail!("git {} failed in {}", arguments.join(" "), self.folder);
        }
        String::from_utf8(output.stdout).context("git wrote what is not UTF-8")
    }
}
