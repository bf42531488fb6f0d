//! Whether and when a site may be visited: its robots.txt first, then its turn.

use super::{robots::RobotsCache, trouble, turns::Turns};
use crate::{
    config,
    egress::Gate,
    page::{PageError, Permit},
    site::same_site,
};
use futures_util::future::BoxFuture;
use reqwest::{Client, Url};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// What is known of all sites visited lately.
#[derive(Debug)]
pub(super) struct Manners {
    obey_robots: bool,
    /// Least time between two pages of a host.
    pause: Duration,
    http_timeout: Duration,
    robots: RobotsCache,
    turns: Turns,
}

/// One page's way to sites.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visitor<'a> {
    pub(super) manners: &'a Manners,
    pub(super) client: &'a Client,
    pub(super) gate: &'a Gate,
    pub(super) deadline: Instant,
}

impl Manners {
    pub(super) fn new(config: &config::Scraper) -> Self {
        Self {
            obey_robots: config.obey_robots,
            pause: Duration::from_millis(config.politeness_ms),
            http_timeout: Duration::from_millis(config.http_timeout_ms),
            robots: RobotsCache::new(),
            turns: Turns::new(),
        }
    }
}

impl<'a> Visitor<'a> {
    /// Waits until the site of `url` lets us read it.
    ///
    /// # Errors
    /// When it does not want us, cannot be asked, or its turn is too far away.
    pub(super) async fn wait(&self, url: &Url) -> Result<(), PageError> {
        let pause = self.obey(url).await?.max(self.manners.pause);
        let host = url.host_str().unwrap_or_default();
        let turn = self.manners.turns.wait(host, pause, self.deadline).await;
        turn.map_err(PageError::Overloaded)
    }

    /// Waits until we may go on from one address to another, which needs no new turn on the same host.
    ///
    /// # Errors
    /// See [`Visitor::wait`].
    pub(super) async fn go_on(&self, from: &Url, to: &Url) -> Result<(), PageError> {
        match from.host_str() == to.host_str() {
            true => self.obey(to).await.map(drop),
            false => self.wait(to).await,
        }
    }

    /// Returns how long the site wants us to wait between two pages.
    async fn obey(&self, url: &Url) -> Result<Duration, PageError> {
        let manners = self.manners;
        if !manners.obey_robots {
            return Ok(Duration::ZERO);
        }
        let limit = self.deadline.min(Instant::now() + manners.http_timeout);
        let rules = (manners.robots)
            .of(url, self.client, self.gate, limit)
            .await?;
        match rules.allow(url) {
            true => Ok(rules.delay()),
            false => Err(trouble::robots(url)),
        }
    }

    /// Returns a permit for a page that is about to be opened at `start`, which has been asked for.
    pub(super) fn permit(self, start: &Url) -> SitePermit<'a> {
        SitePermit {
            visitor: self,
            at: Mutex::new(start.clone()),
            refused: Mutex::new(None),
        }
    }
}

/// Lets Chromium go where the sites' rules allow it.
#[derive(Debug)]
pub(super) struct SitePermit<'a> {
    visitor: Visitor<'a>,
    /// The latest address that was allowed.
    at: Mutex<Url>,
    /// Why the page could not go somewhere.
    refused: Mutex<Option<PageError>>,
}

impl SitePermit<'_> {
    fn at(&self) -> Url {
        let at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        at.clone()
    }

    /// Remembers why something was refused; whether it was allowed.
    fn note(&self, outcome: Result<(), PageError>) -> bool {
        let may = outcome.is_ok();
        if let Err(error) = outcome {
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
        may
    }

    async fn visit(&self, to: Url) -> Result<(), PageError> {
        let at = self.at();
        if to != at && matches!(to.scheme(), "http" | "https") {
            self.visitor.go_on(&at, &to).await?;
            *self.at.lock().unwrap_or_else(PoisonError::into_inner) = to;
        }
        Ok(())
    }
}

impl Permit for SitePermit<'_> {
    fn may_visit<'a>(&'a self, url: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let Ok(url) = Url::parse(url) else {
                return true;
            };
            self.note(self.visit(url).await)
        })
    }

    fn may_show<'a>(&'a self, url: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            // Frames of other sites are not read, so their rules do not matter.
            match Url::parse(url) {
                Ok(url) if same_site(&url, &self.at()) => {
                    self.note(self.visitor.obey(&url).await.map(drop))
                }
                _ => true,
            }
        })
    }

    fn refused(&self) -> Option<PageError> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.clone()
    }
}
