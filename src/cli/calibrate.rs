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
    quiz::Kind,
    solve::{
        Method,
        calibration::{
            Calibration, Calibrations, Judged, Labelled, MIN_QUESTIONS, fit_threshold, scaled,
        },
        evaluation::{Outcome, figures},
    },
    store,
};
use clap::Args;
use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

const EXAMPLES: &str = "\
Examples:
  quiz-stats calibrate known.jsonl         one JSON question per line, with `correct`
  quiz-stats calibrate quiz.gift --dry-run

Several hundred questions like those that will be asked are best; at least 30 are needed. Those with one right option give a
temperature, those with several (kind multiple) the probability from which on an option is chosen.
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

/// What a model asked in one way has made of the questions.
struct Known {
    method: Method,
    one: Vec<Labelled>,
    several: Vec<Judged>,
}

impl Known {
    const fn new(method: Method) -> Self {
        Self {
            method,
            one: Vec::new(),
            several: Vec::new(),
        }
    }
}

pub(super) async fn run(args: CalibrateArgs, settings: Settings) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let questions = labelled(&args.file, args.format, &settings).await?;
    let several = questions
        .iter()
        .filter(|question| question.kind == Kind::Multiple)
        .count();
    let one = questions.len() - several;
    if one.max(several) < MIN_QUESTIONS {
        let told = format!(
            "{one} questions with one right option and {several} with several are too few: at least {MIN_QUESTIONS} of a sort are \
             needed"
        );
        return Err(WrongUse(told).into());
    }
    let data_dir = settings.server.data_dir.clone();
    let mut calibrations = store::calibrations::load(&data_dir)?;
    // What the model says by itself is what is fitted.
    let measurement = Measurement::start(settings, Calibrations::default(), &mut signals).await?;
    let progress = Progress::start(Some(questions.len()));
    let (results, _) = measurement
        .answers(&questions, 0, &progress, &mut signals)
        .await?;
    drop(progress);
    measurement.end().await;

    let mut by_model: BTreeMap<(String, &str), Known> = BTreeMap::new();
    for (question, result) in questions.iter().zip(results) {
        let (Some(key), Some(model), Some(method)) =
            (&question.correct, result.model, result.method)
        else {
            continue;
        };
        let known = by_model
            .entry((model, method.name()))
            .or_insert_with(|| Known::new(method));
        match question.kind {
            Kind::Multiple => {
                let options = (1..).zip(result.probabilities);
                known.several.push(
                    options
                        .map(|(number, p)| (p, key.contains(&number)))
                        .collect(),
                );
            }
            Kind::Single | Kind::TrueFalse => known.one.push(Labelled {
                probabilities: result.probabilities,
                right: key.first().map_or(0, |number| *number as usize - 1),
            }),
        }
    }
    let mut text = String::new();
    for ((model, name), known) in &by_model {
        match Calibration::fit(&known.one) {
            Some(calibration) => {
                let (before, after) = held_out(&known.one);
                text += &format!(
                    "{model} by {name}: temperature {:.3} from {} questions; ECE {before:.3} before, {after:.3} after\n",
                    calibration.temperature, calibration.questions
                );
                calibrations.set(model, known.method, calibration);
            }
            None => {
                text += &format!(
                    "{model} by {name}: {} answers are too few for a temperature\n",
                    known.one.len()
                );
            }
        }
        if let Some(threshold) = fit_threshold(&known.several) {
            text += &format!(
                "{model} by {name}: of several right options, those from {threshold:.2} on are chosen; from {} questions\n",
                known.several.len()
            );
            calibrations.set_threshold(model, known.method, threshold);
        }
    }
    if !args.dry_run {
        store::calibrations::save(&data_dir, &calibrations)?;
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
