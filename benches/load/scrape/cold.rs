//! Cold start: from nothing to the first page that was read in Chromium.

use super::{
    reader::{Reader, Until, playwright, rendered},
    site::{PLAIN, Site},
};
use crate::{
    Plan,
    figures::{Table, median},
};
use tokio::time::Instant;

const STARTS: usize = 10;

pub(super) async fn run(plan: &Plan, site: &Site) -> anyhow::Result<Table> {
    let url = site.url(PLAIN);
    let mut times = [
        ("quiz-stats", Vec::new()),
        ("Playwright, `load`", Vec::new()),
    ];
    let sides = if plan.with_others { 2 } else { 1 };
    for _ in 0..STARTS {
        for (side, (name, times)) in times.iter_mut().enumerate().take(sides) {
            let began = Instant::now();
            let (reader, request) = match side {
                0 => (Reader::quiz_stats(plan, site, 4).await?, rendered(&url)),
                _ => (
                    Reader::playwright(plan).await?,
                    playwright(&url, Until::Load),
                ),
            };
            let ready = began.elapsed().as_secs_f64() * 1e3;
            reader.read(&request).await?;
            let took = began.elapsed().as_secs_f64() * 1e3;
            eprintln!("cold start, {name}: listens after {ready:.0} ms, first page {took:.0} ms");
            times.push(took);
            reader.stop().await?;
        }
    }
    let mut table = Table::new(
        &format!("Start to the first page read in Chromium, {STARTS} starts"),
        &["reader", "median ms", "slowest ms"],
    );
    for (name, times) in times.iter().take(sides) {
        let slowest = times.iter().copied().fold(0.0, f64::max);
        table.row([
            (*name).to_owned(),
            format!("{:.0}", median(times.iter().copied())),
            format!("{slowest:.0}"),
        ]);
    }
    Ok(table)
}
