//! The body of `POST /api/analyze`: one serde pass when it is well-formed, every problem listed when it is not.

use super::Question;
use super::check::{Lengths, check_into};
use super::json::{WireQuestions, fields, read_integer, read_questions, read_text, syntax_problem};
use super::node::{Node, Object};
use super::problem::{Problem, Problems};
use crate::config::Limits;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Longest channel name in characters.
pub const MAX_CHANNEL_CHARS: usize = 64;
/// Longest part of a show in milliseconds: an hour, far beyond any show and far below any overflow.
pub const MAX_TIMING_MS: u64 = 3_600_000;
/// Largest value of the finale.
pub const MAX_FINALE_VALUE: u32 = 1_000;

/// What a client asks for. The questions have passed [`check`](super::check::check).
#[derive(Debug, Clone, PartialEq)]
pub struct AnalyzeRequest {
    /// The questions, at least one.
    pub questions: Vec<Question>,
    /// The channel to play on; `None` is the default one.
    pub channel: Option<String>,
    /// Whether a show is to be played.
    pub animate: bool,
    /// What the client wants different from the configured timing.
    pub timing: Option<TimingOverride>,
    /// Anything the client sent, to be echoed.
    pub timestamp: Option<Value>,
}

impl From<Vec<Question>> for AnalyzeRequest {
    /// Asks for `questions` on the default channel, with a show.
    fn from(questions: Vec<Question>) -> Self {
        Self {
            questions,
            channel: None,
            animate: true,
            timing: None,
            timestamp: None,
        }
    }
}

/// A show's timing as far as it differs from the configured one. Durations are milliseconds, at most [`MAX_TIMING_MS`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TimingOverride {
    /// From 0 to the answer.
    pub rise_ms: Option<u64>,
    /// How long the answer stands.
    pub hold_ms: Option<u64>,
    /// From the answer back to 0.
    pub fall_ms: Option<u64>,
    /// Rest before the next answer.
    pub rest_ms: Option<u64>,
    /// Value of the finale, at most [`MAX_FINALE_VALUE`].
    pub finale_value: Option<u32>,
    /// How long the finale stands.
    pub finale_hold_ms: Option<u64>,
}

/// Why a body was refused. Each variant holds every problem found, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestError {
    /// The body is not JSON at all.
    InvalidJson(Vec<Problem>),
    /// Something beside the single questions is wrong.
    InvalidRequest(Vec<Problem>),
    /// Only questions are wrong.
    InvalidQuestion(Vec<Problem>),
    /// A quiz file cannot be read.
    InvalidQuizFile(Vec<Problem>),
}

impl RequestError {
    /// Returns the `code` of the error response.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidJson(_) => "invalid_json",
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidQuestion(_) => "invalid_question",
            Self::InvalidQuizFile(_) => "invalid_quiz_file",
        }
    }

    /// Returns every problem, for `details`.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::InvalidJson(problems)
            | Self::InvalidRequest(problems)
            | Self::InvalidQuestion(problems)
            | Self::InvalidQuizFile(problems) => problems,
        }
    }

    /// Sorts problems into the code they call for.
    fn of(problems: Vec<Problem>) -> Self {
        if problems
            .iter()
            .all(|problem| problem.path.starts_with("questions[") || problem.path == "…")
        {
            Self::InvalidQuestion(problems)
        } else {
            Self::InvalidRequest(problems)
        }
    }
}

impl fmt::Display for RequestError {
    /// Writes the `error` of the response: what is wrong first, and how much more there is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidJson(_) => "Invalid JSON",
            Self::InvalidRequest(_) => "Invalid request",
            Self::InvalidQuestion(_) => "Invalid question structure",
            Self::InvalidQuizFile(_) => "Invalid quiz file",
        })?;
        if let Some(first) = self.problems().first() {
            write!(f, ": {first}")?;
        }
        match self.problems().len() {
            0 | 1 => Ok(()),
            2 => f.write_str(" (and 1 more problem)"),
            n => write!(f, " (and {} more problems)", n - 1),
        }
    }
}

impl std::error::Error for RequestError {}

/// Returns what the JSON in `body` asks for.
///
/// # Errors
/// Every problem of the body, see [`RequestError`].
pub fn parse_analyze_request(body: &[u8], limits: &Limits) -> Result<AnalyzeRequest, RequestError> {
    let request: AnalyzeRequest = match serde_json::from_slice::<Object<WireRequest>>(body) {
        Ok(Object(wire)) => wire.into(),
        Err(error) if error.is_data() => return read_request(body, limits),
        Err(error) => return Err(RequestError::InvalidJson(vec![syntax_problem(&error)])),
    };
    let mut problems = Problems::default();
    check_into(&request.questions, limits, &mut problems);
    check_channel(request.channel.as_deref(), &mut problems);
    check_timing(request.timing.as_ref(), &mut problems);
    finish(request, problems)
}

