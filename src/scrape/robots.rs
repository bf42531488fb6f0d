//! robots.txt (RFC 9309): what a site wants of programs like this one, fetched once and remembered for a while.

use super::{
    fetch::{Fetched, Wanted, fetch},
    trouble,
};
use crate::{egress::Gate, page::PageError};
use moka::sync::Cache;
use reqwest::{Client, Url};
use robotxt::{Agent, Robots};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// Our name in robots.txt, whatever else the User-Agent says.
const PRODUCT: &str = "quiz-stats";
/// How long rules are good for; the RFC's most is a day.
const KEPT: Duration = Duration::from_secs(3_600);
/// Most sites whose rules are remembered.
const MAX_SITES: u64 = 2_000;
/// Redirects that are followed, as the RFC asks.
const MAX_REDIRECTS: usize = 5;
/// Longest that is waited between two pages because a site asks for it.
const MAX_DELAY: Duration = Duration::from_secs(30);

/// What a site wants.
#[derive(Debug)]
pub(super) struct Rules(Robots);

impl Rules {
    /// Returns whether a page may be read.
    pub(super) fn allow(&self, url: &Url) -> bool {
        self.0.is_url_allowed(url)
    }

    /// Returns how long the site wants us to wait between two pages.
    pub(super) fn delay(&self) -> Duration {
        self.0.crawl_delay().unwrap_or_default().min(MAX_DELAY)
    }
}

/// The rules of all sites seen lately.
#[derive(Debug)]
pub(super) struct RobotsCache(Cache<String, Arc<Rules>>);

impl RobotsCache {
    pub(super) fn new() -> Self {
        Self(
            Cache::builder()
                .max_capacity(MAX_SITES)
                .time_to_live(KEPT)
                .build(),
        )
    }

    /// Returns the rules of the site of `url`.
    ///
    /// # Errors
    /// When the site cannot be asked; then its pages cannot be read either.
    pub(super) async fn of(
        &self,
        url: &Url,
        client: &Client,
        gate: &Gate,
        deadline: Instant,
    ) -> Result<Arc<Rules>, PageError> {
        let site = url.origin().ascii_serialization();
        if let Some(rules) = self.0.get(&site) {
            return Ok(rules);
        }
        let rules = Arc::new(ask(url, client, gate, deadline).await?);
        self.0.insert(site, Arc::clone(&rules));
        Ok(rules)
    }
}

async fn ask(
    url: &Url,
    client: &Client,
    gate: &Gate,
    deadline: Instant,
) -> Result<Rules, PageError> {
    let mut at = url.join("/robots.txt").map_err(|_| trouble::blocked(url))?;
    for _ in 0..=MAX_REDIRECTS {
        match fetch(client, gate, &at, Wanted::Text, deadline).await? {
            Fetched::Moved(to) => at = to,
            Fetched::Answer { status, text, .. } => {
                return Ok(Rules(match status {
                    status if status.is_success() => {
                        Robots::parse(text.as_bytes(), Agent::Exact(PRODUCT))
                    }
                    // A site that is out of order is left in peace (RFC 9309, 2.3.1.4), and asked again with the next page.
                    status if status.is_server_error() => return Err(trouble::no_robots(url)),
                    // One without rules has none (2.3.1.3).
                    _ => Robots::allow_all(),
                }));
            }
        }
    }
    Ok(Rules(Robots::allow_all()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_group_counts_before_that_for_all() {
        let rules = |text: &str| Rules(Robots::parse(text.as_bytes(), Agent::Exact(PRODUCT)));
        let url = |path: &str| Url::parse(&format!("https://a.example{path}")).unwrap();
        let all =
            rules("User-agent: *\nDisallow: /private\nAllow: /private/quiz$\nCrawl-delay: 120\n");
        assert!(
            all.allow(&url("/"))
                && all.allow(&url("/private/quiz"))
                && !all.allow(&url("/private/quiz?x"))
        );
        assert_eq!(all.delay(), MAX_DELAY);
        let ours = rules("User-agent: *\nDisallow: /\n\nUser-agent: Quiz-Stats\nDisallow: /exam\n");
        assert!(ours.allow(&url("/quiz")) && !ours.allow(&url("/exam/1")));
        assert_eq!(ours.delay(), Duration::ZERO);
        assert!(!rules("User-agent: *\nDisallow: /\n").allow(&url("/x")));
    }
}
