//! Answers in Redis, which forgets them by itself when they expire.

use super::Link;
use crate::{
    quiz::fingerprint::Fingerprint,
    store::{AnswerStore, StoreResult},
};
use bytes::Bytes;
use fred::{
    interfaces::KeysInterface as _,
    types::{Expiration, Value},
};
use futures_util::future::try_join_all;

/// See the module.
#[derive(Debug, Clone)]
pub struct RedisAnswers(Link);

impl RedisAnswers {
    /// Creates the store.
    pub const fn new(link: Link) -> Self {
        Self(link)
    }

    fn key(&self, fingerprint: &Fingerprint) -> String {
        self.0.key(&format!("answer:{fingerprint}"))
    }
}

impl AnswerStore for RedisAnswers {
    fn get(&self, fingerprints: Vec<Fingerprint>, _: u64) -> StoreResult<'_, Vec<Option<Bytes>>> {
        Box::pin(async move {
            let client = self.0.client();
            // One by one, in one write: a cluster keeps them in different places.
            let reads = fingerprints
                .iter()
                .map(|fingerprint| client.get(self.key(fingerprint)));
            self.0.call(try_join_all(reads)).await
        })
    }

    fn put(&self, answers: Vec<(Fingerprint, Bytes, u64)>) -> StoreResult<'_, ()> {
        Box::pin(async move {
            let client = self.0.client();
            let writes = answers
                .into_iter()
                .map(|(fingerprint, answer, expires_at)| {
                    let expiry = Expiration::PXAT(i64::try_from(expires_at).unwrap_or(i64::MAX));
                    client.set::<(), _, _>(
                        self.key(&fingerprint),
                        Value::Bytes(answer),
                        Some(expiry),
                        None,
                        false,
                    )
                });
            self.0.call(try_join_all(writes)).await.map(drop)
        })
    }

    fn purge(&self, _: u64) -> StoreResult<'_, usize> {
        Box::pin(async { Ok(0) })
    }
}
