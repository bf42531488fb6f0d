//! RFC 6455 to the letter, by a client that writes and reads every byte itself.

use crate::support::{Reply, StubAi, TestServer, soon};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
const FINAL: u8 = 0x80;
const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];

/// A client after the handshake.
struct Client(TcpStream);

impl Client {
    async fn connect(server: &TestServer) -> Self {
        let mut stream = TcpStream::connect(&server.address).await.unwrap();
        let request = "GET /ws?channel=hall HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: WebSocket\r\n\
                       Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: chat\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(soon("the head", stream.read_u8()).await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        assert!(head.starts_with("http/1.1 101"), "{head}");
        // The answer to this key in section 1.3.
        assert!(head.contains("s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
        assert!(
            !head.contains("-extensions:") && !head.contains("-protocol:"),
            "{head}"
        );
        let mut client = Self(stream);
        assert_eq!(client.read().await.unwrap().0, TEXT, "connection");
        client
    }

    /// Writes a frame.
    async fn write(&mut self, first: u8, payload: &[u8]) {
        let mut frame = vec![first];
        match payload.len() {
            short @ 0..=125 => frame.push(0x80 | u8::try_from(short).unwrap()),
            long => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(long).unwrap().to_be_bytes());
            }
        }
        frame.extend(MASK);
        frame.extend(
            payload
                .iter()
                .zip(MASK.iter().cycle())
                .map(|(byte, mask)| byte ^ mask),
        );
        // The server may have closed already: what it says then counts.
        let _ = self.0.write_all(&frame).await;
    }

    /// Reads a frame, which is whole, not masked and no longer written than need be; `None` at the end.
    async fn read(&mut self) -> Option<(u8, Vec<u8>)> {
        let first = soon("a frame", self.0.read_u8()).await.ok()?;
        assert_eq!(first & 0xF0, FINAL, "final, no reserved bits");
        let second = self.0.read_u8().await.unwrap();
        assert_eq!(second & 0x80, 0, "servers do not mask");
        let length = match second {
            126 => usize::from(self.0.read_u16().await.unwrap()),
            127 => usize::try_from(self.0.read_u64().await.unwrap()).unwrap(),
            short => usize::from(short),
        };
        let least = match second {
            126 => 126,
            127 => 65_536,
            _ => 0,
        };
        assert!(length >= least, "as short as can be");
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).await.unwrap();
        Some((first & 0x0F, payload))
    }

    /// Reads the close and the end after it, and returns its code.
    async fn closed(&mut self) -> Option<u16> {
        loop {
            let (opcode, payload) = self.read().await?;
            if opcode == CLOSE {
                assert!(self.read().await.is_none(), "nothing after a close");
                return Some(u16::from_be_bytes([*payload.first()?, payload[1]]));
            }
        }
    }
}

async fn server() -> (StubAi, TestServer) {
    let ai = StubAi::start().await;
    let server = TestServer::start(&ai).await;
    (ai, server)
}

#[tokio::test]
async fn a_close_is_answered_with_its_code_or_refused() {
    let (_ai, server) = server().await;
    for code in [1000, 1001, 1003, 1007, 1011, 3000, 4999] {
        let mut client = Client::connect(&server).await;
        let payload = [&u16::to_be_bytes(code)[..], "adiós".as_bytes()].concat();
        client.write(FINAL | CLOSE, &payload).await;
        assert_eq!(client.closed().await, Some(code), "{code}");
    }
    let mut client = Client::connect(&server).await;
    client.write(FINAL | CLOSE, &[]).await;
    assert_eq!(client.closed().await, None, "no code, none back");
    for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535] {
        let mut client = Client::connect(&server).await;
        client.write(FINAL | CLOSE, &u16::to_be_bytes(code)).await;
        assert_eq!(client.closed().await, Some(1002), "{code}");
    }
    let mut client = Client::connect(&server).await;
    client.write(FINAL | CLOSE, &[0x03, 0xE8, 0xFF, 0xFE]).await;
    let code = client.closed().await;
    assert!(
        [Some(1002), Some(1007)].contains(&code),
        "bad UTF-8: {code:?}"
    );
}

