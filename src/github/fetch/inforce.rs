//! The policies that a judgement in a repository would go by now, without a judgement.

use fromguard_core::day::Day;
use fromguard_core::policy::Policies;
use fromguard_core::source::Content;
use serde::Deserialize;
use serde::Serialize;

use crate::github::app::ORGANISATION_REPOSITORY;
use crate::github::error::Error;
use crate::github::fetch::change;
use crate::github::fetch::change::BaseTarget;
use crate::github::fetch::change::OrganisationNode;
use crate::github::fetch::change::Ref;
use crate::github::fetch::entry::content;
use crate::github::fetch::policy;
use crate::github::fetch::policy::Standing;
use crate::github::repository::Repository;

const QUERY: &str =
    concat!(include_str!("../queries/policies.graphql"), include_str!("../queries/entry.graphql"));

/// Reads both policy files as a judgement of a pull request to `branch` would.
///
/// # Errors
/// When GitHub does not say.
pub async fn policies_in_force(repository: &Repository, branch: &str, day: Day) -> Result<Policies, Error> {
    #[derive(Serialize)]
    struct Variables<'a> {
        owner: &'a str,
        name: &'a str,
        branch: String,
    }
    #[derive(Deserialize)]
    struct Data {
        repository: Option<Node>,
        organisation: Option<OrganisationNode>,
    }
    #[derive(Deserialize)]
    struct Node {
        base: Option<Ref<BaseTarget>>,
    }

    let name = &repository.place().name;
    let variables =
        Variables { owner: &name.owner, name: &name.name, branch: format!("refs/heads/{branch}") };
    let tolerated: &[&str] = if name.name == ORGANISATION_REPOSITORY { &[] } else { &["organisation"] };
    let data: Data = repository.graphql("the policies", QUERY, &variables, tolerated).await?;
    let node = data.repository.ok_or_else(|| Error::NotFound {
        what: "the repository".into(),
        message: "no such repository".into(),
    })?;
    let own = match node.base.and_then(|base| base.target) {
        Some(target) => content(repository, target.file).await?,
        None => Content::Missing,
    };
    let organisation = change::organisation_policy(repository, data.organisation).await?;
    let standing = Standing {
        organisation: organisation.as_ref(),
        repository: &own,
        organisation_seen: false,
        pull: None,
        day,
    };
    Ok(policy::policies(repository, standing).await?.in_force)
}
