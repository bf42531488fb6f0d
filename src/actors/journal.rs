//! Journal: makes events durable, in order, and passes them on to be shown.
//!
//! Flow: Analysis, Director --Append--> [Journal] --Publish--> Broadcaster   (an event is shown only after it is kept)
//! Mailbox: `[journal]` mailbox_capacity; senders wait up to wait_ms, then `overloaded`.
//! Crash: appends not yet committed are lost and told so; the log, on disk or in Redis, is the truth, offsets go on from it.
//! Metrics: journal_append_seconds.
//!
//! Group commit: while one commit is on its way to the disk, whatever arrives is gathered for the next. A commit costs
//! the same for one event as for hundreds, so the busier the journal, the cheaper an event. Reading needs no actor:
//! readers ask the log itself, which serves them beside the writer.

use super::broadcaster::{BroadcasterMsg, Published};
use crate::{
    clock::Clock,
    config,
    metrics::Metrics,
    runtime::{Bell, Envelope, Mailbox, Permit},
    store::{Append, EventLog, Head, Kept, Position, Retention, StoreError},
};
use bytes::Bytes;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio::{task::JoinSet, time::Instant};
use tracing::{error, warn};

/// How often what is too old is removed, of channels to which nothing is appended.
const PURGE_EVERY: Duration = Duration::from_secs(600);

/// What the journal works with.
#[derive(Clone)]
pub struct JournalArgs {
    /// Its limits.
    pub config: config::Journal,
    /// Where others reach it.
    pub mailbox: Mailbox<JournalMsg>,
    /// Where events are kept.
    pub log: Arc<dyn EventLog>,
    /// Who shows them.
    pub broadcaster: Mailbox<BroadcasterMsg>,
    /// The server's clock.
    pub clock: Clock,
    /// Where commits are measured.
    pub metrics: Metrics,
}

/// Called once the entry is durable, or is known not to be. Runs inside the journal: it must not wait.
pub type Committed = Box<dyn FnOnce(Result<Position, StoreError>) + Send>;

/// What it is told.
pub enum JournalMsg {
    /// From Analysis and Director: keep these events of one channel, then show them.
    Append {
        /// The events, and what the channel plays from now on.
        entry: Append,
        /// Learns the position after the last of the events.
        committed: Committed,
    },
    /// From its own commit, which has ended.
    Done,
    /// From its own timer: remove what is too old.
    Purge,
}

/// An entry on its way to the disk.
struct Pending {
    channel: String,
    events: Vec<Bytes>,
    state: Option<Bytes>,
    replaces: u64,
    committed: Committed,
    _permit: Permit,
}

/// Its state.
pub struct State {
    args: JournalArgs,
    /// Waits for the next commit.
    pending: VecDeque<Pending>,
    /// The commit on its way, at most one.
    commit: JoinSet<Commit>,
    /// The removal of what is too old, at most one.
    purge: JoinSet<()>,
}

/// What the log says of each entry, or of all.
type Outcomes = Result<Vec<Result<Head, StoreError>>, StoreError>;

/// A commit that ended.
struct Commit {
    batch: Vec<Pending>,
    outcome: Outcomes,
    took: Duration,
}

/// See the module.
pub struct Journal;

impl Actor for Journal {
    type Msg = Envelope<JournalMsg>;
    type State = State;
    type Arguments = JournalArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        args.mailbox.bind(myself.clone());
        myself.send_interval(PURGE_EVERY, || Envelope::internal(JournalMsg::Purge));
        Ok(State {
            args,
            pending: VecDeque::new(),
            commit: JoinSet::new(),
            purge: JoinSet::new(),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let (message, permit) = envelope.open();
        match message {
            JournalMsg::Append {
                entry:
                    Append {
                        channel,
                        events,
                        state: plays,
                        replaces,
                    },
                committed,
            } => {
                state.pending.push_back(Pending {
                    channel,
                    events,
                    state: plays,
                    replaces,
                    committed,
                    _permit: permit,
                });
            }
            JournalMsg::Done => state.finish_commit().await,
            JournalMsg::Purge => state.purge(),
        }
        state.commit_next(&myself);
        Ok(())
    }

    async fn post_stop(
        &self,
        myself: ActorRef<Self::Msg>,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        // Drained: nothing new arrives, but a commit may be on its way, and entries wait behind it.
        while !state.commit.is_empty() || !state.pending.is_empty() {
            state.finish_commit().await;
            state.commit_next(&myself);
        }
        Ok(())
    }
}

impl JournalArgs {
    fn retention(&self) -> Retention {
        const HOUR_MS: u64 = 3_600_000;
        Retention {
            max_events: self.config.max_events,
            max_bytes: self.config.max_bytes,
            max_age_ms: self.config.max_age_hours * HOUR_MS,
        }
    }

