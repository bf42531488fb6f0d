//! An event log in memory for tests: commits can be held, made to fail, or made to panic.

use super::{Append, EventLog, Head, Kept, LoggedEvent, Retention, StoreError, StoreResult};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Semaphore;

/// How the next commit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Commit,
    Fail,
    Panic,
}

#[derive(Default)]
struct Contents {
    streams: HashMap<String, (Head, Vec<LoggedEvent>)>,
    states: HashMap<String, Kept>,
    batches: Vec<usize>,
    /// Oldest age, in milliseconds, and time of every purge.
    purges: Vec<(u64, u64)>,
}

/// See the module.
pub(crate) struct MemoryLog {
    contents: Mutex<Contents>,
    next: Mutex<Next>,
    /// A commit takes one; none are added while a test holds commits back.
    gate: Semaphore,
}

impl MemoryLog {
    pub(crate) fn new() -> Self {
        Self {
            contents: Mutex::default(),
            next: Mutex::new(Next::Commit),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        }
    }

    /// Makes commits wait for [`MemoryLog::release`].
    pub(crate) fn hold(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Lets `commits` through.
    pub(crate) fn release(&self, commits: usize) {
        self.gate.add_permits(commits);
    }

    pub(crate) fn set_next(&self, next: Next) {
        *self.next.lock().unwrap() = next;
    }

    /// Returns how many entries each commit had.
    pub(crate) fn batches(&self) -> Vec<usize> {
        self.contents().batches.clone()
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends directly, behind the back of any actor.
    pub(crate) fn write(&self, batch: &[Append], retention: Retention) -> Vec<Head> {
        let outcomes = self.try_write(batch, retention);
        outcomes.into_iter().map(Result::unwrap).collect()
    }

    /// Loses the events from `offset` on, as a server does that comes back from an older copy.
    pub(crate) fn lose(&self, channel: &str, offset: u64) {
        if let Some((head, events)) = self.contents().streams.get_mut(channel) {
            events.retain(|event| event.offset < offset);
            head.next = offset;
        }
    }

    /// Returns the oldest age, in milliseconds, and the time of every purge.
    pub(crate) fn purges(&self) -> Vec<(u64, u64)> {
        self.contents().purges.clone()
    }

    /// Returns the revision of what a channel plays.
    pub(crate) fn revision(&self, channel: &str) -> u64 {
        let contents = self.contents();
        contents.states.get(channel).map_or(0, |kept| kept.revision)
    }

    /// Appends what builds on the present states, as where processes share the log.
    pub(crate) fn try_write(
        &self,
        batch: &[Append],
        retention: Retention,
    ) -> Vec<Result<Head, StoreError>> {
        let mut contents = self.contents();
        contents.batches.push(batch.len());
        let mut heads = Vec::new();
        for entry in batch {
            let revision = contents
                .states
                .get(&entry.channel)
                .map_or(0, |kept| kept.revision);
            if entry.state.is_some() && entry.replaces != revision {
                heads.push(Err(StoreError::Conflict));
                continue;
            }
            let empty = || {
                (
                    Head {
                        epoch: 7,
                        first: 1,
                        next: 1,
                    },
                    Vec::new(),
                )
            };
            let (head, events) = contents
                .streams
                .entry(entry.channel.clone())
                .or_insert_with(empty);
            for body in &entry.events {
                events.push(LoggedEvent {
                    offset: head.next,
                    body: body.clone(),
                });
                head.next += 1;
            }
            let surplus = events
                .len()
                .saturating_sub(usize::try_from(retention.max_events).unwrap());
            events.drain(..surplus);
            head.first += surplus as u64;
            heads.push(Ok(*head));
            if let Some(state) = &entry.state {
                let kept = Kept {
                    revision: revision + 1,
                    state: state.clone(),
                };
                contents.states.insert(entry.channel.clone(), kept);
            }
        }
        heads
    }
}

impl EventLog for MemoryLog {
    fn append(
        &self,
        batch: Vec<Append>,
        retention: Retention,
        _: u64,
    ) -> StoreResult<'_, Vec<Result<Head, StoreError>>> {
        Box::pin(async move {
            self.gate.acquire().await.unwrap().forget();
            let next = std::mem::replace(&mut *self.next.lock().unwrap(), Next::Commit);
            match next {
                Next::Commit => Ok(self.try_write(&batch, retention)),
                Next::Fail => Err(StoreError::Failed("the disk is full".to_owned())),
                Next::Panic => panic!("the log was made to panic"),
            }
        })
    }

    fn head(&self, channel: String) -> StoreResult<'_, Option<Head>> {
        let head = self.contents().streams.get(&channel).map(|(head, _)| *head);
        Box::pin(async move { Ok(head) })
    }

    fn read(&self, channel: String, after: u64, limit: usize) -> StoreResult<'_, Vec<LoggedEvent>> {
        let contents = self.contents();
        let events = contents
            .streams
            .get(&channel)
            .map(|(_, events)| events.clone())
            .unwrap_or_default();
        let events = events
            .into_iter()
            .filter(|event| event.offset > after)
            .take(limit)
            .collect();
        Box::pin(async move { Ok(events) })
    }

    fn state(&self, channel: String) -> StoreResult<'_, Option<Kept>> {
        let state = self.contents().states.get(&channel).cloned();
        Box::pin(async move { Ok(state) })
    }

    fn states(&self) -> StoreResult<'_, Vec<(String, Kept)>> {
        let states = self.contents().states.clone().into_iter().collect();
        Box::pin(async move { Ok(states) })
    }

    fn renew(&self, channel: String, epoch: u64) -> StoreResult<'_, ()> {
        if let Some((head, _)) = self.contents().streams.get_mut(&channel)
            && head.epoch == epoch
        {
            head.epoch += 1;
        }
        Box::pin(async { Ok(()) })
    }

    fn purge(&self, retention: Retention, now: u64) -> StoreResult<'_, ()> {
        self.contents().purges.push((retention.max_age_ms, now));
        Box::pin(async { Ok(()) })
    }
}
