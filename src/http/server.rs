//! The listener: accepts, limits, drains.

use super::{
    admission::Admission,
    assets::{self, Asset},
    auth::{Credentials, Tickets},
    describe,
    error::ApiError,
    idle::Watch,
    places::{Place, Places},
    respond::Body,
    router::{Context, Router, Routes},
};
use crate::{analysis::Failure, config, pipeline::Pipeline};
use anyhow::Context as _;
use futures_util::FutureExt;
use http::{Request, Response};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use std::{
    convert::Infallible, net::SocketAddr, panic::AssertUnwindSafe, sync::Arc, time::Duration,
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{Semaphore, watch},
    task::JoinHandle,
    time::Instant,
};
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

/// Pause after an accept that failed, so that running out of file descriptors does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Connections that may wait to be accepted. Viewers who come back all at once knock again a whole second later where
/// it is full; the kernel has a limit of its own (`net.core.somaxconn`, 4,096).
const BACKLOG: u32 = 4_096;
/// What a viewer gets to answer the close of its socket.
const CLOSE_WAIT: Duration = Duration::from_secs(2);

/// A bound listener that serves.
pub struct Server {
    address: SocketAddr,
    draining: watch::Sender<bool>,
    streams: TaskTracker,
    accepting: JoinHandle<GracefulShutdown>,
}

impl Server {
    /// Binds and begins to serve.
    ///
    /// # Errors
    /// When a language of the pages cannot be used, or the address not be bound.
    pub async fn bind(
        pipeline: Pipeline,
        address: SocketAddr,
        routes: Routes,
    ) -> anyhow::Result<Self> {
        let folder = pipeline.settings.server.languages.clone();
        let languages =
            tokio::task::spawn_blocking(move || assets::languages(folder.as_deref())).await??;
        let listener = listen(address).with_context(|| {
            format!(
                "cannot listen on {address}; another port can be set as BACKEND_PORT or server.port"
            )
        })?;
        let address = listener
            .local_addr()
            .context("the listener has no address")?;
        let (draining, drained) = watch::channel(false);
        let streams = TaskTracker::new();
        let config = pipeline.settings.server.clone();
        let tickets = Tickets::new(pipeline.redis.clone());
        let credentials = Credentials::new(&pipeline.settings, tickets)?;
        let admission = Admission::new(&pipeline.settings.broadcaster);
        let openapi = describe::openapi(routes, &pipeline.settings.limits);
        let openapi = Asset::json("openapi.json", &openapi);
        let context = Context {
            pipeline,
            draining: drained.clone(),
            streams: streams.clone(),
            admission,
            credentials,
            languages,
            openapi,
            backup_turn: Arc::new(Semaphore::new(1)),
        };
        let router = Arc::new(Router::new(context, routes));
        let accepting = tokio::spawn(accept(listener, router, config, drained));
        Ok(Self {
            address,
            draining,
            streams,
            accepting,
        })
    }

    /// Returns the address that is bound.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections and says so in `/readyz`.
    pub fn start_draining(&self) {
        self.draining.send_replace(true);
    }

    /// Waits until `deadline` for requests that are being answered, then a moment for viewers to take their leave.
    pub async fn finish(self, deadline: Instant) {
        if let Ok(connections) = self.accepting.await
            && tokio::time::timeout_at(deadline, connections.shutdown())
                .await
                .is_err()
        {
            warn!("requests were still being answered when the time to drain was over");
        }
        self.streams.close();
        if tokio::time::timeout(CLOSE_WAIT, self.streams.wait())
            .await
            .is_err()
        {
            debug!("viewers did not answer the close in time");
        }
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restarted server takes its port back from connections that are still closing.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn accept(
    listener: TcpListener,
    router: Arc<Router>,
    config: config::Server,
    mut draining: watch::Receiver<bool>,
) -> GracefulShutdown {
    let connections = GracefulShutdown::new();
    let places = Places::new(&config);
    loop {
        let accepted = tokio::select! {
            // The sender lives as long as the server: an error means that it is gone, which is as good as draining.
            _ = draining.wait_for(|draining| *draining) => return connections,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match places.take(peer.ip()) {
                Ok(place) => serve(stream, peer, &router, &config, &connections, place),
                Err(full) => debug!(%peer, ?full, "too many connections; closing this one"),
            },
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: &Arc<Router>,
    config: &config::Server,
    connections: &GracefulShutdown,
    place: Place,
) {
    // Small answers must not wait for the acknowledgement of the ones before.
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%peer, %error, "cannot set TCP_NODELAY");
    }
    // hyper has no time-out for a client that asks and does not read the answer; the kernel has.
    if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(&stream, config.write_timeout_ms)
    {
        debug!(%peer, %error, "cannot set TCP_USER_TIMEOUT");
    }
    let watch = Watch::new();
    let header_timeout = Duration::from_millis(config.header_timeout_ms);
    let service = service_fn({
        let (router, watch) = (Arc::clone(router), watch.clone());
        move |request: Request<Incoming>| {
            let (router, running) = (Arc::clone(&router), watch.begin(&request));
            async move {
                let response = answer(router, request, peer).await;
                Ok::<_, Infallible>(match running {
                    Some(running) => running.until_sent(response),
                    None => response,
                })
            }
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(20))
        .max_concurrent_streams(64);
    let connection = builder
        .serve_connection_with_upgrades(TokioIo::new(stream), service)
        .into_owned();
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        let _place = place;
        tokio::select! {
            ended = connection => if let Err(error) = ended {
                debug!(%peer, error, "connection ended early");
            },
            () = watch.until_idle(header_timeout) => debug!(%peer, "no request in time; closing"),
        }
    });
}

/// Answers a request; a handler that panics is an answer too.
async fn answer(
    router: Arc<Router>,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Response<Body> {
    let handled = AssertUnwindSafe(router.handle(request, peer))
        .catch_unwind()
        .await;
    // The panic hook has logged what and where; the router holds nothing that a panic could leave half changed.
    handled.unwrap_or_else(|_| ApiError::from(Failure::internal()).respond(""))
}
