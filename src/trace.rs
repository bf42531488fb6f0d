//! Traces: what is done for one request, whichever actor does it and in whichever process.
//!
//! A request's span is the parent of its analysis' span, that of each question's, and so on: envelopes carry the span of
//! whoever sent them. Every log line names the spans it was written in, and with them the request and the trace. With the
//! feature `otlp`, spans are also sent to an OpenTelemetry collector.

#[cfg(feature = "otlp")]
pub mod otlp;

use http::{HeaderMap, Method};
use std::fmt;
use tracing::{Span, error_span, field::Empty};

/// The header of W3C Trace Context, Recommendation of 2021-11-23.
pub const TRACEPARENT: &str = "traceparent";

/// Where a caller's own trace stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace.
    pub trace: u128,
    /// The caller's span.
    pub span: u64,
}

impl TraceParent {
    /// Reads `VERSION-TRACE-SPAN-FLAGS`, all in lower-case hexadecimal; `None` for anything else. Whether the caller keeps
    /// its trace (the flags) is not ours to follow: what is kept here is the operator's choice.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut hex = |digits: usize| {
            let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            parts
                .next()
                .filter(|part| part.len() == digits && part.bytes().all(is_hex))
        };
        let (version, trace, span, _flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
        // Later versions may have more parts; this one has none, and ff is none.
        if version == "ff" || (version == "00" && parts.next().is_some()) {
            return None;
        }
        let found = Self {
            trace: u128::from_str_radix(trace, 16).ok()?,
            span: u64::from_str_radix(span, 16).ok()?,
        };
        (found.trace != 0 && found.span != 0).then_some(found)
    }

    fn of(headers: &HeaderMap) -> Option<Self> {
        Self::parse(headers.get(TRACEPARENT)?.to_str().ok()?)
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-01", self.trace, self.span)
    }
}

/// Returns the span of a request, in the caller's trace or in a new one. Its level is that of errors, so that it stands in
/// log lines of every level.
pub fn request(request_id: &str, method: &Method, route: &str, headers: &HeaderMap) -> Span {
    let span = error_span!(
        "request",
        request_id,
        trace_id = Empty,
        %method,
        route,
        status = Empty
    );
    let parent = TraceParent::of(headers);
    let trace = adopt(&span, parent)
        .or(parent.map(|parent| parent.trace))
        .unwrap_or_else(rand::random);
    span.record("trace_id", format_args!("{trace:032x}"));
    span
}

/// Returns the exported trace that the span is in.
#[cfg(feature = "otlp")]
fn adopt(span: &Span, parent: Option<TraceParent>) -> Option<u128> {
    otlp::adopt(span, parent)
}

#[cfg(not(feature = "otlp"))]
const fn adopt(_: &Span, _: Option<TraceParent>) -> Option<u128> {
    None
}

/// Returns where the current trace stands, for another process; `None` when it is not exported.
pub fn current() -> Option<TraceParent> {
    #[cfg(feature = "otlp")]
    return otlp::current();
    #[cfg(not(feature = "otlp"))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_callers_trace_is_read_and_written() {
        let found = TraceParent::parse(GIVEN).unwrap();
        assert_eq!(found.trace, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        assert_eq!(found.span, 0x00f0_67aa_0ba9_02b7);
        assert_eq!(found.to_string(), GIVEN);
        let later = GIVEN.replacen("00", "01", 1) + "-more";
        assert_eq!(TraceParent::parse(&later), Some(found));
    }

    #[test]
    fn what_is_no_trace_is_ignored() {
        for text in [
            "",
            "00",
            &GIVEN.replacen("00", "ff", 1),
            &GIVEN.to_uppercase(),
            &format!("{GIVEN}-more"),
            &GIVEN.replace("4bf9", "4bg9"),
            &GIVEN.replace("00f067aa0ba902b7", "0000000000000000"),
            &GIVEN.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &GIVEN.replace("-00f0", "-0f0"),
            &GIVEN.replace("4bf9", "+bf9"),
        ] {
            assert_eq!(TraceParent::parse(text), None, "{text}");
        }
    }
}
