//! How much a model favours each letter whatever stands there, learnt from questions that were shown in every rotation.
//! Pure.
//!
//! The estimator is PriDe (Zheng et al.: Large language models are not robust multiple choice selectors, ICLR 2024,
//! arXiv:2309.03882): over the rotations of one question each option stands once at each letter, so the mean of the
//! logarithms of what a letter was given tells the letter's own part. What a question shown once is given is divided by it.

use std::collections::HashMap;

/// Questions after which the estimate counts half: until then it is drawn towards no preference.
const HALF_AFTER: f64 = 4.0;
/// Questions that are remembered, so that a model replaced behind its name is learnt anew.
const MEMORY: f64 = 400.0;
/// Least probability that a letter counts as having been given; the logarithm of 0 would drown all others.
const LEAST: f64 = 1e-4;

/// What a model thinks of the letters, for questions with one number of options.
#[derive(Debug, Clone, PartialEq)]
pub struct LetterPrior {
    mean_log: Vec<f64>,
    questions: f64,
}

impl LetterPrior {
    /// Returns no preference among so many letters.
    pub fn new(options: usize) -> Self {
        Self {
            mean_log: vec![0.0; options],
            questions: 0.0,
        }
    }

    /// Learns from one question: for each rotation one probability by letter. Fewer rotations than letters teach nothing.
    pub fn observe(&mut self, rotations: &[Vec<f64>]) {
        let letters = self.mean_log.len();
        if rotations.len() < letters || rotations.iter().any(|by_letter| by_letter.len() != letters)
        {
            return;
        }
        self.questions = (self.questions + 1.0).min(MEMORY);
        let share = 1.0 / self.questions;
        for (letter, mean) in self.mean_log.iter_mut().enumerate() {
            let given = rotations
                .iter()
                .map(|by_letter| by_letter[letter].max(LEAST).ln());
            let observed = given.sum::<f64>() / rotations.len() as f64;
            *mean += (observed - *mean) * share;
        }
    }

    /// Returns the letters' shares, which sum to 1.
    pub fn shares(&self) -> Vec<f64> {
        let trust = self.questions / (self.questions + HALF_AFTER);
        let weights: Vec<f64> = self
            .mean_log
            .iter()
            .map(|log| (log * trust).exp())
            .collect();
        let sum: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / sum).collect()
    }

    /// Returns how many questions it has learnt from.
    pub fn questions(&self) -> f64 {
        self.questions
    }
}

/// Divides what each letter was given by the letter's own share; the result sums to 1.
pub fn without(by_letter: &[f64], shares: &[f64]) -> Vec<f64> {
    let divided: Vec<f64> = by_letter
        .iter()
        .zip(shares)
        .map(|(given, share)| given / share.max(LEAST))
        .collect();
    let sum: f64 = divided.iter().sum();
    if sum <= 0.0 || divided.len() != by_letter.len() {
        return by_letter.to_vec();
    }
    divided.into_iter().map(|p| p / sum).collect()
}

/// The priors of every model, by number of options.
#[derive(Debug, Default)]
pub struct Priors(HashMap<(String, usize), LetterPrior>);

impl Priors {
    /// Learns from one question that `model` was shown in every rotation; returns the letters' shares now.
    pub fn observe(&mut self, model: &str, rotations: &[Vec<f64>]) -> Vec<f64> {
        let options = rotations.first().map_or(0, Vec::len);
        let prior = self
            .0
            .entry((model.to_owned(), options))
            .or_insert_with(|| LetterPrior::new(options));
        prior.observe(rotations);
        prior.shares()
    }

    /// Returns the letters' shares, if anything is known of them.
    pub fn shares(&self, model: &str, options: usize) -> Option<Vec<f64>> {
        self.0
            .get(&(model.to_owned(), options))
            .map(LetterPrior::shares)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_learnt_is_no_preference() {
        let prior = LetterPrior::new(4);
        assert_eq!(prior.shares(), [0.25; 4]);
        let given = [0.4, 0.3, 0.2, 0.1];
        let freed = without(&given, &prior.shares());
        assert!(
            freed
                .iter()
                .zip(given)
                .all(|(freed, given)| (freed - given).abs() < 1e-12)
        );
    }

    #[test]
    fn too_few_rotations_teach_nothing() {
        let mut prior = LetterPrior::new(3);
        prior.observe(&[vec![0.9, 0.05, 0.05], vec![0.9, 0.05, 0.05]]);
        assert_eq!(prior.questions(), 0.0);
    }

    #[test]
    fn a_letter_never_given_does_not_drown_the_others() {
        let mut prior = LetterPrior::new(2);
        for _ in 0..100 {
            prior.observe(&[vec![1.0, 0.0], vec![1.0, 0.0]]);
        }
        let shares = prior.shares();
        assert!(shares[1] > 0.0 && shares[0] < 1.0, "{shares:?}");
        assert!(without(&[0.5, 0.5], &shares).iter().all(|p| p.is_finite()));
    }

    #[test]
    fn models_and_numbers_of_options_are_kept_apart() {
        let mut priors = Priors::default();
        priors.observe("a", &[vec![0.9, 0.1], vec![0.8, 0.2]]);
        assert!(priors.shares("a", 2).unwrap()[0] > 0.5);
        assert_eq!(priors.shares("a", 3), None);
        assert_eq!(priors.shares("b", 2), None);
    }
}
