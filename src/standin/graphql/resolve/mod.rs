//! The value of each field of the graph.

mod checks;
mod mutations;
mod pulls;
mod queue;
mod reviews;

use std::collections::HashMap;
use std::rc::Rc;

use gix::ObjectId;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use self::pulls::pulls;
use super::Refusal;
use super::connection::Connection;
use super::connection::page;
use super::node::Node;
use crate::ids::PullNumber;
use crate::ids::RepositoryId;
use crate::standin::auth;
use crate::standin::auth::Needs;
use crate::standin::auth::Reach;
use crate::standin::diff;
use crate::standin::git::Git;
use crate::standin::git::Kind;
use crate::standin::rest::Call;
use crate::standin::shape::account_id;
use crate::standin::shape::node_id;
use crate::standin::state::Repository;
use crate::standin::state::Token;
use crate::standin::state::Window;
use crate::standin::time::iso;
use crate::standin::time::iso_s;

/// Bytes of a blob's text; the rest is cut off and `isTruncated` says so.
const TEXT_LIMIT_BYTES: usize = 512_000;

/// A field's value.
pub(super) enum Resolved {
    Leaf(Value),
    Node(Node),
    Nodes(Vec<Node>),
}

type Arguments = Map<String, Value>;
type Field = Result<Resolved, Refusal>;

/// Looks fields up on behalf of a token.
pub(super) struct Resolver<'call, 'request> {
    call: &'call mut Call<'request>,
    token: Token,
    cost: u32,
    limit: u32,
    window: Window,
    opened: HashMap<RepositoryId, Rc<Git>>,
}

fn leaf(value: impl Into<Value>) -> Field {
    Ok(Resolved::Leaf(value.into()))
}

fn null() -> Field {
    Ok(Resolved::Leaf(Value::Null))
}

fn node(found: Option<Node>) -> Field {
    Ok(found.map_or(Resolved::Leaf(Value::Null), Resolved::Node))
}

fn not_found(message: String) -> Refusal {
    Refusal { kind: Some("NOT_FOUND"), message }
}

/// A field that the schema has and the table of the resolver has not: a mistake of ours, said as GitHub's 500 would.
fn unresolved(kind: &str, name: &str) -> Field {
    Err(Refusal { kind: None, message: format!("The stand-in cannot resolve {kind}.{name}.") })
}

fn text<'a>(arguments: &'a Arguments, name: &str) -> Option<&'a str> {
    arguments.get(name).and_then(Value::as_str)
}

impl<'call, 'request> Resolver<'call, 'request> {
    pub(super) fn new(
        call: &'call mut Call<'request>,
        token: Token,
        cost: u32,
        limit: u32,
        window: Window,
    ) -> Resolver<'call, 'request> {
        Resolver { call, token, cost, limit, window, opened: HashMap::new() }
    }

