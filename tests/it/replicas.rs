//! Several processes as one, on a real Redis: whatever one publishes, the viewers of all see, once and in order.

use crate::support::{
    PATIENCE, Reply, StubAi, TestRedis, TestServer, Viewer, eventually, order, question,
    redis::PASSWORD, timing, viewer::assert_contiguous, viewer::offsets,
};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{task::JoinHandle, time::Instant};

async fn replica(ai: &StubAi, redis: &TestRedis) -> TestServer {
    TestServer::with(ai)
        .env("REDIS_URL", redis.url())
        .set("journal.max_events", 100_000)
        .start()
        .await
}

async fn publish(server: &TestServer, answers: &[u32]) -> Value {
    let body = json!({ "answers": answers, "whenBusy": "replace" });
    let played = server.post("/api/channels/hall/display", &body).await;
    played.expect(200)
}

/// Publishes on a server until told to stop, whatever the answers; returns the offsets that were acknowledged.
fn publish_on(server: &TestServer, stop: &Arc<AtomicBool>) -> JoinHandle<Vec<u64>> {
    let body = json!({ "answers": [1], "whenBusy": "replace" });
    let request = server
        .request("POST", "/api/channels/hall/display")
        .json(&body);
    let stop = Arc::clone(stop);
    tokio::spawn(async move {
        let mut acknowledged = Vec::new();
        while !stop.load(Ordering::SeqCst) {
            let reply = Reply::to(request.try_clone().unwrap()).await;
            match reply.status {
                200 => acknowledged.push(reply.json()["position"]["offset"].as_u64().unwrap()),
                status => assert_eq!(status, 503, "{}", reply.text()),
            }
        }
        acknowledged
    })
}

