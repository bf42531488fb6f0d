//! `[redis]`: several processes as one.

use super::{check::Check, section::section};
use secrecy::{ExposeSecret as _, SecretString};

section! {
    /// Several processes as one: with `url`, all that use the same server and prefix share channels, shows, answers and
    /// promised analyses. Without it, one process keeps them in server.data_dir.
    [redis] Redis {
        /// Where Redis 6.2 or later is: redis://:password@host:6379/0, rediss:// with TLS, redis-cluster:// or
        /// rediss-cluster:// for a cluster. Never shown.
        url: Option<SecretString> = None,
        /// The start of every key, for several installations on one server.
        prefix: String = "quiz-stats".to_owned(),
        /// Milliseconds a command may take; then Redis counts as out of reach until it answers again.
        command_timeout_ms: u64 = 1_000,
    }
}

const SCHEMES: [&str; 4] = ["redis", "rediss", "redis-cluster", "rediss-cluster"];

impl Redis {
    fn validate(&self, check: &mut Check<'_>) {
        check.that(
            "url",
            self.url
                .as_ref()
                .is_none_or(|url| is_address(url.expose_secret())),
            "must be an address such as redis://127.0.0.1:6379 (or rediss://, redis-cluster://, rediss-cluster://)",
        );
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        check.that(
            "prefix",
            (1..=64).contains(&self.prefix.len()) && self.prefix.chars().all(is_plain),
            "must be 1 to 64 letters, digits, '-', '_', '.' or ':'",
        );
        check.milliseconds("command_timeout_ms", self.command_timeout_ms);
    }
}

fn is_address(url: &str) -> bool {
    url::Url::parse(url)
        .is_ok_and(|url| SCHEMES.contains(&url.scheme()) && url.host_str().is_some())
}
