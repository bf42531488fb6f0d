//! Who may do what, how often, and where the server listens.

use crate::support::{Program, Reply, StubAi, TestServer, eventually, order, question};
use serde_json::json;
use std::path::Path;

const KEY: &str = "correct-horse-battery-staple";

#[tokio::test]
async fn a_key_guards_what_changes_something() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("auth.api_key", KEY)
        .set("server.host", "127.0.0.1")
        .start()
        .await;
    let guarded = [
        ("POST", "/api/analyze"),
        ("GET", "/api/analyses"),
        ("GET", "/api/analyses/x"),
        ("DELETE", "/api/analyses/x"),
        ("POST", "/api/channels/hall/display"),
        ("POST", "/api/channels/hall/control"),
    ];
    for (method, path) in guarded {
        let what = format!("{method} {path}");
        let without = Reply::to(server.request(method, path)).await;
        assert_eq!(without.error(401), "unauthenticated", "{what}");
        assert_eq!(without.header("www-authenticate"), "Bearer", "{what}");
        for (name, value) in [
            ("x-api-key", "wrong"),
            ("x-api-key", ""),
            ("x-api-key", "correct-horse-battery-stapl"),
            ("authorization", "Bearer wrong"),
            ("authorization", "Bearer"),
            ("authorization", KEY),
            ("authorization", "Basic Y29ycmVjdA=="),
        ] {
            let wrong = Reply::to(server.request(method, path).header(name, value)).await;
            assert_eq!(
                wrong.error(401),
                "unauthenticated",
                "{what} {name}: {value}"
            );
        }
    }
    for path in [
        "/",
        "/api/channels/hall",
        "/stage/hall",
        "/health",
        "/livez",
        "/readyz",
        "/metrics",
        "/version",
    ] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
    let body = order("hall", &[question("Allowed?", 2, 2)]);
    for (name, value) in [
        ("x-api-key", KEY.to_owned()),
        ("authorization", format!("Bearer {KEY}")),
    ] {
        let request = server
            .request("POST", "/api/analyze")
            .header(name, value)
            .json(&body);
        assert_eq!(Reply::to(request).await.expect(200)["answers"], json!([2]));
    }
    assert!(!server.log().contains(KEY), "the key is in the log");
}

#[tokio::test]
async fn whoever_tries_key_after_key_is_told_to_wait() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("auth.api_key", KEY)
        .set("server.host", "127.0.0.1")
        .set("rate_limiter.general_per_second", 1)
        .set("rate_limiter.general_burst", 3)
        .start()
        .await;
    let ask = |key| {
        server
            .request("GET", "/api/analyses")
            .header("x-api-key", key)
    };
    for guess in ["a", "b", "c"] {
        Reply::to(ask(guess)).await.error(401);
    }
    let refused = Reply::to(ask("d")).await;
    assert_eq!(refused.error(429), "rate_limited");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    Reply::to(ask(KEY)).await.expect(200);
}

#[tokio::test]
async fn a_key_that_can_be_guessed_guards_nobody_but_this_machine() {
    let (code, said) = TestServer::without_ai()
        .set("auth.api_key", "open-sesame")
        .set("server.host", "0.0.0.0")
        .run_to_end()
        .await;
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("auth.api_key") && said.contains("16 characters") && said.contains("key new"),
        "{said}"
    );
    assert!(!said.contains("open-sesame"), "{said}");
    // Whoever asks beforehand hears the same.
    let asked = Program::new(Path::new("."), &["config", "--check"])
        .env("API_KEY", "open-sesame")
        .run()
        .await;
    assert_eq!(asked.code, Some(2), "{asked:?}");
    assert!(asked.stderr.contains("16 characters"), "{asked:?}");
}

