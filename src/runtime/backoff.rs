//! Back-off: how long to wait before the next try. Pure: the random part is an argument.

use std::time::Duration;

/// Exponential back-off between `base` and `max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Longest delay before the first retry.
    pub base: Duration,
    /// Longest delay ever.
    pub max: Duration,
}

impl Backoff {
    /// Creates a back-off from milliseconds.
    pub const fn from_ms(base: u64, max: u64) -> Self {
        Self {
            base: Duration::from_millis(base),
            max: Duration::from_millis(max),
        }
    }

    /// Returns the upper end of the delay before retry number `attempt` (0 is the first): `min(max, base · 2^attempt)`.
    pub fn ceiling(&self, attempt: u32) -> Duration {
        let factor = 1_u32.checked_shl(attempt.min(31)).unwrap_or(u32::MAX);
        self.base.saturating_mul(factor).min(self.max)
    }

    /// Returns a delay with full jitter: `fraction` (0 to 1) of the ceiling. Spreads clients that failed together.
    pub fn full_jitter(&self, attempt: u32, fraction: f64) -> Duration {
        self.ceiling(attempt).mul_f64(fraction.clamp(0.0, 1.0))
    }

    /// Returns a delay with equal jitter: half the ceiling plus `fraction` of the other half. Never near zero, so a
    /// child that dies at once cannot spin.
    pub fn equal_jitter(&self, attempt: u32, fraction: f64) -> Duration {
        self.ceiling(attempt)
            .mul_f64(0.5 + fraction.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn doubles_up_to_the_maximum() {
        let backoff = Backoff::from_ms(100, 1_000);
        let delays: Vec<u128> = (0..6).map(|n| backoff.ceiling(n).as_millis()).collect();
        assert_eq!(delays, [100, 200, 400, 800, 1_000, 1_000]);
        assert_eq!(backoff.equal_jitter(0, 0.0).as_millis(), 50);
        assert_eq!(backoff.full_jitter(1, 0.5).as_millis(), 100);
    }

    proptest! {
        #[test]
        fn jitter_stays_within_the_ceiling(attempt in any::<u32>(), fraction in -1.0..2.0_f64) {
            let backoff = Backoff::from_ms(7, 9_000);
            prop_assert!(backoff.full_jitter(attempt, fraction) <= backoff.ceiling(attempt));
            prop_assert!(backoff.equal_jitter(attempt, fraction) <= backoff.ceiling(attempt));
            prop_assert!(backoff.equal_jitter(attempt, fraction) * 2 >= backoff.ceiling(attempt));
            prop_assert!(backoff.ceiling(attempt) <= backoff.max);
        }
    }
}
