//! `GET /metrics`: what the process counted, and how much waits now.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Response;
use http::StatusCode;
use http::header::CONTENT_TYPE;

use crate::counts;
use crate::server::App;

/// The Prometheus text format, version 0.0.4.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn show(State(app): State<Arc<App>>) -> Response {
    let status = match app.store.queue_status(app.clock.now_ms()).await {
        Ok(status) => status,
        Err(error) => {
            tracing::error!(%error, "the queue could not be measured");
            return (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n").into_response();
        }
    };
    counts::QUEUE_WAITING.set(approximate(status.waiting));
    counts::QUEUE_LEASED.set(approximate(status.leased));
    counts::QUEUE_OLDEST.set(approximate(status.oldest_wait_ms.unsigned_abs()) / 1000.0);
    ([(CONTENT_TYPE, TEXT_FORMAT)], counts::text()).into_response()
}

/// Prometheus counts in floating point; whole numbers are exact up to 2⁵³.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn approximate(count: u64) -> f64 {
    count as f64
}
