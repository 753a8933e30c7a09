//! What an App needs, as `app-manifest/manifest.json` says it, and what is lost without each.

use serde::Deserialize;

use crate::github::inspect::Permissions;

/// The file that an App is made from.
const MANIFEST: &str = include_str!("../../app-manifest/manifest.json");

/// The part of it that GitHub can be held to.
#[derive(Debug, Deserialize)]
pub(super) struct Manifest {
    #[serde(rename = "default_permissions")]
    pub(super) permissions: Permissions,
    #[serde(rename = "default_events")]
    pub(super) events: Vec<String>,
}

impl Manifest {
    pub(super) fn bundled() -> Manifest {
        serde_json::from_str(MANIFEST).expect("the manifest is tested to be of this form")
    }

    /// What is wanted and not granted, with the level that is wanted.
    pub(super) fn missing<'a>(&'a self, granted: &Permissions) -> Vec<(&'a str, &'a str)> {
        let short = |(name, level): &(&String, &String)| rank(granted.get(*name)) < rank(Some(level));
        let wanted = self.permissions.iter().filter(short);
        wanted.map(|(name, level)| (name.as_str(), level.as_str())).collect()
    }

    /// What is granted and not wanted, or not as high.
    pub(super) fn excess<'a>(&self, granted: &'a Permissions) -> Vec<(&'a str, &'a str)> {
        let over = |(name, level): &(&String, &String)| rank(Some(level)) > rank(self.permissions.get(*name));
        let granted = granted.iter().filter(over);
        granted.map(|(name, level)| (name.as_str(), level.as_str())).collect()
    }
}

fn rank(level: Option<&String>) -> u8 {
    match level.map(String::as_str) {
        None => 0,
        Some("read") => 1,
        Some("write") => 2,
        Some(_) => 3,
    }
}

/// A permission or an event as GitHub's pages call it: `Merge queues`.
pub(super) fn title(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A level as GitHub's pages call it.
pub(super) fn level_title(level: &str) -> &'static str {
    if level == "read" { "Read-only" } else { "Read and write" }
}

/// What does not work without a permission.
pub(super) fn lost_without_permission(name: &str) -> &'static str {
    match name {
        "checks" => "no result can be posted",
        "contents" => "no file and no policy can be read",
        "members" => "an approval by a member of a team settles no review",
        "merge_queues" => "GitHub does not ask for a merge group's check, and a merge queue waits for ever",
        "pull_requests" => "pull requests cannot be read or commented on",
        _ => "fromguard does not work",
    }
}

/// What goes unnoticed without an event.
pub(super) fn lost_without_event(name: &str) -> &'static str {
    match name {
        "check_run" => "\"Re-run\" and \"Re-check\" do nothing",
        "check_suite" => "\"Re-run all checks\" does nothing",
        "merge_group" => "a merge queue waits for ever",
        "pull_request" => "pull requests are found late, by the sweep",
        "pull_request_review" => "an approval settles no review",
        "push" => "a change of policy judges nothing again",
        "repository" => "a renamed, transferred or unarchived repository is found late, by the sweep",
        _ => "something goes unnoticed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_and_event_of_the_manifest_says_what_is_lost_without_it() {
        let manifest = Manifest::bundled();
        for name in manifest.permissions.keys().filter(|name| *name != "metadata") {
            assert_ne!(lost_without_permission(name), lost_without_permission("?"), "{name}");
        }
        for name in &manifest.events {
            assert_ne!(lost_without_event(name), lost_without_event("?"), "{name}");
        }
    }

    #[test]
    fn a_lower_level_is_missing_and_a_higher_one_is_excess() {
        let manifest = Manifest::bundled();
        let mut granted = manifest.permissions.clone();
        assert_eq!((manifest.missing(&granted), manifest.excess(&granted)), (vec![], vec![]));
        granted.insert("checks".to_owned(), "read".to_owned());
        granted.insert("contents".to_owned(), "write".to_owned());
        granted.insert("secrets".to_owned(), "read".to_owned());
        granted.remove("merge_queues");
        assert_eq!(manifest.missing(&granted), [("checks", "write"), ("merge_queues", "read")]);
        assert_eq!(manifest.excess(&granted), [("contents", "write"), ("secrets", "read")]);
    }
}
