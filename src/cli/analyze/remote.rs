//! A running server answers: one request, the results as they come.

use super::{
    Answered, News,
    refusal::{self, Refusal},
    sse::Decoder,
};
use crate::{
    analysis::Found,
    cli::address,
    page::{PageRequest, PageSource},
    quiz::{Question, request::Subject},
};
use anyhow::{Context as _, anyhow, bail};
use reqwest::{Client, RequestBuilder, Response, Url, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use std::time::Duration;

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest silence between two pieces of the answer: the server ends an analysis long before.
const READ_TIMEOUT: Duration = Duration::from_secs(300);

/// What the server is asked.
#[derive(Serialize)]
pub(super) struct Request<'a> {
    #[serde(flatten)]
    pub(super) subject: Asked<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) channel: Option<&'a str>,
    pub(super) animate: bool,
    #[serde(rename = "whenBusy", skip_serializing_if = "Option::is_none")]
    pub(super) when_busy: Option<&'a str>,
}

/// The subject as the API names it.
#[derive(Serialize)]
#[serde(untagged)]
pub(in crate::cli) enum Asked<'a> {
    Questions {
        questions: &'a [Question],
    },
    Url {
        url: &'a str,
        follow: bool,
        render: bool,
    },
    Html {
        html: &'a str,
        follow: bool,
        render: bool,
    },
}

impl<'a> From<&'a Subject> for Asked<'a> {
    fn from(subject: &'a Subject) -> Self {
        match subject {
            Subject::Questions(questions) => Self::Questions { questions },
            Subject::Page(page) => page.into(),
        }
    }
}

impl<'a> From<&'a PageRequest> for Asked<'a> {
    fn from(page: &'a PageRequest) -> Self {
        let PageRequest {
            source,
            follow,
            render,
        } = page;
        let (follow, render) = (*follow, *render);
        match source {
            PageSource::Url(url) => Self::Url {
                url,
                follow,
                render,
            },
            PageSource::Html(html) => Self::Html {
                html,
                follow,
                render,
            },
        }
    }
}

/// Asks the server at `base` and hands on what happens meanwhile.
///
/// # Errors
/// Whatever kept the report from coming, in words for people.
pub(super) async fn run(
    base: &Url,
    api_key: Option<&SecretString>,
    request: &Request<'_>,
    mut on_news: impl FnMut(News),
) -> anyhow::Result<Answered> {
    let (response, server) = post(base, "api/analyze", api_key, request).await?;
    if !response.status().is_success() {
        return Err(refusal::read(response, server, api_key.is_some()).await);
    }
    let is_stream = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"));
    match is_stream {
        true => stream(response, &mut on_news).await,
        false => {
            bail!("{server} answers in another language: is it the address of a quiz-stats server?")
        }
    }
}

/// Posts `body` to the server at `base`; returns its response and its name for people.
///
/// # Errors
/// When it cannot be reached.
pub(in crate::cli) async fn post<'a>(
    base: &'a Url,
    path: &str,
    api_key: Option<&SecretString>,
    body: &impl Serialize,
) -> anyhow::Result<(Response, &'a str)> {
    let call = client(base)?
        .post(address::below(base, path))
        .header(header::ACCEPT, "text/event-stream, application/json")
        .json(body);
    send(base, call, api_key).await
}

/// Gets what the server at `base` has at `path`; returns its response and its name for people.
///
/// # Errors
/// When it cannot be reached.
pub(in crate::cli) async fn get<'a>(
    base: &'a Url,
    path: &str,
    api_key: Option<&SecretString>,
) -> anyhow::Result<(Response, &'a str)> {
    let call = client(base)?.get(address::below(base, path));
    send(base, call, api_key).await
}

fn client(base: &Url) -> anyhow::Result<Client> {
    let client = Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT);
    // A proxy for the outside world cannot reach this machine.
    let client = match address::is_local(base) {
        true => client.no_proxy(),
        false => client,
    };
    client.build().context("cannot start an HTTP client")
}

async fn send<'a>(
    base: &'a Url,
    mut call: RequestBuilder,
    api_key: Option<&SecretString>,
) -> anyhow::Result<(Response, &'a str)> {
    if let Some(key) = api_key {
        call = call.bearer_auth(key.expose_secret());
    }
    let server = address::shown(base);
    let response = call
        .send()
        .await
        .map_err(|error| unreachable(server, error))?;
    Ok((response, server))
}

