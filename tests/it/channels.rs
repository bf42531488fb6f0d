//! Channels: what the host does, and what the channel says of itself.

use crate::support::{Reply, StubAi, TestServer, Viewer, eventually, order, question, timing};
use serde_json::{Value, json};

async fn control(server: &TestServer, action: &str) -> Value {
    let body = json!({ "action": action });
    server
        .post("/api/channels/hall/control", &body)
        .await
        .expect(200)
}

async fn refused(server: &TestServer, action: &str) {
    let reply = server
        .post("/api/channels/hall/control", &json!({ "action": action }))
        .await;
    assert_eq!(reply.error(409), "nothing_to_control", "{action}");
}

#[tokio::test]
async fn answers_can_be_played_without_a_model() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let mut viewer = Viewer::join(&server, "hall").await;
    let body = json!({ "answers": [3, null, 1], "timing": { "holdMs": 500 } });
    let played = server
        .post("/api/channels/hall/display", &body)
        .await
        .expect(200);
    assert_eq!(
        (&played["status"], &played["channel"]),
        (&json!("success"), &json!("hall"))
    );
    assert_eq!(played["timeline"]["durationMs"], 2 * 18_500 + 16_500);
    let timeline = viewer.next().await;
    assert_eq!(
        (&timeline["id"], &timeline["skipped"]),
        (&played["timeline"]["id"], &json!([2]))
    );
    assert_eq!(
        (&timeline["analysisId"], &timeline["complete"]),
        (&Value::Null, &json!(true))
    );
    assert_eq!(timeline["startsAt"], played["timeline"]["startsAt"]);
    assert_eq!(timeline["offset"], played["position"]["offset"]);
    assert_eq!(ai.calls(), 0);
}

#[tokio::test]
async fn the_host_pauses_resumes_skips_and_stops() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    for action in ["pause", "resume", "skip", "stop"] {
        refused(&server, action).await;
    }
    let body = json!({ "answers": [2, 4] });
    let played = server
        .post("/api/channels/hall/display", &body)
        .await
        .expect(200);
    let mut viewer = Viewer::join(&server, "hall").await;
    refused(&server, "resume").await;
    let paused = control(&server, "pause").await;
    assert_eq!(paused["id"], played["timeline"]["id"]);
    assert!(paused["pausedAt"].as_u64() >= paused["startsAt"].as_u64());
    refused(&server, "pause").await;
    let resumed = control(&server, "resume").await;
    assert!(resumed["pausedAt"].is_null());
    assert!(
        resumed["startsAt"].as_u64() >= paused["startsAt"].as_u64(),
        "the pause does not count"
    );
    let before = server.get("/health").await.expect(200)["timestamp"]
        .as_u64()
        .unwrap();
    let skipped = control(&server, "skip").await;
    let second = skipped["segments"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["question"] == 2)
        .unwrap()["atMs"]
        .as_u64()
        .unwrap();
    assert!(
        skipped["startsAt"].as_u64().unwrap() + second >= before,
        "the second answer begins now"
    );
    let stopped = control(&server, "stop").await;
    assert_eq!(stopped["complete"], true);
    refused(&server, "stop").await;
    // Every step was shown, in order.
    for step in [&paused, &resumed, &skipped, &stopped] {
        let mut shown = viewer.next().await;
        for member in ["offset", "epoch"] {
            shown.as_object_mut().unwrap().remove(member);
        }
        assert_eq!(&shown, step);
    }
    let channel = server.get("/api/channels/hall").await.expect(200);
    assert_eq!(
        (&channel["timeline"], &channel["queued"]),
        (&Value::Null, &json!(0))
    );
    // Free for the next one.
    server
        .post("/api/channels/hall/display", &body)
        .await
        .expect(200);
    assert_eq!(viewer.next().await["segments"][0]["to"], 2);
}

#[tokio::test]
async fn a_second_show_waits_for_the_first() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let mut viewer = Viewer::join(&server, "hall").await;
    let display = |answer: u32, ms: u64| {
        let body = json!({ "answers": [answer], "timing": timing(ms) });
        let server = &server;
        async move {
            server
                .post("/api/channels/hall/display", &body)
                .await
                .expect(200)["timeline"]
                .clone()
        }
    };
    let first = display(1, 60).await;
    let second = display(2, 60).await;
    let ends =
        |show: &Value| show["startsAt"].as_u64().unwrap() + show["durationMs"].as_u64().unwrap();
    assert!(
        second["startsAt"].as_u64().unwrap() >= ends(&first),
        "{first} {second}"
    );
    let begins = viewer.until(|frame| frame["id"] == second["id"]).await;
    assert_eq!(begins[0]["id"], first["id"]);
    assert!(begins.last().unwrap()["startsAt"].as_u64().unwrap() >= ends(&first));
}

