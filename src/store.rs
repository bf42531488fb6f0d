//! What outlives the process: answers already paid for, the event stream of each channel, analyses.
//!
//! One trait per need, two implementations each: embedded (redb, no server) by default, and Redis, which several
//! processes share. Every call may wait for the disk or the network inside and is therefore asynchronous outside.

pub mod calibrations;
pub mod embedded;
#[cfg(test)]
pub(crate) mod memory;
pub mod redis;
pub mod tickets;

use crate::{config::Settings, quiz::fingerprint::Fingerprint};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, sync::Arc, time::Duration};
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
    /// The server that keeps it does not answer; what was to be done may have been done all the same.
    #[error("Redis does not answer: check redis.url and the server")]
    Unreachable,
    /// Another process has changed what the channel plays; nothing was done.
    #[error("another process has just changed what the channel plays")]
    Conflict,
    /// It holds as much as it may; nothing was kept.
    #[error("too much waits to be used")]
    Full,
}

/// The stores of one process.
pub struct Stores {
    /// Answers already known.
    pub answers: Arc<dyn AnswerStore>,
    /// The event stream of each channel.
    pub events: Arc<dyn EventLog>,
    /// Promised analyses.
    pub analyses: Arc<dyn AnalysisStore>,
    /// The same in the data folder, to be backed up; `None` for those in Redis.
    pub embedded: Option<embedded::Embedded>,
    /// The way to the processes that share them; `None` for one that owns its stores.
    pub shared: Option<(redis::Link, redis::RedisEvents)>,
}

impl Stores {
    /// Opens the stores: in Redis when there is an address for it, in the data folder otherwise.
    ///
    /// # Errors
    /// When the folder cannot be used, or Redis not reached.
    pub async fn open(settings: &Settings) -> Result<Self, StoreError> {
        let Some(url) = &settings.redis.url else {
            let own = embedded::Embedded::open(&settings.server.data_dir)?;
            return Ok(Self {
                answers: Arc::new(own.answers.clone()),
                events: Arc::new(own.events.clone()),
                analyses: Arc::new(own.analyses.clone()),
                embedded: Some(own),
                shared: None,
            });
        };
        let link = redis::Link::connect(&settings.redis, url).await?;
        let patience = Duration::from_millis(settings.journal.wait_ms);
        let events = redis::RedisEvents::new(link.clone(), patience);
        Ok(Self {
            answers: Arc::new(redis::RedisAnswers::new(link.clone())),
            events: Arc::new(events.clone()),
            analyses: Arc::new(redis::RedisAnalyses::new(link.clone())),
            embedded: None,
            shared: Some((link, events)),
        })
    }
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

/// An epoch on the wire, as a regular expression.
pub const EPOCH_PATTERN: &str = "^[0-9a-f]{16}$";

/// A place in a channel's stream: right after the event with this offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Position {
    /// The stream's name, 16 hexadecimal digits on the wire.
    #[serde(with = "epoch_hex")]
    #[schemars(with = "String", regex(pattern = EPOCH_PATTERN))]
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
    /// Revision of the state that `state` replaces, as read with [`EventLog::state`]: where processes share the log, an
    /// append that builds on an older one is refused with [`StoreError::Conflict`].
    pub replaces: u64,
}

/// What a channel is playing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Grows by one with each state where processes share the log; 0 where one process owns it.
    pub revision: u64,
    /// The state.
    pub state: Bytes,
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
    /// Appends a batch in order, trims the channels it touched, and returns for each entry the head of its channel after
    /// that entry. What succeeded is durable on return. An entry is kept as a whole or not at all.
    fn append(
        &self,
        batch: Vec<Append>,
        retention: Retention,
        now: u64,
    ) -> StoreResult<'_, Vec<Result<Head, StoreError>>>;

    /// Returns where a channel stands; `None` for one that was never written.
    fn head(&self, channel: String) -> StoreResult<'_, Option<Head>>;

    /// Returns up to `limit` events with offsets above `after`, in order.
    fn read(&self, channel: String, after: u64, limit: usize) -> StoreResult<'_, Vec<LoggedEvent>>;

    /// Returns what a channel is playing.
    fn state(&self, channel: String) -> StoreResult<'_, Option<Kept>>;

    /// Returns what every channel is playing.
    fn states(&self) -> StoreResult<'_, Vec<(String, Kept)>>;

    /// Gives the stream a new epoch if it still has this one: it has lost events that viewers have seen.
    fn renew(&self, channel: String, epoch: u64) -> StoreResult<'_, ()>;

    /// Removes events that are too old, and all of a channel whose last event is: what it plays, and its offsets. If it
    /// plays again, its stream begins anew.
    fn purge(&self, retention: Retention, now: u64) -> StoreResult<'_, ()>;
}

/// Tickets, each good once.
pub trait TicketStore: Send + Sync + 'static {
    /// Keeps whom a ticket is for. `now` is in milliseconds since the Unix epoch.
    fn put(&self, ticket: [u8; 32], value: Bytes, lasts: Duration, now: u64)
    -> StoreResult<'_, ()>;

    /// Returns whom a ticket is for, and forgets it.
    fn take(&self, ticket: [u8; 32], now: u64) -> StoreResult<'_, Option<Bytes>>;
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
    /// Keeps an analysis' record, and what its key was used for. Durable on return. Where processes share the store, another
    /// may have used the key meanwhile, for an analysis other than `replaces`: then nothing is kept, and that use
    /// returned. `now` is in milliseconds since the Unix epoch.
    fn put(
        &self,
        id: String,
        record: Bytes,
        key: Option<(String, IdempotentUse)>,
        replaces: Option<String>,
        now: u64,
    ) -> StoreResult<'_, Option<IdempotentUse>>;

    /// Returns a record.
    fn get(&self, id: String) -> StoreResult<'_, Option<Bytes>>;

    /// Returns what a key was used for, unless that has expired at `now`.
    fn key(&self, key: String, now: u64) -> StoreResult<'_, Option<IdempotentUse>>;

    /// Returns the latest records, the newest first.
    fn latest(&self, limit: usize) -> StoreResult<'_, Vec<Bytes>>;

    /// Removes expired keys, and all but the newest `keep` records.
    fn purge(&self, now: u64, keep: usize) -> StoreResult<'_, ()>;

    /// Returns whether another process, which lives, put the record: an analysis that reads as running does run.
    fn runs_elsewhere(&self, id: String) -> StoreResult<'_, bool>;
}
