//! Who may watch: everybody, or those with a credential, by header, first message or ticket; and for how long.

use crate::support::{
    Program, Reply, Sse, StubAi, TestRedis, TestServer, Viewer,
    server::Setup,
    soon,
    token::{SECRET, claims, hs256},
};
use serde_json::json;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::Instant;

/// Only those with a credential watch.
fn closed(ai: &StubAi) -> Setup {
    TestServer::with(ai)
        .env("JWT_SECRET", SECRET)
        .set("jwt.leeway_s", 0)
        .set("auth.anonymous_view", false)
        .set("server.host", "127.0.0.1")
}

/// Returns a token to watch the hall, for a number of seconds.
fn for_hall(lasts: u64) -> String {
    let mut claims = claims("screen", &["view"], lasts);
    claims["channels"] = json!(["hall"]);
    hs256(&claims)
}

async fn ticket(server: &TestServer, token: &str) -> String {
    let request = server.request("POST", "/api/tickets").bearer_auth(token);
    let issued = Reply::to(request).await;
    assert_eq!(issued.header("cache-control"), "no-store");
    issued.expect(200)["ticket"].as_str().unwrap().to_owned()
}

fn auth(token: &str) -> String {
    json!({ "type": "auth", "token": token }).to_string()
}

#[tokio::test]
async fn where_watching_is_for_some_a_credential_is_asked_for() {
    let ai = StubAi::start().await;
    let server = closed(&ai).start().await;
    let (screen, host) = (for_hall(60), hs256(&claims("host", &["publish"], 60)));
    for path in ["/api/channels/hall", "/events?channel=hall"] {
        assert_eq!(server.get(path).await.error(401), "unauthenticated");
        let with = |token: &str| server.request("GET", path).bearer_auth(token).send();
        assert_eq!(with(&host).await.unwrap().status(), 403, "{path}");
        assert_eq!(with(&screen).await.unwrap().status(), 200, "{path}");
    }
    let other = server.request("GET", "/events?channel=lobby");
    let other = Reply::to(other.bearer_auth(&screen)).await;
    assert_eq!(other.error(403), "forbidden");
    // The pages themselves hold nothing.
    for path in ["/stage/hall", "/overlay/hall", "/console"] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }

    let mut viewer = Viewer::stranger(&server, "/ws?channel=hall").await;
    viewer.say(&auth(&screen)).await;
    assert_eq!(viewer.next().await["type"], "connection");
    let refused = viewer
        .ask(&json!({ "type": "subscribe", "channel": "lobby" }))
        .await;
    assert_eq!(refused["code"], "forbidden");
    for first in [
        auth("guessed"),
        auth(&host),
        json!({ "type": "ping", "clientTime": 1 }).to_string(),
        "hello".to_owned(),
    ] {
        let mut viewer = Viewer::stranger(&server, "/ws?channel=hall").await;
        viewer.say(&first).await;
        assert_eq!(viewer.closed().await, Some(1008), "{first}");
    }
    let mut silent = Viewer::stranger(&server, "/ws?channel=hall").await;
    assert_eq!(silent.closed().await, Some(1008), "nobody waits for ever");
}

#[tokio::test]
async fn a_ticket_is_good_once() {
    let ai = StubAi::start().await;
    let server = closed(&ai).start().await;
    let without = Reply::to(server.request("POST", "/api/tickets")).await;
    assert_eq!(without.error(401), "unauthenticated");
    let first = ticket(&server, &for_hall(60)).await;
    assert!(first.starts_with("qt_") && first.len() > 40, "{first}");
    let path = format!("/ws?channel=hall&ticket={first}");
    let mut viewer = Viewer::open(&server, &path).await;
    assert_eq!(viewer.connection["channel"], "hall");
    viewer.say(&auth(&for_hall(60))).await;
    assert_eq!(viewer.next().await["type"], "authenticated");
    assert!(Viewer::at(&server.address, &path).await.is_none());
    // It is for its holder's channels, and for nothing but watching.
    let second = ticket(&server, &for_hall(60)).await;
    let lobby = format!("/events?channel=lobby&ticket={second}");
    assert_eq!(server.get(&lobby).await.error(403), "forbidden");
    let third = ticket(&server, &hs256(&claims("host", &["admin"], 60))).await;
    for path in ["/api/analyses", "/api/channels/hall"] {
        let path = format!("{path}?ticket={third}");
        assert_eq!(server.get(&path).await.error(401), "unauthenticated");
    }
    let stream = server.request("GET", &format!("/events?channel=lobby&ticket={third}"));
    let mut stream = Sse::open(stream).await;
    assert_eq!(stream.data().await["type"], "connection");
    assert!(!server.log().contains(&first), "{}", server.log());
}

