//! Coming back: after a lost connection, after a crash of the server, over WebSocket and Server-Sent Events.

use crate::support::{
    Sse, StubAi, TestServer, Viewer, eventually, order, question, viewer::offsets,
};
use serde_json::{Value, json};

async fn publish(server: &TestServer, answers: &[u32]) -> Value {
    let body = json!({ "answers": answers, "whenBusy": "replace" });
    let played = server.post("/api/channels/hall/display", &body).await;
    played.expect(200)
}

#[tokio::test]
async fn a_viewer_that_comes_back_gets_exactly_what_it_missed() {
    let ai = StubAi::start().await;
    let mut server = TestServer::start(&ai).await;
    let mut viewer = Viewer::join(&server, "hall").await;
    publish(&server, &[1]).await;
    viewer.next().await;
    let mut left = viewer.position.clone().unwrap();
    drop(viewer);
    for after_a_crash in [false, true] {
        publish(&server, &[2]).await;
        publish(&server, &[3]).await;
        if after_a_crash {
            server.kill();
            server.start_again().await;
        }
        let mut viewer = Viewer::rejoin(&server, "hall", &left).await;
        assert_eq!(viewer.connection["recovered"], true);
        assert_eq!(viewer.connection["position"]["offset"], left.1 + 2);
        publish(&server, &[4]).await;
        let frames = [
            viewer.next().await,
            viewer.next().await,
            viewer.next().await,
        ];
        assert_eq!(offsets(&frames), [left.1 + 1, left.1 + 2, left.1 + 3]);
        assert!(frames.iter().all(|frame| frame["epoch"] == left.0.as_str()));
        left = viewer.position.clone().unwrap();
        // Nothing was missed, and nothing is replayed.
        let mut viewer = Viewer::rejoin(&server, "hall", &left).await;
        assert_eq!(viewer.connection["recovered"], true);
        publish(&server, &[5]).await;
        assert_eq!(viewer.next().await["offset"], left.1 + 1);
        left = viewer.position.clone().unwrap();
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_crash() {
    const PUBLISHERS: usize = 8;
    let ai = StubAi::start().await;
    let mut server = TestServer::with(&ai)
        .set("journal.max_events", 100_000)
        .start()
        .await;
    let first = publish(&server, &[1]).await["position"].clone();
    let start = (first["epoch"].as_str().unwrap().to_owned(), 1);
    let mut acknowledged = 1;
    for _ in 0..3 {
        // Many at once, so that the crash finds commits on their way to the disk.
        let acks: Vec<_> = (0..PUBLISHERS)
            .map(|_| {
                let body = json!({ "answers": [1], "whenBusy": "replace" });
                let request = server
                    .request("POST", "/api/channels/hall/display")
                    .json(&body);
                tokio::spawn(async move {
                    let mut last = 0;
                    while let Ok(response) = request.try_clone().unwrap().send().await {
                        let Ok(played) = response.json::<Value>().await else {
                            break;
                        };
                        last = played["position"]["offset"].as_u64().unwrap();
                    }
                    last
                })
            })
            .collect();
        let enough = acknowledged + 40;
        eventually("events flow", || async {
            let position = server.get("/api/channels/hall").await.expect(200)["position"].clone();
            (position["offset"].as_u64().unwrap() >= enough).then_some(())
        })
        .await;
        server.kill();
        for ack in acks {
            acknowledged = ack.await.unwrap().max(acknowledged);
        }
        server.start_again().await;
        let mut viewer = Viewer::rejoin(&server, "hall", &start).await;
        assert_eq!(viewer.connection["recovered"], true);
        let kept = viewer.connection["position"]["offset"].as_u64().unwrap();
        assert!(kept >= acknowledged, "{kept} of {acknowledged}");
        let frames = viewer.until(|frame| frame["offset"] == kept).await;
        assert_eq!(offsets(&frames), (2..=kept).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_show_goes_on_after_a_crash() {
    let ai = StubAi::start().await;
    let mut server = TestServer::start(&ai).await;
    let questions = [question("First?", 4, 4), question("Second?", 4, 2)];
    let answer = server.analyze(&order("hall", &questions)).await;
    let waiting = server
        .analyze(&order("hall", &[question("Queued?", 4, 3)]))
        .await;
    let before = Viewer::join(&server, "hall").await.connection;
    server.kill();
    server.start_again().await;
    let after = Viewer::join(&server, "hall").await.connection;
    assert_eq!(after["state"]["id"], answer["analysisId"]);
    assert_eq!(after["state"], before["state"], "the schedule stands");
    assert_eq!(after["position"]["epoch"], before["position"]["epoch"]);
    assert!(
        after["serverTime"].as_u64() > before["serverTime"].as_u64(),
        "the clock has moved on"
    );
    let channel = server.get("/api/channels/hall").await.expect(200);
    assert_eq!(
        (&channel["timeline"], &channel["queued"]),
        (&after["state"], &json!(1))
    );
    // The host's hands still reach it, and the show that waited comes next.
    let mut viewer = Viewer::join(&server, "hall").await;
    for _ in 0..3 {
        server
            .post("/api/channels/hall/control", &json!({ "action": "skip" }))
            .await
            .expect(200);
    }
    let next = viewer
        .until(|frame| frame["id"] == waiting["analysisId"])
        .await;
    assert_eq!(next.last().unwrap()["segments"][0]["to"], 3);
}

#[tokio::test]
async fn an_analysis_that_a_crash_cut_off_leaves_a_show_with_what_it_had() {
    let ai = StubAi::start().await;
    let mut server = TestServer::start(&ai).await;
    server
        .analyze(&json!({ "questions": [question("Known?", 3, 3)], "animate": false }))
        .await;
    ai.hold();
    let mut viewer = Viewer::join(&server, "hall").await;
    let body = order(
        "hall",
        &[question("Known?", 3, 3), question("Never?", 3, 1)],
    );
    let cut_off = tokio::spawn(server.request("POST", "/api/analyze").json(&body).send());
    let begun = viewer.next_of("timeline").await;
    assert_eq!(begun["complete"], false);
    server.kill();
    assert!(cut_off.await.unwrap().is_err());
    server.start_again().await;
    let channel = server.get("/api/channels/hall").await.expect(200);
    assert_eq!(
        channel["timeline"]["complete"], true,
        "nobody waits for an answer that will not come"
    );
    // And every screen is told.
    let mut viewer = Viewer::rejoin(&server, "hall", viewer.position.as_ref().unwrap()).await;
    let told = viewer.next_of("timeline").await;
    assert_eq!(
        (&told["id"], &told["complete"]),
        (&begun["id"], &json!(true))
    );
}

#[tokio::test]
async fn what_is_no_longer_kept_is_a_gap() {
    let ai = StubAi::start().await;
    let mut server = TestServer::with(&ai)
        .set("journal.max_events", 5)
        .set("broadcaster.recent_events", 5)
        .start()
        .await;
    let mut viewer = Viewer::join(&server, "hall").await;
    publish(&server, &[1]).await;
    viewer.next().await;
    let left = viewer.position.clone().unwrap();
    drop(viewer);
    for answer in 2..=20 {
        publish(&server, &[answer]).await;
    }
    for after_a_crash in [false, true] {
        if after_a_crash {
            server.kill();
            server.start_again().await;
        }
        let mut viewer = Viewer::rejoin(&server, "hall", &left).await;
        assert_eq!(viewer.connection["recovered"], false);
        let gap = viewer.next().await;
        assert_eq!(
            (&gap["type"], &gap["from"], &gap["to"]),
            (&json!("gap"), &json!(2), &json!(20))
        );
        assert_eq!(gap["state"]["segments"][0]["to"], 20);
        // What is still kept is still replayed.
        let kept = (left.0.clone(), 17);
        let mut viewer = Viewer::rejoin(&server, "hall", &kept).await;
        assert_eq!(viewer.connection["recovered"], true);
        let frames = viewer.until(|frame| frame["offset"] == 20).await;
        assert_eq!(offsets(&frames), [18, 19, 20]);
        // A stream of another life, or a place that was never reached, cannot be resumed.
        for nowhere in [
            ("00000000000000ff".to_owned(), 17),
            (left.0.clone(), 21),
            (left.0.clone(), u64::MAX),
        ] {
            let mut viewer = Viewer::rejoin(&server, "hall", &nowhere).await;
            assert_eq!(viewer.connection["recovered"], false, "{nowhere:?}");
            assert_eq!(viewer.next().await["type"], "gap");
        }
    }
    let live = publish(&server, &[3]).await;
    assert_eq!(live["position"]["offset"], 21);
}

#[tokio::test]
async fn server_sent_events_resume_with_last_event_id() {
    let ai = StubAi::start().await;
    let mut server = TestServer::start(&ai).await;
    let open = |server: &TestServer, id: &str| {
        let request = server.request("GET", "/events?channel=hall");
        Sse::open(if id.is_empty() {
            request
        } else {
            request.header("last-event-id", id)
        })
    };
    let mut stream = open(&server, "").await;
    let first = stream.next().await.unwrap();
    assert_eq!(
        (first.data["type"].as_str(), first.id.as_str()),
        (Some("connection"), "")
    );
    publish(&server, &[1]).await;
    let event = stream.next().await.unwrap();
    assert_eq!(
        event.id,
        format!("{}:1", event.data["epoch"].as_str().unwrap())
    );
    assert_eq!(
        (event.data["type"].as_str(), event.data["offset"].as_u64()),
        (Some("timeline"), Some(1))
    );
    drop(stream);
    publish(&server, &[2]).await;
    publish(&server, &[3]).await;
    for after_a_crash in [false, true] {
        if after_a_crash {
            server.kill();
            server.start_again().await;
        }
        let mut stream = open(&server, &event.id).await;
        assert_eq!(stream.data().await["recovered"], true);
        assert_eq!(stream.data().await["offset"], 2);
        assert_eq!(stream.data().await["offset"], 3);
    }
    let mut elsewhere = open(&server, "00000000000000ff:1").await;
    assert_eq!(elsewhere.data().await["recovered"], false);
    assert_eq!(elsewhere.data().await["type"], "gap");
}
