//! `quiz-stats serve`: the service, until it is told to stop.

use super::{address, signals::Signals};
use crate::{app::App, config::Settings};
use clap::{Args, ValueEnum};
use std::process::ExitCode;
use tracing::{info, warn};

const EXAMPLES: &str = "\
Examples:
  quiz-stats serve                                   this machine alone, on http://127.0.0.1:3000
  BACKEND_PORT=8080 API_KEY=… quiz-stats serve       everybody who has the key
  API_KEY=… quiz-stats serve --role scraper          reads pages for other processes
  OPENAI_BASE_URL=http://127.0.0.1:11434/v1 OPENAI_MODEL=llama3.2 quiz-stats serve

Without OPENAI_API_KEY or OPENAI_BASE_URL, the model in the process answers: see `quiz-stats model`.
SIGTERM or Ctrl-C drains: what runs may finish. A second one stops at once.";

/// What `serve` takes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ServeArgs {
    /// What this process is there for
    #[arg(long, value_enum, default_value_t)]
    role: RoleArg,
}

/// Names of the roles.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum RoleArg {
    /// Everything
    #[default]
    All,
    /// Reading pages for other processes, which name it in scraper.remote_url: POST /api/scrape alone
    Scraper,
}

pub(super) async fn run(args: ServeArgs, settings: Settings) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let no_key = !settings.is_guarded();
    let is_open = settings.auth.allow_anonymous;
    let is_scraper = matches!(args.role, RoleArg::Scraper);
    if is_scraper && settings.scraper.remote_url.is_some() {
        let told = "a scraper reads pages itself: leave scraper.remote_url out of its settings; it is for the processes \
                    that ask it";
        return Err(super::WrongUse(told.to_owned()).into());
    }
    if let Some(told) = settings.guessable_key() {
        return Err(super::WrongUse(told).into());
    }
    let app = match args.role {
        RoleArg::All => signals.or(Box::pin(App::build(settings))).await??,
        RoleArg::Scraper => signals.or(Box::pin(App::scraper(settings))).await??,
    };
    if !is_scraper {
        let providers = app.pipeline().providers.clone();
        tokio::spawn(async move {
            if let Err(reason) = providers.first().ready().await {
                warn!("no model can answer: {reason}");
            }
        });
    }
    if let Err(reason) = app.pipeline().pages.availability() {
        warn!("not every page can be read: {reason}");
    }
    let front = app.listen().await?;
    let address = address::local(front.address());
    match is_scraper {
        true => info!(address = %front.address(), role = "scraper", "ready"),
        false => {
            let model = app.pipeline().providers.first().model();
            info!(address = %front.address(), model, "ready");
        }
    }
    if let Some(metrics) = front.metrics_address() {
        info!(address = %metrics, "metrics have their own listener");
    }
    match (no_key, is_open) {
        (true, true) => warn!(
            "neither a key nor a token is asked for, and auth.allow_anonymous is: everybody who reaches {address} may do everything"
        ),
        (true, false) => {
            info!("no API key is set: only this machine is served; set API_KEY to serve others");
        }
        (false, _) => {}
    }
    super::print(&match is_scraper {
        true => format!("scraper: {address}\n"),
        false => format!("stage: {address}stage/default\n"),
    })?;
    app.serve_until(front, stop(signals)).await?;
    info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Is ready with the first signal; the second one ends the process at once.
async fn stop(mut signals: Signals) {
    signals.next().await;
    info!("asked to stop; a second signal stops at once");
    tokio::spawn(async move {
        let again = signals.next().await;
        std::process::exit(i32::from(again.exit_code()));
    });
}
