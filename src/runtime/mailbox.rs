//! Mailbox: a bounded, restart-proof address of an actor.
//!
//! ractor's own mailboxes are unbounded. The bound here is a permit that travels inside the envelope, so whatever ends
//! a message (handled, dropped, panic, kill) gives its place back. A handler that goes on working in a task moves the
//! permit into that task: running work then counts too.
//!
//! The sender picks the verb, because the sender knows what loss means:
//! [`Mailbox::send`] waits with a limit, [`Mailbox::try_send`] rejects now, [`Mailbox::offer`] drops and counts.

use crate::metrics::MailboxMetrics;
use ractor::{ActorRef, ActorStatus, Message, MessagingErr};
use std::sync::Arc;
use thiserror::Error;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch},
    time::Instant,
};
use tracing::Span;

/// Where an actor sends the answer to a question.
pub type Reply<T> = oneshot::Sender<T>;

/// A place in a mailbox; given back when dropped.
#[derive(Debug, Default)]
pub struct Permit {
    _place: Option<Place>,
}

#[derive(Debug)]
struct Place {
    _permit: OwnedSemaphorePermit,
    depth: metrics::Gauge,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.depth.decrement(1.0);
    }
}

/// A message with its permit, as an actor receives it.
#[derive(Debug)]
pub struct Envelope<M> {
    message: M,
    permit: Permit,
    sent: Option<(Instant, metrics::Histogram)>,
    span: Span,
    /// Faults under test enter here: the one place that every message of every actor passes.
    #[cfg(test)]
    deadly: bool,
}

impl<M> Envelope<M> {
    /// Wraps a message that an actor sends to itself. It takes no place: a full mailbox must not keep an actor from
    /// hearing of its own finished work, and that work is bounded by the permits it holds.
    pub fn internal(message: M) -> Self {
        Self {
            message,
            permit: Permit { _place: None },
            sent: None,
            span: Span::current(),
            #[cfg(test)]
            deadly: false,
        }
    }

    /// Returns the span that its sender was in: what is done about it belongs there.
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// Returns the message and its permit, and records how long it waited.
    pub fn open(self) -> (M, Permit) {
        #[cfg(test)]
        assert!(!self.deadly, "an actor was made to die");
        if let Some((at, wait)) = self.sent {
            wait.record(at.elapsed().as_secs_f64());
        }
        (self.message, self.permit)
    }
}

/// Why a message was not delivered; it comes back.
#[derive(Error)]
pub enum SendError<M> {
    /// The mailbox is full, and stayed so for as long as the sender would wait.
    #[error("the mailbox is full")]
    Overloaded(M),
    /// No actor is behind the mailbox: it is restarting or gone.
    #[error("the actor is down")]
    Down(M),
}

impl<M> std::fmt::Debug for SendError<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Overloaded(_) => "Overloaded",
            Self::Down(_) => "Down",
        })
    }
}

/// Why a question got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AskError {
    /// The mailbox is full.
    #[error("the mailbox is full")]
    Overloaded,
    /// The actor is down, or died over the question.
    #[error("the actor is down")]
    Down,
    /// The deadline passed.
    #[error("no answer in time")]
    TimedOut,
}

impl<M> From<SendError<M>> for AskError {
    fn from(error: SendError<M>) -> Self {
        match error {
            SendError::Overloaded(_) => Self::Overloaded,
            SendError::Down(_) => Self::Down,
        }
    }
}

/// The address of an actor. Cheap to clone; stays valid when the actor is restarted.
pub struct Mailbox<M: Message>(Arc<Shared<M>>);

struct Shared<M: Message> {
    actor: watch::Sender<Option<ActorRef<Envelope<M>>>>,
    places: Arc<Semaphore>,
    capacity: usize,
    metrics: MailboxMetrics,
    #[cfg(test)]
    deadly: std::sync::atomic::AtomicBool,
}

impl<M: Message> Clone for Mailbox<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: Message> std::fmt::Debug for Mailbox<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailbox")
            .field("depth", &self.depth())
            .field("capacity", &self.0.capacity)
            .finish()
    }
}

