//! `[stats_app]`: another program that is told the answers.

use super::{check::Check, section::section};
use secrecy::SecretString;

section! {
    /// Another program that is told the answers of every show: `POST /display-answers` with answers, timestamp, status.
    [stats_app] StatsApp {
        /// Its address, such as `http://127.0.0.1:8080`; without one, nothing is sent. Alias `STATS_APP_URL`.
        url: Option<String> = None,
        /// Signs each call: the header X-Signature-256 is `sha256=` and the HMAC-SHA-256 of the body in hexadecimal.
        secret: Option<SecretString> = None,
        /// Shows that may wait to be told; more are left out.
        mailbox_capacity: usize = 256,
        /// Milliseconds for each try.
        timeout_ms: u64 = 5_000,
        /// Tries after the first.
        max_retries: u32 = 4,
    }
}

impl StatsApp {
    fn validate(&self, check: &mut Check<'_>) {
        check.that(
            "url",
            self.url.as_deref().is_none_or(is_base),
            "must be an http or https address without user name, query or fragment, such as http://127.0.0.1:8080",
        );
        check.that(
            "secret",
            self.secret.is_none() || self.url.is_some(),
            "needs stats_app.url",
        );
        check.capacity("mailbox_capacity", self.mailbox_capacity);
        check.milliseconds("timeout_ms", self.timeout_ms);
        check.between("max_retries", self.max_retries, 0, 20);
    }
}

pub(super) fn is_base(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    })
}
