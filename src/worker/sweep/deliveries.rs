//! Deliveries that did not come through. GitHub does not send them again by itself, and
//! forgets them after a few days.
//!
//! Redelivery: <https://docs.github.com/en/webhooks/using-webhooks/automatically-redelivering-failed-deliveries-for-a-github-app-webhook>

use std::collections::HashMap;

use crate::clock::TimestampMs;
use crate::counts;
use crate::github::Attempt;
use crate::github::GitHub;
use crate::worker::sweep::MINUTE_MS;
use crate::worker::sweep::SweepError;
use crate::worker::sweep::Sweeper;

/// What the last sweep may not have seen: deliveries are logged late.
const OVERLAP_MS: i64 = 15 * MINUTE_MS;
/// How young a failed attempt is left alone.
const YOUNG_MS: i64 = MINUTE_MS / 2;
/// How often a delivery is asked for again.
const MOST_REDELIVERIES: i64 = 5;
/// How many are asked for again in one sweep; the rest is the next one's. At 5 points each, beside the
/// hundred pages of the log, it is within the 900 points that the App has in a minute.
const MOST_IN_A_SWEEP: usize = 150;
/// What we answer to a delivery that is not one of ours to take, however often it comes.
const REFUSED: [u16; 3] = [400, 401, 413];

impl Sweeper {
    /// Reads the log since the last sweep and asks again for what did not come through.
    pub(super) async fn sweep_deliveries(&self, last_ms: Option<TimestampMs>) -> Result<(), SweepError> {
        let now_ms = self.clock.now_ms();
        let window_ms = now_ms.saturating_sub(self.github.repeats_for_ms());
        let since_ms = last_ms.map_or(window_ms, |last_ms| (last_ms - OVERLAP_MS).max(window_ms));
        let attempts = self.github.attempts(since_ms).await?;
        let mut asked = 0;
        for lost in lost(&attempts, now_ms) {
            if asked == MOST_IN_A_SWEEP {
                tracing::warn!("more deliveries were lost than one sweep asks for again");
                break;
            }
            if self.store.count_redelivery(&lost.guid, MOST_REDELIVERIES, now_ms).await? {
                self.github.redeliver(lost.id).await?;
                counts::REDELIVERIES.add();
                tracing::info!(
                    guid = lost.guid,
                    event = lost.event,
                    status = lost.status_code,
                    "a delivery that did not come through was asked for again"
                );
                asked += 1;
            }
        }
        Ok(())
    }
}

/// The newest attempt of each delivery that did not come through and may.
fn lost(attempts: &[Attempt], now_ms: TimestampMs) -> Vec<&Attempt> {
    let mut newest: HashMap<&str, (&Attempt, bool)> = HashMap::new();
    for attempt in attempts {
        let hopeless = attempt.arrived() || REFUSED.contains(&attempt.status_code);
        let (known, settled) = newest.entry(&attempt.guid).or_insert((attempt, false));
        *settled |= hopeless;
        if attempt.at_ms > known.at_ms {
            *known = attempt;
        }
    }
    let mut lost: Vec<&Attempt> = newest
        .into_values()
        .filter(|(attempt, settled)| !settled && attempt.at_ms <= now_ms - YOUNG_MS)
        .map(|(attempt, _)| attempt)
        .filter(|attempt| GitHub::is_handled(&attempt.event))
        .collect();
    lost.sort_by_key(|attempt| attempt.id);
    lost
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(id: u64, guid: &str, at_ms: i64, status_code: u16) -> Attempt {
        Attempt { id, guid: guid.into(), at_ms, status_code, event: "pull_request".into() }
    }

    #[test]
    fn what_never_came_through_and_may_is_lost() {
        let mut unhandled = attempt(9, "star", 0, 0);
        unhandled.event = "star".into();
        let attempts = [
            attempt(8, "young", 90_000, 502),
            attempt(7, "redelivered", 50_000, 202),
            attempt(6, "again", 40_000, 503),
            attempt(5, "again", 30_000, 0),
            attempt(4, "redelivered", 20_000, 0),
            attempt(3, "refused", 10_000, 401),
            attempt(2, "large", 10_000, 413),
            attempt(1, "fine", 10_000, 202),
            unhandled,
        ];
        let ids: Vec<u64> = lost(&attempts, 100_000).iter().map(|attempt| attempt.id).collect();
        assert_eq!(ids, [6]);
        let later: Vec<u64> = lost(&attempts, 200_000).iter().map(|attempt| attempt.id).collect();
        assert_eq!(later, [6, 8]);
    }
}
