//! GitHub's JSON for the things the stand-in remembers: users, repositories,
//! pull requests, check runs, comments, commits. The REST answers and the
//! webhook payloads are both made of these, with every field that GitHub's
//! published description requires.

mod repository;

use serde_json::Value;
use serde_json::json;

use super::auth::App;
use super::diff::ChangedFile;
use super::diff::Lines;
use super::git::Commit;
use super::git::Person;
use super::state::Author;
use super::state::CheckRun;
use super::state::Comment;
use super::state::Installation;
use super::state::Pull;
use super::state::Repository;
use super::time::iso;
use super::time::iso_s;
use crate::ids::InstallationId;

/// Writes GitHub's JSON with this stand-in's addresses.
#[derive(Clone, Copy)]
pub(super) struct Shapes<'a> {
    pub(super) base_url: &'a str,
    pub(super) app: &'a App,
}

/// A number for an account, the same wherever the account is named.
pub(super) fn account_id(login: &str) -> u64 {
    login.to_ascii_lowercase().bytes().fold(1_000_003, |id, byte| (id * 31 + u64::from(byte)) % 1_000_000_007)
}

/// GitHub's opaque id of the GraphQL API.
pub(super) fn node_id(kind: &str, id: u64) -> String {
    use base64::Engine as _;
    format!("{kind}_{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(id.to_be_bytes()))
}

impl Shapes<'_> {
    /// A person, an organisation or a bot; `kind` is GitHub's `type`.
    pub(super) fn user(self, login: &str, kind: &str) -> Value {
        let base = self.base_url;
        let id = account_id(login);
        let page = login.trim_end_matches("[bot]");
        json!({
            "login": login,
            "id": id,
            "node_id": node_id("U", id),
            "avatar_url": format!("{base}/avatars/{id}"),
            "gravatar_id": "",
            "url": format!("{base}/users/{login}"),
            "html_url": format!("{base}/{page}"),
            "followers_url": format!("{base}/users/{login}/followers"),
            "following_url": format!("{base}/users/{login}/following{{/other_user}}"),
            "gists_url": format!("{base}/users/{login}/gists{{/gist_id}}"),
            "starred_url": format!("{base}/users/{login}/starred{{/owner}}{{/repo}}"),
            "subscriptions_url": format!("{base}/users/{login}/subscriptions"),
            "organizations_url": format!("{base}/users/{login}/orgs"),
            "repos_url": format!("{base}/users/{login}/repos"),
            "events_url": format!("{base}/users/{login}/events{{/privacy}}"),
            "received_events_url": format!("{base}/users/{login}/received_events"),
            "type": kind,
            "user_view_type": "public",
            "site_admin": false,
        })
    }

    /// The account that owns repositories: an organisation.
    pub(super) fn owner(self, login: &str) -> Value {
        self.user(login, "Organization")
    }

    /// The user that the App acts as.
    pub(super) fn bot(self) -> Value {
        self.user(&format!("{}[bot]", self.app.slug), "Bot")
    }

    /// The App under test, or the one that posted a run in its stead.
    pub(super) fn app(self, id: u64) -> Value {
        let ours = id == self.app.id;
        let slug = if ours { self.app.slug.clone() } else { format!("app-{id}") };
        json!({
            "id": id,
            "slug": slug,
            "node_id": node_id("A", id),
            "client_id": format!("Iv23li{id:014}"),
            "owner": self.owner(&self.app.owner),
            "name": slug,
            "description": Value::Null,
            "external_url": format!("{}/apps/{slug}", self.base_url),
            "html_url": format!("{}/apps/{slug}", self.base_url),
            "created_at": iso_s(0),
            "updated_at": iso_s(0),
            "permissions": if ours { json!(self.app.permissions) } else { json!({"checks": "write", "metadata": "read"}) },
            "events": if ours { json!(self.app.events) } else { json!([]) },
        })
    }

    /// An installation of the App.
    pub(super) fn installation(self, id: InstallationId, of: &Installation) -> Value {
        let base = self.base_url;
        let account = &of.account;
        let suspended = of.suspended;
        json!({
            "id": id,
            "client_id": format!("Iv23li{:014}", self.app.id),
            "account": self.owner(account),
            "repository_selection": if of.selected.is_some() { "selected" } else { "all" },
            "access_tokens_url": format!("{base}/app/installations/{id}/access_tokens"),
            "repositories_url": format!("{base}/installation/repositories"),
            "html_url": format!("{base}/organizations/{account}/settings/installations/{id}"),
            "app_id": self.app.id,
            "app_slug": self.app.slug,
            "target_id": account_id(account),
            "target_type": "Organization",
            "permissions": of.permissions,
            "events": self.app.events,
            "created_at": iso(0),
            "updated_at": iso(0),
            "single_file_name": Value::Null,
            "has_multiple_single_files": false,
            "single_file_paths": [],
            "suspended_by": if suspended { self.user("octocat", "User") } else { Value::Null },
            "suspended_at": if suspended { json!(iso(0)) } else { Value::Null },
        })
    }

    /// A repository in an installation's webhooks: little more than its name.
    pub(super) fn listed_repository(self, repository: &Repository) -> Value {
        json!({
            "id": repository.id,
            "node_id": node_id("R", repository.id.0),
            "name": repository.name.name,
            "full_name": repository.name.to_string(),
            "private": repository.private,
        })
    }

    /// A pull request. `full` adds what only a single one's answer and the webhook carry.
    pub(super) fn pull(self, repository: &Repository, pull: &Pull, full: Option<&PullTotals>) -> Value {
        let base = self.base_url;
        let name = &repository.name;
        let number = pull.number;
        let url = format!("{base}/repos/{name}/pulls/{number}");
        let html = format!("{base}/{name}/pull/{number}");
        let issue = format!("{base}/repos/{name}/issues/{number}");
        let statuses = format!("{base}/repos/{name}/statuses/{}", pull.head);
        let owner = &name.owner;
        let head_owner = pull.fork_owner.as_ref().unwrap_or(owner);
        let head_user =
            if pull.fork_owner.is_some() { self.user(head_owner, "User") } else { self.owner(head_owner) };
        let head_repository = match &pull.fork_owner {
            Some(fork_owner) => self.fork(repository, fork_owner),
            None => self.repository(repository),
        };
        let mut value = json!({
            "url": url,
            "id": pull.id,
            "node_id": node_id("PR", pull.id),
            "html_url": html,
            "diff_url": format!("{html}.diff"),
            "patch_url": format!("{html}.patch"),
            "issue_url": issue,
            "commits_url": format!("{url}/commits"),
            "review_comments_url": format!("{url}/comments"),
            "review_comment_url": format!("{base}/repos/{name}/pulls/comments{{/number}}"),
            "comments_url": format!("{issue}/comments"),
            "statuses_url": statuses,
            "number": number,
            "state": if pull.open { "open" } else { "closed" },
            "locked": false,
            "title": pull.title,
            "user": self.user(&pull.author, "User"),
            "body": Value::Null,
            "labels": [],
            "milestone": Value::Null,
            "active_lock_reason": Value::Null,
            "created_at": iso(pull.created_ms),
            "updated_at": iso(pull.updated_ms),
            "closed_at": if pull.open { Value::Null } else { json!(iso(pull.updated_ms)) },
            "merged_at": Value::Null,
            "merge_commit_sha": Value::Null,
            "assignee": Value::Null,
            "assignees": [],
            "requested_reviewers": [],
            "requested_teams": [],
            "author_association": if pull.fork_owner.is_some() { "CONTRIBUTOR" } else { "MEMBER" },
            "auto_merge": Value::Null,
            "draft": pull.draft,
        });
        let ends = json!({
            "head": {
                "label": format!("{head_owner}:{}", pull.head_branch),
                "ref": pull.head_branch,
                "sha": pull.head.to_string(),
                "user": head_user,
                "repo": head_repository,
            },
            "base": {
                "label": format!("{owner}:{}", pull.base_branch),
                "ref": pull.base_branch,
                "sha": pull.base.to_string(),
                "user": self.owner(owner),
                "repo": self.repository(repository),
            },
        });
        let links = json!({
            "_links": {
                "self": {"href": url},
                "html": {"href": html},
                "issue": {"href": issue},
                "comments": {"href": format!("{issue}/comments")},
                "review_comments": {"href": format!("{url}/comments")},
                "review_comment": {"href": format!("{base}/repos/{name}/pulls/comments{{/number}}")},
                "commits": {"href": format!("{url}/commits")},
                "statuses": {"href": statuses},
            },
        });
        merge(&mut value, ends);
        merge(&mut value, links);
        if let Some(totals) = full {
            let more = json!({
                "merged": false,
                "mergeable": true,
                "rebaseable": true,
                "mergeable_state": totals.mergeable_state,
                "merged_by": Value::Null,
                "comments": totals.comments,
                "review_comments": 0,
                "maintainer_can_modify": false,
                "commits": totals.commits,
                "additions": totals.additions,
                "deletions": totals.deletions,
                "changed_files": totals.changed_files,
            });
            merge(&mut value, more);
        }
        value
    }

    /// A check run. The pull requests are those of the repository itself: a fork's are never listed.
    pub(super) fn check_run(self, repository: &Repository, run: &CheckRun) -> Value {
        let base = self.base_url;
        let name = &repository.name;
        let url = format!("{base}/repos/{name}/check-runs/{}", run.id);
        let html = format!("{base}/{name}/runs/{}", run.id);
        let pulls: Vec<Value> = repository
            .pulls
            .iter()
            .filter(|pull| pull.open && pull.fork_owner.is_none() && pull.head == run.head)
            .map(|pull| self.pull_minimal(repository, pull))
            .collect();
        json!({
            "id": run.id,
            "name": run.name,
            "node_id": node_id("CR", run.id.0),
            "head_sha": run.head.to_string(),
            "external_id": run.external_id.as_deref().unwrap_or_default(),
            "url": url,
            "html_url": html,
            "details_url": run.details_url.as_deref().unwrap_or(&html),
            "status": run.status,
            "conclusion": run.conclusion,
            "started_at": run.started_at,
            "completed_at": run.completed_at,
            "output": {
                "title": run.title,
                "summary": run.summary,
                "text": run.text,
                "annotations_count": run.annotations.len(),
                "annotations_url": format!("{url}/annotations"),
            },
            "check_suite": {"id": run.suite},
            "app": self.app(run.app),
            "pull_requests": pulls,
        })
    }

    fn pull_minimal(self, repository: &Repository, pull: &Pull) -> Value {
        let base = self.base_url;
        let name = &repository.name;
        let place = json!({"id": repository.id, "url": format!("{base}/repos/{name}"), "name": name.name});
        json!({
            "id": pull.id,
            "number": pull.number,
            "url": format!("{base}/repos/{name}/pulls/{}", pull.number),
            "head": {"ref": pull.head_branch, "sha": pull.head.to_string(), "repo": place},
            "base": {"ref": pull.base_branch, "sha": pull.base.to_string(), "repo": place},
        })
    }

    /// A comment on a pull request's conversation.
    pub(super) fn comment(self, repository: &Repository, comment: &Comment) -> Value {
        let base = self.base_url;
        let name = &repository.name;
        let (user, app) = match &comment.author {
            Author::App => (self.bot(), self.app(self.app.id)),
            Author::User(login) => (self.user(login, "User"), Value::Null),
        };
        json!({
            "id": comment.id,
            "node_id": node_id("IC", comment.id.0),
            "url": format!("{base}/repos/{name}/issues/comments/{}", comment.id),
            "html_url": format!("{base}/{name}/pull/{}#issuecomment-{}", comment.issue, comment.id),
            "issue_url": format!("{base}/repos/{name}/issues/{}", comment.issue),
            "body": comment.body,
            "user": user,
            "created_at": iso(comment.created_ms),
            "updated_at": iso(comment.updated_ms),
            "author_association": "NONE",
            "performed_via_github_app": app,
        })
    }

    /// One file of a pull request or a comparison, as it stands at `head`.
    pub(super) fn file(
        self,
        repository: &Repository,
        head: &str,
        file: &ChangedFile,
        lines: &Lines,
    ) -> Value {
        let base = self.base_url;
        let name = &repository.name;
        let path = encode_path(&file.path);
        let mut value = json!({
            "sha": file.oid.to_string(),
            "filename": file.path,
            "status": file.status.rest(),
            "additions": lines.additions,
            "deletions": lines.deletions,
            "changes": lines.additions + lines.deletions,
            "blob_url": format!("{base}/{name}/blob/{head}/{path}"),
            "raw_url": format!("{base}/{name}/raw/{head}/{path}"),
            "contents_url": format!("{base}/repos/{name}/contents/{path}?ref={head}"),
        });
        if let Some(patch) = &lines.patch {
            value["patch"] = json!(patch);
        }
        if let Some(previous) = &file.previous_path {
            value["previous_filename"] = json!(previous);
        }
        value
    }

    /// A commit as the comparison shows it.
    pub(super) fn commit(self, repository: &Repository, commit: &Commit) -> Value {
        let base = self.base_url;
        let name = &repository.name;
        let sha = commit.oid.to_string();
        let url = format!("{base}/repos/{name}/commits/{sha}");
        let person =
            |person: &Person| json!({"name": person.name, "email": person.email, "date": iso_s(person.at_s)});
        let parents: Vec<Value> = commit
            .parents
            .iter()
            .map(|parent| {
                json!({
                    "sha": parent.to_string(),
                    "url": format!("{base}/repos/{name}/commits/{parent}"),
                    "html_url": format!("{base}/{name}/commit/{parent}"),
                })
            })
            .collect();
        json!({
            "url": url,
            "sha": sha,
            "node_id": format!("C_{sha}"),
            "html_url": format!("{base}/{name}/commit/{sha}"),
            "comments_url": format!("{url}/comments"),
            "commit": {
                "url": format!("{base}/repos/{name}/git/commits/{sha}"),
                "author": person(&commit.author),
                "committer": person(&commit.committer),
                "message": commit.message,
                "comment_count": 0,
                "tree": {
                    "sha": commit.tree.to_string(),
                    "url": format!("{base}/repos/{name}/git/trees/{}", commit.tree),
                },
                "verification": {
                    "verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null,
                },
            },
            "author": Value::Null,
            "committer": Value::Null,
            "parents": parents,
        })
    }
}

/// The counts of a single pull request.
#[derive(Debug, Clone)]
pub(super) struct PullTotals {
    pub(super) mergeable_state: &'static str,
    pub(super) comments: usize,
    pub(super) commits: usize,
    pub(super) additions: u32,
    pub(super) deletions: u32,
    pub(super) changed_files: usize,
}

/// Adds the fields of `more`, which replace those of the same name.
pub(super) fn merge(value: &mut Value, more: Value) {
    if let (Value::Object(value), Value::Object(more)) = (value, more) {
        value.extend(more);
    }
}

/// A path as a URL carries it: `/` stays, everything unusual is percent-encoded.
pub(super) fn encode_path(path: &str) -> String {
    let mut encoded = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
