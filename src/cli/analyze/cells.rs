//! What stands in the cells of the table: answers, confidence, source, the key's mark. Pure.

use crate::{
    analysis::QuestionResult,
    quiz::{OptionNumber, Question},
};

/// Longest question text, in characters.
const MAX_QUESTION_CHARS: usize = 90;
/// Longest option text, in characters.
const MAX_ANSWER_CHARS: usize = 60;
/// Cells of a full confidence bar.
const BAR_CELLS: usize = 7;

pub(super) fn question(question: &Question) -> String {
    cut(&question.text, MAX_QUESTION_CHARS)
}

/// Returns each selected option on a line of its own, or why there is none.
pub(super) fn answer(question: &Question, result: &QuestionResult) -> String {
    if result.answer.is_none() {
        let why = result.error.as_deref().unwrap_or("no answer");
        return format!("– {}", one_line(why));
    }
    let option = |number: &OptionNumber| {
        let index = (*number as usize).checked_sub(1);
        let text = index.and_then(|index| question.options.get(index));
        let text = text.map_or("?", String::as_str);
        format!("{}  {}", letter(*number), cut(text, MAX_ANSWER_CHARS))
    };
    let options: Vec<_> = result.selected.iter().map(option).collect();
    options.join("\n")
}

/// Returns where the answer came from.
pub(super) fn source(result: &QuestionResult) -> &'static str {
    result.source.map_or("", |source| source.label())
}

/// Returns doubts about the answer, in words.
pub(super) fn doubts(result: &QuestionResult) -> Vec<String> {
    result
        .flags
        .iter()
        .map(|flag| one_line(&flag.replace('_', " ")))
        .collect()
}

/// Returns whether the result is exactly the quiz's key; `None` without a key. An open question agrees with nothing.
pub(super) fn agrees(question: &Question, result: &QuestionResult) -> Option<bool> {
    Some(sorted(question.correct.as_ref()?) == sorted(&result.selected))
}

/// Returns the key with a tick or a cross in front; empty without a key.
pub(super) fn key(question: &Question, result: &QuestionResult) -> String {
    let mark = match agrees(question, result) {
        None => return String::new(),
        Some(true) => '✓',
        Some(false) => '✗',
    };
    let key = question.correct.iter().flat_map(|key| sorted(key));
    key.fold(mark.to_string(), |text, number| {
        format!("{text} {}", letter(number))
    })
}

fn sorted(options: &[OptionNumber]) -> Vec<OptionNumber> {
    let mut options = options.to_vec();
    options.sort_unstable();
    options
}

/// Returns a probability as a bar and in percent.
pub(super) fn bar(confidence: f64) -> String {
    let confidence = confidence.clamp(0.0, 1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "0 to 7 cells"
    )]
    let full = (confidence * BAR_CELLS as f64).round() as usize;
    format!(
        "{}{} {:>3.0} %",
        "█".repeat(full),
        "░".repeat(BAR_CELLS - full),
        confidence * 100.0
    )
}

/// Returns A for option 1; questions have at most 26 options.
fn letter(number: OptionNumber) -> char {
    number
        .checked_sub(1)
        .and_then(|index| u8::try_from(index).ok())
        .map_or('?', |index| char::from(b'A' + index % 26))
}

/// Returns `text` on one line, cut to `max` characters.
fn cut(text: &str, max: usize) -> String {
    let line = one_line(text);
    match line.chars().count() <= max {
        true => line,
        false => line.chars().take(max - 1).chain(['…']).collect(),
    }
}

/// Returns `text` on one line, without what would take hold of the terminal or turn the rest of the line around.
fn one_line(text: &str) -> String {
    let turns = |c: &char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let words: Vec<_> = text.split_whitespace().collect();
    words
        .join(" ")
        .chars()
        .filter(|c| !c.is_control() && !turns(c))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_span_nothing_to_all() {
        assert_eq!(bar(0.0), "░░░░░░░   0 %");
        assert_eq!(bar(1.0), "███████ 100 %");
        assert_eq!(bar(7.0), "███████ 100 %");
    }

    #[test]
    fn texts_cannot_take_hold_of_the_terminal() {
        assert_eq!(one_line("a\n\tb \u{1b}[2Jc"), "a b [2Jc");
        assert_eq!(one_line("x\u{202E}y\u{2066}z"), "xyz");
        assert_eq!(one_line("مرحبا بالعالم"), "مرحبا بالعالم");
    }

    #[test]
    fn long_texts_are_cut_by_characters() {
        assert_eq!(cut("日本語のテスト", 4), "日本語…");
        assert_eq!(cut("four", 4), "four");
    }

    #[test]
    fn letters_never_fail() {
        assert_eq!([1, 26, 0].map(letter), ['A', 'Z', '?']);
    }
}
