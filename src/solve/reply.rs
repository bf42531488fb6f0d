//! Reading a model's reply: strictly as the JSON that was asked for, then leniently, which is marked as such.

mod lenient;

use super::Method;
use crate::quiz::{Kind, Question};
use serde::Deserialize;
use thiserror::Error;

/// Confidences of one right option may add up to this much; what is above 1 passes for rounding.
const MAX_SUM: f64 = 1.1;

/// What a reply says.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// One probability per option in the question's order, as in [`Solution`](super::Solution).
    pub probabilities: Vec<f64>,
    /// [`Method::Stated`] or, when it was not quite what was asked for, [`Method::Parsed`].
    pub method: Method,
}

/// Why a reply names no answer. The texts hold nothing of the reply but numbers.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum ReplyError {
    /// Nothing but white space.
    #[error("the reply is empty")]
    Empty,
    /// No option can be found in it.
    #[error("the reply names no option")]
    NoOption,
    /// An option that the question does not have.
    #[error("the reply names option {option}, the question has {options}")]
    OutOfRange {
        /// The option's number in the reply.
        option: i64,
        /// How many options there are.
        options: usize,
    },
    /// The same option more than once.
    #[error("the reply names option {0} more than once")]
    Repeated(usize),
    /// Several options where one is right, and nothing to rank them by.
    #[error("the reply names several options, one is right")]
    Several,
    /// A confidence that is no probability.
    #[error("the reply gives a confidence that is not from 0 to 1")]
    Confidence(f64),
    /// Confidences that cannot be true together.
    #[error("the reply's confidences add up to {0:.2}")]
    Sum(f64),
}

/// One option of a reply, by index, with its confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Entry {
    index: usize,
    confidence: f64,
}

/// Returns what `text` says about `question`.
///
/// # Errors
/// The reply names no usable answer. A wrong value in a reply of the right form is not read again leniently.
pub fn read(text: &str, question: &Question) -> Result<Reply, ReplyError> {
    if text.trim().is_empty() {
        return Err(ReplyError::Empty);
    }
    let (entries, method) = match strict_entries(text, question.options.len()) {
        Some(entries) => (entries?, Method::Stated),
        None => (lenient::entries(text, question)?, Method::Parsed),
    };
    Ok(Reply {
        probabilities: spread(&entries, question)?,
        method,
    })
}

/// Returns the entries of a reply in exactly the form asked for; `None` when it has another form.
fn strict_entries(text: &str, options: usize) -> Option<Result<Vec<Entry>, ReplyError>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wire {
        options: Vec<WireEntry>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct WireEntry {
        option: i64,
        confidence: f64,
    }
    let wire: Wire = serde_json::from_str(text).ok()?;
    Some(
        wire.options
            .into_iter()
            .map(|WireEntry { option, confidence }| {
                Ok(Entry {
                    index: index_of(option, options)?,
                    confidence: probability(confidence)?,
                })
            })
            .collect(),
    )
}

/// Returns the index of the option with a number from 1.
fn index_of(option: i64, options: usize) -> Result<usize, ReplyError> {
    match usize::try_from(option) {
        Ok(number) if (1..=options).contains(&number) => Ok(number - 1),
        _ => Err(ReplyError::OutOfRange { option, options }),
    }
}

fn probability(confidence: f64) -> Result<f64, ReplyError> {
    if (0.0..=1.0).contains(&confidence) {
        Ok(confidence)
    } else {
        Err(ReplyError::Confidence(confidence))
    }
}