    /// The field of a node.
    pub(super) fn field(&mut self, node: &Node, name: &str, arguments: &Arguments) -> Field {
        match node {
            Node::Query => self.query(name, arguments),
            Node::Mutation => self.mutation(name, arguments),
            Node::Minimized(_, comment) => match name {
                "minimizedComment" | "unminimizedComment" => {
                    Ok(Resolved::Node(Node::Comment(comment.as_ref().clone())))
                }
                _ => null(),
            },
            Node::RateLimit => leaf(self.rate_limit(name)),
            Node::Account { login, kind } => leaf(self.account(login, kind, name)),
            Node::Repository(id) => self.repository(*id, name, arguments),
            Node::Fork(id, owner) => self.fork(*id, owner, name),
            Node::Ref { repository, name: branch, target } => {
                self.reference(*repository, branch, *target, name, arguments)
            }
            Node::Commit(repository, oid) => self.commit(*repository, *oid, name, arguments),
            Node::Tree(repository, oid) => self.tree(*repository, *oid, name),
            Node::Blob(repository, oid) => self.blob(*repository, *oid, name),
            Node::TreeEntry(repository, entry) => match name {
                "mode" => leaf(entry.mode),
                "name" => leaf(entry.name()),
                "oid" => leaf(entry.oid.to_string()),
                "path" => leaf(entry.path.as_str()),
                "type" => leaf(entry.kind()),
                "size" => leaf(
                    self.git(*repository)?.size(entry.oid).filter(|_| entry.kind() == "blob").unwrap_or(0),
                ),
                "repository" => Ok(Resolved::Node(Node::Repository(*repository))),
                // A submodule's commit is not in this repository.
                "object" => self.object(*repository, entry.oid),
                _ => unresolved("TreeEntry", name),
            },
            Node::Pull(repository, number) => self.pull(*repository, *number, name, arguments),
            Node::PullCommit(repository, number, oid) => match name {
                "commit" => Ok(Resolved::Node(Node::Commit(*repository, *oid))),
                "id" => leaf(format!("PURC_{number}_{oid}")),
                "pullRequest" => Ok(Resolved::Node(Node::Pull(*repository, *number))),
                _ => unresolved("PullRequestCommit", name),
            },
            Node::File(repository, file) => match name {
                "path" => leaf(file.path.as_str()),
                "changeType" => leaf(file.status.graphql()),
                "additions" => leaf(diff::lines(&*self.git(*repository)?, file).additions),
                "deletions" => leaf(diff::lines(&*self.git(*repository)?, file).deletions),
                _ => unresolved("PullRequestChangedFile", name),
            },
            Node::Comment(comment) => self.comment(comment, name),
            Node::Review(review) => reviews::field(review, name),
            Node::MergeQueue(repository, branch) => self.merge_queue(*repository, branch, name, arguments),
            Node::QueueEntry(repository, position, entry) => {
                queue::field(*repository, *position, entry, name)
            }
            Node::CheckSuite(repository, head, suite) => {
                self.check_suite(*repository, *head, *suite, name, arguments)
            }
            Node::CheckRun(run) => checks::field(run, name),
            Node::Connection(connection) => match name {
                "nodes" => Ok(Resolved::Nodes(connection.nodes.clone())),
                "totalCount" => leaf(connection.total),
                "pageInfo" => Ok(Resolved::Node(Node::PageInfo(connection.page.clone()))),
                _ => unresolved(connection.type_name, name),
            },
            Node::PageInfo(page) => leaf(page.field(name)),
        }
    }

    fn query(&mut self, name: &str, arguments: &Arguments) -> Field {
        match name {
            "rateLimit" => Ok(Resolved::Node(Node::RateLimit)),
            "viewer" => {
                let login = format!("{}[bot]", self.call.app.slug);
                Ok(Resolved::Node(Node::Account { login, kind: "User" }))
            }
            "repository" => {
                let (owner, name) = (
                    text(arguments, "owner").unwrap_or_default(),
                    text(arguments, "name").unwrap_or_default(),
                );
                let found = self.call.state.repository(owner, name);
                let visible = found
                    .filter(|found| auth::reach(&self.token, self.call.state, found) != Reach::Hidden)
                    .map(|found| found.id);
                visible.map(|id| Resolved::Node(Node::Repository(id))).ok_or_else(|| {
                    not_found(format!("Could not resolve to a Repository with the name '{owner}/{name}'."))
                })
            }
            _ => unresolved("Query", name),
        }
    }

    fn rate_limit(&self, name: &str) -> Value {
        match name {
            "cost" => json!(self.cost),
            "limit" => json!(self.limit),
            "remaining" => json!(self.limit.saturating_sub(self.window.used)),
            "used" => json!(self.window.used),
            "resetAt" => json!(iso_s(self.window.reset_s)),
            _ => json!(0),
        }
    }

