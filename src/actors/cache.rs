//! Cache: answers already known, and one call for however many ask the same at once.
//!
//! Flow: Analysis --Resolve, LookUp, Settle--> [Cache]; http --Peek--> [Cache]
//! Mailbox: `[cache]` mailbox_capacity; senders wait up to wait_ms, then ask the model themselves.
//! Crash: the memory layer and who waits for whom are lost; waiting callers see Down and ask again. Answers are read
//! back from the store.
//! Metrics: cache_requests_total, cache_entries, coalesced_requests_total.
//!
//! The first to ask for an unknown answer gets a [`Lease`]: it calls the model and settles the lease, and everybody who
//! asked meanwhile gets the same outcome. A lease that is dropped unsettled passes to the next who waits.

mod lease;
mod writer;

pub use lease::{Lease, SharedFailure};

use crate::{
    clock::Clock,
    config,
    metrics::Metrics,
    quiz::fingerprint::Fingerprint,
    runtime::{Envelope, Mailbox, Permit, Reply},
    solve::Solution,
    store::{AnswerStore, StoreError},
};
use bytes::Bytes;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::task::JoinSet;
use tracing::{Instrument as _, info_span, warn};
use writer::Writer;

/// How often expired answers are removed from the store.
const PURGE_EVERY: Duration = Duration::from_secs(6 * 3_600);

/// What the cache works with.
#[derive(Clone)]
pub struct CacheArgs {
    /// Its limits.
    pub config: config::Cache,
    /// Where others reach it.
    pub mailbox: Mailbox<CacheMsg>,
    /// The layer that outlives the process.
    pub store: Arc<dyn AnswerStore>,
    /// The server's clock.
    pub clock: Clock,
    /// Where hits are counted.
    pub metrics: Metrics,
}

/// What the cache knows of one question. Probabilities are in the canonical order of the options.
#[derive(Debug)]
pub enum Resolution {
    /// The answer was known.
    Known(Arc<Solution>),
    /// Somebody else has just asked the model, with this outcome.
    Shared(Result<Arc<Solution>, SharedFailure>),
    /// Nobody knows: ask the model, then settle the lease.
    Lead(Lease),
}

/// What it is told.
#[derive(Debug)]
pub enum CacheMsg {
    /// From http: all of these, if all are in memory.
    Peek {
        /// Which.
        fingerprints: Vec<Fingerprint>,
        /// The answers in the same order, or `None` when one is missing.
        reply: Reply<Option<Vec<Arc<Solution>>>>,
    },
    /// From Analysis: one question.
    Resolve {
        /// Which.
        fingerprint: Fingerprint,
        /// Answered when it is known, shared, or the asker's to find out.
        reply: Reply<Resolution>,
    },
    /// From Analysis: one question, of which nobody is to be asked.
    LookUp {
        /// Which.
        fingerprint: Fingerprint,
        /// The answer, if it is known.
        reply: Reply<Option<Arc<Solution>>>,
    },
    /// From a lease: what the model said. Answered when it is durable.
    Settle {
        /// Which.
        fingerprint: Fingerprint,
        /// What the model said.
        outcome: Result<Arc<Solution>, SharedFailure>,
        /// The store's word.
        reply: Reply<Result<(), StoreError>>,
    },
    /// From a lease that was dropped unsettled.
    Abandon(Fingerprint),
    /// From its own task: what the store holds.
    Loaded(Fingerprint, Option<Arc<Solution>>),
    /// From its own writer, whose commit has ended.
    Written,
    /// From its own timer.
    Purge,
}

/// Everybody who waits for one answer.
#[derive(Default)]
struct Flight {
    /// Whether somebody holds the lease; otherwise the store is being asked.
    led: bool,
    waiting: Vec<(Reply<Resolution>, Permit)>,
}

/// Its state.
pub struct State {
    args: CacheArgs,
    myself: ActorRef<Envelope<CacheMsg>>,
    memory: moka::sync::Cache<Fingerprint, Arc<Solution>>,
    flights: HashMap<Fingerprint, Flight>,
    writer: Writer,
    reads: JoinSet<()>,
}

/// See the module.
pub struct Cache;

