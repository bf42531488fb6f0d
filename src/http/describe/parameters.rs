//! What stands in paths and queries.

use super::operation::Parameter;
use crate::{quiz::request::CHANNEL_PATTERN, store::EPOCH_PATTERN};
use serde_json::{Value, json};

const fn parameter(name: &'static str, told: &'static str, schema: fn() -> Value) -> Parameter {
    Parameter {
        name,
        place: "query",
        told,
        schema,
    }
}

fn channel_name() -> Value {
    json!({ "type": "string", "pattern": CHANNEL_PATTERN })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn limit() -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 20 })
}

fn offset() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn epoch() -> Value {
    json!({ "type": "string", "pattern": EPOCH_PATTERN })
}

fn when_busy() -> Value {
    json!({ "type": "string", "enum": ["queue", "replace", "reject"] })
}

fn yes_or_no() -> Value {
    json!({ "type": "boolean", "default": false })
}

const CHANNEL: Parameter = parameter("channel", "The channel.", channel_name);
pub(super) const STAGE: &[Parameter] = &[
    parameter(
        "channel",
        "Where a quiz file's show plays; JSON says it itself.",
        channel_name,
    ),
    parameter(
        "whenBusy",
        "What a quiz file's show does on a busy channel; JSON says it itself.",
        when_busy,
    ),
    parameter(
        "predictionSet",
        "Whether each result of a quiz file tells its prediction set; JSON says it itself.",
        yes_or_no,
    ),
    CACHE_CONTROL,
];
const CACHE_CONTROL: Parameter = Parameter {
    place: "header",
    ..parameter(
        "Cache-Control",
        "What known answers are good for: `no-cache` asks anew, `no-store` does not keep the answer either, \
         `only-if-cached` asks no model.",
        text,
    )
};
pub(super) const AUDIT: &[Parameter] = &[
    parameter(
        "rulesOnly",
        "Whether to look for flaws alone; no model is asked.",
        yes_or_no,
    ),
    CACHE_CONTROL,
];
pub(super) const LIST: &[Parameter] = &[CHANNEL, parameter("limit", "How many.", limit)];
pub(super) const WATCH: &[Parameter] = &[
    CHANNEL,
    parameter(
        "epoch",
        "The stream of the last event that was seen; with `offset`.",
        epoch,
    ),
    parameter(
        "offset",
        "The offset of the last event that was seen; with `epoch`.",
        offset,
    ),
    parameter("ticket", "A ticket of `POST /api/tickets`.", text),
];

/// Returns the parameter that a path has in braces.
pub(super) fn in_path(pattern: &str) -> Parameter {
    if pattern.contains("{channel}") {
        Parameter {
            place: "path",
            ..CHANNEL
        }
    } else {
        Parameter {
            place: "path",
            ..parameter("id", "The analysis' id.", text)
        }
    }
}
