//! A rolling replacement: two processes behind nginx, one after the other, under load. No event is lost.

use crate::support::{PATIENCE, StubAi, TestNginx, TestRedis, TestServer, Viewer, eventually};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{sync::watch, time::sleep};

/// Pause of whoever was not served.
const AGAIN: Duration = Duration::from_millis(20);

/// Publishes through nginx until told to stop, whatever the answers, and notes the offsets that were acknowledged.
async fn publish(address: String, acknowledged: Arc<Mutex<Vec<u64>>>, stop: Arc<AtomicBool>) {
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE);
    let client = client.build().unwrap();
    let url = format!("http://{address}/api/channels/hall/display");
    while !stop.load(Ordering::SeqCst) {
        let body = json!({ "answers": [1], "whenBusy": "replace" });
        match client.post(&url).json(&body).send().await {
            Ok(response) if response.status() == 200 => {
                // An answer that breaks off acknowledges nothing.
                if let Ok(answer) = response.json::<Value>().await {
                    let offset = answer["position"]["offset"].as_u64().unwrap();
                    acknowledged.lock().unwrap().push(offset);
                }
            }
            Ok(response) => {
                let status = response.status().as_u16();
                assert!([502, 503, 504].contains(&status), "{status}");
                sleep(AGAIN).await;
            }
            Err(_) => sleep(AGAIN).await,
        }
    }
}

/// Watches through nginx, and comes back with its position whenever it is sent away. Returns the offsets up to the last,
/// and how often it came back.
async fn watch(address: String, mut last: watch::Receiver<u64>) -> (Vec<u64>, u32) {
    let (mut offsets, mut position, mut returns) = (Vec::new(), None::<(String, u64)>, 0);
    loop {
        let path = match &position {
            None => "/ws?channel=hall".to_owned(),
            Some((epoch, offset)) => format!("/ws?channel=hall&epoch={epoch}&offset={offset}"),
        };
        let Some(mut viewer) = Viewer::at(&address, &path).await else {
            sleep(AGAIN).await;
            continue;
        };
        if position.is_some() {
            assert_eq!(viewer.connection["recovered"], true);
            returns += 1;
        }
        loop {
            if offsets.last().copied() >= Some(*last.borrow_and_update()) {
                return (offsets, returns);
            }
            let frame = tokio::select! {
                frame = viewer.step() => frame,
                _ = last.changed() => continue,
            };
            let Ok(frame) = frame else { break };
            offsets.extend(frame["offset"].as_u64());
            position.clone_from(&viewer.position);
        }
    }
}

#[tokio::test]
async fn a_rolling_replacement_behind_nginx_loses_nothing() {
    let Some(redis) = TestRedis::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let mut servers = Vec::new();
    for _ in 0..2 {
        let server = TestServer::with(&ai)
            .env("REDIS_URL", redis.url())
            .set("journal.max_events", 100_000);
        servers.push(server.start().await);
    }
    let addresses: Vec<_> = servers
        .iter()
        .map(|server| server.address.clone())
        .collect();
    let addresses: Vec<_> = addresses.iter().map(String::as_str).collect();
    let Some(nginx) = TestNginx::start(&addresses).await else {
        return;
    };
    // Nothing is the last before all is published.
    let (last, told) = watch::channel(u64::MAX);
    let viewers: Vec<_> = (0..24)
        .map(|_| tokio::spawn(watch(nginx.address.clone(), told.clone())))
        .collect();
    let viewers_there = || async {
        let channel = servers[0].get("/api/channels/hall").await.expect(200);
        (channel["viewers"] == 24).then_some(())
    };
    eventually("all watch", viewers_there).await;
    let (acknowledged, stop) = (Arc::<Mutex<Vec<u64>>>::default(), Arc::default());
    let publishers: Vec<_> = (0..4)
        .map(|_| {
            let acknowledged = Arc::clone(&acknowledged);
            tokio::spawn(publish(
                nginx.address.clone(),
                acknowledged,
                Arc::clone(&stop),
            ))
        })
        .collect();
    let more = async |so_many: usize| {
        let before = acknowledged.lock().unwrap().len();
        eventually("events flow", || async {
            (acknowledged.lock().unwrap().len() >= before + so_many).then_some(())
        })
        .await;
    };
    more(15).await;
    for server in &mut servers {
        server.terminate();
        assert_eq!(server.ended().await.code(), Some(0));
        more(15).await;
        server.start_again().await;
        more(15).await;
    }
    stop.store(true, Ordering::SeqCst);
    for publisher in publishers {
        publisher.await.unwrap();
    }
    let channel = servers[0].get("/api/channels/hall").await.expect(200);
    let end = channel["position"]["offset"].as_u64().unwrap();
    last.send_replace(end);
    let mut returns = 0;
    for viewer in viewers {
        let (offsets, returned) = viewer.await.unwrap();
        // All events in order, without hole or double: so every acknowledged one, too.
        assert_eq!(offsets, (1..=end).collect::<Vec<_>>());
        returns += returned;
    }
    assert!(
        returns >= 24,
        "each was sent away by one of the two: {returns}"
    );
    let mut acknowledged = acknowledged.lock().unwrap().clone();
    acknowledged.sort_unstable();
    assert!(acknowledged.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(acknowledged.last().is_some_and(|offset| *offset <= end));
}
