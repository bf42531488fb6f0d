//! One question as Aiken.

use super::one_line;
use crate::quiz::Question;

pub(super) fn question(question: &Question) -> String {
    let mut text = one_line(&question.text) + "\n";
    for (option, letter) in question.options.iter().zip('A'..='Z') {
        text += &format!("{letter}. {}\n", one_line(option));
    }
    let key = question
        .correct
        .as_ref()
        .and_then(|key| key.first())
        .and_then(|number| char::from_u32('A' as u32 + number - 1));
    text + &key.map_or_else(String::new, |letter| format!("ANSWER: {letter}\n")) + "\n"
}