fn unreachable(server: &str, error: reqwest::Error) -> anyhow::Error {
    if error.is_timeout() {
        return anyhow!("{server} does not answer: is the address right?");
    }
    // The address is named already; the error's own text would repeat it with everything in it.
    let error = anyhow!(error.without_url());
    let refused = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::ConnectionRefused);
    match refused {
        true => anyhow!(
            "nobody listens on {server}: start `quiz-stats serve` there, or leave --server out"
        ),
        false => anyhow!("cannot reach {server}: {}", error.root_cause()),
    }
}

async fn stream(
    mut response: Response,
    on_news: &mut impl FnMut(News),
) -> anyhow::Result<Answered> {
    let mut decoder = Decoder::default();
    while let Some(piece) = response
        .chunk()
        .await
        .map_err(reqwest::Error::without_url)
        .context("the connection broke before the end")?
    {
        for event in decoder.feed(&piece)? {
            match event.name.as_str() {
                "questions" => {
                    let found: Found = serde_json::from_str(&event.data)
                        .context("the server sent odd questions")?;
                    on_news(News::Questions(found.questions.len()));
                }
                "result" => on_news(News::Result),
                "done" => {
                    return Ok(Answered {
                        report: serde_json::from_str(&event.data)
                            .context("the server sent an odd report")?,
                        json: event.data,
                    });
                }
                "error" => {
                    let refusal: Refusal = serde_json::from_str(&event.data)
                        .context("the server sent an odd error")?;
                    bail!("{refusal}");
                }
                // Events of a later version.
                _ => {}
            }
        }
    }
    bail!("the server ended before the analysis did")
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
    async fn asked(head: &str, body: &str) -> (String, anyhow::Result<Answered>, usize) {
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
            while !request.ends_with(b"\"whenBusy\":\"reject\"}") {
                assert_ne!(socket.read_buf(&mut request).await.unwrap(), 0);
            }
            socket.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(request).unwrap()
        });
        let request = Request {
            subject: Asked::Questions { questions: &[] },
            channel: Some("stage"),
            animate: true,
            when_busy: Some("reject"),
        };
        let mut results = 0;
        let key = SecretString::from("k");
        let outcome = run(&base, Some(&key), &request, |news| {
            results += usize::from(matches!(news, News::Result));
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
                && request.contains("accept: text/event-stream, application/json\r\n")
        );
        assert!(
            request.ends_with(
                r#"{"questions":[],"channel":"stage","animate":true,"whenBusy":"reject"}"#
            )
        );
        let Answered { report, json } = outcome.unwrap();
        assert_eq!((report.status, results), (Status::Success, 1));
        assert_eq!(json, line(REPORT), "what the server sent, unchanged");
    }

    #[tokio::test]
    async fn a_server_that_does_not_stream_is_doubted() {
        let (_, outcome, _) = asked("200 OK\r\ncontent-type: text/html", "<html>").await;
        let told = outcome.unwrap_err().to_string();
        assert!(
            told.contains("the address of a quiz-stats server?"),
            "{told}"
        );
    }

    #[tokio::test]
    async fn a_refusal_is_an_error() {
        let (_, outcome, _) = asked(
            "429 Too Many Requests",
            r#"{"error":"too many requests","retryAfter":7}"#,
        )
        .await;
        assert!(
            outcome
                .unwrap_err()
                .to_string()
                .contains("try again in 7 s")
        );
    }

    #[tokio::test]
    async fn an_analysis_that_fails_under_way_is_an_error() {
        let body = "event: error\ndata: {\"error\":\"the model did not answer in time\",\"requestId\":\"r\"}\n\n";
        let (_, outcome, _) = asked("200 OK\r\ncontent-type: text/event-stream", body).await;
        let told = outcome.unwrap_err().to_string();
        assert_eq!(told, "the model did not answer in time\n  request r");
    }

    #[tokio::test]
    async fn a_port_where_nobody_listens_is_told() {
        let _already_there = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let request = Request {
            subject: Asked::Questions { questions: &[] },
            channel: None,
            animate: false,
            when_busy: None,
        };
        let told = run(&base.parse().unwrap(), None, &request, |_| ())
            .await
            .err()
            .unwrap()
            .to_string();
        assert!(
            told.starts_with(&format!("nobody listens on {base}: ")),
            "{told}"
        );
    }

    #[tokio::test]
    async fn a_stream_that_ends_early_is_an_error() {
        let (_, outcome, _) =
            asked("200 OK\r\ncontent-type: text/event-stream", ": hello\n\n").await;
        assert!(outcome.unwrap_err().to_string().contains("ended before"));
    }
}
