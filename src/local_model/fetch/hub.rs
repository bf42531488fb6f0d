//! Downloading a file over HTTPS, going on where the last try ended.

use super::{FetchError, Progress};
use futures_util::StreamExt as _;
use reqwest::{Client, StatusCode, header};
use std::{path::Path, time::Duration};
use tokio::{
    fs::{self, File, OpenOptions},
    io::AsyncWriteExt as _,
    time::timeout,
};

/// The hub.
pub(super) const ADDRESS: &str = "https://huggingface.co";
/// To connect; a network that lets nothing out must be noticed soon.
const CONNECT: Duration = Duration::from_secs(5);
/// Without a single byte.
const STALL: Duration = Duration::from_secs(30);

/// Downloads `url`, which has `total` bytes, into `part`.
pub(super) async fn download(
    url: &str,
    part: &Path,
    total: u64,
    progress: &mut dyn Progress,
) -> Result<(), FetchError> {
    let disk = || FetchError::disk(part);
    let mut done = fs::metadata(part).await.map_or(0, |part| part.len());
    if done == total {
        return Ok(());
    }
    let client = Client::builder()
        .connect_timeout(CONNECT)
        .build()
        .map_err(|error| unreachable(url, &error))?;
    let mut request = client.get(url);
    if (1..total).contains(&done) {
        request = request.header(header::RANGE, format!("bytes={done}-"));
    }
    let response = timeout(STALL, request.send())
        .await
        .map_err(|_| stalled(url))?;
    let response = response.map_err(|error| unreachable(url, &error))?;
    let mut file = OpenOptions::new();
    file.create(true);
    match response.status() {
        StatusCode::PARTIAL_CONTENT => file.append(true),
        // The whole file, whether asked for or not.
        StatusCode::OK => {
            done = 0;
            file.write(true).truncate(true)
        }
        status => {
            return Err(FetchError::Unreachable(format!(
                "{} answered HTTP {status}",
                host(url)
            )));
        }
    };
    let mut file = file.open(part).await.map_err(disk())?;
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = timeout(STALL, chunks.next())
        .await
        .map_err(|_| stalled(url))?
    {
        let chunk = chunk.map_err(|error| unreachable(url, &error))?;
        done += chunk.len() as u64;
        if done > total {
            return Err(FetchError::Unreachable(format!(
                "{} sends more than the {total} bytes expected",
                host(url)
            )));
        }
        file.write_all(&chunk).await.map_err(disk())?;
        progress.at(done, total);
    }
    settle(file).await.map_err(disk())?;
    if done < total {
        let so_far = format!(
            "the connection to {} ended after {done} of {total} bytes: try again to go on",
            host(url)
        );
        return Err(FetchError::Unreachable(so_far));
    }
    Ok(())
}

/// Brings everything to the disk, so that the rename that follows never shows a file with holes.
async fn settle(mut file: File) -> std::io::Result<()> {
    file.flush().await?;
    file.sync_all().await
}

fn host(url: &str) -> String {
    reqwest::Url::parse(url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_default()
}

fn stalled(url: &str) -> FetchError {
    FetchError::Unreachable(format!(
        "{} sent nothing for {} s",
        host(url),
        STALL.as_secs()
    ))
}

fn unreachable(url: &str, error: &reqwest::Error) -> FetchError {
    // The innermost cause says most: "dns error", "connection refused".
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let what = if error.is_timeout() {
        "no connection within 5 s".to_owned()
    } else {
        cause.to_string()
    };
    FetchError::Unreachable(format!("{} cannot be reached ({what})", host(url)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{io::AsyncReadExt as _, net::TcpListener};

    struct Quiet;
    impl Progress for Quiet {
        fn at(&mut self, _done: u64, _total: u64) {}
    }

    /// Answers one request with `reply` and returns the request.
    async fn server(reply: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        crate::provider::install_crypto();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/weights", listener.local_addr().unwrap());
        let served = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let read = socket.read(&mut request).await.unwrap();
            socket.write_all(reply.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&request[..read]).to_lowercase()
        });
        (url, served)
    }

    #[tokio::test]
    async fn goes_on_where_the_last_try_ended() {
        let dir = tempfile::tempdir().unwrap();
        let part = dir.path().join("part");
        std::fs::write(&part, "hello ").unwrap();
        let (url, served) =
            server("HTTP/1.1 206 Partial Content\r\ncontent-length: 5\r\ncontent-range: bytes 6-10/11\r\n\r\nworld").await;
        download(&url, &part, 11, &mut Quiet).await.unwrap();
        assert_eq!(std::fs::read_to_string(&part).unwrap(), "hello world");
        assert!(served.await.unwrap().contains("range: bytes=6-"));
    }

    #[tokio::test]
    async fn starts_over_when_the_server_sends_the_whole_file() {
        let dir = tempfile::tempdir().unwrap();
        let part = dir.path().join("part");
        std::fs::write(&part, "rubbish").unwrap();
        let (url, _served) =
            server("HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nhello world").await;
        download(&url, &part, 11, &mut Quiet).await.unwrap();
        assert_eq!(std::fs::read_to_string(&part).unwrap(), "hello world");
    }

    #[tokio::test]
    async fn a_download_cut_short_says_so_and_keeps_what_came() {
        let dir = tempfile::tempdir().unwrap();
        let part = dir.path().join("part");
        let (url, _served) = server("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello").await;
        let error = download(&url, &part, 11, &mut Quiet)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("5 of 11"), "{error}");
        assert_eq!(std::fs::read_to_string(&part).unwrap(), "hello");
    }

    #[tokio::test]
    async fn a_refusal_and_a_silent_host_are_unreachable() {
        let dir = tempfile::tempdir().unwrap();
        let part = dir.path().join("part");
        let (url, _served) = server("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await;
        let error = download(&url, &part, 11, &mut Quiet).await.unwrap_err();
        assert!(
            matches!(&error, FetchError::Unreachable(text) if text.contains("403")),
            "{error}"
        );
        let error = download("http://127.0.0.1:1/x", &part, 11, &mut Quiet)
            .await
            .unwrap_err();
        assert!(matches!(error, FetchError::Unreachable(_)), "{error}");
    }

    #[tokio::test]
    async fn more_than_expected_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (url, _served) =
            server("HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nhello world").await;
        assert!(
            download(&url, &dir.path().join("part"), 3, &mut Quiet)
                .await
                .is_err()
        );
    }
}
