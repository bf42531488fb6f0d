//! Promises: analyses that must be found again after a crash, because a client was told so.

use super::StartError;
use crate::{
    analysis::{Failure, FailureCode, Report, Status},
    store::{AnalysisStore, IdempotentUse, StoreError},
};
use bytes::Bytes;
use std::sync::Arc;

/// What a client was promised.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Promise {
    /// The request was answered with 202: the analysis must be found under its id.
    pub accepted: bool,
    /// The `Idempotency-Key`, and the SHA-256 of the request's body: the same call must give the same analysis.
    pub key: Option<(String, [u8; 32])>,
}

impl Promise {
    fn is_made(&self) -> bool {
        self.accepted || self.key.is_some()
    }

    /// Makes a started analysis durable before the client hears of it.
    pub(super) async fn keep(
        &self,
        store: &dyn AnalysisStore,
        report: &Report,
        now: u64,
        hours: u64,
    ) -> Result<(), StoreError> {
        const MS_PER_HOUR: u64 = 3_600_000;
        let used = self.key.clone().map(|(key, request)| {
            let analysis_id = report.analysis_id.clone();
            (
                key,
                IdempotentUse {
                    request,
                    analysis_id,
                    expires_at: now + hours * MS_PER_HOUR,
                },
            )
        });
        match self.is_made() {
            true => {
                store
                    .put(report.analysis_id.clone(), record(report), used)
                    .await
            }
            false => Ok(()),
        }
    }

    /// Makes the outcome durable.
    pub(super) async fn fulfil(
        &self,
        store: &dyn AnalysisStore,
        report: &Report,
    ) -> Result<(), StoreError> {
        match self.is_made() {
            true => {
                store
                    .put(report.analysis_id.clone(), record(report), None)
                    .await
            }
            false => Ok(()),
        }
    }
}

/// Returns the analysis that the same call started earlier.
pub(super) async fn earlier(
    store: &dyn AnalysisStore,
    promise: &Promise,
    now: u64,
) -> Result<Option<String>, StartError> {
    let Some((key, request)) = &promise.key else {
        return Ok(None);
    };
    match store.key(key.clone(), now).await? {
        Some(used) if used.request != *request => Err(StartError::KeyReused),
        Some(used) => Ok(Some(used.analysis_id)),
        None => Ok(None),
    }
}

/// Returns a kept report.
pub(super) async fn read(store: &dyn AnalysisStore, id: &str) -> Option<Arc<Report>> {
    let record = store.get(id.to_owned()).await.ok()??;
    serde_json::from_slice(&record).ok().map(Arc::new)
}

/// Removes what is too old, marks analyses that were running when the process, or the actor, ended, and returns all that
/// are kept.
pub(super) async fn recover(
    store: &dyn AnalysisStore,
    now: u64,
    keep: usize,
) -> Result<Vec<Report>, StoreError> {
    store.purge(now, keep).await?;
    let mut kept = Vec::new();
    for record_json in store.latest(keep).await? {
        let Ok(mut report) = serde_json::from_slice::<Report>(&record_json) else {
            continue;
        };
        if report.status == Status::Running {
            let reason = "the server ended before the analysis did: send it again";
            report.status = Status::Error;
            report.message = reason.to_owned();
            report.failure = Some(Failure::new(FailureCode::Interrupted, reason));
            store
                .put(report.analysis_id.clone(), record(&report), None)
                .await?;
        }
        kept.push(report);
    }
    Ok(kept)
}

fn record(report: &Report) -> Bytes {
    serde_json::to_vec(report)
        .expect("a report is plain data")
        .into()
}
