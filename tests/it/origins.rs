//! Pages of other sites: listed ones may call and watch, others may not.

use crate::support::{Reply, StubAi, TestServer, order, question};
use http::StatusCode;

const SITE: &str = "https://quiz.example";
const OTHER: &str = "https://evil.example";

async fn server(ai: &StubAi) -> TestServer {
    TestServer::with(ai)
        .env(
            "CORS_ALLOWED_ORIGINS",
            format!("http://localhost:5173,{SITE}"),
        )
        .start()
        .await
}

#[tokio::test]
async fn a_listed_site_may_call_and_read_the_answer() {
    let ai = StubAi::start().await;
    let server = server(&ai).await;
    let ask = |origin: &str| {
        let request = server.request("OPTIONS", "/api/analyze");
        let request = request.header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        Reply::to(request.header("access-control-request-headers", "content-type,x-api-key"))
    };
    let asked = ask(SITE).await;
    assert_eq!(asked.status, StatusCode::NO_CONTENT);
    assert_eq!(asked.header("access-control-allow-origin"), SITE);
    assert_eq!(asked.header("access-control-allow-methods"), "POST");
    assert!(
        asked
            .header("access-control-allow-headers")
            .contains("x-api-key")
    );
    assert_eq!(asked.header("access-control-max-age"), "7200");
    let refused = ask(OTHER).await;
    assert_eq!(refused.header("access-control-allow-origin"), "");
    assert!(
        refused.text().contains("CORS_ALLOWED_ORIGINS"),
        "{}",
        refused.text()
    );
    assert_eq!(refused.error(403), "forbidden");

    let call = |origin: &str| {
        let request = server
            .request("POST", "/api/analyze")
            .header("origin", origin);
        Reply::to(request.json(&order("hall", &[question("Whose?", 3, 2)])))
    };
    let answered = call(SITE).await;
    assert_eq!(answered.header("access-control-allow-origin"), SITE);
    assert_eq!(answered.header("vary"), "origin");
    let exposed = answered.header("access-control-expose-headers");
    assert!(exposed.contains("retry-after"), "{exposed}");
    answered.expect(200);
    // A browser does not give the answer to a page of another site.
    let kept = call(OTHER).await;
    assert_eq!(kept.header("access-control-allow-origin"), "");
    // An error is as readable as an answer.
    let nothing = server.request("GET", "/api/nothing").header("origin", SITE);
    let nothing = Reply::to(nothing).await;
    assert_eq!(nothing.header("access-control-allow-origin"), SITE);
    assert_eq!(nothing.error(404), "not_found");
}

#[tokio::test]
async fn a_server_of_one_machine_is_called_as_that_machine() {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    let port = server.address.rsplit(':').next().unwrap();
    let order = order("hall", &[question("Whose?", 3, 2)]);
    for (name, status) in [("localhost", 200), ("evil.example", 403)] {
        let host = format!("{name}:{port}");
        let request = server.request("POST", "/api/analyze").header("host", &host);
        let request = request.header("origin", format!("http://{host}"));
        let reply = Reply::to(request.json(&order)).await;
        assert_eq!(reply.status, status, "{host}: {}", reply.text());
    }
}

#[tokio::test]
async fn a_websocket_is_not_for_pages_of_other_sites() {
    let ai = StubAi::start().await;
    let server = server(&ai).await;
    let own = format!("http://{}", server.address);
    for (origin, status) in [(SITE, 101), (&own, 101), (OTHER, 403), ("null", 403)] {
        for path in ["/ws?channel=hall", "/"] {
            let request = server.upgrade(path).header("origin", origin);
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), status, "{origin} {path}");
        }
    }
}
