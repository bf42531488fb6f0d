//! The key, where a page reveals it: marked options, "Answer: B" lines, a script's list.

use super::{
    group::Choice,
    lines::Line,
    marker::marker,
    snapshot::{Snapshot, Tree},
    text::{self, PLAIN, Reading},
};

/// How many lines behind lettered options their key may be told.
const MAX_LINES_BEHIND: usize = 4;
/// What stands before a key that is told in words, lower case.
const TOLD: [&str; 34] = [
    "the correct answer is",
    "the correct answers are",
    "correct answer",
    "correct answers",
    "right answer",
    "answer key",
    "answer",
    "ans",
    "die richtige antwort ist",
    "die richtige antwort lautet",
    "die richtigen antworten sind",
    "richtige antwort",
    "antwort",
    "lösung",
    "la respuesta correcta es",
    "las respuestas correctas son",
    "respuesta correcta",
    "respuesta",
    "la réponse correcte est",
    "les réponses correctes sont",
    "bonne réponse",
    "réponse correcte",
    "réponse",
    "la risposta corretta è",
    "risposta corretta",
    "risposta",
    "правильный ответ",
    "правильные ответы",
    "ответ",
    "الإجابة الصحيحة",
    "正确答案",
    "答案",
    "正解",
    "σωστή απάντηση",
];

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
            && picture.into_iter().any(super::words::says_right))
            || (is_input && matches!(value.as_str(), "correct" | "right" | "richtig"))
            || flag("data-correct")
            || flag("data-is-correct")
            || flag("data-answer-correct")
            || flag("correct")
            || (tree.attribute(at, "data-correct").is_empty()
                && tree.node(at).attributes.contains_key("data-correct"))
            || classes.into_iter().any(class)
    })
}

/// Returns the key that is told in words between two places, hidden ones included.
pub(super) fn told(tree: &Tree<'_>, from: usize, to: usize, options: &[String]) -> Vec<u32> {
    let reading = Reading {
        hidden: true,
        ..PLAIN
    };
    if from >= to {
        return Vec::new();
    }
    let text = text::between(tree, from, to, reading);
    text.lines()
        .map(|line| in_line(line, options))
        .find(|key| !key.is_empty())
        .unwrap_or_default()
}

/// Returns the key that is told within some lines behind lettered options.
pub(super) fn told_in(lines: &[Line], options: &[String]) -> Vec<u32> {
    let near = lines
        .iter()
        .take(MAX_LINES_BEHIND)
        .map(|line| in_line(&line.text, options));
    near.into_iter()
        .find(|key| !key.is_empty())
        .unwrap_or_default()
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
    let bare = |text: &str| {
        text.trim()
            .trim_end_matches(['.', '"', '”', '\'', '’'])
            .to_lowercase()
    };
    let whole = bare(rest);
    let by_text = |text: &str| options.iter().position(|option| bare(option) == text);
    let number = |place: usize| u32::try_from(place + 1).unwrap_or(u32::MAX);
    if let Some(place) = by_text(&whole) {
        return vec![number(place)];
    }
    if let Some(marker) = marker(rest).filter(|marker| marker.place < options.len()) {
        let behind = bare(&rest[marker.len..]);
        if behind.is_empty() || by_text(&behind) == Some(marker.place) {
            return vec![number(marker.place)];
        }
    }
    let parts: Vec<_> = whole
        .split([',', ';', '&', '،', '、'])
        .flat_map(|part| part.split(" and "))
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    let mut key: Vec<u32> = Vec::new();
    for part in parts {
        let place = by_text(part).or_else(|| {
            let mut letter = part.to_owned();
            letter.push(')');
            marker(&letter)
                .filter(|marker| marker.len == letter.len() && marker.place < options.len())
                .map(|marker| marker.place)
        });
        match place {
            Some(place) if !key.contains(&number(place)) => key.push(number(place)),
            _ => return Vec::new(),
        }
    }
    key.sort_unstable();
    key
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
    let number = |place: usize| u32::try_from(place + 1).ok();
    if let Ok(place) = value.parse::<usize>() {
        // Programs count from 0.
        return (place < options.len())
            .then(|| number(place))
            .flatten()
            .map(|number| vec![number]);
    }
    let text = value.trim_matches(['"', '\'', '`']);
    let by_text = options
        .iter()
        .position(|option| option.trim() == text.trim());
    let by_letter = || {
        marker(&format!("{text})"))
            .filter(|marker| marker.len == text.len() + 1 && marker.place < options.len())
            .map(|marker| marker.place)
    };
    by_text
        .or_else(by_letter)
        .and_then(number)
        .map(|number| vec![number])
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
        ] {
            assert_eq!(in_line(line, &options()), key, "{line}");
        }
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
