//! Methods, paths, queries and headers that fit nothing.

use super::{code, is_well, request};
use crate::support::{Reply, StubAi, TestServer, order, question, raw};

/// Every path that there is, and some that there are not, with the methods that each takes.
const PATHS: [(&str, &str); 22] = [
    ("/", "GET, HEAD"),
    ("/api/analyze", "POST"),
    ("/api/analyses", "GET, HEAD"),
    ("/api/analyses/x", "GET, HEAD, DELETE"),
    ("/api/channels/default", "GET, HEAD"),
    ("/api/channels/default/display", "POST"),
    ("/api/channels/default/control", "POST"),
    ("/ws", "GET"),
    ("/events", "GET"),
    ("/stage/default", "GET, HEAD"),
    ("/overlay/default", "GET, HEAD"),
    ("/assets/stage.css", "GET, HEAD"),
    ("/health", "GET, HEAD"),
    ("/livez", "GET, HEAD"),
    ("/readyz", "GET, HEAD"),
    ("/metrics", "GET, HEAD"),
    ("/version", "GET, HEAD"),
    ("/nothing", ""),
    ("/api", ""),
    ("/api/analyze/", ""),
    ("/favicon.ico", ""),
    ("/stage/", ""),
];

#[tokio::test]
async fn every_method_on_every_path_has_a_clear_answer() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    for (path, methods) in PATHS {
        for method in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get",
        ] {
            let taken = methods.split(", ").any(|taken| taken == method);
            if taken && path == "/events" {
                continue;
            }
            let reply = Reply::to(server.request(method, path)).await;
            let what = format!("{method} {path}");
            assert!(!reply.header("x-request-id").is_empty(), "{what}");
            assert_eq!(reply.header("x-content-type-options"), "nosniff", "{what}");
            match (method, methods) {
                ("HEAD", "") => assert_eq!(reply.status, 404, "{what}"),
                ("HEAD", _) if !taken => assert_eq!(reply.status, 405, "{what}"),
                (_, "") => assert_eq!(reply.error(404), "not_found", "{what}"),
                _ if !taken => {
                    assert_eq!(reply.error(405), "method_not_allowed", "{what}");
                    assert_eq!(reply.header("allow"), methods, "{what}");
                }
                ("POST", _) => assert_eq!(reply.error(415), "unsupported_media_type", "{what}"),
                (_, "GET") => assert_eq!(reply.error(426), "invalid_request", "{what}"),
                ("GET" | "DELETE", _) if path == "/api/analyses/x" => {
                    assert_eq!(reply.error(404), "not_found", "{what}");
                }
                _ if path == "/api/analyses/x" => assert_eq!(reply.status, 404, "{what}"),
                _ => assert_eq!(reply.status, 200, "{what}"),
            }
            assert!(method != "HEAD" || reply.body.is_empty(), "{what}");
        }
    }
    is_well(&server).await;
}

#[tokio::test]
async fn bad_queries_paths_and_headers_are_refused() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let get = |path: String| {
        let server = &server;
        async move { raw::send(server, request("GET", &path, "").as_bytes()).await }
    };
    for query in [
        "channel=",
        "channel=a%20b",
        "channel=%",
        "channel=%00",
        "channel=%ff",
        "channel=a+b",
        "offset=1",
        "epoch=1",
        "epoch=zz&offset=1",
        "epoch=1&offset=-1",
        "epoch=1&offset=x",
        "epoch=11111111111111111&offset=1",
        "epoch=&offset=",
        "epoch=1&offset=99999999999999999999",
    ] {
        assert_eq!(
            code(&get(format!("/events?{query}")).await, 400),
            "invalid_request",
            "{query}"
        );
        let upgrade = "Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let reply = raw::send(
            &server,
            format!("GET /ws?{query} HTTP/1.1\r\nHost: x\r\n{upgrade}\r\n").as_bytes(),
        )
        .await;
        assert_eq!(code(&reply, 400), "invalid_request", "{query}");
    }
    for id in [
        "1",
        "x:y",
        "1:",
        ":",
        "1:2:3",
        "\u{1}",
        "0000000000000000:99999999999999999999",
    ] {
        let reply = raw::send(
            &server,
            request("GET", "/events", &format!("Last-Event-ID: {id}\r\n")).as_bytes(),
        )
        .await;
        assert_eq!(reply.status(), Some(400), "{id}: {reply:?}");
    }
    for path in [
        "/assets/../Cargo.toml",
        "/assets/..%2fCargo.toml",
        "/assets/%2e%2e/Cargo.toml",
        "/assets//etc/passwd",
        "/assets/",
        "//",
        "/..",
        "/api//analyze",
        "/%00",
        "/%",
        "/api/analyses/",
        "/stage/a/b",
        "/?%%%",
        "/health/x",
    ] {
        let reply = get(path.to_owned()).await;
        match path {
            "/?%%%" => assert_eq!(reply.status(), Some(200)),
            _ => assert_eq!(code(&reply, 404), "not_found", "{path}"),
        }
    }
    assert_eq!(
        code(&get("/stage/%zz".into()).await, 400),
        "invalid_request"
    );
    assert_eq!(
        code(&get("/api/analyses/%00".into()).await, 404),
        "not_found"
    );
    assert_eq!(
        code(&get(format!("/{}", "x".repeat(20_000))).await, 404),
        "not_found"
    );
    assert_eq!(
        code(
            &get(format!("/events?channel={}", "x".repeat(20_000))).await,
            400
        ),
        "invalid_request"
    );
    assert_eq!(
        code(
            &get(format!("/api/analyses?limit={}", "9".repeat(20_000))).await,
            400
        ),
        "invalid_request"
    );
    let too_long = get(format!("/{}", "x".repeat(70_000))).await;
    assert_eq!(too_long.status(), Some(414), "{too_long:?}");
    for (headers, status) in [
        ("", 426),
        ("Sec-WebSocket-Key: x\r\n", 426),
        ("Sec-WebSocket-Version: 13\r\n", 400),
        ("Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 12\r\n", 426),
    ] {
        for path in ["/", "/ws"] {
            let upgrade = format!(
                "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n{headers}\r\n"
            );
            assert_eq!(
                code(&raw::send(&server, upgrade.as_bytes()).await, status),
                "invalid_request",
                "{headers}"
            );
        }
    }
    let body = order("hall", &[question("Q?", 2, 1)]);
    for key in ["", " ", "a b", &"x".repeat(256), "ä", "a,b"] {
        let request = server
            .request("POST", "/api/analyze")
            .header("idempotency-key", key)
            .json(&body);
        assert_eq!(
            Reply::to(request).await.error(400),
            "invalid_request",
            "{key}"
        );
    }
    is_well(&server).await;
}

#[tokio::test]
async fn request_ids_are_echoed_when_well_formed_and_replaced_when_not() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let answered = |id: String| {
        let request = server.request("GET", "/nothing").header("x-request-id", id);
        async move {
            let reply = Reply::to(request).await;
            reply.error(404);
            reply.header("x-request-id").to_owned()
        }
    };
    for good in ["a", "0192-Ab_c.d:e", &"x".repeat(128)] {
        assert_eq!(answered(good.to_owned()).await, good);
    }
    for bad in ["", "a b", "a\tb", "ä", "<script>", &"x".repeat(129), "a;b"] {
        let id = answered(bad.to_owned()).await;
        assert!(uuid::Uuid::parse_str(&id).is_ok(), "{bad} became {id}");
    }
}
