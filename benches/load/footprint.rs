//! Footprint: start-up to ready, memory when idle, memory and processor time per idle WebSocket.

use crate::{
    Plan,
    broadcast::PATH,
    events::Peer,
    figures::{Table, median},
    http::{Connection, get},
    server::Server,
    viewers::connect,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const STARTS: usize = 20;
/// Until memory counts as idle.
const IDLE: Duration = Duration::from_secs(10);
/// How long idle viewers are watched: all are pinged once at least.
const WATCHED: Duration = Duration::from_secs(30);
const KIB_PER_MIB: f64 = 1_024.0;

/// What is weighed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Shows(Peer),
    Express,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Shows(peer) => peer.name(),
            Self::Express => "Express",
        }
    }

    /// Starts it and waits until it answers; of ours that it is ready for work, of the others anything.
    async fn start(self, plan: &Plan) -> anyhow::Result<(Server, Duration)> {
        let began = Instant::now();
        let server = match self {
            Self::Shows(peer) => peer.start(&plan.launch).await?,
            Self::Express => plan.launch.node("express.js", &[]).await?,
        };
        let mut connection = Connection::open(server.address).await?;
        match self {
            Self::Shows(Peer::QuizStats) => drop(connection.call(&get("/readyz")).await?),
            // Any answer will do: an unknown path is answered as well.
            _ => drop(connection.call(&get("/")).await),
        }
        Ok((server, began.elapsed()))
    }
}

pub(crate) async fn run(plan: &Plan) -> anyhow::Result<Vec<Table>> {
    let mut starts = Table::new(
        "Start-up to the first answer, 20 starts",
        &[
            "server",
            "median ms",
            "slowest ms",
            "idle PSS MiB",
            "idle RSS MiB",
        ],
    );
    let mut viewers = Table::new(
        "Idle WebSockets",
        &[
            "server",
            "viewers",
            "PSS MiB",
            "KiB per viewer",
            "CPU, % of a core",
        ],
    );
    let kinds: &[Kind] = match plan.with_others {
        true => &[
            Kind::Shows(Peer::QuizStats),
            Kind::Shows(Peer::Ws),
            Kind::Shows(Peer::Bun),
            Kind::Express,
        ],
        false => &[Kind::Shows(Peer::QuizStats)],
    };
    let mut times = vec![Vec::new(); kinds.len()];
    for _ in 0..STARTS {
        for (kind, times) in kinds.iter().zip(&mut times) {
            let (server, ready) = kind.start(plan).await?;
            times.push(ready.as_secs_f64() * 1e3);
            server.stop().await?;
        }
    }
    for (kind, times) in kinds.iter().zip(&times) {
        let slowest = times.iter().copied().fold(0.0, f64::max);
        let (server, _) = kind.start(plan).await?;
        sleep(IDLE).await;
        starts.row([
            kind.name().to_owned(),
            format!("{:.0}", median(times.iter().copied())),
            format!("{slowest:.0}"),
            mib(server.pss_kib()?),
            mib(server.rss_kib()?),
        ]);
        server.stop().await?;
    }
    for &kind in kinds.iter().filter(|kind| **kind != Kind::Express) {
        for &count in &plan.viewers {
            viewers.row(weigh(plan, kind, count).await?);
        }
    }
    Ok(vec![starts, viewers])
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52 KiB")]
fn mib(kib: u64) -> String {
    format!("{:.1}", kib as f64 / KIB_PER_MIB)
}

async fn weigh(plan: &Plan, kind: Kind, count: usize) -> anyhow::Result<[String; 5]> {
    let (server, _) = kind.start(plan).await?;
    sleep(IDLE).await;
    let before = server.pss_kib()?;
    let mut watching = tokio::task::JoinSet::new();
    for mut viewer in connect(server.address, PATH, count).await? {
        // Whoever does not answer pings is closed.
        watching.spawn_local(async move { while viewer.frames(|_, _| Ok(())).await.is_ok() {} });
    }
    sleep(IDLE).await;
    let (cpu, began) = (server.cpu()?, Instant::now());
    sleep(WATCHED).await;
    let cpu = server.cpu()?.since(cpu).total().as_secs_f64() / began.elapsed().as_secs_f64();
    let after = server.pss_kib()?;
    anyhow::ensure!(watching.len() == count, "a viewer was closed");
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 KiB")]
    let each = after.saturating_sub(before) as f64 / count as f64;
    server.stop().await?;
    Ok([
        kind.name().to_owned(),
        count.to_string(),
        mib(after),
        format!("{each:.1}"),
        format!("{:.1}", 100.0 * cpu),
    ])
}
