//! The connection to the server: comes back by itself, with its place in the stream, until it is told not to.
//!
//! Flow: server --frames--> follow --[`News`]--> the screen. The queue between them is bounded: a slow terminal slows
//! reading, and in the end the server closes the connection, which then recovers.

use super::frame::{self, Message};
use crate::{clock::Clock, runtime::Backoff, store::Position};
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderValue, StatusCode, header::AUTHORIZATION};
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;
use tokio::{
    net::TcpStream,
    sync::mpsc,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        Error, Message as Raw,
        client::IntoClientRequest as _,
        protocol::{CloseFrame, WebSocketConfig},
    },
};

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Round trips right after connecting, for the clock, and the time between them.
const QUICK_PINGS: u32 = 5;
const QUICK_PING_EVERY: Duration = Duration::from_millis(200);
/// Time between later round trips; clocks drift slowly.
const PING_EVERY: Duration = Duration::from_secs(10);
/// Silence after which the connection counts as dead: three pings without an answer.
const SILENCE: Duration = Duration::from_secs(30);
/// Between tries: short at first, for a server that restarts.
const BACKOFF: Backoff = Backoff::from_ms(250, 10_000);
/// Largest message taken from the server: the results of a large quiz, with room.
const MAX_MESSAGE_BYTES: usize = 16 * 1_048_576;

/// What the link reports.
#[derive(Debug)]
pub(super) enum News {
    /// A message arrived at this local time.
    Message(Box<Message>, u64),
    /// The connection broke; the next try is at this local time.
    Lost { why: String, until_ms: u64 },
    /// The server does not want this client: trying again would not help.
    Refused(String),
}

/// Why a session ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// Trying again may help.
    Lost(String),
    /// The server restarts and asks to come back at once.
    GoingAway,
    /// Trying again does not help.
    Refused(String),
    /// Nobody listens to the news any more.
    Unwatched,
}

/// Follows the stream at `url` until nobody listens or the server refuses.
pub(super) async fn follow(
    url: Url,
    key: Option<SecretString>,
    clock: Clock,
    news: mpsc::Sender<News>,
) {
    let mut position = None;
    let mut attempt = 0;
    loop {
        let end = match connect(&with_position(&url, position.as_ref()), key.as_ref()).await {
            Ok(socket) => {
                attempt = 0;
                session(socket, &mut position, clock, &news).await
            }
            Err(end) => end,
        };
        let (why, delay) = match end {
            End::Unwatched => return,
            End::Refused(why) => {
                // Nobody listening is as good a reason to stop.
                let _unwatched = news.send(News::Refused(why)).await;
                return;
            }
            End::GoingAway => (
                "the server restarts".to_owned(),
                BACKOFF.full_jitter(0, rand::random()),
            ),
            End::Lost(why) => (why, BACKOFF.equal_jitter(attempt, rand::random())),
        };
        attempt += 1;
        let until_ms = clock.now_ms() + u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        if news.send(News::Lost { why, until_ms }).await.is_err() {
            return;
        }
        tokio::select! {
            () = sleep(delay) => {}
            () = news.closed() => return,
        }
    }
}

fn with_position(url: &Url, position: Option<&Position>) -> Url {
    let mut url = url.clone();
    if let Some(Position { epoch, offset }) = position {
        url.query_pairs_mut()
            .append_pair("epoch", &format!("{epoch:016x}"))
            .append_pair("offset", &offset.to_string());
    }
    url
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(url: &Url, key: Option<&SecretString>) -> Result<Socket, End> {
    let refused = |error: Error| End::Refused(error.to_string());
    let mut request = url.as_str().into_client_request().map_err(refused)?;
    if let Some(key) = key {
        let credential = format!("Bearer {}", key.expose_secret());
        let mut credential = HeaderValue::try_from(credential).expect("keys are visible ASCII");
        credential.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, credential);
    }
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    match timeout(
        CONNECT_TIMEOUT,
        connect_async_with_config(request, Some(config), true),
    )
    .await
    {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(Error::Http(response)))
            if [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&response.status()) =>
        {
            Err(End::Refused(format!(
                "the server answered {}: set API_KEY to a key that may watch this channel there",
                response.status()
            )))
        }
        Ok(Err(Error::Http(response)))
            if response.status().is_client_error() && response.status() != 429 =>
        {
            Err(End::Refused(format!(
                "the server answered {} instead of opening a WebSocket: is it the address of a quiz-stats server?",
                response.status()
            )))
        }
        Ok(Err(Error::Http(response))) => Err(End::Lost(format!(
            "the server answered {}",
            response.status()
        ))),
        Ok(Err(error @ Error::Url(_))) => Err(End::Refused(error.to_string())),
        Ok(Err(_)) => Err(End::Lost("no connection".to_owned())),
        Err(_) => Err(End::Lost("no connection in time".to_owned())),
    }
}

