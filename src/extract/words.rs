//! The words that quizzes use around their questions, in the languages that quizzes were seen in.

mod around;
#[rustfmt::skip]
mod lists;

pub(super) use around::{
    is_verdict, says_right, strip_bullet, strip_tail, strip_verdict, tells_how, tells_points,
    without_how,
};
pub(super) use lists::QUESTION;

use around::has_points;
use lists::{
    ANSWERS, ASKING, BADGE, CHOOSE, EXPLANATIONS, INSTRUCTIONS, MARKS, POINTS, SEVERAL, TRUTHS,
};

/// Returns whether a line only counts, scores or states: "Question 3 of 10", "1 point", "Not yet answered".
pub(super) fn is_badge(line: &str) -> bool {
    let lower = line.to_lowercase();
    let mut words = lower
        .split(|c: char| !c.is_alphabetic() && c != '№')
        .filter(|word| !word.is_empty())
        .peekable();
    if words.peek().is_none() {
        // A count alone, such as `3`, `3/10`, `(2)`; a row of numbers is one of a table.
        let parts = lower
            .split(|c: char| !c.is_numeric())
            .filter(|part| !part.is_empty())
            .count();
        let signs = lower
            .chars()
            .all(|c| c.is_numeric() || c.is_whitespace() || "()[]/.:#-–—|%*•·,".contains(c));
        return signs && parts <= 2 && (parts != 2 || lower.contains(['/', '|', '.', ',']));
    }
    // "12 answers"
    let counted = lower.starts_with(|c: char| c.is_numeric())
        && words.clone().count() == 1
        && words
            .clone()
            .all(|word| ANSWERS.iter().any(|answer| word.starts_with(answer)));
    if counted && !lower.contains(MARKS) {
        return true;
    }
    // "1 of 2 points (ungraded)"
    let scored = words.clone().count() <= 6
        && has_points(&lower)
        && lower
            .starts_with(|c: char| c.is_numeric() || POINTS.iter().any(|word| word.starts_with(c)));
    if scored && !lower.contains(MARKS) && !lower.contains('=') {
        return true;
    }
    let mut known = words.clone();
    let counts = lower.contains(|c: char| c.is_numeric());
    let short = lower.chars().count() <= 60;
    short
        && known.all(|word| QUESTION.contains(&word) || BADGE.contains(&word))
        && (counts || words.count() <= 5)
        && !lower.contains(MARKS)
}

/// Returns whether a line only tells how to answer.
pub(super) fn is_instruction(line: &str) -> bool {
    let lower = line.to_lowercase();
    let bare = lower.trim().trim_matches(|c: char| !c.is_alphanumeric());
    if INSTRUCTIONS.contains(&bare) {
        return true;
    }
    let short = bare.split_whitespace().count() <= 9 && bare.chars().count() <= 70;
    short
        && CHOOSE.iter().any(|word| bare.starts_with(word))
        && ANSWERS.iter().any(|word| bare.contains(word))
        && !lower.contains(MARKS)
        && !has_gap(line)
        // "Choose the option that …", "Select the answer to:" ask for something themselves.
        && !["that", "which", "who", "with", "where", "to ", "for ", "in ", "mit", "que", "qui", "для", "котор", "welche"]
            .iter()
            .any(|word| bare.contains(&format!(" {word}")) && !bare.contains("that apply") && !bare.contains("qui s"))
}

/// Returns whether a text asks: by its end, by a gap, or by its words.
pub(super) fn ends_as_question(text: &str) -> bool {
    let end = text
        .trim_end()
        .trim_end_matches(['"', '”', '»', ')', '*', ' ', '\'', '’']);
    // A Greek question mark looks like a semicolon, and code ends with one.
    let greek = || text.chars().any(|c| ('\u{370}'..'\u{400}').contains(&c));
    end.ends_with(|c| c != ';' && MARKS.contains(&c)) || (end.ends_with(';') && greek())
}

/// Returns whether a text has a gap that is to be filled.
pub(super) fn has_gap(text: &str) -> bool {
    text.contains("__")
        || text.contains("....")
        || text.contains("……")
        || text.contains("---")
        || is_empty_bracket(text)
}

/// Returns whether a text has brackets with nothing in them, as Chinese quizzes do.
fn is_empty_bracket(text: &str) -> bool {
    let mut parts = text.split(['(', '（']).skip(1);
    parts.any(|part| {
        part.trim_start().starts_with([')', '）'])
            && part.starts_with([' ', '\u{A0}', '\u{3000}', '）'])
    }) || text.contains("（）")
}

/// Returns whether a line explains an answer.
pub(super) fn is_explanation(line: &str) -> bool {
    let lower = line.trim_start().to_lowercase();
    EXPLANATIONS.iter().any(|word| {
        lower.strip_prefix(word).is_some_and(|rest| {
            rest.trim_start().starts_with([':', '：', '.', '-', '–'])
                || rest.is_empty()
                || word.ends_with(':')
        })
    })
}

/// Returns whether some line of a text ends as a question does.
pub(super) fn has_question(text: &str) -> bool {
    text.lines().any(ends_as_question) || text.contains(['？', '؟']) || text.contains("? ")
}

/// Returns whether a text has words that ask for a choice, or a gap to be filled.
pub(super) fn asks(text: &str) -> bool {
    let lower = format!("{} ", text.to_lowercase());
    let starts = |word: &str| lower.starts_with(word) || lower.contains(&format!(" {word}"));
    text.contains("__")
        || text.contains("....")
        || text.contains("……")
        || ASKING.iter().any(|word| starts(word))
}

/// Returns whether two options are those of a true-or-false question.
pub(super) fn are_true_and_false(options: &[String]) -> bool {
    let [a, b] = options else {
        return false;
    };
    let bare = |text: &str| text.trim().trim_end_matches('.').to_lowercase();
    let (a, b) = (bare(a), bare(b));
    TRUTHS
        .iter()
        .any(|(yes, no)| (a == *yes && b == *no) || (a == *no && b == *yes))
}

/// Returns whether a question wants several options.
pub(super) fn wants_several(text: &str) -> bool {
    let lower = text.to_lowercase();
    SEVERAL.iter().any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn badges_are_told_from_questions() {
        for badge in [
            "Question 3",
            "Question 3 of 10",
            "3/10",
            "1 point",
            "Not yet answered",
            "Marked out of 1.00",
            "Flag question",
            "Frage 2",
            "Вопрос 4",
            "2 pts",
            "№ 5",
        ] {
            assert!(is_badge(badge), "{badge}");
        }
        for question in [
            "What is 1?",
            "1 + 1 = ?",
            "Points on a line",
            "The capital of France",
            "x^2 = 4",
        ] {
            assert!(!is_badge(question), "{question}");
        }
    }

    #[test]
    fn true_and_false_in_any_order() {
        let are = |a: &str, b: &str| are_true_and_false(&[a.to_owned(), b.to_owned()]);
        assert!(are("False", "True") && are("Richtig", "Falsch") && are("Верно", "Неверно"));
        assert!(!are("Yes", "Maybe"));
    }
}
