//! Broadcast: real `timeline` events of one channel to 1,000 WebSocket clients.
//!
//! quiz-stats is told to display one answer, with a timing that leaves one segment: a real event of about 330 bytes
//! through the whole path, committed to disk before it is shown. Node's `ws` gets the same bytes posted and passes them
//! on. Every event carries its number as the length of its segment, so that its receipt can be told by its last bytes.

use crate::{
    Plan,
    figures::{Round, Table},
    http::{Connection, post},
    server::Server,
};
use anyhow::{Context as _, bail, ensure};
use std::{cell::RefCell, net::SocketAddr, rc::Rc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
    task::JoinSet,
    time::{Instant, timeout},
};

/// WebSocket clients.
pub(crate) const CLIENTS: usize = 1_000;
/// Number of the first event: all have seven digits, so all events of a server are equally long but for the offset.
const FIRST: usize = 1_000_000;
/// How an event ends, behind its number.
const TAIL: &[u8] = br#","from":3,"to":3}],"skipped":[],"complete":true}"#;
/// The longest an event may be on its way before the run is given up.
const LOST: Duration = Duration::from_secs(20);
const WARM_UP: Duration = Duration::from_secs(2);

pub(crate) async fn run(plan: &Plan) -> anyhow::Result<Vec<Table>> {
    let mut servers = vec![(
        "quiz-stats",
        plan.launch.quiz_stats().await?,
        ours as Publish,
    )];
    if plan.with_others {
        servers.push((
            "Node `ws`",
            plan.launch.node("broadcast.js", &[]).await?,
            theirs,
        ));
        servers.push(("bare sockets", plan.launch.floor().await?, theirs));
    }
    let mut tables = Vec::new();
    for (in_flight, title) in [
        (1, "Broadcast, one event after another"),
        (32, "Broadcast, 32 events in flight"),
    ] {
        for (_, server, publish) in &servers {
            round(server, *publish, in_flight, WARM_UP).await?;
        }
        let mut rounds: Vec<(&str, Vec<Round>)> = servers
            .iter()
            .map(|(name, ..)| (*name, Vec::new()))
            .collect();
        for _ in 0..plan.rounds {
            for ((_, server, publish), (name, rounds)) in servers.iter().zip(&mut rounds) {
                let round = round(server, *publish, in_flight, plan.round).await?;
                eprintln!("{name}: {round:?}");
                rounds.push(round);
            }
        }
        tables.push(Table::compare(title, ("delivery", "deliveries"), &rounds));
    }
    Ok(tables)
}

/// Writes the request that publishes an event with this number.
type Publish = fn(usize) -> Vec<u8>;