    async fn append(&self, entries: Vec<Append>) -> Outcomes {
        self.log
            .append(entries, self.retention(), self.clock.now_ms())
            .await
    }
}

impl Pending {
    fn entry(&self) -> Append {
        Append {
            channel: self.channel.clone(),
            events: self.events.clone(),
            state: self.state.clone(),
            replaces: self.replaces,
        }
    }
}

impl State {
    fn take_batch(&mut self) -> Vec<Pending> {
        let size = self.pending.len().min(self.args.config.max_batch);
        self.pending.drain(..size).collect()
    }

    fn commit_next(&mut self, myself: &ActorRef<Envelope<JournalMsg>>) {
        if self.pending.is_empty() || !self.commit.is_empty() {
            return;
        }
        let (batch, args, bell) = (
            self.take_batch(),
            self.args.clone(),
            Bell::new(myself, Envelope::internal(JournalMsg::Done)),
        );
        self.commit.spawn(async move {
            let _bell = bell;
            let began = Instant::now();
            let outcome = args
                .append(batch.iter().map(Pending::entry).collect())
                .await;
            Commit {
                batch,
                outcome,
                took: began.elapsed(),
            }
        });
    }

    fn purge(&mut self) {
        while self.purge.try_join_next().is_some() {}
        if !self.purge.is_empty() {
            return;
        }
        let args = self.args.clone();
        self.purge.spawn(async move {
            let purged = args.log.purge(args.retention(), args.clock.now_ms());
            if let Err(error) = purged.await {
                warn!(actor = "journal", %error, "cannot remove what is too old");
            }
        });
    }

    async fn finish_commit(&mut self) {
        match self.commit.join_next().await {
            Some(Ok(Commit {
                batch,
                outcome,
                took,
            })) => {
                self.args
                    .metrics
                    .journal()
                    .append
                    .record(took.as_secs_f64());
                self.on_committed(batch, outcome).await;
            }
            // The entries went with the task, and so did their answers: their callers see a dropped reply.
            Some(Err(panic)) => error!(actor = "journal", error = %panic, "commit failed"),
            None => {}
        }
    }

    async fn on_committed(&mut self, batch: Vec<Pending>, outcome: Outcomes) {
        let outcomes = outcome.unwrap_or_else(|failure| vec![Err(failure); batch.len()]);
        for (pending, outcome) in batch.into_iter().zip(outcomes) {
            match outcome {
                Ok(head) => self.publish(pending, head).await,
                Err(failure) => {
                    if failure != StoreError::Conflict {
                        error!(actor = "journal", channel = pending.channel, error = %failure, "append failed");
                        // A server out of reach may have kept it all the same: viewers get what the log holds.
                        self.args
                            .broadcaster
                            .offer(BroadcasterMsg::Look(pending.channel));
                    }
                    (pending.committed)(Err(failure));
                }
            }
        }
    }

    async fn publish(&mut self, pending: Pending, head: Head) {
        let first = head.next - pending.events.len() as u64;
        let published = Published {
            channel: pending.channel,
            head,
            first,
            events: pending.events,
            state: pending.state.map(|state| Kept {
                revision: pending.replaces + 1,
                state,
            }),
        };
        let deadline = Instant::now() + Duration::from_millis(self.args.config.wait_ms);
        // A broadcaster that misses an event notices the hole in the offsets and reads it from the log.
        let _ = self
            .args
            .broadcaster
            .send(BroadcasterMsg::Publish(published), deadline)
            .await;
        (pending.committed)(Ok(head.position()));
    }
}

#[cfg(test)]
mod tests;
