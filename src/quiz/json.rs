//! Questions in JSON: strict structs for the ordinary, well-formed body, and a slow reader that finds every mistake.
//!
//! The slow reader alone decides what is refused; the fast structs accept a part of what it accepts.

use super::check::{Lengths, MAX_ID_CHARS, Place, check_question};
use super::file::{Parsed, Reading};
use super::node::{Node, Object};
use super::problem::{Position, Problem, Problems};
use super::{Kind, MAX_OPTIONS, MIN_OPTIONS, OptionNumber, Question};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use std::fmt::{self, Display};

/// Returns the questions of a quiz file: an array of questions, or an object with `questions` and maybe a `title`; and every
/// problem: for broken JSON the line and column, otherwise the path of each value that is wrong.
pub fn parse(text: &str) -> Parsed {
    let mut reading = Reading::default();
    let node = match serde_json::from_str(text) {
        Ok(node) => node,
        Err(error) => {
            let Problem { path, problem } = syntax_problem(&error);
            reading.problems.add(path, problem);
            return reading.done();
        }
    };
    let (list, path) = match node {
        Node::Map(entries) => {
            // The rest is what `quiz-stats scrape --json` says about a page, and changes nothing.
            let known = [
                "questions",
                "title",
                "status",
                "questionCount",
                "url",
                "via",
                "notes",
                "timings",
            ];
            let [questions, title, ..] = fields(entries, known, "", &mut reading.problems);
            if let Some(title) = title.filter(|title| !matches!(title, Node::Text(_))) {
                reading.problems.add(
                    "title",
                    format_args!("must be a string, is {}", title.noun()),
                );
            }
            (questions.unwrap_or(Node::Null), "questions")
        }
        list => (list, ""),
    };
    let Some(list) = read_array(list, path, &mut reading.problems) else {
        return reading.done();
    };
    if list.is_empty() {
        reading.problems.add(
            if path.is_empty() { "file" } else { path },
            "must have at least 1 question, has none",
        );
    }
    for (index, node) in list.into_iter().enumerate() {
        let place = Place { list: path, index };
        let mut problems = Problems::default();
        let question = read_question(node, place, &mut problems);
        reading.keep_nth(question, index, &place.to_string(), problems);
    }
    reading.done()
}

/// Returns where and why `error` stopped the reader.
pub(crate) fn syntax_problem(error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    let what = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(what, _)| what);
    // serde_json counts lines from 1, but what ends before its line begins stands in column 0.
    let (line, column) = (error.line().max(1), error.column().max(1));
    Problem::new(
        Position { line, column },
        format_args!("is not valid JSON: {what}"),
    )
}

/// Returns the questions in `node` whose shape is right; notes every problem of shape or content.
pub(crate) fn read_questions(
    node: Node,
    path: &str,
    lengths: Lengths,
    problems: &mut Problems,
) -> Vec<Question> {
    let list = read_array(node, path, problems).unwrap_or_default();
    let list = list.into_iter().enumerate();
    list.filter_map(|(index, node)| {
        let place = Place { list: path, index };
        let question = read_question(node, place, problems)?;
        check_question(&question, lengths, place, problems);
        Some(question)
    })
    .collect()
}

fn read_array(node: Node, path: &str, problems: &mut Problems) -> Option<Vec<Node>> {
    match node {
        Node::List(list) => Some(list),
        other => {
            let path = if path.is_empty() { "file" } else { path };
            problems.add(
                path,
                format_args!("must be an array of questions, is {}", other.noun()),
            );
            None
        }
    }
}

fn read_question(node: Node, place: Place<'_>, problems: &mut Problems) -> Option<Question> {
    let Node::Map(entries) = node else {
        problems.add(
            place,
            format_args!(
                r#"must be an object such as {{"question":"…","answers":["…","…"]}}, is {}"#,
                node.noun()
            ),
        );
        return None;
    };
    let path = place.to_string();
    let known = ["question", "answers", "kind", "correct", "id", "comment"];
    let [text, options, kind, correct, id, comment] = fields(entries, known, &path, problems);

    let text = match text {
        Some(text) => read_text(text, format_args!("{path}.question"), problems),
        None => missing(format_args!("{path}.question"), problems),
    };
    let options = match options {
        Some(options) => read_list(
            options,
            &format!("{path}.answers"),
            "strings",
            |node, path, problems| read_text(node, path, problems),
            problems,
        ),
        None => missing(format_args!("{path}.answers"), problems),
    };
    let kind = match kind {
        Some(kind) => read_kind(kind, format_args!("{path}.kind"), problems),
        None => Some(Kind::Single),
    };
    let correct = correct.map(|correct| {
        read_list(
            correct,
            &format!("{path}.correct"),
            "option numbers such as [2]",
            |node, path, problems| read_integer(node, path, problems),
            problems,
        )
    });
    let id = id.map(|id| read_text(id, format_args!("{path}.id"), problems));
    if let Some(comment) = comment {
        read_text(comment, format_args!("{path}.comment"), problems)?;
    }

    Some(Question {
        text: text?,
        options: options?,
        kind: kind?,
        correct: correct.map_or(Some(None), |correct| correct.map(Some))?,
        id: id.map_or(Some(None), |id| id.map(Some))?,
    })
}

