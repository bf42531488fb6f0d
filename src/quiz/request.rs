//! The body of `POST /api/analyze`: one serde pass when it is well-formed, every problem listed when it is not.

use super::Question;
use super::check::{Lengths, check, check_into};
use super::file::{self, Format, Parsed};
use super::json::{fields, read_questions, read_text, read_word, syntax_problem};
use super::node::{Node, Object};
use super::problem::{Position, Problem, Problems};
use crate::{config::Limits, page::PageRequest, timeline::WhenBusy};
use page::PageFields;
use serde_json::Value;
use std::fmt;
use timing::read_timing;

mod audit;
mod page;
mod stage;
mod timing;
mod wire;

pub(crate) use audit::WireAudit;
pub use audit::parse_audit_request;
pub use page::{MAX_URL_CHARS, check_url, parse_page_request};
pub(crate) use stage::{CONTROL_EXAMPLE, DISPLAY_EXAMPLE};
pub use stage::{ControlRequest, DisplayRequest, parse_control_request, parse_display_request};
pub(crate) use timing::check_timing;
pub use timing::{MAX_FINALE_VALUE, MAX_TIMING_MS, TimingOverride};
pub(crate) use wire::WireRequest;

/// What a channel is named, as a regular expression: see [`is_channel_name`].
pub const CHANNEL_PATTERN: &str = "^[A-Za-z0-9._-]{1,64}$";
/// Longest channel name in characters.
pub const MAX_CHANNEL_CHARS: usize = 64;
/// What is to be answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// These questions, at least one; they have passed [`check`].
    Questions(Vec<Question>),
    /// The questions on a page.
    Page(PageRequest),
}

