//! Flaws of item writing that need no model to be seen. Pure.
//!
//! The names are those of the literature: H = Haladyna, Downing, Rodriguez: A review of multiple-choice item-writing
//! guidelines for classroom assessment, Applied Measurement in Education 15(3), 2002; N = National Board of Medical
//! Examiners: Constructing written test questions for the basic and clinical sciences, 2016.

mod quiz;
mod words;

pub use quiz::of_quiz;

use crate::quiz::{Kind, Question, fingerprint::normalised};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use words::{content_words, lower, ranges};

/// A flaw of one question, or of the quiz as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Flaw {
    /// What a program tests.
    pub code: Code,
    /// Its name in the literature.
    pub name: String,
    /// What was seen, and what would be better.
    pub message: String,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $code:literal, $name:literal;)*) => {
        /// Kinds of flaw.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Code { $($(#[doc = $doc])* $variant,)* }

        impl Code {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Returns what a program tests.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// Returns its name in the literature.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

codes! {
    /// The key is by far the longest option.
    LongCorrectAnswer = "long_correct_answer", "Long correct answer (N; H 24)";
    /// An option says that all others are right.
    AllOfTheAbove = "all_of_the_above", "“All of the above” (N; H 26)";
    /// An option says that none of the others is right.
    NoneOfTheAbove = "none_of_the_above", "“None of the above” (N; H 25)";
    /// The question asks for what is not so.
    NegativeStem = "negative_stem", "Negatively phrased stem (N; H 17)";
    /// A word of the question stands in the key and in no other option.
    WordRepeats = "word_repeats", "Word repeats, clang association (N; H 28b)";
    /// Two options can be right at once.
    OverlappingOptions = "overlapping_options", "Options not mutually exclusive (H 21)";
    /// Two options are the same.
    DuplicateOptions = "duplicate_options", "Repeated options (H 21)";
    /// Wrong options speak in absolutes, the key does not.
    AbsoluteTerms = "absolute_terms", "Absolute terms (N; H 28a)";
    /// Options speak of frequencies that mean something else to each reader.
    VagueTerms = "vague_terms", "Vague frequency terms (N)";
    /// Grammar tells the key or excludes an option.
    GrammaticalCues = "grammatical_cues", "Grammatical cues (N; H 28d)";
    /// The question is nothing without its options.
    UnfocusedStem = "unfocused_stem", "Unfocused stem (N; H 14)";
    /// An option names others by letter or place.
    ComplexOptions = "complex_options", "Complex multiple choice, K-type (N; H 9)";
    /// Over the quiz, the key stands at some places too often.
    UnevenKeyPosition = "uneven_key_position", "Unbalanced answer key (H 20)";
    /// Over the quiz, the key is the longest option too often.
    KeyOftenLongest = "key_often_longest", "Long correct answer, over the test (N; H 24)";
    /// Two questions of the quiz are the same.
    RepeatedQuestion = "repeated_question", "Overlapping items (H 5)";
}

impl Flaw {
    fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            name: code.name().to_owned(),
            message: message.into(),
        }
    }
}

/// Returns the flaws of one question.
pub fn of_question(question: &Question) -> Vec<Flaw> {
    let mut found = Vec::new();
    if question.kind != Kind::TrueFalse {
        found.extend(long_correct_answer(question));
        found.extend(all_or_none(question));
        found.extend(duplicates(question));
        found.extend(overlaps(question));
        found.extend(absolute_terms(question));
        found.extend(vague_terms(question));
        found.extend(word_repeats(question));
        found.extend(article_cue(question));
        found.extend(unfocused(question));
        found.extend(complex(question));
    }
    found.extend(negative_stem(question));
    found
}

/// Returns each option with whether it belongs to the key.
fn keyed(question: &Question) -> impl Iterator<Item = (bool, &String)> {
    let key = question.correct.as_deref().unwrap_or_default();
    (1..)
        .zip(&question.options)
        .map(|(number, option)| (key.contains(&number), option))
}

/// Returns the one option of the key; `None` when there are several or none.
fn only_key(question: &Question) -> Option<&String> {
    let mut right = keyed(question).filter_map(|(right, option)| right.then_some(option));
    let first = right.next()?;
    right.next().is_none().then_some(first)
}

