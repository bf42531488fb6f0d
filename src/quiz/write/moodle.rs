//! A quiz as Moodle XML.

use super::{Noted, xml, xml_comment};
use crate::quiz::{Kind, Question};

pub(super) fn quiz(questions: &[Noted<'_>]) -> String {
    let questions: String = questions
        .iter()
        .map(|&(asked, note)| question(asked, note))
        .collect();
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<quiz>\n{questions}</quiz>\n")
}

fn question(question: &Question, note: Option<&str>) -> String {
    let note = note.map_or_else(String::new, |note| format!("  {}\n", xml_comment(note)));
    let key = question.correct.as_deref().unwrap_or_default();
    let statement = question.kind == Kind::TrueFalse && question.options == ["True", "False"];
    let kind = if statement {
        "truefalse"
    } else {
        "multichoice"
    };
    let name = question.id.as_deref().unwrap_or_default();
    let mut text = format!(
        "{note}  <question type=\"{kind}\">\n    <name><text>{}</text></name>\n    <questiontext format=\"plain_text\"><text>{}</text></questiontext>\n",
        xml(name),
        xml(&question.text)
    );
    if !statement {
        text += &format!("    <single>{}</single>\n", question.kind != Kind::Multiple);
    }
    let (full, none) = match question.kind {
        Kind::Multiple => (
            100.0 / key.len().max(1) as f64,
            -100.0 / key.len().max(1) as f64,
        ),
        Kind::Single | Kind::TrueFalse => (100.0, 0.0),
    };
    for (number, option) in (1..).zip(&question.options) {
        let fraction = if key.contains(&number) { full } else { none };
        let option = if statement {
            option.to_lowercase()
        } else {
            xml(option)
        };
        text += &format!(
            "    <answer fraction=\"{fraction}\" format=\"plain_text\"><text>{option}</text></answer>\n"
        );
    }
    text + "  </question>\n"
}
