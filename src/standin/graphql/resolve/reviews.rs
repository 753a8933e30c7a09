//! The fields of reviews, and whose count.

use super::Field;
use super::Resolved;
use super::leaf;
use super::unresolved;
use crate::ids::PullNumber;
use crate::ids::RepositoryId;
use crate::standin::graphql::node::Node;
use crate::standin::shape::node_id;
use crate::standin::state::Review;
use crate::standin::time::iso;

/// The newest review of each reviewer that is more than a comment: approvals,
/// objections, and those of them that were dismissed.
pub(super) fn latest_opinions<'s>(
    reviews: impl Iterator<Item = &'s Review>,
    repository: RepositoryId,
    pull: PullNumber,
) -> Vec<Review> {
    let mut newest: Vec<Review> = Vec::new();
    let on_pull = reviews.filter(|review| review.repository == repository && review.pull == pull);
    for review in on_pull.filter(|review| review.state != "COMMENTED") {
        match newest.iter_mut().find(|known| known.author == review.author) {
            Some(known) => *known = review.clone(),
            None => newest.push(review.clone()),
        }
    }
    newest
}

pub(super) fn field(review: &Review, name: &str) -> Field {
    match name {
        "id" => leaf(node_id("PRR", review.id)),
        "state" => leaf(review.state),
        "submittedAt" | "createdAt" | "updatedAt" => leaf(iso(review.submitted_ms)),
        "author" => Ok(Resolved::Node(Node::Account { login: review.author.clone(), kind: "User" })),
        "commit" => Ok(Resolved::Node(Node::Commit(review.repository, review.commit))),
        "pullRequest" => Ok(Resolved::Node(Node::Pull(review.repository, review.pull))),
        "repository" => Ok(Resolved::Node(Node::Repository(review.repository))),
        "body" => leaf(""),
        _ => unresolved("PullRequestReview", name),
    }
}