    fn account(&self, login: &str, kind: &str, name: &str) -> Value {
        let id = account_id(login);
        let base = self.call.shapes.base_url;
        match name {
            "login" => json!(login),
            "databaseId" => json!(id),
            "id" => json!(node_id(if kind == "Bot" { "BOT" } else { "U" }, id)),
            "resourcePath" => json!(format!("/{login}")),
            _ => json!(format!("{base}/{login}")),
        }
    }

    fn repository(&mut self, id: RepositoryId, name: &str, arguments: &Arguments) -> Field {
        let found = self.known(id)?;
        match name {
            "id" => leaf(node_id("R", id.0)),
            // Past 32 bits the field is null, as GitHub's Int must be.
            "databaseId" => leaf(i32::try_from(id.0).ok().map_or(Value::Null, Value::from)),
            "name" => leaf(found.name.name),
            "nameWithOwner" => leaf(found.name.to_string()),
            "isPrivate" => leaf(found.private),
            "isArchived" => leaf(found.archived),
            "isDisabled" | "isFork" => leaf(false),
            "createdAt" => leaf(iso(found.created_ms)),
            "url" => leaf(format!("{}/{}", self.call.shapes.base_url, found.name)),
            "owner" => Ok(Resolved::Node(Node::Account { login: found.name.owner, kind: "Organization" })),
            "isEmpty" => leaf(self.branch(&found, &found.default_branch)?.is_none()),
            "defaultBranchRef" => {
                self.allow(&found, Needs::read(&["contents"]))?;
                node(self.branch(&found, &found.default_branch)?)
            }
            "ref" => {
                self.allow(&found, Needs::read(&["contents"]))?;
                let asked = text(arguments, "qualifiedName").unwrap_or_default();
                let branch = asked.strip_prefix("refs/heads/").unwrap_or(asked);
                node(self.branch(&found, branch)?)
            }
            "refs" => {
                self.allow(&found, Needs::read(&["contents"]))?;
                queue::refs(&found, arguments)
            }
            "mergeQueue" => {
                self.allow(&found, Needs::read(&["merge_queues"]))?;
                let branch = text(arguments, "branch").unwrap_or(&found.default_branch).to_owned();
                Ok(Resolved::Node(Node::MergeQueue(id, branch)))
            }
            "object" => {
                self.allow(&found, Needs::read(&["contents"]))?;
                self.named_object(&found, arguments)
            }
            "pullRequest" => {
                self.allow(&found, Needs::read(&["pull_requests"]))?;
                let number = arguments.get("number").and_then(Value::as_u64).unwrap_or(0);
                let number = PullNumber(number);
                found.pull(number).map(|_| Resolved::Node(Node::Pull(id, number))).ok_or_else(|| {
                    not_found(format!("Could not resolve to a PullRequest with the number of {number}."))
                })
            }
            "pullRequests" => {
                self.allow(&found, Needs::read(&["pull_requests"]))?;
                pulls(&found, arguments, |_| true)
            }
            _ => unresolved("Repository", name),
        }
    }

    fn fork(&self, id: RepositoryId, owner: &str, name: &str) -> Field {
        let found = self.known(id)?;
        let full = format!("{owner}/{}", found.name.name);
        match name {
            "name" => leaf(found.name.name),
            "nameWithOwner" => leaf(full),
            "id" => leaf(node_id("R", id.0 * 1_000 + account_id(owner) % 1_000)),
            "isFork" => leaf(true),
            "isPrivate" => leaf(found.private),
            "isArchived" | "isDisabled" | "isEmpty" => leaf(false),
            "createdAt" => leaf(iso(found.created_ms)),
            "url" => leaf(format!("{}/{full}", self.call.shapes.base_url)),
            "owner" => Ok(Resolved::Node(Node::Account { login: owner.to_owned(), kind: "User" })),
            // The App is not installed on the fork.
            "pullRequest" | "pullRequests" | "object" | "ref" | "defaultBranchRef" => Err(forbidden()),
            _ => null(),
        }
    }

