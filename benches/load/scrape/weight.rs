//! Memory per open page: everything that runs, with no page open and with some that never come to rest.

use super::{
    reader::{Reader, Until, playwright, rendered},
    site::{PLAIN, RESTLESS, Site},
};
use crate::{
    Plan,
    figures::{Table, median},
};
use anyhow::ensure;
use std::{rc::Rc, time::Duration};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

const PAGES: usize = 8;
/// For how long a page stays open.
const OPEN_MS: u64 = 14_000;
/// How long all of them may take to be asked for: the first must still be open when all are weighed.
const ASKED_LIMIT: Duration = Duration::from_secs(9);
/// Until memory counts as at rest.
const REST: Duration = Duration::from_secs(4);
const KIB_PER_MIB: f64 = 1_024.0;

/// In MiB.
struct Weighed {
    server: f64,
    idle: f64,
    open: f64,
}

pub(super) async fn run(plan: &Plan, site: &Site) -> anyhow::Result<Table> {
    let names = ["quiz-stats", "Playwright"];
    let sides = if plan.with_others { 2 } else { 1 };
    let mut weighed = [Vec::new(), Vec::new()];
    for _ in 0..plan.rounds {
        for (side, weighed) in weighed.iter_mut().enumerate().take(sides) {
            let settle = ("BROWSER__SETTLE_TIMEOUT_MS", OPEN_MS.to_string());
            let reader = match side {
                0 => Reader::quiz_stats_with(plan, site, PAGES, &[settle]).await?,
                _ => Reader::playwright(plan).await?,
            };
            let requests = |path: &str| match side {
                0 => rendered(&site.url(path)),
                _ => playwright(&site.url(path), Until::Held(OPEN_MS)),
            };
            let first = match side {
                0 => rendered(&site.url(PLAIN)),
                _ => playwright(&site.url(PLAIN), Until::Load),
            };
            reader.read(&first).await?;
            let found = weigh(site, reader, requests(RESTLESS)).await?;
            eprintln!(
                "memory, {}: {:.1} MiB idle, {:.1} MiB with {PAGES} pages",
                names[side], found.idle, found.open
            );
            weighed.push(found);
        }
    }
    let mut table = Table::new(
        &format!(
            "PSS of the server and all of Chromium, warm, without and with {PAGES} open pages"
        ),
        &[
            "reader",
            "no page, MiB",
            "of that the server itself, MiB",
            &format!("{PAGES} pages, MiB"),
            "MiB per page",
        ],
    );
    #[expect(clippy::cast_precision_loss, reason = "a few pages")]
    let pages = PAGES as f64;
    for (name, weighed) in names.iter().zip(&weighed).take(sides) {
        let of = |part: fn(&Weighed) -> f64| format!("{:.1}", median(weighed.iter().map(part)));
        let each = median(weighed.iter().map(|it| (it.open - it.idle) / pages));
        table.row([
            (*name).to_owned(),
            of(|it| it.idle),
            of(|it| it.server),
            of(|it| it.open),
            format!("{each:.1}"),
        ]);
    }
    Ok(table)
}

/// Weighs a warm reader, then one with pages; ends it.
async fn weigh(site: &Site, reader: Reader, request: Vec<u8>) -> anyhow::Result<Weighed> {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 KiB")]
    let mib = |kib: u64| kib as f64 / KIB_PER_MIB;
    sleep(REST).await;
    let family = reader.family()?;
    let (server, others) = family.pss_kib();
    let (before, began) = (site.visits(RESTLESS), Instant::now());
    let reader = Rc::new(reader);
    let mut reading = JoinSet::new();
    for _ in 0..PAGES {
        let (reader, request) = (Rc::clone(&reader), request.clone());
        reading.spawn_local(async move { reader.read(&request).await });
    }
    while site.visits(RESTLESS) < before + PAGES {
        ensure!(began.elapsed() < ASKED_LIMIT, "pages open too slowly");
        sleep(Duration::from_millis(20)).await;
    }
    sleep(REST).await;
    let (server_open, others_open) = family.pss_kib();
    ensure!(reading.len() == PAGES, "a page was closed before its time");
    while let Some(read) = reading.join_next().await {
        read??;
    }
    if let Some(reader) = Rc::into_inner(reader) {
        reader.stop().await?;
    }
    Ok(Weighed {
        server: mib(server),
        idle: mib(server + others),
        open: mib(server_open + others_open),
    })
}
