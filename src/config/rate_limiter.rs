//! `[rate_limiter]`: limits per client.

use super::{check::Check, section::section};

section! {
    /// Limits per client.
    [rate_limiter] RateLimiter {
        /// Requests per second and client on all API routes.
        general_per_second: u32 = 5,
        /// Burst on all API routes.
        general_burst: u32 = 10,
        /// Analyses per second and client.
        analyze_per_second: u32 = 1,
        /// Burst of analyses.
        analyze_burst: u32 = 3,
        /// Questions that count as one analysis: a larger quiz counts as several, at most as many as the burst.
        questions_per_analysis: u32 = 50,
        /// Messages that may wait.
        mailbox_capacity: usize = 4_096,
        /// Milliseconds a request waits for a verdict before it is refused as overloaded.
        wait_ms: u64 = 100,
    }
}

impl RateLimiter {
    fn validate(&self, check: &mut Check<'_>) {
        check.capacity("general_per_second", self.general_per_second);
        check.capacity("general_burst", self.general_burst);
        check.capacity("analyze_per_second", self.analyze_per_second);
        check.capacity("analyze_burst", self.analyze_burst);
        check.capacity("questions_per_analysis", self.questions_per_analysis);
        check.capacity("mailbox_capacity", self.mailbox_capacity);
        check.milliseconds("wait_ms", self.wait_ms);
    }
}
