//! `GET /metrics`: Prometheus text. No label names a repository or an account.
//!
//! The recorder is the process's: whoever records (the worker does) names the
//! metric, and it is shown here.

use std::sync::Arc;
use std::sync::OnceLock;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Response;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use metrics_exporter_prometheus::Matcher;
use metrics_exporter_prometheus::PrometheusBuilder;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::server::App;

const DELIVERIES: &str = "fromguard_deliveries_total";
const QUEUE_WAITING: &str = "fromguard_queue_waiting";
const QUEUE_LEASED: &str = "fromguard_queue_leased";
const QUEUE_OLDEST: &str = "fromguard_queue_oldest_wait_seconds";

/// The Prometheus text format, version 0.0.4.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Upper bounds for whatever ends in `_seconds`: from a quick judgement to one that met a slow GitHub.
const SECONDS_BUCKETS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// The process's metrics.
#[derive(Clone)]
pub(super) struct Metrics(PrometheusHandle);

impl Metrics {
    /// Installs the process's recorder, the first time.
    pub(super) fn installed() -> Metrics {
        static INSTALLED: OnceLock<PrometheusHandle> = OnceLock::new();
        let handle = INSTALLED.get_or_init(|| {
            let recorder = PrometheusBuilder::new()
                .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS_BUCKETS)
                .unwrap_or_default()
                .build_recorder();
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                tracing::warn!("another recorder of metrics is installed; /metrics stays empty");
            }
            describe();
            handle
        });
        Metrics(handle.clone())
    }

    /// Sums up what was recorded since the last time.
    pub(super) fn upkeep(&self) {
        self.0.run_upkeep();
    }
}

fn describe() {
    metrics::describe_counter!(DELIVERIES, "Webhook deliveries by outcome");
    metrics::describe_gauge!(QUEUE_WAITING, "Judgements that are wanted and not under way");
    metrics::describe_gauge!(QUEUE_LEASED, "Judgements under way");
    metrics::describe_gauge!(QUEUE_OLDEST, "How long the oldest unfinished judgement has been wanted");
}

/// Counts a delivery.
pub(super) fn count_delivery(outcome: &'static str) {
    metrics::counter!(DELIVERIES, "outcome" => outcome).increment(1);
}

pub(super) async fn show(State(app): State<Arc<App>>) -> Response {
    let status = match app.store.queue_status(app.clock.now_ms()).await {
        Ok(status) => status,
        Err(error) => {
            tracing::error!(%error, "the queue could not be measured");
            return (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n").into_response();
        }
    };
    metrics::gauge!(QUEUE_WAITING).set(approximate(status.waiting));
    metrics::gauge!(QUEUE_LEASED).set(approximate(status.leased));
    metrics::gauge!(QUEUE_OLDEST).set(approximate(status.oldest_wait_ms.unsigned_abs()) / 1000.0);
    ([(CONTENT_TYPE, TEXT_FORMAT)], app.metrics.0.render()).into_response()
}

/// Prometheus counts in floating point; whole numbers are exact up to 2⁵³.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn approximate(count: u64) -> f64 {
    count as f64
}
