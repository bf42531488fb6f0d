//! What the host sends to a channel: answers to be displayed, and what to do with the show.

use super::{
    RequestError, begin,
    timing::{TimingOverride, check_timing, read_timing},
};
use crate::{
    quiz::{
        MAX_OPTIONS, OptionNumber,
        json::{missing, read_integer, read_list, read_word},
        node::Node,
    },
    timeline::{ControlAction, WhenBusy},
};
use schemars::JsonSchema;

/// A body that wants answers displayed.
pub(crate) const DISPLAY_EXAMPLE: &str = r#"{"answers":[3,1]}"#;
/// A body that wants something done.
pub(crate) const CONTROL_EXAMPLE: &str = r#"{"action":"skip"}"#;

/// Answers to be shown as they are.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub struct DisplayRequest {
    /// One entry per question, in order; null for one that is passed over.
    #[schemars(inner(range(min = 1, max = MAX_OPTIONS)))]
    pub answers: Vec<Option<OptionNumber>>,
    /// What the client wants different from the configured timing.
    pub timing: Option<TimingOverride>,
    /// What to do on a busy channel; as configured when left out.
    pub when_busy: Option<WhenBusy>,
}

/// What to do with the show that plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ControlRequest {
    /// What to do.
    pub action: ControlAction,
}

/// Returns the answers that the JSON in `body` wants displayed, at most `max` of them.
///
/// # Errors
/// Every problem of the body, see [`RequestError`].
pub fn parse_display_request(body: &[u8], max: usize) -> Result<DisplayRequest, RequestError> {
    let known = ["answers", "timing", "whenBusy"];
    let ([answers, timing, when_busy], mut problems) = begin(body, DISPLAY_EXAMPLE, known)?;
    let answers: Option<Vec<Option<OptionNumber>>> = match answers {
        None => missing("answers", &mut problems),
        Some(Node::List(list)) if list.is_empty() || list.len() > max => {
            let told = format_args!("must have 1 to {max} entries, has {}", list.len());
            problems.add("answers", told);
            None
        }
        Some(node) => {
            let of = "answers such as [3,null,1]";
            read_list(
                node,
                "answers",
                of,
                |node, path, problems| {
                    if node == Node::Null {
                        return Some(None);
                    }
                    let answer: OptionNumber = read_integer(node, path, problems)?;
                    if (1..=MAX_OPTIONS).contains(&(answer as usize)) {
                        return Some(Some(answer));
                    }
                    let told = format_args!(
                        "must be null or a number from 1 to {MAX_OPTIONS}, is {answer}"
                    );
                    problems.add(path, told);
                    None
                },
                &mut problems,
            )
        }
    };
    let timing = timing.and_then(|timing| read_timing(timing, &mut problems));
    check_timing(timing.as_ref(), &mut problems);
    let when_busy = when_busy.and_then(|node| {
        let words = "queue, replace or reject";
        read_word(node, "whenBusy", words, &mut problems)
    });
    match answers {
        Some(answers) if problems.is_empty() => Ok(DisplayRequest {
            answers,
            timing,
            when_busy,
        }),
        _ => Err(RequestError::InvalidRequest(problems.into_vec())),
    }
}

/// Returns what the JSON in `body` wants done.
///
/// # Errors
/// Every problem of the body, see [`RequestError`].
pub fn parse_control_request(body: &[u8]) -> Result<ControlRequest, RequestError> {
    let ([action], mut problems) = begin(body, CONTROL_EXAMPLE, ["action"])?;
    let action = match action {
        None => missing("action", &mut problems),
        Some(node) => {
            let words = "pause, resume, skip or stop";
            read_word(node, "action", words, &mut problems)
        }
    };
    match action {
        Some(action) if problems.is_empty() => Ok(ControlRequest { action }),
        _ => Err(RequestError::InvalidRequest(problems.into_vec())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quiz::problem::Problem;

    fn told<T: std::fmt::Debug>(read: Result<T, RequestError>) -> Vec<String> {
        let error = read.unwrap_err();
        error.problems().iter().map(Problem::to_string).collect()
    }

    #[test]
    fn answers_may_be_null() {
        let body = br#"{"answers":[3,null,26],"timing":{"holdMs":5},"whenBusy":"reject"}"#;
        let request = parse_display_request(body, 3).unwrap();
        assert_eq!(request.answers, [Some(3), None, Some(26)]);
        assert_eq!(request.timing.unwrap().hold_ms, Some(5));
        assert_eq!(request.when_busy, Some(WhenBusy::Reject));
    }

    #[test]
    fn every_problem_of_a_display_is_listed() {
        let body =
            br#"{"answers":[0,"1",27],"timing":{"holdMs":-1},"whenbusy":"reject","whenBusy":7}"#;
        assert_eq!(
            told(parse_display_request(body, 3)),
            [
                "whenbusy is not a known field; did you mean whenBusy?",
                "answers[0] must be null or a number from 1 to 26, is 0",
                "answers[1] must be a number, is a string",
                "answers[2] must be null or a number from 1 to 26, is 27",
                "timing.holdMs must be a whole number that is not negative, is -1",
                "whenBusy must be queue, replace or reject, is a number",
            ]
        );
        assert_eq!(
            told(parse_display_request(br#"{"answers":[]}"#, 3)),
            ["answers must have 1 to 3 entries, has 0"]
        );
        assert_eq!(
            told(parse_display_request(b"{}", 3)),
            ["answers is missing"]
        );
        assert!(told(parse_display_request(b"[]", 3))[0].contains("must be an object such as"));
    }

    #[test]
    fn a_control_is_one_word() {
        let request = parse_control_request(br#"{"action":"skip"}"#).unwrap();
        assert_eq!(request.action, ControlAction::Skip);
        assert_eq!(
            told(parse_control_request(
                br#"{"action":"jump","acton":"skip"}"#
            )),
            [
                "acton is not a known field; did you mean action?",
                "action must be pause, resume, skip or stop, is \"jump\"",
            ]
        );
        assert_eq!(
            told(parse_control_request(
                br#"{"action":"skip","action":"stop"}"#
            )),
            ["action is given twice"]
        );
    }
}
