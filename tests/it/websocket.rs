//! What a viewer hears on its WebSocket, and how its connection ends.

use crate::support::{
    StubAi, TestServer, Viewer, eventually, order, question, timing, viewer::offsets,
};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

/// Publishes one event: a show that takes the place of the one before.
pub(crate) async fn publish(server: &TestServer, channel: &str, answers: &[u32]) -> u64 {
    let body = json!({ "answers": answers, "whenBusy": "replace" });
    let played = server
        .post(&format!("/api/channels/{channel}/display"), &body)
        .await;
    played.expect(200)["position"]["offset"].as_u64().unwrap()
}

/// Returns the server's clock.
async fn now(server: &TestServer) -> u64 {
    server.get("/health").await.expect(200)["timestamp"]
        .as_u64()
        .unwrap()
}

#[tokio::test]
async fn the_first_frame_says_where_the_viewer_is() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let before = now(&server).await;
    let viewer = Viewer::join(&server, "hall").await;
    let first = &viewer.connection;
    assert_eq!(
        (&first["channel"], &first["protocol"]),
        (&json!("hall"), &json!(1))
    );
    assert_eq!(
        (&first["position"], &first["state"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(first["recovered"], false);
    assert_eq!(first["timestamp"], first["serverTime"]);
    assert!((before..=now(&server).await).contains(&first["serverTime"].as_u64().unwrap()));

    publish(&server, "hall", &[3, 1]).await;
    for path in ["/ws?channel=hall", "/?channel=hall"] {
        let late = Viewer::open(&server, path).await.connection;
        assert_eq!(late["position"]["offset"], 1, "{path}");
        assert_eq!(late["state"]["type"], "timeline");
        assert_eq!(late["state"]["segments"][0]["to"], 3);
    }
}

#[tokio::test]
async fn events_come_in_order_with_offsets_without_holes() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let mut viewer = Viewer::join(&server, "hall").await;
    let questions: Vec<_> = (1..=5)
        .map(|n| question(&format!("Event {n}?"), 5, n))
        .collect();
    let answer = server.analyze(&order("hall", &questions)).await;
    let frames = viewer
        .until(|frame| frame["type"] == "timeline" && frame["complete"] == true)
        .await;
    assert_eq!(frames[0]["type"], "analysis_started");
    assert_eq!(frames[0]["questionCount"], 5);
    assert_eq!(
        offsets(&frames),
        (1..=frames.len() as u64).collect::<Vec<_>>()
    );
    let of = |kind: &'static str| frames.iter().filter(move |frame| frame["type"] == kind);
    for ready in of("answer_ready") {
        assert_eq!(
            (&ready["analysisId"], &ready["answer"]),
            (&answer["analysisId"], &ready["index"])
        );
        assert_eq!(ready["probabilities"].as_array().unwrap().len(), 5);
    }
    assert_eq!(of("answer_ready").count(), 5);
    let all = of("answers_ready").next().unwrap();
    assert_eq!(
        (&all["answers"], &all["results"]),
        (&answer["answers"], &answer["results"])
    );
    let revisions: Vec<_> = of("timeline")
        .map(|timeline| timeline["revision"].as_u64().unwrap())
        .collect();
    assert!(revisions.is_sorted(), "{revisions:?}");
    assert_eq!(
        frames.last().unwrap()["durationMs"],
        answer["timeline"]["durationMs"]
    );
    let epochs: Vec<_> = frames.iter().map(|frame| &frame["epoch"]).collect();
    assert!(
        epochs
            .iter()
            .all(|epoch| *epoch == &answer["position"]["epoch"])
    );
}

#[tokio::test]
async fn pings_are_answered_with_the_servers_time() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let mut viewer = Viewer::join(&server, "hall").await;
    for client_time in [
        json!(1_790_000_000_000_u64),
        json!(0),
        json!(-7),
        json!(12.5),
    ] {
        let before = now(&server).await;
        let pong = viewer
            .ask(&json!({ "type": "ping", "clientTime": client_time }))
            .await;
        assert_eq!(
            (&pong["type"], &pong["clientTime"]),
            (&json!("pong"), &client_time)
        );
        assert!((before..=now(&server).await).contains(&pong["serverTime"].as_u64().unwrap()));
    }
}

