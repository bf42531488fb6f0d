//! Aiken: a question's text, one line per option (`A. …` or `A) …`), and `ANSWER: B`.

use super::file::{Parsed, Reading};
use super::problem::Position;
use super::{Kind, MAX_OPTIONS, Question};

/// Returns the questions in `text`, whose lines end in `\n`, and every problem with its line.
pub fn parse(text: &str) -> Parsed {
    let mut reader = Reader::default();
    for (index, line) in text.lines().enumerate() {
        reader.line(index + 1, line);
    }
    reader.end_unanswered();
    reader.reading.done()
}

/// Returns whether `line` is the last of a question.
pub(super) fn is_answer_line(line: &str) -> bool {
    answer(line).is_some()
}

#[derive(Debug, Default)]
struct Reader {
    reading: Reading,
    /// Line of the present question's first text; 0 between questions.
    start: usize,
    text: String,
    options: Vec<String>,
    /// Whether the present question already has a problem and is only read to its end.
    broken: bool,
    /// Whether the line before was blank.
    after_blank: bool,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) {
        let after_blank = std::mem::replace(&mut self.after_blank, line.trim().is_empty());
        if self.after_blank {
            return;
        }
        if let Some(letter) = answer(line) {
            return self.end(number, letter);
        }
        if let Some((letter, text)) = option(line).filter(|_| self.start != 0) {
            return self.option(number, letter, text);
        }
        // A text after a blank line begins a question, so one without an answer spoils no other.
        if after_blank && self.start != 0 {
            self.end_unanswered();
        }
        if !self.options.is_empty() {
            return self.broken(
                number,
                "is neither an option (`B. …`) nor `ANSWER:`; a text must be on one line here",
            );
        }
        if self.start == 0 {
            self.start = number;
        } else {
            self.text.push(' ');
        }
        self.text.push_str(line.trim());
    }

    fn option(&mut self, number: usize, letter: u8, text: &str) {
        let expected =
            b'A' + u8::try_from(self.options.len().min(MAX_OPTIONS - 1)).expect("26 fits");
        if letter != expected {
            let (expected, letter) = (char::from(expected), char::from(letter));
            self.broken(
                number,
                &format!("is option {letter} where option {expected} must come"),
            );
        }
        self.options.push(text.trim().to_owned());
    }

    fn end(&mut self, number: usize, letter: &str) {
        if self.start == 0 {
            return self.problem(number, "is an answer without a question");
        }
        let position = Position {
            line: self.start,
            column: 1,
        };
        let (text, options) = self.take();
        let broken = std::mem::take(&mut self.broken);
        if options.is_empty() {
            self.problem(number, "follows no options; an option's line begins with a capital letter: `A. …` or `A) …`");
            return;
        }
        let index = match letter.as_bytes() {
            [letter] if letter.is_ascii_alphabetic() => {
                usize::from(letter.to_ascii_uppercase() - b'A')
            }
            _ => usize::MAX,
        };
        if index >= options.len() {
            return self.problem(
                number,
                "must name one of the options by its letter, as in `ANSWER: B`",
            );
        }
        if !broken {
            let correct = u32::try_from(index + 1).expect("one of at most 26 letters");
            let question = Question {
                text,
                options,
                kind: Kind::Single,
                correct: Some(vec![correct]),
                id: None,
            };
            self.reading.keep(question, position);
        }
    }

    fn end_unanswered(&mut self) {
        if self.start != 0 && !self.broken {
            let missing = if self.options.is_empty() {
                "has no options and no `ANSWER:` line"
            } else {
                "has no `ANSWER:` line"
            };
            self.problem(self.start, missing);
        }
        self.broken = false;
        self.take();
    }

    fn take(&mut self) -> (String, Vec<String>) {
        self.start = 0;
        (
            std::mem::take(&mut self.text),
            std::mem::take(&mut self.options),
        )
    }

    /// Notes the first problem of the present question.
    fn broken(&mut self, number: usize, problem: &str) {
        if !std::mem::replace(&mut self.broken, true) {
            self.problem(number, problem);
        }
    }

    fn problem(&mut self, line: usize, problem: &str) {
        self.reading
            .problems
            .add(Position { line, column: 1 }, problem);
    }
}

