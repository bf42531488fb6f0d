//! `quiz-stats serve`: the service, until it is told to stop.

use crate::{app::App, config::Settings};
use anyhow::Context as _;
use clap::Args;
use std::process::ExitCode;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};

/// What `serve` takes.
#[derive(Debug, Args)]
pub struct ServeArgs {}

pub(super) async fn run(_: ServeArgs, settings: Settings) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::new()?;
    let no_key = settings.auth.api_key.is_none();
    let app = App::build(settings).await?;
    if let Err(reason) = app.pipeline().provider.availability() {
        warn!("no model can answer yet: {reason}");
    }
    let front = app.listen().await?;
    let address = super::local_url(front.address());
    info!(address = %front.address(), model = app.pipeline().provider.model(), "ready");
    if let Some(metrics) = front.metrics_address() {
        info!(address = %metrics, "metrics have their own listener");
    }
    if no_key {
        info!("no API key is set: only this machine is served; set API_KEY to serve others");
    }
    super::print(&format!("stage: {address}stage/default\n"))?;
    app.serve_until(front, signals.stop()).await?;
    info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// The two ways in which a process is asked to stop.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Listens from here on, so that no signal is missed while starting.
    fn new() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Is ready with the first signal; the second one ends the process at once.
    async fn stop(&mut self) {
        self.next().await;
        info!("asked to stop; a second signal stops at once");
        let mut again = Self::new().ok();
        tokio::spawn(async move {
            if let Some(signals) = &mut again {
                signals.next().await;
                std::process::exit(130);
            }
        });
    }
}
