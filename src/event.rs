//! Events of a channel's stream, as viewers get them (contracts, section 2), and the frames that carry them.

mod direct;

pub(crate) use direct::{Authenticated, Connection, Gap, Pong, Refusal, RefusalCode};

use crate::{
    analysis::{FailureCode, QuestionResult},
    quiz::OptionNumber,
    store::Position,
};
use bytes::{BufMut, Bytes, BytesMut};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::{Arc, OnceLock};
use tokio::time::Instant;

/// What viewers are told, beside the timeline.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub enum Event<'a> {
    /// An analysis began.
    AnalysisStarted {
        /// Where.
        channel: &'a str,
        /// Its id.
        analysis_id: &'a str,
        /// How many questions it has.
        question_count: usize,
    },
    /// One question is answered, or is known to stay without an answer.
    AnswerReady {
        /// Where.
        channel: &'a str,
        /// The analysis.
        analysis_id: &'a str,
        /// The question's number, counted from 1.
        index: u32,
        /// The answer.
        answer: Option<OptionNumber>,
        /// Probability that it is right, 0 to 1.
        confidence: Option<f64>,
        /// One probability per option.
        probabilities: &'a [f64],
        /// Doubts.
        flags: &'a [String],
    },
    /// The whole set.
    AnswersReady {
        /// Where.
        channel: &'a str,
        /// The analysis.
        analysis_id: &'a str,
        /// One entry per question, in order.
        answers: &'a [Option<OptionNumber>],
        /// How many questions there are.
        question_count: usize,
        /// The questions' outcomes, in order.
        results: &'a [QuestionResult],
    },
    /// An analysis came to nothing.
    AnalysisFailed {
        /// Where.
        channel: &'a str,
        /// The analysis.
        analysis_id: &'a str,
        /// What a program tests; `cancelled` when a client cancelled it.
        code: Option<FailureCode>,
        /// The reason in words.
        error: &'a str,
    },
}

impl<'a> Event<'a> {
    /// Creates the event of one question's outcome.
    pub fn answer(channel: &'a str, analysis_id: &'a str, result: &'a QuestionResult) -> Self {
        Self::AnswerReady {
            channel,
            analysis_id,
            index: result.index,
            answer: result.answer,
            confidence: result.confidence,
            probabilities: &result.probabilities,
            flags: &result.flags,
        }
    }
}

/// Serialises an event, or a timeline, without its offset.
pub fn body(event: &impl Serialize) -> Bytes {
    serde_json::to_vec(event)
        .expect("events are plain data")
        .into()
}

/// One message to viewers, serialised and framed once; clones share the bytes.
#[derive(Debug, Clone)]
pub struct Frame(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// A whole unmasked WebSocket text frame: the same bytes for every viewer.
    websocket: Bytes,
    header_len: usize,
    position: Option<Position>,
    sse: OnceLock<Bytes>,
    published: Instant,
}

impl Frame {
    /// Frames a message that belongs to one viewer alone, such as `connection` or `pong`.
    pub fn message(json: &[u8]) -> Self {
        Self::encode(&[json], None)
    }

    /// Frames an event of the stream: `body` with its position in front.
    pub fn event(body: &[u8], position: Position) -> Self {
        debug_assert!(
            body.starts_with(b"{\"") && body.len() > 2,
            "an event is a non-empty JSON object"
        );
        let Position { epoch, offset } = position;
        let offset = format!("{{\"offset\":{offset},\"epoch\":\"{epoch:016x}\",");
        Self::encode(&[offset.as_bytes(), &body[1..]], Some(position))
    }

    fn encode(parts: &[&[u8]], position: Option<Position>) -> Self {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let mut frame = BytesMut::with_capacity(len + 10);
        put_header(&mut frame, len);
        let header_len = frame.len();
        parts.iter().for_each(|part| frame.put_slice(part));
        Self(Arc::new(Inner {
            websocket: frame.freeze(),
            header_len,
            position,
            sse: OnceLock::new(),
            published: Instant::now(),
        }))
    }

    /// Returns the whole WebSocket frame.
    pub fn websocket(&self) -> Bytes {
        self.0.websocket.clone()
    }

    /// Returns the message alone.
    pub fn json(&self) -> Bytes {
        self.0.websocket.slice(self.0.header_len..)
    }