impl Subject {
    /// Returns the questions, as far as they are known before any page is read.
    pub fn questions(&self) -> &[Question] {
        match self {
            Self::Questions(questions) => questions,
            Self::Page(_) => &[],
        }
    }
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalyzeRequest {
    /// What is to be answered.
    pub subject: Subject,
    /// The channel to play on; `None` is the default one.
    pub channel: Option<String>,
    /// Whether a show is to be played.
    pub animate: bool,
    /// What the client wants different from the configured timing.
    pub timing: Option<TimingOverride>,
    /// What to do on a busy channel; `None` for the configured way.
    pub when_busy: Option<WhenBusy>,
    /// Whether each result is to tell its prediction set.
    pub prediction_set: bool,
    /// Anything the client sent, to be echoed.
    pub timestamp: Option<Value>,
}

impl From<Vec<Question>> for AnalyzeRequest {
    /// Asks for `questions` on the default channel, with a show.
    fn from(questions: Vec<Question>) -> Self {
        Self::from(Subject::Questions(questions))
    }
}

impl From<Subject> for AnalyzeRequest {
    /// Asks for `subject` on the default channel, with a show.
    fn from(subject: Subject) -> Self {
        Self {
            subject,
            channel: None,
            animate: true,
            timing: None,
            when_busy: None,
            prediction_set: false,
            timestamp: None,
        }
    }
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
    let mut problems = Problems::default();
    let request = match serde_json::from_slice::<Object<WireRequest>>(body) {
        Ok(Object(wire)) => wire.plain(&mut problems),
        Err(error) if error.is_data() => None,
        Err(error) => return Err(RequestError::InvalidJson(vec![syntax_problem(&error)])),
    };
    let Some(request) = request else {
        return read_request(body, limits);
    };
    check_into(request.subject.questions(), limits, &mut problems);
    check_channel(request.channel.as_deref(), &mut problems);
    check_timing(request.timing.as_ref(), &mut problems);
    finish(request, problems)
}

/// Returns what a quiz file in `body` asks for: its questions on the default channel, with a show.
///
/// # Errors
/// [`RequestError::InvalidQuizFile`] with every problem; one bad question refuses the whole file.
pub fn parse_quiz_body(
    format: Format,
    body: &[u8],
    limits: &Limits,
) -> Result<AnalyzeRequest, RequestError> {
    let Parsed {
        questions,
        mut problems,
        ..
    } = file::parse(format, utf8(body)?);
    if problems.is_empty() {
        problems = check(&questions, limits);
    }
    if problems.is_empty() {
        Ok(questions.into())
    } else {
        Err(RequestError::InvalidQuizFile(problems))
    }
}

/// Returns whether `name` can name a channel: 1 to 64 of `A-Z a-z 0-9 . _ -`.
pub fn is_channel_name(name: &str) -> bool {
    (1..=MAX_CHANNEL_CHARS).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

fn utf8(body: &[u8]) -> Result<&str, RequestError> {
    std::str::from_utf8(body).map_err(|error| {
        let before = String::from_utf8_lossy(&body[..error.valid_up_to()]);
        let line = 1 + before.matches('\n').count();
        let column = 1 + before
            .chars()
            .rev()
            .take_while(|&char| char != '\n')
            .count();
        RequestError::InvalidQuizFile(vec![Problem::new(
            Position { line, column },
            "is not UTF-8: save the file as UTF-8",
        )])
    })
}

/// Returns what a quiz file in `body` holds: the questions that can be asked, and what is wrong with the others.
///
/// # Errors
/// [`RequestError::InvalidQuizFile`] when there is nothing to ask, or a limit is exceeded.
pub fn parse_quiz_partly(
    format: Format,
    body: &[u8],
    limits: &Limits,
) -> Result<Parsed, RequestError> {
    let parsed = file::parse(format, utf8(body)?);
    let problems = match parsed.questions.is_empty() {
        true => parsed.problems.clone(),
        false => check(&parsed.questions, limits),
    };
    match problems.is_empty() {
        true => Ok(parsed),
        false => Err(RequestError::InvalidQuizFile(problems)),
    }
}

/// Returns what was read, if there is nothing wrong with it.
fn finish<T>(read: T, problems: Problems) -> Result<T, RequestError> {
    if problems.is_empty() {
        Ok(read)
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

/// Reads the fields of a body that is to be an object such as `example`; `null` counts as absent.
fn begin<const N: usize>(
    body: &[u8],
    example: &str,
    known: [&str; N],
) -> Result<([Option<Node>; N], Problems), RequestError> {
    let node = serde_json::from_slice(body)
        .map_err(|error| RequestError::InvalidJson(vec![syntax_problem(&error)]))?;
    let mut problems = Problems::default();
    let Node::Map(entries) = node else {
        let told = format_args!("must be an object such as {example}, is {}", node.noun());
        let problem = Problem::new("body", told);
        return Err(RequestError::InvalidRequest(vec![problem]));
    };
    let fields = fields(entries, known, "", &mut problems);
    Ok((fields, problems))
}

/// Reads a body that is JSON but not a plain, well-formed request: finds every problem.
fn read_request(body: &[u8], limits: &Limits) -> Result<AnalyzeRequest, RequestError> {
    let known = [
        "questions",
        "url",
        "html",
        "follow",
        "render",
        "channel",
        "animate",
        "timing",
        "whenBusy",
        "predictionSet",
        "timestamp",
    ];
    let (
        [
            questions,
            url,
            html,
            follow,
            render,
            channel,
            animate,
            timing,
            when_busy,
            prediction_set,
            timestamp,
        ],
        mut problems,
    ) = begin(body, r#"{"questions":[…]}"#, known)?;

    if [&questions, &url, &html].into_iter().flatten().count() > 1 {
        problems.add("body", "must have exactly one of questions, url and html");
    }
    let page = PageFields {
        url,
        html,
        follow,
        render,
    };
    let names_a_page = page.name_a_page();
    if questions.is_some() && !names_a_page {
        for name in page.switches() {
            problems.add(
                name,
                "is for pages: leave it out, or send url or html instead of questions",
            );
        }
    }
    let page = page.read(&mut problems);
    let subject = match (questions, page) {
        (Some(questions), _) => {
            Subject::Questions(read_list_of_questions(questions, limits, &mut problems))
        }
        (None, Some(page)) => Subject::Page(page),
        (None, None) => {
            if !names_a_page {
                problems.add(
                    "questions",
                    "is missing: send questions, or a page as url or html",
                );
            }
            Subject::Questions(Vec::new())
        }
    };
    let channel = channel.and_then(|channel| read_text(channel, "channel", &mut problems));
    check_channel(channel.as_deref(), &mut problems);
    let animate = read_switch(animate, "animate", true, &mut problems);
    let prediction_set = read_switch(prediction_set, "predictionSet", false, &mut problems);
    let timing = timing.and_then(|timing| read_timing(timing, &mut problems));
    check_timing(timing.as_ref(), &mut problems);
    let when_busy = when_busy.and_then(|node| {
        let words = "queue, replace or reject";
        read_word(node, "whenBusy", words, &mut problems)
    });
    let timestamp = timestamp.and_then(|node| read_timestamp(node, &mut problems));
    finish(
        AnalyzeRequest {
            subject,
            channel,
            animate,
            timing,
            when_busy,
            prediction_set,
            timestamp,
        },
        problems,
    )
}

fn read_switch(node: Option<Node>, name: &str, unset: bool, problems: &mut Problems) -> bool {
    match node {
        None => unset,
        Some(Node::Bool(given)) => given,
        Some(other) => {
            problems.add(
                name,
                format_args!("must be true or false, is {}", other.noun()),
            );
            unset
        }
    }
}

fn read_timestamp(node: Node, problems: &mut Problems) -> Option<Value> {
    if let Some(path) = node.doubled("timestamp") {
        problems.add(path, "is given twice");
    }
    Some(node.into_value())
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

#[cfg(test)]
mod tests;
