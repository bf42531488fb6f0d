//! `[budget]`: how much may be asked of models.

use super::{check::Check, section::section};

section! {
    /// How much may be asked of models; what is not set has no limit. A call is admitted when its estimate fits, and what
    /// it really took counts afterwards. Money is counted by `ai.prices`. Each process counts for itself, from its start.
    [budget] Budget {
        /// Calls in a minute, by everybody together.
        requests_per_minute: Option<u64> = None,
        /// Tokens read and written in a minute, by everybody together.
        tokens_per_minute: Option<u64> = None,
        /// US dollars in an hour, by everybody together.
        usd_per_hour: Option<f64> = None,
        /// US dollars in a day, by everybody together.
        usd_per_day: Option<f64> = None,
        /// Calls in a minute, by each key.
        key_requests_per_minute: Option<u64> = None,
        /// Tokens in a minute, by each key.
        key_tokens_per_minute: Option<u64> = None,
        /// US dollars in an hour, by each key.
        key_usd_per_hour: Option<f64> = None,
        /// US dollars in a day, by each key.
        key_usd_per_day: Option<f64> = None,
    }
}

impl Budget {
    /// Returns the limits of everybody together: calls and tokens in a minute, dollars in an hour and in a day.
    pub fn of_all(&self) -> [Option<f64>; 4] {
        [
            self.requests_per_minute.map(whole),
            self.tokens_per_minute.map(whole),
            self.usd_per_hour,
            self.usd_per_day,
        ]
    }

    /// Returns the limits of each key, in the same order.
    pub fn of_each_key(&self) -> [Option<f64>; 4] {
        [
            self.key_requests_per_minute.map(whole),
            self.key_tokens_per_minute.map(whole),
            self.key_usd_per_hour,
            self.key_usd_per_day,
        ]
    }

    /// Returns the limits in money that are set.
    pub(super) fn in_money(&self) -> impl Iterator<Item = &'static str> {
        [
            ("usd_per_hour", self.usd_per_hour),
            ("usd_per_day", self.usd_per_day),
            ("key_usd_per_hour", self.key_usd_per_hour),
            ("key_usd_per_day", self.key_usd_per_day),
        ]
        .into_iter()
        .filter_map(|(key, limit)| limit.map(|_| key))
    }

    fn validate(&self, check: &mut Check<'_>) {
        for (key, limit) in [
            ("requests_per_minute", self.requests_per_minute),
            ("tokens_per_minute", self.tokens_per_minute),
            ("key_requests_per_minute", self.key_requests_per_minute),
            ("key_tokens_per_minute", self.key_tokens_per_minute),
        ] {
            check.that(
                key,
                limit != Some(0),
                "must be 1 or more; leave it out for no limit",
            );
        }
        for (key, limit) in [
            ("usd_per_hour", self.usd_per_hour),
            ("usd_per_day", self.usd_per_day),
            ("key_usd_per_hour", self.key_usd_per_hour),
            ("key_usd_per_day", self.key_usd_per_day),
        ] {
            check.that(
                key,
                limit.is_none_or(|limit| limit > 0.0),
                "must be more than 0; leave it out for no limit",
            );
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "limits are far below 2^52")]
const fn whole(limit: u64) -> f64 {
    limit as f64
}
