//! `/events`: a channel's events as Server-Sent Events; and what it shares with the WebSocket: becoming a viewer.

use super::{
    auth::Caller,
    error::ApiError,
    headcount::Counted,
    request::query,
    respond::{Body, bytes, set},
    router::{Call, Context},
};
use crate::{
    actors::broadcaster::{
        BroadcasterMsg, Closed, Direct, Indirect, Outbox, SubscribeError, ViewerId,
    },
    analysis::Failure,
    event::Frame,
    metrics::Metrics,
    pipeline::{DEFAULT_CHANNEL, Pipeline},
    quiz::request::is_channel_name,
    store::Position,
};
use bytes::Bytes;
use http::{HeaderName, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use std::{
    collections::VecDeque,
    convert::Infallible,
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// A comment now and then keeps proxies from closing a quiet stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Longer than any stream lasts.
const FOREVER: Duration = Duration::from_secs(10 * 365 * 86_400);

/// A viewer: its outbox, and the channels it follows. Leaves them when dropped.
pub(super) struct Viewer<D: Direct> {
    id: ViewerId,
    pub(super) outbox: Arc<Outbox<D>>,
    channels: Vec<String>,
    context: Arc<Context>,
    _pass: Counted,
}

impl<D: Direct> Viewer<D> {
    /// Lets a viewer in, with its socket as far as the broadcaster may write to it.
    ///
    /// # Errors
    /// 503 when its address, or this second, has too many.
    pub(super) fn admit(call: &Call, direct: D) -> Result<Self, ApiError> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let context = Arc::clone(&call.context);
        let pass = context.admission.admit(call.address)?;
        let config = &context.pipeline.settings.broadcaster;
        let outbox = Arc::new(Outbox::new(config.max_queue_bytes, direct));
        Ok(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            outbox,
            channels: Vec::with_capacity(1),
            context,
            _pass: pass,
        })
    }

    /// Follows a channel: the outbox gets `connection`, what was missed since `since`, then the live stream.
    pub(super) async fn subscribe(
        &mut self,
        channel: &str,
        since: Option<Position>,
    ) -> Result<(), ApiError> {
        let config = &self.context.pipeline.settings.broadcaster;
        if self.channels.len() >= config.max_channels_per_viewer
            && !self.channels.iter().any(|known| known == channel)
        {
            let message = format!(
                "one connection may follow {} channels",
                config.max_channels_per_viewer
            );
            return Err(ApiError::invalid_request(message));
        }
        let subscribe = |reply| BroadcasterMsg::Subscribe {
            viewer: self.id,
            channel: channel.to_owned(),
            since,
            outbox: Arc::clone(&self.outbox) as Arc<Outbox>,
            reply,
        };
        let deadline = Pipeline::within(config.wait_ms);
        let broadcaster = &self.context.pipeline.actors.broadcaster;
        match broadcaster.ask(deadline, subscribe).await? {
            Ok(()) => {
                self.channels.push(channel.to_owned());
                Ok(())
            }
            Err(SubscribeError::Full) => Err(Failure {
                retry_after: Some(10),
                error: "too many viewers".to_owned(),
                ..Failure::overloaded()
            }
            .into()),
            Err(SubscribeError::Store(error)) => Err(error.into()),
        }
    }

    pub(super) fn unsubscribe(&mut self, channel: &str) {
        self.channels.retain(|known| known != channel);
        self.leave(channel);
    }

    fn leave(&self, channel: &str) {
        // When the broadcaster is too busy to listen, the closed outbox tells it with the next frame.
        let message = BroadcasterMsg::Unsubscribe {
            viewer: self.id,
            channel: channel.to_owned(),
        };
        self.pipeline().actors.broadcaster.offer(message);
    }

    /// Leaves every channel. No more frames come.
    pub(super) fn retire(&mut self) {
        self.outbox.close(Closed::GoingAway);
        for channel in std::mem::take(&mut self.channels) {
            self.leave(&channel);
        }
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.pipeline().metrics
    }

    /// Returns the channels that it follows.
    pub(super) fn channels(&self) -> &[String] {
        &self.channels
    }

    pub(super) fn context(&self) -> Arc<Context> {
        Arc::clone(&self.context)
    }

    pub(super) fn pipeline(&self) -> &Pipeline {
        &self.context.pipeline
    }
}

impl<D: Direct> Drop for Viewer<D> {
    fn drop(&mut self) {
        self.retire();
    }
}

