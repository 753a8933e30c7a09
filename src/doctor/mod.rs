//! Whether everything that fromguard needs from the world around it is there: the database, the
//! App as GitHub has it, its webhook, its installations, the policies and the required check.
//!
//! Looks and changes nothing; the only thing that it sends is a `ping` to the App's own webhook.
//! What cannot be looked at is a line of its own and keeps nothing else from being looked at.

mod app;
mod checkup;
mod database;
mod installations;
mod manifest;
mod policy;
mod repository;
mod webhook;

use futures_util::StreamExt as _;
use futures_util::stream;
use secrecy::SecretString;

use crate::clock::Clock;
use crate::clock::TimestampMs;
use crate::doctor::app::Settings;
use crate::github;
use crate::github::Error;
use crate::github::GitHub;
use crate::github::SetUpError;
use crate::ids::RepositoryName;

pub use checkup::Checkup;
pub use checkup::Level;
pub use checkup::Line;

/// How many calls of a kind are under way at once.
const CONCURRENCY: usize = 4;

/// What is to be looked at.
pub struct Subject {
    /// Which GitHub, as which App.
    pub github: github::Settings,
    /// What deliveries are signed with.
    pub webhook_secrets: Vec<SecretString>,
    /// The database.
    pub database_url: SecretString,
    /// Repositories whose policy and required check are looked at.
    pub repositories: Vec<RepositoryName>,
    /// What time it is.
    pub clock: Clock,
}

/// Looks at everything.
///
/// # Errors
/// When the address of GitHub or the App's key cannot be used at all.
pub async fn examine(subject: &Subject) -> Result<Checkup, SetUpError> {
    let github = GitHub::new(&subject.github, subject.clock.clone())?;
    let (database, asked, hook, attempts, installed) = futures_util::join!(
        database::examine(&subject.database_url, subject.clock.now_ms()),
        github.app_facts(),
        github.hook_config(),
        github.newest_attempts(),
        github.installation_facts(),
    );
    let settings = Settings::of(asked.app.as_ref().ok(), &subject.github.api_url);
    let mut checkup = Checkup::default();
    checkup.extend(database);
    checkup.extend(app::examine(&asked, &settings, subject));
    // What one refusal says of all calls is said once.
    let said = asked.app.as_ref().err();
    checkup.extend(webhook::examine(subject, &settings, hook, attempts, said).await);
    match installed {
        Ok(installed) => {
            let wanted = asked.app.as_ref().ok();
            checkup.extend(installations::examine(&github, wanted, &installed, subject).await);
        }
        Err(error) => checkup.push(unasked("installations", "The installations", &error, said, subject)),
    }
    let lines = stream::iter(&subject.repositories)
        .map(|name| repository::examine(&github, name, subject))
        .buffered(CONCURRENCY);
    for lines in lines.collect::<Vec<_>>().await {
        checkup.extend(lines);
    }
    Ok(checkup)
}

/// What could not be looked at, and why. `said` is what kept the App itself from being looked at:
/// the same is not explained twice.
fn unasked(check: &'static str, what: &str, error: &Error, said: Option<&Error>, subject: &Subject) -> Line {
    let message = format!("{what} cannot be looked at: {error}.");
    if said.is_some_and(|said| said == error) {
        return Line::fail(check, message, "Mend what the line of the App says first.");
    }
    let api_url = &subject.github.api_url;
    let remedy = match error {
        Error::Network { .. } | Error::TimedOut { .. } => format!(
            "Check that this machine reaches {api_url} (name, proxy, firewall), and whether GitHub has an \
             outage: https://www.githubstatus.com."
        ),
        Error::Server { .. } | Error::GraphQl { .. } | Error::TooLarge { .. } | Error::Malformed { .. } => {
            "Run doctor again in some minutes; https://www.githubstatus.com says whether GitHub has an outage."
                .to_owned()
        }
        Error::RateLimited { retry_at_ms, .. } => {
            format!("Run doctor again after {}.", time(*retry_at_ms))
        }
        Error::Unauthorised { .. } => {
            "Check that FROMGUARD_APP_ID and FROMGUARD_PRIVATE_KEY belong together and that the key was not \
             deleted from the App's settings."
                .to_owned()
        }
        error if error.is_shut() => "Unsuspend the installation.".to_owned(),
        Error::Forbidden { .. } => {
            "Let the App have the permissions of app-manifest/manifest.json, and the account accept them."
                .to_owned()
        }
        Error::Key { .. } => "Set FROMGUARD_PRIVATE_KEY to the .pem file that GitHub made for the App.".to_owned(),
        Error::NotFound { .. } | Error::Unprocessable { .. } | Error::Unexpected { .. } => format!(
            "Check that FROMGUARD_APP_ID is the App's id and that {api_url} is the GitHub that it is on."
        ),
    };
    Line::fail(check, message, remedy)
}

/// A time for people: `2026-11-26 03:07 UTC`.
fn time(at_ms: TimestampMs) -> String {
    match jiff::Timestamp::from_millisecond(at_ms) {
        Ok(at) => at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => "a time that no calendar has".to_owned(),
    }
}
