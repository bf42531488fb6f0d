//! Reading requests: ids, query, bodies with a limit and a deadline.

use super::{error::ApiError, router::Call};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use std::time::Duration;

/// Longest request id taken from a caller.
const MAX_ID_CHARS: usize = 128;

/// Returns the caller's request id when it is well-formed, otherwise a new one.
pub(super) fn request_id(headers: &HeaderMap) -> String {
    let given = headers
        .get(super::error::X_REQUEST_ID)
        .and_then(|id| id.to_str().ok());
    match given.filter(|id| is_token(id, MAX_ID_CHARS)) {
        Some(id) => id.to_owned(),
        None => uuid::Uuid::now_v7().to_string(),
    }
}

fn is_token(text: &str, max: usize) -> bool {
    !text.is_empty()
        && text.len() <= max
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
}

/// Returns the `Idempotency-Key`.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    const MAX_KEY_CHARS: usize = 255;
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    match key.to_str().ok().filter(|key| is_token(key, MAX_KEY_CHARS)) {
        Some(key) => Ok(Some(key.to_owned())),
        None => Err(ApiError::invalid_request(
            "Idempotency-Key must be 1 to 255 letters, digits, '-', '_', '.' or ':', such as a UUID",
        )),
    }
}

/// Returns whether one of the values of a comma-separated header is `wanted`, parameters aside.
pub(super) fn lists(headers: &HeaderMap, name: header::HeaderName, wanted: &str) -> bool {
    let values = headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| {
        item.split(';')
            .next()
            .is_some_and(|item| item.trim().eq_ignore_ascii_case(wanted))
    })
}

/// Returns the media type of the body, lower case, without parameters.
pub(super) fn content_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next()?.trim().to_ascii_lowercase())
}

/// Returns a parameter of the query string, decoded; the first when there are several.
pub(super) fn query(request: &Request<Incoming>, name: &str) -> Option<String> {
    let pairs = request
        .uri()
        .query()?
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs
        .into_iter()
        .find(|(key, _)| *key == name)
        .map(|(_, value)| percent_decode(value))
}

fn percent_decode(text: &str) -> String {
    percent_encoding::percent_decode_str(&text.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}

/// Reads a whole body of at most `limit` bytes within `timeout`.
pub(super) async fn body(
    request: Request<Incoming>,
    limit: usize,
    timeout: Duration,
) -> Result<Bytes, ApiError> {
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(ApiError::too_large(limit));
    }
    match tokio::time::timeout(timeout, Limited::new(request.into_body(), limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ApiError::too_large(limit)),
        Ok(Err(_)) => Err(ApiError::invalid_request("the body broke off")),
        Err(_) => Err(ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            "timed_out",
            format!("the body did not arrive within {} s", timeout.as_secs()),
        )),
    }
}

/// Reads a body that must be JSON, such as `example`.
pub(super) async fn json_body(call: Call, example: &str) -> Result<Bytes, ApiError> {
    if content_type(call.request.headers()).as_deref() != Some("application/json") {
        let message = format!("send JSON, with Content-Type: application/json: {example}");
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            message,
        ));
    }
    let settings = &call.context.pipeline.settings;
    let timeout = Duration::from_millis(settings.server.body_timeout_ms);
    body(call.request, settings.limits.max_body_bytes, timeout).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_well_formed_request_id_is_kept() {
        let with = |id: &'static str| {
            HeaderMap::from_iter([(
                super::super::error::X_REQUEST_ID,
                HeaderValue::from_static(id),
            )])
        };
        assert_eq!(request_id(&with("abc-1.2_3:4")), "abc-1.2_3:4");
        assert_ne!(request_id(&with("a b")), "a b");
        assert_ne!(request_id(&HeaderMap::new()), request_id(&HeaderMap::new()));
    }

    #[test]
    fn header_lists_are_read_item_by_item() {
        let headers = HeaderMap::from_iter([(
            header::ACCEPT,
            HeaderValue::from_static("text/html;q=0.9, Text/Event-Stream"),
        )]);
        assert!(lists(&headers, header::ACCEPT, "text/event-stream"));
        assert!(lists(&headers, header::ACCEPT, "text/html"));
        assert!(!lists(&headers, header::ACCEPT, "text"));
    }
}
