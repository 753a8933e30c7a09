//! Policy files that the command line names.

use std::fs;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use anyhow::bail;
use fromguard_core::day::Day;
use fromguard_core::policy::Diagnostic;
use fromguard_core::policy::Found;
use fromguard_core::policy::Loaded;
use fromguard_core::policy::Policies;
use fromguard_core::policy::Severity;
use fromguard_core::source::Content;
use fromguard_core::source::RepoPath;
use fromguard_core::source::SourceFile;
use fromguard_core::source::Span;

use crate::clock::Clock;

/// Reads a policy file that was named; its links are followed.
pub(super) fn named_policy(path: &Path) -> anyhow::Result<Arc<SourceFile>> {
    let bytes = fs::read(path).with_context(|| format!("the policy {} cannot be read", path.display()))?;
    match Found::from_content(&shown(path), Content::from_bytes(bytes)) {
        Found::File(file) => Ok(file),
        Found::Unreadable { reason, .. } => {
            bail!("the policy {} cannot be read: it is {reason}", path.display())
        }
        Found::Absent => bail!("the policy {} does not exist", path.display()),
    }
}

/// The policy file that a change proposes. One that cannot be read is one that
/// does not load.
pub(super) fn proposed_policy(policies: &Policies, path: &RepoPath, content: Content) -> Option<Loaded> {
    match Found::from_content(path, content) {
        Found::Absent => None,
        Found::File(file) => Some(policies.load_proposed(file)),
        Found::Unreadable { reason, .. } => Some(Loaded {
            file: Arc::new(SourceFile::new(path.clone(), "")),
            policy: None,
            diagnostics: vec![Diagnostic {
                severity: Severity::Error,
                span: Span::new(0, 0),
                message: format!("the file cannot be read: it is {reason}"),
                help: Some("make it a file of UTF-8 text".to_owned()),
            }],
        }),
    }
}

/// A day of the calendar that an option names.
pub(super) fn day(text: &str) -> Result<Day, String> {
    Day::parse(text).ok_or_else(|| format!("{text:?} is not a day such as 2027-01-31"))
}

/// Today, in UTC.
pub(super) fn today() -> Day {
    Day::from_unix_ms(Clock::system().now_ms())
}

/// The path of a named file as results show it: relative to where the command
/// runs, since a path in a result has no root.
fn shown(path: &Path) -> RepoPath {
    let relative = match (path.is_absolute(), std::env::current_dir()) {
        (true, Ok(here)) => relative_to(&here, path),
        _ => path.to_owned(),
    };
    RepoPath::new(&relative.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/"))
}

fn relative_to(here: &Path, path: &Path) -> PathBuf {
    let here: Vec<Component<'_>> = here.components().collect();
    let there: Vec<Component<'_>> = path.components().collect();
    let shared = here.iter().zip(&there).take_while(|(a, b)| a == b).count();
    let up = here[shared..].iter().map(|_| Component::ParentDir);
    up.chain(there[shared..].iter().copied()).collect()
}

/// Whether a file lies outside a folder, its links followed.
pub(super) fn is_outside(file: &Path, folder: &Path) -> bool {
    match (file.canonicalize(), folder.canonicalize()) {
        (Ok(file), Ok(folder)) => !file.starts_with(folder),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_beside_where_the_command_runs_is_shown_with_the_way_to_it() {
        let relative = relative_to(Path::new("/a/b"), Path::new("/a/c/p.yml"));
        assert_eq!(relative, Path::new("../c/p.yml"));
        assert_eq!(relative_to(Path::new("/a/b"), Path::new("/a/b/p.yml")), Path::new("p.yml"));
    }
}
