//! What a query walks over.

use gix::ObjectId;

use super::connection::Connection;
use super::connection::PageInfo;
use crate::ids::PullNumber;
use crate::ids::RepositoryId;
use crate::standin::diff::ChangedFile;
use crate::standin::git::Entry;
use crate::standin::state::CheckRun;
use crate::standin::state::Comment;
use crate::standin::state::QueueEntry;
use crate::standin::state::Review;

/// An object of the graph.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Query,
    Mutation,
    /// The payload of a mutation, and the comment that it changed.
    Minimized(&'static str, Box<Comment>),
    RateLimit,
    Account {
        login: String,
        kind: &'static str,
    },
    Repository(RepositoryId),
    /// A user's fork of a repository, of which only the name is known.
    Fork(RepositoryId, String),
    Ref {
        repository: RepositoryId,
        name: String,
        target: ObjectId,
    },
    Commit(RepositoryId, ObjectId),
    Tree(RepositoryId, ObjectId),
    Blob(RepositoryId, ObjectId),
    TreeEntry(RepositoryId, Entry),
    Pull(RepositoryId, PullNumber),
    PullCommit(RepositoryId, PullNumber, ObjectId),
    File(RepositoryId, ChangedFile),
    Comment(Comment),
    Review(Review),
    MergeQueue(RepositoryId, String),
    QueueEntry(RepositoryId, usize, QueueEntry),
    CheckSuite(RepositoryId, ObjectId, u64),
    CheckRun(Box<CheckRun>),
    Connection(Connection),
    PageInfo(PageInfo),
}

impl Node {
    /// The type as the schema names it.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Node::Query => "Query",
            Node::Mutation => "Mutation",
            Node::Minimized(payload, _) => payload,
            Node::RateLimit => "RateLimit",
            Node::Account { kind, .. } => kind,
            Node::Repository(_) | Node::Fork(..) => "Repository",
            Node::Ref { .. } => "Ref",
            Node::Commit(..) => "Commit",
            Node::Tree(..) => "Tree",
            Node::Blob(..) => "Blob",
            Node::TreeEntry(..) => "TreeEntry",
            Node::Pull(..) => "PullRequest",
            Node::PullCommit(..) => "PullRequestCommit",
            Node::File(..) => "PullRequestChangedFile",
            Node::Comment(_) => "IssueComment",
            Node::Review(_) => "PullRequestReview",
            Node::MergeQueue(..) => "MergeQueue",
            Node::QueueEntry(..) => "MergeQueueEntry",
            Node::CheckSuite(..) => "CheckSuite",
            Node::CheckRun(_) => "CheckRun",
            Node::Connection(connection) => connection.type_name,
            Node::PageInfo(_) => "PageInfo",
        }
    }
}
