//! The worker's sign of life. It is of this process only, and not stored.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;

use crate::clock::TimestampMs;

/// When the worker last showed that it is alive; cheap to clone.
#[derive(Debug, Clone)]
pub struct Heartbeat(Arc<AtomicI64>);

/// Before the first beat.
const NEVER: TimestampMs = TimestampMs::MIN;

impl Default for Heartbeat {
    fn default() -> Heartbeat {
        Heartbeat(Arc::new(AtomicI64::new(NEVER)))
    }
}

impl Heartbeat {
    /// The worker is alive at `now_ms`. To be called on every turn of its loop, and at least
    /// every [`Heartbeat::EVERY_MS`] while it waits.
    pub fn beat(&self, now_ms: TimestampMs) {
        self.0.fetch_max(now_ms, Ordering::Relaxed);
    }

    /// How often the worker is to beat, in milliseconds.
    pub const EVERY_MS: i64 = 10_000;

    /// The worker counts as gone after this long without a beat, in milliseconds: six beats missed.
    pub const GONE_AFTER_MS: i64 = 60_000;

    /// Whether the worker beat lately.
    #[must_use]
    pub fn is_alive(&self, now_ms: TimestampMs) -> bool {
        let last_ms = self.0.load(Ordering::Relaxed);
        last_ms != NEVER && now_ms.saturating_sub(last_ms) <= Heartbeat::GONE_AFTER_MS
    }
}
