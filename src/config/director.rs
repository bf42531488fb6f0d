//! `[director]`: what each channel is playing.

use super::{check::Check, section::section};

section! {
    /// What each channel is playing.
    [director] Director {
        /// Messages that may wait.
        mailbox_capacity: usize = 1_024,
        /// Milliseconds a caller waits before it is told `overloaded`.
        wait_ms: u64 = 2_000,
        /// Shows that may queue on one channel.
        max_queued_shows: usize = 32,
        /// Channels with something to play at once.
        max_channels: usize = 10_000,
    }
}

impl Director {
    fn validate(&self, check: &mut Check<'_>) {
        check.capacity("mailbox_capacity", self.mailbox_capacity);
        check.milliseconds("wait_ms", self.wait_ms);
        check.capacity("max_queued_shows", self.max_queued_shows);
        check.capacity("max_channels", self.max_channels);
    }
}
