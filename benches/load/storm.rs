//! A storm: the server is killed, starts again, and all its viewers come back at once with their position.

use crate::{
    Plan,
    board::FIRST,
    broadcast::PATH,
    events::{Peer, number},
    figures::{Table, median, percentile},
    http::Connection,
    viewers::{Viewer, connect},
};
use anyhow::{Context as _, bail, ensure};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

/// Events that every viewer has missed.
const MISSED: usize = 20;
/// By when the last must be back.
const LIMIT: Duration = Duration::from_secs(60);
/// Pause of a viewer that could not connect.
const AGAIN: Duration = Duration::from_millis(100);

pub(crate) async fn run(plan: &Plan) -> anyhow::Result<Vec<Table>> {
    let mut table = Table::new(
        "A storm: killed and started again, all viewers come back with their position and get the 20 events they missed",
        &[
            "viewers",
            "killed to listening, ms",
            "then half are back, ms",
            "99 % ms",
            "the last, ms",
            "viewers per second",
            "server CPU µs per viewer",
        ],
    );
    for &viewers in &plan.viewers {
        let mut storms = Vec::new();
        for _ in 0..plan.rounds {
            let storm = storm(plan, viewers).await?;
            eprintln!("{viewers} viewers: {storm:?}");
            storms.push(storm);
        }
        let ms = |part: fn(&Storm) -> Duration| {
            let median = median(storms.iter().map(|storm| part(storm).as_secs_f64() * 1e3));
            format!("{median:.0}")
        };
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let count = viewers as f64;
        table.row([
            viewers.to_string(),
            ms(|storm| storm.down),
            ms(|storm| storm.half),
            ms(|storm| storm.most),
            ms(|storm| storm.last),
            format!(
                "{:.0}",
                median(storms.iter().map(|storm| count / storm.last.as_secs_f64()))
            ),
            format!(
                "{:.0}",
                median(
                    storms
                        .iter()
                        .map(|storm| storm.cpu.as_secs_f64() * 1e6 / count)
                )
            ),
        ]);
    }
    Ok(vec![table])
}

/// How long things took.
#[derive(Debug)]
struct Storm {
    /// From the end of the server to its being there again.
    down: Duration,
    /// From then on until half of the viewers had everything.
    half: Duration,
    /// Until 99 % had.
    most: Duration,
    /// Until all had.
    last: Duration,
    /// Processor time of the server meanwhile, its start included.
    cpu: Duration,
}

async fn storm(plan: &Plan, viewers: usize) -> anyhow::Result<Storm> {
    let mut server = plan.launch.quiz_stats().await?;
    let crowd = connect(server.address, PATH, viewers).await?;
    let mut witness = Viewer::open(server.address, PATH, 0, None).await?;
    let mut publisher = Connection::open(server.address).await?;
    for event in 0..=MISSED {
        let number = FIRST + event;
        publisher.call(&Peer::QuizStats.publication(number)).await?;
    }
    let path = seen_first(&mut witness).await?;
    let killed = Instant::now();
    server = server.restart().await?;
    let (down, began) = (killed.elapsed(), Instant::now());
    drop((crowd, witness));
    let mut returning = JoinSet::new();
    for index in 0..viewers {
        let back = come_back(server.address, path.clone(), index);
        returning.spawn_local(async move {
            timeout(LIMIT, back)
                .await
                .context("a viewer did not come back")?
        });
    }
    let mut back = Vec::with_capacity(viewers);
    let mut there = Vec::with_capacity(viewers);
    while let Some(viewer) = returning.join_next().await {
        there.push(viewer??);
        back.push(u32::try_from(began.elapsed().as_micros())?);
    }
    Ok(Storm {
        down,
        half: percentile(&back, 0.5),
        most: percentile(&back, 0.99),
        last: percentile(&back, 1.0),
        cpu: server.cpu()?.total(),
    })
}

/// Returns the path for a viewer that has seen the first of the events.
async fn seen_first(witness: &mut Viewer) -> anyhow::Result<String> {
    let mut path = None;
    let mut last = 0;
    while last < FIRST + MISSED {
        witness
            .frames(|payload, _| {
                let Some(number) = number(payload) else {
                    return Ok(());
                };
                last = number;
                if path.is_none() {
                    let event: serde_json::Value = serde_json::from_slice(payload)?;
                    let epoch = event["epoch"].as_str().context("no epoch")?;
                    path = Some(format!("{PATH}&epoch={epoch}&offset={}", event["offset"]));
                }
                Ok(())
            })
            .await?;
    }
    path.context("no event came")
}

/// Connects until it is let in, and takes everything that was missed, in order.
async fn come_back(server: SocketAddr, path: String, index: usize) -> anyhow::Result<Viewer> {
    let mut viewer = loop {
        match Viewer::open(server, &path, index, None).await {
            Ok(viewer) => break viewer,
            Err(_) => sleep(AGAIN).await,
        }
    };
    let mut next = FIRST + 1;
    while next <= FIRST + MISSED {
        viewer
            .frames(|payload, _| {
                match number(payload) {
                    Some(number) if number == next => next += 1,
                    Some(number) => bail!("event {number} came instead of {next}"),
                    None => {
                        let greeting = String::from_utf8_lossy(payload);
                        let is_back = greeting.contains(r#""recovered":true"#);
                        ensure!(is_back, "not recovered: {greeting}");
                    }
                }
                Ok(())
            })
            .await?;
    }
    Ok(viewer)
}
