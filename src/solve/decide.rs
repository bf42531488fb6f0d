//! From probabilities to the answer that is shown.

use super::{
    Decision, Solution,
    calibration::{COVERAGE, Calibration, Reading, scaled},
};
use crate::quiz::{Kind, OptionNumber, Question};

/// Flag: the answer is more likely wrong than right.
pub const LOW_CONFIDENCE: &str = "low_confidence";
/// Flag: a second option is nearly as likely.
pub const AMBIGUOUS: &str = "ambiguous";
/// Flag: the model would rather have given none of the options.
pub const NO_GOOD_ANSWER: &str = "no_good_answer";
/// Flag: the question cannot be answered without seeing its picture.
pub const NEEDS_IMAGE: &str = "needs_image";

/// From this probability on an answer is not `low_confidence`, and from this probability outside the options on there is
/// `no_good_answer`.
const LIKELY: f64 = 0.5;
/// Two options above this probability make a `single` question `ambiguous`.
const RIVAL: f64 = 0.3;

/// Returns the answer that follows from `solution`, its probabilities read as `reading` says.
///
/// `single` and `true_false`: the likeliest option (the first of equals), with its probability, less what lay outside the
/// options. `multiple`: every option of at least the threshold, or the likeliest when there is none; the confidence is the
/// probability that all options, chosen or not, are judged rightly, taken one by one as independent.
///
/// A probability that is missing, not a number or out of range counts as the nearest number from 0 to 1.
pub fn decide(question: &Question, solution: &Solution, reading: Reading<'_>) -> Decision {
    let probabilities = read(question, solution, reading.calibration);
    let best = likeliest(&probabilities);
    let outside = sane(Some(solution.outside));

    let (selected, confidence) = match question.kind {
        Kind::Single | Kind::TrueFalse => {
            let p = sane(probabilities.get(best).copied());
            (vec![best], p * (1.0 - outside))
        }
        Kind::Multiple => {
            let mut chosen: Vec<usize> = (0..probabilities.len())
                .filter(|&index| probabilities[index] >= reading.choose_from)
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

    let no_good_answer = match question.kind {
        Kind::Single | Kind::TrueFalse => outside >= LIKELY,
        Kind::Multiple => probabilities
            .get(best)
            .is_none_or(|&p| p < reading.choose_from),
    };
    let ambiguous =
        question.kind != Kind::Multiple && probabilities.iter().filter(|&&p| p > RIVAL).count() > 1;
    let flags = [
        (confidence < LIKELY, LOW_CONFIDENCE),
        (ambiguous, AMBIGUOUS),
        (no_good_answer, NO_GOOD_ANSWER),
    ];
    let flags = flags.into_iter().filter(|(holds, _)| *holds);
    Decision {
        selected: selected.into_iter().map(number).collect(),
        confidence,
        flags: flags.map(|(_, flag)| flag.to_owned()).collect(),
        probabilities,
    }
}

/// Returns the options of which one is right with a probability of 90 %, in the question's order, never none.
///
/// With a calibration, those at least as likely as its threshold; without, the likeliest ones that hold 90 % together. For
/// `multiple`, every option that is not wrong with a probability of 90 %.
pub fn prediction_set(
    question: &Question,
    decision: &Decision,
    calibration: Option<&Calibration>,
) -> Vec<OptionNumber> {
    let probabilities = &decision.probabilities;
    let from = match (question.kind, calibration) {
        (Kind::Multiple, _) => 1.0 - COVERAGE,
        (_, Some(calibration)) => calibration.set_from,
        (_, None) => {
            let mut falling = probabilities.clone();
            falling.sort_unstable_by(|a, b| b.total_cmp(a));
            let mut sum = 0.0;
            let last = falling.into_iter().find(|p| {
                sum += p;
                sum >= COVERAGE
            });
            last.unwrap_or(0.0)
        }
    };
    let best = likeliest(probabilities);
    let held =
        (0..probabilities.len()).filter(|&index| index == best || probabilities[index] >= from);
    held.map(number).collect()
}

fn read(question: &Question, solution: &Solution, calibration: Option<&Calibration>) -> Vec<f64> {
    let given: Vec<f64> = (0..question.options.len())
        .map(|index| sane(solution.probabilities.get(index).copied()))
        .collect();
    match (question.kind, calibration) {
        (Kind::Single | Kind::TrueFalse, Some(calibration)) => {
            scaled(&given, calibration.temperature)
        }
        // Each option of `multiple` stands for itself, and has a threshold of its own.
        _ => given,
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
        decide(&question, &solution(probabilities), Reading::default())
    }

    fn solution(probabilities: &[f64]) -> Solution {
        Solution {
            probabilities: probabilities.to_vec(),
            outside: 0.0,
            method: Method::Stated,
            model: "test".into(),
            prompt_tokens: 0,
            completion_tokens: 0,
            calls: 1,
            cost_usd: 0.0,
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
                flags: vec![],
                probabilities: vec![0.02, 0.93, 0.03, 0.02],
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

    #[test]
    fn what_lies_outside_the_options_is_doubt() {
        let question = Question {
            text: "Q".into(),
            options: vec!["o".into(); 2],
            kind: Kind::Single,
            correct: None,
            id: None,
        };
        let half = Solution {
            outside: 0.6,
            ..solution(&[0.9, 0.1])
        };
        let decision = decide(&question, &half, Reading::default());
        assert!((decision.confidence - 0.36).abs() < 1e-12);
        assert_eq!(decision.flags, [LOW_CONFIDENCE, NO_GOOD_ANSWER]);
        assert_eq!(
            decided(Kind::Multiple, &[0.1, 0.4]).flags,
            [LOW_CONFIDENCE, NO_GOOD_ANSWER]
        );
    }

    #[test]
    fn a_calibration_makes_less_sure_and_changes_no_order() {
        let question = Question {
            text: "Q".into(),
            options: vec!["o".into(); 3],
            kind: Kind::Single,
            correct: None,
            id: None,
        };
        let calibration = Calibration {
            temperature: 2.0,
            set_from: 0.2,
            questions: 100,
        };
        let decision = decide(
            &question,
            &solution(&[0.04, 0.8, 0.16]),
            Reading {
                calibration: Some(&calibration),
                ..Reading::default()
            },
        );
        assert_eq!(decision.selected, [2]);
        assert!((decision.confidence - 0.8_f64.sqrt() / (0.2 + 0.8_f64.sqrt() + 0.4)).abs() < 1e-9);
        assert_eq!(
            prediction_set(&question, &decision, Some(&calibration)),
            [2, 3]
        );
    }

    #[test]
    fn without_calibration_the_set_holds_nine_tenths_together() {
        let set = |kind, probabilities: &[f64]| {
            let question = Question {
                text: "Q".into(),
                options: vec!["o".into(); probabilities.len()],
                kind,
                correct: None,
                id: None,
            };
            prediction_set(
                &question,
                &decide(&question, &solution(probabilities), Reading::default()),
                None,
            )
        };
        assert_eq!(set(Kind::Single, &[0.05, 0.92, 0.03]), [2]);
        assert_eq!(set(Kind::Single, &[0.3, 0.62, 0.08]), [1, 2]);
        assert_eq!(set(Kind::Single, &[0.25; 4]), [1, 2, 3, 4]);
        assert_eq!(set(Kind::Multiple, &[0.95, 0.05, 0.3]), [1, 3]);
        assert_eq!(set(Kind::Multiple, &[0.05, 0.02]), [1], "never none");
    }

    proptest! {
        #[test]
        fn always_a_valid_answer(
            given in prop::collection::vec(prop::num::f64::ANY, 0..30),
            options in 2_usize..=26,
            kind in prop::sample::select(vec![Kind::Single, Kind::Multiple, Kind::TrueFalse]),
        ) {
            let question = Question { text: "Q".into(), options: vec!["o".into(); options], kind, correct: None, id: None };
            let decision = decide(&question, &solution(&given), Reading::default());
            prop_assert!(!decision.selected.is_empty());
            prop_assert!(decision.selected.iter().all(|&n| n >= 1 && n as usize <= options));
            prop_assert!((0.0..=1.0).contains(&decision.confidence));
            prop_assert!(kind == Kind::Multiple || decision.selected.len() == 1);
        }
    }
}
