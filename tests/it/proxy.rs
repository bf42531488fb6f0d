//! nginx as in production, with the project's own configuration, before real servers.

use crate::support::{
    Reply, Sse, StubAi, TestNginx, TestRedis, TestServer, eventually, order, question, soon,
};
use futures_util::StreamExt as _;
use reqwest::{Certificate, Client, Method, RequestBuilder};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use serde_json::{Value, json};
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
};

/// An address of this machine that is not exempt from the limits, as 127.0.0.1 is.
const SOMEBODY: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 7));

fn client(nginx: &TestNginx) -> reqwest::ClientBuilder {
    let certificate = Certificate::from_pem(&nginx.certificate()).expect("a certificate");
    Client::builder().no_proxy().tls_certs_only([certificate])
}

fn request(client: &Client, nginx: &TestNginx, method: Method, path: &str) -> RequestBuilder {
    client.request(method, format!("https://{}{path}", nginx.address))
}

/// Follows a channel over TLS.
async fn watch(nginx: &TestNginx, path: &str) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(&nginx.certificate()).expect("a certificate");
    roots.add(certificate).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().expect("TLS");
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let tls = Connector::Rustls(Arc::new(config));
    let url = format!("wss://{}{path}", nginx.address);
    let connected = Box::pin(connect_async_tls_with_config(url, None, true, Some(tls)));
    soon("the upgrade", connected).await.expect("an upgrade").0
}

async fn frame(socket: &mut WebSocketStream<MaybeTlsStream<TcpStream>>) -> Value {
    let message = soon("a frame", socket.next()).await;
    let text = message.expect("a message").expect("no error");
    serde_json::from_str(text.to_text().expect("text")).expect("JSON")
}

/// Two servers that are one through Redis, and nginx before them; `None` where one of these is missing.
async fn two_servers(ai: &StubAi) -> Option<(TestRedis, [TestServer; 2], TestNginx)> {
    let redis = TestRedis::start().await?;
    let server = || async {
        let server = TestServer::with(ai)
            .env("REDIS_URL", redis.url())
            .set("server.trusted_proxies", "127.0.0.1/32");
        server.start().await
    };
    let servers = [server().await, server().await];
    let addresses = servers.each_ref().map(|server| server.address.as_str());
    let nginx = TestNginx::production(&addresses).await?;
    Some((redis, servers, nginx))
}

#[tokio::test]
async fn what_nginx_refuses_has_the_shape_of_the_api() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let Some(nginx) = TestNginx::production(&[&server.address]).await else {
        return;
    };
    let client = client(&nginx).build().unwrap();
    let get =
        |path: &str| request(&client, &nginx, Method::GET, path).header("x-request-id", "r-1");
    for (path, status, code) in [
        ("/metrics", 403, "forbidden"),
        ("/.env", 404, "not_found"),
        ("/assets/.git/config", 404, "not_found"),
    ] {
        let refused = Reply::to(get(path)).await;
        assert_eq!(refused.error(status), code, "{path}");
        assert_eq!(refused.header("x-request-id"), "r-1");
        assert!(
            refused
                .header("content-security-policy")
                .contains("frame-ancestors 'none'")
        );
        assert_eq!(refused.header("x-content-type-options"), "nosniff");
        assert!(
            refused
                .header("strict-transport-security")
                .contains("max-age=")
        );
    }
    let listed = Reply::to(get("/metrics").header("origin", "https://quiz.example")).await;
    assert_eq!(
        listed.header("access-control-allow-origin"),
        "https://quiz.example"
    );
    let other = Reply::to(get("/metrics").header("origin", "https://other.example")).await;
    assert_eq!(other.header("access-control-allow-origin"), "");
    let large = request(&client, &nginx, Method::POST, "/api/analyze").body(vec![b' '; 11 << 20]);
    assert_eq!(Reply::to(large).await.error(413), "too_large");
    // Nobody is behind it any more.
    drop(server);
    assert_eq!(
        Reply::to(get("/api/channels/hall")).await.error(503),
        "overloaded"
    );
}

#[tokio::test]
async fn a_flood_is_told_to_wait_before_it_reaches_a_backend() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let Some(nginx) = TestNginx::production(&[&server.address]).await else {
        return;
    };
    let somebody = client(&nginx).local_address(SOMEBODY).build().unwrap();
    let exempt = client(&nginx).build().unwrap();
    let analyze = |client: &Client| {
        let request = request(client, &nginx, Method::POST, "/api/analyze");
        request.json(&order("hall", &[question("Known?", 2, 2)]))
    };
    let mut statuses = Vec::new();
    for _ in 0..8 {
        let reply = Reply::to(analyze(&somebody)).await;
        statuses.push(reply.status);
        if reply.status == 429 {
            assert_eq!(reply.error(429), "rate_limited");
        }
        Reply::to(analyze(&exempt)).await.expect(200);
    }
    // One a second, and three at once beside it.
    assert_eq!(statuses[..4], [200; 4]);
    assert!(statuses.contains(&429), "{statuses:?}");
    let refused = nginx.log();
    let refused = refused.iter().filter(|line| line["status"] == 429);
    for line in refused {
        assert_eq!(line["address"], SOMEBODY.to_string());
        assert_eq!(
            (&line["limited"], &line["upstream"]),
            (&json!("REJECTED"), &json!(""))
        );
    }
}

