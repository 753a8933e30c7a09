//! The one clock: back-off, leases, token life times and expiry all read it, so
//! that a test turns the hands itself and never sleeps.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use tokio::sync::Notify;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type TimestampMs = i64;

/// A clock, cheap to clone; all clones are the same clock.
#[derive(Clone)]
pub struct Clock(Kind);

#[derive(Clone)]
enum Kind {
    System,
    Manual(Arc<Manual>),
}

struct Manual {
    now_ms: Mutex<TimestampMs>,
    moved: Notify,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Clock {
        Clock(Kind::System)
    }

    /// A clock that stands at `now_ms` until [`Clock::advance`] moves it.
    #[must_use]
    pub fn manual(now_ms: TimestampMs) -> Clock {
        Clock(Kind::Manual(Arc::new(Manual { now_ms: Mutex::new(now_ms), moved: Notify::new() })))
    }

    /// Now.
    #[must_use]
    pub fn now_ms(&self) -> TimestampMs {
        match &self.0 {
            Kind::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            }
            Kind::Manual(manual) => *manual.now_ms.lock().expect("no holder of the clock panics"),
        }
    }

    /// Returns once the clock reads `at_ms` or later.
    pub async fn sleep_until(&self, at_ms: TimestampMs) {
        match &self.0 {
            Kind::System => {
                let wait_ms = u64::try_from(at_ms - self.now_ms()).unwrap_or(0);
                tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            }
            Kind::Manual(manual) => loop {
                let moved = manual.moved.notified();
                if self.now_ms() >= at_ms {
                    return;
                }
                moved.await;
            },
        }
    }

    /// Returns after this long by this clock.
    pub async fn sleep(&self, duration: Duration) {
        let wait_ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        self.sleep_until(self.now_ms().saturating_add(wait_ms)).await;
    }

    /// Moves a manual clock forward and wakes who waits; a system clock ignores it.
    pub fn advance(&self, by: Duration) {
        if let Kind::Manual(manual) = &self.0 {
            let by_ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
            let mut now_ms = manual.now_ms.lock().expect("no holder of the clock panics");
            *now_ms = now_ms.saturating_add(by_ms);
            manual.moved.notify_waiters();
        }
    }
}
