//! Bytes on a bare connection, for what no HTTP client would send.

use super::{PATIENCE, TestServer, soon};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// What came back: whole responses, or what there is of one.
#[derive(Debug)]
pub(crate) struct RawReply(String);

/// Sends bytes, says that no more will come, and reads until the server closes.
pub(crate) async fn send_and_leave(server: &TestServer, bytes: &[u8]) -> RawReply {
    let mut stream = TcpStream::connect(&server.address)
        .await
        .expect("the server accepts");
    // The server may have seen enough before it has seen all.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    read(stream).await
}

/// Sends bytes and reads until the server closes, with the line still open.
pub(crate) async fn send(server: &TestServer, bytes: &[u8]) -> RawReply {
    let mut stream = TcpStream::connect(&server.address)
        .await
        .expect("the server accepts");
    let _ = stream.write_all(bytes).await;
    read(stream).await
}

/// A connection that stays.
pub(crate) struct Line(TcpStream);

impl Line {
    /// Connects. The server has accepted it once something was asked on it.
    pub(crate) async fn open(server: &TestServer) -> Self {
        let stream = TcpStream::connect(&server.address).await;
        Self(stream.expect("the server accepts"))
    }

    /// Sends a request and reads its response.
    pub(crate) async fn ask(&mut self, request: &str) -> RawReply {
        self.0
            .write_all(request.as_bytes())
            .await
            .expect("it takes the request");
        let mut said = Vec::new();
        loop {
            let read = soon("the response", self.0.read_buf(&mut said)).await;
            assert_ne!(read.expect("it answers"), 0, "closed in the middle");
            let reply = RawReply(String::from_utf8_lossy(&said).into_owned());
            if reply.is_whole() {
                return reply;
            }
        }
    }
}

async fn read(mut stream: TcpStream) -> RawReply {
    let mut said = Vec::new();
    // A reset ends it like a close.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut said))
        .await
        .expect("the server closes");
    RawReply(String::from_utf8_lossy(&said).into_owned())
}

impl RawReply {
    /// Returns the status of the last response; `None` when there is none.
    pub(crate) fn status(&self) -> Option<u16> {
        let (_, last) = self.0.rsplit_once("HTTP/1.")?;
        last.get(2..5)?.parse().ok()
    }

    fn is_whole(&self) -> bool {
        let length = |head: &str| {
            let mut lines = head.lines();
            lines.find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
        };
        self.0
            .split_once("\r\n\r\n")
            .is_some_and(|(head, body)| length(head).is_none_or(|length| body.len() >= length))
    }

    /// Returns the body of the last response.
    pub(crate) fn body(&self) -> &str {
        self.0.rsplit_once("\r\n\r\n").map_or("", |(_, body)| body)
    }
}
