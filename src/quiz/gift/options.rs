//! What stands between a GIFT question's braces.

use super::markup::{self, Markup};
use super::scan::{Block, Span};
use crate::quiz::problem::Problems;
use crate::quiz::{Kind, OptionNumber};

/// The options of a question.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Choices {
    pub(super) options: Vec<String>,
    pub(super) kind: Kind,
    pub(super) correct: Option<Vec<OptionNumber>>,
}

/// One `=` or `~` entry.
struct Entry {
    text: String,
    /// After `=`.
    equal: bool,
    /// Between percent signs.
    weight: Option<f64>,
}

/// Returns the options between the braces at `braces`, or notes why there are none.
pub(super) fn read(
    block: &Block,
    braces: Span,
    markup: Markup,
    problems: &mut Problems,
) -> Option<Choices> {
    let inside = braces.and_trim(block);
    let text = block.text(inside);
    let mut problem = |what: &str| {
        problems.add(block.position(inside.start), what);
        None
    };
    if text.is_empty() {
        return problem("is an essay question, which has no options to show");
    }
    if text.starts_with('#') {
        return problem("is a numeric question, which has no options to show");
    }
    if let Some(holds) = true_or_false(block, inside) {
        return Some(Choices {
            options: vec!["True".to_owned(), "False".to_owned()],
            kind: Kind::TrueFalse,
            correct: Some(vec![if holds { 1 } else { 2 }]),
        });
    }
    let marks = block.find_all(inside, b"=~");
    if marks.first() != Some(&inside.start) {
        return problem("must begin with = before a right option or ~ before a wrong one");
    }
    let mut entries = Vec::with_capacity(marks.len());
    for (index, &mark) in marks.iter().enumerate() {
        let end = marks.get(index + 1).copied().unwrap_or(inside.end);
        entries.push(entry(block, Span { start: mark, end }, markup));
    }
    if entries.iter().all(|entry| entry.equal) {
        return problem(if entries.iter().any(|entry| entry.text.contains("->")) {
            "is a matching question, which cannot be shown as options"
        } else {
            "is a short-answer question, which has no wrong options to show; mark those with ~"
        });
    }
    Some(choices(entries))
}

/// Returns whether the statement holds, for `T`, `F` and their long forms, with or without feedback.
fn true_or_false(block: &Block, inside: Span) -> Option<bool> {
    let end = block.find(inside, "#").unwrap_or(inside.end);
    match block
        .text(Span { end, ..inside })
        .trim()
        .to_ascii_uppercase()
        .as_str()
    {
        "T" | "TRUE" => Some(true),
        "F" | "FALSE" => Some(false),
        _ => None,
    }
}

fn entry(block: &Block, span: Span, markup: Markup) -> Entry {
    let equal = block.text(span).starts_with('=');
    let feedback = block.find(span, "#").unwrap_or(span.end);
    let body = Span {
        end: feedback,
        ..span.after(1)
    }
    .and_trim(block);
    let (weight, skipped) = weight(block.text(body));
    let body = body.after(skipped).and_trim(block);
    let (own, skipped) = Markup::marker(block.text(body));
    let markup = if skipped > 0 { own } else { markup };
    Entry {
        text: markup::plain(block.text(body.after(skipped)), markup),
        equal,
        weight,
    }
}

/// Returns the percentage at the start of `text` and its length.
fn weight(text: &str) -> (Option<f64>, usize) {
    let weight = text
        .strip_prefix('%')
        .and_then(|rest| rest.split_once('%'))
        .and_then(|(number, _)| {
            let plain = !number.is_empty()
                && number
                    .bytes()
                    .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+'));
            Some((number.parse().ok().filter(|_| plain)?, number.len() + 2))
        });
    weight.map_or((None, 0), |(weight, length)| (Some(weight), length))
}

/// With any `=` those are the right ones, and the weights of others are part credit; without, every positive weight is.
fn choices(entries: Vec<Entry>) -> Choices {
    let any_equal = entries.iter().any(|entry| entry.equal);
    let right = |entry: &Entry| {
        if any_equal {
            entry.equal
        } else {
            entry.weight.is_some_and(|weight| weight > 0.0)
        }
    };
    let correct: Vec<OptionNumber> = (1..)
        .zip(&entries)
        .filter(|(_, entry)| right(entry))
        .map(|(number, _)| number)
        .collect();
    Choices {
        options: entries.into_iter().map(|entry| entry.text).collect(),
        kind: if correct.len() > 1 {
            Kind::Multiple
        } else {
            Kind::Single
        },
        // A quiz without a key can still be asked.
        correct: Some(correct).filter(|correct| !correct.is_empty()),
    }
}
