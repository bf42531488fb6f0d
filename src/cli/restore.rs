//! `quiz-stats restore FILE`: a backup in the place of what the data folder holds.

use super::{WrongUse, print};
use crate::{
    config::Settings,
    store::embedded::{Embedded, FORMER, restore},
};
use anyhow::Context as _;
use clap::Args;
use std::{path::PathBuf, process::ExitCode};
use tokio::time::Instant;

const EXAMPLES: &str = "\
Examples:
  quiz-stats restore /srv/backups/quiz-stats-20261127T200854.123Z.redb
  quiz-stats restore FILE --replace             although the data folder holds something

Stop the server first. Every byte of the backup is checked before anything is touched. Viewers that know later events
than the backup has are told so when they come back.";

/// Arguments of `restore`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RestoreArgs {
    /// The file that `quiz-stats backup` wrote
    file: PathBuf,
    /// Take the place of what is there, which stays beside it as *.before-restore
    #[arg(long)]
    replace: bool,
}

pub(super) fn run(args: &RestoreArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let folder = &settings.server.data_dir;
    if settings.redis.url.is_some() {
        let told = "redis.url is set: a server with these settings reads from Redis and not from its data folder; leave it out, \
                    or restore Redis by its own means (docs/backup.md)";
        return Err(WrongUse(told.to_owned()).into());
    }
    let had_data = Embedded::is_in(folder);
    if had_data && !args.replace {
        let told = format!(
            "{} holds data already: add --replace to put the backup in its place; what is there stays beside it as *.{FORMER}",
            folder.display()
        );
        return Err(WrongUse(told).into());
    }
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create the folder {}", folder.display()))?;
    let held = restore(&args.file, folder)?;
    let former = match had_data {
        true => format!("; what was there is in *.{FORMER}"),
        false => String::new(),
    };
    print(&format!(
        "{} has {} channels, {} events, {} answers and {} analyses, restored in {:.1} s{former}\n",
        folder.display(),
        held.channels,
        held.events,
        held.answers,
        held.analyses,
        began.elapsed().as_secs_f64()
    ))?;
    Ok(ExitCode::SUCCESS)
}
