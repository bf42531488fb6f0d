//! Callers: they are answered when the log has spoken, or their request is handled once more.

use super::{DirectorError, DirectorMsg};
use crate::{
    runtime::{Envelope, Permit, Reply},
    store::{Position, StoreError},
};
use ractor::ActorRef;

/// How often a request is handled again when other processes were faster.
pub(super) const TRIES: u8 = 3;

/// A request to handle again, the place that it holds, and how often it may be handled after that.
pub(super) type Again = (Box<DirectorMsg>, Permit, u8);

/// How a publication ends: whoever waits is told, or wants it again.
pub(super) type Ending = Box<dyn FnOnce(Result<Position, DirectorError>) -> Option<Again> + Send>;

/// Somebody who waits for an answer.
pub(super) struct Caller<T> {
    pub(super) reply: Reply<Result<T, DirectorError>>,
    pub(super) permit: Permit,
    /// How often the request may be handled once more when another process was faster.
    pub(super) tries: u8,
}

impl<T: Send + 'static> Caller<T> {
    /// Answers that it cannot be done. A caller that has gone does not need its answer.
    pub(super) fn refuse(self, error: DirectorError) {
        drop(self.reply.send(Err(error)));
    }

    /// Returns what to do when the log has spoken: answer, or make the request again with `again`.
    pub(super) fn ending(
        self,
        answer: impl FnOnce(Position) -> T + Send + 'static,
        again: impl FnOnce(Reply<Result<T, DirectorError>>) -> DirectorMsg + Send + 'static,
    ) -> Ending {
        Box::new(move |outcome| match outcome {
            Err(DirectorError::Store(StoreError::Conflict)) if self.tries > 0 => {
                Some((Box::new(again(self.reply)), self.permit, self.tries - 1))
            }
            outcome => {
                drop(self.reply.send(outcome.map(answer)));
                None
            }
        })
    }
}

/// An append on its way. Tells the director how it ended, however that came about.
pub(super) struct UnderWay {
    myself: ActorRef<Envelope<DirectorMsg>>,
    channel: String,
    kept: bool,
    again: Option<Again>,
}

impl UnderWay {
    pub(super) fn new(myself: &ActorRef<Envelope<DirectorMsg>>, channel: &str) -> Self {
        Self {
            myself: myself.clone(),
            channel: channel.to_owned(),
            kept: false,
            again: None,
        }
    }

    /// Ends it, with the log's word.
    pub(super) fn end(mut self, outcome: Result<Position, StoreError>, ending: Ending) {
        self.kept = outcome.is_ok();
        self.again = ending(outcome.map_err(DirectorError::from));
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let message = DirectorMsg::Kept {
            channel: std::mem::take(&mut self.channel),
            kept: self.kept,
            again: self.again.take(),
        };
        // When the director is gone, its successor reads the log anyway.
        let _ = self.myself.cast(Envelope::internal(message));
    }
}
