//! How a channel follows its stream: what is published here, what other processes append, what a viewer has missed.

use super::{Channel, Gathered, frame, playing};
use crate::{
    actors::broadcaster::Published,
    event::Frame,
    store::{EventLog, Kept, Position, StoreError},
};

/// Events read from the log at a time.
const READ_AT_ONCE: usize = 1_024;

impl Channel {
    /// Returns the events after `since`; `None` when they are not all there any more.
    pub(super) async fn missed(
        &self,
        name: &str,
        since: Position,
        log: &dyn EventLog,
    ) -> Result<Option<Vec<Frame>>, StoreError> {
        let Some(head) = self.head else {
            return Ok(None);
        };
        if since.epoch != head.epoch || since.offset >= head.next {
            return Ok(None);
        }
        let from = since.offset + 1;
        let oldest_recent = self
            .recent
            .front()
            .and_then(Frame::offset)
            .unwrap_or(head.next);
        if from >= oldest_recent {
            let skip = usize::try_from(from - oldest_recent).unwrap_or(usize::MAX);
            return Ok(Some(self.recent.iter().skip(skip).cloned().collect()));
        }
        let mut frames = self
            .read(name, since.offset, oldest_recent, head.epoch, log)
            .await?;
        if frames.first().and_then(Frame::offset) != Some(from) {
            return Ok(None);
        }
        frames.extend(self.recent.iter().cloned());
        Ok(Some(frames))
    }

    /// Reads the events after `after` and before `end`.
    async fn read(
        &self,
        name: &str,
        mut after: u64,
        end: u64,
        epoch: u64,
        log: &dyn EventLog,
    ) -> Result<Vec<Frame>, StoreError> {
        let mut frames = Vec::new();
        loop {
            let events = log.read(name.to_owned(), after, READ_AT_ONCE).await?;
            let Some(last) = events.last() else {
                return Ok(frames);
            };
            after = last.offset;
            frames.extend(
                events
                    .iter()
                    .filter(|event| event.offset < end)
                    .map(|event| frame(event, epoch)),
            );
            if after + 1 >= end {
                return Ok(frames);
            }
        }
    }

    /// Returns whether every event of this stream before `next` has been gathered, and what was played at `revision` is
    /// known.
    pub(in crate::actors::broadcaster) fn has_shown(
        &self,
        epoch: u64,
        next: u64,
        revision: u64,
    ) -> bool {
        let head = self.head.filter(|head| head.epoch == epoch);
        head.is_some_and(|head| head.next >= next) && self.revision >= revision
    }

    /// Gathers events for all viewers. Those that this channel has already got from the log are left out; those that it
    /// missed are read from there.
    pub(in crate::actors::broadcaster) async fn publish(
        &mut self,
        published: Published,
        log: &dyn EventLog,
    ) -> Result<Gathered, StoreError> {
        let Published {
            channel,
            head,
            first,
            events,
            state,
        } = published;
        let Some(next) = self.next(head.epoch) else {
            return Ok(Gathered::Lost);
        };
        if next >= head.next && self.head.is_some() && state.is_none() {
            return Ok(Gathered::More);
        }
        let mut frames = Vec::with_capacity(events.len());
        if next < first {
            frames = self
                .read(&channel, next - 1, first, head.epoch, log)
                .await?;
            if frames.len() as u64 != first - next {
                return Ok(Gathered::Lost);
            }
        }
        let fresh = (first..).zip(&events).filter(|(offset, _)| *offset >= next);
        frames.extend(fresh.map(|(offset, body)| {
            Frame::event(
                body,
                Position {
                    epoch: head.epoch,
                    offset,
                },
            )
        }));
        if self.head.is_none_or(|known| known.next <= head.next) {
            self.head = Some(head);
            if state.is_some() {
                self.plays(state);
            }
        }
        Ok(self.gather(frames))
    }

    /// Shows what the log holds behind what was shown.
    pub(in crate::actors::broadcaster) async fn catch_up(
        &mut self,
        name: &str,
        log: &dyn EventLog,
    ) -> Result<Gathered, StoreError> {
        // In one round trip where the log is a server.
        let after = self.head.map_or(0, |head| head.next - 1);
        let (head, events, state) = tokio::join!(
            log.head(name.to_owned()),
            log.read(name.to_owned(), after, READ_AT_ONCE),
            log.state(name.to_owned()),
        );
        let (events, state) = (events?, state?);
        let Some(head) = head? else {
            return Ok(match self.head {
                Some(_) => Gathered::Lost,
                None => Gathered::More,
            });
        };
        let Some(next) = self.next(head.epoch) else {
            return Ok(Gathered::Lost);
        };
        if head.next < next {
            // What viewers have seen is not in the log any more, and other events will take its offsets.
            log.renew(name.to_owned(), head.epoch).await?;
            return Ok(Gathered::Lost);
        }
        let mut frames: Vec<_> = events
            .iter()
            .filter(|event| event.offset < head.next)
            .map(|event| frame(event, head.epoch))
            .collect();
        let reached = events.last().map_or(next - 1, |event| event.offset);
        if reached + 1 < head.next {
            let rest = self.read(name, reached, head.next, head.epoch, log);
            frames.extend(rest.await?);
        }
        if frames.len() as u64 != head.next - next {
            return Ok(Gathered::Lost);
        }
        self.head = Some(head);
        self.plays(state);
        Ok(self.gather(frames))
    }

    pub(super) fn plays(&mut self, kept: Option<Kept>) {
        self.revision = kept.as_ref().map_or(0, |kept| kept.revision);
        self.playing = kept.and_then(|kept| playing(&kept.state));
    }

    /// Returns the offset of the event to show next; `None` when the stream is another one.
    fn next(&self, epoch: u64) -> Option<u64> {
        match self.head {
            Some(known) if known.epoch == epoch => Some(known.next),
            Some(_) => None,
            // The channel had no events when it was loaded.
            None => Some(1),
        }
    }
}
