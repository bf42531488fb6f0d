//! `[supervisor]`: restarts.

use super::{check::Check, section::section};

section! {
    /// Restarts.
    [supervisor] Supervisor {
        /// Restarts allowed within the window before the process exits.
        max_restarts: usize = 5,
        /// The window in milliseconds.
        window_ms: u64 = 60_000,
        /// First back-off in milliseconds; doubles, with jitter.
        backoff_base_ms: u64 = 100,
        /// Longest back-off in milliseconds.
        backoff_max_ms: u64 = 10_000,
    }
}

impl Supervisor {
    fn validate(&self, check: &mut Check<'_>) {
        check.between("max_restarts", self.max_restarts, 0, 1_000);
        check.milliseconds("window_ms", self.window_ms);
        check.milliseconds("backoff_base_ms", self.backoff_base_ms);
        check.milliseconds("backoff_max_ms", self.backoff_max_ms);
        check.that(
            "backoff_max_ms",
            self.backoff_max_ms >= self.backoff_base_ms,
            "must be at least supervisor.backoff_base_ms",
        );
    }
}
