//! Bodies as clients send them, right and wrong.

use super::*;
use proptest::prelude::*;

fn parse(body: &str) -> Result<AnalyzeRequest, RequestError> {
    parse_analyze_request(body.as_bytes(), &Limits::default())
}

fn refused(body: &str) -> (&'static str, Vec<String>) {
    let error = parse(body).unwrap_err();
    (
        error.code(),
        error.problems().iter().map(Problem::to_string).collect(),
    )
}

const QUESTION: &str = r#"{"question":"2+2?","answers":["3","4"]}"#;

#[test]
fn reads_a_full_request() {
    let request = parse(&format!(
        r#"{{"questions":[{QUESTION}],"channel":"hall-1","animate":false,
            "timing":{{"riseMs":10,"finaleValue":20}},"whenBusy":"replace","timestamp":{{"any":[1]}}}}"#
    ))
    .unwrap();
    assert_eq!(request.subject.questions()[0].options, ["3", "4"]);
    assert_eq!(request.channel.as_deref(), Some("hall-1"));
    assert!(!request.animate);
    let timing = TimingOverride {
        rise_ms: Some(10),
        finale_value: Some(20),
        ..TimingOverride::default()
    };
    assert_eq!(request.timing, Some(timing));
    assert_eq!(request.when_busy, Some(WhenBusy::Replace));
    assert_eq!(request.timestamp, Some(serde_json::json!({"any": [1]})));
}

