//! `quiz-stats analyze FILE|URL|-`: a quiz in, a table of answers out.
//!
//! Flow: source (file → questions, address → page) → local or remote (questions → report) → table, or the report as JSON.

mod cells;
pub(super) mod local;
pub(super) mod progress;
pub(super) mod refusal;
pub(super) mod remote;
pub(super) mod source;
mod sse;
mod table;

use super::{FAILED, PARTLY, address, print, signals::Signals};
use crate::{
    analysis::Report,
    config::Settings,
    quiz::{Question, request::Subject},
};
use clap::Args;
use progress::Progress;
use ratatui::crossterm::{style::Colored, terminal};
use reqwest::Url;
pub(super) use source::{page, piped};
use std::{
    io::{self, IsTerminal as _},
    path::PathBuf,
    process::ExitCode,
};

/// Columns of the table where no terminal says otherwise.
const DEFAULT_COLUMNS: u16 = 120;

const EXAMPLES: &str = "\
Examples:
  quiz-stats analyze quiz.gift                     answered in this process
  quiz-stats analyze quiz.json --json | jq .answers
  quiz-stats analyze https://quiz.example/page     read from a page, then answered
  pbpaste | quiz-stats analyze - --format aiken
  API_KEY=… quiz-stats analyze quiz.gift --server https://quiz.example --channel hall

With --server, the show plays on the server's screens; in this process, nothing is shown.
A quiz that carries its key is marked: ✓ agrees with the key, ✗ does not.

Exit codes: 0 every question answered, 1 none, 2 the quiz or the arguments are wrong, 3 answered only in part.";

/// Arguments of `analyze`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct AnalyzeArgs {
    /// The quiz: a file (JSON, GIFT, Aiken, Moodle XML, QTI, Open Trivia DB, or a saved page: HTML), a page's address; - reads standard input
    #[arg(value_name = "FILE|URL")]
    file: PathBuf,
    /// Let this server answer instead of this process; its key comes from API_KEY
    #[arg(long, value_name = "URL", value_parser = address::http)]
    server: Option<Url>,
    /// Print the report of POST /api/analyze as JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Play the show on this channel of the server
    #[arg(long, requires = "server", value_parser = super::channel)]
    channel: Option<String>,
    /// Play no show
    #[arg(long, requires = "server")]
    no_animate: bool,
    /// When the channel plays another show: queue behind it, replace it, or reject [default: as the server is set]
    #[arg(long, requires = "server", value_name = "HOW", value_parser = ["queue", "replace", "reject"], conflicts_with = "no_animate")]
    when_busy: Option<String>,
    #[command(flatten)]
    page: PageArgs,
    /// The file's format [default: by its name, else by its text]
    #[arg(long, value_enum)]
    format: Option<source::FormatArg>,
}

/// How a page is read.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct PageArgs {
    /// Of a page that shows one question at a time, go on with its "next" to the end
    #[arg(long)]
    pub(super) follow: bool,
    /// Open the page in Chromium even when the plain response holds questions
    #[arg(long)]
    pub(super) render: bool,
}

/// What happens while an analysis runs.
#[derive(Debug, Clone, Copy)]
pub(super) enum News {
    /// A page was read, and has so many questions.
    Questions(usize),
    /// A question has its outcome.
    Result,
}

/// An analysis that came to an end with at least one answer.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) report: Report,
    /// The report as the API gives it.
    json: String,
}

pub(super) async fn run(args: AnalyzeArgs, settings: Settings) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let subject = signals
        .or(source::subject(&args, &settings.limits))
        .await??;
    let progress = Progress::start(match &subject {
        Subject::Questions(questions) => Some(questions.len()),
        Subject::Page(_) => None,
    });
    let on_news = |news: News| match news {
        News::Questions(count) => progress.expect(count),
        News::Result => progress.add(),
    };
    let answered = match &args.server {
        Some(server) => {
            let request = remote::Request {
                subject: (&subject).into(),
                channel: args.channel.as_deref(),
                animate: !args.no_animate,
                when_busy: args.when_busy.as_deref(),
            };
            let key = settings.auth.api_key.as_ref();
            signals
                .or(remote::run(server, key, &request, on_news))
                .await??
        }
        None => local::run(settings, subject.clone(), &mut signals, on_news).await?,
    };
    drop(progress);
    let Answered { report, json } = answered;
    print(&match args.json {
        true => json + "\n",
        false => {
            let found = report.found.as_ref();
            let questions = found.map_or(subject.questions(), |found| &found.questions);
            text(questions, &report)
        }
    })?;
    Ok(verdict(&report))
}

fn text(questions: &[Question], report: &Report) -> String {
    let is_terminal = io::stdout().is_terminal();
    let look = table::Look {
        columns: terminal::size()
            .ok()
            .filter(|(columns, _)| is_terminal && *columns > 0)
            .map_or(DEFAULT_COLUMNS, |(columns, _)| columns),
        // NO_COLOR is known to the terminal library.
        coloured: is_terminal && !Colored::ansi_color_disabled_memoized(),
    };
    let table = table::table(questions, &report.results, look);
    let summary = table::summary(questions, &report.results, &report.usage);
    let notes: String = (report.found.iter())
        .flat_map(|found| &found.page.notes)
        .map(|note| format!("note: {note}\n"))
        .collect();
    format!("{table}\n{summary}\n{notes}")
}

/// Returns the exit code that a report deserves.
fn verdict(report: &Report) -> ExitCode {
    match report.answers.iter().flatten().count() {
        0 => ExitCode::from(FAILED),
        answered if answered < report.answers.len() => ExitCode::from(PARTLY),
        _ => ExitCode::SUCCESS,
    }
}