impl Actor for Cache {
    type Msg = Envelope<CacheMsg>;
    type State = State;
    type Arguments = CacheArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        const SECONDS_PER_DAY: u64 = 86_400;
        let memory = moka::sync::Cache::builder()
            .max_capacity(args.config.max_entries)
            .time_to_live(Duration::from_secs(args.config.ttl_days * SECONDS_PER_DAY))
            .build();
        args.mailbox.bind(myself.clone());
        myself.send_interval(PURGE_EVERY, || Envelope::internal(CacheMsg::Purge));
        let writer = Writer::new(&args);
        Ok(State {
            args,
            myself,
            memory,
            flights: HashMap::new(),
            writer,
            reads: JoinSet::new(),
        })
    }

    async fn handle(
        &self,
        _: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let span = envelope.span();
        let (message, permit) = envelope.open();
        state.on_message(message, permit).instrument(span).await;
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Self::Msg>,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        state.writer.finish(&state.myself).await;
        Ok(())
    }
}

impl State {
    async fn on_message(&mut self, message: CacheMsg, permit: Permit) {
        match message {
            CacheMsg::Peek {
                fingerprints,
                reply,
            } => drop(reply.send(self.peek(&fingerprints))),
            CacheMsg::Resolve { fingerprint, reply } => self.on_resolve(fingerprint, reply, permit),
            CacheMsg::LookUp { fingerprint, reply } => self.on_look_up(fingerprint, reply, permit),
            CacheMsg::Settle {
                fingerprint,
                outcome,
                reply,
            } => self.on_settle(fingerprint, outcome, reply, permit),
            CacheMsg::Abandon(fingerprint) => self.lead_next(fingerprint),
            CacheMsg::Loaded(fingerprint, found) => self.on_loaded(fingerprint, found),
            CacheMsg::Written => self.writer.on_written(&self.myself).await,
            CacheMsg::Purge => self.on_purge(),
        }
        while self.reads.try_join_next().is_some() {}
    }

    fn peek(&self, fingerprints: &[Fingerprint]) -> Option<Vec<Arc<Solution>>> {
        let found: Option<Vec<_>> = fingerprints
            .iter()
            .map(|fingerprint| self.memory.get(fingerprint))
            .collect();
        if let Some(found) = &found {
            self.args
                .metrics
                .cache()
                .requests
                .with(["memory", "hit"])
                .increment(found.len() as u64);
        }
        found
    }

    fn on_resolve(&mut self, fingerprint: Fingerprint, reply: Reply<Resolution>, permit: Permit) {
        let requests = &self.args.metrics.cache().requests;
        if let Some(solution) = self.memory.get(&fingerprint) {
            requests.with(["memory", "hit"]).increment(1);
            return drop(reply.send(Resolution::Known(solution)));
        }
        requests.with(["memory", "miss"]).increment(1);
        if let Some(flight) = self.flights.get_mut(&fingerprint) {
            return flight.waiting.push((reply, permit));
        }
        self.flights.insert(
            fingerprint,
            Flight {
                led: false,
                waiting: vec![(reply, permit)],
            },
        );
        let (store, now, myself) = (
            Arc::clone(&self.args.store),
            self.args.clock.now_ms(),
            self.myself.clone(),
        );
        self.reads.spawn(
            async move {
                let bell = Loaded {
                    fingerprint,
                    found: None,
                    myself,
                };
                bell.ring(stored(store.as_ref(), fingerprint, now).await);
            }
            .instrument(info_span!("cache_read")),
        );
    }

    fn on_look_up(
        &mut self,
        fingerprint: Fingerprint,
        reply: Reply<Option<Arc<Solution>>>,
        permit: Permit,
    ) {
        if let Some(solution) = self.memory.get(&fingerprint) {
            return drop(reply.send(Some(solution)));
        }
        let (store, now) = (Arc::clone(&self.args.store), self.args.clock.now_ms());
        self.reads.spawn(
            async move {
                let _permit = permit;
                let found = stored(store.as_ref(), fingerprint, now).await;
                drop(reply.send(found.and_then(|json| read(&json))));
            }
            .instrument(info_span!("cache_read")),
        );
    }

