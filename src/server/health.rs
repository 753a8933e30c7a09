//! `GET /healthz`, `GET /readyz`, and the word of help at `GET /setup`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use http::StatusCode;

use crate::server::App;

/// How long the store may take to answer before it counts as gone.
const STORE_ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// The process answers.
pub(super) async fn alive() -> &'static str {
    "alive\n"
}

/// The store answers and the worker is alive. Without an App there is no worker,
/// and the server is ready for what it can do: to say so.
pub(super) async fn ready(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    match tokio::time::timeout(STORE_ANSWERS_WITHIN, app.store.ping()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::error!(%error, "not ready: the store fails");
            return (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n");
        }
        Err(_) => {
            tracing::error!("not ready: the store does not answer in time");
            return (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n");
        }
    }
    if app.secrets.is_none() {
        return (StatusCode::OK, "ready to be set up\n");
    }
    if !app.store.heartbeat().is_alive(app.clock.now_ms()) {
        return (StatusCode::SERVICE_UNAVAILABLE, "the worker gives no sign of life\n");
    }
    (StatusCode::OK, "ready\n")
}

/// What is missing, for who looks at a server that is not set up.
pub(super) async fn setup(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    if app.secrets.is_some() {
        return (StatusCode::NOT_FOUND, "fromguard is set up\n");
    }
    (
        StatusCode::OK,
        "fromguard is not set up yet.\n\n\
         Create a GitHub App from app-manifest/, and start fromguard serve with\n\
         FROMGUARD_APP_ID, FROMGUARD_PRIVATE_KEY (or FROMGUARD_PRIVATE_KEY_FILE) and\n\
         FROMGUARD_WEBHOOK_SECRET (or FROMGUARD_WEBHOOK_SECRET_FILE).\n",
    )
}