/// Makes the holder of the ticket in the query, if there is one, the caller.
pub(super) async fn take_ticket(call: &mut Call) -> Result<(), ApiError> {
    let Some(ticket) = query(&call.request, "ticket") else {
        return Ok(());
    };
    let (credentials, now) = (
        &call.context.credentials,
        call.context.pipeline.clock.now_ms(),
    );
    call.caller = credentials.redeem(&call.caller, &ticket, now).await?;
    Ok(())
}

/// Returns when a caller's credential is no longer good.
pub(super) fn expiry(caller: &Caller, context: &Context) -> Option<Instant> {
    let left = caller
        .expires_at()?
        .saturating_sub(context.pipeline.clock.now_ms());
    Some(Instant::now() + Duration::from_millis(left).min(FOREVER))
}

/// Returns the channel that the query names, or the default one.
pub(super) fn wanted_channel(request: &Request<Incoming>) -> Result<String, ApiError> {
    let channel = query(request, "channel").unwrap_or_else(|| DEFAULT_CHANNEL.to_owned());
    if is_channel_name(&channel) {
        Ok(channel)
    } else {
        Err(super::channels::bad_channel(&channel))
    }
}

/// Returns the position in `?epoch=…&offset=…`.
pub(super) fn wanted_position(request: &Request<Incoming>) -> Result<Option<Position>, ApiError> {
    match (query(request, "epoch"), query(request, "offset")) {
        (Some(epoch), Some(offset)) => position(&epoch, &offset).map(Some),
        (None, None) => Ok(None),
        _ => Err(ApiError::invalid_request(
            "epoch and offset belong together: send both, or none",
        )),
    }
}

fn position(epoch: &str, offset: &str) -> Result<Position, ApiError> {
    match (u64::from_str_radix(epoch, 16), offset.parse()) {
        (Ok(epoch), Ok(offset)) => Ok(Position { epoch, offset }),
        _ => Err(ApiError::invalid_request(
            "a position is 16 hexadecimal digits and a number, as the server sent them",
        )),
    }
}

pub(super) async fn stream(mut call: Call) -> Result<Response<Body>, ApiError> {
    let channel = wanted_channel(&call.request)?;
    let resumed = call
        .request
        .headers()
        .get("last-event-id")
        .map(|id| id.to_str().unwrap_or("?"))
        // Empty is how a client says that it has seen nothing.
        .filter(|id| !id.is_empty());
    let since = match resumed.map(|id| id.split_once(':').unwrap_or((id, ""))) {
        Some((epoch, offset)) => Some(position(epoch, offset)?),
        None => wanted_position(&call.request)?,
    };
    take_ticket(&mut call).await?;
    call.caller.may_watch(&channel)?;
    let mut viewer = Viewer::admit(&call, Indirect)?;
    viewer.subscribe(&channel, since).await?;
    let stream = Stream {
        until: expiry(&call.caller, &call.context),
        viewer,
        queue: VecDeque::new(),
        _token: call.context.streams.token(),
    };
    let frames = futures_util::stream::unfold(stream, |mut stream| async {
        let bytes = stream.next().await?;
        Some((Ok::<_, Infallible>(http_body::Frame::data(bytes)), stream))
    });
    let mut response = bytes(StatusCode::OK, "text/event-stream", Bytes::new());
    *response.body_mut() = StreamBody::new(frames).boxed_unsync();
    set(&mut response, header::CACHE_CONTROL, "no-store");
    // nginx would hold events back until its buffer is full.
    set(
        &mut response,
        HeaderName::from_static("x-accel-buffering"),
        "no",
    );
    Ok(response)
}

struct Stream {
    viewer: Viewer<Indirect>,
    /// When the viewer's credential is no longer good. It is told when it comes back.
    until: Option<Instant>,
    queue: VecDeque<Frame>,
    _token: tokio_util::task::task_tracker::TaskTrackerToken,
}

impl Stream {
    /// Returns the next bytes to send; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        let now = Instant::now();
        if self.until.is_some_and(|until| until <= now) {
            return None;
        }
        if self.queue.is_empty() {
            let (outbox, queue) = (&self.viewer.outbox, &mut self.queue);
            let taken =
                poll_fn(|context| outbox.poll_take(context, |frame| queue.push_back(frame)));
            let wake = now + KEEP_ALIVE;
            let wake = self.until.map_or(wake, |until| until.min(wake));
            match tokio::time::timeout_at(wake, taken).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) => return Some(Bytes::from_static(b": keep-alive\n\n")),
            }
        }
        self.viewer.metrics().websocket().messages_sent.increment(1);
        self.queue.pop_front().map(|frame| frame.sse())
    }
}
