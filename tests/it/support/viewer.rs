//! A viewer on a WebSocket.

use super::{TestServer, described::check_frame, soon};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{io::AsyncWriteExt, net::TcpStream};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, client::IntoClientRequest},
};

/// See the module.
pub(crate) struct Viewer {
    socket: WebSocketStream<TcpStream>,
    /// The first frame.
    pub(crate) connection: Value,
    /// The last position seen, `epoch` and `offset`.
    pub(crate) position: Option<(String, u64)>,
}

impl Viewer {
    /// Joins a channel.
    pub(crate) async fn join(server: &TestServer, channel: &str) -> Self {
        Self::open(server, &format!("/ws?channel={channel}")).await
    }

    /// Comes back to a channel with the position of the last event seen.
    pub(crate) async fn rejoin(
        server: &TestServer,
        channel: &str,
        position: &(String, u64),
    ) -> Self {
        let (epoch, offset) = position;
        Self::open(
            server,
            &format!("/ws?channel={channel}&epoch={epoch}&offset={offset}"),
        )
        .await
    }

    /// Connects to a path and reads the first frame.
    pub(crate) async fn open(server: &TestServer, path: &str) -> Self {
        let stream = TcpStream::connect(&server.address)
            .await
            .expect("the server accepts");
        Self::over(stream, server, path).await
    }

    /// Connects over a stream of the test's own making.
    pub(crate) async fn over(stream: TcpStream, server: &TestServer, path: &str) -> Self {
        let viewer = Self::upgrade(stream, &server.address, path).await;
        viewer.expect("an upgrade")
    }

    /// Connects to an address; `None` when it is not let in.
    pub(crate) async fn at(address: &str, path: &str) -> Option<Self> {
        let stream = TcpStream::connect(address).await.ok()?;
        Self::upgrade(stream, address, path).await
    }

    /// Connects to a path where it must introduce itself first.
    pub(crate) async fn stranger(server: &TestServer, path: &str) -> Self {
        let stream = TcpStream::connect(&server.address).await.unwrap();
        let viewer = Self::connect(stream, &server.address, path).await;
        viewer.expect("an upgrade")
    }

    async fn upgrade(stream: TcpStream, address: &str, path: &str) -> Option<Self> {
        let mut viewer = Self::connect(stream, address, path).await?;
        viewer.connection = viewer.step().await.ok()?;
        assert_eq!(viewer.connection["type"], "connection");
        Some(viewer)
    }

    async fn connect(stream: TcpStream, address: &str, path: &str) -> Option<Self> {
        let request = format!("ws://{address}{path}");
        let request = request.into_client_request().unwrap();
        let connected = client_async_with_config(request, stream, None);
        let (socket, _) = soon("the upgrade", connected).await.ok()?;
        Some(Self {
            socket,
            connection: Value::Null,
            position: None,
        })
    }

    /// Returns the next frame; fails the test when the server closes instead.
    pub(crate) async fn next(&mut self) -> Value {
        match self.step().await {
            Ok(frame) => frame,
            Err(code) => panic!("closed with {code:?}"),
        }
    }

    /// Returns the next frame of a type, passing over others.
    pub(crate) async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next().await;
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// Returns frames up to and with the first that `is_last` accepts.
    pub(crate) async fn until(&mut self, is_last: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut frames = vec![self.next().await];
        while !is_last(frames.last().unwrap()) {
            frames.push(self.next().await);
        }
        frames
    }

    /// Reads to the end and returns the close code; `None` when there was no close frame.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        loop {
            if let Err(code) = self.step().await {
                return code;
            }
        }
    }

    /// Sends a text frame. A line that the server has closed is no failure: what it says then is.
    pub(crate) async fn say(&mut self, text: &str) {
        self.send(Message::text(text)).await;
    }

    /// Sends any message.
    pub(crate) async fn send(&mut self, message: Message) {
        let _ = soon("a place in the buffer", self.socket.send(message)).await;
    }

    /// Writes bytes that need not be frames.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        // The server may have closed already: what it says then counts.
        let _ = self.socket.get_mut().write_all(bytes).await;
    }

    /// Sends a JSON frame and returns the next frame that is no event.
    pub(crate) async fn ask(&mut self, frame: &Value) -> Value {
        self.say(&frame.to_string()).await;
        loop {
            let answer = self.next().await;
            if answer["offset"].is_null() {
                return answer;
            }
        }
    }

    /// Returns the next frame, or the code of a close; without one when the line broke.
    pub(crate) async fn step(&mut self) -> Result<Value, Option<u16>> {
        loop {
            match soon("a frame", self.socket.next()).await {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).expect("frames are JSON");
                    check_frame(&frame);
                    if let Some(offset) = frame["offset"].as_u64() {
                        let epoch = frame["epoch"].as_str().expect("an epoch").to_owned();
                        self.position = Some((epoch, offset));
                    }
                    return Ok(frame);
                }
                Some(Ok(Message::Close(frame))) => {
                    return Err(frame.map(|frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }
}

/// Returns the offsets of the events among frames.
pub(crate) fn offsets(frames: &[Value]) -> Vec<u64> {
    frames
        .iter()
        .filter_map(|frame| frame["offset"].as_u64())
        .collect()
}

/// Checks that events follow one another without hole or double.
pub(crate) fn assert_contiguous(frames: &[Value]) {
    let offsets = offsets(frames);
    assert!(
        offsets.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "{offsets:?}"
    );
}
