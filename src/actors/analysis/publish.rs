//! An analysis' events on their way to the journal.

use super::{State, question::again};
use crate::{
    actors::journal::{Committed, JournalMsg},
    runtime::AskError,
    store::{Append, Position},
};
use bytes::Bytes;
use tokio::sync::oneshot;

impl State {
    /// Hands an event to the journal; returns when it is on its way, not when it is durable.
    pub(super) async fn publish(&self, channel: &str, event: Bytes) -> Result<(), AskError> {
        let message = append(channel, event, Box::new(|_| ()));
        Ok(self.args.journal.send(message, self.args.deadline).await?)
    }

    /// Hands an event to the journal and returns its position when it is durable. Hands it over again when the journal
    /// died over it: an event of the whole set may come twice, but not never.
    pub(super) async fn publish_and_wait(&self, channel: &str, event: &Bytes) -> Option<Position> {
        let (journal, deadline) = (&self.args.journal, self.args.deadline);
        let append = || async {
            let (committed, position) = oneshot::channel();
            let committed = Box::new(move |outcome| drop(committed.send(outcome)));
            journal
                .send(append(channel, event.clone(), committed), deadline)
                .await?;
            match tokio::time::timeout_at(deadline, position).await {
                Ok(outcome) => outcome.map_err(|_| AskError::Down),
                Err(_) => Err(AskError::TimedOut),
            }
        };
        again(append).await.ok()?.ok()
    }
}

fn append(channel: &str, event: Bytes, committed: Committed) -> JournalMsg {
    JournalMsg::Append {
        entry: Append {
            channel: channel.to_owned(),
            events: vec![event],
            state: None,
            replaces: 0,
        },
        committed,
    }
}