    fn named_object(&mut self, repository: &Repository, arguments: &Arguments) -> Field {
        let git = self.git(repository.id)?;
        if let Some(oid) = text(arguments, "oid") {
            return match ObjectId::from_hex(oid.as_bytes()) {
                Ok(oid) => self.object(repository.id, oid),
                Err(_) => null(),
            };
        }
        let expression = text(arguments, "expression").unwrap_or_default();
        let (revision, path) = match expression.split_once(':') {
            Some((revision, path)) => (revision, Some(path)),
            None => (expression, None),
        };
        let commit = repository.commit(&git, revision);
        match (commit, path) {
            (None, _) => match ObjectId::from_hex(expression.as_bytes()) {
                Ok(oid) => self.object(repository.id, oid),
                Err(_) => null(),
            },
            (Some(commit), None) => node(Some(Node::Commit(repository.id, commit))),
            (Some(commit), Some(path)) => {
                let Some(tree) = git.commit(commit).map(|commit| commit.tree) else {
                    return null();
                };
                let path = path.trim_matches('/');
                let found =
                    if path.is_empty() { Some(tree) } else { git.entry(tree, path).map(|entry| entry.oid) };
                found.map_or_else(null, |oid| self.object(repository.id, oid))
            }
        }
    }

    fn object(&mut self, repository: RepositoryId, oid: ObjectId) -> Field {
        node(match self.git(repository)?.kind(oid) {
            Some(Kind::Blob) => Some(Node::Blob(repository, oid)),
            Some(Kind::Tree) => Some(Node::Tree(repository, oid)),
            Some(Kind::Commit) => Some(Node::Commit(repository, oid)),
            Some(Kind::Tag) | None => None,
        })
    }

    fn reference(
        &mut self,
        repository: RepositoryId,
        branch: &str,
        target: ObjectId,
        name: &str,
        arguments: &Arguments,
    ) -> Field {
        match name {
            "id" => leaf(format!("REF_{repository}_{branch}")),
            "name" => leaf(branch),
            "prefix" => leaf("refs/heads/"),
            "repository" => Ok(Resolved::Node(Node::Repository(repository))),
            "target" => self.object(repository, target),
            "associatedPullRequests" => {
                let found = self.known(repository)?;
                self.allow(&found, Needs::read(&["pull_requests"]))?;
                pulls(&found, arguments, |pull| pull.fork_owner.is_none() && pull.head_branch == branch)
            }
            _ => unresolved("Ref", name),
        }
    }

    fn commit(
        &mut self,
        repository: RepositoryId,
        oid: ObjectId,
        name: &str,
        arguments: &Arguments,
    ) -> Field {
        let git = self.git(repository)?;
        let Some(commit) = git.commit(oid) else {
            return null();
        };
        match name {
            "message" => leaf(commit.message),
            "messageHeadline" => leaf(commit.message.lines().next().unwrap_or_default()),
            "committedDate" => leaf(iso_s(commit.committer.at_s)),
            "tree" => Ok(Resolved::Node(Node::Tree(repository, commit.tree))),
            "file" => {
                let path = text(arguments, "path").unwrap_or_default();
                node(git.entry(commit.tree, path).map(|entry| Node::TreeEntry(repository, entry)))
            }
            "parents" => connection(page("CommitConnection", commit.parents, arguments, |parent| {
                Node::Commit(repository, parent)
            })),
            "associatedPullRequests" => {
                let found = self.known(repository)?;
                self.allow(&found, Needs::read(&["pull_requests"]))?;
                pulls(&found, arguments, |pull| pull.fork_owner.is_none() && pull.head == oid)
            }
            "checkSuites" => {
                let found = self.known(repository)?;
                self.allow(&found, Needs::read(&["checks"]))?;
                self.check_suites(repository, oid, arguments)
            }
            _ => git_object("C", repository, oid, name),
        }
    }

