//! Several keys: who may do what, on which channels, how often.

use crate::support::{Program, Reply, StubAi, TestServer, eventually, order, question};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Makes a key as an operator does; returns it with its line.
pub(crate) async fn new_key(args: &[&str]) -> (String, String) {
    let folder = TempDir::new().unwrap();
    let args = [&["key", "new"], args].concat();
    let said = Program::new(folder.path(), &args).run().await;
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let indented = |line: &str| line.strip_prefix("  ").map(ToOwned::to_owned);
    let mut told = said.stdout.lines().filter_map(indented);
    let (key, line) = (told.next().unwrap(), told.next().unwrap());
    assert!(!line.contains(&key), "only its hash is written down");
    (key, line)
}

#[tokio::test]
async fn keys_have_roles_channels_and_limits() {
    let (asks, first) = new_key(&["anna", "--roles", "analyze", "--channels", "hall"]).await;
    let (shows, second) = new_key(&["stage-manager", "--roles", "publish"]).await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keys");
    let lines = format!("# who may\n{first} analyze=7/9\n{second}\n");
    std::fs::write(&file, lines).unwrap();
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .env("QUIZ_STATS__AUTH__KEYS_FILE", file.display())
        .set("server.host", "127.0.0.1")
        .start()
        .await;
    let post = async |key: &str, path: &str, body: &Value| {
        let request = server.request("POST", path).header("x-api-key", key);
        Reply::to(request.json(body)).await
    };
    let hall = order("hall", &[question("Whose?", 3, 2)]);
    let analyzed = post(&asks, "/api/analyze", &hall).await;
    let limit = analyzed.header("ratelimit-limit");
    assert_eq!(limit, "9", "its own");
    let analysis = analyzed.expect(200);
    let other = order("lobby", &[question("Whose?", 3, 2)]);
    let refused = post(&asks, "/api/analyze", &other).await;
    assert!(refused.text().contains("hall"), "{}", refused.text());
    assert_eq!(refused.error(403), "forbidden");
    let show = json!({ "answers": [1] });
    let display = "/api/channels/hall/display";
    assert_eq!(post(&asks, display, &show).await.error(403), "forbidden");
    post(&shows, "/api/channels/lobby/display", &show)
        .await
        .expect(200);
    assert_eq!(
        post(&shows, "/api/analyze", &hall).await.error(403),
        "forbidden"
    );
    assert_eq!(
        post("qs_0", "/api/analyze", &hall).await.error(401),
        "unauthenticated"
    );
    // A key in the address is none.
    let path = format!("/api/analyze?api_key={asks}");
    let without = Reply::to(server.request("POST", &path).json(&hall)).await;
    assert_eq!(without.error(401), "unauthenticated");
    assert!(!server.log().contains(&asks), "{}", server.log());
    // What others had analysed is not this key's to see.
    let id = analysis["analysisId"].as_str().unwrap();
    let get = async |key: &str, path: &str| {
        Reply::to(server.request("GET", path).header("x-api-key", key)).await
    };
    get(&asks, &format!("/api/analyses/{id}")).await.expect(200);
    let listed = get(&asks, "/api/analyses").await.expect(200);
    assert_eq!(listed["analyses"][0]["analysisId"], *id);
    assert_eq!(
        get(&asks, "/api/analyses?channel=lobby").await.error(403),
        "forbidden"
    );
}

#[tokio::test]
async fn an_analysis_of_another_channel_is_as_good_as_unknown() {
    let (asks, line) = new_key(&["anna", "--roles", "analyze", "--channels", "hall,lobby"]).await;
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .env("API_KEY", "everything")
        .set("auth.keys", line)
        .set("server.host", "127.0.0.1")
        .start()
        .await;
    let request =
        |key: &str, method: &str, path: &str| server.request(method, path).header("x-api-key", key);
    let stage = order("stage", &[question("Whose?", 3, 2)]);
    let analyzed = request("everything", "POST", "/api/analyze").json(&stage);
    let analysis = Reply::to(analyzed).await.expect(200);
    let path = format!("/api/analyses/{}", analysis["analysisId"].as_str().unwrap());
    for method in ["GET", "DELETE"] {
        let reply = Reply::to(request(&asks, method, &path)).await;
        assert_eq!(reply.error(404), "not_found", "{method}");
    }
    Reply::to(request("everything", "GET", &path))
        .await
        .expect(200);
    let several = Reply::to(request(&asks, "GET", "/api/analyses")).await;
    assert!(several.text().contains("hall, lobby"), "{}", several.text());
    assert_eq!(several.error(400), "invalid_request");
}