pub(crate) fn missing<T>(path: impl Display, problems: &mut Problems) -> Option<T> {
    problems.add(path, "is missing");
    None
}

/// Returns the string in `node`.
pub(crate) fn read_text(node: Node, path: impl Display, problems: &mut Problems) -> Option<String> {
    match node {
        Node::Text(text) => Some(text),
        other => {
            problems.add(path, format_args!("must be a string, is {}", other.noun()));
            None
        }
    }
}

fn read_kind(node: Node, path: impl Display, problems: &mut Problems) -> Option<Kind> {
    read_word(node, path, "single, multiple or true_false", problems)
}

/// Returns the one of `words` that is in `node`.
pub(crate) fn read_word<T: DeserializeOwned>(
    node: Node,
    path: impl Display,
    words: &str,
    problems: &mut Problems,
) -> Option<T> {
    let (word, is) = match &node {
        Node::Text(name) => (named(name), format!("{:?}", cut(name))),
        other => (None, other.noun().to_owned()),
    };
    if word.is_none() {
        problems.add(path, format_args!("must be {words}, is {is}"));
    }
    word
}

/// Returns the variant with this name, as clients write it.
pub(crate) fn named<T: DeserializeOwned>(name: &str) -> Option<T> {
    let name: StrDeserializer<'_, de::value::Error> = name.into_deserializer();
    T::deserialize(name).ok()
}

/// Up to here a number with a decimal point is exact (ECMA-262, `Number.MAX_SAFE_INTEGER`).
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// Returns the whole number in `node`.
pub(crate) fn read_integer<T: TryFrom<u64>>(
    node: Node,
    path: impl Display,
    problems: &mut Problems,
) -> Option<T> {
    if let Node::Number(number) = &node {
        // JSON has one kind of number: 2.0 is 2.
        let whole = number
            .as_f64()
            .filter(|number| number.fract() == 0.0 && (0.0..=MAX_SAFE_INTEGER).contains(number));
        let integer = number.as_u64().or(whole.map(|number| number as u64));
        let integer = integer.and_then(|integer| T::try_from(integer).ok());
        if integer.is_none() {
            problems.add(
                path,
                format_args!("must be a whole number that is not negative, is {number}"),
            );
        }
        return integer;
    }
    problems.add(path, format_args!("must be a number, is {}", node.noun()));
    None
}

/// Returns the list in `node` when every entry could be read.
pub(crate) fn read_list<T>(
    node: Node,
    path: &str,
    of: &str,
    read: impl Fn(Node, fmt::Arguments<'_>, &mut Problems) -> Option<T>,
    problems: &mut Problems,
) -> Option<Vec<T>> {
    let Node::List(list) = node else {
        problems.add(
            path,
            format_args!("must be an array of {of}, is {}", node.noun()),
        );
        return None;
    };
    let wanted = list.len();
    let read: Vec<T> = list
        .into_iter()
        .enumerate()
        .filter_map(|(index, node)| read(node, format_args!("{path}[{index}]"), problems))
        .collect();
    (read.len() == wanted).then_some(read)
}

/// Sorts an object's entries into `known`, in that order; `null` counts as absent.
/// Notes unknown fields, with the nearest known name, and fields given twice.
pub(crate) fn fields<const N: usize>(
    entries: Vec<(String, Node)>,
    known: [&str; N],
    path: &str,
    problems: &mut Problems,
) -> [Option<Node>; N] {
    let dot = if path.is_empty() { "" } else { "." };
    let mut found: [Option<Node>; N] = [const { None }; N];
    for (name, node) in entries {
        let Some(at) = known.iter().position(|&k| k == name) else {
            let name = if name.is_empty() {
                "\"\"".to_owned()
            } else {
                cut(&name)
            };
            match nearest(&name, &known) {
                Some(nearest) => problems.add(
                    format_args!("{path}{dot}{name}"),
                    format_args!("is not a known field; did you mean {nearest}?"),
                ),
                None => problems.add(
                    format_args!("{path}{dot}{name}"),
                    format_args!("is not a known field; known are {}", known.join(", ")),
                ),
            }
            continue;
        };
        if found[at].replace(node).is_some() {
            problems.add(format_args!("{path}{dot}{name}"), "is given twice");
        }
    }
    found.map(|node| node.filter(|node| *node != Node::Null))
}

/// Returns the first characters of a text that comes from the client and goes into a message.
pub(crate) fn cut(text: &str) -> String {
    cut_at(text, 40)
}

/// Returns at most `most` characters of such a text.
pub(crate) fn cut_at(text: &str, most: usize) -> String {
    let shown = text
        .chars()
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c });
    shown.take(most).collect()
}

