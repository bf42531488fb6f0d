//! Cached analyze: the same known question again and again on kept-alive connections, one request at a time on each.

use crate::{
    Plan,
    figures::{Round, Table},
    http::{Connection, post},
    server::Server,
};
use std::{net::SocketAddr, time::Duration};
use tokio::{task::JoinSet, time::Instant};

/// Connections that ask at the same time.
const CONNECTIONS: usize = 32;
/// Time of each first round that is not counted: compilers warm up, caches fill.
const WARM_UP: Duration = Duration::from_secs(2);

fn request(animate: bool) -> Vec<u8> {
    let question = r#"{"question":"Which planet is known as the Red Planet?","answers":["Venus","Jupiter","Mars","Saturn"]}"#;
    post(
        "/api/analyze",
        &format!(r#"{{"questions":[{question}],"animate":{animate}}}"#),
    )
}

pub(crate) async fn run(plan: &Plan) -> anyhow::Result<Vec<Table>> {
    let mut servers = vec![("quiz-stats", plan.launch.quiz_stats().await?)];
    if plan.with_others {
        for (name, args) in [("Express", &[][..]), ("Express without etag", &["bare"])] {
            servers.push((name, plan.launch.node("express.js", args).await?));
        }
        servers.push(("bare sockets", plan.launch.floor(&[]).await?));
    }
    // The first call asks the model; from here on the answer is known.
    Connection::open(servers[0].1.address)
        .await?
        .call(&request(false))
        .await?;
    let mut tables = Vec::new();
    for (animate, title) in [
        (false, "Cached analyze, no show (`animate: false`)"),
        (
            true,
            "Cached analyze with a show (`animate: true`): three events and a timeline made durable per request",
        ),
    ] {
        let request = request(animate);
        for (_, server) in &servers {
            round(server, &request, WARM_UP).await?;
        }
        let mut rounds: Vec<(&str, Vec<Round>)> = servers
            .iter()
            .map(|(name, _)| (*name, Vec::new()))
            .collect();
        for _ in 0..plan.rounds {
            for ((_, server), (name, rounds)) in servers.iter().zip(&mut rounds) {
                let round = round(server, &request, plan.round).await?;
                eprintln!("{name}: {round:?}");
                rounds.push(round);
            }
        }
        tables.push(Table::compare(title, ("request", "requests"), &rounds));
    }
    Ok(tables)
}

async fn round(server: &Server, request: &[u8], length: Duration) -> anyhow::Result<Round> {
    let (cpu, began) = (server.cpu()?, Instant::now());
    let mut asking = JoinSet::new();
    for _ in 0..CONNECTIONS {
        asking.spawn_local(ask(server.address, request.to_vec(), began + length));
    }
    let mut latencies = Vec::new();
    while let Some(asked) = asking.join_next().await {
        latencies.extend(asked??);
    }
    let wall = began.elapsed();
    Ok(Round::new(latencies, wall, server.cpu()?.since(cpu)))
}

/// Asks until the time is over; returns how long each answer took, in microseconds.
async fn ask(address: SocketAddr, request: Vec<u8>, until: Instant) -> anyhow::Result<Vec<u32>> {
    let mut connection = Connection::open(address).await?;
    let mut latencies = Vec::new();
    let mut now = Instant::now();
    while now < until {
        connection.call(&request).await?;
        let answered = Instant::now();
        latencies.push(u32::try_from((answered - now).as_micros()).unwrap_or(u32::MAX));
        now = answered;
    }
    Ok(latencies)
}
