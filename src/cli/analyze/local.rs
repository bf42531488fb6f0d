//! This process answers: the same tree as behind `serve`, without its HTTP front, for one analysis.

use super::{Answered, News};
use crate::{
    actors::analyses::{AnalysesMsg, Promise, Started, Update},
    analysis::{Failure, Report, Wishes},
    app::App,
    cli::{address, signals::Signals},
    config::Settings,
    pipeline::{Analyzed, Pipeline, Refused},
    quiz::request::{AnalyzeRequest, Subject},
    store::StoreError,
};
use anyhow::{anyhow, bail};
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, time::Instant};

/// What an interrupted analysis may still take to put away what it holds.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// Answers `subject` and hands on what happens meanwhile.
///
/// # Errors
/// Whatever kept the report from coming, in words for people.
pub(in crate::cli) async fn run(
    mut settings: Settings,
    subject: Subject,
    signals: &mut Signals,
    on_news: impl FnMut(News),
) -> anyhow::Result<Answered> {
    let server = address::local(settings.listen_addr());
    let limit = Duration::from_millis(settings.server.drain_timeout_ms);
    // The limit keeps a server's callers apart. Here is one, who sees the progress and can stop it: every question gets
    // the time that a call may take.
    let all_calls_ms = settings
        .ai
        .call_timeout_ms
        // How many questions a page has is not known before it is read.
        .saturating_mul(match &subject {
            Subject::Questions(questions) => questions.len() as u64,
            Subject::Page(_) => settings.limits.max_questions as u64,
        });
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
    let done = ask(app.pipeline(), subject, signals, on_news).await;
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
    subject: Subject,
    signals: &mut Signals,
    mut on_news: impl FnMut(News),
) -> anyhow::Result<Arc<Report>> {
    if let Err(reason) = signals.or(pipeline.providers.first().ready()).await? {
        bail!("no model can answer: {reason}; or let a running server answer: add --server URL");
    }
    let request = AnalyzeRequest {
        // Nobody can watch this process.
        animate: false,
        ..subject.into()
    };
    let Started { id, updates } = match pipeline
        .analyze(request, Promise::default(), Wishes::default())
        .await
    {
        Ok(Analyzed::Started(started)) => started,
        Ok(Analyzed::Known(report)) => {
            for _ in &report.results {
                on_news(News::Result);
            }
            return Ok(report);
        }
        Err(Refused::Failure(failure)) => bail!(failure.error),
        // Without a key, that would be a fault of this program.
        Err(Refused::KeyReused) => bail!(Failure::internal().error),
    };
    match signals.or(follow(updates, &mut on_news)).await {
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
    on_news: &mut impl FnMut(News),
) -> anyhow::Result<Arc<Report>> {
    while let Some(update) = updates.recv().await {
        match update {
            Update::Found(found) => on_news(News::Questions(found.questions.len())),
            Update::Result(_) => on_news(News::Result),
            Update::Done(report) => match &report.failure {
                Some(failure) => bail!(failure.error.clone()),
                None => return Ok(report),
            },
        }
    }
    bail!(Failure::internal().error)
}
