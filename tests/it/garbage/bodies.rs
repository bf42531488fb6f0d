//! Bodies that are no orders, and orders that nobody could fill.

use super::{code, is_well, request};
use crate::support::{Reply, StubAi, TestServer, raw};
use serde_json::Value;

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
            r#"{"url":"ftp://127.0.0.1/"}"#,
            r#"{"url":"no address"}"#,
            r#"{"url":7}"#,
            r#"{"html":["<p>"]}"#,
            r#"{"html":"<p>","questions":[]}"#,
            r#"{"url":"http://127.0.0.1/","follow":1}"#,
            r#"{"url":"http://127.0.0.1/","render":"yes"}"#,
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
        ("application/vnd.moodle+xml", ""),
        (
            "application/vnd.moodle+xml",
            "<quiz><question type=\"essay\"/></quiz>",
        ),
        (
            "application/vnd.moodle+xml",
            "<!DOCTYPE a [<!ENTITY b \"c\">]><quiz/>",
        ),
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