/// Returns the known name that `name` was probably meant to be: a usual other word for it, or a slip of the finger.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    /// Other words for our fields, lower case, as other quiz tools name them.
    const SYNONYMS: [(&str, &str); 13] = [
        ("options", "answers"),
        ("choices", "answers"),
        ("text", "question"),
        ("prompt", "question"),
        ("type", "kind"),
        ("key", "correct"),
        ("solution", "correct"),
        ("correctanswer", "correct"),
        ("correctanswers", "correct"),
        ("name", "id"),
        ("uri", "url"),
        ("room", "channel"),
        ("quiz", "questions"),
    ];
    let lower = name.to_lowercase();
    let synonym = SYNONYMS
        .iter()
        .find(|(word, _)| *word == lower)
        .map(|&(_, field)| field);
    if let Some(field) = known.iter().copied().find(|&field| Some(field) == synonym) {
        return Some(field);
    }
    let folded: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    known
        .iter()
        .map(|&field| (edits(&folded, &field.to_lowercase()), field))
        .filter(|&(edits, field)| edits <= 2 && edits < field.len())
        .min_by_key(|&(edits, _)| edits)
        .map(|(_, field)| field)
}

/// Returns how many letters must be put in, taken out or changed to turn `a` into `b`.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, &b) in b.iter().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// A question as serde reads it in one pass.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "QuestionToAsk")]
pub(crate) struct WireQuestion {
    /// What is asked.
    question: String,
    /// The options in the order people see them: two for `true_false`.
    #[schemars(length(min = MIN_OPTIONS, max = MAX_OPTIONS))]
    answers: Vec<String>,
    /// How many options are right; `single` when left out.
    #[schemars(with = "Option<Kind>")]
    kind: Option<WireKind>,
    /// The numbers of the right options, counted from 1: the author's key, which no model is shown. One, unless `kind`
    /// is `multiple`; each of them one of the options.
    #[schemars(length(min = 1, max = MAX_OPTIONS), inner(range(min = 1, max = MAX_OPTIONS)), extend("uniqueItems" = true))]
    correct: Option<Vec<OptionNumber>>,
    /// The author's name for the question, echoed in the results.
    #[schemars(length(max = MAX_ID_CHARS))]
    id: Option<String>,
    /// Anything for people, such as what an audit says of the key; it changes nothing.
    #[serde(rename = "comment", default)]
    _comment: Option<String>,
}

impl From<WireQuestion> for Question {
    fn from(wire: WireQuestion) -> Self {
        Self {
            text: wire.question,
            options: wire.answers,
            kind: wire.kind.map_or(Kind::Single, |WireKind(kind)| kind),
            correct: wire.correct,
            id: wire.id,
        }
    }
}

/// A kind given by its name alone; the derived reader would also take `{"single":null}`.
#[derive(Debug)]
struct WireKind(Kind);

