//! Recovery: Chromium's main process is killed; until when does the next page come? Of quiz-stats alone: the baseline
//! would have to be written around Playwright.

use super::{
    reader::{Reader, rendered},
    site::{HELD, PLAIN, Site},
};
use crate::{
    Plan,
    figures::{Table, median},
};
use anyhow::{Context as _, ensure};
use std::{rc::Rc, time::Duration};
use tokio::time::{Instant, sleep};

const TRIALS: usize = 20;
/// Between two looks, and between two tries.
const LOOK_EVERY: Duration = Duration::from_millis(10);
const LIMIT: Duration = Duration::from_secs(20);

pub(super) async fn run(plan: &Plan, site: &Site) -> anyhow::Result<Table> {
    let mut table = Table::new(
        &format!("`kill -9` of Chromium to the next page read in it, {TRIALS} trials each"),
        &["killed", "median ms", "slowest ms", "refused meanwhile"],
    );
    let reader = Rc::new(Reader::quiz_stats(plan, site, 4).await?);
    for while_loading in [false, true] {
        let (mut times, mut refused) = (Vec::new(), 0);
        for trial in 0..TRIALS {
            // Chromium is warm then.
            reader.read(&rendered(&site.url(PLAIN))).await?;
            let (took, refusals) = match while_loading {
                false => idle(&reader, site).await?,
                true => loading(&reader, site, trial).await?,
            };
            eprintln!("recovery, while loading: {while_loading}: {took:.0} ms");
            times.push(took);
            refused += refusals;
        }
        let name = match while_loading {
            false => "while it has nothing to do; a page is sent at once",
            true => "while a page loads; until that page is answered",
        };
        table.row([
            name.to_owned(),
            format!("{:.0}", median(times.iter().copied())),
            format!("{:.0}", times.iter().copied().fold(0.0, f64::max)),
            refused.to_string(),
        ]);
    }
    if let Some(reader) = Rc::into_inner(reader) {
        reader.stop().await?;
    }
    Ok(table)
}

async fn idle(reader: &Reader, site: &Site) -> anyhow::Result<(f64, usize)> {
    let chromium = reader.family()?.chromium().context("no Chromium")?;
    let began = Instant::now();
    chromium.kill()?;
    until_read(reader, site, began, 0).await
}

/// The page's server does not answer the first time; when Chromium is gone, quiz-stats asks once more.
async fn loading(reader: &Rc<Reader>, site: &Site, trial: usize) -> anyhow::Result<(f64, usize)> {
    let path = format!("{HELD}{trial}");
    let chromium = reader.family()?.chromium().context("no Chromium")?;
    let (reading, request) = (Rc::clone(reader), rendered(&site.url(&path)));
    let page = tokio::task::spawn_local(async move { reading.read(&request).await });
    let asked = Instant::now();
    while site.visits(&path) == 0 {
        ensure!(asked.elapsed() < LIMIT, "the page is not even asked for");
        sleep(LOOK_EVERY).await;
    }
    let began = Instant::now();
    chromium.kill()?;
    match page.await? {
        Ok(_) => Ok((began.elapsed().as_secs_f64() * 1e3, 0)),
        Err(refusal) => {
            eprintln!("the page that was loading: {refusal}");
            until_read(reader, site, began, 1).await
        }
    }
}

/// Asks for a page until it is read; returns the milliseconds since `began`, and how many tries were refused.
async fn until_read(
    reader: &Reader,
    site: &Site,
    began: Instant,
    mut refused: usize,
) -> anyhow::Result<(f64, usize)> {
    let request = rendered(&site.url(PLAIN));
    while let Err(refusal) = reader.read(&request).await {
        ensure!(began.elapsed() < LIMIT, "it does not recover: {refusal}");
        eprintln!("refused: {refusal}");
        refused += 1;
        sleep(LOOK_EVERY).await;
    }
    Ok((began.elapsed().as_secs_f64() * 1e3, refused))
}
