//! Server-Sent Events: bytes in, events out, however the network cuts them. Pure.

/// Longest event in bytes; a server that sends more without an end is no server of ours.
const MAX_EVENT_BYTES: usize = 16 * 1_048_576;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Event {
    /// The `event` field; empty when the server gave none.
    pub(super) name: String,
    /// The `data` fields, joined by line feeds.
    pub(super) data: String,
}

/// Puts events together from pieces of the stream.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// Bytes of the line under way.
    line: Vec<u8>,
    /// Whether the last byte was a carriage return: a line feed after it ends no second line.
    after_cr: bool,
    /// Whether the first line is behind: before it, a byte order mark may stand.
    started: bool,
    name: String,
    data: String,
    has_data: bool,
}

/// The event under way grew beyond all reason.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server sent an event of more than {MAX_EVENT_BYTES} bytes")]
pub(super) struct TooLong;

impl Decoder {
    /// Takes the next piece and returns the events that it completes.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<Vec<Event>, TooLong> {
        let mut events = Vec::new();
        for &byte in piece {
            let is_second_half = byte == b'\n' && std::mem::take(&mut self.after_cr);
            match byte {
                _ if is_second_half => {}
                b'\n' | b'\r' => {
                    self.after_cr = byte == b'\r';
                    let line = std::mem::take(&mut self.line);
                    events.extend(self.end_line(&line));
                }
                _ => {
                    self.after_cr = false;
                    self.line.push(byte);
                }
            }
            if self.line.len() + self.data.len() > MAX_EVENT_BYTES {
                return Err(TooLong);
            }
        }
        Ok(events)
    }

    /// Reads one line; the empty one ends an event.
    fn end_line(&mut self, line: &[u8]) -> Option<Event> {
        let line = String::from_utf8_lossy(line);
        let line = if self.started {
            &line
        } else {
            line.trim_start_matches('\u{feff}')
        };
        self.started = true;
        if line.is_empty() {
            let event = Event {
                name: std::mem::take(&mut self.name),
                data: std::mem::take(&mut self.data),
            };
            return std::mem::take(&mut self.has_data).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.has_data = true;
                self.data.push_str(value);
            }
            // A comment has an empty field name; `id` and `retry` are for clients that come back.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(stream: &[u8]) -> Vec<Event> {
        Decoder::default().feed(stream).unwrap()
    }

    fn event(name: &str, data: &str) -> Event {
        Event {
            name: name.into(),
            data: data.into(),
        }
    }

    #[test]
    fn events_come_with_name_and_joined_data() {
        let stream = b"\xef\xbb\xbf: hello\n\nevent: result\nid: 1\ndata: {\"a\":1}\n\ndata:one\ndata: two\ndata\n\ndata: cut";
        assert_eq!(
            decoded(stream),
            [event("result", "{\"a\":1}"), event("", "one\ntwo\n")]
        );
    }

    #[test]
    fn a_name_without_data_is_no_event_and_does_not_stick() {
        assert_eq!(decoded(b"event: ping\n\ndata: x\n\n"), [event("", "x")]);
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut decoder = Decoder::default();
        let piece = vec![b'x'; 1_048_576];
        assert!((0..17).any(|_| decoder.feed(&piece) == Err(TooLong)));
    }

    proptest! {
        #[test]
        fn cuts_and_line_ends_change_nothing(
            texts in prop::collection::vec("[a-zäß:{} ]{0,12}", 1..6),
            end in prop::sample::select(vec!["\n", "\r", "\r\n"]),
            size in 1_usize..9,
        ) {
            let mut stream = String::new();
            for text in &texts {
                for line in ["event: e", &format!("data: {text}"), ""] {
                    stream += line;
                    stream += end;
                }
            }
            let mut decoder = Decoder::default();
            let events: Vec<_> = stream.as_bytes().chunks(size).flat_map(|piece| decoder.feed(piece).unwrap()).collect();
            let expected: Vec<_> = texts.iter().map(|text| event("e", text)).collect();
            prop_assert_eq!(events, expected);
        }
    }
}
