//! The App put together: the store, the receiver and the worker, as `serve`
//! runs them. `rehearse` and the tests run the same.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;

use anyhow::Context;
use secrecy::ExposeSecret;
use secrecy::SecretString;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::github;
use crate::github::GitHub;
use crate::github::signature::WebhookSecrets;
use crate::registry::Inquiry;
use crate::server::Pieces;
use crate::server::Server;
use crate::store::Store;
use crate::worker;
use crate::worker::Sweeper;
use crate::worker::Worker;

/// What the App is made of.
pub struct Parts {
    /// Where to listen; port 0 takes any that is free.
    pub listen: SocketAddr,
    /// The database, `sqlite:PATH` or `postgres://…`.
    pub database_url: SecretString,
    /// Which GitHub, as which App, and who may deliver; `None` before set-up: only health is served.
    pub app: Option<AppParts>,
    /// How the worker works.
    pub worker: worker::Settings,
    /// What time it is.
    pub clock: Clock,
}

/// The parts that need a GitHub App.
pub struct AppParts {
    /// Which GitHub, as which App.
    pub github: github::Settings,
    /// What deliveries are signed with.
    pub webhook_secrets: WebhookSecrets,
    /// Whether lost deliveries and commits without a result are looked for; a rehearsal loses none.
    pub sweeps: bool,
}

/// The App, listening.
pub struct App {
    server: Server,
    worker: Option<Worker>,
    sweeper: Option<Sweeper>,
    store: Store,
    address: SocketAddr,
}

impl App {
    /// Opens the store and listens. Deliveries wait until [`App::run`].
    ///
    /// # Errors
    /// When the store cannot be opened, the address cannot be had or the key cannot be used.
    pub async fn start(parts: Parts) -> anyhow::Result<App> {
        let Parts { listen, database_url, app, worker, clock } = parts;
        let store = Store::open(database_url.expose_secret()).await?;
        store.check_clock(clock.now_ms()).await?;
        let (secrets, worker, sweeper) = match app {
            Some(app) => {
                let github = GitHub::new(&app.github, clock.clone())?;
                let sweeper = app.sweeps.then(|| Sweeper::new(store.clone(), github.clone(), clock.clone()));
                let worker = Worker::new(store.clone(), github, clock.clone(), worker);
                (Some(app.webhook_secrets), Some(worker), sweeper)
            }
            None => (None, None, None),
        };
        let server = Server::bind(listen, Pieces { store: store.clone(), clock, secrets })
            .await
            .with_context(|| format!("{listen} cannot be listened at"))?;
        let address = server.address()?;
        Ok(App { server, worker, sweeper, store, address })
    }

    /// The same App, which asks registries for evidence.
    #[must_use]
    pub fn asking(self, inquiry: Inquiry) -> App {
        let sweeper = self.sweeper.map(|sweeper| sweeper.asking(inquiry.clone()));
        App { worker: self.worker.map(|worker| worker.asking(inquiry)), sweeper, ..self }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its store.
    #[must_use]
    pub fn store(&self) -> Store {
        self.store.clone()
    }

    /// Receives and judges until `stop` is ready; deliveries and judgements under
    /// way are finished first. What is acknowledged is durable and is judged after
    /// the next start if it was not before.
    ///
    /// # Errors
    /// When the listener fails or the worker dies of a defect.
    pub async fn run<Stop>(self, stop: Stop) -> anyhow::Result<()>
    where
        Stop: Future<Output = ()> + Send + 'static,
    {
        const WORKER_DIED: &str = "the worker died of a defect in fromguard; the log says where";
        let (stopping, mut stopped) = watch::channel(false);
        let stop = async move {
            stop.await;
            stopping.send_replace(true);
        };
        let (worker, sweeper) = (self.worker, self.sweeper);
        let mut judging = tokio::spawn(async move {
            let mut stopped_too = stopped.clone();
            let stopped = async {
                // An error says that the server is gone, which is as good.
                let _ = stopped.wait_for(|stopped| *stopped).await;
            };
            let stopped_too = async {
                let _ = stopped_too.wait_for(|stopped| *stopped).await;
            };
            let judging = async {
                match worker {
                    Some(worker) => worker.run(stopped).await,
                    None => stopped.await,
                }
            };
            let sweeping = async {
                if let Some(sweeper) = sweeper {
                    sweeper.run(stopped_too).await;
                }
            };
            tokio::join!(judging, sweeping);
        });
        let mut serving = pin!(self.server.run(stop));
        tokio::select! {
            served = &mut serving => {
                served.context("the server failed")?;
                judging.await.context(WORKER_DIED)
            }
            judged = &mut judging => {
                judged.context(WORKER_DIED)?;
                serving.await.context("the server failed")
            }
        }
    }
}