#[tokio::test]
async fn shows_reach_their_viewers_through_tls_as_they_happen() {
    let ai = StubAi::start().await;
    let Some((_redis, _servers, nginx)) = two_servers(&ai).await else {
        return;
    };
    let client = client(&nginx).build().unwrap();
    let mut socket = watch(&nginx, "/ws?channel=hall").await;
    assert_eq!(frame(&mut socket).await["type"], "connection");
    let mut events = Sse::open(request(
        &client,
        &nginx,
        Method::GET,
        "/events?channel=hall",
    ))
    .await;
    assert_eq!(events.data().await["type"], "connection");
    let display = request(&client, &nginx, Method::POST, "/api/channels/hall/display");
    Reply::to(display.json(&json!({ "answers": [2] })))
        .await
        .expect(200);
    // Neither is held back until a buffer is full.
    let (of_events, of_socket) = (events.data().await, frame(&mut socket).await);
    assert!(of_events["offset"].is_u64(), "{of_events}");
    assert_eq!(of_socket["offset"], of_events["offset"]);
}

#[tokio::test]
async fn pages_are_guarded_and_requests_keep_their_number() {
    let ai = StubAi::start().await;
    let Some((_redis, servers, nginx)) = two_servers(&ai).await else {
        return;
    };
    let client = client(&nginx).build().unwrap();
    let get =
        |path: &str| request(&client, &nginx, Method::GET, path).header("x-request-id", "r-42");
    for (path, framed) in [
        ("/stage/hall", false),
        ("/console", false),
        ("/overlay/hall", true),
    ] {
        let page = Reply::to(get(path)).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(
            page.header("strict-transport-security")
                .contains("max-age="),
            "{path}"
        );
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert!(
            page.header("content-security-policy")
                .contains("default-src 'none'"),
            "{path}"
        );
        assert_eq!(page.header("x-frame-options").is_empty(), framed, "{path}");
        assert_eq!(page.header("x-request-id"), "r-42");
        assert!(page.headers.get_all("x-request-id").iter().count() == 1);
    }
    // Both backends have had their share.
    for _ in 0..10 {
        Reply::to(get("/api/channels/hall")).await.expect(200);
    }
    let log = nginx.log();
    for server in &servers {
        assert!(
            log.iter()
                .any(|line| line["upstream"] == server.address.as_str()),
            "{log:?}"
        );
    }
    assert!(
        log.iter()
            .all(|line| line["request_id"] == "r-42" && line["tls"] == "TLSv1.3"),
        "{log:?}"
    );
    Reply::to(get("/health")).await.expect(200);
    assert_eq!(
        nginx.log().len(),
        log.len(),
        "who asks whether it lives is not logged"
    );
}

#[tokio::test]
async fn backends_are_replaced_without_a_failed_request() {
    let ai = StubAi::start().await;
    let Some((_redis, mut servers, nginx)) = two_servers(&ai).await else {
        return;
    };
    let (stop, served) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let client = client(&nginx).build().unwrap();
            let url = format!("https://{}/api/channels/hall", nginx.address);
            let (stop, served) = (Arc::clone(&stop), Arc::clone(&served));
            tokio::spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    let response = client.get(&url).send().await.expect("an answer");
                    let status = response.status();
                    let body = response.json::<Value>().await.expect("all of it");
                    assert_eq!(status, 200, "{body}");
                    served.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    let more = async || {
        let before = served.load(Ordering::SeqCst);
        eventually("calls are answered", || async {
            (served.load(Ordering::SeqCst) > before + 50).then_some(())
        })
        .await;
    };
    more().await;
    for server in &mut servers {
        server.terminate();
        assert_eq!(server.ended().await.code(), Some(0));
        more().await;
        server.start_again().await;
        // The next one goes when this one has its share again, as in a rollout.
        let before = nginx.log().len();
        eventually("it has its share", || async {
            let log = nginx.log();
            let mut lines = log.iter().skip(before);
            lines
                .any(|line| line["upstream"] == server.address.as_str())
                .then_some(())
        })
        .await;
    }
    stop.store(true, Ordering::SeqCst);
    for caller in callers {
        caller.await.expect("no call failed");
    }
}
