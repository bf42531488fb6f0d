//! The timing that a client wants for its show.

use crate::quiz::{
    json::{fields, read_integer},
    node::Node,
    problem::Problems,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest part of a show in milliseconds: an hour, far beyond any show and far below any overflow.
pub const MAX_TIMING_MS: u64 = 3_600_000;
/// Largest value of the finale.
pub const MAX_FINALE_VALUE: u32 = 1_000;

/// A show's timing as far as it differs from the configured one. Durations are milliseconds, at most an hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TimingOverride {
    /// From 0 to the answer.
    #[schemars(range(max = MAX_TIMING_MS))]
    pub rise_ms: Option<u64>,
    /// How long the answer stands.
    #[schemars(range(max = MAX_TIMING_MS))]
    pub hold_ms: Option<u64>,
    /// From the answer back to 0.
    #[schemars(range(max = MAX_TIMING_MS))]
    pub fall_ms: Option<u64>,
    /// Rest before the next answer.
    #[schemars(range(max = MAX_TIMING_MS))]
    pub rest_ms: Option<u64>,
    /// Value of the finale, at most 1,000.
    #[schemars(range(max = MAX_FINALE_VALUE))]
    pub finale_value: Option<u32>,
    /// How long the finale stands.
    #[schemars(range(max = MAX_TIMING_MS))]
    pub finale_hold_ms: Option<u64>,
}

/// Notes every part that is too long or too high: unchecked, a show's length could overflow.
pub(crate) fn check_timing(timing: Option<&TimingOverride>, problems: &mut Problems) {
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

/// Reads a timing; every problem is noted.
pub(super) fn read_timing(node: Node, problems: &mut Problems) -> Option<TimingOverride> {
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