    /// Returns the message as a Server-Sent Event; its id is `epoch:offset`, which `Last-Event-ID` brings back.
    pub fn sse(&self) -> Bytes {
        let encode = || {
            let mut event = BytesMut::with_capacity(self.0.websocket.len() + 48);
            if let Some(Position { epoch, offset }) = self.0.position {
                event.put_slice(format!("id: {epoch:016x}:{offset}\n").as_bytes());
            }
            event.put_slice(b"data: ");
            event.put_slice(&self.json());
            event.put_slice(b"\n\n");
            event.freeze()
        };
        self.0.sse.get_or_init(encode).clone()
    }

    /// Returns its offset in the stream.
    pub fn offset(&self) -> Option<u64> {
        self.0.position.map(|position| position.offset)
    }

    /// Returns what it takes in a queue, in bytes.
    pub fn len(&self) -> usize {
        self.0.websocket.len()
    }

    /// Returns whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.websocket.len() == self.0.header_len
    }

    /// Returns when it was published.
    pub fn published(&self) -> Instant {
        self.0.published
    }
}

/// Events that leave together: one by one for who cannot take them now, as one run of bytes for who can.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The frames, at least one.
    pub frames: Vec<Frame>,
    /// All of them in one piece, shared by all viewers.
    joined: Bytes,
}

impl Batch {
    /// Joins frames; `None` without any.
    pub fn of(frames: Vec<Frame>) -> Option<Self> {
        let joined = match frames.as_slice() {
            [] => return None,
            [frame] => frame.websocket(),
            many => {
                let mut joined = BytesMut::with_capacity(many.iter().map(Frame::len).sum());
                many.iter()
                    .for_each(|frame| joined.put_slice(&frame.0.websocket));
                joined.freeze()
            }
        };
        Some(Self { frames, joined })
    }

    /// Returns whole WebSocket frames, one behind the other.
    pub fn websocket(&self) -> &Bytes {
        &self.joined
    }
}

/// Writes the header of an unmasked, final text frame (RFC 6455, section 5.2).
fn put_header(frame: &mut BytesMut, len: usize) {
    const FINAL_TEXT: u8 = 0x81;
    frame.put_u8(FINAL_TEXT);
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(short), _) if short < 126 => frame.put_u8(short),
        (_, Ok(medium)) => {
            frame.put_u8(126);
            frame.put_u16(medium);
        }
        _ => {
            frame.put_u8(127);
            frame.put_u64(len as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSITION: Position = Position {
        epoch: 0xab,
        offset: 17,
    };

    #[test]
    fn an_event_is_framed_once_for_every_transport() {
        let event = Event::AnalysisStarted {
            channel: "c",
            analysis_id: "a",
            question_count: 2,
        };
        let frame = Frame::event(&body(&event), POSITION);
        let json = r#"{"offset":17,"epoch":"00000000000000ab","type":"analysis_started","channel":"c","analysisId":"a","questionCount":2}"#;
        assert_eq!(frame.json(), json);
        assert_eq!(
            &frame.websocket()[..2],
            [0x81, u8::try_from(json.len()).unwrap()]
        );
        assert_eq!(
            frame.sse(),
            format!("id: 00000000000000ab:17\ndata: {json}\n\n")
        );
        let clones = [frame.clone(), frame];
        assert_eq!(
            clones[0].websocket().as_ptr(),
            clones[1].websocket().as_ptr(),
            "clones share the bytes"
        );
    }

    #[test]
    fn a_batch_is_its_frames_in_one_piece() {
        assert!(Batch::of(Vec::new()).is_none());
        let frames = vec![Frame::message(b"{\"a\":1}"), Frame::message(b"{\"b\":2}")];
        let batch = Batch::of(frames.clone()).unwrap();
        assert_eq!(
            batch.websocket(),
            &[frames[0].websocket(), frames[1].websocket()].concat()
        );
        let alone = Batch::of(vec![frames[0].clone()]).unwrap();
        assert_eq!(alone.websocket().as_ptr(), frames[0].websocket().as_ptr());
    }

    #[test]
    fn lengths_are_written_as_the_protocol_says() {
        let header = |len: usize| Frame::message(&vec![b' '; len]).websocket().to_vec();
        assert_eq!(header(125)[..2], [0x81, 125]);
        assert_eq!(header(126)[..4], [0x81, 126, 0, 126]);
        assert_eq!(header(65_535)[..4], [0x81, 126, 0xff, 0xff]);
        assert_eq!(header(65_536)[..10], [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn a_position_survives_json() {
        let json = serde_json::to_string(&POSITION).unwrap();
        assert_eq!(json, r#"{"epoch":"00000000000000ab","offset":17}"#);
        assert_eq!(serde_json::from_str::<Position>(&json).unwrap(), POSITION);
    }
}
