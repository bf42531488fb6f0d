//! What viewers say on a WebSocket, and what they are answered.

use super::{Access, Connection, End, FLOOD, NOT_ALLOWED, UNSUPPORTED};
use crate::{
    event::{Authenticated, Frame, Pong, Refusal, RefusalCode, body},
    quiz::{
        json::cut_at,
        node::Object,
        request::{CHANNEL_PATTERN, is_channel_name},
    },
    store::Position,
};
use bytes::Bytes;
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

/// What a viewer may say.
#[derive(Deserialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "snake_case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(in crate::http) enum Inbound {
    /// Asks for the server's time.
    Ping {
        /// The viewer's own time, which comes back.
        #[schemars(with = "f64")]
        client_time: serde_json::Number,
    },
    /// Follows one more channel, from a position if one is given.
    Subscribe {
        /// The channel.
        #[schemars(regex(pattern = CHANNEL_PATTERN))]
        channel: String,
        /// The stream of the last event that was seen.
        epoch: Option<String>,
        /// The offset of the last event that was seen.
        offset: Option<u64>,
    },
    /// Follows a channel no longer.
    Unsubscribe {
        /// The channel.
        channel: String,
    },
    /// Shows a credential: the first one, or one that lasts longer.
    Auth {
        /// An API key or a token.
        token: String,
    },
}

impl Connection {
    /// Takes a message, within the viewer's allowance.
    pub(super) async fn on_inbound(&mut self, message: Message) -> Result<(), End> {
        self.heard = Instant::now();
        self.count_inbound()?;
        match message {
            Message::Text(text) => self.on_text(text.as_bytes()).await,
            Message::Binary(_) => Err(End::Close(UNSUPPORTED)),
            // tungstenite answers the close by itself; the next read ends the stream.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => Ok(()),
        }
    }

    fn count_inbound(&mut self) -> Result<(), End> {
        let (left, began) = &mut self.allowance;
        if began.elapsed() >= Duration::from_secs(1) {
            *left = self
                .viewer
                .pipeline()
                .settings
                .broadcaster
                .max_inbound_per_second;
            *began = Instant::now();
        }
        *left = left.checked_sub(1).ok_or(End::Close(FLOOD))?;
        Ok(())
    }

    async fn on_text(&mut self, text: &[u8]) -> Result<(), End> {
        let inbound = read(text);
        if self.access.awaited.is_some() && !matches!(inbound, Ok(Inbound::Auth { .. })) {
            return Err(End::Close(NOT_ALLOWED));
        }
        let answer = match inbound {
            Ok(Inbound::Ping { client_time }) => {
                let server_time = self.viewer.pipeline().clock.now_ms();
                Some(body(&Pong {
                    client_time,
                    server_time,
                }))
            }
            Ok(Inbound::Subscribe {
                channel,
                epoch,
                offset,
            }) => self.subscribe(&channel, epoch, offset).await.err(),
            Ok(Inbound::Unsubscribe { channel }) => {
                self.viewer.unsubscribe(&channel);
                None
            }
            Ok(Inbound::Auth { token }) => self.introduce(&token).await?,
            Err(told) => Some(refusal(RefusalCode::InvalidMessage, told)),
        };
        if let Some(answer) = answer {
            self.line().push(Frame::message(&answer).websocket());
        }
        Ok(())
    }

    /// Takes a credential: the first one, or one that lasts longer.
    async fn introduce(&mut self, token: &str) -> Result<Option<Bytes>, End> {
        let context = self.viewer.context();
        let promoted = context
            .credentials
            .promote(&self.access.caller, token)
            .await;
        let caller = promoted.map_err(|_| End::Close(NOT_ALLOWED))?;
        // What one credential has opened, another keeps open only where it could have opened it.
        let followed = self.viewer.channels().iter();
        if followed
            .map(|channel| caller.may_watch(channel))
            .any(|may| may.is_err())
        {
            return Err(End::Close(NOT_ALLOWED));
        }
        let expires_at = caller.expires_at();
        let access = Access::new(caller, None, &context);
        let awaited = std::mem::replace(&mut self.access, access).awaited;
        if let Some((channel, since)) = awaited.map(|awaited| *awaited) {
            let may = self.access.caller.may_watch(&channel);
            may.map_err(|_| End::Close(NOT_ALLOWED))?;
            return Ok(self.follow(&channel, since).await.err());
        }
        Ok(Some(body(&Authenticated { expires_at })))
    }

    async fn subscribe(
        &mut self,
        channel: &str,
        epoch: Option<String>,
        offset: Option<u64>,
    ) -> Result<(), Bytes> {
        if !is_channel_name(channel) {
            return Err(refusal(
                RefusalCode::InvalidChannel,
                "a channel is 1 to 64 letters, digits, '.', '_' or '-'",
            ));
        }
        let epoch = epoch.and_then(|epoch| u64::from_str_radix(&epoch, 16).ok());
        let since = epoch
            .zip(offset)
            .map(|(epoch, offset)| Position { epoch, offset });
        if self.access.caller.may_watch(channel).is_err() {
            let told = "your credential is for other channels";
            return Err(refusal(RefusalCode::Forbidden, told));
        }
        self.follow(channel, since).await
    }

    async fn follow(&mut self, channel: &str, since: Option<Position>) -> Result<(), Bytes> {
        let refused = "cannot follow this channel now: too many channels or viewers";
        self.viewer
            .subscribe(channel, since)
            .await
            .map_err(|_| refusal(RefusalCode::SubscribeFailed, refused))
    }
}

fn refusal(code: RefusalCode, error: impl Into<String>) -> Bytes {
    let error = error.into();
    body(&Refusal { code, error })
}

/// Most of a message that is repeated to say what is wrong with it, in characters.
pub(in crate::http) const LONGEST_TOLD: usize = 160;

/// Returns what a message says, or what is wrong with it.
pub(in crate::http) fn read(text: &[u8]) -> Result<Inbound, String> {
    let inbound = serde_json::from_slice(text).map(|Object(inbound)| inbound);
    inbound.map_err(|error| {
        let told = cut_at(&error.to_string(), LONGEST_TOLD);
        format!("send ping, subscribe, unsubscribe or auth as a JSON object: {told}")
    })
}
