//! The model's part: an OpenAI-compatible server with one answer. It is asked once per question; then the cache knows.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

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
