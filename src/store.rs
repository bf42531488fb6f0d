//! What outlives the process: answers already paid for, the event stream of each channel, analyses.
//!
//! One trait per need. The embedded stores (redb, no server) are the default; a Redis store will stand beside them.
//! Every call may block on the disk inside and is therefore asynchronous outside.

pub mod embedded;
#[cfg(test)]
pub(crate) mod memory;

use crate::quiz::fingerprint::Fingerprint;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use thiserror::Error;

/// A store that failed; the text carries no data.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// It cannot be opened, read or written.
    #[error("the store failed: {0}")]
    Failed(String),
    /// Another process has the folder's stores open.
    #[error("the data folder {} is in use by another quiz-stats: stop it, or give this one another --data-dir", .0.display())]
    InUse(PathBuf),
}

/// What a store call returns.
pub type StoreResult<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Answers by question fingerprint.
pub trait AnswerStore: Send + Sync + 'static {
    /// Returns the answer of each fingerprint, `None` where there is none or it has expired at `now`
    /// (milliseconds since the Unix epoch).
    fn get(&self, fingerprints: Vec<Fingerprint>, now: u64) -> StoreResult<'_, Vec<Option<Bytes>>>;

    /// Keeps answers until their expiry, in milliseconds since the Unix epoch. They are durable on return.
    fn put(&self, answers: Vec<(Fingerprint, Bytes, u64)>) -> StoreResult<'_, ()>;

    /// Removes what has expired at `now`; returns how many.
    fn purge(&self, now: u64) -> StoreResult<'_, usize>;
}

/// Where a channel's stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Names this stream; another one means that the offsets start anew.
    pub epoch: u64,
    /// Offset of the oldest event kept; `next` when none is.
    pub first: u64,
    /// Offset the next event will get; offsets start at 1.
    pub next: u64,
}

impl Head {
    /// Returns the position after the latest event.
    pub fn position(&self) -> Position {
        Position {
            epoch: self.epoch,
            offset: self.next - 1,
        }
    }
}

/// A place in a channel's stream: right after the event with this offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    /// The stream's name, 16 hexadecimal digits on the wire.
    #[serde(with = "epoch_hex")]
    pub epoch: u64,
    /// Offset of the event just before; 0 is the beginning.
    pub offset: u64,
}

/// Writes an epoch as 16 hexadecimal digits: JavaScript's numbers cannot hold 64 bits.
mod epoch_hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(epoch: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{epoch:016x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16)
            .map_err(|_| D::Error::custom("an epoch is 16 hexadecimal digits"))
    }
}

/// What is appended to one channel in one piece.
#[derive(Debug, Clone)]
pub struct Append {
    /// The channel's name.
    pub channel: String,
    /// Event bodies: JSON objects without their offset.
    pub events: Vec<Bytes>,
    /// What the channel is playing from now on; `None` leaves it as it is.
    pub state: Option<Bytes>,
}

/// Limits of a channel's history.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Most events.
    pub max_events: u64,
    /// Most bytes of event bodies.
    pub max_bytes: u64,
    /// Oldest event, in milliseconds.
    pub max_age_ms: u64,
}

/// One event read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEvent {
    /// Its offset.
    pub offset: u64,
    /// Its body, as it was appended.
    pub body: Bytes,
}

/// The event stream of every channel.
pub trait EventLog: Send + Sync + 'static {
    /// Appends a batch in order, trims the channels it touched, and returns the head of each entry's channel after that
    /// entry. All of it is durable on return, or none of it happened.
    fn append(
        &self,
        batch: Vec<Append>,
        retention: Retention,
        now: u64,
    ) -> StoreResult<'_, Vec<Head>>;

    /// Returns where a channel stands; `None` for one that was never written.
    fn head(&self, channel: String) -> StoreResult<'_, Option<Head>>;

    /// Returns up to `limit` events with offsets above `after`, in order.
    fn read(&self, channel: String, after: u64, limit: usize) -> StoreResult<'_, Vec<LoggedEvent>>;

    /// Returns what a channel is playing.
    fn state(&self, channel: String) -> StoreResult<'_, Option<Bytes>>;

    /// Returns what every channel is playing.
    fn states(&self) -> StoreResult<'_, Vec<(String, Bytes)>>;
}

/// What an `Idempotency-Key` was used for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotentUse {
    /// SHA-256 of the request body.
    pub request: [u8; 32],
    /// The analysis it started.
    pub analysis_id: String,
    /// When it is forgotten, in milliseconds since the Unix epoch.
    pub expires_at: u64,
}

/// Analyses that somebody was promised: started with an `Idempotency-Key`, or answered with 202.
pub trait AnalysisStore: Send + Sync + 'static {
    /// Keeps an analysis' record, and what its key was used for. Durable on return.
    fn put(
        &self,
        id: String,
        record: Bytes,
        key: Option<(String, IdempotentUse)>,
    ) -> StoreResult<'_, ()>;

    /// Returns a record.
    fn get(&self, id: String) -> StoreResult<'_, Option<Bytes>>;

    /// Returns what a key was used for, unless that has expired at `now`.
    fn key(&self, key: String, now: u64) -> StoreResult<'_, Option<IdempotentUse>>;

    /// Returns the latest records, the newest first.
    fn latest(&self, limit: usize) -> StoreResult<'_, Vec<Bytes>>;

    /// Removes expired keys, and all but the newest `keep` records.
    fn purge(&self, now: u64, keep: usize) -> StoreResult<'_, ()>;
}
