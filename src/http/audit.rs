//! The audit log: who asked for a change, or was refused, and what came of it. Lines of a target of their own, `audit`;
//! never a question's text, never a key. What an analysis cost is known at its end: `actors::analyses` has that line.

use super::{auth::Caller, respond::Body};
use crate::config::keys::Role;
use http::{Method, Response, StatusCode};
use std::net::IpAddr;
use tracing::info;

/// What a handler knows of what it did.
#[derive(Debug, Clone, Default)]
pub(super) struct Note {
    /// On which channel.
    pub(super) channel: Option<String>,
    /// The analysis that it began or asked about.
    pub(super) analysis: Option<String>,
}

/// The `code` of an error response.
#[derive(Debug, Clone, Copy)]
pub(super) struct Code(pub(super) &'static str);

/// A request, as far as the log is concerned.
pub(super) struct Asked<'a> {
    pub(super) method: Method,
    /// The pattern of its path.
    pub(super) route: &'static str,
    /// `None` when its key is not known.
    pub(super) caller: Option<Caller>,
    pub(super) address: IpAddr,
    pub(super) request_id: &'a str,
    /// The role that the route is for.
    pub(super) role: Option<Role>,
}

impl Asked<'_> {
    /// Writes its line, if it is worth one: reading is not.
    pub(super) fn log(&self, response: &Response<Body>) {
        let status = response.status();
        let is_refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
        let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(&self.method);
        // Whoever takes everything away is remembered.
        let is_harmless = self.role.is_none() || reads && self.role != Some(Role::Admin);
        if !is_refused && is_harmless {
            return;
        }
        let who = self.caller.as_ref().map(Caller::who);
        let note = response.extensions().get::<Note>();
        let code = response.extensions().get::<Code>().map(|code| code.0);
        info!(
            target: "audit",
            key = who.as_ref().and_then(|who| who.key),
            subject = who.as_ref().and_then(|who| who.subject),
            address = %self.address,
            method = %self.method,
            route = self.route,
            channel = note.and_then(|note| note.channel.as_deref()),
            status = status.as_u16(),
            outcome = code.unwrap_or("done"),
            analysis = note.and_then(|note| note.analysis.as_deref()),
            request_id = self.request_id,
        );
    }
}
