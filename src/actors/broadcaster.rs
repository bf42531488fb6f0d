//! Broadcaster: brings every event of a channel to all its viewers, each at its own pace.
//!
//! Flow: Journal --Publish--> [Broadcaster] --Frame--> viewers' outboxes → http::websocket, http::events
//!       Replicas --Wake, LookAtAll, GetViewers--> [Broadcaster]   (what other processes appended is read from the log)
//! Mailbox: `[broadcaster]` mailbox_capacity; the journal waits, viewers wait up to wait_ms, then 503.
//! Crash: who views what is lost; sockets close with 1001 and clients reconnect with their position. Streams are read
//! back from the log.
//! Metrics: websocket_connections, websocket_recoveries_total, websocket_closed_total.
//!
//! Subscribing and publishing go through one mailbox, so there is no moment at which a viewer could miss an event or
//! get one twice: what came before its subscription is replayed, what comes after is pushed.

mod channel;
mod message;
pub mod outbox;

pub use message::{BroadcasterMsg, ChannelInfo, Published, SubscribeError, ViewerId};
pub use outbox::{Closed, Direct, Indirect, Outbox, Sent};

use crate::{
    clock::Clock,
    config,
    metrics::Metrics,
    runtime::{Envelope, Mailbox, Permit, Reply},
    store::{EventLog, Position, StoreError},
};
use channel::{Channel, Gathered};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;
use tracing::{info, warn};

/// Pause before a log that could not be read is read again for viewers who wait for it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How often some viewers are sent away when the process ends.
const AWAY_EVERY: Duration = Duration::from_millis(50);

/// What the broadcaster works with.
#[derive(Clone)]
pub struct BroadcasterArgs {
    /// Its limits.
    pub config: config::Broadcaster,
    /// Where others reach it.
    pub mailbox: Mailbox<BroadcasterMsg>,
    /// Where past events are read.
    pub log: Arc<dyn EventLog>,
    /// The server's clock.
    pub clock: Clock,
    /// Where viewers are counted.
    pub metrics: Metrics,
}

/// Its state.
pub struct State {
    args: BroadcasterArgs,
    myself: ActorRef<Envelope<BroadcasterMsg>>,
    channels: HashMap<String, Channel>,
    /// Channels that are looked at again in a moment: one timer each.
    behind: HashSet<String>,
    /// Memberships of all viewers in all channels.
    memberships: usize,
    /// By when all must have gone, once the process is ending, and who waits for it.
    leaving: Option<(Instant, Reply<()>)>,
}

/// See the module.
pub struct Broadcaster;

impl Actor for Broadcaster {
    type Msg = Envelope<BroadcasterMsg>;
    type State = State;
    type Arguments = BroadcasterArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        args.mailbox.bind(myself.clone());
        args.metrics.websocket().connections.with(["all"]).set(0.0);
        Ok(State {
            args,
            myself,
            channels: HashMap::new(),
            behind: HashSet::new(),
            memberships: 0,
            leaving: None,
        })
    }

    async fn handle(
        &self,
        _: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let (message, permit) = envelope.open();
        state.on_message(message, permit).await;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 viewers")]
        state
            .args
            .metrics
            .websocket()
            .connections
            .with(["all"])
            .set(state.memberships as f64);
        Ok(())
    }
}

impl State {
    async fn on_message(&mut self, message: BroadcasterMsg, _permit: Permit) {
        match message {
            BroadcasterMsg::Publish(published) => self.on_publish(published).await,
            BroadcasterMsg::Wake {
                channel,
                epoch,
                next,
                revision,
            } => {
                let known = self.channels.get(&channel);
                // One look covers all the wake-ups that wait behind this one.
                if known.is_some_and(|known| !known.has_shown(epoch, next, revision)) {
                    self.on_look(&channel).await;
                }
            }
            BroadcasterMsg::Look(channel) => self.on_look(&channel).await,
            BroadcasterMsg::LookAtAll => {
                let names: Vec<_> = self.channels.keys().cloned().collect();
                for name in names {
                    self.on_look(&name).await;
                }
            }
            BroadcasterMsg::GetViewers(reply) => {
                let count =
                    |(name, channel): (&String, &Channel)| (name.clone(), channel.viewers());
                // Who has stopped waiting asks again.
                let _ = reply.send(self.channels.iter().map(count).collect());
            }
            BroadcasterMsg::Subscribe {
                viewer,
                channel,
                since,
                outbox,
                reply,
            } => {
                let outcome = self.on_subscribe(viewer, channel, since, outbox).await;
                // A viewer that has gone meanwhile closes its outbox, and the next frame removes it.
                let _ = reply.send(outcome);
            }
            BroadcasterMsg::Unsubscribe { viewer, channel } => {
                self.on_unsubscribe(viewer, &channel);
            }
            BroadcasterMsg::Farewell { until, reply } => {
                self.leaving = Some((until, reply));
                self.send_away();
            }
            BroadcasterMsg::Flush(channel) => self.flush(&channel),
            BroadcasterMsg::SendAway => self.send_away(),
            BroadcasterMsg::GetChannel { channel, reply } => {
                // The position that is told has been shown.
                self.flush(&channel);
                let info = match self.load(&channel).await {
                    Ok(channel) => Ok(ChannelInfo {
                        position: channel.position(),
                        viewers: channel.viewers(),
                    }),
                    Err(error) => Err(error),
                };
                self.forget_if_empty(&channel);
                let _ = reply.send(info);
            }
        }
    }

