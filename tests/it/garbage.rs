//! Garbage on every route: clear errors in the one shape, no panic, and the server is as well afterwards as before.

use crate::support::{
    Reply, StubAi, TestServer, eventually, order, question,
    raw::{self, RawReply},
};
use serde_json::{Value, json};

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

/// Checks that the server answers well, that nothing hangs in its mailboxes, and that it had no trouble of its own.
async fn is_well(server: &TestServer) {
    let answer = server
        .analyze(&order("afterwards", &[question("Well?", 3, 3)]))
        .await;
    assert_eq!(answer["answers"], json!([3]));
    eventually("every mailbox is empty", || async {
        let metrics = server.get("/metrics").await;
        let mut depths = metrics
            .text()
            .lines()
            .filter(|line| line.starts_with("actor_mailbox_depth{"));
        depths.all(|line| line.ends_with(" 0")).then_some(())
    })
    .await;
    assert!(!server.log().contains("ERROR"), "{}", server.log());
}

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

/// Bodies for `/api/analyze` and the code that each deserves.
fn bad_orders() -> Vec<(Vec<u8>, &'static str)> {
    let mut bad: Vec<(Vec<u8>, &str)> = Vec::new();
    let mut add = |code, bodies: &[&str]| {
        bad.extend(bodies.iter().map(|body| (body.as_bytes().to_vec(), code)));
    };
    let deep = |open: &str, shut: &str, depth: usize| {
        format!(
            r#"{{"questions":[],"timestamp":{}1{}}}"#,
            open.repeat(depth),
            shut.repeat(depth)
        )
    };
    add(
        "invalid_json",
        &[
            "",
            " ",
            "{",
            "}",
            "nul",
            "{}x",
            "{}{}",
            "'",
            "{'questions':[]}",
            r#"{"questions":[}"#,
            "\u{feff}{}",
            r#"{"questions":[],}"#,
            r#"{"questions":NaN}"#,
            "// no\n{}",
            r#"{"a":"\ud800"}"#,
            "{\"a\":\"\0\"}",
            "\0",
            &"[".repeat(100_000),
            &deep("[", "]", 100_000),
            &deep(r#"{"a":"#, "}", 10_000),
            &"{\"a\":".repeat(50_000),
        ],
    );
    add(
        "invalid_request",
        &[
            "{}",
            "[]",
            "null",
            "7",
            r#""text""#,
            "true",
            r#"{"questions":null}"#,
            r#"{"questions":{}}"#,
            r#"{"questions":[]}"#,
            r#"{"questions":"x"}"#,
            r#"{"unknown":1}"#,
            r#"{"url":"http://127.0.0.1/"}"#,
            r#"{"html":"<p>"}"#,
            r#"{"questions":[],"questions":[]}"#,
        ],
    );
    let with = |member: &str| {
        format!(r#"{{"questions":[{{"question":"Q?","answers":["a","b"]}}],{member}}}"#)
    };
    for member in [
        r#""channel":"""#,
        r#""channel":"a b""#,
        r#""channel":"ä""#,
        r#""channel":7"#,
        r#""channel":"../x""#,
        r#""animate":"yes""#,
        r#""animate":1"#,
        r#""timing":[]"#,
        r#""timing":{"riseMs":-1}"#,
        r#""timing":{"riseMs":1.5}"#,
        r#""timing":{"riseMs":3600001}"#,
        r#""timing":{"holdMs":1e400}"#,
        r#""timing":{"holdMs":99999999999999999999}"#,
        r#""timing":{"x":1}"#,
        r#""timing":{"finaleValue":1001}"#,
        r#""timing":{"finaleValue":-1}"#,
        r#""channel":"a","channel":"a""#,
        r#""url":"https://example.org""#,
        r#""extra":{}"#,
    ] {
        let code = if member.contains("1e400") {
            "invalid_json"
        } else {
            "invalid_request"
        };
        bad.push((with(member).into_bytes(), code));
    }
    let long = |length: usize| "x".repeat(length);
    bad.push((
        with(&format!(r#""channel":"{}""#, long(65))).into_bytes(),
        "invalid_request",
    ));
    for question in [
        r#"{}"#.to_owned(),
        "null".into(),
        "7".into(),
        r#""Q?""#.into(),
        "[]".into(),
        r#"{"question":"Q?"}"#.into(),
        r#"{"answers":["a","b"]}"#.into(),
        r#"{"question":"","answers":["a","b"]}"#.into(),
        r#"{"question":" ","answers":["a","b"]}"#.into(),
        r#"{"question":7,"answers":["a","b"]}"#.into(),
        r#"{"question":"Q?","answers":[]}"#.into(),
        r#"{"question":"Q?","answers":["a"]}"#.into(),
        r#"{"question":"Q?","answers":["a",""]}"#.into(),
        r#"{"question":"Q?","answers":["a",null]}"#.into(),
        r#"{"question":"Q?","answers":"ab"}"#.into(),
        r#"{"question":"Q?","answers":{"a":1}}"#.into(),
        r#"{"question":"Q\u0000?","answers":["a","b"]}"#.into(),
        r#"{"question":"Q?","answers":["a","b\u0007"]}"#.into(),
        r#"{"question":"Q?","answers":["a","b"],"kind":"weird"}"#.into(),
        r#"{"question":"Q?","answers":["a","b","c"],"kind":"true_false"}"#.into(),
        r#"{"question":"Q?","answers":["a","b"],"correct":[0]}"#.into(),
        r#"{"question":"Q?","answers":["a","b"],"correct":[3]}"#.into(),
        r#"{"question":"Q?","answers":["a","b"],"correct":[1,2]}"#.into(),
        r#"{"question":"Q?","answers":["a","b"],"extra":1}"#.into(),
        r#"{"question":"Q?","question":"Q?","answers":["a","b"]}"#.into(),
        format!(r#"{{"question":"{}","answers":["a","b"]}}"#, long(4_001)),
        format!(r#"{{"question":"Q?","answers":["a","{}"]}}"#, long(1_001)),
        format!(
            r#"{{"question":"Q?","answers":[{}"z"]}}"#,
            r#""a","#.repeat(26)
        ),
    ] {
        bad.push((
            format!(r#"{{"questions":[{question}]}}"#).into_bytes(),
            "invalid_question",
        ));
    }
    bad.push((
        br#"{"questions":[{"question":"\xff\xfe","answers":["a","b"]}]}"#.to_vec(),
        "invalid_json",
    ));
    bad.push((
        b"{\"questions\":[{\"question\":\"\xff\xfe\",\"answers\":[\"a\",\"b\"]}]}".to_vec(),
        "invalid_json",
    ));
    let many = format!(
        r#"{{"questions":[{}null]}}"#,
        r#"{"question":"Q?","answers":["a","b"]},"#.repeat(201)
    );
    bad.push((many.into_bytes(), "invalid_request"));
    bad
}

#[tokio::test]
async fn bad_orders_are_refused_with_what_is_wrong() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    for (body, code) in bad_orders() {
        let shown: String = String::from_utf8_lossy(&body).chars().take(120).collect();
        let request = server
            .request("POST", "/api/analyze")
            .header("content-type", "application/json");
        let reply = Reply::to(request.body(body)).await;
        assert_eq!(reply.error(400), code, "{shown}: {}", reply.text());
        assert!(
            !reply.json()["details"].as_array().unwrap().is_empty(),
            "{shown}"
        );
        assert!(
            reply.body.len() < 60_000,
            "{shown}: an answer of {} bytes",
            reply.body.len()
        );
    }
    for (kind, body) in [
        ("text/x-gift", ""),
        ("text/x-gift", "::"),
        ("text/x-gift", "{"),
        ("text/x-gift", "Q {=a ~"),
        ("text/x-gift", "\0{T}"),
        ("text/x-aiken", ""),
        ("text/x-aiken", "ANSWER: A"),
        ("text/x-aiken", "Q\nA) a"),
        ("text/x-aiken", "\u{0}\nA) a\nB) b\nANSWER: A"),
    ] {
        let reply = Reply::to(
            server
                .request("POST", "/api/analyze")
                .header("content-type", kind)
                .body(body),
        )
        .await;
        assert_eq!(reply.error(400), "invalid_quiz_file", "{kind} {body:?}");
    }
    assert_eq!(ai.calls(), 0);
    is_well(&server).await;
}

#[tokio::test]
async fn bad_display_and_control_are_refused() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    for (path, bodies) in [
        (
            "/api/channels/hall/display",
            [
                "",
                "{",
                "{}",
                "[]",
                "[[1]]",
                "[[1],null,null]",
                r#"{"answers":[]}"#,
                r#"{"answers":[0]}"#,
                r#"{"answers":[27]}"#,
                r#"{"answers":[-1]}"#,
                r#"{"answers":["1"]}"#,
                r#"{"answers":[1.5]}"#,
                r#"{"answers":[4294967296]}"#,
                r#"{"answers":[1],"x":1}"#,
                r#"{"answers":[1],"answers":[1]}"#,
                r#"{"answers":[1],"timing":{"riseMs":-1}}"#,
                r#"{"answers":[1],"timing":{"riseMs":18446744073709551615}}"#,
                r#"{"answers":[1],"whenBusy":"never"}"#,
                r#"{"answers":[1],"timing":{"finaleValue":4294967295}}"#,
            ]
            .as_slice(),
        ),
        (
            "/api/channels/hall/control",
            &[
                "",
                "{}",
                "[]",
                r#"["stop"]"#,
                r#"{"action":7}"#,
                r#"{"action":"explode"}"#,
                r#"{"action":"stop","x":1}"#,
            ],
        ),
    ] {
        for body in bodies {
            let reply = Reply::to(
                server
                    .request("POST", path)
                    .header("content-type", "application/json")
                    .body(*body),
            )
            .await;
            let code = reply.error(400);
            assert!(
                ["invalid_json", "invalid_request"].contains(&code.as_str()),
                "{body}: {code}"
            );
        }
        let reply = Reply::to(
            server
                .request("POST", path)
                .header("content-type", "text/plain")
                .body("{}"),
        )
        .await;
        assert_eq!(reply.error(415), "unsupported_media_type");
    }
    for channel in [
        "a%20b",
        "%00",
        "%zz",
        "%",
        "ä",
        "a:b",
        &"x".repeat(65),
        "%F0%9F%A6%80",
        "a%2Fb",
    ] {
        for (method, rest) in [("POST", "/display"), ("POST", "/control"), ("GET", "")] {
            let path = format!("/api/channels/{channel}{rest}");
            let reply = raw::send(
                &server,
                request(method, &path, "Content-Length: 0\r\n").as_bytes(),
            )
            .await;
            assert_eq!(code(&reply, 400), "invalid_request", "{path}");
        }
    }
    let nothing: Value = server.get("/api/channels/hall").await.expect(200);
    assert!(nothing["timeline"].is_null() && nothing["position"].is_null());
    is_well(&server).await;
}

fn request(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n")
}

/// Checks the status of a bare reply, and returns the code in its body.
fn code(reply: &RawReply, status: u16) -> String {
    assert_eq!(reply.status(), Some(status), "{reply:?}");
    let body: Value = serde_json::from_str(reply.body()).unwrap_or_else(|_| panic!("{reply:?}"));
    assert_eq!(body["status"], "error");
    body["code"].as_str().unwrap().to_owned()
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
        let upgrade = "Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n";
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
    for headers in [
        "",
        "Sec-WebSocket-Key: x\r\n",
        "Sec-WebSocket-Version: 13\r\n",
        "Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 12\r\n",
    ] {
        for path in ["/", "/ws"] {
            let upgrade = format!(
                "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n{headers}\r\n"
            );
            assert_eq!(
                code(&raw::send(&server, upgrade.as_bytes()).await, 400),
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
