//! Footprint: start-up to ready, memory when idle, memory per idle WebSocket.

use crate::{
    Plan,
    broadcast::{CLIENTS, connect},
    figures::{Table, median},
    http::{Connection, get},
    server::Server,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const STARTS: usize = 20;
/// Until memory counts as idle.
const IDLE: Duration = Duration::from_secs(10);
const KIB_PER_MIB: f64 = 1_024.0;

pub(crate) async fn run(plan: &Plan) -> anyhow::Result<Vec<Table>> {
    let mut starts = Table::new(
        "Start-up to the first answer, 20 starts",
        &["server", "median ms", "slowest ms"],
    );
    let mut memory = Table::new(
        "Memory",
        &[
            "server",
            "idle PSS MiB",
            "idle RSS MiB",
            "PSS MiB with 1,000 idle WebSockets",
            "KiB per WebSocket",
        ],
    );
    let servers: &[(&str, Option<&str>)] = match plan.with_others {
        true => &[
            ("quiz-stats", None),
            ("Node `ws`", Some("broadcast.js")),
            ("Express", Some("express.js")),
        ],
        false => &[("quiz-stats", None)],
    };
    let mut times = vec![Vec::new(); servers.len()];
    for _ in 0..STARTS {
        for ((_, script), times) in servers.iter().zip(&mut times) {
            let (server, ready) = start(plan, *script).await?;
            times.push(ready.as_secs_f64() * 1e3);
            server.stop().await?;
        }
    }
    for ((name, _), times) in servers.iter().zip(&times) {
        let slowest = times.iter().copied().fold(0.0, f64::max);
        starts.row([
            (*name).to_owned(),
            format!("{:.0}", median(times.iter().copied())),
            format!("{slowest:.0}"),
        ]);
    }
    for (name, script) in servers {
        memory.row(weigh(plan, name, *script).await?);
    }
    Ok(vec![starts, memory])
}

/// Starts a server and waits until it answers; of ours that it is ready for work, of the others anything.
async fn start(plan: &Plan, script: Option<&str>) -> anyhow::Result<(Server, Duration)> {
    let began = Instant::now();
    let server = match script {
        None => plan.launch.quiz_stats().await?,
        Some(script) => plan.launch.node(script, &[]).await?,
    };
    let mut connection = Connection::open(server.address).await?;
    match script {
        None => drop(connection.call(&get("/readyz")).await?),
        // Any answer will do: an unknown path is answered as well.
        Some(_) => drop(connection.call(&get("/")).await),
    }
    Ok((server, began.elapsed()))
}

async fn weigh(plan: &Plan, name: &str, script: Option<&str>) -> anyhow::Result<[String; 5]> {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 KiB")]
    let mib = |kib: u64| format!("{:.1}", kib as f64 / KIB_PER_MIB);
    let (server, _) = start(plan, script).await?;
    sleep(IDLE).await;
    let (pss, rss) = (server.pss_kib()?, server.rss_kib()?);
    let (mut with_clients, mut each) = ("-".to_owned(), "-".to_owned());
    if script != Some("express.js") {
        let clients = connect(server.address, "/ws?channel=bench").await?;
        sleep(IDLE).await;
        let after = server.pss_kib()?;
        with_clients = mib(after);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 KiB")]
        let per_client = after.saturating_sub(pss) as f64 / CLIENTS as f64;
        each = format!("{per_client:.1}");
        drop(clients);
    }
    server.stop().await?;
    Ok([name.to_owned(), mib(pss), mib(rss), with_clients, each])
}
