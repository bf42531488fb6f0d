//! GIFT, the text format of Moodle: `::title::text {=right ~wrong#feedback}`, blocks parted by blank lines.
//!
//! Read are single choice, multiple choice (by weights, or by several `=`), true or false, and a blank within the text.
//! Numeric, matching, short-answer and essay questions cannot be shown: each is a problem, and the rest is still read.

mod markup;
mod options;
mod scan;

use super::Question;
use super::file::{Parsed, Reading};
use super::problem::Problems;
use markup::Markup;
use scan::{Block, Span};

/// What stands for a blank within the text.
const BLANK: &str = "_____";

/// Returns the questions in `text`, whose lines end in `\n`, and every problem with its line and column.
pub fn parse(text: &str) -> Parsed {
    let mut reading = Reading::default();
    for block in scan::blocks(text) {
        let start = block.position(block.whole().start);
        if let Some(question) = read(&block, &mut reading.problems) {
            reading.keep(question, start);
        }
    }
    reading.done()
}

/// Returns the question of one block, or notes why there is none.
fn read(block: &Block, problems: &mut Problems) -> Option<Question> {
    let mut rest = block.whole();
    let mut problem = |at: usize, what: &str| {
        problems.add(block.position(at), what);
        None
    };

    let mut id = None;
    if block.text(rest).starts_with("::") {
        let Some(end) = block.find(rest.after(2), "::") else {
            return problem(rest.start, "opens a title with :: and does not close it");
        };
        let title = markup::plain(
            block.text(Span {
                start: rest.start + 2,
                end,
            }),
            Markup::Moodle,
        );
        id = Some(title).filter(|title| !title.is_empty());
        rest = Span {
            start: end + 2,
            ..rest
        }
        .and_trim(block);
    }
    let (markup, skipped) = Markup::marker(block.text(rest));
    rest = rest.after(skipped);

    let Some(open) = block.find(rest, "{") else {
        return problem(
            rest.start,
            "has no answers in braces, so there is nothing to choose from",
        );
    };
    let Some(close) = block.find(rest.after(open + 1 - rest.start), "}") else {
        return problem(
            open,
            "opens a brace that is not closed before the next blank line",
        );
    };
    if let Some(second) = block.find(
        Span {
            start: open + 1,
            end: close,
        },
        "{",
    ) {
        return problem(
            second,
            "is a brace within the answers; write \\{ for the character",
        );
    }
    let (head, tail) = (
        Span { end: open, ..rest },
        Span {
            start: close + 1,
            ..rest
        },
    );
    if let Some(second) = block.find(tail, "{") {
        return problem(
            second,
            "opens a second set of answers; one question has one",
        );
    }

    let mut text = markup::plain(block.text(head), markup);
    let tail = markup::plain(block.text(tail), markup);
    if !tail.is_empty() {
        let space = |needed: bool| if needed { " " } else { "" };
        let before = space(block.text(head).ends_with(char::is_whitespace));
        let after = space(
            block
                .text(Span {
                    start: close + 1,
                    ..rest
                })
                .starts_with(char::is_whitespace),
        );
        text = format!("{text}{before}{BLANK}{after}{tail}");
    }
    let choices = options::read(
        block,
        Span {
            start: open + 1,
            end: close,
        },
        markup,
        problems,
    )?;
    Some(Question {
        text,
        options: choices.options,
        kind: choices.kind,
        correct: choices.correct,
        id,
    })
}

#[cfg(test)]
mod tests;
