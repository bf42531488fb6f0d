//! From what a model says to probabilities that are right as often as they say: one temperature per model and method,
//! fitted on questions whose key is known. Pure.
//!
//! Temperature scaling (Guo et al.: On calibration of modern neural networks, ICML 2017, arXiv:1706.04599) changes no
//! order of options. The prediction set is split conformal with the score 1 − p of the right option (Sadinle, Lei,
//! Wasserman: Least ambiguous set-valued classifiers, JASA 2019).

use super::Method;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Fewest questions that a calibration is fitted on.
pub const MIN_QUESTIONS: usize = 30;
/// Least probability that the right option counts as having been given.
const LEAST: f64 = 1e-6;
/// Temperatures between which the best is looked for.
const TEMPERATURES: (f64, f64) = (0.05, 20.0);
/// Share of questions whose prediction set must hold the right option.
pub const COVERAGE: f64 = 0.9;

/// How one model's probabilities are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Divides the logarithms of the probabilities; above 1 makes them less sure.
    pub temperature: f64,
    /// An option belongs to the prediction set when its probability is at least this.
    pub set_from: f64,
    /// Questions it was fitted on.
    pub questions: usize,
}

/// A question whose key is known, and what the model made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled {
    /// One probability per option, summing to 1.
    pub probabilities: Vec<f64>,
    /// Index of the right option.
    pub right: usize,
}

impl Calibration {
    /// Finds the temperature under which the right options are likeliest, and the threshold of the prediction set.
    ///
    /// `None` for fewer than [`MIN_QUESTIONS`].
    pub fn fit(labelled: &[Labelled]) -> Option<Self> {
        if labelled.len() < MIN_QUESTIONS {
            return None;
        }
        let temperature = minimum(
            |log| loss(labelled, log.exp()),
            TEMPERATURES.0.ln(),
            TEMPERATURES.1.ln(),
        )
        .exp();
        let mut right: Vec<f64> = labelled
            .iter()
            .map(|question| scaled(&question.probabilities, temperature)[question.right])
            .collect();
        right.sort_unstable_by(f64::total_cmp);
        // The quantile of split conformal prediction, taken from below: of n + 1 questions, one in ten may miss.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a length"
        )]
        let missed = ((1.0 - COVERAGE) * (right.len() + 1) as f64).floor() as usize;
        let set_from = missed.checked_sub(1).map_or(0.0, |index| right[index]);
        Some(Self {
            temperature,
            set_from,
            questions: labelled.len(),
        })
    }
}

/// One question with several right options: for each option its probability, and whether it is right.
pub type Judged = Vec<(f64, bool)>;

/// Probability from which on an option of a `multiple` question is chosen, where nothing was fitted.
pub const CHOOSE_FROM: f64 = 0.5;

/// Finds the probability from which on options of `multiple` questions are best chosen: that by which most questions come
/// out wholly right, the nearest to one half of equals. `None` for fewer than [`MIN_QUESTIONS`].
pub fn fit_threshold(judged: &[Judged]) -> Option<f64> {
    if judged.len() < MIN_QUESTIONS {
        return None;
    }
    let right_at = |threshold: f64| {
        let is_right = |question: &&Judged| {
            question
                .iter()
                .all(|(p, right)| (*p >= threshold) == *right)
        };
        judged.iter().filter(is_right).count()
    };
    let thresholds = (1..20).map(|step| f64::from(step) / 20.0);
    // The later of equals wins, so the nearest to one half comes last.
    let mut thresholds: Vec<f64> = thresholds.collect();
    thresholds.sort_by(|a, b| (b - CHOOSE_FROM).abs().total_cmp(&(a - CHOOSE_FROM).abs()));
    thresholds
        .into_iter()
        .max_by_key(|threshold| right_at(*threshold))
}

/// Returns the mean negative logarithm of the right option's probability.
fn loss(labelled: &[Labelled], temperature: f64) -> f64 {
    let each = labelled.iter().map(|question| {
        -scaled(&question.probabilities, temperature)[question.right]
            .max(LEAST)
            .ln()
    });
    each.sum::<f64>() / labelled.len().max(1) as f64
}

/// Returns `probabilities` at `temperature`; they sum to 1.
pub fn scaled(probabilities: &[f64], temperature: f64) -> Vec<f64> {
    let weights: Vec<f64> = probabilities
        .iter()
        .map(|p| p.max(LEAST).powf(1.0 / temperature))
        .collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// Returns where `f`, which has one minimum between the bounds, is smallest, to within a thousandth: golden-section search.
fn minimum(f: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    while high - low > 1e-3 {
        let (left, right) = (high - (high - low) * GOLDEN, low + (high - low) * GOLDEN);
        if f(left) <= f(right) {
            high = right;
        } else {
            low = left;
        }
    }
    f64::midpoint(low, high)
}

/// The calibrations of every model that has one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibrations {
    /// By model and method.
    models: BTreeMap<String, Calibration>,
    /// The same, for `multiple` questions: from which probability on an option is chosen.
    #[serde(default)]
    choose_from: BTreeMap<String, f64>,
}

/// How one model's probabilities are to be read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading<'a> {
    /// Of questions with one right option; `None` where nothing was fitted.
    pub calibration: Option<&'a Calibration>,
    /// From this probability on an option of a `multiple` question is chosen.
    pub choose_from: f64,
}

