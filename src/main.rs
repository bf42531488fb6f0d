//! The `quiz-stats` program: arguments, settings, logs, runtime, and off it goes.

use anyhow::Context as _;
use clap::Parser as _;
use quiz_stats::{
    cli::{self, Cli, Command, RunCommand},
    config::{self, Sources},
    log,
};
use std::{process::ExitCode, time::Duration};

/// How long the end waits for work that cannot be cancelled, such as a thread that reads standard input.
const LAST_WAIT: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let Cli { global, command } = Cli::parse();
    let sources = global.sources();
    let done = match command {
        Command::Print(command) => command.run(&sources),
        Command::Run(command) => run(command, &sources),
    };
    done.unwrap_or_else(|error| cli::report(&error))
}

fn run(command: RunCommand, sources: &Sources) -> anyhow::Result<ExitCode> {
    let loaded = config::load(sources)?;
    // Every TLS client in the process takes this provider; only a second call could fail.
    let _first = rustls::crypto::ring::default_provider().install_default();
    let _spans = log::init(&command.log(&loaded), command.tracing(&loaded.settings))?;
    #[cfg(feature = "local-model")]
    if command.may_ask_local_model(&loaded.settings)
        && let Err(error) = quiz_stats::local_model::threads::settle()
    {
        tracing::warn!(%error, "the local model answers one question at a time");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let done = runtime.block_on(command.run(loaded.settings));
    runtime.shutdown_timeout(LAST_WAIT);
    done
}
