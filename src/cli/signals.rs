//! SIGINT (Ctrl-C) and SIGTERM: the two ways in which a process is asked to stop.

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens from its creation on, so that no signal is missed while a command starts.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

/// A signal ended the work. Nobody needs to be told: whoever sent it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopped by signal {0}")]
pub(super) struct Interrupted(u8);

impl Interrupted {
    /// Returns the exit code that shells give to a process which a signal ended.
    pub(super) const fn exit_code(self) -> u8 {
        128 + self.0
    }
}

impl Signals {
    /// From here on the signals no longer end the process by themselves.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    /// Is ready with the next signal.
    pub(super) async fn next(&mut self) -> Interrupted {
        tokio::select! {
            _ = self.interrupt.recv() => Interrupted(2),
            _ = self.terminate.recv() => Interrupted(15),
        }
    }

    /// Returns what `work` comes to, unless a signal comes first: then the work is dropped where it stands.
    pub(super) async fn or<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Interrupted> {
        tokio::select! {
            done = work => Ok(done),
            interrupted = self.next() => Err(interrupted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_shells() {
        assert_eq!(Interrupted(2).exit_code(), 130);
        assert_eq!(Interrupted(15).exit_code(), 143);
    }

    #[tokio::test]
    async fn work_that_ends_is_returned() {
        assert_eq!(Signals::listen().unwrap().or(async { 7 }).await, Ok(7));
    }
}
