//! Broadcast: one channel's events to many WebSockets, beside other servers and beside the floor.

use crate::{
    Plan,
    board::{Board, Faults},
    events::Peer,
    figures::{Round, Table},
    http::Connection,
    server::Server,
    viewers::{Viewer, connect},
};
use std::{cell::RefCell, rc::Rc, time::Duration};
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, interval, sleep, timeout},
};

pub(crate) const PATH: &str = "/ws?channel=bench";
/// The longest an event may be on its way before it counts as lost.
const LOST: Duration = Duration::from_secs(20);
const WARM_UP: Duration = Duration::from_secs(2);
const PACE: Duration = Duration::from_millis(50);

/// How events are published.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Load {
    /// Twenty per second, whatever becomes of them.
    Paced,
    /// So many that not all viewers have: the next one leaves when another has reached everybody.
    InFlight(usize),
}

const LOADS: [(Load, &str); 3] = [
    (Load::Paced, "20 events per second"),
    (Load::InFlight(1), "one event after another"),
    (Load::InFlight(32), "32 events in flight"),
];

pub(crate) async fn run(plan: &Plan) -> anyhow::Result<Vec<Table>> {
    let mut tables = Vec::new();
    for &viewers in &plan.viewers {
        tables.extend(compare(plan, viewers).await?);
    }
    Ok(tables)
}

async fn compare(plan: &Plan, viewers: usize) -> anyhow::Result<Vec<Table>> {
    let mut peers = vec![Peer::QuizStats];
    if plan.with_others {
        peers.extend(Peer::OTHERS);
    }
    let mut servers = Vec::new();
    for &peer in &peers {
        servers.push((peer, peer.start(&plan.launch).await?));
    }
    let named = |(peer, _): &(Peer, Server)| (peer.name(), Vec::new());
    let mut rounds: [Vec<(&str, Vec<Round>)>; LOADS.len()] =
        std::array::from_fn(|_| servers.iter().map(named).collect());
    let mut faults = vec![Faults::default(); servers.len()];
    for turn in 0..plan.rounds {
        for (index, (peer, server)) in servers.iter().enumerate() {
            let mut crowd = Crowd::gather(server, viewers).await?;
            if turn == 0 {
                for (load, _) in LOADS {
                    crowd.round(server, *peer, load, WARM_UP).await?;
                }
            }
            for ((load, title), rounds) in LOADS.iter().zip(&mut rounds) {
                let (round, fault) = crowd.round(server, *peer, *load, plan.round).await?;
                eprintln!(
                    "{viewers} viewers, {title}, {}: {round:?} {fault:?}",
                    peer.name()
                );
                rounds[index].1.push(round);
                faults[index].add(fault);
            }
        }
    }
    let faults: Vec<_> = servers
        .iter()
        .zip(faults)
        .map(|((peer, _), faults)| format!("{} {faults}", peer.name()))
        .collect();
    let tables = LOADS.iter().zip(rounds).map(|((_, title), rounds)| {
        let title = format!("Broadcast to {viewers} viewers, {title}");
        Table::compare(&title, ("delivery", "deliveries"), &rounds)
    });
    let mut tables: Vec<_> = tables.collect();
    if let Some(last) = tables.last_mut() {
        last.note(format!(
            "Lost · doubled · out of order in all three: {}.",
            faults.join("; ")
        ));
    }
    Ok(tables)
}

/// Viewers that watch.
pub(crate) struct Crowd {
    board: Rc<Board>,
    watching: JoinSet<anyhow::Result<()>>,
}

impl Crowd {
    /// Connects so many viewers.
    pub(crate) async fn gather(server: &Server, viewers: usize) -> anyhow::Result<Self> {
        Ok(Self::of(connect(server.address, PATH, viewers).await?))
    }

    pub(crate) fn of(viewers: Vec<Viewer>) -> Self {
        let board = Rc::new(Board::new(viewers.len()));
        let mut watching = JoinSet::new();
        for viewer in viewers {
            watching.spawn_local(viewer.watch(Rc::clone(&board)));
        }
        Self { board, watching }
    }

    /// Publishes for so long, and waits for what is on its way.
    pub(crate) async fn round(
        &mut self,
        server: &Server,
        peer: Peer,
        load: Load,
        length: Duration,
    ) -> anyhow::Result<(Round, Faults)> {
        let (cpu, began) = (server.cpu()?, Instant::now());
        let publisher = Publisher {
            server,
            peer,
            board: &self.board,
            until: began + length,
        };
        let publishing = async {
            match load {
                Load::Paced => publisher.paced().await,
                Load::InFlight(count) => publisher.in_flight(count).await,
            }
        };
        tokio::select! {
            published = publishing => published?,
            Some(left) = self.watching.join_next() => left??,
        }
        let wall = began.elapsed();
        let cpu = server.cpu()?.since(cpu);
        let (latencies, faults) = self.board.close();
        Ok((Round::new(latencies, wall, cpu), faults))
    }
}

struct Publisher<'a> {
    server: &'a Server,
    peer: Peer,
    board: &'a Rc<Board>,
    until: Instant,
}

impl Publisher<'_> {
    async fn in_flight(&self, count: usize) -> anyhow::Result<()> {
        let one = || async {
            let mut connection = Connection::open(self.server.address).await?;
            let everywhere = Rc::new(Notify::new());
            while Instant::now() < self.until {
                let number = self.board.publish(&everywhere);
                connection.call(&self.peer.publication(number)).await?;
                if timeout(LOST, everywhere.notified()).await.is_err() {
                    break;
                }
            }
            anyhow::Ok(())
        };
        futures_util::future::try_join_all((0..count).map(|_| one())).await?;
        Ok(())
    }

    async fn paced(&self) -> anyhow::Result<()> {
        let (address, peer) = (self.server.address, self.peer);
        // Answers that take long do not keep the next event from leaving.
        let idle = Rc::new(RefCell::new(Vec::new()));
        let nobody = Rc::new(Notify::new());
        let mut calls = JoinSet::new();
        let mut ticks = interval(PACE);
        while ticks.tick().await < self.until {
            let (idle, number) = (Rc::clone(&idle), self.board.publish(&nobody));
            let known = idle.borrow_mut().pop();
            calls.spawn_local(async move {
                let mut connection = match known {
                    Some(connection) => connection,
                    None => Connection::open(address).await?,
                };
                connection.call(&peer.publication(number)).await?;
                idle.borrow_mut().push(connection);
                anyhow::Ok(())
            });
        }
        while let Some(called) = calls.join_next().await {
            called??;
        }
        let limit = Instant::now() + LOST;
        while self.board.missing() > 0 && Instant::now() < limit {
            sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }
}
