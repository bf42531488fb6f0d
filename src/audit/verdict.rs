//! What the model's probabilities say of the author's key. Pure.

use crate::{
    analysis::QuestionResult,
    quiz::{Kind, OptionNumber, Question},
    solve::decide::NO_GOOD_ANSWER,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// From this probability on, the model stands for an option.
const STANDS: f64 = 0.5;
/// Two options above this probability could both be meant.
const RIVAL: f64 = 0.3;
/// Below this probability, the model speaks against an option.
const AGAINST: f64 = 0.2;

/// What the model thinks of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It would have answered so.
    Agrees,
    /// It stands for another option, and speaks against the key.
    ProbablyWrongKey,
    /// The key and another option could both be meant.
    TwoAnswers,
    /// It would rather have given none of the options.
    NoRightAnswer,
    /// It does not know, was not answered, or there is no key.
    Unclear,
}

impl Verdict {
    /// Returns its name, as reports have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::ProbablyWrongKey => "probably_wrong_key",
            Self::TwoAnswers => "two_answers",
            Self::NoRightAnswer => "no_right_answer",
            Self::Unclear => "unclear",
        }
    }

    /// Returns whether a person should look at the key.
    pub const fn is_doubt(self) -> bool {
        matches!(
            self,
            Self::ProbablyWrongKey | Self::TwoAnswers | Self::NoRightAnswer
        )
    }
}

/// Returns what `result` says of the key of `question`, with the reason in words.
pub fn judge(question: &Question, result: &QuestionResult) -> (Verdict, String) {
    if let Some(error) = &result.error {
        return (
            Verdict::Unclear,
            format!("the model gave no answer: {error}"),
        );
    }
    let Some(key) = &question.correct else {
        return (Verdict::Unclear, "the quiz has no key for it".to_owned());
    };
    if result.flags.iter().any(|flag| flag == NO_GOOD_ANSWER) {
        return (
            Verdict::NoRightAnswer,
            "the model would rather have given none of the options".to_owned(),
        );
    }
    match question.kind {
        Kind::Multiple => several(question, key, &result.probabilities),
        Kind::Single | Kind::TrueFalse => one(question, key, &result.probabilities),
    }
}

fn one(question: &Question, key: &[OptionNumber], probabilities: &[f64]) -> (Verdict, String) {
    let at = |number: OptionNumber| probabilities.get(index(number)).copied().unwrap_or(0.0);
    let keyed = key.first().copied().unwrap_or(0);
    let other = (1..)
        .zip(probabilities)
        .filter(|(number, _)| *number != keyed)
        .max_by(|a, b| a.1.total_cmp(b.1));
    let Some((other, &rival)) = other else {
        return (
            Verdict::Unclear,
            "there is nothing to compare the key with".to_owned(),
        );
    };
    let of_key = at(keyed);
    let told = format!(
        "{} has {}, the key {} has {}",
        named(question, other),
        percent(rival),
        named(question, keyed),
        percent(of_key)
    );
    match () {
        () if rival >= STANDS && of_key < AGAINST => (Verdict::ProbablyWrongKey, told),
        () if of_key > RIVAL && rival > RIVAL => (Verdict::TwoAnswers, told),
        () if of_key >= STANDS => (
            Verdict::Agrees,
            format!("the key {} has {}", named(question, keyed), percent(of_key)),
        ),
        () => (Verdict::Unclear, told),
    }
}

fn several(question: &Question, key: &[OptionNumber], probabilities: &[f64]) -> (Verdict, String) {
    let numbers = || (1..).zip(probabilities.iter().copied());
    let named_with = |wanted: &dyn Fn(OptionNumber, f64) -> bool| -> Vec<String> {
        let found = numbers().filter(|(number, p)| wanted(*number, *p));
        found
            .map(|(number, p)| format!("{} ({})", named(question, number), percent(p)))
            .collect()
    };
    let missing = named_with(&|number, p| !key.contains(&number) && p > 1.0 - AGAINST);
    let wrong = named_with(&|number, p| key.contains(&number) && p < AGAINST);
    if !missing.is_empty() || !wrong.is_empty() {
        let mut told = Vec::new();
        if !missing.is_empty() {
            told.push(format!("the key lacks {}", missing.join(", ")));
        }
        if !wrong.is_empty() {
            told.push(format!("the key has {}", wrong.join(", ")));
        }
        return (Verdict::ProbablyWrongKey, told.join("; "));
    }
    let same = numbers().all(|(number, p)| key.contains(&number) == (p >= STANDS));
    match same {
        true => (
            Verdict::Agrees,
            "the model chooses the same options".to_owned(),
        ),
        false => {
            let open = named_with(&|number, p| key.contains(&number) != (p >= STANDS));
            (
                Verdict::Unclear,
                format!("the model hesitates over {}", open.join(", ")),
            )
        }
    }
}

