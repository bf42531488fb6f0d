//! The program at `STATS_APP_URL` is told of shows, and never in their way.

use crate::support::{Site, StubAi, TestServer, eventually, order, question, site::Answer};
use serde_json::json;

fn told(site: &Site) -> usize {
    let paths = site.paths();
    assert!(
        paths.iter().all(|path| path == "/display-answers"),
        "{paths:?}"
    );
    paths.len()
}

#[tokio::test]
async fn shows_are_told_and_nothing_else() {
    let (ai, app) = (
        StubAi::start().await,
        Site::start(|_| Answer::status(204)).await,
    );
    let server = TestServer::with(&ai)
        .env("STATS_APP_URL", app.url(""))
        .start()
        .await;
    let body = order("hall", &[question("New?", 3, 2)]);
    server.post("/api/analyze", &body).await.expect(200);
    eventually("the new answers are told", || async {
        (told(&app) == 1).then_some(())
    })
    .await;
    let mut unseen = order("hall", &[question("Unseen?", 3, 2)]);
    unseen["animate"] = json!(false);
    server.post("/api/analyze", &unseen).await.expect(200);
    server.post("/api/analyze", &body).await.expect(200);
    eventually("known answers are told again", || async {
        (told(&app) == 2).then_some(())
    })
    .await;
    let display = json!({ "answers": [3, null, 1] });
    server
        .post("/api/channels/other/display", &display)
        .await
        .expect(200);
    eventually("answers to display are told", || async {
        (told(&app) == 3).then_some(())
    })
    .await;
    let head = app.visits().pop().expect("a visit").head.to_lowercase();
    assert!(
        head.starts_with("post ")
            && head.contains("content-type: application/json")
            && head.contains("idempotency-key: "),
        "{head}"
    );
}

#[tokio::test]
async fn an_app_that_is_down_is_in_nobodys_way() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .env("STATS_APP_URL", "http://127.0.0.1:1")
        .set("stats_app.max_retries", 0)
        .start()
        .await;
    let body = order("hall", &[question("Alone?", 3, 2)]);
    let reply = server.post("/api/analyze", &body).await.expect(200);
    assert!(reply["timeline"].is_object(), "{reply}");
    eventually("the failure is counted", || async {
        let failed = server
            .metric(r#"stats_app_posts_total{outcome="failed"}"#)
            .await;
        (failed >= 1.0).then_some(())
    })
    .await;
    assert!(server.log().contains("STATS_APP_URL"), "{}", server.log());
}