impl<'de> Deserialize<'de> for WireKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl Visitor<'_> for NameVisitor {
            type Value = WireKind;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("single, multiple or true_false")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<WireKind, E> {
                named(name)
                    .map(WireKind)
                    .ok_or_else(|| E::custom("unknown kind"))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

/// Questions as serde reads them in one pass.
pub(crate) type WireQuestions = Vec<Object<WireQuestion>>;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse_json_quiz(text: &str) -> Result<Vec<Question>, Vec<Problem>> {
        let Parsed {
            questions,
            problems,
            ..
        } = parse(text);
        match problems.is_empty() {
            true => Ok(questions),
            false => Err(problems),
        }
    }

    #[test]
    fn the_good_part_is_kept_with_its_places() {
        let parsed = parse(
            r#"[{"question":"Q","answers":["a","b"]},{"question":"Q"},{"question":"R","answers":["a","b"],"comment":"mine"}]"#,
        );
        assert_eq!(
            parsed.places,
            [
                crate::quiz::file::Place::Nth(0),
                crate::quiz::file::Place::Nth(2)
            ]
        );
        assert_eq!(parsed.problems.len(), 1);
    }

    fn problems(text: &str) -> Vec<String> {
        parse_json_quiz(text)
            .unwrap_err()
            .iter()
            .map(Problem::to_string)
            .collect()
    }

    #[test]
    fn reads_an_array_and_an_object() {
        let bare = r#"[{"question":"2+2?","answers":["3","4"],"correct":[2],"id":"q1"}]"#;
        let questions = parse_json_quiz(bare).unwrap();
        assert_eq!(questions[0].correct, Some(vec![2]));
        assert_eq!(questions[0].id.as_deref(), Some("q1"));
        let object = format!(r#"{{"title":"Sums","questions":{bare}}}"#);
        assert_eq!(parse_json_quiz(&object).unwrap(), questions);
    }

    #[test]
    fn reads_what_scrape_printed() {
        let found: crate::page::FoundPage = serde_json::from_str(
            r#"{"url":"https://quiz.example/","title":null,"via":"browser","notes":["n"],"timings":{"totalMs":7},
                "questions":[{"question":"2+2?","answers":["3","4"],"kind":"single","correct":[2]}]}"#,
        )
        .unwrap();
        let printed = serde_json::to_string(&crate::page::Scraped::from(&found)).unwrap();
        assert_eq!(parse_json_quiz(&printed).unwrap(), found.questions);
    }

    #[test]
    fn a_comment_is_text_and_changes_nothing() {
        let text = r#"[{"question":"Q","answers":["a","b"],"comment":7}]"#;
        assert_eq!(
            problems(text),
            ["[0].comment must be a string, is a number"]
        );
        assert!(parse_json_quiz(&text.replace('7', "\"7\"")).is_ok());
    }

    #[test]
    fn null_counts_as_absent() {
        let text = r#"[{"question":"Q","answers":["a","b"],"kind":null,"correct":null,"id":null}]"#;
        assert_eq!(parse_json_quiz(text).unwrap()[0].kind, Kind::Single);
    }

    #[test]
    fn lists_every_problem_with_its_path() {
        let text = r#"{"titel":"x","questions":[
            {"qestion":"Q","options":["a","b"],"kind":"several","correct":2},
            7,
            {"question":1,"answers":["a",2],"correct":[-1,"x"],"id":5,"zzzzzzzz":0},
            {"question":"Q","question":"Q","answers":["a"]}
        ]}"#;
        assert_eq!(
            problems(text),
            [
                "titel is not a known field; did you mean title?",
                "questions[0].qestion is not a known field; did you mean question?",
                "questions[0].options is not a known field; did you mean answers?",
                "questions[0].question is missing",
                "questions[0].answers is missing",
                "questions[0].kind must be single, multiple or true_false, is \"several\"",
                "questions[0].correct must be an array of option numbers such as [2], is a number",
                r#"questions[1] must be an object such as {"question":"…","answers":["…","…"]}, is a number"#,
                "questions[2].zzzzzzzz is not a known field; known are question, answers, kind, correct, id, comment",
                "questions[2].question must be a string, is a number",
                "questions[2].answers[1] must be a string, is a number",
                "questions[2].correct[0] must be a whole number that is not negative, is -1",
                "questions[2].correct[1] must be a number, is a string",
                "questions[2].id must be a string, is a number",
                "questions[3].question is given twice",
                "questions[3].answers must have 2 to 26 entries, has 1",
            ]
        );
    }

    #[test]
    fn broken_json_names_line_and_column() {
        let problem = &parse_json_quiz("[\n  {\"question\": }\n]").unwrap_err()[0];
        assert_eq!(problem.path, "line 2, column 16");
        assert_eq!(problem.problem, "is not valid JSON: expected value");
        for early in ["", "[\n"] {
            let place = &parse_json_quiz(early).unwrap_err()[0].path;
            assert!(place.ends_with("column 1"), "{place}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        assert!(problems(&"[".repeat(100_000))[0].contains("recursion limit exceeded"));
    }

    #[test]
    fn a_number_may_be_written_with_a_decimal_point() {
        let text = r#"[{"question":"Q","answers":["a","b"],"correct":[2.0]}]"#;
        assert_eq!(parse_json_quiz(text).unwrap()[0].correct, Some(vec![2]));
        let text = r#"[{"question":"Q","answers":["a","b"],"correct":[1.5, -1.0, 1e300]}]"#;
        assert_eq!(problems(text).len(), 3);
    }

    #[test]
    fn suggests_the_nearest_name() {
        let known = ["question", "answers", "kind", "correct", "id"];
        assert_eq!(nearest("Answers", &known), Some("answers"));
        assert_eq!(nearest("answer", &known), Some("answers"));
        assert_eq!(nearest("corect", &known), Some("correct"));
        assert_eq!(nearest("correct_answer", &known), None);
        assert_eq!(nearest("correctAnswer", &known), Some("correct"));
        assert_eq!(nearest("x", &known), None);
    }

    proptest! {
        #[test]
        fn never_panics(text in "[\\[\\]{}\",:a-z0-9\\\\u\n]{0,80}") {
            let _ = parse_json_quiz(&text);
        }
    }
}
