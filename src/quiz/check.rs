//! The rules that every question keeps, wherever it came from.
//!
//! Text: not blank, not too long, no control characters but newline and tab. Options: 2 to 26, exactly 2 for
//! `true_false`. Key: option numbers from 1, each once, exactly one unless the kind is `multiple`.

use super::problem::{Problem, Problems};
use super::{Kind, MAX_OPTIONS, MIN_OPTIONS, Question};
use crate::config::Limits;
use std::fmt::{self, Display};

/// Longest `id` in characters: room for a sentence used as a title.
pub const MAX_ID_CHARS: usize = 200;

/// Returns every problem of `questions`; empty means that they can be asked.
pub fn check(questions: &[Question], limits: &Limits) -> Vec<Problem> {
    let mut problems = Problems::default();
    check_into(questions, limits, &mut problems);
    problems.into_vec()
}

/// As [`check`], noting into `problems`.
pub(crate) fn check_into(questions: &[Question], limits: &Limits, problems: &mut Problems) {
    if questions.is_empty() {
        problems.add("questions", "must have at least 1 entry, has none");
    }
    if questions.len() > limits.max_questions {
        problems.add(
            "questions",
            format_args!(
                "must have at most {} entries, has {}",
                limits.max_questions,
                questions.len()
            ),
        );
        // The rest would be checked for nothing: the request is refused as a whole.
        return;
    }
    let lengths = Lengths {
        question: limits.max_question_chars,
        option: limits.max_option_chars,
    };
    for (index, question) in questions.iter().enumerate() {
        check_question(
            question,
            lengths,
            Place {
                list: "questions",
                index,
            },
            problems,
        );
    }
}

/// Longest texts in characters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lengths {
    pub(crate) question: usize,
    pub(crate) option: usize,
}

impl Lengths {
    /// No limit: for the file formats, whose callers apply the configured limits afterwards.
    pub(crate) const NONE: Self = Self {
        question: usize::MAX,
        option: usize::MAX,
    };
}

/// One entry of a list in JSON: `questions[3]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) list: &'a str,
    pub(crate) index: usize,
}

impl Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.list, self.index)
    }
}

/// Notes every problem of one question found at `place`.
pub(crate) fn check_question(
    question: &Question,
    lengths: Lengths,
    place: impl Display,
    problems: &mut Problems,
) {
    check_text(
        &question.text,
        lengths.question,
        format_args!("{place}.question"),
        problems,
    );

    let count = question.options.len();
    if !(MIN_OPTIONS..=MAX_OPTIONS).contains(&count) {
        problems.add(
            format_args!("{place}.answers"),
            format_args!("must have {MIN_OPTIONS} to {MAX_OPTIONS} entries, has {count}"),
        );
    } else if question.kind == Kind::TrueFalse && count != 2 {
        problems.add(
            format_args!("{place}.answers"),
            format_args!("must have exactly 2 entries for kind true_false, has {count}"),
        );
    }
    for (index, option) in question.options.iter().enumerate() {
        check_text(
            option,
            lengths.option,
            format_args!("{place}.answers[{index}]"),
            problems,
        );
    }

    if let Some(correct) = &question.correct {
        check_key(correct, question.kind, count, &place, problems);
    }
    if let Some(id) = &question.id {
        check_text(id, MAX_ID_CHARS, format_args!("{place}.id"), problems);
    }
}

fn check_key(
    correct: &[u32],
    kind: Kind,
    options: usize,
    place: &impl Display,
    problems: &mut Problems,
) {
    if correct.is_empty() {
        problems.add(
            format_args!("{place}.correct"),
            "must name at least one option; leave it out when the key is not known",
        );
    }
    if correct.len() > 1 && kind != Kind::Multiple {
        problems.add(
            format_args!("{place}.correct"),
            format_args!(
                "must name exactly one option unless kind is multiple, names {}",
                correct.len()
            ),
        );
    }
    let mut seen = 0_u32; // one bit per option: MAX_OPTIONS fits
    for (index, &number) in correct.iter().enumerate() {
        if number == 0 || number as usize > options {
            problems.add(
                format_args!("{place}.correct[{index}]"),
                format_args!("must be an option's number from 1 to {options}, is {number}"),
            );
        } else if let Some(bit) = 1_u32.checked_shl(number - 1) {
            if seen & bit != 0 {
                problems.add(
                    format_args!("{place}.correct[{index}]"),
                    format_args!("names option {number} a second time"),
                );
            }
            seen |= bit;
        }
    }
}