/// Reads until the connection ends, and asks for the server's time now and then.
async fn session(
    mut socket: Socket,
    position: &mut Option<Position>,
    clock: Clock,
    news: &mpsc::Sender<News>,
) -> End {
    let mut pings = 0;
    let mut ping_at = Instant::now();
    let mut silent_at = Instant::now() + SILENCE;
    loop {
        let received = tokio::select! {
            received = socket.next() => received,
            () = sleep_until(ping_at) => {
                pings += 1;
                ping_at += if pings < QUICK_PINGS { QUICK_PING_EVERY } else { PING_EVERY };
                let ping = format!(r#"{{"type":"ping","clientTime":{}}}"#, clock.now_ms());
                if socket.send(Raw::text(ping)).await.is_err() {
                    return lost();
                }
                continue;
            }
            () = sleep_until(silent_at) => return End::Lost("the server is silent".to_owned()),
            () = news.closed() => {
                // The server learns of it either way.
                let _closing = timeout(Duration::from_millis(200), socket.close(None)).await;
                return End::Unwatched;
            }
        };
        silent_at = Instant::now() + SILENCE;
        let text = match received {
            Some(Ok(Raw::Text(text))) => text,
            Some(Ok(Raw::Close(frame))) => return closed(frame.as_ref()),
            Some(Ok(_)) => continue,
            Some(Err(_)) | None => return lost(),
        };
        let Ok(message) = serde_json::from_str::<Message>(&text) else {
            return End::Refused(
                "the server speaks another language: is this address a quiz-stats server?"
                    .to_owned(),
            );
        };
        frame::advance(position, &message);
        if news
            .send(News::Message(Box::new(message), clock.now_ms()))
            .await
            .is_err()
        {
            return End::Unwatched;
        }
    }
}

fn lost() -> End {
    End::Lost("connection lost".to_owned())
}

/// Reads a close code as the contract gives it.
fn closed(frame: Option<&CloseFrame>) -> End {
    match frame.map(|frame| (u16::from(frame.code), frame.reason.as_str())) {
        Some((1001, _)) => End::GoingAway,
        Some((1008, reason)) => End::Refused(format!(
            "the server does not allow this: {reason}; the key comes from API_KEY"
        )),
        Some((1009, _)) => {
            End::Refused("the server calls this client's messages too large".to_owned())
        }
        Some((4008, _)) => End::Lost("too slow for the stream".to_owned()),
        Some((4029, _)) => End::Lost("the server has too many connections".to_owned()),
        _ => lost(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tokio::net::TcpListener;
    use tokio_tungstenite::{accept_hdr_async, tungstenite::handshake::server};

    /// Accepts one viewer and returns its request's query.
    async fn accept(listener: &TcpListener) -> (WebSocketStream<TcpStream>, String) {
        let (stream, _) = listener.accept().await.unwrap();
        let mut query = String::new();
        #[expect(clippy::result_large_err, reason = "the library's type")]
        let take_query = |request: &server::Request, response: server::Response| {
            request
                .uri()
                .query()
                .unwrap_or_default()
                .clone_into(&mut query);
            Ok(response)
        };
        let socket = accept_hdr_async(stream, take_query).await.unwrap();
        (socket, query)
    }

    async fn say(socket: &mut WebSocketStream<TcpStream>, json: serde_json::Value) {
        socket.send(Raw::text(json.to_string())).await.unwrap();
    }

    async fn next(news: &mut mpsc::Receiver<News>) -> News {
        timeout(Duration::from_secs(10), news.recv())
            .await
            .unwrap()
            .unwrap()
    }

    fn watched(listener: &TcpListener) -> mpsc::Receiver<News> {
        let url = format!("ws://{}/ws?channel=default", listener.local_addr().unwrap());
        let (sender, news) = mpsc::channel(8);
        tokio::spawn(follow(url.parse().unwrap(), None, Clock::start(), sender));
        news
    }

    #[tokio::test]
    async fn a_broken_connection_comes_back_with_its_position() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut news = watched(&listener);
        let (mut socket, query) = accept(&listener).await;
        assert_eq!(query, "channel=default");
        let position = json!({"epoch": "00000000000000ab", "offset": 16});
        say(&mut socket, json!({"type": "connection", "serverTime": 1, "position": position, "recovered": false, "state": null})).await;
        say(
            &mut socket,
            json!({"offset": 17, "epoch": "00000000000000ab", "type": "analysis_started", "questionCount": 3}),
        )
        .await;
        assert!(matches!(next(&mut news).await, News::Message(..)));
        assert!(
            matches!(next(&mut news).await, News::Message(message, _) if message.position.is_some_and(|at| at.offset == 17))
        );

        drop(socket);
        assert!(matches!(next(&mut news).await, News::Lost { .. }));
        let (_socket, query) = accept(&listener).await;
        assert_eq!(query, "channel=default&epoch=00000000000000ab&offset=17");
    }

    #[tokio::test]
    async fn the_server_is_asked_for_its_time_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _news = watched(&listener);
        let (mut socket, _) = accept(&listener).await;
        let first = socket.next().await.unwrap().unwrap().into_text().unwrap();
        let ping: serde_json::Value = serde_json::from_str(&first).unwrap();
        assert_eq!(ping["type"], "ping");
        assert!(ping["clientTime"].is_u64());
    }

    #[tokio::test]
    async fn a_refusal_ends_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut news = watched(&listener);
        let (mut socket, _) = accept(&listener).await;
        let frame = CloseFrame {
            code: 1008.into(),
            reason: "no such channel".into(),
        };
        socket.close(Some(frame)).await.unwrap();
        assert!(
            matches!(next(&mut news).await, News::Refused(why) if why.contains("no such channel"))
        );
        assert!(news.recv().await.is_none());
    }

    #[tokio::test]
    async fn another_kind_of_server_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut news = watched(&listener);
        let (mut socket, _) = accept(&listener).await;
        say(&mut socket, json!(["something", "else"])).await;
        assert!(matches!(next(&mut news).await, News::Refused(_)));
    }

    #[test]
    fn close_codes_mean_what_the_contract_says() {
        let frame = |code: u16| CloseFrame {
            code: code.into(),
            reason: "".into(),
        };
        assert_eq!(closed(Some(&frame(1001))), End::GoingAway);
        assert!(matches!(closed(Some(&frame(1008))), End::Refused(_)));
        assert!(matches!(closed(Some(&frame(4008))), End::Lost(_)));
        assert_eq!(closed(None), lost());
    }
}
