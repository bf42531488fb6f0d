//! What a client may still ask for: the rate limiter's verdict, and how it is told.

use super::{error::ApiError, respond::Body, router::Context};
use crate::{
    actors::rate_limiter::{Client, RateLimiterMsg, Scope, Verdict},
    pipeline::Pipeline,
};
use http::{HeaderName, Response};

/// Takes `cost` from a client's allowance.
pub(super) async fn take(
    context: &Context,
    client: Client,
    scope: Scope,
    cost: u32,
) -> Result<Verdict, ApiError> {
    let pipeline = &context.pipeline;
    let deadline = Pipeline::within(pipeline.settings.rate_limiter.wait_ms);
    let ask = |reply| RateLimiterMsg::Admit {
        client,
        scope,
        cost,
        reply,
    };
    Ok(pipeline.actors.rate_limiter.ask(deadline, ask).await?)
}

/// Takes what a quiz costs beyond the one that each request costs: as much as several of them, if it is large.
pub(super) async fn take_for(
    questions: usize,
    context: &Context,
    client: Client,
    first: Option<Verdict>,
) -> Result<Option<Verdict>, ApiError> {
    let Some(first) = first else {
        return Ok(None);
    };
    let per_analysis = context
        .pipeline
        .settings
        .rate_limiter
        .questions_per_analysis;
    match extra(questions, per_analysis, first.limit) {
        0 => Ok(None),
        extra => {
            let verdict = take(context, client, Scope::Analyze, extra).await?;
            // Another try costs one more by itself.
            let one = verdict.reset / verdict.limit.max(1);
            let retry_after = verdict.retry_after.map(|wait| wait + one);
            Ok(Some(Verdict {
                retry_after,
                ..verdict
            }))
        }
    }
}

/// Nothing costs more than a full allowance, or it could never be had.
fn extra(questions: usize, per_analysis: u32, limit: u32) -> u32 {
    let questions = u32::try_from(questions).unwrap_or(u32::MAX);
    let cost = questions.div_ceil(per_analysis.max(1));
    cost.min(limit).saturating_sub(1)
}

/// Refuses a request that its client may not make yet.
pub(super) fn check(verdict: Verdict) -> Result<(), ApiError> {
    match verdict.retry_after {
        Some(wait) => Err(ApiError::rate_limited(wait.as_secs() + 1)),
        None => Ok(()),
    }
}

/// Returns the response to a quiz that costs more than its client has left.
pub(super) fn refusal(verdict: Option<Verdict>, request_id: &str) -> Option<Response<Body>> {
    let verdict = verdict?;
    let mut response = check(verdict).err()?.respond(request_id);
    response.extensions_mut().insert(verdict);
    Some(response)
}

/// Tells a client about its allowance: what a handler has noted at last, or else what it was at first.
pub(super) fn tell(response: &mut Response<Body>, first: Verdict) {
    let verdict = response.extensions().get().copied().unwrap_or(first);
    let Verdict {
        limit,
        remaining,
        reset,
        ..
    } = verdict;
    for (name, value) in [
        ("ratelimit-limit", u64::from(limit)),
        ("ratelimit-remaining", u64::from(remaining)),
        (
            "ratelimit-reset",
            reset.as_secs() + u64::from(reset.subsec_nanos() > 0),
        ),
    ] {
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_quiz_costs_as_much_as_several_but_can_be_had() {
        for (questions, cost) in [
            (0, 1),
            (1, 1),
            (50, 1),
            (51, 2),
            (100, 2),
            (101, 3),
            (10_000, 3),
        ] {
            assert_eq!(1 + extra(questions, 50, 3), cost, "{questions}");
        }
        assert_eq!(extra(200, 50, 1), 0);
        assert_eq!(extra(200, 50, 100), 3);
    }
}
