//! SIGTERM: viewers are told, work that runs is finished, and the process ends well and in time.

use crate::support::{
    PATIENCE, Reply, Sse, StubAi, TestServer, Viewer, order, question, raw::Line,
};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test]
async fn viewers_are_sent_away_and_the_process_ends_well() {
    let ai = StubAi::start().await;
    let mut server = TestServer::start(&ai).await;
    let mut viewer = Viewer::join(&server, "hall").await;
    let mut stream = Sse::open(server.request("GET", "/events?channel=hall")).await;
    stream.data().await;
    let began = Instant::now();
    server.terminate();
    assert_eq!(viewer.closed().await, Some(1001));
    assert!(stream.next().await.is_none());
    assert_eq!(server.ended().await.code(), Some(0));
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_running_analysis_is_finished_first() {
    let ai = StubAi::start().await;
    let mut server = TestServer::start(&ai).await;
    let mut viewer = Viewer::join(&server, "hall").await;
    let mut line = Line::open(&server).await;
    let live = line.ask("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(live.status(), Some(200));
    ai.hold();
    let body = order("hall", &[question("Last?", 3, 2)]);
    let waiting = tokio::spawn(Reply::to(
        server.request("POST", "/api/analyze").json(&body),
    ));
    ai.called(1).await;
    server.terminate();
    crate::support::eventually("it takes no more connections", || async {
        tokio::net::TcpStream::connect(&server.address)
            .await
            .is_err()
            .then_some(())
    })
    .await;
    // On connections that stand it still answers: no more work, please.
    let draining = line.ask("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(draining.status(), Some(503), "{draining:?}");
    let more = order("hall", &[question("More?", 3, 1)]).to_string();
    let more = format!(
        "POST /api/analyze HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{more}",
        more.len()
    );
    let refused = line.ask(&more).await;
    assert_eq!(refused.status(), Some(503), "{refused:?}");
    assert!(
        refused.body().contains(r#""code":"draining""#),
        "{refused:?}"
    );
    ai.release();
    assert_eq!(waiting.await.unwrap().expect(200)["answers"], json!([2]));
    // The last events reach the viewers before the goodbye.
    let ready = viewer.next_of("answers_ready").await;
    assert_eq!(ready["answers"], json!([2]));
    viewer
        .until(|frame| frame["type"] == "timeline" && frame["complete"] == true)
        .await;
    assert_eq!(viewer.closed().await, Some(1001));
    assert_eq!(server.ended().await.code(), Some(0));
    // And they are kept.
    server.start_again().await;
    let position = viewer.position.clone().unwrap();
    let viewer = Viewer::rejoin(&server, "hall", &position).await;
    assert_eq!(viewer.connection["recovered"], true);
    assert_eq!(viewer.connection["position"]["offset"], position.1);
}

#[tokio::test]
async fn work_that_does_not_end_is_cut_off_in_time() {
    let ai = StubAi::start().await;
    let mut server = TestServer::with(&ai)
        .set("server.drain_timeout_ms", 300)
        .start()
        .await;
    ai.hold();
    let body = order("hall", &[question("Never?", 3, 2)]);
    let waiting = tokio::spawn(server.request("POST", "/api/analyze").json(&body).send());
    ai.called(1).await;
    let began = Instant::now();
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(0));
    assert!(began.elapsed() < PATIENCE / 2, "{:?}", began.elapsed());
    // Whoever waited is told, if only by the end of the line.
    if let Ok(response) = waiting.await.unwrap() {
        assert!(response.status().is_server_error(), "{}", response.status());
    }
}
