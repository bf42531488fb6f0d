//! One question as GIFT.

use super::one_line;
use crate::quiz::{Kind, Question};

pub(super) fn question(question: &Question, note: Option<&str>) -> String {
    let note = note.map_or_else(String::new, |note| format!("// {}\n", one_line(note)));
    let title = question
        .id
        .as_ref()
        .map_or_else(String::new, |id| format!("::{}::", text(id)));
    let asked = marked(&question.text);
    let key = question.correct.as_deref().unwrap_or_default();
    if question.kind == Kind::TrueFalse && question.options == ["True", "False"] && !key.is_empty()
    {
        let word = if key == [1] { "T" } else { "F" };
        return format!("{note}{title}{asked} {{{word}}}\n\n");
    }
    let right = key.len().max(1);
    let options = (1..).zip(&question.options).map(|(number, option)| {
        let is_right = key.contains(&number);
        let mark = match (question.kind, is_right) {
            (Kind::Multiple, true) => format!("~%{}%", share(right)),
            (Kind::Multiple, false) => format!("~%-{}%", share(right)),
            (_, true) => "=".to_owned(),
            (_, false) => "~".to_owned(),
        };
        format!("  {mark}{}\n", marked(option))
    });
    format!(
        "{note}{title}{asked} {{\n{}}}\n\n",
        options.collect::<String>()
    )
}

/// Returns percent of the points for one of so many right options, with five decimals as Moodle writes it.
fn share(right: usize) -> String {
    let share = format!("{:.5}", 100.0 / right as f64);
    share.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Returns text with a marker where it would otherwise be read as something else: a marker, a weight, a comment, a command.
fn marked(plain: &str) -> String {
    let written = text(plain);
    match written.starts_with(['[', '%', '/', '$']) {
        true => format!("[moodle]{written}"),
        false => written,
    }
}

fn text(plain: &str) -> String {
    let mut written = String::with_capacity(plain.len());
    for c in plain.chars() {
        match c {
            '\n' => written.push_str("\\n"),
            '~' | '=' | '#' | '{' | '}' | ':' | '\\' => {
                written.push('\\');
                written.push(c);
            }
            c => written.push(c),
        }
    }
    written
}
