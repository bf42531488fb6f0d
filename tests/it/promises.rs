//! Analyses that are asked about later: accepted ones, repeated ones, cancelled ones, all of them.

use crate::support::{Reply, StubAi, TestServer, Viewer, eventually, order, question, timing};
use serde_json::{Value, json};

#[tokio::test]
async fn respond_async_answers_202_and_the_result_later() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    ai.hold();
    let body = order("hall", &[question("Later?", 2, 2)]);
    let request = server
        .request("POST", "/api/analyze")
        .header("prefer", "respond-async, wait=10")
        .json(&body);
    let accepted = Reply::to(request).await;
    let answer = accepted.expect(202);
    assert_eq!(accepted.header("preference-applied"), "respond-async");
    let location = accepted.header("location").to_owned();
    assert_eq!(
        location,
        format!("/api/analyses/{}", answer["analysisId"].as_str().unwrap())
    );
    let running = server.get(&location).await.expect(200);
    assert_eq!(
        (&running["status"], &running["answers"]),
        (&json!("running"), &json!([null]))
    );
    ai.release();
    let done = finished(&server, &location).await;
    assert_eq!(
        (&done["status"], &done["answers"]),
        (&json!("success"), &json!([2]))
    );
    assert_eq!(done["analysisId"], answer["analysisId"]);
}

/// Waits until an analysis has ended.
async fn finished(server: &TestServer, location: &str) -> Value {
    eventually("the analysis ends", || async {
        let report = server.get(location).await.expect(200);
        (report["status"] != "running").then_some(report)
    })
    .await
}

#[tokio::test]
async fn an_accepted_analysis_is_found_again_after_a_crash() {
    let ai = StubAi::start().await;
    let mut server = TestServer::start(&ai).await;
    let accept = |server: &TestServer, text: &str| {
        let body = order("hall", &[question(text, 2, 2)]);
        server
            .request("POST", "/api/analyze")
            .header("prefer", "respond-async")
            .json(&body)
    };
    let ended = Reply::to(accept(&server, "Ended?"))
        .await
        .header("location")
        .to_owned();
    let before = finished(&server, &ended).await;
    ai.hold();
    let running = Reply::to(accept(&server, "Running?"))
        .await
        .header("location")
        .to_owned();
    ai.called(2).await;
    server.kill();
    server.start_again().await;
    assert_eq!(server.get(&ended).await.expect(200), before);
    let interrupted = server.get(&running).await.expect(200);
    assert_eq!(
        (&interrupted["status"], &interrupted["code"]),
        (&json!("error"), &json!("interrupted"))
    );
}

#[tokio::test]
async fn an_idempotency_key_makes_a_repeated_call_the_same_call() {
    let ai = StubAi::start().await;
    let mut server = TestServer::start(&ai).await;
    let body = order("hall", &[question("Once?", 2, 2)]);
    let call = |server: &TestServer, path: &str, body: &Value| {
        Reply::to(
            server
                .request("POST", path)
                .header("idempotency-key", "key-1")
                .json(body),
        )
    };
    let mut viewer = Viewer::join(&server, "hall").await;
    let first = call(&server, "/api/analyze", &body).await.expect(200);
    viewer
        .until(|frame| frame["type"] == "timeline" && frame["complete"] == true)
        .await;
    for after_a_crash in [false, true] {
        if after_a_crash {
            server.kill();
            server.start_again().await;
            viewer = Viewer::rejoin(&server, "hall", viewer.position.as_ref().unwrap()).await;
        }
        assert_eq!(
            call(&server, "/api/analyze", &body).await.expect(200),
            first
        );
        let other = order("hall", &[question("Other?", 2, 2)]);
        let refused = call(&server, "/api/analyze", &other).await;
        assert_eq!(refused.error(422), "idempotency_key_reused");
        // Nothing was published twice: what comes next is what is published next.
        let pause = json!({ "action": if after_a_crash { "resume" } else { "pause" } });
        let control = server.post("/api/channels/hall/control", &pause).await;
        assert_eq!(
            viewer.next().await["revision"],
            control.expect(200)["revision"]
        );
    }
    assert_eq!(ai.calls(), 1);
    let analyses = server.get("/api/analyses").await.expect(200);
    assert!(analyses["analyses"].as_array().unwrap().len() <= 1);
}