fn index(number: OptionNumber) -> usize {
    (number as usize).wrapping_sub(1)
}

/// Returns an option as people name it: its letter, and the beginning of its text.
fn named(question: &Question, number: OptionNumber) -> String {
    const SHOWN: usize = 40;
    let Some(text) = question.options.get(index(number)) else {
        return number.to_string();
    };
    let letter = char::from_u32('A' as u32 + number - 1).unwrap_or('?');
    let mut short: String = text.chars().take(SHOWN).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{letter} “{short}”")
}

fn percent(p: f64) -> String {
    format!("{:.0} %", 100.0 * p)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(kind: Kind, key: &[u32], probabilities: &[f64], flags: &[&str]) -> (Verdict, String) {
        let question = Question {
            text: "Q".into(),
            options: (0..probabilities.len())
                .map(|n| format!("option {n}"))
                .collect(),
            kind,
            correct: Some(key.to_vec()).filter(|key| !key.is_empty()),
            id: None,
        };
        let result = QuestionResult {
            index: 1,
            id: None,
            answer: Some(1),
            selected: vec![1],
            confidence: Some(0.5),
            probabilities: probabilities.to_vec(),
            source: None,
            model: None,
            method: None,
            calls: 1,
            flags: flags.iter().map(ToString::to_string).collect(),
            prediction_set: None,
            error: None,
        };
        judge(&question, &result)
    }

    #[test]
    fn one_right_option() {
        for (key, probabilities, verdict) in [
            (1, [0.9, 0.05, 0.05], Verdict::Agrees),
            (1, [0.05, 0.9, 0.05], Verdict::ProbablyWrongKey),
            (1, [0.5, 0.45, 0.05], Verdict::TwoAnswers),
            (1, [0.35, 0.6, 0.05], Verdict::TwoAnswers),
            (1, [0.25, 0.7, 0.05], Verdict::Unclear),
            (1, [0.34, 0.26, 0.3], Verdict::Unclear),
            (3, [0.1, 0.2, 0.7], Verdict::Agrees),
        ] {
            let (found, reason) = judged(Kind::Single, &[key], &probabilities, &[]);
            assert_eq!(found, verdict, "{probabilities:?}: {reason}");
        }
        let (_, reason) = judged(Kind::Single, &[1], &[0.05, 0.9, 0.05], &[]);
        assert_eq!(
            reason,
            "B “option 1” has 90 %, the key A “option 0” has 5 %"
        );
        assert_eq!(
            judged(Kind::Single, &[1], &[0.9, 0.1], &[NO_GOOD_ANSWER]).0,
            Verdict::NoRightAnswer
        );
        assert_eq!(
            judged(Kind::Single, &[], &[0.9, 0.1], &[]).0,
            Verdict::Unclear
        );
    }

    #[test]
    fn several_right_options() {
        let (verdict, reason) = judged(Kind::Multiple, &[1, 2], &[0.9, 0.1, 0.95], &[]);
        assert_eq!(verdict, Verdict::ProbablyWrongKey);
        assert!(
            reason.contains("lacks C") && reason.contains("has B"),
            "{reason}"
        );
        assert_eq!(
            judged(Kind::Multiple, &[1, 3], &[0.9, 0.1, 0.6], &[]).0,
            Verdict::Agrees
        );
        assert_eq!(
            judged(Kind::Multiple, &[1, 3], &[0.9, 0.6, 0.6], &[]).0,
            Verdict::Unclear
        );
    }
}
