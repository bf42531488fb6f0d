//! Timeline: answers and timing in, segments out; the value at any moment is a pure function of both.
//!
//! Pure: time is an argument, in milliseconds since the Unix epoch. A [`Show`] is a timeline together with what is
//! needed to let it grow; a [`Timeline`] is what clients get (contracts, section 3).

mod show;

pub use show::{Cue, Show};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a second show on a busy channel does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenBusy {
    /// Plays after the running one.
    Queue,
    /// Takes its place at once.
    Replace,
    /// Is refused.
    Reject,
}

/// What the host can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ControlAction {
    /// Ends the show and empties the queue.
    Stop,
    /// Holds the frame.
    Pause,
    /// Goes on.
    Resume,
    /// Jumps to the next answer, then the finale, then the end.
    Skip,
}

/// How a show is put on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Staging {
    /// How long each part takes.
    pub timing: Timing,
    /// What to do on a busy channel; `None` for the configured way.
    pub when_busy: Option<WhenBusy>,
}

/// How long each part of a show takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Timing {
    /// Milliseconds from 0 to the answer.
    pub rise_ms: u64,
    /// Milliseconds the answer stands.
    pub hold_ms: u64,
    /// Milliseconds back to 0.
    pub fall_ms: u64,
    /// Milliseconds of rest before the next answer.
    pub rest_ms: u64,
    /// Value of the finale.
    pub finale_value: u32,
    /// Milliseconds the finale stands.
    pub finale_hold_ms: u64,
}

impl Timing {
    /// Milliseconds from the start of one answer to the start of the next.
    pub const fn cycle_ms(&self) -> u64 {
        self.rise_ms + self.hold_ms + self.fall_ms + self.rest_ms
    }
}

impl From<&crate::config::Timeline> for Timing {
    fn from(config: &crate::config::Timeline) -> Self {
        Self {
            rise_ms: config.rise_ms,
            hold_ms: config.hold_ms,
            fall_ms: config.fall_ms,
            rest_ms: config.rest_ms,
            finale_value: config.finale_value,
            finale_hold_ms: config.finale_hold_ms,
        }
    }
}

/// What a segment shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SegmentKind {
    /// The number climbs.
    Rise,
    /// The number stands.
    Hold,
    /// The number returns to 0.
    Fall,
    /// Nothing, before what comes next.
    Rest,
    /// The end of the show stands.
    Finale,
}

/// A stretch of time over which the number goes from one value to another, evenly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Segment {
    /// What it shows.
    pub kind: SegmentKind,
    /// The question it belongs to, counted from 1; `None` for the finale and its rise.
    pub question: Option<u32>,
    /// Milliseconds from the start of the timeline.
    pub at_ms: u64,
    /// Length in milliseconds.
    pub dur_ms: u64,
    /// Value at its start.
    pub from: u32,
    /// Value at its end.
    pub to: u32,
    /// Probability that the answer shown is right, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
}

/// One show on one channel, as every client gets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename = "timeline", rename_all = "camelCase")]
#[schemars(transform = crate::schema::tagged("timeline"))]
pub struct Timeline {
    /// The show's id.
    pub id: String,
    /// The analysis it came from; `None` for answers that were sent to be displayed.
    pub analysis_id: Option<String>,
    /// Where it plays.
    pub channel: String,
    /// Grows by one with every change.
    pub revision: u64,
    /// When it starts, in milliseconds since the Unix epoch.
    pub starts_at: u64,
    /// When it was paused; the frame of that moment is held.
    pub paused_at: Option<u64>,
    /// Milliseconds from `starts_at` to the end of the last segment. From there on the value is 0.
    pub duration_ms: u64,
    /// In order of time. Between two of them there may be a gap, in which the value is 0.
    pub segments: Vec<Segment>,
    /// Questions without an answer, counted from 1.
    pub skipped: Vec<u32>,
    /// Whether all answers are in; an incomplete timeline grows.
    pub complete: bool,
}

impl Timeline {
    /// Returns the milliseconds played at `now`; 0 before the start.
    pub fn elapsed(&self, now: u64) -> u64 {
        self.paused_at.unwrap_or(now).saturating_sub(self.starts_at)
    }

    /// Returns the segment on the screens at `now`.
    pub fn segment_at(&self, now: u64) -> Option<&Segment> {
        if self.paused_at.unwrap_or(now) < self.starts_at || self.is_past(now) {
            return None;
        }
        let elapsed = self.elapsed(now);
        let next = self
            .segments
            .partition_point(|segment| segment.at_ms <= elapsed);
        self.segments[..next]
            .last()
            .filter(|segment| elapsed < segment.at_ms + segment.dur_ms)
    }

    /// Returns the number on the screens at `now`.
    pub fn value_at(&self, now: u64) -> f64 {
        let Some(segment) = self.segment_at(now) else {
            return 0.0;
        };
        #[expect(
            clippy::cast_precision_loss,
            reason = "durations are far below 2^52 ms"
        )]
        let part = (self.elapsed(now) - segment.at_ms) as f64 / segment.dur_ms as f64;
        f64::from(segment.from) + (f64::from(segment.to) - f64::from(segment.from)) * part
    }

    /// Returns when it ends; `None` while it is paused or still grows.
    pub fn ends_at(&self) -> Option<u64> {
        (self.complete && self.paused_at.is_none()).then_some(self.starts_at + self.duration_ms)
    }

    /// Returns whether it has ended for good at `now`.
    pub fn is_over(&self, now: u64) -> bool {
        self.complete && self.is_past(now)
    }

    fn is_past(&self, now: u64) -> bool {
        self.elapsed(now) >= self.duration_ms
    }
}
