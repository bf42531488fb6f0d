//! Show: a timeline that grows as answers arrive and obeys the host.

use super::{Segment, SegmentKind, Timeline, Timing};
use serde::{Deserialize, Serialize};

/// One number to be shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cue {
    /// The question it answers, counted from 1.
    pub question: u32,
    /// The number.
    pub value: u32,
    /// Probability that it is right, 0 to 1.
    pub confidence: Option<f64>,
    /// Milliseconds from the start of the show; set when it is placed.
    #[serde(default)]
    at_ms: u64,
}

impl Cue {
    /// Creates a cue that has no place yet.
    pub const fn new(question: u32, value: u32, confidence: Option<f64>) -> Self {
        Self {
            question,
            value,
            confidence,
            at_ms: 0,
        }
    }
}

/// A show being played, or about to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Show {
    timing: Timing,
    cues: Vec<Cue>,
    started: bool,
    timeline: Timeline,
}

impl Show {
    /// Creates a show with nothing to play yet. Until [`Show::start`] it only collects.
    pub fn new(id: String, analysis_id: Option<String>, channel: String, timing: Timing) -> Self {
        let timeline = Timeline {
            id,
            analysis_id,
            channel,
            revision: 0,
            starts_at: 0,
            paused_at: None,
            duration_ms: 0,
            segments: Vec::new(),
            skipped: Vec::new(),
            complete: false,
        };
        Self {
            timing,
            cues: Vec::new(),
            started: false,
            timeline,
        }
    }

    /// Returns what clients get.
    pub const fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// Returns whether there is anything to show.
    pub const fn is_empty(&self) -> bool {
        self.cues.is_empty()
    }

    /// Returns whether a question's answer, or its lack of one, is known.
    pub fn knows(&self, question: u32) -> bool {
        self.cues.iter().any(|cue| cue.question == question)
            || self.timeline.skipped.contains(&question)
    }

    /// Adds cues. Those not yet begun are played in the order of their questions; begun ones stay where they are.
    /// After [`Show::complete`] this does nothing.
    pub fn add(&mut self, cues: impl IntoIterator<Item = Cue>, now: u64) {
        if self.timeline.complete {
            return;
        }
        let begun = self.begun(now);
        self.cues.extend(cues);
        self.cues[begun..].sort_by_key(|cue| cue.question);
        self.place(begun, now);
    }

    /// Notes that a question has no answer.
    pub fn skip_question(&mut self, question: u32) {
        if let Err(place) = self.timeline.skipped.binary_search(&question) {
            self.timeline.skipped.insert(place, question);
            self.timeline.revision += 1;
        }
    }

    /// Says that no more cues will come: the finale follows the last one.
    pub fn complete(&mut self, now: u64) {
        if !self.timeline.complete {
            self.timeline.complete = true;
            self.place(self.begun(now), now);
        }
    }

    /// Starts a show at `now`.
    pub fn start(&mut self, now: u64) {
        self.started = true;
        self.timeline.starts_at = now;
        self.timeline.revision += 1;
    }

    /// Returns whether it has been started.
    pub const fn is_started(&self) -> bool {
        self.started
    }

    /// Holds the frame of `now`. Returns whether anything changed.
    pub fn pause(&mut self, now: u64) -> bool {
        let running = self.timeline.paused_at.is_none() && !self.timeline.is_over(now);
        if running {
            self.timeline.paused_at = Some(now);
            self.timeline.revision += 1;
        }
        running
    }

    /// Goes on where it was paused. Returns whether anything changed.
    pub fn resume(&mut self, now: u64) -> bool {
        let Some(paused_at) = self.timeline.paused_at.take() else {
            return false;
        };
        self.timeline.starts_at += now.saturating_sub(paused_at);
        self.timeline.revision += 1;
        true
    }