fn check_text(text: &str, max_chars: usize, path: impl Display, problems: &mut Problems) {
    if is_blank(text) {
        problems.add(&path, "must not be blank");
        return;
    }
    // Bytes bound characters from above, so most texts need no count.
    if text.len() > max_chars {
        let chars = text.chars().count();
        if chars > max_chars {
            problems.add(
                &path,
                format_args!("must have at most {max_chars} characters, has {chars}"),
            );
        }
    }
    if let Some(control) = first_forbidden(text) {
        problems.add(
            &path,
            format_args!(
                "must not contain the control character U+{:04X}; of these only newline and tab are allowed",
                control as u32
            ),
        );
    }
}

/// Returns whether nothing of `text` can be seen: spaces, what Unicode calls `Default_Ignorable_Code_Point`, and the Braille
/// pattern without dots.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_whitespace()
            || matches!(
                c,
                '\u{AD}'
                    | '\u{34F}'
                    | '\u{61C}'
                    | '\u{115F}'..='\u{1160}'
                    | '\u{17B4}'..='\u{17B5}'
                    | '\u{180B}'..='\u{180F}'
                    | '\u{200B}'..='\u{200F}'
                    | '\u{202A}'..='\u{202E}'
                    | '\u{2060}'..='\u{206F}'
                    | '\u{2800}'
                    | '\u{3164}'
                    | '\u{FE00}'..='\u{FE0F}'
                    | '\u{FEFF}'
                    | '\u{FFA0}'
                    | '\u{1BCA0}'..='\u{1BCA3}'
                    | '\u{1D173}'..='\u{1D17A}'
                    | '\u{E0000}'..='\u{E0FFF}'
            )
    })
}

/// Returns whether `c` may not stand in a text: NUL and every other control character but newline and tab, and the two
/// that override the direction of what follows, so that it reads as other than it is. Marks, embeddings and isolates, which
/// texts from right to left need, may.
fn is_forbidden(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{202D}' | '\u{202E}')
}

/// A text that may stand in a question, as a regular expression: something in it can be seen, see [`is_blank`], and nothing
/// is forbidden.
pub(crate) const VISIBLE_PATTERN: &str = concat!(
    r"^[^\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202D\u202E]*",
    r"[^\s\u0000-\u001F\u007F-\u009F\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u202A-\u202E",
    r"\u2060-\u206F\u2800\u3164\uFE00-\uFE0F\uFEFF\uFFA0",
    // Beyond four digits, the dialects of regular expressions have no escape in common.
    "\u{1BCA0}-\u{1BCA3}\u{1D173}-\u{1D17A}\u{E0000}-\u{E0FFF}]",
    r"[^\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202D\u202E]*$",
);

