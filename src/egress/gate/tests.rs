//! Over real loopback sockets: what passes, what does not, and that nothing outlives the gate.

use super::{
    super::{Fault, Policy, SystemResolver},
    *,
};
use crate::config;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const PATIENCE: Duration = Duration::from_secs(10);

/// A site that answers every request with what it was asked, and keeps raw connections open.
async fn site() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut asked = vec![0; 65_536];
                while let Ok(count @ 1..) = stream.read(&mut asked).await {
                    let body = String::from_utf8_lossy(&asked[..count]).into_owned();
                    let head = format!(
                        "HTTP/1.1 200 OK\r\nconnection: x-drop\r\nx-drop: 1\r\ncontent-length: {}\r\n\r\n",
                        body.len()
                    );
                    if stream.write_all((head + &body).as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

fn dialer(port: u16) -> Dialer {
    let config = config::Egress {
        ports: format!("80,{port}"),
        allowed_addresses: Some("127.0.0.1".into()),
        ..config::Egress::default()
    };
    Dialer::new(Policy::new(&config), Arc::new(SystemResolver), PATIENCE)
}

async fn gate(port: u16, bytes: u64, connections: u32) -> Gate {
    let opening = Opening {
        markup: None,
        budget: Budget { bytes, connections },
        deadline: Instant::now() + 3 * PATIENCE,
    };
    Gate::open(opening, dialer(port)).await.unwrap()
}

async fn dial(gate: &Gate) -> TcpStream {
    TcpStream::connect(gate.address).await.unwrap()
}

/// Sends a request and returns what has come by the time that `until` has, or the connection ends.
async fn exchange(stream: &mut TcpStream, request: &str, until: &str) -> String {
    let mut got = Vec::new();
    let reading = async {
        if stream.write_all(request.as_bytes()).await.is_err() {
            return;
        }
        while !String::from_utf8_lossy(&got).contains(until) {
            if !matches!(stream.read_buf(&mut got).await, Ok(1..)) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading)
        .await
        .expect("an answer in time");
    String::from_utf8_lossy(&got).into_owned()
}

#[tokio::test]
async fn plain_requests_pass_without_what_was_meant_for_the_proxy() {
    let port = site().await;
    let gate = gate(port, 100_000, 10).await;
    let mut client = dial(&gate).await;
    let request = format!(
        "GET http://127.0.0.1:{port}/a?b HTTP/1.1\r\nhost: other.example\r\nproxy-authorization: Basic x\r\n\
         connection: keep-alive, x-mine\r\nx-mine: 1\r\naccept: text/html\r\n\r\n"
    );
    for _ in 0..2 {
        let got = exchange(&mut client, &request, "text/html\r\n\r\n")
            .await
            .to_lowercase();
        assert!(
            got.starts_with("http/1.1 200 ok") && got.contains("get /a?b http/1.1\r\n"),
            "{got}"
        );
        assert!(
            got.contains(&format!("host: 127.0.0.1:{port}\r\n"))
                && got.contains("accept: text/html"),
            "{got}"
        );
        for gone in [
            "other.example",
            "proxy-authorization",
            "x-mine",
            "x-drop: 1",
        ] {
            assert!(!got.contains(gone), "{gone}: {got}");
        }
    }
    assert!(gate.meter().bytes() > 200);
}

#[tokio::test]
async fn tunnels_pass_and_end_with_the_gate() {
    let port = site().await;
    let gate = gate(port, 100_000, 10).await;
    let mut client = dial(&gate).await;
    let connect = format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\nhost: x\r\n\r\n");
    assert!(
        exchange(&mut client, &connect, "\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 200")
    );
    assert!(
        exchange(&mut client, "hello", "hello")
            .await
            .ends_with("hello")
    );
    let address = gate.address;
    drop(gate);
    let ended = tokio::time::timeout(PATIENCE, client.read(&mut [0; 1])).await;
    assert!(matches!(ended, Ok(Ok(0) | Err(_))), "{ended:?}");
    let closed = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, closed)
        .await
        .expect("the port is closed");
}

#[tokio::test]
async fn what_may_not_be_visited_is_refused_and_noted() {
    let port = site().await;
    let gate = gate(port, 100_000, 10).await;
    for (request, expected) in [
        (
            format!("CONNECT 127.0.0.2:{port} HTTP/1.1\r\nhost: x\r\n\r\n"),
            "403",
        ),
        (
            "CONNECT 127.0.0.1:22 HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
            "403",
        ),
        ("CONNECT a HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(), "400"),
        (
            format!("GET http://0x7f000002:{port}/ HTTP/1.1\r\nhost: x\r\n\r\n"),
            "403",
        ),
        (
            format!("GET http://8.8.8.8@127.0.0.1:{port}/ HTTP/1.1\r\nhost: x\r\n\r\n"),
            "400",
        ),
        (
            "GET ftp://127.0.0.1/ HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
            "400",
        ),
        (
            "GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".to_owned(),
            "400",
        ),
        (
            "GET http://127.0.0.1/ HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
            "502",
        ),
    ] {
        let got = exchange(&mut dial(&gate).await, &request, "\r\n\r\n").await;
        assert_eq!(got.split(' ').nth(1), Some(expected), "{request}: {got}");
    }
    assert_eq!(gate.meter().fault("127.0.0.2", port), Some(Fault::Blocked));
    assert_eq!(gate.meter().fault("127.0.0.1", 22), Some(Fault::Blocked));
    assert_eq!(gate.meter().fault("127.0.0.1", 80), Some(Fault::Refused));
    assert_eq!(gate.meter().fault("127.0.0.1", port), None);
}

#[tokio::test]
async fn the_budget_ends_connections() {
    let port = site().await;
    let gate = gate(port, 2_000, 2).await;
    let mut client = dial(&gate).await;
    let connect = format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\nhost: x\r\n\r\n");
    exchange(&mut client, &connect, "\r\n\r\n").await;
    let mut sent = 0;
    while !exchange(&mut client, &"x".repeat(500), "xx")
        .await
        .is_empty()
    {
        sent += 500;
        assert!(sent < 10_000, "it never ends");
    }
    assert!(gate.meter().is_exhausted());
    tokio::time::timeout(PATIENCE, gate.meter().exhausted())
        .await
        .unwrap();
    // The second connection is the last one.
    assert!(
        exchange(&mut dial(&gate).await, &connect, "\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 200")
    );
    assert_eq!(
        exchange(&mut dial(&gate).await, &connect, "\r\n\r\n").await,
        ""
    );
}

#[tokio::test]
async fn a_gate_with_markup_serves_that_alone() {
    let port = site().await;
    let opening = Opening {
        markup: Some("<p>é".into()),
        budget: Budget {
            bytes: 1_000,
            connections: 10,
        },
        deadline: Instant::now() + PATIENCE,
    };
    let gate = Gate::open(opening, dialer(port)).await.unwrap();
    let ask = |url: String| {
        let gate = &gate;
        async move {
            let request = format!("GET {url} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            exchange(&mut dial(gate).await, &request, "nothing that comes").await
        }
    };
    let got = ask(Gate::MARKUP_URL.to_owned()).await;
    assert!(
        got.contains("text/html; charset=utf-8") && got.ends_with("<p>é"),
        "{got}"
    );
    assert!(
        ask(format!("{}other", Gate::MARKUP_URL))
            .await
            .starts_with("HTTP/1.1 403")
    );
    assert!(
        ask(format!("http://127.0.0.1:{port}/"))
            .await
            .starts_with("HTTP/1.1 403")
    );
}
