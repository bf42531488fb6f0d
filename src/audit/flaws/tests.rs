use super::*;

fn codes(text: &str, options: &[&str], key: u32) -> Vec<Code> {
    of_question(&question(text, options, key))
        .into_iter()
        .map(|flaw| flaw.code)
        .collect()
}

fn question(text: &str, options: &[&str], key: u32) -> Question {
    Question {
        text: text.into(),
        options: options.iter().map(|&option| option.into()).collect(),
        kind: Kind::Single,
        correct: Some(vec![key]),
        id: None,
    }
}

#[test]
fn each_flaw_is_seen_and_its_absence_too() {
    let cases: [(&str, &[&str], u32, &[Code]); 22] = [
        (
            "What is the capital of France?",
            &["Rome", "Paris", "Oslo", "Bern"],
            2,
            &[],
        ),
        (
            "What is rain?",
            &["ice", "water that falls from clouds", "air", "sand"],
            2,
            &[Code::LongCorrectAnswer],
        ),
        (
            "What is rain?",
            &[
                "ice that falls from hills",
                "water that falls from clouds",
                "air",
            ],
            2,
            &[],
        ),
        (
            "Which are mammals?",
            &["Dogs", "Cats", "All of the above"],
            3,
            &[Code::AllOfTheAbove],
        ),
        (
            "Welche sind Tiere?",
            &["Hund", "Katze", "Alle genannten"],
            3,
            &[Code::AllOfTheAbove],
        ),
        (
            "Which is a bird?",
            &["Dog", "Cat", "None of these"],
            3,
            &[Code::NoneOfTheAbove],
        ),
        (
            "Which is not a bird?",
            &["Dog", "Hawk"],
            1,
            &[Code::NegativeStem],
        ),
        ("Which is NOT a bird?", &["Dog", "Hawk"], 1, &[]),
        (
            "Was ist kein Vogel?",
            &["Hund", "Amsel"],
            1,
            &[Code::NegativeStem],
        ),
        (
            "He did not come. Why?",
            &["ill", "late"],
            1,
            &[Code::NegativeStem],
        ),
        (
            "Which theorem is about right triangles?",
            &["Fermat's", "the triangle one", "Euler's lemma"],
            2,
            &[Code::WordRepeats],
        ),
        (
            "How old is it?",
            &["1–10 years", "10–20 years", "20–30 years"],
            2,
            &[Code::OverlappingOptions],
        ),
        (
            "How old is it?",
            &["1–10 years", "11–20 years", "more than 20"],
            2,
            &[],
        ),
        (
            "How old is it?",
            &["less than 10", "10 to 20", "more than 15"],
            2,
            &[Code::OverlappingOptions],
        ),
        ("Which year?", &["1914", "1918", "1939"], 1, &[]),
        (
            "What is it?",
            &["A cat", "a  cat", "dog"],
            1,
            &[Code::DuplicateOptions],
        ),
        (
            "What holds?",
            &["It is always hot", "It may rain", "It never rains"],
            2,
            &[Code::AbsoluteTerms],
        ),
        (
            "What holds?",
            &["It often rains", "It may rain"],
            2,
            &[Code::VagueTerms],
        ),
        (
            "An animal with a trunk is an",
            &["elephant", "tiger", "lion"],
            1,
            &[Code::GrammaticalCues],
        ),
        (
            "An animal with a trunk is an",
            &["elephant", "ape", "otter"],
            1,
            &[],
        ),
        (
            "Which of the following is true?",
            &["Ice floats", "Ice sinks"],
            1,
            &[Code::UnfocusedStem],
        ),
        (
            "Which are prime?",
            &["2", "4", "5", "Both A and C"],
            4,
            &[Code::ComplexOptions],
        ),
    ];
    for (text, options, key, expected) in cases {
        assert_eq!(codes(text, options, key), expected, "{text} {options:?}");
    }
}

#[test]
fn statements_are_judged_by_their_stem_alone() {
    let mut statement = question("Ice does not float?", &["True", "False"], 2);
    statement.kind = Kind::TrueFalse;
    assert_eq!(of_question(&statement).len(), 1);
}

#[test]
fn without_a_key_what_needs_none_is_still_seen() {
    let mut asked = question(
        "What is rain?",
        &["ice", "water that falls from the clouds", "ice"],
        2,
    );
    asked.correct = None;
    assert_eq!(
        of_question(&asked)
            .iter()
            .map(|flaw| flaw.code)
            .collect::<Vec<_>>(),
        [Code::DuplicateOptions]
    );
}

#[test]
fn every_flaw_has_a_code_of_its_own_and_a_name() {
    let codes: std::collections::BTreeSet<_> = Code::ALL.iter().map(|code| code.code()).collect();
    assert_eq!(codes.len(), Code::ALL.len());
    for code in Code::ALL {
        assert_eq!(serde_json::to_value(code).unwrap(), code.code());
        assert!(code.name().contains('('), "{} names no source", code.name());
    }
}
