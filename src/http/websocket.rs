//! `/ws`: a channel's events over WebSocket (contracts, section 2).

pub(in crate::http) mod inbound;

pub(super) use inbound::Inbound;

use super::{
    auth::Caller,
    error::ApiError,
    events::{Viewer, expiry, take_ticket, wanted_channel, wanted_position},
    line::{FrameIo, Line},
    request::lists,
    respond::{Body, full, set},
    router::{self, Call},
};
use crate::{actors::broadcaster::Closed, store::Position};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use hyper::{body::Incoming, upgrade::Upgraded};
use hyper_util::{rt::TokioIo, server::conn::auto};
use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    net::TcpStream,
    time::{Instant, Interval, MissedTickBehavior, Sleep},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        error::{CapacityError, ProtocolError},
        handshake::derive_accept_key,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

/// Bytes read at a time: what viewers send are pings of some 50 bytes, and every viewer has a buffer of its own.
const READ_BUFFER: usize = 256;
/// What a viewer gets to take and answer a close.
const CLOSE_WAIT: Duration = Duration::from_secs(5);
/// How long a viewer may take to say who it is, where that matters.
const INTRODUCTION_WAIT: Duration = Duration::from_secs(5);
/// The version of the protocol that browsers speak (RFC 6455).
pub(super) const WEBSOCKET_VERSION: &str = "13";

type Socket = WebSocketStream<FrameIo>;

pub(super) fn is_upgrade(request: &Request<Incoming>) -> bool {
    lists(request.headers(), header::UPGRADE, "websocket")
        && lists(request.headers(), header::CONNECTION, "upgrade")
}

/// Returns whether a key is 16 bytes in base64 (RFC 6455, 4.2.1).
fn is_key(key: &[u8]) -> bool {
    let digits = key.strip_suffix(b"==");
    digits.is_some_and(|digits| {
        let is_digit = |&byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(&byte);
        digits.len() == 22 && digits.iter().all(is_digit)
    })
}

pub(super) async fn upgrade(mut call: Call) -> Result<Response<Body>, ApiError> {
    let headers = call.request.headers();
    if headers
        .get(header::SEC_WEBSOCKET_VERSION)
        .is_none_or(|version| version != WEBSOCKET_VERSION)
    {
        return Err(ApiError::new(
            StatusCode::UPGRADE_REQUIRED,
            "invalid_request",
            "this server speaks WebSocket version 13",
        ));
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY);
    let key = key.map(HeaderValue::as_bytes).filter(|key| is_key(key));
    let key = key
        .map(derive_accept_key)
        .ok_or_else(|| ApiError::invalid_request("Sec-WebSocket-Key must be 16 bytes in base64"))?;
    let (channel, since) = (
        wanted_channel(&call.request)?,
        wanted_position(&call.request)?,
    );
    take_ticket(&mut call).await?;
    // Whoever cannot send a header introduces itself with its first message.
    let awaited = call.caller.must_introduce_itself();
    if !awaited {
        call.caller.may_watch(&channel)?;
    }
    let mut viewer = Viewer::admit(&call, Line::default())?;
    if !awaited {
        viewer.subscribe(&channel, since).await?;
    }
    let upgraded = hyper::upgrade::on(&mut call.request);
    let access = Access::new(
        call.caller,
        awaited.then_some((channel, since)),
        &call.context,
    );
    call.context.streams.spawn(async move {
        // A client that does not go through with the upgrade is no viewer.
        if let Ok(upgraded) = upgraded.await {
            // Boxed, as everything that a quiet viewer is not in: there may be tens of thousands of them.
            let mut connection = Box::pin(Connection::new(viewer, access, upgraded)).await;
            connection.run().await;
        }
    });
    let mut response = Response::new(full(""));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    set(&mut response, header::CONNECTION, "Upgrade");
    set(&mut response, header::UPGRADE, "websocket");
    set(
        &mut response,
        HeaderName::from_static("sec-websocket-accept"),
        &key,
    );
    Ok(response)
}

/// Why a socket is closed: code, words, and the label of `websocket_closed_total`.
struct Close(u16, &'static str, &'static str);

