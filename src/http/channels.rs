//! `/api/channels/{channel}`: what it plays, and the host's hands on it.

use super::{
    audit::Note,
    error::ApiError,
    request::json_body,
    respond::{Body, Success, json},
    router::Call,
};
use crate::{
    actors::{
        broadcaster::BroadcasterMsg,
        director::{DirectorMsg, PlayRequest},
        stats_app::{Answers, StatsAppMsg},
    },
    analysis::ShowTime,
    pipeline::Pipeline,
    quiz::request::{
        CONTROL_EXAMPLE, ControlRequest, DISPLAY_EXAMPLE, DisplayRequest, is_channel_name,
        parse_control_request, parse_display_request,
    },
    store::Position,
    timeline::{Cue, Staging, Timeline},
};
use http::{Response, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

/// The answer to a display.
#[derive(Serialize, JsonSchema)]
pub(super) struct Displayed<'a> {
    status: Success,
    /// Where it plays.
    channel: &'a str,
    /// Where the channel's stream stands.
    position: Position,
    /// When it plays; an estimate while it waits behind another show.
    timeline: Option<ShowTime>,
}

/// How a channel is.
#[derive(Serialize, JsonSchema)]
pub(super) struct ChannelInfo<'a> {
    /// Its name.
    channel: &'a str,
    /// The timeline that plays, or null.
    timeline: Option<Timeline>,
    /// How many shows wait.
    queued: usize,
    /// Where its stream stands; null before its first event.
    position: Option<Position>,
    /// How many screens follow it.
    viewers: usize,
}

pub(super) async fn display(call: Call) -> Result<Response<Body>, ApiError> {
    let (pipeline, channel) = (call.context.pipeline.clone(), own_channel(&call)?);
    let DisplayRequest {
        answers,
        timing,
        when_busy,
    } = parse_display_request(
        &json_body(call, DISPLAY_EXAMPLE).await?,
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
    let answer = json(
        StatusCode::OK,
        &Displayed {
            status: Success::Success,
            channel: &channel,
            position: played.position,
            timeline: played.show,
        },
    );
    Ok(noted(answer, channel))
}

pub(super) async fn control(call: Call) -> Result<Response<Body>, ApiError> {
    let (pipeline, channel) = (call.context.pipeline.clone(), own_channel(&call)?);
    let ControlRequest { action } =
        parse_control_request(&json_body(call, CONTROL_EXAMPLE).await?)?;
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
    Ok(json(
        StatusCode::OK,
        &ChannelInfo {
            channel: &channel,
            timeline,
            queued,
            position: info.position,
            viewers,
        },
    ))
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
