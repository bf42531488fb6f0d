//! Viewers that stop reading: what the others notice when every tenth does.
//!
//! One event after another fills what lies between server and viewer within a second; from then on the viewer's queue
//! fills, and when that is full the viewer is closed. A round sees all of it.

use crate::{
    Plan,
    board::Faults,
    broadcast::{Crowd, Load, PATH},
    events::Peer,
    figures::{Round, Table, median},
    server::Server,
    viewers::{Viewer, connect},
};
use std::time::Duration;

/// What a viewer that does not read is willing to have lying about, in bytes; the kernel doubles it.
const STALLED_BUFFER: u32 = 4_096;

pub(crate) async fn run(plan: &Plan) -> anyhow::Result<Vec<Table>> {
    let mut table = Table::new(
        "Every tenth viewer stops reading, one event after another",
        &[
            "viewers",
            "of them stalled",
            "p50 ms of the others",
            "p99 ms",
            "p99 is times that without",
        ],
    );
    for &viewers in &plan.viewers {
        let server = plan.launch.quiz_stats().await?;
        let mut rounds: [Vec<Round>; 2] = Default::default();
        round(&server, viewers, 0, plan.round).await?;
        for _ in 0..plan.rounds {
            for (rounds, stalled) in rounds.iter_mut().zip([0, viewers / 10]) {
                let round = round(&server, viewers, stalled, plan.round).await?;
                eprintln!("{viewers} viewers, {stalled} stalled: {round:?}");
                rounds.push(round);
            }
        }
        let [without, with] = &rounds;
        let ms = |rounds: &[Round], part: fn(&Round) -> Duration| {
            median(rounds.iter().map(|round| part(round).as_secs_f64() * 1e3))
        };
        let ratios = with
            .iter()
            .zip(without)
            .map(|(with, without)| with.p99.as_secs_f64() / without.p99.as_secs_f64());
        let ratio = format!("{:.2}", median(ratios));
        for (rounds, stalled, ratio) in [
            (without, 0, String::new()),
            (with, viewers / 10, ratio.clone()),
        ] {
            table.row([
                viewers.to_string(),
                stalled.to_string(),
                format!("{:.2}", ms(rounds, |round| round.p50)),
                format!("{:.2}", ms(rounds, |round| round.p99)),
                ratio,
            ]);
        }
    }
    Ok(vec![table])
}

/// The same viewers watch in both cases; the tenth part either rests beside them with nothing to read, or stalls.
async fn round(
    server: &Server,
    viewers: usize,
    stalled: usize,
    length: Duration,
) -> anyhow::Result<Round> {
    let tenth = viewers / 10;
    let watching = connect(server.address, PATH, viewers - tenth).await?;
    let mut others = Vec::new();
    for index in 0..tenth {
        let viewer = Viewer::open(server.address, PATH, index, Some(STALLED_BUFFER)).await?;
        others.push(viewer);
    }
    let reading = others.split_off(stalled);
    let rest = Crowd::of(reading);
    let (round, faults) = Crowd::of(watching)
        .round(server, Peer::QuizStats, Load::InFlight(1), length)
        .await?;
    drop((rest, others));
    anyhow::ensure!(
        faults == Faults::default(),
        "the others missed something: {faults:?}"
    );
    Ok(round)
}
