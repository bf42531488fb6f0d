//! The event stream of every channel, on disk: append in one commit, read from an offset, trim.

use super::{blocking, open};
use crate::store::{Append, EventLog, Head, Kept, LoggedEvent, Retention, StoreError, StoreResult};
use bytes::Bytes;
use redb::{Database, ReadableDatabase, ReadableTable, Table, TableDefinition, WriteTransaction};
use std::{path::Path, sync::Arc};

/// Channel → (epoch, first, next, bytes kept).
pub(super) const STREAMS: TableDefinition<'_, &str, (u64, u64, u64, u64)> =
    TableDefinition::new("streams");
/// (channel, offset) → (milliseconds since the Unix epoch, body).
pub(super) const EVENTS: TableDefinition<'_, (&str, u64), (u64, &[u8])> =
    TableDefinition::new("events");
/// Channel → what it is playing.
pub(super) const STATES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("states");

/// Its name in the data folder.
pub(super) const FILE: &str = "events.redb";

/// See the module.
#[derive(Debug, Clone)]
pub struct EmbeddedEvents(pub(super) Arc<Database>);

impl EmbeddedEvents {
    /// Opens or creates `events.redb` in `folder`.
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
    write.open_table(STREAMS)?;
    write.open_table(EVENTS)?;
    write.open_table(STATES)?;
    Ok(write.commit()?)
}

/// A channel's stream while it is being written.
struct Stream {
    head: Head,
    bytes: u64,
}

type Events<'a> = Table<'a, (&'static str, u64), (u64, &'static [u8])>;

impl Stream {
    fn append(
        &mut self,
        entry: &Append,
        events: &mut Events<'_>,
        now: u64,
    ) -> Result<(), redb::Error> {
        for body in &entry.events {
            events.insert(
                (entry.channel.as_str(), self.head.next),
                (now, body.as_ref()),
            )?;
            self.head.next += 1;
            self.bytes += body.len() as u64;
        }
        Ok(())
    }

    fn trim(
        &mut self,
        channel: &str,
        events: &mut Events<'_>,
        retention: Retention,
        now: u64,
    ) -> Result<(), redb::Error> {
        while self.head.first < self.head.next {
            let oldest = (channel, self.head.first);
            let (at, len) = match events.get(oldest)? {
                Some(entry) => (entry.value().0, entry.value().1.len() as u64),
                None => (0, 0),
            };
            let fits = self.head.next - self.head.first <= retention.max_events
                && self.bytes <= retention.max_bytes
                && now.saturating_sub(at) <= retention.max_age_ms;
            if fits {
                break;
            }
            events.remove(oldest)?;
            self.head.first += 1;
            self.bytes -= len;
        }
        Ok(())
    }
}

fn append_all(
    write: &WriteTransaction,
    batch: &[Append],
    retention: Retention,
    now: u64,
) -> Result<Vec<Head>, redb::Error> {
    let mut streams = write.open_table(STREAMS)?;
    let mut events = write.open_table(EVENTS)?;
    let mut states = write.open_table(STATES)?;
    let mut heads = Vec::with_capacity(batch.len());
    for entry in batch {
        let channel = entry.channel.as_str();
        let known = streams.get(channel)?.map(|stream| stream.value());
        let (epoch, first, next, bytes) = known.unwrap_or_else(|| (rand::random(), 1, 1, 0));
        let mut stream = Stream {
            head: Head { epoch, first, next },
            bytes,
        };
        stream.append(entry, &mut events, now)?;
        stream.trim(channel, &mut events, retention, now)?;
        let Head { epoch, first, next } = stream.head;
        streams.insert(channel, (epoch, first, next, stream.bytes))?;
        if let Some(state) = &entry.state {
            states.insert(channel, state.as_ref())?;
        }
        heads.push(stream.head);
    }
    Ok(heads)
}

