//! One channel: its viewers, the latest of its events, where its stream stands.

mod stream;

use super::{Closed, Outbox, ViewerId, outbox::Pushed};
use crate::{
    actors::director::ChannelState,
    config,
    event::{Batch, Connection, Frame, Gap},
    metrics::WebSocket,
    store::{EventLog, Head, LoggedEvent, Position, StoreError},
    timeline::{Show, Timeline},
};
use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// Bytes of events that are shown without waiting for more: a fraction of what a viewer may have queued.
const ENOUGH: usize = 65_536;
/// The longest that events wait for others to be shown with: a third of a frame on screen.
const LONGEST_WAIT: Duration = Duration::from_millis(5);

/// What became of publishing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gathered {
    /// The first of some: somebody must see to it that they are shown.
    First,
    /// Some more, or nothing new.
    More,
    /// So many that they must be shown now.
    Enough,
    /// Nothing: the events that come next are no longer kept, or the stream began anew.
    Lost,
}

/// See the module.
pub(super) struct Channel {
    viewers: HashMap<ViewerId, Arc<Outbox>>,
    /// `None` before the channel's first event.
    head: Option<Head>,
    /// The latest events without a hole, up to those that have been gathered.
    recent: VecDeque<Frame>,
    /// Events that are shown in a moment, together.
    gathered: Vec<Frame>,
    /// How long the next ones wait for others.
    wait: Duration,
    playing: Option<Playing>,
    /// Revision of what `playing` was read from.
    revision: u64,
}

/// The latest timeline, read and written once for all viewers to come.
struct Playing {
    timeline: Timeline,
    json: Box<RawValue>,
}

impl Drop for Channel {
    /// When the broadcaster dies, its viewers must learn of it.
    fn drop(&mut self) {
        self.viewers
            .values()
            .for_each(|outbox| outbox.close(Closed::GoingAway));
    }
}

impl Channel {
    /// Reads where a channel stands, and its latest events.
    pub(super) async fn load(
        name: &str,
        log: &dyn EventLog,
        recent_events: usize,
    ) -> Result<Self, StoreError> {
        let head = log.head(name.to_owned()).await?;
        let mut recent = VecDeque::new();
        if let Some(head) = head {
            let after = (head.next - 1).saturating_sub(recent_events as u64);
            let events = log.read(name.to_owned(), after, recent_events).await?;
            // An append may have come between the two reads; its publication brings the same events.
            recent.extend(
                events
                    .iter()
                    .filter(|event| event.offset < head.next)
                    .map(|event| frame(event, head.epoch)),
            );
        }
        let kept = log.state(name.to_owned()).await?;
        let mut channel = Self {
            viewers: HashMap::new(),
            head,
            recent,
            gathered: Vec::new(),
            wait: Duration::ZERO,
            playing: None,
            revision: 0,
        };
        channel.plays(kept);
        Ok(channel)
    }

    pub(super) fn viewers(&self) -> usize {
        self.viewers.len()
    }

    pub(super) fn leave(&mut self, viewer: ViewerId) -> bool {
        self.viewers.remove(&viewer).is_some()
    }

    /// Closes so many viewers at most; returns how many.
    pub(super) fn send_away(&mut self, most: usize) -> usize {
        let some: Vec<_> = self.viewers.keys().take(most).copied().collect();
        for viewer in &some {
            if let Some(outbox) = self.viewers.remove(viewer) {
                outbox.close(Closed::GoingAway);
            }
        }
        some.len()
    }

    pub(super) fn position(&self) -> Option<Position> {
        self.head.map(|head| head.position())
    }

    /// Adds a viewer: `connection`, then what it missed, then (by [`Channel::publish`]) the live stream. Returns how
    /// the recovery went, for one that asked for it.
    pub(super) async fn subscribe(
        &mut self,
        viewer: ViewerId,
        name: &str,
        since: Option<Position>,
        outbox: Arc<Outbox>,
        log: &dyn EventLog,
        now: u64,
    ) -> Result<Option<&'static str>, StoreError> {
        let missed = match since {
            Some(since) => self.missed(name, since, log).await?,
            None => None,
        };
        let state = self
            .playing
            .as_ref()
            .filter(|p| !p.timeline.is_over(now))
            .map(|p| p.json.clone());
        let connection = Connection {
            message: "connected to quiz-stats",
            timestamp: now,
            protocol: 1,
            server_time: now,
            channel: name,
            position: self.position(),
            recovered: missed.is_some(),
            state: state.clone(),
        };
        let mut frames = vec![message(&connection)];
        let outcome = match (since, missed) {
            (None, _) => None,
            (Some(_), Some(missed)) => {
                frames.extend(missed);
                Some("recovered")
            }
            (Some(since), None) => {
                let to = self.position().map_or(0, |position| position.offset);
                frames.push(message(&Gap {
                    channel: name,
                    from: since.offset.saturating_add(1),
                    to,
                    state,
                }));
                Some("gap")
            }
        };
        outbox.push_history(frames);
        self.viewers.insert(viewer, outbox);
        Ok(outcome)
    }

    fn gather(&mut self, frames: Vec<Frame>) -> Gathered {
        let was_empty = self.gathered.is_empty();
        self.gathered.extend(frames);
        let bytes: usize = self.gathered.iter().map(Frame::len).sum();
        match bytes {
            0 => Gathered::More,
            ENOUGH.. => Gathered::Enough,
            _ if was_empty => Gathered::First,
            _ => Gathered::More,
        }
    }

    /// Returns how long the first of some events waits for others.
    pub(super) fn wait(&self) -> Duration {
        self.wait
    }

    /// Shows what was gathered. Returns how many viewers were closed.
    pub(super) fn flush(&mut self, config: &config::Broadcaster, metrics: &WebSocket) -> usize {
        let (before, began) = (self.viewers.len(), Instant::now());
        let Some(batch) = Batch::of(std::mem::take(&mut self.gathered)) else {
            return 0;
        };
        let mut sent = 0_u64;
        self.viewers.retain(|_, outbox| {
            let pushed = outbox.push(&batch);
            sent += u64::from(pushed == Pushed::Sent);
            pushed != Pushed::Gone
        });
        if sent > 0 {
            metrics
                .messages_sent
                .increment(sent * batch.frames.len() as u64);
            let delay = batch.frames[0].published().elapsed();
            metrics.delivery_delay.record(delay.as_secs_f64());
        }
        // Publishers that wait until everybody has their events publish again all at once, when a write ends. Without a
        // wait, half of them would be written while the other half is on its way, in turns for ever.
        self.wait = match batch.frames.len() {
            1 => Duration::ZERO,
            _ => (began.elapsed() / 2).min(LONGEST_WAIT),
        };
        self.recent.extend(batch.frames);
        let surplus = self.recent.len().saturating_sub(config.recent_events);
        self.recent.drain(..surplus);
        before - self.viewers.len()
    }
}

/// Reads the current timeline out of what a channel plays.
fn playing(state: &Bytes) -> Option<Playing> {
    let show = serde_json::from_slice::<ChannelState>(state)
        .ok()?
        .current
        .filter(Show::is_started)?;
    let timeline = show.timeline().clone();
    let json = serde_json::value::to_raw_value(&timeline).expect("a timeline is plain data");
    Some(Playing { timeline, json })
}

fn frame(event: &LoggedEvent, epoch: u64) -> Frame {
    Frame::event(
        &event.body,
        Position {
            epoch,
            offset: event.offset,
        },
    )
}

fn message(message: &impl Serialize) -> Frame {
    Frame::message(&serde_json::to_vec(message).expect("messages are plain data"))
}
