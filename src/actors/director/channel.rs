//! What one channel plays and has waiting. Pure: time is an argument.

use super::DirectorError;
use crate::{
    analysis::ShowTime,
    timeline::{ControlAction, Show, Timeline, WhenBusy},
};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// See the module. Kept in the log as JSON beside the events.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ChannelState {
    /// The show on the screens, or the one that was there last, or one that waits for its first answer.
    pub current: Option<Show>,
    /// Shows that wait, in order.
    pub queued: VecDeque<Show>,
}

impl ChannelState {
    /// Returns whether a show is on the screens, or about to be.
    pub(super) fn is_busy(&self, now: u64) -> bool {
        self.current
            .as_ref()
            .is_some_and(|show| !show.is_started() || !show.timeline().is_over(now))
    }

    pub(super) fn is_current(&self, id: &str) -> bool {
        self.current
            .as_ref()
            .is_some_and(|show| show.timeline().id == id)
    }

    /// Returns whether a show is on the screens and has nothing left to play until its next answer comes.
    pub(super) fn waits_for(&self, id: &str, now: u64) -> bool {
        let current = self
            .current
            .as_ref()
            .filter(|show| show.is_started() && show.timeline().id == id);
        current.is_some_and(|show| show.timeline().elapsed(now) >= show.timeline().duration_ms)
    }

    /// Gives a show its place: on the screens, or in the queue. One that has its place already keeps it: its caller asked
    /// again, because the answer got lost.
    pub(super) fn enqueue(
        &mut self,
        show: Show,
        when_busy: WhenBusy,
        max_queued: usize,
        now: u64,
    ) -> Result<(), DirectorError> {
        match when_busy {
            _ if self.find(&show.timeline().id).is_some() => {}
            _ if !self.is_busy(now) => self.current = Some(show),
            WhenBusy::Replace => self.current = Some(show),
            WhenBusy::Reject => return Err(DirectorError::Busy),
            WhenBusy::Queue if self.queued.len() >= max_queued => {
                return Err(DirectorError::Full(
                    "too many shows wait on this channel: stop some, or try later",
                ));
            }
            WhenBusy::Queue => self.queued.push_back(show),
        }
        Ok(())
    }

    /// Returns a show by its id.
    pub(super) fn find(&mut self, id: &str) -> Option<&mut Show> {
        self.current
            .iter_mut()
            .chain(&mut self.queued)
            .find(|show| show.timeline().id == id)
    }

    /// Starts the current show if it has something to play and has not begun. Returns whether it did.
    pub(super) fn start_current(&mut self, now: u64) -> bool {
        match &mut self.current {
            Some(show) if !show.is_started() && !show.is_empty() => {
                show.start(now);
                true
            }
            _ => false,
        }
    }

    /// Lets go of shows that are complete and have nothing to play, and starts the next one where that frees the
    /// screens.
    pub(super) fn drop_empty(&mut self, now: u64) {
        let is_void = |show: &Show| show.is_empty() && show.timeline().complete;
        self.queued.retain(|show| !is_void(show));
        if self.current.as_ref().is_some_and(is_void) {
            self.current = None;
            self.advance(now);
        }
    }

    /// Puts the next show on the screens when the current one is over. Returns whether what is played has changed.
    pub(super) fn advance(&mut self, now: u64) -> bool {
        if self.is_busy(now) {
            return false;
        }
        match self.queued.pop_front() {
            Some(next) => {
                self.current = Some(next);
                self.start_current(now)
            }
            None => false,
        }
    }

    /// Finishes a show that still grows, with what it has. Returns whether there was one.
    pub(super) fn complete_current(&mut self, now: u64) -> bool {
        let Some(show) = self
            .current
            .as_mut()
            .filter(|show| !show.timeline().complete)
        else {
            return false;
        };
        show.complete(now);
        self.drop_empty(now);
        true
    }

    /// Does what the host wants; returns the timeline that viewers get.
    pub(super) fn control(
        &mut self,
        action: ControlAction,
        now: u64,
    ) -> Result<Timeline, DirectorError> {
        let nothing = DirectorError::NothingToControl("nothing is playing on this channel");
        let Some(show) = self.current.as_mut().filter(|show| show.is_started()) else {
            return Err(nothing);
        };
        let (changed, otherwise) = match action {
            ControlAction::Stop => (show.stop(now), nothing),
            ControlAction::Pause => (
                show.pause(now),
                DirectorError::NothingToControl("there is no running show to pause"),
            ),
            ControlAction::Resume => (
                show.resume(now),
                DirectorError::NothingToControl("the show is not paused"),
            ),
            ControlAction::Skip => (
                show.skip(now),
                DirectorError::NothingToControl("there is nothing to skip to"),
            ),
        };
        if !changed {
            return Err(otherwise);
        }
        let timeline = show.timeline().clone();
        if action == ControlAction::Stop {
            self.queued.clear();
        }
        Ok(timeline)
    }

    /// Returns when the current show ends, as far as that is known.
    pub(super) fn ends_at(&self) -> Option<u64> {
        self.current
            .as_ref()
            .filter(|show| show.is_started())
            .and_then(|show| show.timeline().ends_at())
    }

    /// Returns when a show plays; for one that waits, the earliest moment that is possible from what is known now.
    pub(super) fn show_time(&self, id: &str, now: u64) -> Option<ShowTime> {
        let mut starts_at = now;
        for show in self.current.iter().chain(&self.queued) {
            let timeline = show.timeline();
            if show.is_started() {
                starts_at = timeline.starts_at;
            }
            if timeline.id == id {
                return Some(ShowTime {
                    id: id.to_owned(),
                    starts_at,
                    duration_ms: timeline.duration_ms,
                });
            }
            starts_at = (starts_at + timeline.duration_ms).max(now);
        }
        None
    }
}
