//! How the service is: `/health`, `/livez`, `/readyz`, `/metrics`, `/version`.

use super::{
    respond::{Body, bytes, json, set},
    router::Call,
};
use crate::actors::tree::Role;
use http::{Response, StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// What is checked, each `ok` or what is wrong.
type Checks = BTreeMap<&'static str, String>;

/// A summary of how the service is.
#[derive(Serialize, JsonSchema)]
pub(super) struct Health<'a> {
    /// `ok`, or `degraded` when a check fails.
    status: &'static str,
    /// The server's time, in milliseconds since the Unix epoch.
    timestamp: u64,
    /// Whether questions go to a server that speaks OpenAI's protocol.
    openai_configured: bool,
    /// The model that is asked.
    model: &'a str,
    /// The program's version.
    version: &'static str,
    /// What is checked, each `ok` or what is wrong.
    checks: Checks,
}

/// The process is alive.
#[derive(Serialize, JsonSchema)]
pub(super) struct Live {
    /// `ok`
    status: &'static str,
}

/// Whether the process can take work.
#[derive(Serialize, JsonSchema)]
pub(super) struct Ready {
    /// `ok` or `unavailable`
    status: &'static str,
    /// What is checked, each `ok` or what is wrong.
    checks: Checks,
}

/// Which program this is.
#[derive(Serialize, JsonSchema)]
pub(super) struct Version {
    /// `quiz-stats`
    name: &'static str,
    /// The program's version.
    version: &'static str,
    /// The commit it was built from.
    commit: &'static str,
}

/// Returns every check with what is wrong, if anything is.
fn checks(call: &Call) -> (bool, Checks) {
    let pipeline = &call.context.pipeline;
    let down = pipeline.actors.down(pipeline.role, &pipeline.settings);
    let pages = pipeline.pages.availability();
    // A process that only reads pages has no model; any other does its main work without pages.
    let scrapes_only = pipeline.role == Role::Scraper;
    let model = match scrapes_only {
        true => Ok(()),
        false => pipeline.providers.availability(),
    };
    let draining = *call.context.draining.borrow();
    let redis = pipeline.redis.as_ref();
    let redis = redis.filter(|link| !link.is_up()).map(|_| {
        "Redis does not answer: nothing can be published; check the server and redis.url".to_owned()
    });
    let ready = down.is_empty()
        && model.is_ok()
        && (pages.is_ok() || !scrapes_only)
        && redis.is_none()
        && !draining;
    let state = |fault: Option<String>| fault.unwrap_or_else(|| "ok".to_owned());
    let actors = (!down.is_empty()).then(|| format!("down: {}", down.join(", ")));
    let checks = [
        ("actors", state(actors)),
        ("model", state(model.err())),
        ("scraper", state(pages.err())),
        (
            "draining",
            state(draining.then(|| "the server is shutting down".to_owned())),
        ),
    ];
    // A process that is alone has no Redis to say anything of.
    let redis = pipeline.redis.is_some().then(|| ("redis", state(redis)));
    (ready, checks.into_iter().chain(redis).collect())
}

pub(super) fn health(call: &Call) -> Response<Body> {
    let (ready, checks) = checks(call);
    let pipeline = &call.context.pipeline;
    let answer = Health {
        status: if ready { "ok" } else { "degraded" },
        timestamp: pipeline.clock.now_ms(),
        openai_configured: pipeline.providers.first().system() == "openai",
        model: pipeline.providers.first().model(),
        version: crate::version::VERSION,
        checks,
    };
    uncached(json(StatusCode::OK, &answer))
}

pub(super) fn livez() -> Response<Body> {
    uncached(json(StatusCode::OK, &Live { status: "ok" }))
}

pub(super) fn readyz(call: &Call) -> Response<Body> {
    let (ready, checks) = checks(call);
    let (code, status) = if ready {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    };
    let mut response = json(code, &Ready { status, checks });
    if !ready {
        set(&mut response, header::RETRY_AFTER, "1");
    }
    uncached(response)
}

pub(super) fn metrics(call: &Call) -> Response<Body> {
    bytes(
        StatusCode::OK,
        "text/plain; version=0.0.4; charset=utf-8",
        call.context.pipeline.metrics.render(),
    )
}

pub(super) fn version() -> Response<Body> {
    let answer = Version {
        name: "quiz-stats",
        version: crate::version::VERSION,
        commit: crate::version::COMMIT,
    };
    json(StatusCode::OK, &answer)
}

fn uncached(mut response: Response<Body>) -> Response<Body> {
    set(&mut response, header::CACHE_CONTROL, "no-store");
    response
}