#[tokio::test]
async fn a_credential_that_runs_out_ends_what_it_opened() {
    let ai = StubAi::start().await;
    let server = closed(&ai).start().await;
    let (began, token) = (Instant::now(), for_hall(5));
    let by_ticket = format!("/ws?channel=hall&ticket={}", ticket(&server, &token).await);
    let mut by_ticket = Viewer::open(&server, &by_ticket).await;
    let mut by_message = Viewer::stranger(&server, "/ws?channel=hall").await;
    by_message.say(&auth(&token)).await;
    let stream = server.request("GET", "/events?channel=hall");
    let mut stream = Sse::open(stream.bearer_auth(&token)).await;
    // Whoever brings a new one in time stays.
    let mut renewed = Viewer::stranger(&server, "/ws?channel=hall").await;
    renewed.say(&auth(&token)).await;
    assert_eq!(renewed.next().await["type"], "connection");
    renewed.say(&auth(&for_hall(60))).await;
    let told = renewed.next().await;
    assert!(told["expiresAt"].as_u64().is_some(), "{told}");

    // One for another channel keeps nothing open.
    let mut other = claims("lobby-screen", &["view"], 60);
    other["channels"] = json!(["lobby"]);
    let mut stray = Viewer::stranger(&server, "/ws?channel=hall").await;
    stray.say(&auth(&token)).await;
    assert_eq!(stray.next().await["type"], "connection");
    stray.say(&auth(&hs256(&other))).await;
    assert_eq!(stray.closed().await, Some(1008));

    assert_eq!(by_ticket.closed().await, Some(1008));
    assert_eq!(by_message.closed().await, Some(1008));
    soon("the end of the stream", async {
        while stream.next().await.is_some() {}
    })
    .await;
    assert!(
        began.elapsed() >= Duration::from_secs(1),
        "not before its time"
    );
    let pong = renewed
        .ask(&json!({ "type": "ping", "clientTime": 7 }))
        .await;
    assert_eq!(pong["clientTime"], 7);
    let again = server.request("GET", "/events?channel=hall");
    let again = Reply::to(again.bearer_auth(&token)).await;
    assert_eq!(again.error(401), "unauthenticated");
}

#[tokio::test]
async fn a_ticket_of_one_process_is_good_on_another_and_still_once() {
    let Some(redis) = TestRedis::start().await else {
        return;
    };
    let ai = StubAi::start().await;
    let server = async || {
        let server = closed(&ai).env("REDIS_URL", redis.url());
        server.start().await
    };
    let (one, other) = (server().await, server().await);
    let ticket = ticket(&one, &for_hall(60)).await;
    let path = format!("/ws?channel=hall&ticket={ticket}");
    assert_eq!(
        Viewer::open(&other, &path).await.connection["channel"],
        "hall"
    );
    for server in [&one, &other] {
        assert!(Viewer::at(&server.address, &path).await.is_none());
    }
}

#[tokio::test]
async fn where_everybody_may_watch_a_wrong_credential_is_still_wrong() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .env("API_KEY", "good-for-everything")
        .set("server.host", "127.0.0.1")
        .start()
        .await;
    let mut viewer = Viewer::join(&server, "hall").await;
    viewer.say(&auth("good-for-everything")).await;
    assert_eq!(viewer.next().await["type"], "authenticated");
    viewer.say(&auth("nothing")).await;
    assert_eq!(viewer.closed().await, Some(1008));
    let wrong = server.request("GET", "/events").bearer_auth("nothing");
    assert_eq!(Reply::to(wrong).await.error(401), "unauthenticated");
    let wrong = server.get("/events?ticket=qt_0").await;
    assert_eq!(wrong.error(401), "unauthenticated");
}

#[tokio::test]
async fn the_terminal_watches_with_the_key_too() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .env("API_KEY", "good-for-everything")
        .set("auth.anonymous_view", false)
        .set("server.host", "127.0.0.1")
        .start()
        .await;
    let folder = TempDir::new().unwrap();
    let watch = || Program::new(folder.path(), &["watch", &server.address]);
    let mut watching = watch().env("API_KEY", "good-for-everything").start();
    assert_eq!(watching.line().await, "connected to channel default");
    watching.signal("TERM");
    watching.ended().await;
    for refused in [watch(), watch().env("API_KEY", "nothing")] {
        let said = refused.run().await;
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.stderr.contains("API_KEY"), "{said:?}");
    }
}
