//! The policy files in force, from what stands at their paths. Absent is known, or
//! it is a failure.

use std::sync::Arc;

use fromguard_core::policy::Diagnostic;
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
use crate::github::fetch::change::Now;
use crate::github::repository::Repository;

/// The policies, and what is to be said of them.
pub(super) struct InForce {
    pub(super) in_force: Policies,
    pub(super) organisation_read: bool,
    pub(super) notices: Vec<String>,
}

/// What counts, by what was found.
pub(super) async fn policies(
    repository: &Repository,
    now: &Now,
    organisation_policy_seen: bool,
) -> Result<InForce, Error> {
    let owner = &repository.place().name.owner;
    let mut notices = Vec::new();
    let organisation_file = format!("{owner}/{ORGANISATION_REPOSITORY}/{ORGANISATION_POLICY_PATH}");
    let organisation = match &now.organisation_policy {
        Some(content) => {
            policy_file(ORGANISATION_POLICY_PATH, &organisation_file, content, Scope::Organisation)
        }
        None if !organisation_policy_seen => {
            notices.push(format!(
                "The repository {owner}/{ORGANISATION_REPOSITORY} does not exist or this installation does not \
                 cover it: no organisation's policy applies."
            ));
            PolicyFile::Absent
        }
        None if repository.github.covers_all(repository.place().installation).await? => PolicyFile::Absent,
        None => PolicyFile::Unreadable {
            path: organisation_file,
            reason: format!(
                "it was read before, and now the installation does not reach {owner}/{ORGANISATION_REPOSITORY}; \
                 add that repository to the App's installation"
            ),
        },
    };
    let organisation_read = matches!(organisation, PolicyFile::Read(_));
    let scope = if organisation_read { Scope::RepositoryUnderOrganisation } else { Scope::Repository };
    let repository =
        policy_file(REPOSITORY_POLICY_PATH, REPOSITORY_POLICY_PATH, &now.repository_policy, scope);
    Ok(InForce { in_force: Policies { organisation, repository }, organisation_read, notices })
}

fn policy_file(path: &str, shown: &str, content: &Content, scope: Scope) -> PolicyFile {
    match content {
        Content::Missing => PolicyFile::Absent,
        Content::Text(text) => {
            PolicyFile::Read(load(Arc::new(SourceFile::new(RepoPath::new(path), Arc::clone(text))), scope))
        }
        other => PolicyFile::Unreadable { path: shown.to_owned(), reason: why(other) },
    }
}

/// Why there is no text.
fn why(content: &Content) -> String {
    match content {
        Content::Unreadable(reason) => format!("it is {reason}"),
        Content::Symlink(target) => {
            format!("it is a symbolic link (to {target:?}); a policy is a plain file")
        }
        Content::Missing => "nothing stands there".to_owned(),
        Content::Text(_) => "it is text".to_owned(),
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

/// The policy file of the head: judged by nobody, but it must load.
pub(super) fn proposed(path: RepoPath, content: Content, in_force: &Policies) -> Loaded {
    let scope = match (&in_force.organisation, path.as_str()) {
        (_, ORGANISATION_POLICY_PATH) => Scope::Organisation,
        (PolicyFile::Absent, _) => Scope::Repository,
        _ => Scope::RepositoryUnderOrganisation,
    };
    match content {
        Content::Text(text) => load(Arc::new(SourceFile::new(path, text)), scope),
        other => Loaded {
            diagnostics: vec![Diagnostic {
                severity: Severity::Error,
                span: Span::default(),
                message: format!("the policy cannot be read: {}", why(&other)),
                help: Some("make it a plain UTF-8 text file".to_owned()),
            }],
            file: Arc::new(SourceFile::new(path, "")),
            policy: None,
        },
    }
}
