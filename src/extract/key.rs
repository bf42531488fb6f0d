//! The key, where a page reveals it: marked options, "Answer: B" lines, an answer sheet, a script's list.

pub(super) mod sheet;
#[rustfmt::skip]
mod words;

use super::{
    group::Choice,
    lines::Line,
    marker::{NUMBERS, marker},
    snapshot::{Snapshot, Tree},
    text::{self, PLAIN, Reading},
};
use words::{REVEALS, TOLD};

use std::ops::Range;

/// How many lines behind lettered options their key may be told.
pub(super) const MAX_LINES_BEHIND: usize = 4;

/// Returns which options carry a mark of being right, counted from 1.
pub(super) fn marked(tree: &Tree<'_>, choices: &[Choice]) -> Vec<u32> {
    let right = choices.iter().map(|choice| is_marked(tree, choice));
    let right: Vec<u32> = (1..)
        .zip(right)
        .filter(|(_, right)| *right)
        .map(|(number, _)| number)
        .collect();
    // A mark on every option marks nothing.
    match right.len() < choices.len() {
        true => right,
        false => Vec::new(),
    }
}

fn is_marked(tree: &Tree<'_>, choice: &Choice) -> bool {
    let from = choice.item.min(choice.at);
    (from..tree.end(choice.item).max(tree.end(choice.at))).any(|at| {
        if tree.is_text(at) {
            return false;
        }
        let flag = |name: &str| {
            matches!(
                tree.attribute(at, name).to_lowercase().as_str(),
                "true" | "1" | "yes" | "correct" | "right"
            )
        };
        let classes = tree.attribute(at, "class").split_whitespace();
        let class = |class: &str| {
            let class = class.to_lowercase();
            matches!(
                class.as_str(),
                "correct"
                    | "correct_answer"
                    | "correct-answer"
                    | "is-correct"
                    | "wpproquiz_answercorrect"
                    | "answer-correct"
                    | "right-answer"
                    | "choicegroup_correct"
            )
        };
        let is_input = tree.tag(at) == "input";
        let value = tree.attribute(at, "value").to_lowercase();
        let picture = ["alt", "title", "aria-label"].map(|name| tree.attribute(at, name));
        (matches!(tree.tag(at), "img" | "i" | "svg")
            && picture.into_iter().any(crate::extract::words::says_right))
            || (is_input && matches!(value.as_str(), "correct" | "right" | "richtig"))
            || (is_input && value == "1" && tree.attribute(at, "name").contains("correct"))
            || flag("data-correct")
            || flag("data-is-correct")
            || flag("data-answer-correct")
            || flag("correct")
            || (tree.attribute(at, "data-correct").is_empty()
                && tree.node(at).attributes.contains_key("data-correct"))
            || classes.into_iter().any(class)
    })
}

/// Returns the key that is told in words between two places, hidden ones included, in its first `most` lines.
pub(super) fn told(
    tree: &Tree<'_>,
    places: Range<usize>,
    most: usize,
    options: &[String],
) -> Vec<u32> {
    let reading = Reading {
        hidden: true,
        ..PLAIN
    };
    let text = text::between(tree, places.start, places.end, reading);
    in_lines(text.lines().take(most), options)
}

/// Returns the key that is told within some lines behind lettered options.
pub(super) fn told_in(lines: &[Line], options: &[String]) -> Vec<u32> {
    let near = lines.iter().take(MAX_LINES_BEHIND);
    in_lines(near.map(|line| line.text.as_str()), options)
}

/// Returns the key that the first line tells that tells one.
fn in_lines<'a>(lines: impl Iterator<Item = &'a str>, options: &[String]) -> Vec<u32> {
    let mut revealed = false;
    for line in lines {
        let mut key = in_line(line, options);
        if key.is_empty() && revealed {
            key.extend(by_marker(line, options).map(|(place, _)| number(place)));
        }
        if !key.is_empty() {
            return key;
        }
        let bare = line
            .trim_matches(|c: char| !c.is_alphanumeric())
            .to_lowercase();
        revealed = REVEALS.contains(&bare.as_str());
    }
    Vec::new()
}

