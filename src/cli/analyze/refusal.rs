//! Why a server refused: the contract's error shape, in words for people.

use anyhow::anyhow;
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use std::fmt;

/// Longest error body that is read.
const MAX_BODY_BYTES: usize = 65_536;

/// The error shape, as far as people need it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Refusal {
    error: String,
    #[serde(default)]
    details: Vec<Detail>,
    retry_after: Option<u64>,
    request_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Detail {
    path: String,
    problem: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)?;
        for Detail { path, problem } in &self.details {
            write!(f, "\n  {path} {problem}")?;
        }
        // Some reasons name the time themselves.
        let told = self.error.contains("try again");
        if let Some(seconds) = self.retry_after.filter(|_| !told) {
            write!(f, "\n  try again in {seconds} s")?;
        }
        match &self.request_id {
            Some(id) if !id.is_empty() => write!(f, "\n  request {id}"),
            _ => Ok(()),
        }
    }
}

/// Reads why `server` refused, and adds what to do about it. `had_key` says whether an API key was sent.
pub(in crate::cli) async fn read(
    mut response: Response,
    server: &str,
    had_key: bool,
) -> anyhow::Error {
    let status = response.status();
    let mut body = Vec::new();
    while let Ok(Some(piece)) = response.chunk().await {
        body.extend_from_slice(&piece);
        if body.len() > MAX_BODY_BYTES {
            break;
        }
    }
    let advice = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if had_key => {
            "\n  the key in API_KEY is not this server's: set the right one"
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "\n  set API_KEY to the server's key",
        _ => "",
    };
    match serde_json::from_slice::<Refusal>(&body) {
        Ok(refusal) => anyhow!("{server} refused: {refusal}{advice}"),
        // A front such as nginx answers by itself.
        Err(_) if advice.is_empty() => {
            anyhow!("{server} answered {status}: is it the address of a quiz-stats server?")
        }
        Err(_) => anyhow!("{server} answered {status}{advice}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn told(status: u16, body: &'static str, had_key: bool) -> String {
        let response = http::Response::builder().status(status).body(body).unwrap();
        read(response.into(), "http://h", had_key).await.to_string()
    }

    #[tokio::test]
    async fn every_detail_is_told() {
        let body = r#"{"status":"error","code":"invalid_question","error":"Invalid question structure","requestId":"r1",
            "details":[{"path":"questions[3].answers","problem":"must have 2 to 26 entries, has 1"}],"retryAfter":null}"#;
        assert_eq!(
            told(400, body, false).await,
            "http://h refused: Invalid question structure\n  questions[3].answers must have 2 to 26 entries, has 1\n  request r1"
        );
    }

    #[tokio::test]
    async fn a_busy_server_says_when_to_come_back() {
        let body = r#"{"error":"too many requests","retryAfter":7}"#;
        assert!(
            told(429, body, true)
                .await
                .ends_with("\n  try again in 7 s")
        );
    }

    #[tokio::test]
    async fn a_missing_key_and_a_wrong_one_are_told_apart() {
        assert!(
            told(401, "<html>", false)
                .await
                .ends_with("set API_KEY to the server's key")
        );
        assert!(
            told(401, "{\"error\":\"no\"}", true)
                .await
                .contains("is not this server's")
        );
    }

    #[tokio::test]
    async fn another_server_is_doubted() {
        let told = told(404, "<html>", false).await;
        assert_eq!(
            told,
            "http://h answered 404 Not Found: is it the address of a quiz-stats server?"
        );
    }
}
