//! The answers as a table for people, and the lines below it. Pure.

use crate::{
    analysis::{QuestionResult, Usage},
    quiz::{OptionNumber, Question},
};
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};

/// Longest question text in the table, in characters.
const MAX_QUESTION_CHARS: usize = 90;
/// Longest option text in the table, in characters.
const MAX_ANSWER_CHARS: usize = 60;
/// Cells of a full confidence bar.
const BAR_CELLS: usize = 7;

/// Returns one row per question: number, question, answer, confidence, source, and whether the quiz's key agrees,
/// when it has one. `width` is the terminal's in columns.
pub(super) fn table(questions: &[Question], results: &[QuestionResult], width: u16) -> String {
    let keyed = questions.iter().any(|question| question.correct.is_some());
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width);
    let titles = ["#", "Question", "Answer", "Confidence", "Source"]
        .into_iter()
        .chain(keyed.then_some("Key"));
    table.set_header(titles);
    for (question, result) in questions.iter().zip(results) {
        let mut row = vec![
            Cell::new(result.index).set_alignment(CellAlignment::Right),
            Cell::new(cut(&question.text, MAX_QUESTION_CHARS)),
            Cell::new(answer(question, result)),
            Cell::new(result.confidence.map(bar).unwrap_or_default()),
            Cell::new(source(result)),
        ];
        row.extend(keyed.then(|| Cell::new(key(question, result))));
        table.add_row(row);
    }
    // Short columns stay whole: a bar is worthless when it wraps. Question and answer share the rest.
    for index in [0, 3, 4, 5] {
        if let Some(column) = table.column_mut(index) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table.to_string()
}

/// Returns what the whole came to: how many are answered, how many agree with the key, what it cost.
pub(super) fn summary(questions: &[Question], results: &[QuestionResult], usage: &Usage) -> String {
    let answered = results
        .iter()
        .filter(|result| result.answer.is_some())
        .count();
    let mut text = format!("{answered} of {} answered", questions.len());
    let keyed: Vec<_> = questions
        .iter()
        .zip(results)
        .filter_map(|(question, result)| agrees(question, result))
        .collect();
    if !keyed.is_empty() {
        let agreeing = keyed.iter().filter(|agrees| **agrees).count();
        text += &format!(", {agreeing} of {} agree with the key", keyed.len());
    }
    if usage.cached_questions > 0 {
        text += &format!(", {} known already", usage.cached_questions);
    }
    if usage.prompt_tokens + usage.completion_tokens > 0 {
        text += &format!(
            ", {} tokens read, {} written",
            usage.prompt_tokens, usage.completion_tokens
        );
    }
    text
}

/// Returns whether the result is exactly the key; `None` without a key. An open question agrees with nothing.
fn agrees(question: &Question, result: &QuestionResult) -> Option<bool> {
    let (mut key, mut selected) = (question.correct.clone()?, result.selected.clone());
    key.sort_unstable();
    selected.sort_unstable();
    Some(key == selected)
}

fn answer(question: &Question, result: &QuestionResult) -> String {
    if result.answer.is_none() {
        return format!("– {}", result.error.as_deref().unwrap_or("no answer"));
    }
    let option = |number: &OptionNumber| {
        let text = question
            .options
            .get(*number as usize - 1)
            .map_or("?", String::as_str);
        format!("{}  {}", letter(*number), cut(text, MAX_ANSWER_CHARS))
    };
    result
        .selected
        .iter()
        .map(option)
        .collect::<Vec<_>>()
        .join("\n")
}

fn source(result: &QuestionResult) -> String {
    let label = result.source.map_or("", |source| source.label());
    let doubts = result
        .flags
        .iter()
        .map(|flag| format!("\n{}", flag.replace('_', " ")));
    std::iter::once(label.to_owned()).chain(doubts).collect()
}

fn key(question: &Question, result: &QuestionResult) -> String {
    let letters = || {
        let key = question.correct.iter().flatten();
        key.map(|number| letter(*number).to_string())
            .collect::<Vec<_>>()
            .join(" ")
    };
    match agrees(question, result) {
        None => String::new(),
        Some(true) => format!("✓ {}", letters()),
        Some(false) => format!("✗ {}", letters()),
    }
}