    fn on_loaded(&mut self, fingerprint: Fingerprint, found: Option<Arc<Solution>>) {
        let outcome = if found.is_some() { "hit" } else { "miss" };
        self.args
            .metrics
            .cache()
            .requests
            .with(["store", outcome])
            .increment(1);
        match found {
            Some(solution) => {
                self.remember(fingerprint, &solution);
                let waiting = self
                    .flights
                    .remove(&fingerprint)
                    .unwrap_or_default()
                    .waiting;
                for (reply, _permit) in waiting {
                    let _ = reply.send(Resolution::Known(Arc::clone(&solution)));
                }
            }
            None => self.lead_next(fingerprint),
        }
    }

    /// Gives the lease to the first who still waits.
    fn lead_next(&mut self, fingerprint: Fingerprint) {
        let Some(flight) = self.flights.get_mut(&fingerprint) else {
            return;
        };
        flight.led = false;
        while !flight.waiting.is_empty() {
            let (reply, _permit) = flight.waiting.remove(0);
            if reply.is_closed() {
                continue;
            }
            flight.led = true;
            // A reply that is refused all the same drops the lease, which comes back here as `Abandon`.
            let _ = reply.send(Resolution::Lead(Lease::new(
                fingerprint,
                self.myself.clone(),
                self.args.mailbox.clone(),
            )));
            return;
        }
        self.flights.remove(&fingerprint);
    }

    fn on_settle(
        &mut self,
        fingerprint: Fingerprint,
        outcome: Result<Arc<Solution>, SharedFailure>,
        reply: Reply<Result<(), StoreError>>,
        permit: Permit,
    ) {
        let waiting = self
            .flights
            .remove(&fingerprint)
            .unwrap_or_default()
            .waiting;
        self.args
            .metrics
            .cache()
            .coalesced
            .increment(waiting.len() as u64);
        for (waiting, _permit) in waiting {
            let _ = waiting.send(Resolution::Shared(outcome.clone()));
        }
        match outcome {
            Ok(solution) => {
                self.remember(fingerprint, &solution);
                let json = serde_json::to_vec(solution.as_ref()).expect("a solution is plain data");
                let expires_at = self.args.clock.now_ms() + ttl_ms(&self.args.config);
                self.writer.put(
                    (fingerprint, Bytes::from(json), expires_at),
                    reply,
                    permit,
                    &self.myself,
                );
            }
            Err(_) => drop(reply.send(Ok(()))),
        }
    }

    fn remember(&self, fingerprint: Fingerprint, solution: &Arc<Solution>) {
        self.memory.insert(fingerprint, Arc::clone(solution));
        // It counts when it does its housekeeping, which nothing else brings about on a quiet day.
        self.memory.run_pending_tasks();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 entries")]
        self.args
            .metrics
            .cache()
            .entries
            .set(self.memory.entry_count() as f64);
    }

    fn on_purge(&mut self) {
        let (store, now) = (Arc::clone(&self.args.store), self.args.clock.now_ms());
        self.reads.spawn(async move {
            if let Err(error) = store.purge(now).await {
                warn!(actor = "cache", %error, "cannot remove expired answers");
            }
        });
    }
}

fn ttl_ms(config: &config::Cache) -> u64 {
    const MS_PER_DAY: u64 = 86_400_000;
    config.ttl_days * MS_PER_DAY
}

/// Returns what the store holds. A store that does not answer holds nothing.
async fn stored(store: &dyn AnswerStore, fingerprint: Fingerprint, now: u64) -> Option<Bytes> {
    let found = store.get(vec![fingerprint], now).await;
    let found = found.unwrap_or_else(|error| {
        warn!(actor = "cache", %error, "cannot read an answer");
        Vec::new()
    });
    found.into_iter().flatten().next()
}

/// Reads what the store holds. An answer that this version cannot read is as good as unknown.
fn read(json: &[u8]) -> Option<Arc<Solution>> {
    serde_json::from_slice(json).ok().map(Arc::new)
}

/// Brings what the store holds back to the cache; nothing, when the read itself is lost.
struct Loaded {
    fingerprint: Fingerprint,
    found: Option<Arc<Solution>>,
    myself: ActorRef<Envelope<CacheMsg>>,
}

impl Loaded {
    fn ring(mut self, found: Option<Bytes>) {
        self.found = found.and_then(|json| read(&json));
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        let message = CacheMsg::Loaded(self.fingerprint, self.found.take());
        // A cache that is gone has nobody waiting.
        let _ = self.myself.cast(Envelope::internal(message));
    }
}

#[cfg(test)]
mod tests;
