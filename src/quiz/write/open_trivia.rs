//! A quiz as Open Trivia DB's JSON.

use super::{Noted, xml};
use crate::quiz::{Kind, Question};
use serde_json::{Value, json};

pub(super) fn quiz(questions: &[Noted<'_>]) -> String {
    let results: Vec<Value> = questions
        .iter()
        .map(|&(question, note)| result(question, note))
        .collect();
    let quiz = json!({ "response_code": 0, "results": results });
    serde_json::to_string_pretty(&quiz).expect("texts always serialise") + "\n"
}

fn result(question: &Question, note: Option<&str>) -> Value {
    let key = question
        .correct
        .as_ref()
        .and_then(|key| key.first())
        .copied()
        .unwrap_or(0);
    let (right, wrong): (Vec<_>, Vec<_>) = (1..)
        .zip(&question.options)
        .partition(|(number, _)| *number == key);
    let texts = |options: Vec<(u32, &String)>| {
        options
            .into_iter()
            .map(|(_, option)| xml(option))
            .collect::<Vec<_>>()
    };
    let mut result = json!({
        "type": if question.kind == Kind::TrueFalse { "boolean" } else { "multiple" },
        "question": xml(&question.text),
        "correct_answer": texts(right).pop(),
        "incorrect_answers": texts(wrong),
    });
    if let Some(note) = note {
        result["comment"] = json!(note);
    }
    result
}