const GOING_AWAY: Close = Close(
    1001,
    "server is going away: reconnect with your position",
    "going_away",
);
const NOT_ALLOWED: Close = Close(
    1008,
    "credential missing, wrong or expired: connect with a new one",
    "not_allowed",
);
const NO_FRAME: Close = Close(1002, "frames must be as RFC 6455 says", "protocol");
const UNSUPPORTED: Close = Close(1003, "only text frames are understood", "unsupported");
const INVALID: Close = Close(1007, "text frames must be UTF-8", "invalid");
const TOO_LARGE: Close = Close(1009, "frame too large", "too_large");
const TOO_SLOW: Close = Close(4008, "too slow: reconnect with your position", "too_slow");
const NO_PONG: Close = Close(4009, "missed pings: reconnect", "no_pong");
const FLOOD: Close = Close(4029, "too many messages: reconnect later", "flood");

/// How a connection ends.
enum End {
    /// The viewer left, or the line broke.
    Gone,
    /// The server closes it.
    Close(Close),
}

/// What a viewer may follow, and until when.
struct Access {
    caller: Caller,
    /// What it wants to follow, until it has said who it is.
    awaited: Option<Box<(String, Option<Position>)>>,
    /// When it must have said so, then when its credential is no longer good.
    until: Option<Pin<Box<Sleep>>>,
}

impl Access {
    fn new(
        caller: Caller,
        awaited: Option<(String, Option<Position>)>,
        context: &router::Context,
    ) -> Self {
        let until = match awaited {
            Some(_) => Some(Instant::now() + INTRODUCTION_WAIT),
            None => expiry(&caller, context),
        };
        Self {
            caller,
            awaited: awaited.map(Box::new),
            until: until.map(|until| Box::pin(tokio::time::sleep_until(until))),
        }
    }
}

struct Connection {
    viewer: Viewer<Line>,
    access: Access,
    socket: Socket,
    pings: Interval,
    heard: Instant,
    /// Messages that may still come in this second, and when the second began.
    allowance: (u32, Instant),
}

/// What happened next on a connection.
enum Step {
    Inbound(Message),
    PingDue,
    End(End),
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.viewer.outbox.direct().hang_up();
    }
}

impl Connection {
    async fn new(viewer: Viewer<Line>, access: Access, upgraded: Upgraded) -> Self {
        let config = &viewer.pipeline().settings.broadcaster;
        let limits = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(2 * config.max_inbound_bytes + READ_BUFFER)
            .max_message_size(Some(config.max_inbound_bytes))
            .max_frame_size(Some(config.max_inbound_bytes));
        let every = Duration::from_millis(config.ping_interval_ms);
        // Spread in time: viewers that connected together must not be pinged together for ever.
        let mut pings = tokio::time::interval_at(
            Instant::now() + every.mul_f64(0.5 + rand::random::<f64>() / 2.0),
            every,
        );
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let allowance = (config.max_inbound_per_second, Instant::now());
        // The socket itself: every write to a viewer would pass through two layers that have nothing left to do.
        let parts = auto::upgrade::downcast::<TokioIo<TcpStream>>(upgraded);
        let parts = parts.expect("the listener serves TCP streams alone");
        // Copied: hyper's buffer is 16 KiB, and would live on as tungstenite's.
        let read = parts.read_buf.to_vec();
        viewer.outbox.direct().connect(parts.io.into_inner());
        let io = FrameIo(Arc::clone(&viewer.outbox));
        let socket =
            WebSocketStream::from_partially_read(io, read, Role::Server, Some(limits)).await;
        Self {
            viewer,
            access,
            socket,
            pings,
            heard: Instant::now(),
            allowance,
        }
    }

