//! Pushes, of which only those count that may change a policy, or what images stand on
//! the default branch.

use std::borrow::Cow;

use fromguard_core::formats;
use fromguard_core::policy::ORGANISATION_POLICY_PATH;
use fromguard_core::policy::REPOSITORY_POLICY_PATH;
use fromguard_core::source::RepoPath;
use serde::Deserialize;

use crate::github::app::ORGANISATION_REPOSITORY;
use crate::github::event::Event;
use crate::github::event::EventError;
use crate::github::event::Installation;
use crate::github::event::PolicyEvent;
use crate::github::event::Repository;
use crate::github::event::place;

/// The most commits that a `push` lists.
pub(super) const MAX_LISTED_COMMITS: usize = 2_048;

#[derive(Deserialize)]
struct Push<'a> {
    #[serde(borrow, rename = "ref")]
    reference: Cow<'a, str>,
    #[serde(default)]
    deleted: bool,
    #[serde(default)]
    forced: bool,
    #[serde(borrow, default)]
    commits: Vec<PushedCommit<'a>>,
    #[serde(borrow)]
    repository: Option<Repository<'a>>,
    installation: Option<Installation>,
}

#[derive(Deserialize)]
struct PushedCommit<'a> {
    #[serde(borrow, default)]
    added: Vec<Cow<'a, str>>,
    #[serde(borrow, default)]
    modified: Vec<Cow<'a, str>>,
    #[serde(borrow, default)]
    removed: Vec<Cow<'a, str>>,
}

/// A push that may change a policy or the inventory. Of a push of more commits than the payload lists, and
/// of one that takes commits away, nobody can tell.
/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#push>
pub(super) fn push(body: &[u8]) -> Result<Event, EventError> {
    let push: Push<'_> = serde_json::from_slice(body)
        .map_err(|error| EventError::Json { line: error.line(), column: error.column() })?;
    let Some(branch) = push.reference.strip_prefix("refs/heads/").filter(|_| !push.deleted) else {
        return Ok(Event::Other);
    };
    let unclear = push.forced || push.commits.len() >= MAX_LISTED_COMMITS;
    let touches = |is: &dyn Fn(&str) -> bool| {
        let lists = push.commits.iter().flat_map(|commit| [&commit.added, &commit.modified, &commit.removed]);
        unclear || lists.flatten().any(|touched| is(touched))
    };
    let on_default = push.repository.as_ref().is_some_and(|repository| repository.default_branch == branch);
    let own = touches(&|path| path == REPOSITORY_POLICY_PATH);
    let organisation = touches(&|path| path == ORGANISATION_POLICY_PATH);
    let stock = on_default && touches(&names_images);
    let branch = branch.to_owned();
    // A webhook of a repository's own is told from ours by what follows.
    let place = place(push.repository, push.installation)?;
    if place.name.name == ORGANISATION_REPOSITORY && on_default && organisation {
        return Ok(Event::Policy(PolicyEvent { place, base: None }));
    }
    Ok(match own {
        true => Event::Policy(PolicyEvent { place, base: Some(branch) }),
        false if stock => Event::Stock(place),
        false => Event::Other,
    })
}

/// Whether images may depend on the file, by its name.
fn names_images(path: &str) -> bool {
    let path = RepoPath::new(path);
    formats::is_claimed(&path) || formats::may_decide_others(&path)
}
