//! The supervision tree as one table, and the mailboxes that reach it.

#[cfg(feature = "browser")]
use super::browser::{Browser, BrowserArgs, BrowserMsg};
use super::{
    ai_client::{AiClient, AiClientArgs, AiClientMsg},
    analyses::{Analyses, AnalysesArgs, AnalysesMsg},
    analysis::Solver,
    broadcaster::{Broadcaster, BroadcasterArgs, BroadcasterMsg},
    cache::{Cache, CacheArgs, CacheMsg},
    director::{Director, DirectorArgs, DirectorMsg},
    egress_guard::{EgressGuard, EgressGuardArgs, EgressGuardMsg},
    journal::{Journal, JournalArgs, JournalMsg},
    rate_limiter::{RateLimiter, RateLimiterArgs, RateLimiterMsg},
    replicas::{self, Replicas, ReplicasArgs, ReplicasMsg},
    scraper::{Scraper, ScraperArgs, ScraperMsg},
    stats_app::{StatsApp, StatsAppArgs, StatsAppMsg},
};
use crate::{
    budget::Budget,
    clock::Clock,
    config::Settings,
    egress::{Dialer, Policy, Resolver},
    metrics::Metrics,
    provider::Chain,
    runtime::{Backoff, ChildSpec, Mailbox, Strategy, SupervisorArgs},
    scrape::PageReader,
    solve::calibration::Calibrations,
    store::{
        AnalysisStore, AnswerStore, EventLog,
        embedded::Embedded,
        redis::{Link, RedisEvents},
    },
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
    /// See [`EgressGuard`].
    pub egress_guard: Mailbox<EgressGuardMsg>,
    /// See [`Browser`].
    #[cfg(feature = "browser")]
    pub browser: Mailbox<BrowserMsg>,
    /// See [`Journal`].
    pub journal: Mailbox<JournalMsg>,
    /// See [`Director`].
    pub director: Mailbox<DirectorMsg>,
    /// See [`Broadcaster`].
    pub broadcaster: Mailbox<BroadcasterMsg>,
    /// See [`Analyses`].
    pub analyses: Mailbox<AnalysesMsg>,
    /// See [`Replicas`].
    pub replicas: Mailbox<ReplicasMsg>,
    /// See [`StatsApp`]; `None` where nobody is to be told.
    pub stats_app: Option<Mailbox<StatsAppMsg>>,
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
            egress_guard: Mailbox::new(
                settings.egress.mailbox_capacity,
                metrics.mailbox("egress_guard"),
            ),
            #[cfg(feature = "browser")]
            browser: Mailbox::new(
                settings.browser.mailbox_capacity,
                metrics.mailbox("browser"),
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
            replicas: Mailbox::new(replicas::MAILBOX_CAPACITY, metrics.mailbox("replicas")),
            stats_app: settings.stats_app.url.as_ref().map(|_| {
                Mailbox::new(
                    settings.stats_app.mailbox_capacity,
                    metrics.mailbox("stats_app"),
                )
            }),
        }
    }

    /// Returns the actors that should be running and are not, by name.
    pub fn down(&self, role: Role, settings: &Settings) -> Vec<&'static str> {
        let (all, here) = (role == Role::All, settings.scraper.remote_url.is_none());
        let wanted = [
            ("rate_limiter", true, self.rate_limiter.is_up()),
            ("cache", all, self.cache.is_up()),
            ("ai_client", all, self.ai_client.is_up()),
            ("scraper", true, self.scraper.is_up()),
            ("egress_guard", here, self.egress_guard.is_up()),
            #[cfg(feature = "browser")]
            ("browser", here, self.browser.is_up()),
            ("journal", all, self.journal.is_up()),
            ("director", all, self.director.is_up()),
            ("broadcaster", all, self.broadcaster.is_up()),
            ("analyses", all, self.analyses.is_up()),
            (
                "replicas",
                all && settings.redis.url.is_some(),
                self.replicas.is_up(),
            ),
            (
                "stats_app",
                all && self.stats_app.is_some(),
                self.stats_app.as_ref().is_some_and(Mailbox::is_up),
            ),
        ];
        let down = wanted.into_iter().filter(|(_, wanted, up)| *wanted && !up);
        down.map(|(name, ..)| name).collect()
    }
}

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
    pub providers: Chain,
    /// How their probabilities are to be read.
    pub calibrations: Arc<Calibrations>,
    /// Answers already known.
    pub answers: Arc<dyn AnswerStore>,
    /// The event stream of each channel.
    pub events: Arc<dyn EventLog>,
    /// Who reads pages.
    pub pages: Arc<dyn PageReader>,
    /// Who knows the addresses of their sites.
    pub resolver: Arc<dyn Resolver>,
    /// Promised analyses.
    pub analyses: Arc<dyn AnalysisStore>,
    /// What can be backed up; `None` when it is not in this process's hands.
    pub embedded: Option<Embedded>,
    /// The way to other processes that share the stores, and the log as it knows its own appends.
    pub shared: Option<(Link, RedisEvents)>,
}

