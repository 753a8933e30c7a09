//! The stage of a rehearsal: the stand-in for GitHub and the App, each on a port
//! of its own on loopback, the store in a folder that goes with them.

use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context;
use anyhow::bail;
use fromguard_core::policy::ORGANISATION_POLICY_PATH;
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::app::AppParts;
use crate::app::Parts;
use crate::clock::Clock;
use crate::github;
use crate::github::Timeouts;
use crate::github::signature::WebhookSecrets;
use crate::standin::Standin;
use crate::standin::StandinOptions;
use crate::standin::Traffic;
use crate::standin::repository::Builder;
use crate::standin::repository::Change;
use crate::store::Store;
use crate::worker;

/// What the App is called in the stand-in's merge box.
const CHECK: &str = "fromguard";

/// A rehearsal gives up after this long; a defect must not hang a terminal.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long each answer of the stand-in takes: about what GitHub's edge takes from
/// a data centre, so that requests sent together overlap as they would there.
pub(super) const LATENCY: Duration = Duration::from_millis(20);

/// The stand-in and the App, running.
pub(super) struct Stage {
    pub(super) standin: Standin,
    pub(super) server_url: String,
    store: Store,
    stop: oneshot::Sender<()>,
    running: JoinHandle<anyhow::Result<()>>,
    folder: TempDir,
}

/// What a delivery led to.
pub(super) struct Played {
    /// The deliveries and how the server answered: `pull_request.opened → 202`.
    pub(super) deliveries: Vec<String>,
    /// What the App asked GitHub.
    pub(super) traffic: Traffic,
    /// From the first delivery until nothing was left to do.
    pub(super) took: Duration,
}

impl Stage {
    /// Starts both sides, with the repository `name` over the git repository at
    /// `path`, and the organisation's policy if there is one.
    pub(super) async fn set(name: &str, path: &Path, organisation: Option<&str>) -> anyhow::Result<Stage> {
        let folder = tempfile::tempdir().context("no temporary folder can be made")?;
        let standin =
            Standin::start(StandinOptions { latency: LATENCY, ..StandinOptions::default() }).await?;
        let owner = name.split('/').next().unwrap_or(name);
        standin.install(owner);
        standin.add_repository(name, path)?;
        if let Some(policy) = organisation {
            let home = folder.path().join("organisation.git");
            let mut git = Builder::init(&home)?;
            let file = (ORGANISATION_POLICY_PATH, Change::File(policy.as_bytes()));
            git.commit("main", "Say what is trusted", &[file])?;
            standin.add_repository(&format!("{owner}/.github"), &home)?;
        }
        standin.protect(name, "main", CHECK, Some(standin.app_id()))?;

        let database = folder.path().join("fromguard.db");
        let app = App::start(Parts {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            database_url: SecretString::from(format!("sqlite:{}", database.display())),
            app: Some(AppParts {
                webhook_secrets: WebhookSecrets::new(&[SecretString::from(standin.webhook_secret())])?,
                github: github::Settings {
                    api_url: standin.base_url(),
                    app_id: standin.app_id(),
                    private_key: SecretString::from(standin.app_private_key_pem()),
                    timeouts: Timeouts::default(),
                },
                sweeps: false,
            }),
            worker: worker::Settings::default(),
            clock: Clock::system(),
        })
        .await?;
        let server_url = format!("http://{}", app.address());
        standin.deliver_to(&format!("{server_url}/webhook"));
        let store = app.store();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(app.run(async {
            // A sender that is gone stops the server as well.
            let _ = stopped.await;
        }));
        Ok(Stage { standin, server_url, store, stop, running, folder })
    }

    /// Delivers what waits and returns once the server has nothing left to do.
    pub(super) async fn play(&self) -> anyhow::Result<Played> {
        self.standin.reset_traffic();
        let begin = Instant::now();
        let delivered = self.standin.deliver_all().await?;
        let deliveries = delivered
            .iter()
            .map(|delivery| match delivery.status {
                Some(status) => format!("{} → {status}", delivery.what),
                None => format!("{} → no answer", delivery.what),
            })
            .collect();
        if tokio::time::timeout(PATIENCE, self.settled()).await.is_err() {
            bail!(
                "the server was still at work after {} s; what it asked:\n{}",
                PATIENCE.as_secs(),
                self.standin.traffic().describe()
            );
        }
        Ok(Played { deliveries, traffic: self.standin.traffic(), took: begin.elapsed() })
    }

    async fn settled(&self) -> anyhow::Result<()> {
        let mut changes = self.store.changes();
        loop {
            changes.borrow_and_update();
            if self.store.next_due_ms().await?.is_none() {
                return Ok(());
            }
            changes.changed().await?;
        }
    }

    /// Stops the server and forgets everything.
    pub(super) async fn strike(self) -> anyhow::Result<()> {
        // A receiver that is gone has stopped already, and says why below.
        let _ = self.stop.send(());
        self.running.await.context("the server panicked")??;
        self.folder.close().context("the temporary folder cannot be removed")
    }
}
