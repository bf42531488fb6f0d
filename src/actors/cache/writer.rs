//! Writer: makes answers durable, many in one commit.

use super::{CacheArgs, CacheMsg};
use crate::{
    quiz::fingerprint::Fingerprint,
    runtime::{Bell, Envelope, Permit, Reply},
    store::{AnswerStore, StoreError},
};
use bytes::Bytes;
use ractor::ActorRef;
use std::sync::Arc;
use tokio::task::JoinSet;

type Answer = (Fingerprint, Bytes, u64);
type Waiting = (Reply<Result<(), StoreError>>, Permit);
type Outcome = (Vec<Waiting>, Result<(), StoreError>);

/// See the module. While one commit is on its way, answers are gathered for the next.
pub(super) struct Writer {
    store: Arc<dyn AnswerStore>,
    answers: Vec<Answer>,
    waiting: Vec<Waiting>,
    commit: JoinSet<Outcome>,
}

impl Writer {
    pub(super) fn new(args: &CacheArgs) -> Self {
        let store = Arc::clone(&args.store);
        Self {
            store,
            answers: Vec::new(),
            waiting: Vec::new(),
            commit: JoinSet::new(),
        }
    }

    /// Adds an answer to the next commit.
    pub(super) fn put(
        &mut self,
        answer: Answer,
        reply: Reply<Result<(), StoreError>>,
        permit: Permit,
        myself: &ActorRef<Envelope<CacheMsg>>,
    ) {
        self.answers.push(answer);
        self.waiting.push((reply, permit));
        self.commit_next(myself);
    }

    pub(super) async fn on_written(&mut self, myself: &ActorRef<Envelope<CacheMsg>>) {
        if let Some(Ok((waiting, outcome))) = self.commit.join_next().await {
            for (reply, _permit) in waiting {
                // A caller that has gone does not need the answer.
                let _ = reply.send(outcome.clone());
            }
        }
        self.commit_next(myself);
    }

    /// Writes everything that is left.
    pub(super) async fn finish(&mut self, myself: &ActorRef<Envelope<CacheMsg>>) {
        while !self.commit.is_empty() || !self.answers.is_empty() {
            self.on_written(myself).await;
        }
    }

    fn commit_next(&mut self, myself: &ActorRef<Envelope<CacheMsg>>) {
        if self.answers.is_empty() || !self.commit.is_empty() {
            return;
        }
        let (answers, waiting) = (
            std::mem::take(&mut self.answers),
            std::mem::take(&mut self.waiting),
        );
        let (store, bell) = (
            Arc::clone(&self.store),
            Bell::new(myself, Envelope::internal(CacheMsg::Written)),
        );
        self.commit.spawn(async move {
            let _bell = bell;
            let outcome = store.put(answers).await;
            (waiting, outcome)
        });
    }
}
