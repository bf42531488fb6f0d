//! `POST /api/audit`: a quiz with its keys in, a verdict on each key and the flaws of each question out.

use super::{
    allowance,
    analyze::{cache_use, format, yes_or_no},
    error::ApiError,
    request::{body, content_type, query},
    respond::{Body, json},
    router::Call,
};
use crate::{
    analysis::Wishes,
    audit::Audit,
    quiz::{
        file::Parsed,
        request::{parse_audit_request, parse_quiz_partly},
    },
};
use http::{Response, StatusCode};
use std::time::Duration;

pub(super) async fn audit(call: Call) -> Result<Response<Body>, ApiError> {
    let Call {
        request,
        context,
        request_id,
        caller,
        verdict,
        ..
    } = call;
    let headers = request.headers();
    let (format, cache) = (
        format(content_type(headers).as_deref())?,
        cache_use(headers)?,
    );
    let rules_only = yes_or_no("rulesOnly", query(&request, "rulesOnly").as_deref())?;
    let pipeline = &context.pipeline;
    let limits = &pipeline.settings.limits;
    let timeout = Duration::from_millis(pipeline.settings.server.body_timeout_ms);
    let body = body(request, limits.max_body_bytes, timeout).await?;
    let Parsed {
        questions,
        problems,
        ..
    } = match format {
        // JSON is a request, and a wrong one is refused; of a file the good part is taken.
        None => Parsed {
            questions: parse_audit_request(&body, limits)?,
            ..Parsed::default()
        },
        Some(format) => parse_quiz_partly(format, &body, limits)?,
    };
    let report = match rules_only {
        true => None,
        false => {
            let verdict =
                allowance::take_for(questions.len(), &context, caller.client, verdict).await?;
            if let Some(refused) = allowance::refusal(verdict, &request_id) {
                return Ok(refused);
            }
            let wishes = Wishes {
                key: caller.account(),
                cache,
                prediction_set: false,
                salt: 0,
            };
            Some(pipeline.answers(questions.clone(), wishes).await?)
        }
    };
    let audit = Audit::new(&questions, report.as_deref(), problems);
    Ok(json(StatusCode::OK, &audit))
}