    async fn run(&mut self) {
        let end = loop {
            match poll_fn(|context| self.poll_step(context)).await {
                Step::End(end) => break end,
                Step::PingDue => {
                    let limit = Duration::from_millis(
                        self.viewer.pipeline().settings.broadcaster.pong_timeout_ms,
                    );
                    if self.heard.elapsed() > limit {
                        break End::Close(NO_PONG);
                    }
                    if self
                        .socket
                        .feed(Message::Ping(bytes::Bytes::new()))
                        .await
                        .is_err()
                    {
                        break End::Gone;
                    }
                }
                Step::Inbound(message) => {
                    if let Err(end) = Box::pin(self.on_inbound(message)).await {
                        break end;
                    }
                }
            }
        };
        let label = match &end {
            End::Gone => "gone",
            End::Close(Close(_, _, label)) => label,
        };
        self.viewer
            .metrics()
            .websocket()
            .closed
            .with([label])
            .increment(1);
        // Whoever takes long over its leave is no viewer any more.
        self.viewer.retire();
        let leave = Box::pin(async {
            match end {
                // What a viewer's own close was answered with is still in the line.
                End::Gone => {
                    let _ = poll_fn(|context| self.line().poll_drain(context)).await;
                }
                End::Close(Close(code, reason, _)) => {
                    let frame = CloseFrame {
                        code: CloseCode::from(code),
                        reason: reason.into(),
                    };
                    let _ = self.socket.close(Some(frame)).await;
                    while let Some(Ok(_)) = self.socket.next().await {}
                }
            }
        });
        // A viewer that does not take its leave in time is left.
        let _ = Box::pin(tokio::time::timeout(CLOSE_WAIT, leave)).await;
    }

    fn line(&self) -> &Line {
        self.viewer.outbox.direct()
    }

    /// Writes what the broadcaster could not, then reads. Frames are taken from the outbox only when the last ones have
    /// left: the outbox is the only queue, and its bound the only bound.
    fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        if let Some(until) = &mut self.access.until
            && until.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(Step::End(End::Close(NOT_ALLOWED)));
        }
        if self.pings.poll_tick(context).is_ready() {
            return Poll::Ready(Step::PingDue);
        }
        loop {
            if self.line().is_idle() {
                match self.poll_take(context) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(Closed::TooSlow)) => {
                        return Poll::Ready(Step::End(End::Close(TOO_SLOW)));
                    }
                    Poll::Ready(Err(Closed::GoingAway)) => {
                        return Poll::Ready(Step::End(End::Close(GOING_AWAY)));
                    }
                    Poll::Pending => break,
                }
            }
            match self.line().poll_drain(context) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(Step::End(End::Gone)),
                Poll::Pending if self.viewer.outbox.poll_too_slow(context).is_ready() => {
                    // It gets to know why after the frame that is half out, not after all that it could not take.
                    self.line().abandon();
                    return Poll::Ready(Step::End(End::Close(TOO_SLOW)));
                }
                Poll::Pending => break,
            }
        }
        match Pin::new(&mut self.socket).poll_next(context) {
            Poll::Pending => {
                // What reading has made tungstenite say, such as a pong, must leave too.
                let _ = Pin::new(&mut self.socket).poll_flush(context);
                Poll::Pending
            }
            Poll::Ready(Some(Ok(message))) => Poll::Ready(Step::Inbound(message)),
            Poll::Ready(Some(Err(Error::Capacity(CapacityError::MessageTooLong { .. })))) => {
                Poll::Ready(Step::End(End::Close(TOO_LARGE)))
            }
            Poll::Ready(Some(Err(Error::Utf8(_)))) => Poll::Ready(Step::End(End::Close(INVALID))),
            Poll::Ready(Some(Err(Error::Protocol(error))))
                if error != ProtocolError::ResetWithoutClosingHandshake =>
            {
                Poll::Ready(Step::End(End::Close(NO_FRAME)))
            }
            Poll::Ready(Some(Err(_)) | None) => Poll::Ready(Step::End(End::Gone)),
        }
    }

    /// Moves what waits in the outbox to the line.
    fn poll_take(&self, context: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        let (mut count, mut oldest) = (0, None);
        let taken = self.viewer.outbox.poll_take(context, |frame| {
            count += 1;
            oldest.get_or_insert(frame.published());
            self.line().push(frame.websocket());
        });
        let metrics = self.viewer.metrics().websocket();
        if let Some(published) = oldest {
            let delay = published.elapsed();
            metrics.delivery_delay.record(delay.as_secs_f64());
            metrics.messages_sent.increment(count);
        }
        taken
    }
}
