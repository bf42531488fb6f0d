//! `/api/tickets`: something for the address of a WebSocket or an event stream, where a key must never be.

use super::{
    error::ApiError,
    respond::{Body, Success, json, set},
    router::Call,
};
use http::{Response, StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;

/// A ticket, which is good once.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct IssuedTicket {
    status: Success,
    /// What goes into the address: `?ticket=…`.
    ticket: String,
    /// When it is no longer good, in milliseconds since the Unix epoch.
    expires_at: u64,
}

pub(super) async fn issue(call: &Call) -> Result<Response<Body>, ApiError> {
    let holder = call.caller.ticket_holder()?;
    let now = call.context.pipeline.clock.now_ms();
    let ticket = call.context.credentials.tickets.issue(&holder, now).await?;
    let answer = IssuedTicket {
        status: Success::Success,
        ticket: ticket.text,
        expires_at: ticket.expires_at,
    };
    let mut response = json(StatusCode::OK, &answer);
    set(&mut response, header::CACHE_CONTROL, "no-store");
    Ok(response)
}
