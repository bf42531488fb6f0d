//! `[browser]`: what Chromium is allowed.

use super::{check::Check, section::section};

section! {
    /// What Chromium is allowed. It is started with the first page that needs it, and started anew when it crashes, hangs,
    /// has grown old or takes too much memory.
    [browser] Browser {
        /// Pages that may wait for Chromium.
        mailbox_capacity: usize = 64,
        /// Milliseconds for Chromium to start.
        launch_timeout_ms: u64 = 15_000,
        /// Milliseconds until a page's markup is read; after that, what is there is taken.
        navigation_timeout_ms: u64 = 15_000,
        /// Milliseconds that a page may take to come to rest; after that, what is there is taken.
        settle_timeout_ms: u64 = 5_000,
        /// Milliseconds without any change after which a page is at rest.
        quiet_ms: u64 = 100,
        /// Milliseconds for each of our own scripts in a page.
        script_timeout_ms: u64 = 5_000,
        /// Start Chromium anew after so many pages.
        max_pages: u32 = 500,
        /// Start Chromium anew after so many milliseconds.
        max_age_ms: u64 = 1_800_000,
        /// Start Chromium anew when its processes take more bytes of memory; without a value 60 % of what the control
        /// group, or else the machine, allows.
        memory_limit_bytes: Option<u64> = None,
        /// Milliseconds between two looks at memory and health.
        check_interval_ms: u64 = 15_000,
        /// Milliseconds in which an empty page must open; otherwise Chromium hangs and is ended.
        check_timeout_ms: u64 = 5_000,
    }
}

impl Browser {
    fn validate(&self, check: &mut Check<'_>) {
        check.capacity("mailbox_capacity", self.mailbox_capacity);
        check.milliseconds("launch_timeout_ms", self.launch_timeout_ms);
        check.milliseconds("navigation_timeout_ms", self.navigation_timeout_ms);
        check.milliseconds("settle_timeout_ms", self.settle_timeout_ms);
        check.milliseconds("quiet_ms", self.quiet_ms);
        check.that(
            "quiet_ms",
            self.settle_timeout_ms == 0 || self.quiet_ms <= self.settle_timeout_ms,
            "must be at most browser.settle_timeout_ms",
        );
        check.milliseconds("script_timeout_ms", self.script_timeout_ms);
        check.between("max_pages", self.max_pages, 1, 1_000_000);
        check.milliseconds("max_age_ms", self.max_age_ms);
        check.that(
            "memory_limit_bytes",
            self.memory_limit_bytes
                .is_none_or(|bytes| bytes >= 268_435_456),
            "must be at least 268435456: Chromium takes more than half of that for nothing",
        );
        check.milliseconds("check_interval_ms", self.check_interval_ms);
        check.milliseconds("check_timeout_ms", self.check_timeout_ms);
    }
}