/// Returns whether `name` can name a channel: 1 to 64 of `A-Z a-z 0-9 . _ -`.
pub fn is_channel_name(name: &str) -> bool {
    (1..=MAX_CHANNEL_CHARS).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

fn finish(request: AnalyzeRequest, problems: Problems) -> Result<AnalyzeRequest, RequestError> {
    if problems.is_empty() {
        Ok(request)
    } else {
        Err(RequestError::of(problems.into_vec()))
    }
}

fn check_channel(channel: Option<&str>, problems: &mut Problems) {
    if channel.is_some_and(|name| !is_channel_name(name)) {
        problems.add(
            "channel",
            "must be 1 to 64 letters, digits, dots, underscores or hyphens",
        );
    }
}

fn check_timing(timing: Option<&TimingOverride>, problems: &mut Problems) {
    let Some(timing) = timing else { return };
    for (name, ms) in [
        ("riseMs", timing.rise_ms),
        ("holdMs", timing.hold_ms),
        ("fallMs", timing.fall_ms),
        ("restMs", timing.rest_ms),
        ("finaleHoldMs", timing.finale_hold_ms),
    ] {
        if let Some(ms) = ms.filter(|&ms| ms > MAX_TIMING_MS) {
            problems.add(
                format_args!("timing.{name}"),
                format_args!("must be at most {MAX_TIMING_MS} milliseconds, is {ms}"),
            );
        }
    }
    if let Some(value) = timing
        .finale_value
        .filter(|&value| value > MAX_FINALE_VALUE)
    {
        problems.add(
            "timing.finaleValue",
            format_args!("must be at most {MAX_FINALE_VALUE}, is {value}"),
        );
    }
}

/// Reads a body that is JSON but not a plain, well-formed request: finds every problem.
fn read_request(body: &[u8], limits: &Limits) -> Result<AnalyzeRequest, RequestError> {
    let node = serde_json::from_slice(body)
        .map_err(|error| RequestError::InvalidJson(vec![syntax_problem(&error)]))?;
    let mut problems = Problems::default();
    let Node::Map(entries) = node else {
        problems.add(
            "body",
            format_args!(
                r#"must be an object such as {{"questions":[…]}}, is {}"#,
                node.noun()
            ),
        );
        return Err(RequestError::InvalidRequest(problems.into_vec()));
    };
    let known = [
        "questions",
        "url",
        "html",
        "channel",
        "animate",
        "timing",
        "timestamp",
    ];
    let [questions, url, html, channel, animate, timing, timestamp] =
        fields(entries, known, "", &mut problems);

    if [&questions, &url, &html].into_iter().flatten().count() > 1 {
        problems.add("body", "must have exactly one of questions, url and html");
    }
    for (name, node) in [("url", &url), ("html", &html)] {
        if node.is_some() {
            problems.add(
                name,
                "page analysis needs the scraper, which this version does not have yet",
            );
        }
    }
    let questions = match questions {
        Some(questions) => read_list_of_questions(questions, limits, &mut problems),
        None => {
            if url.is_none() && html.is_none() {
                problems.add("questions", "is missing");
            }
            Vec::new()
        }
    };
    let channel = channel.and_then(|channel| read_text(channel, "channel", &mut problems));
    check_channel(channel.as_deref(), &mut problems);
    let animate = match animate {
        None => true,
        Some(Node::Bool(animate)) => animate,
        Some(other) => {
            problems.add(
                "animate",
                format_args!("must be true or false, is {}", other.noun()),
            );
            true
        }
    };
    let timing = timing.and_then(|timing| read_timing(timing, &mut problems));
    check_timing(timing.as_ref(), &mut problems);
    let timestamp = timestamp.map(Node::into_value);
    finish(
        AnalyzeRequest {
            questions,
            channel,
            animate,
            timing,
            timestamp,
        },
        problems,
    )
}

fn read_list_of_questions(node: Node, limits: &Limits, problems: &mut Problems) -> Vec<Question> {
    if let Node::List(list) = &node
        && (list.is_empty() || list.len() > limits.max_questions)
    {
        let wrong = if list.is_empty() {
            "at least 1 entry, has none".to_owned()
        } else {
            format!(
                "at most {} entries, has {}",
                limits.max_questions,
                list.len()
            )
        };
        problems.add("questions", format_args!("must have {wrong}"));
        return Vec::new();
    }
    let lengths = Lengths {
        question: limits.max_question_chars,
        option: limits.max_option_chars,
    };
    read_questions(node, "questions", lengths, problems)
}

fn read_timing(node: Node, problems: &mut Problems) -> Option<TimingOverride> {
    let Node::Map(entries) = node else {
        problems.add(
            "timing",
            format_args!(
                r#"must be an object such as {{"holdMs":7000}}, is {}"#,
                node.noun()
            ),
        );
        return None;
    };
    let known = [
        "riseMs",
        "holdMs",
        "fallMs",
        "restMs",
        "finaleHoldMs",
        "finaleValue",
    ];
    let [rise, hold, fall, rest, finale_hold, finale_value] =
        fields(entries, known, "timing", problems);
    let mut ms = |name: &str, node: Option<Node>| {
        read_integer(node?, format_args!("timing.{name}"), problems)
    };
    Some(TimingOverride {
        rise_ms: ms("riseMs", rise),
        hold_ms: ms("holdMs", hold),
        fall_ms: ms("fallMs", fall),
        rest_ms: ms("restMs", rest),
        finale_hold_ms: ms("finaleHoldMs", finale_hold),
        finale_value: finale_value
            .and_then(|node| read_integer(node, "timing.finaleValue", problems)),
    })
}

/// A request as serde reads it in one pass. What it does not know, the slow reader judges.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRequest {
    questions: WireQuestions,
    channel: Option<String>,
    animate: Option<bool>,
    timing: Option<Object<TimingOverride>>,
    timestamp: Option<Value>,
}

