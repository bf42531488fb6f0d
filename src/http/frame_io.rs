//! FrameIo: lets shared frames and tungstenite's own frames leave through one socket without mixing.
//!
//! tungstenite copies every message into a buffer per connection. A frame to viewers is the same bytes for all of them,
//! so it is written from the shared buffer instead, many frames in one call. tungstenite still reads, answers pings and
//! closes; each of its writes is a run of whole frames, which is queued behind the shared ones. So frames only ever
//! meet at their borders.

use bytes::{Buf, Bytes};
use std::{
    collections::VecDeque,
    io::{Error, ErrorKind, IoSlice, Result},
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Most frames handed to the kernel in one call; Linux takes up to 1,024.
const MAX_SLICES: usize = 64;

/// See the module.
pub(super) struct FrameIo<S> {
    io: S,
    out: VecDeque<Bytes>,
    /// Whether part of the first frame has left: the rest of it must follow.
    begun: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> FrameIo<S> {
    pub(super) fn new(io: S) -> Self {
        Self {
            io,
            out: VecDeque::new(),
            begun: false,
        }
    }

    /// Queues a whole frame.
    pub(super) fn push(&mut self, frame: Bytes) {
        self.out.push_back(frame);
    }

    /// Returns whether nothing waits to be written.
    pub(super) fn is_idle(&self) -> bool {
        self.out.is_empty()
    }

    /// Gives up what is queued, but for a frame that has partly left.
    pub(super) fn abandon(&mut self) {
        self.out.truncate(usize::from(self.begun));
    }

    /// Writes what is queued; ready when all of it has left.
    pub(super) fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        while !self.out.is_empty() {
            let mut written = ready!(self.poll_write_queued(context))?;
            if written == 0 {
                return Poll::Ready(Err(Error::from(ErrorKind::WriteZero)));
            }
            while let Some(frame) = self.out.front_mut() {
                if written < frame.len() {
                    frame.advance(written);
                    self.begun |= written > 0;
                    break;
                }
                written -= frame.len();
                self.out.pop_front();
                self.begun = false;
            }
        }
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_write_queued(&mut self, context: &mut Context<'_>) -> Poll<Result<usize>> {
        let io = Pin::new(&mut self.io);
        // The usual case, and a cheaper system call.
        if let (1, Some(frame)) = (self.out.len(), self.out.front()) {
            return io.poll_write(context, frame);
        }
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let count = self.out.len().min(MAX_SLICES);
        for (slice, frame) in slices.iter_mut().zip(&self.out) {
            *slice = IoSlice::new(frame);
        }
        io.poll_write_vectored(context, &slices[..count])
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for FrameIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for FrameIo<S> {
    /// Takes all of it at once, so that no frame of tungstenite's is ever cut. What it writes is bounded by the limit
    /// on inbound messages: it only answers pings and closes.
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        frames: &[u8],
    ) -> Poll<Result<usize>> {
        self.out.push_back(Bytes::copy_from_slice(frames));
        Poll::Ready(Ok(frames.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        self.poll_drain(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(self.poll_drain(context))?;
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Frame;
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::{
        WebSocketStream,
        tungstenite::{Message, protocol::Role},
    };

    #[tokio::test]
    async fn what_has_not_left_can_be_given_up_between_frames_only() {
        let (near, far) = tokio::io::duplex(16);
        let mut client = WebSocketStream::from_raw_socket(far, Role::Client, None).await;
        let mut socket =
            WebSocketStream::from_raw_socket(FrameIo::new(near), Role::Server, None).await;
        for n in 0..9 {
            let json = format!("{{\"n\":{n},\"longer\":\"than the pipe\"}}");
            socket
                .get_mut()
                .push(Frame::message(json.as_bytes()).websocket());
        }
        let blocked =
            std::future::poll_fn(|context| Poll::Ready(socket.get_mut().poll_drain(context))).await;
        assert!(blocked.is_pending());
        socket.get_mut().abandon();
        let closing = tokio::spawn(async move { socket.close(None).await });
        let first = client.next().await.unwrap().unwrap();
        assert!(
            first.to_text().unwrap().starts_with("{\"n\":0,"),
            "the frame that had begun is whole"
        );
        assert!(client.next().await.unwrap().unwrap().is_close());
        closing.await.unwrap().unwrap();
    }

    /// A viewer's strict client sees whole frames in order, however the pipe cuts them and whatever tungstenite says
    /// in between.
    #[tokio::test]
    async fn shared_frames_and_control_frames_never_mix() {
        // Smaller than a frame: every write is cut.
        let (near, far) = tokio::io::duplex(37);
        let mut client = WebSocketStream::from_raw_socket(far, Role::Client, None).await;
        let server = tokio::spawn(async move {
            let mut socket =
                WebSocketStream::from_raw_socket(FrameIo::new(near), Role::Server, None).await;
            for n in 0..200_u32 {
                let json = format!("{{\"n\":{n},\"pad\":\"{}\"}}", "x".repeat(n as usize));
                socket
                    .get_mut()
                    .push(Frame::message(json.as_bytes()).websocket());
                if n % 3 == 0 {
                    socket
                        .send(Message::Ping(n.to_be_bytes().to_vec().into()))
                        .await
                        .unwrap();
                }
            }
            socket.close(None).await.unwrap();
            while let Some(Ok(_)) = socket.next().await {}
        });
        let (mut texts, mut pings) = (0, 0);
        loop {
            match client.next().await.unwrap().unwrap() {
                Message::Text(text) => {
                    assert!(text.starts_with(&format!("{{\"n\":{texts},")), "{text}");
                    texts += 1;
                }
                Message::Ping(_) => pings += 1,
                Message::Close(_) => break,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((texts, pings), (200, 67));
        drop(client);
        server.await.unwrap();
    }
}
