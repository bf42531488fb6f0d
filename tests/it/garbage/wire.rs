//! Requests that are too large, too slow, or no HTTP.

use super::{code, is_well, request};
use crate::support::{StubAi, TestServer, raw, soon};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::time::Duration;
use tokio::net::TcpStream;

#[tokio::test]
async fn too_much_is_refused_before_it_is_read() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("limits.max_body_bytes", 10_000)
        .start()
        .await;
    for path in [
        "/api/analyze",
        "/api/channels/hall/display",
        "/api/channels/hall/control",
    ] {
        // Announced and never sent.
        let head = request(
            "POST",
            path,
            "Content-Type: application/json\r\nContent-Length: 10001\r\n",
        );
        assert_eq!(
            code(&raw::send(&server, head.as_bytes()).await, 413),
            "too_large"
        );
        let head = request(
            "POST",
            path,
            "Content-Type: application/json\r\nContent-Length: 99999999999999999999\r\n",
        );
        let reply = raw::send(&server, head.as_bytes()).await;
        assert!(matches!(reply.status(), Some(400 | 413)), "{reply:?}");
        // Not announced: chunk by chunk.
        let mut chunked = request(
            "POST",
            path,
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n",
        );
        (0..20).for_each(|_| chunked += &format!("400\r\n{}\r\n", " ".repeat(0x400)));
        assert_eq!(
            code(&raw::send(&server, chunked.as_bytes()).await, 413),
            "too_large"
        );
        // The type is looked at first.
        let head = request(
            "POST",
            path,
            "Content-Type: text/html\r\nContent-Length: 10001\r\n",
        );
        assert_eq!(
            code(&raw::send(&server, head.as_bytes()).await, 415),
            "unsupported_media_type"
        );
    }
    is_well(&server).await;
}

#[tokio::test]
async fn a_client_that_dawdles_is_not_waited_for() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("server.header_timeout_ms", 300)
        .set("server.body_timeout_ms", 300)
        .start()
        .await;
    for path in ["/api/analyze", "/api/channels/hall/display"] {
        let half = request(
            "POST",
            path,
            "Content-Type: application/json\r\nContent-Length: 100\r\n",
        ) + "{\"questions\":";
        assert_eq!(
            code(&raw::send(&server, half.as_bytes()).await, 408),
            "timed_out"
        );
        // One that goes away in the middle is answered, or not: it is not there to hear it.
        let gone = raw::send_and_leave(&server, half.as_bytes()).await;
        assert!(matches!(gone.status(), None | Some(400)), "{gone:?}");
    }
    for begun in [
        "",
        "G",
        "GET / HTTP/1.1\r\nHost:",
        "PRI * HT",
        "GET / HTTP/1.1\r\nHost: x\r\n",
    ] {
        let reply = raw::send(&server, begun.as_bytes()).await;
        assert!(
            matches!(reply.status(), None | Some(408)),
            "{begun}: {reply:?}"
        );
    }
    is_well(&server).await;
}

#[tokio::test]
async fn what_is_not_http_is_turned_away() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let many_headers: String = (0..500).map(|n| format!("X-{n}: {n}\r\n")).collect();
    let huge_header = format!("X: {}\r\n", "x".repeat(1_000_000));
    for bytes in [
        b"GARBAGE\r\n\r\n".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET /\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nX: \0\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\n\xff: x\r\n\r\n".to_vec(),
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"GET / / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"\0\0\0\0\0\0\0\0\r\n\r\n".to_vec(),
        b"\r\n\r\n\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnot a frame at all".to_vec(),
        request("GET", "/", &many_headers).into_bytes(),
        request("GET", "/", &huge_header).into_bytes(),
        request("POST", "/api/analyze", "Content-Length: abc\r\n").into_bytes(),
        request("POST", "/api/analyze", "Content-Length: -1\r\n").into_bytes(),
        request(
            "POST",
            "/api/analyze",
            "Content-Length: 1\r\nContent-Length: 2\r\n",
        )
        .into_bytes(),
        request("POST", "/api/analyze", "Transfer-Encoding: gzip\r\n").into_bytes(),
        (request(
            "POST",
            "/api/analyze",
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n",
        ) + "zz\r\n{}")
            .into_bytes(),
        (request(
            "POST",
            "/api/analyze",
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n",
        ) + "ffffffffffffffff\r\n{}")
            .into_bytes(),
    ] {
        let reply = raw::send_and_leave(&server, &bytes).await;
        let shown: String = String::from_utf8_lossy(&bytes).chars().take(80).collect();
        assert!(
            reply
                .status()
                .is_none_or(|status| (400..500).contains(&status)),
            "{shown:?}: {reply:?}"
        );
    }
    for (bytes, status) in [
        (
            "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            404,
        ),
        (
            "CONNECT x:1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            404,
        ),
        (
            "GET http://elsewhere/version HTTP/1.1\r\nHost: elsewhere\r\nConnection: close\r\n\r\n",
            200,
        ),
        ("GET /version HTTP/1.0\r\n\r\n", 200),
        (
            "GET /version?a=b#c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            200,
        ),
        (
            "GET /version HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            404,
        ),
    ] {
        let reply = raw::send(&server, bytes.as_bytes()).await;
        assert_eq!(reply.status(), Some(status), "{bytes:?}: {reply:?}");
    }
    is_well(&server).await;
}

#[tokio::test]
async fn an_http_2_connection_ends_when_nothing_is_asked_on_it() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("server.header_timeout_ms", 300)
        .start()
        .await;
    let connect = async || {
        let stream = TcpStream::connect(&server.address).await.unwrap();
        let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
        let (mut sender, connection) = handshake.await.unwrap();
        let connection = tokio::spawn(connection);
        let ask = async move |path: &str| {
            let request = Request::get(format!("http://quiz.test{path}"));
            let request = request.body(Empty::<Bytes>::new()).unwrap();
            let response = sender.send_request(request).await.unwrap();
            assert_eq!(response.status(), 200);
            response
        };
        (ask, connection)
    };
    let (mut ask, watching) = connect().await;
    let stream = ask("/events?channel=hall").await;
    let (mut ask, idle) = connect().await;
    ask("/livez").await.collect().await.unwrap();
    let _ = soon("the end of the idle connection", idle).await;
    // Three times as long again, and it is still there.
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert!(!watching.is_finished(), "a stream of events is no idleness");
    drop(stream);
    let _ = soon("the end of the other", watching).await;
}