    fn tree(&mut self, repository: RepositoryId, oid: ObjectId, name: &str) -> Field {
        match name {
            "entries" => {
                let entries = self.git(repository)?.tree(oid).unwrap_or_default();
                Ok(Resolved::Nodes(
                    entries.into_iter().map(|entry| Node::TreeEntry(repository, entry)).collect(),
                ))
            }
            _ => git_object("T", repository, oid, name),
        }
    }

    fn blob(&mut self, repository: RepositoryId, oid: ObjectId, name: &str) -> Field {
        let git = self.git(repository)?;
        match name {
            "byteSize" => leaf(git.size(oid).unwrap_or_default()),
            "isBinary" => leaf(diff::is_binary(&git.blob(oid).unwrap_or_default())),
            "isTruncated" => leaf(git.size(oid).unwrap_or_default() > TEXT_LIMIT_BYTES as u64),
            "text" => {
                let bytes = git.blob(oid).unwrap_or_default();
                if diff::is_binary(&bytes) {
                    return null();
                }
                leaf(String::from_utf8_lossy(&bytes[..cut(&bytes)]))
            }
            _ => git_object("B", repository, oid, name),
        }
    }

    fn known(&self, id: RepositoryId) -> Result<Repository, Refusal> {
        let found = self.call.state.repository_by_id(id).cloned();
        found.ok_or_else(|| not_found("Could not resolve to a node.".to_owned()))
    }

    /// Whether the token may do so in the repository.
    fn allow(&self, repository: &Repository, needs: Needs) -> Result<(), Refusal> {
        let allowed = match auth::reach(&self.token, self.call.state, repository) {
            Reach::Granted => needs.met_by(&self.token.permissions),
            Reach::PublicOnly => true,
            Reach::Hidden => false,
        };
        if allowed { Ok(()) } else { Err(forbidden()) }
    }

    fn branch(&mut self, repository: &Repository, name: &str) -> Result<Option<Node>, Refusal> {
        let git = self.git(repository.id)?;
        let target = repository.branch(&git, name);
        Ok(target.map(|target| Node::Ref { repository: repository.id, name: name.to_owned(), target }))
    }

    fn git(&mut self, id: RepositoryId) -> Result<Rc<Git>, Refusal> {
        if let Some(opened) = self.opened.get(&id) {
            return Ok(Rc::clone(opened));
        }
        let found = self.known(id)?;
        let git = Git::open(&found.path).ok_or_else(|| Refusal {
            kind: None,
            message: "Something went wrong while executing your query.".to_owned(),
        })?;
        let git = Rc::new(git);
        self.opened.insert(id, Rc::clone(&git));
        Ok(git)
    }
}

fn forbidden() -> Refusal {
    Refusal { kind: Some("FORBIDDEN"), message: "Resource not accessible by integration".to_owned() }
}

fn git_object(kind: &str, repository: RepositoryId, oid: ObjectId, name: &str) -> Field {
    match name {
        "oid" => leaf(oid.to_string()),
        "abbreviatedOid" => leaf(oid.to_hex_with_len(7).to_string()),
        "id" => leaf(format!("{kind}_{oid}")),
        "repository" => Ok(Resolved::Node(Node::Repository(repository))),
        _ => unresolved("GitObject", name),
    }
}

fn connection(found: Result<Connection, Refusal>) -> Field {
    found.map(|connection| Resolved::Node(Node::Connection(connection)))
}

/// Where the text of a blob is cut: at the limit, and before a character that would be split.
fn cut(bytes: &[u8]) -> usize {
    if bytes.len() <= TEXT_LIMIT_BYTES {
        return bytes.len();
    }
    let begins_character = |at: &usize| bytes[*at] & 0b1100_0000 != 0b1000_0000;
    (TEXT_LIMIT_BYTES - 3..=TEXT_LIMIT_BYTES).rev().find(begins_character).unwrap_or(TEXT_LIMIT_BYTES)
}
