//! Each route and method in words, with what it takes and what it answers.

use super::{
    operation::{Operation, Payload},
    parameters::{AUDIT, LIST, STAGE, WATCH},
    schemas::{answer, document, page_request, request},
};
use crate::{
    analysis::Report,
    audit::Audit,
    http::{
        analyses::Latest,
        analyze::Accepted,
        assets::Index,
        channels::{ChannelInfo, Displayed},
        health::{Health, Live, Ready, Version},
        routes::Route,
        tickets::IssuedTicket,
    },
    page::Scraped,
    quiz::request::{ControlRequest, DisplayRequest, WireAudit, WireRequest},
    timeline::Timeline,
};

const HTML: Payload = Payload::Text("text/html");
const STREAM: Payload = Payload::Text("text/event-stream");

/// Returns what a method of a route does; `None` for what is no part of the API.
pub(super) fn of(route: Route, method: &str) -> Option<Operation> {
    let new = Operation::new;
    Some(match (route, method) {
        (Route::Root, _) => new(
            "getIndex",
            "A list of what there is; a start page for browsers",
        )
        .answers(&[(200, "What there is.", Payload::Json(answer::<Index>))])
        .fails(&[400, 401, 426, 503, 504]),
        (Route::Analyze, _) => new(
            "analyze",
            "Finds the answers to questions, to a quiz file or to a page's questions, \
             and plays them on a channel",
        )
        .with(STAGE)
        .takes(&[Payload::Json(request::<WireRequest>), Payload::QuizFile])
        .answers(&[
            (
                200,
                "The whole report; with `Accept: text/event-stream`, \
                     each result as it is known.",
                Payload::Json(answer::<Report>),
            ),
            (
                202,
                "With `Prefer: respond-async`: where the report will be.",
                Payload::Json(answer::<Accepted<'static>>),
            ),
        ])
        .fails(&[409, 422, 502]),
        (Route::Scrape, _) => new("scrape", "Finds the questions of a page; no model is asked")
            .takes(&[Payload::Json(page_request)])
            .answers(&[(
                200,
                "The questions.",
                Payload::Json(answer::<Scraped<'static>>),
            )])
            .fails(&[422]),
        (Route::Audit, _) => new(
            "audit",
            "Doubts the keys of a quiz: a verdict on each, and the flaws of each question",
        )
        .with(AUDIT)
        .takes(&[Payload::Json(request::<WireAudit>), Payload::QuizFile])
        .answers(&[(200, "What was found.", Payload::Json(answer::<Audit>))])
        .fails(&[422, 502]),
        (Route::Analyses, _) => new("listAnalyses", "The latest analyses")
            .with(LIST)
            .answers(&[(
                200,
                "The latest first.",
                Payload::Json(answer::<Latest<'static>>),
            )]),
        (Route::AnalysisById, "GET") => new("getAnalysis", "One analysis, running or finished")
            .answers(&[(200, "Its report so far.", Payload::Json(answer::<Report>))])
            .fails(&[404]),
        (Route::AnalysisById, _) => new("cancelAnalysis", "Cancels an analysis that runs")
            .answers(&[(200, "What it has.", Payload::Json(answer::<Report>))])
            .fails(&[404, 409]),
        (Route::Display, _) => new("display", "Plays given answers; no model is asked")
            .takes(&[Payload::Json(request::<DisplayRequest>)])
            .answers(&[(
                200,
                "When they play.",
                Payload::Json(answer::<Displayed<'static>>),
            )])
            .fails(&[409]),
        (Route::Control, _) => new("control", "Pauses, resumes, skips or stops the show")
            .takes(&[Payload::Json(request::<ControlRequest>)])
            .answers(&[(
                200,
                "The timeline as it is then.",
                Payload::Json(answer::<Timeline>),
            )])
            .fails(&[409]),
        (Route::Channel, _) => {
            new("getChannel", "What a channel plays, and who watches").answers(&[(
                200,
                "How it is.",
                Payload::Json(answer::<ChannelInfo<'static>>),
            )])
        }
        (Route::Tickets, _) => new(
            "issueTicket",
            "A ticket for the address of a WebSocket or an event stream, good once",
        )
        .answers(&[(200, "The ticket.", Payload::Json(answer::<IssuedTicket>))]),
        (Route::WebSocket, _) => new("watch", "A channel's events over WebSocket: asyncapi.json")
            .with(WATCH)
            .answers(&[(101, "From here on it is a WebSocket.", Payload::Nothing)])
            .fails(&[400, 401, 426, 503, 504]),
        (Route::Events, _) => new(
            "events",
            "A channel's events as Server-Sent Events, \
             the same objects as over WebSocket",
        )
        .with(WATCH)
        .answers(&[(200, "The events, without end.", STREAM)])
        .fails(&[400, 401, 503, 504]),
        (Route::Stage, _) => new("getStage", "The show, full-screen")
            .answers(&[(200, "A page.", HTML)])
            .fails(&[400]),
        (Route::Overlay, _) => new(
            "getOverlay",
            "The show on a transparent ground, to be framed",
        )
        .answers(&[(200, "A page.", HTML)])
        .fails(&[400]),
        (Route::Console, _) => {
            new("getConsole", "The host's page").answers(&[(200, "A page.", HTML)])
        }
        (Route::OpenApi, _) => new("getOpenApi", "This description").answers(&[(
            200,
            "OpenAPI 3.1.",
            Payload::Json(document),
        )]),
        (Route::AsyncApi, _) => new("getAsyncApi", "The description of the WebSocket")
            .answers(&[(200, "AsyncAPI 3.0.", Payload::Json(document))]),
        (Route::Docs, _) => {
            new("getDocs", "Both descriptions for people").answers(&[(200, "A page.", HTML)])
        }
        (Route::Health, _) => new("getHealth", "A summary of how the service is").answers(&[(
            200,
            "The summary.",
            Payload::Json(answer::<Health<'static>>),
        )]),
        (Route::Livez, _) => new("getLivez", "Whether the process is alive").answers(&[(
            200,
            "It is.",
            Payload::Json(answer::<Live>),
        )]),
        (Route::Readyz, _) => new("getReadyz", "Whether the process can take work").answers(&[
            (200, "It can.", Payload::Json(answer::<Ready>)),
            (503, "It cannot.", Payload::Json(answer::<Ready>)),
        ]),
        (Route::Metrics, _) => new("getMetrics", "Measurements for Prometheus").answers(&[(
            200,
            "Prometheus' text format.",
            Payload::Text("text/plain"),
        )]),
        (Route::Version, _) => new("getVersion", "Version and commit").answers(&[(
            200,
            "The version.",
            Payload::Json(answer::<Version>),
        )]),
        (Route::Backup, _) => new(
            "getBackup",
            "A copy of answers, events and promised analyses, made while they are in use",
        )
        .answers(&[(
            200,
            "The copy, for `quiz-stats restore`.",
            Payload::Text("application/octet-stream"),
        )])
        .fails(&[404]),
        (Route::Asset, _) => return None,
    })
}
