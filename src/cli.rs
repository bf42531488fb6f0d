//! The command line: what can be typed, and which file does it.
//!
//! Exit codes: 0 well, 1 failed, 2 wrong use (arguments or configuration), 3 answered only in part.

mod address;
mod analyze;
mod audit;
mod backup;
mod calibrate;
mod completions;
mod config;
mod evaluate;
mod healthcheck;
mod key;
mod man;
mod measure;
#[cfg(feature = "local-model")]
pub mod model;
mod restore;
mod scrape;
mod serve;
mod signals;
mod watch;

use crate::config::{Argument, Loaded, Log, Problems, Settings, Sources, Tracing};
use crate::quiz::request::is_channel_name;
use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use signals::Interrupted;
use std::{
    io::{self, Write as _},
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
  quiz-stats model fetch                     a model in the process, without account or key
  quiz-stats serve                           serve on http://127.0.0.1:3000
  quiz-stats analyze quiz.gift               answer a quiz, here and now
  quiz-stats analyze quiz.json --server http://127.0.0.1:3000
  quiz-stats audit quiz.gift                 doubt its keys, find its flaws
  quiz-stats evaluate known.jsonl            how often the model is right, and how well it knows
  quiz-stats scrape https://quiz.example/page   the questions on a page
  quiz-stats watch                           the show in the terminal
  quiz-stats key new anna --roles analyze    a key for somebody
  quiz-stats backup /srv/backups --keep 7    a copy of its data, while it runs
  quiz-stats config --default > my.toml      every setting, documented
  quiz-stats man | man -l -                  all of this as a manual page

Each command has more with --help.
Exit codes: 0 well, 1 failed, 2 wrong use, 3 answered only in part.
Settings: config file, then environment (QUIZ_STATS__SECTION__KEY, OPENAI_API_KEY, API_KEY, …), then arguments.";

/// Heads what every command takes, so that its own options stand before them.
const SETTINGS: &str = "Settings";

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
    #[arg(long, global = true, value_name = "FILE", help_heading = SETTINGS)]
    config: Option<PathBuf>,
    /// Keep stores and model weights in this folder
    #[arg(long, global = true, value_name = "DIR", help_heading = SETTINGS)]
    data_dir: Option<String>,
    /// Log error, warn, info, debug, trace, or a filter such as info,quiz_stats=debug
    #[arg(long, global = true, value_name = "FILTER", help_heading = SETTINGS)]
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
    /// Make keys for the API
    #[command(subcommand)]
    Key(key::KeyCommand),
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
            Self::Key(command) => key::run(command),
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
    /// Answer a quiz file or a page and print the answers as a table or JSON
    Analyze(analyze::AnalyzeArgs),
    /// Doubt the keys of a quiz file, and find the flaws of its questions
    Audit(audit::AuditArgs),
    /// Measure how often the model is right, and how well it knows
    Evaluate(evaluate::EvaluateArgs),
    /// Fit the model's confidence to questions whose key is known
    Calibrate(calibrate::CalibrateArgs),
    /// Read the questions on a page and print them; no model is asked
    Scrape(scrape::ScrapeArgs),
    /// Watch the show of a running server in the terminal; q quits
    Watch(watch::WatchArgs),
    /// Copy answers, events and promised analyses to a file, while a server uses them or not
    Backup(backup::BackupArgs),
    /// Put a backup in the place of what the data folder holds; no server may use it
    Restore(restore::RestoreArgs),
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
        let chosen = loaded.settings.log.clone();
        let level = match self {
            Self::Serve(_) => return chosen,
            // What went wrong on the way is in their own outcome, and log lines would tear their picture.
            Self::Analyze(_)
            | Self::Audit(_)
            | Self::Evaluate(_)
            | Self::Calibrate(_)
            | Self::Scrape(_)
            | Self::Watch(_) => "error",
            _ => "warn",
        };
        match loaded.is_default("log.level") {
            true => Log {
                level: level.to_owned(),
                ..chosen
            },
            false => chosen,
        }
    }

    /// Returns where spans are sent: only a server has any that are worth it.
    pub const fn tracing<'a>(&self, settings: &'a Settings) -> Option<&'a Tracing> {
        match self {
            Self::Serve(_) => Some(&settings.tracing),
            _ => None,
        }
    }

    /// Returns whether the command may ask the model in this process.
    #[cfg(feature = "local-model")]
    pub fn may_ask_local_model(&self, settings: &Settings) -> bool {
        let answers = matches!(
            self,
            Self::Serve(_)
                | Self::Analyze(_)
                | Self::Audit(_)
                | Self::Evaluate(_)
                | Self::Calibrate(_)
        );
        answers && settings.ai.api_key.is_none() && settings.ai.base_url.is_none()
    }

    /// Runs the command.
    ///
    /// # Errors
    /// Whatever kept it from its end; the exit code is [`FAILED`] then.
    pub async fn run(self, settings: Settings) -> anyhow::Result<ExitCode> {
        match self {
            Self::Serve(args) => serve::run(args, settings).await,
            Self::Analyze(args) => analyze::run(args, settings).await,
            Self::Audit(args) => audit::run(args, settings).await,
            Self::Evaluate(args) => evaluate::run(args, settings).await,
            Self::Calibrate(args) => calibrate::run(args, settings).await,
            Self::Scrape(args) => scrape::run(args, settings).await,
            Self::Watch(args) => watch::run(&args, &settings).await,
            Self::Backup(args) => backup::run(&args, &settings).await,
            Self::Restore(args) => restore::run(&args, &settings),
            Self::Healthcheck(args) => healthcheck::run(&args, &settings).await,
            #[cfg(feature = "local-model")]
            Self::Model(command) => model::run(command, &settings).await,
        }
    }
}

/// What was asked for cannot be done; the text says what to change. The exit code is [`WRONG_USE`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
struct WrongUse(String);

/// Tells a person on standard error what went wrong and returns the exit code for it.
pub fn report(error: &anyhow::Error) -> ExitCode {
    if let Some(interrupted) = error.downcast_ref::<Interrupted>() {
        return ExitCode::from(interrupted.exit_code());
    }
    // Nothing is left to do when standard error is gone.
    let _gone = writeln!(io::stderr(), "quiz-stats: {error:#}");
    match error.is::<Problems>() || error.is::<WrongUse>() {
        true => ExitCode::from(WRONG_USE),
        false => ExitCode::from(FAILED),
    }
}

/// Writes to standard output. A reader that has seen enough and closed it, such as `head`, is no error.
fn print(text: &str) -> anyhow::Result<()> {
    print_on(text).map(|_| ())
}

/// Writes to standard output. Returns whether anybody reads on.
fn print_on(text: &str) -> anyhow::Result<bool> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes());
    match written.and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).context("cannot write to standard output"),
    }
}

/// Reads the name of a channel.
fn channel(name: &str) -> Result<String, String> {
    match is_channel_name(name) {
        true => Ok(name.to_owned()),
        false => Err(
            "a channel's name has 1 to 64 letters, digits, dots, underscores or hyphens".to_owned(),
        ),
    }
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
