//! GIFT as people and Moodle write it.

use super::*;
use crate::config::Limits;
use crate::quiz::{Kind, check::check};
use proptest::prelude::*;

fn one(text: &str) -> Question {
    let parsed = parse(text);
    assert_eq!(parsed.problems, [], "{text}");
    assert_eq!(parsed.questions.len(), 1, "{text}");
    parsed.questions.into_iter().next().unwrap()
}

fn problems(text: &str) -> Vec<String> {
    parse(text)
        .problems
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn single_choice_with_title_and_feedback() {
    let question = one(
        "// a comment\n::Q1\\: sums:: What is 2+2? {\n  ~3 # no \\= close\n  // another\n  =4#yes\n  ~%-50%5\n####general\n}",
    );
    assert_eq!(question.id.as_deref(), Some("Q1: sums"));
    assert_eq!(question.text, "What is 2+2?");
    assert_eq!(question.options, ["3", "4", "5"]);
    assert_eq!(
        (question.kind, question.correct),
        (Kind::Single, Some(vec![2]))
    );
}

#[test]
fn true_and_false() {
    for (braces, key) in [
        ("{T}", 1),
        ("{ TRUE }", 1),
        ("{F}", 2),
        ("{false#wrong#right}", 2),
    ] {
        let question = one(&format!("The sun is a star.{braces}"));
        assert_eq!(
            (question.kind, question.options.len(), question.correct),
            (Kind::TrueFalse, 2, Some(vec![key]))
        );
    }
}

#[test]
fn several_right_options_make_it_multiple() {
    let question = one("Primes? {~%50%2 ~%50%3 ~%-100%4}");
    assert_eq!(
        (question.kind, question.correct),
        (Kind::Multiple, Some(vec![1, 2]))
    );
    assert_eq!(one("Primes? {=2 =3 ~4}").kind, Kind::Multiple);
    let part_credit = one("Prime? {=2 ~%50%9 ~4}");
    assert_eq!(
        (part_credit.kind, part_credit.correct),
        (Kind::Single, Some(vec![1]))
    );
    let percent = one("How much? {=50% ~%5 of all%x}");
    assert_eq!(percent.options, ["50%", "%5 of all%x"]);
}

#[test]
fn a_quiz_without_key_is_still_asked() {
    assert_eq!(one("Best colour? {~red ~green}").correct, None);
}

#[test]
fn a_blank_in_the_text() {
    assert_eq!(
        one("Water boils at {=100 ~90} degrees.").text,
        "Water boils at _____ degrees."
    );
    assert_eq!(one("Un{=able ~able}?").text, "Un_____?");
    assert_eq!(
        one("{=Paris ~Rome} is in France.").text,
        "_____ is in France."
    );
}

#[test]
fn escapes_markers_categories_and_wrapped_lines() {
    let question = one(
        "$CATEGORY: $course$/maths\n\n[html]<p>Is 1 &lt; 2\n and \\{x\\}?</p>{=<b>yes</b> ~[plain]<b>no</b>}",
    );
    assert_eq!(question.text, "Is 1 < 2 and {x}?");
    assert_eq!(question.options, ["yes", "<b>no</b>"]);
    let escaped = one("::a\\:\\:b:: x \\= y\\:z? {=\\=1 ~\\~2 ~a\\#b}");
    assert_eq!(escaped.id.as_deref(), Some("a::b"));
    assert_eq!(escaped.text, "x = y:z?");
    assert_eq!(escaped.options, ["=1", "~2", "a#b"]);
}

#[test]
fn problems_name_line_and_column_and_spoil_no_other_question() {
    for (bad, problem) in [
        (
            "Pi? {#3.14:0.01}",
            "line 3, column 6 is a numeric question, which has no options to show",
        ),
        (
            "Match {=a -> b =c -> d}",
            "line 3, column 8 is a matching question, which cannot be shown as options",
        ),
        (
            "Capital? {=Paris =paris}",
            "line 3, column 11 is a short-answer question, which has no wrong options to show; mark those with ~",
        ),
        (
            "Why? {}",
            "line 3, column 7 is an essay question, which has no options to show",
        ),
        (
            "Only text",
            "line 3, column 1 has no answers in braces, so there is nothing to choose from",
        ),
        (
            "Q {=a ~b",
            "line 3, column 3 opens a brace that is not closed before the next blank line",
        ),
        (
            "Q {=a {x} ~b}",
            "line 3, column 7 is a brace within the answers; write \\{ for the character",
        ),
        (
            "Q {=a ~b} and {=c ~d}",
            "line 3, column 15 opens a second set of answers; one question has one",
        ),
        (
            "::title Q {=a ~b}",
            "line 3, column 1 opens a title with :: and does not close it",
        ),
        (
            "Q {a ~b}",
            "line 3, column 4 must begin with = before a right option or ~ before a wrong one",
        ),
        (
            "ä\nQ {=a ~}",
            "line 3, column 1 answers[1] must not be blank",
        ),
        ("{=a ~b}", "line 3, column 1 question must not be blank"),
        (
            "Q\nä {~a}",
            "line 3, column 1 answers must have 2 to 26 entries, has 1",
        ),
    ] {
        let text = format!("// first\n\n{bad}\n\nGood? {{=yes ~no}}\n");
        assert_eq!(problems(&text), [problem], "{bad}");
        assert_eq!(parse(&text).questions.len(), 1, "{bad}");
    }
}

#[test]
fn large_files_take_linear_time() {
    // Quadratic scanning would take minutes on these.
    for unit in ["=", "{", "\\", "~%", "::", "<a", "&"] {
        parse(&format!("[html]Q {{{}}}", unit.repeat(500_000)));
        parse(&unit.repeat(500_000));
    }
}

proptest! {
    #[test]
    fn never_panics_and_keeps_the_rules(text in "[a-cT\\\\:{}=~#%50 \n/$\\[\\]äé<>&;-]{0,80}") {
        let parsed = parse(&text);
        let broken = check(&parsed.questions, &Limits::default());
        prop_assert!(parsed.questions.is_empty() || broken.is_empty(), "{:?}", broken);
    }

    #[test]
    fn mutations_never_panic(at in 0_usize..60, with in any::<char>(), cut in 0_usize..60) {
        let good = "::t:: [html]Is <b>x</b> \\= 1 {=yes#f ~%50%no} or not?\n\nB {T}";
        let mut text: Vec<char> = good.chars().collect();
        let (length, at) = (text.len(), at.min(text.len() - 1));
        text[at] = with;
        text.truncate(length - cut.min(length));
        let parsed = parse(&text.into_iter().collect::<String>());
        prop_assert!(parsed.questions.is_empty() || check(&parsed.questions, &Limits::default()).is_empty());
    }
}
