//! What becomes of a repository: another name, another owner, archived.

use serde_json::Value;
use serde_json::json;

use super::find;
use super::find_mut;
use crate::ids::RepositoryId;
use crate::standin::Standin;
use crate::standin::StandinError;
use crate::standin::lock;
use crate::standin::state::Repository;
use crate::standin::state::State;
use crate::standin::webhook;

impl Standin {
    /// Archives a repository: from now on nothing can be written to it.
    ///
    /// # Errors
    /// When there is no such repository.
    pub fn archive(&self, repository: &str) -> Result<(), StandinError> {
        self.become_of(repository, "archived", json!({}), |found| found.archived = true)
    }

    /// Lets an archived repository be written to again.
    ///
    /// # Errors
    /// When there is no such repository.
    pub fn unarchive(&self, repository: &str) -> Result<(), StandinError> {
        self.become_of(repository, "unarchived", json!({}), |found| found.archived = false)
    }

    /// Gives a repository another name. Nothing answers under the old one: GitHub's redirects are not here.
    ///
    /// # Errors
    /// When there is no such repository.
    pub fn rename(&self, repository: &str, name: &str) -> Result<(), StandinError> {
        let before = repository.split_once('/').map_or("", |(_, name)| name);
        let changes = json!({"repository": {"name": {"from": before}}});
        self.become_of(repository, "renamed", changes, |found| found.name.name = name.to_owned())
    }

    /// Gives a repository to another account, whose installation is told.
    ///
    /// # Errors
    /// When there is no such repository.
    pub fn transfer(&self, repository: &str, owner: &str) -> Result<(), StandinError> {
        let before = repository.split_once('/').map_or("", |(owner, _)| owner).to_owned();
        let before = self.shared.shapes().user(&before, "Organization");
        let changes = json!({"owner": {"from": {"organization": before}}});
        self.become_of(repository, "transferred", changes, |found| found.name.owner = owner.to_owned())
    }

    /// Makes another branch the default one, and says so.
    ///
    /// # Errors
    /// When there is no such repository.
    pub fn change_default_branch(&self, repository: &str, branch: &str) -> Result<(), StandinError> {
        let before = find(&lock(&self.shared.state), repository)?.default_branch.clone();
        let changes = json!({"default_branch": {"from": before}});
        self.become_of(repository, "edited", changes, |found| found.default_branch = branch.to_owned())
    }

    fn become_of(
        &self,
        repository: &str,
        action: &str,
        changes: Value,
        change: impl FnOnce(&mut Repository),
    ) -> Result<(), StandinError> {
        let mut state = lock(&self.shared.state);
        let found = find_mut(&mut state, repository)?;
        change(found);
        let id = found.id;
        self.announce_repository(&state, id, action, changes);
        Ok(())
    }

    /// Makes the delivery of a `repository` event, if the App is installed there.
    fn announce_repository(&self, state: &State, id: RepositoryId, action: &str, changes: Value) {
        let Some(found) = state.repository_by_id(id) else { return };
        if state.installation_of(found).is_some() {
            let payload = webhook::repository(state, self.shared.shapes(), action, found, changes);
            lock(&self.shared.deliveries).add("repository", &payload);
        }
    }
}