impl<M: Message> Mailbox<M> {
    /// Creates a mailbox with room for `capacity` messages, waiting and being worked on. No actor is behind it yet.
    pub fn new(capacity: usize, metrics: MailboxMetrics) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a capacity is far below 2^52")]
        metrics.capacity.set(capacity as f64);
        let places = Arc::new(Semaphore::new(capacity));
        Self(Arc::new(Shared {
            actor: watch::Sender::new(None),
            places,
            capacity,
            metrics,
            #[cfg(test)]
            deadly: false.into(),
        }))
    }

    /// Makes the next message deadly to the actor that opens it.
    #[cfg(test)]
    pub(crate) fn make_next_deadly(&self) {
        self.0
            .deadly
            .store(true, std::sync::atomic::Ordering::SeqCst);
    }

    /// Puts an actor behind the mailbox. Each actor does this in its `pre_start`, so after a restart too.
    pub fn bind(&self, actor: ActorRef<Envelope<M>>) {
        self.0.actor.send_replace(Some(actor));
    }

    /// Returns how many messages are waiting or being worked on.
    pub fn depth(&self) -> usize {
        self.0.capacity - self.0.places.available_permits()
    }

    /// Returns whether an actor is behind the mailbox and takes messages.
    pub fn is_up(&self) -> bool {
        let actor = self.0.actor.borrow();
        actor.as_ref().is_some_and(|actor| {
            matches!(
                actor.get_status(),
                ActorStatus::Starting | ActorStatus::Running
            )
        })
    }

    /// Delivers the message, waiting until `deadline` for a place, and for a restart to end.
    ///
    /// # Errors
    /// [`SendError::Overloaded`] when there was no place in time, [`SendError::Down`] when there was no actor in time.
    pub async fn send(&self, message: M, deadline: Instant) -> Result<(), SendError<M>> {
        let mut actor = self.0.actor.subscribe();
        let permit = match Arc::clone(&self.0.places).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                match tokio::time::timeout_at(deadline, Arc::clone(&self.0.places).acquire_owned())
                    .await
                {
                    Ok(Ok(permit)) => permit,
                    Ok(Err(_)) | Err(_) => return Err(self.reject(message)),
                }
            }
        };
        let mut envelope = self.envelope(message, permit);
        loop {
            actor.mark_unchanged();
            match self.deliver(envelope) {
                Ok(()) => return Ok(()),
                Err(undelivered) => envelope = undelivered,
            }
            if !matches!(
                tokio::time::timeout_at(deadline, actor.changed()).await,
                Ok(Ok(()))
            ) {
                return Err(SendError::Down(envelope.message));
            }
        }
    }

    /// Delivers the message now or not at all.
    ///
    /// # Errors
    /// [`SendError::Overloaded`] when the mailbox is full, [`SendError::Down`] when no actor is behind it.
    pub fn try_send(&self, message: M) -> Result<(), SendError<M>> {
        match Arc::clone(&self.0.places).try_acquire_owned() {
            Ok(permit) => {
                let envelope = self.envelope(message, permit);
                self.deliver(envelope)
                    .map_err(|envelope| SendError::Down(envelope.message))
            }
            Err(_) => Err(self.reject(message)),
        }
    }

    /// Delivers the message if it can be done now; otherwise drops it. The drop is counted with the rejections.
    pub fn offer(&self, message: M) {
        if let Err(SendError::Down(_)) = self.try_send(message) {
            self.0.metrics.rejected.increment(1);
        }
    }

    /// Sends a question and waits for its answer, both until `deadline`.
    ///
    /// # Errors
    /// See [`AskError`]. After [`AskError::TimedOut`] and [`AskError::Down`] the actor may have done the work.
    pub async fn ask<T: Send>(
        &self,
        deadline: Instant,
        message: impl FnOnce(Reply<T>) -> M,
    ) -> Result<T, AskError> {
        let (reply, answer) = oneshot::channel();
        self.send(message(reply), deadline).await?;
        match tokio::time::timeout_at(deadline, answer).await {
            Ok(answer) => answer.map_err(|_| AskError::Down),
            Err(_) => Err(AskError::TimedOut),
        }
    }

    fn reject(&self, message: M) -> SendError<M> {
        self.0.metrics.rejected.increment(1);
        SendError::Overloaded(message)
    }

    fn envelope(&self, message: M, permit: OwnedSemaphorePermit) -> Envelope<M> {
        let depth = self.0.metrics.depth.clone();
        depth.increment(1.0);
        let permit = Permit {
            _place: Some(Place {
                _permit: permit,
                depth,
            }),
        };
        Envelope {
            message,
            permit,
            sent: Some((Instant::now(), self.0.metrics.wait.clone())),
            span: Span::current(),
            #[cfg(test)]
            deadly: self
                .0
                .deadly
                .swap(false, std::sync::atomic::Ordering::SeqCst),
        }
    }

    fn deliver(&self, envelope: Envelope<M>) -> Result<(), Envelope<M>> {
        match self.0.actor.borrow().as_ref() {
            None => Err(envelope),
            Some(actor) => actor.cast(envelope).map_err(|error| match error {
                MessagingErr::SendErr(envelope) => envelope,
                MessagingErr::ChannelClosed | MessagingErr::InvalidActorType => {
                    unreachable!("a typed reference gives the message back")
                }
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::probe::Probe;
    use std::time::Duration;

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(50)
    }

    #[tokio::test(start_paused = true)]
    async fn rejects_when_full_and_counts_running_work() {
        let (mailbox, mut probe) = Probe::<u32>::spawn(2).await;
        mailbox.try_send(1).unwrap();
        mailbox.try_send(2).unwrap();
        assert!(matches!(mailbox.try_send(3), Err(SendError::Overloaded(3))));
        let before = Instant::now();
        assert!(matches!(
            mailbox.send(4, soon()).await,
            Err(SendError::Overloaded(4))
        ));
        assert_eq!(before.elapsed(), Duration::from_millis(50));
        let (first, permit) = probe.next().await;
        assert_eq!(
            (first, mailbox.depth()),
            (1, 2),
            "taken out, but still being worked on"
        );
        drop(permit);
        assert_eq!(mailbox.depth(), 1);
        mailbox.try_send(5).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiting_sender_gets_the_place_that_becomes_free() {
        let (mailbox, mut probe) = Probe::<u32>::spawn(1).await;
        mailbox.try_send(1).unwrap();
        let sender = tokio::spawn({
            let mailbox = mailbox.clone();
            async move { mailbox.send(2, soon()).await }
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        drop(probe.next().await);
        sender.await.unwrap().unwrap();
        assert_eq!(probe.next().await.0, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn offer_drops_when_full() {
        let (mailbox, mut probe) = Probe::<u32>::spawn(1).await;
        mailbox.offer(1);
        mailbox.offer(2);
        assert_eq!(probe.next().await.0, 1);
        probe.expect_nothing().await;
    }

    #[tokio::test(start_paused = true)]
    async fn send_waits_for_a_restart() {
        let mailbox = Mailbox::<u32>::new(1, MailboxMetrics::noop());
        assert!(matches!(mailbox.try_send(1), Err(SendError::Down(1))));
        assert!(matches!(
            mailbox.send(1, soon()).await,
            Err(SendError::Down(1))
        ));
        assert_eq!(
            mailbox.depth(),
            0,
            "an undelivered message gives its place back"
        );
        let sender = tokio::spawn({
            let mailbox = mailbox.clone();
            async move { mailbox.send(7, soon()).await }
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        let mut probe = Probe::behind(&mailbox, 1).await;
        sender.await.unwrap().unwrap();
        assert_eq!(probe.next().await.0, 7);
        probe.stop().await;
        assert!(
            matches!(mailbox.try_send(8), Err(SendError::Down(8))),
            "a stopped actor is down"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn ask_tells_silence_from_death() {
        let (mailbox, mut probe) = Probe::<Reply<u32>>::spawn(1).await;
        let ask = |mailbox: Mailbox<Reply<u32>>| {
            tokio::spawn(async move { mailbox.ask(soon(), |reply| reply).await })
        };
        let answered = ask(mailbox.clone());
        probe.next().await.0.send(5).unwrap();
        assert_eq!(answered.await.unwrap(), Ok(5));
        let dropped = ask(mailbox.clone());
        drop(probe.next().await);
        assert_eq!(dropped.await.unwrap(), Err(AskError::Down));
        let silent = ask(mailbox.clone());
        let held = probe.next().await;
        assert_eq!(silent.await.unwrap(), Err(AskError::TimedOut));
        drop(held);
    }
}
