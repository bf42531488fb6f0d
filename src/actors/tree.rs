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
};
use crate::{
    clock::Clock,
    config::Settings,
    metrics::Metrics,
    provider::Provider,
    runtime::{Backoff, ChildSpec, Mailbox, Strategy, SupervisorArgs},
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

    /// Returns the actors that are not running, by name.
    pub fn down(&self) -> Vec<&'static str> {
        let up = [
            ("rate_limiter", self.rate_limiter.is_up()),
            ("cache", self.cache.is_up()),
            ("ai_client", self.ai_client.is_up()),
            ("journal", self.journal.is_up()),
            ("director", self.director.is_up()),
            ("broadcaster", self.broadcaster.is_up()),
            ("analyses", self.analyses.is_up()),
        ];
        up.into_iter()
            .filter(|(_, up)| !up)
            .map(|(name, _)| name)
            .collect()
    }
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
    let rate_limiter = RateLimiterArgs {
        config: settings.rate_limiter.clone(),
        mailbox: mailboxes.rate_limiter,
        metrics: metrics.clone(),
    };
    let analyses = AnalysesArgs {
        config: settings.analyses.clone(),
        mailbox: mailboxes.analyses,
        solver,
        journal: mailboxes.journal,
        director: mailboxes.director,
        store: ports.analyses,
        clock,
        metrics: metrics.clone(),
    };
    SupervisorArgs {
        strategy: Strategy::OneForOne,
        max_restarts: settings.supervisor.max_restarts,
        window: Duration::from_millis(settings.supervisor.window_ms),
        backoff: Backoff::from_ms(
            settings.supervisor.backoff_base_ms,
            settings.supervisor.backoff_max_ms,
        ),
        children: vec![
            ChildSpec::new("broadcaster", || Broadcaster, broadcaster),
            ChildSpec::new("journal", || Journal, journal),
            ChildSpec::new("director", || Director, director),
            ChildSpec::new("cache", || Cache, cache),
            ChildSpec::new("ai_client", || AiClient, ai_client),
            ChildSpec::new("rate_limiter", || RateLimiter, rate_limiter),
            ChildSpec::new("analyses", || Analyses, analyses),
        ],
        metrics,
    }
}
