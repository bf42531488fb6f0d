//! Analyses that somebody was promised, and what idempotency keys were used for, on disk.

use super::{blocking, open};
use crate::store::{AnalysisStore, IdempotentUse, StoreError, StoreResult};
use bytes::Bytes;
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};
use std::{path::Path, sync::Arc};

/// Analysis id (UUIDv7, so in order of time) → record.
pub(super) const RECORDS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("records");
/// Idempotency key → [`IdempotentUse`] as JSON.
pub(super) const KEYS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("keys");

/// Its name in the data folder.
pub(super) const FILE: &str = "analyses.redb";

/// See the module.
#[derive(Debug, Clone)]
pub struct EmbeddedAnalyses(pub(super) Arc<Database>);

impl EmbeddedAnalyses {
    /// Opens or creates `analyses.redb` in `folder`.
    ///
    /// # Errors
    /// When the folder or file cannot be used, or another process uses it.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let database = open(folder, FILE)?;
        create_tables(&database).map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(Self(database))
    }
}

fn create_tables(database: &Database) -> Result<(), redb::Error> {
    let write = database.begin_write()?;
    write.open_table(RECORDS)?;
    write.open_table(KEYS)?;
    Ok(write.commit()?)
}

/// Reads a use back; one that this version cannot read is as good as expired.
fn parse_use(json: &[u8], now: u64) -> Option<IdempotentUse> {
    serde_json::from_slice(json)
        .ok()
        .filter(|found: &IdempotentUse| found.expires_at > now)
}

impl AnalysisStore for EmbeddedAnalyses {
    fn put(
        &self,
        id: String,
        record: Bytes,
        key: Option<(String, IdempotentUse)>,
        _: Option<String>,
        _: u64,
    ) -> StoreResult<'_, Option<IdempotentUse>> {
        Box::pin(blocking(&self.0, move |database| {
            let write = database.begin_write()?;
            write
                .open_table(RECORDS)?
                .insert(id.as_str(), record.as_ref())?;
            if let Some((key, used)) = key {
                let json = serde_json::to_vec(&used).expect("plain data is always JSON");
                write
                    .open_table(KEYS)?
                    .insert(key.as_str(), json.as_slice())?;
            }
            write.commit()?;
            // One process owns the file, and asks for the key before it uses it.
            Ok(None)
        }))
    }

    fn get(&self, id: String) -> StoreResult<'_, Option<Bytes>> {
        Box::pin(blocking(&self.0, move |database| {
            let table = database.begin_read()?.open_table(RECORDS)?;
            Ok(table
                .get(id.as_str())?
                .map(|record| Bytes::copy_from_slice(record.value())))
        }))
    }

    fn key(&self, key: String, now: u64) -> StoreResult<'_, Option<IdempotentUse>> {
        Box::pin(blocking(&self.0, move |database| {
            let table = database.begin_read()?.open_table(KEYS)?;
            Ok(table
                .get(key.as_str())?
                .and_then(|used| parse_use(used.value(), now)))
        }))
    }

    fn latest(&self, limit: usize) -> StoreResult<'_, Vec<Bytes>> {
        Box::pin(blocking(&self.0, move |database| {
            let table = database.begin_read()?.open_table(RECORDS)?;
            let mut records = Vec::new();
            for entry in table.iter()?.rev().take(limit) {
                records.push(Bytes::copy_from_slice(entry?.1.value()));
            }
            Ok(records)
        }))
    }

    fn purge(&self, now: u64, keep: usize) -> StoreResult<'_, ()> {
        Box::pin(blocking(&self.0, move |database| {
            let write = database.begin_write()?;
            {
                write
                    .open_table(KEYS)?
                    .retain(|_, used| parse_use(used, now).is_some())?;
                let mut records = write.open_table(RECORDS)?;
                let surplus = records.len()?.saturating_sub(keep as u64);
                for _ in 0..surplus {
                    records.pop_first()?;
                }
            }
            Ok(write.commit()?)
        }))
    }

    fn runs_elsewhere(&self, _: String) -> StoreResult<'_, bool> {
        Box::pin(async { Ok(false) })
    }
}
