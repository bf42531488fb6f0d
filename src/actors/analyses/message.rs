//! What Analyses is told, and what it answers.

use super::Promise;
use crate::{
    actors::analysis::Done,
    analysis::{Found, QuestionResult, Report, Wishes},
    quiz::request::Subject,
    runtime::Reply,
    store::StoreError,
    timeline::Staging,
};
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::mpsc;

/// What is to be analysed.
#[derive(Debug, Clone)]
pub struct StartRequest {
    /// What is to be answered.
    pub subject: Subject,
    /// The channel.
    pub channel: String,
    /// How the show is timed; `None` when nothing is to be shown.
    pub show: Option<Staging>,
    /// What the client sent along.
    pub timestamp: Option<Value>,
    /// What the client was promised.
    pub promise: Promise,
    /// What the client wishes besides.
    pub wishes: Wishes,
}

/// What a caller hears of its analysis: the questions if they were read from a page, each result as it is known, then the report.
#[derive(Debug, Clone)]
pub enum Update {
    /// The page was read, and these are its questions.
    Found(Arc<Found>),
    /// One question.
    Result(Box<QuestionResult>),
    /// The end.
    Done(Arc<Report>),
}

/// An analysis that was started, or had been.
#[derive(Debug)]
pub struct Started {
    /// Its id.
    pub id: String,
    /// Ends with [`Update::Done`]; without it, the analysis was lost.
    pub updates: mpsc::Receiver<Update>,
}

/// Waits for the end of an analysis; `None` when it was lost.
pub async fn last(mut updates: mpsc::Receiver<Update>) -> Option<Arc<Report>> {
    while let Some(update) = updates.recv().await {
        if let Update::Done(report) = update {
            return Some(report);
        }
    }
    None
}

/// Why an analysis was not started.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StartError {
    /// As many run as may.
    #[error("as many analyses are running as may run at once")]
    Full,
    /// The server is ending.
    #[error("the server is shutting down")]
    Draining,
    /// The key was used for another request.
    #[error("this Idempotency-Key was used for another request")]
    KeyReused,
    /// The promise cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of a wish to cancel.
#[derive(Debug, Clone)]
pub enum Cancelled {
    /// It was running and is not any more.
    Now(Arc<Report>),
    /// It had ended.
    TooLate,
    /// It runs in another process.
    Elsewhere,
    /// There is no such analysis.
    Unknown,
}

/// What it is told.
#[derive(Debug)]
pub enum AnalysesMsg {
    /// From http: start an analysis, or join the one that the key belongs to.
    Start(Box<StartRequest>, Reply<Result<Started, StartError>>),
    /// From http: one that needed no actor, because every answer was known.
    Record(Arc<Report>),
    /// From http: one analysis.
    Get(String, Reply<Option<Arc<Report>>>),
    /// From http: the latest, of one channel or of all.
    GetLatest {
        /// Which channel.
        channel: Option<String>,
        /// How many.
        limit: usize,
        /// The newest first.
        reply: Reply<Vec<Arc<Report>>>,
    },
    /// From http: cancel one.
    Cancel(String, Reply<Cancelled>),
    /// From an Analysis: its page was read.
    Found(String, Box<Found>),
    /// From an Analysis: a question is answered.
    Answered(String, Box<QuestionResult>),
    /// From an Analysis: it has ended.
    Done(String, Box<Done>),
    /// From the app: start no more; answered when none is running.
    Drain(Reply<()>),
}
