//! What one viewer alone is told.

use crate::{store::Position, timeline::Timeline};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Number, value::RawValue};

/// The first frame of each channel that a viewer follows.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "type", rename = "connection", rename_all = "camelCase")]
#[schemars(transform = crate::schema::tagged("connection"))]
pub(crate) struct Connection<'a> {
    /// A greeting.
    pub(crate) message: &'static str,
    /// The server's time, in milliseconds since the Unix epoch.
    pub(crate) timestamp: u64,
    /// The version of these messages.
    pub(crate) protocol: u32,
    /// The server's time, in milliseconds since the Unix epoch.
    pub(crate) server_time: u64,
    /// Where.
    pub(crate) channel: &'a str,
    /// Where the channel's stream stands; null before its first event.
    pub(crate) position: Option<Position>,
    /// Whether every event after the position that the viewer brought follows.
    pub(crate) recovered: bool,
    /// The timeline that plays, or null.
    #[schemars(with = "Option<Timeline>")]
    pub(crate) state: Option<Box<RawValue>>,
}

/// Events that a viewer has missed are no longer kept.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "type", rename = "gap", rename_all = "camelCase")]
#[schemars(transform = crate::schema::tagged("gap"))]
pub(crate) struct Gap<'a> {
    /// Where.
    pub(crate) channel: &'a str,
    /// The first offset that is missing.
    pub(crate) from: u64,
    /// The last offset that is missing.
    pub(crate) to: u64,
    /// The timeline that plays, or null.
    #[schemars(with = "Option<Timeline>")]
    pub(crate) state: Option<Box<RawValue>>,
}

/// The answer to a ping, for the offset of the viewer's clock.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "type", rename = "pong", rename_all = "camelCase")]
#[schemars(transform = crate::schema::tagged("pong"))]
pub(crate) struct Pong {
    /// The viewer's time, as it sent it.
    #[schemars(with = "f64")]
    pub(crate) client_time: Number,
    /// The server's time, in milliseconds since the Unix epoch.
    pub(crate) server_time: u64,
}

/// The answer to a credential that replaces another.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "type", rename = "authenticated", rename_all = "camelCase")]
#[schemars(transform = crate::schema::tagged("authenticated"))]
pub(crate) struct Authenticated {
    /// When the credential runs out, in milliseconds since the Unix epoch; null when it does not.
    pub(crate) expires_at: Option<u64>,
}

/// The answer to what could not be done. The connection stays.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "type", rename = "error")]
#[schemars(transform = crate::schema::tagged("error"))]
pub(crate) struct Refusal {
    /// What a program tests.
    pub(crate) code: RefusalCode,
    /// The reason in words.
    pub(crate) error: String,
}

/// Why something could not be done.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RefusalCode {
    /// It is no message that viewers send.
    InvalidMessage,
    /// No channel has such a name.
    InvalidChannel,
    /// The credential is for other channels.
    Forbidden,
    /// There are too many channels, or viewers, or the server is busy.
    SubscribeFailed,
}
