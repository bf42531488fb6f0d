//! One HTTP exchange: the whole answer read up to a limit, its status kept whatever the body is.
//!
//! Stands below async-openai, which would read a body of any size, lose the status of a 4xx that is not in OpenAI's
//! form, and log bodies that it cannot parse. What leaves here is status 200 with a JSON object of bounded
//! size, which the library parses into a `Value` without fail.

use super::refusal::Refusal;
use crate::provider::ProviderError;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use futures_util::future::BoxFuture;
use std::error::Error;
use std::task::{Context, Poll};
use thiserror::Error;

/// Largest answer in bytes; a real one has a few thousand.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// How much of an error's body is read: enough for any error object.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// Why a call gave no completion.
#[derive(Debug, Clone, PartialEq, Error)]
pub(super) enum Failure {
    /// The server answered with an error status, perhaps because of a parameter that it does not know.
    #[error("HTTP error status")]
    Refused(Refusal),
    /// Anything else.
    #[error(transparent)]
    Other(ProviderError),
}

impl From<OpenAIError> for Failure {
    fn from(error: OpenAIError) -> Self {
        match error {
            OpenAIError::Boxed(inner) => match inner.downcast::<Self>() {
                Ok(failure) => *failure,
                Err(_) => not_a_completion(),
            },
            OpenAIError::Reqwest(error) => Self::Other(network_error(&error)),
            _ => not_a_completion(),
        }
    }
}

impl From<Failure> for OpenAIError {
    fn from(failure: Failure) -> Self {
        Self::Boxed(Box::new(failure))
    }
}

/// Sends each request once.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    http: reqwest::Client,
}

impl Transport {
    /// Sends with `http`.
    pub(super) fn new(http: reqwest::Client) -> Self {
        Self { http }
    }
}

impl tower::Service<HttpRequestFactory> for Transport {
    type Response = reqwest::Response;
    type Error = OpenAIError;
    type Future = BoxFuture<'static, Result<reqwest::Response, OpenAIError>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), OpenAIError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequestFactory) -> Self::Future {
        let http = self.http.clone();
        Box::pin(async move {
            let request = request.build().await?;
            let response = http.execute(request).await.map_err(OpenAIError::Reqwest)?;
            Ok(read(response).await?)
        })
    }
}

/// Returns `response` with its whole body in memory.
async fn read(mut response: reqwest::Response) -> Result<reqwest::Response, Failure> {
    let success = response.status() == reqwest::StatusCode::OK;
    let limit = if success {
        MAX_BODY_BYTES
    } else {
        MAX_ERROR_BYTES
    };
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(None) => break,
            Ok(Some(chunk)) if body.len() + chunk.len() <= limit => body.extend_from_slice(&chunk),
            Ok(Some(_)) if success => return Err(invalid("it is larger than 1 MiB")),
            Err(error) if success => return Err(Failure::Other(network_error(&error))),
            // The status says enough.
            Ok(Some(_)) | Err(_) => break,
        }
    }
    if !success {
        return Err(Failure::Refused(Refusal::new(
            response.status().as_u16(),
            response.headers(),
            &body,
        )));
    }
    if body.is_empty() {
        return Err(invalid("it is empty"));
    }
    match serde_json::from_slice::<serde_json::Value>(&body) {
        Ok(value) if value.is_object() => {}
        Ok(_) => return Err(not_a_completion()),
        Err(_) => return Err(invalid("it is not JSON")),
    }
    Ok(http::Response::new(body).into())
}

/// The answer is JSON, but not a chat completion.
pub(super) fn not_a_completion() -> Failure {
    invalid("it is not in the form of a chat completion")
}

fn invalid(what: &str) -> Failure {
    Failure::Other(ProviderError::Invalid(what.to_owned()))
}

fn network_error(error: &reqwest::Error) -> ProviderError {
    if error.is_connect() && error.is_timeout() {
        return ProviderError::Network("no connection within the connect time-out".to_owned());
    }
    if error.is_timeout() {
        return ProviderError::Timeout;
    }
    ProviderError::Network(innermost(error))
}

/// Returns the text of the error at the root of `error`, such as `Connection refused`; the outer ones repeat the address.
pub(super) fn innermost(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string().chars().take(120).collect()
}
