//! A running server answers: one request, the results as they come.

use super::sse::Decoder;
use crate::{
    analysis::{QuestionResult, Report},
    quiz::Question,
};
use anyhow::{Context as _, anyhow, bail};
use reqwest::{Response, StatusCode, Url, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest silence between two pieces of the answer: the server ends an analysis long before.
const READ_TIMEOUT: Duration = Duration::from_secs(300);
/// Longest error body that is read.
const MAX_ERROR_BYTES: usize = 65_536;

/// What the server is asked.
#[derive(Serialize)]
pub(super) struct Request<'a> {
    pub(super) questions: &'a [Question],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) channel: Option<&'a str>,
    pub(super) animate: bool,
}

/// The contract's error shape, as far as people need it.
#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    details: Vec<Detail>,
    #[serde(default, rename = "requestId")]
    request_id: Option<String>,
}

#[derive(Deserialize)]
struct Detail {
    path: String,
    problem: String,
}

/// Asks the server at `base` and hands on each result as it is ready.
///
/// # Errors
/// Whatever kept the report from coming, in words for people.
pub(super) async fn run(
    base: &Url,
    api_key: Option<&SecretString>,
    request: &Request<'_>,
    mut on_result: impl FnMut(&QuestionResult),
) -> anyhow::Result<Report> {
    let url = base
        .join("/api/analyze")
        .context("the server's address cannot take a path")?;
    let client = reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .build()
        .context("cannot start an HTTP client")?;
    let mut call = client
        .post(url)
        .header(header::ACCEPT, "text/event-stream")
        .json(request);
    if let Some(key) = api_key {
        call = call.bearer_auth(key.expose_secret());
    }
    // The address is named by the caller; the error's own text would repeat it with everything in it.
    let response = call
        .send()
        .await
        .map_err(|error| anyhow!(error.without_url()))
        .context(format!("cannot reach {base}"))?;
    if !response.status().is_success() {
        return Err(refusal(response).await);
    }
    let is_stream = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"));
    if is_stream {
        stream(response, &mut on_result).await
    } else {
        Ok(response.json().await?)
    }
}

async fn stream(
    mut response: Response,
    on_result: &mut impl FnMut(&QuestionResult),
) -> anyhow::Result<Report> {
    let mut decoder = Decoder::default();
    while let Some(piece) = response
        .chunk()
        .await
        .context("the connection broke before the end")?
    {
        for event in decoder.feed(&piece)? {
            match event.name.as_str() {
                "result" => on_result(
                    &serde_json::from_str(&event.data).context("the server sent an odd result")?,
                ),
                "done" => {
                    return serde_json::from_str(&event.data)
                        .context("the server sent an odd report");
                }
                "error" => {
                    let refusal: Refusal = serde_json::from_str(&event.data)
                        .context("the server sent an odd error")?;
                    bail!("{}", in_words(&refusal));
                }
                // Events of a later version.
                _ => {}
            }
        }
    }
    bail!("the server ended before the analysis did")
}

/// Reads why the server refused.
async fn refusal(mut response: Response) -> anyhow::Error {
    let status = response.status();
    let mut body = Vec::new();
    while let Ok(Some(piece)) = response.chunk().await {
        body.extend_from_slice(&piece);
        if body.len() > MAX_ERROR_BYTES {
            break;
        }
    }
    let reason = serde_json::from_slice(&body).map_or_else(
        |_| format!("the server answered {status}"),
        |refusal| in_words(&refusal),
    );
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            anyhow!("{reason}; give the server's key in API_KEY")
        }
        StatusCode::NOT_FOUND => anyhow!("{reason}: is this the address of a quiz-stats server?"),
        _ => anyhow!("{reason}"),
    }
}

fn in_words(refusal: &Refusal) -> String {
    let details = refusal
        .details
        .iter()
        .map(|detail| format!("\n  {} {}", detail.path, detail.problem));
    let id = refusal
        .request_id
        .iter()
        .map(|id| format!("\n  request {id}"));
    std::iter::once(refusal.error.clone())
        .chain(details)
        .chain(id)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Status;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    const REPORT: &str = r#"{"status":"success","answers":[2],"questionCount":1,"message":"m","analysisId":"a","channel":"default",
        "position":null,"results":[],"usage":{"promptTokens":1,"completionTokens":1,"cachedQuestions":0,"coalescedQuestions":0},
        "timeline":null}"#;
    const RESULT: &str = r#"{"index":1,"id":null,"answer":2,"selected":[2],"confidence":0.9,"probabilities":[0.1,0.9],
        "source":"model","model":"m","method":"logprobs","calls":1,"flags":[],"error":null}"#;

    /// Answers one request with `head` and `body`; returns the request, the outcome and the results handed on.
    async fn asked(head: &str, body: &str) -> (String, anyhow::Result<Report>, Vec<u32>) {
        let _already_there = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base: Url = format!("http://{}/", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let answer = format!(
            "HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let server = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\"animate\":false}") {
                assert_ne!(socket.read_buf(&mut request).await.unwrap(), 0);
            }
            socket.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(request).unwrap()
        });
        let request = Request {
            questions: &[],
            channel: Some("stage"),
            animate: false,
        };
        let mut results = Vec::new();
        let key = SecretString::from("k");
        let outcome = run(&base, Some(&key), &request, |result| {
            results.push(result.index);
        })
        .await;
        (server.await.unwrap(), outcome, results)
    }

    #[tokio::test]
    async fn results_come_one_by_one_and_then_the_report() {
        let line = |json: &str| json.replace('\n', " ");
        let body = format!(
            ": hello\n\nevent: result\ndata: {}\n\nevent: done\ndata: {}\n\n",
            line(RESULT),
            line(REPORT)
        );
        let (request, outcome, results) =
            asked("200 OK\r\ncontent-type: text/event-stream", &body).await;
        assert!(
            request.starts_with("POST /api/analyze HTTP/1.1\r\n"),
            "{request}"
        );
        assert!(
            request.contains("authorization: Bearer k\r\n")
                && request.contains("accept: text/event-stream\r\n")
        );
        assert!(request.ends_with(r#"{"questions":[],"channel":"stage","animate":false}"#));
        assert_eq!(
            (outcome.unwrap().status, results),
            (Status::Success, vec![1])
        );
    }

    #[tokio::test]
    async fn a_server_that_does_not_stream_is_understood_too() {
        let (_, outcome, _) = asked("200 OK\r\ncontent-type: application/json", REPORT).await;
        assert_eq!(outcome.unwrap().answers, [Some(2)]);
    }

    #[tokio::test]
    async fn refusals_are_told_with_every_detail() {
        let body = r#"{"status":"error","code":"invalid_question","error":"Invalid question structure","requestId":"r1",
            "details":[{"path":"questions[3].answers","problem":"must have 2 to 26 entries, has 1"}],"retryAfter":null}"#;
        let (_, outcome, _) = asked("400 Bad Request", body).await;
        let told = outcome.unwrap_err().to_string();
        assert_eq!(
            told,
            "Invalid question structure\n  questions[3].answers must have 2 to 26 entries, has 1\n  request r1"
        );
        let (_, outcome, _) = asked("401 Unauthorized", "<html>").await;
        assert!(outcome.unwrap_err().to_string().contains("API_KEY"));
    }

    #[tokio::test]
    async fn a_stream_that_ends_early_is_an_error() {
        let (_, outcome, _) =
            asked("200 OK\r\ncontent-type: text/event-stream", ": hello\n\n").await;
        assert!(outcome.unwrap_err().to_string().contains("ended before"));
    }
}
