//! The scraper as a service of its own: `serve --role scraper`, and backends that let it read.

use crate::support::{Site, StubAi, TestServer, visitor_of};
use serde_json::json;

const QUIZ: &str = "<title>Quiz</title><h1>Quiz</h1><p>1. What is red?</p>
    <label><input type=radio name=a> wrong, grass</label><label><input type=radio name=a> right, blood</label>";

#[tokio::test]
async fn a_backend_lets_a_scraper_read() {
    let (ai, site) = (StubAi::start().await, Site::with_page(QUIZ).await);
    let scraper = visitor_of(&[&site])
        .args(&["--role", "scraper"])
        .env("API_KEY", "shared-by-both-ends")
        .bind()
        .await;
    let remote = format!("http://{}", scraper.address);
    let backend = TestServer::with(&ai)
        .set(
            "scraper.remote_url",
            format!("http://127.0.0.1:1, {remote}"),
        )
        .set("scraper.remote_token", "shared-by-both-ends")
        .start()
        .await;
    let report = backend.analyze(&json!({ "url": site.url("/quiz") })).await;
    assert_eq!(
        (&report["answers"], &report["page"]["via"]),
        (&json!([2]), &json!("http"))
    );
    let reply = backend
        .post("/api/scrape", &json!({ "url": "http://10.0.0.1/" }))
        .await;
    assert_eq!(reply.error(422), "page_blocked");
    assert_eq!(
        reply.json()["details"],
        json!([{ "path": "reason", "problem": "address" }])
    );
    let reply = backend
        .post("/api/scrape", &json!({ "html": "<p>Nothing" }))
        .await;
    assert_eq!(reply.error(422), "no_questions_found");
    assert_eq!(
        scraper.metric("scrape_pages_total{outcome=\"ok\"}").await,
        1.0
    );
    drop(scraper);
    let reply = backend
        .post("/api/scrape", &json!({ "url": site.url("/quiz") }))
        .await;
    assert_eq!(reply.error(503), "overloaded");
    let ready = backend.get("/readyz").await.expect(200);
    assert!(
        ready["checks"]["scraper"]
            .as_str()
            .unwrap()
            .contains("remote_url"),
        "{ready}"
    );
}

#[tokio::test]
async fn a_scraper_offers_that_alone_and_wants_the_token() {
    let site = Site::with_page(QUIZ).await;
    let scraper = visitor_of(&[&site])
        .args(&["--role", "scraper"])
        .env("API_KEY", "shared-by-both-ends")
        .bind()
        .await;
    let body = json!({ "url": site.url("/quiz") });
    assert_eq!(
        scraper.post("/api/scrape", &body).await.error(401),
        "unauthenticated"
    );
    let with_key = scraper
        .request("POST", "/api/scrape")
        .bearer_auth("shared-by-both-ends")
        .json(&body);
    assert_eq!(
        crate::support::Reply::to(with_key).await.expect(200)["questionCount"],
        1
    );
    for path in ["/api/analyze", "/api/channels/default/display"] {
        let request = scraper
            .request("POST", path)
            .bearer_auth("shared-by-both-ends")
            .json(&json!({}));
        assert_eq!(
            crate::support::Reply::to(request).await.error(404),
            "not_found",
            "{path}"
        );
    }
    assert_eq!(scraper.get("/livez").await.status, 200);
    // Without Chromium its main work cannot be done.
    let ready = scraper.get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(ready.text().contains("apt install"), "{}", ready.text());
    assert!(
        scraper
            .get("/metrics")
            .await
            .text()
            .contains("actor_up{actor=\"scraper\"} 1")
    );
}

#[tokio::test]
async fn a_scraper_does_not_ask_scrapers() {
    let (code, said) = TestServer::without_ai()
        .args(&["--role", "scraper"])
        .set("scraper.remote_url", "http://127.0.0.1:1")
        .run_to_end()
        .await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("scraper.remote_url"), "{said}");
}
