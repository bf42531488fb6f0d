//! Promises: analyses that must be found again after a crash, because a client was told so.

use super::StartError;
use crate::{
    analysis::{Failure, FailureCode, Report, Status},
    store::{AnalysisStore, IdempotentUse, StoreError},
};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};

/// How often an analysis of another process is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

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

    /// Makes a started analysis durable before the client hears of it. Returns what the key was used for meanwhile by
    /// another process, for an analysis other than `replaces`: then nothing is kept.
    pub(super) async fn keep(
        &self,
        store: &dyn AnalysisStore,
        report: &Report,
        replaces: Option<String>,
        now: u64,
        hours: u64,
    ) -> Result<Option<IdempotentUse>, StoreError> {
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
                    .put(
                        report.analysis_id.clone(),
                        record(report),
                        used,
                        replaces,
                        now,
                    )
                    .await
            }
            false => Ok(None),
        }
    }

    /// Makes the outcome durable.
    pub(super) async fn fulfil(
        &self,
        store: &dyn AnalysisStore,
        report: &Report,
        now: u64,
    ) -> Result<(), StoreError> {
        if self.is_made() {
            let id = report.analysis_id.clone();
            store.put(id, record(report), None, None, now).await?;
        }
        Ok(())
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
        Some(used) => same_call(used, *request).map(Some),
        None => Ok(None),
    }
}

/// Returns the analysis that a key was used for, if it was used for this request.
pub(super) fn same_call(used: IdempotentUse, request: [u8; 32]) -> Result<String, StartError> {
    match used.request == request {
        true => Ok(used.analysis_id),
        false => Err(StartError::KeyReused),
    }
}

/// Returns a kept report, of an analysis that does not run here.
pub(super) async fn read(store: &dyn AnalysisStore, id: &str) -> Option<Arc<Report>> {
    let record = store.get(id.to_owned()).await.ok()??;
    let mut report: Report = serde_json::from_slice(&record).ok()?;
    if report.status == Status::Running && !store.runs_elsewhere(id.to_owned()).await.ok()? {
        interrupt(&mut report);
    }
    Some(Arc::new(report))
}

/// Follows an analysis that runs in another process, until it has ended there; `None` when it was lost with its process.
pub(super) async fn follow(store: &dyn AnalysisStore, id: &str) -> Option<Arc<Report>> {
    loop {
        // A server that does not answer now does so later, or the caller's time is over.
        let record = store.get(id.to_owned()).await;
        if let Ok(record) = record {
            let report: Report = serde_json::from_slice(&record?).ok()?;
            if report.status != Status::Running {
                return Some(Arc::new(report));
            }
            if let Ok(false) = store.runs_elsewhere(id.to_owned()).await {
                return None;
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn interrupt(report: &mut Report) {
    let reason = "the server ended before the analysis did: send it again";
    report.status = Status::Error;
    report.message = reason.to_owned();
    report.failure = Some(Failure::new(FailureCode::Interrupted, reason));
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
            let id = report.analysis_id.clone();
            if store.runs_elsewhere(id.clone()).await? {
                continue;
            }
            interrupt(&mut report);
            store.put(id, record(&report), None, None, now).await?;
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
