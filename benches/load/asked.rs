//! Questions that nobody has asked before: what the way to a model and back costs, beside the least that an Express server
//! does of it. The model takes 50 ms, always.

use crate::{
    Plan,
    figures::{Round, Table, median},
    http::{Connection, post},
    server::Server,
    stub,
};
use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::{task::JoinSet, time::Instant};

/// What the model takes.
const AT_MODEL: Duration = Duration::from_millis(50);
/// Questions under way at the same time.
const AT_ONCE: [usize; 3] = [1, 100, 1_000];
/// Time of each first round that is not counted.
const WARM_UP: Duration = Duration::from_secs(2);

/// Returns a question that is asked once.
fn request() -> Vec<u8> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let question = format!(
        r#"{{"question":"Which planet is number {number}?","answers":["Venus","Jupiter","Mars","Saturn"]}}"#
    );
    post(
        "/api/analyze",
        &format!(r#"{{"questions":[{question}],"animate":false}}"#),
    )
}

pub(crate) async fn run(plan: &Plan) -> anyhow::Result<Vec<Table>> {
    let model = stub::serve_letters(AT_MODEL).await?;
    let many = "100000".to_owned();
    let settings = [
        ("AI__BASE_URL", model.clone()),
        ("AI__CONCURRENCY", many.clone()),
        ("AI__MAILBOX_CAPACITY", many.clone()),
        ("AI__PRIOR_SAMPLE_PERCENT", "0".to_owned()),
        ("ANALYSES__MAX_RUNNING", many),
    ];
    let mut servers = vec![("quiz-stats", plan.launch.quiz_stats_with(&settings).await?)];
    if plan.with_others {
        servers.push((
            "Express",
            plan.launch.node("express-asks.js", &[&model]).await?,
        ));
    }
    let mut tables = Vec::new();
    for at_once in AT_ONCE {
        let mut rounds: Vec<(&str, Vec<Round>)> = servers
            .iter()
            .map(|(name, _)| (*name, Vec::new()))
            .collect();
        for (_, server) in &servers {
            round(server, at_once, WARM_UP).await?;
        }
        for _ in 0..plan.rounds {
            for ((_, server), (name, rounds)) in servers.iter().zip(&mut rounds) {
                let round = round(server, at_once, plan.round).await?;
                eprintln!("{name}, {at_once} at once: {round:?}");
                rounds.push(round);
            }
        }
        tables.push(table(at_once, &rounds));
    }
    Ok(tables)
}

fn table(at_once: usize, servers: &[(&str, Vec<Round>)]) -> Table {
    let title = format!("Unknown questions, {at_once} at once, 50 ms at the model");
    let head = [
        "server",
        "questions per second",
        "times",
        "server CPU µs per question",
        "times",
        "overhead p50 ms",
        "overhead p99 ms",
    ];
    let mut table = Table::new(&title, &head);
    let ours = &servers[0].1;
    let overhead = |part: fn(&Round) -> Duration, rounds: &[Round]| {
        median(
            rounds
                .iter()
                .map(|round| part(round).saturating_sub(AT_MODEL).as_secs_f64() * 1e3),
        )
    };
    for (name, rounds) in servers {
        let pairs = || ours.iter().zip(rounds);
        table.row([
            (*name).to_owned(),
            format!("{:.0}", median(rounds.iter().map(Round::per_second))),
            format!(
                "{:.2}",
                median(pairs().map(|(ours, other)| ours.per_second() / other.per_second()))
            ),
            format!("{:.0}", median(rounds.iter().map(Round::cpu_us))),
            format!(
                "{:.2}",
                median(pairs().map(|(ours, other)| other.cpu_us() / ours.cpu_us()))
            ),
            format!("{:.2}", overhead(|round| round.p50, rounds)),
            format!("{:.2}", overhead(|round| round.p99, rounds)),
        ]);
    }
    table
}

async fn round(server: &Server, at_once: usize, length: Duration) -> anyhow::Result<Round> {
    let (cpu, began) = (server.cpu()?, Instant::now());
    let mut asking = JoinSet::new();
    for _ in 0..at_once {
        asking.spawn_local(ask(server.address, began + length));
    }
    let mut latencies = Vec::new();
    while let Some(asked) = asking.join_next().await {
        latencies.extend(asked??);
    }
    let wall = began.elapsed();
    Ok(Round::new(latencies, wall, server.cpu()?.since(cpu)))
}

/// Asks until the time is over; returns how long each answer took, in microseconds.
async fn ask(address: SocketAddr, until: Instant) -> anyhow::Result<Vec<u32>> {
    let mut connection = Connection::open(address).await?;
    let mut latencies = Vec::new();
    while Instant::now() < until {
        let request = request();
        let asked = Instant::now();
        connection.call(&request).await?;
        latencies.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    Ok(latencies)
}
