//! The cheapest HTTP client that is still right: one kept-alive connection, one request at a time, bytes in and out.

use anyhow::{Context as _, bail, ensure};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .context("cannot connect")?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; 16_384],
        })
    }

    /// Sends a whole request and returns the body of its answer, which must be a 200.
    pub(crate) async fn call(&mut self, request: &[u8]) -> anyhow::Result<&[u8]> {
        self.stream.write_all(request).await?;
        let (mut length, mut body) = (0, None);
        loop {
            ensure!(
                length < self.buffer.len(),
                "an answer is longer than expected"
            );
            match self.stream.read(&mut self.buffer[length..]).await? {
                0 => bail!("the server closed the connection"),
                read => length += read,
            }
            if body.is_none() {
                body = head(&self.buffer[..length])?;
            }
            if let Some((begin, end)) = body.filter(|(_, end)| length >= *end) {
                let status = &self.buffer[..begin.min(15)];
                let answer = &self.buffer[begin..end];
                ensure!(
                    status.starts_with(b"HTTP/1.1 200"),
                    "{}: {}",
                    String::from_utf8_lossy(status),
                    String::from_utf8_lossy(answer)
                );
                return Ok(answer);
            }
        }
    }
}

/// Returns where the body begins and ends, once the whole head is there.
fn head(received: &[u8]) -> anyhow::Result<Option<(usize, usize)>> {
    let Some(end) = received.windows(4).position(|end| end == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&received[..end])?;
    let mut fields = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = length
        .context("an answer without content-length")?
        .1
        .trim()
        .parse()?;
    Ok(Some((end + 4, end + 4 + length)))
}

/// Writes a POST request with the headers that any client sends.
pub(crate) fn post(path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nuser-agent: load\r\naccept: */*\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Writes a GET request.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: */*\r\n\r\n").into_bytes()
}
