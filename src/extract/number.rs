//! The number before a question: `3.`, `Q3:`, `Question 3 of 10`, `第3题`, `А3.`, `Topic 1 Question #3`.

use super::words::QUESTION;

/// Other words that stand before the number of a question.
const MORE_WORDS: [&str; 16] = [
    "q",
    "que",
    "topic",
    "exercise",
    "task",
    "item",
    "aufgabe",
    "übung",
    "ejercicio",
    "exercice",
    "esercizio",
    "exercício",
    "задание",
    "задача",
    "no",
    "nr",
];
/// What stands between the number and the question.
const CLOSERS: [char; 14] = [
    '.', ')', ':', '-', '–', '—', '、', '．', '：', '）', ']', '/', '|', '·',
];

/// A question's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) value: u32,
    /// Bytes up to the question itself.
    pub(super) len: usize,
    /// Whether a word such as "Question" stands with it.
    pub(super) strong: bool,
}

/// Returns the number that a line begins with. The rest of the line may be empty.
pub(super) fn number(line: &str) -> Option<Number> {
    // What stands before it: brackets, and the line for an answer on paper.
    let lead = ['(', '[', '（', '【', '#', '*', '•', '_'];
    let mut rest = line.trim_start_matches(|c: char| c.is_whitespace() || lead.contains(&c));
    let mut strong = false;
    // "Topic 1 Question #3" has two of them.
    let mut value = None;
    for _ in 0..2 {
        let word = word(rest);
        let had_word = word > 0;
        let after = rest[word..].trim_start_matches(|c: char| {
            c.is_whitespace() || matches!(c, '#' | '№' | '.' | ':' | '-' | '–' | '\u{BA}')
        });
        let Some((number, digits)) = digits(after, had_word) else {
            break;
        };
        let behind = &after[digits..];
        let (behind, closed) = close(behind, had_word);
        if !had_word && !closed {
            break;
        }
        strong |= had_word;
        value = Some(number);
        rest = behind;
        if !had_word {
            break;
        }
    }
    Some(Number {
        value: value?,
        len: line.len() - rest.len(),
        strong,
    })
}

/// Returns the length of a word for "question" at the start.
fn word(text: &str) -> usize {
    let lower = text.to_lowercase();
    let known = QUESTION
        .iter()
        .chain(&MORE_WORDS)
        .filter(|word| lower.starts_with(**word));
    let longest = known.map(|word| word.len()).max().unwrap_or(0);
    // Lower case may have another length; and a word goes on in a longer one: "questions", "item".
    let Some(rest) = text.get(longest..).filter(|_| longest > 0) else {
        return letter(text);
    };
    let goes_on = rest.starts_with(|c: char| c.is_alphabetic() && c.is_ascii());
    match goes_on {
        true => 0,
        false => longest,
    }
}

/// Returns the length of a single letter before a number, as in `А3.`.
fn letter(text: &str) -> usize {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(letter), Some(digit))
            if letter.is_alphabetic() && !letter.is_lowercase() && digit.is_ascii_digit() =>
        {
            letter.len_utf8()
        }
        _ => 0,
    }
}

/// Returns a number and its length; of `2.3` the last part counts.
fn digits(text: &str, had_word: bool) -> Option<(u32, usize)> {
    let digit = |c: char| match c {
        '０'..='９' => Some(c as u32 - '０' as u32),
        c => c.to_digit(10),
    };
    let found: Vec<_> = text
        .chars()
        .map_while(|c| Some((c.len_utf8(), digit(c)?)))
        .collect();
    if !(1..=4).contains(&found.len()) || (found.len() == 4 && !had_word) {
        return None;
    }
    let value = found.iter().fold(0, |value, (_, digit)| value * 10 + digit);
    let count: usize = found.iter().map(|(len, _)| len).sum();
    match text[count..]
        .strip_prefix('.')
        .map(|rest| digits(rest, had_word))
    {
        Some(Some((inner, length))) => Some((inner, count + 1 + length)),
        _ => Some((value, count)),
    }
}

/// Takes what ends a number off the text behind it; whether there was anything.
fn close(text: &str, had_word: bool) -> (&str, bool) {
    let mut rest = text.trim_start_matches(['题', '題', '問', '问', '번', 'º', '°']);
    let counted = rest.len() < text.len();
    // "of 10", "/10"
    for of in [
        " of ", " von ", " de ", " sur ", " из ", "/", " / ", " di ", " van ", " z ", " / ",
    ] {
        let Some(after) = rest.strip_prefix(of) else {
            continue;
        };
        let bare = after.trim_start_matches(|c: char| c.is_ascii_digit());
        if bare.len() < after.len() {
            rest = bare;
            break;
        }
    }
    let of_all = !counted && rest.len() < text.len();
    let spaced = rest.trim_start();
    let closed = spaced.trim_start_matches(CLOSERS);
    let gap = rest.starts_with(char::is_whitespace);
    let has_closer = closed.len() < spaced.len();
    // `1.5 litres`, `3-fold`, `10:30` and `-1` behind a bracket are no numbers of questions.
    let tight = closed.starts_with(|c: char| c.is_ascii_digit())
        || (spaced.starts_with('-') && !gap && !closed.starts_with(char::is_whitespace));
    if has_closer && tight {
        return (text, false);
    }
    let ended = has_closer || counted || rest.is_empty() || (had_word && (gap || of_all));
    match ended {
        true => (closed.trim_start(), true),
        false => (text, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_taken_off() {
        for (line, value, rest, strong) in [
            ("3. What?", 3, "What?", false),
            ("12) What?", 12, "What?", false),
            ("(4) What?", 4, "What?", false),
            ("5 . What?", 5, "What?", false),
            ("8 .Si es", 8, "Si es", false),
            ("Q3: What?", 3, "What?", true),
            ("Question 3 of 10", 3, "", true),
            ("Question 3", 3, "", true),
            ("Frage 2 von 5 – Was?", 2, "Was?", true),
            ("Topic 1 Question #7 A company", 7, "A company", true),
            ("А1. Какой?", 1, "Какой?", true),
            ("س1: من", 1, "من", true),
            ("第3题 什么", 3, "什么", true),
            ("3、什么", 3, "什么", false),
            ("Câu 4: Gì?", 4, "Gì?", true),
            ("2.3. Which?", 3, "Which?", false),
            ("7", 7, "", false),
            ("3/10", 3, "", false),
            ("Вопрос 4", 4, "", true),
        ] {
            let found = number(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(
                (found.value, &line[found.len..], found.strong),
                (value, rest, strong),
                "{line}"
            );
        }
    }

    #[test]
    fn what_only_looks_like_one() {
        for line in [
            "2024 was",
            "3 apples",
            "1.5 + 1 = ?",
            "10:30 is",
            "Questions of taste",
            "What?",
            "",
            "Quite",
            "3-fold",
            "Item list",
        ] {
            assert_eq!(number(line), None, "{line}");
        }
    }
}