#[tokio::test]
async fn the_queue_has_an_end_and_stop_empties_it() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("director.max_queued_shows", 2)
        .start()
        .await;
    let body = json!({ "answers": [1] });
    for queued in 0..3 {
        server
            .post("/api/channels/hall/display", &body)
            .await
            .expect(200);
        assert_eq!(
            server.get("/api/channels/hall").await.expect(200)["queued"],
            queued
        );
    }
    let full = server.post("/api/channels/hall/display", &body).await;
    assert_eq!(full.error(503), "overloaded");
    let full = server
        .post("/api/analyze", &order("hall", &[question("Full?", 2, 1)]))
        .await;
    assert_eq!(full.error(503), "overloaded");
    control(&server, "stop").await;
    let channel = server.get("/api/channels/hall").await.expect(200);
    assert_eq!(
        (&channel["timeline"], &channel["queued"]),
        (&Value::Null, &json!(0))
    );
    server
        .post("/api/channels/hall/display", &body)
        .await
        .expect(200);
}

#[tokio::test]
async fn a_busy_channel_can_be_refused_or_taken() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("timeline.when_busy", "reject")
        .start()
        .await;
    let mut viewer = Viewer::join(&server, "hall").await;
    let body = json!({ "answers": [1] });
    let first = server
        .post("/api/channels/hall/display", &body)
        .await
        .expect(200);
    assert_eq!(viewer.next().await["id"], first["timeline"]["id"]);
    assert_eq!(
        server
            .post("/api/channels/hall/display", &body)
            .await
            .error(409),
        "channel_busy"
    );
    let order = order("hall", &[question("Busy?", 2, 1)]);
    for known in [false, true] {
        if known {
            let mut quiet = order.clone();
            quiet["animate"] = json!(false);
            server.analyze(&quiet).await;
        }
        assert_eq!(
            server.post("/api/analyze", &order).await.error(409),
            "channel_busy"
        );
    }
    let taken = json!({ "answers": [2], "whenBusy": "replace" });
    let second = server
        .post("/api/channels/hall/display", &taken)
        .await
        .expect(200);
    let event = viewer
        .until(|frame| frame["id"] == second["timeline"]["id"])
        .await;
    assert_eq!(event.last().unwrap()["segments"][0]["to"], 2);
    // An analysis takes it too, whether its answers are known or must be found.
    for text in ["Busy?", "Still busy?"] {
        let mut taking = self::order("hall", &[question(text, 2, 1)]);
        taking["whenBusy"] = json!("replace");
        let third = server.analyze(&taking).await;
        viewer
            .until(|frame| frame["type"] == "timeline" && frame["id"] == third["analysisId"])
            .await;
    }
    // So does a quiz file, which says it in the query.
    let file = |how: &str| {
        let path = format!("/api/analyze?channel=hall&whenBusy={how}");
        let request = server.request("POST", &path);
        let request = request.header("content-type", "text/x-gift");
        Reply::to(request.body("Busy? {=yes ~no}"))
    };
    assert_eq!(file("reject").await.error(409), "channel_busy");
    assert_eq!(file("wait").await.error(400), "invalid_request");
    file("replace").await.expect(200);
    // Other channels are not concerned.
    server
        .post("/api/channels/other/display", &body)
        .await
        .expect(200);
}

#[tokio::test]
async fn a_channel_tells_what_it_plays_and_who_views() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let empty = server.get("/api/channels/hall").await.expect(200);
    assert_eq!(
        empty,
        json!({ "channel": "hall", "timeline": null, "queued": 0, "position": null, "viewers": 0 })
    );
    let viewers = [
        Viewer::join(&server, "hall").await,
        Viewer::join(&server, "hall").await,
    ];
    let body = json!({ "answers": [4] });
    let played = server
        .post("/api/channels/hall/display", &body)
        .await
        .expect(200);
    let channel = server.get("/api/channels/hall").await.expect(200);
    assert_eq!(
        (&channel["viewers"], &channel["position"]),
        (&json!(2), &played["position"])
    );
    assert_eq!(channel["timeline"]["id"], played["timeline"]["id"]);
    drop(viewers);
    eventually("they are gone", || async {
        (server.get("/api/channels/hall").await.expect(200)["viewers"] == 0).then_some(())
    })
    .await;
}
