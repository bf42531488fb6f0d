//! Garbage on every route: clear errors in the one shape, no panic, and the server is as well afterwards as before.

mod bodies;
mod requests;
mod wire;

use crate::support::{TestServer, eventually, order, question, raw::RawReply};
use serde_json::{Value, json};

/// Checks that the server answers well, that nothing hangs in its mailboxes, and that it had no trouble of its own.
async fn is_well(server: &TestServer) {
    let answer = server
        .analyze(&order("afterwards", &[question("Well?", 3, 3)]))
        .await;
    assert_eq!(answer["answers"], json!([3]));
    eventually("every mailbox is empty", || async {
        let metrics = server.get("/metrics").await;
        let mut depths = metrics
            .text()
            .lines()
            .filter(|line| line.starts_with("actor_mailbox_depth{"));
        depths.all(|line| line.ends_with(" 0")).then_some(())
    })
    .await;
    assert!(!server.log().contains("ERROR"), "{}", server.log());
}

fn request(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n")
}

/// Checks the status of a bare reply, and returns the code in its body.
fn code(reply: &RawReply, status: u16) -> String {
    assert_eq!(reply.status(), Some(status), "{reply:?}");
    let body: Value = serde_json::from_str(reply.body()).unwrap_or_else(|_| panic!("{reply:?}"));
    assert_eq!(body["status"], "error");
    body["code"].as_str().unwrap().to_owned()
}
