//! One repository as the App sees it: every call to it carries a token of its
//! own, and a refused token is minted again once.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::github::GitHub;
use crate::github::client::Answer;
use crate::github::client::Call;
use crate::github::client::segment;
use crate::github::error::Error;
use crate::github::graphql;
use crate::ids::RepositoryName;
use crate::ids::RepositoryPlace;

/// A repository that the App is installed on.
#[derive(Clone)]
pub struct Repository {
    pub(crate) github: GitHub,
    pub(crate) place: RepositoryPlace,
}

impl Repository {
    /// Where it is.
    #[must_use]
    pub fn place(&self) -> &RepositoryPlace {
        &self.place
    }

    /// The same repository under the name that GitHub just gave it.
    #[must_use]
    pub fn named(&self, name: RepositoryName) -> Repository {
        Repository { github: self.github.clone(), place: RepositoryPlace { name, ..self.place.clone() } }
    }

    /// `/repos/{owner}/{name}` and what follows it.
    pub(crate) fn path(&self, rest: &str) -> String {
        repository_path(&self.place.name, rest)
    }

    /// A REST call with this repository's token.
    pub(crate) async fn rest(&self, call: Call<'_>) -> Result<Answer, Error> {
        let app = self.github.app();
        let token = app.token(&self.place).await?;
        match self.github.client().rest(token.secret(), call.clone()).await {
            Err(Error::Unauthorised { .. }) => {
                app.refused(&self.place, &token).await;
                let token = app.token(&self.place).await?;
                self.github.client().rest(token.secret(), call).await
            }
            other => other,
        }
    }

    /// A GraphQL query with this repository's token. Errors at the paths that
    /// `tolerated` names, and only NOT_FOUND there, leave a null in the data.
    pub(crate) async fn graphql<T: DeserializeOwned>(
        &self,
        what: &str,
        query: &str,
        variables: &impl Serialize,
        tolerated: &[&str],
    ) -> Result<T, Error> {
        let body = graphql::body(query, variables);
        let app = self.github.app();
        let client = self.github.client();
        let token = app.token(&self.place).await?;
        let answer = match client.graphql(token.secret(), what, body.clone()).await {
            Err(Error::Unauthorised { .. }) => {
                app.refused(&self.place, &token).await;
                let token = app.token(&self.place).await?;
                client.graphql(token.secret(), what, body).await?
            }
            other => other?,
        };
        graphql::data(what, &answer, tolerated, client.clock().now_ms())
    }
}

/// `/repos/{owner}/{name}` of any repository, and what follows it.
pub(crate) fn repository_path(name: &RepositoryName, rest: &str) -> String {
    format!("/repos/{}/{}{rest}", segment(&name.owner), segment(&name.name))
}