impl From<WireRequest> for AnalyzeRequest {
    fn from(wire: WireRequest) -> Self {
        Self {
            questions: wire
                .questions
                .into_iter()
                .map(|Object(question)| question.into())
                .collect(),
            channel: wire.channel,
            animate: wire.animate.unwrap_or(true),
            timing: wire.timing.map(|Object(timing)| timing),
            timestamp: wire.timestamp,
        }
    }
}

#[cfg(test)]
mod tests {
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
                "timing":{{"riseMs":10,"finaleValue":20}},"timestamp":{{"any":[1]}}}}"#
        ))
        .unwrap();
        assert_eq!(request.questions[0].options, ["3", "4"]);
        assert_eq!(request.channel.as_deref(), Some("hall-1"));
        assert!(!request.animate);
        let timing = TimingOverride {
            rise_ms: Some(10),
            finale_value: Some(20),
            ..TimingOverride::default()
        };
        assert_eq!(request.timing, Some(timing));
        assert_eq!(request.timestamp, Some(serde_json::json!({"any": [1]})));
    }

    #[test]
    fn defaults_are_the_contracts() {
        let request = parse(&format!(r#"{{"questions":[{QUESTION}],"url":null}}"#)).unwrap();
        assert_eq!(request, AnalyzeRequest::from(request.questions.clone()));
        assert!(request.animate);
    }

    #[test]
    fn broken_json_is_invalid_json() {
        assert_eq!(refused("{\n\"questions\":[}").0, "invalid_json");
        assert_eq!(
            refused("").1,
            ["line 1, column 0 is not valid JSON: EOF while parsing a value"]
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
            r#"{"questions":[{"question":""}],"chanel":"x","channel":"a b","animate":1,"timing":{"riseMs":-1,"fallMs":9999999,"hold":1}}"#,
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
            ]
        );
    }

    #[test]
    fn wants_exactly_one_source() {
        assert_eq!(refused("{}").1, ["questions is missing"]);
        assert_eq!(refused("[]").0, "invalid_request");
        assert_eq!(
            refused(r#"{"questions":[]}"#).1,
            ["questions must have at least 1 entry, has none"]
        );
        assert_eq!(
            refused(r#"{"url":"https://example.org"}"#).1,
            ["url page analysis needs the scraper, which this version does not have yet"]
        );
        assert_eq!(
            refused(&format!(r#"{{"html":"<p>","questions":[{QUESTION}]}}"#))
                .1
                .len(),
            2
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
            refused(
                r#"{"questions":[{"question":"a","answers":["a","b"],"kind":{"single":null}}]}"#
            )
            .0,
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
                prop_assert!(super::super::check::check(&request.questions, &limits).is_empty());
            }
        }
    }
}
