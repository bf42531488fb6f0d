//! The event stream of every channel in Redis: a stream whose ids are the offsets.

use super::{
    Heard, Link, Wake, script,
    seen::{Seen, Stand},
};
use crate::store::{Append, EventLog, Head, Kept, LoggedEvent, Retention, StoreError, StoreResult};
use bytes::Bytes;
use fred::{
    interfaces::{HashesInterface as _, SortedSetsInterface as _, StreamsInterface as _},
    types::Value,
};
use futures_util::future::join_all;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// States that are read at the same time.
const READ_AT_ONCE: usize = 64;

/// See the module.
#[derive(Debug, Clone)]
pub struct RedisEvents {
    link: Link,
    /// How long an append is tried.
    patience: Duration,
    sequence: Arc<AtomicU64>,
    /// The append on its way, 0 when there is none: its wake-ups are nothing new here.
    under_way: Arc<AtomicU64>,
    seen: Seen,
}

impl RedisEvents {
    /// Creates the log; an append is tried for `patience`, through restarts of Redis.
    pub fn new(link: Link, patience: Duration) -> Self {
        Self {
            link,
            patience,
            sequence: Arc::default(),
            under_way: Arc::default(),
            seen: Seen::default(),
        }
    }

    /// Returns whether this process learns from its own append what this tells.
    pub fn is_known(&self, heard: &Heard) -> bool {
        let Heard::Wake(Wake {
            writer, sequence, ..
        }) = heard
        else {
            return false;
        };
        writer == self.link.process() && *sequence == self.under_way.load(Ordering::SeqCst)
    }

