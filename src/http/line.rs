//! Line: a viewer's socket. Shared frames, written by the broadcaster or by the viewer's task, and tungstenite's own
//! frames leave through it without mixing.
//!
//! tungstenite copies every message into a buffer per connection. A frame to viewers is the same bytes for all of them,
//! so it is written from the shared buffer instead, many frames in one call. tungstenite still reads, answers pings and
//! closes; each of its writes is a run of whole frames, which is queued behind the shared ones. So frames only ever meet
//! at their borders. Whoever writes holds the lock, and writes from the front of the queue.

use crate::{
    actors::broadcaster::{Direct, Outbox, Sent},
    event::Batch,
};
use bytes::{Buf, Bytes};
use rustix::net::SendFlags;
use std::{
    collections::VecDeque,
    io::{ErrorKind, IoSlice, Result},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// Most frames handed to the kernel in one call; Linux takes up to 1,024.
const MAX_SLICES: usize = 64;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Line(Mutex<Out>);

#[derive(Debug, Default)]
struct Out {
    /// `None` before the upgrade, and when the viewer's task has ended: the socket closes with it, not when the
    /// broadcaster has forgotten the viewer.
    stream: Option<TcpStream>,
    queue: VecDeque<Bytes>,
    /// Whether part of the first entry has left: the rest of it must follow.
    begun: bool,
}

impl Line {
    /// Connects it.
    pub(super) fn connect(&self, stream: TcpStream) {
        self.out().stream = Some(stream);
    }

    /// Closes the socket.
    pub(super) fn hang_up(&self) {
        self.out().stream = None;
    }

    /// Queues whole frames.
    pub(super) fn push(&self, frames: Bytes) {
        self.out().queue.push_back(frames);
    }

    /// Returns whether nothing waits to be written.
    pub(super) fn is_idle(&self) -> bool {
        self.out().queue.is_empty()
    }

    /// Gives up what is queued, but for what has partly left.
    pub(super) fn abandon(&self) {
        let mut out = self.out();
        let begun = usize::from(out.begun);
        out.queue.truncate(begun);
    }

    /// Writes what is queued; ready when all of it has left.
    pub(super) fn poll_drain(&self, context: &mut Context<'_>) -> Poll<Result<()>> {
        let mut out = self.out();
        while !out.queue.is_empty() {
            ready!(out.stream()?.poll_write_ready(context))?;
            match out.write() {
                Ok(0) => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                Ok(written) => out.advance(written),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn out(&self) -> MutexGuard<'_, Out> {
        // Nothing panics while it is held, so a poisoned lock still guards a whole queue.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Out {
    fn stream(&self) -> Result<&TcpStream> {
        self.stream
            .as_ref()
            .ok_or_else(|| ErrorKind::NotConnected.into())
    }

    fn write(&self) -> Result<usize> {
        let stream = self.stream()?;
        // The usual case, and a cheaper system call.
        if let (1, Some(frames)) = (self.queue.len(), self.queue.front()) {
            return stream.try_write(frames);
        }
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let count = self.queue.len().min(MAX_SLICES);
        for (slice, frames) in slices.iter_mut().zip(&self.queue) {
            *slice = IoSlice::new(frames);
        }
        stream.try_write_vectored(&slices[..count])
    }

    fn advance(&mut self, mut written: usize) {
        while let Some(frames) = self.queue.front_mut() {
            if written < frames.len() {
                frames.advance(written);
                self.begun |= written > 0;
                break;
            }
            written -= frames.len();
            self.queue.pop_front();
            self.begun = false;
        }
    }
}

impl Direct for Line {
    fn try_send(&self, batch: &Batch) -> Sent {
        let mut out = self.out();
        let (Ok(stream), true) = (out.stream(), out.queue.is_empty()) else {
            return Sent::Nothing;
        };
        let frames = batch.websocket();
        // Without a look at what the runtime thinks of the socket: the kernel knows better, and whoever drains the line
        // asks the runtime. A line that has broken is found out by whoever reads from it.
        match rustix::net::send(stream, frames, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
            Ok(written) if written == frames.len() => Sent::Whole,
            Ok(written) if written > 0 => {
                out.queue.push_back(frames.slice(written..));
                out.begun = true;
                Sent::Partly
            }
            Ok(_) | Err(_) => Sent::Nothing,
        }
    }
}

/// The line as tungstenite reads and writes it.
pub(super) struct FrameIo(pub(super) Arc<Outbox<Line>>);

impl AsyncRead for FrameIo {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let out = self.0.direct().out();
        let stream = out.stream()?;
        loop {
            ready!(stream.poll_read_ready(context))?;
            match stream.try_read(buffer.initialize_unfilled()) {
                Ok(read) => {
                    buffer.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for FrameIo {
    /// Takes all of it at once, so that no frame of tungstenite's is ever cut. What it writes is bounded by the limit
    /// on inbound messages: it only answers pings and closes.
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, frames: &[u8]) -> Poll<Result<usize>> {
        self.0.direct().push(Bytes::copy_from_slice(frames));
        Poll::Ready(Ok(frames.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        self.0.direct().poll_drain(context)
    }

    /// The socket closes when the viewer's task hangs up.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        self.0.direct().poll_drain(context)
    }
}

#[cfg(test)]
mod tests;