fn ours(number: usize) -> Vec<u8> {
    let timing =
        format!(r#"{{"riseMs":0,"holdMs":{number},"fallMs":0,"restMs":0,"finaleHoldMs":0}}"#);
    let body = format!(r#"{{"answers":[3],"timing":{timing},"whenBusy":"replace"}}"#);
    post("/api/channels/bench/display", &body)
}

/// Posts an event as quiz-stats makes it.
fn theirs(number: usize) -> Vec<u8> {
    let event = format!(
        r#"{{"offset":1234,"epoch":"0123456789abcdef","type":"timeline","id":"019ab000-0000-7000-8000-000000000000","analysisId":null,"channel":"bench","revision":3,"startsAt":1795000000000,"pausedAt":null,"durationMs":{number},"segments":[{{"kind":"hold","question":1,"atMs":0,"durMs":{number}"#
    );
    let tail = std::str::from_utf8(TAIL).unwrap_or_default();
    post("/publish", &(event + tail))
}

/// What is on its way.
#[derive(Default)]
struct Board {
    events: RefCell<Vec<Event>>,
    latencies: RefCell<Vec<u32>>,
}

struct Event {
    sent: Instant,
    missing: usize,
    everywhere: Rc<Notify>,
}

impl Board {
    /// Notes a new event; returns its number, and who is told when all clients have it.
    fn publish(&self) -> (usize, Rc<Notify>) {
        let everywhere = Rc::new(Notify::new());
        let mut events = self.events.borrow_mut();
        events.push(Event {
            sent: Instant::now(),
            missing: CLIENTS,
            everywhere: Rc::clone(&everywhere),
        });
        (FIRST + events.len() - 1, everywhere)
    }

    fn receive(&self, number: usize, now: Instant) -> anyhow::Result<()> {
        let mut events = self.events.borrow_mut();
        let event = number
            .checked_sub(FIRST)
            .and_then(|index| events.get_mut(index));
        let event = event.with_context(|| format!("event {number} was never sent"))?;
        event.missing = event
            .missing
            .checked_sub(1)
            .context("an event came twice")?;
        let latency = u32::try_from((now - event.sent).as_micros()).unwrap_or(u32::MAX);
        self.latencies.borrow_mut().push(latency);
        if event.missing == 0 {
            event.everywhere.notify_one();
        }
        Ok(())
    }
}

/// Connects all clients, publishes until the time is over with `in_flight` events that not all clients have, and waits
/// for the last.
async fn round(
    server: &Server,
    publish: Publish,
    in_flight: usize,
    length: Duration,
) -> anyhow::Result<Round> {
    let board = Rc::new(Board::default());
    let mut receiving = JoinSet::new();
    for client in connect(server.address, "/ws?channel=bench").await? {
        receiving.spawn_local(receive(client, Rc::clone(&board)));
    }
    let (cpu, began) = (server.cpu()?, Instant::now());
    let mut publishing = JoinSet::new();
    for _ in 0..in_flight {
        let (address, board) = (server.address, Rc::clone(&board));
        publishing.spawn_local(async move {
            let mut connection = Connection::open(address).await?;
            while began.elapsed() < length {
                let (number, everywhere) = board.publish();
                connection.call(&publish(number)).await?;
                timeout(LOST, everywhere.notified())
                    .await
                    .context("an event did not reach everybody")?;
            }
            anyhow::Ok(())
        });
    }
    while !publishing.is_empty() {
        tokio::select! {
            Some(published) = publishing.join_next() => published??,
            Some(received) = receiving.join_next() => received??,
        }
    }
    let wall = began.elapsed();
    let cpu = server.cpu()?.since(cpu);
    receiving.shutdown().await;
    Ok(Round::new(board.latencies.take(), wall, cpu))
}

/// Opens all WebSockets.
pub(crate) async fn connect(address: SocketAddr, path: &str) -> anyhow::Result<Vec<TcpStream>> {
    let mut clients = Vec::with_capacity(CLIENTS);
    for _ in 0..CLIENTS {
        let mut client = TcpStream::connect(address).await?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        client.write_all(request.as_bytes()).await?;
        // Byte by byte: frames may follow at once, and belong to whoever reads on.
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await?);
        }
        ensure!(
            head.starts_with(b"HTTP/1.1 101"),
            "no WebSocket: {}",
            String::from_utf8_lossy(&head)
        );
        clients.push(client);
    }
    Ok(clients)
}

/// Takes frames as they come, and notes the events among them.
async fn receive(mut client: TcpStream, board: Rc<Board>) -> anyhow::Result<()> {
    let mut buffer = vec![0; 16_384];
    let mut length = 0;
    loop {
        match client.read(&mut buffer[length..]).await? {
            0 => bail!("the server closed a WebSocket"),
            read => length += read,
        }
        let now = Instant::now();
        let mut begin = 0;
        while let Some((payload, end)) = frame(&buffer[begin..length])? {
            if let Some(number) = number(&buffer[begin + payload..begin + end]) {
                board.receive(number, now)?;
            }
            begin += end;
        }
        buffer.copy_within(begin..length, 0);
        length -= begin;
    }
}

/// Returns where the payload of the first frame begins and ends, once it is there. Servers do not mask.
fn frame(bytes: &[u8]) -> anyhow::Result<Option<(usize, usize)>> {
    let (begin, length) = match bytes {
        [0x88, ..] => bail!("the server closes a WebSocket"),
        [_, 126, high, low, ..] => (4, usize::from(u16::from_be_bytes([*high, *low]))),
        [_, 127, ..] => bail!("a frame is longer than expected"),
        [_, short, ..] if *short < 126 => (2, usize::from(*short)),
        _ => return Ok(None),
    };
    Ok(Some((begin, begin + length)).filter(|(_, end)| bytes.len() >= *end))
}

/// Returns the number of an event; the greeting has none.
fn number(payload: &[u8]) -> Option<usize> {
    let digits = payload.strip_suffix(TAIL)?.last_chunk::<7>()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}
