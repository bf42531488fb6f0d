//! Probe: a stand-in for any actor in tests; what arrives can be taken out, held, and asserted on.

use super::mailbox::{Envelope, Mailbox, Permit};
use crate::metrics::MailboxMetrics;
use ractor::{Actor, ActorProcessingErr, ActorRef, Message};
use std::{marker::PhantomData, time::Duration};
use tokio::sync::mpsc;

/// The receiving end of a mailbox, held by a test.
pub struct Probe<M: Message> {
    actor: ActorRef<Envelope<M>>,
    arrived: mpsc::Receiver<(M, Permit)>,
}

/// Holds no `M`, so it can be shared whatever `M` is.
struct Forward<M>(PhantomData<fn(M)>);

impl<M: Message> Actor for Forward<M> {
    type Msg = Envelope<M>;
    type State = mpsc::Sender<(M, Permit)>;
    type Arguments = (Mailbox<M>, mpsc::Sender<(M, Permit)>);

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        (mailbox, out): Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        mailbox.bind(myself);
        Ok(out)
    }

    async fn handle(
        &self,
        _: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        out: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        // A probe that was dropped swallows what still arrives, as a stopped test should.
        let _ = out.try_send(envelope.open());
        Ok(())
    }
}

impl<M: Message> Probe<M> {
    /// Creates a mailbox of `capacity` with a probe behind it.
    pub async fn spawn(capacity: usize) -> (Mailbox<M>, Self) {
        let mailbox = Mailbox::new(capacity, MailboxMetrics::noop());
        let probe = Self::behind(&mailbox, capacity).await;
        (mailbox, probe)
    }

    /// Puts a probe behind an existing mailbox.
    pub async fn behind(mailbox: &Mailbox<M>, capacity: usize) -> Self {
        let (out, arrived) = mpsc::channel(capacity);
        let (actor, _) = Actor::spawn(None, Forward(PhantomData), (mailbox.clone(), out))
            .await
            .unwrap();
        Self { actor, arrived }
    }

    /// Returns the next message, with its permit; panics when none comes within ten (virtual) seconds.
    pub async fn next(&mut self) -> (M, Permit) {
        tokio::time::timeout(Duration::from_secs(10), self.arrived.recv())
            .await
            .expect("a message arrives")
            .expect("the probe's actor lives")
    }

    /// Panics when a message is there or comes within a (virtual) second.
    pub async fn expect_nothing(&mut self) {
        let nothing = tokio::time::timeout(Duration::from_secs(1), self.arrived.recv()).await;
        assert!(nothing.is_err(), "nothing should arrive");
    }

    /// Ends the actor behind the mailbox.
    pub async fn stop(&self) {
        self.actor.stop_and_wait(None, None).await.unwrap();
    }
}
