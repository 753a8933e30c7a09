//! What GraphQL changes: a comment is folded away, or shown again.

use super::Arguments;
use super::Field;
use super::Resolved;
use super::Resolver;
use super::forbidden;
use super::not_found;
use super::unresolved;
use crate::standin::auth::Needs;
use crate::standin::graphql::node::Node;
use crate::standin::shape::node_id;

impl Resolver<'_, '_> {
    pub(super) fn mutation(&mut self, name: &str, arguments: &Arguments) -> Field {
        let input = &arguments["input"];
        let (payload, reason) = match name {
            "minimizeComment" => {
                ("MinimizeCommentPayload", input["classifier"].as_str().map(str::to_ascii_lowercase))
            }
            "unminimizeComment" => ("UnminimizeCommentPayload", None),
            _ => return unresolved("Mutation", name),
        };
        let subject = input["subjectId"].as_str().unwrap_or_default();
        let is_it = |id: u64| node_id("IC", id) == subject;
        let found = self.call.state.comments.iter().find(|comment| is_it(comment.id.0)).cloned();
        let lost = || not_found(format!("Could not resolve to a node with the global id of '{subject}'"));
        let mut comment = found.ok_or_else(lost)?;
        let repository = self.known(comment.repository)?;
        self.allow(&repository, Needs::write(&["pull_requests", "issues"]))?;
        if repository.archived {
            return Err(forbidden());
        }
        comment.minimized = reason;
        if let Some(kept) = self.call.state.comments.iter_mut().find(|kept| kept.id == comment.id) {
            kept.minimized.clone_from(&comment.minimized);
        }
        Ok(Resolved::Node(Node::Minimized(payload, Box::new(comment))))
    }
}
