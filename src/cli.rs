//! The command line: what can be typed, and which file does it.
//!
//! Exit codes: 0 well, 1 failed, 2 wrong use (arguments or configuration), 3 answered only in part.

mod analyze;
mod completions;
mod config;
mod healthcheck;
mod man;
#[cfg(feature = "local-model")]
pub mod model;
mod serve;
mod watch;

use crate::config::{Argument, Loaded, Log, Problems, Settings, Sources};
use clap::{Args, Parser, Subcommand};
use reqwest::Url;
use std::{
    io::{self, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
};

/// Exit code of a command that failed.
pub const FAILED: u8 = 1;
/// Exit code of wrong arguments or a wrong configuration.
pub const WRONG_USE: u8 = 2;
/// Exit code of an analysis that answered some questions and not all.
pub const PARTLY: u8 = 3;

const EXAMPLES: &str = "\
Examples:
  quiz-stats serve                           serve on http://127.0.0.1:3000
  API_KEY=… quiz-stats serve --config my.toml
  quiz-stats config --default > my.toml      every setting, documented
  quiz-stats analyze quiz.gift               its answers, in this process
  quiz-stats analyze - --server http://127.0.0.1:3000 --json < quiz.json
  quiz-stats watch                           the show in the terminal
  quiz-stats healthcheck && echo ready

Exit codes: 0 well, 1 failed, 2 wrong use, 3 answered only in part.
Settings: config file, then environment (QUIZ_STATS__SECTION__KEY, OPENAI_API_KEY, API_KEY, …), then arguments.";

/// Questions in, answers on every screen.
#[derive(Debug, Parser)]
#[command(name = "quiz-stats", version, after_help = EXAMPLES)]
pub struct Cli {
    /// Where settings come from.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Arguments of every command.
#[derive(Debug, Args)]
pub struct Global {
    /// Read settings from this TOML file
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Keep stores and model weights in this folder
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,
    /// Log error, warn, info, debug, trace, or a filter such as info,quiz_stats=debug
    #[arg(long, global = true, value_name = "FILTER")]
    log_level: Option<String>,
}

impl Global {
    /// Returns where to look for settings, the process's environment included.
    pub fn sources(self) -> Sources {
        let data_dir = self.data_dir.map(|value| Argument {
            key: "server.data_dir",
            value,
            flag: "--data-dir",
        });
        let log_level = self.log_level.map(|value| Argument {
            key: "log.level",
            value,
            flag: "--log-level",
        });
        Sources::from_process(self.config, data_dir.into_iter().chain(log_level).collect())
    }
}

/// A command is one of two sorts.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs with valid settings.
    #[command(flatten)]
    Run(RunCommand),
    /// Prints, without starting anything.
    #[command(flatten)]
    Print(PrintCommand),
}

/// Commands that only print: they work while the configuration is broken.
#[derive(Debug, Subcommand)]
pub enum PrintCommand {
    /// Show the effective settings, secrets masked, and where each came from
    Config(config::ConfigArgs),
    /// Print shell completions
    Completions(completions::CompletionsArgs),
    /// Print the manual page
    Man,
}

impl PrintCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// [`Problems`] with the configuration, or a standard output that cannot be written.
    pub fn run(self, sources: &Sources) -> anyhow::Result<ExitCode> {
        match self {
            Self::Config(args) => config::run(&args, sources),
            Self::Completions(args) => completions::run(&args),
            Self::Man => man::run(),
        }
    }
}

/// Commands that do something, with settings, logs and a runtime.
#[derive(Debug, Subcommand)]
pub enum RunCommand {
    /// Serve until SIGTERM or Ctrl-C
    Serve(serve::ServeArgs),
    /// Answer a quiz file and print the answers as a table or JSON
    Analyze(analyze::AnalyzeArgs),
    /// Watch the show of a running server in the terminal; q quits
    Watch(watch::WatchArgs),
    /// Ask a running server whether it is ready; exit code 0 or 1
    Healthcheck(healthcheck::HealthcheckArgs),
    /// Manage the weights of the model in the process
    #[cfg(feature = "local-model")]
    #[command(subcommand)]
    Model(model::ModelCommand),
}

impl RunCommand {
    /// Returns how to log: what the operator chose, or for tools only what they should act on.
    pub fn log(&self, loaded: &Loaded) -> Log {
        let mut log = loaded.settings.log.clone();
        if !matches!(self, Self::Serve(_)) && loaded.is_default("log.level") {
            log.level = "warn".to_owned();
        }
        log
    }

    /// Runs the command.
    ///
    /// # Errors
    /// Whatever kept it from its end; the exit code is [`FAILED`] then.
    pub async fn run(self, settings: Settings) -> anyhow::Result<ExitCode> {
        match self {
            Self::Serve(args) => serve::run(args, settings).await,
            Self::Analyze(args) => analyze::run(args, settings).await,
            Self::Watch(args) => watch::run(&args, &settings).await,
            Self::Healthcheck(args) => healthcheck::run(&args, &settings).await,
            #[cfg(feature = "local-model")]
            Self::Model(command) => model::run(command, &settings).await,
        }
    }
}

/// Tells a person on standard error what went wrong and returns the exit code for it.
pub fn report(error: &anyhow::Error) -> ExitCode {
    // Nothing is left to do when standard error is gone.
    let _gone = writeln!(io::stderr(), "quiz-stats: {error:#}");
    ExitCode::from(if error.is::<Problems>() {
        WRONG_USE
    } else {
        FAILED
    })
}

/// Writes to standard output. A reader that has seen enough and closed it, such as `head`, is no error.
fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Returns the address of a server on this machine that listens there.
fn local_url(listener: SocketAddr) -> Url {
    let ip = match listener.ip() {
        // A server on every interface is on this one too.
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let listener = SocketAddr::new(ip, listener.port());
    Url::parse(&format!("http://{listener}/")).expect("a socket address makes a valid authority")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_arguments_work_behind_the_command_and_become_settings() {
        let cli = Cli::try_parse_from([
            "quiz-stats",
            "config",
            "--log-level",
            "debug",
            "--data-dir",
            "here",
        ])
        .unwrap();
        let mut sources = cli.global.sources();
        sources.environment.clear();
        let settings = crate::config::load(&sources).unwrap().settings;
        assert_eq!(settings.log.level, "debug");
        assert_eq!(settings.server.data_dir, PathBuf::from("here"));
    }

    #[test]
    fn wrong_arguments_and_wrong_settings_are_both_wrong_use() {
        let wrong = Cli::try_parse_from(["quiz-stats", "sing"]).unwrap_err();
        assert_eq!(wrong.exit_code(), i32::from(WRONG_USE));
        let problems = anyhow::Error::from(Problems(Vec::new()));
        assert_eq!(
            format!("{:?}", report(&problems)),
            format!("{:?}", ExitCode::from(WRONG_USE))
        );
        assert_eq!(
            format!("{:?}", report(&anyhow::anyhow!("x"))),
            format!("{:?}", ExitCode::from(FAILED))
        );
    }

    #[test]
    fn tools_are_quiet_unless_told_otherwise() {
        let cli = Cli::try_parse_from(["quiz-stats", "healthcheck"]).unwrap();
        let Command::Run(command) = cli.command else {
            panic!("a command that runs")
        };
        let loaded = crate::config::load(&Sources::default()).unwrap();
        assert_eq!(command.log(&loaded).level, "warn");
    }
}