/// Returns whether anything was too old.
fn purge_all(
    write: &WriteTransaction,
    retention: Retention,
    now: u64,
) -> Result<bool, redb::Error> {
    let mut streams = write.open_table(STREAMS)?;
    let mut events = write.open_table(EVENTS)?;
    let mut states = write.open_table(STATES)?;
    let mut trimmed = Vec::new();
    for entry in streams.iter()? {
        let (channel, stream) = entry?;
        let (channel, (epoch, first, next, bytes)) = (channel.value(), stream.value());
        let head = Head { epoch, first, next };
        let mut stream = Stream { head, bytes };
        stream.trim(channel, &mut events, retention, now)?;
        if stream.head.first > first {
            trimmed.push((channel.to_owned(), stream));
        }
    }
    for (channel, Stream { head, bytes }) in &trimmed {
        let channel = channel.as_str();
        if head.first == head.next {
            streams.remove(channel)?;
            states.remove(channel)?;
        } else {
            streams.insert(channel, (head.epoch, head.first, head.next, *bytes))?;
        }
    }
    Ok(!trimmed.is_empty())
}

/// Gives every stream another epoch.
pub(super) fn renew_all(write: &WriteTransaction) -> Result<(), redb::Error> {
    let mut streams = write.open_table(STREAMS)?;
    let mut renewed = Vec::new();
    for entry in streams.iter()? {
        let (channel, stream) = entry?;
        renewed.push((channel.value().to_owned(), stream.value()));
    }
    for (channel, (_, first, next, bytes)) in renewed {
        streams.insert(channel.as_str(), (rand::random(), first, next, bytes))?;
    }
    Ok(())
}

/// One process owns the file, so nobody else can have changed it.
fn kept(state: &[u8]) -> Kept {
    Kept {
        revision: 0,
        state: Bytes::copy_from_slice(state),
    }
}

impl EventLog for EmbeddedEvents {
    fn append(
        &self,
        batch: Vec<Append>,
        retention: Retention,
        now: u64,
    ) -> StoreResult<'_, Vec<Result<Head, StoreError>>> {
        Box::pin(blocking(&self.0, move |database| {
            let write = database.begin_write()?;
            let heads = append_all(&write, &batch, retention, now)?;
            write.commit()?;
            Ok(heads.into_iter().map(Ok).collect())
        }))
    }

    fn head(&self, channel: String) -> StoreResult<'_, Option<Head>> {
        Box::pin(blocking(&self.0, move |database| {
            let stream = database
                .begin_read()?
                .open_table(STREAMS)?
                .get(channel.as_str())?
                .map(|entry| entry.value());
            Ok(stream.map(|(epoch, first, next, _)| Head { epoch, first, next }))
        }))
    }

    fn read(&self, channel: String, after: u64, limit: usize) -> StoreResult<'_, Vec<LoggedEvent>> {
        Box::pin(blocking(&self.0, move |database| {
            let table = database.begin_read()?.open_table(EVENTS)?;
            let range = (channel.as_str(), after.saturating_add(1))..=(channel.as_str(), u64::MAX);
            let mut events = Vec::new();
            for entry in table.range(range)?.take(limit) {
                let (key, value) = entry?;
                events.push(LoggedEvent {
                    offset: key.value().1,
                    body: Bytes::copy_from_slice(value.value().1),
                });
            }
            Ok(events)
        }))
    }

    fn state(&self, channel: String) -> StoreResult<'_, Option<Kept>> {
        Box::pin(blocking(&self.0, move |database| {
            let table = database.begin_read()?.open_table(STATES)?;
            Ok(table
                .get(channel.as_str())?
                .map(|state| kept(state.value())))
        }))
    }

    fn states(&self) -> StoreResult<'_, Vec<(String, Kept)>> {
        Box::pin(blocking(&self.0, move |database| {
            let table = database.begin_read()?.open_table(STATES)?;
            let mut states = Vec::new();
            for entry in table.iter()? {
                let (channel, state) = entry?;
                states.push((channel.value().to_owned(), kept(state.value())));
            }
            Ok(states)
        }))
    }

    /// A commit that was acknowledged is on the disk: this log does not go back.
    fn renew(&self, _: String, _: u64) -> StoreResult<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn purge(&self, retention: Retention, now: u64) -> StoreResult<'_, ()> {
        Box::pin(blocking(&self.0, move |database| {
            let write = database.begin_write()?;
            match purge_all(&write, retention, now)? {
                true => write.commit()?,
                // A commit costs the disk a write.
                false => write.abort()?,
            }
            Ok(())
        }))
    }
}
