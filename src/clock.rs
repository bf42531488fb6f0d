//! The server's clock: one origin per process, so that time on the screens never jumps.

use std::time::{SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Milliseconds since the Unix epoch, monotonic within the process.
///
/// Anchored once at the start: when the machine's wall clock is set meanwhile, a running show does not jump.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin_ms: u64,
    origin: Instant,
}

impl Clock {
    /// Creates a clock from the wall clock.
    pub fn start() -> Self {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            origin_ms: millis(since_epoch),
            origin: Instant::now(),
        }
    }

    /// Returns the present moment.
    pub fn now_ms(&self) -> u64 {
        self.origin_ms + millis(self.origin.elapsed())
    }

    /// Returns the instant at which this clock shows `at_ms`; now, when that has passed.
    pub fn instant_at(&self, at_ms: u64) -> Instant {
        self.origin + std::time::Duration::from_millis(at_ms.saturating_sub(self.origin_ms))
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
