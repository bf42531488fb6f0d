//! Director: decides what each channel plays, and when.
//!
//! Flow: Analysis, http --Reserve, Cue, Finish, Play, Control--> [Director] --Append(timeline)--> Journal
//!       Replicas --Changed, Resync--> [Director]   (another process has changed what a channel plays)
//! Mailbox: `[director]` mailbox_capacity; senders wait up to wait_ms, then `overloaded`.
//! Crash: answers that came in the last second to a show that was not waiting for them. What a channel plays is kept in
//! the log with the event that announced it, and read back.
//! Metrics: those of its mailbox.
//!
//! A show is reserved when an analysis starts, grows with its answers, and is finished with the last one. One show
//! plays on a channel at a time; the others queue.
//!
//! Directors of several processes share a channel by its revision: an append that builds on an older one is refused,
//! the state is read again, and the request is handled once more.

mod caller;
mod channel;
mod growing;
mod message;
mod recovery;

pub use channel::ChannelState;
pub use message::{DirectorError, DirectorMsg, FinishRequest, PlayRequest, Played};

use super::journal::JournalMsg;
use crate::{
    clock::Clock,
    config,
    runtime::{AskError, Envelope, Mailbox, Permit, SendError},
    store::{Append, EventLog, StoreError},
    timeline::{ControlAction, Show, Staging, Timeline, WhenBusy},
};
use bytes::Bytes;
use caller::{Again, Caller, Ending, TRIES, UnderWay};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};
use tokio::{task::AbortHandle, time::Instant};
use tracing::Instrument as _;

/// How often a growing show is published while it has enough to play. Each event carries the whole timeline: published with
/// every answer, a long quiz would cost the square of its length.
const GROW_EVERY: Duration = Duration::from_secs(1);

/// What the director works with.
#[derive(Clone)]
pub struct DirectorArgs {
    /// Its limits.
    pub config: config::Director,
    /// What a second show on a busy channel does.
    pub when_busy: WhenBusy,
    /// A show that waits for answers is finished after this time without one: its analysis is gone.
    pub stale_after: Duration,
    /// Where others reach it.
    pub mailbox: Mailbox<DirectorMsg>,
    /// Who makes timelines durable and shows them.
    pub journal: Mailbox<JournalMsg>,
    /// Where it reads what was playing.
    pub log: Arc<dyn EventLog>,
    /// The server's clock.
    pub clock: Clock,
    /// Set by the first start in a process: analyses that were running then are gone. Set from the beginning where other
    /// processes share the log, since they may be running there.
    pub recovered: Arc<AtomicBool>,
}

impl DirectorArgs {
    /// What an analysis may take beyond its own time limit.
    pub const STALE_MARGIN: Duration = Duration::from_secs(5);
}

/// Its state.
pub struct State {
    args: DirectorArgs,
    myself: ActorRef<Envelope<DirectorMsg>>,
    /// Channels that play or have something waiting.
    channels: HashMap<String, Playing>,
}

/// A channel with something to play.
#[derive(Default)]
struct Playing {
    state: ChannelState,
    /// What the log calls this state, once everything that is on its way there has arrived.
    revision: u64,
    /// Appends on their way. Until they have arrived, the log cannot tell what is played.
    under_way: usize,
    /// Set when the log holds something else: it is read when nothing is on its way there.
    is_stale: bool,
    /// What is handled once more after that.
    again: Vec<Again>,
    timer: Option<AbortHandle>,
    /// Set while the show has grown since it was last published.
    growth: Option<AbortHandle>,
    /// When the timer will have waited long enough for a show that still grows.
    stale_at: Option<Instant>,
}

impl Drop for Playing {
    fn drop(&mut self) {
        for timer in self.timer.iter().chain(&self.growth) {
            timer.abort();
        }
    }
}

/// See the module.
pub struct Director;

