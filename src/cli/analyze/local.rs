//! This process answers: the same tree as behind `serve`, without its HTTP front, for one analysis.

use super::Answered;
use crate::{
    actors::analyses::{AnalysesMsg, Promise, Started, Update},
    analysis::{Failure, QuestionResult, Report},
    app::App,
    cli::{address, signals::Signals},
    config::Settings,
    pipeline::{Analyzed, Pipeline, Refused},
    quiz::{Question, request::AnalyzeRequest},
    store::StoreError,
};
use anyhow::{anyhow, bail};
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, time::Instant};

/// What an interrupted analysis may still take to put away what it holds.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// Answers `questions` and hands on each result as it is ready.
///
/// # Errors
/// Whatever kept the report from coming, in words for people.
pub(super) async fn run(
    mut settings: Settings,
    questions: Vec<Question>,
    signals: &mut Signals,
    on_result: impl FnMut(&QuestionResult),
) -> anyhow::Result<Answered> {
    let server = address::local(settings.listen_addr());
    let limit = Duration::from_millis(settings.server.drain_timeout_ms);
    // The limit keeps a server's callers apart. Here is one, who sees the progress and can stop it: every question gets
    // the time that a call may take.
    let all_calls_ms = settings
        .ai
        .call_timeout_ms
        .saturating_mul(questions.len() as u64);
    settings.analyses.timeout_ms = settings.analyses.timeout_ms.max(all_calls_ms);
    let built = signals.or(Box::pin(App::build(settings))).await?;
    let app = built.map_err(|error| match error.downcast_ref() {
        Some(StoreError::InUse(folder)) => anyhow!(
            "another quiz-stats is running on the data folder {}: if it is a server, let it answer by adding \
             `--server {}`; otherwise wait for its end, or take another folder with --data-dir",
            folder.display(),
            address::shown(&server)
        ),
        _ => error,
    })?;
    let done = ask(app.pipeline(), questions, signals, on_result).await;
    // Answers that were paid for are put away before the end, and nothing else is under way.
    app.drain(if done.is_ok() { limit } else { LAST_WAIT })
        .await;
    let report = done?;
    Ok(Answered {
        json: serde_json::to_string(report.as_ref())?,
        report: Arc::unwrap_or_clone(report),
    })
}

async fn ask(
    pipeline: &Pipeline,
    questions: Vec<Question>,
    signals: &mut Signals,
    mut on_result: impl FnMut(&QuestionResult),
) -> anyhow::Result<Arc<Report>> {
    if let Err(reason) = signals.or(pipeline.provider.ready()).await? {
        bail!("no model can answer: {reason}; or let a running server answer: add --server URL");
    }
    let request = AnalyzeRequest {
        // Nobody can watch this process.
        animate: false,
        ..questions.into()
    };
    let Started { id, updates } = match pipeline.analyze(request, Promise::default()).await {
        Ok(Analyzed::Started(started)) => started,
        Ok(Analyzed::Known(report)) => {
            report.results.iter().for_each(on_result);
            return Ok(report);
        }
        Err(Refused::Failure(failure)) => bail!(failure.error),
        // Without a key, that would be a fault of this program.
        Err(Refused::KeyReused) => bail!(Failure::internal().error),
    };
    match signals.or(follow(updates, &mut on_result)).await {
        Ok(done) => done,
        Err(interrupted) => {
            let deadline = Instant::now() + LAST_WAIT;
            // The process ends either way; cancelled, it need not wait for the model.
            let _over = pipeline
                .actors
                .analyses
                .ask(deadline, |reply| AnalysesMsg::Cancel(id, reply))
                .await;
            Err(interrupted.into())
        }
    }
}

/// Waits for the end of the analysis.
async fn follow(
    mut updates: mpsc::Receiver<Update>,
    on_result: &mut impl FnMut(&QuestionResult),
) -> anyhow::Result<Arc<Report>> {
    while let Some(update) = updates.recv().await {
        match update {
            Update::Result(result) => on_result(&result),
            Update::Done(report) => match &report.failure {
                Some(failure) => bail!(failure.error.clone()),
                None => return Ok(report),
            },
        }
    }
    bail!(Failure::internal().error)
}
