//! Pages one after the other, and several at once, by servers that take turns.

use super::{
    reader::{Page, Reader, Until, page, plain, playwright, rendered},
    site::{BUILT, PLAIN, QUESTIONS, Site},
};
use crate::{
    Plan,
    figures::{Table, median, percentile},
};
use std::{cell::Cell, rc::Rc, time::Duration};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

/// Pages that are read at the same time.
const AT_ONCE: [usize; 2] = [1, 4];
/// Until what a page leaves behind is put away: that is part of its work.
const TIDY: Duration = Duration::from_millis(500);

/// One way to read a page.
struct Way<'a> {
    name: &'static str,
    reader: &'a Reader,
    request: Vec<u8>,
}

/// One round of it.
struct Round {
    /// How long each page took, in microseconds.
    latencies: Vec<u32>,
    pages: Vec<Page>,
    wall: Duration,
    cpu: Duration,
}

impl Round {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    fn count(&self) -> f64 {
        self.pages.len().max(1) as f64
    }

    fn per_second(&self) -> f64 {
        self.count() / self.wall.as_secs_f64()
    }

    fn cpu_ms(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e3 / self.count()
    }
}

pub(super) async fn run(plan: &Plan, site: &Site) -> anyhow::Result<Vec<Table>> {
    let most = AT_ONCE.into_iter().max().unwrap_or(1);
    let ours = Reader::quiz_stats(plan, site, most).await?;
    let others = match plan.with_others {
        true => Some(Reader::playwright(plan).await?),
        false => None,
    };
    let mut tables = Vec::new();
    for path in [PLAIN, BUILT] {
        let url = site.url(path);
        let ways = ways(path, &url, &ours, others.as_ref());
        for at_once in AT_ONCE {
            let mut rounds: Vec<Vec<Round>> = ways.iter().map(|_| Vec::new()).collect();
            for way in &ways {
                // Not counted: Chromium starts, caches fill.
                round(way, at_once, Duration::ZERO).await?;
            }
            for _ in 0..plan.rounds {
                for (way, rounds) in ways.iter().zip(&mut rounds) {
                    let round = round(way, at_once, plan.round).await?;
                    eprintln!(
                        "{path}, {at_once} at once, {}: {:.2} pages/s, {:.0} ms of CPU each",
                        way.name,
                        round.per_second(),
                        round.cpu_ms()
                    );
                    rounds.push(round);
                }
            }
            tables.push(table(path, at_once, &ways, &rounds));
        }
    }
    ours.stop().await?;
    if let Some(others) = others {
        others.stop().await?;
    }
    Ok(tables)
}

/// The last is the one that all are compared with: the fastest way of Playwright to the whole quiz.
fn ways<'a>(path: &str, url: &str, ours: &'a Reader, others: Option<&'a Reader>) -> Vec<Way<'a>> {
    let by = |reader, name, request| Way {
        name,
        reader,
        request,
    };
    let mut ways = vec![by(ours, "quiz-stats, in Chromium", rendered(url))];
    if path == PLAIN {
        ways.push(by(ours, "quiz-stats, plain response", plain(url)));
    }
    if let Some(reader) = others {
        let until = |name, until| by(reader, name, playwright(url, until));
        ways.push(until("Playwright, `networkidle`", Until::NetworkIdle));
        ways.push(until("Playwright, `load`", Until::Load));
        if path == BUILT {
            ways.push(until("Playwright, told to wait for a radio", Until::Radio));
        }
    }
    ways
}

async fn round(way: &Way<'_>, at_once: usize, length: Duration) -> anyhow::Result<Round> {
    let family = way.reader.family()?;
    let (cpu, began) = (family.cpu(), Instant::now());
    let mut reading = JoinSet::new();
    let last = Rc::new(Cell::new(began));
    for _ in 0..at_once {
        let mut connection = way.reader.open().await?;
        let (request, last) = (way.request.clone(), Rc::clone(&last));
        reading.spawn_local(async move {
            let mut read = Vec::new();
            let mut now = Instant::now();
            // At least one.
            while read.is_empty() || now < began + length {
                let found = page(connection.call(&request).await?)?;
                let answered = Instant::now();
                let took = u32::try_from((answered - now).as_micros()).unwrap_or(u32::MAX);
                read.push((took, found));
                now = answered;
            }
            last.set(now);
            anyhow::Ok(read)
        });
    }
    let (mut latencies, mut pages) = (Vec::new(), Vec::new());
    while let Some(read) = reading.join_next().await {
        for (took, page) in read?? {
            latencies.push(took);
            pages.push(page);
        }
    }
    let wall = last.get() - began;
    sleep(TIDY).await;
    Ok(Round {
        latencies,
        pages,
        wall,
        cpu: family.cpu().since(cpu).total(),
    })
}

fn table(path: &str, at_once: usize, ways: &[Way<'_>], rounds: &[Vec<Round>]) -> Table {
    let shape = match path {
        PLAIN => "Quiz in the plain response",
        _ => "Quiz built by a script after `load`",
    };
    let mut table = Table::new(
        &format!("{shape}, {at_once} at once"),
        &[
            "reader",
            "pages/s",
            "times the last",
            "CPU ms per page",
            "times the last",
            "p50 ms",
            "p95 ms",
            "pages",
            "questions found",
            "of that wait, fetch, render, extract ms",
        ],
    );
    let Some(reference) = rounds.last() else {
        return table;
    };
    for (way, rounds) in ways.iter().zip(rounds) {
        let pairs = || rounds.iter().zip(reference);
        let mut latencies: Vec<u32> = rounds
            .iter()
            .flat_map(|round| round.latencies.iter().copied())
            .collect();
        latencies.sort_unstable();
        let ms = |part| format!("{:.0}", percentile(&latencies, part).as_secs_f64() * 1e3);
        table.row([
            way.name.to_owned(),
            format!("{:.2}", median(rounds.iter().map(Round::per_second))),
            format!(
                "{:.2}",
                median(pairs().map(|(own, other)| own.per_second() / other.per_second()))
            ),
            format!("{:.0}", median(rounds.iter().map(Round::cpu_ms))),
            format!(
                "{:.2}",
                median(pairs().map(|(own, other)| other.cpu_ms() / own.cpu_ms()))
            ),
            ms(0.5),
            ms(0.95),
            latencies.len().to_string(),
            found(rounds),
            timings(rounds),
        ]);
    }
    table
}

/// Returns the least and the most questions that were found on a page.
fn found(rounds: &[Round]) -> String {
    let counts = || rounds.iter().flat_map(|round| &round.pages);
    let counts = || counts().map(|page| page.questions);
    match (counts().min(), counts().max()) {
        (Some(least), Some(most)) if least != most => format!("{least} to {most} of {QUESTIONS}"),
        (Some(all), _) => format!("{all} of {QUESTIONS}"),
        _ => "-".to_owned(),
    }
}

/// Returns the medians of what quiz-stats tells of its time.
fn timings(rounds: &[Round]) -> String {
    let told = || rounds.iter().flat_map(|round| &round.pages);
    let told = || told().filter_map(|page| page.timings);
    if told().next().is_none() {
        return "-".to_owned();
    }
    let medians = [0, 1, 2, 3].map(|part| median(told().map(|timings| timings[part])));
    medians.map(|ms| format!("{ms:.0}")).join(", ")
}
