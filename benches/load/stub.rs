//! The model's part: an OpenAI-compatible server with one answer. It is asked once per question; then the cache knows. And
//! one that takes its time over every question.

use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const LETTERS: &str = r#"{"id":"x","object":"chat.completion","created":1,"model":"stub","choices":[{"index":0,"message":{"role":"assistant","content":"A"},"finish_reason":"length","logprobs":{"content":[{"token":"A","logprob":-0.105,"top_logprobs":[{"token":"A","logprob":-0.105},{"token":"B","logprob":-3.4},{"token":"C","logprob":-3.4},{"token":"D","logprob":-3.4}]}]}}],"usage":{"prompt_tokens":100,"completion_tokens":1,"total_tokens":101}}"#;

const REPLY: &str = r#"{"id":"x","object":"chat.completion","created":1,"model":"stub","choices":[{"index":0,"message":{"role":"assistant","content":"{\"options\":[{\"option\":3,\"confidence\":0.9}]}"},"finish_reason":"stop"}],"usage":{"prompt_tokens":100,"completion_tokens":10,"total_tokens":110}}"#;

/// Serves for as long as the process lives; returns the base address.
pub(crate) async fn serve() -> anyhow::Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A server that goes away in the middle of a call needs no answer.
            tokio::task::spawn_local(async move { drop(answer(stream).await) });
        }
    });
    Ok(format!("http://{address}/v1"))
}

/// Answers one request, and closes: whatever part of it has arrived, the answer is the same.
async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut request = vec![0; 65_536];
    let mut length = 0;
    while !request[..length].windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut request[length..]).await? {
            0 => return Ok(()),
            read => length += read,
        }
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        REPLY.len()
    );
    stream.write_all((head + REPLY).as_bytes()).await?;
    // Closing with unread bytes would reset the connection before the answer is read.
    stream.shutdown().await?;
    while stream.read(&mut request).await? > 0 {}
    Ok(())
}

/// Serves letters with their log-probabilities, each answer after `delay`, on kept-alive connections, for as long as the
/// process lives; returns the base address.
pub(crate) async fn serve_letters(delay: Duration) -> anyhow::Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A server that goes away in the middle of a call needs no answer.
            tokio::task::spawn_local(async move { drop(answer_all(stream, delay).await) });
        }
    });
    Ok(format!("http://{address}/v1"))
}

async fn answer_all(mut stream: TcpStream, delay: Duration) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{LETTERS}",
        LETTERS.len()
    );
    let mut request = Vec::with_capacity(16_384);
    loop {
        let end = loop {
            if let Some(end) = end_of_request(&request) {
                break end;
            }
            if stream.read_buf(&mut request).await? == 0 {
                return Ok(());
            }
        };
        request.drain(..end);
        tokio::time::sleep(delay).await;
        stream.write_all(answer.as_bytes()).await?;
    }
}

/// Returns where the first request in `bytes` ends, once it is whole.
fn end_of_request(bytes: &[u8]) -> Option<usize> {
    let head = 4 + bytes.windows(4).position(|end| end == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&bytes[..head]).ok()?;
    let mut fields = text.split("\r\n").filter_map(|line| line.split_once(':'));
    let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
    let end = head + length.1.trim().parse::<usize>().ok()?;
    (bytes.len() >= end).then_some(end)
}
