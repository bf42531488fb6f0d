//! What the broadcaster is told, and what it answers.

use super::Outbox;
use crate::{
    runtime::Reply,
    store::{Head, Kept, Position, StoreError},
};
use bytes::Bytes;
use std::sync::Arc;
use tokio::time::Instant;

/// Events of one channel that are durable now.
#[derive(Debug)]
pub struct Published {
    /// The channel's name.
    pub channel: String,
    /// Where the stream stands after them.
    pub head: Head,
    /// Offset of the first of them.
    pub first: u64,
    /// Their bodies.
    pub events: Vec<Bytes>,
    /// What the channel plays from now on, when that changed.
    pub state: Option<Kept>,
}

/// Names a viewer.
pub type ViewerId = u64;

/// What it is told.
#[derive(Debug)]
pub enum BroadcasterMsg {
    /// From Journal: show these.
    Publish(Published),
    /// From Replicas: another process has appended.
    Wake {
        /// Where.
        channel: String,
        /// Names the stream.
        epoch: u64,
        /// Offset that its next event will get.
        next: u64,
        /// Revision of what the channel plays; 0 when that has not changed.
        revision: u64,
    },
    /// From Journal after a failure, and from its own timer: see what the log holds for a channel.
    Look(String),
    /// From Replicas: see what the log holds for every channel; wake-ups may have been missed.
    LookAtAll,
    /// From Replicas: how many follow each channel here.
    GetViewers(Reply<Vec<(String, usize)>>),
    /// From http: a viewer follows a channel. Its outbox gets `connection`, what it missed, then the live stream.
    Subscribe {
        /// Who.
        viewer: ViewerId,
        /// What.
        channel: String,
        /// The last event it saw.
        since: Option<Position>,
        /// Where its frames go.
        outbox: Arc<Outbox>,
        /// Answered when the frames are in the outbox.
        reply: Reply<Result<(), SubscribeError>>,
    },
    /// From http: a viewer leaves a channel.
    Unsubscribe {
        /// Who.
        viewer: ViewerId,
        /// What.
        channel: String,
    },
    /// From App: send all viewers away, spread in time until then. They come back elsewhere, all at once if they left so.
    Farewell {
        /// When the last must have gone.
        until: Instant,
        /// Answered when none is left.
        reply: Reply<()>,
    },
    /// From itself: show what has gathered for a channel.
    Flush(String),
    /// From its own timer: send some more away.
    SendAway,
    /// From http: how many follow a channel, and where its stream stands.
    GetChannel {
        /// Which.
        channel: String,
        /// The answer.
        reply: Reply<Result<ChannelInfo, StoreError>>,
    },
}

/// A channel, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelInfo {
    /// Where its stream stands; `None` before its first event.
    pub position: Option<Position>,
    /// How many follow it on this process.
    pub viewers: usize,
}

/// Why a viewer was not let in.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SubscribeError {
    /// The house is full.
    #[error("too many viewers")]
    Full,
    /// The log cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}
