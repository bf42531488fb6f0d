//! `quiz-stats evaluate FILE.jsonl`: how often the configured model is right, and how well its confidence says so.

use super::{
    PARTLY,
    analyze::{progress::Progress, source::FormatArg},
    measure::{Measurement, labelled},
    print,
    signals::Signals,
};
use crate::{
    analysis::QuestionResult,
    config::Settings,
    quiz::Question,
    solve::evaluation::{Outcome, figures, reliability_diagram},
    store::calibrations,
};
use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use std::{fs, path::PathBuf, process::ExitCode};

const EXAMPLES: &str = "\
Examples:
  quiz-stats evaluate known.jsonl                       one JSON question per line, with `correct`
  quiz-stats evaluate quiz.gift --diagram reliability.svg
  OPENAI_BASE_URL=… OPENAI_MODEL=… quiz-stats evaluate known.jsonl --json

Every question is asked anew, and once more with its options in other orders to see whether the answer flips; --no-flips
saves these calls.

  accuracy    share of right answers; a question without an answer counts as wrong
  ECE         mean distance between confidence and accuracy, over ten bins; 0 is best
  Brier       mean squared distance between probabilities and truth, summed over the options; 0 is best, 2 worst
  AUROC       probability that a right answer has more confidence than a wrong one; 0.5 is chance

Exit codes: 0 every question was answered, 1 none, 2 the file or the arguments are wrong, 3 answered only in part.";

/// Arguments of `evaluate`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct EvaluateArgs {
    /// Questions with their keys: one JSON question per line (.jsonl), or any quiz file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The file's format [default: by its name, else by its text]
    #[arg(long, value_enum)]
    format: Option<FormatArg>,
    /// Write a reliability diagram to this file, as SVG
    #[arg(long, value_name = "SVG")]
    diagram: Option<PathBuf>,
    /// Do not ask again in other orders
    #[arg(long)]
    no_flips: bool,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: EvaluateArgs, settings: Settings) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let questions = labelled(&args.file, args.format, &settings).await?;
    let calibrations = calibrations::load(&settings.server.data_dir)?;
    let measurement = Measurement::start(settings, calibrations, &mut signals).await?;
    let rounds = if args.no_flips { 1 } else { 2 };
    let progress = Progress::start(Some(rounds * questions.len()));
    let (results, usage) = measurement
        .answers(&questions, 0, &progress, &mut signals)
        .await?;
    let flips = match args.no_flips {
        true => None,
        false => {
            let (again, _) = measurement
                .answers(&questions, 0x5EED, &progress, &mut signals)
                .await?;
            Some(flip_rate(&results, &again))
        }
    };
    drop(progress);
    measurement.end().await;

    let outcomes: Vec<Outcome> = questions
        .iter()
        .zip(&results)
        .filter_map(|(question, result)| outcome(question, result))
        .collect();
    let figures = figures(&outcomes, questions.len());
    if let Some(path) = &args.diagram {
        let title = args
            .file
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        fs::write(path, reliability_diagram(&title, &outcomes))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let calls = mean(
        results.iter().map(|result| f64::from(result.calls)),
        questions.len(),
    );
    let cost = usage.cost_usd / questions.len() as f64;
    let model = results
        .iter()
        .find_map(|result| result.model.clone())
        .unwrap_or_default();
    let method = results
        .iter()
        .find_map(|result| result.method)
        .map_or("", crate::solve::Method::name);
    let [(half, at_half), (most, at_most)] = figures.accuracy_at_coverage;
    print(&match args.json {
        true => {
            let written = json!({
                "model": model, "method": method, "questions": figures.asked, "answered": figures.answered,
                "accuracy": figures.accuracy, "ece": figures.ece, "brier": figures.brier, "auroc": figures.auroc,
                "accuracyAtCoverage": { half.to_string(): at_half, most.to_string(): at_most },
                "flipRate": flips, "callsPerQuestion": calls, "costUsdPerQuestion": cost,
            });
            serde_json::to_string_pretty(&written)? + "\n"
        }
        false => {
            let unknown = |value: Option<f64>| {
                value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
            };
            format!(
                "model               {model}, by {method}\nquestions           {}, {} answered\naccuracy            {:.3}\n\
                 ECE                 {:.3}\nBrier               {:.3}\nAUROC               {}\n\
                 accuracy, surest    {at_half:.3} of {:.0} %, {at_most:.3} of {:.0} %\nflips               {}\n\
                 calls per question  {calls:.2}\nUSD per question    {cost:.6}\n",
                figures.asked,
                figures.answered,
                figures.accuracy,
                figures.ece,
                figures.brier,
                unknown(figures.auroc),
                100.0 * half,
                100.0 * most,
                unknown(flips),
            )
        }
    })?;
    Ok(match figures.answered < figures.asked {
        true => ExitCode::from(PARTLY),
        false => ExitCode::SUCCESS,
    })
}

/// Returns what became of a question; `None` without an answer.
fn outcome(question: &Question, result: &QuestionResult) -> Option<Outcome> {
    let key = question.correct.as_ref()?;
    let truth = (1..)
        .zip(&result.probabilities)
        .map(|(number, p)| (p - f64::from(u8::from(key.contains(&number)))).powi(2));
    Some(Outcome {
        confidence: result.confidence?,
        is_right: result.selected == *key,
        brier: truth.sum(),
    })
}

/// Returns the share of the questions answered twice whose answers differ.
fn flip_rate(first: &[QuestionResult], second: &[QuestionResult]) -> f64 {
    let both = || {
        first
            .iter()
            .zip(second)
            .filter(|(a, b)| a.answer.is_some() && b.answer.is_some())
    };
    mean(
        both().map(|(a, b)| f64::from(u8::from(a.selected != b.selected))),
        both().count(),
    )
}

fn mean(values: impl Iterator<Item = f64>, count: usize) -> f64 {
    values.sum::<f64>() / count.max(1) as f64
}
