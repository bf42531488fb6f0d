//! `quiz-stats calibrate FILE`: one temperature per model and method, from questions whose key is known.

use super::{
    WrongUse,
    analyze::{progress::Progress, source::FormatArg},
    measure::{Measurement, labelled},
    print,
    signals::Signals,
};
use crate::{
    config::Settings,
    quiz::{Kind, Question},
    solve::{
        Method,
        calibration::{Calibration, Calibrations, Labelled, MIN_QUESTIONS, scaled},
        evaluation::{Outcome, figures},
    },
    store::calibrations,
};
use clap::Args;
use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

const EXAMPLES: &str = "\
Examples:
  quiz-stats calibrate known.jsonl         one JSON question per line, with `correct`
  quiz-stats calibrate quiz.gift --dry-run

Several hundred questions like those that will be asked are best; at least 30 are needed, of kind single or true_false.
What was found goes to calibration.json in the data folder; a running server reads it at its next start. The figures are
those of one half of the questions by the temperature of the other half.";

/// Arguments of `calibrate`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CalibrateArgs {
    /// Questions with their keys: one JSON question per line (.jsonl), or any quiz file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The file's format [default: by its name, else by its text]
    #[arg(long, value_enum)]
    format: Option<FormatArg>,
    /// Print what was found, and keep nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(args: CalibrateArgs, settings: Settings) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let questions: Vec<Question> = labelled(&args.file, args.format, &settings)
        .await?
        .into_iter()
        .filter(|question| question.kind != Kind::Multiple)
        .collect();
    if questions.len() < MIN_QUESTIONS {
        let told = format!(
            "{} questions with one right option are too few: at least {MIN_QUESTIONS} are needed",
            questions.len()
        );
        return Err(WrongUse(told).into());
    }
    let data_dir = settings.server.data_dir.clone();
    let mut known = calibrations::load(&data_dir)?;
    // What the model says by itself is what is fitted.
    let measurement = Measurement::start(settings, Calibrations::default(), &mut signals).await?;
    let progress = Progress::start(Some(questions.len()));
    let (results, _) = measurement
        .answers(&questions, 0, &progress, &mut signals)
        .await?;
    drop(progress);
    measurement.end().await;

    let mut by_model: BTreeMap<(String, &str), (Method, Vec<Labelled>)> = BTreeMap::new();
    for (question, result) in questions.iter().zip(results) {
        let key = question.correct.as_ref().and_then(|key| key.first());
        let (Some(right), Some(model), Some(method)) = (key, result.model, result.method) else {
            continue;
        };
        let right = *right as usize - 1;
        let (_, labelled) = by_model
            .entry((model, method.name()))
            .or_insert((method, Vec::new()));
        labelled.push(Labelled {
            probabilities: result.probabilities,
            right,
        });
    }
    let mut text = String::new();
    for ((model, name), (method, labelled)) in &by_model {
        let Some(calibration) = Calibration::fit(labelled) else {
            text += &format!(
                "{model} by {name}: {} answers are too few\n",
                labelled.len()
            );
            continue;
        };
        let (before, after) = held_out(labelled);
        text += &format!(
            "{model} by {name}: temperature {:.3} from {} questions; ECE {before:.3} before, {after:.3} after\n",
            calibration.temperature, calibration.questions
        );
        known.set(model, *method, calibration);
    }
    if !args.dry_run {
        calibrations::save(&data_dir, &known)?;
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the calibration error before and after, each half being read by the temperature of the other.
fn held_out(labelled: &[Labelled]) -> (f64, f64) {
    let half =
        |odd: usize| -> Vec<Labelled> { labelled.iter().skip(odd).step_by(2).cloned().collect() };
    let halves = [half(0), half(1)];
    let read = |temperature: &dyn Fn(usize) -> f64| {
        let outcomes = halves.iter().enumerate().flat_map(|(number, half)| {
            let temperature = temperature(number);
            half.iter()
                .map(move |question| outcome(question, temperature))
        });
        let outcomes: Vec<Outcome> = outcomes.collect();
        figures(&outcomes, outcomes.len()).ece
    };
    let fitted = |number: usize| {
        Calibration::fit(&halves[1 - number]).map_or(1.0, |fitted| fitted.temperature)
    };
    (read(&|_| 1.0), read(&fitted))
}

fn outcome(question: &Labelled, temperature: f64) -> Outcome {
    let probabilities = scaled(&question.probabilities, temperature);
    let best = (0..probabilities.len())
        .max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]))
        .unwrap_or(0);
    Outcome {
        confidence: probabilities[best],
        is_right: best == question.right,
        brier: 0.0,
    }
}
