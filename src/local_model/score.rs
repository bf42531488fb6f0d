//! From log-probabilities to one probability per option. Pure.

/// Share of an option's own likelihood, without the question, that is taken off its likelihood after the question.
/// 0 favours common words, 1 (pointwise mutual information) favours rare ones.
const PRIOR_WEIGHT: f64 = 0.5;
/// Divides the evidence before the softmax, so that stated probabilities are right on the whole: the value that measured best.
const TEMPERATURE: f64 = 2.0;

/// An option's text, and how likely it is, as natural logarithms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Likelihood {
    /// After the question.
    pub(crate) asked: f64,
    /// After no question.
    pub(crate) unasked: f64,
    /// Tokens of the text, at least 1.
    pub(crate) tokens: usize,
}

/// Returns one probability per option, summing to 1, from the likelihood of the options' texts.
pub(crate) fn by_likelihood(options: &[Likelihood]) -> Vec<f64> {
    let evidence = options.iter().map(|option| {
        let gained = option.asked - PRIOR_WEIGHT * option.unasked;
        // The chance part of a likelihood grows with the root of the number of tokens: so divided, texts of different
        // length can be set against each other.
        gained / (option.tokens.max(1) as f64).sqrt() / TEMPERATURE
    });
    softmax(&evidence.collect::<Vec<_>>())
}

/// Turns probabilities that sum to 1 into one probability per option for itself, for questions with several right ones:
/// how much of the pair an option takes when it is set against the average of the others. Above one half means likelier
/// than the others on average; which is all that a model which was asked for one answer knows.
pub(crate) fn each_for_itself(probabilities: &[f64]) -> Vec<f64> {
    let others = (probabilities.len().max(2) - 1) as f64;
    let total: f64 = probabilities.iter().sum();
    let against = |p: f64| {
        let average = (total - p).max(0.0) / others;
        if p + average > 0.0 {
            p / (p + average)
        } else {
            0.5
        }
    };
    probabilities.iter().map(|&p| against(p)).collect()
}

/// Returns the natural logarithm of the sum of the exponentials of `row`.
pub(crate) fn log_sum_exp(row: &[f32]) -> f64 {
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    // In f32 the sum over a large vocabulary loses what the unlikely words add together.
    let sum: f64 = row.iter().map(|&x| f64::from((x - top).exp())).sum();
    sum.ln() + f64::from(top)
}

fn softmax(scores: &[f64]) -> Vec<f64> {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = scores.iter().map(|score| (score - top).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_option_that_is_common_anyway_needs_more_evidence() {
        let common = Likelihood {
            asked: -4.0,
            unasked: -3.0,
            tokens: 2,
        };
        let rare = Likelihood {
            asked: -5.0,
            unasked: -11.0,
            tokens: 2,
        };
        let probabilities = by_likelihood(&[common, rare]);
        assert!(probabilities[1] > probabilities[0], "{probabilities:?}");
    }

    #[test]
    fn equal_options_share_and_stand_at_one_half_alone() {
        let same = Likelihood {
            asked: -7.0,
            unasked: -9.0,
            tokens: 2,
        };
        assert_eq!(by_likelihood(&[same; 4]), [0.25; 4]);
        assert_eq!(each_for_itself(&[0.25; 4]), [0.5; 4]);
        assert_eq!(each_for_itself(&[0.0, 0.0]), [0.5, 0.5]);
    }

    #[test]
    fn of_two_options_each_keeps_its_probability() {
        let alone = each_for_itself(&[0.8, 0.2]);
        assert!(
            (alone[0] - 0.8).abs() < 1e-9 && (alone[1] - 0.2).abs() < 1e-9,
            "{alone:?}"
        );
    }

    #[test]
    fn log_sum_exp_survives_large_numbers() {
        assert!((log_sum_exp(&[1000.0, 1000.0]) - (1000.0 + 2_f64.ln())).abs() < 1e-6);
        assert!((log_sum_exp(&[-1000.0]) + 1000.0).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn probabilities_sum_to_one_and_keep_the_order(
            raw in prop::collection::vec((-400.0..0.0_f64, -400.0..0.0_f64, 1..200_usize), 2..=26),
        ) {
            let options: Vec<_> = raw.iter().map(|&(asked, unasked, tokens)| Likelihood { asked, unasked, tokens }).collect();
            let together = by_likelihood(&options);
            prop_assert!((together.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            let alone = each_for_itself(&together);
            for i in 0..options.len() {
                prop_assert!((0.0..=1.0).contains(&alone[i]));
                for j in 0..options.len() {
                    prop_assert!(together[i] < together[j] || alone[i] >= alone[j] - 1e-12);
                }
            }
        }
    }
}
