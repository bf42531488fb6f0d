//! The files of a folder over HTTP on a loopback port, for a browser.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
};
use tokio::{
    fs,
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// Serves a folder until the process ends; returns where.
///
/// # Errors
/// When no port can be had.
pub(crate) async fn start(folder: PathBuf) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let folder = folder.clone();
            // A browser may hang up at any moment.
            tokio::spawn(async move { drop(answer(stream, &folder).await) });
        }
    });
    Ok(address)
}

async fn answer(mut stream: TcpStream, folder: &Path) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split([' ', '?']).nth(1).unwrap_or_default();
    let path = percent_encoding::percent_decode_str(path.trim_start_matches('/'))
        .decode_utf8_lossy()
        .into_owned();
    let media = match path.rsplit('.').next() {
        Some("html" | "htm") => "text/html",
        Some("js" | "mjs") => "text/javascript",
        Some("css") => "text/css",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    // Files have no header that says it; what is no UTF-8 is left to the browser.
    let charset =
        |body: &[u8]| match media.starts_with("text/") && std::str::from_utf8(body).is_ok() {
            true => "; charset=utf-8",
            false => "",
        };
    let is_below = !path.split('/').any(|part| part == "..");
    let (status, body) = match fs::read(folder.join(&path)).await {
        Ok(body) if is_below => ("200 OK", body),
        Ok(_) | Err(_) => ("404 Not Found", Vec::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {media}{}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        charset(&body),
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.shutdown().await
}