impl Default for Reading<'_> {
    fn default() -> Self {
        Self {
            calibration: None,
            choose_from: CHOOSE_FROM,
        }
    }
}

impl Calibrations {
    /// Returns how `model` asked by `method` is to be read.
    pub fn reading(&self, model: &str, method: Method) -> Reading<'_> {
        let key = key(model, method);
        Reading {
            calibration: self.models.get(&key),
            choose_from: self.choose_from.get(&key).copied().unwrap_or(CHOOSE_FROM),
        }
    }

    /// Sets from which probability on `model` asked by `method` chooses an option of a `multiple` question.
    pub fn set_threshold(&mut self, model: &str, method: Method, choose_from: f64) {
        self.choose_from.insert(key(model, method), choose_from);
    }

    /// Sets how `model` asked by `method` is to be read.
    pub fn set(&mut self, model: &str, method: Method, calibration: Calibration) {
        self.models.insert(key(model, method), calibration);
    }
}

fn key(model: &str, method: Method) -> String {
    format!("{model} {}", method.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::order::split_mix;
    use proptest::prelude::*;

    /// Respondents that know their chance to be right, and state it at another temperature.
    fn respondents(count: u64, stated_at: f64) -> Vec<Labelled> {
        let mut state = 17;
        let mut uniform = move || (split_mix(&mut state) >> 11) as f64 / (1_u64 << 53) as f64;
        (0..count)
            .map(|_| {
                let scores: Vec<f64> = (0..4).map(|_| (3.0 * uniform()).exp()).collect();
                let truth = scaled(
                    &scores
                        .iter()
                        .map(|s| s / scores.iter().sum::<f64>())
                        .collect::<Vec<_>>(),
                    1.0,
                );
                let mut draw = uniform();
                let right = truth
                    .iter()
                    .position(|p| {
                        draw -= p;
                        draw < 0.0
                    })
                    .unwrap_or(3);
                Labelled {
                    probabilities: scaled(&truth, stated_at),
                    right,
                }
            })
            .collect()
    }

    #[test]
    fn a_known_temperature_is_recovered() {
        for stated_at in [0.4, 1.0, 2.5] {
            let fitted = Calibration::fit(&respondents(4_000, stated_at)).unwrap();
            // Stated at 0.4 is sharpened; what undoes it is 1 / 0.4.
            let ratio = fitted.temperature * stated_at;
            assert!((0.9..1.1).contains(&ratio), "{stated_at}: {fitted:?}");
        }
    }

    #[test]
    fn the_prediction_set_holds_the_right_option_nine_times_in_ten() {
        let fitted = Calibration::fit(&respondents(2_000, 0.5)).unwrap();
        let others = respondents(6_000, 0.5).split_off(2_000);
        let held = others
            .iter()
            .filter(|question| {
                scaled(&question.probabilities, fitted.temperature)[question.right]
                    >= fitted.set_from
            })
            .count();
        let share = held as f64 / others.len() as f64;
        assert!((0.88..0.92).contains(&share), "{share}");
    }

    #[test]
    fn too_few_questions_fit_nothing() {
        assert_eq!(Calibration::fit(&respondents(29, 1.0)), None);
    }

    #[test]
    fn a_model_that_is_too_modest_about_options_gets_a_lower_threshold() {
        // Right options get 0.4, wrong ones 0.1; now and then a wrong one gets 0.2.
        let question = |number: usize| -> Judged {
            vec![
                (0.4, true),
                (0.42, true),
                (if number.is_multiple_of(7) { 0.2 } else { 0.1 }, false),
            ]
        };
        let judged: Vec<_> = (0..40).map(question).collect();
        let fitted = fit_threshold(&judged).unwrap();
        assert!((0.21..=0.4).contains(&fitted), "{fitted}");
        assert_eq!(fit_threshold(&judged[..20]), None);
        let clear: Vec<Judged> = vec![vec![(0.9, true), (0.1, false)]; 30];
        assert_eq!(
            fit_threshold(&clear),
            Some(0.5),
            "nothing is gained by another"
        );
    }

    #[test]
    fn each_model_and_method_has_its_own() {
        let mut all = Calibrations::default();
        let one = Calibration {
            temperature: 2.0,
            set_from: 0.1,
            questions: 100,
        };
        all.set("m", Method::Logprobs, one);
        all.set_threshold("m", Method::Stated, 0.3);
        let reading = all.reading("m", Method::Logprobs);
        assert_eq!(
            (reading.calibration, reading.choose_from),
            (Some(&one), 0.5)
        );
        let reading = all.reading("m", Method::Stated);
        assert_eq!((reading.calibration, reading.choose_from), (None, 0.3));
        let written = serde_json::to_string(&all).unwrap();
        assert_eq!(serde_json::from_str::<Calibrations>(&written).unwrap(), all);
    }

    proptest! {
        #[test]
        fn scaling_keeps_the_order_and_the_sum(given in prop::collection::vec(0.0..=1.0, 2..26), temperature in 0.05..20.0) {
            let given: Vec<f64> = given;
            let scaled = scaled(&given, temperature);
            prop_assert!((scaled.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            for a in 0..given.len() {
                for b in 0..given.len() {
                    prop_assert!(given[a] <= given[b] || scaled[a] >= scaled[b]);
                }
            }
        }
    }
}
