//! The floor: what the sockets alone cost. A server that knows its requests by their first bytes, answers with a
//! constant, and writes each event to each client. Nothing that is a server can be cheaper on this machine.

use std::{cell::RefCell, rc::Rc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// As long as the answer of quiz-stats with its headers.
const ANSWER: &[u8] = &[b' '; 640];

type Clients = Rc<RefCell<Vec<TcpStream>>>;

/// Serves until the process is ended.
pub(crate) async fn serve() -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("http://{}/", listener.local_addr()?);
    let clients = Clients::default();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // A connection that breaks is of no more interest.
        let connection = connection(stream, Rc::clone(&clients));
        tokio::task::spawn_local(async move { drop(connection.await) });
    }
}

async fn connection(mut stream: TcpStream, clients: Clients) -> std::io::Result<()> {
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
            clients.borrow_mut().push(stream);
            return Ok(());
        } else if request.starts_with(b"POST /publish") {
            let body = request
                .windows(4)
                .position(|end| end == b"\r\n\r\n")
                .map_or(read, |end| end + 4);
            publish(&request[body..], &clients);
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

/// Frames an event of 126 to 65,535 bytes once, and writes it to all; a client that cannot take it is let go.
fn publish(event: &[u8], clients: &Clients) {
    let length = u16::try_from(event.len()).unwrap_or(u16::MAX).to_be_bytes();
    let frame = [&[0x81, 126], &length[..], event].concat();
    clients.borrow_mut().retain(|client| {
        client
            .try_write(&frame)
            .is_ok_and(|written| written == frame.len())
    });
}
