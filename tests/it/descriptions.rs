//! `openapi.json`, `asyncapi.json` and the page that shows them. That all the rest is as they say is checked with every
//! reply and frame that any test reads (`support::described`).

use crate::support::{StubAi, TestServer, Viewer, browser::TestBrowser};
use quiz_stats::{
    config::Limits,
    http::{Routes, asyncapi, openapi},
};
use serde_json::json;

#[tokio::test]
async fn what_is_served_is_made_of_the_types_and_the_configured_limits() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("limits.max_questions", 7)
        .start()
        .await;
    let limits = Limits {
        max_questions: 7,
        ..Limits::default()
    };
    let served = server.get("/openapi.json").await;
    assert_eq!(served.header("content-type"), "application/json");
    assert_eq!(served.expect(200), openapi(Routes::All, &limits));
    let served = server.get("/asyncapi.json").await;
    assert_eq!(served.expect(200), asyncapi());
}

#[tokio::test]
async fn every_message_that_viewers_may_send_is_understood() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let mut viewer = Viewer::join(&server, "hall").await;
    let pong = viewer
        .ask(&json!({ "type": "ping", "clientTime": 1.5 }))
        .await;
    assert_eq!(
        (&pong["type"], &pong["clientTime"]),
        (&json!("pong"), &json!(1.5))
    );
    let joined = viewer
        .ask(&json!({ "type": "subscribe", "channel": "other" }))
        .await;
    assert_eq!(joined["channel"], "other");
    viewer
        .say(r#"{"type":"unsubscribe","channel":"other"}"#)
        .await;
    let unknown = viewer
        .ask(&json!({ "type": "subscribe", "chanel": "other" }))
        .await;
    assert_eq!(unknown["code"], "invalid_message");
    let told = unknown["error"].as_str().unwrap();
    assert!(told.contains("`chanel`"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_can_read_them_in_a_browser() {
    let Some(browser) = TestBrowser::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let page = browser.stranger(&server, "/docs").await;
    page.until("document.documentElement.dataset.ready === 'true'")
        .await;
    let shown: String = page.evaluate("document.body.innerText").await;
    for part in [
        "POST /api/analyze",
        "GET /api/channels/{channel}",
        "message answer_ready",
        "QuestionResult",
        "1 to 200 entries",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let dead: Vec<String> = page
        .evaluate("[...document.querySelectorAll('a[href^=\"#\"]')].map((a) => a.hash.slice(1)).filter((id) => !document.getElementById(id))")
        .await;
    assert_eq!(dead, [""; 0]);
    assert_eq!(page.complaints(), [""; 0]);
    browser.close().await;
}
