//! Server-Sent Events, read one by one.

use super::soon;
use serde_json::Value;

/// A stream that is being read.
pub(crate) struct Sse {
    response: reqwest::Response,
    buffer: String,
}

/// One event.
#[derive(Debug)]
pub(crate) struct SseEvent {
    /// Its `event` field, "" without one.
    pub(crate) name: String,
    /// Its `id` field, "" without one.
    pub(crate) id: String,
    /// Its `data`.
    pub(crate) data: Value,
}

impl Sse {
    /// Opens a stream; fails the test when the answer is none.
    pub(crate) async fn open(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("the server answers");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            buffer: String::new(),
        }
    }

    /// Returns the next event; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<SseEvent> {
        loop {
            if let Some((event, rest)) = self.buffer.split_once("\n\n") {
                let event = parse(event);
                self.buffer = rest.to_owned();
                if event.is_some() {
                    return event;
                }
                continue;
            }
            let chunk = soon("an event", self.response.chunk()).await.ok()??;
            self.buffer += std::str::from_utf8(&chunk).expect("events end on whole characters");
        }
    }

    /// Returns the next event's data; fails the test at the end of the stream.
    pub(crate) async fn data(&mut self) -> Value {
        self.next().await.expect("the stream goes on").data
    }
}

/// Reads an event; `None` for a comment.
fn parse(text: &str) -> Option<SseEvent> {
    let field = |name: &str| {
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    let data = serde_json::from_str(field("data")?).expect("data is JSON");
    Some(SseEvent {
        name: field("event").unwrap_or_default().to_owned(),
        id: field("id").unwrap_or_default().to_owned(),
        data,
    })
}
