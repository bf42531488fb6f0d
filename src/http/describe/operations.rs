//! Each route and method in words, with what it takes and what it answers.

use crate::http::routes::Route;
use serde_json::{Value, json};

/// What a body holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Payload {
    /// JSON of the schema with this name.
    Json(&'static str),
    /// The error of a status.
    Error(u16),
    /// A quiz file.
    QuizFile,
    /// Text of this media type.
    Text(&'static str),
    /// Nothing.
    Nothing,
}

impl Payload {
    pub(super) fn media_types(&self) -> &'static [&'static str] {
        match self {
            Self::Json(_) | Self::Error(_) => &["application/json"],
            Self::QuizFile => &["text/x-gift", "text/x-aiken"],
            Self::Text("text/html") => &["text/html"],
            Self::Text("text/event-stream") => &["text/event-stream"],
            Self::Text(_) => &["text/plain"],
            Self::Nothing => &[],
        }
    }
}

/// Something in the path or in the query.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) place: &'static str,
    pub(super) told: &'static str,
    pub(super) schema: fn() -> Value,
}

/// A method of a route.
pub(super) struct Operation {
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) parameters: &'static [Parameter],
    pub(super) takes: &'static [Payload],
    pub(super) answers: &'static [(u16, &'static str, Payload)],
    /// Statuses of errors beside those that every call may get.
    errors: &'static [u16],
}

impl Operation {
    const fn new(id: &'static str, summary: &'static str) -> Self {
        Self {
            id,
            summary,
            parameters: &[],
            takes: &[],
            answers: &[],
            errors: &[],
        }
    }

    const fn with(self, parameters: &'static [Parameter]) -> Self {
        Self { parameters, ..self }
    }

    const fn takes(self, takes: &'static [Payload]) -> Self {
        Self { takes, ..self }
    }

    const fn answers(self, answers: &'static [(u16, &'static str, Payload)]) -> Self {
        Self { answers, ..self }
    }

    const fn fails(self, errors: &'static [u16]) -> Self {
        Self { errors, ..self }
    }

    /// Returns the statuses of its errors.
    pub(super) fn errors(&self) -> impl Iterator<Item = u16> {
        // A name that is bent to this machine, an address that is not let in, a fault.
        let always = [403, 500];
        let body: &[u16] = if self.takes.is_empty() {
            &[]
        } else {
            &[408, 413, 415]
        };
        always
            .into_iter()
            .chain(body.iter().copied())
            .chain(self.errors.iter().copied())
    }
}

/// What every call of the API may get.
const API: &[u16] = &[400, 401, 429, 503, 504];

const fn parameter(name: &'static str, told: &'static str, schema: fn() -> Value) -> Parameter {
    Parameter {
        name,
        place: "query",
        told,
        schema,
    }
}

fn channel_name() -> Value {
    json!({ "type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$" })
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
    json!({ "type": "string", "pattern": "^[0-9a-f]{16}$" })
}

fn when_busy() -> Value {
    json!({ "type": "string", "enum": ["queue", "replace", "reject"] })
}

