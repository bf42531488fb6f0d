//! One connection of a gate: HTTP requests in absolute form, and CONNECT for everything that is encrypted or upgraded.

use super::{
    dial::Dialer,
    gate::{Gate, Passage},
    meter::{Fault, Meter},
};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, Method, Request, Response, StatusCode, Uri,
    header::{
        CONNECTION, CONTENT_TYPE, HOST, HeaderValue, PROXY_AUTHORIZATION, TE, TRAILER, UPGRADE,
    },
};
use http_body_util::{BodyExt as _, Empty, Full, combinators::BoxBody};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// How long a client of ours may take to say what it wants.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Headers that belong to one connection (RFC 9110, section 7.6.1) and those that were meant for us.
const HOP_BY_HOP: [HeaderName; 7] = [
    CONNECTION,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

type Body = BoxBody<Bytes, hyper::Error>;

/// Where a gate leads.
pub(super) enum Way {
    /// To the web, as far as the dialer goes.
    Web(Dialer),
    /// To this markup and nowhere else.
    Markup(Arc<str>),
}

impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Web(_) => "Web",
            Self::Markup(_) => "Markup",
        })
    }
}

/// Serves one connection to its end.
pub(super) async fn serve(stream: TcpStream, passage: &Arc<Passage>) {
    // Best effort: without it, small writes only wait longer.
    let _ = stream.set_nodelay(true);
    let service =
        service_fn(|request| async move { Ok::<_, hyper::Error>(answer(request, passage).await) });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    // A client that hangs up in the middle is no fault.
    let _ = connection.await;
}

async fn answer(request: Request<Incoming>, passage: &Arc<Passage>) -> Response<Body> {
    // Workers make requests too, which the page's events do not tell.
    if !passage.meter.count_request() {
        return status(StatusCode::TOO_MANY_REQUESTS);
    }
    match &passage.way {
        Way::Markup(markup) => serve_markup(request.uri(), markup),
        Way::Web(dialer) if request.method() == Method::CONNECT => {
            connect(request, dialer, passage).await
        }
        Way::Web(dialer) => forward(request, dialer, passage).await,
    }
}

fn serve_markup(uri: &Uri, markup: &Arc<str>) -> Response<Body> {
    if *uri != Gate::MARKUP_URL {
        return status(StatusCode::FORBIDDEN);
    }
    let body = Full::new(Bytes::copy_from_slice(markup.as_bytes())).map_err(|never| match never {});
    let mut response = Response::new(body.boxed());
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, html);
    response
}

/// Opens a tunnel.
async fn connect(
    request: Request<Incoming>,
    dialer: &Dialer,
    passage: &Arc<Passage>,
) -> Response<Body> {
    let Some((host, port)) = target(request.uri(), None) else {
        return status(StatusCode::BAD_REQUEST);
    };
    let site = match dialer.dial(&host, port).await {
        Ok(site) => site,
        Err(fault) => return refuse(&host, port, fault, &passage.meter),
    };
    until_closed(passage, {
        let mut site = Metered::new(site, passage);
        async move {
            if let Ok(client) = hyper::upgrade::on(request).await {
                let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(client), &mut site).await;
            }
        }
    });
    status(StatusCode::OK)
}

/// Passes one plain request on, over a connection of its own.
async fn forward(
    mut request: Request<Incoming>,
    dialer: &Dialer,
    passage: &Arc<Passage>,
) -> Response<Body> {
    if request.uri().scheme_str() != Some("http") {
        return status(StatusCode::BAD_REQUEST);
    }
    let Some((host, port)) = target(request.uri(), Some(80)) else {
        return status(StatusCode::BAD_REQUEST);
    };
    let site = match dialer.dial(&host, port).await {
        Ok(site) => site,
        Err(fault) => return refuse(&host, port, fault, &passage.meter),
    };
    let authority = request
        .uri()
        .authority()
        .map(|authority| authority.to_string());
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .parse();
    let (Some(Ok(authority)), Ok(path)) = (authority.map(HeaderValue::try_from), path) else {
        return status(StatusCode::BAD_REQUEST);
    };
    *request.uri_mut() = path;
    strip(request.headers_mut());
    request.headers_mut().insert(HOST, authority);
    let site = TokioIo::new(Metered::new(site, passage));
    let sent = async {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(site).await?;
        until_closed(passage, async move { drop(connection.await) });
        sender.send_request(request).await
    };
    match sent.await {
        Ok(mut response) => {
            strip(response.headers_mut());
            response.map(|body| body.boxed())
        }
        Err(_) => refuse(&host, port, Fault::Refused, &passage.meter),
    }
}

/// Lets a task go on by itself, at most as long as the gate is open.
fn until_closed(passage: &Arc<Passage>, task: impl Future<Output = ()> + Send + 'static) {
    let closed = passage.closed.clone();
    tokio::spawn(async move { closed.run_until_cancelled(task).await });
}

/// Returns the host, IPv6 addresses in brackets, and the port that a request is for.
fn target(uri: &Uri, default_port: Option<u16>) -> Option<(String, u16)> {
    let authority = uri.authority()?;
    // Credentials in an authority are a disguise for the host behind them.
    if authority.as_str().contains('@') {
        return None;
    }
    Some((
        authority.host().to_owned(),
        authority.port_u16().or(default_port)?,
    ))
}

fn strip(headers: &mut HeaderMap) {
    let named = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let named: Vec<HeaderName> = named
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

fn refuse(host: &str, port: u16, fault: Fault, meter: &Meter) -> Response<Body> {
    meter.note(host, port, fault);
    status(match fault {
        Fault::Blocked | Fault::Tracker => StatusCode::FORBIDDEN,
        Fault::Dns | Fault::Refused => StatusCode::BAD_GATEWAY,
        Fault::Timeout => StatusCode::GATEWAY_TIMEOUT,
    })
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed());
    *response.status_mut() = status;
    response
}

/// A connection whose bytes count; it breaks when the budget is exhausted.
struct Metered {
    stream: TcpStream,
    passage: Arc<Passage>,
}

impl Metered {
    fn new(stream: TcpStream, passage: &Arc<Passage>) -> Self {
        Self {
            stream,
            passage: Arc::clone(passage),
        }
    }

    fn count(&self, bytes: usize) -> io::Result<()> {
        match self.passage.meter.count_bytes(bytes) {
            true => Ok(()),
            false => Err(io::Error::other("the page's budget is exhausted")),
        }
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        match polled {
            Poll::Ready(Ok(())) => Poll::Ready(self.count(buffer.filled().len() - before)),
            other => other,
        }
    }
}

impl AsyncWrite for Metered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        match polled {
            Poll::Ready(Ok(written)) => Poll::Ready(self.count(written).map(|()| written)),
            other => other,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
