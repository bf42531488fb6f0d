use super::super::check::check;
use super::*;
use crate::{
    config::Limits,
    quiz::{Kind, Question},
};
use proptest::prelude::*;

const GOOD: &str = r#"<question type="multichoice"><questiontext><text>Good?</text></questiontext>
<answer fraction="100"><text>yes</text></answer><answer fraction="0"><text>no</text></answer></question>"#;

fn quiz(questions: &str) -> Parsed {
    parse(&format!(
        "<?xml version=\"1.0\"?>\n<quiz>\n{questions}\n</quiz>\n"
    ))
}

fn one(question: &str) -> Question {
    let parsed = quiz(question);
    assert_eq!(parsed.problems, [], "{question}");
    assert_eq!(parsed.questions.len(), 1, "{question}");
    parsed.questions.into_iter().next().expect("one question")
}

fn told(text: &str) -> Vec<String> {
    let problems = parse(text).problems;
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_single_choice_as_moodle_writes_it() {
    let question = one(r#"
  <question type="category"><category><text>$course$/top/Maths</text></category></question>
  <!-- question: 17 -->
  <question type="multichoice">
    <name><text>Powers &amp; roots</text></name>
    <questiontext format="html">
      <text><![CDATA[<p>What is 10<sup>2</sup>, as in <img src="@@PLUGINFILE@@/a.png" alt="a square">?</p>]]></text>
      <file name="a.png" path="/" encoding="base64">iVBORw0KGgo=</file>
    </questiontext>
    <generalfeedback format="html"><text>Not this.</text></generalfeedback>
    <defaultgrade>1.0000000</defaultgrade>
    <single>true</single>
    <answer fraction="0" format="html"><text>&lt;p&gt;20&lt;/p&gt;</text><feedback format="html"><text>no</text></feedback></answer>
    <answer fraction="100" format="plain_text"><text>100 &#x3C; 101</text><feedback format="html"><text/></feedback></answer>
    <answer fraction="50" format="html"><text><![CDATA[about ]]>100</text></answer>
    <tags><tag><text>easy</text></tag></tags>
  </question>"#);
    assert_eq!(question.id.as_deref(), Some("Powers & roots"));
    assert_eq!(question.text, "What is 10^2, as in [image: a square]?");
    assert_eq!(question.options, ["20", "100 < 101", "about 100"]);
    assert_eq!(question.kind, Kind::Single);
    assert_eq!(question.correct, Some(vec![2]));
}

#[test]
fn several_right_options_and_statements() {
    let several = one(
        r#"<question type="multichoice"><questiontext><text>Which?</text></questiontext><single>false</single>
        <answer fraction="33.33333"><text>a</text></answer><answer fraction="66.66667"><text>b</text></answer>
        <answer fraction="-100"><text>c</text></answer></question>"#,
    );
    assert_eq!(
        (several.kind, several.correct),
        (Kind::Multiple, Some(vec![1, 2]))
    );
    for (right, correct) in [("true", 1), ("false", 2)] {
        let wrong = if right == "true" { "false" } else { "true" };
        let statement = one(&format!(
            "<question type=\"truefalse\"><name><text>  </text></name><questiontext><text>It is.</text></questiontext>\
             <answer fraction=\"0\"><text>{wrong}</text></answer><answer fraction=\"100\"><text>{right}</text></answer></question>"
        ));
        assert_eq!(
            (statement.kind, statement.correct),
            (Kind::TrueFalse, Some(vec![correct]))
        );
        assert_eq!(
            (statement.options, statement.id),
            (vec!["True".to_owned(), "False".to_owned()], None)
        );
    }
}

#[test]
fn without_full_points_for_one_there_is_no_key() {
    let question = one(&GOOD.replace("100", "90"));
    assert_eq!((question.kind, question.correct), (Kind::Single, None));
    let long = "n".repeat(250);
    let named = one(&GOOD.replace(
        "<questiontext>",
        &format!("<name><text>{long}</text></name><questiontext>"),
    ));
    assert_eq!(named.id.map(|id| id.len()), Some(200));
}

#[test]
fn problems_name_line_and_column_and_spoil_no_other_question() {
    for (bad, problem) in [
        (
            "<question type=\"essay\"/>",
            "is an essay question, which has no options to show",
        ),
        (
            "<question type=\"matching\"></question>",
            "is a matching question, which cannot be shown as options",
        ),
        (
            "<question type=\"shortanswer\"></question>",
            "is a short-answer question, which has no wrong options to show",
        ),
        (
            "<question type=\"numerical\"></question>",
            "is a numeric question, which has no options to show",
        ),
        (
            "<question type=\"description\"></question>",
            "is a description, which asks nothing",
        ),
        (
            "<question type=\"&lt;dd\nw\u{e4}tos\"/>",
            "is of the type ddwtos, which cannot be shown; multichoice and truefalse can be",
        ),
        (
            "<question></question>",
            "has no type; write <question type=\"multichoice\">",
        ),
        (
            "<question type=\"truefalse\"/>",
            "question must not be blank",
        ),
        (
            "<question type=\"multichoice\"><questiontext><text>Q</text></questiontext><answer><text>a</text></answer></question>",
            "answers must have 2 to 26 entries, has 1",
        ),
        (
            "<question type=\"multichoice\"><questiontext><text>10<sup>2</sup>?</text></questiontext></question>",
            "has a <text> with elements in it; put its HTML into <![CDATA[…]]>, as Moodle does",
        ),
    ] {
        let text = format!("<quiz>\n{GOOD}\n ä {bad}\n{GOOD}</quiz>");
        assert_eq!(
            told(&text),
            [format!("line 4, column 4 {problem}")],
            "{bad}"
        );
        assert_eq!(parse(&text).questions.len(), 2, "{bad}");
    }
}

#[test]
fn broken_xml_keeps_what_came_before() {
    for (bad, problem) in [
        (
            "</question>",
            "line 4, column 2 closes another element than the one that is open",
        ),
        (
            "<question",
            "line 4, column 2 opens something that is never closed; is the file whole?",
        ),
        (
            "<![CDATA[",
            "line 4, column 2 opens something that is never closed; is the file whole?",
        ),
        (
            "<question type=\"essay\">",
            "line 4, column 25 the file ends here, and an element is still open; is it whole?",
        ),
        (
            "<question type=essay>",
            "line 4, column 2 has an attribute that is not name=\"value\"",
        ),
        (
            "&nbsp;",
            "line 4, column 2 is a reference that XML does not know; write the character itself, or &#…; with its number",
        ),
        (
            "&#xD800;",
            "line 4, column 2 is a reference that XML does not know; write the character itself, or &#…; with its number",
        ),
        ("&amp", "line 4, column 2 is not well-formed XML"),
        (
            "</quiz><quiz>",
            "line 4, column 9 must be the one <quiz> of the file, with its <question>s in it",
        ),
        (
            "</quiz>more",
            "line 4, column 9 is no XML; a Moodle file begins with <?xml or <quiz>",
        ),
    ] {
        let text = format!("<quiz>\n{GOOD}\n {bad}");
        assert_eq!(told(&text), [problem], "{bad}");
        assert_eq!(parse(&text).questions.len(), 1, "{bad}");
    }
}

#[test]
fn what_is_no_moodle_file_is_told() {
    for (text, problem) in [
        (
            "",
            "line 1, column 1 is no Moodle XML: it must have a <quiz> with its <question>s",
        ),
        (
            "<?xml version=\"1.0\"?>\n",
            "line 2, column 1 is no Moodle XML: it must have a <quiz> with its <question>s",
        ),
        (
            "Is it? {T}",
            "line 1, column 1 is no XML; a Moodle file begins with <?xml or <quiz>",
        ),
        (
            "<html/>",
            "line 1, column 1 must be the one <quiz> of the file, with its <question>s in it",
        ),
        (
            "<!DOCTYPE quiz [<!ENTITY a \"aa\">]><quiz/>",
            "line 1, column 1 is a DOCTYPE, which a Moodle file has no use for; remove it",
        ),
    ] {
        assert_eq!(told(text), [problem], "{text}");
    }
    let deep = format!("<quiz>{}", "<a>".repeat(100_000));
    assert_eq!(
        told(&deep),
        ["line 1, column 100 is nested too deep for a Moodle file"]
    );
}

#[test]
fn large_files_take_linear_time() {
    for unit in [
        "<a/>",
        "<question/>\n",
        "&amp;",
        "<![CDATA[]]>",
        "<a b='c'/>",
        "x\n",
    ] {
        parse(&format!("<quiz>{}</quiz>", unit.repeat(200_000)));
        quiz(&format!(
            "<question type=\"multichoice\"><questiontext><text>{}",
            unit.repeat(200_000)
        ));
    }
    let attributes: String = (0..20_000).map(|n| format!(" a{n}=''")).collect();
    parse(&format!("<quiz><question{attributes}/></quiz>"));
}

proptest! {
    #[test]
    fn never_panics_and_keeps_the_rules(pieces in prop::collection::vec(prop_oneof![
        prop::sample::select(vec![
            "<quiz>", "</quiz>", "<question type=\"multichoice\">", "<question type='truefalse'>", "</question>",
            "<questiontext>", "</questiontext>", "<text>", "</text>", "<text/>", "<answer fraction=\"100\">", "<answer>",
            "</answer>", "<![CDATA[", "]]>", "&amp;", "&#0;", "&#10;", "<!--", "-->", "<single>false</single>", "<name>",
        ]).prop_map(str::to_owned),
        "\\PC{0,4}",
    ], 0..40)) {
        let parsed = parse(&pieces.concat());
        let broken = check(&parsed.questions, &Limits::default());
        prop_assert!(parsed.questions.is_empty() || broken.is_empty(), "{:?}", broken);
    }

    #[test]
    fn mutations_never_panic(at in 0..GOOD.len(), with in any::<char>(), cut in 0..GOOD.len()) {
        let mut text: Vec<char> = GOOD.chars().collect();
        text[at] = with;
        text.truncate(text.len() - cut / 2);
        let parsed = quiz(&text.into_iter().collect::<String>());
        prop_assert!(parsed.questions.is_empty() || check(&parsed.questions, &Limits::default()).is_empty());
    }
}