/// Reads a viewer up to an offset, and checks that nothing is missing, doubled or out of order.
async fn sees_all(viewer: &mut Viewer, from: u64, to: u64) {
    let frames = viewer.until(|frame| frame["offset"] == to).await;
    let seen = offsets(&frames);
    assert_eq!(seen, (from..=to).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_one_process_publishes_the_viewers_of_all_see_once_and_in_order() {
    let Some(redis) = TestRedis::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let servers = [
        replica(&ai, &redis).await,
        replica(&ai, &redis).await,
        replica(&ai, &redis).await,
    ];
    let mut viewers = Vec::new();
    for server in &servers {
        viewers.push(Viewer::join(server, "hall").await);
    }
    let stop = Arc::default();
    let publishers: Vec<_> = servers
        .iter()
        .flat_map(|server| [publish_on(server, &stop), publish_on(server, &stop)])
        .collect();
    eventually("events flow", || async {
        let position = servers[0].get("/api/channels/hall").await.expect(200)["position"].clone();
        (position["offset"].as_u64() >= Some(150)).then_some(())
    })
    .await;
    stop.store(true, Ordering::SeqCst);
    let mut acknowledged = Vec::new();
    for publisher in publishers {
        let offsets = publisher.await.unwrap();
        assert!(!offsets.is_empty(), "every process gets its turn");
        acknowledged.extend(offsets);
    }
    let last = publish(&servers[0], &[9]).await["position"].clone();
    let last = last["offset"].as_u64().unwrap();
    acknowledged.sort_unstable();
    assert!(
        acknowledged.windows(2).all(|pair| pair[0] < pair[1]),
        "no two were given the same place"
    );
    assert!(acknowledged.last() < Some(&last));
    for viewer in &mut viewers {
        sees_all(viewer, 1, last).await;
    }
}

#[tokio::test]
async fn a_viewer_comes_back_to_another_process_with_its_position() {
    let Some(redis) = TestRedis::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let (mut first, second) = (replica(&ai, &redis).await, replica(&ai, &redis).await);
    let mut viewer = Viewer::join(&first, "hall").await;
    publish(&second, &[1]).await;
    viewer.next().await;
    let left = viewer.position.clone().unwrap();
    drop(viewer);
    publish(&first, &[2]).await;
    publish(&second, &[3]).await;
    first.kill();
    let mut viewer = Viewer::rejoin(&second, "hall", &left).await;
    assert_eq!(viewer.connection["recovered"], true);
    assert_eq!(viewer.connection["position"]["offset"], 3);
    publish(&second, &[4]).await;
    sees_all(&mut viewer, 2, 4).await;
    // And back again, when the first has come back.
    let left = viewer.position.clone().unwrap();
    publish(&second, &[5]).await;
    first.start_again().await;
    let mut viewer = Viewer::rejoin(&first, "hall", &left).await;
    assert_eq!(viewer.connection["recovered"], true);
    publish(&second, &[6]).await;
    sees_all(&mut viewer, 5, 6).await;
}

#[tokio::test]
async fn a_restart_of_redis_under_load_loses_nothing_that_was_acknowledged() {
    let Some(mut redis) = TestRedis::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let servers = [replica(&ai, &redis).await, replica(&ai, &redis).await];
    let mut viewers = [
        Viewer::join(&servers[0], "hall").await,
        Viewer::join(&servers[1], "hall").await,
    ];
    let stop = Arc::default();
    let publishers: Vec<_> = servers
        .iter()
        .map(|server| publish_on(server, &stop))
        .collect();
    let mut enough = 0;
    for is_last in [false, false, true] {
        for server in &servers {
            eventually("the process is ready", || async {
                (server.get("/readyz").await.status == 200).then_some(())
            })
            .await;
        }
        enough += 20;
        enough = eventually("events flow", || async {
            let channel = servers[0].get("/api/channels/hall").await;
            let offset = (channel.status == 200)
                .then(|| channel.json()["position"]["offset"].as_u64())
                .flatten();
            offset.filter(|offset| *offset >= enough)
        })
        .await;
        if !is_last {
            redis.kill();
            tokio::time::sleep(Duration::from_millis(300)).await;
            redis.start_again().await;
        }
    }
    stop.store(true, Ordering::SeqCst);
    let mut acknowledged = 0;
    for publisher in publishers {
        acknowledged = publisher
            .await
            .unwrap()
            .into_iter()
            .fold(acknowledged, u64::max);
    }
    let last = publish(&servers[1], &[9]).await["position"].clone();
    let last = last["offset"].as_u64().unwrap();
    assert!(last > acknowledged);
    // Neither viewer was closed, and both are shown everything.
    for viewer in &mut viewers {
        sees_all(viewer, 1, last).await;
    }
}

#[tokio::test]
async fn while_redis_is_frozen_viewers_stay_and_publishers_are_told() {
    let Some(redis) = TestRedis::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let servers = [replica(&ai, &redis).await, replica(&ai, &redis).await];
    let mut viewers = [
        Viewer::join(&servers[0], "hall").await,
        Viewer::join(&servers[1], "hall").await,
    ];
    publish(&servers[0], &[1]).await;
    for viewer in &mut viewers {
        sees_all(viewer, 1, 1).await;
    }
    redis.signal("STOP");
    let asked = Instant::now();
    let body = json!({ "answers": [2], "whenBusy": "replace" });
    let refused = servers[0].post("/api/channels/hall/display", &body).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(refused.json()["code"], "overloaded");
    assert!(!refused.header("retry-after").is_empty());
    assert!(
        asked.elapsed() < Duration::from_secs(6),
        "past its deadline"
    );
    for server in &servers {
        eventually("the process says so", || async {
            (server.get("/readyz").await.status == 503).then_some(())
        })
        .await;
        let health = server.get("/health").await.expect(200);
        assert_eq!(health["status"], "degraded");
        let told = health["checks"]["redis"].as_str().unwrap().to_owned();
        assert!(told.contains("redis.url"), "{told}");
        assert_eq!(server.metric("redis_up").await, 0.0);
    }
    // At once from now on: nothing waits for a server that is known to be away.
    let asked = Instant::now();
    let refused = servers[1].get("/events?channel=other").await;
    assert_eq!(refused.error(503), "overloaded");
    assert!(asked.elapsed() < Duration::from_secs(1));
    for viewer in &mut viewers {
        let pong = viewer
            .ask(&json!({ "type": "ping", "clientTime": 1 }))
            .await;
        assert_eq!(pong["type"], "pong");
    }
    redis.signal("CONT");
    for server in &servers {
        eventually("the process is ready again", || async {
            (server.get("/readyz").await.status == 200).then_some(())
        })
        .await;
        assert_eq!(server.metric("redis_up").await, 1.0);
    }
    let last = publish(&servers[1], &[3]).await["position"].clone();
    let last = last["offset"].as_u64().unwrap();
    for viewer in &mut viewers {
        sees_all(viewer, 2, last).await;
    }
}

#[tokio::test]
async fn cut_connections_heal_and_nothing_is_missed() {
    let Some(redis) = TestRedis::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let servers = [replica(&ai, &redis).await, replica(&ai, &redis).await];
    let mut viewer = Viewer::join(&servers[0], "hall").await;
    for answer in 1..=3 {
        redis.command("CLIENT KILL TYPE pubsub").await;
        publish(&servers[1], &[answer]).await;
        redis.command("CLIENT KILL TYPE normal").await;
        let published = publish(&servers[0], &[answer]).await;
        assert_eq!(published["position"]["offset"], 2 * answer);
    }
    sees_all(&mut viewer, 1, 6).await;
}

#[tokio::test]
async fn a_redis_that_lost_its_data_is_reported_as_a_gap() {
    let Some(redis) = TestRedis::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let servers = [replica(&ai, &redis).await, replica(&ai, &redis).await];
    publish(&servers[0], &[1]).await;
    let mut viewer = Viewer::join(&servers[1], "hall").await;
    publish(&servers[0], &[2]).await;
    viewer.next().await;
    redis.command("FLUSHALL").await;
    publish(&servers[0], &[3]).await;
    assert_eq!(viewer.closed().await, Some(1001));
    let left = viewer.position.clone().unwrap();
    let mut viewer = Viewer::rejoin(&servers[1], "hall", &left).await;
    assert_eq!(viewer.connection["recovered"], false);
    let gap = viewer.next().await;
    assert_eq!(gap["type"], "gap");
    assert_eq!(gap["state"]["segments"][0]["to"], 3);
}

#[tokio::test]
async fn a_redis_that_comes_back_with_less_is_reported_as_a_gap() {
    let Some(mut redis) = TestRedis::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let servers = [replica(&ai, &redis).await, replica(&ai, &redis).await];
    let mut viewer = Viewer::join(&servers[1], "hall").await;
    publish(&servers[0], &[1]).await;
    let older = redis.copy();
    publish(&servers[0], &[2]).await;
    publish(&servers[0], &[3]).await;
    sees_all(&mut viewer, 1, 3).await;
    redis.kill();
    redis.go_back_to(&older);
    redis.start_again().await;
    // Another process, which has seen nothing, gives the lost offsets to other events at once.
    let third = replica(&ai, &redis).await;
    for answer in 4..=7 {
        publish(&third, &[answer]).await;
    }
    assert_eq!(viewer.closed().await, Some(1001));
    assert_eq!(
        viewer.position.as_ref().unwrap().1,
        3,
        "nothing is taken for the next"
    );
    let left = viewer.position.clone().unwrap();
    for server in [&servers[0], &servers[1], &third] {
        let mut viewer = Viewer::rejoin(server, "hall", &left).await;
        assert_eq!(viewer.connection["recovered"], false);
        assert_eq!(viewer.next().await["type"], "gap");
    }
}

#[tokio::test]
async fn every_process_controls_the_same_show() {
    let Some(redis) = TestRedis::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let (mut first, second) = (replica(&ai, &redis).await, replica(&ai, &redis).await);
    let mut viewers = [
        Viewer::join(&first, "hall").await,
        Viewer::join(&second, "hall").await,
    ];
    let answer = first
        .analyze(&order(
            "hall",
            &[question("First?", 4, 4), question("Then?", 4, 2)],
        ))
        .await;
    let control = async |server: &TestServer, action: &str| {
        let body = json!({ "action": action });
        let done = server.post("/api/channels/hall/control", &body).await;
        done.expect(200)
    };
    let queued = json!({ "answers": [7], "timing": timing(50) });
    second
        .post("/api/channels/hall/display", &queued)
        .await
        .expect(200);
    for (server, action) in [
        (&second, "pause"),
        (&first, "resume"),
        (&second, "skip"),
        (&first, "pause"),
    ] {
        let done = control(server, action).await;
        assert_eq!(done["id"], answer["analysisId"]);
        for viewer in &mut viewers {
            viewer
                .until(|frame| frame["revision"] == done["revision"])
                .await;
        }
        for server in [&first, &second] {
            let channel = server.get("/api/channels/hall").await.expect(200);
            assert_eq!(
                (&channel["timeline"], &channel["queued"]),
                (&done, &json!(1))
            );
        }
    }
    // The process that had it all dies; the other goes on with the show, and with the queue.
    first.kill();
    control(&second, "resume").await;
    control(&second, "skip").await;
    control(&second, "skip").await;
    let next = viewers[1]
        .until(|frame| frame["segments"][0]["to"] == 7)
        .await;
    assert_contiguous(&next);
}

#[tokio::test]
async fn the_same_call_to_two_processes_is_one_analysis() {
    let Some(redis) = TestRedis::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let servers = [replica(&ai, &redis).await, replica(&ai, &redis).await];
    ai.hold();
    let body = order("hall", &[question("Once?", 4, 3)]);
    let call = |server: &TestServer| {
        let request = server
            .request("POST", "/api/analyze")
            .header("idempotency-key", "k1")
            .json(&body);
        tokio::spawn(Reply::to(request))
    };
    let calls = [call(&servers[0]), call(&servers[1])];
    ai.called(1).await;
    ai.release();
    let mut ids = Vec::new();
    for call in calls {
        let answer = call.await.unwrap().expect(200);
        assert_eq!(answer["answers"], json!([3]));
        ids.push(answer["analysisId"].clone());
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(ai.calls(), 1);
    // Later too, and by its id.
    let again = call(&servers[1]).await.unwrap().expect(200);
    assert_eq!(again["analysisId"], ids[0]);
    let path = format!("/api/analyses/{}", ids[0].as_str().unwrap());
    for server in &servers {
        assert_eq!(server.get(&path).await.expect(200)["answers"], json!([3]));
    }
    // The answers that one process has paid for are known to the other.
    let other = order("hall", &[question("Once?", 4, 3)]);
    servers[0].analyze(&other).await;
    servers[1].analyze(&other).await;
    assert_eq!(ai.calls(), 1);
}

#[tokio::test]
async fn viewers_of_all_processes_are_counted() {
    let Some(redis) = TestRedis::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let servers = [replica(&ai, &redis).await, replica(&ai, &redis).await];
    let _here = Viewer::join(&servers[0], "hall").await;
    let there = [
        Viewer::join(&servers[1], "hall").await,
        Viewer::join(&servers[1], "hall").await,
    ];
    let counted = async |count: u64| {
        for server in &servers {
            eventually("the count is right", || async {
                let channel = server.get("/api/channels/hall").await.expect(200);
                (channel["viewers"] == count).then_some(())
            })
            .await;
        }
    };
    counted(3).await;
    drop(there);
    counted(1).await;
}

#[tokio::test]
async fn a_cluster_serves_as_well() {
    let Some(nodes) = TestRedis::start_cluster().await else {
        return;
    };
    let ai = StubAi::start().await;
    let servers = [replica(&ai, &nodes[0]).await, replica(&ai, &nodes[1]).await];
    // Channels that different nodes keep.
    let mut viewers = Vec::new();
    for channel in ["a", "b", "c", "d", "e", "f"] {
        viewers.push((channel, Viewer::join(&servers[0], channel).await));
    }
    for round in 1..=3 {
        for (channel, _) in &viewers {
            let path = format!("/api/channels/{channel}/display");
            let body = json!({ "answers": [round], "whenBusy": "replace" });
            servers[1].post(&path, &body).await.expect(200);
        }
    }
    for (_, viewer) in &mut viewers {
        sees_all(viewer, 1, 3).await;
    }
    for node in &nodes {
        let shards = node.command("PUBSUB SHARDCHANNELS").await;
        assert!(shards.contains(":wake"), "{shards}");
        let info = node.command("CLUSTER INFO").await;
        let passed_on = "cluster_stats_messages_publish_sent";
        assert!(
            !info.contains(passed_on),
            "no node wakes the others: {info}"
        );
    }
    let request = |server: &TestServer| {
        let body = order("a", &[question("Once?", 4, 3), question("Twice?", 4, 2)]);
        let request = server.request("POST", "/api/analyze").json(&body);
        Reply::to(request.header("idempotency-key", "k1"))
    };
    let first = request(&servers[0]).await.expect(200);
    let second = request(&servers[1]).await.expect(200);
    assert_eq!(first["analysisId"], second["analysisId"]);
    assert_eq!(ai.calls(), 2);
    // Whoever takes a node for a server of its own is told.
    let url = nodes[0].url().replace("redis-cluster://", "redis://");
    let wrong = TestServer::with(&ai).env("REDIS_URL", url);
    let (code, said) = wrong.run_to_end().await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("write redis-cluster://"), "{said}");
}

#[tokio::test]
async fn a_wrong_address_stops_the_start_and_no_password_is_shown() {
    let Some(mut redis) = TestRedis::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let server = replica(&ai, &redis).await;
    redis.kill();
    eventually("the loss is logged", || async {
        server.log().contains("redis does not answer").then_some(())
    })
    .await;
    assert!(!server.log().contains(PASSWORD), "{}", server.log());
    let asked = Instant::now();
    let setup = TestServer::with(&ai).env("REDIS_URL", redis.url());
    let (code, said) = setup.run_to_end().await;
    assert_ne!(code, Some(0));
    assert!(said.contains("redis.url"), "{said}");
    assert!(!said.contains(PASSWORD), "{said}");
    assert!(asked.elapsed() < PATIENCE);
}
