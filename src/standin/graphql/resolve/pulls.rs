//! The fields of pull requests and their comments.

use serde_json::Value;

use super::Arguments;
use super::Field;
use super::Resolved;
use super::Resolver;
use super::connection;
use super::leaf;
use super::node;
use super::null;
use super::reviews;
use super::text;
use super::unresolved;
use crate::ids::PullNumber;
use crate::ids::RepositoryId;
use crate::standin::diff;
use crate::standin::graphql::connection::page;
use crate::standin::graphql::node::Node;
use crate::standin::merge_box;
use crate::standin::shape::node_id;
use crate::standin::state::Author;
use crate::standin::state::Comment;
use crate::standin::state::Pull;
use crate::standin::state::Repository;
use crate::standin::time::iso;

/// The list of a pull request's commits ends here.
const COMMITS_LIMIT: usize = 250;

impl Resolver<'_, '_> {
    pub(super) fn pull(
        &mut self,
        id: RepositoryId,
        number: PullNumber,
        name: &str,
        arguments: &Arguments,
    ) -> Field {
        let found = self.known(id)?;
        let Some(pull) = found.pull(number).cloned() else {
            return null();
        };
        match name {
            "number" => leaf(number.0),
            "title" => leaf(pull.title),
            "state" => leaf(if pull.open { "OPEN" } else { "CLOSED" }),
            "closed" => leaf(!pull.open),
            "merged" | "locked" | "viewerDidAuthor" => leaf(false),
            "isDraft" => leaf(pull.draft),
            "isCrossRepository" => leaf(pull.fork_owner.is_some()),
            "headRefOid" => leaf(pull.head.to_string()),
            "baseRefOid" => leaf(pull.base.to_string()),
            "headRefName" => leaf(pull.head_branch),
            "baseRefName" => leaf(pull.base_branch),
            "baseRef" => node(self.branch(&found, &pull.base_branch)?),
            "headRef" => match pull.fork_owner {
                None => node(self.branch(&found, &pull.head_branch)?),
                Some(_) => null(),
            },
            "repository" | "baseRepository" => Ok(Resolved::Node(Node::Repository(id))),
            "headRepository" => Ok(Resolved::Node(match pull.fork_owner {
                Some(owner) => Node::Fork(id, owner),
                None => Node::Repository(id),
            })),
            "headRepositoryOwner" => Ok(Resolved::Node(match pull.fork_owner {
                Some(login) => Node::Account { login, kind: "User" },
                None => Node::Account { login: found.name.owner, kind: "Organization" },
            })),
            "author" => Ok(Resolved::Node(Node::Account { login: pull.author, kind: "User" })),
            "authorAssociation" => leaf(if pull.fork_owner.is_some() { "CONTRIBUTOR" } else { "MEMBER" }),
            "body" => leaf(""),
            "createdAt" => leaf(iso(pull.created_ms)),
            "updatedAt" => leaf(iso(pull.updated_ms)),
            "id" => leaf(node_id("PR", pull.id)),
            "databaseId" => leaf(i32::try_from(pull.id).ok().map_or(Value::Null, Value::from)),
            "fullDatabaseId" => leaf(pull.id.to_string()),
            "url" => leaf(format!("{}/{}/pull/{number}", self.call.shapes.base_url, found.name)),
            "mergeable" => leaf("MERGEABLE"),
            "mergeStateStatus" => {
                leaf(merge_box::state_word(self.call.state, &found, &pull).to_ascii_uppercase())
            }
            "changedFiles" => leaf(self.call.state.pull_files(id, &pull).len()),
            "additions" | "deletions" => {
                let files = self.call.state.pull_files(id, &pull);
                let git = self.git(id)?;
                let lines = files.iter().map(|file| diff::lines(&git, file));
                leaf(if name == "additions" {
                    lines.map(|lines| lines.additions).sum::<u32>()
                } else {
                    lines.map(|lines| lines.deletions).sum()
                })
            }
            "files" => {
                let files = self.call.state.pull_files(id, &pull);
                let files: Vec<_> = files.iter().take(diff::FILES_LIMIT).cloned().collect();
                connection(page("PullRequestChangedFileConnection", files, arguments, |file| {
                    Node::File(id, file)
                }))
            }
            "commits" => {
                // Oldest first, and the last ones are dropped past the limit.
                let mut commits = self.git(id)?.commits_between(pull.base, pull.head);
                commits.reverse();
                commits.truncate(COMMITS_LIMIT);
                connection(page("PullRequestCommitConnection", commits, arguments, |oid| {
                    Node::PullCommit(id, number, oid)
                }))
            }
            "latestOpinionatedReviews" => {
                let found = reviews::latest_opinions(self.call.state.reviews.iter(), id, number);
                connection(page("PullRequestReviewConnection", found, arguments, Node::Review))
            }
            "comments" => {
                let comments = self.call.state.comments.iter();
                let on_pull = |comment: &&Comment| comment.repository == id && comment.issue == number;
                let found: Vec<Comment> = comments.filter(on_pull).cloned().collect();
                connection(page("IssueCommentConnection", found, arguments, Node::Comment))
            }
            _ => unresolved("PullRequest", name),
        }
    }