/// Returns whether a line tells a key, and what stands behind the words.
pub(super) fn announced(line: &str) -> Option<&str> {
    let line = line.trim().trim_start_matches(['*', '✓', '✔', ' ']);
    let lower = line.to_lowercase();
    // Lower case that changes lengths would cut in the wrong place.
    let found = TOLD
        .iter()
        .filter(|words| lower.starts_with(**words))
        .max_by_key(|words| words.len())?;
    let rest = line
        .get(found.len()..)?
        .trim_start_matches([')', 's'])
        .trim_start();
    let is_verb = found.ends_with(" is")
        || found.ends_with(" are")
        || found.ends_with(" ist")
        || found.ends_with(" sind")
        || found.ends_with(" es")
        || found.ends_with(" est")
        || found.ends_with(" lautet")
        || found.ends_with(" son")
        || found.ends_with(" sont")
        || found.ends_with(" è");
    let colon = rest.starts_with([':', '：', '=', '-', '–']) || rest.starts_with("is ");
    let rest = rest
        .strip_prefix("is ")
        .unwrap_or(rest)
        .trim_start_matches([':', '：', '=', '-', '–', ' ', '"', '“', '\'', '‘']);
    (colon || is_verb).then_some(rest.trim())
}

/// Returns the key that a line tells, as numbers counted from 1.
pub(super) fn in_line(line: &str, options: &[String]) -> Vec<u32> {
    let Some(rest) = announced(line) else {
        return Vec::new();
    };
    let whole = bare(rest);
    if let Some(place) = by_text(&whole, options) {
        return vec![number(place)];
    }
    if let Some((place, behind)) = by_marker(rest, options) {
        // An explanation may follow; another option's text contradicts the letter.
        return match by_text(&bare(behind), options) {
            Some(other) if other != place => Vec::new(),
            _ => vec![number(place)],
        };
    }
    if let Some(key) = letters(rest, options.len()) {
        return key;
    }
    let parts: Vec<_> = whole
        .split([',', ';', '&', '،', '、'])
        .flat_map(|part| part.split(" and "))
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    let mut key: Vec<u32> = Vec::new();
    for part in parts {
        match by_text(part, options).or_else(|| letter(part, options.len())) {
            Some(place) if !key.contains(&number(place)) => key.push(number(place)),
            _ => return Vec::new(),
        }
    }
    key.sort_unstable();
    key
}

/// Returns an option's number, counted from 1.
fn number(place: usize) -> u32 {
    u32::try_from(place + 1).unwrap_or(u32::MAX)
}

fn bare(text: &str) -> String {
    text.trim()
        .trim_end_matches(['.', '"', '”', '\'', '’'])
        .to_lowercase()
}

/// Returns the option whose text this is.
fn by_text(text: &str, options: &[String]) -> Option<usize> {
    options.iter().position(|option| bare(option) == text)
}

/// Returns the option whose marker a line begins with, and what stands behind it.
fn by_marker<'a>(line: &'a str, options: &[String]) -> Option<(usize, &'a str)> {
    let marker = marker(line).filter(|marker| marker.style.row != NUMBERS)?;
    (marker.place < options.len()).then(|| (marker.place, &line[marker.len..]))
}

/// Returns the option that a letter alone stands for.
fn letter(text: &str, options: usize) -> Option<usize> {
    let closed = format!("{text})");
    let marker = marker(&closed).filter(|marker| marker.len == closed.len())?;
    (marker.place < options).then_some(marker.place)
}

/// Returns the options that letters alone stand for, such as `C` or `AC`, in brackets or not.
fn letters(text: &str, options: usize) -> Option<Vec<u32>> {
    let text = text.trim_matches(|c: char| !c.is_alphanumeric());
    if let Some(place) = letter(text, options).filter(|_| !text.starts_with(char::is_numeric)) {
        return Some(vec![number(place)]);
    }
    let places: Vec<_> = text
        .bytes()
        .map(|byte| usize::from(byte.wrapping_sub(b'A')))
        .collect();
    let rises = places.windows(2).all(|pair| pair[0] < pair[1]);
    let fit = !places.is_empty() && places.iter().all(|&place| place < options);
    (rises && fit).then(|| places.into_iter().map(number).collect())
}

