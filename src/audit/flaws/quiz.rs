//! Flaws that only the quiz as a whole shows. Pure.

use super::{Code, Flaw, length, only_key};
use crate::quiz::{Kind, Question, fingerprint::fingerprint};
use std::collections::HashMap;

/// How unlikely by chance something must be: one quiz in a hundred.
const CHANCE: f64 = 0.01;
/// Questions from which places are counted: fewer can be anyhow.
const FEWEST: usize = 8;

/// Returns the flaws of the quiz as a whole.
pub fn of_quiz(questions: &[Question]) -> Vec<Flaw> {
    let mut found = Vec::new();
    found.extend(uneven_position(questions));
    found.extend(often_longest(questions));
    found.extend(repeated(questions));
    found
}

fn with_one_key(questions: &[Question]) -> impl Iterator<Item = &Question> {
    questions
        .iter()
        .filter(|question| question.kind == Kind::Single && only_key(question).is_some())
}

/// Whether some place has the key so often that chance would do it in one quiz of a hundred, for any of the places.
fn uneven_position(questions: &[Question]) -> Option<Flaw> {
    let mut by_size: HashMap<usize, Vec<usize>> = HashMap::new();
    for question in with_one_key(questions) {
        let counts = by_size
            .entry(question.options.len())
            .or_insert_with(|| vec![0; question.options.len()]);
        let number = question.correct.as_ref()?.first()?;
        if let Some(count) = counts.get_mut(*number as usize - 1) {
            *count += 1;
        }
    }
    let mut sizes: Vec<_> = by_size.into_iter().collect();
    sizes.sort_unstable();
    sizes.into_iter().find_map(|(size, counts)| {
        let all: usize = counts.iter().sum();
        let (place, &most) = counts.iter().enumerate().max_by_key(|(_, count)| **count)?;
        let chance = size as f64 * at_least(most, all, 1.0 / size as f64);
        (all >= FEWEST && chance < CHANCE).then(|| {
            let letter = char::from(b'A' + u8::try_from(place).unwrap_or(25));
            let told = format!("of {all} questions with {size} options, the key is {letter} in {most}: shuffle the options");
            Flaw::new(Code::UnevenKeyPosition, told)
        })
    })
}

fn often_longest(questions: &[Question]) -> Option<Flaw> {
    let (mut longest, mut all, mut expected) = (0, 0, 0.0);
    for question in with_one_key(questions) {
        let key = length(only_key(question)?);
        let lengths: Vec<usize> = question
            .options
            .iter()
            .map(|option| length(option))
            .collect();
        // Where several are equally long, nothing can be told.
        if lengths
            .iter()
            .filter(|other| **other == *lengths.iter().max().unwrap_or(&0))
            .count()
            == 1
        {
            all += 1;
            expected += 1.0 / lengths.len() as f64;
            longest += usize::from(lengths.iter().all(|other| *other <= key));
        }
    }
    let chance = at_least(
        longest,
        all,
        expected / f64::from(u32::try_from(all.max(1)).unwrap_or(1)),
    );
    (all >= FEWEST && chance < CHANCE).then(|| {
        let told = format!("of {all} questions, the key is the longest option in {longest}, and chance makes {expected:.0}: fill the other options up");
        Flaw::new(Code::KeyOftenLongest, told)
    })
}

fn repeated(questions: &[Question]) -> Option<Flaw> {
    let mut seen = HashMap::new();
    for (number, question) in (1..).zip(questions) {
        if let Some(first) = seen.insert(fingerprint(question, ""), number) {
            let told = format!(
                "questions {first} and {number} are the same, with the same options: remove one"
            );
            return Some(Flaw::new(Code::RepeatedQuestion, told));
        }
    }
    None
}

/// Returns the probability of `successes` or more among `trials` that succeed with probability `p` each: the binomial tail.
fn at_least(successes: usize, trials: usize, p: f64) -> f64 {
    if successes == 0 {
        return 1.0;
    }
    let log_odds = p.ln() - (1.0 - p).ln();
    // The logarithm of the probability of none, then from each to the next.
    let mut log = trials as f64 * (1.0 - p).ln();
    let mut tail = 0.0;
    for count in 0..=trials {
        if count >= successes {
            tail += log.exp();
        }
        log += ((trials - count) as f64 / (count + 1) as f64).ln() + log_odds;
    }
    tail.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiz(keys: &[u32], long_key: bool) -> Vec<Question> {
        let question = |(number, &key): (usize, &u32)| Question {
            text: format!("Question {number}?"),
            options: (1..=4)
                .map(|option| {
                    if option == key && long_key {
                        "the longest option".into()
                    } else {
                        "x".repeat(option as usize)
                    }
                })
                .collect(),
            kind: Kind::Single,
            correct: Some(vec![key]),
            id: None,
        };
        keys.iter().enumerate().map(question).collect()
    }

    #[test]
    fn the_binomial_tail_is_right() {
        assert!((at_least(2, 2, 0.5) - 0.25).abs() < 1e-12);
        assert!((at_least(1, 3, 0.25) - (1.0 - 0.75_f64.powi(3))).abs() < 1e-12);
        assert_eq!(at_least(0, 5, 0.5), 1.0);
        assert!((at_least(10, 10, 0.25) - 0.25_f64.powi(10)).abs() < 1e-15);
    }

    #[test]
    fn a_key_that_is_always_b_is_seen_and_a_mixed_one_is_not() {
        let codes = |keys: &[u32]| {
            of_quiz(&quiz(keys, false))
                .iter()
                .map(|flaw| flaw.code)
                .collect::<Vec<_>>()
        };
        assert_eq!(codes(&[2; 10]), [Code::UnevenKeyPosition]);
        assert_eq!(codes(&[2; 5]), [], "too few to tell");
        assert_eq!(codes(&[1, 2, 3, 4, 2, 1, 3, 4, 1, 2, 2, 3]), []);
    }

    #[test]
    fn a_key_that_is_often_the_longest_is_seen() {
        let found = of_quiz(&quiz(&[1, 2, 3, 4, 2, 1, 3, 4, 1, 2], true));
        assert_eq!(
            found.iter().map(|flaw| flaw.code).collect::<Vec<_>>(),
            [Code::KeyOftenLongest]
        );
        assert!(found[0].message.contains("in 10"), "{found:?}");
    }

    #[test]
    fn a_question_that_comes_twice_is_seen() {
        let mut quiz = quiz(&[1, 2], false);
        quiz.push(quiz[0].clone());
        let found = of_quiz(&quiz);
        assert_eq!(found[0].code, Code::RepeatedQuestion);
        assert!(found[0].message.contains("1 and 3"), "{found:?}");
    }
}
