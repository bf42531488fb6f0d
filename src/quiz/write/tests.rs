use super::*;
use crate::quiz::{Kind, file::Parsed};
use proptest::prelude::*;

const FORMATS: [Format; 6] = [
    Format::Json,
    Format::Gift,
    Format::Aiken,
    Format::Moodle,
    Format::Qti,
    Format::OpenTrivia,
];

/// Texts with everything that means something in one of the formats.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zA-Z0-9äöü€ ]{1,12}",
        prop::sample::select(vec![
            "~",
            "=",
            "#",
            "{",
            "}",
            ":",
            "::",
            "\\",
            "\\n",
            "//",
            "$",
            "%50%",
            "[html]",
            "<b>",
            "&amp;",
            "&",
            "\"",
            "'",
            "-->",
            "]]>",
            "A. ",
            "B) ",
            "ANSWER: A",
            "->",
            "^",
            "_____",
            "T",
            "TRUE",
            "😀",
            "<!--",
            "%",
        ])
        .prop_map(ToOwned::to_owned),
    ];
    prop::collection::vec(piece, 1..6)
        .prop_map(|pieces| one_line(&pieces.join("")))
        .prop_filter("not blank", |text| !text.is_empty())
}

fn question() -> impl Strategy<Value = Question> {
    let options = prop::collection::vec(text(), 2..6);
    (
        text(),
        options,
        prop::sample::select(vec![Kind::Single, Kind::Multiple, Kind::TrueFalse]),
        0_usize..100,
        prop::option::of(text()),
    )
        .prop_map(|(text, mut options, kind, key, id)| {
            if kind == Kind::TrueFalse {
                options = vec!["True".into(), "False".into()];
            }
            let first = u32::try_from(key % options.len() + 1).unwrap();
            let second = first % u32::try_from(options.len()).unwrap() + 1;
            let mut correct = vec![first];
            if kind == Kind::Multiple {
                correct.push(second);
                correct.sort_unstable();
            }
            Question {
                text,
                options,
                kind,
                correct: Some(correct),
                id,
            }
        })
}

proptest! {
    #[test]
    fn what_was_read_is_written_and_read_again_as_the_same_quiz(quiz in prop::collection::vec(question(), 1..5)) {
        for format in [Format::Json, Format::Gift, Format::Moodle, Format::Qti] {
            // The writer itself reads back what it wrote, and refuses what would not come back.
            let written = write(format, &quiz, &[]);
            prop_assert!(written.is_ok(), "{}: {:?}", format.title(), written);
        }
        for format in FORMATS {
            // A quiz that came from a file of the format can be written in it again.
            let Ok(once) = write(format, &quiz, &[]) else { continue };
            let Parsed { questions, problems, .. } = file::parse(format, &once);
            prop_assert!(problems.is_empty());
            prop_assert_eq!(write(format, &questions, &[]).unwrap(), once);
        }
    }

    #[test]
    fn notes_change_nothing_but_themselves(quiz in prop::collection::vec(question(), 1..5), note in text()) {
        let notes: Vec<_> = (0..quiz.len()).map(|index| (index % 2 == 0).then(|| note.clone())).collect();
        for format in [Format::Json, Format::Gift, Format::Moodle, Format::Qti] {
            let noted = write(format, &quiz, &notes).unwrap();
            let plain = write(format, &quiz, &[]).unwrap();
            let parsed = file::parse(format, &plain);
            let put_in = with_notes(format, &plain, &parsed, &notes).unwrap();
            for text in [&noted, &put_in] {
                prop_assert_eq!(&file::parse(format, text).questions, &quiz, "{}", text);
            }
            prop_assert!(put_in.len() > plain.len());
        }
    }
}

#[test]
fn the_examples_come_back_from_every_format_that_can_hold_them() {
    for text in [
        include_str!("../../../examples/general-knowledge.json"),
        include_str!("../../../examples/science.gift"),
        include_str!("../../../examples/deutsch.aiken"),
        include_str!("../../../examples/geography.xml"),
    ] {
        let questions = file::parse(Format::detect(None, text), text).questions;
        for format in [Format::Json, Format::Gift, Format::Moodle, Format::Qti] {
            write(format, &questions, &[]).unwrap_or_else(|error| panic!("{error}"));
        }
    }
    let deutsch = file::parse(
        Format::Aiken,
        include_str!("../../../examples/deutsch.aiken"),
    )
    .questions;
    write(Format::Aiken, &deutsch, &[]).unwrap();
}

#[test]
fn what_a_format_cannot_hold_is_named() {
    let several = file::parse(
        Format::Gift,
        "::a::Q {~%50%a ~%50%b ~%-50%c}\n\nR {=a ~b}\n",
    )
    .questions;
    let error = write(Format::Aiken, &several, &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Aiken cannot hold question 1: it has one right option, no names, and texts of one line"
    );
    assert_eq!(
        write(Format::Aiken, &several[1..], &[Some("n".into())]),
        Err(WriteError::NoComments)
    );
    assert!(write(Format::OpenTrivia, &several[1..], &[]).is_ok());
}

#[test]
fn notes_stand_before_their_questions_and_feedback_stays() {
    let gift = "\u{FEFF}// mine\r\n$CATEGORY: x\r\n\r\n::a::Q {=a#yes ~b}\r\n\r\n  R {=a ~b}\r\n";
    let parsed = file::parse(Format::Gift, gift);
    let noted = with_notes(
        Format::Gift,
        gift,
        &parsed,
        &[Some("look\nhere".into()), Some("and --> here".into())],
    )
    .unwrap();
    assert_eq!(
        noted,
        "\u{FEFF}// mine\r\n$CATEGORY: x\r\n\r\n// look here\n::a::Q {=a#yes ~b}\r\n\r\n// and --> here\n  R {=a ~b}\r\n"
    );

    let xml = "<quiz><question type=\"truefalse\"><questiontext><text>Q</text></questiontext><answer fraction=\"100\"><text>true</text></answer><answer fraction=\"0\"><text>false</text></answer></question></quiz>";
    let parsed = file::parse(Format::Moodle, xml);
    let noted = with_notes(Format::Moodle, xml, &parsed, &[Some("and --> here".into())]).unwrap();
    assert!(
        noted.starts_with("<quiz><!-- and ‐‐> here -->\n<question"),
        "{noted}"
    );
    assert_eq!(
        file::parse(Format::Moodle, &noted).questions,
        parsed.questions
    );

    let json = r#"{"title":"T","questions":[{"id":"z","question":"Q","answers":["a","b"]}]}"#;
    let parsed = file::parse(Format::Json, json);
    let noted = with_notes(Format::Json, json, &parsed, &[Some("look".into())]).unwrap();
    let at = |word: &str| noted.find(word).unwrap();
    assert!(
        at("title") < at("\"id\"") && at("answers") < at("\"comment\": \"look\""),
        "in their order: {noted}"
    );
}
