//! Loads that mean harm, from one address, while somebody from another goes about their business: all of it succeeds, and
//! the server is as large afterwards as before.

use crate::support::{Reply, StubAi, TestServer, eventually, order, question};
use futures_util::{StreamExt as _, future::join_all, stream};
use serde_json::json;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::Instant,
};

/// Whose business it is. The harm comes from another address of this machine.
const GUEST: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const VILLAIN: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));
/// Calls of the guest in each measurement.
const CALLS: usize = 200;
/// What the server may have grown by, in KiB: what the allocator keeps for the next time.
const KEPT_KIB: u64 = 24 * 1_024;
/// How slow its slowest hundredth may be in spite of all, on a machine with other work.
const BEARABLE: Duration = Duration::from_millis(1_500);

#[tokio::test]
async fn an_answer_that_nobody_reads_is_given_up() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("server.write_timeout_ms", 1_000)
        .start()
        .await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let address: SocketAddr = server.address.parse().unwrap();
    let stream = socket.connect(address).await.expect("the server accepts");
    // More than the buffers of both sides hold.
    let request = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(2_000);
    let mut left = request.as_bytes();
    eventually("the line is cut", || {
        let written = if left.is_empty() {
            stream.try_write(b"GET")
        } else {
            stream.try_write(left)
        };
        let cut = match written {
            Ok(count) => {
                left = left.get(count..).unwrap_or_default();
                None
            }
            Err(error) => (error.kind() != std::io::ErrorKind::WouldBlock).then_some(()),
        };
        async move { cut }
    })
    .await;
    assert_eq!(server.get("/readyz").await.status, 200);
}

async fn server(ai: &StubAi) -> TestServer {
    TestServer::with(ai)
        .set("server.header_timeout_ms", 2_000)
        .set("server.body_timeout_ms", 2_000)
        // Enough for the guest, who asks for less than all of it.
        .set("rate_limiter.general_per_second", 20)
        .set("rate_limiter.general_burst", 250)
        .start()
        .await
}

/// Does what a guest does, and returns how long the slowest hundredth of it took; fails when any of it does. On a thread of
/// its own: what the villain is busy with here is not the server's slowness.
async fn business(server: &TestServer) -> Duration {
    let address = server.address.clone();
    let guest = tokio::task::spawn_blocking(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(calls(address))
    });
    guest.await.expect("all of it succeeds")
}

async fn calls(address: String) -> Duration {
    let guest = reqwest::Client::builder().no_proxy().local_address(GUEST);
    let guest = guest.build().unwrap();
    let mut known = order("guest", &[question("Known?", 2, 2)]);
    known["whenBusy"] = json!("replace");
    let mut times = Vec::with_capacity(CALLS);
    for call in 0..CALLS {
        let began = Instant::now();
        let url = |path: &str| format!("http://{address}{path}");
        let request = match call % 4 {
            0 => guest.post(url("/api/analyze")).json(&known),
            1 => guest.get(url("/stage/guest")),
            2 => guest.get(url("/api/channels/guest")),
            _ => guest.get(url("/readyz")),
        };
        let reply = Reply::to(request).await;
        assert_eq!(reply.status, 200, "call {call}: {}", reply.text());
        times.push(began.elapsed());
    }
    times.sort();
    times[CALLS - CALLS / 100 - 1]
}

/// Measures in peace and while `harm` is done again and again, and that nothing of it stays.
async fn in_spite_of(what: &str, server: &TestServer, harm: impl AsyncFn()) {
    // The first time it makes what it keeps.
    business(server).await;
    let (quiet, before) = (business(server).await, server.memory_kib());
    let without_end = async {
        loop {
            harm().await;
        }
    };
    let loud = tokio::select! {
        () = without_end => unreachable!("it has no end"),
        loud = business(server) => loud,
    };
    harm().await;
    println!("{what}: p99 {loud:?}, in peace {quiet:?}");
    assert!(loud < (3 * quiet).max(BEARABLE), "{loud:?}, {quiet:?}");
    eventually("the memory is back", || async {
        (server.memory_kib() < before + KEPT_KIB).then_some(())
    })
    .await;
    assert!(!server.log().contains("ERROR"), "{}", server.log());
}

async fn connect(server: &TestServer) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(VILLAIN, 0)).unwrap();
    let address = server.address.parse().unwrap();
    socket.connect(address).await.expect("it accepts")
}

/// Sends on one connection, a little at a time, until the server has had enough.
async fn dribble(server: &TestServer, begin: &str, more: &str) {
    let mut stream = connect(server).await;
    let mut sent = stream.write_all(begin.as_bytes()).await;
    while sent.is_ok() {
        tokio::time::sleep(Duration::from_millis(100)).await;
        sent = stream.write_all(more.as_bytes()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_say_nothing_or_little() {
    let ai = StubAi::start().await;
    let server = server(&ai).await;
    in_spite_of("2,000 silent, 200 slow", &server, async || {
        let silent = join_all((0..2_000).map(|_| connect(&server))).await;
        let slow = (0..200).map(async |n: usize| {
            match n % 2 {
                0 => dribble(&server, "GET / HTTP/1.1\r\nHost: x\r\n", "A: b\r\n").await,
                _ => {
                    let head = "POST /api/analyze HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                                Content-Length: 100000\r\n\r\n";
                    dribble(&server, head, " ").await;
                }
            }
        });
        join_all(slow).await;
        // Each of them is sent away.
        for mut stream in silent {
            let mut said = Vec::new();
            let _ = stream.read_to_end(&mut said).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_what_is_wrong_and_what_is_too_much() {
    let ai = StubAi::start().await;
    let server = server(&ai).await;
    let villain = reqwest::Client::builder().no_proxy().local_address(VILLAIN);
    let villain = villain.build().unwrap();
    in_spite_of(
        "10,000 bad requests, 50 headers of 1 MB",
        &server,
        async || {
            let url = |path: &str| format!("http://{}{path}", server.address);
            let bad = stream::iter(0..10_000).map(|n| match n % 4 {
                0 => villain
                    .post(url("/api/analyze"))
                    .json(&json!({ "questions": n })),
                1 => villain
                    .post(url("/api/analyze"))
                    .header("content-type", "application/json")
                    .body("{\"a\":".repeat(20)),
                2 => villain.get(url(&format!("/nothing/{n}"))),
                _ => villain.get(url("/api/channels/%00")),
            });
            let answers = bad.map(Reply::to).buffer_unordered(16);
            let answers: Vec<Reply> = answers.collect().await;
            assert!(
                answers
                    .iter()
                    .all(|reply| (400..500).contains(&reply.status))
            );
            assert!(
                answers.iter().any(|reply| reply.status == 429),
                "it is held back"
            );
            for _ in 0..50 {
                let mut stream = connect(&server).await;
                let header = format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}", "b".repeat(1_000_000));
                // The server has seen enough before it has seen all.
                let _ = stream.write_all(header.as_bytes()).await;
                let mut said = Vec::new();
                let _ = stream.read_to_end(&mut said).await;
                assert!(
                    said.is_empty() || said.starts_with(b"HTTP/1.1 4"),
                    "{said:?}"
                );
            }
        },
    )
    .await;
}
