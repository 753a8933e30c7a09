//! The one comment on a pull request. It is ours when our App wrote it *and* it
//! bears the marker: the marker alone anybody can write. What is settled is folded
//! away ("minimised as resolved"), which only GraphQL can.
//!
//! <https://docs.github.com/en/rest/issues/comments>,
//! <https://docs.github.com/en/graphql/reference/mutations#minimizecomment>

use http::Method;
use serde::Deserialize;
use serde::Serialize;

use crate::github::client::Call;
use crate::github::error::Error;
use crate::github::repository::Repository;
use crate::ids::CommentId;
use crate::ids::PullNumber;

const PAGE: usize = 100;
/// How many pages of comments are searched for ours.
const MAX_PAGES: usize = 50;

const FOLD: &str = include_str!("../queries/fold.graphql");
const UNFOLD: &str = include_str!("../queries/unfold.graphql");

#[derive(Serialize)]
struct Body<'a> {
    body: &'a str,
}

#[derive(Deserialize)]
struct Comment {
    id: CommentId,
    #[serde(default)]
    node_id: String,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    performed_via_github_app: Option<App>,
}

#[derive(Deserialize)]
struct App {
    id: u64,
}

/// A comment as the GraphQL API names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentNode(String);

impl Repository {
    /// Posts a comment.
    ///
    /// # Errors
    /// When it is not known to be posted: look with [`Repository::find_comment`] before trying again.
    pub async fn post_comment(&self, pull: PullNumber, body: &str) -> Result<CommentId, Error> {
        let path = self.path(&format!("/issues/{pull}/comments"));
        let call = Call::send(Method::POST, "the pull request", &path, &Body { body });
        Ok(self.rest(call).await?.json::<Comment>()?.id)
    }

    /// Changes a comment; `None` when somebody deleted it.
    ///
    /// # Errors
    /// When it is not known to be changed.
    pub async fn edit_comment(&self, id: CommentId, body: &str) -> Result<Option<CommentNode>, Error> {
        let path = self.path(&format!("/issues/comments/{id}"));
        match self.rest(Call::send(Method::PATCH, "the comment", &path, &Body { body })).await {
            Ok(answer) => Ok(Some(CommentNode(answer.json::<Comment>()?.node_id))),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Folds a comment away as resolved, or shows it again.
    ///
    /// # Errors
    /// When it is not known to be done.
    pub async fn fold_comment(&self, comment: &CommentNode, folded: bool) -> Result<(), Error> {
        #[derive(Serialize)]
        struct Variables<'a> {
            id: &'a str,
        }
        let query = if folded { FOLD } else { UNFOLD };
        let variables = Variables { id: &comment.0 };
        self.graphql::<serde::de::IgnoredAny>("the comment", query, &variables, &[]).await.map(drop)
    }

    /// The comment of ours that bears the marker, by looking through all of them.
    ///
    /// # Errors
    /// When GitHub does not say.
    pub async fn find_comment(&self, pull: PullNumber, marker: &str) -> Result<Option<CommentId>, Error> {
        let app_id = self.github.app_id();
        for page in 1..=MAX_PAGES {
            let path = self.path(&format!("/issues/{pull}/comments?per_page={PAGE}&page={page}"));
            let comments: Vec<Comment> = self.rest(Call::get("the comments", &path)).await?.json()?;
            let last = comments.len() < PAGE;
            let ours = comments.into_iter().find(|comment| {
                comment.performed_via_github_app.as_ref().is_some_and(|app| app.id == app_id)
                    && comment.body.as_deref().is_some_and(|body| body.starts_with(marker))
            });
            if let Some(comment) = ours {
                return Ok(Some(comment.id));
            }
            if last {
                break;
            }
        }
        Ok(None)
    }
}
