//! One repository as the App sees it: every call to it carries a token of its
//! own, and a refused token is minted again once.

use std::future::Future;

use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::github::GitHub;
use crate::github::client::Answer;
use crate::github::client::Call;
use crate::github::client::segment;
use crate::github::error::Error;
use crate::github::graphql;
use crate::github::pace::Cost;
use crate::github::pace::Payer;
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
        let (app, client) = (self.github.app(), self.github.client());
        let cost = rest_cost(&call);
        let token = app.token(&self.place).await?;
        match self.paced(cost, client.rest(token.secret(), call.clone())).await {
            Err(Error::Unauthorised { .. }) => {
                app.refused(&self.place, &token).await;
                let token = app.token(&self.place).await?;
                self.paced(cost, client.rest(token.secret(), call)).await
            }
            other => other,
        }
    }

    /// Sends a call when its installation's share allows it, and remembers when GitHub refuses.
    async fn paced(
        &self,
        cost: Cost,
        call: impl Future<Output = Result<Answer, Error>>,
    ) -> Result<Answer, Error> {
        let payer = Payer::Installation(self.place.installation);
        self.github.pace().send(payer, cost, self.github.client().clock(), call).await
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
        let cost = Cost { graphql: if query.starts_with("mutation") { 5 } else { 1 }, ..Cost::default() };
        let answer = match self.paced(cost, client.graphql(token.secret(), what, body.clone())).await {
            Err(Error::Unauthorised { .. }) => {
                app.refused(&self.place, &token).await;
                let token = app.token(&self.place).await?;
                self.paced(cost, client.graphql(token.secret(), what, body)).await?
            }
            other => other?,
        };
        let data = graphql::data(what, &answer, tolerated, client.clock().now_ms());
        if let Err(Error::RateLimited { retry_at_ms, .. }) = &data {
            let now_ms = client.clock().now_ms();
            self.github.pace().refused(Payer::Installation(self.place.installation), *retry_at_ms, now_ms);
        }
        data
    }
}

/// What a call takes; a POST makes something new.
fn rest_cost(call: &Call<'_>) -> Cost {
    Cost { content: i64::from(call.method == Method::POST), ..Cost::of_rest(&call.method) }
}

/// `/repos/{owner}/{name}` of any repository, and what follows it.
pub(crate) fn repository_path(name: &RepositoryName, rest: &str) -> String {
    format!("/repos/{}/{}{rest}", segment(&name.owner), segment(&name.name))
}
