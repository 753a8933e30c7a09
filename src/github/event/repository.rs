//! Repositories that are called otherwise, belong to somebody else, or cannot be written to any more.
//! Whether everybody can see one is asked with each judgement, so that a change of that says nothing here.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::github::app::ORGANISATION_REPOSITORY;
use crate::github::event::ArrivedEvent;
use crate::github::event::Event;
use crate::github::event::EventError;
use crate::github::event::Installation;
use crate::github::event::LeftEvent;
use crate::github::event::MovedEvent;
use crate::github::event::PolicyEvent;
use crate::github::event::Repository;
use crate::github::event::place;

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    action: Option<Cow<'a, str>>,
    #[serde(borrow)]
    repository: Option<Repository<'a>>,
    installation: Option<Installation>,
    #[serde(borrow, default)]
    changes: Changes<'a>,
}

#[derive(Default, Deserialize)]
struct Changes<'a> {
    /// `edited` with another default branch.
    default_branch: Option<IgnoredAny>,
    /// `renamed`.
    #[serde(borrow)]
    repository: Option<Renamed<'a>>,
}

#[derive(Deserialize)]
struct Renamed<'a> {
    #[serde(borrow)]
    name: Option<From<'a>>,
}

#[derive(Deserialize)]
struct From<'a> {
    #[serde(borrow)]
    from: Cow<'a, str>,
}

/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#repository>
pub(super) fn repository(body: &[u8]) -> Result<Event, EventError> {
    let payload: Payload<'_> = serde_json::from_slice(body)
        .map_err(|error| EventError::Json { line: error.line(), column: error.column() })?;
    let action = payload.action.as_deref().ok_or(EventError::Missing("action"))?;
    let default_branch = action == "edited" && payload.changes.default_branch.is_some();
    let known = matches!(action, "renamed" | "transferred" | "archived" | "unarchived" | "deleted");
    if !known && !default_branch {
        return Ok(Event::Other);
    }
    let place = place(payload.repository, payload.installation)?;
    let is_organisation = |name: &str| name == ORGANISATION_REPOSITORY;
    let organisation = is_organisation(&place.name.name);
    Ok(match action {
        "renamed" | "transferred" => {
            let before = payload.changes.repository.and_then(|renamed| renamed.name);
            let was_organisation = before.is_some_and(|name| is_organisation(&name.from));
            Event::Moved(MovedEvent { place, organisation: organisation || was_organisation })
        }
        // The organisation's policy is gone with it, or is on another branch now.
        "deleted" | "edited" if organisation => Event::Policy(PolicyEvent { place, base: None }),
        "archived" | "deleted" => {
            let (installation, repositories) = (place.installation, Some(vec![place.id]));
            Event::Left(LeftEvent { installation, repositories })
        }
        _ => {
            let (installation, repositories) = (place.installation, Some(vec![(place.id, place.name)]));
            Event::Arrived(ArrivedEvent { installation, repositories })
        }
    })
}
