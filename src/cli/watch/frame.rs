//! Frames as the server sends them, and the place in the stream that they lead to. Pure.

use crate::timeline::Timeline;
use serde::Deserialize;

/// One message of the server. What this program has no use for is left out; unknown types are [`Frame::Other`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub(super) enum Frame {
    Connection {
        server_time: u64,
        position: Option<Position>,
        recovered: bool,
        state: Option<Timeline>,
    },
    AnalysisStarted {
        question_count: u32,
    },
    AnswerReady {
        index: u32,
        answer: Option<u32>,
        confidence: Option<f64>,
    },
    AnswersReady {
        question_count: u32,
        answers: Vec<Option<u32>>,
    },
    AnalysisFailed {
        error: String,
    },
    Timeline(Timeline),
    Pong {
        client_time: u64,
        server_time: u64,
    },
    Gap {
        from: u64,
        to: u64,
        state: Option<Timeline>,
    },
    #[serde(other)]
    Other,
}

/// A frame with its offset, when it belongs to the channel's stream.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Message {
    pub(super) offset: Option<u64>,
    #[serde(flatten)]
    pub(super) frame: Frame,
}

/// A place in the stream: right after the event with this offset.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Position {
    pub(super) epoch: String,
    pub(super) offset: u64,
}

/// Moves `position` past `message`.
///
/// After a recovery the missed events follow `connection` with offsets of their own: only they move the position, so
/// that a connection lost halfway loses nothing.
pub(super) fn advance(position: &mut Option<Position>, message: &Message) {
    match (&message.frame, message.offset) {
        (
            Frame::Connection {
                recovered: true, ..
            },
            _,
        ) => {}
        (Frame::Connection { position: head, .. }, _) => position.clone_from(head),
        (_, Some(offset)) => {
            // Without a position the channel had no stream before this event, and its epoch is not known: the next
            // connection starts over.
            if let Some(position) = position {
                position.offset = offset;
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(json: &str) -> Message {
        serde_json::from_str(json).unwrap()
    }

    const CONNECTION: &str = r#"{"type":"connection","message":"hello","timestamp":5,"protocol":1,"serverTime":5,
        "channel":"default","position":{"epoch":"00ab","offset":17},"recovered":RECOVERED,"state":null}"#;
    const TIMELINE: &str = r#"{"offset":18,"type":"timeline","id":"t","analysisId":null,"channel":"default","revision":1,
        "startsAt":1000,"pausedAt":null,"durationMs":10,"skipped":[],"complete":true,
        "segments":[{"kind":"rise","question":1,"atMs":0,"durMs":10,"from":0,"to":2,"confidence":0.5}]}"#;

    #[test]
    fn every_frame_of_the_contract_is_read() {
        let fresh = message(&CONNECTION.replace("RECOVERED", "false"));
        assert!(matches!(
            fresh.frame,
            Frame::Connection {
                server_time: 5,
                recovered: false,
                state: None,
                ..
            }
        ));
        let timeline = message(TIMELINE);
        assert_eq!(timeline.offset, Some(18));
        let Frame::Timeline(timeline) = timeline.frame else {
            panic!("a timeline")
        };
        assert_eq!((timeline.id.as_str(), timeline.segments[0].to), ("t", 2));
        for (json, expected) in [
            (
                r#"{"offset":1,"type":"analysis_started","analysisId":"a","questionCount":3}"#,
                Frame::AnalysisStarted { question_count: 3 },
            ),
            (
                r#"{"type":"answer_ready","analysisId":"a","index":1,"answer":null,"confidence":null,"probabilities":[],"flags":[]}"#,
                Frame::AnswerReady {
                    index: 1,
                    answer: None,
                    confidence: None,
                },
            ),
            (
                r#"{"type":"answers_ready","analysisId":"a","answers":[2,null],"questionCount":2,"results":[]}"#,
                Frame::AnswersReady {
                    question_count: 2,
                    answers: vec![Some(2), None],
                },
            ),
            (
                r#"{"type":"analysis_failed","analysisId":"a","code":"ai_failed","error":"x"}"#,
                Frame::AnalysisFailed { error: "x".into() },
            ),
            (
                r#"{"type":"pong","clientTime":1,"serverTime":2}"#,
                Frame::Pong {
                    client_time: 1,
                    server_time: 2,
                },
            ),
            (
                r#"{"type":"gap","from":3,"to":9,"state":null}"#,
                Frame::Gap {
                    from: 3,
                    to: 9,
                    state: None,
                },
            ),
            (r#"{"type":"of_a_later_version","x":1}"#, Frame::Other),
        ] {
            assert_eq!(message(json).frame, expected);
        }
    }

    #[test]
    fn the_position_follows_the_events() {
        let mut position = None;
        advance(
            &mut position,
            &message(&CONNECTION.replace("RECOVERED", "false")),
        );
        assert_eq!(
            position,
            Some(Position {
                epoch: "00ab".into(),
                offset: 17
            })
        );
        advance(&mut position, &message(TIMELINE));
        assert_eq!(position.clone().unwrap().offset, 18);
        advance(
            &mut position,
            &message(r#"{"type":"pong","clientTime":1,"serverTime":2}"#),
        );
        assert_eq!(position.unwrap().offset, 18);
    }

    #[test]
    fn a_recovery_does_not_skip_what_is_still_to_come() {
        let mut position = Some(Position {
            epoch: "00ab".into(),
            offset: 9,
        });
        advance(
            &mut position,
            &message(&CONNECTION.replace("RECOVERED", "true")),
        );
        assert_eq!(position.unwrap().offset, 9);
    }
}