#[tokio::test]
async fn without_a_key_only_this_machine_is_served() {
    for host in ["0.0.0.0", "::", "192.0.2.1"] {
        let (code, said) = TestServer::without_ai()
            .set("server.host", host)
            .run_to_end()
            .await;
        assert_eq!(code, Some(2), "{said}");
        assert!(
            said.contains("server.host") && said.contains("API_KEY") && said.contains(host),
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_wrong_setting_stops_the_start_with_all_that_is_wrong() {
    let (code, said) = TestServer::without_ai()
        .set("journal.max_events", 0)
        .set("server.prot", 1)
        .set("timeline.rise_ms", "soon")
        .run_to_end()
        .await;
    assert_eq!(code, Some(2), "{said}");
    for wrong in ["journal.max_events", "server.port", "timeline.rise_ms"] {
        assert!(said.contains(wrong), "{wrong} in {said}");
    }
}

#[tokio::test]
async fn a_port_or_folder_in_use_is_named() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let port = server.address.rsplit(':').next().unwrap();
    let (code, said) = TestServer::with(&ai)
        .set("server.port", port)
        .run_to_end()
        .await;
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains(&format!("cannot listen on 127.0.0.1:{port}")),
        "{said}"
    );
    let (code, said) = TestServer::with(&ai)
        .set("server.data_dir", server.data_dir().display())
        .run_to_end()
        .await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("in use by another quiz-stats"), "{said}");
}

#[tokio::test]
async fn too_many_requests_are_told_when_to_come_back() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("rate_limiter.analyze_per_second", 1)
        .set("rate_limiter.analyze_burst", 2)
        .start()
        .await;
    let body = order("hall", &[question("Often?", 2, 2)]);
    let mut refused = None;
    for attempt in 0..50 {
        let reply = server.post("/api/analyze", &body).await;
        assert_eq!(reply.header("ratelimit-limit"), "2");
        let remaining: u32 = reply.header("ratelimit-remaining").parse().unwrap();
        let _seconds: u32 = reply.header("ratelimit-reset").parse().unwrap();
        if reply.status == 429 {
            assert!(attempt >= 2, "the burst is allowed");
            assert_eq!(remaining, 0);
            refused = Some(reply);
            break;
        }
        reply.expect(200);
    }
    let refused = refused.expect("a limit");
    assert_eq!(refused.error(429), "rate_limited");
    assert!(refused.header("retry-after").parse::<u32>().unwrap() <= 2);
    assert!(
        server
            .metric(r#"rate_limit_exceeded_total{scope="analyze"}"#)
            .await
            >= 1.0
    );
    // Other routes have their own allowance, and pages have none.
    let other = server.get("/api/channels/hall").await;
    assert_eq!(
        (other.status, other.header("ratelimit-limit")),
        (200, "100000")
    );
    assert_eq!(server.get("/health").await.header("ratelimit-limit"), "");
    eventually("it may again", || async {
        (server.post("/api/analyze", &body).await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_large_quiz_counts_as_several() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("rate_limiter.analyze_per_second", 1)
        .set("rate_limiter.analyze_burst", 10)
        .set("rate_limiter.questions_per_analysis", 5)
        .start()
        .await;
    let quiz = |questions| order("hall", &vec![question("Again?", 2, 2); questions]);
    let left = async |questions| {
        let reply = server.post("/api/analyze", &quiz(questions)).await;
        let left = reply.header("ratelimit-remaining").parse::<u32>().unwrap();
        reply.expect(200);
        left
    };
    let began = tokio::time::Instant::now();
    let (one, three) = (left(5).await, left(15).await);
    let refused = server.post("/api/analyze", &quiz(50)).await;
    assert_eq!(refused.header("ratelimit-remaining"), "0");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert_eq!(refused.error(429), "rate_limited");
    if began.elapsed() < std::time::Duration::from_secs(1) {
        assert_eq!((one, three), (9, 6));
        assert!((4..=7).contains(&wait), "{wait}");
    }
}

#[tokio::test]
async fn addresses_are_let_in_by_list_as_the_proxy_names_them() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("server.trusted_proxies", "127.0.0.1")
        .set("server.forwarded_header", "forwarded")
        .set("server.allowed_addresses", "198.51.100.0/24")
        .set("server.denied_addresses", "198.51.100.66")
        .start()
        .await;
    for (address, status) in [
        ("for=198.51.100.7", 200),
        ("for=198.51.100.66", 403),
        ("for=203.0.113.1", 403),
        ("for=198.51.100.7, for=203.0.113.1", 403),
    ] {
        let ask = |path: &str| {
            let request = server.request("GET", path).header("forwarded", address);
            Reply::to(request.header("x-forwarded-for", "198.51.100.7"))
        };
        assert_eq!(ask("/api/channels/hall").await.status, status, "{address}");
        assert_eq!(ask("/livez").await.status, 200, "a probe is no client");
    }
    assert_eq!(server.get("/stage/hall").await.error(403), "forbidden");
}