#[test]
fn defaults_are_the_contracts() {
    let request = parse(&format!(r#"{{"questions":[{QUESTION}],"url":null}}"#)).unwrap();
    assert_eq!(
        request,
        AnalyzeRequest::from(request.subject.questions().to_vec())
    );
    assert!(request.animate);
}

#[test]
fn broken_json_is_invalid_json() {
    assert_eq!(refused("{\n\"questions\":[}").0, "invalid_json");
    assert_eq!(
        refused("").1,
        ["line 1, column 1 is not valid JSON: EOF while parsing a value"]
    );
    // The data is wrong before the syntax is: the syntax counts.
    assert_eq!(refused(r#"{"questions":7,"#).0, "invalid_json");
    assert_eq!(refused(r#"{"questions":[]} x"#).0, "invalid_json");
    assert_eq!(
        parse_analyze_request(b"{\"questions\":\"\xFF\"}", &Limits::default())
            .unwrap_err()
            .code(),
        "invalid_json"
    );
}

#[test]
fn problems_of_questions_alone_are_invalid_question() {
    let error = parse(r#"{"questions":[{"question":"Q","answers":["a"]}]}"#).unwrap_err();
    assert_eq!(error.code(), "invalid_question");
    assert_eq!(
        error.to_string(),
        "Invalid question structure: questions[0].answers must have 2 to 26 entries, has 1"
    );
}

#[test]
fn other_problems_are_invalid_request_and_all_are_listed() {
    let (code, problems) = refused(
        r#"{"questions":[{"question":""}],"chanel":"x","channel":"a b","animate":1,"timing":{"riseMs":-1,"fallMs":9999999,"hold":1},"whenBusy":"wait"}"#,
    );
    assert_eq!(code, "invalid_request");
    assert_eq!(
        problems,
        [
            "chanel is not a known field; did you mean channel?",
            "questions[0].answers is missing",
            "channel must be 1 to 64 letters, digits, dots, underscores or hyphens",
            "animate must be true or false, is a number",
            "timing.hold is not a known field; did you mean holdMs?",
            "timing.riseMs must be a whole number that is not negative, is -1",
            "timing.fallMs must be at most 3600000 milliseconds, is 9999999",
            "whenBusy must be queue, replace or reject, is \"wait\"",
        ]
    );
}

#[test]
fn wants_exactly_one_source() {
    assert_eq!(
        refused("{}").1,
        ["questions is missing: send questions, or a page as url or html"]
    );
    assert_eq!(refused("[]").0, "invalid_request");
    assert_eq!(
        refused(r#"{"questions":[]}"#).1,
        ["questions must have at least 1 entry, has none"]
    );
    assert_eq!(
        refused(&format!(r#"{{"html":"<p>","questions":[{QUESTION}]}}"#)).1,
        ["body must have exactly one of questions, url and html"]
    );
}

#[test]
fn a_page_stands_for_its_questions() {
    let request = parse_analyze_request(
        br#"{"url":"https://quiz.example/1","follow":true,"channel":"hall","animate":false}"#,
        &Limits::default(),
    )
    .unwrap();
    let Subject::Page(page) = &request.subject else {
        panic!("a page");
    };
    assert!(page.follow && !page.render && !request.animate);
    assert_eq!(request.channel.as_deref(), Some("hall"));
    assert_eq!(
        refused(r#"{"url":"file:///etc/passwd"}"#).1,
        ["url must be an http or https address, such as https://quiz.example/page"]
    );
}

#[test]
fn duplicate_keys_are_refused() {
    assert_eq!(
        refused(&format!(r#"{{"questions":[],"questions":[{QUESTION}]}}"#)).1,
        ["questions is given twice"]
    );
    assert_eq!(
        refused(r#"{"questions":[{"question":"a","question":"b","answers":["a","b"]}]}"#).1,
        ["questions[0].question is given twice"]
    );
    assert_eq!(
        refused(&format!(
            r#"{{"animate":true,"animate":null,"questions":[{QUESTION}]}}"#
        ))
        .0,
        "invalid_request"
    );
}

#[test]
fn arrays_and_objects_do_not_stand_in_for_each_other() {
    assert_eq!(
        refused(r#"[[{"question":"a","answers":["a","b"]}]]"#).0,
        "invalid_request"
    );
    assert_eq!(
        refused(r#"{"questions":[["a",["a","b"]]]}"#).0,
        "invalid_question"
    );
    assert_eq!(
        refused(r#"{"questions":[{"question":"a","answers":["a","b"],"kind":{"single":null}}]}"#).0,
        "invalid_question"
    );
    assert_eq!(
        refused(&format!(
            r#"{{"timing":[1,2,3,4,5,6],"questions":[{QUESTION}]}}"#
        ))
        .0,
        "invalid_request"
    );
}

#[test]
fn quiz_files() {
    let body = |format, text: &[u8]| {
        parse_quiz_body(
            format,
            text,
            &Limits {
                max_option_chars: 5,
                ..Limits::default()
            },
        )
    };
    assert_eq!(
        body(Format::Gift, b"Q {=a ~b}")
            .unwrap()
            .subject
            .questions()
            .len(),
        1
    );
    for (format, text, path) in [
        (
            Format::Gift,
            b"Q {=a ~b}\n\nQ {}".as_slice(),
            "line 3, column 4",
        ),
        (Format::Aiken, b"Q\nA. a\n\xFF", "line 3, column 1"),
        (Format::Gift, b"Q {=longer ~b}", "questions[0].answers[0]"),
        (Format::Json, b"{", "line 1, column 1"),
    ] {
        let error = body(format, text).unwrap_err();
        assert_eq!(
            (error.code(), error.problems()[0].path.as_str()),
            ("invalid_quiz_file", path)
        );
    }
}

#[test]
fn channel_names() {
    assert!(is_channel_name("Hall_1.main-stage"));
    assert!(is_channel_name(&"a".repeat(64)));
    for bad in ["", "a b", "a/b", "ä", &"a".repeat(65)] {
        assert!(!is_channel_name(bad), "{bad}");
    }
}

/// Pieces that make a request now well-formed, now slightly wrong.
fn body() -> impl Strategy<Value = String> {
    let entry = prop::sample::select(vec![
        r#""question":"Q?""#,
        r#""question":1"#,
        r#""question":null"#,
        r#""answers":["a","b"]"#,
        r#""answers":["a","b","c"]"#,
        r#""answers":["a",null]"#,
        r#""kind":"single""#,
        r#""kind":"multiple""#,
        r#""kind":"true_false""#,
        r#""kind":null"#,
        r#""kind":{"single":null}"#,
        r#""correct":[1]"#,
        r#""correct":[1.0]"#,
        r#""correct":[2,3]"#,
        r#""correct":null"#,
        r#""id":"x""#,
        r#""id":7"#,
        r#""extra":1"#,
    ]);
    let question = prop_oneof![
        8 => prop::collection::vec(entry, 2..5).prop_map(|entries| format!("{{{}}}", entries.join(","))),
        1 => Just(r#"["Q",["a","b"]]"#.to_owned()),
        4 => Just(QUESTION.to_owned()),
    ];
    let questions = prop::collection::vec(question, 0..3)
        .prop_map(|list| format!(r#""questions":[{}]"#, list.join(",")));
    let rest = prop::sample::select(vec![
        r#""channel":"a""#,
        r#""channel":"a b""#,
        r#""channel":null"#,
        r#""animate":false"#,
        r#""animate":0"#,
        r#""timing":{}"#,
        r#""timing":[]"#,
        r#""timing":{"riseMs":5,"finaleValue":10}"#,
        r#""timing":{"riseMs":5.5}"#,
        r#""timing":{"finaleValue":5000000000}"#,
        r#""timestamp":[1,{"a":1,"a":2},1.5,-3,"x"]"#,
        r#""timestamp":null"#,
        r#""url":null"#,
    ]);
    (questions, prop::collection::vec(rest, 0..3), any::<bool>()).prop_map(
        |(questions, rest, first)| {
            let mut parts: Vec<&str> = rest;
            parts.insert(if first { 0 } else { parts.len() }, &questions);
            format!("{{{}}}", parts.join(","))
        },
    )
}

proptest! {
    #[test]
    fn both_readers_agree(body in body()) {
        let limits = Limits::default();
        let fast = parse_analyze_request(body.as_bytes(), &limits);
        let slow = read_request(body.as_bytes(), &limits);
        match (fast, slow) {
            (Ok(fast), Ok(slow)) => prop_assert_eq!(fast, slow),
            (Err(fast), Err(slow)) => prop_assert_eq!(fast.code(), slow.code()),
            (fast, slow) => prop_assert!(false, "{:?} {:?}", fast, slow),
        }
    }

    #[test]
    fn accepted_questions_pass_the_check(body in body(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let limits = Limits::default();
        let mut bytes = body.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(request) = parse_analyze_request(&bytes, &limits) {
            prop_assert!(super::super::check::check(request.subject.questions(), &limits).is_empty());
        }
    }
}
