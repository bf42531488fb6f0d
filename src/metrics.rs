//! Metrics: every number that operators see, kept in a registry of its own per instance.
//!
//! [`catalogue`] declares each metric once. This file and its siblings hand out typed handles, grouped by subject.
//! Nothing here is global: a test makes its own [`Metrics`] and reads only what it caused.
//!
//! A [`Counter`], [`Gauge`] or [`Histogram`] is a cached handle (about 12 ns per use); [`CounterFamily::with`] and its
//! like look one up among those that the family has given out before, without allocating.

mod ai;
mod answers;
pub mod catalogue;
mod family;
mod http;
mod process;
mod registry;
mod scrape;
mod websocket;

pub use ai::Ai;
pub use answers::{Analysis, Cache, Journal};
pub use family::{CounterFamily, GaugeFamily, HistogramFamily};
pub use http::{Http, InFlight, RouteMetrics};
pub use metrics::{Counter, Gauge, Histogram};
pub use scrape::Scrape;
pub use websocket::WebSocket;

use crate::version::{COMMIT, VERSION};
use catalogue as c;
use process::Process;
use registry::Registry;
use std::{fmt, sync::Arc};

/// The registry and the handles into it. Clones share one registry.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Arc<Registry>,
    process: Process,
    http: Http,
    websocket: WebSocket,
    ai: Ai,
    analysis: Analysis,
    cache: Cache,
    journal: Journal,
    scrape: Scrape,
    redis_up: GaugeFamily<0>,
    stats_app_posts: CounterFamily<1>,
    rate_limit_exceeded: CounterFamily<1>,
    actor_up: GaugeFamily<1>,
    actor_restarts: CounterFamily<2>,
    mailbox_depth: GaugeFamily<1>,
    mailbox_capacity: GaugeFamily<1>,
    mailbox_rejected: CounterFamily<1>,
    mailbox_wait: HistogramFamily<1>,
}

impl Metrics {
    /// Makes an empty registry that shares nothing with any other.
    pub fn new() -> Self {
        let registry = Arc::new(Registry::new(c::ALL));
        let r = &registry;
        GaugeFamily::new(r, &c::BUILD_INFO)
            .with([VERSION, COMMIT])
            .set(1.0);
        Self(Arc::new(Inner {
            process: Process::new(r),
            http: Http::new(r),
            websocket: WebSocket::new(r),
            ai: Ai::new(r),
            analysis: Analysis::new(r),
            cache: Cache::new(r),
            journal: Journal::new(r),
            scrape: Scrape::new(r),
            redis_up: GaugeFamily::new(r, &c::REDIS_UP),
            stats_app_posts: CounterFamily::new(r, &c::STATS_APP_POSTS),
            rate_limit_exceeded: CounterFamily::new(r, &c::RATE_LIMIT_EXCEEDED),
            actor_up: GaugeFamily::new(r, &c::ACTOR_UP),
            actor_restarts: CounterFamily::new(r, &c::ACTOR_RESTARTS),
            mailbox_depth: GaugeFamily::new(r, &c::MAILBOX_DEPTH),
            mailbox_capacity: GaugeFamily::new(r, &c::MAILBOX_CAPACITY),
            mailbox_rejected: CounterFamily::new(r, &c::MAILBOX_REJECTED),
            mailbox_wait: HistogramFamily::new(r, &c::MAILBOX_WAIT),
            registry,
        }))
    }

    /// Returns the mailbox metrics of one actor; the same actor gets the same numbers after a restart.
    pub fn mailbox(&self, actor: &'static str) -> MailboxMetrics {
        MailboxMetrics {
            depth: self.0.mailbox_depth.with([actor]),
            capacity: self.0.mailbox_capacity.with([actor]),
            rejected: self.0.mailbox_rejected.with([actor]),
            wait: self.0.mailbox_wait.with([actor]),
        }
    }

    /// Returns the life-cycle metrics of one actor.
    pub fn actor(&self, actor: &'static str) -> ActorMetrics {
        ActorMetrics {
            actor,
            up: self.0.actor_up.with([actor]),
            restarts: self.0.actor_restarts.clone(),
        }
    }

    /// Returns the metrics of the HTTP front.
    pub fn http(&self) -> &Http {
        &self.0.http
    }

    /// Returns the metrics of viewers and their frames.
    pub fn websocket(&self) -> &WebSocket {
        &self.0.websocket
    }

    /// Returns the metrics of model calls.
    pub fn ai(&self) -> &Ai {
        &self.0.ai
    }

    /// Returns the metrics of analyses and their answers.
    pub fn analysis(&self) -> &Analysis {
        &self.0.analysis
    }

    /// Returns the metrics of reading pages.
    pub fn scrape(&self) -> &Scrape {
        &self.0.scrape
    }

    /// Returns the counter of shows that the program at `stats_app.url` was told of, by `outcome`: `sent`, `failed`.
    pub fn stats_app_posts(&self) -> &CounterFamily<1> {
        &self.0.stats_app_posts
    }

    /// Returns the metrics of the answer cache.
    pub fn cache(&self) -> &Cache {
        &self.0.cache
    }

    /// Returns the metrics of the event journal.
    pub fn journal(&self) -> &Journal {
        &self.0.journal
    }

    /// Returns `redis_up`, which a process without Redis does not show.
    pub fn redis_up(&self) -> Gauge {
        self.0.redis_up.with([])
    }

    /// Returns `rate_limit_exceeded_total`; `scope` is `general` or `analyze`.
    pub fn rate_limit_exceeded(&self, scope: &'static str) -> Counter {
        self.0.rate_limit_exceeded.with([scope])
    }

    /// Writes the Prometheus text format, with the process's own numbers read now.
    pub fn render(&self) -> String {
        self.0.process.collect(&self.0.registry);
        self.0.registry.render()
    }

    /// Folds recorded histogram samples into their buckets. Call it every few seconds: samples pile up until then.
    pub fn run_upkeep(&self) {
        self.0.registry.run_upkeep();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// What one bounded mailbox reports.
#[derive(Debug, Clone)]
pub struct MailboxMetrics {
    /// Messages waiting or being handled.
    pub depth: Gauge,
    /// Messages it takes before senders are refused.
    pub capacity: Gauge,
    /// Messages refused or dropped because it was full.
    pub rejected: Counter,
    /// Seconds from send to the start of handling.
    pub wait: Histogram,
}

impl MailboxMetrics {
    /// Returns handles that record nothing.
    #[cfg(test)]
    pub(crate) fn noop() -> Self {
        Self {
            depth: Gauge::noop(),
            capacity: Gauge::noop(),
            rejected: Counter::noop(),
            wait: Histogram::noop(),
        }
    }
}

/// What one supervised actor reports.
#[derive(Debug, Clone)]
pub struct ActorMetrics {
    actor: &'static str,
    restarts: CounterFamily<2>,
    /// 1 while it runs, 0 while it is down or backing off.
    pub up: Gauge,
}

impl ActorMetrics {
    /// Returns `actor_restarts_total`; `reason` is a word from a small set, such as `panic`, `error`, `killed`.
    pub fn restarts(&self, reason: &'static str) -> Counter {
        self.restarts.with([self.actor, reason])
    }
}

#[cfg(test)]
mod tests;