const CHANNEL: Parameter = parameter("channel", "The channel.", channel_name);
const STAGE: &[Parameter] = &[
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
];
const LIST: &[Parameter] = &[CHANNEL, parameter("limit", "How many.", limit)];
const WATCH: &[Parameter] = &[
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

const HTML: Payload = Payload::Text("text/html");
const STREAM: Payload = Payload::Text("text/event-stream");

/// Returns what a method of a route does; `None` for what is no part of the API.
pub(super) fn of(route: Route, method: &str) -> Option<Operation> {
    let new = Operation::new;
    Some(match (route, method) {
        (Route::Root, _) => new("getIndex", "A list of what there is; a start page for browsers")
            .answers(&[(200, "What there is.", Payload::Json("Index"))])
            .fails(&[400, 401, 426, 503, 504]),
        (Route::Analyze, _) => new("analyze", "Finds the answers to questions, to a quiz file or to a page's questions, and plays them on a channel")
            .with(STAGE)
            .takes(&[Payload::Json("AnalyzeRequest"), Payload::QuizFile])
            .answers(&[
                (200, "The whole report; with `Accept: text/event-stream`, each result as it is known.", Payload::Json("Report")),
                (202, "With `Prefer: respond-async`: where the report will be.", Payload::Json("Accepted")),
            ])
            .fails(&[400, 401, 409, 422, 429, 502, 503, 504]),
        (Route::Scrape, _) => new("scrape", "Finds the questions of a page; no model is asked")
            .takes(&[Payload::Json("ScrapeRequest")])
            .answers(&[(200, "The questions.", Payload::Json("Scraped"))])
            .fails(&[400, 401, 422, 429, 503, 504]),
        (Route::Analyses, _) => new("listAnalyses", "The latest analyses")
            .with(LIST)
            .answers(&[(200, "The latest first.", Payload::Json("Latest"))])
            .fails(API),
        (Route::AnalysisById, "GET") => new("getAnalysis", "One analysis, running or finished")
            .answers(&[(200, "Its report so far.", Payload::Json("Report"))])
            .fails(&[400, 401, 404, 429, 503, 504]),
        (Route::AnalysisById, _) => new("cancelAnalysis", "Cancels an analysis that runs")
            .answers(&[(200, "What it has.", Payload::Json("Report"))])
            .fails(&[400, 401, 404, 409, 429, 503, 504]),
        (Route::Display, _) => new("display", "Plays given answers; no model is asked")
            .takes(&[Payload::Json("DisplayRequest")])
            .answers(&[(200, "When they play.", Payload::Json("Displayed"))])
            .fails(&[400, 401, 409, 429, 503, 504]),
        (Route::Control, _) => new("control", "Pauses, resumes, skips or stops the show")
            .takes(&[Payload::Json("ControlRequest")])
            .answers(&[(200, "The timeline as it is then.", Payload::Json("Timeline"))])
            .fails(&[400, 401, 409, 429, 503, 504]),
        (Route::Channel, _) => new("getChannel", "What a channel plays, and who watches")
            .answers(&[(200, "How it is.", Payload::Json("ChannelInfo"))])
            .fails(API),
        (Route::Tickets, _) => new("issueTicket", "A ticket for the address of a WebSocket or an event stream, good once")
            .answers(&[(200, "The ticket.", Payload::Json("IssuedTicket"))])
            .fails(API),
        (Route::WebSocket, _) => new("watch", "A channel's events over WebSocket: asyncapi.json")
            .with(WATCH)
            .answers(&[(101, "From here on it is a WebSocket.", Payload::Nothing)])
            .fails(&[400, 401, 426, 503, 504]),
        (Route::Events, _) => new("events", "A channel's events as Server-Sent Events, the same objects as over WebSocket")
            .with(WATCH)
            .answers(&[(200, "The events, without end.", STREAM)])
            .fails(&[400, 401, 503, 504]),
        (Route::Stage, _) => new("getStage", "The show, full-screen")
            .answers(&[(200, "A page.", HTML)])
            .fails(&[400]),
        (Route::Overlay, _) => new("getOverlay", "The show on a transparent ground, to be framed")
            .answers(&[(200, "A page.", HTML)])
            .fails(&[400]),
        (Route::Console, _) => new("getConsole", "The host's page").answers(&[(200, "A page.", HTML)]),
        (Route::OpenApi, _) => new("getOpenApi", "This description").answers(&[(200, "OpenAPI 3.1.", Payload::Json("Document"))]),
        (Route::AsyncApi, _) => new("getAsyncApi", "The description of the WebSocket").answers(&[(200, "AsyncAPI 3.0.", Payload::Json("Document"))]),
        (Route::Docs, _) => new("getDocs", "Both descriptions for people").answers(&[(200, "A page.", HTML)]),
        (Route::Health, _) => new("getHealth", "A summary of how the service is").answers(&[(200, "The summary.", Payload::Json("Health"))]),
        (Route::Livez, _) => new("getLivez", "Whether the process is alive").answers(&[(200, "It is.", Payload::Json("Live"))]),
        (Route::Readyz, _) => new("getReadyz", "Whether the process can take work").answers(&[
            (200, "It can.", Payload::Json("Ready")),
            (503, "It cannot.", Payload::Json("Ready")),
        ]),
        (Route::Metrics, _) => new("getMetrics", "Measurements for Prometheus").answers(&[(200, "Prometheus' text format.", Payload::Text("text/plain"))]),
        (Route::Version, _) => new("getVersion", "Version and commit").answers(&[(200, "The version.", Payload::Json("Version"))]),
        (Route::Asset, _) => return None,
    })
}
