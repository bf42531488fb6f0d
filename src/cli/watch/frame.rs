//! Frames as the server sends them, and the place in the stream that they lead to. Pure.

use crate::{store::Position, timeline::Timeline};
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

/// A frame with its place, when it belongs to the channel's stream.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Message {
    #[serde(flatten)]
    pub(super) position: Option<Position>,
    #[serde(flatten)]
    pub(super) frame: Frame,
}

/// Moves `position` past `message`.
///
/// After a recovery the missed events follow `connection` with positions of their own: only they move it, so that a
/// connection lost halfway loses nothing.
pub(super) fn advance(position: &mut Option<Position>, message: &Message) {
    match &message.frame {
        Frame::Connection {
            recovered: true, ..
        } => {}
        Frame::Connection { position: head, .. } => *position = *head,
        _ => *position = message.position.or(*position),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(json: &str) -> Message {
        serde_json::from_str(json).unwrap()
    }

    const CONNECTION: &str = r#"{"type":"connection","message":"hello","timestamp":5,"protocol":1,"serverTime":5,
        "channel":"default","position":{"epoch":"00000000000000ab","offset":17},"recovered":RECOVERED,"state":null}"#;
    const TIMELINE: &str = r#"{"offset":18,"epoch":"00000000000000ab","type":"timeline","id":"t","analysisId":null,"channel":"default","revision":1,
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
        assert_eq!(timeline.position, at(18));
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

    fn at(offset: u64) -> Option<Position> {
        Some(Position {
            epoch: 0xab,
            offset,
        })
    }

    #[test]
    fn the_position_follows_the_events() {
        let mut position = None;
        advance(
            &mut position,
            &message(&CONNECTION.replace("RECOVERED", "false")),
        );
        assert_eq!(position, at(17));
        advance(&mut position, &message(TIMELINE));
        assert_eq!(position, at(18));
        advance(
            &mut position,
            &message(r#"{"type":"pong","clientTime":1,"serverTime":2}"#),
        );
        assert_eq!(position, at(18));
    }

    #[test]
    fn a_channel_that_had_no_stream_before_has_one_from_its_first_event_on() {
        let mut position = None;
        advance(&mut position, &message(TIMELINE));
        assert_eq!(position, at(18));
    }

    #[test]
    fn a_recovery_does_not_skip_what_is_still_to_come() {
        let mut position = at(9);
        advance(
            &mut position,
            &message(&CONNECTION.replace("RECOVERED", "true")),
        );
        assert_eq!(position, at(9));
    }
}
