//! Where the App is installed, for which repositories, and with what permissions.

use super::find;
use super::unknown;
use crate::ids::InstallationId;
use crate::standin::Standin;
use crate::standin::StandinError;
use crate::standin::limits;
use crate::standin::lock;
use crate::standin::state::Installation;
use crate::standin::state::Repository;
use crate::standin::state::State;
use crate::standin::webhook;

impl Standin {
    /// Installs the App on an account, for all its repositories.
    pub fn install(&self, account: &str) -> InstallationId {
        self.installation(account, false)
    }

    /// Installs the App on an account for selected repositories only: none until [`Standin::select`] adds them.
    pub fn install_selected(&self, account: &str) -> InstallationId {
        self.installation(account, true)
    }

    fn installation(&self, account: &str, selected: bool) -> InstallationId {
        let mut state = lock(&self.shared.state);
        let id = InstallationId(state.fresh_small_id());
        let installation = Installation {
            account: account.to_owned(),
            selected: selected.then(Default::default),
            permissions: self.shared.app.permissions.clone(),
            suspended: false,
        };
        state.installations.insert(id, installation);
        id
    }

    /// Makes the delivery that tells the App that it was installed: `installation.created`.
    pub fn announce_installed(&self, installation: InstallationId) {
        self.announce_installation(&lock(&self.shared.state), installation, "created");
    }

    /// Suspends an installation: no token is minted any more, and its tokens are worth nothing.
    pub fn suspend(&self, installation: InstallationId) {
        let mut state = lock(&self.shared.state);
        if let Some(found) = state.installations.get_mut(&installation) {
            found.suspended = true;
        }
        state.tokens.retain(|_, token| token.installation != installation);
        self.announce_installation(&state, installation, "suspend");
    }

    /// Ends a suspension.
    pub fn unsuspend(&self, installation: InstallationId) {
        let mut state = lock(&self.shared.state);
        if let Some(found) = state.installations.get_mut(&installation) {
            found.suspended = false;
        }
        self.announce_installation(&state, installation, "unsuspend");
    }

    /// Lets the account's owner accept permissions that the App asks for anew.
    pub fn accept_permission(&self, installation: InstallationId, permission: &str, level: &str) {
        self.permit(installation, permission, Some(level));
        self.announce_installation(&lock(&self.shared.state), installation, "new_permissions_accepted");
    }

    fn announce_installation(&self, state: &State, id: InstallationId, action: &str) {
        if let Some(installation) = state.installations.get(&id) {
            let reached: Vec<&Repository> =
                state.repositories.iter().filter(|repository| installation.reaches(repository)).collect();
            let payload = webhook::installation(self.shared.shapes(), action, id, installation, &reached);
            lock(&self.shared.deliveries).add("installation", &payload);
        }
    }

    /// Adds a repository to an installation, which covers selected ones from now on.
    ///
    /// # Errors
    /// When there is no such repository or installation.
    pub fn select(&self, installation: InstallationId, repository: &str) -> Result<(), StandinError> {
        self.choose(installation, repository, true)
    }

    /// Takes a repository out of an installation that covers selected ones.
    ///
    /// # Errors
    /// When there is no such repository or installation.
    pub fn deselect(&self, installation: InstallationId, repository: &str) -> Result<(), StandinError> {
        self.choose(installation, repository, false)
    }

    fn choose(
        &self,
        installation: InstallationId,
        repository: &str,
        chosen: bool,
    ) -> Result<(), StandinError> {
        let mut state = lock(&self.shared.state);
        let id = find(&state, repository)?.id;
        let found = state.installations.get_mut(&installation);
        let found = found.ok_or_else(|| unknown("installation of", repository))?;
        let selected = found.selected.get_or_insert_default();
        if chosen {
            selected.insert(id);
        } else {
            selected.remove(&id);
        }
        let changed = [find(&state, repository)?];
        let (added, removed) = if chosen { (&changed[..], &[][..]) } else { (&[][..], &changed[..]) };
        if let Some(found) = state.installations.get(&installation) {
            let shapes = self.shared.shapes();
            let payload = webhook::installation_repositories(shapes, installation, found, added, removed);
            lock(&self.shared.deliveries).add("installation_repositories", &payload);
        }
        Ok(())
    }

    /// Removes the App from an account; its tokens are worth nothing from now on.
    pub fn uninstall(&self, installation: InstallationId) {
        let mut state = lock(&self.shared.state);
        self.announce_installation(&state, installation, "deleted");
        state.installations.remove(&installation);
    }

    /// Uses up requests of an installation's hour, as another program with the App's key would.
    pub fn spend(&self, installation: InstallationId, requests: u32) {
        let now_ms = self.shared.clock.now_ms();
        limits::window(&mut lock(&self.shared.state), installation, "core", now_ms).used += requests;
    }

    /// Changes what the App may do in an installation; tokens minted before keep what they had.
    pub fn permit(&self, installation: InstallationId, permission: &str, level: Option<&str>) {
        let mut state = lock(&self.shared.state);
        if let Some(installation) = state.installations.get_mut(&installation) {
            match level {
                Some(level) => installation.permissions.insert(permission.to_owned(), level.to_owned()),
                None => installation.permissions.remove(permission),
            };
        }
    }
}
