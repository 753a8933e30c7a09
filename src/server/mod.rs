//! The HTTP server: the webhook receiver, health, metrics.
//!
//! It acknowledges what is durable and knows nothing of judging. Clients get a
//! fixed message for every outcome; the cause goes to the log, once.

mod body;
mod health;
mod metrics;
mod webhook;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use axum::routing::post;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::github::signature::WebhookSecrets;
use crate::store::Store;

/// How long deliveries under way may take to be acknowledged once the server is to
/// stop: GitHub waits 10 s for an answer and then hangs up.
const DRAIN_MAX: Duration = Duration::from_secs(10);

/// How often what is old is forgotten.
const PRUNE_EVERY: Duration = Duration::from_secs(10 * 60);

/// What the server is made of.
#[derive(Clone)]
pub struct Pieces {
    /// Where deliveries are kept.
    pub store: Store,
    /// What time it is.
    pub clock: Clock,
    /// Who may deliver; `None` while the App is not set up, and nobody may.
    pub secrets: Option<WebhookSecrets>,
}

struct App {
    store: Store,
    clock: Clock,
    secrets: Option<WebhookSecrets>,
    /// Bytes of bodies that may be in memory at one time.
    body_bytes: Arc<Semaphore>,
}

/// A server that listens and does not answer yet.
pub struct Server {
    listener: TcpListener,
    app: Arc<App>,
}

impl Server {
    /// Listens at `address`; port 0 takes any that is free.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub async fn bind(address: SocketAddr, pieces: Pieces) -> io::Result<Server> {
        let Pieces { store, clock, secrets } = pieces;
        let body_bytes = Arc::new(Semaphore::new(body::IN_MEMORY_MAX_BYTES));
        let listener = TcpListener::bind(address).await?;
        Ok(Server { listener, app: Arc::new(App { store, clock, secrets, body_bytes }) })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `stop` is ready, and then finishes the answers under way.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn run<Stop>(self, stop: Stop) -> io::Result<()>
    where
        Stop: Future<Output = ()> + Send + 'static,
    {
        let router = Router::new()
            .route("/webhook", post(webhook::receive))
            .route("/healthz", get(health::alive))
            .route("/readyz", get(health::ready))
            .route("/metrics", get(metrics::show))
            .route("/setup", get(health::setup))
            .with_state(Arc::clone(&self.app));
        let listener = self.listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a connection keeps Nagle's algorithm");
            }
        });

        let (stopping, mut stopped) = tokio::sync::watch::channel(false);
        let serve = axum::serve(listener, router).with_graceful_shutdown(async move {
            stop.await;
            let _ = stopping.send(true);
        });
        let drained = async move {
            // An error says that the server is gone already.
            let _ = stopped.wait_for(|stopped| *stopped).await;
            tokio::time::sleep(DRAIN_MAX).await;
        };
        tokio::select! {
            served = serve.into_future() => served,
            () = drained => {
                tracing::warn!("connections were still open 10 s after the server was to stop; they are cut");
                Ok(())
            }
            () = keep_house(&self.app) => Ok(()),
        }
    }
}

/// Keeps the disk flat. Never returns.
async fn keep_house(app: &App) {
    loop {
        match app.store.prune(app.clock.now_ms()).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "forgot what is old"),
            Err(error) => tracing::error!(%error, "what is old could not be forgotten"),
        }
        app.clock.sleep(PRUNE_EVERY).await;
    }
}

#[cfg(test)]
mod tests;