/// Returns one probability per option.
///
/// `multiple`: an option that was not named is taken as wrong. Otherwise what the named ones leave of 1 is shared by
/// the others, each getting less than the best named one, so that the model's choice stays the choice.
fn spread(entries: &[Entry], question: &Question) -> Result<Vec<f64>, ReplyError> {
    let mut named: Vec<Option<f64>> = vec![None; question.options.len()];
    for &Entry { index, confidence } in entries {
        if named[index].replace(confidence).is_some() {
            return Err(ReplyError::Repeated(index + 1));
        }
    }
    let best = entries
        .iter()
        .map(|entry| entry.confidence)
        .fold(0.0, f64::max);
    if best <= 0.0 {
        return Err(ReplyError::NoOption);
    }
    if question.kind == Kind::Multiple {
        return Ok(named
            .into_iter()
            .map(|confidence| confidence.unwrap_or(0.0))
            .collect());
    }

    let sum: f64 = entries.iter().map(|entry| entry.confidence).sum();
    if sum > MAX_SUM {
        return Err(ReplyError::Sum(sum));
    }
    let others = named
        .iter()
        .filter(|confidence| confidence.is_none())
        .count();
    let share = ((1.0 - sum).max(0.0) / others.max(1) as f64).min(best * 0.99);
    let mut probabilities: Vec<f64> = named
        .into_iter()
        .map(|confidence| confidence.unwrap_or(share))
        .collect();
    let total: f64 = probabilities.iter().sum();
    probabilities
        .iter_mut()
        .for_each(|probability| *probability /= total);
    Ok(probabilities)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(super) fn question(kind: Kind, options: &[&str]) -> Question {
        Question {
            text: "Q".into(),
            options: options.iter().map(|&o| o.into()).collect(),
            kind,
            correct: None,
            id: None,
        }
    }

    fn four(text: &str) -> Result<Reply, ReplyError> {
        read(text, &question(Kind::Single, &["w", "x", "y", "z"]))
    }

    fn close(left: &[f64], right: &[f64]) {
        assert_eq!(left.len(), right.len());
        assert!(
            left.iter().zip(right).all(|(l, r)| (l - r).abs() < 1e-9),
            "{left:?} is not {right:?}"
        );
    }

    #[test]
    fn reads_what_was_asked_for() {
        let reply = four(r#"{"options":[{"option":2,"confidence":0.91}]}"#).unwrap();
        assert_eq!(reply.method, Method::Stated);
        close(&reply.probabilities, &[0.03, 0.91, 0.03, 0.03]);
        let two =
            four(r#"{"options":[{"option":2,"confidence":0.6},{"option":4,"confidence":0.3}]}"#)
                .unwrap();
        close(&two.probabilities, &[0.05, 0.6, 0.05, 0.3]);
    }

    #[test]
    fn multiple_options_stand_for_themselves() {
        let three = question(Kind::Multiple, &["x", "y", "z"]);
        let reply = read(
            r#"{"options":[{"option":1,"confidence":0.9},{"option":3,"confidence":0.8}]}"#,
            &three,
        )
        .unwrap();
        close(&reply.probabilities, &[0.9, 0.0, 0.8]);
    }

    #[test]
    fn a_faint_choice_stays_the_choice() {
        let reply = four(r#"{"options":[{"option":3,"confidence":0.1}]}"#).unwrap();
        assert!(reply.probabilities[2] > reply.probabilities[0]);
        close(&[reply.probabilities.iter().sum()], &[1.0]);
    }

    #[test]
    fn refuses_wrong_values() {
        let refused = |text| four(text).unwrap_err();
        let out = |option| ReplyError::OutOfRange { option, options: 4 };
        assert_eq!(
            refused(r#"{"options":[{"option":5,"confidence":0.9}]}"#),
            out(5)
        );
        assert_eq!(
            refused(r#"{"options":[{"option":0,"confidence":0.9}]}"#),
            out(0)
        );
        assert_eq!(
            refused(r#"{"options":[{"option":-1,"confidence":0.9}]}"#),
            out(-1)
        );
        assert_eq!(
            refused(r#"{"options":[{"option":1,"confidence":1.2}]}"#),
            ReplyError::Confidence(1.2)
        );
        assert_eq!(
            refused(r#"{"options":[{"option":1,"confidence":-0.2}]}"#),
            ReplyError::Confidence(-0.2)
        );
        assert_eq!(
            refused(r#"{"options":[{"option":1,"confidence":0}]}"#),
            ReplyError::NoOption
        );
        assert_eq!(refused(r#"{"options":[]}"#), ReplyError::NoOption);
        assert_eq!(
            refused(r#"{"options":[{"option":1,"confidence":0.4},{"option":1,"confidence":0.4}]}"#),
            ReplyError::Repeated(1)
        );
        assert_eq!(
            refused(r#"{"options":[{"option":1,"confidence":0.9},{"option":2,"confidence":0.9}]}"#),
            ReplyError::Sum(1.8)
        );
        assert_eq!(
            refused(r#"{"options":[{"option":1,"confidence":NaN}]}"#),
            ReplyError::NoOption
        );
        assert_eq!(refused(" \n"), ReplyError::Empty);
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_a_distribution(
            text in prop_oneof![
                "\\PC{0,60}",
                "[A-Da-d1-9 ,.()*:]{0,12}",
                r#"(```json\n)?\{"(options|answer)":(\[\{"option":[0-9],"confidence":[01]\.[0-9]\}\]|"[A-F]"|[0-9])\}( so)?"#,
            ],
            kind in prop::sample::select(vec![Kind::Single, Kind::Multiple]),
        ) {
            let question = question(kind, &["w", "3", "y", "b"]);
            if let Ok(reply) = read(&text, &question) {
                prop_assert_eq!(reply.probabilities.len(), 4);
                prop_assert!(reply.probabilities.iter().all(|p| (0.0..=1.0).contains(p)));
                if kind == Kind::Single {
                    prop_assert!((reply.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
                }
            }
        }
    }
}