#[tokio::test]
async fn pings_come_back_as_they_were_also_between_fragments() {
    let (_ai, server) = server().await;
    let mut client = Client::connect(&server).await;
    for payload in [&b""[..], b"x", &[0xFF; 125]] {
        client.write(FINAL | PING, payload).await;
        assert_eq!(client.read().await, Some((PONG, payload.to_vec())));
    }
    // Nobody asked for it; nothing comes of it.
    client.write(FINAL | PONG, b"unasked").await;
    client.write(TEXT, br#"{"type":"ping","#).await;
    client.write(FINAL | PING, b"between").await;
    assert_eq!(client.read().await, Some((PONG, b"between".to_vec())));
    client.write(0, br#""clientTime""#).await;
    client.write(FINAL, b":7}").await;
    let (opcode, payload) = client.read().await.unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!((opcode, &answer["clientTime"]), (TEXT, &7.into()));
}

#[tokio::test]
async fn messages_in_pieces_are_held_to_the_same_rules() {
    let (_ai, server) = server().await;
    let euro = "€".as_bytes();
    for (what, pieces, code) in [
        (
            "half a character at the end",
            vec![(TEXT, &euro[..1]), (FINAL, &b"x"[..])],
            1007,
        ),
        (
            "a surrogate",
            vec![(TEXT, &[0xED, 0xA0][..]), (FINAL, &[0x80][..])],
            1007,
        ),
        (
            "an overlong form",
            vec![(FINAL | TEXT, &[0xC0, 0xAF][..])],
            1007,
        ),
        (
            "a new message inside one",
            vec![(TEXT, &b"{"[..]), (FINAL | TEXT, &b"}"[..])],
            1002,
        ),
        (
            "reserved bit 2",
            vec![(FINAL | 0x20 | TEXT, &b"{}"[..])],
            1002,
        ),
        (
            "reserved bit 3",
            vec![(FINAL | 0x10 | TEXT, &b"{}"[..])],
            1002,
        ),
        (
            "an unknown control frame",
            vec![(FINAL | 0xB, &b""[..])],
            1002,
        ),
        ("a close in pieces", vec![(CLOSE, &[0x03, 0xE8][..])], 1002),
    ] {
        let mut client = Client::connect(&server).await;
        for (first, payload) in pieces {
            client.write(first, payload).await;
        }
        assert_eq!(client.closed().await, Some(code), "{what}");
    }
    // A character may be cut in two as long as it becomes whole.
    let mut client = Client::connect(&server).await;
    client.write(TEXT, &[b"\"", &euro[..1]].concat()).await;
    client.write(FINAL, &[&euro[1..], b"\""].concat()).await;
    assert_eq!(client.read().await.unwrap().0, TEXT);
}

#[tokio::test]
async fn a_length_is_refused_before_anything_of_it_comes() {
    let (_ai, server) = server().await;
    let before = server.memory_kib();
    for length in [65_537, 1 << 30, (1 << 63) - 1, 1 << 63, u64::MAX] {
        let mut client = Client::connect(&server).await;
        let header = [&[FINAL | TEXT, 0xFF], &u64::to_be_bytes(length)[..], &MASK].concat();
        client.0.write_all(&header).await.unwrap();
        let code = tokio::time::timeout(Duration::from_secs(3), client.closed()).await;
        let code = code.expect("without waiting for more");
        assert!(
            [Some(1009), Some(1002)].contains(&code),
            "{length}: {code:?}"
        );
    }
    assert!(
        server.memory_kib() < before + 8_192,
        "nothing is put aside for it"
    );
}

#[tokio::test]
async fn a_handshake_that_is_none_is_refused() {
    let (_ai, server) = server().await;
    let handshake = |name: &str, value: &str| {
        let mut request = server.upgrade("/ws?channel=hall").build().unwrap();
        request.headers_mut().remove(name);
        if !value.is_empty() {
            request.headers_mut().insert(
                name.parse::<reqwest::header::HeaderName>().unwrap(),
                value.parse().unwrap(),
            );
        }
        reqwest::RequestBuilder::from_parts(reqwest::Client::new(), request)
    };
    let key = "sec-websocket-key";
    for wrong in [
        "",
        "dGhlIHNhbXBsZQ==",
        "not base64 at all, no!==",
        "dGhlIHNhbXBsZSBub25jZQ",
    ] {
        let reply = Reply::to(handshake(key, wrong)).await;
        assert_eq!(reply.error(400), "invalid_request", "{wrong:?}");
    }
    for (name, wrong) in [
        ("sec-websocket-version", ""),
        ("sec-websocket-version", "8"),
        ("connection", "keep-alive"),
    ] {
        let reply = Reply::to(handshake(name, wrong)).await;
        assert_eq!(reply.error(426), "invalid_request", "{name}: {wrong:?}");
        assert_eq!(reply.header("sec-websocket-version"), "13");
        assert_eq!(reply.header("upgrade"), "websocket");
    }
}