/// Returns A for option 1; questions have at most 26 options.
fn letter(number: OptionNumber) -> char {
    number
        .checked_sub(1)
        .and_then(|index| u8::try_from(index).ok())
        .map_or('?', |index| char::from(b'A' + index % 26))
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

/// Returns `text` on one line, cut to `max` characters.
fn cut(text: &str, max: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= max {
        line
    } else {
        line.chars().take(max - 1).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{analysis::Source, quiz::Kind};

    fn question(text: &str, options: &[&str], correct: Option<&[u32]>) -> Question {
        Question {
            text: text.into(),
            options: options.iter().map(ToString::to_string).collect(),
            kind: Kind::Single,
            correct: correct.map(<[u32]>::to_vec),
            id: None,
        }
    }

    fn result(index: u32, selected: &[u32], confidence: f64, source: Source) -> QuestionResult {
        QuestionResult {
            index,
            id: None,
            answer: selected.first().copied(),
            selected: selected.to_vec(),
            confidence: Some(confidence),
            probabilities: vec![],
            source: Some(source),
            model: None,
            method: None,
            calls: 1,
            flags: vec![],
            error: None,
        }
    }

    fn failed(index: u32, error: &str) -> QuestionResult {
        let open = result(index, &[], 0.0, Source::Model);
        QuestionResult {
            confidence: None,
            source: None,
            error: Some(error.into()),
            ..open
        }
    }

    fn quiz() -> (Vec<Question>, Vec<QuestionResult>) {
        let long = "Which of these cities has been the capital of the country that we call France today?  ".repeat(2);
        let questions = vec![
            question(&long, &["Lyon", "Paris"], Some(&[2])),
            question("Which numbers are prime?", &["2", "4", "7"], Some(&[3, 1])),
            question("Is this hard?", &["Yes", "No"], Some(&[1])),
            question("And this?", &["Yes", "No"], None),
        ];
        let doubtful = QuestionResult {
            flags: vec!["low_confidence".into()],
            ..result(3, &[2], 0.4, Source::Cache)
        };
        let results = vec![
            result(1, &[2], 0.934, Source::Model),
            result(2, &[1, 3], 0.71, Source::Coalesced),
            doubtful,
            failed(4, "the model did not answer in time"),
        ];
        (questions, results)
    }

    #[test]
    fn rows_show_answer_bar_source_doubt_and_key() {
        let (questions, results) = quiz();
        let text = table(&questions, &results, 160);
        for part in [
            "B  Paris",
            "███████  93 %",
            "model",
            "✓ B",
            "A  2",
            "C  7",
            "✓ C A",
            "███░░░░  40 %",
            "cache",
            "low confidence",
            "✗ A",
            "– the model did not answer in time",
        ] {
            assert!(text.contains(part), "no {part:?} in\n{text}");
        }
        assert!(text.contains('…'), "a long question is cut\n{text}");
    }

    #[test]
    fn the_table_keeps_within_the_terminal_and_the_bar_whole() {
        let (questions, results) = quiz();
        for width in [70_u16, 80, 120, 200] {
            let text = table(&questions, &results, width);
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= usize::from(width), "{widest} > {width}\n{text}");
            assert!(text.contains("███░░░░  40 %"), "{text}");
        }
    }

    #[test]
    fn a_quiz_without_key_has_no_key_column() {
        let (mut questions, results) = quiz();
        questions
            .iter_mut()
            .for_each(|question| question.correct = None);
        assert!(!table(&questions, &results, 100).contains("Key"));
        assert_eq!(
            summary(&questions, &results, &Usage::default()),
            "3 of 4 answered"
        );
    }

    #[test]
    fn the_summary_counts_answers_agreement_and_cost() {
        let (questions, results) = quiz();
        let usage = Usage {
            prompt_tokens: 143,
            completion_tokens: 2,
            cached_questions: 1,
            coalesced_questions: 1,
        };
        assert_eq!(
            summary(&questions, &results, &usage),
            "3 of 4 answered, 2 of 3 agree with the key, 1 known already, 143 tokens read, 2 written"
        );
    }

    #[test]
    fn bars_span_nothing_to_all() {
        assert_eq!(bar(0.0), "░░░░░░░   0 %");
        assert_eq!(bar(1.0), "███████ 100 %");
        assert_eq!(bar(7.0), "███████ 100 %");
    }
}
