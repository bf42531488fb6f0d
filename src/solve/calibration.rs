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
pub struct Calibrations(BTreeMap<String, Calibration>);

impl Calibrations {
    /// Returns how `model` asked by `method` is to be read, if that is known.
    pub fn get(&self, model: &str, method: Method) -> Option<&Calibration> {
        self.0.get(&key(model, method))
    }

    /// Sets how `model` asked by `method` is to be read.
    pub fn set(&mut self, model: &str, method: Method, calibration: Calibration) {
        self.0.insert(key(model, method), calibration);
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
    fn each_model_and_method_has_its_own() {
        let mut all = Calibrations::default();
        let one = Calibration {
            temperature: 2.0,
            set_from: 0.1,
            questions: 100,
        };
        all.set("m", Method::Logprobs, one);
        assert_eq!(all.get("m", Method::Logprobs), Some(&one));
        assert_eq!(all.get("m", Method::Stated), None);
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
