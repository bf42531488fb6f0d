//! The supervision tree as one table, and the mailboxes that reach it.

use super::{
    ai_client::{AiClient, AiClientArgs, AiClientMsg},
    analyses::{Analyses, AnalysesArgs, AnalysesMsg},
    analysis::Solver,
    broadcaster::{Broadcaster, BroadcasterArgs, BroadcasterMsg},
    cache::{Cache, CacheArgs, CacheMsg},
    director::{Director, DirectorArgs, DirectorMsg},
    journal::{Journal, JournalArgs, JournalMsg},
    rate_limiter::{RateLimiter, RateLimiterArgs, RateLimiterMsg},
    scraper::{Scraper, ScraperArgs, ScraperMsg},
};
use crate::{
    clock::Clock,
    config::Settings,
    metrics::Metrics,
    provider::Provider,
    runtime::{Backoff, ChildSpec, Mailbox, Strategy, SupervisorArgs},
    scrape::PageReader,
    store::{AnalysisStore, AnswerStore, EventLog},
};
use std::{sync::Arc, time::Duration};

/// The address of every actor in the tree.
#[derive(Clone)]
pub struct Mailboxes {
    /// See [`RateLimiter`].
    pub rate_limiter: Mailbox<RateLimiterMsg>,
    /// See [`Cache`].
    pub cache: Mailbox<CacheMsg>,
    /// See [`AiClient`].
    pub ai_client: Mailbox<AiClientMsg>,
    /// See [`Scraper`].
    pub scraper: Mailbox<ScraperMsg>,
    /// See [`Journal`].
    pub journal: Mailbox<JournalMsg>,
    /// See [`Director`].
    pub director: Mailbox<DirectorMsg>,
    /// See [`Broadcaster`].
    pub broadcaster: Mailbox<BroadcasterMsg>,
    /// See [`Analyses`].
    pub analyses: Mailbox<AnalysesMsg>,
}

impl Mailboxes {
    /// Creates all mailboxes. No actor is behind them yet.
    pub fn new(settings: &Settings, metrics: &Metrics) -> Self {
        Self {
            rate_limiter: Mailbox::new(
                settings.rate_limiter.mailbox_capacity,
                metrics.mailbox("rate_limiter"),
            ),
            cache: Mailbox::new(settings.cache.mailbox_capacity, metrics.mailbox("cache")),
            ai_client: Mailbox::new(settings.ai.mailbox_capacity, metrics.mailbox("ai_client")),
            scraper: Mailbox::new(
                settings.scraper.mailbox_capacity,
                metrics.mailbox("scraper"),
            ),
            journal: Mailbox::new(
                settings.journal.mailbox_capacity,
                metrics.mailbox("journal"),
            ),
            director: Mailbox::new(
                settings.director.mailbox_capacity,
                metrics.mailbox("director"),
            ),
            broadcaster: Mailbox::new(
                settings.broadcaster.mailbox_capacity,
                metrics.mailbox("broadcaster"),
            ),
            analyses: Mailbox::new(
                settings.analyses.mailbox_capacity,
                metrics.mailbox("analyses"),
            ),
        }
    }

    /// Returns the actors that should be running and are not, by name.
    pub fn down(&self, role: Role) -> Vec<&'static str> {
        let up = [
            ("rate_limiter", self.rate_limiter.is_up()),
            ("cache", self.cache.is_up()),
            ("ai_client", self.ai_client.is_up()),
            ("scraper", self.scraper.is_up()),
            ("journal", self.journal.is_up()),
            ("director", self.director.is_up()),
            ("broadcaster", self.broadcaster.is_up()),
            ("analyses", self.analyses.is_up()),
        ];
        up.into_iter()
            .filter(|(name, up)| !up && (role == Role::All || SCRAPING.contains(name)))
            .map(|(name, _)| name)
            .collect()
    }
}

/// The actors of a process that only reads pages.
const SCRAPING: [&str; 2] = ["rate_limiter", "scraper"];

/// What a process is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// Everything.
    #[default]
    All,
    /// Reading pages for other processes.
    Scraper,
}

/// What the actors reach outside the process.
#[derive(Clone)]
pub struct Ports {
    /// Who answers questions.
    pub provider: Arc<dyn Provider>,
    /// Answers already known.
    pub answers: Arc<dyn AnswerStore>,
    /// The event stream of each channel.
    pub events: Arc<dyn EventLog>,
    /// Who reads pages.
    pub pages: Arc<dyn PageReader>,
    /// Promised analyses.
    pub analyses: Arc<dyn AnalysisStore>,
}

