//! `POST /api/scrape`: a page in, its questions out; no model is asked.

use super::{
    error::ApiError,
    request::json_body,
    respond::{Body, json},
    router::Call,
};
use crate::{page::Scraped, quiz::request::parse_page_request};
use http::{Response, StatusCode};

const PAGE: &str = r#"{"url":"https://…"} or {"html":"<!doctype html>…"}"#;

pub(super) async fn scrape(call: Call) -> Result<Response<Body>, ApiError> {
    let pipeline = call.context.pipeline.clone();
    let page = parse_page_request(&json_body(call, PAGE).await?)?;
    let found = pipeline.scrape(page).await?;
    Ok(json(StatusCode::OK, &Scraped::from(&found)))
}
