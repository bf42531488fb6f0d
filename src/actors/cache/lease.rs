//! Lease: the right, and the duty, to find out one answer for everybody who asked.

use super::CacheMsg;
use crate::{
    analysis::FailureCode,
    quiz::fingerprint::Fingerprint,
    runtime::{Envelope, Mailbox},
    solve::Solution,
};
use ractor::ActorRef;
use std::sync::Arc;
use tokio::time::Instant;
use tracing::warn;

/// Why the model gave no answer, for everybody who asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedFailure {
    /// The kind.
    pub code: FailureCode,
    /// The reason in words.
    pub error: String,
    /// Seconds after which to try again.
    pub retry_after: Option<u64>,
}

/// See the module.
#[derive(Debug)]
pub struct Lease {
    fingerprint: Fingerprint,
    cache: ActorRef<Envelope<CacheMsg>>,
    mailbox: Mailbox<CacheMsg>,
    settled: bool,
}

impl Lease {
    pub(super) const fn new(
        fingerprint: Fingerprint,
        cache: ActorRef<Envelope<CacheMsg>>,
        mailbox: Mailbox<CacheMsg>,
    ) -> Self {
        Self {
            fingerprint,
            cache,
            mailbox,
            settled: false,
        }
    }

    /// Tells the cache what the model said; returns when an answer is durable, at the latest at `deadline`. An answer
    /// that cannot be kept is still an answer: the failure is logged.
    pub async fn settle(
        mut self,
        outcome: Result<Arc<Solution>, SharedFailure>,
        deadline: Instant,
    ) {
        self.settled = true;
        let fingerprint = self.fingerprint;
        let kept = self
            .mailbox
            .ask(deadline, |reply| CacheMsg::Settle {
                fingerprint,
                outcome,
                reply,
            })
            .await;
        match kept {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(actor = "cache", %error, "cannot keep an answer"),
            Err(error) => {
                // Whoever waits must not wait for a word that got lost.
                self.settled = false;
                warn!(actor = "cache", %error, "cannot settle an answer");
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.settled {
            // Beside the mailbox's bound: there is one lease per waiting question, and each of those holds a place.
            let _ = self
                .cache
                .cast(Envelope::internal(CacheMsg::Abandon(self.fingerprint)));
        }
    }
}
