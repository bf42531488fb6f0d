//! `quiz-stats config`: the settings in force, or the documented defaults, or only whether all is right.

use super::print;
use crate::config::{self, Settings, Sources};
use clap::Args;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  quiz-stats config                                  what is in force, and where it comes from
  quiz-stats config --default > my.toml              a file to change; then give it as --config my.toml
  quiz-stats config --check --config my.toml && echo right";

/// Arguments of `config`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ConfigArgs {
    /// Print every setting with its default and documentation instead
    #[arg(long, conflicts_with = "check")]
    default: bool,
    /// Only say whether the configuration is right
    #[arg(long)]
    check: bool,
}

pub(super) fn run(args: &ConfigArgs, sources: &Sources) -> anyhow::Result<ExitCode> {
    if args.default {
        print(&Settings::default().documented_toml())?;
        return Ok(ExitCode::SUCCESS);
    }
    let loaded = config::load(sources)?;
    if !args.check {
        print(&loaded.masked_toml())?;
    } else if let Some(told) = loaded.settings.guessable_key() {
        return Err(super::WrongUse(told).into());
    } else {
        print("the configuration is right\n")?;
    }
    Ok(ExitCode::SUCCESS)
}
