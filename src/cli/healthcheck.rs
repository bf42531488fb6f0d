//! `quiz-stats healthcheck`: one question to a running server, for containers and scripts.

use super::{FAILED, address, print};
use crate::config::Settings;
use anyhow::Context as _;
use clap::Args;
use reqwest::Url;
use std::{net::SocketAddr, process::ExitCode, time::Duration};
use tokio::time::Instant;

/// A server that needs longer is not ready.
const DEADLINE: Duration = Duration::from_secs(3);

const EXAMPLES: &str = "\
Examples:
  quiz-stats healthcheck                             the server that the settings describe
  quiz-stats healthcheck --url https://quiz.example
  until quiz-stats healthcheck; do sleep 1; done     waits for a server that starts

In a Dockerfile: HEALTHCHECK CMD [\"quiz-stats\", \"healthcheck\"]";

/// Arguments of `healthcheck`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct HealthcheckArgs {
    /// The server's address; without a path, /readyz is asked [default: the configured listener]
    #[arg(long, value_parser = address::http)]
    url: Option<Url>,
}

pub(super) async fn run(args: &HealthcheckArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let url = target(args.url.clone(), settings.listen_addr());
    // A proxy for the outside world has no business between a container and itself.
    let client = reqwest::Client::builder()
        .timeout(DEADLINE)
        .no_proxy()
        .build()
        .context("cannot start an HTTP client")?;
    let asked_at = Instant::now();
    let verdict = match client.get(url.clone()).send().await {
        Ok(response) if response.status().is_success() => {
            print(&format!(
                "ready: {url} answered in {} ms\n",
                asked_at.elapsed().as_millis()
            ))?;
            return Ok(ExitCode::SUCCESS);
        }
        Ok(response) => format!("{url} answered {}", response.status()),
        Err(error) if error.is_timeout() => {
            format!("{url} did not answer within {} s", DEADLINE.as_secs())
        }
        Err(error) if error.is_connect() => format!("nobody listens on {url}"),
        Err(error) => format!("{:#}", anyhow::Error::from(error)),
    };
    print(&format!("not ready: {verdict}\n"))?;
    Ok(ExitCode::from(FAILED))
}

fn target(given: Option<Url>, listener: SocketAddr) -> Url {
    let mut url = given.unwrap_or_else(|| address::local(listener));
    if url.path() == "/" {
        url.set_path("/readyz");
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    #[test]
    fn the_local_server_is_asked_wherever_it_listens() {
        let of = |listener: &str| target(None, listener.parse().unwrap()).to_string();
        assert_eq!(of("0.0.0.0:3000"), "http://127.0.0.1:3000/readyz");
        assert_eq!(of("[::]:80"), "http://[::1]/readyz");
        assert_eq!(of("10.0.0.7:9000"), "http://10.0.0.7:9000/readyz");
    }

    #[test]
    fn a_given_path_is_kept() {
        let of = |url: &str| {
            target(Some(url.parse().unwrap()), "127.0.0.1:1".parse().unwrap()).to_string()
        };
        assert_eq!(of("http://quiz.example"), "http://quiz.example/readyz");
        assert_eq!(
            of("https://quiz.example/livez"),
            "https://quiz.example/livez"
        );
    }

    async fn code_for(status_line: &'static str) -> String {
        // Reqwest is built without a default crypto provider.
        let _already_there = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let server = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = [0_u8; 1_024];
            let read = socket.read(&mut request).await.unwrap();
            assert!(request[..read].starts_with(b"GET /readyz HTTP/1.1\r\n"));
            socket
                .write_all(
                    format!("HTTP/1.1 {status_line}\r\ncontent-length: 0\r\n\r\n").as_bytes(),
                )
                .await
                .unwrap();
        });
        let code = run(&HealthcheckArgs { url: Some(url) }, &Settings::default())
            .await
            .unwrap();
        server.await.unwrap();
        format!("{code:?}")
    }

    #[tokio::test]
    async fn the_exit_code_tells_whether_the_server_is_ready() {
        assert_eq!(code_for("200 OK").await, format!("{:?}", ExitCode::SUCCESS));
        assert_eq!(
            code_for("503 Service Unavailable").await,
            format!("{:?}", ExitCode::from(FAILED))
        );
    }
}