    /// Jumps to the next cue, to the finale after the last one, or to the end. Returns whether anything changed.
    pub fn skip(&mut self, now: u64) -> bool {
        let elapsed = self.timeline.elapsed(now);
        let starts = self
            .cues
            .iter()
            .map(|cue| cue.at_ms)
            .chain([self.cues_end(), self.timeline.duration_ms]);
        let Some(next) = starts.filter(|at| *at > elapsed).min() else {
            return false;
        };
        self.timeline.starts_at = self.timeline.starts_at.saturating_sub(next - elapsed);
        self.timeline.revision += 1;
        true
    }

    /// Ends the show. Returns whether anything changed.
    pub fn stop(&mut self, now: u64) -> bool {
        if self.timeline.is_over(now) {
            return false;
        }
        let elapsed = self.timeline.elapsed(now);
        self.timeline
            .segments
            .retain(|segment| segment.at_ms < elapsed);
        self.timeline.duration_ms = elapsed;
        self.timeline.complete = true;
        self.timeline.paused_at = None;
        self.timeline.revision += 1;
        true
    }

    fn elapsed(&self, now: u64) -> u64 {
        if self.started {
            self.timeline.elapsed(now)
        } else {
            0
        }
    }

    /// How many cues are on the screens or were.
    fn begun(&self, now: u64) -> usize {
        if self.started {
            self.cues
                .partition_point(|cue| cue.at_ms <= self.timeline.elapsed(now))
        } else {
            0
        }
    }

    fn cues_end(&self) -> u64 {
        self.cues
            .last()
            .map_or(0, |cue| cue.at_ms + self.timing.cycle_ms())
    }

    /// Lays out everything from cue number `begun` on, no earlier than `now`.
    fn place(&mut self, begun: usize, now: u64) {
        let elapsed = self.elapsed(now);
        let mut at = match begun {
            0 => elapsed,
            _ => (self.cues[begun - 1].at_ms + self.timing.cycle_ms()).max(elapsed),
        };
        for cue in &mut self.cues[begun..] {
            cue.at_ms = at;
            at += self.timing.cycle_ms();
        }
        let timing = self.timing;
        let mut segments: Vec<Segment> = self
            .cues
            .iter()
            .flat_map(|cue| cycle(cue, timing))
            .collect();
        if self.timeline.complete && !self.cues.is_empty() {
            segments.extend(finale(at, timing));
        }
        // A part of no length cannot be on a screen.
        segments.retain(|segment| segment.dur_ms > 0);
        self.timeline.duration_ms = segments
            .last()
            .map_or(0, |segment| segment.at_ms + segment.dur_ms);
        self.timeline.segments = segments;
        self.timeline.revision += 1;
    }
}

fn cycle(cue: &Cue, timing: Timing) -> [Segment; 4] {
    let mut at_ms = cue.at_ms;
    let mut segment = |kind, dur_ms, from, to| {
        let segment = Segment {
            kind,
            question: Some(cue.question),
            at_ms,
            dur_ms,
            from,
            to,
            confidence: cue.confidence,
        };
        at_ms += dur_ms;
        segment
    };
    [
        segment(SegmentKind::Rise, timing.rise_ms, 0, cue.value),
        segment(SegmentKind::Hold, timing.hold_ms, cue.value, cue.value),
        segment(SegmentKind::Fall, timing.fall_ms, cue.value, 0),
        segment(SegmentKind::Rest, timing.rest_ms, 0, 0),
    ]
}

fn finale(at: u64, timing: Timing) -> [Segment; 2] {
    let segment = |kind, at_ms, dur_ms, from| Segment {
        kind,
        question: None,
        at_ms,
        dur_ms,
        from,
        to: timing.finale_value,
        confidence: None,
    };
    [
        segment(SegmentKind::Rise, at, timing.rise_ms, 0),
        segment(
            SegmentKind::Finale,
            at + timing.rise_ms,
            timing.finale_hold_ms,
            timing.finale_value,
        ),
    ]
}

#[cfg(test)]
mod tests;
