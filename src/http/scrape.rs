//! `POST /api/scrape`: a page in, its questions out; no model is asked.

use super::{
    error::ApiError,
    request::{body, content_type},
    respond::{Body, json},
    router::Call,
};
use crate::{page::Scraped, quiz::request::parse_page_request};
use http::{Response, StatusCode};
use std::time::Duration;

pub(super) async fn scrape(call: Call) -> Result<Response<Body>, ApiError> {
    let pipeline = &call.context.pipeline;
    if content_type(call.request.headers()).as_deref() != Some("application/json") {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            r#"send application/json: {"url":"https://…"} or {"html":"<!doctype html>…"}"#,
        ));
    }
    let settings = &pipeline.settings;
    let timeout = Duration::from_millis(settings.server.body_timeout_ms);
    let body = body(call.request, settings.limits.max_body_bytes, timeout).await?;
    let found = pipeline.scrape(parse_page_request(&body)?).await?;
    Ok(json(StatusCode::OK, &Scraped::from(&found)))
}
