use super::*;
use crate::{
    analysis::{QuestionResult, Report, Status, Usage},
    audit::Audit,
    quiz::{Kind, Question, problem::Problem},
};

fn audit() -> Audit {
    let question = |text: &str, key: u32| Question {
        text: text.into(),
        options: vec![
            "1 < 2 & \"so\"".into(),
            "none of the above".into(),
            "two".into(),
        ],
        kind: Kind::Single,
        correct: Some(vec![key]),
        id: None,
    };
    let result = |index: u32, probabilities: &[f64]| QuestionResult {
        index,
        id: None,
        answer: Some(1),
        selected: vec![1],
        confidence: Some(probabilities[0]),
        probabilities: probabilities.to_vec(),
        source: None,
        model: Some("m".into()),
        method: None,
        calls: 1,
        flags: Vec::new(),
        prediction_set: None,
        error: None,
    };
    let questions = [question("Which <b>?\u{1}", 1), question("What else?", 3)];
    let report = Report {
        status: Status::Success,
        answers: vec![Some(1), Some(1)],
        question_count: 2,
        message: String::new(),
        analysis_id: "id".into(),
        channel: "default".into(),
        position: None,
        results: vec![result(1, &[0.9, 0.05, 0.05]), result(2, &[0.9, 0.05, 0.05])],
        usage: Usage::default(),
        timeline: None,
        found: None,
        timestamp: None,
        failure: None,
    };
    Audit::new(
        &questions,
        Some(&report),
        vec![Problem::new("line 7, column 1", "is an essay")],
    )
}

#[test]
fn the_summary_counts_what_was_found() {
    let audit = audit();
    assert_eq!(
        audit.summary(),
        "2 questions: 1 key is doubted, 2 flaws were found, 1 problem kept something from being read"
    );
    assert_eq!((audit.doubted_keys, audit.flaw_count), (1, 2));
}

#[test]
fn the_table_names_the_doubt_and_why() {
    let text = table(&audit(), 200, false);
    for told in [
        "probably_wrong_key",
        "agrees",
        "none_of_the_above",
        "not read: line 7, column 1 is an essay",
        "has 90 %",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert!(
        !text.contains('\u{1b}'),
        "no colours where nobody sees them"
    );
}

#[test]
fn the_examples_are_well_made_but_for_the_one_that_is_not() {
    use crate::quiz::file::{self, Format};
    let found = |text: &str| {
        let parsed = file::parse(Format::detect(None, text), text);
        let audit = Audit::new(&parsed.questions, None, parsed.problems);
        let codes = audit
            .items
            .iter()
            .flat_map(|item| &item.flaws)
            .chain(&audit.quiz_flaws);
        codes.map(|flaw| flaw.code.code()).collect::<Vec<_>>()
    };
    for text in [
        include_str!("../../../examples/general-knowledge.json"),
        include_str!("../../../examples/science.gift"),
        include_str!("../../../examples/deutsch.aiken"),
        include_str!("../../../examples/geography.xml"),
    ] {
        assert_eq!(found(text), [""; 0]);
    }
    let doubtful = found(include_str!("../../../examples/doubtful.gift"));
    assert_eq!(
        doubtful,
        [
            "negative_stem",
            "long_correct_answer",
            "overlapping_options",
            "all_of_the_above"
        ]
    );
}

/// Reads XML to its end and returns the names of its elements.
fn elements(xml: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut names = Vec::new();
    loop {
        match reader.read_event().expect("well-formed") {
            quick_xml::events::Event::Start(start) | quick_xml::events::Event::Empty(start) => {
                names.push(start.name().as_ref().to_owned());
            }
            quick_xml::events::Event::Eof => return names,
            _ => {}
        }
    }
}

#[test]
fn junit_is_well_formed_and_counts_its_failures() {
    let xml = junit(&audit(), "a \"quiz\" & more.gift");
    let names = elements(&xml);
    let count = |wanted: &str| names.iter().filter(|name| *name == wanted).count();
    assert_eq!((count("testcase"), count("failure")), (3, 3));
    assert!(xml.contains(r#"tests="3" failures="3""#), "{xml}");
    assert!(xml.contains(r#"type="probably_wrong_key""#), "{xml}");
    assert!(!xml.contains('\u{1}'), "XML has no such character");
}

#[test]
fn the_page_holds_everything_and_runs_nothing() {
    let page = html(&audit(), "<script>alert(1)</script>");
    assert!(
        !page.contains("<script") && !page.contains("http"),
        "{page}"
    );
    assert!(
        page.contains("1 &lt; 2 &amp; &quot;so&quot;") && page.contains("<svg"),
        "{page}"
    );
    assert_eq!(
        page.matches("<section>").count(),
        3,
        "two questions and what could not be read"
    );
}