#[tokio::test]
async fn one_connection_follows_several_channels() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("broadcaster.max_channels_per_viewer", 3)
        .start()
        .await;
    let mut viewer = Viewer::join(&server, "one").await;
    publish(&server, "two", &[2]).await;
    let joined = viewer
        .ask(&json!({ "type": "subscribe", "channel": "two" }))
        .await;
    assert_eq!(
        (&joined["type"], &joined["channel"]),
        (&json!("connection"), &json!("two"))
    );
    assert_eq!(joined["position"]["offset"], 1);
    publish(&server, "two", &[1]).await;
    publish(&server, "one", &[1]).await;
    for (channel, offset) in [("two", 2), ("one", 1)] {
        let event = viewer.next().await;
        assert_eq!(
            (&event["channel"], &event["offset"]),
            (&json!(channel), &json!(offset))
        );
    }
    // With a position, what was missed follows the greeting.
    let from = json!({ "type": "subscribe", "channel": "two", "epoch": joined["position"]["epoch"], "offset": 1 });
    let again = viewer.ask(&from).await;
    assert_eq!(
        (&again["type"], &again["recovered"]),
        (&json!("connection"), &json!(true))
    );
    assert_eq!(viewer.next().await["offset"], 2);

    viewer
        .say(r#"{"type":"unsubscribe","channel":"two"}"#)
        .await;
    eventually("the viewer has left", || async {
        let channel = server.get("/api/channels/two").await.expect(200);
        (channel["viewers"] == 0).then_some(())
    })
    .await;
    publish(&server, "two", &[4]).await;
    publish(&server, "one", &[4]).await;
    assert_eq!(viewer.next().await["channel"], "one");

    for channel in ["two", "three"] {
        viewer
            .ask(&json!({ "type": "subscribe", "channel": channel }))
            .await;
    }
    let refused = viewer
        .ask(&json!({ "type": "subscribe", "channel": "four" }))
        .await;
    assert_eq!(
        (&refused["type"], &refused["code"]),
        (&json!("error"), &json!("subscribe_failed"))
    );
    let refused = viewer
        .ask(&json!({ "type": "subscribe", "channel": "no name" }))
        .await;
    assert_eq!(
        (&refused["type"], &refused["code"]),
        (&json!("error"), &json!("invalid_channel"))
    );
}

#[tokio::test]
async fn messages_that_mean_nothing_are_answered_with_an_error() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("broadcaster.max_inbound_per_second", 1_000)
        .start()
        .await;
    let mut viewer = Viewer::join(&server, "hall").await;
    let deep = "[".repeat(50_000);
    for text in [
        "",
        " ",
        "{",
        "[]",
        "null",
        "7",
        "\"ping\"",
        "{}",
        r#"{"type":"dance"}"#,
        r#"{"type":"ping"}"#,
        r#"{"type":7}"#,
        r#"{"type":"ping","clientTime":"now"}"#,
        r#"{"type":"ping","clientTime":1e999}"#,
        r#"{"type":"subscribe"}"#,
        r#"{"type":"subscribe","channel":7}"#,
        r#"{"type":"subscribe","channel":"a","offset":-1}"#,
        r#"{"type":"auth"}"#,
        "\0",
        &deep,
    ] {
        viewer.say(text).await;
        let answer = viewer.next().await;
        let shown: String = text.chars().take(60).collect();
        assert_eq!(
            (&answer["type"], &answer["code"]),
            (&json!("error"), &json!("invalid_message")),
            "{shown}"
        );
    }
    // And the connection is as good as before.
    publish(&server, "hall", &[1]).await;
    assert_eq!(viewer.next().await["type"], "timeline");
}

#[tokio::test]
async fn what_cannot_be_read_closes_the_connection() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let large = r#"{"type":"ping","clientTime":1}"#.to_owned() + &" ".repeat(65_536);
    for (message, code, reason) in [
        (Message::binary(b"{}".as_slice()), 1003, "unsupported"),
        (Message::text(large), 1009, "too_large"),
        (Message::text(" ".repeat(3_000_000)), 1009, "too_large"),
    ] {
        let series = format!(r#"websocket_closed_total{{reason="{reason}"}}"#);
        let before = server.metric(&series).await;
        let mut viewer = Viewer::join(&server, "hall").await;
        viewer.send(message).await;
        assert_eq!(viewer.closed().await, Some(code));
        eventually("it is counted", || async {
            (server.metric(&series).await > before).then_some(())
        })
        .await;
    }
    nobody_is_left(&server, "hall").await;
}

