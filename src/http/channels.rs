//! `/api/channels/{channel}`: what it plays, and the host's hands on it.

use super::{
    audit::Note,
    error::ApiError,
    request::{body, content_type},
    respond::{Body, json},
    router::Call,
};
use crate::{
    actors::{
        broadcaster::BroadcasterMsg,
        director::{ControlAction, DirectorMsg, PlayRequest},
        stats_app::{Answers, StatsAppMsg},
    },
    pipeline::Pipeline,
    quiz::{
        MAX_OPTIONS,
        node::Object,
        problem::{Problem, Problems},
        request::{RequestError, TimingOverride, check_timing, is_channel_name},
    },
    timeline::{Cue, Staging, WhenBusy},
};
use bytes::Bytes;
use http::{Response, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json as value;
use std::time::Duration;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct DisplayRequest {
    answers: Vec<Option<u32>>,
    timing: Option<TimingOverride>,
    when_busy: Option<WhenBusy>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ControlRequest {
    action: ControlAction,
}

pub(super) async fn display(call: Call) -> Result<Response<Body>, ApiError> {
    let (pipeline, channel) = (call.context.pipeline.clone(), own_channel(&call)?);
    let DisplayRequest {
        answers,
        timing,
        when_busy,
    } = read(call).await?;
    check(
        &answers,
        timing.as_ref(),
        pipeline.settings.limits.max_questions,
    )?;
    let (mut cues, mut skipped) = (Vec::new(), Vec::new());
    for (question, answer) in (1..).zip(answers.iter().copied()) {
        match answer {
            Some(value) => cues.push(Cue::new(question, value, None)),
            None => skipped.push(question),
        }
    }
    let request = PlayRequest {
        channel: channel.clone(),
        analysis_id: None,
        staging: Staging {
            timing: pipeline.timing(timing),
            when_busy,
        },
        cues,
        skipped,
        events: Vec::new(),
    };
    let deadline =
        Pipeline::within(pipeline.settings.director.wait_ms + pipeline.settings.journal.wait_ms);
    let played = pipeline
        .actors
        .director
        .ask(deadline, |reply| DirectorMsg::Play(request, reply))
        .await??;
    if let Some(stats_app) = &pipeline.actors.stats_app {
        let shown = Answers::new(answers, pipeline.clock.now_ms());
        stats_app.offer(StatsAppMsg::Shown(shown));
    }
    let answer = value!({
        "status": "success", "channel": channel, "position": played.position, "timeline": played.show,
    });
    Ok(noted(json(StatusCode::OK, &answer), channel))
}

pub(super) async fn control(call: Call) -> Result<Response<Body>, ApiError> {
    let (pipeline, channel) = (call.context.pipeline.clone(), own_channel(&call)?);
    let ControlRequest { action } = read(call).await?;
    let deadline =
        Pipeline::within(pipeline.settings.director.wait_ms + pipeline.settings.journal.wait_ms);
    let name = channel.clone();
    let ask = |reply| DirectorMsg::Control {
        channel: name,
        action,
        reply,
    };
    let timeline = pipeline.actors.director.ask(deadline, ask).await??;
    Ok(noted(json(StatusCode::OK, &timeline), channel))
}

fn noted(mut response: Response<Body>, channel: String) -> Response<Body> {
    response.extensions_mut().insert(Note {
        channel: Some(channel),
        ..Note::default()
    });
    response
}

pub(super) async fn get(call: Call) -> Result<Response<Body>, ApiError> {
    let (pipeline, channel) = (&call.context.pipeline, channel(&call)?);
    call.caller.may_watch(&channel)?;
    let deadline = Pipeline::within(pipeline.settings.director.wait_ms);
    let name = channel.clone();
    let show = pipeline
        .actors
        .director
        .ask(deadline, |reply| DirectorMsg::GetShow {
            channel: name,
            reply,
        });
    let name = channel.clone();
    let info = pipeline
        .actors
        .broadcaster
        .ask(deadline, |reply| BroadcasterMsg::GetChannel {
            channel: name,
            reply,
        });
    let elsewhere = async {
        match &pipeline.redis {
            Some(link) => {
                link.viewers_elsewhere(channel.clone(), pipeline.clock.now_ms())
                    .await
            }
            None => Ok(0),
        }
    };
    let (show, info, elsewhere) = tokio::join!(show, info, elsewhere);
    let ((timeline, queued), info) = (show??, info??);
    let viewers = info.viewers + elsewhere?;
    let answer = value!({
        "channel": channel, "timeline": timeline, "queued": queued, "position": info.position, "viewers": viewers,
    });
    Ok(json(StatusCode::OK, &answer))
}

/// Returns the channel of the path.
pub(super) fn channel(call: &Call) -> Result<String, ApiError> {
    let name = call.parameter.clone().unwrap_or_default();
    if is_channel_name(&name) {
        Ok(name)
    } else {
        Err(bad_channel(&name))
    }
}

/// Returns the channel of the path, if the caller may use it.
fn own_channel(call: &Call) -> Result<String, ApiError> {
    let channel = channel(call)?;
    call.caller.may_use(&channel)?;
    Ok(channel)
}

pub(super) fn bad_channel(name: &str) -> ApiError {
    let name: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
    ApiError::invalid_request(format!(
        "'{name}' is not a channel name: use 1 to 64 letters, digits, '.', '_' or '-'"
    ))
}

/// Every answer must be one that a question could have, and every part of the show of bearable length.
fn check(
    answers: &[Option<u32>],
    timing: Option<&TimingOverride>,
    max: usize,
) -> Result<(), ApiError> {
    let mut problems = Problems::default();
    if answers.is_empty() || answers.len() > max {
        problems.add(
            "answers",
            format_args!("must have 1 to {max} entries, has {}", answers.len()),
        );
    }
    for (index, answer) in answers.iter().enumerate().take(max) {
        if let Some(answer) = answer.filter(|answer| *answer == 0 || *answer as usize > MAX_OPTIONS)
        {
            problems.add(
                format_args!("answers[{index}]"),
                format_args!("must be null or a number from 1 to {MAX_OPTIONS}, is {answer}"),
            );
        }
    }
    check_timing(timing, &mut problems);
    if problems.is_empty() {
        Ok(())
    } else {
        Err(RequestError::InvalidRequest(problems.into_vec()).into())
    }
}

/// Reads a small JSON body.
async fn read<T: DeserializeOwned>(call: Call) -> Result<T, ApiError> {
    if content_type(call.request.headers()).as_deref() != Some("application/json") {
        let message = "the body must be JSON: send it with Content-Type: application/json";
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            message,
        ));
    }
    let settings = &call.context.pipeline.settings;
    let timeout = Duration::from_millis(settings.server.body_timeout_ms);
    let body: Bytes = body(call.request, settings.limits.max_body_bytes, timeout).await?;
    let read = serde_json::from_slice(&body).map(|Object(value)| value);
    read.map_err(|error| {
        let at = format!("line {}, column {}", error.line(), error.column());
        let text = error.to_string();
        let problem = text.split(" at line ").next().unwrap_or(&text).to_owned();
        let problems = vec![Problem::new(at, problem)];
        match error.is_data() {
            true => RequestError::InvalidRequest(problems).into(),
            false => RequestError::InvalidJson(problems).into(),
        }
    })
}
