//! `quiz-stats key new NAME`: a key for somebody, and the line that makes it known to the server.

use super::print;
use crate::config::keys::{self, ApiKey, Role};
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// How a key begins, so that one that lies about is recognised.
const PREFIX: &str = "qs_";

const EXAMPLES: &str = "\
Examples:
  quiz-stats key new anna --roles analyze,publish
  quiz-stats key new stage-manager --roles publish --channels hall,lobby
  quiz-stats key new screen --roles view --channels hall

The line goes into auth.keys of the configuration, or into a file that QUIZ_STATS__AUTH__KEYS_FILE names.
At its end may stand general=5/10 and analyze=1/3: this key's own limits, per second and at once.";

/// What is to be done with keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key and print it with the line for the configuration
    New(NewArgs),
}

/// Arguments of `key new`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct NewArgs {
    /// Whose it is: 1 to 64 letters, digits, '.', '_' or '-'; shown in logs
    #[arg(value_parser = name)]
    name: String,
    /// What it may do: analyze, publish, view, or admin for everything
    #[arg(long, value_delimiter = ',', required = true, value_parser = str::parse::<Role>)]
    roles: Vec<Role>,
    /// Only on these channels [default: all]
    #[arg(long, value_name = "CHANNELS", value_parser = keys::channels)]
    channels: Option<Channels>,
}

/// One argument, several names.
type Channels = Vec<String>;

fn name(text: &str) -> Result<String, String> {
    match keys::is_name(text) {
        true => Ok(text.to_owned()),
        false => Err("use 1 to 64 letters, digits, '.', '_' or '-'".to_owned()),
    }
}

pub(super) fn run(command: KeyCommand) -> anyhow::Result<ExitCode> {
    let KeyCommand::New(args) = command;
    let key = keys::secret(PREFIX);
    let line = ApiKey {
        name: args.name,
        hash: keys::hash(&key),
        roles: args.roles,
        channels: args.channels,
        general: None,
        analyze: None,
    };
    print(&format!(
        "The key, for X-API-Key or Authorization: Bearer; it is written down nowhere else:\n\n  {key}\n\n\
         Its line, for auth.keys or the file that QUIZ_STATS__AUTH__KEYS_FILE names:\n\n  {line}\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}
