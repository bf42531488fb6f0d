//! Outbox: the frames that one viewer has still to be sent, bounded in bytes.
//!
//! The broadcaster pushes and never waits; the viewer's task takes. A viewer that lets it fill up is closed: waiting
//! for it would make everybody late.

use crate::event::Frame;
use futures_util::task::AtomicWaker;
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
};

/// Why no more frames will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The viewer took its frames too slowly.
    TooSlow,
    /// The broadcaster restarted or the server is ending: come back with the position.
    GoingAway,
}

/// See the module.
#[derive(Debug)]
pub struct Outbox {
    max_bytes: usize,
    queue: Mutex<Queue>,
    waker: AtomicWaker,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Frame>,
    bytes: usize,
    closed: Option<Closed>,
}

impl Outbox {
    /// Creates an empty outbox that takes `max_bytes` of live frames.
    pub fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            queue: Mutex::default(),
            waker: AtomicWaker::new(),
        }
    }

    /// Queues a live frame. Returns false when the viewer is gone, or is now: its queue would overflow.
    pub fn push(&self, frame: Frame) -> bool {
        let mut queue = self.lock();
        if queue.closed.is_some() {
            return false;
        }
        let fits = queue.bytes + frame.len() <= self.max_bytes;
        if fits {
            queue.bytes += frame.len();
            queue.frames.push_back(frame);
        } else {
            queue.closed = Some(Closed::TooSlow);
        }
        drop(queue);
        self.waker.wake();
        fits
    }

    /// Queues what a viewer gets before the live stream. It is bounded by the channel's history, not by this outbox:
    /// a viewer that was away long enough to miss a lot is not slow.
    pub fn push_history(&self, frames: impl IntoIterator<Item = Frame>) {
        self.lock().frames.extend(frames);
        self.waker.wake();
    }

    /// Says that no more will come. The first reason counts.
    pub fn close(&self, reason: Closed) {
        self.lock().closed.get_or_insert(reason);
        self.waker.wake();
    }

    /// Moves the queued frames to `into`; ready with the reason when there are none and none will come. A viewer that
    /// was too slow gets nothing more: it comes back with its position instead.
    pub fn poll_take(
        &self,
        context: &mut Context<'_>,
        into: &mut VecDeque<Frame>,
    ) -> Poll<Result<(), Closed>> {
        self.waker.register(context.waker());
        let mut queue = self.lock();
        match queue.closed {
            Some(Closed::TooSlow) => return Poll::Ready(Err(Closed::TooSlow)),
            Some(reason) if queue.frames.is_empty() => return Poll::Ready(Err(reason)),
            None if queue.frames.is_empty() => return Poll::Pending,
            _ => {}
        }
        queue.bytes = 0;
        if into.is_empty() {
            std::mem::swap(&mut queue.frames, into);
        } else {
            into.append(&mut queue.frames);
        }
        Poll::Ready(Ok(()))
    }

    /// Ready when the viewer was too slow: for a task that cannot take frames, because the last ones have not left.
    pub fn poll_too_slow(&self, context: &mut Context<'_>) -> Poll<()> {
        self.waker.register(context.waker());
        match self.lock().closed {
            Some(Closed::TooSlow) => Poll::Ready(()),
            Some(Closed::GoingAway) | None => Poll::Pending,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        // Nothing panics while it is held, so a poisoned lock still guards a whole queue.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    fn take(outbox: &Outbox) -> Poll<Result<usize, Closed>> {
        let mut frames = VecDeque::new();
        let taken = outbox.poll_take(&mut Context::from_waker(Waker::noop()), &mut frames);
        taken.map_ok(|()| frames.len())
    }

    #[test]
    fn a_full_outbox_closes_and_the_frames_are_not_sent() {
        let frame = Frame::message(b"{\"x\":1}");
        let outbox = Outbox::new(frame.len() * 2);
        assert!(outbox.push(frame.clone()) && outbox.push(frame.clone()));
        assert!(!outbox.push(frame.clone()), "the third does not fit");
        assert!(!outbox.push(frame), "and it stays closed");
        assert_eq!(take(&outbox), Poll::Ready(Err(Closed::TooSlow)));
    }

    #[test]
    fn history_does_not_count_and_taking_makes_room() {
        let frame = Frame::message(b"{\"x\":1}");
        let outbox = Outbox::new(frame.len());
        outbox.push_history(vec![frame.clone(); 9]);
        assert!(outbox.push(frame.clone()));
        assert_eq!(take(&outbox), Poll::Ready(Ok(10)));
        assert_eq!(take(&outbox), Poll::Pending);
        assert!(outbox.push(frame));
        outbox.close(Closed::GoingAway);
        assert_eq!(
            take(&outbox),
            Poll::Ready(Ok(1)),
            "what was queued is still sent"
        );
        assert_eq!(take(&outbox), Poll::Ready(Err(Closed::GoingAway)));
    }
}