impl Actor for Director {
    type Msg = Envelope<DirectorMsg>;
    type State = State;
    type Arguments = DirectorArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        let mut state = State {
            args,
            myself: myself.clone(),
            channels: HashMap::new(),
        };
        state.recover().await?;
        state.args.mailbox.bind(myself);
        Ok(state)
    }

    async fn handle(
        &self,
        _: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let span = envelope.span();
        let (message, permit) = envelope.open();
        let (message, permit, tries) = match message {
            DirectorMsg::Again(message, permit, tries) => (*message, permit, tries),
            message => (message, permit, TRIES),
        };
        let handled = state.on_message(message, permit, tries);
        handled.instrument(span).await;
        Ok(())
    }
}

impl State {
    /// Callers that have gone do not need their answer: hence the ignored replies.
    async fn on_message(&mut self, message: DirectorMsg, permit: Permit, tries: u8) {
        macro_rules! caller {
            ($reply:ident) => {
                Caller {
                    reply: $reply,
                    permit,
                    tries,
                }
            };
        }
        match message {
            DirectorMsg::Reserve {
                channel,
                analysis_id,
                staging,
                reply,
            } => {
                let (id, timing) = (analysis_id.clone(), staging.timing);
                let show = Show::new(id, Some(analysis_id), channel, timing);
                self.on_reserve(show, staging, caller!(reply)).await;
            }
            DirectorMsg::Cue {
                channel,
                analysis_id,
                question,
                cues,
            } => self.on_cue(&channel, &analysis_id, question, cues).await,
            DirectorMsg::Finish(request, reply) => self.on_finish(request, caller!(reply)).await,
            DirectorMsg::Play(request, reply) => self.on_play(request, caller!(reply)).await,
            DirectorMsg::Control {
                channel,
                action,
                reply,
            } => self.on_control(&channel, action, caller!(reply)).await,
            DirectorMsg::GetShow { channel, reply } => {
                drop(reply.send(self.on_get_show(&channel).await));
            }
            DirectorMsg::Grow(channel) => self.on_grow(&channel).await,
            DirectorMsg::Ended(channel) => self.on_ended(&channel).await,
            DirectorMsg::Kept {
                channel,
                kept,
                again,
            } => self.on_kept(channel, kept, again).await,
            DirectorMsg::Changed { channel, revision } => self.on_changed(channel, revision).await,
            DirectorMsg::Resync => self.on_resync().await,
            DirectorMsg::Again(..) => debug_assert!(false, "it was opened by the handler"),
        }
    }

    fn when_busy(&self, staging: Staging) -> WhenBusy {
        staging.when_busy.unwrap_or(self.args.when_busy)
    }

    async fn on_play(&mut self, request: PlayRequest, caller: Caller<Played>) {
        let now = self.args.clock.now_ms();
        let same = request.clone();
        let PlayRequest {
            channel,
            analysis_id,
            staging,
            cues,
            skipped,
            events,
        } = request;
        let before = match self.load(&channel).await {
            Ok(state) => state.clone(),
            Err(error) => return caller.refuse(error),
        };
        let id = analysis_id
            .clone()
            .unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
        let timing = staging.timing;
        let mut show = Show::new(id.clone(), analysis_id, channel.clone(), timing);
        show.add(cues, now);
        skipped
            .into_iter()
            .for_each(|question| show.skip_question(question));
        show.complete(now);
        let (when_busy, max_queued) = (self.when_busy(staging), self.max_queued());
        let state = &mut self.channel(&channel).state;
        let queued = match show.is_empty() {
            true => Ok(()),
            false => state.enqueue(show, when_busy, max_queued, now),
        };
        if let Err(error) = queued {
            self.settle(&channel);
            return caller.refuse(error);
        }
        let started = state.start_current(now);
        let time = state.show_time(&id, now);
        let ending = caller.ending(
            move |position| Played {
                show: time,
                position,
            },
            |reply| DirectorMsg::Play(same, reply),
        );
        // A publication that fails has told the caller by itself.
        let _ = match started {
            true => {
                self.publish_timeline(&channel, events, before, ending)
                    .await
            }
            false => self.publish(&channel, events, before, ending).await,
        };
    }

