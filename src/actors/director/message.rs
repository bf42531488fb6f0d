//! What the director is told, and what it answers.

use crate::{
    analysis::ShowTime,
    runtime::{AskError, Permit, Reply},
    store::{Position, StoreError},
    timeline::{ControlAction, Cue, Staging, Timeline},
};
use bytes::Bytes;

/// Why a show cannot be played or controlled.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DirectorError {
    /// The channel plays another show.
    #[error("the channel is busy with another show")]
    Busy,
    /// Too many shows wait, or too many channels play.
    #[error("{0}")]
    Full(&'static str),
    /// There is nothing that the action could apply to.
    #[error("{0}")]
    NothingToControl(&'static str),
    /// The journal did not take the event.
    #[error("the event stream does not take events now")]
    Journal(AskError),
    /// The log failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was published.
#[derive(Debug, Clone)]
pub struct Played {
    /// When the show plays; `None` when there is nothing to show.
    pub show: Option<ShowTime>,
    /// Where the channel's stream stands now.
    pub position: Position,
}

/// A whole show at once.
#[derive(Debug, Clone)]
pub struct PlayRequest {
    /// Where.
    pub channel: String,
    /// The analysis it comes from.
    pub analysis_id: Option<String>,
    /// How.
    pub staging: Staging,
    /// What to show.
    pub cues: Vec<Cue>,
    /// Questions without an answer.
    pub skipped: Vec<u32>,
    /// Events to publish just before the timeline.
    pub events: Vec<Bytes>,
}

/// The end of a growing show.
#[derive(Debug, Clone)]
pub struct FinishRequest {
    /// Where.
    pub channel: String,
    /// The show.
    pub analysis_id: String,
    /// All questions with their cues, once more: those that were lost on their way are added.
    pub answers: Vec<(u32, Vec<Cue>)>,
}

/// What it is told.
#[derive(Debug)]
pub enum DirectorMsg {
    /// From Analysis: a show will come. It takes its place in the queue now.
    Reserve {
        /// Where.
        channel: String,
        /// The analysis, which names the show from here on.
        analysis_id: String,
        /// How.
        staging: Staging,
        /// Whether it may.
        reply: Reply<Result<(), DirectorError>>,
    },
    /// From Analysis: one question is answered; no cues when it has no answer.
    Cue {
        /// Where.
        channel: String,
        /// The show.
        analysis_id: String,
        /// The question, counted from 1.
        question: u32,
        /// One per selected option.
        cues: Vec<Cue>,
    },
    /// From Analysis, or from Analyses when that has died: no more cues will come. Answered with when it plays; `None` when
    /// there is nothing to show.
    Finish(
        FinishRequest,
        Reply<Result<Option<ShowTime>, DirectorError>>,
    ),
    /// From http and Analysis: a whole show at once.
    Play(PlayRequest, Reply<Result<Played, DirectorError>>),
    /// From http: the host acts.
    Control {
        /// Where.
        channel: String,
        /// What.
        action: ControlAction,
        /// The timeline afterwards.
        reply: Reply<Result<Timeline, DirectorError>>,
    },
    /// From http: what a channel plays, and how many shows wait.
    GetShow {
        /// Where.
        channel: String,
        /// The answer.
        reply: Reply<Result<(Option<Timeline>, usize), DirectorError>>,
    },
    /// From its own timer: the channel's show has grown.
    Grow(String),
    /// From its own timer: the channel's show has ended, or got no answer for long.
    Ended(String),
    /// From its own append, which has ended.
    Kept {
        /// Where.
        channel: String,
        /// Whether the log holds it; otherwise what the channel plays is read again.
        kept: bool,
        /// A request that is handled once more after that, because another process was faster.
        again: Option<(Box<DirectorMsg>, Permit, u8)>,
    },
    /// From itself: that request, and how often it may be made after this.
    Again(Box<DirectorMsg>, Permit, u8),
    /// From Replicas: another process has changed what a channel plays.
    Changed {
        /// Where.
        channel: String,
        /// The revision of what it plays now.
        revision: u64,
    },
    /// From Replicas: changes may have been missed; read again what every channel plays.
    Resync,
}
