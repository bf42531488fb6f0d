//! Errors: the one shape, and the only place that knows status codes (contracts, section 1).

use super::audit::Code;
use super::respond::{Body, json, set};
use super::websocket::WEBSOCKET_VERSION;
use crate::{
    actors::director::DirectorError,
    analysis::{Failure, FailureCode},
    pipeline::Refused,
    quiz::{problem::Problem, request::RequestError},
    runtime::AskError,
};
use http::{HeaderName, Response, StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;

/// Codes of the errors of each status.
pub(super) const CODES: [(u16, &[&str]); 15] = [
    (
        400,
        &[
            "invalid_json",
            "invalid_request",
            "invalid_question",
            "invalid_quiz_file",
        ],
    ),
    (401, &["unauthenticated"]),
    (403, &["forbidden"]),
    (404, &["not_found"]),
    (408, &["timed_out"]),
    (
        409,
        &[
            "already_finished",
            "runs_elsewhere",
            "cancelled",
            "channel_busy",
            "nothing_to_control",
        ],
    ),
    (413, &["too_large"]),
    (415, &["unsupported_media_type"]),
    (
        422,
        &[
            "no_questions_found",
            "page_blocked",
            "page_failed",
            "idempotency_key_reused",
            "needs_image",
        ],
    ),
    (426, &["invalid_request"]),
    (429, &["rate_limited", "budget_exhausted"]),
    (500, &["internal", "interrupted"]),
    (502, &["ai_failed"]),
    (503, &["overloaded", "ai_unavailable", "draining"]),
    (504, &["timed_out", "not_cached"]),
];

/// What a client is told.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    details: Vec<Problem>,
    retry_after: Option<u64>,
    /// The methods a route has, for 405.
    allow: Option<&'static str>,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            details: Vec::new(),
            retry_after: None,
            allow: None,
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(super) fn method_not_allowed(allow: &'static str) -> Self {
        let error = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            format!("this address takes {allow} only"),
        );
        Self {
            allow: Some(allow),
            ..error
        }
    }

    pub(super) fn too_large(limit: usize) -> Self {
        let message = format!(
            "the body is larger than {limit} bytes (limits.max_body_bytes): split the quiz, or send a page by its url"
        );
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    }

    pub(super) fn rate_limited(retry_after: u64) -> Self {
        let message = format!("too many requests: try again in {retry_after} s");
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message);
        Self {
            retry_after: Some(retry_after),
            ..error
        }
    }

    pub(super) fn respond(self, request_id: &str) -> Response<Body> {
        let mut response = json(self.status, &self.body(request_id));
        response.extensions_mut().insert(Code(self.code));
        if let Some(seconds) = self.retry_after {
            set(&mut response, header::RETRY_AFTER, &seconds.to_string());
        }
        if let Some(allow) = self.allow {
            set(&mut response, header::ALLOW, allow);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            set(&mut response, header::WWW_AUTHENTICATE, "Bearer");
        }
        if self.status == StatusCode::UPGRADE_REQUIRED {
            set(&mut response, header::UPGRADE, "websocket");
            set(
                &mut response,
                header::SEC_WEBSOCKET_VERSION,
                WEBSOCKET_VERSION,
            );
        }
        if self.status == StatusCode::REQUEST_TIMEOUT
            || self.status == StatusCode::PAYLOAD_TOO_LARGE
        {
            // The rest of the body was not read, so nothing can follow on this connection.
            set(&mut response, header::CONNECTION, "close");
        }
        response
    }

    /// Returns it as one Server-Sent Event, for a stream that has begun.
    pub(super) fn event(&self, request_id: &str) -> String {
        let json = serde_json::to_string(&self.body(request_id)).expect("errors are plain data");
        format!("event: error\ndata: {json}\n\n")
    }

    fn body<'a>(&'a self, request_id: &'a str) -> ErrorBody<'a> {
        ErrorBody {
            status: Failed::Error,
            code: self.code,
            error: &self.message,
            details: &self.details,
            request_id,
            retry_after: self.retry_after,
        }
    }
}

/// Why a request came to nothing.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Error")]
pub(super) struct ErrorBody<'a> {
    status: Failed,
    /// What a program tests.
    code: &'static str,
    /// The reason in words.
    error: &'a str,
    /// Every problem of the request; or what a program may want to know of the reason.
    details: &'a [Problem],
    /// The request's id, as in `X-Request-ID`.
    request_id: &'a str,
    /// Seconds after which to try again; null where that would not help.
    retry_after: Option<u64>,
}

/// The `status` of an error.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Failed {
    /// It came to nothing.
    Error,
}

impl From<RequestError> for ApiError {
    fn from(error: RequestError) -> Self {
        let details = error.problems().to_vec();
        Self {
            details,
            ..Self::new(StatusCode::BAD_REQUEST, error.code(), error.to_string())
        }
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        let status = match failure.code {
            FailureCode::AiFailed => StatusCode::BAD_GATEWAY,
            FailureCode::BudgetExhausted => StatusCode::TOO_MANY_REQUESTS,
            FailureCode::NotCached => StatusCode::GATEWAY_TIMEOUT,
            FailureCode::AiUnavailable | FailureCode::Overloaded | FailureCode::Draining => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            FailureCode::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            FailureCode::NoQuestionsFound
            | FailureCode::PageBlocked
            | FailureCode::PageFailed
            | FailureCode::NeedsImage => StatusCode::UNPROCESSABLE_ENTITY,
            FailureCode::ChannelBusy => StatusCode::CONFLICT,
            FailureCode::Interrupted | FailureCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let code = failure.code.name();
        // A 503 without a time to come back leaves a client guessing.
        let unavailable = status == StatusCode::SERVICE_UNAVAILABLE;
        let retry_after = failure.retry_after.or(unavailable.then_some(1));
        Self {
            retry_after,
            details: failure.details,
            ..Self::new(status, code, failure.error)
        }
    }
}

impl From<AskError> for ApiError {
    fn from(error: AskError) -> Self {
        match error {
            // The actor restarts within a moment: nothing is wrong with the request.
            AskError::Down => Failure {
                code: FailureCode::Overloaded,
                retry_after: Some(1),
                ..Failure::internal()
            },
            other => Failure::from(other),
        }
        .into()
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Failure(failure) => failure.into(),
            Refused::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "this Idempotency-Key was used for another request: send a new one",
            ),
        }
    }
}

impl From<DirectorError> for ApiError {
    fn from(error: DirectorError) -> Self {
        match error {
            DirectorError::NothingToControl(why) => {
                Self::new(StatusCode::CONFLICT, "nothing_to_control", why)
            }
            other => Failure::from(other).into(),
        }
    }
}

impl From<crate::store::StoreError> for ApiError {
    fn from(error: crate::store::StoreError) -> Self {
        Failure::from(error).into()
    }
}

/// The header that names a request.
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