    async fn on_control(&mut self, channel: &str, action: ControlAction, caller: Caller<Timeline>) {
        let now = self.args.clock.now_ms();
        let before = match self.load(channel).await {
            Ok(state) => state.clone(),
            Err(error) => return caller.refuse(error),
        };
        let timeline = match self.channel(channel).state.control(action, now) {
            Ok(timeline) => timeline,
            Err(error) => {
                self.settle(channel);
                return caller.refuse(error);
            }
        };
        let event = crate::event::body(&timeline);
        let name = channel.to_owned();
        let ending = caller.ending(
            |_| timeline,
            move |reply| DirectorMsg::Control {
                channel: name,
                action,
                reply,
            },
        );
        let _ = self.publish(channel, vec![event], before, ending).await;
    }

    async fn on_get_show(
        &mut self,
        channel: &str,
    ) -> Result<(Option<Timeline>, usize), DirectorError> {
        let now = self.args.clock.now_ms();
        let state = self.load(channel).await?;
        let timeline = state
            .current
            .as_ref()
            .filter(|show| show.is_started() && !show.timeline().is_over(now));
        let answer = (
            timeline.map(|show| show.timeline().clone()),
            state.queued.len(),
        );
        self.settle(channel);
        Ok(answer)
    }

    async fn on_ended(&mut self, channel: &str) {
        let now = self.args.clock.now_ms();
        let Some(playing) = self.channels.get_mut(channel) else {
            return;
        };
        let before = playing.state.clone();
        let is_stale = playing.stale_at.is_some_and(|at| at <= Instant::now());
        if playing.state.advance(now) || (is_stale && playing.state.complete_current(now)) {
            // When the journal does not take it, the next control, cue or show tries again.
            let _ = self
                .publish_timeline(channel, Vec::new(), before, Box::new(|_| None))
                .await;
        } else {
            self.settle(channel);
        }
    }

    /// Publishes what the channel plays now, as an event for its viewers behind `events`.
    async fn publish_timeline(
        &mut self,
        channel: &str,
        mut events: Vec<Bytes>,
        before: ChannelState,
        ending: Ending,
    ) -> Result<(), DirectorError> {
        if let Some(growth) = self.channel(channel).growth.take() {
            growth.abort();
        }
        let current = self
            .channel(channel)
            .state
            .current
            .as_ref()
            .filter(|show| show.is_started());
        events.extend(current.map(|show| crate::event::body(show.timeline())));
        self.publish(channel, events, before, ending).await
    }

    /// Hands events, and what the channel plays from now on, to the journal; goes back to `before` when it is refused.
    async fn publish(
        &mut self,
        channel: &str,
        events: Vec<Bytes>,
        before: ChannelState,
        ending: Ending,
    ) -> Result<(), DirectorError> {
        let playing = self.channel(channel);
        let (state, replaces) = (crate::event::body(&playing.state), playing.revision);
        playing.revision += 1;
        playing.under_way += 1;
        let under_way = UnderWay::new(&self.myself, channel);
        let entry = Append {
            channel: channel.to_owned(),
            events,
            state: Some(state),
            replaces,
        };
        let message = JournalMsg::Append {
            entry,
            committed: Box::new(move |outcome| under_way.end(outcome, ending)),
        };
        let deadline = Instant::now() + Duration::from_millis(self.args.config.wait_ms);
        let sent = self.args.journal.send(message, deadline).await;
        let outcome = sent.map_err(|refused| {
            self.channel(channel).state = before;
            let (error, message) = match refused {
                SendError::Overloaded(message) => (AskError::Overloaded, message),
                SendError::Down(message) => (AskError::Down, message),
            };
            if let JournalMsg::Append { committed, .. } = message {
                committed(Err(StoreError::Failed(
                    "the journal takes no events now".to_owned(),
                )));
            }
            DirectorError::Journal(error)
        });
        self.settle(channel);
        outcome
    }

    fn max_queued(&self) -> usize {
        self.args.config.max_queued_shows
    }

    fn channel(&mut self, channel: &str) -> &mut Playing {
        if !self.channels.contains_key(channel) {
            self.channels.insert(channel.to_owned(), Playing::default());
        }
        self.channels
            .get_mut(channel)
            .expect("it was just inserted")
    }
}

#[cfg(test)]
mod tests;
