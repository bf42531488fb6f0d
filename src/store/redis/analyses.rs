//! Promised analyses and idempotency keys in Redis: whichever process is asked, the same call is the same analysis.

use super::{Link, script};
use crate::store::{AnalysisStore, IdempotentUse, StoreError, StoreResult};
use bytes::Bytes;
use fred::{
    interfaces::{HashesInterface as _, KeysInterface as _, SortedSetsInterface as _},
    types::Value,
};
use futures_util::future::try_join_all;
use std::collections::HashMap;

/// See the module.
#[derive(Debug, Clone)]
pub struct RedisAnalyses(Link);

impl RedisAnalyses {
    /// Creates the store.
    pub const fn new(link: Link) -> Self {
        Self(link)
    }

    fn record_key(&self, id: &str) -> String {
        self.0.key(&format!("analysis:{id}"))
    }

    /// All ids with the same score: UUIDv7, so that their order is the order of time.
    fn order_key(&self) -> String {
        self.0.key("analyses")
    }

    async fn forget(&self, ids: Vec<String>) -> Result<(), StoreError> {
        let client = self.0.client();
        let records = ids
            .iter()
            .map(|id| client.del::<(), _>(self.record_key(id)));
        self.0.call(try_join_all(records)).await?;
        let order = client.zrem::<(), _, _>(self.order_key(), ids);
        self.0.call(order).await
    }

    async fn claim(
        &self,
        key: &str,
        used: &IdempotentUse,
        replaces: Option<String>,
        now: u64,
    ) -> Result<Option<IdempotentUse>, StoreError> {
        let json = serde_json::to_vec(used).expect("a use is plain data");
        let left = used.expires_at.saturating_sub(now).max(1);
        let arguments = vec![
            Value::Bytes(json.into()),
            left.to_string().into(),
            replaces.unwrap_or_default().into(),
        ];
        let keys = vec![self.0.key(&format!("key:{key}"))];
        let there = script::CLAIM.run(&self.0, keys, arguments).await?;
        Ok(there
            .as_bytes()
            .and_then(|json| serde_json::from_slice(json).ok()))
    }
}

impl AnalysisStore for RedisAnalyses {
    fn put(
        &self,
        id: String,
        record: Bytes,
        key: Option<(String, IdempotentUse)>,
        replaces: Option<String>,
        now: u64,
    ) -> StoreResult<'_, Option<IdempotentUse>> {
        Box::pin(async move {
            let client = self.0.client();
            // Whoever finds the key must find the record, so the record comes first.
            let fields = HashMap::from([
                ("record", Value::Bytes(record)),
                ("process", self.0.process().into()),
            ]);
            let kept = client.hset::<(), _, _>(self.record_key(&id), fields);
            self.0.call(kept).await?;
            let member = (0.0, id.as_str());
            let order = client.zadd::<(), _, _>(self.order_key(), None, None, false, false, member);
            self.0.call(order).await?;
            let Some((key, used)) = key else {
                return Ok(None);
            };
            let there = self.claim(&key, &used, replaces, now).await?;
            if there.is_some() {
                self.forget(vec![id]).await?;
            }
            Ok(there)
        })
    }

    fn get(&self, id: String) -> StoreResult<'_, Option<Bytes>> {
        Box::pin(async move {
            let key = self.record_key(&id);
            let read = || self.0.client().hget(key.clone(), "record");
            self.0.read(read).await
        })
    }

    fn key(&self, key: String, now: u64) -> StoreResult<'_, Option<IdempotentUse>> {
        Box::pin(async move {
            let key = self.0.key(&format!("key:{key}"));
            let json: Option<Bytes> = self.0.read(|| self.0.client().get(key.clone())).await?;
            Ok(json
                .and_then(|json| serde_json::from_slice::<IdempotentUse>(&json).ok())
                .filter(|used| used.expires_at > now))
        })
    }

    fn latest(&self, limit: usize) -> StoreResult<'_, Vec<Bytes>> {
        Box::pin(async move {
            let client = self.0.client();
            let last = i64::try_from(limit).unwrap_or(i64::MAX) - 1;
            let ids = client.zrevrange(self.order_key(), 0, last, false);
            let ids: Vec<String> = self.0.call(ids).await?;
            let records = ids
                .iter()
                .map(|id| client.hget::<Option<Bytes>, _, _>(self.record_key(id), "record"));
            let records = self.0.call(try_join_all(records)).await?;
            Ok(records.into_iter().flatten().collect())
        })
    }

    fn purge(&self, _: u64, keep: usize) -> StoreResult<'_, ()> {
        Box::pin(async move {
            // Keys expire by themselves.
            let beyond = -i64::try_from(keep).unwrap_or(i64::MAX) - 1;
            let client = self.0.client();
            let ids = client.zrange(self.order_key(), 0, beyond, None, false, None, false);
            let ids: Vec<String> = self.0.call(ids).await?;
            match ids.is_empty() {
                true => Ok(()),
                false => self.forget(ids).await,
            }
        })
    }

    fn runs_elsewhere(&self, id: String) -> StoreResult<'_, bool> {
        Box::pin(async move {
            let client = self.0.client();
            let process = client.hget(self.record_key(&id), "process");
            let process: Option<String> = self.0.call(process).await?;
            match process {
                Some(process) if process != self.0.process() => self.0.lives(&process).await,
                Some(_) | None => Ok(false),
            }
        })
    }
}