fn wrong(question: &Question) -> impl Iterator<Item = &String> {
    keyed(question).filter_map(|(right, option)| (!right).then_some(option))
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn long_correct_answer(question: &Question) -> Option<Flaw> {
    // Characters by which the key must be longer, and how many times as long.
    const MORE: usize = 10;
    const TIMES: f64 = 1.5;
    let key = only_key(question)?;
    // What is said of other options is as long as it is.
    if words::says(key, words::ALL_OF)
        || words::says(key, words::NONE_OF)
        || words::names_options(key)
    {
        return None;
    }
    let key = length(key);
    let next = wrong(question).map(|option| length(option)).max()?;
    (key >= next + MORE && key as f64 >= TIMES * next as f64).then(|| {
        let told = format!("the key has {key} characters, the next longest option {next}: make the others as full, or the key shorter");
        Flaw::new(Code::LongCorrectAnswer, told)
    })
}

fn all_or_none(question: &Question) -> Vec<Flaw> {
    let has = |phrases: &[&str]| {
        question
            .options
            .iter()
            .any(|option| words::says(option, phrases))
    };
    let mut found = Vec::new();
    if has(words::ALL_OF) {
        let told = "who knows that two options are right needs not know more: name the options themselves, or let several be chosen";
        found.push(Flaw::new(Code::AllOfTheAbove, told));
    }
    if has(words::NONE_OF) {
        let told = "it shows what somebody knows to be wrong, not what is right: put a right answer in its place";
        found.push(Flaw::new(Code::NoneOfTheAbove, told));
    }
    found
}

fn duplicates(question: &Question) -> Option<Flaw> {
    let mut seen: Vec<String> = Vec::new();
    for option in &question.options {
        let text = lower(&normalised(option));
        if seen.contains(&text) {
            return Some(Flaw::new(
                Code::DuplicateOptions,
                format!("“{option}” stands there twice: replace one of them"),
            ));
        }
        seen.push(text);
    }
    None
}

fn overlaps(question: &Question) -> Option<Flaw> {
    let ranges: Vec<_> = question
        .options
        .iter()
        .filter_map(|option| Some((option, ranges(option)?)))
        .collect();
    for (at, (one, (low, high))) in ranges.iter().enumerate() {
        for (other, (other_low, other_high)) in &ranges[at + 1..] {
            // Ranges that only touch, as 10 to 20 and 20 to 30, share a value too.
            if low <= other_high && other_low <= high {
                let told = format!(
                    "“{one}” and “{other}” share values, so both can be right: let each end before the next begins"
                );
                return Some(Flaw::new(Code::OverlappingOptions, told));
            }
        }
    }
    None
}

fn absolute_terms(question: &Question) -> Option<Flaw> {
    let is_absolute = |option: &&String| words::has_word(option, words::ABSOLUTE);
    let key = only_key(question)?;
    if is_absolute(&key) {
        return None;
    }
    let absolute = wrong(question).filter(is_absolute).count();
    // One may be chance; who is told to avoid such words can exclude two.
    (absolute >= 2).then(|| {
        let told = format!("{absolute} wrong options have always, never, all, only or the like, and the key has not: leave them out");
        Flaw::new(Code::AbsoluteTerms, told)
    })
}

fn vague_terms(question: &Question) -> Option<Flaw> {
    let vague = question
        .options
        .iter()
        .find(|option| words::has_word(option, words::VAGUE))?;
    let told = format!("“{vague}” can be read in more than one way: give a number");
    Some(Flaw::new(Code::VagueTerms, told))
}

fn word_repeats(question: &Question) -> Option<Flaw> {
    let key = content_words(only_key(question)?);
    let asked = content_words(&question.text);
    let others: Vec<_> = wrong(question)
        .map(|option| content_words(option))
        .collect();
    let telling = key
        .iter()
        .find(|word| asked.contains(*word) && !others.iter().any(|other| other.contains(*word)))?;
    let told = format!(
        "“{telling}” stands in the question and in the key, and in no other option: use another word"
    );
    Some(Flaw::new(Code::WordRepeats, told))
}

/// English only: `a` or `an` before the gap excludes the options that begin otherwise.
fn article_cue(question: &Question) -> Option<Flaw> {
    let stem = question
        .text
        .trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '_' | ':' | '…' | '.'));
    let last = stem.rsplit(char::is_whitespace).next()?;
    let wants_vowel = match last {
        "a" => false,
        "an" => true,
        _ => return None,
    };
    let fits = |option: &&String| {
        let first = option.trim().chars().next().map(|c| c.to_ascii_lowercase());
        first.is_some_and(|first| {
            first.is_alphabetic() && matches!(first, 'a' | 'e' | 'i' | 'o' | 'u') == wants_vowel
        })
    };
    let fitting = question.options.iter().filter(fits).count();
    (fitting < question.options.len()).then(|| {
        let told = format!("the question ends in “{last}”, and {fitting} of {} options go on so: move the article into the options", question.options.len());
        Flaw::new(Code::GrammaticalCues, told)
    })
}

fn unfocused(question: &Question) -> Option<Flaw> {
    let text = lower(&question.text);
    let bare = text.trim_matches(|c: char| !c.is_alphanumeric());
    let is_empty_question = words::UNFOCUSED.contains(&bare);
    is_empty_question.then(|| {
        let told = "it cannot be answered before the options are read: ask for one thing, and let the options be about it";
        Flaw::new(Code::UnfocusedStem, told)
    })
}

fn complex(question: &Question) -> Option<Flaw> {
    let all_or_none =
        |option: &String| words::says(option, words::ALL_OF) || words::says(option, words::NONE_OF);
    let named = question
        .options
        .iter()
        .find(|option| words::names_options(option) && !all_or_none(option))?;
    let told = format!(
        "“{named}” speaks of other options: let several be chosen instead, of kind multiple"
    );
    Some(Flaw::new(Code::ComplexOptions, told))
}

fn negative_stem(question: &Question) -> Option<Flaw> {
    let found = question.text.split_whitespace().find_map(|word| {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '\'' && c != '’');
        words::NEGATIVE
            .contains(&lower(bare).as_str())
            .then_some(bare)
    })?;
    // In capitals it is at least not overlooked.
    let is_shouted = found.chars().count() > 1 && found.chars().all(|c| !c.is_lowercase());
    (!is_shouted && question.text.contains('?')).then(|| {
        let told = format!(
            "“{found}” is easily overlooked: ask for what is so, or write {}",
            found.to_uppercase()
        );
        Flaw::new(Code::NegativeStem, told)
    })
}

#[cfg(test)]
mod tests;
