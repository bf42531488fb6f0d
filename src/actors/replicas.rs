//! Replicas: hears what other processes append, and says to them that this one lives.
//!
//! Flow: Redis --wake-ups--> [Replicas] --Wake, LookAtAll--> Broadcaster; --Changed, Resync--> Director
//!       [Replicas] --GetViewers--> Broadcaster; --who lives, who views--> Redis
//! Mailbox: for its own tasks' end alone; nobody else sends to it.
//! Crash: wake-ups that come meanwhile. It starts by having every channel looked at, so viewers miss nothing.
//! Metrics: redis_up.
//!
//! Only with `redis.url`. A wake-up says where to look, never what is there: events come from the log, so however many
//! wake-ups are lost, doubled or late, every viewer gets every event once and in order.

use super::{broadcaster::BroadcasterMsg, director::DirectorMsg};
use crate::{
    clock::Clock,
    metrics::Metrics,
    runtime::{Bell, Envelope, Mailbox},
    store::redis::{Heard, Link, RedisEvents, Wake, Wakes},
};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::{collections::HashMap, time::Duration};
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior},
};
use tracing::warn;

/// Messages that may wait: its tasks' ends.
pub const MAILBOX_CAPACITY: usize = 4;
/// How often Redis is asked whether it answers.
const PROBE_EVERY: Duration = Duration::from_millis(250);
/// Pause before the subscription is tried again.
const LISTEN_AGAIN: Duration = Duration::from_millis(250);
/// How long an actor may take to accept what was heard; after that it is told to look everywhere.
const TELL_WITHIN: Duration = Duration::from_secs(2);

/// What it works with.
#[derive(Clone)]
pub struct ReplicasArgs {
    /// Where its tasks reach it.
    pub mailbox: Mailbox<ReplicasMsg>,
    /// The way to Redis.
    pub link: Link,
    /// The log, which knows this process's own appends.
    pub events: RedisEvents,
    /// Who shows events.
    pub broadcaster: Mailbox<BroadcasterMsg>,
    /// Who decides what plays.
    pub director: Mailbox<DirectorMsg>,
    /// The server's clock.
    pub clock: Clock,
    /// Where Redis is watched.
    pub metrics: Metrics,
}

/// What it is told.
#[derive(Debug)]
pub enum ReplicasMsg {
    /// From one of its tasks, which goes on for ever unless something is broken.
    Ended,
}

/// See the module.
pub struct Replicas;

impl Actor for Replicas {
    type Msg = Envelope<ReplicasMsg>;
    type State = JoinSet<()>;
    type Arguments = ReplicasArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        let mut tasks = JoinSet::new();
        let bell = || Bell::new(&myself, Envelope::internal(ReplicasMsg::Ended));
        let (listener, prober, speaker) = (args.clone(), args.clone(), args.clone());
        let ends = [bell(), bell(), bell()];
        let [of_listener, of_prober, of_speaker] = ends;
        tasks.spawn(async move {
            let _bell = of_listener;
            listener.listen().await;
        });
        tasks.spawn(async move {
            let _bell = of_prober;
            prober.probe().await;
        });
        tasks.spawn(async move {
            let _bell = of_speaker;
            speaker.speak().await;
        });
        args.mailbox.bind(myself);
        Ok(tasks)
    }

    async fn handle(
        &self,
        _: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        _: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let (ReplicasMsg::Ended, _permit) = envelope.open();
        Err("one of its tasks has ended".into())
    }
}

impl ReplicasArgs {
    async fn listen(&self) {
        let mut wakes = Wakes::new(&self.link);
        let mut is_quiet = false;
        loop {
            match wakes.next().await {
                Ok(heard) => {
                    is_quiet = false;
                    if !self.events.is_known(&heard) && !self.tell(heard).await {
                        // Whoever was too busy looks everywhere when there is time.
                        while !self.tell(Heard::All).await {}
                    }
                }
                Err(error) => {
                    if !std::mem::replace(&mut is_quiet, true) {
                        warn!(actor = "replicas", %error, "not subscribed to what other processes append");
                    }
                    tokio::time::sleep(LISTEN_AGAIN).await;
                }
            }
        }
    }

    /// Passes on what was heard. Returns whether everybody took it.
    async fn tell(&self, heard: Heard) -> bool {
        let deadline = Instant::now() + TELL_WITHIN;
        let (show, change) = match heard {
            Heard::All => (BroadcasterMsg::LookAtAll, Some(DirectorMsg::Resync)),
            Heard::Wake(Wake {
                revision,
                epoch,
                next,
                channel,
                ..
            }) => {
                let change = (revision > 0).then(|| DirectorMsg::Changed {
                    channel: channel.clone(),
                    revision,
                });
                let show = BroadcasterMsg::Wake {
                    channel,
                    epoch,
                    next,
                    revision,
                };
                (show, change)
            }
        };
        let shown = self.broadcaster.send(show, deadline).await.is_ok();
        let changed = match change {
            Some(change) => self.director.send(change, deadline).await.is_ok(),
            None => true,
        };
        shown && changed
    }

    /// Lets commands through again when Redis answers, and has everything looked at that went wrong meanwhile.
    async fn probe(&self) {
        let up = self.metrics.redis_up();
        let mut ticks = tokio::time::interval(PROBE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let was_up = self.link.is_up();
            let is_up = self.link.probe().await.is_ok();
            up.set(if is_up { 1.0 } else { 0.0 });
            if is_up && !was_up {
                while !self.tell(Heard::All).await {}
            }
        }
    }

    async fn speak(&self) {
        let mut ticks = tokio::time::interval(Link::SAY_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut said: HashMap<String, usize> = HashMap::new();
        loop {
            ticks.tick().await;
            let deadline = Instant::now() + TELL_WITHIN;
            let viewers = self.broadcaster.ask(deadline, BroadcasterMsg::GetViewers);
            let Ok(viewers) = viewers.await else { continue };
            let now: HashMap<_, _> = viewers.into_iter().collect();
            // A channel that has lost its last viewer is named once more.
            said.retain(|channel, count| *count > 0 && !now.contains_key(channel));
            let gone = said.drain().map(|(channel, _)| (channel, 0));
            let word: Vec<_> = gone.chain(now.clone()).collect();
            // What is not heard is said again in a moment; until then the last word counts.
            if self.link.say(&word, self.clock.now_ms()).await.is_ok() {
                said = now;
            }
        }
    }
}
