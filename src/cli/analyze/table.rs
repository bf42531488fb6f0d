//! The answers as a table for people, and the line below it. Pure.

use super::cells;
use crate::{
    analysis::{QuestionResult, Usage},
    quiz::Question,
};
use comfy_table::{
    Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, presets,
};

/// Below so many columns, the columns of a table would be too narrow to read.
const MIN_TABLE_COLUMNS: u16 = 70;

/// How the output may look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// Width in columns.
    pub(super) columns: u16,
    pub(super) coloured: bool,
}

/// Returns number, question, answer, confidence, source and, when the quiz has a key, whether it agrees: a table row per
/// question, or lines below each other where there is no room for a table.
pub(super) fn table(questions: &[Question], results: &[QuestionResult], look: Look) -> String {
    let mut table = Table::new();
    table
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(look.columns)
        .force_no_tty();
    if look.coloured {
        table.enforce_styling();
    }
    let rows = questions.iter().zip(results);
    if look.columns < MIN_TABLE_COLUMNS {
        table.load_style(presets::NOTHING);
        rows.for_each(|(question, result)| add_lines(&mut table, question, result));
    } else {
        table.load_style(presets::UTF8_FULL_CONDENSED);
        let keyed = questions.iter().any(|question| question.correct.is_some());
        let titles = ["#", "Question", "Answer", "Confidence", "Source"];
        table.set_header(titles.into_iter().chain(keyed.then_some("Key")));
        rows.for_each(|(question, result)| add_row(&mut table, question, result, keyed));
        // Question and answer share what the others leave: a bar is worthless when it wraps.
        whole(&mut table, &[3, 4, 5]);
    }
    whole(&mut table, &[0]);
    table.trim_fmt()
}

/// Keeps columns as wide as their content.
fn whole(table: &mut Table, columns: &[usize]) {
    for index in columns {
        if let Some(column) = table.column_mut(*index) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
}

fn add_row(table: &mut Table, question: &Question, result: &QuestionResult, keyed: bool) {
    let confidence: Vec<_> = result
        .confidence
        .map(cells::bar)
        .into_iter()
        .chain(cells::doubts(result))
        .collect();
    let row = [
        Cell::new(result.index).set_alignment(CellAlignment::Right),
        Cell::new(cells::question(question)),
        answer(question, result),
        Cell::new(confidence.join("\n")),
        Cell::new(cells::source(result)),
    ];
    table.add_row(row.into_iter().chain(keyed.then(|| key(question, result))));
}

/// Adds the question, its answer, and the rest in one line.
fn add_lines(table: &mut Table, question: &Question, result: &QuestionResult) {
    let number = Cell::new(format!("{}.", result.index)).set_alignment(CellAlignment::Right);
    table.add_row([number, Cell::new(cells::question(question))]);
    table.add_row([Cell::new(""), answer(question, result)]);
    if let Some(confidence) = result.confidence {
        let rest: Vec<_> = [cells::bar(confidence), cells::source(result).to_owned()]
            .into_iter()
            .chain(cells::doubts(result))
            .collect();
        table.add_row([Cell::new(""), Cell::new(rest.join(" · "))]);
    }
    if question.correct.is_some() {
        table.add_row([Cell::new(""), key(question, result)]);
    }
}

fn answer(question: &Question, result: &QuestionResult) -> Cell {
    let cell = Cell::new(cells::answer(question, result));
    match result.answer {
        Some(_) => cell,
        None => cell.fg(Color::Yellow),
    }
}

fn key(question: &Question, result: &QuestionResult) -> Cell {
    let cell = Cell::new(cells::key(question, result));
    match cells::agrees(question, result) {
        Some(true) => cell.fg(Color::Green),
        Some(false) => cell.fg(Color::Red),
        None => cell,
    }
}

/// Returns what the whole came to: how many are answered, how many agree with the key, what it cost.
pub(super) fn summary(questions: &[Question], results: &[QuestionResult], usage: &Usage) -> String {
    let answered = results.iter().filter(|result| result.answer.is_some());
    let mut text = format!("{} of {} answered", answered.count(), questions.len());
    let keyed: Vec<_> = questions
        .iter()
        .zip(results)
        .filter_map(|(question, result)| cells::agrees(question, result))
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
    if usage.cost_usd > 0.0 {
        text += &format!(", {:.4} USD", usage.cost_usd);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{analysis::Source, quiz::Kind};
    use ratatui::text::Line;

    /// Width in terminal columns.
    trait Width {
        fn width(&self) -> usize;
    }

    impl Width for str {
        fn width(&self) -> usize {
            Line::from(self).width()
        }
    }

    fn plain(columns: u16) -> Look {
        Look {
            columns,
            coloured: false,
        }
    }

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
            prediction_set: None,
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
        let text = table(&questions, &results, plain(160));
        for part in [
            "B  Paris",
            "███████  93 %",
            "model",
            "✓ B",
            "A  2",
            "C  7",
            "✓ A C",
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
    fn any_terminal_is_kept_within_and_the_bar_stays_whole() {
        let (mut questions, results) = quiz();
        questions[1].text = "次の数のうち素数はどれですか。二つ以上選ぶことができます。".into();
        questions[2].text = "هل هذا السؤال صعب حقا أم أنه سهل مثل غيره من الأسئلة؟".into();
        for width in [30_u16, 40, 69, 70, 80, 120, 200] {
            let text = table(&questions, &results, plain(width));
            let widest = text.lines().map(|line| line.width()).max().unwrap();
            assert!(widest <= usize::from(width), "{widest} > {width}\n{text}");
            assert!(text.contains("███░░░░  40 %"), "{text}");
            let borders = text.lines().filter(|line| line.starts_with('│'));
            assert!(
                borders
                    .map(|line| line.width())
                    .all(|width| width == widest),
                "{text}"
            );
        }
    }

    #[test]
    fn where_there_is_no_room_for_columns_lines_stand_below_each_other() {
        let (questions, results) = quiz();
        let text = table(&questions, &results, plain(50));
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        assert!(lines.contains(&"3.  Is this hard?"), "{text}");
        let at = lines.iter().position(|line| *line == "B  No").unwrap();
        assert_eq!(lines[at + 2], "✗ A", "{text}");
    }

    #[test]
    fn colours_only_when_they_are_wanted() {
        let (questions, results) = quiz();
        let look = Look {
            columns: 100,
            coloured: true,
        };
        assert!(table(&questions, &results, look).contains('\u{1b}'));
        assert!(!table(&questions, &results, plain(100)).contains('\u{1b}'));
    }

    #[test]
    fn a_quiz_without_key_has_no_key_column() {
        let (mut questions, results) = quiz();
        questions
            .iter_mut()
            .for_each(|question| question.correct = None);
        assert!(!table(&questions, &results, plain(100)).contains("Key"));
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
            cost_usd: 0.001_25,
        };
        assert_eq!(
            summary(&questions, &results, &usage),
            "3 of 4 answered, 2 of 3 agree with the key, 1 known already, 143 tokens read, 2 written, 0.0013 USD"
        );
    }
}
