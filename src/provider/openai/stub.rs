//! A scripted HTTP server for tests: answers each request with the next step, and keeps what was asked.

use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How to answer one request.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// With a status line's end, further header lines and a body.
    Answer {
        status: &'static str,
        headers: String,
        body: String,
    },
    /// With a header that promises more than is sent, then the end of the connection.
    BrokenOff,
    /// With one byte after another, for ever.
    Drip,
    /// With a body without end.
    Huge,
}

/// A completion whose text is `content`.
pub(super) fn completion(content: &str) -> Step {
    ok(&json!({
        "choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10},
    })
    .to_string())
}

/// Status 200 with any body.
pub(super) fn ok(body: &str) -> Step {
    answer("200 OK", "", body)
}

/// An error in OpenAI's form.
pub(super) fn error(status: &'static str, error: Value) -> Step {
    answer(status, "", &json!({"error": error}).to_string())
}

/// Any answer; `headers` are whole lines.
pub(super) fn answer(status: &'static str, headers: &str, body: &str) -> Step {
    Step::Answer {
        status,
        headers: headers.to_owned(),
        body: body.to_owned(),
    }
}

/// The running server.
#[derive(Debug)]
pub(super) struct Stub {
    /// Its base address.
    pub(super) base_url: String,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
    task: JoinHandle<()>,
}

impl Stub {
    /// Starts a server that answers with `script`, in order; a request too many gets status 599.
    pub(super) async fn start(script: Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            let mut script = script.into_iter();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read(&mut stream).await;
                log.lock().unwrap().push(request);
                let step = script
                    .next()
                    .unwrap_or_else(|| answer("599 Script Ended", "", ""));
                // The client may hang up first; that is what some tests are about.
                let _ = play(&mut stream, step).await;
            }
        });
        Self {
            base_url,
            asked,
            task,
        }
    }

    /// Returns the bodies asked so far.
    pub(super) fn bodies(&self) -> Vec<Value> {
        self.asked
            .lock()
            .unwrap()
            .iter()
            .map(|(_, body)| body.clone())
            .collect()
    }

    /// Returns the heads of the requests so far: request line and headers.
    pub(super) fn heads(&self) -> Vec<String> {
        self.asked
            .lock()
            .unwrap()
            .iter()
            .map(|(head, _)| head.clone())
            .collect()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(stream: &mut TcpStream) -> (String, Value) {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.unwrap();
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && let Ok(body) = serde_json::from_str(body)
        {
            return (head.to_owned(), body);
        }
        assert!(count > 0, "the request ended early: {text}");
    }
}

async fn play(stream: &mut TcpStream, step: Step) -> std::io::Result<()> {
    match step {
        Step::Answer {
            status,
            headers,
            body,
        } => {
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n"
            );
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(body.as_bytes()).await?;
        }
        Step::BrokenOff => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{\"choices\":")
                .await?;
        }
        Step::Drip => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n")
                .await?;
            loop {
                stream.write_all(b" ").await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Step::Huge => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
                .await?;
            loop {
                stream.write_all(&[b' '; 65_536]).await?;
            }
        }
    }
    stream.shutdown().await
}