/// Returns the root of the tree, ready to be started: one for one, those that others need first.
pub fn root(
    settings: &Settings,
    mailboxes: &Mailboxes,
    ports: &Ports,
    clock: Clock,
    metrics: &Metrics,
) -> SupervisorArgs {
    let scraping = scraping(settings, mailboxes, &ports.pages, &ports.resolver, metrics);
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
        broadcaster: mailboxes.broadcaster.clone(),
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
        recovered: Arc::new(ports.shared.is_some().into()),
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
        provider_fingerprint: ports.providers.fingerprint().into(),
        calibrations: ports.calibrations,
        retries: settings.ai.retries_per_analysis,
    };
    let ai_client = AiClientArgs {
        config: settings.ai.clone(),
        mailbox: mailboxes.ai_client,
        providers: ports.providers,
        budget: Budget::new(&settings.budget, clock, metrics.clone()),
        priors: Arc::default(),
        metrics: metrics.clone(),
    };
    let analyses = AnalysesArgs {
        config: settings.analyses.clone(),
        max_questions: settings.limits.max_questions,
        mailbox: mailboxes.analyses,
        solver,
        journal: mailboxes.journal,
        director: mailboxes.director.clone(),
        scraper: mailboxes.scraper,
        stats_app: mailboxes.stats_app.clone(),
        store: ports.analyses,
        clock,
        metrics: metrics.clone(),
    };
    let replicas = ports.shared.map(|(link, events)| ReplicasArgs {
        mailbox: mailboxes.replicas,
        link,
        events,
        broadcaster: mailboxes.broadcaster,
        director: mailboxes.director,
        clock,
        metrics: metrics.clone(),
    });
    let mut children = vec![
        ChildSpec::new("broadcaster", || Broadcaster, broadcaster),
        ChildSpec::new("journal", || Journal, journal),
        ChildSpec::new("director", || Director, director),
        ChildSpec::new("cache", || Cache, cache),
        ChildSpec::new("ai_client", || AiClient, ai_client),
    ];
    children.extend(replicas.map(|args| ChildSpec::new("replicas", || Replicas, args)));
    children.extend(scraping);
    if let Some(mailbox) = mailboxes.stats_app {
        let stats_app = StatsAppArgs {
            config: settings.stats_app.clone(),
            mailbox,
            metrics: metrics.clone(),
        };
        children.push(ChildSpec::new("stats_app", || StatsApp, stats_app));
    }
    children.push(ChildSpec::new("analyses", || Analyses, analyses));
    supervisor(settings, children, metrics)
}

/// Returns the root of the tree of a process that only reads pages.
pub fn scraping_root(
    settings: &Settings,
    mailboxes: &Mailboxes,
    pages: &Arc<dyn PageReader>,
    resolver: &Arc<dyn Resolver>,
    metrics: &Metrics,
) -> SupervisorArgs {
    let children = scraping(settings, mailboxes, pages, resolver, metrics);
    supervisor(settings, children, metrics.clone())
}

/// Returns the actors that read pages. Where others do it, this process needs neither a browser nor a way out.
fn scraping(
    settings: &Settings,
    mailboxes: &Mailboxes,
    pages: &Arc<dyn PageReader>,
    resolver: &Arc<dyn Resolver>,
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
        keys: settings.auth.all_keys(),
        mailbox: mailboxes.rate_limiter.clone(),
        metrics: metrics.clone(),
    };
    let mut children = Vec::new();
    if settings.scraper.remote_url.is_none() {
        let timeout = Duration::from_millis(settings.egress.connect_timeout_ms);
        let guard = EgressGuardArgs {
            mailbox: mailboxes.egress_guard.clone(),
            dialer: Dialer::new(Policy::new(&settings.egress), Arc::clone(resolver), timeout),
        };
        children.push(ChildSpec::new("egress_guard", || EgressGuard, guard));
        #[cfg(feature = "browser")]
        children.push(ChildSpec::new(
            "browser",
            || Browser,
            browser(settings, mailboxes, metrics),
        ));
    }
    children.push(ChildSpec::new("scraper", || Scraper, scraper));
    children.push(ChildSpec::new("rate_limiter", || RateLimiter, rate_limiter));
    children
}

#[cfg(feature = "browser")]
fn browser(settings: &Settings, mailboxes: &Mailboxes, metrics: &Metrics) -> BrowserArgs {
    let scraper = settings.scraper.clone();
    BrowserArgs {
        config: settings.browser.clone(),
        mailbox: mailboxes.browser.clone(),
        agent: scraper.agent(),
        images: settings.ai.vision,
        program: Arc::new(move || crate::browser::find(&scraper, crate::config::search_path())),
        metrics: metrics.clone(),
    }
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
