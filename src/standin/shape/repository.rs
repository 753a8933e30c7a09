//! GitHub's JSON for a repository: mostly addresses.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::Shapes;
use super::account_id;
use super::merge;
use super::node_id;
use crate::standin::state::Repository;
use crate::standin::time::iso;

/// Address fields and what follows the repository's API address in them.
const URLS: [(&str, &str); 37] = [
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
    ("url", ""),
];

impl Shapes<'_> {
    /// A repository as pull requests and payloads carry it.
    pub(in crate::standin) fn repository(self, repository: &Repository) -> Value {
        let name = &repository.name;
        let owner = self.owner(&name.owner);
        let mut value = self.named(&name.owner, &name.name, owner, repository);
        merge(
            &mut value,
            json!({"id": repository.id, "node_id": node_id("R", repository.id.0), "fork": false}),
        );
        value
    }

    /// A user's fork of a repository.
    pub(in crate::standin) fn fork(self, repository: &Repository, fork_owner: &str) -> Value {
        let owner = self.user(fork_owner, "User");
        let mut value = self.named(fork_owner, &repository.name.name, owner, repository);
        let id = repository.id.0 * 1_000 + account_id(fork_owner) % 1_000;
        merge(&mut value, json!({"id": id, "node_id": node_id("R", id), "fork": true}));
        value
    }

    /// A repository as its own endpoint answers.
    pub(in crate::standin) fn full_repository(self, repository: &Repository) -> Value {
        let mut value = self.repository(repository);
        merge(
            &mut value,
            json!({
                "subscribers_count": 0,
                "network_count": 0,
                "organization": self.owner(&repository.name.owner),
                "permissions": {"admin": false, "maintain": false, "push": false, "triage": false, "pull": true},
            }),
        );
        value
    }

    fn named(self, owner_login: &str, name: &str, owner: Value, repository: &Repository) -> Value {
        let base = self.base_url;
        let full = format!("{owner_login}/{name}");
        let api = format!("{base}/repos/{full}");
        let host = base.split("://").nth(1).unwrap_or(base);
        let mut fields = Map::new();
        for (field, rest) in URLS {
            fields.insert(field.to_owned(), json!(format!("{api}{rest}")));
        }
        let mut value = Value::Object(fields);
        let at = iso(repository.created_ms);
        merge(
            &mut value,
            json!({
                "name": name,
                "full_name": full,
                "owner": owner,
                "private": repository.private,
                "html_url": format!("{base}/{full}"),
                "description": Value::Null,
                "created_at": at,
                "updated_at": at,
                "pushed_at": at,
                "git_url": format!("git://{host}/{full}.git"),
                "ssh_url": format!("git@{host}:{full}.git"),
                "clone_url": format!("{base}/{full}.git"),
                "svn_url": format!("{base}/{full}"),
                "mirror_url": Value::Null,
                "homepage": Value::Null,
                "language": Value::Null,
                "license": Value::Null,
                "size": 0,
                "stargazers_count": 0,
                "watchers_count": 0,
                "forks_count": 0,
                "open_issues_count": 0,
                "watchers": 0,
                "forks": 0,
                "open_issues": 0,
                "default_branch": repository.default_branch,
                "topics": [],
                "custom_properties": {},
                "visibility": if repository.private { "private" } else { "public" },
            }),
        );
        merge(
            &mut value,
            json!({
                "has_issues": true,
                "has_projects": true,
                "has_downloads": true,
                "has_wiki": true,
                "has_pages": false,
                "has_discussions": false,
                "archived": repository.archived,
                "disabled": false,
                "allow_forking": true,
                "is_template": false,
                "web_commit_signoff_required": false,
                "allow_squash_merge": true,
                "allow_merge_commit": true,
                "allow_rebase_merge": true,
                "allow_auto_merge": false,
                "allow_update_branch": false,
                "delete_branch_on_merge": false,
                "use_squash_pr_title_as_default": false,
                "squash_merge_commit_title": "COMMIT_OR_PR_TITLE",
                "squash_merge_commit_message": "COMMIT_MESSAGES",
                "merge_commit_title": "MERGE_MESSAGE",
                "merge_commit_message": "PR_TITLE",
            }),
        );
        value
    }
}
