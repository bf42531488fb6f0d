//! `[broadcaster]`: the fan-out.

use super::{check::Check, section::section};

section! {
    /// The fan-out.
    [broadcaster] Broadcaster {
        /// Messages that may wait.
        mailbox_capacity: usize = 4_096,
        /// Milliseconds a new viewer waits for its place before 503.
        wait_ms: u64 = 2_000,
        /// Bytes queued per viewer before it is closed as too slow (4008).
        max_queue_bytes: usize = 262_144,
        /// Latest events held in memory per channel for quick recovery.
        recent_events: usize = 256,
        /// Milliseconds between pings.
        ping_interval_ms: u64 = 25_000,
        /// Milliseconds without any frame from a viewer before it is closed (4009).
        pong_timeout_ms: u64 = 60_000,
        /// Largest frame a viewer may send, in bytes.
        max_inbound_bytes: usize = 65_536,
        /// Messages a viewer may send per second.
        max_inbound_per_second: u32 = 20,
        /// Viewers at once.
        max_viewers: usize = 10_000,
        /// Viewers at once from one IPv4 address or IPv6 /64: a whole school may be behind one.
        max_viewers_per_address: u32 = 2_000,
        /// New viewers per second; twice as many in a burst. More get 503 and come back.
        max_arrivals_per_second: u32 = 2_000,
        /// Channels one viewer may follow.
        max_channels_per_viewer: usize = 8,
    }
}

impl Broadcaster {
    fn validate(&self, check: &mut Check<'_>) {
        check.capacity("mailbox_capacity", self.mailbox_capacity);
        check.milliseconds("wait_ms", self.wait_ms);
        check.between(
            "max_queue_bytes",
            self.max_queue_bytes,
            4_096,
            1_073_741_824,
        );
        check.capacity("recent_events", self.recent_events);
        check.milliseconds("ping_interval_ms", self.ping_interval_ms);
        check.milliseconds("pong_timeout_ms", self.pong_timeout_ms);
        check.that(
            "pong_timeout_ms",
            self.pong_timeout_ms > self.ping_interval_ms,
            "must be longer than broadcaster.ping_interval_ms, or every viewer is closed before its first pong",
        );
        check.between("max_inbound_bytes", self.max_inbound_bytes, 128, 16_777_216);
        check.capacity("max_inbound_per_second", self.max_inbound_per_second);
        check.capacity("max_viewers", self.max_viewers);
        check.capacity("max_viewers_per_address", self.max_viewers_per_address);
        check.capacity("max_arrivals_per_second", self.max_arrivals_per_second);
        check.capacity("max_channels_per_viewer", self.max_channels_per_viewer);
    }
}
