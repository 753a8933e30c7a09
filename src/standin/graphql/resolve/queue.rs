//! The fields of merge queues and their entries, and the branches of a repository.

use super::Arguments;
use super::Field;
use super::Resolved;
use super::Resolver;
use super::connection;
use super::leaf;
use super::text;
use super::unresolved;
use crate::ids::RepositoryId;
use crate::standin::graphql::connection::page;
use crate::standin::graphql::node::Node;
use crate::standin::state::QueueEntry;
use crate::standin::state::Repository;

impl Resolver<'_, '_> {
    pub(super) fn merge_queue(
        &mut self,
        repository: RepositoryId,
        branch: &str,
        name: &str,
        arguments: &Arguments,
    ) -> Field {
        match name {
            "id" => leaf(format!("MQ_{repository}_{branch}")),
            "repository" => Ok(Resolved::Node(Node::Repository(repository))),
            "entries" => {
                let found = self.known(repository)?;
                let waiting = found.queue.into_iter().filter(|entry| entry.base_branch == branch);
                let numbered: Vec<(usize, QueueEntry)> = waiting.enumerate().collect();
                connection(page("MergeQueueEntryConnection", numbered, arguments, |(at, entry)| {
                    Node::QueueEntry(repository, at + 1, entry)
                }))
            }
            _ => unresolved("MergeQueue", name),
        }
    }
}

/// The branches below a prefix that stand only here: git's own are not listed.
pub(super) fn refs(repository: &Repository, arguments: &Arguments) -> Field {
    let prefix = text(arguments, "refPrefix").unwrap_or_default();
    let below = prefix.strip_prefix("refs/heads/").unwrap_or(prefix);
    let branches = repository.branches.iter().filter(|(name, _)| name.starts_with(below));
    let found: Vec<_> = branches.map(|(name, target)| (name.clone(), *target)).collect();
    let id = repository.id;
    connection(page("RefConnection", found, arguments, |(name, target)| Node::Ref {
        repository: id,
        name,
        target,
    }))
}

pub(super) fn field(repository: RepositoryId, position: usize, entry: &QueueEntry, name: &str) -> Field {
    match name {
        "id" => leaf(format!("MQE_{repository}_{}", entry.pull)),
        "position" => leaf(position),
        "headCommit" => Ok(Resolved::Node(Node::Commit(repository, entry.head))),
        "baseCommit" => Ok(Resolved::Node(Node::Commit(repository, entry.base))),
        "pullRequest" => Ok(Resolved::Node(Node::Pull(repository, entry.pull))),
        _ => unresolved("MergeQueueEntry", name),
    }
}
