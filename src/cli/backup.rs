//! `quiz-stats backup FOLDER`: a copy of the stores in one file, made by this process or by the server that uses them.

use super::{
    WrongUse, address,
    analyze::{refusal, remote},
    print,
};
use crate::{
    clock::Clock,
    config::Settings,
    store::{
        StoreError,
        embedded::{Embedded, made_at},
    },
};
use anyhow::{Context as _, anyhow};
use clap::Args;
use reqwest::Url;
use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};
use time::OffsetDateTime;
use tokio::time::Instant;

/// How the names of copies begin and end; what is between is the time, so they sort by it.
const PREFIX: &str = "quiz-stats-";
const SUFFIX: &str = ".redb";

const EXAMPLES: &str = "\
Examples:
  quiz-stats backup /srv/backups                the data folder, used by a server on this machine or not
  quiz-stats backup /srv/backups --keep 7       and no more than the newest 7 copies there
  API_KEY=… quiz-stats backup . --server https://quiz.example

A server is asked with the key in API_KEY, which needs the role admin. With redis.url nothing is in the data folder:
back Redis up by its own means. To get it back: quiz-stats restore FILE.";

/// Arguments of `backup`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct BackupArgs {
    /// Put the copy into this folder, as quiz-stats-TIME.redb
    folder: PathBuf,
    /// Remove all but the newest N copies from the folder afterwards
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
    /// Have this server make it [default: whoever uses the data folder]
    #[arg(long, value_name = "URL", value_parser = address::http)]
    server: Option<Url>,
}

pub(super) async fn run(args: &BackupArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    if settings.redis.url.is_some() && args.server.is_none() {
        let told = "redis.url is set: answers, events and analyses are in Redis; back it up by its own means (docs/backup.md)";
        return Err(WrongUse(told.to_owned()).into());
    }
    let name = |path: &Path| format!("cannot write to {}", path.display());
    fs::create_dir_all(&args.folder).with_context(|| name(&args.folder))?;
    let room = tempfile::Builder::new()
        .prefix(".quiz-stats-backup-")
        .tempdir_in(&args.folder)
        .with_context(|| name(&args.folder))?;
    let partial = room.path().join("backup.redb");
    match &args.server {
        Some(server) => download(server, settings, &partial).await?,
        None => local(settings, &partial).await?,
    }
    let at = made_at(&partial).map_err(|error| anyhow!("what came is no backup: {error}"))?;
    let bytes = durable(&partial)?;
    let place = args.folder.join(file_name(at)?);
    fs::rename(&partial, &place).with_context(|| name(&place))?;
    File::open(&args.folder)?.sync_all()?;
    let removed = match args.keep {
        Some(keep) => remove_old(&args.folder, keep as usize)?,
        None => 0,
    };
    let removed = match removed {
        0 => String::new(),
        count => format!("; {count} older removed"),
    };
    print(&format!(
        "{} ({} KiB) in {:.1} s{removed}\n",
        place.display(),
        bytes.div_ceil(1024),
        began.elapsed().as_secs_f64()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Copies the data folder's stores, or has the server do it that uses them.
async fn local(settings: &Settings, to: &Path) -> anyhow::Result<()> {
    let folder = &settings.server.data_dir;
    if !Embedded::is_in(folder) {
        let told = format!(
            "there is nothing to back up in {}: name the folder with --data-dir, or a server with --server",
            folder.display()
        );
        return Err(WrongUse(told).into());
    }
    match Embedded::open(folder) {
        Ok(stores) => {
            let (to, now) = (to.to_owned(), Clock::start().now_ms());
            tokio::task::spawn_blocking(move || stores.backup(&to, now)).await??;
            Ok(())
        }
        Err(StoreError::InUse(_)) => {
            let server = address::local(settings.listen_addr());
            let asked = download(&server, settings, to).await;
            asked.with_context(|| {
                format!(
                    "another quiz-stats uses {}, and the copy must come from it: name it with --server if it listens elsewhere",
                    folder.display()
                )
            })
        }
        Err(error) => Err(error.into()),
    }
}

async fn download(server: &Url, settings: &Settings, to: &Path) -> anyhow::Result<()> {
    let key = settings.auth.api_key.as_ref();
    let (mut response, name) = remote::get(server, "api/backup", key).await?;
    if !response.status().is_success() {
        return Err(refusal::read(response, name, key.is_some()).await);
    }
    let mut file = File::create_new(to)?;
    while let Some(piece) = response
        .chunk()
        .await
        .map_err(|error| anyhow!("the copy from {name} broke off: {}", error.without_url()))?
    {
        file.write_all(&piece)
            .with_context(|| format!("cannot write to {}", to.display()))?;
    }
    Ok(())
}

/// Has the file on the disk; returns its length.
fn durable(path: &Path) -> anyhow::Result<u64> {
    let file = File::open(path)?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

fn file_name(at_ms: u64) -> anyhow::Result<String> {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at_ms) * 1_000_000)?;
    let (year, month, day) = at.to_calendar_date();
    let (hour, minute, second, milli) = at.to_hms_milli();
    Ok(format!(
        "{PREFIX}{year:04}{:02}{day:02}T{hour:02}{minute:02}{second:02}.{milli:03}Z{SUFFIX}",
        u8::from(month)
    ))
}

/// Removes all copies but the newest `keep`; returns how many those were. Other files are not touched.
fn remove_old(folder: &Path, keep: usize) -> anyhow::Result<usize> {
    let mut copies = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_copy = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX))
            .is_some_and(|time| time.len() == "20261127T200854.123Z".len());
        if is_copy && entry.file_type()?.is_file() {
            copies.push(entry.path());
        }
    }
    copies.sort();
    let old = copies.len().saturating_sub(keep);
    for path in &copies[..old] {
        fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    Ok(old)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_time() {
        assert_eq!(
            file_name(1_795_810_134_007).unwrap(),
            "quiz-stats-20261127T200854.007Z.redb"
        );
        assert!(file_name(9_999).unwrap() < file_name(10_000).unwrap());
    }

    #[test]
    fn only_old_copies_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let copies: Vec<_> = (1..=4)
            .map(|at| file_name(at * 86_400_000).unwrap())
            .collect();
        let others = ["quiz-stats-notes.redb", "events.redb", "quiz-stats-1.txt"];
        for name in copies.iter().map(String::as_str).chain(others) {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(remove_old(folder.path(), 2).unwrap(), 2);
        let is_there = |name: &str| folder.path().join(name).exists();
        assert!(!is_there(&copies[0]) && !is_there(&copies[1]));
        assert!(is_there(&copies[2]) && is_there(&copies[3]));
        assert!(others.iter().all(|name| is_there(name)));
        assert_eq!(remove_old(folder.path(), 7).unwrap(), 0);
    }
}
