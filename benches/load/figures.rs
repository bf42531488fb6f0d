//! What was measured, and how it is shown.

use crate::process::Cpu;
use std::{fmt, time::Duration};

/// One round on one server.
#[derive(Debug, Clone)]
pub(crate) struct Round {
    /// Requests answered, or events delivered.
    pub(crate) done: u64,
    /// From the first to the last.
    pub(crate) wall: Duration,
    /// Processor time of the server.
    pub(crate) server_cpu: Cpu,
    /// Half of the latencies are at most this.
    pub(crate) p50: Duration,
    /// 99 of 100 latencies are at most this.
    pub(crate) p99: Duration,
}

impl Round {
    /// Sums up a round from its latencies in microseconds.
    pub(crate) fn new(mut latencies: Vec<u32>, wall: Duration, server_cpu: Cpu) -> Self {
        latencies.sort_unstable();
        Self {
            done: latencies.len() as u64,
            wall,
            server_cpu,
            p50: percentile(&latencies, 0.5),
            p99: percentile(&latencies, 0.99),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub(crate) fn per_second(&self) -> f64 {
        self.done as f64 / self.wall.as_secs_f64()
    }

    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    fn each_us(&self, time: Duration) -> f64 {
        time.as_secs_f64() * 1e6 / self.done.max(1) as f64
    }

    pub(crate) fn cpu_us(&self) -> f64 {
        self.each_us(self.server_cpu.total())
    }

    /// How much of its core the server had. Far below 100, the wall clock has measured something else.
    fn share(&self) -> f64 {
        100.0 * self.server_cpu.total().as_secs_f64() / self.wall.as_secs_f64()
    }
}

/// Returns what that part of sorted latencies, in microseconds, is at most.
pub(crate) fn percentile(latencies: &[u32], part: f64) -> Duration {
    let last = latencies.len().saturating_sub(1);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index into a list that fits in memory"
    )]
    let index = (last as f64 * part).round() as usize;
    Duration::from_micros(latencies.get(index).copied().unwrap_or(0).into())
}

/// Returns the middle one.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match (values.len(), values.len() / 2) {
        (0, _) => f64::NAN,
        (len, half) if len % 2 == 0 => f64::midpoint(values[half - 1], values[half]),
        (_, half) => values[half],
    }
}

/// Lines under a title, printed as Markdown.
pub(crate) struct Table {
    title: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    note: Option<String>,
}

impl Table {
    pub(crate) fn new(title: &str, head: &[&str]) -> Self {
        let head = head.iter().map(ToString::to_string).collect();
        Self {
            title: title.to_owned(),
            head,
            rows: Vec::new(),
            note: None,
        }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Says something below the lines.
    pub(crate) fn note(&mut self, note: String) {
        self.note = Some(note);
    }

    /// Compares servers that took turns: the first is the one that the others are a baseline for. Ratios are medians
    /// of the ratios of neighbouring rounds, above 1 where the first is better.
    pub(crate) fn compare(title: &str, unit: (&str, &str), servers: &[(&str, Vec<Round>)]) -> Self {
        let per = format!("server CPU µs per {}", unit.0);
        let rate = format!("{} per second", unit.1);
        let head = [
            "server",
            &rate,
            "times",
            &per,
            "times",
            "of that user",
            "p50 ms",
            "p99 ms",
            "of its core, %",
        ];
        let mut table = Self::new(title, &head);
        let ours = &servers[0].1;
        let ms = |part: fn(&Round) -> Duration, rounds: &[Round]| {
            median(rounds.iter().map(|round| part(round).as_secs_f64() * 1e3))
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
                format!("{:.1}", median(rounds.iter().map(Round::cpu_us))),
                format!(
                    "{:.2}",
                    median(pairs().map(|(ours, other)| other.cpu_us() / ours.cpu_us()))
                ),
                format!(
                    "{:.1}",
                    median(
                        rounds
                            .iter()
                            .map(|round| round.each_us(round.server_cpu.user))
                    )
                ),
                format!("{:.2}", ms(|round| round.p50, rounds)),
                format!("{:.2}", ms(|round| round.p99, rounds)),
                format!("{:.0}", median(rounds.iter().map(Round::share))),
            ]);
        }
        table
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "### {}\n", self.title)?;
        writeln!(f, "| {} |", self.head.join(" | "))?;
        writeln!(f, "|{}", " --- |".repeat(self.head.len()))?;
        self.rows
            .iter()
            .try_for_each(|row| writeln!(f, "| {} |", row.join(" | ")))?;
        match &self.note {
            Some(note) => writeln!(f, "\n{note}"),
            None => Ok(()),
        }
    }
}
