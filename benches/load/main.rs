//! Load runner: quiz-stats beside the least that a Node server does, in one run, round about.
//!
//! Loopback only, bounded in rounds and seconds, ends the servers it starts. The servers share one core, the load has
//! another, so what is compared is what one core can do. Rounds alternate between the servers: whatever else the
//! machine does disturbs both alike, and the figures are medians. Processor time per unit of work is taken from the
//! kernel's books and hardly notices other load at all.

mod analyze;
mod asked;
mod board;
mod broadcast;
mod events;
mod figures;
mod floor;
mod footprint;
mod http;
mod process;
mod scrape;
mod server;
mod stalled;
mod storm;
mod stub;
mod viewers;

use clap::{Parser, Subcommand};
use figures::Table;
use server::{Launch, Pins};
use std::{path::PathBuf, process::ExitCode, time::Duration};

/// Files that a process has open beside its viewers' sockets, at most.
const OTHER_FILES: usize = 200;

/// Measures quiz-stats beside Node servers.
#[derive(Debug, Parser)]
#[command(name = "load")]
struct Args {
    #[command(subcommand)]
    what: What,
    /// Rounds per server.
    #[arg(long, global = true, default_value_t = 5)]
    rounds: usize,
    /// Seconds per round.
    #[arg(long, global = true, default_value_t = 3)]
    seconds: u64,
    /// Core of the servers.
    #[arg(long, global = true, default_value_t = 0)]
    server_core: usize,
    /// Core of the load.
    #[arg(long, global = true, default_value_t = 1)]
    load_core: usize,
    /// The program to measure; the one of this build when left out.
    #[arg(long, global = true, default_value = env!("CARGO_BIN_EXE_quiz-stats"), hide_default_value = true)]
    program: PathBuf,
    /// WebSocket viewers; several numbers, one after the other. No more than the limit on open files lets be.
    #[arg(long, global = true, value_delimiter = ',', default_values_t = [1_000, 5_000, 20_000])]
    viewers: Vec<usize>,
    /// Measures quiz-stats alone.
    #[arg(long, global = true)]
    alone: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
enum What {
    /// Everything below, one after the other.
    All,
    /// `POST /api/analyze` of a known question, beside Express.
    Analyze,
    /// `POST /api/analyze` of unknown questions, the model taking 50 ms, beside Express.
    Asked,
    /// One channel's events to many WebSockets, beside `ws` and Bun.
    Broadcast,
    /// Start-up to ready, idle memory, memory per idle WebSocket.
    Footprint,
    /// `POST /api/scrape`, beside Playwright with the same Chromium.
    Scrape,
    /// All viewers come back at once after the server was killed.
    Storm,
    /// What viewers notice of others that do not read.
    Stalled,
    /// Is the server that the floor is measured with.
    #[command(hide = true)]
    Floor {
        /// Writes events that come together in one go.
        #[arg(long)]
        joined: bool,
    },
}

impl What {
    fn includes(self, other: Self) -> bool {
        self == other || self == Self::All
    }
}

fn main() -> anyhow::Result<ExitCode> {
    // `cargo bench` without more, and a test run over all targets, call every benchmark with flags of their own.
    let harness = |arg: &String| ["--bench", "--test", "--list"].contains(&arg.as_str());
    let args: Vec<String> = std::env::args().filter(|arg| !harness(arg)).collect();
    if args.len() == 1 {
        eprintln!(
            "load: nothing to do; for the measurements run `cargo bench --bench load -- all`"
        );
        return Ok(ExitCode::SUCCESS);
    }
    let args = Args::parse_from(args);
    let pins = Pins {
        server: args.server_core,
        load: args.load_core,
    };
    if !matches!(args.what, What::Floor { .. }) {
        pins.pin_this_process()?;
    }
    // One thread: the load must stay cheap beside what it measures.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(tokio::task::LocalSet::new().run_until(run(args, pins)))?;
    Ok(ExitCode::SUCCESS)
}

/// Never lets this process sleep, so that no server pays for waking it: with clients on other machines none would.
async fn stay_awake() {
    loop {
        tokio::task::yield_now().await;
    }
}

async fn run(args: Args, pins: Pins) -> anyhow::Result<()> {
    if let What::Floor { joined } = args.what {
        return floor::serve(joined).await;
    }
    let plan = Plan {
        rounds: args.rounds,
        round: Duration::from_secs(args.seconds),
        with_others: !args.alone,
        viewers: within_limit(args.viewers)?,
        launch: Launch {
            program: args.program,
            pins,
            ai: stub::serve().await?,
        },
    };
    let awake = tokio::task::spawn_local(stay_awake());
    let mut tables: Vec<Table> = Vec::new();
    if args.what.includes(What::Analyze) {
        tables.extend(analyze::run(&plan).await?);
    }
    if args.what.includes(What::Asked) {
        tables.extend(asked::run(&plan).await?);
    }
    if args.what.includes(What::Broadcast) {
        tables.extend(broadcast::run(&plan).await?);
    }
    if args.what.includes(What::Stalled) {
        tables.extend(stalled::run(&plan).await?);
    }
    if args.what.includes(What::Storm) {
        tables.extend(storm::run(&plan).await?);
    }
    awake.abort();
    if args.what.includes(What::Footprint) {
        tables.extend(footprint::run(&plan).await?);
    }
    if args.what.includes(What::Scrape) {
        tables.extend(scrape::run(&plan).await?);
    }
    for table in tables {
        println!("{table}");
    }
    Ok(())
}

/// Keeps the numbers of viewers within what a process may have open, here and at the servers.
fn within_limit(viewers: Vec<usize>) -> anyhow::Result<Vec<usize>> {
    let most = process::most_files()?.saturating_sub(OTHER_FILES);
    let within = |viewers: usize| {
        if viewers > most {
            eprintln!("load: {most} viewers in place of {viewers}: the limit on open files");
        }
        viewers.min(most)
    };
    Ok(viewers.into_iter().map(within).collect())
}

/// How much of everything.
struct Plan {
    rounds: usize,
    round: Duration,
    with_others: bool,
    /// Numbers of viewers to measure with.
    viewers: Vec<usize>,
    launch: Launch,
}