    /// Appends one channel's entries, again until it is known whether that was done.
    async fn append_to(
        &self,
        channel: &str,
        entries: &[&Append],
        head: &[Value],
        now: u64,
        deadline: Instant,
    ) -> Result<Vec<Result<Head, StoreError>>, StoreError> {
        let keys = ["events", "head", "writers"].map(|name| self.link.channel_key(channel, name));
        let mut arguments = head.to_vec();
        arguments.extend(self.link.publication(channel));
        arguments.push(channel.into());
        arguments.push(count(entries.len()));
        for entry in entries {
            let replaces = match entry.state {
                Some(_) => entry.replaces.to_string(),
                None => String::new(),
            };
            let state = entry.state.clone().unwrap_or_default();
            arguments.extend([
                count(entry.events.len()),
                replaces.into(),
                Value::Bytes(state),
            ]);
            arguments.extend(entry.events.iter().cloned().map(Value::Bytes));
        }
        loop {
            let plays = entries.iter().any(|entry| entry.state.is_some());
            let appended = async {
                if plays {
                    self.remember(channel, now).await?;
                }
                script::APPEND
                    .run(&self.link, keys.to_vec(), arguments.clone())
                    .await
            };
            match appended.await {
                Ok(outcome) => {
                    let (stand, mut outcomes) = outcomes(outcome, entries.len())?;
                    let epoch = self.settle(channel, stand).await?;
                    for head in outcomes.iter_mut().flatten() {
                        head.epoch = epoch;
                    }
                    return Ok(outcomes);
                }
                Err(StoreError::Unreachable) if self.link.is_up_by(deadline).await => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns the stream's epoch, a new one if it has lost events that this process has seen.
    async fn settle(&self, channel: &str, stand: Stand) -> Result<u64, StoreError> {
        if self.seen.goes_on(channel, &stand) {
            return Ok(stand.epoch);
        }
        self.rename(channel, stand.epoch).await
    }

    /// Gives the stream a new epoch, unless somebody else has; returns the one that it has then.
    async fn rename(&self, channel: &str, epoch: u64) -> Result<u64, StoreError> {
        let keys = vec![self.link.channel_key(channel, "head")];
        let mut arguments = vec![show_epoch(epoch), show_epoch(rand::random())];
        arguments.extend(self.link.publication(channel));
        arguments.push(channel.into());
        let renewed = script::RENEW.run(&self.link, keys, arguments).await?;
        let epoch = renewed.as_str().and_then(|epoch| parse_epoch(&epoch));
        epoch.ok_or_else(strange)
    }

    /// Notes that the channel plays something, before it does: a name too many does no harm.
    async fn remember(&self, channel: &str, now: u64) -> Result<(), StoreError> {
        let (key, client) = (self.link.key("channels"), self.link.client());
        let added = client.zadd::<(), _, _>(key, None, None, false, false, (score(now), channel));
        self.link.call(added).await
    }
}

fn count(number: usize) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn whole(number: u64) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Milliseconds since the Unix epoch, as a sorted set keeps them.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn score(at: u64) -> f64 {
    at as f64
}

fn show_epoch(epoch: u64) -> Value {
    format!("{epoch:016x}").into()
}

fn strange() -> StoreError {
    StoreError::Failed("Redis holds something that this version did not write there: set redis.prefix to a name of its own".to_owned())
}

fn parse_epoch(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok()
}

/// Reads what the script returns.
fn outcomes(
    value: Value,
    entries: usize,
) -> Result<(Stand, Vec<Result<Head, StoreError>>), StoreError> {
    let mut values = value.into_array().into_iter();
    let epoch = values
        .next()
        .and_then(|epoch| parse_epoch(&epoch.as_str()?))
        .ok_or_else(strange)?;
    let run = values.next().and_then(|run| run.as_string());
    let run = run.ok_or_else(strange)?;
    let mut number = || {
        values
            .next()
            .and_then(|value| value.as_u64())
            .ok_or_else(strange)
    };
    let (began, mut next) = (number()?, 0);
    let mut outcomes = Vec::with_capacity(entries);
    for _ in 0..entries {
        let (done, first) = (number()?, number()?);
        next = number()?;
        outcomes.push(match done {
            1 => Ok(Head { epoch, first, next }),
            _ => Err(StoreError::Conflict),
        });
    }
    let stand = Stand {
        epoch,
        next,
        run,
        began,
    };
    Ok((stand, outcomes))
}

impl EventLog for RedisEvents {
    /// Entries of one channel are one script; channels know nothing of each other.
    fn append(
        &self,
        batch: Vec<Append>,
        retention: Retention,
        now: u64,
    ) -> StoreResult<'_, Vec<Result<Head, StoreError>>> {
        Box::pin(async move {
            let deadline = Instant::now() + self.patience;
            let sequence = self.sequence.fetch_add(1, Ordering::SeqCst) + 1;
            self.under_way.store(sequence, Ordering::SeqCst);
            let head = [
                whole(now),
                whole(retention.max_events),
                whole(retention.max_bytes),
                whole(retention.max_age_ms),
                show_epoch(rand::random()),
                self.link.process().into(),
                sequence.to_string().into(),
            ];
            let mut channels: HashMap<&str, Vec<usize>> = HashMap::new();
            for (place, entry) in batch.iter().enumerate() {
                channels.entry(&entry.channel).or_default().push(place);
            }
            let appends = channels.into_iter().map(|(channel, places)| {
                let (batch, head) = (&batch, &head);
                async move {
                    let entries: Vec<_> = places.iter().map(|place| &batch[*place]).collect();
                    let outcome = self.append_to(channel, &entries, head, now, deadline).await;
                    (places, outcome)
                }
            });
            let mut heads = vec![Err(StoreError::Unreachable); batch.len()];
            for (places, outcome) in join_all(appends).await {
                let outcomes = outcome.unwrap_or_else(|error| vec![Err(error); places.len()]);
                for (place, outcome) in places.into_iter().zip(outcomes) {
                    heads[place] = outcome;
                }
            }
            self.under_way.store(0, Ordering::SeqCst);
            Ok(heads)
        })
    }

    fn head(&self, channel: String) -> StoreResult<'_, Option<Head>> {
        Box::pin(async move {
            let key = self.link.channel_key(&channel, "head");
            let fields = vec!["epoch", "first", "next", "run", "began"];
            let client = self.link.client();
            let read = || client.hmget(key.clone(), fields.clone());
            let found: Vec<Option<String>> = self.link.read(read).await?;
            let [Some(epoch), Some(first), Some(next), Some(run), Some(began)] = &found[..] else {
                return Ok(None);
            };
            let stand = (|| {
                Some(Stand {
                    epoch: parse_epoch(epoch)?,
                    next: next.parse().ok()?,
                    run: run.clone(),
                    began: began.parse().ok()?,
                })
            })();
            let stand = stand.ok_or_else(strange)?;
            let (first, next) = (first.parse().map_err(|_| strange())?, stand.next);
            let epoch = self.settle(&channel, stand).await?;
            Ok(Some(Head { epoch, first, next }))
        })
    }

    fn read(&self, channel: String, after: u64, limit: usize) -> StoreResult<'_, Vec<LoggedEvent>> {
        Box::pin(async move {
            let key = self.link.channel_key(&channel, "events");
            let from = format!("{}-0", after.saturating_add(1));
            let client = self.link.client();
            let limit = u64::try_from(limit).ok();
            let read = || {
                client.xrange_values::<String, String, Bytes, _, _, _>(
                    key.clone(),
                    from.clone(),
                    "+",
                    limit,
                )
            };
            let found = self.link.read(read).await?;
            let event = |(id, mut fields): (String, HashMap<String, Bytes>)| {
                let offset = id.split('-').next()?.parse().ok()?;
                let body = fields.remove("b")?;
                Some(LoggedEvent { offset, body })
            };
            let events: Option<Vec<_>> = found.into_iter().map(event).collect();
            events.ok_or_else(strange)
        })
    }