/// Returns the root of the tree, ready to be started: one for one, those that others need first.
pub fn root(
    settings: &Settings,
    mailboxes: &Mailboxes,
    ports: &Ports,
    clock: Clock,
    metrics: &Metrics,
) -> SupervisorArgs {
    let scraping = scraping(settings, mailboxes, &ports.pages, metrics);
    let (mailboxes, ports, metrics) = (mailboxes.clone(), ports.clone(), metrics.clone());
    let broadcaster = BroadcasterArgs {
        config: settings.broadcaster.clone(),
        mailbox: mailboxes.broadcaster.clone(),
        log: Arc::clone(&ports.events),
        clock,
        metrics: metrics.clone(),
    };
    let journal = JournalArgs {
        config: settings.journal.clone(),
        mailbox: mailboxes.journal.clone(),
        log: Arc::clone(&ports.events),
        broadcaster: mailboxes.broadcaster,
        clock,
        metrics: metrics.clone(),
    };
    let director = DirectorArgs {
        config: settings.director.clone(),
        when_busy: settings.timeline.when_busy,
        stale_after: Duration::from_millis(settings.analyses.timeout_ms)
            + DirectorArgs::STALE_MARGIN,
        mailbox: mailboxes.director.clone(),
        journal: mailboxes.journal.clone(),
        log: ports.events,
        clock,
        recovered: Arc::default(),
    };
    let cache = CacheArgs {
        config: settings.cache.clone(),
        mailbox: mailboxes.cache.clone(),
        store: ports.answers,
        clock,
        metrics: metrics.clone(),
    };
    let solver = Solver {
        cache: mailboxes.cache,
        ai_client: mailboxes.ai_client.clone(),
        provider_fingerprint: ports.provider.fingerprint().into(),
    };
    let ai_client = AiClientArgs {
        config: settings.ai.clone(),
        mailbox: mailboxes.ai_client,
        provider: ports.provider,
        metrics: metrics.clone(),
    };
    let analyses = AnalysesArgs {
        config: settings.analyses.clone(),
        max_questions: settings.limits.max_questions,
        mailbox: mailboxes.analyses,
        solver,
        journal: mailboxes.journal,
        director: mailboxes.director,
        scraper: mailboxes.scraper,
        store: ports.analyses,
        clock,
        metrics: metrics.clone(),
    };
    let mut children = vec![
        ChildSpec::new("broadcaster", || Broadcaster, broadcaster),
        ChildSpec::new("journal", || Journal, journal),
        ChildSpec::new("director", || Director, director),
        ChildSpec::new("cache", || Cache, cache),
        ChildSpec::new("ai_client", || AiClient, ai_client),
    ];
    children.extend(scraping);
    children.push(ChildSpec::new("analyses", || Analyses, analyses));
    supervisor(settings, children, metrics)
}

/// Returns the root of the tree of a process that only reads pages.
pub fn scraping_root(
    settings: &Settings,
    mailboxes: &Mailboxes,
    pages: &Arc<dyn PageReader>,
    metrics: &Metrics,
) -> SupervisorArgs {
    let children = scraping(settings, mailboxes, pages, metrics);
    supervisor(settings, children, metrics.clone())
}

/// Returns the actors of [`SCRAPING`].
fn scraping(
    settings: &Settings,
    mailboxes: &Mailboxes,
    pages: &Arc<dyn PageReader>,
    metrics: &Metrics,
) -> Vec<ChildSpec> {
    let scraper = ScraperArgs {
        config: settings.scraper.clone(),
        limits: settings.limits.clone(),
        mailbox: mailboxes.scraper.clone(),
        reader: Arc::clone(pages),
        metrics: metrics.clone(),
    };
    let rate_limiter = RateLimiterArgs {
        config: settings.rate_limiter.clone(),
        mailbox: mailboxes.rate_limiter.clone(),
        metrics: metrics.clone(),
    };
    vec![
        ChildSpec::new("scraper", || Scraper, scraper),
        ChildSpec::new("rate_limiter", || RateLimiter, rate_limiter),
    ]
}

fn supervisor(settings: &Settings, children: Vec<ChildSpec>, metrics: Metrics) -> SupervisorArgs {
    SupervisorArgs {
        strategy: Strategy::OneForOne,
        max_restarts: settings.supervisor.max_restarts,
        window: Duration::from_millis(settings.supervisor.window_ms),
        backoff: Backoff::from_ms(
            settings.supervisor.backoff_base_ms,
            settings.supervisor.backoff_max_ms,
        ),
        children,
        metrics,
    }
}
