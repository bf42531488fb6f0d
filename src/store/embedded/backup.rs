//! The embedded stores copied into one file while they are in use, and back.
//!
//! The copy is a redb file with the tables of all three. A read transaction sees its file as it was when it began, whatever
//! is written meanwhile; three that begin one after the other are as near to one moment as three files can be.

use super::{EmbeddedAnalyses, EmbeddedAnswers, EmbeddedEvents, analyses, answers, events};
use crate::store::StoreError;
use redb::{
    Database, Key, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, Value,
    WriteTransaction,
};
use std::{fs, io, path::Path, time::Duration};
use tokio::time::Instant;

/// `format` and `made_at`, in milliseconds since the Unix epoch.
const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("about");
/// What is in the file, and how; another number for another set of tables.
const FORMAT: u64 = 1;
/// The files of a data folder.
const FILES: [&str; 3] = [events::FILE, answers::FILE, analyses::FILE];
/// How long copying may take: whoever asked a server for it has given up later.
const LONGEST: Duration = Duration::from_secs(240);
/// How the folders begin in which a copy is made; a crash leaves one.
pub const AT_WORK: &str = ".copying-";
/// What stays of the stores that a copy has taken the place of.
pub const FORMER: &str = "before-restore";

/// The three stores of a data folder.
#[derive(Debug, Clone)]
pub struct Embedded {
    /// The event stream of each channel.
    pub events: EmbeddedEvents,
    /// Answers already known.
    pub answers: EmbeddedAnswers,
    /// Promised analyses.
    pub analyses: EmbeddedAnalyses,
}

/// What a copy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contents {
    /// Channels that something was shown on.
    pub channels: u64,
    /// Their events.
    pub events: u64,
    /// Answers.
    pub answers: u64,
    /// Promised analyses.
    pub analyses: u64,
}

impl Embedded {
    /// Opens or creates the stores in `folder`.
    ///
    /// # Errors
    /// When the folder or a file cannot be used, or another process uses it.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let stores = Self {
            events: EmbeddedEvents::open(folder)?,
            answers: EmbeddedAnswers::open(folder)?,
            analyses: EmbeddedAnalyses::open(folder)?,
        };
        sweep(folder);
        Ok(stores)
    }

    /// Returns whether `folder` has a store.
    pub fn is_in(folder: &Path) -> bool {
        FILES.iter().any(|file| folder.join(file).exists())
    }

    /// Copies them to `file`, which must not exist yet, at `now` (milliseconds since the Unix epoch). Blocks; whoever writes meanwhile is not held up.
    ///
    /// # Errors
    /// When one cannot be read or the copy not be written, or it takes longer than four minutes.
    pub fn backup(&self, file: &Path, now: u64) -> Result<Contents, StoreError> {
        self.copy_to(file, now)
            .map_err(|error| failed(file, &error))
    }

    fn copy_to(&self, file: &Path, now: u64) -> Result<Contents, redb::Error> {
        let from = Tables {
            events: self.events.0.begin_read()?,
            answers: self.answers.0.begin_read()?,
            analyses: self.analyses.0.begin_read()?,
        };
        let database = Database::create(file)?;
        let to = database.begin_write()?;
        let contents = from.copy(&to, &to, &to)?;
        {
            let mut about = to.open_table(ABOUT)?;
            about.insert("format", FORMAT)?;
            about.insert("made_at", now)?;
        }
        to.commit()?;
        Ok(contents)
    }
}

