//! How the service is, what it measures, and its pages.

use crate::support::{Reply, StubAi, TestServer, Viewer, order, question};
use serde_json::json;
use std::collections::HashSet;

#[tokio::test]
async fn the_service_says_how_it_is() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    assert_eq!(
        server.get("/livez").await.expect(200),
        json!({ "status": "ok" })
    );
    let mut ready = server.get("/readyz").await.expect(200);
    // The environment of the test has no Chromium, which is said, and keeps nothing else from working.
    let scraper = ready["checks"]["scraper"].take();
    assert!(
        scraper
            .as_str()
            .is_some_and(|told| told.contains("apt install")),
        "{scraper}"
    );
    assert_eq!(
        ready,
        json!({ "status": "ok", "checks": { "actors": "ok", "model": "ok", "scraper": null, "draining": "ok" } })
    );
    let health = server.get("/health").await;
    assert_eq!(health.header("cache-control"), "no-store");
    let health = health.expect(200);
    assert_eq!(
        (&health["status"], &health["openai_configured"]),
        (&json!("ok"), &json!(true))
    );
    assert!(health["timestamp"].is_u64() && health["checks"].is_object());
    let version = server.get("/version").await.expect(200);
    assert_eq!(
        (&version["name"], &version["version"]),
        (&json!("quiz-stats"), &json!(env!("CARGO_PKG_VERSION")))
    );
    let root = server.get("/").await.expect(200);
    assert_eq!(
        (&root["name"], &root["version"]),
        (&version["name"], &version["version"])
    );
    assert_eq!(
        root["endpoints"]["console"],
        "GET /console?channel={channel}"
    );
    assert!(root["endpoints"].is_object() && root["documentation"].is_string());
}

#[tokio::test]
async fn the_counters_move() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let _viewers = [
        Viewer::join(&server, "hall").await,
        Viewer::join(&server, "hall").await,
    ];
    for _ in 0..2 {
        server
            .analyze(&order("hall", &[question("Counted?", 2, 2)]))
            .await;
    }
    server.get("/nothing").await;
    for (series, least) in [
        (
            r#"http_requests_total{method="POST",route="/api/analyze",status="200"}"#,
            2.0,
        ),
        (
            r#"http_requests_total{method="other",route="none",status="404"}"#,
            1.0,
        ),
        (
            r#"http_request_duration_seconds_count{method="POST",route="/api/analyze"}"#,
            2.0,
        ),
        (r#"websocket_connections{channel_class="all"}"#, 2.0),
        ("websocket_messages_sent_total", 2.0),
        ("websocket_delivery_delay_seconds_count", 2.0),
        (
            r#"openai_requests_total{model="scripted",outcome="ok"}"#,
            1.0,
        ),
        (
            r#"openai_tokens_used_total{model="scripted",kind="prompt"}"#,
            100.0,
        ),
        (
            r#"openai_tokens_used_total{model="scripted",kind="completion"}"#,
            1.0,
        ),
        (
            r#"questions_analyzed_total{source="model",outcome="answered"}"#,
            1.0,
        ),
        (
            r#"questions_analyzed_total{source="cache",outcome="answered"}"#,
            1.0,
        ),
        (r#"analysis_duration_seconds_count{source="model"}"#, 1.0),
        ("answer_confidence_count", 2.0),
        ("cache_entries", 1.0),
        ("journal_append_seconds_count", 2.0),
        (r#"actor_up{actor="broadcaster"}"#, 1.0),
        (r#"actor_mailbox_capacity{actor="journal"}"#, 4_096.0),
    ] {
        let value = server.metric(series).await;
        assert!(
            value >= least,
            "{series} is {value}\n{}",
            server.get("/metrics").await.text()
        );
    }
}

/// Checks the exposition format, as a scraper reads it.
fn check_exposition(text: &str) {
    let mut typed = HashSet::new();
    let mut seen = HashSet::new();
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.split(' ');
            let (keyword, name) = (words.next().unwrap(), words.next().unwrap());
            match keyword {
                "HELP" => assert!(words.next().is_some(), "{name} has no help"),
                "TYPE" => {
                    assert!(
                        matches!(words.next(), Some("counter" | "gauge" | "histogram")),
                        "{line}"
                    );
                    assert!(typed.insert(name.to_owned()), "{name} has two types");
                }
                _ => panic!("{line}"),
            }
            continue;
        }
        if line.is_empty() {
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        assert!(value.parse::<f64>().is_ok(), "{line}");
        assert!(
            seen.insert(series.to_owned()),
            "{series} stands there twice"
        );
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        assert!(
            name.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
            "{line}"
        );
        let base = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|suffix| name.strip_suffix(suffix));
        assert!(
            typed.contains(name) || base.is_some_and(|base| typed.contains(base)),
            "{name} has no type"
        );
        let labels = labels.strip_suffix('}').unwrap_or_else(|| panic!("{line}"));
        for label in labels.split("\",").filter(|label| !label.is_empty()) {
            let (name, value) = label.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{line}"
            );
            // Free text, addresses and questions are nobody's label.
            assert!(value.len() < 64, "{line}");
        }
    }
    assert!(typed.len() > 20);
}