    pub(super) fn comment(&mut self, comment: &Comment, name: &str) -> Field {
        let found = self.known(comment.repository)?;
        match name {
            "id" => leaf(node_id("IC", comment.id.0)),
            "databaseId" => leaf(i32::try_from(comment.id.0).ok().map_or(Value::Null, Value::from)),
            "fullDatabaseId" => leaf(comment.id.to_string()),
            "body" => leaf(comment.body.as_str()),
            "createdAt" => leaf(iso(comment.created_ms)),
            "updatedAt" => leaf(iso(comment.updated_ms)),
            "authorAssociation" => leaf("NONE"),
            "isMinimized" => leaf(comment.minimized.is_some()),
            "minimizedReason" => leaf(comment.minimized.clone().map_or(Value::Null, Value::from)),
            "viewerCanMinimize" => leaf(true),
            "viewerDidAuthor" => leaf(comment.author == Author::App),
            "author" => Ok(Resolved::Node(match &comment.author {
                // Unlike the REST API, this one leaves `[bot]` away.
                Author::App => Node::Account { login: self.call.app.slug.clone(), kind: "Bot" },
                Author::User(login) => Node::Account { login: login.clone(), kind: "User" },
            })),
            "pullRequest" => Ok(Resolved::Node(Node::Pull(comment.repository, comment.issue))),
            "repository" => Ok(Resolved::Node(Node::Repository(comment.repository))),
            "url" => leaf(format!(
                "{}/{}/pull/{}#issuecomment-{}",
                self.call.shapes.base_url, found.name, comment.issue, comment.id
            )),
            _ => unresolved("IssueComment", name),
        }
    }
}

/// Pull requests of a repository, oldest first unless asked otherwise.
pub(super) fn pulls(repository: &Repository, arguments: &Arguments, wanted: impl Fn(&Pull) -> bool) -> Field {
    let states: Option<Vec<&str>> =
        arguments.get("states").filter(|states| !states.is_null()).map(|states| match states.as_array() {
            Some(states) => states.iter().filter_map(Value::as_str).collect(),
            None => states.as_str().into_iter().collect(),
        });
    let named = |argument: &str, name: &str| text(arguments, argument).is_none_or(|asked| asked == name);
    let mut found: Vec<PullNumber> = repository
        .pulls
        .iter()
        .filter(|pull| wanted(pull))
        .filter(|pull| {
            states.as_ref().is_none_or(|states| states.contains(&if pull.open { "OPEN" } else { "CLOSED" }))
        })
        .filter(|pull| named("headRefName", &pull.head_branch) && named("baseRefName", &pull.base_branch))
        .map(|pull| pull.number)
        .collect();
    if arguments.get("orderBy").is_some_and(|order| order["direction"] == "DESC") {
        found.reverse();
    }
    let id = repository.id;
    connection(page("PullRequestConnection", found, arguments, |number| Node::Pull(id, number)))
}
