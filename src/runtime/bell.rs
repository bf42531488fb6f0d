//! Bell: tells an actor that one of its tasks has ended, however that came about.

use ractor::{ActorRef, Message};

/// Sends its message to the actor when it is dropped: at the end of a task, when the task panics, when it is aborted.
/// ractor does not see the tasks of an actor; without a word from them, a panic in one would never be noticed.
#[derive(Debug)]
pub struct Bell<M: Message> {
    actor: ActorRef<M>,
    message: Option<M>,
}

impl<M: Message> Bell<M> {
    /// Creates a bell for the task to hold.
    pub fn new(actor: &ActorRef<M>, message: M) -> Self {
        Self {
            actor: actor.clone(),
            message: Some(message),
        }
    }
}

impl<M: Message> Drop for Bell<M> {
    fn drop(&mut self) {
        if let Some(message) = self.message.take() {
            // An actor that is gone has no tasks to look after.
            let _ = self.actor.cast(message);
        }
    }
}
