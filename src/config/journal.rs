//! `[journal]`: the event stream of each channel.

use super::{check::Check, section::section};

section! {
    /// The event stream of each channel.
    [journal] Journal {
        /// Events kept per channel.
        max_events: u64 = 1_000,
        /// Bytes kept per channel.
        max_bytes: u64 = 4_194_304,
                /// Hours an event is kept. A channel whose last event is older is forgotten, with what it plays.
        max_age_hours: u64 = 24,
        /// Messages that may wait.
        mailbox_capacity: usize = 4_096,
        /// Most appends in one commit.
        max_batch: usize = 512,
        /// Milliseconds a publisher waits before it is told `overloaded`.
        wait_ms: u64 = 2_000,
    }
}

impl Journal {
    fn validate(&self, check: &mut Check<'_>) {
        check.capacity("max_events", self.max_events);
        check.between("max_bytes", self.max_bytes, 65_536, 1_099_511_627_776);
        check.between("max_age_hours", self.max_age_hours, 1, 8_760);
        check.capacity("mailbox_capacity", self.mailbox_capacity);
        check.capacity("max_batch", self.max_batch);
        check.milliseconds("wait_ms", self.wait_ms);
    }
}
