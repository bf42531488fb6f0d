//! `POST /api/analyze`: questions in, answers out, at once, as a stream, or later.

use super::{
    allowance,
    audit::Note,
    error::ApiError,
    request::{body, content_type, idempotency_key, lists},
    respond::{Body, bytes, json, set},
    router::Call,
};
use crate::{
    actors::analyses::{Promise, Started, Update, last},
    analysis::{CacheUse, Failure, Report, Status, Wishes},
    config::Limits,
    pipeline::{Analyzed, DEFAULT_CHANNEL},
    quiz::{
        file::Format,
        json::named,
        request::{AnalyzeRequest, is_channel_name, parse_analyze_request, parse_quiz_body},
    },
    timeline::WhenBusy,
};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderName, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::sync::mpsc;

pub(super) async fn analyze(call: Call) -> Result<Response<Body>, ApiError> {
    let Call {
        request,
        context,
        request_id,
        caller,
        verdict,
        ..
    } = call;
    let headers = request.headers();
    let as_stream = lists(headers, header::ACCEPT, "text/event-stream");
    let as_async = lists(headers, HeaderName::from_static("prefer"), "respond-async");
    let format = format(content_type(headers).as_deref())?;
    let stage = Stage {
        channel: super::request::query(&request, "channel"),
        when_busy: super::request::query(&request, "whenBusy"),
        prediction_set: super::request::query(&request, "predictionSet"),
    };
    let cache = cache_use(headers)?;
    let key = idempotency_key(headers)?;
    let settings = &context.pipeline.settings;
    let timeout = Duration::from_millis(settings.server.body_timeout_ms);
    let body = body(request, settings.limits.max_body_bytes, timeout).await?;
    let key = key.map(|key| (key, digest(format, &stage, &body)));
    let order = order(format, &body, stage, &settings.limits)?;
    let channel = order.channel.as_deref().unwrap_or(DEFAULT_CHANNEL);
    caller.may_use(channel)?;
    let questions = order.subject.questions().len();
    let verdict = allowance::take_for(questions, &context, caller.client, verdict).await?;
    if let Some(refused) = allowance::refusal(verdict, &request_id) {
        return Ok(refused);
    }
    let channel = channel.to_owned();
    let wishes = Wishes {
        key: caller.account(),
        cache,
        prediction_set: order.prediction_set,
        salt: 0,
    };
    let analyzed = context
        .pipeline
        .analyze(
            order,
            Promise {
                accepted: as_async,
                key,
            },
            wishes,
        )
        .await?;
    let note = Note {
        channel: Some(channel),
        analysis: Some(match &analyzed {
            Analyzed::Known(report) => report.analysis_id.clone(),
            Analyzed::Started(started) => started.id.clone(),
        }),
    };
    let mut response = match analyzed {
        Analyzed::Known(report) if !as_stream => respond(&report)?,
        Analyzed::Known(report) => {
            let (sender, updates) = mpsc::channel(report.results.len() + 1);
            for result in &report.results {
                let _ = sender.try_send(Update::Result(Box::new(result.clone())));
            }
            let _ = sender.try_send(Update::Done(Arc::clone(&report)));
            event_stream(updates, request_id)
        }
        Analyzed::Started(started) if as_async => accepted(&started),
        Analyzed::Started(started) if as_stream => event_stream(started.updates, request_id),
        Analyzed::Started(started) => {
            let report = last(started.updates).await.ok_or_else(Failure::internal)?;
            respond(&report)?
        }
    };
    response.extensions_mut().insert(note);
    if let Some(verdict) = verdict {
        response.extensions_mut().insert(verdict);
    }
    Ok(response)
}

/// Returns what the body is; only what a browser will not send across sites without asking first.
pub(super) fn format(content_type: Option<&str>) -> Result<Option<Format>, ApiError> {
    match content_type {
        Some("application/json") => Ok(None),
        Some(other) => match Format::from_content_type(other) {
            Some(format) => Ok(Some(format)),
            None => Err(unsupported(&format!(
                "the Content-Type {other} is not supported"
            ))),
        },
        None => Err(unsupported("the Content-Type is missing")),
    }
}

fn unsupported(problem: &str) -> ApiError {
    let message = format!(
        "{problem}: send application/json, or a quiz file as {}",
        Format::quiz_files().collect::<Vec<_>>().join(", ")
    );
    ApiError::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        message,
    )
}

/// Where and how a quiz file's show plays, as the query says it: a file has no place for it. JSON says it itself, and its
/// query counts for nothing.
#[derive(Debug, Default)]
struct Stage {
    channel: Option<String>,
    when_busy: Option<String>,
    prediction_set: Option<String>,
}