fn first_forbidden(text: &str) -> Option<char> {
    // 0xC2 leads the C1 controls, 0xE2 the overrides; without them and an ASCII control there is nothing to decode.
    if text
        .bytes()
        .all(|b| (b >= 0x20 || b == b'\n' || b == b'\t') && b != 0x7F && b != 0xC2 && b != 0xE2)
    {
        return None;
    }
    text.chars().find(|&c| is_forbidden(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(text: &str, options: &[&str]) -> Question {
        Question {
            text: text.into(),
            options: options.iter().map(|&o| o.into()).collect(),
            kind: Kind::Single,
            correct: None,
            id: None,
        }
    }

    fn listed(question: Question) -> Vec<String> {
        check(&[question], &Limits::default())
            .iter()
            .map(Problem::to_string)
            .collect()
    }

    #[test]
    fn accepts_ordinary_questions() {
        let mut ordinary = question("Was heißt »Öl« \n\tauf Englisch?", &["oil", "owl"]);
        ordinary.correct = Some(vec![1]);
        ordinary.id = Some("öl-1".into());
        assert_eq!(listed(ordinary), [""; 0]);
    }

    #[test]
    fn lists_every_problem_of_one_question() {
        let mut bad = question("\u{200B} ", &["a", ""]);
        bad.kind = Kind::Single;
        bad.correct = Some(vec![1, 1, 0, 3]);
        bad.id = Some("\0".into());
        assert_eq!(
            listed(bad),
            [
                "questions[0].question must not be blank",
                "questions[0].answers[1] must not be blank",
                "questions[0].correct must name exactly one option unless kind is multiple, names 4",
                "questions[0].correct[1] names option 1 a second time",
                "questions[0].correct[2] must be an option's number from 1 to 2, is 0",
                "questions[0].correct[3] must be an option's number from 1 to 2, is 3",
                "questions[0].id must not contain the control character U+0000; of these only newline and tab are allowed",
            ]
        );
    }

    #[test]
    fn counts_options_by_kind() {
        assert_eq!(
            listed(question("Q", &["a"])),
            ["questions[0].answers must have 2 to 26 entries, has 1"]
        );
        assert_eq!(
            listed(question("Q", &["a"; 27])),
            ["questions[0].answers must have 2 to 26 entries, has 27"]
        );
        assert!(listed(question("Q", &["a"; 26])).is_empty());
        let mut three = question("Q", &["a", "b", "c"]);
        three.kind = Kind::TrueFalse;
        assert_eq!(
            listed(three),
            ["questions[0].answers must have exactly 2 entries for kind true_false, has 3"]
        );
    }

    #[test]
    fn key_may_name_several_only_for_multiple() {
        let mut several = question("Q", &["a", "b", "c"]);
        several.correct = Some(vec![3, 1]);
        assert_eq!(listed(several.clone()).len(), 1);
        several.kind = Kind::Multiple;
        assert!(listed(several.clone()).is_empty());
        several.correct = Some(vec![]);
        assert_eq!(listed(several).len(), 1);
    }

    #[test]
    fn lengths_count_characters_not_bytes() {
        let limits = Limits {
            max_question_chars: 4,
            max_option_chars: 2,
            ..Limits::default()
        };
        assert!(check(&[question("ÄÖÜß", &["ää", "éé"])], &limits).is_empty());
        let problems = check(&[question("ÄÖÜß?", &["ääx", "b"])], &limits);
        assert_eq!(problems[0].problem, "must have at most 4 characters, has 5");
        assert_eq!(problems[1].path, "questions[0].answers[0]");
    }

    #[test]
    fn refuses_control_characters_but_newline_and_tab() {
        for bad in [
            '\0', '\u{1B}', '\r', '\u{7F}', '\u{85}', '\u{202D}', '\u{202E}',
        ] {
            assert_eq!(
                listed(question(&format!("a{bad}b"), &["a", "b"])).len(),
                1,
                "{bad:?}"
            );
        }
        assert!(
            listed(question(
                "a\tb\nc £ ÂÂ “\u{2067}א\u{2069}” \u{202B}א\u{202C}",
                &["a", "b"]
            ))
            .is_empty()
        );
    }

    #[test]
    fn the_pattern_says_the_same() {
        let pattern = serde_json::json!({ "type": "string", "pattern": VISIBLE_PATTERN });
        let pattern = jsonschema::draft202012::new(&pattern).unwrap();
        for c in '\0'..='\u{FFFF}' {
            for text in [c.to_string(), format!("a{c}b")] {
                let may = !is_blank(&text) && first_forbidden(&text).is_none();
                assert_eq!(pattern.is_valid(&text.as_str().into()), may, "{text:?}");
            }
        }
    }

    #[test]
    fn wants_at_least_one_question_and_not_too_many() {
        assert_eq!(check(&[], &Limits::default()).len(), 1);
        let limits = Limits {
            max_questions: 1,
            ..Limits::default()
        };
        let two = [question("", &[]), question("", &[])];
        assert_eq!(
            check(&two, &limits)[0].problem,
            "must have at most 1 entries, has 2"
        );
    }
}