    fn state(&self, channel: String) -> StoreResult<'_, Option<Kept>> {
        Box::pin(async move {
            let key = self.link.channel_key(&channel, "head");
            let client = self.link.client();
            let fields = vec!["revision", "state"];
            let read = || client.hmget(key.clone(), fields.clone());
            let found: Vec<Option<Bytes>> = self.link.read(read).await?;
            let [Some(revision), Some(state)] = &found[..] else {
                return Ok(None);
            };
            let revision = std::str::from_utf8(revision)
                .ok()
                .and_then(|text| text.parse().ok())
                .ok_or_else(strange)?;
            let state = state.clone();
            Ok(Some(Kept { revision, state }))
        })
    }

    fn states(&self) -> StoreResult<'_, Vec<(String, Kept)>> {
        Box::pin(async move {
            let key = self.link.key("channels");
            let all = self
                .link
                .client()
                .zrange(key, 0, -1, None, false, None, false);
            let channels: Vec<String> = self.link.call(all).await?;
            let mut states = Vec::with_capacity(channels.len());
            for some in channels.chunks(READ_AT_ONCE) {
                let read = some.iter().map(|channel| self.state(channel.clone()));
                for (channel, kept) in some.iter().zip(join_all(read).await) {
                    states.extend(kept?.map(|kept| (channel.clone(), kept)));
                }
            }
            Ok(states)
        })
    }

    fn renew(&self, channel: String, epoch: u64) -> StoreResult<'_, ()> {
        Box::pin(async move { self.rename(&channel, epoch).await.map(drop) })
    }

    /// Redis lets the keys of channels expire by itself; what is left is their names.
    fn purge(&self, retention: Retention, now: u64) -> StoreResult<'_, ()> {
        Box::pin(async move {
            let (key, client) = (self.link.key("channels"), self.link.client());
            let oldest = score(now.saturating_sub(retention.max_age_ms));
            self.link
                .call(client.zremrangebyscore::<(), _, _, _>(key, 0.0, oldest))
                .await
        })
    }
}