/// Returns the keys that a script of the page lists, one for each of `options` in order; empty when it does not.
pub(super) fn listed(snapshot: &Snapshot, options: &[&[String]]) -> Vec<Vec<u32>> {
    for script in &snapshot.scripts {
        let values = values(script);
        if values.len() != options.len() || values.is_empty() {
            continue;
        }
        let keys: Option<Vec<Vec<u32>>> = values
            .iter()
            .zip(options)
            .map(|(value, options)| place(value, options))
            .collect();
        if let Some(keys) = keys {
            return keys;
        }
    }
    Vec::new()
}

fn place(value: &str, options: &[String]) -> Option<Vec<u32>> {
    if let Ok(place) = value.parse::<usize>() {
        // Programs count from 0.
        return (place < options.len()).then(|| vec![number(place)]);
    }
    let text = value.trim_matches(['"', '\'', '`']);
    let by_text = options
        .iter()
        .position(|option| option.trim() == text.trim());
    by_text
        .or_else(|| letter(text, options.len()))
        .map(|place| vec![number(place)])
}

/// Returns what follows each `correct…:` or `answer…:` that holds a number or a text.
fn values(script: &str) -> Vec<String> {
    let mut found = Vec::new();
    for word in ["correct", "answer"] {
        found.clear();
        for (at, _) in script.match_indices(word) {
            let before = script[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '.' || c == '_') {
                continue;
            }
            let rest = script[at..]
                .trim_start_matches(|c: char| c.is_alphanumeric() || c == '_')
                .trim_start_matches(['"', '\'', ' ']);
            let Some(rest) = rest.strip_prefix(':') else {
                continue;
            };
            let rest = rest.trim_start();
            let value: String = match rest.chars().next() {
                Some(quote @ ('"' | '\'' | '`')) => {
                    let inner = &rest[1..];
                    inner[..inner.find(quote).unwrap_or(0)].to_owned()
                }
                _ => rest.chars().take_while(char::is_ascii_digit).collect(),
            };
            if !value.is_empty() {
                found.push(value);
            }
        }
        if !found.is_empty() {
            return found;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Vec<String> {
        ["Paris", "Rome", "Oslo"].map(str::to_owned).to_vec()
    }

    #[test]
    fn keys_told_in_words() {
        for (line, key) in [
            ("The correct answer is: Rome", vec![2]),
            ("Answer: B", vec![2]),
            ("Ans: (c) Oslo", vec![3]),
            ("Correct answers: A, C", vec![1, 3]),
            ("The correct answers are: Paris, Oslo", vec![1, 3]),
            ("Die richtige Antwort ist: Oslo.", vec![3]),
            ("Answer the question below", vec![]),
            ("Answer: Berlin", vec![]),
            ("答案：A", vec![1]),
            ("Answer: B. It lies on the Tiber.", vec![2]),
            ("Answer: A. Oslo", vec![]),
            ("Correct Answer: AC", vec![1, 3]),
            ("सही उत्तर: (c) Oslo", vec![3]),
            ("Answer: CAB", vec![]),
        ] {
            assert_eq!(in_line(line, &options()), key, "{line}");
        }
    }

    #[test]
    fn keys_behind_a_word_to_click() {
        let told = |text: &str| in_lines(text.lines(), &options());
        assert_eq!(told("Show answer\nb."), [2]);
        assert_eq!(told("Solution:\nc. Far in the north."), [3]);
        assert!(told("b. Rome").is_empty());
        assert!(told("Show answer\nA city.").is_empty());
    }

    #[test]
    fn keys_in_a_script() {
        let snapshot = Snapshot {
            scripts: vec!["var quiz=[{q:'a', correct: 1},{q:'b', \"correct\": 0}]".into()],
            ..Snapshot::default()
        };
        let options = options();
        assert_eq!(listed(&snapshot, &[&options, &options]), [[2], [1]]);
        assert!(listed(&snapshot, &[&options]).is_empty());
    }
}
