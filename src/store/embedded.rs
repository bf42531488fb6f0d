//! The embedded stores: redb files in the data directory, no server.
//!
//! Three files, because a redb file has one writer at a time: a slow answer must not hold up a channel's events.
//! redb locks its file, so a second process on the same data directory is refused at the start.

mod analyses;
mod answers;
mod backup;
mod events;

pub use analyses::EmbeddedAnalyses;
pub use answers::EmbeddedAnswers;
pub use backup::{AT_WORK, Contents, Embedded, FORMER, made_at, restore};
pub use events::EmbeddedEvents;

use super::StoreError;
use redb::{Builder, Database, DatabaseError};
use std::{path::Path, sync::Arc};

/// Pages kept in memory per file, in bytes. redb's own default of 1 GiB is meant for a database server.
const PAGE_CACHE_BYTES: usize = 4 * 1024 * 1024;

fn open(folder: &Path, name: &str) -> Result<Arc<Database>, StoreError> {
    let path = folder.join(name);
    std::fs::create_dir_all(folder).map_err(|error| {
        StoreError::Failed(format!(
            "cannot create the folder {}: {error}",
            folder.display()
        ))
    })?;
    match Builder::new()
        .set_cache_size(PAGE_CACHE_BYTES)
        .create(&path)
    {
        Ok(database) => Ok(Arc::new(database)),
        Err(DatabaseError::DatabaseAlreadyOpen) => Err(StoreError::InUse(folder.to_owned())),
        Err(error) => Err(StoreError::Failed(format!(
            "cannot open {}: {error}",
            path.display()
        ))),
    }
}

/// Runs a blocking database call off the runtime's own threads.
async fn blocking<T: Send + 'static>(
    database: &Arc<Database>,
    work: impl FnOnce(&Database) -> Result<T, redb::Error> + Send + 'static,
) -> Result<T, StoreError> {
    let database = Arc::clone(database);
    match tokio::task::spawn_blocking(move || work(&database)).await {
        Ok(result) => result.map_err(|error| StoreError::Failed(error.to_string())),
        Err(error) => Err(StoreError::Failed(format!(
            "a database call ended early: {error}"
        ))),
    }
}

#[cfg(test)]
mod tests;
