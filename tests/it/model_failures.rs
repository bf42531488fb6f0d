//! A model that refuses, fails, babbles or dawdles: the contract's codes, nothing invented, and back to normal after.

use crate::support::{
    Reply, StubAi, TestServer, Viewer, ai::Answer, eventually, order, question, server::Setup,
};
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// The label of the failure, what the model does, and the status and code that follow.
type Case = (&'static str, fn() -> Answer, u16, &'static str);

/// A server that gives up at the first failure and never opens its circuit.
pub(crate) fn impatient(ai: &StubAi) -> Setup {
    TestServer::with(ai)
        .set("ai.max_retries", 0)
        .set("ai.circuit_failures", 1_000)
        .set("ai.call_timeout_ms", 500)
}

async fn ask(server: &TestServer, text: &str) -> Reply {
    server
        .post("/api/analyze", &order("hall", &[question(text, 3, 2)]))
        .await
}

#[tokio::test]
async fn each_failure_has_its_status_and_code() {
    let ai = StubAi::start().await;
    let server = impatient(&ai).set("ai.api_key", "sk-secret").start().await;
    let cases: [Case; 9] = [
        (
            "auth",
            || Answer::error(401, "invalid_api_key"),
            502,
            "ai_failed",
        ),
        (
            "rate_limit",
            || Answer::error(429, "rate_limit_exceeded").header("retry-after", "7"),
            503,
            "ai_unavailable",
        ),
        (
            "rate_limit",
            || Answer::error(429, "insufficient_quota"),
            502,
            "ai_failed",
        ),
        (
            "server",
            || Answer::error(500, "server_error"),
            502,
            "ai_failed",
        ),
        (
            "server",
            || Answer::status(503, "<html>nginx</html>"),
            502,
            "ai_failed",
        ),
        (
            "invalid",
            || Answer::status(200, "{\"choices\":"),
            502,
            "ai_failed",
        ),
        (
            "invalid",
            || Answer::text("I do not know, sorry."),
            502,
            "ai_failed",
        ),
        (
            "invalid",
            || Answer::text(r#"{"options":[{"option":9,"confidence":0.9}]}"#),
            502,
            "ai_failed",
        ),
        (
            "timeout",
            || Answer::text("B").after(Duration::from_secs(30)),
            504,
            "timed_out",
        ),
    ];
    for (number, (reason, answer, status, code)) in cases.into_iter().enumerate() {
        ai.script(move |_| answer());
        let series = format!(r#"openai_request_failures_total{{reason="{reason}"}}"#);
        let before = server.metric(&series).await;
        let mut viewer = Viewer::join(&server, "hall").await;
        let reply = ask(&server, &format!("Case {number}?")).await;
        assert_eq!(reply.error(status), code, "{number}: {}", reply.text());
        if reply.text().contains("retryAfter\":7") || number == 1 {
            assert_eq!(
                reply.header("retry-after"),
                "7",
                "the server's own word counts"
            );
        }
        let failed = viewer.next_of("analysis_failed").await;
        assert_eq!(failed["code"], code);
        assert!(server.metric(&series).await > before, "{number}: {reason}");
        assert!(
            !reply.text().contains("sk-secret") && !reply.text().contains("Case"),
            "{}",
            reply.text()
        );
    }
    assert_eq!(ai.asked()[0].authorization, "Bearer sk-secret");
    assert!(
        !server.log().contains("sk-secret") && !server.log().contains("Case"),
        "{}",
        server.log()
    );
    // A failure is not remembered as an answer.
    ai.script(Answer::right);
    assert_eq!(
        ask(&server, "Case 0?").await.expect(200)["answers"],
        json!([2])
    );
}

#[tokio::test]
async fn a_model_that_is_not_there_is_a_failure_too() {
    let ai = StubAi::start().await;
    let server = impatient(&ai).start().await;
    drop(ai);
    assert_eq!(ask(&server, "Anybody?").await.error(502), "ai_failed");
    assert_eq!(
        server
            .metric(r#"openai_request_failures_total{reason="network"}"#)
            .await,
        1.0
    );
}

#[tokio::test]
async fn a_failure_that_passes_is_tried_again() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("ai.method", "votes")
        .set("ai.max_looks", 1)
        .set("ai.retry_base_ms", 1)
        .set("ai.retry_max_ms", 5)
        .start()
        .await;
    let tries = AtomicUsize::new(0);
    ai.script(move |asked| match tries.fetch_add(1, Ordering::Relaxed) {
        0 => Answer::error(500, "server_error"),
        1 => Answer::error(429, "rate_limit_exceeded"),
        2 => Answer::text("?!"),
        _ => Answer::right(asked),
    });
    let answer = ask(&server, "Again?").await.expect(200);
    assert_eq!(
        (&answer["answers"], &answer["results"][0]["calls"]),
        (&json!([2]), &json!(4))
    );
    assert_eq!(ai.calls(), 4);
}

#[tokio::test]
async fn an_error_is_streamed_as_an_event() {
    let ai = StubAi::start().await;
    let server = impatient(&ai).start().await;
    ai.script(|_| Answer::error(401, "invalid_api_key"));
    let body = order("hall", &[question("Streamed?", 2, 1)]);
    let request = server
        .request("POST", "/api/analyze")
        .header("accept", "text/event-stream")
        .json(&body);
    let mut stream = crate::support::Sse::open(request).await;
    let result = stream.next().await.unwrap();
    assert_eq!(
        (result.name.as_str(), &result.data["answer"]),
        ("result", &Value::Null)
    );
    assert!(result.data["error"].is_string());
    let error = stream.next().await.unwrap();
    assert_eq!(
        (error.name.as_str(), &error.data["code"]),
        ("error", &json!("ai_failed"))
    );
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn the_circuit_opens_and_closes_again() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("ai.max_retries", 0)
        .set("ai.circuit_failures", 3)
        .set("ai.circuit_open_ms", 1_000)
        .start()
        .await;
    let state = r#"ai_circuit_state{provider="openai"}"#;
    ai.script(|_| Answer::error(500, "server_error"));
    for number in 0..3 {
        assert_eq!(
            ask(&server, &format!("Failure {number}?")).await.error(502),
            "ai_failed"
        );
    }
    assert_eq!(server.metric(state).await, 2.0, "open");
    let open = ask(&server, "Open?").await;
    assert_eq!(open.error(503), "ai_unavailable");
    assert_eq!(open.header("retry-after"), "1");
    assert_eq!(ai.calls(), 3, "nobody is asked while it is open");
    ai.script(Answer::right);
    let answer = eventually("it lets a call through", || async {
        let reply = ask(&server, "Closed?").await;
        (reply.status == 200).then(|| reply.json())
    })
    .await;
    assert_eq!(answer["answers"], json!([2]));
    assert_eq!(server.metric(state).await, 0.0, "closed");
    assert_eq!(ai.calls(), 4);
}
