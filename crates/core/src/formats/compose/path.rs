//! Where a path of a compose file leads: into the repository, out of it, or to
//! another machine.
//!
//! After `paths/{resolve,context}.go` of compose-go 2.16.

use crate::formats::value::Value;
use crate::source::RepoPath;

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// To this path; `""` is the root of the repository.
    Local(RepoPath),
    /// To an address that is not fetched.
    Remote,
    /// Out of the repository.
    Outside,
    /// It is not known, and why.
    Unknown(String),
}

impl Place {
    pub(super) fn local(self) -> Option<RepoPath> {
        match self {
            Place::Local(path) => Some(path),
            _ => None,
        }
    }

    /// Why what a text leads to is not known, for people.
    pub(super) fn reason(&self, text: &str) -> String {
        match self {
            Place::Local(path) => format!("`{path}` is not followed"),
            Place::Remote => format!("remote: `{text}` is not fetched"),
            Place::Outside => format!("`{text}` leads out of the repository"),
            Place::Unknown(reason) => reason.clone(),
        }
    }
}

/// Where a value leads, seen from a folder.
pub(super) fn place(value: &Value, folder: &str) -> Place {
    match value.reason() {
        Some(reason) => Place::Unknown(reason.to_owned()),
        None if is_remote(value.text()) => Place::Remote,
        None => within(folder, value.text()).map_or(Place::Outside, Place::Local),
    }
}

/// The path that `relative` names in a folder; `None` when it leaves the repository.
pub(super) fn within(folder: &str, relative: &str) -> Option<RepoPath> {
    if relative.starts_with('~') {
        return None;
    }
    // Any file of the folder will do.
    RepoPath::new(&format!("{folder}/_")).beside(relative)
}

/// `isRemoteContext`, and what Compose's loaders of remote files accept.
pub(super) fn is_remote(text: &str) -> bool {
    text.contains("://") || ["github.com/", "git@"].iter().any(|prefix| text.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_where_paths_lead() {
        let leads = |text: &str| place(&Value::known(text), "a/b");
        assert_eq!(leads("."), Place::Local(RepoPath::new("a/b")));
        assert_eq!(leads("../c/x.yml"), Place::Local(RepoPath::new("a/c/x.yml")));
        assert_eq!(leads("../.."), Place::Local(RepoPath::new("")));
        for outside in ["../../..", "/srv/app", "~/app"] {
            assert_eq!(leads(outside), Place::Outside, "{outside}");
        }
        for remote in ["https://example.com/a.git#main", "git@github.com:a/b", "github.com/a/b", "oci://a/b"]
        {
            assert_eq!(leads(remote), Place::Remote, "{remote}");
        }
    }
}
