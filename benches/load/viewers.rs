//! Viewers: many WebSockets of one process, as cheap as they can be beside what they measure.

use crate::{
    board::{Board, Progress},
    events::number,
};
use anyhow::{Context as _, bail, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::{
    cell::RefCell,
    future::poll_fn,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    rc::Rc,
    task::{Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWriteExt, ReadBuf},
    net::{TcpSocket, TcpStream},
    time::Instant,
};

/// Viewers that share one address: ports of an address that were used stay taken for a minute.
const PER_ADDRESS: usize = 4_000;
/// Handshakes at the same time.
const AT_ONCE: usize = 64;
/// Bytes read at a time.
const READ: usize = 65_536;
/// The rest of a head or of a frame is never longer.
const LONGEST: usize = 16_384;
/// An empty pong, masked.
const PONG: &[u8] = &[0x8A, 0x80, 0, 0, 0, 0];

thread_local! {
    /// One buffer for all: what is in it is told apart before anybody else reads.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; LONGEST + READ]);
}

/// A WebSocket.
pub(crate) struct Viewer {
    stream: TcpStream,
    /// What has come of a frame that is not all there.
    rest: Vec<u8>,
    /// Whether frames came with the head: they may be all that comes for now.
    has_frames: bool,
}

/// Opens so many WebSockets, some at a time.
pub(crate) async fn connect(
    server: SocketAddr,
    path: &str,
    viewers: usize,
) -> anyhow::Result<Vec<Viewer>> {
    stream::iter(0..viewers)
        .map(|index| Viewer::open(server, path, index, None))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

impl Viewer {
    /// Opens the WebSocket with this index; with a small buffer for one that is not going to read.
    pub(crate) async fn open(
        server: SocketAddr,
        path: &str,
        index: usize,
        buffer: Option<u32>,
    ) -> anyhow::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        let host = u8::try_from(2 + index / PER_ADDRESS).context("too many viewers")?;
        socket.bind((Ipv4Addr::new(127, 0, 0, host), 0).into())?;
        if let Some(bytes) = buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        let stream = socket.connect(server).await?;
        // Closing without waiting keeps ports free for the next round.
        stream.set_zero_linger()?;
        let mut viewer = Self {
            stream,
            rest: Vec::new(),
            has_frames: false,
        };
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        viewer.stream.write_all(request.as_bytes()).await?;
        let mut is_open = false;
        while !is_open {
            is_open = viewer
                .read(|bytes| {
                    let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") else {
                        return Ok((0, false));
                    };
                    let head = String::from_utf8_lossy(&bytes[..end]);
                    ensure!(head.starts_with("HTTP/1.1 101"), "no WebSocket: {head}");
                    Ok((end + 4, true))
                })
                .await?;
        }
        viewer.has_frames = !viewer.rest.is_empty();
        Ok(viewer)
    }

    /// Takes frames as they come, and notes the events among them.
    pub(crate) async fn watch(mut self, board: Rc<Board>) -> anyhow::Result<()> {
        let mut progress = Progress::default();
        loop {
            let events = |payload: &[u8], now| match number(payload) {
                Some(number) => board.receive(&mut progress, number, now),
                None => Ok(()),
            };
            self.frames(events).await?;
        }
    }

    /// Waits for more, and hands over every whole frame of text with the time of its arrival.
    pub(crate) async fn frames(
        &mut self,
        mut take: impl FnMut(&[u8], Instant) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let was_pinged = self
            .read(|bytes| {
                let (now, mut begin, mut was_pinged) = (Instant::now(), 0, false);
                while let Some((payload, end)) = frame(&bytes[begin..])? {
                    match bytes[begin] & 0x0F {
                        0x1 => take(&bytes[begin + payload..begin + end], now)?,
                        0x8 => bail!("the server closes a WebSocket"),
                        0x9 => was_pinged = true,
                        _ => {}
                    }
                    begin += end;
                }
                Ok((begin, was_pinged))
            })
            .await?;
        if was_pinged {
            self.stream.write_all(PONG).await?;
        }
        Ok(())
    }

    /// Reads once behind what was left over, and asks how much of it was used.
    async fn read<T>(
        &mut self,
        mut parse: impl FnMut(&[u8]) -> anyhow::Result<(usize, T)>,
    ) -> anyhow::Result<T> {
        poll_fn(|context| {
            BUFFER.with_borrow_mut(|buffer| {
                let kept = self.rest.len();
                buffer[..kept].copy_from_slice(&self.rest);
                let mut length = kept;
                if !std::mem::take(&mut self.has_frames) {
                    let mut read = ReadBuf::new(&mut buffer[kept..]);
                    ready!(Pin::new(&mut self.stream).poll_read(context, &mut read))?;
                    length += read.filled().len();
                    if length == kept {
                        return Poll::Ready(Err(anyhow::anyhow!("the server closed a WebSocket")));
                    }
                }
                let (used, told) = match parse(&buffer[..length]) {
                    Ok(parsed) => parsed,
                    Err(error) => return Poll::Ready(Err(error)),
                };
                self.rest.clear();
                self.rest.extend_from_slice(&buffer[used..length]);
                if self.rest.len() > LONGEST {
                    return Poll::Ready(Err(anyhow::anyhow!("a frame is longer than expected")));
                }
                Poll::Ready(Ok(told))
            })
        })
        .await
    }
}

/// Returns where the payload of the first frame begins and ends, once it is there. Servers do not mask.
fn frame(bytes: &[u8]) -> anyhow::Result<Option<(usize, usize)>> {
    let (begin, length) = match bytes {
        [_, 126, high, low, ..] => (4, usize::from(u16::from_be_bytes([*high, *low]))),
        [_, 127, ..] => bail!("a frame is longer than expected"),
        [_, short, ..] if *short < 126 => (2, usize::from(*short)),
        _ => return Ok(None),
    };
    Ok(Some((begin, begin + length)).filter(|(_, end)| bytes.len() >= *end))
}
