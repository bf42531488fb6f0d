//! `[scraper]`: how pages are read.

use super::{check::Check, section::section};
use secrecy::SecretString;
use std::path::PathBuf;

section! {
    /// How pages are read. What the browser itself is allowed is in `[browser]`, where it may go in `[egress]`.
    [scraper] Scraper {
        /// Pages at the same time; with remote_url, at each of those scrapers.
        concurrency: usize = 4,
        /// Pages that may wait or be read.
        mailbox_capacity: usize = 64,
        /// Milliseconds for one page, all of it.
        page_timeout_ms: u64 = 30_000,
        /// Milliseconds for a quiz that is followed from question to question.
        follow_timeout_ms: u64 = 90_000,
        /// Most steps when a quiz is followed from question to question.
        max_follow: u32 = 50,
        /// Take the questions from the plain response when it already holds them, without opening Chromium.
        http_first: bool = true,
        /// Milliseconds for the plain response.
        http_timeout_ms: u64 = 10_000,
        /// Most bytes that one page may move, everything that it loads included.
        max_page_bytes: u64 = 16_777_216,
        /// Most requests that one page may make.
        max_page_requests: u32 = 300,
        /// Obey robots.txt. Switch it off only for sites of your own.
        obey_robots: bool = true,
        /// Least milliseconds between two pages of the same host.
        politeness_ms: u64 = 1_000,
        /// How we introduce ourselves to sites; a way to reach you belongs into it. The default is
        /// `quiz-stats/VERSION`.
        user_agent: Option<String> = None,
        /// Chromium: the program that reads pages with scripts. By default the first on the path of
        /// chrome-headless-shell, chromium-headless-shell, chromium, chromium-browser, google-chrome,
        /// google-chrome-stable.
        chromium: Option<PathBuf> = None,
        /// Let these scrapers (`quiz-stats serve --role scraper`) read the pages instead of this process; several are
        /// separated by commas, the least busy is asked first.
        remote_url: Option<String> = None,
        /// The API key of those scrapers.
        remote_token: Option<SecretString> = None,
    }
}

impl Scraper {
    fn validate(&self, check: &mut Check<'_>) {
        check.between("concurrency", self.concurrency, 1, 64);
        check.capacity("mailbox_capacity", self.mailbox_capacity);
        check.milliseconds("page_timeout_ms", self.page_timeout_ms);
        check.milliseconds("follow_timeout_ms", self.follow_timeout_ms);
        check.milliseconds("http_timeout_ms", self.http_timeout_ms);
        check.that(
            "follow_timeout_ms",
            self.follow_timeout_ms >= self.page_timeout_ms,
            "must be at least scraper.page_timeout_ms",
        );
        check.between("max_follow", self.max_follow, 1, 1_000);
        check.that(
            "max_page_bytes",
            (65_536..=1_073_741_824).contains(&self.max_page_bytes),
            "must be from 65536 to 1073741824",
        );
        check.between("max_page_requests", self.max_page_requests, 1, 10_000);
        check.that(
            "politeness_ms",
            self.politeness_ms <= 3_600_000,
            "must be at most 3600000, an hour",
        );
        let agent = self.user_agent.as_deref();
        check.that(
            "user_agent",
            agent.is_none_or(|agent| {
                agent.starts_with("quiz-stats/") && agent.bytes().all(|b| (0x20..0x7F).contains(&b))
            }),
            "must begin with quiz-stats/ and be printable ASCII: sites must be able to tell who comes",
        );
        check.that(
            "remote_url",
            self.remotes().iter().all(|url| is_service(url)),
            "must be http or https addresses without path or credentials, such as http://scraper:3000, separated by commas",
        );
        check.that(
            "remote_token",
            self.remote_token.is_none() || self.remote_url.is_some(),
            "needs scraper.remote_url",
        );
    }

    /// Returns the addresses of the scrapers that read pages for this process.
    pub fn remotes(&self) -> Vec<&str> {
        let list = self.remote_url.as_deref().unwrap_or_default();
        list.split(',')
            .map(str::trim)
            .filter(|url| !url.is_empty())
            .collect()
    }

    /// Returns how we introduce ourselves.
    pub fn agent(&self) -> String {
        let default = || format!("quiz-stats/{}", crate::version::VERSION);
        self.user_agent.clone().unwrap_or_else(default)
    }
}

fn is_service(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
    })
}
