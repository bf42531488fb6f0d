//! From probabilities to the answer that is shown.

use super::{Decision, Solution};
use crate::quiz::{Kind, OptionNumber, Question};

/// Flag: the answer is more likely wrong than right.
pub const LOW_CONFIDENCE: &str = "low_confidence";
/// Flag: a second option is nearly as likely.
pub const AMBIGUOUS: &str = "ambiguous";

/// From this probability on an option of a `multiple` question is chosen, and an answer is not `low_confidence`.
const LIKELY: f64 = 0.5;
/// Two options above this probability make a `single` question `ambiguous`.
const RIVAL: f64 = 0.3;

/// Returns the answer that follows from `solution`.
///
/// `single` and `true_false`: the likeliest option (the first of equals), with its probability. `multiple`: every option
/// of at least 0.5, or the likeliest when there is none; the confidence is the probability that all options, chosen or
/// not, are judged rightly, taken one by one as independent.
///
/// A probability that is missing, not a number or out of range counts as the nearest number from 0 to 1.
pub fn decide(question: &Question, solution: &Solution) -> Decision {
    let probabilities: Vec<f64> = (0..question.options.len())
        .map(|index| sane(solution.probabilities.get(index).copied()))
        .collect();
    let best = likeliest(&probabilities);

    let (selected, confidence) = match question.kind {
        Kind::Single | Kind::TrueFalse => (vec![best], sane(probabilities.get(best).copied())),
        Kind::Multiple => {
            let mut chosen: Vec<usize> = (0..probabilities.len())
                .filter(|&index| probabilities[index] >= LIKELY)
                .collect();
            if chosen.is_empty() {
                chosen.push(best);
            }
            let confidence = probabilities
                .iter()
                .enumerate()
                .map(|(index, &p)| if chosen.contains(&index) { p } else { 1.0 - p })
                .product();
            (chosen, confidence)
        }
    };

    let mut flags = Vec::new();
    if confidence < LIKELY {
        flags.push(LOW_CONFIDENCE.to_owned());
    }
    if question.kind != Kind::Multiple && probabilities.iter().filter(|&&p| p > RIVAL).count() > 1 {
        flags.push(AMBIGUOUS.to_owned());
    }
    Decision {
        selected: selected.into_iter().map(number).collect(),
        confidence,
        flags,
    }
}

/// Returns the index of the greatest value, the first of equals.
fn likeliest(probabilities: &[f64]) -> usize {
    let mut best = 0;
    for (index, &probability) in probabilities.iter().enumerate() {
        if probability > probabilities[best] {
            best = index;
        }
    }
    best
}

fn sane(probability: Option<f64>) -> f64 {
    probability
        .filter(|p| !p.is_nan())
        .map_or(0.0, |p| p.clamp(0.0, 1.0))
}

fn number(index: usize) -> OptionNumber {
    OptionNumber::try_from(index + 1).expect("a question has at most 26 options")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::Method;
    use proptest::prelude::*;

    fn decided(kind: Kind, probabilities: &[f64]) -> Decision {
        let question = Question {
            text: "Q".into(),
            options: vec!["o".into(); probabilities.len()],
            kind,
            correct: None,
            id: None,
        };
        decide(&question, &solution(probabilities))
    }

    fn solution(probabilities: &[f64]) -> Solution {
        Solution {
            probabilities: probabilities.to_vec(),
            method: Method::Stated,
            model: "test".into(),
            prompt_tokens: 0,
            completion_tokens: 0,
            calls: 1,
        }
    }

    #[test]
    fn single_takes_the_likeliest() {
        let decision = decided(Kind::Single, &[0.02, 0.93, 0.03, 0.02]);
        assert_eq!(
            decision,
            Decision {
                selected: vec![2],
                confidence: 0.93,
                flags: vec![]
            }
        );
        assert_eq!(decided(Kind::TrueFalse, &[0.5, 0.5]).selected, [1]);
    }

    #[test]
    fn flags_doubt() {
        assert_eq!(
            decided(Kind::Single, &[0.4, 0.25, 0.35]).flags,
            [LOW_CONFIDENCE, AMBIGUOUS]
        );
        assert_eq!(decided(Kind::Single, &[0.6, 0.4]).flags, [AMBIGUOUS]);
        assert_eq!(
            decided(Kind::Single, &[0.4, 0.2, 0.2, 0.2]).flags,
            [LOW_CONFIDENCE]
        );
        assert_eq!(decided(Kind::Multiple, &[0.6, 0.6]).flags, [LOW_CONFIDENCE]);
    }

    #[test]
    fn multiple_takes_all_likely_ones_and_never_none() {
        let decision = decided(Kind::Multiple, &[0.9, 0.1, 0.5]);
        assert_eq!(decision.selected, [1, 3]);
        assert!((decision.confidence - 0.9 * 0.9 * 0.5).abs() < 1e-12);
        assert_eq!(decided(Kind::Multiple, &[0.1, 0.4, 0.2]).selected, [2]);
    }

    proptest! {
        #[test]
        fn always_a_valid_answer(
            given in prop::collection::vec(prop::num::f64::ANY, 0..30),
            options in 2_usize..=26,
            kind in prop::sample::select(vec![Kind::Single, Kind::Multiple, Kind::TrueFalse]),
        ) {
            let question = Question { text: "Q".into(), options: vec!["o".into(); options], kind, correct: None, id: None };
            let decision = decide(&question, &solution(&given));
            prop_assert!(!decision.selected.is_empty());
            prop_assert!(decision.selected.iter().all(|&n| n >= 1 && n as usize <= options));
            prop_assert!((0.0..=1.0).contains(&decision.confidence));
            prop_assert!(kind == Kind::Multiple || decision.selected.len() == 1);
        }
    }
}
