//! `[analyses]`: running analyses.

use super::{check::Check, section::section};

section! {
    /// Running analyses.
    [analyses] Analyses {
        /// Analyses at once.
        max_running: usize = 64,
        /// Questions of one analysis asked at once.
        parallel_questions: usize = 8,
        /// Milliseconds for a whole analysis.
        timeout_ms: u64 = 120_000,
        /// Finished analyses kept for `GET /api/analyses`.
        keep: usize = 1_000,
        /// Hours an idempotency key is remembered.
        idempotency_hours: u64 = 24,
        /// Messages that may wait.
        mailbox_capacity: usize = 1_024,
        /// Milliseconds a request waits to be started before 503.
        wait_ms: u64 = 1_000,
    }
}

impl Analyses {
    fn validate(&self, check: &mut Check<'_>) {
        check.capacity("max_running", self.max_running);
        check.capacity("parallel_questions", self.parallel_questions);
        check.milliseconds("timeout_ms", self.timeout_ms);
        check.capacity("keep", self.keep);
        check.between("idempotency_hours", self.idempotency_hours, 1, 8_760);
        check.capacity("mailbox_capacity", self.mailbox_capacity);
        check.milliseconds("wait_ms", self.wait_ms);
    }
}
