//! `/api/analyses`: what runs and what ended.

use super::{
    audit::Note,
    error::ApiError,
    request::query,
    respond::{Body, json},
    router::Call,
};
use crate::{
    actors::analyses::{AnalysesMsg, Cancelled},
    analysis::Report,
    pipeline::Pipeline,
    quiz::request::is_channel_name,
};
use http::{Response, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

/// Analyses listed when the caller does not say how many.
const DEFAULT_LIMIT: usize = 20;
/// Most analyses listed at once.
const MAX_LIMIT: usize = 100;

/// The latest analyses.
#[derive(Serialize, JsonSchema)]
pub(super) struct Latest<'a> {
    /// The newest first.
    analyses: Vec<&'a Report>,
}

pub(super) async fn list(call: Call) -> Result<Response<Body>, ApiError> {
    let channel = match (query(&call.request, "channel"), call.caller.channels()) {
        (Some(channel), _) if !is_channel_name(&channel) => {
            return Err(super::channels::bad_channel(&channel));
        }
        (Some(channel), _) => {
            call.caller.may_use(&channel)?;
            Some(channel)
        }
        (None, None) => None,
        (None, Some([only])) => Some(only.clone()),
        (None, Some(several)) => {
            let told = format!(
                "say which channel, one of {}: ?channel=…",
                several.join(", ")
            );
            return Err(ApiError::invalid_request(told));
        }
    };
    let limit = match query(&call.request, "limit").map(|limit| limit.parse::<usize>()) {
        None => DEFAULT_LIMIT,
        Some(Ok(limit @ 1..=MAX_LIMIT)) => limit,
        Some(_) => {
            return Err(ApiError::invalid_request(format!(
                "limit must be a number from 1 to {MAX_LIMIT}"
            )));
        }
    };
    let pipeline = &call.context.pipeline;
    let ask = |reply| AnalysesMsg::GetLatest {
        channel,
        limit,
        reply,
    };
    let latest = pipeline
        .actors
        .analyses
        .ask(deadline(pipeline), ask)
        .await?;
    let analyses = latest.iter().map(AsRef::as_ref).collect();
    Ok(json(StatusCode::OK, &Latest { analyses }))
}

pub(super) async fn get(call: Call) -> Result<Response<Body>, ApiError> {
    let report = own(&call).await?;
    Ok(json(StatusCode::OK, report.as_ref()))
}

/// Returns the analysis of the path. One of a channel that is not the caller's is as good as unknown.
async fn own(call: &Call) -> Result<Arc<Report>, ApiError> {
    let (pipeline, id) = (&call.context.pipeline, call.parameter.clone());
    let get = |reply| AnalysesMsg::Get(id.unwrap_or_default(), reply);
    let analyses = &pipeline.actors.analyses;
    let report = analyses.ask(deadline(pipeline), get).await?;
    let report = report.ok_or_else(unknown)?;
    call.caller
        .may_use(&report.channel)
        .map_err(|_| unknown())?;
    Ok(report)
}

pub(super) async fn cancel(call: Call) -> Result<Response<Body>, ApiError> {
    if call.caller.channels().is_some() {
        own(&call).await?;
    }
    let (pipeline, id) = (&call.context.pipeline, call.parameter.unwrap_or_default());
    match pipeline
        .actors
        .analyses
        .ask(deadline(pipeline), |reply| AnalysesMsg::Cancel(id, reply))
        .await?
    {
        Cancelled::Now(report) => {
            let mut response = json(StatusCode::OK, report.as_ref());
            response.extensions_mut().insert(Note {
                channel: Some(report.channel.clone()),
                analysis: Some(report.analysis_id.clone()),
            });
            Ok(response)
        }
        Cancelled::TooLate => Err(ApiError::new(
            StatusCode::CONFLICT,
            "already_finished",
            "the analysis has ended",
        )),
        Cancelled::Elsewhere => Err(ApiError::new(
            StatusCode::CONFLICT,
            "runs_elsewhere",
            "the analysis runs in another process: send this to the one that started it",
        )),
        Cancelled::Unknown => Err(unknown()),
    }
}

fn unknown() -> ApiError {
    ApiError::not_found("there is no such analysis; finished ones are forgotten after a while")
}

fn deadline(pipeline: &Pipeline) -> tokio::time::Instant {
    Pipeline::within(pipeline.settings.analyses.wait_ms)
}
