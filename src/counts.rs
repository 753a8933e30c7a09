//! What the process counts, for Prometheus. No label names a repository or an account.
//!
//! Whoever counts something has a number of its own here; the server shows them all.

use std::sync::OnceLock;

use prometheus::Gauge;
use prometheus::IntCounter;
use prometheus::IntCounterVec;
use prometheus::Opts;
use prometheus::TextEncoder;

/// Webhook deliveries, by what became of them.
pub static DELIVERIES: Counts =
    Counts::new("fromguard_deliveries_total", "Webhook deliveries by outcome", "outcome");
/// Judgements, by their conclusion.
pub static JUDGEMENTS: Counts =
    Counts::new("fromguard_judgements_total", "Judgements that were published, by conclusion", "conclusion");
/// Judgements that failed and are tried again.
pub static RETRIES: Count =
    Count::new("fromguard_retries_total", "Judgements that failed and are tried again");
/// Judgements that wait for a share of GitHub.
pub static POSTPONED: Count = Count::new(
    "fromguard_postponed_total",
    "Judgements put off until their installation's limits allow them",
);
/// Judgements that nobody can be told.
pub static UNREPORTABLE: Count = Count::new(
    "fromguard_unreportable_total",
    "Judgements whose commit or installation is gone, so that nobody can be told",
);
/// Deliveries that were asked for again.
pub static REDELIVERIES: Count =
    Count::new("fromguard_redeliveries_total", "Deliveries that GitHub was asked to repeat");
/// Requests to GitHub.
pub static GITHUB_REQUESTS: Count =
    Count::new("fromguard_github_requests_total", "Requests made of GitHub's API");
/// Requests to GitHub that had to wait.
pub static GITHUB_KEPT_BACK: Count =
    Count::new("fromguard_github_kept_back_total", "Requests to GitHub that were kept back by its limits");
/// Tokens of installations.
pub static TOKENS_MINTED: Count =
    Count::new("fromguard_github_tokens_minted_total", "Installation tokens that GitHub was asked for");
/// Requests for evidence.
pub static EVIDENCE_REQUESTS: Count =
    Count::new("fromguard_evidence_requests_total", "Requests made of registries");
/// Judgements that wait.
pub static QUEUE_WAITING: Level =
    Level::new("fromguard_queue_waiting", "Judgements that are wanted and not under way");
/// Judgements under way.
pub static QUEUE_LEASED: Level = Level::new("fromguard_queue_leased", "Judgements under way");
/// How long the oldest judgement waits, in seconds.
pub static QUEUE_OLDEST: Level = Level::new(
    "fromguard_queue_oldest_wait_seconds",
    "How long the oldest unfinished judgement has been wanted",
);

/// All that have no label; they are shown from the beginning.
static COUNTS: [&Count; 8] = [
    &RETRIES,
    &POSTPONED,
    &UNREPORTABLE,
    &REDELIVERIES,
    &GITHUB_REQUESTS,
    &GITHUB_KEPT_BACK,
    &TOKENS_MINTED,
    &EVIDENCE_REQUESTS,
];

/// How often something happened.
pub struct Count {
    name: &'static str,
    help: &'static str,
    counter: OnceLock<Option<IntCounter>>,
}

impl Count {
    const fn new(name: &'static str, help: &'static str) -> Count {
        Count { name, help, counter: OnceLock::new() }
    }

    /// It happened once more.
    pub fn add(&self) {
        if let Some(counter) = self.counter() {
            counter.inc();
        }
    }

    fn counter(&self) -> Option<&IntCounter> {
        let registered = || prometheus::register_int_counter!(self.name, self.help);
        self.counter.get_or_init(|| told(self.name, registered())).as_ref()
    }
}

/// How often something happened, by what it was.
pub struct Counts {
    name: &'static str,
    help: &'static str,
    label: &'static str,
    counters: OnceLock<Option<IntCounterVec>>,
}

impl Counts {
    const fn new(name: &'static str, help: &'static str, label: &'static str) -> Counts {
        Counts { name, help, label, counters: OnceLock::new() }
    }

    /// It happened once more; `what` is one of few words of ours.
    pub fn add(&self, what: &'static str) {
        let registered =
            || prometheus::register_int_counter_vec!(Opts::new(self.name, self.help), &[self.label]);
        if let Some(counters) = self.counters.get_or_init(|| told(self.name, registered())) {
            counters.with_label_values(&[what]).inc();
        }
    }
}

/// How much there is of something now.
pub struct Level {
    name: &'static str,
    help: &'static str,
    gauge: OnceLock<Option<Gauge>>,
}

impl Level {
    const fn new(name: &'static str, help: &'static str) -> Level {
        Level { name, help, gauge: OnceLock::new() }
    }

    /// There is this much.
    pub fn set(&self, value: f64) {
        let registered = || prometheus::register_gauge!(self.name, self.help);
        if let Some(gauge) = self.gauge.get_or_init(|| told(self.name, registered())) {
            gauge.set(value);
        }
    }
}

/// A number that cannot be registered is not shown; nothing else depends on it.
fn told<T>(name: &str, registered: prometheus::Result<T>) -> Option<T> {
    registered.inspect_err(|error| tracing::error!(name, %error, "a metric cannot be counted")).ok()
}

/// Everything that was counted, in Prometheus' text format, version 0.0.4.
#[must_use]
pub fn text() -> String {
    for count in COUNTS {
        count.counter();
    }
    let families = prometheus::gather();
    TextEncoder::new().encode_to_string(&families).unwrap_or_else(|error| {
        tracing::error!(%error, "the metrics cannot be shown");
        String::new()
    })
}
