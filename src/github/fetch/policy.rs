//! The policy files in force, from what stands at their paths. Absent is known, or
//! it is a failure.

use std::sync::Arc;

use fromguard_core::day::Day;
use fromguard_core::policy::Circumstances;
use fromguard_core::policy::Diagnostic;
use fromguard_core::policy::Found;
use fromguard_core::policy::Loaded;
use fromguard_core::policy::ORGANISATION_POLICY_PATH;
use fromguard_core::policy::Policies;
use fromguard_core::policy::PolicyFile;
use fromguard_core::policy::REPOSITORY_POLICY_PATH;
use fromguard_core::policy::Scope;
use fromguard_core::policy::Severity;
use fromguard_core::policy::load;
use fromguard_core::source::Content;
use fromguard_core::source::RepoPath;
use fromguard_core::source::SourceFile;
use fromguard_core::source::Span;

use crate::github::app::ORGANISATION_REPOSITORY;
use crate::github::error::Error;
use crate::github::repository::Repository;
use crate::ids::PullNumber;
use crate::ids::RepositoryName;

/// The policies, and what is to be said of them.
pub(super) struct InForce {
    pub(super) in_force: Policies,
    pub(super) organisation_read: bool,
    pub(super) notices: Vec<String>,
}

/// What stands where policies are, and what is known beside.
pub(super) struct Standing<'a> {
    /// The organisation's file; `None` when its repository cannot be seen.
    pub(super) organisation: Option<&'a Content>,
    /// The repository's file, at the tip of the base branch.
    pub(super) repository: &'a Content,
    /// Whether a policy of this organisation was ever read.
    pub(super) organisation_seen: bool,
    /// The pull request that is judged, where it is one.
    pub(super) pull: Option<PullNumber>,
    /// The day of judgement.
    pub(super) day: Day,
}

/// What counts, by what was found.
pub(super) async fn policies(repository: &Repository, standing: Standing<'_>) -> Result<InForce, Error> {
    let RepositoryName { owner, name } = &repository.place().name;
    let circumstances = Circumstances {
        repository: Some((owner.clone(), name.clone())),
        pull_request: standing.pull.map(|pull| pull.0),
    };
    let mut notices = Vec::new();
    let organisation_file = format!("{owner}/{ORGANISATION_REPOSITORY}/{ORGANISATION_POLICY_PATH}");
    let organisation = match standing.organisation {
        Some(content) => found(ORGANISATION_POLICY_PATH, &organisation_file, content),
        None if !standing.organisation_seen => {
            notices.push(format!(
                "The repository {owner}/{ORGANISATION_REPOSITORY} does not exist or this installation does not \
                 cover it: no organisation's policy applies."
            ));
            Found::Absent
        }
        None if repository.github.covers_all(repository.place().installation).await? => Found::Absent,
        None => Found::Unreadable {
            path: organisation_file,
            reason: format!(
                "it was read before, and now the installation does not reach {owner}/{ORGANISATION_REPOSITORY}; \
                 add that repository to the App's installation"
            ),
        },
    };
    let repository = found(REPOSITORY_POLICY_PATH, REPOSITORY_POLICY_PATH, standing.repository);
    let in_force = Policies::load(organisation, repository, standing.day).under(circumstances);
    let organisation_read = matches!(in_force.organisation, PolicyFile::Read(_));
    Ok(InForce { in_force, organisation_read, notices })
}

fn found(path: &str, shown: &str, content: &Content) -> Found {
    match Found::from_content(&RepoPath::new(path), content.clone()) {
        Found::Unreadable { reason, .. } => Found::Unreadable { path: shown.to_owned(), reason },
        other => other,
    }
}

/// Where the policy that this repository's own changes edit is kept.
pub(super) fn path_in(repository: &Repository) -> &'static str {
    if repository.place().name.name == ORGANISATION_REPOSITORY {
        ORGANISATION_POLICY_PATH
    } else {
        REPOSITORY_POLICY_PATH
    }
}

/// The policy file of the head: nothing is judged by it, but it must load.
pub(super) fn proposed(path: RepoPath, content: Content, in_force: &Policies) -> Loaded {
    let load_at = |file| match path.as_str() {
        ORGANISATION_POLICY_PATH => load(file, Scope::Organisation, in_force.day).with_tests(in_force.day),
        _ => in_force.load_proposed(file),
    };
    match Found::from_content(&path, content) {
        Found::File(file) => load_at(file),
        Found::Absent => unreadable(path, "nothing stands there"),
        Found::Unreadable { reason, .. } => unreadable(path, &reason),
    }
}

fn unreadable(path: RepoPath, reason: &str) -> Loaded {
    let diagnostic = Diagnostic {
        severity: Severity::Error,
        span: Span::default(),
        message: format!("this policy cannot be read: {reason}"),
        help: Some("make it a plain UTF-8 text file".to_owned()),
    };
    Loaded { file: Arc::new(SourceFile::new(path, "")), policy: None, diagnostics: vec![diagnostic] }
}