/// Returns the letter and the text of an option's line.
fn option(line: &str) -> Option<(u8, &str)> {
    let line = line.trim_start();
    let (&letter, rest) = line.as_bytes().split_first()?;
    let text = line
        .get(2..)
        .filter(|text| text.is_empty() || text.starts_with(char::is_whitespace))?;
    (letter.is_ascii_uppercase() && matches!(rest.first(), Some(b'.' | b')')))
        .then_some((letter, text))
}

/// Returns what an answer's line names.
fn answer(line: &str) -> Option<&str> {
    let (keyword, named) = line.split_once(':')?;
    keyword
        .trim()
        .eq_ignore_ascii_case("answer")
        .then(|| named.trim())
}

#[cfg(test)]
mod tests {
    use super::super::check::check;
    use super::*;
    use crate::config::Limits;
    use proptest::prelude::*;

    fn problems(text: &str) -> Vec<String> {
        parse(text)
            .problems
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    const GOOD: &str = "What is 2+2?\nA. 3\nB) 4\nC. 5\nANSWER: B\n";

    #[test]
    fn reads_questions() {
        let parsed = parse(&format!(
            "{GOOD}\n\n  Is this\n  one question?\n\nA) A. Nobel\nB) no\nanswer : a"
        ));
        assert_eq!(parsed.problems, []);
        assert_eq!(parsed.questions[0].text, "What is 2+2?");
        assert_eq!(parsed.questions[0].options, ["3", "4", "5"]);
        assert_eq!(parsed.questions[0].correct, Some(vec![2]));
        assert_eq!(parsed.questions[1].text, "Is this one question?");
        assert_eq!(parsed.questions[1].options, ["A. Nobel", "no"]);
    }

    #[test]
    fn a_text_may_begin_like_an_option() {
        let parsed = parse("A. Einstein was born in\nA. Ulm\nB. Bern\nANSWER: A");
        assert_eq!(parsed.questions[0].text, "A. Einstein was born in");
    }

    #[test]
    fn problems_name_their_line_and_spoil_no_other_question() {
        for (bad, problem) in [
            ("Q\nA. a\nB. b\n", "line 1, column 1 has no `ANSWER:` line"),
            (
                "Just text\n",
                "line 1, column 1 has no options and no `ANSWER:` line",
            ),
            (
                "Q\nANSWER: A\n",
                "line 2, column 1 follows no options; an option's line begins with a capital letter: `A. …` or `A) …`",
            ),
            (
                "Q\nA. a\nC. c\nD. d\nANSWER: A\n",
                "line 3, column 1 is option C where option B must come",
            ),
            (
                "Q\nA. a\nB. b\nand more\nANSWER: A\n",
                "line 4, column 1 is neither an option (`B. …`) nor `ANSWER:`; a text must be on one line here",
            ),
            (
                "Q\nA. a\nB. b\nANSWER: C\n",
                "line 4, column 1 must name one of the options by its letter, as in `ANSWER: B`",
            ),
            (
                "Q\nA. a\nB. b\nANSWER: A, B\n",
                "line 4, column 1 must name one of the options by its letter, as in `ANSWER: B`",
            ),
            (
                "Q\nA. a\nANSWER: A\n",
                "line 1, column 1 answers must have 2 to 26 entries, has 1",
            ),
            (
                "Q\nA. a\nB.\nANSWER: A\n",
                "line 1, column 1 answers[1] must not be blank",
            ),
            (
                "ANSWER: A\n",
                "line 1, column 1 is an answer without a question",
            ),
        ] {
            assert_eq!(problems(bad), [problem], "{bad}");
            let parsed = parse(&format!("{bad}\n{GOOD}"));
            assert_eq!(
                (parsed.questions.len(), parsed.problems.len()),
                (1, 1),
                "{bad}"
            );
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_keeps_the_rules(lines in prop::collection::vec(
            prop_oneof!["[A-D][.)] ?\\PC{0,6}", "(ANSWER|answer) ?: ?[A-F]?", "\\PC{0,12}", Just(String::new())], 0..30,
        )) {
            let parsed = parse(&lines.join("\n"));
            let limits = Limits { max_questions: 1_000, ..Limits::default() };
            let broken = check(&parsed.questions, &limits);
            prop_assert!(parsed.questions.is_empty() || broken.is_empty(), "{:?}", broken);
        }

        #[test]
        fn mutations_never_panic(at in 0..GOOD.len(), with in any::<char>()) {
            let mut text: Vec<char> = GOOD.chars().collect();
            text[at] = with;
            parse(&text.into_iter().collect::<String>());
        }
    }
}
