//! GitHub: App authentication, the API client, webhooks, fetching a change and
//! publishing a report. GitHub's JSON stops here.

mod app;
mod client;
mod deliveries;
mod error;
pub mod event;
pub mod fetch;
mod graphql;
pub mod inspect;
mod pace;
pub mod ping;
pub mod publish;
mod repository;
pub mod signature;
mod survey;
mod texts;

use std::sync::Arc;

use secrecy::SecretString;
use thiserror::Error as ThisError;

use crate::clock::Clock;
use crate::clock::TimestampMs;
use crate::github::app::App;
use crate::github::client::Client;
use crate::github::fetch::KeptScans;
use crate::github::pace::Pace;
use crate::github::texts::Texts;
use crate::ids::InstallationId;
use crate::ids::RepositoryPlace;

pub(crate) use app::ORGANISATION_REPOSITORY;
pub use client::Timeouts;
pub use deliveries::Attempt;
pub use error::Error;
pub use error::Fault;
pub use repository::Repository;
pub use survey::FoundBranch;
pub use survey::FoundGroup;
pub use survey::FoundPull;
pub use survey::Reached;
pub use survey::Surveyed;

/// Which GitHub, and as which App.
#[derive(Clone)]
pub struct Settings {
    /// The root of the REST API: `https://api.github.com`, or `https://HOST/api/v3`
    /// of a GitHub Enterprise Server.
    pub api_url: String,
    /// The App's id.
    pub app_id: u64,
    /// The App's RSA private key, PEM.
    pub private_key: SecretString,
    /// How long GitHub is waited for.
    pub timeouts: Timeouts,
}

/// Why the client cannot be built; the operator's to mend.
#[derive(Debug, ThisError)]
pub enum SetUpError {
    /// The address is none.
    #[error("FROMGUARD_GITHUB_API_URL is {url:?}: {why}")]
    ApiUrl {
        /// As given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The key is none.
    #[error("the App's private key is no RSA key in PEM form: {0}")]
    PrivateKey(String),
    /// No certificate authorities.
    #[error("this machine's certificate authorities cannot be read: {0}")]
    Certificates(String),
}

/// The App on one GitHub; cheap to clone, all clones share tokens and connections.
#[derive(Clone)]
pub struct GitHub(Arc<Inner>);

struct Inner {
    app: App,
    client: Client,
    pace: Arc<Pace>,
    texts: Texts,
    scans: KeptScans,
}

impl GitHub {
    /// Connects nothing yet. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the address or the key cannot be used.
    pub fn new(settings: &Settings, clock: Clock) -> Result<GitHub, SetUpError> {
        let client = Client::new(&settings.api_url, settings.timeouts, clock)?;
        let pace = Arc::<Pace>::default();
        let app = App::new(settings.app_id, &settings.private_key, client.clone(), Arc::clone(&pace))?;
        let (texts, scans) = (Texts::default(), KeptScans::default());
        Ok(GitHub(Arc::new(Inner { app, client, pace, texts, scans })))
    }

    /// A repository that the App is installed on.
    #[must_use]
    pub fn repository(&self, place: RepositoryPlace) -> Repository {
        Repository { github: self.clone(), place }
    }

    /// The App's id.
    #[must_use]
    pub fn app_id(&self) -> u64 {
        self.0.app.id()
    }

    /// How many requests were sent so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.0.client.requests()
    }

    /// Whether an installation covers every repository of its account.
    ///
    /// # Errors
    /// When GitHub does not say.
    pub async fn covers_all(&self, installation: InstallationId) -> Result<bool, Error> {
        self.0.app.covers_all(installation).await
    }

    fn app(&self) -> &App {
        &self.0.app
    }

    /// When a judgement of this installation may begin; `None` when it may now. Before that,
    /// GitHub would refuse it.
    #[must_use]
    pub fn busy_until_ms(&self, installation: InstallationId) -> Option<TimestampMs> {
        self.pace().busy_until_ms(installation, self.client().clock().now_ms())
    }

    fn pace(&self) -> &Pace {
        &self.0.pace
    }

    fn texts(&self) -> &Texts {
        &self.0.texts
    }

    fn scans(&self) -> &KeptScans {
        &self.0.scans
    }

    fn client(&self) -> &Client {
        &self.0.client
    }
}
