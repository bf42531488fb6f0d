//! Words that give a question away, in English and German, and numbers in options.

use crate::{quiz::Question, solve::order::is_free};
use std::collections::BTreeSet;

pub(super) const ALL_OF: &[&str] = &[
    "all of the above",
    "all the above",
    "all of these",
    "all of them",
    "all options",
    "all are correct",
    "all answers are correct",
    "alle genannten",
    "alle antworten",
    "alle oben genannten",
    "alles davon",
    "alle aussagen",
];
pub(super) const NONE_OF: &[&str] = &[
    "none of the above",
    "none of these",
    "none of them",
    "no answer is correct",
    "none are correct",
    "none is correct",
    "keine der",
    "keine davon",
    "nichts davon",
    "keiner der",
    "keines der",
];
pub(super) const ABSOLUTE: &[&str] = &[
    "always",
    "never",
    "all",
    "none",
    "only",
    "every",
    "must",
    "completely",
    "absolutely",
    "entirely",
    "immer",
    "nie",
    "niemals",
    "alle",
    "nur",
    "jeder",
    "jede",
    "jedes",
    "völlig",
    "ausschließlich",
];
pub(super) const VAGUE: &[&str] = &[
    "usually",
    "often",
    "frequently",
    "rarely",
    "seldom",
    "sometimes",
    "occasionally",
    "generally",
    "commonly",
    "meistens",
    "häufig",
    "oft",
    "selten",
    "manchmal",
    "gelegentlich",
];
pub(super) const NEGATIVE: &[&str] = &[
    "not",
    "except",
    "never",
    "isn't",
    "isn’t",
    "doesn't",
    "doesn’t",
    "don't",
    "don’t",
    "cannot",
    "aren't",
    "aren’t",
    "wasn't",
    "wasn’t",
    "least",
    "nicht",
    "kein",
    "keine",
    "keiner",
    "keines",
    "keinen",
    "außer",
];
pub(super) const UNFOCUSED: &[&str] = &[
    "which is true",
    "which is correct",
    "which of the following is true",
    "which of the following is correct",
    "which of the following statements is true",
    "which of the following statements is correct",
    "which statement is true",
    "which statement is correct",
    "choose the correct answer",
    "choose the correct statement",
    "select the correct answer",
    "welche aussage ist richtig",
    "welche aussage stimmt",
    "was stimmt",
    "was ist richtig",
    "welche der folgenden aussagen ist richtig",
];

/// Words that carry nothing.
const EMPTY: &[&str] = &[
    "the",
    "and",
    "for",
    "with",
    "from",
    "that",
    "this",
    "these",
    "those",
    "which",
    "what",
    "when",
    "where",
    "who",
    "whose",
    "whom",
    "how",
    "are",
    "was",
    "were",
    "has",
    "have",
    "had",
    "does",
    "did",
    "its",
    "their",
    "his",
    "her",
    "into",
    "onto",
    "than",
    "then",
    "there",
    "they",
    "you",
    "your",
    "not",
    "all",
    "any",
    "can",
    "will",
    "would",
    "following",
    "most",
    "more",
    "one",
    "two",
    "between",
    "about",
    "der",
    "die",
    "das",
    "den",
    "dem",
    "des",
    "ein",
    "eine",
    "einer",
    "eines",
    "einem",
    "einen",
    "und",
    "oder",
    "mit",
    "von",
    "vom",
    "zum",
    "zur",
    "ist",
    "sind",
    "war",
    "wird",
    "werden",
    "hat",
    "haben",
    "welche",
    "welcher",
    "welches",
    "was",
    "wer",
    "wie",
    "auf",
    "aus",
    "bei",
    "nach",
    "für",
];

pub(super) fn lower(text: &str) -> String {
    text.to_lowercase()
}

/// Returns whether `text` has one of the phrases, whatever the case.
pub(super) fn says(text: &str, phrases: &[&str]) -> bool {
    let text = lower(text);
    phrases.iter().any(|phrase| text.contains(phrase))
}

/// Returns whether `text` has one of the words, whatever the case.
pub(super) fn has_word(text: &str, words: &[&str]) -> bool {
    lower(text)
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| words.contains(&word))
}

/// Returns whether an option speaks of other options.
pub(super) fn names_options(option: &str) -> bool {
    let alone = Question {
        text: String::new(),
        options: vec![option.to_owned()],
        kind: crate::quiz::Kind::Single,
        correct: None,
        id: None,
    };
    !is_free(&alone)
}

/// Returns the words of `text` that carry something: of four letters and more, without endings for the plural.
pub(super) fn content_words(text: &str) -> BTreeSet<String> {
    lower(text)
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| {
            word.chars().count() >= 4
                && word.chars().any(char::is_alphabetic)
                && !EMPTY.contains(word)
        })
        .map(|word| singular(word).to_owned())
        .filter(|word| word.chars().count() >= 3)
        .collect()
}

/// Returns an English word without the ending of its plural.
fn singular(word: &str) -> &str {
    let hissing = ["ses", "xes", "zes", "ches", "shes"];
    match word {
        _ if hissing.iter().any(|end| word.ends_with(end)) => {
            word.strip_suffix("es").unwrap_or(word)
        }
        _ if word.ends_with("ss") => word,
        _ => word.strip_suffix('s').unwrap_or(word),
    }
}

/// Returns the bounds of a range such as `10–20 %`, `10 to 20`, `< 5`, `more than 30`.
pub(super) fn ranges(option: &str) -> Option<(f64, f64)> {
    let text = lower(option);
    let numbers = numbers(&text);
    let opens = |words: &[&str]| words.iter().any(|word| text.trim_start().starts_with(word));
    match numbers.as_slice() {
        [low, high] if low < high && is_range(&text) => Some((*low, *high)),
        // An open end does not include its number: a hair is left between.
        [one]
            if opens(&[
                "<",
                "less than",
                "under",
                "below",
                "fewer than",
                "weniger als",
                "unter",
            ]) =>
        {
            Some((f64::NEG_INFINITY, one.next_down()))
        }
        [one] if opens(&[">", "more than", "over", "above", "mehr als", "über"]) => {
            Some((one.next_up(), f64::INFINITY))
        }
        [one] if opens(&["≤", "up to", "at most", "bis zu", "höchstens"]) => {
            Some((f64::NEG_INFINITY, *one))
        }
        [one] if opens(&["≥", "at least", "mindestens"]) => Some((*one, f64::INFINITY)),
        _ => None,
    }
}

/// Returns whether two numbers stand there as the ends of a range, and nothing else but units.
fn is_range(text: &str) -> bool {
    let between = ["–", "-", "—", " to ", " bis ", "and", "und"]
        .iter()
        .any(|sign| text.contains(sign));
    let words = text
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| word.chars().count() > 3 && *word != "between" && *word != "zwischen");
    between && words.count() <= 1
}

fn numbers(text: &str) -> Vec<f64> {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .filter(|part| part.contains(|c: char| c.is_ascii_digit()))
        .filter_map(|part| part.trim_matches('.').parse().ok())
        .collect()
}
