//! EgressGuard: opens the way out for each page, and decides where it leads.
//!
//! Flow: PageReader --Open--> [EgressGuard] --> Gate (a loopback proxy of that page alone, see `egress`)
//! Mailbox: `[egress]` mailbox_capacity; senders wait until their page's deadline.
//! Crash: nothing is lost; open gates belong to their pages.
//! Metrics: those of its mailbox.

use crate::{
    egress::{Dialer, Gate, Opening},
    runtime::{Envelope, Mailbox, Reply},
};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tracing::warn;

/// What the guard works with.
#[derive(Clone)]
pub struct EgressGuardArgs {
    /// Where others reach it.
    pub mailbox: Mailbox<EgressGuardMsg>,
    /// Who dials, by the rules of `[egress]`.
    pub dialer: Dialer,
}

/// What it is asked.
#[derive(Debug)]
pub enum EgressGuardMsg {
    /// From a page's reader: a way out.
    Open(Opening, Reply<Gate>),
}

/// See the module.
pub struct EgressGuard;

impl Actor for EgressGuard {
    type Msg = Envelope<EgressGuardMsg>;
    type State = Dialer;
    type Arguments = EgressGuardArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        args.mailbox.bind(myself);
        Ok(args.dialer)
    }

    async fn handle(
        &self,
        _: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        dialer: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let (EgressGuardMsg::Open(opening, reply), _permit) = envelope.open();
        match Gate::open(opening, dialer.clone()).await {
            // A reader that has gone closes its gate by dropping it.
            Ok(gate) => drop(reply.send(gate)),
            // Out of files or ports: the dropped reply tells the reader.
            Err(error) => warn!(actor = "egress_guard", %error, "no gate can be opened"),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
