//! Quizzes written as files: a whole quiz in any format, or notes put into the very file it was read from. Pure.

mod aiken;
mod gift;
mod moodle;
mod notes;
mod open_trivia;
mod qti;

pub use notes::with_notes;

use super::{
    Question,
    file::{self, Format},
};
use serde::Serialize;
use std::iter;

/// A question with its note.
type Noted<'a> = (&'a Question, Option<&'a str>);

/// Why a quiz cannot be written so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Some questions would not come back as they are.
    #[error("{} cannot hold {}: {why}", format.title(), list(numbers))]
    NotExpressible {
        /// The format.
        format: Format,
        /// The questions, counted from 1.
        numbers: Vec<usize>,
        /// What it lacks.
        why: &'static str,
    },
    /// The format has no comments, in which notes could stand.
    #[error(
        "Aiken has no comments, in which the doubts could stand: name a file that ends in .gift, .xml or .json"
    )]
    NoComments,
}

fn list(numbers: &[usize]) -> String {
    let shown: Vec<_> = numbers.iter().take(10).map(ToString::to_string).collect();
    let more = if numbers.len() > 10 {
        " and others"
    } else {
        ""
    };
    let noun = if numbers.len() == 1 {
        "question"
    } else {
        "questions"
    };
    format!("{noun} {}{more}", shown.join(", "))
}

/// Returns `questions` as a file in `format`, each with its note, if it has one, as a comment.
///
/// QTI is written as 1.2, of which one file holds many items.
///
/// # Errors
/// The format cannot hold some of the questions, or no notes. What is returned reads back as the same quiz.
pub fn write(
    format: Format,
    questions: &[Question],
    notes: &[Option<String>],
) -> Result<String, WriteError> {
    if format == Format::Aiken && notes.iter().any(Option::is_some) {
        return Err(WriteError::NoComments);
    }
    let notes = notes.iter().map(Option::as_deref).chain(iter::repeat(None));
    let noted: Vec<Noted<'_>> = questions.iter().zip(notes).collect();
    let text = written(format, &noted);
    // What a format cannot express shows when it is read back; nobody can overlook a case so.
    let back = file::parse(format, &text).questions;
    if back == questions {
        return Ok(text);
    }
    let is_lost = |(_, question): &(usize, &Question)| {
        let alone = written(format, &[(*question, None)]);
        file::parse(format, &alone).questions != [(*question).clone()]
    };
    Err(WriteError::NotExpressible {
        format,
        numbers: (1..)
            .zip(questions)
            .filter(is_lost)
            .map(|(number, _)| number)
            .collect(),
        why: lacks(format),
    })
}

fn written(format: Format, noted: &[Noted<'_>]) -> String {
    match format {
        Format::Json => json(noted),
        Format::Gift => noted
            .iter()
            .map(|(question, note)| gift::question(question, *note))
            .collect(),
        Format::Aiken => noted
            .iter()
            .map(|(question, _)| aiken::question(question))
            .collect(),
        Format::Moodle => moodle::quiz(noted),
        Format::Qti => qti::quiz(noted),
        Format::OpenTrivia => open_trivia::quiz(noted),
    }
}

const fn lacks(format: Format) -> &'static str {
    match format {
        Format::Aiken => "it has one right option, no names, and texts of one line",
        Format::OpenTrivia => "it has one right option and no names, and its options have no order",
        Format::Gift | Format::Moodle | Format::Qti => {
            "of several right options it needs the key, and of true or false those two words; white space is folded"
        }
        Format::Json => "a text has characters that it does not take",
    }
}

fn json(noted: &[Noted<'_>]) -> String {
    #[derive(Serialize)]
    struct Quiz<'a> {
        questions: Vec<Entry<'a>>,
    }
    #[derive(Serialize)]
    struct Entry<'a> {
        #[serde(flatten)]
        question: &'a Question,
        #[serde(skip_serializing_if = "Option::is_none")]
        comment: Option<&'a str>,
    }
    let questions = noted
        .iter()
        .map(|&(question, comment)| Entry { question, comment })
        .collect();
    serde_json::to_string_pretty(&Quiz { questions }).expect("questions are plain data") + "\n"
}

/// Returns `text` as it may stand in XML, in elements and attributes.
fn xml(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

/// Returns a note as an XML comment.
fn xml_comment(note: &str) -> String {
    // Two hyphens would end the comment.
    format!(
        "<!-- {} -->",
        one_line(note).replace("--", "‐‐").trim_end_matches('-')
    )
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
