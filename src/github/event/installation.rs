//! Where the App is let in, and where it is shut out.

use crate::github::event::ArrivedEvent;
use crate::github::event::Event;
use crate::github::event::EventError;
use crate::github::event::LeftEvent;
use crate::github::event::payload;
use crate::ids::InstallationId;
use crate::ids::RepositoryId;
use crate::ids::RepositoryName;

/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#installation>
pub(super) fn installation(body: &[u8]) -> Result<Event, EventError> {
    let payload = payload(body)?;
    let action = payload.action.as_deref().ok_or(EventError::Missing("action"))?;
    let installation = InstallationId(payload.installation.ok_or(EventError::NoInstallation)?.id);
    Ok(match action {
        "created" | "unsuspend" | "new_permissions_accepted" => {
            Event::Arrived(ArrivedEvent { installation, repositories: None })
        }
        "deleted" | "suspend" => Event::Left(LeftEvent { installation, repositories: None }),
        _ => Event::Other,
    })
}

/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#installation_repositories>
pub(super) fn repositories(body: &[u8]) -> Result<Event, EventError> {
    let payload = payload(body)?;
    let action = payload.action.as_deref().ok_or(EventError::Missing("action"))?;
    let installation = InstallationId(payload.installation.ok_or(EventError::NoInstallation)?.id);
    Ok(match action {
        "added" => {
            let named = payload.repositories_added.iter().filter_map(|listed| {
                let (owner, name) = listed.full_name.split_once('/')?;
                let name = RepositoryName { owner: owner.to_owned(), name: name.to_owned() };
                Some((RepositoryId(listed.id), name))
            });
            Event::Arrived(ArrivedEvent { installation, repositories: Some(named.collect()) })
        }
        "removed" => {
            let ids = payload.repositories_removed.iter().map(|listed| RepositoryId(listed.id));
            Event::Left(LeftEvent { installation, repositories: Some(ids.collect()) })
        }
        _ => Event::Other,
    })
}