#[tokio::test]
async fn the_same_key_while_the_first_call_still_runs_joins_it() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    ai.hold();
    let body = order("hall", &[question("Joined?", 2, 2)]);
    let call = || {
        Reply::to(
            server
                .request("POST", "/api/analyze")
                .header("idempotency-key", "k")
                .json(&body),
        )
    };
    let release = async {
        ai.called(1).await;
        ai.release();
    };
    let (one, two, three, ()) = tokio::join!(call(), call(), call(), release);
    let one = one.expect(200);
    assert_eq!(one, two.expect(200));
    assert_eq!(one, three.expect(200));
    assert_eq!(ai.calls(), 1);
}

#[tokio::test]
async fn the_same_file_for_another_channel_is_another_call() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let call = |path: &'static str| {
        let request = server
            .request("POST", path)
            .header("idempotency-key", "k")
            .header("content-type", "text/x-aiken");
        Reply::to(request.body("Which?\nA) right\nB) wrong\nANSWER: A\n"))
    };
    call("/api/analyze?channel=one").await.expect(200);
    assert_eq!(
        call("/api/analyze?channel=two").await.error(422),
        "idempotency_key_reused"
    );
}

#[tokio::test]
async fn a_running_analysis_can_be_cancelled() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let mut viewer = Viewer::join(&server, "hall").await;
    ai.hold();
    let body = order("hall", &[question("Cancelled?", 2, 2)]);
    let waiting = tokio::spawn(Reply::to(
        server.request("POST", "/api/analyze").json(&body),
    ));
    let started = viewer.next().await;
    assert_eq!(started["type"], "analysis_started");
    ai.called(1).await;
    let path = format!("/api/analyses/{}", started["analysisId"].as_str().unwrap());
    let cancelled = Reply::to(server.request("DELETE", &path)).await.expect(200);
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(waiting.await.unwrap().error(409), "cancelled");
    let failed = viewer.next_of("analysis_failed").await;
    assert_eq!(failed["analysisId"], started["analysisId"]);
    assert_eq!(
        Reply::to(server.request("DELETE", &path)).await.error(409),
        "already_finished"
    );
    assert_eq!(server.get(&path).await.expect(200)["status"], "cancelled");
    let unknown = "/api/analyses/01920000-0000-7000-8000-000000000000";
    assert_eq!(
        Reply::to(server.request("DELETE", unknown))
            .await
            .error(404),
        "not_found"
    );
    // The channel is free again.
    ai.release();
    let next = server
        .analyze(&order("hall", &[question("Next?", 2, 1)]))
        .await;
    assert_eq!(viewer.next_of("timeline").await["id"], next["analysisId"]);
}

#[tokio::test]
async fn analyses_are_listed_the_latest_first() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    for (channel, text) in [("a", "One?"), ("b", "Two?"), ("a", "One?")] {
        let mut body = order(channel, &[question(text, 2, 1)]);
        body["timing"] = timing(1);
        server.analyze(&body).await;
    }
    let all = &server;
    let list = |query: &'static str| async move {
        let list = all.get(&format!("/api/analyses{query}")).await.expect(200);
        let channels = list["analyses"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| a["channel"].as_str().unwrap().to_owned());
        channels.collect::<Vec<_>>()
    };
    // One that was known is noted behind its answer.
    eventually("all are listed", || async {
        (list("").await.len() == 3).then_some(())
    })
    .await;
    assert_eq!(list("").await, ["a", "b", "a"]);
    assert_eq!(list("?channel=b").await, ["b"]);
    assert_eq!(list("?channel=a&limit=1").await, ["a"]);
    assert_eq!(list("?channel=none").await, Vec::<String>::new());
    for limit in ["0", "101", "x", "-1", ""] {
        let reply = server.get(&format!("/api/analyses?limit={limit}")).await;
        assert_eq!(reply.error(400), "invalid_request");
    }
}
