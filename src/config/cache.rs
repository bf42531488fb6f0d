//! `[cache]`: answers already known.

use super::{check::Check, section::section};

section! {
    /// Answers already known.
    [cache] Cache {
        /// Answers held in memory.
        max_entries: u64 = 100_000,
        /// Days an answer stays valid.
        ttl_days: u64 = 30,
        /// Messages that may wait.
        mailbox_capacity: usize = 4_096,
        /// Milliseconds an analysis waits for the cache before it asks the model itself.
        wait_ms: u64 = 500,
    }
}

impl Cache {
    fn validate(&self, check: &mut Check<'_>) {
        check.between("max_entries", self.max_entries, 1, 100_000_000);
        check.between("ttl_days", self.ttl_days, 1, 3_650);
        check.capacity("mailbox_capacity", self.mailbox_capacity);
        check.milliseconds("wait_ms", self.wait_ms);
    }
}
