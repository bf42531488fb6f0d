//! App: the one place that wires things together.

use crate::{
    actors::{
        analyses::AnalysesMsg,
        broadcaster::BroadcasterMsg,
        tree::{self, Mailboxes, Ports, Role},
    },
    clock::Clock,
    config::Settings,
    egress::{Resolver, SystemResolver},
    http,
    metrics::Metrics,
    pipeline::Pipeline,
    provider,
    runtime::{Supervisor, SupervisorArgs, SupervisorHandle},
    scrape,
    solve::calibration::Calibrations,
    store::{Stores, calibrations},
};
use anyhow::Context as _;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::time::Instant;
use tracing::{info, warn};

/// What is left of the time to drain when the last viewer has been sent away.
const FAREWELL_MARGIN: Duration = Duration::from_secs(1);
/// How often histogram samples are folded; without it they pile up.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// The running service, with or without its HTTP front.
pub struct App {
    pipeline: Pipeline,
    supervisor: SupervisorHandle,
    upkeep: tokio::task::JoinHandle<()>,
}

/// The HTTP front of a running [`App`].
pub struct Front {
    server: http::Server,
    metrics: Option<http::Server>,
}

impl App {
    /// Opens the stores, prepares the model and starts the tree. Listens nowhere yet.
    ///
    /// # Errors
    /// When a store, the model's settings or an actor cannot be used.
    pub async fn build(settings: Settings) -> anyhow::Result<Self> {
        let calibrations = calibrations::load(&settings.server.data_dir)?;
        Self::build_with(settings, calibrations).await
    }

    /// As [`Self::build`], the models' probabilities being read by these calibrations.
    ///
    /// # Errors
    /// As [`Self::build`].
    pub async fn build_with(
        settings: Settings,
        calibrations: Calibrations,
    ) -> anyhow::Result<Self> {
        let metrics = Metrics::new();
        let mailboxes = Mailboxes::new(&settings, &metrics);
        let stores = Stores::open(&settings).await?;
        let ports = Ports {
            providers: provider::from_settings(&settings).await?,
            calibrations: Arc::new(calibrations),
            answers: stores.answers,
            events: stores.events,
            pages: scrape::from_settings(&settings, &mailboxes)?,
            resolver: Arc::new(SystemResolver),
            analyses: stores.analyses,
            embedded: stores.embedded,
            shared: stores.shared,
        };
        Self::with_ports(settings, ports, mailboxes, metrics).await
    }

    /// Starts what reads pages, and nothing else: no store, no model.
    ///
    /// # Errors
    /// When the settings or an actor cannot be used.
    pub async fn scraper(settings: Settings) -> anyhow::Result<Self> {
        Self::scraper_with(settings, Arc::new(SystemResolver)).await
    }

    /// As [`Self::scraper`], with somebody else knowing the addresses of names.
    ///
    /// # Errors
    /// When the settings or an actor cannot be used.
    pub async fn scraper_with(
        settings: Settings,
        resolver: Arc<dyn Resolver>,
    ) -> anyhow::Result<Self> {
        let metrics = Metrics::new();
        let mailboxes = Mailboxes::new(&settings, &metrics);
        let pages = scrape::from_settings(&settings, &mailboxes)?;
        let root = tree::scraping_root(&settings, &mailboxes, &pages, &resolver, &metrics);
        let providers = provider::Chain::from(provider::none("this process only reads pages"));
        let pipeline = Pipeline {
            settings: Arc::new(settings),
            actors: mailboxes,
            role: Role::Scraper,
            pages,
            redis: None,
            embedded: None,
            provider_fingerprint: providers.fingerprint().into(),
            providers,
            calibrations: Arc::default(),
            clock: Clock::start(),
            metrics,
        };
        Self::start(pipeline, root).await
    }

    /// Starts the tree on given ports.
    ///
    /// # Errors
    /// When an actor does not start.
    pub async fn with_ports(
        settings: Settings,
        ports: Ports,
        mailboxes: Mailboxes,
        metrics: Metrics,
    ) -> anyhow::Result<Self> {
        let clock = Clock::start();
        let root = tree::root(&settings, &mailboxes, &ports, clock, &metrics);
        let pipeline = Pipeline {
            settings: Arc::new(settings),
            actors: mailboxes,
            role: Role::All,
            pages: ports.pages,
            embedded: ports.embedded,
            redis: ports.shared.map(|(link, _)| link),
            provider_fingerprint: ports.providers.fingerprint().into(),
            providers: ports.providers,
            calibrations: ports.calibrations,
            clock,
            metrics,
        };
        Self::start(pipeline, root).await
    }

