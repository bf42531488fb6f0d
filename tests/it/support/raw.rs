//! Bytes on a bare connection, for what no HTTP client would send.

use super::{PATIENCE, TestServer};
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

    /// Returns the body of the last response.
    pub(crate) fn body(&self) -> &str {
        self.0.rsplit_once("\r\n\r\n").map_or("", |(_, body)| body)
    }
}
