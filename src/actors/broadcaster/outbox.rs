//! Outbox: the frames that one viewer has still to be sent, bounded in bytes.
//!
//! The broadcaster pushes and never waits. Where nothing waits already, the frames leave at once, by the broadcaster's
//! own hand: to wake the viewer's task for it would cost more than the system call. What does not fit into the socket is
//! queued, and the viewer's task takes it. A viewer that lets its queue fill up is closed: waiting for it would make
//! everybody late.

use crate::event::{Batch, Frame};
use futures_util::task::AtomicWaker;
use std::{
    collections::VecDeque,
    fmt::Debug,
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

/// A viewer's socket, as far as the broadcaster may write to it.
pub trait Direct: Debug + Send + Sync + 'static {
    /// Writes a run of whole frames if that can be done now and nothing waits before them.
    fn try_send(&self, frames: &Batch) -> Sent;
}

/// No socket: all frames go through the queue.
#[derive(Debug)]
pub struct Indirect;

impl Direct for Indirect {
    fn try_send(&self, _: &Batch) -> Sent {
        Sent::Nothing
    }
}

/// What became of an attempt to write at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// All has left.
    Whole,
    /// A part has left. The rest waits at the socket, and the viewer's task must see to it.
    Partly,
    /// Nothing has left.
    Nothing,
}

/// What became of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// The frames have left.
    Sent,
    /// They are on their way.
    Queued,
    /// The viewer is gone, or is now: its queue would overflow.
    Gone,
}

/// See the module. The socket is part of it: with many viewers each step to other memory costs as much as a lock.
#[derive(Debug)]
pub struct Outbox<D: ?Sized = dyn Direct> {
    max_bytes: usize,
    queue: Mutex<Queue>,
    waker: AtomicWaker,
    direct: D,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Frame>,
    bytes: usize,
    closed: Option<Closed>,
}

impl<D> Outbox<D> {
    /// Creates an empty outbox that takes `max_bytes` of live frames.
    pub fn new(max_bytes: usize, direct: D) -> Self {
        Self {
            max_bytes,
            queue: Mutex::default(),
            waker: AtomicWaker::new(),
            direct,
        }
    }
}

impl<D: Direct + ?Sized> Outbox<D> {
    /// Returns the viewer's socket.
    pub fn direct(&self) -> &D {
        &self.direct
    }

    /// Sends live frames at once, or queues them.
    pub fn push(&self, batch: &Batch) -> Pushed {
        let mut queue = self.lock();
        if queue.closed.is_some() {
            return Pushed::Gone;
        }
        // What waits goes first.
        let sent = match queue.frames.is_empty() {
            true => self.direct.try_send(batch),
            false => Sent::Nothing,
        };
        let pushed = match sent {
            Sent::Whole => return Pushed::Sent,
            Sent::Partly => Pushed::Queued,
            Sent::Nothing => {
                let bytes = queue.bytes + batch.websocket().len();
                if bytes <= self.max_bytes {
                    queue.bytes = bytes;
                    queue.frames.extend(batch.frames.iter().cloned());
                    Pushed::Queued
                } else {
                    queue.close(Closed::TooSlow);
                    Pushed::Gone
                }
            }
        };
        drop(queue);
        self.waker.wake();
        pushed
    }

    /// Queues what a viewer gets before the live stream. It is bounded by the channel's history, not by this outbox:
    /// a viewer that was away long enough to miss a lot is not slow.
    pub fn push_history(&self, frames: impl IntoIterator<Item = Frame>) {
        self.lock().frames.extend(frames);
        self.waker.wake();
    }

    /// Says that no more will come. The first reason counts.
    pub fn close(&self, reason: Closed) {
        self.lock().close(reason);
        self.waker.wake();
    }

    /// Hands over the queued frames, before anything newer can leave; ready with the reason when there are none and none
    /// will come. A viewer that was too slow gets nothing more: it comes back with its position instead.
    pub fn poll_take(
        &self,
        context: &mut Context<'_>,
        take: impl FnMut(Frame),
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
        queue.frames.drain(..).for_each(take);
        // Most viewers never need it again.
        queue.frames.shrink_to(0);
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

impl Queue {
    fn close(&mut self, reason: Closed) {
        self.closed.get_or_insert(reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    fn take(outbox: &Outbox<impl Direct>) -> Poll<Result<usize, Closed>> {
        let mut count = 0;
        let taken = outbox.poll_take(&mut Context::from_waker(Waker::noop()), |_| count += 1);
        taken.map_ok(|()| count)
    }

    fn batch() -> Batch {
        Batch::of(vec![Frame::message(b"{\"x\":1}")]).unwrap()
    }

    /// Takes what its script says.
    #[derive(Debug, Default)]
    struct Socket(Mutex<VecDeque<Sent>>);

    impl Direct for Socket {
        fn try_send(&self, _: &Batch) -> Sent {
            self.0
                .lock()
                .unwrap()
                .pop_front()
                .expect("nothing was to be sent")
        }
    }

    #[test]
    fn a_full_outbox_closes_and_the_frames_are_not_sent() {
        let batch = batch();
        let outbox = Outbox::new(batch.websocket().len() * 2, Indirect);
        assert_eq!(outbox.push(&batch), Pushed::Queued);
        assert_eq!(outbox.push(&batch), Pushed::Queued);
        assert_eq!(outbox.push(&batch), Pushed::Gone, "the third does not fit");
        assert_eq!(outbox.push(&batch), Pushed::Gone, "and it stays closed");
        assert_eq!(take(&outbox), Poll::Ready(Err(Closed::TooSlow)));
    }

    #[test]
    fn history_does_not_count_and_taking_makes_room() {
        let batch = batch();
        let outbox = Outbox::new(batch.websocket().len(), Indirect);
        outbox.push_history(vec![batch.frames[0].clone(); 9]);
        assert_eq!(outbox.push(&batch), Pushed::Queued);
        assert_eq!(take(&outbox), Poll::Ready(Ok(10)));
        assert_eq!(take(&outbox), Poll::Pending);
        assert_eq!(outbox.push(&batch), Pushed::Queued);
        outbox.close(Closed::GoingAway);
        assert_eq!(
            take(&outbox),
            Poll::Ready(Ok(1)),
            "what was queued is still sent"
        );
        assert_eq!(take(&outbox), Poll::Ready(Err(Closed::GoingAway)));
    }

    #[test]
    fn frames_leave_at_once_while_nothing_waits_and_never_overtake() {
        let outbox = Outbox::new(1_000, Socket::default());
        let script = |sent: &[Sent]| outbox.direct().0.lock().unwrap().extend(sent);
        script(&[Sent::Whole, Sent::Partly, Sent::Nothing]);
        assert_eq!(outbox.push(&batch()), Pushed::Sent);
        assert_eq!(outbox.push(&batch()), Pushed::Queued);
        assert_eq!(take(&outbox), Poll::Pending, "the rest waits at the socket");
        assert_eq!(outbox.push(&batch()), Pushed::Queued);
        assert_eq!(
            outbox.push(&batch()),
            Pushed::Queued,
            "behind the one before"
        );
        assert_eq!(take(&outbox), Poll::Ready(Ok(2)));
        script(&[Sent::Whole]);
        assert_eq!(outbox.push(&batch()), Pushed::Sent);
        outbox.close(Closed::GoingAway);
        assert_eq!(outbox.push(&batch()), Pushed::Gone);
    }
}