/// Reads what is to be analysed: a JSON order, or a quiz file.
fn order(
    format: Option<Format>,
    body: &[u8],
    Stage {
        channel,
        when_busy,
        prediction_set,
    }: Stage,
    limits: &Limits,
) -> Result<AnalyzeRequest, ApiError> {
    // A wrong word is a mistake also where it counts for nothing.
    if let Some(channel) = channel.as_deref().filter(|name| !is_channel_name(name)) {
        return Err(super::channels::bad_channel(channel));
    }
    let when_busy = match when_busy {
        None => None,
        Some(name) => Some(named::<WhenBusy>(&name).ok_or_else(|| {
            ApiError::invalid_request("whenBusy in the query must be queue, replace or reject")
        })?),
    };
    let prediction_set = yes_or_no("predictionSet", prediction_set.as_deref())?;
    let Some(format) = format else {
        return Ok(parse_analyze_request(body, limits)?);
    };
    Ok(AnalyzeRequest {
        channel,
        when_busy,
        prediction_set,
        ..parse_quiz_body(format, body, limits)?
    })
}

/// Returns what a parameter of the query says; no, when it is not there.
pub(super) fn yes_or_no(name: &str, given: Option<&str>) -> Result<bool, ApiError> {
    match given {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => {
            let told = format!("{name} in the query must be true or false");
            Err(ApiError::invalid_request(told))
        }
    }
}

/// Returns what known answers are good for. Directives that are not about that count for nothing (RFC 9111, 5.2.3).
pub(super) fn cache_use(headers: &HeaderMap) -> Result<CacheUse, ApiError> {
    let has = |directive| lists(headers, header::CACHE_CONTROL, directive);
    let (anew, only) = (has("no-cache") || has("no-store"), has("only-if-cached"));
    match (only, anew) {
        (true, true) => Err(ApiError::invalid_request(
            "Cache-Control must not have only-if-cached beside no-cache or no-store: one forbids to ask, the others to \
             answer from memory",
        )),
        (true, false) => Ok(CacheUse::Only),
        (false, true) if has("no-store") => Ok(CacheUse::Bypass),
        (false, true) => Ok(CacheUse::Refresh),
        (false, false) => Ok(CacheUse::Normal),
    }
}

/// Returns what makes two calls under one `Idempotency-Key` the same call.
fn digest(format: Option<Format>, stage: &Stage, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    if let Some(format) = format {
        hash.update(format!("{format:?} {stage:?}\n"));
    }
    hash.update(body);
    hash.finalize().into()
}

/// Turns a finished report into its response.
fn respond(report: &Report) -> Result<Response<Body>, ApiError> {
    match (&report.status, &report.failure) {
        (_, Some(failure)) => Err(failure.clone().into()),
        (Status::Cancelled, None) => Err(ApiError::new(
            StatusCode::CONFLICT,
            "cancelled",
            "the analysis was cancelled",
        )),
        (_, None) => Ok(json(StatusCode::OK, report)),
    }
}

/// The answer to a call that does not wait.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Accepted<'a> {
    status: Running,
    /// The analysis' id.
    analysis_id: &'a str,
    /// Where its report is.
    location: &'a str,
}

/// The `status` of what has begun.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Running {
    /// It has begun.
    Running,
}

fn accepted(started: &Started) -> Response<Body> {
    let location = format!("/api/analyses/{}", started.id);
    let accepted = Accepted {
        status: Running::Running,
        analysis_id: &started.id,
        location: &location,
    };
    let mut response = json(StatusCode::ACCEPTED, &accepted);
    set(&mut response, header::LOCATION, &location);
    set(
        &mut response,
        HeaderName::from_static("preference-applied"),
        "respond-async",
    );
    response
}

/// Streams each result as it is known, then `done` with the report, or `error`.
fn event_stream(updates: mpsc::Receiver<Update>, request_id: String) -> Response<Body> {
    let events = stream::unfold(Some((updates, request_id)), |state| async {
        let (mut updates, request_id) = state?;
        let (event, ended) = match updates.recv().await {
            Some(Update::Found(found)) => (event("questions", found.as_ref()), false),
            Some(Update::Result(result)) => (event("result", result.as_ref()), false),
            Some(Update::Done(report)) => match respond(&report) {
                Ok(_) => (event("done", report.as_ref()), true),
                Err(error) => (error.event(&request_id), true),
            },
            None => (ApiError::from(Failure::internal()).event(&request_id), true),
        };
        let next = (!ended).then_some((updates, request_id));
        Some((Ok::<_, Infallible>(Frame::data(Bytes::from(event))), next))
    });
    let mut response = bytes(StatusCode::OK, "text/event-stream", Bytes::new());
    set(&mut response, header::CACHE_CONTROL, "no-store");
    // nginx would hold events back until its buffer is full.
    set(
        &mut response,
        HeaderName::from_static("x-accel-buffering"),
        "no",
    );
    *response.body_mut() = StreamBody::new(events).boxed_unsync();
    response
}

fn event(name: &str, data: &impl Serialize) -> String {
    let json = serde_json::to_string(data).expect("results are plain data");
    format!("event: {name}\ndata: {json}\n\n")
}