    async fn start(pipeline: Pipeline, root: SupervisorArgs) -> anyhow::Result<Self> {
        let supervisor = Supervisor::spawn(root)
            .await
            .context("the actors do not start")?;
        let upkeep = tokio::spawn({
            let metrics = pipeline.metrics.clone();
            async move {
                let mut interval = tokio::time::interval(UPKEEP_EVERY);
                loop {
                    interval.tick().await;
                    metrics.run_upkeep();
                }
            }
        });
        Ok(Self {
            pipeline,
            supervisor,
            upkeep,
        })
    }

    /// Returns the way in.
    pub const fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// Listens where the settings say.
    ///
    /// # Errors
    /// When an address cannot be bound.
    pub async fn listen(&self) -> anyhow::Result<Front> {
        let settings = &self.pipeline.settings;
        let server = http::Server::bind(
            self.pipeline.clone(),
            settings.listen_addr(),
            match self.pipeline.role {
                Role::All => http::Routes::All,
                Role::Scraper => http::Routes::Scraper,
            },
        )
        .await?;
        let metrics = match settings.metrics.bind {
            Some(address) => Some(
                http::Server::bind(self.pipeline.clone(), address, http::Routes::Metrics).await?,
            ),
            None => None,
        };
        Ok(Front { server, metrics })
    }

    /// Listens, and serves until `shutdown` is ready; then drains.
    ///
    /// # Errors
    /// When an address cannot be bound, or the supervisor gave up.
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let front = self.listen().await?;
        self.serve_until(front, shutdown).await
    }

    /// Serves on a bound front until `shutdown` is ready; then drains.
    ///
    /// # Errors
    /// When the supervisor gave up.
    pub async fn serve_until(
        mut self,
        front: Front,
        shutdown: impl Future<Output = ()>,
    ) -> anyhow::Result<()> {
        let outcome = tokio::select! {
            () = shutdown => Ok(()),
            reason = self.supervisor.gave_up() => Err(anyhow::anyhow!("giving up: {reason}")),
        };
        let limit = Duration::from_millis(self.pipeline.settings.server.drain_timeout_ms);
        let deadline = Instant::now() + limit;
        if outcome.is_ok() {
            info!(limit_ms = limit.as_millis(), "draining");
        }
        front.server.start_draining();
        self.take_leave(limit, deadline).await;
        // Connections that were kept alive ask on until they are told to go: the actors must outlive them.
        front.server.finish(deadline).await;
        self.end(deadline).await;
        if let Some(metrics) = front.metrics {
            metrics.start_draining();
            metrics.finish(deadline).await;
        }
        outcome
    }

    /// Ends the tree: running analyses may finish within `limit`, then every actor handles what it holds.
    pub async fn drain(self, limit: Duration) {
        let deadline = Instant::now() + limit;
        self.take_leave(limit, deadline).await;
        self.end(deadline).await;
    }

    /// Lets running analyses end and sends viewers away.
    async fn take_leave(&self, limit: Duration, deadline: Instant) {
        if self.pipeline.role == Role::All {
            let analyses = &self.pipeline.actors.analyses;
            if analyses.ask(deadline, AnalysesMsg::Drain).await.is_err() {
                warn!("analyses were still running when the time to drain was over");
            }
            let until = deadline - FAREWELL_MARGIN.min(limit);
            let farewell = |reply| BroadcasterMsg::Farewell { until, reply };
            if self
                .pipeline
                .actors
                .broadcaster
                .ask(deadline, farewell)
                .await
                .is_err()
            {
                warn!("viewers were still there when the time to drain was over");
            }
        }
    }

    /// Ends the tree: every actor handles what it holds.
    async fn end(self, deadline: Instant) {
        let left = deadline
            .saturating_duration_since(Instant::now())
            .max(Duration::from_secs(1));
        self.supervisor.drain(left).await;
        self.upkeep.abort();
    }
}

impl Front {
    /// Returns the address that clients reach.
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Returns the address of the metrics listener, when it has one of its own.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(http::Server::address)
    }
}

#[cfg(test)]
mod fault_tests;
