//! Answers by fingerprint, on disk.

use super::{blocking, open};
use crate::{
    quiz::fingerprint::Fingerprint,
    store::{AnswerStore, StoreError, StoreResult},
};
use bytes::Bytes;
use redb::{Database, ReadableDatabase, TableDefinition};
use std::{path::Path, sync::Arc};

/// Fingerprint → (expiry in milliseconds since the Unix epoch, answer).
pub(super) const ANSWERS: TableDefinition<'_, [u8; 32], (u64, &[u8])> =
    TableDefinition::new("answers");

/// Its name in the data folder.
pub(super) const FILE: &str = "answers.redb";

/// See the module.
#[derive(Debug, Clone)]
pub struct EmbeddedAnswers(pub(super) Arc<Database>);

impl EmbeddedAnswers {
    /// Opens or creates `answers.redb` in `folder`.
    ///
    /// # Errors
    /// When the folder or file cannot be used, or another process uses it.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let database = open(folder, FILE)?;
        create_table(&database).map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(Self(database))
    }
}

fn create_table(database: &Database) -> Result<(), redb::Error> {
    let write = database.begin_write()?;
    write.open_table(ANSWERS)?;
    Ok(write.commit()?)
}

impl AnswerStore for EmbeddedAnswers {
    fn get(&self, fingerprints: Vec<Fingerprint>, now: u64) -> StoreResult<'_, Vec<Option<Bytes>>> {
        Box::pin(blocking(&self.0, move |database| {
            let table = database.begin_read()?.open_table(ANSWERS)?;
            let mut found = Vec::with_capacity(fingerprints.len());
            for fingerprint in fingerprints {
                found.push(table.get(fingerprint.0)?.and_then(|entry| {
                    let (expires_at, answer) = entry.value();
                    (expires_at > now).then(|| Bytes::copy_from_slice(answer))
                }));
            }
            Ok(found)
        }))
    }

    fn put(&self, answers: Vec<(Fingerprint, Bytes, u64)>) -> StoreResult<'_, ()> {
        Box::pin(blocking(&self.0, move |database| {
            let write = database.begin_write()?;
            {
                let mut table = write.open_table(ANSWERS)?;
                for (fingerprint, answer, expires_at) in &answers {
                    table.insert(fingerprint.0, (*expires_at, answer.as_ref()))?;
                }
            }
            Ok(write.commit()?)
        }))
    }

    fn purge(&self, now: u64) -> StoreResult<'_, usize> {
        Box::pin(blocking(&self.0, move |database| {
            let write = database.begin_write()?;
            let mut removed = 0;
            write.open_table(ANSWERS)?.retain(|_, (expires_at, _)| {
                let keep = expires_at > now;
                removed += usize::from(!keep);
                keep
            })?;
            write.commit()?;
            Ok(removed)
        }))
    }
}
