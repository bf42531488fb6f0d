//! The seam over ractor: bounded mailboxes, a supervisor, back-off, and a probe for tests. Knows no actor.

pub mod backoff;
pub mod bell;
pub mod mailbox;
#[cfg(test)]
pub mod probe;
pub mod supervisor;

pub use backoff::Backoff;
pub use bell::Bell;
pub use mailbox::{AskError, Envelope, Mailbox, Permit, Reply, SendError};
pub use supervisor::{ChildSpec, Strategy, Supervisor, SupervisorArgs, SupervisorHandle};
