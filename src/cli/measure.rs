//! What `evaluate` and `calibrate` share: questions whose key is known, asked of the configured model, from memory or not.

use super::{
    WrongUse,
    analyze::{
        progress::Progress,
        source::{FormatArg, format_of, listed, name, read_aside},
    },
    signals::Signals,
};
use crate::{
    analysis::{CacheUse, QuestionResult, Usage, Wishes},
    app::App,
    config::Settings,
    pipeline::Refused,
    quiz::{
        Question,
        check::check,
        file::{self, Format, Parsed},
    },
    solve::calibration::Calibrations,
};
use anyhow::bail;
use std::{path::Path, time::Duration};

/// Questions that are asked together: enough to keep every place busy, few enough for the progress to be seen.
const TOGETHER: usize = 50;
/// What may still be put away at the end.
const LAST_WAIT: Duration = Duration::from_secs(10);

/// Reads questions with keys: any quiz file, or one JSON question per line.
///
/// # Errors
/// [`WrongUse`] with what to change.
pub(super) async fn labelled(
    path: &Path,
    format: Option<FormatArg>,
    settings: &Settings,
) -> anyhow::Result<Vec<Question>> {
    let text = read_aside(path).await?;
    let Parsed {
        questions,
        mut problems,
        ..
    } = match path
        .extension()
        .is_some_and(|extension| extension == "jsonl")
    {
        true => file::parse(Format::Json, &as_array(&text)),
        false => file::parse(format_of(format, path, &text), &text),
    };
    let mut limits = settings.limits.clone();
    limits.max_questions = usize::MAX;
    if problems.is_empty() {
        problems = check(&questions, &limits);
    }
    if !problems.is_empty() {
        let told = format!(
            "{} cannot be asked as it is:{}",
            name(path),
            listed(&problems)
        );
        return Err(WrongUse(told).into());
    }
    let questions: Vec<_> = questions
        .into_iter()
        .filter(|question| question.correct.is_some())
        .collect();
    match questions.is_empty() {
        true => Err(WrongUse(format!(
            "{} has no question with its key: add `correct`",
            name(path)
        ))
        .into()),
        false => Ok(questions),
    }
}

/// One question per line makes an array; a line's problem is told as `[3]`, counted from 0.
fn as_array(lines: &str) -> String {
    let lines: Vec<&str> = lines
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    format!("[{}]", lines.join(",\n"))
}

/// The model at work on labelled questions.
pub(super) struct Measurement {
    app: App,
    per_analysis: usize,
}

impl Measurement {
    /// Starts the same tree as behind `serve`, the probabilities being read by `calibrations`.
    ///
    /// # Errors
    /// When it does not start, or no model can answer.
    pub(super) async fn start(
        mut settings: Settings,
        calibrations: Calibrations,
        signals: &mut Signals,
    ) -> anyhow::Result<Self> {
        let per_analysis = settings.limits.max_questions.min(TOGETHER);
        // Every question gets the time that a call may take; whoever waits sees the progress and can stop it.
        let all_calls_ms = settings
            .ai
            .call_timeout_ms
            .saturating_mul(per_analysis as u64);
        settings.analyses.timeout_ms = settings
            .analyses
            .timeout_ms
            .max(all_calls_ms)
            .min(86_400_000);
        let app = signals
            .or(Box::pin(App::build_with(settings, calibrations)))
            .await??;
        if let Err(reason) = signals.or(app.pipeline().providers.first().ready()).await? {
            bail!("no model can answer: {reason}");
        }
        Ok(Self { app, per_analysis })
    }

    /// Answers `questions`, each anew; `salt` decides the orders of their options.
    ///
    /// # Errors
    /// When none of a group has an answer, with the reason; or a signal came.
    pub(super) async fn answers(
        &self,
        questions: &[Question],
        salt: u64,
        progress: &Progress,
        signals: &mut Signals,
    ) -> anyhow::Result<(Vec<QuestionResult>, Usage)> {
        let mut results = Vec::with_capacity(questions.len());
        let mut usage = Usage::default();
        for group in questions.chunks(self.per_analysis) {
            let wishes = Wishes {
                cache: CacheUse::Bypass,
                salt,
                ..Wishes::default()
            };
            let answered = signals
                .or(self.app.pipeline().answers(group.to_vec(), wishes))
                .await?;
            let report = match answered {
                Ok(report) => report,
                Err(Refused::Failure(failure)) => bail!(failure.error),
                // There is no key.
                Err(Refused::KeyReused) => bail!("the analysis was refused"),
            };
            group.iter().for_each(|_| progress.add());
            results.extend(report.results.iter().cloned());
            usage.prompt_tokens += report.usage.prompt_tokens;
            usage.completion_tokens += report.usage.completion_tokens;
            usage.cost_usd += report.usage.cost_usd;
        }
        Ok((results, usage))
    }

    /// Ends the tree.
    pub(super) async fn end(self) {
        self.app.drain(LAST_WAIT).await;
    }
}
