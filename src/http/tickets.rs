//! `/api/tickets`: something for the address of a WebSocket or an event stream, where a key must never be.

use super::{
    error::ApiError,
    respond::{Body, json, set},
    router::Call,
};
use http::{Response, StatusCode, header};
use serde_json::json as value;

pub(super) async fn issue(call: &Call) -> Result<Response<Body>, ApiError> {
    let holder = call.caller.ticket_holder()?;
    let now = call.context.pipeline.clock.now_ms();
    let ticket = call.context.credentials.tickets.issue(&holder, now).await?;
    let answer = value!({
        "status": "success", "ticket": ticket.text, "expiresAt": ticket.expires_at,
    });
    let mut response = json(StatusCode::OK, &answer);
    set(&mut response, header::CACHE_CONTROL, "no-store");
    Ok(response)
}
