//! The floor: what the sockets alone cost. A server that knows its requests by their first bytes, answers with a
//! constant, and writes each event to each client, or events that came together in one write. Nothing that is a server
//! can be cheaper on this machine.

use std::{
    cell::{Cell, RefCell},
    io::ErrorKind,
    rc::Rc,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::{spawn_local, yield_now},
};

/// As long as the answer of quiz-stats with its headers.
const ANSWER: &[u8] = &[b' '; 640];

/// Its clients, and what they are to be sent.
#[derive(Default)]
struct Floor {
    is_joined: bool,
    clients: RefCell<Vec<TcpStream>>,
    frames: RefCell<Vec<u8>>,
    has_written: Cell<bool>,
}

/// Serves until the process is ended.
pub(crate) async fn serve(is_joined: bool) -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("http://{}/", listener.local_addr()?);
    let floor = Rc::new(Floor {
        is_joined,
        ..Floor::default()
    });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // A connection that breaks is of no more interest.
        let connection = connection(stream, Rc::clone(&floor));
        spawn_local(async move { drop(connection.await) });
    }
}

async fn connection(mut stream: TcpStream, floor: Rc<Floor>) -> std::io::Result<()> {
    let mut buffer = vec![0; 4_096];
    loop {
        // The load writes each request at once, and this machine's loopback hands it over at once.
        let read = stream.read(&mut buffer).await?;
        let request = &buffer[..read];
        if request.is_empty() {
            return Ok(());
        } else if request.starts_with(b"GET /ws") {
            stream
                .write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
                .await?;
            floor.join(stream);
            return Ok(());
        } else if request.starts_with(b"POST /publish") {
            let body = request
                .windows(4)
                .position(|end| end == b"\r\n\r\n")
                .map_or(read, |end| end + 4);
            floor.publish(&request[body..]);
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                .await?;
        } else {
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
                ANSWER.len()
            );
            stream
                .write_all(&[head.as_bytes(), ANSWER].concat())
                .await?;
        }
    }
}

impl Floor {
    /// Takes a client in. The first after some events finds out who has left: another round begins.
    fn join(&self, stream: TcpStream) {
        let mut clients = self.clients.borrow_mut();
        if self.has_written.take() {
            clients.retain(|client| {
                let read = client.try_read(&mut [0]);
                read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
            });
        }
        clients.push(stream);
    }

    /// Frames an event of 126 to 65,535 bytes once, and writes it to all: at once, or with those that have come too.
    fn publish(self: &Rc<Self>, event: &[u8]) {
        let length = u16::try_from(event.len()).unwrap_or(u16::MAX).to_be_bytes();
        let mut frames = self.frames.borrow_mut();
        let is_first = frames.is_empty();
        frames.extend([&[0x81, 126], &length[..], event].concat());
        drop(frames);
        if !self.is_joined {
            self.flush();
        } else if is_first {
            let floor = Rc::clone(self);
            spawn_local(async move {
                // Whoever has something to read is asked first.
                yield_now().await;
                floor.flush();
            });
        }
    }

    /// Writes to all; a client that cannot take it is let go.
    fn flush(&self) {
        let frames = self.frames.take();
        self.has_written.set(true);
        self.clients.borrow_mut().retain(|client| {
            client
                .try_write(&frames)
                .is_ok_and(|written| written == frames.len())
        });
    }
}