/// Removes what copies have left that a crash cut short: whoever has the stores open is the only one who makes any.
fn sweep(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        if entry.file_name().to_string_lossy().starts_with(AT_WORK) {
            // It will be tried again.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Where the tables of each store are read.
struct Tables {
    events: ReadTransaction,
    answers: ReadTransaction,
    analyses: ReadTransaction,
}

impl Tables {
    fn copy(
        &self,
        events: &WriteTransaction,
        answers: &WriteTransaction,
        analyses: &WriteTransaction,
    ) -> Result<Contents, redb::Error> {
        let until = Instant::now() + LONGEST;
        copy(events::STATES, &self.events, events, until)?;
        copy(analyses::KEYS, &self.analyses, analyses, until)?;
        Ok(Contents {
            channels: copy(events::STREAMS, &self.events, events, until)?,
            events: copy(events::EVENTS, &self.events, events, until)?,
            answers: copy(answers::ANSWERS, &self.answers, answers, until)?,
            analyses: copy(analyses::RECORDS, &self.analyses, analyses, until)?,
        })
    }
}

/// Returns how many entries there were.
fn copy<K: Key + 'static, V: Value + 'static>(
    table: TableDefinition<'static, K, V>,
    from: &ReadTransaction,
    to: &WriteTransaction,
    until: Instant,
) -> Result<u64, redb::Error> {
    let (from, mut to, mut count) = (from.open_table(table)?, to.open_table(table)?, 0);
    for entry in from.iter()? {
        if Instant::now() > until {
            return Err(redb::Error::Io(io::ErrorKind::TimedOut.into()));
        }
        let (key, value) = entry?;
        to.insert(key.value(), value.value())?;
        count += 1;
    }
    Ok(count)
}

/// Puts the copy in `file` into `folder`, each byte of it checked first. What `folder` holds must not be in use; it stays
/// beside, as `*.before-restore`.
///
/// Every channel gets a new epoch: it goes on from an earlier event, and viewers that know later ones must hear of it.
///
/// # Errors
/// When the copy is damaged or none, or the folder cannot be used.
pub fn restore(file: &Path, folder: &Path) -> Result<Contents, StoreError> {
    // An open store is a locked one.
    if Embedded::is_in(folder)
        && let Err(in_use @ StoreError::InUse(_)) = Embedded::open(folder)
    {
        return Err(in_use);
    }
    let made = tempfile::Builder::new()
        .prefix(AT_WORK)
        .tempdir_in(folder)
        .map_err(|error| failed(folder, &error))?;
    let backup = checked(file, made.path())?;
    let contents = build(&backup, made.path()).map_err(|error| failed(file, &error))?;
    swap(made.path(), folder).map_err(|error| failed(folder, &error))?;
    Ok(contents)
}

/// Opens a copy of `file`: checking may write.
fn checked(file: &Path, room: &Path) -> Result<Database, StoreError> {
    let no_backup = |problem: &dyn std::fmt::Display| {
        StoreError::Failed(format!(
            "{} is no backup that can be used: {problem}",
            file.display()
        ))
    };
    let copied = room.join("backup.redb");
    fs::copy(file, &copied).map_err(|error| no_backup(&error))?;
    let mut backup = Database::open(&copied).map_err(|error| no_backup(&error))?;
    match backup.check_integrity() {
        Ok(true) => {}
        Ok(false) => return Err(no_backup(&"it is damaged")),
        Err(error) => return Err(no_backup(&error)),
    }
    match format_of(&backup) {
        Ok(FORMAT) => Ok(backup),
        Ok(other) => Err(no_backup(&format!(
            "it is of format {other}, and this version reads {FORMAT}"
        ))),
        Err(error) => Err(no_backup(&error)),
    }
}

fn format_of(backup: &Database) -> Result<u64, redb::Error> {
    let about = backup.begin_read()?.open_table(ABOUT)?;
    Ok(about.get("format")?.map_or(0, |format| format.value()))
}

fn build(backup: &Database, folder: &Path) -> Result<Contents, redb::Error> {
    let from = Tables {
        events: backup.begin_read()?,
        answers: backup.begin_read()?,
        analyses: backup.begin_read()?,
    };
    let [events, answers, analyses] = FILES.map(|name| Database::create(folder.join(name)));
    let (events, answers, analyses) = (events?, answers?, analyses?);
    let writes = (
        events.begin_write()?,
        answers.begin_write()?,
        analyses.begin_write()?,
    );
    let contents = from.copy(&writes.0, &writes.1, &writes.2)?;
    events::renew_all(&writes.0)?;
    writes.0.commit()?;
    writes.1.commit()?;
    writes.2.commit()?;
    Ok(contents)
}

/// Puts the new files where the old ones are.
fn swap(made: &Path, folder: &Path) -> io::Result<()> {
    for name in FILES {
        let place = folder.join(name);
        if place.exists() {
            fs::rename(&place, place.with_extension(format!("redb.{FORMER}")))?;
        }
        fs::rename(made.join(name), place)?;
    }
    // A rename is durable when its folder is.
    fs::File::open(folder)?.sync_all()
}

/// Returns when the copy in `file` was made, in milliseconds since the Unix epoch.
///
/// # Errors
/// When it is no copy of this format.
pub fn made_at(file: &Path) -> Result<u64, StoreError> {
    let read = || -> Result<u64, redb::Error> {
        let about = redb::ReadOnlyDatabase::open(file)?
            .begin_read()?
            .open_table(ABOUT)?;
        Ok(about.get("made_at")?.map_or(0, |at| at.value()))
    };
    read().map_err(|error| failed(file, &error))
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Failed(format!("{}: {error}", path.display()))
}
