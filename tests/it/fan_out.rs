//! Many viewers, and slow ones: each gets every event once, and none makes another wait.

use crate::{
    support::{
        Reply, StubAi, TestServer, Viewer, eventually, soon,
        viewer::{assert_contiguous, offsets},
    },
    websocket::publish,
};
use tokio::{net::TcpSocket, sync::watch};

#[tokio::test]
async fn a_viewer_that_does_not_keep_up_is_closed_and_loses_nothing() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("broadcaster.max_queue_bytes", 65_536)
        .set("journal.max_bytes", 256 * 1024 * 1024)
        .start()
        .await;
    // A socket that holds little: the rest waits at the server.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let stream = socket
        .connect(server.address.parse().unwrap())
        .await
        .unwrap();
    let mut slow = Viewer::over(stream, &server, "/ws?channel=hall").await;
    let mut quick = Viewer::join(&server, "hall").await;
    let too_slow = r#"websocket_closed_total{reason="too_slow"}"#;
    let many = vec![4; 200];
    let mut frames = Vec::new();
    while server.metric(too_slow).await == 0.0 {
        publish(&server, "hall", &many).await;
        frames.push(quick.next().await);
        assert!(frames.len() < 500, "nobody minds that it reads nothing");
    }
    assert_eq!(slow.closed().await, Some(4008));
    // It comes back with its position, and has missed nothing.
    let last = publish(&server, "hall", &[1]).await;
    let seen = slow.position.clone().expect("it saw the first events");
    assert!(seen.1 < last);
    let mut slow = Viewer::rejoin(&server, "hall", &seen).await;
    assert_eq!(slow.connection["recovered"], true);
    let missed = slow.until(|frame| frame["offset"] == last).await;
    assert_eq!(offsets(&missed), (seen.1 + 1..=last).collect::<Vec<_>>());
    // Nobody else noticed.
    frames.push(quick.next().await);
    assert_contiguous(&frames);
    assert_eq!(quick.position.as_ref().unwrap().1, last);
}

#[tokio::test]
async fn whoever_joins_while_events_are_published_misses_none() {
    const EVENTS: u64 = 120;
    const VIEWERS: usize = 24;
    let ai = StubAi::start().await;
    // A short memory, so that some are served from the log, some from memory.
    let server = TestServer::with(&ai)
        .set("broadcaster.recent_events", 8)
        .start()
        .await;
    let published = watch::Sender::new(0);
    let publishing = async {
        for _ in 0..EVENTS {
            published.send_replace(publish(&server, "hall", &[1]).await);
        }
    };
    let viewers = (0..VIEWERS).map(|number| {
        let (server, mut published) = (&server, published.subscribe());
        async move {
            // Spread over the whole time: each joins when the stream has come to a place of its own.
            let place = EVENTS * number as u64 / VIEWERS as u64;
            soon(
                "the stream's progress",
                published.wait_for(|offset| *offset >= place),
            )
            .await
            .unwrap();
            let mut viewer = Viewer::join(server, "hall").await;
            let first = viewer.connection["position"]["offset"]
                .as_u64()
                .unwrap_or(0)
                + 1;
            if number % 3 == 0 && first < EVENTS {
                // Every third one leaves in the middle and comes back for the rest.
                let mut frames = vec![viewer.next().await];
                let left = viewer.position.clone().unwrap();
                drop(viewer);
                viewer = Viewer::rejoin(server, "hall", &left).await;
                assert_eq!(viewer.connection["recovered"], true);
                if left.1 < EVENTS {
                    frames.extend(viewer.until(|frame| frame["offset"] == EVENTS).await);
                }
                return (first, frames);
            }
            match first <= EVENTS {
                true => (first, viewer.until(|frame| frame["offset"] == EVENTS).await),
                false => (first, Vec::new()),
            }
        }
    });
    let (seen, ()) = tokio::join!(futures_util::future::join_all(viewers), publishing);
    for (first, frames) in seen {
        assert_eq!(offsets(&frames), (first..=EVENTS).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_full_house_says_so() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("broadcaster.max_viewers", 2)
        .start()
        .await;
    let (first, _second) = (
        Viewer::join(&server, "hall").await,
        Viewer::join(&server, "other").await,
    );
    for request in [server.request("GET", "/events"), server.upgrade("/ws")] {
        assert_eq!(Reply::to(request).await.error(503), "overloaded");
    }
    drop(first);
    eventually("there is a place again", || async {
        let response = server.request("GET", "/events").send().await.unwrap();
        (response.status() == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_address_has_so_many_viewers_and_a_trusted_proxy_tells_which() {
    let server = TestServer::without_ai()
        .set("broadcaster.max_viewers_per_address", 1)
        .set("server.trusted_proxies", "127.0.0.1")
        .bind()
        .await;
    let events = |client: &'static str| {
        let request = server
            .request("GET", "/events")
            .header("x-forwarded-for", client);
        async { request.send().await.unwrap() }
    };
    let first = events("192.0.2.1").await;
    assert_eq!(first.status(), 200);
    let second = Reply::to(
        server
            .request("GET", "/events")
            .header("x-forwarded-for", "192.0.2.1"),
    );
    let second = second.await;
    assert_eq!(second.error(503), "overloaded");
    assert!(
        second.text().contains("max_viewers_per_address"),
        "{}",
        second.text()
    );
    // What a client writes itself stands before what the proxy adds.
    let forged = Reply::to(
        server
            .request("GET", "/events")
            .header("x-forwarded-for", "203.0.113.9, 192.0.2.1"),
    );
    assert_eq!(forged.await.status, 503);
    let other = events("192.0.2.2").await;
    assert_eq!(other.status(), 200);
    drop(first);
    eventually("its place is free", || async {
        (events("192.0.2.1").await.status() == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn viewers_that_arrive_all_at_once_are_told_to_come_back() {
    let server = TestServer::without_ai()
        .set("broadcaster.max_arrivals_per_second", 2)
        .bind()
        .await;
    let mut refused = 0;
    for _ in 0..20 {
        let reply = server.request("GET", "/events").send().await.unwrap();
        refused += usize::from(reply.status() == 503);
    }
    assert!(refused > 0, "four at once, then two in a second");
    eventually("one may come again", || async {
        (server
            .request("GET", "/events")
            .send()
            .await
            .unwrap()
            .status()
            == 200)
            .then_some(())
    })
    .await;
}

/// Benchmarks measure it (docs/benchmarks.md). This finds a buffer that is kept for every viewer: hyper's alone has
/// 16 KiB.
#[tokio::test]
async fn an_idle_viewer_costs_little_memory() {
    const VIEWERS: u64 = 500;
    const MOST_KIB: u64 = 6;
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    // One after the other: what many handshakes need at the same time is not given back at once.
    let join = async |count: u64| {
        let mut viewers = Vec::new();
        for _ in 0..count {
            viewers.push(Viewer::join(&server, "hall").await);
        }
        viewers
    };
    // What the first viewers make it allocate once.
    let _first = join(50).await;
    let before = server.memory_kib();
    let _viewers = join(VIEWERS).await;
    let each = server.memory_kib().saturating_sub(before) / VIEWERS;
    assert!(each <= MOST_KIB, "{each} KiB per viewer");
}