#[tokio::test]
async fn bytes_that_are_no_frames_close_the_connection() {
    const MASK: [u8; 4] = [0; 4];
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let masked = |header: &[u8], payload: &[u8]| [header, &MASK, payload].concat();
    let huge = [0xff; 8];
    for (what, code, bytes) in [
        ("not masked", 1002, [0x81, 2, b'{', b'}'].to_vec()),
        ("reserved bits", 1002, masked(&[0xf1, 0x82], b"{}")),
        ("an unknown opcode", 1002, masked(&[0x83, 0x82], b"{}")),
        ("no UTF-8", 1007, masked(&[0x81, 0x82], &[0xff, 0xfe])),
        (
            "a continuation of nothing",
            1002,
            masked(&[0x80, 0x82], b"{}"),
        ),
        ("a ping in pieces", 1002, masked(&[0x09, 0x82], b"{}")),
        (
            "a long ping",
            1002,
            masked(&[0x89, 0xfe, 0x01, 0x00], &[0; 256]),
        ),
        ("a close of one byte", 1002, masked(&[0x88, 0x81], &[3])),
        (
            "a length beyond everything",
            1009,
            masked(&[&[0x81, 0xff], &huge[..]].concat(), b"{}"),
        ),
        ("HTTP", 1002, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
    ] {
        let mut viewer = Viewer::join(&server, "hall").await;
        viewer.write(&bytes).await;
        assert_eq!(viewer.closed().await, Some(code), "{what}");
    }
    // A message in two pieces is a message.
    let mut viewer = Viewer::join(&server, "hall").await;
    viewer.write(&masked(&[0x01, 0x82], br#"{""#)).await;
    viewer.write(&masked(&[0x80, 0x81], b"}")).await;
    assert_eq!(viewer.next().await["code"], "invalid_message");
    drop(viewer);
    nobody_is_left(&server, "hall").await;
}

#[tokio::test]
async fn a_flood_of_messages_closes_the_connection() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let mut viewer = Viewer::join(&server, "hall").await;
    for _ in 0..200 {
        viewer.say(r#"{"type":"ping","clientTime":1}"#).await;
    }
    assert_eq!(viewer.closed().await, Some(4029));
    nobody_is_left(&server, "hall").await;
}

#[tokio::test]
async fn a_viewer_that_does_not_answer_pings_is_closed() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("broadcaster.ping_interval_ms", 100)
        .set("broadcaster.pong_timeout_ms", 300)
        .start()
        .await;
    let mut alive = Viewer::join(&server, "hall").await;
    // It reads nothing for as long as nobody asks it to, and so answers no ping.
    let mut silent = Viewer::join(&server, "hall").await;
    let closed = eventually("the silent one is closed", || async {
        let series = r#"websocket_closed_total{reason="no_pong"}"#;
        (server.metric(series).await == 1.0).then_some(())
    });
    let pings = async {
        // Reading answers pings; nothing is published, so nothing comes.
        alive.next().await;
    };
    tokio::select! {
        () = closed => {}
        () = pings => panic!("nothing was published"),
    }
    let channel = server.get("/api/channels/hall").await.expect(200);
    assert_eq!(channel["viewers"], 1);
    assert_eq!(silent.closed().await, Some(4009));
}

/// Waits until a channel has no viewers: those that were closed are not kept.
async fn nobody_is_left(server: &TestServer, channel: &str) {
    eventually("nobody is left", || async {
        let channel = server
            .get(&format!("/api/channels/{channel}"))
            .await
            .expect(200);
        (channel["viewers"] == 0).then_some(())
    })
    .await;
    eventually("nobody is counted", || async {
        (server
            .metric(r#"websocket_connections{channel_class="all"}"#)
            .await
            == 0.0)
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_show_that_is_over_is_no_state() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let body = json!({ "answers": [1], "timing": timing(1) });
    server
        .post("/api/channels/hall/display", &body)
        .await
        .expect(200);
    eventually("the show is over", || async {
        let viewer = Viewer::join(&server, "hall").await;
        assert_eq!(viewer.connection["position"]["offset"], 1);
        viewer.connection["state"].is_null().then_some(())
    })
    .await;
}