#[tokio::test]
async fn metrics_parse_and_may_have_a_listener_of_their_own() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    server
        .analyze(&order("hall", &[question("Measured?", 2, 2)]))
        .await;
    let metrics = server.get("/metrics").await;
    assert!(
        metrics
            .header("content-type")
            .starts_with("text/plain; version=0.0.4")
    );
    check_exposition(metrics.text());

    let server = TestServer::with(&ai)
        .set("metrics.bind", "127.0.0.1:0")
        .start()
        .await;
    assert_eq!(server.get("/metrics").await.error(404), "not_found");
    let log = server.log();
    let line = log
        .lines()
        .find(|line| line.contains("metrics have their own listener"))
        .expect("its address");
    let address = line.split("address=").nth(1).unwrap().trim();
    let apart =
        |path: &str| Reply::to(reqwest::Client::new().get(format!("http://{address}{path}")));
    check_exposition(apart("/metrics").await.text());
    for path in ["/", "/health", "/api/analyses", "/stage/default"] {
        assert_eq!(apart(path).await.error(404), "not_found", "{path}");
    }
}

#[tokio::test]
async fn pages_are_guarded_and_cached() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let start = Reply::to(
        server
            .request("GET", "/")
            .header("accept", "text/html,*/*;q=0.8"),
    )
    .await;
    assert!(start.text().contains("<!doctype html>"));
    for (path, kind) in [
        ("/stage/default", "text/html; charset=utf-8"),
        ("/overlay/default", "text/html; charset=utf-8"),
        ("/console", "text/html; charset=utf-8"),
        ("/assets/lang/de.json", "application/json"),
        ("/assets/lang/index.json", "application/json"),
        ("/assets/stage.css", "text/css; charset=utf-8"),
        ("/assets/js/stage.js", "text/javascript; charset=utf-8"),
        ("/assets/icon.svg", "image/svg+xml"),
    ] {
        let page = server.get(path).await;
        assert_eq!(
            (page.status, page.header("content-type")),
            (200, kind),
            "{path}"
        );
        let policy = page.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{path}: {policy}"
        );
        assert_eq!(
            policy.contains("frame-ancestors 'none'"),
            path != "/overlay/default",
            "{path}"
        );
        let frame = page.header("x-frame-options");
        assert_eq!(frame == "DENY", path != "/overlay/default", "{path}");
        is_protected(&page);
        assert_eq!(page.header("cache-control"), "no-cache");
        let etag = page.header("etag").to_owned();
        for asked in [
            etag.clone(),
            format!("W/{etag}"),
            format!("\"other\", {etag}"),
            "*".into(),
        ] {
            let known =
                Reply::to(server.request("GET", path).header("if-none-match", &asked)).await;
            assert_eq!((known.status, known.body.len()), (304, 0), "{path} {asked}");
            assert_eq!(known.header("etag"), etag);
        }
        let changed = Reply::to(
            server
                .request("GET", path)
                .header("if-none-match", "\"other\""),
        )
        .await;
        assert_eq!(changed.status, 200);
        let head = Reply::to(server.request("HEAD", path)).await;
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert_eq!(
            head.header("content-length"),
            page.body.len().to_string(),
            "{path}"
        );
        assert_eq!(
            (head.header("etag"), head.header("content-type")),
            (etag.as_str(), kind)
        );
    }
    let head = Reply::to(server.request("HEAD", "/version")).await;
    assert_eq!(
        head.header("content-length"),
        server.get("/version").await.body.len().to_string()
    );
    assert_eq!(server.get("/assets/none.js").await.error(404), "not_found");
}

/// Checks what browsers are told with every response.
fn is_protected(reply: &Reply) {
    for (name, rule) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        assert_eq!(reply.header(name), rule);
    }
    let policy = reply.header("permissions-policy");
    assert!(policy.contains("camera=()"), "{policy}");
}

#[tokio::test]
async fn answers_for_programs_are_no_pages() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    for path in [
        "/",
        "/api/channels/hall",
        "/api/analyses",
        "/nothing",
        "/health",
    ] {
        let reply = server.get(path).await;
        is_protected(&reply);
        assert_eq!(
            reply.header("content-security-policy"),
            "default-src 'none'; frame-ancestors 'none'",
            "{path}"
        );
        assert_eq!(reply.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(reply.header("cache-control"), "no-store", "{path}");
    }
}