    async fn on_publish(&mut self, published: Published) {
        // Without viewers there is nobody to tell; whoever comes reads the log.
        let Some(channel) = self.channels.get_mut(&published.channel) else {
            return;
        };
        let name = published.channel.clone();
        let gathered = channel.publish(published, self.args.log.as_ref()).await;
        self.on_gathered(&name, gathered);
    }

    /// Shows what the log holds and this process has not shown yet.
    async fn on_look(&mut self, name: &str) {
        self.behind.remove(name);
        let Some(channel) = self.channels.get_mut(name) else {
            return;
        };
        let gathered = channel.catch_up(name, self.args.log.as_ref()).await;
        self.on_gathered(name, gathered);
    }

    fn on_gathered(&mut self, name: &str, gathered: Result<Gathered, StoreError>) {
        match gathered {
            Ok(Gathered::First) => self.flush_soon(name),
            Ok(Gathered::More) => {}
            Ok(Gathered::Enough) => self.flush(name),
            Ok(Gathered::Lost) => {
                // The viewers come back with their position, and are told of the gap.
                info!(
                    actor = "broadcaster",
                    channel = name,
                    "the stream cannot be continued"
                );
                self.flush(name);
                if let Some(channel) = self.channels.remove(name) {
                    self.memberships -= channel.viewers();
                }
            }
            // Nothing is shown out of order: the viewers wait until the log can be read.
            Err(error) => {
                warn!(actor = "broadcaster", channel = name, %error, "cannot read the stream");
                if self.behind.insert(name.to_owned()) {
                    let message = BroadcasterMsg::Look(name.to_owned());
                    self.myself
                        .send_after(LOOK_AGAIN, || Envelope::internal(message));
                }
            }
        }
        self.forget_if_empty(name);
    }

    /// Sees to it that what has been gathered is shown, with the publications that wait already: all of them leave in
    /// one write.
    fn flush_soon(&mut self, name: &str) {
        let wait = self
            .channels
            .get(name)
            .map_or(Duration::ZERO, Channel::wait);
        let flush = Envelope::internal(BroadcasterMsg::Flush(name.to_owned()));
        if !wait.is_zero() {
            self.myself.send_after(wait, || flush);
        } else if self.myself.cast(flush).is_err() {
            self.flush(name);
        }
    }

    fn flush(&mut self, name: &str) {
        if let Some(channel) = self.channels.get_mut(name) {
            self.memberships -= channel.flush(&self.args.config, self.args.metrics.websocket());
        }
        self.forget_if_empty(name);
    }

    async fn on_subscribe(
        &mut self,
        viewer: ViewerId,
        name: String,
        since: Option<Position>,
        outbox: Arc<Outbox>,
    ) -> Result<(), SubscribeError> {
        if self.memberships >= self.args.config.max_viewers {
            return Err(SubscribeError::Full);
        }
        let (now, metrics, log) = (
            self.args.clock.now_ms(),
            self.args.metrics.clone(),
            Arc::clone(&self.args.log),
        );
        // A new viewer is shown what was gathered before it came as its past, not as its present.
        self.flush(&name);
        let channel = self.load(&name).await?;
        let before = channel.viewers();
        let outcome = channel
            .subscribe(viewer, &name, since, outbox, log.as_ref(), now)
            .await;
        let joined = channel.viewers() - before;
        self.memberships += joined;
        self.forget_if_empty(&name);
        if let Some(outcome) = outcome? {
            metrics.websocket().recoveries.with([outcome]).increment(1);
        }
        Ok(())
    }

    fn on_unsubscribe(&mut self, viewer: ViewerId, name: &str) {
        if self
            .channels
            .get_mut(name)
            .is_some_and(|channel| channel.leave(viewer))
        {
            self.memberships -= 1;
        }
        self.forget_if_empty(name);
    }

    /// Sends some viewers away, no faster than another process lets them in as long as there is time.
    fn send_away(&mut self) {
        let Some((until, reply)) = self.leaving.take() else {
            return;
        };
        // What waits for company must not wait for viewers who have gone.
        let names: Vec<_> = self.channels.keys().cloned().collect();
        names.iter().for_each(|name| self.flush(name));
        let left = until.saturating_duration_since(Instant::now());
        let ticks =
            usize::try_from(left.as_millis() / AWAY_EVERY.as_millis()).unwrap_or(usize::MAX);
        let pace = f64::from(self.args.config.max_arrivals_per_second) * AWAY_EVERY.as_secs_f64();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a million at most"
        )]
        let mut some = (pace as usize)
            .max(1)
            .max(self.memberships.div_ceil(ticks.max(1)));
        for channel in self.channels.values_mut() {
            let gone = channel.send_away(some);
            some -= gone;
            self.memberships -= gone;
        }
        self.channels.retain(|_, channel| channel.viewers() > 0);
        if self.memberships == 0 {
            // Whoever has stopped waiting does not need to know.
            let _ = reply.send(());
            return;
        }
        self.leaving = Some((until, reply));
        let next = || Envelope::internal(BroadcasterMsg::SendAway);
        self.myself.send_after(AWAY_EVERY, next);
    }

    /// Returns the channel, read from the log when nobody has asked for it since it was last empty.
    async fn load(&mut self, name: &str) -> Result<&mut Channel, StoreError> {
        if !self.channels.contains_key(name) {
            let channel =
                Channel::load(name, self.args.log.as_ref(), self.args.config.recent_events).await?;
            self.channels.insert(name.to_owned(), channel);
        }
        Ok(self.channels.get_mut(name).expect("it was just inserted"))
    }

    fn forget_if_empty(&mut self, name: &str) {
        if self
            .channels
            .get(name)
            .is_some_and(|channel| channel.viewers() == 0)
        {
            self.channels.remove(name);
        }
    }
}

#[cfg(test)]
mod tests;
