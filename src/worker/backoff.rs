//! How long to wait before a judgement is tried again.

use crate::clock::TimestampMs;

/// Waits that double up to a cap.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// After the first failure, in milliseconds.
    pub first_ms: i64,
    /// Never longer than this, in milliseconds.
    pub cap_ms: i64,
}

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff { first_ms: 2_000, cap_ms: 10 * 60_000 }
    }
}

impl Backoff {
    /// When to try again after `attempts` failures before this one. The wait is
    /// between half and all of what doubling gives, as `random` decides, so that
    /// what failed together does not come back together. A time that GitHub named
    /// is a floor, and the same spread comes after it.
    pub(super) fn next_ms(
        &self,
        now_ms: TimestampMs,
        attempts: u32,
        not_before_ms: Option<TimestampMs>,
        random: u64,
    ) -> TimestampMs {
        let doubled = self.first_ms.saturating_mul(1_i64.checked_shl(attempts.min(32)).unwrap_or(i64::MAX));
        let full = doubled.clamp(1, self.cap_ms.max(1));
        let half = full / 2;
        let spread = i64::try_from(random % (full - half + 1).cast_unsigned()).unwrap_or(0);
        match not_before_ms {
            Some(floor_ms) if floor_ms > now_ms => {
                // Headers speak in whole seconds; who has been refused often waits longer.
                floor_ms.saturating_add(spread).max(now_ms.saturating_add(half + spread))
            }
            _ => now_ms.saturating_add(half + spread),
        }
    }
}

/// Random bits from the operating system; zero in the unheard-of case that it has none.
pub(super) fn random() -> u64 {
    getrandom::u64().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { first_ms: 1_000, cap_ms: 60_000 };

    #[test]
    fn waits_double_up_to_the_cap_and_are_spread() {
        for (attempts, full) in
            [(0, 1_000), (1, 2_000), (5, 32_000), (6, 60_000), (40, 60_000), (u32::MAX, 60_000)]
        {
            assert_eq!(BACKOFF.next_ms(5, attempts, None, 0), 5 + full / 2, "{attempts}");
            for random in [1, 77, 1 << 40, u64::MAX] {
                let at_ms = BACKOFF.next_ms(5, attempts, None, random);
                assert!((5 + full / 2..=5 + full).contains(&at_ms), "{attempts}: {at_ms}");
            }
        }
    }

    #[test]
    fn a_time_that_github_named_is_never_undercut() {
        assert!(BACKOFF.next_ms(0, 0, Some(90_000), u64::MAX) >= 90_000);
        assert_eq!(BACKOFF.next_ms(1_000, 0, Some(500), 0), 1_500);
        assert_eq!(BACKOFF.next_ms(0, 30, Some(1_000), 0), 30_000);
    }
}
