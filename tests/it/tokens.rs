//! Tokens (JWT) that somebody else issues: who may do what with one, and where the issuer's keys come from.

use crate::support::{
    Reply, Site, StubAi, TestServer, eventually, order, question,
    site::Answer,
    soon,
    token::{IssuerKey, SECRET, claims, hs256},
};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

async fn post(server: &TestServer, token: &str, path: &str, body: &Value) -> Reply {
    let request = server.request("POST", path).bearer_auth(token);
    Reply::to(request.json(body)).await
}

#[tokio::test]
async fn a_token_is_good_for_what_it_says() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .env("JWT_SECRET", SECRET)
        .set("server.host", "127.0.0.1")
        .start()
        .await;
    let hall = order("hall", &[question("Whose?", 3, 2)]);
    let lobby = order("lobby", &[question("Whose?", 3, 2)]);
    let mut anna = claims("anna", &["analyze"], 60);
    anna["channels"] = json!(["hall"]);
    let anna = hs256(&anna);
    post(&server, &anna, "/api/analyze", &hall)
        .await
        .expect(200);
    let other = post(&server, &anna, "/api/analyze", &lobby).await;
    assert_eq!(other.error(403), "forbidden");
    let display = "/api/channels/hall/display";
    let other = post(&server, &anna, display, &json!({ "answers": [1] })).await;
    assert!(other.text().contains("publish"), "{}", other.text());
    assert_eq!(other.error(403), "forbidden");
    let admin = hs256(&claims("root", &["admin"], 60));
    post(&server, &admin, display, &json!({ "answers": [1] }))
        .await
        .expect(200);

    let expired = hs256(&json!({ "sub": "anna", "roles": ["admin"], "exp": 1_000_000_000 }));
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", admin.split('.').nth(1).unwrap());
    let forged = format!("{}x", admin);
    for (token, told) in [
        (expired, "has expired"),
        (unsigned, "cannot be read"),
        (forged, "wrong signature"),
        ("a-key".to_owned(), "not known"),
    ] {
        let refused = post(&server, &token, "/api/analyze", &hall).await;
        assert!(refused.text().contains(told), "{}", refused.text());
        assert_eq!(refused.header("www-authenticate"), "Bearer");
        assert_eq!(refused.error(401), "unauthenticated");
        assert!(!server.log().contains(&token), "{}", server.log());
    }
    // A token is a token, not a key; and nothing is one in the address.
    let as_key = server.request("POST", "/api/analyze");
    let as_key = Reply::to(as_key.header("x-api-key", &admin).json(&hall)).await;
    assert_eq!(as_key.error(401), "unauthenticated");
    let path = format!("/api/analyze?access_token={admin}");
    assert_eq!(
        server.post(&path, &hall).await.error(401),
        "unauthenticated"
    );
    eventually("the audit log names the subject", || async {
        server.log().contains("subject=\"anna\"").then_some(())
    })
    .await;
}

#[tokio::test]
async fn subjects_have_an_allowance_each() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .env("JWT_SECRET", SECRET)
        .set("server.host", "127.0.0.1")
        .set("rate_limiter.general_per_second", 1)
        .set("rate_limiter.general_burst", 50)
        .start()
        .await;
    let left = async |subject: &str, lasts: u64| {
        let token = hs256(&claims(subject, &["analyze"], lasts));
        let listed = Reply::to(server.request("GET", "/api/analyses").bearer_auth(token)).await;
        listed.header("ratelimit-remaining").parse::<u32>().unwrap()
    };
    assert_eq!(left("anna", 60).await, 49);
    assert_eq!(left("anna", 90).await, 48, "another token of hers");
    assert_eq!(left("ben", 60).await, 49);
}

#[tokio::test]
async fn published_keys_are_fetched_kept_and_changed_for_new_ones() {
    let (old, new) = (IssuerKey::new("2025"), IssuerKey::new("2026"));
    let published = Arc::new(Mutex::new(Some(json!({ "keys": [old.jwk()] }))));
    let issuer = Site::start({
        let published = Arc::clone(&published);
        move |_| match &*published.lock().unwrap() {
            Some(set) => Answer::page(set.to_string()).header("content-type", "application/json"),
            None => Answer::status(500),
        }
    })
    .await;
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set(
            "jwt.jwks_url",
            format!("http://{}/jwks.json", issuer.address),
        )
        .set("jwt.issuer", "https://id.example")
        .set("jwt.jwks_pause_ms", 500)
        .set("server.host", "127.0.0.1")
        .start()
        .await;
    let list = async |key: &IssuerKey| {
        let mut claims = claims("anna", &["analyze"], 60);
        claims["iss"] = json!("https://id.example");
        let request = server.request("GET", "/api/analyses");
        Reply::to(request.bearer_auth(key.sign(&claims)))
            .await
            .status
    };
    for _ in 0..20 {
        assert_eq!(list(&old).await, 200);
    }
    assert_eq!(issuer.visits().len(), 1, "kept");
    // A key that nobody knows is looked for, but not each time.
    for _ in 0..50 {
        assert_eq!(list(&new).await, 401);
    }
    assert!(issuer.visits().len() <= 20, "{}", issuer.visits().len());
    *published.lock().unwrap() = Some(json!({ "keys": [new.jwk()] }));
    eventually("the new key is known", || async {
        (list(&new).await == 200).then_some(())
    })
    .await;
    assert_eq!(list(&old).await, 401, "the issuer has taken it back");
    // An issuer that is away is no reason to refuse what is known.
    *published.lock().unwrap() = None;
    assert_eq!(list(&new).await, 200);
    eventually("the server tries in vain", || async {
        assert_eq!(list(&old).await, 401);
        server.log().contains("cannot fetch the keys").then_some(())
    })
    .await;
    assert_eq!(list(&new).await, 200);
}

#[tokio::test]
async fn without_the_issuers_keys_nobody_can_say() {
    let ai = StubAi::start().await;
    for answer in [
        Answer::page("<h1>Oops</h1>"),
        Answer::redirect("https://evil.example/jwks.json"),
        Answer::page("{}").after(Duration::from_secs(60)),
        Answer::page("{\"keys\": [").endless(),
    ] {
        let issuer = Site::start(move |_| answer.clone()).await;
        let server = TestServer::with(&ai)
            .env("API_KEY", "still-good")
            .set("jwt.jwks_url", format!("http://{}/", issuer.address))
            .set("jwt.jwks_timeout_ms", 500)
            .set("jwt.audience", "quiz")
            .set("server.host", "127.0.0.1")
            .start()
            .await;
        let list = |token: String| {
            let request = server.request("GET", "/api/analyses");
            Reply::to(request.bearer_auth(token))
        };
        let token = IssuerKey::new("a").sign(&claims("anna", &["analyze"], 60));
        // The stranger is not charged for it, however often it asks.
        for _ in 0..12 {
            let refused = soon("an answer", list(token.clone())).await;
            assert_eq!(refused.header("retry-after"), "5");
            assert_eq!(refused.error(503), "overloaded");
        }
        list("still-good".to_owned()).await.expect(200);
    }
}
