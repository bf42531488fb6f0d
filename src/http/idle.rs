//! Connections on which nothing is asked. hyper ends those of HTTP/1 by itself once there was a request; before the first
//! one it waits for ever, because it does not know yet which protocol it will be, and on HTTP/2 it always does.

use super::respond::Body;
use bytes::Bytes;
use http::{Request, Response, Version};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Instant;

/// What is known of a connection.
#[derive(Debug, Clone)]
pub(super) struct Watch(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// Whether hyper ends it.
    is_settled: bool,
    /// Requests of HTTP/2 that are being answered.
    running: usize,
    /// When the last of them ended, or the connection began.
    idle_since: Instant,
}

/// A request of HTTP/2 that is being answered, to the end of its response.
pub(super) struct Running(Watch);

impl Watch {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            is_settled: false,
            running: 0,
            idle_since: Instant::now(),
        })))
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes a request.
    pub(super) fn begin<B>(&self, request: &Request<B>) -> Option<Running> {
        let is_http2 = request.version() == Version::HTTP_2;
        self.with(|state| match is_http2 {
            true => state.running += 1,
            false => state.is_settled = true,
        });
        is_http2.then(|| Running(self.clone()))
    }

    /// Is ready when nothing has been asked for so long.
    pub(super) async fn until_idle(&self, limit: Duration) {
        loop {
            let idle_at = self.with(|state| match state {
                State {
                    is_settled: true, ..
                } => None,
                State { running: 1.., .. } => Some(Instant::now() + limit),
                State { idle_since, .. } => Some(*idle_since + limit),
            });
            match idle_at {
                None => std::future::pending().await,
                Some(idle_at) if idle_at <= Instant::now() => return,
                Some(idle_at) => tokio::time::sleep_until(idle_at).await,
            }
        }
    }
}

impl Running {
    /// Lets it last as long as the response.
    pub(super) fn until_sent(self, response: Response<Body>) -> Response<Body> {
        response.map(|body| {
            Sent {
                body,
                _running: self,
            }
            .boxed_unsync()
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.with(|state| {
            state.running -= 1;
            state.idle_since = Instant::now();
        });
    }
}

struct Sent {
    body: Body,
    _running: Running,
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::respond::full;

    const LIMIT: Duration = Duration::from_secs(10);

    fn request(version: Version) -> Request<()> {
        Request::builder().version(version).body(()).unwrap()
    }

    async fn ends_within(watch: &Watch, time: Duration) -> bool {
        let idle = tokio::time::timeout(time, watch.until_idle(LIMIT));
        idle.await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_request_ends() {
        let watch = Watch::new();
        assert!(!ends_within(&watch, LIMIT - Duration::from_secs(1)).await);
        assert!(ends_within(&watch, Duration::from_secs(2)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn one_of_http_1_is_hypers() {
        let watch = Watch::new();
        assert!(watch.begin(&request(Version::HTTP_11)).is_none());
        assert!(!ends_within(&watch, 100 * LIMIT).await);
    }

    #[tokio::test(start_paused = true)]
    async fn one_of_http_2_lasts_as_long_as_its_longest_response() {
        let watch = Watch::new();
        let [one, other] = [0, 1].map(|_| watch.begin(&request(Version::HTTP_2)).unwrap());
        let response = one.until_sent(Response::new(full("a stream of events")));
        drop(other);
        assert!(!ends_within(&watch, 5 * LIMIT).await);
        drop(response);
        assert!(!ends_within(&watch, LIMIT - Duration::from_secs(1)).await);
        assert!(ends_within(&watch, Duration::from_secs(2)).await);
    }
}