#[tokio::test]
async fn keys_that_cannot_be_read_stop_the_start_and_say_where() {
    let ai = StubAi::start().await;
    let wrong = TestServer::with(&ai).set("auth.keys", "# mine\nanna sha256:12 roles=admin");
    let (code, said) = wrong.run_to_end().await;
    assert_eq!(code, Some(2), "{said}");
    for told in [
        "auth.keys",
        "line 2",
        "64 hexadecimal digits",
        "quiz-stats key new",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
}

#[tokio::test]
async fn others_are_served_without_a_key_only_where_that_is_meant() {
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("server.host", "0.0.0.0")
        .set("auth.allow_anonymous", true)
        .start()
        .await;
    assert!(
        server.log().contains("everybody who reaches"),
        "{}",
        server.log()
    );
    server
        .analyze(&order("hall", &[question("Open?", 3, 2)]))
        .await;
}

#[tokio::test]
async fn the_audit_log_says_who_did_what_and_nothing_that_is_secret() {
    let (key, line) = new_key(&["anna", "--roles", "analyze,publish"]).await;
    let ai = StubAi::start().await;
    let server = TestServer::with(&ai)
        .set("auth.keys", line)
        .set("server.host", "127.0.0.1")
        .set("log.format", "json")
        .start()
        .await;
    let post = async |key: &str, path: &str, body: &Value| {
        let request = server.request("POST", path).header("x-api-key", key);
        Reply::to(request.json(body).header("x-request-id", "r-1")).await
    };
    let hall = order("hall", &[question("Hush, hush?", 3, 2)]);
    post(&key, "/api/analyze", &hall).await.expect(200);
    post(
        &key,
        "/api/channels/hall/control",
        &json!({ "action": "stop" }),
    )
    .await;
    post(&key, "/api/analyze", &json!({ "questions": [] }))
        .await
        .error(400);
    post("qs_wrong", "/api/analyze", &hall).await.error(401);
    // Reading is not worth a line.
    let read = server
        .request("GET", "/api/analyses")
        .header("x-api-key", &key);
    Reply::to(read).await.expect(200);
    let lines = eventually("five lines", || async {
        let log = server.log();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let lines: Vec<_> = lines.filter(|line| line["target"] == "audit").collect();
        (lines.len() >= 5).then_some(lines)
    })
    .await;
    let told = |line: &Value| {
        let text = |name: &str| line[name].as_str().unwrap_or("-").to_owned();
        [
            text("key"),
            text("route"),
            text("channel"),
            text("outcome"),
            text("request_id"),
        ]
    };
    // What it cost is told at its end, also to those who did not wait for it, and by whom in the line of the call.
    assert!(
        lines[0]["tokens"].as_u64() > Some(0) && lines[0]["questions"] == 1,
        "{}",
        lines[0]
    );
    assert_eq!(lines[0]["analysis"], lines[1]["analysis"]);
    let lines: Vec<_> = lines.iter().map(told).collect();
    assert_eq!(
        lines,
        [
            ["-", "-", "hall", "done", "-"],
            ["anna", "/api/analyze", "hall", "done", "r-1"],
            [
                "anna",
                "/api/channels/{channel}/control",
                "hall",
                "done",
                "r-1"
            ],
            ["anna", "/api/analyze", "-", "invalid_request", "r-1"],
            ["-", "/api/analyze", "-", "unauthenticated", "r-1"],
        ]
    );
    let log = server.log();
    for secret in ["Hush", "qs_", &key] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}
