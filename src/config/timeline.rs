//! `[timeline]`: the show's default timing.

use super::setting::choice;
use super::{check::Check, section::section};
use crate::timeline::WhenBusy;

/// Longest phase: an hour.
const MAX_PHASE_MS: u64 = 3_600_000;

section! {
    /// The show's default timing, and what a busy channel does.
    [timeline] Timeline {
        /// Milliseconds from 0 to the answer.
        rise_ms: u64 = 1_500,
        /// Milliseconds the answer stands.
        hold_ms: u64 = 7_000,
        /// Milliseconds back to 0.
        fall_ms: u64 = 1_500,
        /// Milliseconds of rest before the next answer.
        rest_ms: u64 = 15_000,
        /// Value of the finale.
        finale_value: u32 = 10,
        /// Milliseconds the finale stands.
        finale_hold_ms: u64 = 15_000,
        /// What a second show on a busy channel does: `queue`, `replace` or `reject`.
        when_busy: WhenBusy = WhenBusy::Queue,
    }
}

impl Timeline {
    fn validate(&self, check: &mut Check<'_>) {
        for (key, value) in [
            ("rise_ms", self.rise_ms),
            ("hold_ms", self.hold_ms),
            ("fall_ms", self.fall_ms),
        ] {
            check.between(key, value, 1, MAX_PHASE_MS);
        }
        check.between("rest_ms", self.rest_ms, 0, MAX_PHASE_MS);
        check.between("finale_value", self.finale_value, 1, 1_000);
        check.between("finale_hold_ms", self.finale_hold_ms, 1, MAX_PHASE_MS);
    }
}

choice!(WhenBusy { Queue = "queue", Replace = "replace", Reject = "reject" });
